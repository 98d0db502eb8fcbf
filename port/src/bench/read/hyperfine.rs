//! The JSON export of hyperfine: 1.x, and 2.x which renamed almost everything.

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, Unique, median};
use super::{Attempts, Outcome, ReadError, Reading, Row};

const FORMAT: &str = "hyperfine";
/// How far the median that it tells may be from ours, as a share: both are sums of few floats.
const MEDIAN_ERROR_MAX: f64 = 1e-6;

#[derive(Deserialize)]
struct Export {
    schema_version: Option<u32>,
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct First {
    command: String,
    times: Vec<f64>,
    median: Option<f64>,
    #[serde(default)]
    exit_codes: Vec<Option<i32>>,
    #[serde(default)]
    parameters: Unique<Value>,
}

#[derive(Deserialize)]
struct Second {
    command: String,
    name: Option<String>,
    #[serde(default)]
    parameters: Unique<Value>,
    measurements: Vec<Measurement>,
    #[serde(default)]
    summary: Summary,
}

/// What it says of the measurements itself.
#[derive(Deserialize, Default)]
struct Summary {
    time_wall_clock: Option<Told>,
}

#[derive(Deserialize)]
struct Told {
    count: Option<usize>,
    median: Option<f64>,
}

#[derive(Deserialize)]
struct Measurement {
    time_wall_clock: Quantity,
    exit_code: Option<i32>,
}

#[derive(Deserialize)]
struct Quantity {
    value: f64,
    unit: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let export: Export = json::document(FORMAT, text)?;
    let row = match export.schema_version {
        None | Some(1) => first,
        Some(2) => second,
        Some(other) => {
            return Err(ReadError::malformed(FORMAT, format!("version {other} of its schema is unknown")));
        }
    };
    let rows = export.results.into_iter().map(row).collect::<Result<_, _>>()?;
    Reading::of(FORMAT, rows, Attempts::Retries)
}

fn first(value: Value) -> Result<Row, ReadError> {
    let run: First = serde_json::from_value(value).map_err(|error| ReadError::malformed(FORMAT, error))?;
    if !run.exit_codes.is_empty() && run.exit_codes.len() != run.times.len() {
        return Err(ReadError::contradiction(FORMAT, "times and exit codes differ in number"));
    }
    agrees(&Told { count: None, median: run.median }, &run.times)?;
    let name = named(&run.command, &run.parameters);
    row(name, run.times, &run.exit_codes)
}

fn second(value: Value) -> Result<Row, ReadError> {
    let run: Second = serde_json::from_value(value).map_err(|error| ReadError::malformed(FORMAT, error))?;
    let odd = run
        .measurements
        .iter()
        .filter_map(|measurement| measurement.time_wall_clock.unit.as_deref())
        .find(|unit| *unit != "second");
    if let Some(unit) = odd {
        return Err(ReadError::malformed(FORMAT, format!("times are in `{unit}`, not in seconds")));
    }
    let codes: Vec<Option<i32>> =
        run.measurements.iter().map(|measurement| measurement.exit_code.or(Some(0))).collect();
    let times: Vec<f64> = run.measurements.iter().map(|measured| measured.time_wall_clock.value).collect();
    if let Some(told) = &run.summary.time_wall_clock {
        agrees(told, &times)?;
    }
    // A name that was given is unique by itself; a command that was not may differ by its parameters only.
    let name = run.name.filter(|name| *name != run.command);
    row(name.unwrap_or_else(|| named(&run.command, &run.parameters)), times, &codes)
}

/// Whether its own summary is of these times: else some are gone, or stand twice.
fn agrees(told: &Told, times: &[f64]) -> Result<(), ReadError> {
    let counted = times.len();
    if let Some(count) = told.count.filter(|count| *count != counted) {
        return Err(ReadError::contradiction(FORMAT, format!("{counted} times stand for {count} runs")));
    }
    let found = median(times).unwrap_or_default();
    let is_other = |said: f64| (said - found).abs() > MEDIAN_ERROR_MAX * found.abs().max(said.abs());
    match told.median.filter(|said| is_other(*said)) {
        Some(said) => {
            let reason = format!("the median of its times is {found}, and it says {said}");
            Err(ReadError::contradiction(FORMAT, reason))
        }
        None => Ok(()),
    }
}

fn named(command: &str, parameters: &Unique<Value>) -> String {
    let texts = parameters.0.iter().map(|(key, value)| {
        let value = value.get("value").unwrap_or(value);
        format!("{key}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    });
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() { command.to_owned() } else { format!("{command} ({})", texts.join(", ")) }
}

fn row(name: String, times: Vec<f64>, codes: &[Option<i32>]) -> Result<Row, ReadError> {
    if codes.contains(&None) {
        // No code: a signal ended it, and whose that was is not known.
        let reason = "a signal ended it".to_owned();
        return Ok(Row::task(name, Outcome::Infra { reason }));
    }
    if codes.iter().any(|code| *code != Some(0)) {
        return Ok(Row::task(name, Outcome::Fail));
    }
    let Some(value) = median(&times) else {
        return Err(ReadError::truncated(FORMAT, format!("`{name}` has no times")));
    };
    Ok(Row { samples: times, ..Row::measured(name, value, "s") })
}
