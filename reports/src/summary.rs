//! The numbers of a run, counted once, so that text, Markdown and HTML say the same.
//!
//! It counts what the record says and decides nothing. What was proved, tested, only mapped or is unknown
//! is counted apart, and so are probes that agreed, differed or could not be answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::record::{
    AttemptRecord, EvidenceRow, ProofLevel, RevisionRecord, RunRecord, UnitOutcome, UnitRecord, Verdict,
};

/// The route on which the port is compared as it stands, before anything is edited.
pub(crate) const VERIFY_FIRST: &str = "verify_first";

/// The kind of a unit that is an upstream test.
const TEST: &str = "test";

/// The numbers of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Revisions by what became of them.
    pub revisions: RevisionCounts,
    /// Work units by how they ended. One that is parked and planned again for later revisions counts once,
    /// as it stands in the last of them.
    pub units: UnitCounts,
    /// Answers from which no candidate could be made: not in the grammar, cut off, outside the plan.
    pub answers_unusable: u64,
    /// Candidates of rules, memory and models that a gate refused. A failed `verify_first` is none: there
    /// was no candidate.
    pub candidates_refused: u64,
    /// Gates over whole candidates, by verdict.
    pub gates: VerdictCounts,
    /// Probes of the standing evidence, added up over revisions.
    pub probes: ProbeCounts,
    /// The same item by item, sorted by item, then symbol.
    pub probes_by_item: Vec<ItemProbes>,
    /// Items by how far they are known to behave alike, by the newest standing evidence of each.
    pub proof: ProofCounts,
    /// Tokens sent to models.
    pub input_tokens: u64,
    /// Tokens received from models.
    pub output_tokens: u64,
    /// What models cost, of the attempts that have a price; `None` where none has.
    pub cost_usd: Option<f64>,
    /// Attempts that used tokens and have no price.
    pub attempts_unpriced: u64,
    /// From begin to end; `None` while it has not ended.
    pub duration_ms: Option<u64>,
}

/// Revisions by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RevisionCounts {
    /// All.
    pub total: u64,
    /// Their changes are in the port.
    pub landed: u64,
    /// Their changes are in the port but for units that wait for a person.
    pub landed_in_part: u64,
    /// No edit was needed.
    pub absorbed: u64,
    /// They wait for a person, and nothing of them landed.
    pub parked: u64,
    /// Another disposition, such as declined or withdrawn.
    pub other: u64,
    /// Nothing became of them yet.
    pub open: u64,
}

/// Work units by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UnitCounts {
    /// All.
    pub total: u64,
    /// No edit was needed, and that was proved: both sides were asked the same and agreed.
    pub absorbed_proved: u64,
    /// No edit was needed: tests, or probes of callers, ran through it and passed.
    pub absorbed_tested: u64,
    /// No edit was needed, as a translator says; nothing could be compared.
    pub absorbed_unchecked: u64,
    /// Translated by a rule.
    pub rule: u64,
    /// Translated from the memory.
    pub memory: u64,
    /// Translated by a model.
    pub model: u64,
    /// Translated on a route that this version does not know.
    pub other: u64,
    /// Waiting for a person.
    pub parked: u64,
    /// Not ended.
    pub open: u64,
    /// Of those translated, the units for which nothing could be compared and no test ran.
    pub translated_unchecked: u64,
}

/// Verdicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct VerdictCounts {
    /// Passed.
    pub pass: u64,
    /// Failed.
    pub fail: u64,
    /// Could not be told.
    pub inconclusive: u64,
}

/// Probes, by where they came from and by what they showed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ProbeCounts {
    /// Taken from the upstream's tests, documentation and examples.
    pub harvested: u64,
    /// Generated from the types.
    pub generated: u64,
    /// Both sides gave the same.
    pub agreed: u64,
    /// They differed.
    pub disagreed: u64,
    /// They could not be answered.
    pub blocked: u64,
}

