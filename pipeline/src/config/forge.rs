//! `[forge]`: where the port lives, and how work is proposed there. Renovate's words where Renovate has one.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

use super::watch::Wrong;
use crate::forge::{Kind, MergeMethod, StatusKind};
use crate::proposal::{DraftWhen, GroupBy, OpenTimes, Policy, RebaseWhen};

/// The classes of revisions that `automerge-classes` may name.
const CLASSES: [&str; 7] = [
    "no-behaviour-change",
    "build-only",
    "dependencies",
    "internal-behaviour",
    "public-api-added",
    "public-api-changed",
    "public-api-removed",
];

/// What a forge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KindChoice {
    /// GitHub, or GitHub Enterprise Server.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea.
    Gitea,
    /// Forgejo, which speaks as Gitea does.
    Forgejo,
}

/// When a pull request is a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DraftChoice {
    /// While something in it waits for a person.
    Parked,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When a proposal follows its base branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RebaseChoice {
    /// Whenever it is behind.
    BehindBaseBranch,
    /// Where it conflicts.
    Conflicted,
    /// Never.
    Never,
}

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyChoice {
    /// By a commit with two parents.
    MergeCommit,
    /// By one commit that holds all changes.
    Squash,
    /// By each commit written anew.
    Rebase,
}

/// As what the verdict is shown on a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatusChoice {
    /// At GitHub as a check run where the token is an app's, else as a commit status.
    Auto,
    /// As a check run.
    CheckRun,
    /// As a commit status.
    CommitStatus,
}

/// What revisions share a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupChoice {
    /// All that are new.
    All,
    /// Releases that are compatible by Cargo's rules.
    Major,
    /// Releases of one minor version.
    Minor,
    /// Each revision has its own.
    Revision,
}

/// `[forge]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ForgeSection {
    /// What it is: `github`, `gitlab`, `gitea` or `forgejo`. Only plain pushing does without.
    pub kind: Option<KindChoice>,
    /// Its address for people. Default: `https://github.com` and `https://gitlab.com`.
    pub url: Option<String>,
    /// The address of its REST interface, where it does not follow from `url`.
    pub api_url: Option<String>,
    /// The address that is pushed to, where it does not follow from `url` and `repository`.
    pub git_url: Option<String>,
    /// The repository: `OWNER/NAME`, and at GitLab `GROUP/…/NAME`.
    pub repository: Option<String>,
    /// The environment variable that holds the token. Default: `TIDELOCK_FORGE_TOKEN`.
    pub token_env: Option<String>,
    /// The name that the token's owner goes by, where the token may not ask for it, such as `github-actions[bot]`.
    pub username: Option<String>,
    /// The branch that work is proposed for. Default: `branch` of `[port]`, else `main`.
    pub base_branch: Option<String>,
    /// What the names of branches begin with. Default: `tidelock/`.
    pub branch_prefix: Option<String>,
    /// The name of the group that changes are proposed in: behind `branch-prefix`, the name of the branch. Default:
    /// `sync`.
    pub group_name: Option<String>,
    /// Labels that a pull request is given.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Who is asked to review; `team:NAME` for a team.
    #[serde(default)]
    pub reviewers: Vec<String>,
    /// When a pull request is a draft. Default: `parked`.
    #[serde(rename = "draft-pr")]
    pub draft_pr: Option<DraftChoice>,
    /// No further pull request is opened while so many of Tidelock's are open in the repository; 0 for any number.
    /// Default: 10.
    pub pr_concurrent_limit: Option<u32>,
    /// No further pull request is opened while so many of Tidelock's in the repository were opened within the last hour;
    /// 0 for any number. Default: 2.
    pub pr_hourly_limit: Option<u32>,
    /// When pull requests are opened, as cron expressions whose minutes are `*`, such as `* 0-5 * * 1-5`: at any of
    /// these times. An open one is kept up to date at any time. Default: always.
    #[serde(default)]
    pub schedule: Vec<String>,
    /// The time zone of `schedule`, such as `Europe/Berlin`. Default: `UTC`.
    pub timezone: Option<String>,
    /// What shares a pull request: `all` that is new, the releases of one `major` (compatible) or `minor` version, or
    /// each `revision` its own. What follows is proposed once that is merged. Default: `all`.
    pub group_by: Option<GroupChoice>,
    /// Whether an issue lists what is proposed and what waits. Default: false.
    #[serde(default)]
    pub dependency_dashboard: bool,
    /// Its title. Default: `Tidelock dashboard`.
    pub dependency_dashboard_title: Option<String>,
    /// When a proposal is brought up to its base branch: begun anew, or by a merge once it was reviewed. Default:
    /// `behind-base-branch`, so that what is merged is what was tested.
    pub rebase_when: Option<RebaseChoice>,
    /// Whether what passed every gate is merged without a person's word. Default: false.
    #[serde(default)]
    pub automerge: bool,
    /// With `automerge`: only where every revision in it is of one of these classes, such as `no-behaviour-change`.
    /// Default: any.
    #[serde(default)]
    pub automerge_classes: Vec<String>,
    /// How Tidelock merges. Default: `merge-commit`. GitLab merges by rebase only where the project does.
    pub automerge_strategy: Option<StrategyChoice>,
    /// So many people must have approved the newest commit before Tidelock merges. Default: 0.
    pub required_approvals: Option<u32>,
    /// The name of the commit status or check run. Default: `tidelock`.
    pub status_context: Option<String>,
    /// As what the verdict is shown at GitHub: as a `check-run`, which only the token of an app may make, as a
    /// `commit-status`, or `auto`. Default: `auto`, a check run where the token is an app's.
    pub status_kind: Option<StatusChoice>,
}

