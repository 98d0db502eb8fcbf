//! Models asked before their turn: several at a time, so that an answer is there when its unit is judged.
//!
//! [`Asking`] carries requests out on a few threads and keeps what comes back until the engine gets there. It must
//! never change what a run comes to: the engine goes through the units in an order of its own, and an answer is used
//! only where the request that it answers is the one that is due.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mappings::{SymbolPath, UnitId};
use port::edit::Answer;
use port::translate::{TranslateError, Translation, TranslationRequest, Usage};

use crate::budget::Spent;
use crate::chain::Link;
use crate::engine::Effect;

/// The most turns that are asked for beforehand.
pub(super) const AHEAD_MAX: usize = 64;

/// How often a run that ends looks whether it is to end at once.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What came back.
pub(super) type Outcome = Result<Translation, TranslateError>;

/// One turn of a unit, or one of several candidates for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TurnKey {
    unit: UnitId,
    translator: usize,
    attempt: u32,
    candidate: u32,
}

impl TurnKey {
    /// The turn of an effect; `None` where it is no attempt.
    pub(super) fn of(effect: &Effect) -> Option<Self> {
        let Effect::Attempt { unit, translator, attempt, .. } = effect else { return None };
        Some(Self { unit: unit.clone(), translator: *translator, attempt: *attempt, candidate: 0 })
    }

    /// The same turn for one of several candidates.
    pub(super) fn of_candidate(&self, candidate: u32) -> Self {
        Self { candidate, ..self.clone() }
    }

    pub(super) fn candidate(&self) -> u32 {
        self.candidate
    }
}

/// A request with its answer, once that is there.
struct Round {
    request: TranslationRequest,
    outcome: Option<Outcome>,
}

/// What was asked for a turn: once, and once more where the first answer asks for more context.
struct Asked {
    effect: Effect,
    link: Arc<Link>,
    rounds: Vec<Round>,
    /// What its answers may cost, while nobody has counted them.
    promised: Spent,
    /// Whether its check was foreseen.
    is_foreseen: bool,
    /// Whether its answer was looked at before its turn.
    is_seen: bool,
}

/// What is asked beforehand.
pub(super) struct Asking {
    asked: BTreeMap<TurnKey, Asked>,
    desk: Arc<Desk>,
    arrivals: Receiver<Arrival>,
    sender: SyncSender<Arrival>,
    threads: usize,
    at_once_max: usize,
    interrupt: Arc<AtomicBool>,
}

/// What somebody may wait for.
pub(super) enum Arrival {
    /// An answer.
    Answered {
        /// To which turn.
        key: TurnKey,
        /// To its first or to its second request.
        round: usize,
        /// What came back.
        outcome: Outcome,
    },
    /// A check that is over.
    Checked,
}

struct Job {
    key: TurnKey,
    round: usize,
    link: Arc<Link>,
    request: TranslationRequest,
}

/// Where jobs wait for a thread.
#[derive(Default)]
struct Desk {
    state: Mutex<DeskState>,
    changed: Condvar,
}

#[derive(Default)]
struct DeskState {
    waiting: VecDeque<Job>,
    under_way: usize,
    closed: bool,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, when there is one; `None` when there will be none.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.waiting.pop_front() {
                state.under_way += 1;
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Gives an answer in any case: also where the translator panics, because somebody waits for it.
struct Reply<'d> {
    desk: &'d Desk,
    sender: SyncSender<Arrival>,
    arrival: Option<(TurnKey, usize, Outcome)>,
}

impl Drop for Reply<'_> {
    fn drop(&mut self) {
        if let Some((key, round, outcome)) = self.arrival.take() {
            let arrival = Arrival::Answered { key, round, outcome };
            // Nobody listens any more when the run is over.
            let _nobody_there = self.sender.send(arrival).is_err();
        }
        self.desk.state().under_way -= 1;
    }
}

fn work(desk: &Desk, sender: &SyncSender<Arrival>) {
    while let Some(job) = desk.next() {
        let Job { key, round, link, request } = job;
        let broken = TranslateError {
            translator: link.facts().name,
            reason: "the translator broke down while it was asked; its thread ended".to_owned(),
            transient: false,
        };
        let arrival = Some((key, round, Err(broken)));
        let mut reply = Reply { desk, sender: sender.clone(), arrival };
        if let (Link::Translator(translator), Some((_, _, outcome))) = (&*link, &mut reply.arrival) {
            *outcome = translator.translate(&request);
        }
    }
}

