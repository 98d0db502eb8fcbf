//! Checks made before their turn: while models think, the upstream is asked what will be asked of it, and answers
//! that are there are compared with it.
//!
//! [`Checking`] does it on threads of its own. It must never change what a run comes to: a check is of one tree on one
//! occasion, what it finds is used only where that check is due, and where it found anything wrong, or could not be
//! made, the turn makes it again itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use mappings::SymbolPath;
use port::confinement::Confinement;
use port::contract::{
    ContractReport, Examples, Foreseen, Pools, PortSide, Prepared, Recorded, Tools, ask_ahead,
};
use port::language::{Language, Python};
use port::repo::Checkout;
use upstream::process::ProcessRunner;
use upstream::{Clock, ItemPath, Snapshot, TreeId};

use super::asking::Arrival;
use super::check::{Sides, compared};
use super::oracle::{PROBE_TIMEOUT_MS, Upstream};

/// The most checks that are made at once, however many cores there are.
const THREADS_MAX: usize = 8;

/// What is checked: a tree of the port on an occasion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CheckKey {
    pub(super) tree: TreeId,
    pub(super) occasion: String,
}

/// What a check takes beside what is checked.
pub(super) struct Means {
    pub(super) runner: Arc<dyn ProcessRunner>,
    pub(super) confinement: Arc<dyn Confinement>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) build_timeout_ms: u64,
}

impl Means {
    fn tools(&self) -> Tools<'_> {
        Tools {
            runner: &*self.runner,
            confinement: &*self.confinement,
            clock: &*self.clock,
            probe_timeout_ms: PROBE_TIMEOUT_MS,
            build_timeout_ms: self.build_timeout_ms,
        }
    }
}

/// The upstream's side of the checks of a revision.
#[derive(Clone)]
pub(super) struct Against {
    pub(super) upstream: Arc<Upstream>,
    pub(super) snapshot: Arc<Snapshot>,
    /// What its own tests call, by library.
    pub(super) recorded: Arc<BTreeMap<String, Recorded>>,
}

/// What checks to come will ask the upstream, by library.
pub(super) struct Foresight {
    pub(super) against: Against,
    pub(super) links: BTreeMap<ItemPath, SymbolPath>,
    pub(super) checks: BTreeMap<String, Vec<Foreseen>>,
}

/// A check of a candidate.
pub(super) struct Check {
    pub(super) against: Against,
    pub(super) checkout: Checkout,
    pub(super) side: PortSide,
    pub(super) items: Vec<(ItemPath, SymbolPath)>,
    pub(super) links: BTreeMap<ItemPath, SymbolPath>,
    pub(super) pools: Pools,
    /// Texts that have to be of the language.
    pub(super) texts: Vec<String>,
    pub(super) language: Python,
}

/// What a thread is to do; what it gives is kept where nothing speaks against the candidate.
type Work = dyn FnOnce(&Means) -> anyhow::Result<Option<ContractReport>> + Send;

struct Job {
    /// What is checked; nothing where the upstream alone is asked.
    key: Option<CheckKey>,
    work: Box<Work>,
}

#[derive(Default)]
struct DeskState {
    waiting: VecDeque<Job>,
    /// Waiting, or being made.
    pending: BTreeSet<CheckKey>,
    passed: BTreeMap<CheckKey, ContractReport>,
    is_closed: bool,
}

#[derive(Default)]
struct Desk {
    state: Mutex<DeskState>,
    changed: Condvar,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that a check is over in any case, because somebody may wait for it.
struct Place<'d> {
    desk: &'d Desk,
    wake: &'d SyncSender<Arrival>,
    key: Option<CheckKey>,
    passed: Option<ContractReport>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut state = self.desk.state();
        // What was forgotten in the meantime is not due any more.
        if state.pending.remove(&key)
            && let Some(report) = self.passed.take()
        {
            state.passed.insert(key, report);
        }
        drop(state);
        // Where there is no room, something else is there to wake whoever waits.
        let _is_awake = self.wake.try_send(Arrival::Checked).is_err();
    }
}

fn work(desk: &Desk, means: &Means, wake: &SyncSender<Arrival>) {
    while let Some(Job { key, work }) = desk.next() {
        let mut place = Place { desk, wake, key, passed: None };
        // What breaks down here breaks down again when it is due, and is told then; the thread goes on.
        match catch_unwind(AssertUnwindSafe(|| work(means))) {
            Ok(Ok(passed)) => place.passed = passed,
            Ok(Err(error)) => tracing::debug!(%error, "not done beforehand"),
            Err(_panic) => tracing::debug!("what was to be done beforehand broke down"),
        }
    }
}