/// The forge, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeSettings {
    /// What it is; `None` where it is only pushed to.
    pub kind: Option<Kind>,
    /// The address of its REST interface; empty where it is only pushed to.
    pub api: String,
    /// The address that is pushed to.
    pub git_url: String,
    /// The user that goes with the token when pushing.
    pub git_user: &'static str,
    /// The repository there.
    pub repository: String,
    /// The environment variable that holds the token.
    pub token_env: String,
    /// The name that the token's owner goes by.
    pub username: Option<String>,
    /// As what the verdict is shown on a commit.
    pub status_kind: StatusKind,
    /// How the bot behaves.
    pub policy: Policy,
    /// Whether what passed is merged without a person's word.
    pub automerge: bool,
    /// The classes of revisions for which that holds, as records name them; empty for all.
    pub automerge_classes: Vec<String>,
}

fn wrong(key: &str, message: impl Into<String>, help: impl Into<String>) -> Wrong {
    (vec![key.to_owned()], message.into(), help.into())
}

/// Checks the section. `branch` is the port's, `email` the address of its commits.
pub(super) fn resolve(
    section: &ForgeSection,
    branch: Option<&str>,
    email: &str,
) -> Result<ForgeSettings, Wrong> {
    let kind = section.kind.map(|kind| match kind {
        KindChoice::Github => Kind::GitHub,
        KindChoice::Gitlab => Kind::GitLab,
        KindChoice::Gitea | KindChoice::Forgejo => Kind::Gitea,
    });
    let repository = repository(section, kind)?;
    let url = match (&section.url, kind) {
        (Some(url), _) => address("url", url)?,
        (None, Some(Kind::GitHub)) => "https://github.com".to_owned(),
        (None, Some(Kind::GitLab)) => "https://gitlab.com".to_owned(),
        (None, Some(Kind::Gitea)) => {
            return Err(wrong(
                "kind",
                "a Gitea or Forgejo needs its `url`",
                "write `url = \"https://HOST\"`",
            ));
        }
        (None, None) => String::new(),
    };
    let api = match (&section.api_url, kind) {
        (Some(api), _) => address("api-url", api)?,
        (None, Some(Kind::GitHub)) if url == "https://github.com" => "https://api.github.com".to_owned(),
        (None, Some(Kind::GitHub)) => format!("{url}/api/v3"),
        (None, Some(Kind::GitLab)) => format!("{url}/api/v4"),
        (None, Some(Kind::Gitea)) => format!("{url}/api/v1"),
        (None, None) => String::new(),
    };
    let git_url = match (&section.git_url, kind) {
        (Some(git), _) => git.clone(),
        (None, Some(_)) => format!("{url}/{repository}.git"),
        (None, None) => {
            let help = "write `kind`, or `git-url = \"ADDRESS\"` to push to it";
            return Err(wrong("git-url", "`[forge]` names neither a `kind` nor a `git-url`", help));
        }
    };
    if holds_password(&git_url) {
        let help = "take the password out, and name the variable that holds it as `token-env`";
        return Err(wrong("git-url", "the address holds a password", help));
    }
    if section.status_kind == Some(StatusChoice::CheckRun) && kind != Some(Kind::GitHub) {
        let help = "take the line out: a commit status says it there";
        return Err(wrong("status-kind", "only GitHub has check runs", help));
    }
    let policy = policy(section, branch, email)?;
    for (at, class) in section.automerge_classes.iter().enumerate() {
        if !CLASSES.contains(&class.as_str()) {
            let keys = vec!["automerge-classes".to_owned(), at.to_string()];
            let message = format!("there is no class `{class}` of revisions");
            return Err((keys, message, format!("write some of: {}", CLASSES.join(", "))));
        }
    }
    Ok(ForgeSettings {
        kind,
        api,
        git_url,
        git_user: match kind {
            Some(Kind::GitHub) | None => "x-access-token",
            Some(Kind::GitLab | Kind::Gitea) => "oauth2",
        },
        repository,
        token_env: section.token_env.clone().unwrap_or_else(|| "TIDELOCK_FORGE_TOKEN".to_owned()),
        username: section.username.clone(),
        status_kind: match section.status_kind {
            Some(StatusChoice::CheckRun) => StatusKind::CheckRun,
            Some(StatusChoice::CommitStatus) => StatusKind::CommitStatus,
            Some(StatusChoice::Auto) | None => StatusKind::Auto,
        },
        policy,
        automerge: section.automerge,
        automerge_classes: section.automerge_classes.iter().map(|class| class.replace('-', "_")).collect(),
    })
}

