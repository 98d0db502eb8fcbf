//! The driver: carries the engine's effects out, and feeds what happened back.
//!
//! It stores every event before it looks at the next state, so that it can be stopped anywhere. It decides
//! nothing: what follows from an event is the engine's, what a measurement means is the gate's.

mod answering;
mod asking;
mod attempt;
pub(crate) mod benching;
mod candidates;
mod check;
mod checking;
mod clocking;
mod context;
pub mod dry;
mod early;
mod features;
mod focus;
mod gating;
mod hidden;
mod judging;
mod landing;
mod obstacle;
mod oracle;
mod planning;
mod proving;
mod resting;
pub(crate) mod seeding;
mod sessions;
mod standing;
mod suite;
mod surroundings;
mod toolchain;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, Result, bail};
use mappings::UnitId;
use port::confinement::Confinement;
use port::translate::Usage;
use reports::RunRecord;
use reports::record::Notice;
use upstream::{ContentHash, ItemPath, Revision};

use crate::budget::{Ledger, Spent};
use crate::chain::{Link, RunExchanges};
use crate::engine::{Effect, Event, Head, Phase, RunHeader, RunState, apply, effect, foreseen, step};
use crate::progress::Progress;
use crate::session::Session;
use crate::stops;
use crate::store::{RunStatus, Store};
use asking::Asking;
use check::Contract;
pub(crate) use check::{DEVELOPMENT_SEED, NO_LIBRARY};
use checking::{Checking, Means};
pub(crate) use context::first_request;
pub use obstacle::Obstacle;
pub(crate) use oracle::Oracles;
pub(crate) use planning::{Current, class_name, unit_kind_name};
pub(crate) use proving::{prove, prove_some, why_not_built};
use resting::not_done;
pub(crate) use sessions::{SessionsQuestion, add as add_sessions, prove_sessions, session_programs};
pub(crate) use standing::{Standing, gate_standing};
pub(crate) use suite::Suites;
pub(crate) use toolchain::{toolchain_named, wanted as wanted_toolchain};

/// What a run is asked for.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// The revisions to sync to, oldest first.
    pub targets: Vec<Revision>,
    /// The revisions that were withdrawn, oldest first.
    pub withdrawn: Vec<Revision>,
    /// Revisions behind the baseline, targets or not.
    pub lag: usize,
    /// The newest revision there is.
    pub newest: Option<Revision>,
    /// Whether nothing is to land.
    pub dry_run: bool,
    /// The items to take up, where not all that waits is.
    pub portion: Option<BTreeSet<ItemPath>>,
    /// What a person should know beforehand.
    pub notices: Vec<Notice>,
    /// What was paid for and is used by no attempt: when, in milliseconds since the Unix epoch, and how much.
    pub unused: Vec<(i64, Usage)>,
}

/// The run was stopped between two effects, because that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped between two effects; the next sync goes on from here")]
pub struct Stopped;

/// Works on one port.
pub struct Driver<'a> {
    session: &'a Session,
    chain: Vec<Arc<Link>>,
    confinement: &'a dyn Confinement,
    store: Store,
    exchanges: Arc<RunExchanges>,
    contract: Contract<'a>,
    suites: Suites<'a>,
    current: Option<Rc<Current>>,
    /// What models have cost so far.
    ledger: Ledger,
    /// What models are asked before its turn.
    asking: Asking,
    /// What is checked before its turn.
    checking: Checking,
    /// The units that are not done as the effect at hand begins.
    not_done: Vec<UnitId>,
}

impl std::fmt::Debug for Driver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl<'a> Driver<'a> {
    /// A driver over an opened port.
    pub fn new(
        session: &'a Session,
        chain: Vec<Link>,
        confinement: &'a Arc<dyn Confinement>,
        store: Store,
        exchanges: Arc<RunExchanges>,
    ) -> Result<Self> {
        let swept = port::repo::sweep_checkouts(&checkouts(session))?;
        if swept > 0 {
            tracing::info!(swept, "folders of a run that was stopped were removed");
        }
        let state = &session.settings.state;
        port::held::sweep_left(state);
        port::held::sweep_left(&state.join("cache"));
        let machine = &session.machine;
        let asking = Asking::new(session.settings.at_once_max, Arc::clone(&machine.interrupt));
        let means = Means {
            runner: Arc::clone(&machine.runner),
            confinement: Arc::clone(confinement),
            clock: Arc::clone(&machine.clock),
            build_timeout_ms: session.settings.build_timeout_s.saturating_mul(1000),
        };
        let confinement = &**confinement;
        Ok(Self {
            contract: Contract::new(session, confinement, secret())?,
            suites: Suites::new(session, confinement),
            session,
            chain: chain.into_iter().map(Arc::new).collect(),
            confinement,
            store,
            exchanges,
            current: None,
            ledger: Ledger::default(),
            checking: Checking::new(means, asking.waker()),
            not_done: Vec::new(),
            asking,
        })
    }

