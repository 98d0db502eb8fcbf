//! What every format is turned into.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The most rows of one reading.
const ROWS_MAX: usize = 200_000;

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It passed, or was measured.
    Pass,
    /// It failed.
    Fail,
    /// It was not run, by its own decision.
    Skip,
    /// It failed for a cause outside the code.
    Infra {
        /// Which.
        reason: String,
    },
}

/// One run of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The task or bench.
    pub task: String,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What was measured, where something was.
    pub value: Option<f64>,
    /// The unit of the value.
    pub unit: String,
    /// The samples behind the value, where the tool keeps them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<f64>,
}

impl Row {
    /// A task without a measured value.
    pub fn task(task: impl Into<String>, outcome: Outcome) -> Self {
        let (task, unit) = (task.into(), String::new());
        Self { task, attempt: 1, outcome, value: None, unit, samples: Vec::new() }
    }

    /// A measured value.
    pub fn measured(task: impl Into<String>, value: f64, unit: impl Into<String>) -> Self {
        let row = Self::task(task, Outcome::Pass);
        Self { value: Some(value), unit: unit.into(), ..row }
    }
}

/// What several attempts at one task mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempts {
    /// The task was tried again because it had failed. The first attempt is the result: a second chance
    /// for one side moves its score by several points.
    #[default]
    Retries,
    /// The task was run several times anyway. The mean is the result.
    Independent,
}

/// All rows of one run of a benchmark.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The rows, in the tool's order.
    pub rows: Vec<Row>,
    /// What several attempts at one task mean.
    pub attempts: Attempts,
}

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read at all.
    #[error("cannot read `{}`: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is not of the format.
    #[error("not {format}: {reason}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// It stops before its end, or lacks what it promises.
    #[error("the {format} results are incomplete: {reason}")]
    Truncated {
        /// The format.
        format: &'static str,
        /// What is missing.
        reason: String,
    },
    /// A result stands twice.
    #[error("`{task}` has two results")]
    Duplicate {
        /// The task.
        task: String,
    },
    /// It contradicts itself.
    #[error("the {format} results contradict themselves: {reason}")]
    Contradiction {
        /// The format.
        format: &'static str,
        /// How.
        reason: String,
    },
    /// The format is a folder.
    #[error("{format} results are a folder, and a text was given")]
    Folder {
        /// The format.
        format: &'static str,
    },
    /// It holds no result.
    #[error("nothing was measured")]
    Nothing,
}

impl ReadError {
    pub(super) fn malformed(format: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Malformed { format, reason: format!("{reason}") }
    }

    pub(super) fn truncated(format: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Truncated { format, reason: format!("{reason}") }
    }

    pub(super) fn contradiction(format: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Contradiction { format, reason: format!("{reason}") }
    }
}

impl Reading {
    /// Rows of which no two may be of the same attempt at the same task, with finite numbers only.
    pub(super) fn of(format: &'static str, rows: Vec<Row>, attempts: Attempts) -> Result<Self, ReadError> {
        if rows.len() > ROWS_MAX {
            return Err(ReadError::malformed(format, format!("more than {ROWS_MAX} results")));
        }
        let mut seen = BTreeSet::new();
        for row in &rows {
            if row.task.is_empty() {
                return Err(ReadError::malformed(format, "a result has no name"));
            }
            if !seen.insert((row.task.as_str(), row.attempt)) {
                return Err(ReadError::Duplicate { task: row.task.clone() });
            }
            if let Some(wild) = row.value.iter().chain(&row.samples).find(|value| !value.is_finite()) {
                return Err(ReadError::malformed(format, format!("`{}` is {wild}", row.task)));
            }
        }
        Ok(Self { rows, attempts })
    }

    /// The score of each task, from 0 to 1 for tasks that pass or fail; tasks whose result is a fault of
    /// the infrastructure have none, and those that were skipped neither.
    pub fn scores(&self) -> BTreeMap<&str, f64> {
        self.numbers(|row| match row.outcome {
            Outcome::Pass => Some(row.value.unwrap_or(1.0)),
            // What failed may still have earned a part of the reward.
            Outcome::Fail => Some(row.value.unwrap_or(0.0)),
            Outcome::Skip | Outcome::Infra { .. } => None,
        })
    }

    /// The measured value of each bench that was measured.
    pub fn values(&self) -> BTreeMap<&str, f64> {
        self.numbers(|row| match row.outcome {
            Outcome::Pass => row.value,
            Outcome::Fail | Outcome::Skip | Outcome::Infra { .. } => None,
        })
    }

    /// The faults outside the code, by task.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().filter_map(|row| match &row.outcome {
            Outcome::Infra { reason } => Some((row.task.as_str(), reason.as_str())),
            Outcome::Pass | Outcome::Fail | Outcome::Skip => None,
        })
    }

    fn numbers(&self, number: impl Fn(&Row) -> Option<f64>) -> BTreeMap<&str, f64> {
        let mut by_task: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            by_task.entry(&row.task).or_default().push(row);
        }
        let result = |rows: Vec<&Row>| match self.attempts {
            Attempts::Retries => rows.iter().min_by_key(|row| row.attempt).and_then(|row| number(row)),
            Attempts::Independent => {
                let valid: Vec<f64> = rows.iter().filter_map(|row| number(row)).collect();
                let count = crate::bench::decide::rates::count(valid.len());
                (!valid.is_empty()).then(|| valid.iter().sum::<f64>() / count)
            }
        };
        by_task.into_iter().filter_map(|(task, rows)| Some((task, result(rows)?))).collect()
    }
}
