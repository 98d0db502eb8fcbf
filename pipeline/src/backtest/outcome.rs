//! How one case went with one chain.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use reports::record::{RunRecord, UnitOutcome, UnitRecord};
use reports::summary::{is_refused, is_unusable};
use reports::{RunOutcome, Summary, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a case, by the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaseOutcome {
    /// Nothing had to be edited, and that passed: it says nothing about who translates.
    NoEdit,
    /// Everything landed, and no candidate was refused on the way.
    LandedFirst,
    /// Everything landed, behind at least one candidate that was refused.
    LandedRepaired,
    /// Something new waits for a person, and nobody offered anything for it.
    Parked,
    /// What was offered was refused, and nothing better came.
    Refused,
    /// The gate could not tell.
    Inconclusive,
}

impl CaseOutcome {
    /// Whether everything is in the port.
    pub(crate) fn landed(self) -> bool {
        matches!(self, Self::NoEdit | Self::LandedFirst | Self::LandedRepaired)
    }

    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NoEdit => "no edit needed",
            Self::LandedFirst => "landed at first attempt",
            Self::LandedRepaired => "landed after repair",
            Self::Parked => "parked",
            Self::Refused => "refused",
            Self::Inconclusive => "could not be told",
        }
    }
}

/// What the tests of the real answer say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub(crate) enum AnswerVerdict {
    /// All pass, and on the port as it was some failed.
    Right,
    /// Some that pass with the real answer do not.
    Wrong {
        /// Which, the first few.
        tests: Vec<String>,
    },
    /// It could not be told.
    Untold {
        /// Why.
        reason: String,
    },
}

/// One case with one chain, done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct CaseResult {
    /// A hash of the case, the chain and the program: what the journal knows it by.
    pub key: String,
    /// The case.
    pub case: String,
    /// The chain.
    pub chain: String,
    /// What became of it.
    pub outcome: CaseOutcome,
    /// Why, where it did not land; empty otherwise.
    pub reason: String,
    /// Work units that were translated or needed no edit.
    pub units_done: u64,
    /// Work units that wait for a person since this case.
    pub units_parked: u64,
    /// Work units that waited before the case and wait still: whoever could not do them then, it says nothing of this
    /// case.
    pub units_waiting: u64,
    /// Answers that models gave, those in which they declined among them.
    pub attempts: u64,
    /// Candidates and answers that were refused.
    pub refused: u64,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// United States dollars; `None` where no answer has a price.
    pub cost_usd: Option<f64>,
    /// Answers that took tokens and have no price.
    pub unpriced: u64,
    /// What the attempts took together, in milliseconds. Building the upstream is no part of it: the first to need a
    /// build pays for all.
    pub attempts_ms: u64,
    /// From begin to end, in milliseconds; a pause between two invocations counts.
    pub total_ms: u64,
    /// What the tests of the real answer say.
    pub answer: AnswerVerdict,
    /// The tree that the port had at the end.
    pub tree: String,
}

impl CaseResult {
    /// Whether everything is in the port and no test of the repository speaks against it.
    pub(crate) fn is_good(&self) -> bool {
        self.outcome.landed() && !self.is_wrong()
    }

    /// Whether the repository's own tests fail.
    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self.answer, AnswerVerdict::Wrong { .. })
    }

    /// Whether gate and repository tests say the opposite.
    pub(crate) fn is_disputed(&self) -> bool {
        match self.answer {
            AnswerVerdict::Right => !self.outcome.landed(),
            AnswerVerdict::Wrong { .. } => self.outcome.landed(),
            AnswerVerdict::Untold { .. } => false,
        }
    }

    /// In a line, for people.
    pub(crate) fn told(&self) -> String {
        let tests = match &self.answer {
            AnswerVerdict::Right => "; the repository's tests say right".to_owned(),
            AnswerVerdict::Wrong { tests } => {
                format!("; the repository's tests say wrong: {}", tests.join(", "))
            }
            AnswerVerdict::Untold { .. } => String::new(),
        };
        let why = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        format!("{}{why}{tests}", self.outcome.words())
    }

    /// Tokens, both ways.
    pub(crate) fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// What a run's record says of its case, and why; `waited` are the items that were parked before it.
