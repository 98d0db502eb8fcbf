//! Results as they come: a JSON value a line, in any order, and not to be trusted.

use std::collections::BTreeSet;

use serde_json::Value;

use super::wire::Line;
use super::{BatchFailure, BatchResults};
use crate::translate::model::{Completion, ModelError};
use crate::translate::providers::{WireFormat, echo};

/// What a line of results says: the request's name, and what came of it; `None` where it is not as documented.
pub(super) type Told = Option<(String, Result<Value, BatchFailure>)>;

/// How much of a line that cannot be read is shown.
const SHOWN_CHARS_MAX: usize = 80;

/// Reads lines by what `reply` makes of a value.
pub(super) fn read(
    into: &mut BatchResults,
    lines: Vec<Line>,
    reply: &dyn Fn(&Value) -> Told,
    format: &dyn WireFormat,
) {
    let mut known: BTreeSet<String> = into.replies.iter().map(|(name, _)| name.clone()).collect();
    for (line, held_secret) in lines {
        let Ok(value) = serde_json::from_slice::<Value>(&line) else {
            into.is_damaged = true;
            into.faults.push(format!("a line of the results is no JSON: {}", shown(&line)));
            continue;
        };
        let Some((name, outcome)) = reply(&value) else {
            into.faults.push(format!("a line of the results is not as documented: {}", shown(&line)));
            continue;
        };
        if !known.insert(name.clone()) {
            into.faults.push(format!("the results tell of `{name}` more than once; the first counts"));
            continue;
        }
        let outcome = outcome.and_then(|body| completion(&body, held_secret, format));
        into.replies.push((name, outcome));
    }
}

fn completion(body: &Value, held_secret: bool, format: &dyn WireFormat) -> Result<Completion, BatchFailure> {
    let completion = format.completion(body.to_string().as_bytes()).map_err(BatchFailure::Fault)?;
    if held_secret && completion.text.contains(echo::REDACTED) {
        let reason = "the answer holds the key that was sent, and is thrown away".to_owned();
        return Err(BatchFailure::Fault(ModelError::Unreadable { reason }));
    }
    Ok(completion)
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push_str(" […]");
    }
    short
}
