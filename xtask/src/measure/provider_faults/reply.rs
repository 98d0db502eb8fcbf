//! Completions in the words of the three interfaces, whole and as the events of a stream.
//!
//! The measure `providers` holds them against the types of the providers' published SDKs.

use serde_json::{Value, json};

use super::request::Protocol;

/// When everything was made, in seconds.
const MADE_S: u64 = 1_795_000_000;

/// A completion in the words of an interface.
#[derive(Debug, Clone, Copy)]
pub(in crate::measure) struct Reply<'r> {
    pub(in crate::measure) text: &'r str,
    pub(in crate::measure) ending: Ending,
    /// Tokens sent, with those that were read from the cache and written to it.
    pub(in crate::measure) input_tokens: u64,
    pub(in crate::measure) cached_tokens: u64,
    pub(in crate::measure) written_tokens: u64,
    /// Tokens received, reasoning included.
    pub(in crate::measure) output_tokens: u64,
    pub(in crate::measure) reasoning_tokens: u64,
}

/// How a completion ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::measure) enum Ending {
    Whole,
    Truncated,
    Refused,
    ReasoningOnly,
}

impl<'r> Reply<'r> {
    /// One of a provider without a cache.
    pub(super) fn counted(text: &'r str, ending: Ending, input_tokens: u64, output_tokens: u64) -> Self {
        let (cached_tokens, written_tokens, reasoning_tokens) = (0, 0, 0);
        Self { text, ending, input_tokens, cached_tokens, written_tokens, output_tokens, reasoning_tokens }
    }

    /// As one JSON value.
    pub(in crate::measure) fn value(&self, protocol: Protocol) -> Value {
        match protocol {
            Protocol::Messages => self.message(),
            Protocol::Responses => self.response(),
            Protocol::Chat => self.chat(),
        }
    }

    /// As the data of the events of a stream; the last ones are what it ends with.
    pub(in crate::measure) fn events(&self, protocol: Protocol) -> Vec<String> {
        let mut events: Vec<String> = match protocol {
            Protocol::Messages => self.message_events(),
            Protocol::Responses => self.response_events(),
            Protocol::Chat => self.chat_events(),
        }
        .iter()
        .map(ToString::to_string)
        .collect();
        if protocol == Protocol::Chat {
            events.push("[DONE]".to_owned());
        }
        events
    }

    /// The text in two pieces.
    fn pieces(&self) -> [String; 2] {
        let half = self.text.chars().count() / 2;
        [self.text.chars().take(half).collect(), self.text.chars().skip(half).collect()]
    }

