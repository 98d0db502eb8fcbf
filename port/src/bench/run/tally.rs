//! The pairs so far, as what they come to. The same fold serves a live comparison and one that goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::journal::PairRow;
use super::measure::Arm;
use crate::bench::decide::{ArmFacts, ErrorRates, Evidence, TaskPairs, TaskRule};
use crate::timing::statistics::log_likelihood_ratio;
use crate::timing::{Judgement, Measurement, TimingError, TimingPairs};

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Lower, as of times and sizes.
    Lower,
    /// Higher, as of throughput.
    Higher,
}

/// How measured values are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueRule {
    /// The geometric mean, as an endpoint.
    pub judgement: Judgement,
    /// The loss of a single bench beyond which harm is to be proved.
    pub harm_margin: f64,
    /// Which way is better.
    pub direction: Direction,
}

/// What is measured, and how it is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Tasks that pass or fail, or earn a score from 0 to 1.
    Tasks(TaskRule),
    /// Times, sizes or rates.
    Values(ValueRule),
}

impl Kind {
    /// How often a decision may be wrong.
    pub fn rates(&self) -> ErrorRates {
        match self {
            Self::Tasks(rule) => rule.rates,
            Self::Values(rule) => rule.judgement.rule.rates,
        }
    }

    /// The same with another cap.
    #[must_use]
    pub fn capped(mut self, pairs: usize) -> Self {
        match &mut self {
            Self::Tasks(rule) => rule.pairs_max = pairs,
            Self::Values(rule) => rule.judgement.rule.pairs_max = pairs,
        }
        self
    }

    /// The most pairs: of tasks for task suites, of processes for values.
    pub fn pairs_max(&self) -> usize {
        match self {
            Self::Tasks(rule) => rule.pairs_max,
            Self::Values(rule) => rule.judgement.rule.pairs_max,
        }
    }
}

/// The test's statistic after some pairs, for people who want to see its path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PathPoint {
    /// So many.
    pub pairs: usize,
    /// The log likelihood ratio.
    pub log_likelihood_ratio: f64,
}

/// The sums of the results of one task on both sides, over the pairs in which both have one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskSums {
    /// Of the reference.
    pub reference: f64,
    /// Of the candidate.
    pub candidate: f64,
    /// Pairs.
    pub pairs: usize,
}

/// What the pairs come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// What is measured.
    pub kind: Kind,
    /// The pairs of tasks.
    pub task_pairs: TaskPairs,
    /// The pairs of measurements; those of rates hold their inverses, so that lower is better throughout.
    pub timing_pairs: TimingPairs,
    /// The results of each task.
    pub by_task: BTreeMap<String, TaskSums>,
    /// Fresh runs of the reference, each against the stored mean of its task; none where nothing is stored.
    pub sentinels: TaskPairs,
    /// The same in earlier comparisons, as far as they are told.
    pub earlier_sentinels: TaskPairs,
    /// Pairs whose reference was stored.
    pub stored_pairs: usize,
    /// The age of the oldest stored run when it served, in milliseconds.
    pub stored_age_ms: i64,
    /// The fewest stored runs that stood for a task.
    pub stored_runs_min: usize,
    /// How often each stored task was used.
    stored_uses: BTreeMap<String, usize>,
    /// What the reference ran.
    pub reference: ArmFacts,
    /// What the candidate ran.
    pub candidate: ArmFacts,
    /// What the test said when it was first decided, or that it was not.
    pub evidence: Evidence,
    /// The path of the test.
    pub path: Vec<PathPoint>,
}

impl Tally {
    /// Without pairs.
    pub fn new(kind: Kind, harness: &str) -> Self {
        let arm = || ArmFacts { harness: harness.to_owned(), ..ArmFacts::default() };
        Self {
            kind,
            task_pairs: TaskPairs::default(),
            timing_pairs: TimingPairs::default(),
            by_task: BTreeMap::new(),
            sentinels: TaskPairs::default(),
            earlier_sentinels: TaskPairs::default(),
            stored_pairs: 0,
            stored_age_ms: 0,
            stored_runs_min: usize::MAX,
            stored_uses: BTreeMap::new(),
            reference: arm(),
            candidate: arm(),
            evidence: Evidence::Open,
            path: Vec::new(),
        }
    }

    /// All sentinels: of this comparison, and of earlier ones beside the same stored runs.
    pub fn all_sentinels(&self) -> TaskPairs {
        self.earlier_sentinels.and(&self.sentinels)
    }

    /// The pairs that count: of tasks, or of measurements.
    pub fn pairs(&self) -> usize {
        match self.kind {
            Kind::Tasks(_) => self.task_pairs.pairs,
            Kind::Values(_) => self.timing_pairs.len(),
        }
    }

