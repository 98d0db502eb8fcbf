//! The Responses format of `OpenAI`, which vLLM, llama.cpp and gateways speak too.
//!
//! Nothing is kept with the provider (`store` is false), no tools are offered, and no sampling parameters are
//! sent. The stable part of the prompt goes into `instructions`, which come first in the provider's cache.

use serde::Deserialize;
use serde_json::{Value, json};
use upstream::ContentHash;

use super::fault::{self, ErrorBody};
use super::http::{HeaderValue, HttpRequest};
use super::{ProviderSetup, WireFormat, encode, sse, unreadable};
use crate::translate::Usage;
use crate::translate::model::{Completion, Finish, ModelError};
use crate::translate::prompt::Prompt;

/// The format with one provider's particulars.
#[derive(Debug, Clone)]
pub struct ResponsesFormat {
    /// Which model, where, and with which key.
    pub setup: ProviderSetup,
    /// Whether to send `prompt_cache_key`, by which `OpenAI` itself brings requests of one prefix together.
    pub cache_key: bool,
}

impl WireFormat for ResponsesFormat {
    fn request(&self, prompt: &Prompt) -> Result<HttpRequest, ModelError> {
        let prefix = prompt.prefix();
        let mut body = json!({
            "model": self.setup.model,
            "input": prompt.payload,
            "max_output_tokens": self.setup.output_tokens_max,
            "store": false,
            "stream": self.setup.stream,
        });
        if self.cache_key {
            body["prompt_cache_key"] = json!(format!("tidelock-{}", ContentHash::of(&prefix).short()));
        }
        body["instructions"] = json!(prefix);
        let mut headers =
            vec![("content-type".to_owned(), HeaderValue::Plain("application/json".to_owned()))];
        if let Some(key) = &self.setup.key {
            let value = HeaderValue::Secret { prefix: "Bearer ", value: key.clone() };
            headers.push(("authorization".to_owned(), value));
        }
        Ok(HttpRequest::post(self.setup.url("responses"), headers, encode(&body)?))
    }

    fn completion(&self, body: &[u8]) -> Result<Completion, ModelError> {
        let value = if sse::is_stream(body) { last_response(sse::read(body)?)? } else { super::json(body)? };
        let response: Response = serde_json::from_value(value).map_err(|error| unreadable(&error))?;
        if response.status.as_deref() == Some("failed") {
            return Err(fault::of_body(&ErrorBody::of(&response.error.unwrap_or_default())));
        }
        let (mut text, mut has_reasoning, mut refused) = (String::new(), false, false);
        for item in response.output.into_iter().flatten() {
            match item.kind.as_str() {
                "reasoning" => has_reasoning = true,
                "message" => {
                    for part in item.content.into_iter().flatten() {
                        refused |= part.kind == "refusal";
                        if part.kind == "output_text" {
                            text.push_str(&part.text.unwrap_or_default());
                        }
                    }
                }
                // No tools are offered, so an item of any other kind is no part of an answer.
                _ => {}
            }
        }
        let why = response.incomplete_details.and_then(|details| details.reason);
        let usage: Usage = response.usage.unwrap_or_default().into();
        // llama.cpp calls an answer completed that its limit cut off, and so at times has `OpenAI`.
        let is_full = usage.output_tokens >= self.setup.output_tokens_max.into();
        let finish = match (response.status.as_deref(), why.as_deref()) {
            (_, Some("content_filter")) => Finish::Refused,
            (_, Some("max_output_tokens")) => Finish::Truncated,
            (_, Some(other)) => Finish::Other(other.to_owned()),
            _ if refused => Finish::Refused,
            _ if text.trim().is_empty() && has_reasoning => Finish::ReasoningOnly,
            (Some("completed"), None) if is_full => Finish::Truncated,
            (Some("completed"), None) => Finish::Complete,
            (Some(other), None) => Finish::Other(other.to_owned()),
            (None, None) => Finish::Other("no status".to_owned()),
        };
        Ok(Completion { text, usage, finish })
    }
}

/// The response in the last event, which has all of it.
fn last_response(events: sse::Events) -> Result<Value, ModelError> {
    let is_last = |event: &Value| {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        matches!(kind, "response.completed" | "response.incomplete" | "response.failed")
    };
    let last = events.values.into_iter().rev().find(is_last);
    let response = last.and_then(|mut event| event.get_mut("response").map(Value::take));
    response.ok_or_else(|| sse::broke_off("its last event is missing"))
}

#[derive(Debug, Deserialize)]
struct Response {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    incomplete_details: Option<Incomplete>,
    #[serde(default)]
    output: Option<Vec<Item>>,
    #[serde(default)]
    usage: Option<TokenCounts>,
}

#[derive(Debug, Deserialize)]
struct Incomplete {
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    content: Option<Vec<Part>>,
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct TokenCounts {
    #[serde(default, rename = "input_tokens")]
    input: u64,
    #[serde(default, rename = "output_tokens")]
    output: u64,
    #[serde(default)]
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Default, Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl From<TokenCounts> for Usage {
    fn from(counts: TokenCounts) -> Self {
        let sent = counts.input_tokens_details.unwrap_or_default();
        let reasoning = counts.output_tokens_details.and_then(|details| details.reasoning_tokens);
        Self {
            input_tokens: counts.input,
            cached_tokens: sent.cached_tokens.unwrap_or_default(),
            written_tokens: sent.cache_write_tokens.unwrap_or_default(),
            output_tokens: counts.output,
            reasoning_tokens: reasoning.unwrap_or_default(),
            cost_usd: None,
        }
    }
}
