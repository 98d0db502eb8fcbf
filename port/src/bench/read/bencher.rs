//! Bencher Metric Format: benches by name, each with its measures
//! (<https://bencher.dev/docs/reference/bencher-metric-format/>).

use serde::Deserialize;

use super::json::{self, Unique};
use super::{Attempts, ReadError, Reading, Row};

#[derive(Deserialize)]
struct Metric {
    value: f64,
}

/// `{"bench": {"latency": {"value": 1}}}`. A bench with several measures gives a row for each; how long it takes
/// has the name of the bench alone, whatever else was measured.
pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    const FORMAT: &str = "bencher";
    let benches: Unique<Unique<Metric>> = json::document(FORMAT, text)?;
    let mut rows = Vec::new();
    for (bench, measures) in benches.0 {
        for (measure, metric) in measures.0 {
            let is_time = measure == "latency";
            let unit = if is_time { "ns" } else { measure.as_str() };
            let task = if is_time { bench.clone() } else { format!("{bench} {measure}") };
            rows.push(Row::measured(task, metric.value, unit));
        }
    }
    Reading::of(FORMAT, rows, Attempts::Retries)
}
