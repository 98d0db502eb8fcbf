//! Answers that come as a stream of server-sent events: read as values, and known as broken off where the last
//! one is missing.
//!
//! The transport hands over a whole body. What is streamed for is that a long answer is not taken for a dead
//! connection, and that one that broke off can be told from one that is done.

use serde_json::Value;

use super::fault::{self, ErrorBody};
use crate::translate::model::ModelError;

/// Whether a body is such a stream and not JSON.
pub(super) fn is_stream(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    ["data:", "event:", "id:", "retry:", ":"].iter().any(|field| start.starts_with(field.as_bytes()))
}

/// What a stream holds.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The values of all events, in order.
    pub(super) values: Vec<Value>,
    /// Whether the line `[DONE]` was there.
    pub(super) done: bool,
}

/// Reads a stream. An error among the events is the answer's error, whatever came before it.
pub(super) fn read(body: &[u8]) -> Result<Events, ModelError> {
    let text = std::str::from_utf8(body)
        .map_err(|error| ModelError::Unreadable { reason: format!("the stream is no UTF-8: {error}") })?;
    let mut events = Events::default();
    let mut data: Vec<&str> = Vec::new();
    // An event ends with a blank line; the last one may have been cut off in front of it.
    for line in text.lines().map(|line| line.trim_end_matches('\r')).chain([""]) {
        if let Some(more) = line.strip_prefix("data:") {
            data.push(more.strip_prefix(' ').unwrap_or(more));
        } else if line.is_empty() && !data.is_empty() {
            let whole = data.join("\n");
            data.clear();
            if whole.trim() == "[DONE]" {
                events.done = true;
            } else if let Ok(value) = serde_json::from_str::<Value>(&whole) {
                fail_on_error(&value)?;
                events.values.push(value);
            } else {
                return Err(broke_off("an event is not whole"));
            }
        }
    }
    Ok(events)
}

fn fail_on_error(event: &Value) -> Result<(), ModelError> {
    let nested = event.get("error").filter(|error| !error.is_null());
    let own = event.get("type").is_some_and(|kind| kind == "error").then_some(event);
    match nested.or(own) {
        Some(error) => Err(fault::of_body(&ErrorBody::of(error))),
        None => Ok(()),
    }
}

/// The stream ended before its last event. Waiting helps: nothing of it is used.
pub(super) fn broke_off(what: &str) -> ModelError {
    ModelError::Unavailable { retry_after_ms: None, reason: format!("the stream broke off: {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_with_any_line_ending_and_over_several_lines() {
        let body =
            "event: a\r\ndata: {\"x\":\r\ndata: 1}\r\n\r\n: comment\n\ndata:{\"x\":2}\n\ndata: [DONE]\n\n";
        let events = read(body.as_bytes()).unwrap();
        assert_eq!(
            (events.values, events.done),
            (vec![serde_json::json!({"x": 1}), serde_json::json!({"x": 2})], true)
        );
        assert!(is_stream(body.as_bytes()) && is_stream(b"\n: hello\n") && !is_stream(b" {\"data:\": 1}"));
    }

    #[test]
    fn what_is_cut_off_in_an_event_is_no_answer() {
        let error = read(b"data: {\"x\": 1}\n\ndata: {\"x\": ").unwrap_err();
        assert!(matches!(error, ModelError::Unavailable { .. }), "{error}");
        assert!(matches!(read(b"data: \xff\n\n").unwrap_err(), ModelError::Unreadable { .. }));
    }

    #[test]
    fn an_error_among_the_events_is_an_error_of_its_kind() {
        let of = |text: &str| read(format!("data: {text}\n\n").as_bytes()).unwrap_err();
        let overloaded = of(r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#);
        assert!(matches!(overloaded, ModelError::Unavailable { .. }), "{overloaded}");
        let funds = of(r#"{"type":"error","code":"insufficient_quota","message":"pay","param":null}"#);
        assert!(matches!(funds, ModelError::OutOfFunds { .. }), "{funds}");
        let gateway = of(r#"{"error":{"code":502,"message":"bad gateway"}}"#);
        assert!(matches!(gateway, ModelError::Unavailable { .. }), "{gateway}");
    }
}
