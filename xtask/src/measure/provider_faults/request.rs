//! What the three interfaces take, as far as a translator asks them, told in our own words.
//!
//! Sources: Anthropic, "Create a Message" (platform.claude.com, API reference: Messages); `OpenAI`, "Create a
//! model response" and "Create chat completion" (platform.openai.com, API reference). A field that is not told
//! here is refused, also where an interface would take it: sampling parameters among them.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// Which interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::measure) enum Protocol {
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
