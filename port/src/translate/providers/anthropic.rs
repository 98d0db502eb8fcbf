//! The Messages format of Anthropic.
//!
//! The stable part of the prompt carries the cache mark. No sampling parameters and no prefilled answer are
//! sent: newer models refuse both.

use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{HeaderValue, HttpRequest};
use super::{ProviderSetup, WireFormat, encode, sse, unreadable};
use crate::translate::Usage;
use crate::translate::model::{Completion, Finish, ModelError};
use crate::translate::prompt::Prompt;

/// The address that Anthropic itself has.
pub const ANTHROPIC_BASE_URL: &str = "https://api.anthropic.com/v1";

/// The version of the interface that this codec speaks.
pub const ANTHROPIC_VERSION: &str = "2023-06-01";

/// How the key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHeader {
    /// `x-api-key`, with [`ANTHROPIC_VERSION`].
    ApiKey,
    /// `authorization: Bearer`, as gateways and newer versions of the interface want it.
    Bearer,
}

/// The format with its particulars.
#[derive(Debug, Clone)]
pub struct MessagesFormat {
    /// Which model, where, and with which key.
    pub setup: ProviderSetup,
    /// The version that is asked for, mostly [`ANTHROPIC_VERSION`].
    pub version: String,
    /// How the key is sent.
    pub key_header: KeyHeader,
}

impl MessagesFormat {
    /// The format as Anthropic itself speaks it.
    pub fn new(setup: ProviderSetup) -> Self {
        Self { setup, version: ANTHROPIC_VERSION.to_owned(), key_header: KeyHeader::ApiKey }
    }

    /// What every request to this interface carries.
    pub(in crate::translate) fn headers(&self) -> Vec<(String, HeaderValue)> {
        let plain = |name: &str, value: &str| (name.to_owned(), HeaderValue::Plain(value.to_owned()));
        let mut headers =
            vec![plain("content-type", "application/json"), plain("anthropic-version", &self.version)];
        if let Some(key) = &self.setup.key {
            let (name, prefix) = match self.key_header {
                KeyHeader::ApiKey => ("x-api-key", ""),
                KeyHeader::Bearer => ("authorization", "Bearer "),
            };
            headers.push((name.to_owned(), HeaderValue::Secret { prefix, value: key.clone() }));
        }
        headers
    }
}

impl WireFormat for MessagesFormat {
    fn request(&self, prompt: &Prompt) -> Result<HttpRequest, ModelError> {
        let body = json!({
            "model": self.setup.model,
            "max_tokens": self.setup.output_tokens_max,
            "system": system_blocks(prompt),
            "messages": [{ "role": "user", "content": prompt.payload }],
            "stream": self.setup.stream,
        });
        Ok(HttpRequest::post(self.setup.url("messages"), self.headers(), encode(&body)?))
    }

    fn completion(&self, body: &[u8]) -> Result<Completion, ModelError> {
        let value = if sse::is_stream(body) { joined(sse::read(body)?)? } else { super::json(body)? };
        let response: Response = serde_json::from_value(value).map_err(|error| unreadable(&error))?;
        let mut text = String::new();
        let mut has_reasoning = false;
        for block in response.content.into_iter().flatten() {
            match block.kind.as_str() {
                "text" => text.push_str(&block.text.unwrap_or_default()),
                "thinking" | "redacted_thinking" => has_reasoning = true,
                // No tools are offered, so a block of any other kind is no part of an answer.
                _ => {}
            }
        }
        let finish = match response.stop_reason.as_deref() {
            Some("max_tokens" | "model_context_window_exceeded") => Finish::Truncated,
            Some("refusal") => Finish::Refused,
            _ if text.trim().is_empty() && has_reasoning => Finish::ReasoningOnly,
            Some("end_turn" | "stop_sequence") => Finish::Complete,
            Some(other) => Finish::Other(other.to_owned()),
            None => Finish::Other("no stop reason".to_owned()),
        };
        Ok(Completion { text, usage: response.usage.unwrap_or_default().into(), finish })
    }
}

/// The events of a stream as the one response that they are pieces of.
fn joined(events: sse::Events) -> Result<Value, ModelError> {
    let mut content: Vec<Value> = Vec::new();
    let (mut stop, mut usage, mut ended) = (Value::Null, serde_json::Map::new(), false);
    for event in events.values {
        let text_at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match text_at("/type") {
            "content_block_start" => content.extend(event.get("content_block").cloned()),
            "content_block_delta" if text_at("/delta/type") == "text_delta" => {
                let index =
                    event.get("index").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
                let block =
                    index.and_then(|index| content.get_mut(index)).and_then(|block| block.get_mut("text"));
                if let Some(Value::String(text)) = block {
                    text.push_str(text_at("/delta/text"));
                }
            }
            "message_delta" => {
                stop = event.pointer("/delta/stop_reason").cloned().unwrap_or_default();
            }
            "message_stop" => ended = true,
            _ => {}
        }
        // The counts of later events are of the whole answer so far.
        for counts in [event.pointer("/message/usage"), event.get("usage")].into_iter().flatten() {
            let counts = counts.as_object().into_iter().flatten().filter(|(_, count)| !count.is_null());
            usage.extend(counts.map(|(name, count)| (name.clone(), count.clone())));
        }
    }
    if stop.is_null() && !ended {
        return Err(sse::broke_off("neither a reason for its end nor `message_stop` came"));
    }
    Ok(json!({ "content": content, "stop_reason": stop, "usage": usage }))
}

/// The system part, with the cache mark on its last block. An empty block is refused by the interface.
fn system_blocks(prompt: &Prompt) -> Vec<Value> {
    let texts: Vec<&str> = [&prompt.system, &prompt.stable]
        .into_iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    let last = texts.len().saturating_sub(1);
    let block = |(at, text): (usize, &str)| {
        let mut block = json!({ "type": "text", "text": text });
        if at == last {
            block["cache_control"] = json!({ "type": "ephemeral" });
        }
        block
    };
    texts.into_iter().enumerate().map(block).collect()
}

#[derive(Debug, Deserialize)]
struct Response {
    #[serde(default)]
    content: Option<Vec<Block>>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Option<TokenCounts>,
}

#[derive(Debug, Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<String>,
}

/// Tokens read from the cache and written to it are counted beside `input_tokens`, not in it.
#[derive(Debug, Default, Deserialize)]
struct TokenCounts {
    #[serde(default, rename = "input_tokens")]
    input: u64,
    #[serde(default, rename = "cache_creation_input_tokens")]
    cache_written: Option<u64>,
    #[serde(default, rename = "cache_read_input_tokens")]
    cache_read: Option<u64>,
    #[serde(default, rename = "output_tokens")]
    output: u64,
    #[serde(default, rename = "output_tokens_details")]
    output_details: Option<OutputDetails>,
}

#[derive(Debug, Default, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

impl From<TokenCounts> for Usage {
    fn from(counts: TokenCounts) -> Self {
        let thinking = counts.output_details.and_then(|details| details.thinking_tokens);
        let cached = counts.cache_read.unwrap_or_default();
        let written = counts.cache_written.unwrap_or_default();
        Self {
            input_tokens: counts.input.saturating_add(cached).saturating_add(written),
            cached_tokens: cached,
            written_tokens: written,
            output_tokens: counts.output,
            reasoning_tokens: thinking.unwrap_or_default(),
            cost_usd: None,
        }
    }
}
