//! What we write, and what our fake provider answers, against the types of the published SDKs.

use anyhow::{Context as _, Result};
use port::translate::batch::{
    BatchRequest, BatchTag, Endpoint, FileBatches, MessageBatches, RequestId, TaskId,
};
use port::translate::prompt::Prompt;
use port::translate::providers::ProviderSetup;
use port::translate::providers::chat::OutputCapField;
use serde_json::{Value, json};

use super::super::provider_faults::reply::Ending;
use super::super::provider_faults::request::Protocol;
use super::super::{Metric, Tell};
use super::python::Environment;
use super::{PROTOCOLS, format, origin, word};

#[path = "../../../../pipeline/tests/it/batch_objects.rs"]
mod objects;

/// Servers of reasoning models have this field beside what `OpenAI` documents, and so has the fake.
const OF_OTHERS: &str = "reasoning_content: unknown";

/// A value that is to be of a type of an SDK.
struct Shape {
    /// Which kind it is of, in metrics.
    group: String,
    /// The type's dotted name.
    of: String,
    value: Value,
    /// Whether it is one, or a broken one that must be found out.
    is_sound: bool,
}

impl Shape {
    fn sound(group: String, of: &str, value: Value) -> Self {
        Self { group, of: of.to_owned(), value, is_sound: true }
    }
}

/// Checks all of them, and tells what is wrong by kind.
pub(super) fn measure(sdks: &Environment, prompt: &Prompt, tell: &mut Tell<'_>) -> Result<()> {
    let mut shapes = requests(prompt)?;
    shapes.extend(replies()?);
    shapes.extend(batches(prompt)?);
    shapes.extend(broken(&shapes));
    let questions: Vec<Value> =
        shapes.iter().map(|shape| json!({ "do": "check", "as": shape.of, "value": shape.value })).collect();
    let mut counts: std::collections::BTreeMap<(&str, bool), (u32, u32)> = std::collections::BTreeMap::new();
    for (shape, answer) in shapes.iter().zip(sdks.ask(&questions)?) {
        let faults = answer["faults"].as_array().context("the SDKs give no faults")?;
        let known = |fault: &Value| fault.as_str().is_some_and(|fault| fault.ends_with(OF_OTHERS));
        let faults: Vec<&Value> = faults.iter().filter(|fault| !known(fault)).collect();
        let (all, wrong) = counts.entry((&shape.group, shape.is_sound)).or_default();
        *all += 1;
        if faults.is_empty() == shape.is_sound {
            continue;
        }
        *wrong += 1;
        let told = format!("providers.sdk.{}: {}: {faults:?}: {}", shape.group, shape.of, shape.value);
        tell(Metric::told(told, 1.0, "values"))?;
    }
    for ((group, is_sound), (all, wrong)) in counts {
        let name = |what: &str| format!("providers.sdk.{group}.{what}");
        let (of, amiss) = if is_sound { ("checked", "invalid") } else { ("broken", "broken_not_found") };
        tell(Metric::at_least(name(of), all.into(), "values", 1.0))?;
        tell(Metric::at_most(name(amiss), wrong.into(), "values", 0.0))?;
    }
    Ok(())
}

/// Each body that a translator may write.
fn requests(prompt: &Prompt) -> Result<Vec<Shape>> {
    let bare = Prompt { stable: String::new(), ..prompt.clone() };
    let mut shapes = Vec::new();
    for protocol in PROTOCOLS {
        for stream in [false, true] {
            for own in [false, true] {
                for prompt in [prompt, &bare] {
                    let cap =
                        if own { OutputCapField::MaxCompletionTokens } else { OutputCapField::MaxTokens };
                    let body = format(protocol, setup(stream), cap, own).request(prompt)?.body;
                    let body = serde_json::from_slice(&body)?;
                    shapes.push(Shape::sound(
                        format!("{}.requests", word(protocol)),
                        asked(protocol, stream),
                        body,
                    ));
                }
            }
        }
    }
    Ok(shapes)
}

fn setup(stream: bool) -> ProviderSetup {
    ProviderSetup {
        base_url: "http://127.0.0.1/v1".to_owned(),
        model: "m-1".to_owned(),
        key: None,
        output_tokens_max: 4096,
        stream,
    }
}

/// The type of a request.
fn asked(protocol: Protocol, stream: bool) -> &'static str {
    match (protocol, stream) {
        (Protocol::Messages, false) => {
            "anthropic.types.message_create_params.MessageCreateParamsNonStreaming"
        }
        (Protocol::Messages, true) => "anthropic.types.message_create_params.MessageCreateParamsStreaming",
        (Protocol::Responses, false) => {
            "openai.types.responses.response_create_params.ResponseCreateParamsNonStreaming"
        }
        (Protocol::Responses, true) => {
            "openai.types.responses.response_create_params.ResponseCreateParamsStreaming"
        }
        (Protocol::Chat, false) => {
            "openai.types.chat.completion_create_params.CompletionCreateParamsNonStreaming"
        }
        (Protocol::Chat, true) => {
            "openai.types.chat.completion_create_params.CompletionCreateParamsStreaming"
        }
    }
}