pub(crate) fn outcome(record: &RunRecord, waited: &BTreeSet<String>) -> Result<(CaseOutcome, String)> {
    Ok(match record.outcome {
        RunOutcome::Done | RunOutcome::NothingToDo => (landed(record, waited), String::new()),
        RunOutcome::Parked => {
            parked(record, waited).unwrap_or_else(|| (landed(record, waited), String::new()))
        }
        RunOutcome::GateFailed => (CaseOutcome::Refused, gate_reason(record, Verdict::Fail)),
        RunOutcome::Inconclusive => (CaseOutcome::Inconclusive, gate_reason(record, Verdict::Inconclusive)),
        RunOutcome::DryRun | RunOutcome::Unfinished => bail!("the run has not ended"),
    })
}

/// How everything landed that did not wait before.
fn landed(record: &RunRecord, waited: &BTreeSet<String>) -> CaseOutcome {
    let summary = Summary::of(record);
    let units = &summary.units;
    let all = record.revisions.iter().flat_map(|revision| &revision.units);
    let own = all.filter(|unit| !(is_parked(unit) && is_old(unit, waited)));
    let refused = own.flat_map(|unit| &unit.attempts).any(|made| is_refused(made) || is_unusable(made));
    if units.rule + units.memory + units.model + units.other == 0 {
        CaseOutcome::NoEdit
    } else if refused || summary.gates.fail > 0 {
        CaseOutcome::LandedRepaired
    } else {
        CaseOutcome::LandedFirst
    }
}

fn is_parked(unit: &UnitRecord) -> bool {
    matches!(unit.outcome, UnitOutcome::Parked { .. })
}

/// Whether all of a unit waited before the case.
fn is_old(unit: &UnitRecord, waited: &BTreeSet<String>) -> bool {
    !unit.members.is_empty() && unit.members.iter().all(|member| waited.contains(&member.item))
}

/// What waits since this case; `None` where nothing does.
fn parked(record: &RunRecord, waited: &BTreeSet<String>) -> Option<(CaseOutcome, String)> {
    let last = record.revisions.last()?;
    let waiting: Vec<(&UnitRecord, &str)> = last
        .units
        .iter()
        .filter(|unit| !is_old(unit, waited))
        .filter_map(|unit| match &unit.outcome {
            UnitOutcome::Parked { reason, .. } => Some((unit, reason.as_str())),
            UnitOutcome::Open | UnitOutcome::Absorbed | UnitOutcome::Translated { .. } => None,
        })
        .collect();
    let ids: Vec<&str> = waiting.iter().map(|(unit, _)| unit.id.as_str()).collect();
    // What was refused in an earlier revision of the same case counts as well: it still waits.
    let attempts = record
        .revisions
        .iter()
        .flat_map(|revision| &revision.units)
        .filter(|unit| ids.contains(&unit.id.as_str()))
        .flat_map(|unit| &unit.attempts);
    let refused = attempts.filter(|attempt| is_refused(attempt) || is_unusable(attempt)).count();
    let (unit, reason) = waiting.first()?;
    let outcome = if refused > 0 { CaseOutcome::Refused } else { CaseOutcome::Parked };
    Some((outcome, format!("{}: {reason}", unit.id)))
}

fn gate_reason(record: &RunRecord, verdict: Verdict) -> String {
    let mut gates = record.revisions.iter().flat_map(|revision| &revision.gates);
    let last = gates.rfind(|gate| gate.verdict == verdict);
    last.map(|gate| format!("gate {}: {}", gate.gate, gate.reason)).unwrap_or_default()
}

/// Puts together what a run's record and the answer's tests say; `waited` are the items that were parked before.
pub(crate) fn result(
    (key, case, chain): (&str, &str, &str),
    record: &RunRecord,
    waited: &BTreeSet<String>,
    answer: AnswerVerdict,
) -> Result<CaseResult> {
    let (outcome, reason) = outcome(record, waited)?;
    let summary = Summary::of(record);
    let attempts =
        || record.revisions.iter().flat_map(|revision| &revision.units).flat_map(|unit| &unit.attempts);
    let units = &summary.units;
    let all = record.revisions.iter().flat_map(|revision| &revision.units);
    let units_waiting = all.filter(|unit| is_parked(unit) && is_old(unit, waited)).count() as u64;
    Ok(CaseResult {
        key: key.to_owned(),
        case: case.to_owned(),
        chain: chain.to_owned(),
        outcome,
        reason,
        units_done: units.total.saturating_sub(units.parked + units.open),
        units_parked: units.parked.saturating_sub(units_waiting),
        units_waiting,
        attempts: attempts().filter(|attempt| attempt.route == "model").count() as u64,
        refused: summary.answers_unusable + summary.candidates_refused,
        input_tokens: summary.input_tokens,
        output_tokens: summary.output_tokens,
        cost_usd: summary.cost_usd,
        unpriced: summary.attempts_unpriced,
        attempts_ms: attempts().map(|attempt| attempt.duration_ms).fold(0, u64::saturating_add),
        total_ms: summary.duration_ms.unwrap_or_default(),
        answer,
        tree: record.port.tree_after.clone(),
    })
}