/// Probes of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemProbes {
    /// The item.
    pub item: String,
    /// Its symbol.
    pub symbol: String,
    /// Its probes, added up over revisions.
    pub probes: ProbeCounts,
    /// How far it is known to behave alike, by the newest evidence.
    pub proof: ProofLevel,
}

/// Items by how far they are known to behave alike. These are four different things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ProofCounts {
    /// Compared on probes, and they agreed.
    pub proved: u64,
    /// Reached by tests or by probes of callers only.
    pub tested: u64,
    /// Mapped, and not checked.
    pub mapped_only: u64,
    /// Nothing is known.
    pub unknown: u64,
}

impl Summary {
    /// Counts the record.
    pub fn of(record: &RunRecord) -> Self {
        let attempts = || units(record).flat_map(|unit| &unit.attempts);
        let probes_by_item = probes_by_item(record);
        Self {
            revisions: revisions(record),
            units: UnitCounts::of(last_units(record)),
            answers_unusable: total(attempts().map(|attempt| u64::from(is_unusable(attempt)))),
            candidates_refused: total(attempts().map(|attempt| u64::from(is_refused(attempt)))),
            gates: gates(record),
            probes: probes_by_item.iter().fold(ProbeCounts::default(), |sum, item| sum.plus(item.probes)),
            proof: proof(&probes_by_item),
            probes_by_item,
            input_tokens: total(attempts().map(|attempt| attempt.input_tokens)),
            output_tokens: total(attempts().map(|attempt| attempt.output_tokens)),
            cost_usd: attempts().filter_map(|attempt| attempt.cost_usd).reduce(|sum, cost| sum + cost),
            attempts_unpriced: total(attempts().map(|attempt| {
                let used = attempt.input_tokens > 0 || attempt.output_tokens > 0;
                u64::from(used && attempt.cost_usd.is_none())
            })),
            duration_ms: record
                .finished_ms
                .map(|end| u64::try_from(end.saturating_sub(record.started_ms)).unwrap_or(0)),
        }
    }
}

impl UnitCounts {
    /// Counts units.
    pub fn of<'a>(units: impl IntoIterator<Item = &'a UnitRecord>) -> Self {
        let mut counts = Self::default();
        for unit in units {
            counts.total += 1;
            let slot = match &unit.outcome {
                UnitOutcome::Open => &mut counts.open,
                UnitOutcome::Absorbed => match checked(unit) {
                    ProofLevel::Proved => &mut counts.absorbed_proved,
                    ProofLevel::Tested => &mut counts.absorbed_tested,
                    ProofLevel::MappedOnly | ProofLevel::Unknown => &mut counts.absorbed_unchecked,
                },
                UnitOutcome::Parked { .. } => &mut counts.parked,
                UnitOutcome::Translated { route, .. } => match route.as_str() {
                    "rule" => &mut counts.rule,
                    "memory" => &mut counts.memory,
                    "model" => &mut counts.model,
                    _ => &mut counts.other,
                },
            };
            *slot += 1;
            let translated = matches!(unit.outcome, UnitOutcome::Translated { .. });
            counts.translated_unchecked += u64::from(translated && !was_checked(unit));
        }
        counts
    }

    /// Units that needed no edit, however that is known.
    pub fn absorbed(&self) -> u64 {
        self.absorbed_proved + self.absorbed_tested + self.absorbed_unchecked
    }
}

impl ProbeCounts {
    /// Counts rows of evidence.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a EvidenceRow>) -> Self {
        rows.into_iter().fold(Self::default(), |sum, row| {
            sum.plus(Self {
                harvested: u64::from(row.harvested),
                generated: u64::from(row.generated),
                agreed: u64::from(row.agreed),
                disagreed: u64::from(row.disagreed),
                blocked: u64::from(row.blocked),
            })
        })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            harvested: self.harvested.saturating_add(other.harvested),
            generated: self.generated.saturating_add(other.generated),
            agreed: self.agreed.saturating_add(other.agreed),
            disagreed: self.disagreed.saturating_add(other.disagreed),
            blocked: self.blocked.saturating_add(other.blocked),
        }
    }
}

