//! The Chat Completions format of `OpenAI`, which Ollama, vLLM, llama.cpp and many gateways speak too.
//!
//! No sampling parameters are sent: newer models refuse them. The stable part of the prompt goes first, in
//! the system message, so that a provider's own prefix cache can hold it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{HeaderValue, HttpRequest};
use super::{ProviderSetup, WireFormat, encode, sse, unreadable};
use crate::translate::Usage;
use crate::translate::model::{Completion, Finish, ModelError};
use crate::translate::prompt::Prompt;

/// The address that `OpenAI` itself has.
pub const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// The field that bounds the answer. `OpenAI`'s own newer models want the second; servers of one's own
/// mostly know only the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputCapField {
    /// `max_tokens`
    MaxTokens,
    /// `max_completion_tokens`
    MaxCompletionTokens,
}

/// The format with one provider's particulars.
#[derive(Debug, Clone)]
pub struct ChatFormat {
    /// Which model, where, and with which key.
    pub setup: ProviderSetup,
    /// The field that bounds the answer.
    pub cap_field: OutputCapField,
}

impl WireFormat for ChatFormat {
    fn request(&self, prompt: &Prompt) -> Result<HttpRequest, ModelError> {
        let cap_field = match self.cap_field {
            OutputCapField::MaxTokens => "max_tokens",
            OutputCapField::MaxCompletionTokens => "max_completion_tokens",
        };
        let mut body = json!({
            "model": self.setup.model,
            "messages": [
                { "role": "system", "content": prompt.prefix() },
                { "role": "user", "content": prompt.payload },
            ],
            (cap_field): self.setup.output_tokens_max,
            "stream": self.setup.stream,
        });
        if self.setup.stream {
            body["stream_options"] = json!({ "include_usage": true });
        }
        let mut headers =
            vec![("content-type".to_owned(), HeaderValue::Plain("application/json".to_owned()))];
        if let Some(key) = &self.setup.key {
            let value = HeaderValue::Secret { prefix: "Bearer ", value: key.clone() };
            headers.push(("authorization".to_owned(), value));
        }
        Ok(HttpRequest::post(self.setup.url("chat/completions"), headers, encode(&body)?))
    }

    fn completion(&self, body: &[u8]) -> Result<Completion, ModelError> {
        let value = if sse::is_stream(body) { joined(sse::read(body)?)? } else { super::json(body)? };
        let response: Response = serde_json::from_value(value).map_err(|error| unreadable(&error))?;
        let usage = response.usage.unwrap_or_default().into();
        let Some(choice) = response.choices.into_iter().flatten().next() else {
            return Err(ModelError::Unreadable { reason: "there is no choice in it".to_owned() });
        };
        let message = choice.message.unwrap_or_default();
        let text = message.content.unwrap_or_default();
        let has_reasoning = [&message.reasoning_content, &message.reasoning]
            .iter()
            .any(|reasoning| reasoning.as_deref().is_some_and(|text| !text.is_empty()));
        let finish = match choice.finish_reason.as_deref() {
            Some("length") => Finish::Truncated,
            Some("content_filter") => Finish::Refused,
            _ if message.refusal.is_some_and(|refusal| !refusal.is_empty()) => Finish::Refused,
            _ if text.trim().is_empty() && has_reasoning => Finish::ReasoningOnly,
            Some("stop") => Finish::Complete,
            Some(other) => Finish::Other(other.to_owned()),
            None => Finish::Other("no finish reason".to_owned()),
        };
        Ok(Completion { text, usage, finish })
    }
}

/// The events of a stream as the one response that they are pieces of.
fn joined(events: sse::Events) -> Result<Value, ModelError> {
    let mut message = serde_json::Map::new();
    let (mut finish, mut usage) = (Value::Null, Value::Null);
    for mut event in events.values {
        if let Some(counted) = event.get_mut("usage").filter(|usage| !usage.is_null()) {
            usage = counted.take();
        }
        let Some(choice) = event.pointer("/choices/0") else { continue };
        if let Some(word) = choice.get("finish_reason").filter(|word| !word.is_null()) {
            finish = word.clone();
        }
        for name in ["content", "refusal", "reasoning_content", "reasoning"] {
            let Some(piece) = choice.pointer(&format!("/delta/{name}")).and_then(Value::as_str) else {
                continue;
            };
            if let Value::String(text) = message.entry(name).or_insert_with(|| json!("")) {
                text.push_str(piece);
            }
        }
    }
    if finish.is_null() && !events.done {
        return Err(sse::broke_off("neither a reason for its end nor `[DONE]` came"));
    }
    Ok(json!({ "choices": [{ "message": message, "finish_reason": finish }], "usage": usage }))
}

#[derive(Debug, Deserialize)]
struct Response {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<TokenCounts>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    /// Servers with reasoning models put the reasoning beside the content, under either name.
    #[serde(default)]
    reasoning_content: Option<String>,
    #[serde(default)]
    reasoning: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct TokenCounts {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<PromptTokenCounts>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionTokenCounts>,
}

#[derive(Debug, Default, Deserialize)]
struct PromptTokenCounts {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct CompletionTokenCounts {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl From<TokenCounts> for Usage {
    fn from(counts: TokenCounts) -> Self {
        let sent = counts.prompt_tokens_details.unwrap_or_default();
        let reasoning = counts.completion_tokens_details.and_then(|details| details.reasoning_tokens);
        Self {
            input_tokens: counts.prompt_tokens,
            cached_tokens: sent.cached_tokens.unwrap_or_default(),
            written_tokens: sent.cache_write_tokens.unwrap_or_default(),
            output_tokens: counts.completion_tokens,
            reasoning_tokens: reasoning.unwrap_or_default(),
            cost_usd: None,
        }
    }
}