    /// Adds a pair as it was measured.
    pub fn add(&mut self, row: &PairRow) {
        if let Some((arm, _reason)) = &row.dropped {
            self.arm(*arm).infrastructure += 1;
            return;
        }
        match self.kind.clone() {
            Kind::Tasks(rule) => self.add_tasks(row, &rule),
            Kind::Values(rule) => self.add_values(row, &rule),
        }
    }

    fn arm(&mut self, arm: Arm) -> &mut ArmFacts {
        match arm {
            Arm::Reference => &mut self.reference,
            Arm::Candidate => &mut self.candidate,
        }
    }

    fn add_tasks(&mut self, row: &PairRow, rule: &TaskRule) {
        for (arm, own, other) in [
            (Arm::Reference, &row.reference, &row.candidate),
            (Arm::Candidate, &row.candidate, &row.reference),
        ] {
            // Runs that were stored cannot fail now, and say nothing about how often the reference does.
            let ran = if arm == Arm::Reference && !row.stored.is_empty() { &row.sentinel } else { own };
            let facts = self.arm(arm);
            facts.valid += u64::try_from(ran.len()).unwrap_or(u64::MAX);
            facts.tasks.extend(own.keys().cloned());
            // A task with a result on the other side only was lost on this one: the pair is dropped.
            let lost = other.keys().filter(|task| !own.contains_key(*task)).count();
            facts.infrastructure += u64::try_from(lost).unwrap_or(u64::MAX);
        }
        self.earlier_sentinels = row.earlier_sentinels.unwrap_or(self.earlier_sentinels);
        for (task, &fresh) in &row.sentinel {
            if let Some(stored) = row.stored.get(task) {
                self.sentinels.add(fresh, stored.mean);
            }
        }
        for (task, &reference) in &row.reference {
            let Some(&candidate) = row.candidate.get(task) else { continue };
            if self.task_pairs.pairs >= rule.pairs_max {
                return;
            }
            if let Some(stored) = row.stored.get(task) {
                let uses = self.stored_uses.entry(task.clone()).or_default();
                self.task_pairs.add_stored(candidate, stored, *uses);
                *uses += 1;
                self.stored_pairs += 1;
                self.stored_age_ms = self.stored_age_ms.max(row.at_ms.saturating_sub(stored.oldest_ms));
                self.stored_runs_min = self.stored_runs_min.min(stored.runs);
            } else {
                self.task_pairs.add(candidate, reference);
            }
            self.sum(task, reference, candidate);
            if rule.looks_at(self.task_pairs.pairs) {
                let ratio = self.task_pairs.log_likelihood_ratio(rule);
                self.look(self.task_pairs.evidence(rule), ratio);
            }
        }
    }

    fn add_values(&mut self, row: &PairRow, rule: &ValueRule) {
        let costs = |values: &BTreeMap<String, f64>| -> Measurement {
            let cost = |value: f64| match rule.direction {
                Direction::Lower => value,
                Direction::Higher => 1.0 / value,
            };
            values.iter().map(|(bench, &value)| (bench.clone(), cost(value))).collect()
        };
        for (arm, values) in [(Arm::Reference, &row.reference), (Arm::Candidate, &row.candidate)] {
            let facts = self.arm(arm);
            facts.tasks.extend(values.keys().cloned());
            facts.valid += 1;
        }
        match self.timing_pairs.add(costs(&row.reference), costs(&row.candidate)) {
            Ok(()) => {}
            // The sets of benches say it themselves.
            Err(TimingError::DifferentBenches { .. }) => return,
            Err(TimingError::Measurement { .. } | TimingError::Process(_)) => {
                let worthless = "a value is zero or below, and no ratio can be made of it".to_owned();
                self.candidate.contradictions.push(worthless);
                return;
            }
        }
        for (bench, &reference) in &row.reference {
            if let Some(&candidate) = row.candidate.get(bench) {
                self.sum(bench, reference, candidate);
            }
        }
        let pairs = self.timing_pairs.len();
        if pairs >= rule.judgement.rule.pairs_min && pairs.is_multiple_of(2) {
            let log_ratios = self.timing_pairs.mean_log_ratios();
            let ratio = log_likelihood_ratio(&log_ratios, &rule.judgement.overall_rule());
            self.look(self.timing_pairs.evidence(&rule.judgement), ratio);
        }
    }

    fn sum(&mut self, task: &str, reference: f64, candidate: f64) {
        let sums = self.by_task.entry(task.to_owned()).or_default();
        sums.reference += reference;
        sums.candidate += candidate;
        sums.pairs += 1;
    }

    /// The first decision stays: pairs that came after it, as in a round that was under way, are extra.
    fn look(&mut self, evidence: Evidence, log_likelihood_ratio: f64) {
        self.path.push(PathPoint { pairs: self.pairs(), log_likelihood_ratio });
        if self.evidence == Evidence::Open {
            self.evidence = evidence;
        }
    }
}