/// The evidence that stands for a revision: one row for each item and symbol. The gates over the whole
/// candidate speak last; before them the last attempt of each unit that was not refused, which for a parked
/// unit is the look at the port as it stands. Probes of refused candidates are shown with their attempt and
/// are not counted, and nothing is counted twice.
pub fn standing_evidence(revision: &RevisionRecord) -> Vec<&EvidenceRow> {
    let attempts = revision.units.iter().filter_map(|unit| {
        let stands = |attempt: &&AttemptRecord| {
            attempt.verdict.is_some() && !is_refused(attempt) && !is_unusable(attempt)
        };
        unit.attempts.iter().rev().find(stands).map(|attempt| &attempt.evidence)
    });
    let gates = revision.gates.iter().map(|gate| &gate.evidence);
    let mut rows = BTreeMap::new();
    for row in attempts.chain(gates).flatten() {
        rows.insert((&row.item, &row.symbol), row);
    }
    rows.into_values().collect()
}

/// Whether a gate refused a candidate here. A failed `verify_first` had none: it says that an edit is needed.
pub fn is_refused(attempt: &AttemptRecord) -> bool {
    failed(attempt) && !is_unusable(attempt)
}

/// Whether there was an answer and no candidate could be made of it.
pub fn is_unusable(attempt: &AttemptRecord) -> bool {
    failed(attempt) && matches!(attempt.refused_at.as_str(), "answer" | "edit" | "syntax")
}

fn failed(attempt: &AttemptRecord) -> bool {
    attempt.verdict == Some(Verdict::Fail) && attempt.route != VERIFY_FIRST
}

/// How far the attempt that passed a unit checked its items: as far as the least known of them. A test is
/// tested, for it ran and passed.
pub fn checked(unit: &UnitRecord) -> ProofLevel {
    if unit.kind == TEST {
        return ProofLevel::Tested;
    }
    let passed = unit.attempts.iter().rev().find(|attempt| attempt.verdict == Some(Verdict::Pass));
    let rows = || passed.into_iter().flat_map(|attempt| &attempt.evidence);
    let own = rows().filter(|row| unit.members.iter().any(|member| member.item == row.item));
    let own = own.map(|row| row.proof).max();
    // Of what is gone nothing can be asked; its callers can.
    let by_callers = || rows().any(|row| row.agreed > 0).then_some(ProofLevel::Tested);
    own.or_else(by_callers).unwrap_or(ProofLevel::MappedOnly)
}

/// Whether anything was compared or tested for the edit that passed.
pub fn was_checked(unit: &UnitRecord) -> bool {
    matches!(checked(unit), ProofLevel::Proved | ProofLevel::Tested)
}

/// The revision since which a unit is parked, where this record knows it: a parked unit is planned again for
/// every later revision, so one that the first revision has may have been parked before the run.
pub fn parked_since<'a>(record: &'a RunRecord, unit: &str) -> Option<&'a str> {
    let has = |revision: &&RevisionRecord| revision.units.iter().any(|planned| planned.id == unit);
    let first = record.revisions.iter().position(|revision| has(&revision))?;
    (first > 0).then(|| record.revisions.get(first).map(|revision| revision.label.as_str())).flatten()
}

/// The units but for those that were parked and planned again for a later revision: these count there.
fn last_units(record: &RunRecord) -> Vec<&UnitRecord> {
    let mut later = BTreeSet::new();
    let mut last = Vec::new();
    for revision in record.revisions.iter().rev() {
        let waits = |unit: &UnitRecord| matches!(unit.outcome, UnitOutcome::Parked { .. });
        last.extend(revision.units.iter().filter(|unit| !(waits(unit) && later.contains(unit.id.as_str()))));
        later.extend(revision.units.iter().map(|unit| unit.id.as_str()));
    }
    last
}

fn units(record: &RunRecord) -> impl Iterator<Item = &UnitRecord> {
    record.revisions.iter().flat_map(|revision| &revision.units)
}

