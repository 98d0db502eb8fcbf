//! What the interfaces for batches tell, as their documentation has it. `cargo xtask measure providers` holds these
//! against the types of the published SDKs, and the provider of the tests answers with them.

use serde_json::{Value, json};

/// A batch of Anthropic with so many requests, made at a time (RFC 3339).
pub(crate) fn message_batch(id: &str, made: &str, is_ended: bool, count: usize) -> Value {
    json!({
        "id": id, "type": "message_batch", "created_at": made, "expires_at": made,
        "processing_status": if is_ended { "ended" } else { "in_progress" },
        "request_counts": {
            "processing": if is_ended { 0 } else { count }, "succeeded": if is_ended { count } else { 0 },
            "errored": 0, "canceled": 0, "expired": 0,
        },
        "results_url": null, "ended_at": is_ended.then_some(made), "archived_at": null, "cancel_initiated_at": null,
    })
}

/// A line of its results: with a message, or of a request that expired.
pub(crate) fn message_line(name: &str, message: Option<&Value>) -> Value {
    match message {
        Some(message) => json!({ "custom_id": name, "result": { "type": "succeeded", "message": message } }),
        None => json!({ "custom_id": name, "result": { "type": "expired" } }),
    }
}

/// A message that was answered.
pub(crate) fn message(text: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "test-model",
        "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": { "input_tokens": 1200, "output_tokens": 80 },
    })
}

/// A batch of `OpenAI`, in the states that a word names.
pub(crate) fn file_batch(id: &str, endpoint: &str, (status, made_s): (&str, i64), metadata: &Value) -> Value {
    let mut told = json!({
        "id": id, "object": "batch", "endpoint": endpoint, "input_file_id": "file-1", "completion_window": "24h",
        "status": status, "created_at": made_s, "metadata": metadata,
        "request_counts": { "total": 1, "completed": 0, "failed": 0 },
    });
    if ["completed", "expired"].contains(&status) {
        told["output_file_id"] = json!(format!("output-{id}"));
    }
    if status == "failed" {
        let data =
            json!([{ "code": "invalid_json_line", "line": 1, "message": "no such model", "param": null }]);
        told["errors"] = json!({ "object": "list", "data": data });
    }
    told
}

/// A file that was uploaded.
pub(crate) fn file(id: &str) -> Value {
    json!({
        "id": id, "object": "file", "bytes": 1, "created_at": 1, "filename": "f.jsonl", "purpose": "batch",
        "status": "processed",
    })
}