impl Foresight {
    /// Has the upstream asked; what it answers is kept by it.
    pub(super) fn carry_out(&self, means: &Means) -> anyhow::Result<Option<ContractReport>> {
        let nothing = Recorded::default();
        for (library, checks) in &self.checks {
            if let Some(Prepared::Ready(oracle)) = self.against.upstream.prepared.get(library) {
                let recorded = self.against.recorded.get(library).unwrap_or(&nothing);
                let examples = Examples { harvested: &self.against.upstream.harvested, recorded };
                ask_ahead(&means.tools(), oracle, examples, &self.links, checks)?;
            }
        }
        Ok(None)
    }
}

impl Check {
    /// What was found, where nothing speaks against the candidate.
    pub(super) fn carry_out(&self, means: &Means) -> anyhow::Result<Option<ContractReport>> {
        for text in &self.texts {
            if self.language.check_syntax(&*means.runner, text)?.is_some() {
                return Ok(None);
            }
        }
        let sides = Sides {
            upstream: &self.against.upstream,
            snapshot: &self.against.snapshot,
            recorded: &self.against.recorded,
            candidate: &self.side,
            old: None,
            items: &self.items,
            links: &self.links,
            pools: &self.pools,
            // Who has to explain a difference makes the check again.
            counterexamples_max: 0,
        };
        tracing::trace!(checkout = %self.checkout.path().display(), "checked beforehand");
        let report = compared(&means.tools(), &sides, &|_library| None)?;
        Ok(Some(report))
    }
}

/// Makes checks before their turn.
pub(super) struct Checking {
    desk: Arc<Desk>,
    means: Arc<Means>,
    wake: SyncSender<Arrival>,
    threads: Vec<JoinHandle<()>>,
}

impl Checking {
    /// Nothing is checked; `wake` hears when a check is over.
    pub(super) fn new(means: Means, wake: SyncSender<Arrival>) -> Self {
        Self { desk: Arc::default(), means: Arc::new(means), wake, threads: Vec::new() }
    }

    /// Has something done that no check waits for.
    pub(super) fn prepare(
        &mut self,
        work: impl FnOnce(&Means) -> anyhow::Result<Option<ContractReport>> + Send + 'static,
    ) {
        self.send(Job { key: None, work: Box::new(work) });
    }

    /// Whether this check was asked for, and its end not yet looked at.
    pub(super) fn knows(&self, key: &CheckKey) -> bool {
        let state = self.desk.state();
        state.pending.contains(key) || state.passed.contains_key(key)
    }

    /// Has a candidate checked.
    pub(super) fn check(
        &mut self,
        key: CheckKey,
        work: impl FnOnce(&Means) -> anyhow::Result<Option<ContractReport>> + Send + 'static,
    ) {
        self.desk.state().pending.insert(key.clone());
        self.send(Job { key: Some(key), work: Box::new(work) });
    }

    fn send(&mut self, job: Job) {
        self.desk.state().waiting.push_back(job);
        self.desk.changed.notify_one();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if self.threads.len() < cores.min(THREADS_MAX) {
            let (desk, means, wake) = (Arc::clone(&self.desk), Arc::clone(&self.means), self.wake.clone());
            self.threads.push(std::thread::spawn(move || work(&desk, &means, &wake)));
        }
    }

    /// Whether the check is still to end.
    pub(super) fn is_pending(&self, key: &CheckKey) -> bool {
        self.desk.state().pending.contains(key)
    }

    /// What a check found that ended and found nothing wrong.
    pub(super) fn take(&self, key: &CheckKey) -> Option<ContractReport> {
        self.desk.state().passed.remove(key)
    }

    /// Nothing that was to be checked is due any more.
    pub(super) fn forget_all(&self) {
        let mut state = self.desk.state();
        state.waiting.clear();
        state.pending.clear();
        state.passed.clear();
    }
}

/// No check outlives the run: its processes and folders are the run's.
impl Drop for Checking {
    fn drop(&mut self) {
        {
            let mut state = self.desk.state();
            state.waiting.clear();
            state.is_closed = true;
        }
        self.desk.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so already, and nothing of it is needed.
            let _is_over = thread.join().is_err();
        }
    }
}

#[cfg(test)]
#[path = "checking_tests.rs"]
mod tests;
