//! `tidelock sync` where work lands at a forge, and `tidelock pr`.

mod engine;
mod pr;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use port::repo::{Author, PortRepo};
use reports::record::{FORMAT, Notice, PortFacts, UpstreamFacts};
use reports::{RunOutcome, RunRecord};
use secrecy::SecretString;
use upstream::ContentHash;

use super::args::Sync;
use super::{CliError, sync};
use crate::config::forge::ForgeSettings;
use crate::config::{LandMode, Settings, env};
use crate::forge::gitlab::GitLab;
use crate::forge::hub::{Access, Flavour, Hub};
use crate::forge::remote::{Credentials, Remote};
use crate::forge::{Forge, Kind};
use crate::lease::Lease;
use crate::progress::Progress;
use crate::proposal::step::{Rest, Step, decide};
use crate::proposal::{self, Bot, Outcome, ProposalObstacle};
use crate::session::{Machine, Session};

use engine::EngineMaker;
pub(super) use pr::run;

/// The longest that a forge may take for one answer.
const ANSWER_TIME: Duration = Duration::from_mins(1);

/// A sync in the mode that the settings name.
pub(super) struct Synced {
    /// What the engine did; a record of nothing where it was not asked.
    pub(super) record: RunRecord,
    /// What the bot did, where there is one.
    pub(super) outcome: Option<Outcome>,
}

/// Follows the upstream of a port once, in whatever way it lands.
pub(super) fn synced(settings: Settings, machine: &Machine, args: &Sync) -> Result<Synced, CliError> {
    match settings.land {
        LandMode::Branch => {
            let session = open(settings, machine)?;
            Ok(Synced { record: sync::sync(&session, args)?, outcome: None })
        }
        LandMode::Push => {
            let session = open(settings, machine)?;
            let record = sync::sync(&session, args)?;
            if !args.dry_run {
                let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
                push(&session)?;
            }
            Ok(Synced { record, outcome: None })
        }
        LandMode::PullRequest => proposed(&settings, machine, args),
    }
}

fn open(settings: Settings, machine: &Machine) -> Result<Session, CliError> {
    Session::open(settings, machine.clone()).map_err(super::session_error)
}

fn forge_of(settings: &Settings) -> Result<&ForgeSettings, CliError> {
    settings.forge.as_ref().ok_or_else(|| {
        CliError::usage(anyhow!("the port names no forge"))
            .hint("add `[forge]` to `tidelock.toml`: docs/pull-requests.md shows it for each forge")
    })
}

/// A hash of what stands at the forge about our proposals, where work is proposed: another one when anybody did or said
/// something. It takes one request and needs no lease.
pub(super) fn seen(settings: &Settings, machine: &Machine) -> Result<Option<ContentHash>, CliError> {
    if settings.land != LandMode::PullRequest {
        return Ok(None);
    }
    let forge = forge_of(settings)?;
    let (speaker, _token) = speaker(forge, machine)?;
    Ok(Some(proposal::seen(&*speaker, &forge.policy).map_err(anyhow::Error::from)?))
}

/// Who speaks to the forge, and the token that they have.
fn speaker(forge: &ForgeSettings, machine: &Machine) -> Result<(Box<dyn Forge>, SecretString), CliError> {
    let kind = forge.kind.ok_or_else(|| {
        CliError::usage(anyhow!(
            "`[forge]` does not say what `kind` it is, and without it nothing is proposed"
        ))
    })?;
    let token = env::secret(&forge.token_env).ok_or_else(|| {
        CliError::usage(anyhow!("the environment variable `{}` is not set", forge.token_env))
            .hint("it holds the forge's token; docs/pull-requests.md says which rights it needs")
    })?;
    let access = Access {
        api: &forge.api,
        repository: &forge.repository,
        token: &token,
        username: forge.username.as_deref(),
        status_kind: forge.status_kind,
        timeout: ANSWER_TIME,
        clock: Arc::clone(&machine.clock),
    };
    let speaker: Box<dyn Forge> = match kind {
        Kind::GitHub => Box::new(Hub::new(Flavour::GitHub, &access)?),
        Kind::Gitea => Box::new(Hub::new(Flavour::Gitea, &access)?),
        Kind::GitLab => Box::new(GitLab::new(&access)?),
    };
    Ok((speaker, token))
}

/// Everything that is opened to speak to a forge.
struct Opened {
    forge: Box<dyn Forge>,
    remote: Remote,
    port: PortRepo,
    author: Author,
    settings: ForgeSettings,
}

impl Opened {
    /// The caller holds the lease of the port.
    fn open(settings: &Settings, machine: &Machine) -> Result<Self, CliError> {
        let forge = forge_of(settings)?.clone();
        let (speaker, token) = speaker(&forge, machine)?;
        let author = &settings.author;
        Ok(Self {
            forge: speaker,
            remote: remote(settings, &forge, machine, Some(token))?,
            port: PortRepo::open(&settings.root).map_err(|error| super::session_error(error.into()))?,
            author: Author { name: author.name.clone(), email: author.email.clone() },
            settings: forge,
        })
    }

    fn bot<'a>(&'a self, machine: &'a Machine) -> Bot<'a> {
        Bot {
            forge: &*self.forge,
            remote: &self.remote,
            port: &self.port,
            policy: &self.settings.policy,
            author: &self.author,
            clock: Arc::clone(&machine.clock),
            listener: &*machine.listener,
        }
    }
}

