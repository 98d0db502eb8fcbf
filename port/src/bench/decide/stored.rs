//! What stored runs of a reference say about each of its tasks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rates::count;
use super::tasks::TaskPairs;

/// A task with fewer stored runs is run on the reference again: the mean of one or two runs repeats its
/// luck in every round.
pub const STORED_RUNS_MIN: usize = 4;

/// The score of one task over stored runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StoredScore {
    /// Their mean.
    pub mean: f64,
    /// The variance of that mean, which no later pair makes smaller.
    pub variance: f64,
    /// How many runs.
    pub runs: usize,
    /// When the oldest of them ended, in milliseconds since the Unix epoch.
    pub oldest_ms: i64,
}

impl StoredScore {
    /// Of these runs; `None` where they are too few to stand for the task.
    pub fn of(scores: &[f64], oldest_ms: i64) -> Option<Self> {
        let runs = scores.len();
        if runs < STORED_RUNS_MIN {
            return None;
        }
        let mean = scores.iter().sum::<f64>() / count(runs);
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        Some(Self { mean, variance: squares / count(runs - 1) / count(runs), runs, oldest_ms })
    }
}

/// The reference as it was measured before, by task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoredReference {
    /// The tasks with enough runs.
    pub scores: BTreeMap<String, StoredScore>,
    /// Fresh runs of the reference in earlier comparisons, each against the stored mean of its task.
    pub sentinels: TaskPairs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_carries_its_variance_and_too_few_runs_stand_for_nothing() {
        let score = StoredScore::of(&[1.0, 0.0, 1.0, 1.0], 5).unwrap();
        assert_eq!((score.mean, score.runs), (0.75, 4));
        assert!((score.variance - 0.25 / 4.0).abs() < 1e-12);
        assert_eq!(StoredScore::of(&[1.0, 1.0, 1.0], 5), None);
    }
}
