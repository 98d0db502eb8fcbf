//! GitHub, and Gitea and Forgejo, whose interfaces were made after it. Where they differ, [`Flavour`] says so.
//!
//! After the REST interfaces of GitHub (version 2022-11-28) and Gitea (1.22); `cargo xtask measure forge --schemas FILE`
//! holds what is sent against a published description.

mod answers;
mod checks;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use upstream::{Clock, CommitId};

use super::web::{PAGE, Scheme, Web, escaped};
use super::{
    Change, Comment, Forge, ForgeError, Issue, MergeMethod, NewPull, Permission, PullRequest, PullState,
    Review, Status, StatusKind, is_since,
};
use answers::{
    AnsweredComment, AnsweredIssue, AnsweredPermission, AnsweredPull, AnsweredReview, AnsweredUser,
};
use checks::Checks;

/// What Gitea marks a draft with, in the title.
const DRAFT_MARK: &str = "WIP: ";
/// Entries of the one page that is read of what was opened lately.
const LATELY: usize = 50;

/// Which of them it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// GitHub.
    GitHub,
    /// Gitea or Forgejo.
    Gitea,
}

/// One repository at one of them.
#[derive(Debug)]
pub struct Hub {
    web: Web,
    flavour: Flavour,
    owner: String,
    /// `/repos/OWNER/NAME`
    repository: String,
    graphql: String,
    /// The name that we go by where the forge does not tell.
    username: Option<String>,
    checks: Checks,
}

/// What is needed to speak to a forge.
#[derive(Debug)]
pub struct Access<'a> {
    /// The address of its interface, such as `https://api.github.com`.
    pub api: &'a str,
    /// `OWNER/NAME`, and at GitLab `GROUP/…/NAME`.
    pub repository: &'a str,
    /// The token.
    pub token: &'a SecretString,
    /// The name that we go by, where the token cannot ask for it.
    pub username: Option<&'a str>,
    /// As what verdicts are shown, where there is a choice.
    pub status_kind: StatusKind,
    /// The longest an answer may take.
    pub timeout: Duration,
    /// The time, to wait by.
    pub clock: Arc<dyn Clock>,
}

impl Hub {
    /// The repository that `access` names.
    pub fn new(flavour: Flavour, access: &Access<'_>) -> anyhow::Result<Self> {
        let scheme = match flavour {
            Flavour::GitHub => Scheme::Bearer,
            Flavour::Gitea => Scheme::Token,
        };
        let (owner, name) = access.repository.split_once('/').unwrap_or((access.repository, ""));
        let api = access.api.trim_end_matches('/');
        // GitHub Enterprise Server has REST at `/api/v3` and GraphQL at `/api/graphql`.
        let graphql = format!("{}/graphql", api.strip_suffix("/v3").unwrap_or(api));
        Ok(Self {
            web: Web::new(api, access.token, scheme, access.timeout, Arc::clone(&access.clock))?,
            flavour,
            owner: owner.to_owned(),
            repository: format!("/repos/{}/{}", escaped(owner), escaped(name)),
            graphql,
            username: access.username.map(str::to_owned),
            checks: Checks::new(flavour, access.status_kind, access.token),
        })
    }

    fn post(&self, path: &str, body: &Value) -> Result<(), ForgeError> {
        self.web.send(&Method::POST, &format!("{}{path}", self.repository), body).map(drop)
    }

    fn patch(&self, path: &str, body: &Value) -> Result<(), ForgeError> {
        self.web.send(&Method::PATCH, &format!("{}{path}", self.repository), body).map(drop)
    }

    /// The query of a list, with the size of its pages.
    fn paged(&self) -> String {
        match self.flavour {
            Flavour::GitHub => format!("per_page={PAGE}"),
            Flavour::Gitea => format!("limit={PAGE}"),
        }
    }

    fn pull(&self, pull: AnsweredPull) -> PullRequest {
        let (title, is_draft) = match self.flavour {
            Flavour::GitHub => (pull.title, pull.draft),
            Flavour::Gitea => match pull.title.strip_prefix(DRAFT_MARK) {
                Some(title) => (title.to_owned(), true),
                None => (pull.title, pull.draft),
            },
        };
        let state = if pull.merged || pull.merged_at.is_some() {
            PullState::Merged { commit: pull.merge_commit_sha }
        } else if pull.state == "open" {
            PullState::Open
        } else {
            PullState::Closed { by: None }
        };
        let base_repository = pull.base.repo.map(|repo| repo.id);
        PullRequest {
            number: pull.number,
            web_url: pull.html_url,
            node: pull.node_id,
            title,
            body: pull.body.unwrap_or_default(),
            author: pull.user.map(|user| user.login).unwrap_or_default(),
            // A copy that was deleted since is no longer there: then it was one.
            is_local: pull.head.repo.map(|repo| repo.id) == base_repository,
            head_branch: pull.head.branch,
            head: pull.head.sha,
            base_branch: pull.base.branch,
            is_draft,
            labels: pull.labels.into_iter().map(|label| label.name).collect(),
            state,
            updated: pull.updated_at.unwrap_or_default(),
        }
    }

