//! `tidelock sync`: follow the upstream, once.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use mappings::decision::Pin;
use port::confinement::Confinement;
use port::repo::WorktreeState;
use port::sandbox::{Sandbox, SandboxPolicy};
use port::translate::inbox::{Inbox, InboxError};
use reports::record::Notice;
use reports::{RunOutcome, RunRecord};
use upstream::{CommitId, Revision};

use super::args::{Format, Sync, Who};
use super::propose::{self, Synced, synced};
use super::{CliError, Context, ExitCode, session_error};
use crate::ahead::ahead;
use crate::batches::{self, Asker, Batches};
use crate::chain::{self, Gates, Means, RunExchanges};
use crate::config::{LandMode, Settings};
use crate::corrections::learn_corrections;
use crate::daemon::Lag;
use crate::decided;
use crate::driver::{Driver, Obstacle, RunRequest};
use crate::engine::IN_A_BATCH;
use crate::lease::Lease;
use crate::progress::Progress;
use crate::session::{Machine, Session};
use crate::store::Store;

pub(super) fn run(context: &Context, args: &Sync) -> Result<ExitCode, CliError> {
    let mut settings = context.settings()?;
    choose_translators(&mut settings, &args.who)?;
    if settings.land != LandMode::Branch {
        return at_forge(context, settings, args);
    }
    let session = context.session(settings)?;
    let record = sync(&session, args)?;
    let code = exit_code(&session, record.outcome)?;
    match context.format {
        Format::Json | Format::Jsonl => {
            context.console.exact(&reports::render::json(&record).context("cannot write the record")?);
        }
        Format::Text => {
            context.console.say("");
            context.console.data(&reports::render::text(&record));
            if record.outcome == RunOutcome::NothingToDo {
                remind(context, &session)?;
                return Ok(code);
            }
            context.console.say("The whole report: `tidelock report --render html --output report.html`");
        }
    }
    Ok(code)
}

/// A sync whose work lands at a forge.
fn at_forge(context: &Context, settings: Settings, args: &Sync) -> Result<ExitCode, CliError> {
    let Synced { record, outcome } = synced(settings, &context.machine, args)?;
    if context.format.is_json() {
        context.console.data(&reports::render::json(&record).context("cannot write the record")?);
    } else if !record.run.is_empty() {
        context.console.say("");
        context.console.data(&reports::render::text(&record));
    } else {
        for notice in &record.notices {
            context.console.data(&format!("{}\n", notice.text));
        }
    }
    let Some(outcome) = outcome else { return Ok(ExitCode::of(record.outcome)) };
    context.console.say(&match &outcome.pull {
        Some(pull) => format!("{}: {}", propose::rested(&outcome.rest), pull.web_url),
        None => propose::rested(&outcome.rest),
    });
    let code = ExitCode::of(record.outcome);
    let has_acted = outcome.steps.iter().any(|step| *step != "make");
    // An alarm first: a tree that nobody tested is in the base branch.
    Ok(if outcome.alarm {
        ExitCode::GateFailed
    } else if code == ExitCode::NothingToDo && has_acted {
        ExitCode::Done
    } else {
        code
    })
}

/// The exit code of an outcome. That the port still lags too far is said where nothing worse is to be said.
fn exit_code(session: &Session, outcome: RunOutcome) -> Result<ExitCode, CliError> {
    let code = ExitCode::of(outcome);
    let thresholds = &session.settings.alert.thresholds;
    let is_asked = thresholds.lag_revisions.is_some() || thresholds.lag_days.is_some();
    if !is_asked || !matches!(outcome, RunOutcome::Done | RunOutcome::NothingToDo) {
        return Ok(code);
    }
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    let revisions = session.mirror.revisions().map_err(|error| anyhow!(error))?;
    let lag = Lag::from(&mappings::status::lag(&lock, &revisions));
    Ok(if thresholds.is_behind(lag) { ExitCode::Lag } else { code })
}

/// With nothing new, what waits for a person is easily forgotten.
fn remind(context: &Context, session: &Session) -> Result<(), CliError> {
    let head = session.head().map_err(session_error)?;
    let parked = session.lock(&head.tree).map_err(session_error)?.parked.len();
    if parked > 0 {
        let items = reports::count(parked as u64, "item");
        context.console.say(&format!(
            "still parked: {items}, named by `tidelock status`; `tidelock sync --retry` takes them up \
             again, and so does the next revision"
        ));
    }
    for inbox in chain::inboxes(&session.settings) {
        let open = inbox.open_prompts().map_err(|error| anyhow!(error))?.len();
        if open > 0 {
            let prompts = reports::count(open as u64, "prompt");
            let folder = inbox.folder().display();
            context.console.say(&format!("unanswered: {prompts} in `{folder}`"));
        }
    }
    for waiting in batches::overview(&session.settings)?.iter().filter(|waiting| waiting.is_open()) {
        context.console.say(&format!("waiting for a batch: {}", waiting.line()));
    }
    Ok(())
}

