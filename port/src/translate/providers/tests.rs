use std::sync::Mutex;

use serde_json::{Value, json};
use upstream::ManualClock;

use super::anthropic::MessagesFormat;
use super::chat::{ChatFormat, OutputCapField};
use super::http::TransportError;
use super::responses::ResponsesFormat;
use super::*;
use crate::translate::Usage;
use crate::translate::model::Finish;

/// A transport that answers from a list and remembers what was sent.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<Vec<Result<HttpResponse, TransportError>>>,
    sent: Mutex<Vec<HttpRequest>>,
}

impl HttpTransport for Scripted {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.sent.lock().unwrap().push(request.clone());
        self.answers.lock().unwrap().remove(0)
    }
}

fn setup() -> ProviderSetup {
    ProviderSetup {
        base_url: "http://localhost:1/v1/".to_owned(),
        model: "m-1".to_owned(),
        key: Some(SecretString::from("sk-very-secret".to_owned())),
        output_tokens_max: 4000,
        stream: false,
    }
}

fn chat() -> ChatFormat {
    ChatFormat { setup: setup(), cap_field: OutputCapField::MaxCompletionTokens }
}

fn responses() -> ResponsesFormat {
    ResponsesFormat { setup: setup(), cache_key: true }
}

fn prompt() -> Prompt {
    Prompt {
        system: "rules".to_owned(),
        stable: "style".to_owned(),
        payload: "task".to_owned(),
        nonce: "n".to_owned(),
        prompt_version: "1".to_owned(),
        left_out: Vec::new(),
        blocks: Vec::new(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a transport gives, beside its errors in a list")]
fn response(status: u16, headers: &[(&str, &str)], body: &Value) -> Result<HttpResponse, TransportError> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(HttpResponse { status, headers, body: body.to_string().into_bytes() })
}

fn chat_reply(message: &Value, finish: &str) -> Value {
    json!({
        "id": "c-1", "object": "chat.completion", "created": 1, "model": "m-1",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
        "usage": {
            "prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050,
            "prompt_tokens_details": { "cached_tokens": 800 },
            "completion_tokens_details": { "reasoning_tokens": 20 },
        },
    })
}

fn messages_reply(content: &Value, stop: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m-1",
        "content": content, "stop_reason": stop, "stop_sequence": null,
        "usage": {
            "input_tokens": 100, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 800,
            "output_tokens": 40,
        },
    })
}

fn run(
    format: Box<dyn WireFormat>,
    answers: Vec<Result<HttpResponse, TransportError>>,
) -> (Result<Completion, ModelError>, usize, i64) {
    let transport = Arc::new(Scripted { answers: Mutex::new(answers), ..Scripted::default() });
    let clock = Arc::new(ManualClock::at(0));
    let model = HttpModel {
        name: "test".to_owned(),
        format,
        transport: transport.clone(),
        gateways: Vec::new(),
        retries: RetryPolicy::default(),
        clock: clock.clone(),
    };
    let result = model.complete(&prompt());
    let sent = transport.sent.lock().unwrap().len();
    (result, sent, clock.now_ms())
}

fn chat_completion(body: &Value) -> Result<Completion, ModelError> {
    chat().completion(body.to_string().as_bytes())
}

fn messages_completion(body: &Value) -> Result<Completion, ModelError> {
    MessagesFormat::new(setup()).completion(body.to_string().as_bytes())
}

#[test]
fn a_chat_request_is_as_documented() {
    let request = chat().request(&prompt()).unwrap();
    assert_eq!(request.url, "http://localhost:1/v1/chat/completions");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        json!({
            "model": "m-1",
            "messages": [
                { "role": "system", "content": "rules\n\nstyle" },
                { "role": "user", "content": "task" },
            ],
            "max_completion_tokens": 4000,
            "stream": false,
        })
    );
    let sent: Vec<String> =
        request.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
    assert_eq!(sent, ["content-type: application/json", "authorization: Bearer sk-very-secret"]);
}

