//! Result files of airspeed velocity, version 2.

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, Unique, median};
use super::{Attempts, Outcome, ReadError, Reading, Row};

const FORMAT: &str = "asv";

/// The version of the format that is read.
const VERSION: u32 = 2;

/// The most combinations of parameters of one benchmark.
const COMBINATIONS_MAX: usize = 100_000;

/// What was skipped.
const NAN: &str = "NaN";

/// Numbers that Python writes and JSON lacks: bounds that are unknown are infinite.
const NO_JSON: [&str; 3] = [NAN, "Infinity", "-Infinity"];

#[derive(Deserialize)]
struct File {
    version: u32,
    result_columns: Vec<String>,
    results: Unique<Vec<Value>>,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let file: File = json::document(FORMAT, &quoted(text))?;
    if file.version != VERSION {
        let reason = format!("version {} of the format, not {VERSION}", file.version);
        return Err(ReadError::malformed(FORMAT, reason));
    }
    let column = |name: &str| file.result_columns.iter().position(|column| column == name);
    let result = column("result").ok_or_else(|| ReadError::malformed(FORMAT, "no column `result`"))?;
    let (params, samples) = (column("params"), column("samples"));
    let mut rows = Vec::new();
    for (bench, values) in file.results.0 {
        if values.len() > file.result_columns.len() {
            return Err(ReadError::malformed(FORMAT, format!("`{bench}` has more values than columns")));
        }
        // Trailing nulls are left out.
        let at = |column: Option<usize>| column.and_then(|column| values.get(column)).unwrap_or(&Value::Null);
        rows.extend(rows_of(&bench, at(Some(result)), at(params), at(samples))?);
    }
    Reading::of(FORMAT, rows, Attempts::Retries)
}

fn rows_of(bench: &str, result: &Value, params: &Value, samples: &Value) -> Result<Vec<Row>, ReadError> {
    let malformed = |reason: &str| ReadError::malformed(FORMAT, format!("`{bench}` {reason}"));
    let names = names(bench, params).ok_or_else(|| malformed("has parameters that are no lists"))?;
    let results: Vec<Value> = match result {
        // The whole benchmark failed, for every parameter.
        Value::Null => vec![Value::Null; names.len()],
        Value::Array(results) => results.clone(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            return Err(malformed("has a result that is no list"));
        }
    };
    if results.len() != names.len() {
        return Err(ReadError::truncated(
            FORMAT,
            format!("`{bench}` has {} results for {} parameters", results.len(), names.len()),
        ));
    }
    let mut rows = Vec::new();
    for (index, (name, result)) in names.into_iter().zip(results).enumerate() {
        let row = match result {
            Value::Null => Row::task(name, Outcome::Fail),
            Value::String(text) if text == NAN => Row::task(name, Outcome::Skip),
            Value::Number(number) => {
                let value = number.as_f64().ok_or_else(|| malformed("has a result that is no number"))?;
                let kept = samples.get(index).map(numbers).unwrap_or_default();
                let value = median(&kept).unwrap_or(value);
                Row { samples: kept, ..Row::measured(name, value, unit_of(bench)) }
            }
            Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                return Err(malformed("has a result that is no number"));
            }
        };
        rows.push(row);
    }
    Ok(rows)
}

fn numbers(samples: &Value) -> Vec<f64> {
    samples.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// The kind of a benchmark is the beginning of its function's name.
fn unit_of(bench: &str) -> &'static str {
    match bench.rsplit('.').next().unwrap_or_default() {
        name if name.starts_with("time") => "s",
        name if name.starts_with("mem") || name.starts_with("peakmem") => "bytes",
        _ => "",
    }
}

/// One name for each combination of parameters, the last one changing fastest.
fn names(bench: &str, params: &Value) -> Option<Vec<String>> {
    let mut combinations: Vec<Vec<String>> = vec![Vec::new()];
    let lists: &[Value] = match params {
        Value::Null => &[],
        Value::Array(lists) => lists,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => return None,
    };
    for list in lists {
        let values = list.as_array()?;
        if combinations.len().saturating_mul(values.len()) > COMBINATIONS_MAX {
            return None;
        }
        combinations = combinations
            .iter()
            .flat_map(|before| {
                values.iter().map(move |value| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    before.iter().cloned().chain([text]).collect()
                })
            })
            .collect();
    }
    Some(
        combinations
            .into_iter()
            .map(
                |values| {
                    if values.is_empty() {
                        bench.to_owned()
                    } else {
                        format!("{bench}({})", values.join(", "))
                    }
                },
            )
            .collect(),
    )
}

/// The text with such numbers in quotes.
fn quoted(text: &str) -> String {
    let (mut quoted, mut inside, mut escaped) = (String::with_capacity(text.len()), false, false);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let word = NO_JSON.into_iter().find(|word| !inside && rest.starts_with(word));
        if let Some(word) = word {
            quoted.extend(["\"", word, "\""]);
            rest = rest.strip_prefix(word).unwrap_or_default();
            continue;
        }
        if escaped {
            escaped = false;
        } else if next == '\\' {
            escaped = inside;
        } else if next == '"' {
            inside = !inside;
        }
        quoted.push(next);
        rest = rest.get(next.len_utf8()..).unwrap_or_default();
    }
    quoted
}