#[cfg(test)]
mod tests {
    use reports::sample;

    use super::*;

    #[test]
    fn every_end_of_a_run_is_one_outcome() {
        let mut record = sample::done();
        let outcome = |record: &RunRecord| outcome(record, &BTreeSet::new());
        assert!(outcome(&record).unwrap().0.landed());
        record.outcome = RunOutcome::GateFailed;
        assert_eq!(outcome(&record).unwrap().0, CaseOutcome::Refused);
        record.outcome = RunOutcome::Inconclusive;
        assert_eq!(outcome(&record).unwrap().0, CaseOutcome::Inconclusive);
        record.outcome = RunOutcome::Unfinished;
        assert!(outcome(&record).is_err(), "what has not ended has no outcome");
    }

    #[test]
    fn a_refused_candidate_makes_a_landing_a_repair_and_no_edit_is_neither() {
        let mut record = sample::done();
        for revision in &mut record.revisions {
            for attempt in revision.units.iter_mut().flat_map(|unit| &mut unit.attempts) {
                if attempt.route != "verify_first" && attempt.verdict.is_some() {
                    attempt.verdict = Some(Verdict::Pass);
                }
            }
            for gate in &mut revision.gates {
                gate.verdict = Verdict::Pass;
            }
        }
        let outcome = |record: &RunRecord| outcome(record, &BTreeSet::new());
        assert_eq!(outcome(&record).unwrap().0, CaseOutcome::LandedFirst);
        let units = record.revisions.iter_mut().flat_map(|revision| &mut revision.units);
        let mut attempts = units.flat_map(|unit| &mut unit.attempts);
        let offered = attempts.find(|attempt| attempt.route != "verify_first" && attempt.verdict.is_some());
        offered.unwrap().verdict = Some(Verdict::Fail);
        assert_eq!(outcome(&record).unwrap().0, CaseOutcome::LandedRepaired);
        for revision in &mut record.revisions {
            for unit in &mut revision.units {
                unit.outcome = UnitOutcome::Absorbed;
            }
        }
        assert_eq!(outcome(&record).unwrap().0, CaseOutcome::NoEdit);
    }

    #[test]
    fn what_waited_before_the_case_says_nothing_of_it() {
        let mut record = sample::done();
        record.outcome = RunOutcome::Parked;
        let unit = record.revisions.last_mut().unwrap().units.last_mut().unwrap();
        unit.outcome = UnitOutcome::Parked { reason: "nobody knew".to_owned(), needs: String::new() };
        let waited: BTreeSet<String> = unit.members.iter().map(|member| member.item.clone()).collect();
        assert!(!waited.is_empty());
        assert!(!outcome(&record, &BTreeSet::new()).unwrap().0.landed());
        assert!(outcome(&record, &waited).unwrap().0.landed());
        let told = |waited: &BTreeSet<String>| {
            let reason = "no tests".to_owned();
            let all = result(("k", "c", "a"), &record, waited, AnswerVerdict::Untold { reason }).unwrap();
            (all.units_parked, all.units_waiting)
        };
        let new = told(&BTreeSet::new());
        assert_eq!((new.1, told(&waited)), (0, (new.0 - 1, 1)));
    }

    #[test]
    fn what_gate_and_tests_say_is_disputed_only_where_both_said_something() {
        let of = |outcome, answer| CaseResult {
            outcome,
            ..result(("k", "c", "a"), &sample::done(), &BTreeSet::new(), answer).unwrap()
        };
        let wrong = || AnswerVerdict::Wrong { tests: vec!["t".to_owned()] };
        let untold = || AnswerVerdict::Untold { reason: "no tests".to_owned() };
        assert!(of(CaseOutcome::LandedFirst, wrong()).is_disputed());
        assert!(of(CaseOutcome::Refused, AnswerVerdict::Right).is_disputed());
        assert!(!of(CaseOutcome::Refused, wrong()).is_disputed());
        assert!(!of(CaseOutcome::LandedFirst, untold()).is_disputed());
        assert!(of(CaseOutcome::LandedFirst, untold()).is_good());
        assert!(!of(CaseOutcome::LandedFirst, wrong()).is_good());
    }
}
