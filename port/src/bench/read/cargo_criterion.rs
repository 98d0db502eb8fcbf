//! The messages of `cargo criterion --message-format=json`, one a line.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, median};
use super::{Attempts, ReadError, Reading, Row};

const FORMAT: &str = "cargo-criterion";

#[derive(Deserialize)]
struct Complete {
    id: String,
    iteration_count: Vec<f64>,
    measured_values: Vec<f64>,
    unit: String,
    typical: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    estimate: f64,
}

#[derive(Deserialize)]
struct Group {
    benchmarks: Vec<String>,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let mut rows: Vec<Row> = Vec::new();
    let mut grouped: BTreeSet<String> = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let message: Value = json::document(FORMAT, line)?;
        let malformed = |error: serde_json::Error| ReadError::malformed(FORMAT, error);
        match message.get("reason").and_then(Value::as_str) {
            Some("benchmark-complete") => {
                rows.push(row(serde_json::from_value(message).map_err(malformed)?)?);
            }
            Some("group-complete") => {
                let group: Group = serde_json::from_value(message).map_err(malformed)?;
                grouped.extend(group.benchmarks);
            }
            Some(other) => {
                return Err(ReadError::malformed(FORMAT, format!("a message is `{other}`")));
            }
            None => return Err(ReadError::malformed(FORMAT, "a line is no message")),
        }
    }
    // A group ends with a message that names its benchmarks: without it the stream was cut.
    if let Some(row) = rows.iter().find(|row| !grouped.contains(&row.task)) {
        return Err(ReadError::truncated(FORMAT, format!("the group of `{}` did not end", row.task)));
    }
    if let Some(lacking) = grouped.iter().find(|name| !rows.iter().any(|row| row.task == **name)) {
        return Err(ReadError::truncated(FORMAT, format!("`{lacking}` has no result")));
    }
    Reading::of(FORMAT, rows, Attempts::Retries)
}

fn row(complete: Complete) -> Result<Row, ReadError> {
    if complete.iteration_count.len() != complete.measured_values.len() {
        let reason = format!("`{}` has other numbers of times and iterations", complete.id);
        return Err(ReadError::contradiction(FORMAT, reason));
    }
    let pairs = complete.measured_values.iter().zip(&complete.iteration_count);
    let samples: Vec<f64> = pairs.map(|(time, iterations)| time / iterations).collect();
    let value = median(&samples).unwrap_or(complete.typical.estimate);
    Ok(Row { samples, ..Row::measured(complete.id, value, complete.unit) })
}
