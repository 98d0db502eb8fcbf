//! What the three interfaces take, as far as a translator asks them, told in our own words.
//!
//! Sources: Anthropic, "Create a Message" (platform.claude.com, API reference: Messages); `OpenAI`, "Create a
//! model response" and "Create chat completion" (platform.openai.com, API reference). A field that is not told
//! here is refused, also where an interface would take it: sampling parameters among them.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

/// Which interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Protocol {
    Messages,
    Responses,
    Chat,
}

/// A request that was checked.
pub(super) struct Asked {
    /// The prompt in front of the task.
    pub(super) prefix: String,
    /// The task.
    pub(super) payload: String,
    pub(super) stream: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageRequest {
    model: String,
    /// At least 1.
    max_tokens: u32,
    system: Vec<SystemBlock>,
    messages: Vec<Message>,
    stream: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemBlock {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    cache_control: Option<CacheControl>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheControl {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    role: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseRequest {
    model: String,
    instructions: String,
    input: String,
    /// At least 16.
    max_output_tokens: u32,
    store: bool,
    stream: bool,
    #[serde(default)]
    prompt_cache_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatRequest {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default)]
    max_completion_tokens: Option<u32>,
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamOptions {
    include_usage: bool,
}

/// Checks a request; `header` gives the value of a header.
pub(super) fn check(
    protocol: Protocol,
    header: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Result<Asked> {
    if header("content-type").as_deref() != Some("application/json") {
        bail!("the content type is not JSON");
    }
    let key = match protocol {
        Protocol::Messages => {
            header("anthropic-version").context("no `anthropic-version`")?;
            header("x-api-key").context("no `x-api-key`")?
        }
        Protocol::Responses | Protocol::Chat => {
            let value = header("authorization").context("no `authorization`")?;
            value.strip_prefix("Bearer ").context("no bearer")?.to_owned()
        }
    };
    if key != super::KEY {
        bail!("another key");
    }
    match protocol {
        Protocol::Messages => {
            let body: MessageRequest = serde_json::from_slice(body)?;
            let [message] = body.messages.as_slice() else { bail!("one message is enough") };
            let marks = body.system.iter().filter_map(|block| block.cache_control.as_ref());
            let marks: Vec<&str> = marks.map(|mark| mark.kind.as_str()).collect();
            let blocks = body.system.iter().all(|block| block.kind == "text" && !block.text.is_empty());
            if message.role != "user" || body.max_tokens == 0 || marks != ["ephemeral"] || !blocks {
                bail!("a field of the message is not as documented");
            }
            named(&body.model)?;
            let prefix = body.system.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n\n");
            Ok(Asked { prefix, payload: message.content.clone(), stream: body.stream })
        }
        Protocol::Responses => {
            let body: ResponseRequest = serde_json::from_slice(body)?;
            if body.max_output_tokens < 16
                || body.store
                || body.prompt_cache_key.is_some_and(|key| key.len() > 64)
            {
                bail!("a field of the response is not as documented");
            }
            named(&body.model)?;
            Ok(Asked { prefix: body.instructions, payload: body.input, stream: body.stream })
        }
        Protocol::Chat => {
            let body: ChatRequest = serde_json::from_slice(body)?;
            let [system, user] = body.messages.as_slice() else { bail!("a system and a user message") };
            let caps = body.max_tokens.is_some() || body.max_completion_tokens.is_some();
            let options = body.stream_options.is_none_or(|options| body.stream && options.include_usage);
            if system.role != "system" || user.role != "user" || !caps || !options {
                bail!("a field of the chat is not as documented");
            }
            named(&body.model)?;
            Ok(Asked { prefix: system.content.clone(), payload: user.content.clone(), stream: body.stream })
        }
    }
}

fn named(model: &str) -> Result<()> {
    if model == super::MODEL { Ok(()) } else { bail!("there is no model `{model}`") }
}

/// A completion in the words of an interface.
pub(super) struct Reply<'r> {
    pub(super) text: &'r str,
    pub(super) ending: Ending,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
}

/// How a completion ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Whole,
    Truncated,
    Refused,
    ReasoningOnly,
}

impl Reply<'_> {
    /// As one JSON value.
    pub(super) fn value(&self, protocol: Protocol) -> Value {
        use serde_json::json;
        let (input, output) = (self.input_tokens, self.output_tokens);
        match protocol {
            Protocol::Messages => {
                let stop = match self.ending {
                    Ending::Whole | Ending::ReasoningOnly => "end_turn",
                    Ending::Truncated => "max_tokens",
                    Ending::Refused => "refusal",
                };
                let content = match self.ending {
                    Ending::ReasoningOnly => {
                        json!([{ "type": "thinking", "thinking": "hm", "signature": "s" }])
                    }
                    Ending::Whole | Ending::Truncated | Ending::Refused => {
                        json!([{ "type": "text", "text": self.text }])
                    }
                };
                json!({
                    "id": "msg_1", "type": "message", "role": "assistant", "model": super::MODEL,
                    "content": content, "stop_reason": stop, "stop_sequence": null,
                    "usage": { "input_tokens": input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                               "output_tokens": output },
                })
            }
            Protocol::Responses => {
                let (status, why) = match self.ending {
                    Ending::Truncated => ("incomplete", json!({ "reason": "max_output_tokens" })),
                    Ending::Whole | Ending::Refused | Ending::ReasoningOnly => ("completed", Value::Null),
                };
                let part = if self.ending == Ending::Refused {
                    json!({ "type": "refusal", "refusal": "no" })
                } else {
                    json!({ "type": "output_text", "text": self.text, "annotations": [] })
                };
                let mut items = vec![json!({ "type": "reasoning", "id": "rs_1", "summary": [] })];
                if self.ending != Ending::ReasoningOnly {
                    items.push(
                        json!({ "type": "message", "id": "m_1", "role": "assistant", "content": [part] }),
                    );
                }
                json!({
                    "id": "resp_1", "object": "response", "status": status, "error": null, "incomplete_details": why,
                    "output": items,
                    "usage": { "input_tokens": input, "input_tokens_details": { "cached_tokens": 0 },
                               "output_tokens": output, "output_tokens_details": { "reasoning_tokens": 0 } },
                })
            }
            Protocol::Chat => {
                let (finish, message) = match self.ending {
                    Ending::Whole => ("stop", json!({ "role": "assistant", "content": self.text })),
                    Ending::Truncated => ("length", json!({ "role": "assistant", "content": self.text })),
                    Ending::Refused => {
                        ("stop", json!({ "role": "assistant", "content": null, "refusal": "no" }))
                    }
                    Ending::ReasoningOnly => ("stop", json!({ "content": "", "reasoning_content": "hm" })),
                };
                json!({
                    "id": "c_1", "object": "chat.completion", "model": super::MODEL,
                    "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
                    "usage": { "prompt_tokens": input, "completion_tokens": output },
                })
            }
        }
    }

    /// As the data of the events of a stream; the last ones are what it ends with.
    pub(super) fn events(&self, protocol: Protocol) -> Vec<String> {
        use serde_json::json;
        let whole = self.value(protocol);
        let half = self.text.chars().count() / 2;
        let (head, tail): (String, String) =
            (self.text.chars().take(half).collect(), self.text.chars().skip(half).collect());
        match protocol {
            Protocol::Messages => {
                let block = whole.pointer("/content/0").cloned().unwrap_or_default();
                let is_text = block.get("type").is_some_and(|kind| kind == "text");
                let start = if is_text { json!({ "type": "text", "text": "" }) } else { block };
                let mut events = vec![
                    json!({ "type": "message_start", "message": { "usage": whole.get("usage") } }),
                    json!({ "type": "content_block_start", "index": 0, "content_block": start }),
                ];
                for text in [head, tail].into_iter().filter(|_| is_text) {
                    let delta = json!({ "type": "text_delta", "text": text });
                    events.push(json!({ "type": "content_block_delta", "index": 0, "delta": delta }));
                }
                events.push(json!({ "type": "content_block_stop", "index": 0 }));
                let delta = json!({ "stop_reason": whole.get("stop_reason") });
                events.push(json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": self.output_tokens } }));
                events.push(json!({ "type": "message_stop" }));
                events.iter().map(ToString::to_string).collect()
            }
            Protocol::Responses => {
                let kind = if self.ending == Ending::Truncated {
                    "response.incomplete"
                } else {
                    "response.completed"
                };
                let events = [
                    json!({ "type": "response.created", "response": { "status": "in_progress", "error": null } }),
                    json!({ "type": "response.output_text.delta", "delta": head }),
                    json!({ "type": "response.output_text.delta", "delta": tail }),
                    json!({ "type": kind, "response": whole }),
                ];
                events.iter().map(ToString::to_string).collect()
            }
            Protocol::Chat => {
                let chunk = |delta: Value, finish: Value| json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }], "usage": null });
                let mut message = whole.pointer("/choices/0/message").cloned().unwrap_or_default();
                let finish = whole.pointer("/choices/0/finish_reason").cloned().unwrap_or_default();
                let mut events = Vec::new();
                if message.get("content").is_some_and(|content| content == self.text) {
                    events.push(chunk(json!({ "content": head }), Value::Null));
                    message = json!({ "content": tail });
                }
                events.push(chunk(message, Value::Null));
                events.push(chunk(json!({}), finish));
                events.push(json!({ "choices": [], "usage": whole.get("usage") }));
                let mut events: Vec<String> = events.iter().map(ToString::to_string).collect();
                events.push("[DONE]".to_owned());
                events
            }
        }
    }
}
