//! The engine: a state and an event to the next state. Pure; everything that acts is in the driver.

mod ladder;
mod turn;

pub use self::turn::UNTOLD;
use self::turn::lasting_name;

use mappings::UnitId;

use super::effect::Effect;
use super::event::{AttemptResult, ChainLink, Event, RunHeader};
use crate::gate::GatePass;

use super::state::{
    Candidate, Ended, IN_A_BATCH, NEEDS_A_LATER_SYNC, Phase, RunState, Stop, Turn, UnitState, Work, stop_for,
};

/// How often a branch may be moved by others under one revision before the run gives up.
pub const BRANCH_MOVES_MAX: u32 = 3;

/// An event that cannot follow the state: the journal is damaged, or there is a bug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event `{event}` cannot follow the state `{state}`")]
pub struct IllegalEvent {
    /// The event's name.
    pub event: &'static str,
    /// The state's name.
    pub state: &'static str,
}

/// The state after an event.
pub fn step(state: RunState, event: &Event) -> Result<RunState, IllegalEvent> {
    let illegal = IllegalEvent { event: event_name(event), state: state_name(&state) };
    match (state, event) {
        (RunState::New, Event::Started { header }) => Ok(start(header)),
        (RunState::Working(work), event) => advance(*work, event).ok_or(illegal),
        (RunState::Ending(ended), Event::Finished { .. }) => Ok(RunState::Over(ended)),
        (RunState::New | RunState::Ending(_) | RunState::Over(_), _) => Err(illegal),
    }
}

/// What to do in a state; `None` when there is nothing, because nothing began or all is over.
pub fn effect(state: &RunState) -> Option<Effect> {
    match state {
        RunState::New | RunState::Over(_) => None,
        RunState::Ending(_) => Some(Effect::Finish),
        RunState::Working(work) => effect_of(work),
    }
}

fn effect_of(work: &Work) -> Option<Effect> {
    Some(match &work.phase {
        Phase::Planning => Effect::Plan { revision: work.revision()?.clone(), head: work.head.clone() },
        Phase::Translating(candidate) => {
            let (_, unit, turn) = candidate.due(&work.header.chain).into_iter().next()?;
            attempt(candidate, unit, turn)
        }
        Phase::Gating(candidate) => Effect::Gate { tree: candidate.tree.clone() },
        Phase::Committing { pass, .. } => Effect::Commit { tree: pass.tree().clone() },
        Phase::Advancing { commit, .. } => Effect::Advance { from: work.head.clone(), to: commit.clone() },
    })
}

/// What models will be asked for whatever the others answer, in the order in which it will be: it may be asked
/// beforehand.
pub fn foreseen(state: &RunState) -> Vec<Effect> {
    let RunState::Working(work) = state else { return Vec::new() };
    let Phase::Translating(candidate) = &work.phase else { return Vec::new() };
    let chain = &work.header.chain;
    let due = candidate.due(chain).into_iter().filter(|(_, _, turn)| turn.asks_a_model(chain));
    due.map(|(_, unit, turn)| attempt(candidate, unit, turn)).collect()
}

fn attempt(candidate: &Candidate, unit: &UnitId, turn: &Turn) -> Effect {
    Effect::Attempt {
        unit: unit.clone(),
        translator: turn.translator,
        attempt: turn.attempt.max(1),
        feedback: turn.feedback.clone(),
        tree: candidate.tree.clone(),
        shown: turn.shown.clone().unwrap_or_else(|| candidate.tree.clone()),
    }
}

fn start(header: &RunHeader) -> RunState {
    if header.targets.is_empty() {
        return RunState::Ending(Ended { stopped: None, parked: false, dry_run: header.dry_run });
    }
    RunState::Working(Box::new(Work {
        head: header.head.clone(),
        header: header.clone(),
        target: 0,
        moves: 0,
        parked: false,
        phase: Phase::Planning,
    }))
}

/// The state after an event of the work itself; `None` where the event does not belong.
fn advance(mut work: Work, event: &Event) -> Option<RunState> {
    match (work.phase.clone(), event) {
        (Phase::Planning, Event::Planned { revision, plan, at_ms }) => {
            if work.revision()?.label != *revision {
                return None;
            }
            let units = vec![UnitState::Open(Turn::default()); plan.units.len()];
            let candidate =
                Candidate { plan: plan.clone(), began_ms: *at_ms, tree: work.head.tree.clone(), units };
            work.phase = translating_or_gating(candidate);
        }
        (Phase::Translating(mut candidate), Event::Attempted { unit, result, .. }) => {
            let (at, due, _) = candidate.due(&work.header.chain).into_iter().next()?;
            if due != unit {
                return None;
            }
            settle_attempt(&mut candidate, at, &work.header.chain, result);
            work.phase = translating_or_gating(candidate);
        }
        (Phase::Gating(mut candidate), Event::Gated { tree, verdict, gates, told }) => {
            // The verdict is not believed without the gates that it rests on.
            match (stop_for(*verdict), GatePass::judge(tree, gates)) {
                (Some(Stop::GateFailed), None)
                    if candidate.ask_on(&work.header.chain)
                        || candidate.ask_again(&work.header.chain, &work.head.tree, told) =>
                {
                    work.phase = translating_or_gating(candidate);
                }
                (Some(stop), None) => return Some(end(&work, Some(stop))),
                (None, Some(pass)) => work.phase = Phase::Committing { candidate, pass },
                (Some(_), Some(_)) | (None, None) => return None,
            }
        }
        (Phase::Committing { candidate, pass }, Event::Prepared { commit }) => {
            let tree = pass.tree().clone();
            work.phase = Phase::Advancing { candidate, tree, commit: commit.clone() };
        }
        (Phase::Advancing { candidate, tree, commit }, Event::Landed { head, .. }) => {
            // Promise 1: the tree that lands is the tree that was tested.
            if head.tree != tree || head.commit != commit {
                return None;
            }
            work.parked |= candidate.units.iter().any(|unit| matches!(unit, UnitState::Parked { .. }));
            work.head = head.clone();
            work.target += 1;
            work.moves = 0;
            work.phase = Phase::Planning;
            if work.revision().is_none() {
                return Some(end(&work, None));
            }
        }
        (Phase::Advancing { .. }, Event::BranchMoved { head }) => {
            work.moves += 1;
            work.head = head.clone();
            work.phase = Phase::Planning;
            if work.moves > BRANCH_MOVES_MAX {
                return Some(end(&work, Some(Stop::BranchContended)));
            }
        }
        _ => return None,
    }
    Some(RunState::Working(Box::new(work)))
}