    /// Runs, or goes on with the run that was stopped, and gives its record.
    pub fn run(&mut self, request: &RunRequest) -> Result<RunRecord> {
        let header = self.header(request)?;
        let (run, mut events) = self.begin_or_continue(&header)?;
        self.exchanges.begin(&run);
        self.ledger = self.spent_before(&run, &header)?;
        for (paid_ms, usage) in &request.unused {
            self.ledger.add_unused(*paid_ms, header.started_ms, Spent::of(usage));
        }
        for event in &events {
            self.ledger.add(event);
        }
        let (mut record, mut state) = crate::engine::record(&events)?;
        while let Some(effect) = effect(&state) {
            if self.session.machine.stop.load(Ordering::Relaxed) {
                return Err(Stopped.into());
            }
            stops::pass(&format!("{}: before", effect.name()));
            self.ask_ahead(&state)?;
            self.check_ahead()?;
            let event = self.perform(&effect, &state)?;
            if let Some(obstacle) = Obstacle::in_answer(&event) {
                return Err(obstacle.into());
            }
            // What was broken off because we were told to stop looks like a fault of others. It is done again.
            let judged = matches!(event, Event::Attempted { .. } | Event::Gated { .. });
            if judged && self.session.machine.interrupt.load(Ordering::Relaxed) {
                bail!("interrupted");
            }
            stops::pass(&format!("{}: carried out", effect.name()));
            self.store.append(&run, events.len(), &event)?;
            stops::pass(&format!("{}: stored", effect.name()));
            self.keep_what_was_bought(&state, &event)?;
            state = step(state, &event)?;
            apply(&mut record, &state, &event);
            self.ledger.add(&event);
            events.push(event);
        }
        record.context("a run without a beginning")
    }

    /// The header of a new run, as of now.
    fn header(&self, request: &RunRequest) -> Result<RunHeader> {
        let session = self.session;
        let head = session.head()?;
        let lock = session.lock(&head.tree)?;
        let started_ms = session.machine.clock.now_ms();
        let notices = request.withdrawn.iter().map(|revision| Notice {
            code: "withdrawn-revision".to_owned(),
            text: format!("{} was withdrawn by its authors (yanked) and is passed by", revision.label),
        });
        let newest = request.newest.as_ref().map_or(&lock.baseline, |revision| &revision.label);
        Ok(RunHeader {
            run: run_name(started_ms, &session.settings.port),
            started_ms,
            tidelock: env!("CARGO_PKG_VERSION").to_owned(),
            config_digest: session.settings.digest,
            port: session.settings.port.clone(),
            language: session.settings.language.clone(),
            branch: session.branch.clone(),
            head: Head { commit: head.commit, tree: head.tree },
            source: lock.source.clone(),
            baseline: lock.baseline.clone(),
            targets: request.targets.clone(),
            newest: newest.clone(),
            lag: u32::try_from(request.lag).unwrap_or(u32::MAX),
            chain: self.chain.iter().map(|link| link.facts()).collect(),
            confinement: self.confinement.level(),
            dry_run: request.dry_run,
            portion: request.portion.clone(),
            notices: notices.chain(request.notices.iter().cloned()).collect(),
        })
    }

    /// The events of the open run, if it was begun for the same end; otherwise those of a new one.
    fn begin_or_continue(&mut self, header: &RunHeader) -> Result<(String, Vec<Event>)> {
        for row in self.store.runs()?.into_iter().filter(|row| row.status == RunStatus::Open) {
            // What another version began is not even read: it may have had other events.
            if self.store.begun_by(&row.run)?.is_none_or(|version| version == header.tidelock) {
                let events = self.store.events(&row.run)?;
                if may_continue(&events, header)? {
                    self.tell(Progress::Continued { run: row.run.clone(), events: events.len() });
                    return Ok((row.run, events));
                }
            }
            self.store.abandon(&row.run)?;
            let text =
                format!("run {} was stopped and is given up: what it was begun for has changed", row.run);
            self.tell(Progress::Notice { code: "run-abandoned", text });
        }
        let event = Event::Started { header: header.clone() };
        self.store.append(&header.run, 0, &event)?;
        stops::pass("begin: stored");
        Ok((header.run.clone(), vec![event]))
    }

    /// What the runs before this one have cost, where that is bounded.
    fn spent_before(&self, run: &str, header: &RunHeader) -> Result<Ledger> {
        let mut ledger = Ledger::default();
        let budget = &self.session.settings.budget;
        if budget.looks_back() || header.portion.is_some() && !budget.is_boundless() {
            for row in self.store.runs()?.into_iter().filter(|row| row.run != run) {
                // What another version wrote may not be readable, and is no reason not to run.
                match self.store.events(&row.run) {
                    Ok(events) => {
                        ledger.add_earlier(row.started_ms, header.started_ms, &events);
                        if is_of_the_same_port(&events, header) {
                            ledger.add_portion(&events);
                        }
                    }
                    Err(error) => tracing::warn!(run = row.run, %error, "not counted in the budget"),
                }
            }
        }
        Ok(ledger)
    }