impl Asking {
    /// Nothing is asked; `interrupt` ends the waiting for answers that are under way when all is over.
    pub(super) fn new(at_once_max: usize, interrupt: Arc<AtomicBool>) -> Self {
        let (sender, arrivals) = sync_channel(4 * AHEAD_MAX);
        let at_once_max = at_once_max.max(1);
        let desk = Arc::default();
        Self { asked: BTreeMap::new(), desk, arrivals, sender, threads: 0, at_once_max, interrupt }
    }

    /// Whether another turn may be asked for.
    pub(super) fn has_room(&self) -> bool {
        self.asked.len() < AHEAD_MAX
    }

    pub(super) fn knows(&self, key: &TurnKey) -> bool {
        self.asked.contains_key(key)
    }

    /// Asks for a turn; `promised` is what its answers may cost.
    pub(super) fn ask(
        &mut self,
        key: TurnKey,
        (effect, link): (Effect, &Arc<Link>),
        request: TranslationRequest,
        promised: Spent,
    ) {
        let round = Round { request: request.clone(), outcome: None };
        let asked = Asked {
            effect,
            link: Arc::clone(link),
            rounds: vec![round],
            promised,
            is_foreseen: false,
            is_seen: false,
        };
        self.asked.insert(key.clone(), asked);
        self.send(Job { key, round: 0, link: Arc::clone(link), request });
    }

    /// Asks once more, with the context that was asked for.
    pub(super) fn ask_more(&mut self, key: &TurnKey, request: TranslationRequest) {
        let Some(asked) = self.asked.get_mut(key) else { return };
        let (round, link) = (asked.rounds.len(), Arc::clone(&asked.link));
        asked.rounds.push(Round { request: request.clone(), outcome: None });
        self.send(Job { key: key.clone(), round, link, request });
    }

    fn send(&mut self, job: Job) {
        self.desk.state().waiting.push_back(job);
        self.desk.changed.notify_one();
        if self.threads < self.at_once_max {
            self.threads += 1;
            let (desk, sender) = (Arc::clone(&self.desk), self.sender.clone());
            std::thread::spawn(move || work(&desk, &sender));
        }
    }

    /// The turns whose first answer asks for more context, with what it asks for.
    pub(super) fn in_need(&self) -> Vec<(TurnKey, Effect, Vec<SymbolPath>)> {
        let need = |asked: &Asked| match asked.rounds.as_slice() {
            [
                Round {
                    outcome: Some(Ok(Translation::Answered { answer: Answer::Need { symbols }, .. })),
                    ..
                },
            ] => Some(symbols.clone()),
            _ => None,
        };
        let asked = self.asked.iter();
        asked.filter_map(|(key, asked)| Some((key.clone(), asked.effect.clone(), need(asked)?))).collect()
    }

    /// Whether an answer is still to come.
    pub(super) fn is_under_way(&self, key: &TurnKey, round: usize) -> bool {
        let round = self.asked.get(key).and_then(|asked| asked.rounds.get(round));
        round.is_some_and(|round| round.outcome.is_none())
    }

    /// Whether any answer of another turn is still to come.
    pub(super) fn others_are_under_way(&self, but: &TurnKey) -> bool {
        let mut others = self.asked.iter().filter(|(key, _)| *key != but);
        others.any(|(_, asked)| asked.rounds.iter().any(|round| round.outcome.is_none()))
    }

    /// The turns that were asked for since this was asked, each once.
    pub(super) fn unforeseen(&mut self) -> Vec<(TurnKey, Effect)> {
        let new = self.asked.iter_mut().filter(|(_, asked)| !asked.is_foreseen);
        let told = new.map(|(key, asked)| {
            asked.is_foreseen = true;
            (key.clone(), asked.effect.clone())
        });
        told.collect()
    }