/// Puts the translators of the command line in place of the configured ones.
pub(super) fn choose_translators(settings: &mut Settings, who: &Who) -> Result<(), CliError> {
    if who.translators.is_empty() {
        return Ok(());
    }
    settings.chain = chain::instead(settings, &who.translators).map_err(CliError::usage)?;
    Ok(())
}

/// Follows the upstream of an opened port, once, on the local branch.
pub(super) fn sync(session: &Session, args: &Sync) -> Result<RunRecord, CliError> {
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    sync_held(session, args)
}

/// The same for a caller who holds the lease.
pub(super) fn sync_held(session: &Session, args: &Sync) -> Result<RunRecord, CliError> {
    if !args.dry_run {
        ensure_clean(session)?;
    }
    if let Some(change) = &args.accept {
        accept(session, change)?;
    }
    let answers = Answers::waiting(&session.settings)?;
    let gates = Gates::new(session.settings.at_once_max, session.machine.clock.clone());
    let (batches, told) = collected(session, &gates, args.dry_run)?;
    let mut request = request(session, args, answers.any() || batches.has_news())?;
    request.notices.extend(told);
    request.unused = batches.unused()?;
    let confinement: Arc<dyn Confinement> = confinement(&session.settings, &session.machine)?.into();
    let exchanges = Arc::new(RunExchanges::below(&session.settings.state));
    batches.count_for(&exchanges);
    let means = Means {
        runner: session.machine.runner.clone(),
        clock: session.machine.clock.clone(),
        exchanges: Arc::clone(&exchanges),
        program: session.machine.program.clone(),
        batches: Some(Arc::clone(&batches)),
    };
    let store = Store::open(&session.settings.state.join("state.db")).context("cannot open the journal")?;
    // The memory is read when the chain is made, so what people corrected is learned before.
    for unit in learn_corrections(session, &store)? {
        let text = format!("{unit} was corrected by a person after it landed; that is remembered");
        session.machine.listener.tell(Progress::Notice { code: "correction-learned", text });
    }
    let links = chain::build_behind(&session.settings, &means, &gates)?;
    let mut driver = Driver::new(session, links, &confinement, store, exchanges)?;
    let record = driver.run(&request)?;
    answers.set_aside(session)?;
    tell(session, &batches.finish(&record)?);
    Ok(record)
}

/// What is asked by batches, with what was answered taken up, and what is to be told of it.
pub(super) fn collected(
    session: &Session,
    gates: &Gates,
    is_dry: bool,
) -> Result<(Arc<Batches>, Vec<Notice>), CliError> {
    let asker = Asker { clock: session.machine.clock.clone(), gates, is_dry };
    let batches = Batches::open(&session.settings, &asker)?;
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    let is_waited_for = lock.parked.values().any(|parked| parked.reason.contains(IN_A_BATCH));
    let told = batches.collect(is_waited_for)?;
    tell(session, &told);
    Ok((Arc::new(batches), told))
}

/// Tells at once what the record tells later.
pub(super) fn tell(session: &Session, notices: &[Notice]) {
    for Notice { text, .. } in notices {
        session.machine.listener.tell(Progress::Notice { code: "batch", text: text.clone() });
    }
}

/// Answers in inboxes that no sync has read yet.
struct Answers {
    of: Vec<(Inbox, Vec<String>)>,
}

impl Answers {
    fn waiting(settings: &Settings) -> Result<Self, CliError> {
        let waiting = |inbox: Inbox| {
            let ids = inbox.waiting_answers()?;
            Ok((inbox, ids))
        };
        let of: Result<Vec<_>, InboxError> = chain::inboxes(settings).into_iter().map(waiting).collect();
        Ok(Self { of: of.map_err(|error| anyhow!(error))? })
    }

    fn any(&self) -> bool {
        self.of.iter().any(|(_, ids)| !ids.is_empty())
    }

    /// Those that were there before the run and were not read in it answer prompts that nobody asks any more.
    fn set_aside(&self, session: &Session) -> Result<(), CliError> {
        for (inbox, ids) in &self.of {
            for path in inbox.set_aside(ids).map_err(|error| anyhow!(error))? {
                let text =
                    format!("no prompt asks for this answer any more; it is kept as `{}`", path.display());
                session.machine.listener.tell(Progress::Notice { code: "answer-set-aside", text });
            }
        }
        Ok(())
    }
}

/// A person's word that what the upstream did to its past is to be followed.
fn accept(session: &Session, change: &str) -> Result<(), CliError> {
    // What is accepted is what a poll saw, so there must have been one.
    session.poll(None).map_err(session_error)?;
    let accepted = match change.parse::<CommitId>() {
        Ok(commit) => session.mirror.accept_rewrite(&commit),
        Err(_is_a_branch) => session.mirror.accept_default_branch(change),
    };
    accepted.map_err(|error| CliError::usage(error).hint("`tidelock status` says what there is to accept"))
}

