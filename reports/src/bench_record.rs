//! What a benchmark found, in the durable record: enough to draw it and to reckon it again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One benchmark in one mode: the candidate against a reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchRecord {
    /// The benchmark.
    pub name: String,
    /// `parity` or `extended`: whether the port's extensions were off or on.
    pub mode: String,
    /// `endpoint`, `guardrail` or `audit`.
    pub role: String,
    /// What it was compared against, in words: a revision of the upstream, or the port before.
    pub reference: String,
    /// What was found, in one line.
    pub line: String,
    /// From here on the test accepts.
    pub accept_at: f64,
    /// Down to here it rejects.
    pub reject_at: f64,
    /// The test's statistic at each look.
    pub path: Vec<BenchPoint>,
    /// The differences or ratios with their intervals: the whole first, then each bench.
    pub changes: Vec<BenchChange>,
    /// The score of each side by itself, for task suites.
    pub scores: Vec<BenchScore>,
    /// Each task or bench on both sides, on average.
    pub pairs: Vec<BenchPair>,
    /// Earlier comparisons of this benchmark in this mode, oldest first.
    pub history: Vec<BenchPast>,
}

/// The statistic of a sequential test after some pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchPoint {
    /// So many pairs.
    pub pairs: u32,
    /// The log likelihood ratio.
    pub log_likelihood_ratio: f64,
}

/// A change with its 95 % interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchChange {
    /// Of which bench, or of the whole.
    pub name: String,
    /// `points of score`, where 0 is no change, or `ratio`, where 1 is.
    pub measure: String,
    /// The change.
    pub change: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The pairs behind it.
    pub pairs: u32,
}

/// The score of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchScore {
    /// Which side, in words.
    pub side: String,
    /// In percent of the points.
    pub score: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Runs of tasks behind it.
    pub runs: u32,
}

/// A task or a bench on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchPair {
    /// Which.
    pub name: String,
    /// The mean on the reference.
    pub reference: f64,
    /// The mean on the candidate.
    pub candidate: f64,
}

/// An earlier comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchPast {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What was compared with what, and what was decided.
    pub label: String,
    /// `points of score` or `ratio`.
    pub measure: String,
    /// The change.
    pub change: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}
