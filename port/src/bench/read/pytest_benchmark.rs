//! The JSON of pytest-benchmark.

use serde::Deserialize;

use super::json::{self, median};
use super::{Attempts, ReadError, Reading, Row};

const FORMAT: &str = "pytest-benchmark";

#[derive(Deserialize)]
struct Report {
    version: String,
    benchmarks: Vec<Bench>,
}

#[derive(Deserialize)]
struct Bench {
    fullname: String,
    stats: Stats,
}

#[derive(Deserialize)]
struct Stats {
    median: f64,
    rounds: usize,
    /// Only with `--benchmark-save-data` or `--benchmark-json`.
    #[serde(default)]
    data: Vec<f64>,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let report: Report = json::document(FORMAT, text)?;
    if report.version.is_empty() {
        return Err(ReadError::malformed(FORMAT, "it names no version"));
    }
    let rows = report.benchmarks.into_iter().map(row).collect::<Result<_, _>>()?;
    Reading::of(FORMAT, rows, Attempts::Retries)
}

fn row(bench: Bench) -> Result<Row, ReadError> {
    let Stats { median: told, rounds, data } = bench.stats;
    if rounds == 0 {
        return Err(ReadError::truncated(FORMAT, format!("`{}` has no rounds", bench.fullname)));
    }
    if !data.is_empty() && data.len() != rounds {
        let reason = format!("`{}` has {} samples of {rounds} rounds", bench.fullname, data.len());
        return Err(ReadError::contradiction(FORMAT, reason));
    }
    let value = median(&data).unwrap_or(told);
    Ok(Row { samples: data, ..Row::measured(bench.fullname, value, "s") })
}