#[test]
fn a_messages_request_marks_the_stable_part_for_the_cache() {
    let request = MessagesFormat::new(setup()).request(&prompt()).unwrap();
    assert_eq!(request.url, "http://localhost:1/v1/messages");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        json!({
            "model": "m-1",
            "max_tokens": 4000,
            "system": [
                { "type": "text", "text": "rules" },
                { "type": "text", "text": "style", "cache_control": { "type": "ephemeral" } },
            ],
            "messages": [{ "role": "user", "content": "task" }],
            "stream": false,
        })
    );
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["content-type", "anthropic-version", "x-api-key"]);
}

#[test]
fn an_empty_stable_part_is_no_block_of_its_own() {
    let prompt = Prompt { stable: String::new(), ..prompt() };
    let request = MessagesFormat::new(setup()).request(&prompt).unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body["system"],
        json!([{ "type": "text", "text": "rules", "cache_control": { "type": "ephemeral" } }])
    );
}

#[test]
fn a_key_shows_nowhere() {
    for format in [
        Box::new(chat()) as Box<dyn WireFormat>,
        Box::new(MessagesFormat::new(setup())),
        Box::new(responses()),
    ] {
        let request = format.request(&prompt()).unwrap();
        let shown = format!("{format:?} {request:?} {}", String::from_utf8_lossy(&request.body));
        assert!(!shown.contains("very-secret"), "{shown}");
        assert!(shown.contains("[redacted]"), "{shown}");
    }
}

#[test]
fn a_chat_reply_is_read_with_its_usage() {
    let completion =
        chat_completion(&chat_reply(&json!({ "role": "assistant", "content": "hi" }), "stop")).unwrap();
    let usage = Usage {
        input_tokens: 1000,
        cached_tokens: 800,
        output_tokens: 50,
        reasoning_tokens: 20,
        ..Usage::default()
    };
    assert_eq!(completion, Completion { text: "hi".to_owned(), usage, finish: Finish::Complete });
}

#[test]
fn a_messages_reply_counts_cached_tokens_among_its_input() {
    let content = json!([
        { "type": "thinking", "thinking": "hm", "signature": "s" },
        { "type": "text", "text": "a" },
        { "type": "text", "text": "b" },
    ]);
    let completion = messages_completion(&messages_reply(&content, "end_turn")).unwrap();
    let usage = Usage {
        input_tokens: 950,
        cached_tokens: 800,
        output_tokens: 40,
        written_tokens: 50,
        ..Usage::default()
    };
    assert_eq!(completion, Completion { text: "ab".to_owned(), usage, finish: Finish::Complete });
}

#[test]
fn what_is_written_to_the_cache_and_what_is_reasoning_is_counted_by_every_format() {
    let mut chat_body = chat_reply(&json!({ "content": "hi" }), "stop");
    chat_body["usage"]["prompt_tokens_details"]["cache_write_tokens"] = json!(120);
    let mut response = responses_reply("completed", &said("hi"), &Value::Null);
    response["usage"]["input_tokens_details"]["cache_write_tokens"] = json!(120);
    let mut message = messages_reply(&json!([{ "type": "text", "text": "hi" }]), "end_turn");
    message["usage"]["cache_creation_input_tokens"] = json!(120);
    message["usage"]["output_tokens_details"] = json!({ "thinking_tokens": 20 });
    let of_response = responses().completion(response.to_string().as_bytes());
    for completion in [chat_completion(&chat_body), of_response, messages_completion(&message)] {
        let usage = completion.unwrap().usage;
        assert_eq!((usage.written_tokens, usage.reasoning_tokens), (120, 20), "{usage:?}");
    }
}

#[test]
fn every_way_for_a_chat_reply_to_end_is_told_apart() {
    let finish =
        |message: Value, reason: &str| chat_completion(&chat_reply(&message, reason)).unwrap().finish;
    assert_eq!(finish(json!({ "content": "x" }), "length"), Finish::Truncated);
    assert_eq!(finish(json!({ "content": null }), "content_filter"), Finish::Refused);
    assert_eq!(finish(json!({ "content": null, "refusal": "no" }), "stop"), Finish::Refused);
    assert_eq!(finish(json!({ "content": "", "reasoning_content": "hm" }), "stop"), Finish::ReasoningOnly);
    assert_eq!(finish(json!({ "content": null, "reasoning": "hm" }), "stop"), Finish::ReasoningOnly);
    assert_eq!(finish(json!({ "content": "" }), "stop"), Finish::Complete);
    assert_eq!(finish(json!({ "content": "x" }), "tool_calls"), Finish::Other("tool_calls".to_owned()));
}