    /// The answers that came since this was asked, each once; those that ask for more context are none.
    pub(super) fn unseen(&mut self) -> Vec<(TurnKey, Effect, Answer)> {
        let answer = |asked: &Asked| match &asked.rounds.last()?.outcome {
            Some(Ok(Translation::Answered {
                answer: answer @ (Answer::Edits { .. } | Answer::NoChange { .. }),
                ..
            })) => Some(answer.clone()),
            Some(Ok(_) | Err(_)) | None => None,
        };
        let new = self.asked.iter_mut().filter(|(_, asked)| !asked.is_seen);
        let told = new.filter_map(|(key, asked)| {
            let answer = answer(asked)?;
            asked.is_seen = true;
            Some((key.clone(), asked.effect.clone(), answer))
        });
        told.collect()
    }

    /// What tells whoever waits for answers that something else is there.
    pub(super) fn waker(&self) -> SyncSender<Arrival> {
        self.sender.clone()
    }

    /// Waits until an answer comes, or a check is over.
    pub(super) fn wait(&mut self) {
        // There is a sender as long as there is `self`, so an error cannot come.
        if let Ok(arrival) = self.arrivals.recv() {
            self.arrived(arrival);
        }
    }

    /// Takes what has come, and waits for nothing.
    pub(super) fn look(&mut self) {
        while let Ok(arrival) = self.arrivals.try_recv() {
            self.arrived(arrival);
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        let Arrival::Answered { key, round, outcome } = arrival else { return };
        let round = self.asked.get_mut(&key).and_then(|asked| asked.rounds.get_mut(round));
        if let Some(round) = round {
            round.outcome = Some(outcome);
        }
    }

    /// The answer to this request, if it was asked for this turn and the answer came.
    pub(super) fn take(
        &mut self,
        key: &TurnKey,
        round: usize,
        request: &TranslationRequest,
    ) -> Option<Outcome> {
        let round = self.asked.get_mut(key)?.rounds.get_mut(round)?;
        if round.request == *request { round.outcome.take() } else { None }
    }

    /// The turn is over.
    pub(super) fn forget(&mut self, key: &TurnKey) {
        self.asked.remove(key);
    }

    /// Nothing that was asked is due any more.
    pub(super) fn forget_all(&mut self) {
        self.asked.clear();
    }

    /// What answers may cost that are not counted yet, those of a turn aside: for its unit, and for others. It depends
    /// on what was asked, and not on what came back so far.
    pub(super) fn promised(&self, but: &TurnKey) -> (Spent, Spent) {
        self.sums(but, |asked| asked.promised)
    }

    /// What those answers did cost, once none is under way.
    pub(super) fn spent(&self, but: &TurnKey) -> (Spent, Spent) {
        self.sums(but, |asked| {
            let outcomes = asked.rounds.iter().filter_map(|round| round.outcome.as_ref());
            outcomes.fold(Spent::default(), |sum, outcome| sum.plus(Spent::of(&usage(outcome))))
        })
    }

    fn sums(&self, but: &TurnKey, of: impl Fn(&Asked) -> Spent) -> (Spent, Spent) {
        let asked = self.asked.iter().filter(|(key, _)| *key != but);
        asked.fold((Spent::default(), Spent::default()), |(own, others), (key, asked)| {
            if key.unit == but.unit { (own.plus(of(asked)), others) } else { (own, others.plus(of(asked))) }
        })
    }
}

fn usage(outcome: &Outcome) -> Usage {
    match outcome {
        Ok(Translation::Answered { usage, .. } | Translation::Malformed { usage, .. }) => *usage,
        Ok(Translation::Declined { .. } | Translation::Waiting { .. }) | Err(_) => Usage::default(),
    }
}

/// What is under way was paid for: it is waited for, so that it is recorded, unless everything is to end at once.
impl Drop for Asking {
    fn drop(&mut self) {
        {
            let mut state = self.desk.state();
            state.waiting.clear();
            state.closed = true;
        }
        self.desk.changed.notify_all();
        while self.desk.state().under_way > 0 && !self.interrupt.load(Ordering::Relaxed) {
            match self.arrivals.recv_timeout(LOOK_EVERY) {
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

#[cfg(test)]
#[path = "asking_tests.rs"]
mod tests;