fn remote(
    settings: &Settings,
    forge: &ForgeSettings,
    machine: &Machine,
    token: Option<SecretString>,
) -> Result<Remote, CliError> {
    let credentials = token.map(|token| Credentials { user: forge.git_user.to_owned(), token });
    let runner = Arc::clone(&machine.runner);
    let opened = Remote::new(&forge.git_url, &settings.root, &settings.state, credentials.as_ref(), runner);
    Ok(opened.map_err(anyhow::Error::from)?)
}

/// Puts the forge's branch to where the local one is, if it only goes forward.
fn push(session: &Session) -> Result<(), CliError> {
    let forge = forge_of(&session.settings)?;
    let remote = remote(&session.settings, forge, &session.machine, env::secret(&forge.token_env))?;
    let branch = session.branch.as_str();
    let here = session.head().map_err(super::session_error)?.commit;
    let there = remote.branches(&[branch]).map_err(anyhow::Error::from)?.remove(branch);
    if there.as_ref() == Some(&here) {
        return Ok(());
    }
    if let Some(there) = &there {
        let known = session.port.has_commit(there);
        if !known || !session.port.descends(&here, there).map_err(|error| anyhow!(error))? {
            let obstacle = ProposalObstacle::Diverged { branch: branch.to_owned() };
            return Err(anyhow::Error::from(obstacle).into());
        }
    }
    remote.push(branch, there.as_ref(), &here).map_err(anyhow::Error::from)?;
    let text =
        format!("pushed {} to `{branch}` at the forge", here.as_str().chars().take(10).collect::<String>());
    session.machine.listener.tell(Progress::Notice { code: "pushed", text });
    Ok(())
}

/// A sync that proposes.
fn proposed(settings: &Settings, machine: &Machine, args: &Sync) -> Result<Synced, CliError> {
    std::fs::create_dir_all(&settings.state)
        .with_context(|| format!("cannot make `{}`", settings.state.display()))?;
    let _lease = Lease::take(&settings.state).map_err(|error| anyhow!(error))?;
    let opened = Opened::open(settings, machine)?;
    let bot = opened.bot(machine);
    if args.dry_run {
        let view = bot.view()?;
        let step = decide(&view, bot.policy, None);
        let notice = Notice { code: "next-step".to_owned(), text: next(&step) };
        let is_rest = matches!(step, Step::Rest(_));
        let outcome = if is_rest { RunOutcome::NothingToDo } else { RunOutcome::DryRun };
        return Ok(Synced { record: untold(settings, machine, outcome, vec![notice]), outcome: None });
    }
    let mut maker = EngineMaker::new(settings, machine, args, &opened);
    let outcome = bot.sync(&mut maker)?;
    let record = maker.record.take().unwrap_or_else(|| {
        let is_idle = outcome.steps.iter().all(|step| *step == "make");
        let outcome = if is_idle { RunOutcome::NothingToDo } else { RunOutcome::Done };
        untold(settings, machine, outcome, Vec::new())
    });
    Ok(Synced { record, outcome: Some(outcome) })
}

/// A record of a sync in which the engine was not asked for anything.
fn untold(settings: &Settings, machine: &Machine, outcome: RunOutcome, notices: Vec<Notice>) -> RunRecord {
    let now_ms = machine.clock.now_ms();
    RunRecord {
        format: FORMAT,
        run: String::new(),
        tidelock: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms: now_ms,
        finished_ms: Some(now_ms),
        outcome,
        port: PortFacts {
            name: settings.port.clone(),
            language: settings.language.clone(),
            branch: settings.forge.as_ref().map(|forge| forge.policy.head_branch.clone()).unwrap_or_default(),
            head_before: String::new(),
            head_after: String::new(),
            tree_after: String::new(),
        },
        upstream: UpstreamFacts {
            source: settings.source.to_string(),
            baseline_before: String::new(),
            baseline_after: String::new(),
            newest: String::new(),
            lag_before: 0,
            lag_after: 0,
        },
        translators: Vec::new(),
        confinement: "nothing was run".to_owned(),
        revisions: Vec::new(),
        notices,
    }
}

/// What a step would do, in words.
fn next(step: &Step) -> String {
    match step {
        Step::Stop(obstacle) => format!("a person has to do something first: {obstacle}"),
        Step::Say { key, .. } => format!("would comment on the pull request ({key})"),
        Step::Close => "would close the pull request, as a comment asks".to_owned(),
        Step::Make(_) => {
            "would follow the upstream on the bot's branch, and propose what comes of it".to_owned()
        }
        Step::Push { .. } => "would push".to_owned(),
        Step::Open(_) => "would open a pull request".to_owned(),
        Step::Change(_) | Step::Dress(_) => "would bring the pull request's text up to date".to_owned(),
        Step::SetStatus { .. } => "would set the commit's status".to_owned(),
        Step::Merge { .. } => "would merge the pull request".to_owned(),
        Step::Rest(rest) => rested(rest),
    }
}

/// Why nothing more is to be done, in words.
pub(super) fn rested(rest: &Rest) -> String {
    match rest {
        Rest::Nothing => "there is nothing to propose".to_owned(),
        Rest::Declined => "what there is to propose was declined".to_owned(),
        Rest::Proposed => "the pull request says what there is to say".to_owned(),
        Rest::Limited { open } => {
            format!(
                "{} open, which is as many as `pr-concurrent-limit` allows",
                reports::count(*open as u64, "pull request")
            )
        }
        Rest::LimitedByHour { opened } => {
            format!(
                "{} opened within an hour, which is as many as `pr-hourly-limit` allows",
                reports::count(*opened as u64, "pull request")
            )
        }
        Rest::OffSchedule => "nothing new is proposed at this time, by `schedule` of `[forge]`".to_owned(),
    }
}