#[test]
fn every_way_for_a_messages_reply_to_end_is_told_apart() {
    let text = json!([{ "type": "text", "text": "x" }]);
    let finish =
        |content: &Value, stop: &str| messages_completion(&messages_reply(content, stop)).unwrap().finish;
    assert_eq!(finish(&text, "end_turn"), Finish::Complete);
    assert_eq!(finish(&text, "max_tokens"), Finish::Truncated);
    assert_eq!(finish(&text, "model_context_window_exceeded"), Finish::Truncated);
    assert_eq!(finish(&json!([]), "refusal"), Finish::Refused);
    assert_eq!(finish(&json!([{ "type": "thinking", "thinking": "hm" }]), "end_turn"), Finish::ReasoningOnly);
    assert_eq!(finish(&text, "pause_turn"), Finish::Other("pause_turn".to_owned()));
    assert_eq!(finish(&json!([]), "end_turn"), Finish::Complete);
}

#[test]
fn replies_that_are_not_as_documented_are_unreadable_and_not_asked_for_again() {
    let bodies: [&[u8]; 7] = [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"{\"choices\": []}",
        b"{\"choices\": 3}",
        b"{\"choices\": [{\"message\": {\"content\": 3}}]}",
    ];
    for body in bodies {
        let answers = vec![Ok(HttpResponse { status: 200, headers: Vec::new(), body: body.to_vec() })];
        let (result, sent, _) = run(Box::new(chat()), answers);
        assert!(matches!(result, Err(ModelError::Unreadable { .. })), "{result:?}");
        assert_eq!(sent, 1);
    }
    let error = MessagesFormat::new(setup()).completion(b"{\"content\": \"x\"}").unwrap_err();
    assert!(matches!(error, ModelError::Unreadable { .. }), "{error}");
}

#[test]
fn a_success_with_an_error_inside_is_no_empty_success() {
    let body = json!({ "error": { "message": "Provider returned error", "code": 502 }, "choices": [] });
    let good = chat_reply(&json!({ "content": "hi" }), "stop");
    let (result, sent, _) = run(Box::new(chat()), vec![response(200, &[], &body), response(200, &[], &good)]);
    assert_eq!(result.unwrap().text, "hi");
    assert_eq!(sent, 2);
    let body = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": "bad" } });
    assert!(matches!(messages_completion(&body), Err(ModelError::InvalidRequest { status: 400, .. })));
}

#[test]
fn a_limited_rate_is_waited_out() {
    let limited = json!({ "type": "error", "error": { "type": "rate_limit_error", "message": "slow down" } });
    let good = messages_reply(&json!([{ "type": "text", "text": "hi" }]), "end_turn");
    let answers = vec![response(429, &[("Retry-After", "20")], &limited), response(200, &[], &good)];
    let (result, sent, waited_ms) = run(Box::new(MessagesFormat::new(setup())), answers);
    assert_eq!((result.unwrap().text.as_str(), sent), ("hi", 2));
    assert!((20_000..=25_000).contains(&waited_ms), "{waited_ms}");
}

#[test]
fn a_provider_that_stays_away_is_given_up() {
    let answers = vec![
        Err(TransportError::TimedOut { after_ms: 1000 }),
        response(529, &[], &json!({ "error": { "type": "overloaded_error", "message": "busy" } })),
        Err(TransportError::Connection { reason: "refused".to_owned() }),
        response(503, &[], &Value::Null),
        response(500, &[], &Value::Null),
    ];
    let (result, sent, _) = run(Box::new(chat()), answers);
    let error = result.unwrap_err();
    assert!(matches!(error, ModelError::GaveUp { attempts: 5, .. }) && error.is_transient(), "{error}");
    assert_eq!(sent, 5);
}

