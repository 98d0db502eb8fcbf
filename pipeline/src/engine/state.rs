//! Where a run stands. It is only ever made by [`super::step()`] from the events before it.

use std::collections::BTreeSet;

use mappings::{Disposition, Proof, UnitId};
use port::edit::{Answer, render_answer};
use port::translate::{Feedback, Route};
use reports::Verdict;
use upstream::{CommitId, ContentHash, ItemPath, Revision, TreeId};

use super::event::{ChainLink, Head, Lesson, PlannedRevision, RunHeader, Standing};
use crate::gate::GatePass;

/// How the reason of a unit begins whose answer comes with a later run.
pub const IN_A_BATCH: &str = "waits for a batch";

/// By which word of its own an answer is shown to who gave it.
pub(crate) const SHOWN_NONCE: &str = "0";
/// The most units that models translated of which each is asked again where the gate refuses the whole.
const ASKED_AGAIN_MAX: usize = 8;

/// What a unit needs whose answer comes with a later run.
pub(super) const NEEDS_A_LATER_SYNC: &str =
    "nothing but time: `tidelock sync` goes on when the answer is there";

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    /// Nothing has happened.
    New,
    /// Revisions are being worked on.
    Working(Box<Work>),
    /// Nothing is left to do but to say so.
    Ending(Ended),
    /// It is over.
    Over(Ended),
}

/// How a run ended, as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Why it went no further than it did; `None` where it did everything.
    pub stopped: Option<Stop>,
    /// Whether anything waits for a person.
    pub parked: bool,
    /// Whether nothing landed on purpose.
    pub dry_run: bool,
}

/// Why a run went no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The gate refused the whole candidate of a revision.
    GateFailed,
    /// The gate could not tell.
    GateInconclusive,
    /// The branch was moved by others too often.
    BranchContended,
}

/// A run at work.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// What the run is about.
    pub header: RunHeader,
    /// The branch as the run knows it.
    pub head: Head,
    /// Which of the targets is being worked on.
    pub target: usize,
    /// How often the branch was moved by others during this revision.
    pub moves: u32,
    /// Whether any revision so far left something for a person.
    pub parked: bool,
    /// Where the work on that target stands.
    pub phase: Phase,
}

impl Work {
    /// The revision being worked on.
    pub fn revision(&self) -> Option<&Revision> {
        self.header.targets.get(self.target)
    }
}

/// Where the work on a revision stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// It is to be planned.
    Planning,
    /// Its units are being translated: models are asked for several at a time, and judged one after the other.
    Translating(Candidate),
    /// Its whole candidate is to be measured.
    Gating(Candidate),
    /// It passed, and its commit is to be written.
    Committing {
        /// The candidate.
        candidate: Candidate,
        /// The proof that its tree passed.
        pass: GatePass,
    },
    /// Its commit is written, and the branch is to be advanced.
    Advancing {
        /// The candidate.
        candidate: Candidate,
        /// The tree that passed.
        tree: TreeId,
        /// The commit.
        commit: CommitId,
    },
}

/// The change to the port as far as it got.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The plan.
    pub plan: PlannedRevision,
    /// When the work on the revision began, in milliseconds since the Unix epoch.
    pub began_ms: i64,
    /// The port's tree with the accepted units done, without the new lock.
    pub tree: TreeId,
    /// Where each unit stands, in the order of the plan.
    pub units: Vec<UnitState>,
}

impl Candidate {
    /// Whether any unit is not settled.
    pub fn is_open(&self) -> bool {
        self.units.iter().any(|unit| matches!(unit, UnitState::Open(_)))
    }

    /// The units that may be worked on, in the order in which they are: what needs no model first, so that models are
    /// asked early, then by how often models were asked, then as planned. It follows from the events alone, and not
    /// from whose answer comes first.
    pub fn due(&self, chain: &[ChainLink]) -> Vec<(usize, &UnitId, &Turn)> {
        let mut due: Vec<_> = self
            .open()
            .filter(|(_, _, turn)| turn.shown.is_some())
            .map(|(at, unit, turn)| {
                let asked = turn.asks_a_model(chain).then_some((turn.translator, turn.attempt));
                (asked, at, unit, turn)
            })
            .collect();
        due.sort_by_key(|(asked, at, ..)| (*asked, *at));
        due.into_iter().map(|(_, at, unit, turn)| (at, unit, turn)).collect()
    }