fn total(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

fn revisions(record: &RunRecord) -> RevisionCounts {
    let mut counts = RevisionCounts::default();
    for revision in &record.revisions {
        counts.total += 1;
        let slot = match revision.disposition.as_deref() {
            None => &mut counts.open,
            Some("landed") => &mut counts.landed,
            Some("absorbed") => &mut counts.absorbed,
            Some("parked") if revision.landed.is_some() => &mut counts.landed_in_part,
            Some("parked") => &mut counts.parked,
            Some(_) => &mut counts.other,
        };
        *slot += 1;
    }
    counts
}

fn gates(record: &RunRecord) -> VerdictCounts {
    let mut counts = VerdictCounts::default();
    for gate in record.revisions.iter().flat_map(|revision| &revision.gates) {
        let slot = match gate.verdict {
            Verdict::Pass => &mut counts.pass,
            Verdict::Fail => &mut counts.fail,
            Verdict::Inconclusive => &mut counts.inconclusive,
        };
        *slot += 1;
    }
    counts
}

fn probes_by_item(record: &RunRecord) -> Vec<ItemProbes> {
    let mut items: BTreeMap<(&str, &str), (ProbeCounts, ProofLevel)> = BTreeMap::new();
    for row in record.revisions.iter().flat_map(standing_evidence) {
        let entry = items
            .entry((row.item.as_str(), row.symbol.as_str()))
            .or_insert((ProbeCounts::default(), row.proof));
        *entry = (entry.0.plus(ProbeCounts::of([row])), row.proof);
    }
    items
        .into_iter()
        .map(|((item, symbol), (probes, proof))| ItemProbes {
            item: item.to_owned(),
            symbol: symbol.to_owned(),
            probes,
            proof,
        })
        .collect()
}

fn proof(items: &[ItemProbes]) -> ProofCounts {
    let mut counts = ProofCounts::default();
    for item in items {
        let slot = match item.proof {
            ProofLevel::Proved => &mut counts.proved,
            ProofLevel::Tested => &mut counts.tested,
            ProofLevel::MappedOnly => &mut counts.mapped_only,
            ProofLevel::Unknown => &mut counts.unknown,
        };
        *slot += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_unit_and_revision_is_counted_once() {
        for record in sample::all() {
            let summary = Summary::of(&record);
            let units = summary.units;
            let parts = [units.absorbed(), units.rule, units.memory, units.model, units.other];
            assert_eq!(units.total, parts.iter().sum::<u64>() + units.parked + units.open);
            let revisions = summary.revisions;
            let parts = [revisions.landed, revisions.absorbed, revisions.parked, revisions.other];
            let rest = revisions.landed_in_part + revisions.open;
            assert_eq!(revisions.total, parts.iter().sum::<u64>() + rest);
        }
    }

    #[test]
    fn an_answer_that_could_not_be_used_is_no_refused_candidate() {
        let mut record = sample::parked();
        let before = Summary::of(&record);
        let attempts = record.revisions.iter_mut().flat_map(|r| &mut r.units).flat_map(|u| &mut u.attempts);
        for attempt in attempts.filter(|attempt| is_refused(attempt)) {
            attempt.refused_at = "answer".to_owned();
        }
        let after = Summary::of(&record);
        assert_eq!((before.answers_unusable, before.candidates_refused), (1, 2));
        assert_eq!((after.answers_unusable, after.candidates_refused), (3, 0));
    }

    #[test]
    fn a_unit_parked_over_revisions_counts_once_and_says_since_when() {
        let mut record = sample::parked();
        let again = record.revisions[3].clone();
        let once = Summary::of(&record).units;
        record.revisions.push(again);
        assert_eq!(Summary::of(&record).units, once);
        let parked = record.revisions[3].units[0].id.clone();
        assert_eq!(parked_since(&record, &parked), Some("0.5.0"));
        let first = record.revisions[0].units[0].id.clone();
        assert_eq!(parked_since(&record, &first), None);
    }

    #[test]
    fn no_edit_is_proved_only_by_probes() {
        let mut record = sample::done();
        let unit = &mut record.revisions[0].units[0];
        assert_eq!(checked(unit), ProofLevel::Proved);
        unit.attempts[0].evidence.clear();
        assert_eq!(checked(unit), ProofLevel::MappedOnly);
        unit.kind = "test".to_owned();
        assert_eq!(checked(unit), ProofLevel::Tested);
        let counts = Summary::of(&record).units;
        assert_eq!((counts.absorbed_proved, counts.absorbed_tested, counts.absorbed()), (0, 1, 1));
    }

    #[test]
    fn a_revision_of_which_a_part_waits_landed_in_part() {
        let mut record = sample::parked();
        let before = Summary::of(&record).revisions;
        record.revisions[3].landed = record.revisions[1].landed.clone();
        let after = Summary::of(&record).revisions;
        assert_eq!((before.parked, before.landed_in_part), (1, 0));
        assert_eq!((after.parked, after.landed_in_part), (0, 1));
    }

    #[test]
    fn a_failed_verify_first_is_no_refused_candidate() {
        let mut record = sample::done();
        let before = Summary::of(&record).candidates_refused;
        for attempt in record.revisions.iter_mut().flat_map(|r| &mut r.units).flat_map(|u| &mut u.attempts) {
            attempt.route = VERIFY_FIRST.to_owned();
        }
        assert_eq!((before, Summary::of(&record).candidates_refused), (1, 0));
    }

    #[test]
    fn probes_of_a_refused_candidate_do_not_stand() {
        let record = sample::parked();
        let refused = record.revisions.iter().flat_map(|r| &r.units).flat_map(|u| &u.attempts);
        assert!(refused.filter(|a| is_refused(a)).flat_map(|a| &a.evidence).any(|row| row.disagreed == 48));
        let disagreed = record.revisions.iter().flat_map(standing_evidence).map(|row| row.disagreed);
        assert_eq!(disagreed.collect::<Vec<_>>().iter().filter(|number| **number == 48).count(), 0);
    }

    #[test]
    fn a_gate_over_the_same_item_replaces_the_units_evidence() {
        let mut record = sample::done();
        let revision = &mut record.revisions[0];
        let mut row = revision.units[0].attempts[0].evidence[0].clone();
        let before = standing_evidence(revision).len();
        row.agreed = 77;
        revision.gates[0].evidence = vec![row.clone()];
        let standing = standing_evidence(revision);
        assert_eq!(standing.len(), before);
        assert!(standing.iter().any(|standing| **standing == row));
    }

    #[test]
    fn an_item_counts_for_proof_once_and_by_its_newest_evidence() {
        let mut record = sample::done();
        let mut later = record.revisions[0].clone();
        let row = &mut later.units[0].attempts[0].evidence[0];
        row.proof = ProofLevel::MappedOnly;
        let item = row.item.clone();
        later.gates.iter_mut().for_each(|gate| gate.evidence.clear());
        let before = Summary::of(&record);
        record.revisions.push(later);
        let after = Summary::of(&record);
        assert_eq!(after.probes_by_item.len(), before.probes_by_item.len());
        let of_item = after.probes_by_item.iter().find(|probes| probes.item == item).unwrap();
        assert_eq!(of_item.proof, ProofLevel::MappedOnly);
        assert_eq!(after.proof.mapped_only, before.proof.mapped_only + 1);
    }

    #[test]
    fn costs_without_a_price_stay_unknown() {
        let mut record = sample::done();
        for attempt in record.revisions.iter_mut().flat_map(|r| &mut r.units).flat_map(|u| &mut u.attempts) {
            attempt.cost_usd = None;
        }
        let summary = Summary::of(&record);
        assert_eq!(summary.cost_usd, None);
        assert!(summary.attempts_unpriced > 0);
    }

    #[test]
    fn a_clock_that_went_back_gives_no_negative_duration() {
        let mut record = sample::done();
        record.finished_ms = Some(record.started_ms - 5);
        assert_eq!(Summary::of(&record).duration_ms, Some(0));
    }
}