    fn message(&self) -> Value {
        let stop = match self.ending {
            Ending::Whole | Ending::ReasoningOnly => "end_turn",
            Ending::Truncated => "max_tokens",
            Ending::Refused => "refusal",
        };
        let content = match self.ending {
            Ending::ReasoningOnly => json!([{ "type": "thinking", "thinking": "hm", "signature": "s" }]),
            Ending::Whole | Ending::Truncated | Ending::Refused => {
                json!([{ "type": "text", "text": self.text }])
            }
        };
        // What the cache has a part in is counted beside the rest.
        let fresh = self.input_tokens - self.cached_tokens - self.written_tokens;
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": super::MODEL,
            "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": {
                "input_tokens": fresh, "cache_creation_input_tokens": self.written_tokens,
                "cache_read_input_tokens": self.cached_tokens, "output_tokens": self.output_tokens,
                "output_tokens_details": { "thinking_tokens": self.reasoning_tokens },
            },
        })
    }

    fn message_events(&self) -> Vec<Value> {
        let whole = self.message();
        let mut begun = whole.clone();
        begun["content"] = json!([]);
        begun["stop_reason"] = Value::Null;
        begun["usage"]["output_tokens"] = json!(1);
        let block = whole.pointer("/content/0").cloned().unwrap_or_default();
        let is_text = block.get("type").is_some_and(|kind| kind == "text");
        let (start, deltas) = if is_text {
            let deltas = self.pieces().map(|text| json!({ "type": "text_delta", "text": text }));
            (json!({ "type": "text", "text": "" }), deltas)
        } else {
            let deltas = [
                json!({ "type": "thinking_delta", "thinking": "hm" }),
                json!({ "type": "signature_delta", "signature": "s" }),
            ];
            (json!({ "type": "thinking", "thinking": "", "signature": "" }), deltas)
        };
        let mut events = vec![
            json!({ "type": "message_start", "message": begun }),
            json!({ "type": "content_block_start", "index": 0, "content_block": start }),
        ];
        for delta in deltas {
            events.push(json!({ "type": "content_block_delta", "index": 0, "delta": delta }));
        }
        events.push(json!({ "type": "content_block_stop", "index": 0 }));
        let delta = json!({ "stop_reason": whole.get("stop_reason"), "stop_sequence": null });
        events.push(json!({ "type": "message_delta", "delta": delta, "usage": whole.get("usage") }));
        events.push(json!({ "type": "message_stop" }));
        events
    }

    fn response(&self) -> Value {
        let (status, why) = match self.ending {
            Ending::Truncated => ("incomplete", json!({ "reason": "max_output_tokens" })),
            Ending::Whole | Ending::Refused | Ending::ReasoningOnly => ("completed", Value::Null),
        };
        let mut items = vec![json!({ "type": "reasoning", "id": "rs_1", "summary": [] })];
        if self.ending != Ending::ReasoningOnly {
            items.push(json!({
                "type": "message", "id": "m_1", "role": "assistant", "status": status, "content": [self.part()],
            }));
        }
        json!({
            "id": "resp_1", "object": "response", "created_at": MADE_S, "model": super::MODEL, "status": status,
            "error": null, "incomplete_details": why, "instructions": null, "metadata": {}, "output": items,
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
            "usage": {
                "input_tokens": self.input_tokens,
                "input_tokens_details": { "cached_tokens": self.cached_tokens, "cache_write_tokens": self.written_tokens },
                "output_tokens": self.output_tokens,
                "output_tokens_details": { "reasoning_tokens": self.reasoning_tokens },
                "total_tokens": self.input_tokens + self.output_tokens,
            },
        })
    }

    /// The only part of the message of a response.
    fn part(&self) -> Value {
        if self.ending == Ending::Refused {
            json!({ "type": "refusal", "refusal": "no" })
        } else {
            json!({ "type": "output_text", "text": self.text, "annotations": [], "logprobs": [] })
        }
    }

    fn response_events(&self) -> Vec<Value> {
        let whole = self.response();
        let mut begun = whole.clone();
        begun["status"] = json!("in_progress");
        begun["output"] = json!([]);
        begun["incomplete_details"] = Value::Null;
        begun["usage"] = Value::Null;
        let mut events = vec![
            json!({ "type": "response.created", "response": begun }),
            json!({ "type": "response.in_progress", "response": begun }),
        ];
        for (at, item) in whole["output"].as_array().into_iter().flatten().enumerate() {
            let is_message = item["type"] == "message";
            let mut added = item.clone();
            if is_message {
                added["content"] = json!([]);
                added["status"] = json!("in_progress");
            }
            events.push(json!({ "type": "response.output_item.added", "output_index": at, "item": added }));
            if is_message {
                events.extend(self.part_events(at));
            }
            events.push(json!({ "type": "response.output_item.done", "output_index": at, "item": item }));
        }
        let kind =
            if self.ending == Ending::Truncated { "response.incomplete" } else { "response.completed" };
        events.push(json!({ "type": kind, "response": whole }));
        for (number, event) in events.iter_mut().enumerate() {
            event["sequence_number"] = json!(number);
        }
        events
    }

    /// The events of the only part of the message at this place.
    fn part_events(&self, at: usize) -> Vec<Value> {
        let place = json!({ "output_index": at, "content_index": 0, "item_id": "m_1" });
        let here = |more: Value| {
            let mut event = place.clone();
            if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
                event.extend(more);
            }
            event
        };
        let part = self.part();
        if self.ending == Ending::Refused {
            return vec![
                here(
                    json!({ "type": "response.content_part.added", "part": { "type": "refusal", "refusal": "" } }),
                ),
                here(json!({ "type": "response.refusal.delta", "delta": "no" })),
                here(json!({ "type": "response.refusal.done", "refusal": "no" })),
                here(json!({ "type": "response.content_part.done", "part": part })),
            ];
        }
        let empty = json!({ "type": "output_text", "text": "", "annotations": [], "logprobs": [] });
        let mut events = vec![here(json!({ "type": "response.content_part.added", "part": empty }))];
        for piece in self.pieces() {
            events
                .push(here(json!({ "type": "response.output_text.delta", "delta": piece, "logprobs": [] })));
        }
        events.push(here(json!({ "type": "response.output_text.done", "text": self.text, "logprobs": [] })));
        events.push(here(json!({ "type": "response.content_part.done", "part": part })));
        events
    }

    fn chat(&self) -> Value {
        let (finish, message) = match self.ending {
            Ending::Whole | Ending::Truncated => {
                let finish = if self.ending == Ending::Whole { "stop" } else { "length" };
                (finish, json!({ "role": "assistant", "content": self.text, "refusal": null }))
            }
            Ending::Refused => ("stop", json!({ "role": "assistant", "content": null, "refusal": "no" })),
            // The field is of DeepSeek, vLLM and others; OpenAI itself shows no reasoning here.
            Ending::ReasoningOnly => {
                ("stop", json!({ "role": "assistant", "content": "", "reasoning_content": "hm" }))
            }
        };
        json!({
            "id": "c_1", "object": "chat.completion", "created": MADE_S, "model": super::MODEL,
            "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
            "usage": {
                "prompt_tokens": self.input_tokens, "completion_tokens": self.output_tokens,
                "total_tokens": self.input_tokens + self.output_tokens,
                "prompt_tokens_details": {
                    "cached_tokens": self.cached_tokens, "cache_write_tokens": self.written_tokens,
                },
                "completion_tokens_details": { "reasoning_tokens": self.reasoning_tokens },
            },
        })
    }

    fn chat_events(&self) -> Vec<Value> {
        let whole = self.chat();
        let chunk = |choices: Value, usage: Value| {
            json!({
                "id": "c_1", "object": "chat.completion.chunk", "created": MADE_S, "model": super::MODEL,
                "choices": choices, "usage": usage,
            })
        };
        let delta = |delta: Value, finish: Value| {
            chunk(json!([{ "index": 0, "delta": delta, "finish_reason": finish }]), Value::Null)
        };
        let mut message = whole.pointer("/choices/0/message").cloned().unwrap_or_default();
        let finish = whole.pointer("/choices/0/finish_reason").cloned().unwrap_or_default();
        let mut events = Vec::new();
        if matches!(self.ending, Ending::Whole | Ending::Truncated) {
            let [head, tail] = self.pieces();
            events.push(delta(json!({ "role": "assistant", "content": head }), Value::Null));
            message = json!({ "content": tail });
        }
        events.push(delta(message, Value::Null));
        events.push(delta(json!({}), finish));
        events.push(chunk(json!([]), whole.get("usage").cloned().unwrap_or_default()));
        events
    }
}