fn end(work: &Work, stopped: Option<Stop>) -> RunState {
    RunState::Ending(Ended { stopped, parked: work.parked, dry_run: work.header.dry_run })
}

fn translating_or_gating(mut candidate: Candidate) -> Phase {
    candidate.begin_turns();
    if candidate.is_open() { Phase::Translating(candidate) } else { Phase::Gating(candidate) }
}

fn settle_attempt(candidate: &mut Candidate, at: usize, chain: &[ChainLink], result: &AttemptResult) {
    let Some(unit) = candidate.units.get_mut(at) else { return };
    let UnitState::Open(turn) = unit else { return };
    let next = match result {
        AttemptResult::Accepted { tree, answer, proofs, lesson } => {
            candidate.tree = tree.clone();
            UnitState::Accepted {
                translator: turn.translator,
                answer: answer.clone(),
                proofs: proofs.clone(),
                lesson: lesson.clone(),
                attempt: turn.attempt.max(1),
                gated: turn.gated,
            }
        }
        AttemptResult::Declined => turn.clone().pass_on(chain),
        AttemptResult::Unavailable { reason } => {
            let mut turn = turn.clone();
            turn.unavailable.push(reason.clone());
            turn.pass_on(chain)
        }
        AttemptResult::Waiting { reason } => {
            // The next translator is not asked: what is bought here need not be bought there.
            let name = chain.get(turn.translator).map_or("", |link| lasting_name(&link.name));
            UnitState::Parked {
                reason: reason.clone(),
                lasting: format!("{IN_A_BATCH} of `{name}`"),
                needs: NEEDS_A_LATER_SYNC.to_owned(),
                is_on_its_way: true,
            }
        }
        AttemptResult::Refused { feedback, signature, standing } => {
            let mut turn = turn.clone();
            turn.refused = true;
            let attempts_max = chain.get(turn.translator).map_or(0, |link| link.attempts_max);
            let repeats = turn.signatures.contains(signature);
            let attempt = turn.attempt.max(1) + 1;
            // A translator that is refused twice for the same reason will be refused a third time, but
            // one that gives other answers whatever it is told (the memory) is asked for all of them.
            let deterministic = feedback.is_none();
            if attempt > attempts_max || (repeats && !deterministic) {
                turn.pass_on(chain)
            } else if !deterministic && standing.is_some_and(|now| ladder::is_stuck(&turn.standings, &now)) {
                if turn.fresh {
                    turn.pass_on(chain)
                } else {
                    let (signatures, standings) = (Vec::new(), Vec::new());
                    UnitState::Open(Turn {
                        attempt,
                        feedback: None,
                        signatures,
                        standings,
                        fresh: true,
                        ..turn
                    })
                }
            } else {
                turn.standings.extend(standing);
                turn.signatures.push(*signature);
                UnitState::Open(Turn { attempt, feedback: feedback.clone(), ..turn })
            }
        }
    };
    *unit = match next {
        // What is asked next is asked for the port as it is now.
        UnitState::Open(turn) => UnitState::Open(Turn { shown: None, ..turn }),
        settled @ (UnitState::Accepted { .. } | UnitState::Parked { .. }) => settled,
    };
}

pub(super) fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Started { .. } => "started",
        Event::Planned { .. } => "planned",
        Event::Attempted { .. } => "attempted",
        Event::Gated { .. } => "gated",
        Event::Prepared { .. } => "prepared",
        Event::Landed { .. } => "landed",
        Event::BranchMoved { .. } => "branch moved",
        Event::Finished { .. } => "finished",
    }
}

pub(super) fn state_name(state: &RunState) -> &'static str {
    match state {
        RunState::New => "new",
        RunState::Ending(_) => "ending",
        RunState::Over(_) => "over",
        RunState::Working(work) => match work.phase {
            Phase::Planning => "planning",
            Phase::Translating(_) => "translating",
            Phase::Gating(_) => "gating",
            Phase::Committing { .. } => "committing",
            Phase::Advancing { .. } => "advancing",
        },
    }
}

#[cfg(test)]
mod tests;