#[test]
fn a_wrong_key_or_request_is_asked_once() {
    for status in [400, 401, 402, 403, 404, 413, 422] {
        let (result, sent, waited_ms) = run(Box::new(chat()), vec![response(status, &[], &Value::Null)]);
        assert!(!result.unwrap_err().is_transient(), "{status}");
        assert_eq!((sent, waited_ms), (1, 0), "{status}");
    }
}

#[test]
fn an_endless_response_is_a_typed_error() {
    let body = vec![b' '; RESPONSE_BYTES_MAX + 1];
    let answers = vec![Ok(HttpResponse { status: 200, headers: Vec::new(), body })];
    let (result, _, _) = run(Box::new(chat()), answers);
    assert!(matches!(result, Err(ModelError::Unreadable { .. })));
    let (result, _, _) = run(Box::new(chat()), vec![Err(TransportError::TooLarge { bytes_max: 5 })]);
    assert!(matches!(result, Err(ModelError::Unreadable { .. })));
}

fn responses_reply(status: &str, output: &Value, why: &Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1, "model": "m-1", "status": status, "error": null,
        "incomplete_details": why, "output": output,
        "usage": {
            "input_tokens": 1000, "input_tokens_details": { "cached_tokens": 800 },
            "output_tokens": 50, "output_tokens_details": { "reasoning_tokens": 20 }, "total_tokens": 1050,
        },
    })
}

fn said(text: &str) -> Value {
    json!([
        { "type": "reasoning", "id": "rs_1", "summary": [] },
        { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
          "content": [{ "type": "output_text", "text": text, "annotations": [] }] },
    ])
}

#[test]
fn a_responses_request_keeps_nothing_with_the_provider() {
    let request = responses().request(&prompt()).unwrap();
    assert_eq!(request.url, "http://localhost:1/v1/responses");
    let mut body: Value = serde_json::from_slice(&request.body).unwrap();
    let key = body.as_object_mut().unwrap().remove("prompt_cache_key").unwrap();
    assert!(key.as_str().unwrap().starts_with("tidelock-"), "{key}");
    assert_eq!(
        body,
        json!({
            "model": "m-1", "instructions": "rules\n\nstyle", "input": "task", "max_output_tokens": 4000,
            "store": false, "stream": false,
        })
    );
}

#[test]
fn every_way_for_a_response_to_end_is_told_apart() {
    let of = |body: &Value| responses().completion(body.to_string().as_bytes());
    let finish =
        |status: &str, output: &Value, why: Value| of(&responses_reply(status, output, &why)).unwrap().finish;
    let whole = of(&responses_reply("completed", &said("hi"), &Value::Null)).unwrap();
    let usage = Usage {
        input_tokens: 1000,
        cached_tokens: 800,
        output_tokens: 50,
        reasoning_tokens: 20,
        ..Usage::default()
    };
    assert_eq!(whole, Completion { text: "hi".to_owned(), usage, finish: Finish::Complete });
    let why = |reason: &str| json!({ "reason": reason });
    assert_eq!(finish("incomplete", &said("x"), why("max_output_tokens")), Finish::Truncated);
    assert_eq!(finish("incomplete", &said(""), why("content_filter")), Finish::Refused);
    let mut full = responses_reply("completed", &said("hi"), &Value::Null);
    full["usage"]["output_tokens"] = json!(4000);
    assert_eq!(of(&full).unwrap().finish, Finish::Truncated, "at the limit, whatever the server calls it");
    let reasoning = json!([{ "type": "reasoning", "id": "rs_1", "summary": [] }]);
    assert_eq!(finish("completed", &reasoning, Value::Null), Finish::ReasoningOnly);
    let refusal = json!([{ "type": "message", "content": [{ "type": "refusal", "refusal": "no" }] }]);
    assert_eq!(finish("completed", &refusal, Value::Null), Finish::Refused);
    assert_eq!(finish("in_progress", &Value::Null, Value::Null), Finish::Other("in_progress".to_owned()));
    let mut failed = responses_reply("failed", &json!([]), &Value::Null);
    failed["error"] = json!({ "code": "rate_limit_exceeded", "message": "slow down" });
    assert!(matches!(of(&failed), Err(ModelError::RateLimited { .. })));
    failed["error"] = Value::Null;
    assert!(matches!(of(&failed), Err(ModelError::Unreadable { .. })));
}