    fn titled(&self, title: &str, is_draft: bool) -> String {
        let marked = is_draft && self.flavour == Flavour::Gitea;
        format!("{}{title}", if marked { DRAFT_MARK } else { "" })
    }
}

impl Forge for Hub {
    fn whoami(&self) -> Result<String, ForgeError> {
        match &self.username {
            Some(name) => Ok(name.clone()),
            None => Ok(self.web.get::<AnsweredUser>("/user")?.login),
        }
    }

    fn pulls_from(&self, branch: &str) -> Result<Vec<PullRequest>, ForgeError> {
        let (repository, paged) = (&self.repository, self.paged());
        let path = match self.flavour {
            Flavour::GitHub => {
                let head = escaped(&format!("{}:{branch}", self.owner));
                format!("{repository}/pulls?state=all&head={head}&sort=created&direction=desc&{paged}")
            }
            // Gitea cannot be asked for a branch.
            Flavour::Gitea => format!("{repository}/pulls?state=all&{paged}"),
        };
        let answered: Vec<AnsweredPull> = self.web.list(&path)?;
        let mut pulls: Vec<PullRequest> = answered.into_iter().map(|pull| self.pull(pull)).collect();
        pulls.retain(|pull| pull.head_branch == branch && pull.is_local);
        pulls.sort_by_key(|pull| std::cmp::Reverse(pull.number));
        // Who closed it is told of issues alone.
        if let (Flavour::GitHub, Some(newest)) = (self.flavour, pulls.first_mut())
            && let PullState::Closed { by } = &mut newest.state
        {
            let issue: AnsweredIssue = self.web.get(&format!("{repository}/issues/{}", newest.number))?;
            *by = issue.closed_by.map(|user| user.login);
        }
        Ok(pulls)
    }

    fn open_pulls(&self, branch_prefix: &str) -> Result<usize, ForgeError> {
        let path = format!("{}/pulls?state=open&{}", self.repository, self.paged());
        let pulls: Vec<AnsweredPull> = self.web.list(&path)?;
        Ok(pulls.iter().filter(|pull| pull.head.branch.starts_with(branch_prefix)).count())
    }

    fn opened_since(&self, branch_prefix: &str, since_ms: i64) -> Result<usize, ForgeError> {
        let repository = &self.repository;
        let path = match self.flavour {
            Flavour::GitHub => {
                format!("{repository}/pulls?state=all&sort=created&direction=desc&per_page={LATELY}")
            }
            // Gitea's own order is by number, the newest first.
            Flavour::Gitea => format!("{repository}/pulls?state=all&limit={LATELY}"),
        };
        let pulls: Vec<AnsweredPull> = self.web.get(&path)?;
        let ours = pulls.iter().filter(|pull| pull.head.branch.starts_with(branch_prefix));
        Ok(ours.filter(|pull| is_since(pull.created_at.as_deref(), since_ms)).count())
    }

    fn open(&self, new: &NewPull<'_>) -> Result<(), ForgeError> {
        let title = self.titled(new.title, new.is_draft);
        let mut body = json!({ "title": title, "head": new.head, "base": new.base, "body": new.body });
        if self.flavour == Flavour::GitHub {
            body["draft"] = json!(new.is_draft);
        }
        self.post("/pulls", &body)
    }

