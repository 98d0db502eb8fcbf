//! github-action-benchmark: the entries that a benchmark hands to it, and the history that it keeps
//! (`src/extract.ts` and `src/write.ts` of <https://github.com/benchmark-action/github-action-benchmark>).

use serde::Deserialize;

use super::json::{self, Unique};
use super::{Attempts, ReadError, Reading, Row};

const FORMAT: &str = "github-action-benchmark";

/// What stands before the JSON in the script that its charts load.
const SCRIPT: &str = "window.BENCHMARK_DATA = ";

#[derive(Deserialize)]
struct Entry {
    name: String,
    unit: String,
    value: f64,
}

#[derive(Deserialize)]
struct History {
    entries: Unique<Vec<Run>>,
}

#[derive(Deserialize)]
struct Run {
    benches: Vec<Entry>,
}

/// `[{"name": "b", "unit": "ns", "value": 1}]`, or of a history the newest run of each suite, which is its last.
/// With several suites, a bench is named `SUITE/BENCH`.
pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let text = text.trim_start();
    if text.starts_with('[') {
        let entries: Vec<Entry> = json::document(FORMAT, text)?;
        return rows(entries.into_iter().map(measured).collect());
    }
    let history: History = json::document(FORMAT, text.strip_prefix(SCRIPT).unwrap_or(text))?;
    let suites = history.entries.0;
    let alone = suites.len() == 1;
    let mut found = Vec::new();
    for (suite, mut runs) in suites {
        let Some(newest) = runs.pop() else {
            return Err(ReadError::malformed(FORMAT, format!("suite `{suite}` has no run")));
        };
        found.extend(newest.benches.into_iter().map(|mut entry| {
            if !alone {
                entry.name = format!("{suite}/{}", entry.name);
            }
            measured(entry)
        }));
    }
    rows(found)
}

fn measured(entry: Entry) -> Row {
    Row::measured(entry.name, entry.value, entry.unit)
}

fn rows(rows: Vec<Row>) -> Result<Reading, ReadError> {
    Reading::of(FORMAT, rows, Attempts::Retries)
}
