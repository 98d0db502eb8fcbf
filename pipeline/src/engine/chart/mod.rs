//! The machine as a table: what `step` makes of every event in every state, found by trying.
//!
//! `docs/states.md` is written from it, so that the drawing cannot be untrue.

mod samples;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::effect::Effect;
use super::state::RunState;
use super::step::{effect, event_name, state_name, step};

pub(crate) use samples::events;

/// The states, in the order in which a run comes to them.
pub const STATES: [&str; 8] =
    ["new", "planning", "translating", "gating", "committing", "advancing", "ending", "over"];

/// The events, in the order in which they happen.
pub const EVENTS: [&str; 8] =
    ["started", "planned", "attempted", "gated", "prepared", "landed", "branch moved", "finished"];

/// More states than the sample run has.
const STATES_MAX: usize = 50_000;

/// An event that is answered by a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    /// The state before, as its place in [`STATES`].
    pub from: usize,
    /// The event, as its place in [`EVENTS`].
    pub event: usize,
    /// The state after, as its place in [`STATES`].
    pub to: usize,
}

/// The whole machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// Each transition, with the circumstances in which it is taken.
    pub transitions: BTreeMap<Transition, BTreeSet<&'static str>>,
    /// Each state with an event that it refuses, in what circumstances: an event out of place, or one that
    /// contradicts what the run knows.
    pub refusals: BTreeMap<(usize, usize), BTreeSet<&'static str>>,
    /// What each state asks for, as its place in [`STATES`].
    pub effects: BTreeMap<usize, Option<&'static str>>,
}

/// Tries every sample of every event in every state that a small run can come to.
pub fn chart() -> Chart {
    let mut chart = Chart::default();
    let mut known = BTreeSet::new();
    let mut waiting = VecDeque::from([RunState::New]);
    while let Some(state) = waiting.pop_front() {
        let from = place(&STATES, state_name(&state));
        chart.effects.insert(from, effect(&state).as_ref().map(Effect::name));
        for (when, event) in events(&state) {
            let kind = place(&EVENTS, event_name(&event));
            let Ok(next) = step(state.clone(), &event) else {
                chart.refusals.entry((from, kind)).or_default().insert(when);
                continue;
            };
            let to = place(&STATES, state_name(&next));
            chart.transitions.entry(Transition { from, event: kind, to }).or_default().insert(when);
            if known.len() < STATES_MAX && known.insert(format!("{next:?}")) {
                waiting.push_back(next);
            }
        }
    }
    chart
}

fn place(names: &[&str], name: &str) -> usize {
    names.iter().position(|known| *known == name).expect("every state and event is in the list of its names")
}

#[cfg(test)]
mod tests;