    fn change(&self, pull: &PullRequest, change: &Change<'_>) -> Result<(), ForgeError> {
        let mut body = json!({});
        let is_draft = change.is_draft.unwrap_or(pull.is_draft);
        // At Gitea whether it is a draft stands in the title.
        let retitled = change.title.is_some() || self.flavour == Flavour::Gitea && is_draft != pull.is_draft;
        if retitled {
            body["title"] = json!(self.titled(change.title.unwrap_or(&pull.title), is_draft));
        }
        if let Some(text) = change.body {
            body["body"] = json!(text);
        }
        if self.flavour == Flavour::GitHub && is_draft != pull.is_draft {
            // REST cannot.
            let mutation =
                if is_draft { "convertPullRequestToDraft" } else { "markPullRequestReadyForReview" };
            let query = format!(
                "mutation($id: ID!) {{ {mutation}(input: {{pullRequestId: $id}}) {{ clientMutationId }} }}"
            );
            let asked = json!({ "query": query, "variables": { "id": pull.node } });
            let answer = self.web.send(&Method::POST, &self.graphql, &asked)?;
            if let Some(Value::Array(errors)) = answer.get("errors").filter(|errors| !errors.is_null()) {
                let said = errors.first().and_then(|error| error["message"].as_str()).unwrap_or_default();
                let what = format!("{mutation} of {}", pull.number);
                return Err(ForgeError::Conflict { status: 422, what, said: said.to_owned() });
            }
        }
        if body.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(());
        }
        self.patch(&format!("/pulls/{}", pull.number), &body)
    }

    fn close(&self, pull: &PullRequest) -> Result<(), ForgeError> {
        self.patch(&format!("/pulls/{}", pull.number), &json!({ "state": "closed" }))
    }

    fn add_labels(&self, pull: &PullRequest, labels: &[String]) -> Result<(), ForgeError> {
        self.post(&format!("/issues/{}/labels", pull.number), &json!({ "labels": labels }))
    }

    fn ask_reviewers(&self, pull: &PullRequest, reviewers: &[String]) -> Result<(), ForgeError> {
        let (teams, people): (Vec<&str>, Vec<&str>) =
            reviewers.iter().map(String::as_str).partition(|name| name.starts_with("team:"));
        let teams: Vec<&str> = teams.iter().filter_map(|name| name.strip_prefix("team:")).collect();
        let body = json!({ "reviewers": people, "team_reviewers": teams });
        self.post(&format!("/pulls/{}/requested_reviewers", pull.number), &body)
    }

    fn comments(&self, pull: &PullRequest) -> Result<Vec<Comment>, ForgeError> {
        let path = format!("{}/issues/{}/comments", self.repository, pull.number);
        let comments: Vec<AnsweredComment> = match self.flavour {
            Flavour::GitHub => self.web.list(&format!("{path}?{}", self.paged()))?,
            // Gitea answers them all at once, and knows no pages here.
            Flavour::Gitea => self.web.get(&path)?,
        };
        let mut comments: Vec<Comment> = comments.into_iter().map(Comment::from).collect();
        comments.sort_by_key(|comment| comment.id);
        comments.dedup_by_key(|comment| comment.id);
        Ok(comments)
    }

    fn comment(&self, pull: &PullRequest, body: &str) -> Result<(), ForgeError> {
        self.post(&format!("/issues/{}/comments", pull.number), &json!({ "body": body }))
    }

    fn reviews(&self, pull: &PullRequest) -> Result<Vec<Review>, ForgeError> {
        let path = format!("{}/pulls/{}/reviews?{}", self.repository, pull.number, self.paged());
        let reviews: Vec<AnsweredReview> = self.web.list(&path)?;
        Ok(reviews.into_iter().filter_map(AnsweredReview::review).collect())
    }

    fn permission(&self, of: &Comment) -> Result<Permission, ForgeError> {
        let path = format!("{}/collaborators/{}/permission", self.repository, escaped(&of.author));
        match self.web.get::<AnsweredPermission>(&path) {
            Ok(answered) => Ok(match answered.permission.as_str() {
                "admin" | "write" | "owner" => Permission::Write,
                "read" => Permission::Read,
                _none_or_unknown => Permission::None,
            }),
            Err(ForgeError::NotFound { .. }) => Ok(Permission::None),
            // Gitea lets an owner alone ask about others: somebody whose right cannot be told has none.
            Err(ForgeError::Denied { status: 403, .. }) if self.flavour == Flavour::Gitea => {
                Ok(Permission::None)
            }
            Err(error) => Err(error),
        }
    }

    fn status(&self, commit: &CommitId, context: &str) -> Result<Option<Status>, ForgeError> {
        self.verdict(commit, context)
    }

    fn set_status(&self, commit: &CommitId, status: &Status) -> Result<(), ForgeError> {
        self.tell_verdict(commit, status)
    }

    fn merge(&self, pull: &PullRequest, head: &CommitId, method: MergeMethod) -> Result<(), ForgeError> {
        let word = match method {
            MergeMethod::Merge => "merge",
            MergeMethod::Squash => "squash",
            MergeMethod::Rebase => "rebase",
        };
        let path = format!("{}/pulls/{}/merge", self.repository, pull.number);
        match self.flavour {
            Flavour::GitHub => {
                let body = json!({ "sha": head, "merge_method": word });
                self.web.send(&Method::PUT, &path, &body).map(drop)
            }
            Flavour::Gitea => {
                let body = json!({ "Do": word, "head_commit_id": head });
                self.web.send(&Method::POST, &path, &body).map(drop)
            }
        }
    }

    fn issues_by(&self, author: &str) -> Result<Vec<Issue>, ForgeError> {
        let (repository, author, paged) = (&self.repository, escaped(author), self.paged());
        let path = match self.flavour {
            Flavour::GitHub => format!("{repository}/issues?state=all&creator={author}&{paged}"),
            Flavour::Gitea => {
                format!("{repository}/issues?state=all&type=issues&created_by={author}&{paged}")
            }
        };
        let issues: Vec<AnsweredIssue> = self.web.list(&path)?;
        // To GitHub a pull request is an issue as well.
        let issues = issues.into_iter().filter(|issue| issue.pull_request.is_none());
        let mut issues: Vec<Issue> = issues
            .map(|issue| Issue {
                number: issue.number,
                is_open: issue.state == "open",
                body: issue.body.unwrap_or_default(),
            })
            .collect();
        issues.sort_by_key(|issue| std::cmp::Reverse(issue.number));
        Ok(issues)
    }

    fn open_issue(&self, title: &str, body: &str) -> Result<(), ForgeError> {
        self.post("/issues", &json!({ "title": title, "body": body }))
    }

    fn change_issue(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        self.patch(&format!("/issues/{number}"), &json!({ "body": body }))
    }

    fn body_chars_max(&self) -> usize {
        // GitHub's own bound; Gitea has a larger one.
        65_536
    }
}