    /// Gives the units for which the port was taken as it stands to the next translator; whether there is any.
    ///
    /// Their own probes did not show what the whole candidate shows. Each is given on once at most.
    pub(super) fn ask_on(&mut self, chain: &[ChainLink]) -> bool {
        let mut any = false;
        for state in &mut self.units {
            let UnitState::Accepted { translator, .. } = state else { continue };
            if chain.get(*translator).is_some_and(|link| link.route == Route::VerifyFirst) {
                *state = Turn { translator: *translator, refused: true, ..Turn::default() }.pass_on(chain);
                any = true;
            }
        }
        any
    }

    /// Begins the revision anew from the tree `start`, where the gate refused the whole and may tell why: models that
    /// translated are asked once more, with their answer and what is told; whoever needs no model does again what it did.
    /// Whether there is anybody to ask.
    ///
    /// Whose fault it is nobody knows, so each is asked that may be, and only where these are few; and once.
    pub(super) fn ask_again(&mut self, chain: &[ChainLink], start: &TreeId, told: &[String]) -> bool {
        let is_model =
            |translator: usize| chain.get(translator).is_some_and(|link| link.route == Route::Model);
        let by_models = |state: &&UnitState| matches!(state, UnitState::Accepted { translator, answer: Some(_), .. } if is_model(*translator));
        let was_told =
            self.units.iter().any(|state| matches!(state, UnitState::Accepted { gated: true, .. }));
        let asked = self.units.iter().filter(by_models).count();
        if told.is_empty() || was_told || asked == 0 || asked > ASKED_AGAIN_MAX {
            return false;
        }
        self.tree = start.clone();
        for state in &mut self.units {
            // What needed no edit needs none at the beginning either.
            let UnitState::Accepted { translator, answer: Some(answer), attempt, .. } = state else {
                continue;
            };
            let feedback = is_model(*translator).then(|| Feedback {
                stage: "gate".to_owned(),
                findings: told.to_vec(),
                refused: render_answer(answer, SHOWN_NONCE),
            });
            *state = UnitState::Open(Turn {
                translator: *translator,
                attempt: *attempt + u32::from(feedback.is_some()),
                refused: feedback.is_some(),
                gated: true,
                feedback,
                ..Turn::default()
            });
        }
        true
    }

    fn open(&self) -> impl Iterator<Item = (usize, &UnitId, &Turn)> {
        let units = self.plan.units.iter().zip(&self.units).enumerate();
        units.filter_map(|(at, (unit, state))| match state {
            UnitState::Open(turn) => Some((at, &unit.id, turn)),
            UnitState::Accepted { .. } | UnitState::Parked { .. } => None,
        })
    }

    /// Begins the turns of units whose forerunners are all settled, each with the port as it is now. What comes after an
    /// answer that is on its way waits with it: asked now, it would be asked for a port that is not there yet.
    pub(super) fn begin_turns(&mut self) {
        self.wait_with_forerunners();
        let open: BTreeSet<UnitId> = self.open().map(|(_, unit, _)| unit.clone()).collect();
        let mut begun = false;
        for (unit, state) in self.plan.units.iter().zip(&mut self.units) {
            if let UnitState::Open(turn) = state {
                if turn.shown.is_none() && !unit.after.iter().any(|other| open.contains(other)) {
                    turn.shown = Some(self.tree.clone());
                }
                begun |= turn.shown.is_some();
            }
        }
        // No plan makes units wait for each other; should one do, they are done in its order.
        let first = self.units.iter_mut().find_map(|state| match state {
            UnitState::Open(turn) => Some(turn),
            UnitState::Accepted { .. } | UnitState::Parked { .. } => None,
        });
        if let Some(turn) = first.filter(|_| !begun) {
            turn.shown = Some(self.tree.clone());
        }
    }

