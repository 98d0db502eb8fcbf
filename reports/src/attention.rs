//! What needs a person, and what to do next: one list that all renderings show first.

use std::collections::BTreeSet;

use crate::record::{
    AttemptRecord, CounterexampleRecord, GateRecord, RunOutcome, RunRecord, UnitOutcome, Verdict,
};
use crate::summary::parked_since;
use crate::words::{self, Sign};

/// Characters of what one attempt came to in the list; the unit itself has all of it.
const TRIED_CHARS_MAX: usize = 120;

/// One thing that waits for a person. Its texts are foreign, and not escaped yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attention {
    /// How it stands.
    pub(crate) sign: Sign,
    /// Which revision and, from the record's order, which unit it is about.
    pub(crate) place: Option<Place>,
    /// What it is about.
    pub(crate) subject: String,
    /// Since which revision it waits, where the record knows.
    pub(crate) since: Option<String>,
    /// Why it waits.
    pub(crate) reason: String,
    /// Who was asked, and what came of it.
    pub(crate) tried: Vec<Tried>,
    /// What it would take; empty where nobody said.
    pub(crate) needs: String,
    /// A call on which both sides differ, where one was found: the quickest way to see why.
    pub(crate) example: Option<CounterexampleRecord>,
}

/// One attempt in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    /// The route, such as `verify first`.
    pub(crate) who: String,
    /// What came of it.
    pub(crate) what: String,
}

/// Where in the record something stands, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The revision.
    pub(crate) revision: usize,
    /// The unit; `None` for the revision's gates.
    pub(crate) unit: Option<usize>,
}

/// Parked units first, then gates that did not pass; each in the record's order. Notices are no work.
pub(crate) fn attention(record: &RunRecord) -> Vec<Attention> {
    parked(record).chain(gates(record)).collect()
}

/// A unit that a later revision takes up again waits there, if it still waits.
fn parked(record: &RunRecord) -> impl Iterator<Item = Attention> {
    record.revisions.iter().enumerate().flat_map(move |(at, revision)| {
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
            UnitOutcome::Parked { reason, needs } => {
                let example = unit.attempts.iter().rev().find_map(|a| a.counterexamples.first());
                Some(Attention {
                    sign: words::unit(unit),
                    place: Some(Place { revision: at, unit: Some(unit_at) }),
                    subject: unit.id.clone(),
                    since: parked_since(record, &unit.id).map(str::to_owned),
                    reason: reason.clone(),
                    tried: unit.attempts.iter().map(|attempt| tried(attempt, example)).collect(),
                    needs: needs.clone(),
                    example: example.cloned(),
                })
            }
            UnitOutcome::Open | UnitOutcome::Absorbed | UnitOutcome::Translated { .. } => None,
        })
    })
}

/// What an attempt came to: why it declined or was refused, and the first thing that was found. A call that is
/// `shown` already is not told again.
fn tried(attempt: &AttemptRecord, shown: Option<&CounterexampleRecord>) -> Tried {
    let found = attempt.findings.first().map(|finding| finding.text.as_str());
    let example = attempt.counterexamples.first().filter(|example| Some(*example) != shown);
    let example = example.map(|example| {
        format!("{} gave {} upstream and {} in the port", example.call, example.upstream, example.port)
    });
    let found = example.or_else(|| found.map(str::to_owned));
    let what = match (&attempt.declined, found) {
        (Some(declined), Some(found)) => format!("{declined}: {found}"),
        (Some(declined), None) => declined.clone(),
        (None, Some(found)) => format!("{}: {found}", words::attempt(attempt).word),
        (None, None) => words::attempt(attempt).word,
    };
    let mut chars = what.chars();
    let mut short: String = chars.by_ref().take(TRIED_CHARS_MAX).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    Tried { who: words::plain(&attempt.route), what: short }
}

fn gates(record: &RunRecord) -> impl Iterator<Item = Attention> {
    record.revisions.iter().enumerate().flat_map(|(at, revision)| {
        revision.gates.iter().filter(|gate| gate.verdict != Verdict::Pass).map(move |gate: &GateRecord| {
            Attention {
                sign: words::verdict(gate.verdict),
                place: Some(Place { revision: at, unit: None }),
                subject: format!("{} gate", gate.gate),
                since: None,
                tried: Vec::new(),
                reason: gate.reason.clone(),
                needs: String::new(),
                example: gate.counterexamples.first().cloned(),
            }
        })
    })
}

/// What to do next, in one sentence.
pub(crate) fn next_step(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Unfinished => "Run `tidelock sync` again: it continues where this run stopped.",
        RunOutcome::Done => "Nothing is left to do.",
        RunOutcome::NothingToDo => "Nothing: there is no newer revision.",
        RunOutcome::Parked => {
            "Port what is parked by hand and commit it, or name a translator that can: the sync of the next revision takes it up again and proves it."
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
    fn what_is_parked_comes_before_gates_and_notices_are_no_work() {
        let list = attention(&sample::parked());
        let words: Vec<_> = list.iter().map(|item| item.sign.word.as_str()).collect();
        assert_eq!(words, ["parked", "inconclusive"]);
        assert!(list[0].place.is_some_and(|place| place.unit.is_some()));
    }

    #[test]
    fn a_parked_unit_says_what_each_translator_came_to() {
        let mut record = sample::parked();
        let unit = &mut record.revisions[3].units[0];
        unit.attempts[0].verdict = None;
        unit.attempts[0].declined = Some("the port does not do as the new upstream does".to_owned());
        unit.attempts[1].findings[0].text = "x".repeat(1_000);
        let list = attention(&record);
        let tried = &list[0].tried;
        assert_eq!(list[0].since.as_deref(), Some("0.5.0"));
        assert_eq!(tried[0].who, "verify first");
        let found = "the port does not do as the new upstream does: wrap('aa bb', 0) gave [] upstream and ";
        assert!(tried[0].what.starts_with(found), "{}", tried[0].what);
        assert!(tried[1].what.starts_with("could not be used: xxx") && tried[1].what.ends_with('…'));
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