fn stream(events: &[Value]) -> Vec<u8> {
    let line = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or("x"));
    events.iter().map(line).collect::<String>().into_bytes()
}

/// The same answer as a stream of each format, with its last line, if it has one.
fn streams() -> [(Box<dyn WireFormat>, Vec<Value>, &'static str); 3] {
    let messages = vec![
        json!({ "type": "message_start", "message": { "usage": {
            "input_tokens": 100, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 850, "output_tokens": 1,
        } } }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "thinking", "thinking": "" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "thinking_delta", "thinking": "hm" } }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "content_block_start", "index": 1, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "ping" }),
        json!({ "type": "content_block_delta", "index": 1, "delta": { "type": "text_delta", "text": "a\n" } }),
        json!({ "type": "content_block_delta", "index": 1, "delta": { "type": "text_delta", "text": "b" } }),
        json!({ "type": "content_block_stop", "index": 1 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 50 } }),
        json!({ "type": "message_stop" }),
    ];
    let delta = |delta: Value, finish: Value| json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }], "usage": null });
    let chat_events = vec![
        delta(json!({ "role": "assistant", "content": "" }), Value::Null),
        delta(json!({ "reasoning_content": "hm" }), Value::Null),
        delta(json!({ "content": "a\n" }), Value::Null),
        delta(json!({ "content": "b" }), Value::Null),
        delta(json!({}), json!("stop")),
        json!({ "choices": [], "usage": { "prompt_tokens": 1000, "completion_tokens": 50,
            "prompt_tokens_details": { "cached_tokens": 850 } } }),
    ];
    let mut response = responses_reply("completed", &said("a\nb"), &Value::Null);
    response["usage"]["input_tokens_details"]["cached_tokens"] = json!(850);
    let responses_events = vec![
        json!({ "type": "response.created", "response": { "status": "in_progress", "error": null } }),
        json!({ "type": "response.output_text.delta", "delta": "a\n" }),
        json!({ "type": "response.completed", "response": response }),
    ];
    [
        (Box::new(MessagesFormat::new(setup())), messages, ""),
        (Box::new(chat()), chat_events, "data: [DONE]\n\n"),
        (Box::new(responses()), responses_events, ""),
    ]
}

#[test]
fn a_streamed_answer_is_the_answer() {
    for (format, events, last) in streams() {
        let mut body = stream(&events);
        body.extend_from_slice(last.as_bytes());
        let completion = format.completion(&body).unwrap();
        let Usage { input_tokens, cached_tokens, output_tokens, .. } = completion.usage;
        assert_eq!((completion.text.as_str(), completion.finish), ("a\nb", Finish::Complete), "{format:?}");
        assert_eq!((input_tokens, cached_tokens, output_tokens), (1000, 850, 50), "{format:?}");
    }
}

#[test]
fn a_stream_that_breaks_off_is_never_an_answer() {
    for (format, events, _) in streams() {
        let terminal = |event: &Value| {
            let text = event.to_string();
            ["end_turn", "message_stop", "\"stop\"", "response.completed"]
                .iter()
                .any(|word| text.contains(word))
        };
        let kept = events.iter().position(terminal).unwrap();
        for count in 1..=kept {
            let error = format.completion(&stream(&events[..count])).unwrap_err();
            assert!(error.is_transient(), "{count} {format:?}: {error}");
        }
        let mut failing = events[..kept].to_vec();
        failing.push(json!({ "type": "error", "error": { "type": "overloaded_error", "message": "busy" } }));
        assert!(format.completion(&stream(&failing)).unwrap_err().is_transient());
    }
}
