//! The folder that the criterion library writes: `**/new/{benchmark,sample,estimates}.json`.

use std::path::Path;

use serde::Deserialize;
use walkdir::WalkDir;

use super::json::{self, median};
use super::{Attempts, ReadError, Reading, Row, text_of};

const FORMAT: &str = "criterion";

/// How deep the folder of a benchmark may lie: groups, functions and parameters are a level each.
const DEPTH_MAX: usize = 12;

/// Folder names are cut and cleaned of special signs; the true name is in here.
#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

pub(super) fn read(folder: &Path) -> Result<Reading, ReadError> {
    let mut rows = Vec::new();
    for entry in WalkDir::new(folder).max_depth(DEPTH_MAX).sort_by_file_name() {
        let entry = entry
            .map_err(|error| ReadError::Unreadable { path: folder.to_owned(), reason: error.to_string() })?;
        // `base` is an older run, `change` and `report` are about both.
        if entry.file_type().is_dir() && entry.file_name() == "new" {
            rows.push(row(entry.path())?);
        }
    }
    Reading::of(FORMAT, rows, Attempts::Retries)
}

fn row(folder: &Path) -> Result<Row, ReadError> {
    let benchmark: Benchmark = json::document(FORMAT, &text_of(&folder.join("benchmark.json"))?)?;
    let sample: Sample = json::document(FORMAT, &text_of(&folder.join("sample.json"))?)?;
    if sample.iters.len() != sample.times.len() || sample.iters.is_empty() {
        let reason = format!("`{}` has {} times", benchmark.full_id, sample.times.len());
        return Err(ReadError::contradiction(FORMAT, reason));
    }
    let each = sample.times.iter().zip(&sample.iters).map(|(time, iterations)| time / iterations);
    let samples: Vec<f64> = each.collect();
    let value = median(&samples).unwrap_or(f64::NAN);
    Ok(Row { samples, ..Row::measured(benchmark.full_id, value, "ns") })
}
