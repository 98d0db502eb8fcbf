//! The machine is total, ends, and goes on from any prefix of its events.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::engine::event::Event;
use crate::engine::record::record;
use crate::engine::step::BRANCH_MOVES_MAX;

/// More events than the sample run can have: two revisions, each begun again so often at most, with two units of at
/// most four attempts, and a plan, a verdict, a commit and a landing each.
const EVENTS_MAX: usize = 2 + 2 * (BRANCH_MOVES_MAX as usize + 1) * (2 * 4 + 4);

#[test]
fn every_event_in_every_state_is_taken_or_refused_by_name() {
    let chart = chart();
    for (from, state) in STATES.iter().enumerate() {
        assert!(chart.effects.contains_key(&from), "no run comes to `{state}`");
        for (kind, event) in EVENTS.iter().enumerate() {
            let taken = chart.transitions.keys().any(|found| (found.from, found.event) == (from, kind));
            let refused = chart.refusals.contains_key(&(from, kind));
            assert!(taken || refused, "`{event}` in `{state}` was not tried");
        }
    }
}

#[test]
fn every_state_but_the_first_and_the_last_asks_for_something_and_can_be_left() {
    let chart = chart();
    for (from, state) in STATES.iter().enumerate() {
        let left = chart.transitions.keys().any(|found| found.from == from);
        assert_eq!(left, *state != "over", "{state}");
        assert_eq!(chart.effects[&from].is_some(), !["new", "over"].contains(state), "{state}");
    }
}

#[test]
fn what_contradicts_the_run_is_refused() {
    let chart = chart();
    for (state, event, when) in [
        ("planning", "planned", "of another revision"),
        ("translating", "attempted", "of a unit that is not open"),
        ("gating", "gated", "pass without its gates"),
        ("gating", "gated", "pass with a gate that failed"),
        ("gating", "gated", "fail with gates that all passed"),
        ("advancing", "landed", "of a tree that was not tested"),
        ("advancing", "landed", "of a commit that was not prepared"),
    ] {
        let refused = &chart.refusals[&(place(&STATES, state), place(&EVENTS, event))];
        assert!(refused.contains(when), "{event} {when} in {state}");
    }
}

/// A run in which somebody chooses what happens, by number.
fn played(choices: &[Index]) -> Vec<Event> {
    let (mut state, mut story) = (RunState::New, Vec::new());
    for choice in choices {
        let taken: Vec<(Event, RunState)> = events(&state)
            .into_iter()
            .filter_map(|(_, event)| step(state.clone(), &event).ok().map(|next| (event, next)))
            .collect();
        if taken.is_empty() {
            break;
        }
        let (event, next) = choice.get(&taken).clone();
        story.push(event);
        state = next;
    }
    story
}

proptest! {
    #[test]
    fn whatever_is_said_it_is_taken_or_refused_and_a_refusal_changes_nothing(
        choices in proptest::collection::vec(any::<Index>(), 0..200),
        later in proptest::collection::vec(any::<Index>(), 0..40),
    ) {
        let mut state = RunState::New;
        let said = played(&later);
        for choice in &choices {
            // What fits this state, what does not, and what belongs to another run altogether.
            let mut samples: Vec<Event> = events(&state).into_iter().map(|(_, event)| event).collect();
            samples.extend(said.iter().cloned());
            let event = choice.get(&samples);
            match step(state.clone(), event) {
                Ok(next) => state = next,
                Err(refused) => {
                    prop_assert_eq!((refused.event, refused.state), (event_name(event), state_name(&state)));
                }
            }
            let idle = matches!(state, RunState::New | RunState::Over(_));
            prop_assert_eq!(effect(&state).is_none(), idle, "{:?}", state);
        }
    }

    #[test]
    fn a_run_goes_on_from_any_prefix_of_its_events_as_if_it_had_not_been_stopped(
        choices in proptest::collection::vec(any::<Index>(), EVENTS_MAX + 1),
    ) {
        let story = played(&choices);
        prop_assert!(story.len() <= EVENTS_MAX, "it ends: {} events", story.len());
        let (whole, end) = record(&story).unwrap();
        prop_assert!(matches!(end, RunState::Over(_)), "{:?}", end);
        // As the journal keeps them: text, read again by another process.
        let lines: Vec<String> = story.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let mut live = RunState::New;
        for cut in 0..=story.len() {
            let kept: Vec<Event> =
                lines[..cut].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            let (_, state) = record(&kept).unwrap();
            prop_assert_eq!(&state, &live, "after {} events", cut);
            prop_assert_eq!(effect(&state), effect(&live));
            let mut all = kept;
            all.extend(story[cut..].iter().cloned());
            prop_assert_eq!(&record(&all).unwrap().0, &whole);
            if let Some(event) = story.get(cut) {
                live = step(live, event).unwrap();
            }
        }
    }
}
