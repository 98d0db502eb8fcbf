//! What needs a person, and what to do next: one list that all renderings show first.

use std::collections::BTreeSet;

use crate::record::{CounterexampleRecord, GateRecord, RunOutcome, RunRecord, UnitOutcome, Verdict};
use crate::words::{self, Sign};

/// One thing that waits for a person. Its texts are foreign, and not escaped yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attention {
    /// How it stands.
    pub(crate) sign: Sign,
    /// Which revision and, from the record's order, which unit it is about.
    pub(crate) place: Option<Place>,
    /// What it is about.
    pub(crate) subject: String,
    /// Why it waits.
    pub(crate) reason: String,
    /// What it would take; empty where nobody said.
    pub(crate) needs: String,
    /// A call on which both sides differ, where one was found: the quickest way to see why.
    pub(crate) example: Option<CounterexampleRecord>,
}

/// Where in the record something stands, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The revision.
    pub(crate) revision: usize,
    /// The unit; `None` for the revision's gates.
    pub(crate) unit: Option<usize>,
}

/// Parked units first, then gates that did not pass, then notices; each in the record's order.
pub(crate) fn attention(record: &RunRecord) -> Vec<Attention> {
    parked(record).chain(gates(record)).chain(notices(record)).collect()
}

/// A unit that a later revision takes up again waits there, if it still waits.
fn parked(record: &RunRecord) -> impl Iterator<Item = Attention> {
    record.revisions.iter().enumerate().flat_map(|(at, revision)| {
        let later: BTreeSet<&str> = record
            .revisions
            .iter()
            .skip(at + 1)
            .flat_map(|later| &later.units)
            .map(|unit| unit.id.as_str())
            .collect();
        let last =
            revision.units.iter().enumerate().filter(move |(_, unit)| !later.contains(unit.id.as_str()));
        last.filter_map(move |(unit_at, unit)| match &unit.outcome {
            UnitOutcome::Parked { reason, needs } => Some(Attention {
                sign: words::unit(&unit.outcome),
                place: Some(Place { revision: at, unit: Some(unit_at) }),
                subject: unit.id.clone(),
                reason: reason.clone(),
                needs: needs.clone(),
                example: unit.attempts.iter().rev().find_map(|a| a.counterexamples.first()).cloned(),
            }),
            UnitOutcome::Open | UnitOutcome::Absorbed | UnitOutcome::Translated { .. } => None,
        })
    })
}

fn gates(record: &RunRecord) -> impl Iterator<Item = Attention> {
    record.revisions.iter().enumerate().flat_map(|(at, revision)| {
        revision.gates.iter().filter(|gate| gate.verdict != Verdict::Pass).map(move |gate: &GateRecord| {
            Attention {
                sign: words::verdict(gate.verdict),
                place: Some(Place { revision: at, unit: None }),
                subject: format!("{} gate", gate.gate),
                reason: gate.reason.clone(),
                needs: String::new(),
                example: gate.counterexamples.first().cloned(),
            }
        })
    })
}

fn notices(record: &RunRecord) -> impl Iterator<Item = Attention> {
    record.notices.iter().map(|notice| Attention {
        sign: Sign { glyph: "!", word: "notice".to_owned(), tone: "warn" },
        place: None,
        subject: words::plain(&notice.code),
        reason: notice.text.clone(),
        needs: String::new(),
        example: None,
    })
}

/// What to do next, in one sentence.
pub(crate) fn next_step(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Unfinished => "Run `tidelock sync` again: it continues where this run stopped.",
        RunOutcome::Done => "Nothing is left to do.",
        RunOutcome::NothingToDo => "Nothing to do: the port equals the newest revision.",
        RunOutcome::Parked => {
            "Port what is parked by hand and commit it, then run `tidelock sync`: it proves your edit and goes on."
        }
        RunOutcome::GateFailed => {
            "Look at the counterexamples: mend the port, or waive what is meant; then run `tidelock sync`."
        }
        RunOutcome::Inconclusive => "Remove the cause named here, then run `tidelock sync`: it checks again.",
        RunOutcome::DryRun => "Nothing was landed, on purpose. A sync that is no dry run lands what passed.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn what_is_parked_comes_before_gates_and_notices() {
        let list = attention(&sample::parked());
        let words: Vec<_> = list.iter().map(|item| item.sign.word.as_str()).collect();
        assert_eq!(words, ["parked", "inconclusive", "notice"]);
        assert!(list[0].place.is_some_and(|place| place.unit.is_some()));
    }

    #[test]
    fn a_failed_gate_comes_with_a_call_that_shows_it() {
        let list = attention(&sample::gate_failed());
        let example = list[0].example.as_ref().unwrap();
        assert_eq!((example.upstream.as_str(), example.port.as_str()), ("\"O'neil  X\"", "\"O'Neil  X\""));
    }

    #[test]
    fn a_run_without_trouble_needs_nobody() {
        assert_eq!(attention(&sample::done()), []);
    }
}