fn repository(section: &ForgeSection, kind: Option<Kind>) -> Result<String, Wrong> {
    let Some(repository) = &section.repository else {
        if kind.is_none() {
            return Ok(String::new());
        }
        return Err(wrong(
            "kind",
            "the forge's `repository` is missing",
            "write `repository = \"OWNER/NAME\"`",
        ));
    };
    let parts: Vec<&str> = repository.split('/').collect();
    let fits = match kind {
        Some(Kind::GitLab) => parts.len() >= 2,
        Some(Kind::GitHub | Kind::Gitea) | None => parts.len() == 2,
    };
    let plain = |part: &&str| {
        !part.is_empty()
            && **part != *"."
            && **part != *".."
            && !part.contains(|c: char| c.is_whitespace() || "?#%\\:".contains(c))
    };
    if fits && parts.iter().all(plain) {
        return Ok(repository.clone());
    }
    let help = "write `OWNER/NAME` as in the address of the repository, without `.git`";
    Err(wrong("repository", format!("`{repository}` is no repository"), help))
}

fn address(key: &str, text: &str) -> Result<String, Wrong> {
    let help = "write an address such as `https://forge.example`";
    let parsed = reqwest::Url::parse(text).map_err(|error| wrong(key, format!("`{text}`: {error}"), help))?;
    let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if parsed.scheme() != "https" && !loopback {
        let message = format!("`{key}` is not over https: the token would be read by everybody on the way");
        return Err(wrong(key, message, help));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.query().is_some() {
        return Err(wrong(key, format!("`{key}` holds more than an address"), help));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn policy(section: &ForgeSection, branch: Option<&str>, email: &str) -> Result<Policy, Wrong> {
    let prefix = section.branch_prefix.clone().unwrap_or_else(|| "tidelock/".to_owned());
    let group = section.group_name.clone().unwrap_or_else(|| "sync".to_owned());
    let base = section.base_branch.as_deref().or(branch).unwrap_or("main").to_owned();
    let head = format!("{prefix}{}", slug(&group));
    for (key, name) in [("base-branch", &base), ("group-name", &head)] {
        if name.starts_with('-') || !port::repo::is_branch_name(name) {
            return Err(wrong(key, format!("`{name}` is no name of a branch"), "write one that git takes"));
        }
    }
    if head == base {
        return Err(wrong(
            "group-name",
            format!("work on `{head}` is proposed for `{base}` itself"),
            "choose another name",
        ));
    }
    let schedule = OpenTimes::new(&section.schedule, zone(section)?).map_err(|(at, message)| {
        let help =
            "write the hours, days and months, such as `* 0-5 * * 1-5`: `timezone` says where".to_owned();
        (vec!["schedule".to_owned(), at.to_string()], message, help)
    })?;
    let title = section.dependency_dashboard_title.as_deref().unwrap_or("Tidelock dashboard");
    if title.trim().is_empty() || title.chars().any(char::is_control) {
        return Err(wrong(
            "dependency-dashboard-title",
            "the title is no line of text",
            "write one, or take it out",
        ));
    }
    let standard = Policy::new(&base, &head, &prefix, email);
    Ok(Policy {
        labels: section.labels.clone(),
        reviewers: section.reviewers.clone(),
        draft: section.draft_pr.map_or(standard.draft, |when| match when {
            DraftChoice::Parked => DraftWhen::Parked,
            DraftChoice::Always => DraftWhen::Always,
            DraftChoice::Never => DraftWhen::Never,
        }),
        pr_concurrent_limit: section.pr_concurrent_limit.unwrap_or(standard.pr_concurrent_limit),
        pr_hourly_limit: section.pr_hourly_limit.unwrap_or(standard.pr_hourly_limit),
        schedule,
        group_by: section.group_by.map_or(standard.group_by, |by| match by {
            GroupChoice::All => GroupBy::All,
            GroupChoice::Major => GroupBy::Major,
            GroupChoice::Minor => GroupBy::Minor,
            GroupChoice::Revision => GroupBy::Revision,
        }),
        dashboard: section.dependency_dashboard.then(|| title.to_owned()),
        rebase_when: section.rebase_when.map_or(standard.rebase_when, |when| match when {
            RebaseChoice::BehindBaseBranch => RebaseWhen::BehindBaseBranch,
            RebaseChoice::Conflicted => RebaseWhen::Conflicted,
            RebaseChoice::Never => RebaseWhen::Never,
        }),
        required_approvals: section.required_approvals.unwrap_or(standard.required_approvals),
        automerge_strategy: section.automerge_strategy.map_or(standard.automerge_strategy, |how| match how {
            StrategyChoice::MergeCommit => MergeMethod::Merge,
            StrategyChoice::Squash => MergeMethod::Squash,
            StrategyChoice::Rebase => MergeMethod::Rebase,
        }),
        status_context: section.status_context.clone().unwrap_or(standard.status_context.clone()),
        ..standard
    })
}

fn zone(section: &ForgeSection) -> Result<TimeZone, Wrong> {
    let Some(name) = &section.timezone else { return Ok(TimeZone::UTC) };
    TimeZone::get(name).map_err(|error| {
        let help =
            "write a name such as `Europe/Berlin` or `UTC`; they come with the system package `tzdata`";
        wrong("timezone", format!("there is no time zone `{name}`: {error}"), help)
    })
}

/// A group's name as part of a branch's.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || c == '.' || c == '_' {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches(['-', '.']).to_owned()
}

/// Whether an address holds a user with a password.
fn holds_password(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}
