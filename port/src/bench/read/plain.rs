//! Tidelock's own format: `{"name": 1.5}` for seconds, or `{"name": {"outcome": "pass"}}` and
//! `{"name": {"value": 2, "unit": "MB", "samples": [...]}}`. Where a program prints other things before,
//! the last line counts.

use serde::Deserialize;

use super::json::{self, Unique};
use super::{Attempts, Outcome, ReadError, Reading, Row};

const FORMAT: &str = "plain";

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Seconds(f64),
    Row(Described),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    outcome: Option<Word>,
    reason: Option<String>,
    value: Option<f64>,
    unit: Option<String>,
    #[serde(default)]
    samples: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Pass,
    Fail,
    Skip,
    Infra,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let whole: Result<Unique<Entry>, _> = json::document(FORMAT, text);
    let entries = match (whole, text.trim_end().lines().last()) {
        (Err(_more_than_the_object), Some(last)) => json::document(FORMAT, last)?,
        (whole, _) => whole?,
    };
    let rows = entries.0.into_iter().map(|(task, entry)| row(task, entry)).collect::<Result<_, _>>()?;
    Reading::of(FORMAT, rows, Attempts::Retries)
}

fn row(task: String, entry: Entry) -> Result<Row, ReadError> {
    let described = match entry {
        Entry::Seconds(seconds) => return Ok(Row::measured(task, seconds, "s")),
        Entry::Row(described) => described,
    };
    let value = described.value.or_else(|| json::median(&described.samples));
    let outcome = match (described.outcome, value) {
        (None, None) => {
            return Err(ReadError::malformed(FORMAT, format!("`{task}` has neither outcome nor value")));
        }
        (None | Some(Word::Pass), _) => Outcome::Pass,
        (Some(Word::Fail), _) => Outcome::Fail,
        (Some(Word::Skip), _) => Outcome::Skip,
        (Some(Word::Infra), _) => {
            Outcome::Infra { reason: described.reason.unwrap_or_else(|| "not said".to_owned()) }
        }
    };
    let unit = described.unit.unwrap_or_default();
    Ok(Row { value, unit, samples: described.samples, ..Row::task(task, outcome) })
}
