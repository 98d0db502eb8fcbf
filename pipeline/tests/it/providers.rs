//! Models behind HTTP, through the real binary and a real server that speaks the providers' protocols.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use upstream::process::{ProcessRunner, SystemProcessRunner};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::world::{Ran, World};

const BUMP: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";

/// The answer to a prompt, as a model would read it.
pub(crate) fn answer(prompt: &str) -> String {
    let after = |mark: &str| {
        let rest =
            prompt.split_once(mark).unwrap_or_else(|| panic!("no `{mark}` in the prompt:\n{prompt}")).1;
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let nonce = after("\nNONCE: ");
    let sha = after("sym=tally.bump sha=");
    format!("@@TL {nonce} REPLACE sym=tally.bump sha={sha}\n{BUMP}\n@@END {nonce}\n@@DONE {nonce} n=1\n")
}

/// Answers as the documentation of `OpenAI` Chat Completions has it, after some refusals.
struct Chat {
    /// How many requests to refuse with 429 first.
    refusals: AtomicUsize,
}

impl Respond for Chat {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        if self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        {
            let error =
                json!({"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}});
            return ResponseTemplate::new(429).insert_header("retry-after", "0").set_body_json(error);
        }
        let body: Value = request.body_json().unwrap();
        assert_eq!(body["model"], "test-model");
        let prompt: String = body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["content"].as_str().unwrap())
            .collect();
        ResponseTemplate::new(200).set_body_json(json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "test-model",
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": answer(&prompt), "refusal": null}
            }],
            "usage": {
                "prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280,
                "prompt_tokens_details": {"cached_tokens": 1000}
            }
        }))
    }
}

/// Answers as Anthropic Messages documents it.
struct Messages;

impl Respond for Messages {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap();
        assert!(body["max_tokens"].as_u64().unwrap() > 0);
        assert!(body.get("temperature").is_none(), "no sampling parameters");
        assert!(body.to_string().contains("cache_control"), "the stable part is marked for the cache");
        let last = body["messages"].as_array().unwrap().last().unwrap();
        assert_eq!(last["role"], "user", "no prefill");
        let prompt = match &last["content"] {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().map(|part| part["text"].as_str().unwrap()).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => panic!("{last}"),
        };
        ResponseTemplate::new(200).set_body_json(json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "test-model",
            "content": [{"type": "text", "text": answer(&prompt)}],
            "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {
                "input_tokens": 200, "output_tokens": 80,
                "cache_creation_input_tokens": 0, "cache_read_input_tokens": 1000
            }
        }))
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn synced(world: &World, who: &str, key: (&str, &str)) -> Ran {
    let invocation = world.invocation("port", &["sync", "--translator", who]).env(key.0, key.1);
    Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() }
}

/// The last attempt of the only unit.
fn attempt(world: &World) -> Value {
    let record = world.tidelock(&["report", "--render", "json"]).json();
    record["revisions"][0]["units"][0]["attempts"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_chat_model_translates_and_its_usage_is_recorded_through_a_rate_limit() {
    let runtime = runtime();
    let server = runtime.block_on(MockServer::start());
    let model = Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .and(header("authorization", "Bearer sk-test-secret"))
        .respond_with(Chat { refusals: AtomicUsize::new(2) });
    runtime.block_on(model.mount(&server));

    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let who = format!("chat:test-model@{}/v1", server.uri());
    let ran = synced(&world, &who, ("OPENAI_API_KEY", "sk-test-secret"));
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
    let attempt = attempt(&world);
    assert_eq!((attempt["input_tokens"].clone(), attempt["output_tokens"].clone()), (json!(1200), json!(80)));
    assert_eq!(runtime.block_on(server.received_requests()).unwrap().len(), 3, "two refusals and an answer");
    let everything = world.git("port", &["log", "-p"]) + &ran.stdout() + &ran.stderr() + &attempt.to_string();
    assert!(!everything.contains("sk-test-secret"), "the key is nowhere to be read");
}

#[test]
fn an_anthropic_model_translates() {
    let runtime = runtime();
    let server = runtime.block_on(MockServer::start());
    let model = Mock::given(method("POST"))
        .and(path("/v1/messages"))
        .and(header("x-api-key", "sk-ant-test"))
        .and(header("anthropic-version", "2023-06-01"))
        .respond_with(Messages);
    runtime.block_on(model.mount(&server));

    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let who = format!("anthropic:test-model@{}/v1", server.uri());
    let ran = synced(&world, &who, ("ANTHROPIC_API_KEY", "sk-ant-test"));
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
}

#[test]
fn a_key_that_is_refused_is_told_and_nothing_is_judged() {
    let runtime = runtime();
    let server = runtime.block_on(MockServer::start());
    let error = json!({"error": {"message": "Incorrect API key provided", "type": "invalid_request_error"}});
    let refuse = Mock::given(method("POST")).respond_with(ResponseTemplate::new(401).set_body_json(error));
    runtime.block_on(refuse.mount(&server));

    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let ran = synced(&world, &format!("chat:m@{}/v1", server.uri()), ("OPENAI_API_KEY", "sk-wrong"));
    assert_eq!(ran.code(), 5, "{ran}");
    let attempt = attempt(&world);
    assert_eq!(attempt["verdict"], "inconclusive");
    assert!(attempt["findings"][0]["text"].as_str().unwrap().contains("401"), "{attempt:#}");
    assert_eq!(runtime.block_on(server.received_requests()).unwrap().len(), 1, "it is not asked again");
}