    fn perform(&mut self, effect: &Effect, state: &RunState) -> Result<Event> {
        match effect {
            Effect::Plan { revision, head } => self.plan(revision, head, state),
            Effect::Attempt { .. } => {
                self.ensure_planned(state)?;
                self.not_done = not_done(state);
                self.attempt(effect)
            }
            Effect::Gate { tree } => {
                self.ensure_planned(state)?;
                self.gate(tree, state)
            }
            Effect::Commit { tree } => {
                self.ensure_planned(state)?;
                self.commit(tree, state)
            }
            Effect::Advance { from, to } => self.advance(from, to, state),
            Effect::Finish => Ok(Event::Finished { at_ms: self.now_ms() }),
        }
    }

    /// Asks models for what they will be asked whatever comes, so that the answers are there when it is their turn.
    fn ask_ahead(&mut self, state: &RunState) -> Result<()> {
        let foreseen = foreseen(state);
        if !foreseen.is_empty() {
            self.ensure_planned(state)?;
        }
        for effect in foreseen {
            if !self.ask_for(&effect)? {
                break;
            }
        }
        Ok(())
    }

    /// Makes the plan again after a restart. It only reads, so it comes out the same.
    fn ensure_planned(&mut self, state: &RunState) -> Result<()> {
        let RunState::Working(work) = state else { bail!("nothing is being worked on") };
        let revision = work.revision().context("no revision is being worked on")?;
        let planned = self
            .current
            .as_ref()
            .is_some_and(|current| current.revision.label == revision.label && current.head == work.head);
        if !planned {
            let at_ms = work.header.started_ms;
            let portion = work.header.portion.as_ref();
            let current = Current::make_portion(self.session, revision, &work.head, (at_ms, portion))?;
            self.current = Some(Rc::new(current));
        }
        Ok(())
    }

    fn current(&self) -> Result<Rc<Current>> {
        self.current.clone().context("no revision is planned")
    }

    fn tell(&self, progress: Progress) {
        self.session.machine.listener.tell(progress);
    }

    fn now_ms(&self) -> i64 {
        self.session.machine.clock.now_ms()
    }
}

/// Whether a stopped run is still what is asked for: the same configuration, translators, targets and
/// branch. The branch may also be where the run itself has put it.
fn may_continue(events: &[Event], header: &RunHeader) -> Result<bool> {
    let Some(Event::Started { header: begun }) = events.first() else { return Ok(false) };
    let same = begun.config_digest == header.config_digest
        && begun.chain == header.chain
        && begun.branch == header.branch
        && begun.dry_run == header.dry_run
        && begun.portion == header.portion
        && begun.tidelock == header.tidelock
        && begun.targets.ends_with(&header.targets);
    if !same {
        return Ok(false);
    }
    let (_, state) = crate::engine::record(events)?;
    Ok(match &state {
        RunState::Working(work) => {
            let advanced =
                matches!(&work.phase, Phase::Advancing { commit, .. } if *commit == header.head.commit);
            header.dry_run || work.head == header.head || advanced
        }
        RunState::Ending(_) => true,
        RunState::New | RunState::Over(_) => false,
    })
}

/// Whether an earlier run took up another portion of the revision of which this one takes up a portion: for a bound on
/// the run or the revision they are one.
fn is_of_the_same_port(events: &[Event], header: &RunHeader) -> bool {
    let Some(Event::Started { header: earlier }) = events.first() else { return false };
    earlier.portion.is_some() && header.portion.is_some() && earlier.targets == header.targets
}

/// What seeds the deciding probes: made anew in each process and written nowhere, so that no translator can
/// know them beforehand.
pub(crate) fn secret() -> String {
    use std::hash::{BuildHasher, RandomState};
    let noise = || RandomState::new().hash_one("deciding probes").to_string();
    ContentHash::of_parts([noise(), noise(), noise(), noise()]).to_string()
}

/// Where candidates are checked out.
fn checkouts(session: &Session) -> std::path::PathBuf {
    session.settings.state.join("checkouts")
}

/// A name that sorts by time and is unique within the port.
fn run_name(started_ms: i64, port: &str) -> String {
    let when = jiff::Timestamp::from_millisecond(started_ms).map_or_else(
        |_out_of_range| started_ms.to_string(),
        |time| time.strftime("%Y%m%d-%H%M%S").to_string(),
    );
    let noise =
        ContentHash::of_parts([started_ms.to_string(), port.to_owned(), std::process::id().to_string()]);
    format!("{when}-{}", noise.short().chars().take(4).collect::<String>())
}