    fn wait_with_forerunners(&mut self) {
        // Each round settles a unit at least, so there are no more rounds than units.
        while let Some((at, forerunner)) = self.next_to_wait() {
            let Some(unit) = self.units.get_mut(at) else { return };
            *unit = UnitState::Parked {
                reason: format!("waits for `{forerunner}`, which {IN_A_BATCH}"),
                lasting: format!("waits for `{forerunner}`, which {IN_A_BATCH}"),
                needs: NEEDS_A_LATER_SYNC.to_owned(),
                is_on_its_way: true,
            };
        }
    }

    /// A unit whose turn did not begin, with a forerunner of it whose answer is on its way.
    fn next_to_wait(&self) -> Option<(usize, UnitId)> {
        let units = || self.plan.units.iter().zip(&self.units);
        let on_their_way: BTreeSet<&UnitId> = units()
            .filter(|(_, state)| matches!(state, UnitState::Parked { is_on_its_way: true, .. }))
            .map(|(unit, _)| &unit.id)
            .collect();
        units().enumerate().find_map(|(at, (unit, state))| match state {
            UnitState::Open(turn) if turn.shown.is_none() => {
                let forerunner = unit.after.iter().find(|other| on_their_way.contains(other))?;
                Some((at, forerunner.clone()))
            }
            UnitState::Open(_) | UnitState::Accepted { .. } | UnitState::Parked { .. } => None,
        })
    }

    /// What became of the revision, if it lands like this.
    pub fn disposition(&self) -> Disposition {
        let parked = self.units.iter().any(|unit| matches!(unit, UnitState::Parked { .. }));
        let edited =
            self.units.iter().any(|unit| matches!(unit, UnitState::Accepted { answer: Some(_), .. }));
        match (parked, &self.plan.decided, edited) {
            (true, _, _) => Disposition::Parked,
            (false, Some(decided), _) => decided.disposition,
            (false, None, true) => Disposition::Landed,
            (false, None, false) => Disposition::Absorbed,
        }
    }
}

/// Whose turn it is to translate a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// Which link of the chain.
    pub translator: usize,
    /// Which attempt of that link, from 1; 0 stands for the first of all.
    pub attempt: u32,
    /// What was wrong with its attempt before.
    pub feedback: Option<Feedback>,
    /// How its attempts so far were refused.
    pub signatures: Vec<ContentHash>,
    /// How far its answers of this talk had come.
    pub standings: Vec<Standing>,
    /// Whether it was asked afresh, without what was said before.
    pub fresh: bool,
    /// What stood in the way of those that could not be told, for the report.
    pub unavailable: Vec<String>,
    /// Whether any answer was refused.
    pub refused: bool,
    /// Whether the gate refused the whole candidate with an answer of this unit in it, and told why.
    pub gated: bool,
    /// The port as it was when the turn began, which is what a model is shown; `None` while units that come first
    /// are not settled.
    pub shown: Option<TreeId>,
}

impl Turn {
    pub(super) fn asks_a_model(&self, chain: &[ChainLink]) -> bool {
        chain.get(self.translator).is_some_and(|link| link.route == Route::Model)
    }
}

/// Where a unit stands.
#[derive(Debug, Clone, PartialEq)]
pub enum UnitState {
    /// Somebody is to be asked.
    Open(Turn),
    /// It is done.
    Accepted {
        /// Which link of the chain did it.
        translator: usize,
        /// The answer; `None` where it is proved that no edit was needed.
        answer: Option<Answer>,
        /// How far each item is known to behave alike.
        proofs: Vec<(ItemPath, Proof)>,
        /// What to remember of it once it has landed.
        lesson: Option<Lesson>,
        /// Which attempt of that link it was.
        attempt: u32,
        /// Whether it was made anew after the gate refused the whole candidate.
        gated: bool,
    },
    /// It waits for a person, or for an answer that comes with a later run.
    Parked {
        /// Why.
        reason: String,
        /// Why, in words that the port may keep: they name nothing of this machine.
        lasting: String,
        /// What it would take.
        needs: String,
        /// Whether it waits for nobody: an answer is on its way, and what uses this unit is not asked for before it.
        is_on_its_way: bool,
    },
}

/// What the verdict over a whole candidate means for the run.
pub(super) fn stop_for(verdict: Verdict) -> Option<Stop> {
    match verdict {
        Verdict::Pass => None,
        Verdict::Fail => Some(Stop::GateFailed),
        Verdict::Inconclusive => Some(Stop::GateInconclusive),
    }
}