/// Each way in which the fake provider answers, whole and as events.
fn replies() -> Result<Vec<Shape>> {
    let mut shapes = Vec::new();
    for protocol in PROTOCOLS {
        let (whole, event) = match protocol {
            Protocol::Messages => ("anthropic.types.Message", "anthropic.types.RawMessageStreamEvent"),
            Protocol::Responses => {
                ("openai.types.responses.Response", "openai.types.responses.ResponseStreamEvent")
            }
            Protocol::Chat => ("openai.types.chat.ChatCompletion", "openai.types.chat.ChatCompletionChunk"),
        };
        for ending in [Ending::Whole, Ending::Truncated, Ending::Refused, Ending::ReasoningOnly] {
            let reply = origin::reply(ending);
            let group = |what: &str| format!("{}.{what}", word(protocol));
            shapes.push(Shape::sound(group("answers"), whole, reply.value(protocol)));
            for data in reply.events(protocol) {
                if data != "[DONE]" {
                    shapes.push(Shape::sound(group("events"), event, serde_json::from_str(&data)?));
                }
            }
        }
    }
    Ok(shapes)
}

/// What makes batches, and what our fake provider of batches tells of them.
fn batches(prompt: &Prompt) -> Result<Vec<Shape>> {
    let task = TaskId::new(&"a".repeat(32)).context("a task of digits")?;
    let id = RequestId::new(&BatchTag::of("port", "model"), task, "abcd1234");
    let requests = |protocol| -> Result<Vec<BatchRequest>> {
        let body =
            format(protocol, setup(false), OutputCapField::MaxCompletionTokens, true).request(prompt)?.body;
        Ok(vec![BatchRequest { id: id.clone(), body: serde_json::from_slice(&body)? }])
    };
    let creation = MessageBatches::creation(&requests(Protocol::Messages)?);
    let of = "anthropic.types.messages.batch_create_params.BatchCreateParams";
    let mut shapes = vec![Shape::sound("batches.requests".to_owned(), of, creation)];
    for (protocol, endpoint) in
        [(Protocol::Responses, Endpoint::Responses), (Protocol::Chat, Endpoint::ChatCompletions)]
    {
        let interface = FileBatches { setup: setup(false), endpoint };
        let of = "openai.types.batch_create_params.BatchCreateParams";
        let creation = interface.creation("file-1", "a-name");
        shapes.push(Shape::sound("batches.requests".to_owned(), of, creation));
        // A line of the file has no type; what it holds has.
        for request in requests(protocol)? {
            let body = interface.line(&request).get("body").cloned().unwrap_or_default();
            shapes.push(Shape::sound("batches.requests".to_owned(), asked(protocol, false), body));
        }
    }
    let made = "2026-11-20T10:00:00Z";
    let mut told = |of: &str, value| shapes.push(Shape::sound("batches.answers".to_owned(), of, value));
    for is_ended in [false, true] {
        told("anthropic.types.messages.MessageBatch", objects::message_batch("b", made, is_ended, 1));
    }
    for message in [None, Some(objects::message("text"))] {
        let line = objects::message_line(&id.to_string(), message.as_ref());
        told("anthropic.types.messages.MessageBatchIndividualResponse", line);
    }
    for status in ["in_progress", "completed", "expired", "failed"] {
        let at = (status, 1_795_000_000);
        let batch = objects::file_batch("b", "/v1/responses", at, &json!({ "tidelock": "a-name" }));
        told("openai.types.Batch", batch);
    }
    told("openai.types.FileObject", objects::file("file-1"));
    Ok(shapes)
}

/// One value of each kind, with a field too many: a check that finds nothing is none.
fn broken(shapes: &[Shape]) -> Vec<Shape> {
    let mut groups: Vec<&str> = shapes.iter().map(|shape| shape.group.as_str()).collect();
    groups.dedup();
    let first = |group: &str| shapes.iter().find(|shape| shape.group == group);
    let mut broken = Vec::new();
    for shape in groups.into_iter().filter_map(first) {
        let damaged = |damage: &dyn Fn(&mut serde_json::Map<String, Value>)| {
            let mut value = shape.value.clone();
            if let Some(fields) = value.as_object_mut() {
                damage(fields);
            }
            Shape { group: shape.group.clone(), of: shape.of.clone(), value, is_sound: false }
        };
        broken.push(damaged(&|fields| {
            fields.insert("temprature".to_owned(), json!(1));
        }));
        // Every one of them has one of these fields; a number is none of them.
        broken.push(damaged(&|fields| {
            for name in ["model", "message", "response", "requests", "endpoint", "request_counts"] {
                if let Some(field) = fields.get_mut(name) {
                    *field = json!(7);
                }
            }
        }));
    }
    broken
}