/// The confinement of foreign code that this machine allows and the settings accept.
pub(super) fn confinement(settings: &Settings, machine: &Machine) -> Result<Box<dyn Confinement>, CliError> {
    let policy = SandboxPolicy {
        require: settings.sandbox_required,
        disk_bytes_max: settings.disk_bytes_max,
        ..SandboxPolicy::default()
    };
    Sandbox::detect(&policy, &machine.program, &*machine.runner).map_err(|error| anyhow!(error).into())
}

/// A person's work in progress is untouched, and said so. What a killed run left half-way is completed.
pub(super) fn ensure_clean(session: &Session) -> Result<(), CliError> {
    let (port, branch) = (&session.port, &session.branch);
    let state = port.worktree_state(branch).map_err(|error| anyhow!(error))?;
    if let WorktreeState::HalfMoved { from, to } = &state {
        let tree = |commit| port.commit_info(commit).map(|info| info.tree);
        let (before, after) =
            (tree(from).map_err(|error| anyhow!(error))?, tree(to).map_err(|error| anyhow!(error))?);
        return port.refresh_worktree(branch, &before, &after).map_err(|error| anyhow!(error).into());
    }
    Obstacle::in_worktree(state, branch).map_or(Ok(()), |obstacle| Err(obstacle.into()))
}

/// What is to be done: the revisions behind the baseline, up to a target or a number; with nothing new, what is
/// parked, where that was asked for or answers have come for it.
pub(super) fn request(session: &Session, args: &Sync, answered: bool) -> Result<RunRequest, CliError> {
    let head = session.head().map_err(session_error)?;
    let mut lock = session.lock(&head.tree).map_err(session_error)?;
    let mut poll = session.poll(Some(&lock.baseline)).map_err(session_error)?;
    let put_back = ahead(session, &head, &lock, &session.revisions().map_err(session_error)?)?;
    let mut notices = Vec::new();
    if let Some(ahead) = &put_back {
        let text = format!("{}; that one is taken up", ahead.told(&lock));
        notices.push(Notice { code: "lock-put-back".to_owned(), text });
        session.take_up(&head.tree, ahead.lock.clone());
        lock = session.lock(&head.tree).map_err(session_error)?;
        poll = session.poll(Some(&lock.baseline)).map_err(session_error)?;
    }
    let at_ms = session.machine.clock.now_ms();
    let holds = session.holds(at_ms).map_err(session_error)?;
    let known = session.revisions().map_err(session_error)?;
    let mut targets = poll.new.clone();
    let held_back = decided::hold_back(&mut targets, &holds, &known);
    if let Some(to) = &args.to {
        let wanted = session.revision(to).map_err(session_error)?;
        if let Some(pin) = holds.pin().filter(|_| behind_pin(&targets, &poll.new, &wanted)) {
            return Err(beyond(to, pin));
        }
        let at = targets.iter().position(|revision| revision.label == wanted.label);
        match at {
            Some(at) => targets.truncate(at + 1),
            None if wanted.withdrawn => {
                let error = anyhow!("{to} was withdrawn by its authors (yanked)");
                return Err(CliError::usage(error).hint("sync to a later revision"));
            }
            None => targets.clear(),
        }
    }
    notices.extend(decided::notices(session, &holds, held_back, at_ms));
    notices.extend(decided::extensions(session, &head.tree)?);
    targets.truncate(args.limit.unwrap_or(usize::MAX));
    let asked = (args.retry || answered) && !lock.parked.is_empty();
    // A target that is named and there already stands for nothing but itself.
    let is_open = targets.is_empty() && args.to.is_none();
    if put_back.is_some()
        || targets.is_empty() && asked
        || is_open && decided::is_unsettled(session, &lock, &head.tree, &holds)?
    {
        // The baseline once more: nothing is new in it, and what waits is planned again. A lock that was put back lands
        // there.
        targets.insert(0, session.revision(lock.baseline.as_str()).map_err(session_error)?);
    }
    Ok(RunRequest {
        lag: poll.new.len(),
        newest: poll.new.last().cloned(),
        targets,
        withdrawn: poll.withdrawn.into_iter().filter(|revision| revision.label != lock.baseline).collect(),
        dry_run: args.dry_run,
        portion: None,
        notices,
        unused: Vec::new(),
    })
}

/// Whether a pin holds a wanted revision back: it is new, and no target any more.
fn behind_pin(targets: &[Revision], new: &[Revision], wanted: &Revision) -> bool {
    let is_among = |revisions: &[Revision]| revisions.iter().any(|one| one.label == wanted.label);
    is_among(new) && !is_among(targets)
}

/// A revision was asked for that a pin holds back.
pub(super) fn beyond(to: &str, pin: &Pin) -> CliError {
    let Pin { revision, hold } = pin;
    CliError::usage(anyhow!("the port is pinned at {revision}, and {to} is newer: {}", hold.reason))
        .hint(format!("take the pin back: `tidelock pin {revision} --undo`"))
}
