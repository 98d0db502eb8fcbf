//! Models asked by batches, through the real binary and a provider over HTTP that keeps its batches.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use upstream::process::{Ending, ProcessRunner, SystemProcessRunner};
use upstream::{Clock as _, SystemClock};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::batch_objects::{file, file_batch, message, message_batch, message_line};
use crate::providers::{answer, runtime};
use crate::world::{Ran, World};

const KEY: &str = "sk-batches";

/// Which interface the provider speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Anthropic,
    Responses,
    Chat,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Responses => "responses",
            Self::Chat => "chat",
        }
    }

    fn endpoint(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/messages",
            Self::Responses => "/v1/responses",
            Self::Chat => "/v1/chat/completions",
        }
    }
}

/// How a batch stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    UnderWay,
    Answered,
    Expired,
    Invalid,
}

#[derive(Debug)]
struct FakeBatch {
    id: String,
    metadata: Value,
    requests: Vec<(String, Value)>,
    fate: Fate,
    made_s: i64,
}

/// What the provider has.
#[derive(Debug)]
struct Books {
    kind: Kind,
    batches: Vec<FakeBatch>,
    files: Vec<(String, String)>,
    /// Requests that are not as the interface wants them.
    invalid: Vec<String>,
}

#[derive(Debug, Clone)]
struct Provider(Arc<Mutex<Books>>);

impl Provider {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }

    /// All batches come to this.
    fn end(&self, fate: Fate) {
        for batch in &mut self.books().batches {
            if batch.fate == Fate::UnderWay {
                batch.fate = fate;
            }
        }
    }

    /// How many batches were made, with how many requests.
    fn made(&self) -> Vec<usize> {
        let books = self.books();
        assert_eq!(books.invalid, Vec::<String>::new(), "requests that are not as documented");
        books.batches.iter().map(|batch| batch.requests.len()).collect()
    }
}

impl Books {
    fn new_batch(&mut self, metadata: Value, requests: Vec<(String, Value)>) -> Value {
        let names: std::collections::BTreeSet<&String> = requests.iter().map(|(name, _)| name).collect();
        let odd = |name: &&&String| {
            name.is_empty()
                || name.len() > 64
                || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        };
        if names.len() != requests.len() || names.iter().any(|name| odd(&name)) {
            self.invalid.push(format!("names: {names:?}"));
        }
        let batch = FakeBatch {
            id: format!("batch_{}", self.batches.len() + 1),
            metadata,
            requests,
            fate: Fate::UnderWay,
            made_s: SystemClock.now_ms().div_euclid(1000),
        };
        let told = self.told(&batch);
        self.batches.push(batch);
        told
    }

    fn told(&self, batch: &FakeBatch) -> Value {
        if self.kind == Kind::Anthropic {
            let made = jiff::Timestamp::from_second(batch.made_s).unwrap().to_string();
            return message_batch(&batch.id, &made, batch.fate != Fate::UnderWay, batch.requests.len());
        }
        let status = match batch.fate {
            Fate::UnderWay => "in_progress",
            Fate::Answered => "completed",
            Fate::Expired => "expired",
            Fate::Invalid => "failed",
        };
        file_batch(&batch.id, self.kind.endpoint(), (status, batch.made_s), &batch.metadata)
    }

    fn results(&self, id: &str) -> String {
        let batch = self.batches.iter().find(|batch| batch.id == id).unwrap();
        let line = |(name, body): &(String, Value)| {
            let reply = (batch.fate != Fate::Expired).then(|| self.reply(body));
            match self.kind {
                Kind::Anthropic => message_line(name, reply.as_ref()),
                Kind::Responses | Kind::Chat => file_line(name, reply.as_ref()),
            }
        };
        batch.requests.iter().flat_map(|request| [line(request).to_string(), "\n".to_owned()]).collect()
    }

    /// The answer to a request, as by itself.
    fn reply(&self, body: &Value) -> Value {
        match self.kind {
            Kind::Anthropic => message(&answer(body["messages"][0]["content"].as_str().unwrap())),
            Kind::Responses => json!({
                "id": "resp_1", "object": "response", "status": "completed",
                "output": [{ "type": "message", "role": "assistant", "content": [
                    { "type": "output_text", "text": answer(body["input"].as_str().unwrap()) }
                ] }],
                "usage": { "input_tokens": 1200, "output_tokens": 80 },
            }),
            Kind::Chat => json!({
                "id": "chatcmpl-1", "object": "chat.completion", "model": "test-model",
                "choices": [{ "index": 0, "finish_reason": "stop", "message": {
                    "role": "assistant", "content": answer(body["messages"][1]["content"].as_str().unwrap())
                } }],
                "usage": { "prompt_tokens": 1200, "completion_tokens": 80 },
            }),
        }
    }

    fn post(&mut self, path: &str, request: &Request) -> Value {
        match path {
            "/v1/messages/batches" => {
                let body: Value = request.body_json().unwrap();
                let requests = body["requests"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| (one["custom_id"].as_str().unwrap().to_owned(), one["params"].clone()));
                let requests = requests.collect();
                self.new_batch(Value::Null, requests)
            }
            "/v1/files" => {
                let form = String::from_utf8(request.body.clone()).unwrap();
                if !form.contains("name=\"purpose\"\r\n\r\nbatch\r\n") {
                    self.invalid.push("the purpose is not `batch`".to_owned());
                }
                let id = format!("file-{}", self.files.len() + 1);
                self.files.push((id.clone(), form));
                file(&id)
            }
            "/v1/batches" => {
                let body: Value = request.body_json().unwrap();
                if body["completion_window"] != "24h" || body["endpoint"] != self.kind.endpoint() {
                    self.invalid.push(format!("{body}"));
                }
                let file = self.files.iter().find(|(id, _)| *id == body["input_file_id"]).unwrap().1.clone();
                let lines = file.lines().filter(|line| line.starts_with('{'));
                let requests = lines.map(|line| {
                    let line: Value = serde_json::from_str(line).unwrap();
                    assert_eq!(
                        (&line["method"], &line["url"]),
                        (&json!("POST"), &json!(self.kind.endpoint()))
                    );
                    (line["custom_id"].as_str().unwrap().to_owned(), line["body"].clone())
                });
                let requests = requests.collect();
                self.new_batch(body["metadata"].clone(), requests)
            }
            other => panic!("nobody posts to {other}"),
        }
    }
}

/// A line of a file of results or of errors: with a response, or of a request that expired.
fn file_line(name: &str, body: Option<&Value>) -> Value {
    match body {
        Some(body) => json!({ "id": "r", "custom_id": name, "error": null,
            "response": { "status_code": 200, "request_id": "q", "body": body } }),
        None => json!({ "id": "r", "custom_id": name, "response": null,
            "error": { "code": "batch_expired", "message": "too late" } }),
    }
}

impl Respond for Provider {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut books = self.books();
        let key = request.headers.get("x-api-key").or_else(|| request.headers.get("authorization"));
        let key = key.map(|value| value.to_str().unwrap().trim_start_matches("Bearer ").to_owned());
        if key.as_deref() != Some(KEY) {
            books.invalid.push(format!("another key: {key:?}"));
        }
        let path = request.url.path().to_owned();
        if request.method.as_str() == "POST" {
            return ResponseTemplate::new(200).set_body_json(books.post(&path, request));
        }
        let rest = path.trim_start_matches("/v1/messages").trim_start_matches("/v1");
        if rest == "/batches" {
            let data: Vec<Value> = books.batches.iter().rev().map(|batch| books.told(batch)).collect();
            return ResponseTemplate::new(200).set_body_json(json!({ "data": data, "has_more": false }));
        }
        if let Some(id) = rest.strip_prefix("/files/output-").and_then(|rest| rest.strip_suffix("/content")) {
            return ResponseTemplate::new(200).set_body_string(books.results(id));
        }
        let rest = rest.strip_prefix("/batches/").unwrap();
        if let Some(id) = rest.strip_suffix("/results") {
            return ResponseTemplate::new(200).set_body_string(books.results(id));
        }
        let batch = books.batches.iter().find(|batch| batch.id == rest).unwrap();
        ResponseTemplate::new(200).set_body_json(books.told(batch))
    }
}

/// A port whose model is asked by batches, and its provider.
struct Scene {
    world: World,
    provider: Provider,
    _server: MockServer,
    _runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn new(kind: Kind, more: &str) -> Self {
        let runtime = runtime();
        let server = runtime.block_on(MockServer::start());
        let books = Books { kind, batches: Vec::new(), files: Vec::new(), invalid: Vec::new() };
        let provider = Provider(Arc::new(Mutex::new(books)));
        runtime.block_on(Mock::given(any()).respond_with(provider.clone()).mount(&server));
        let world = World::new();
        let model = format!(
            "\n[[translate.model]]\nname = \"later\"\nkind = \"{}\"\nmodel = \"test-model\"\nbase-url = \"{}/v1\"\n\
             api-key-env = \"BATCH_KEY\"\nbatch = true\nprice = {{ input = 1000.0, output = 1000.0 }}\n{more}",
            kind.word(),
            server.uri(),
        );
        world.write("port/tidelock.toml", &(world.read("port/tidelock.toml") + &model));
        world.commit("port", "asked by batches");
        Self { world, provider, _server: server, _runtime: runtime }
    }

    fn wraps(kind: Kind) -> Self {
        let scene = Self::new(kind, "");
        scene.world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
        scene
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let invocation = self.world.invocation("port", arguments).env("BATCH_KEY", KEY);
        Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() }
    }

    fn sync(&self) -> Ran {
        self.run(&["sync"])
    }

    /// Dies at a point as by `kill -9`.
    fn killed_at(&self, point: &str) {
        let invocation = self.world.invocation("port", &["sync"]).env("BATCH_KEY", KEY);
        let finished =
            SystemProcessRunner::default().run(&invocation.env("TIDELOCK_TEST_STOP_AT", point)).unwrap();
        assert_eq!(finished.ending, Ending::Signalled(9), "{point}: {}", finished.tail(9));
    }

    fn is_ported(&self) -> bool {
        self.world.read("port/tally/__init__.py").contains("% 256")
    }

    /// What is kept of batches, below the folder of the model.
    fn kept(&self, kind: &str) -> usize {
        let folder = self.world.path("port/.tidelock/batches");
        let models = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        models.map(|model| std::fs::read_dir(model.join(kind)).map_or(0, Iterator::count)).sum()
    }
}

#[test]
fn a_sync_sends_a_batch_and_a_later_one_lands_what_was_answered_at_half_the_price() {
    for kind in [Kind::Anthropic, Kind::Responses, Kind::Chat] {
        let scene = Scene::wraps(kind);
        let dry = scene.run(&["sync", "--dry-run"]);
        assert_eq!(scene.provider.made(), Vec::<usize>::new(), "a dry run sends nothing: {dry}");
        let asked = scene.sync();
        assert_eq!(asked.code(), 5, "{asked}");
        assert!(asked.stdout().contains("waits for a batch of `later`"), "{asked}");
        assert_eq!(scene.provider.made(), [1]);
        let status = scene.run(&["status", "--offline"]);
        assert!(
            status.stdout().contains("waiting for a batch: later: 1 prompt sent in 1 batch, since"),
            "{status}"
        );
        let json = scene.run(&["status", "--offline", "--format", "json"]).json();
        assert_eq!(json["batches"][0]["sent"], 1);
        let nothing = scene.sync();
        assert_eq!(nothing.code(), 3, "{nothing}");
        assert!(nothing.stderr().contains("waiting for a batch: later"), "{nothing}");

        scene.provider.end(Fate::Answered);
        let landed = scene.sync();
        assert_eq!(landed.code(), 0, "{landed}");
        assert!(scene.is_ported());
        let record = scene.run(&["report", "--render", "json"]).json();
        let attempt =
            record["revisions"][0]["units"][0]["attempts"].as_array().unwrap().last().unwrap().clone();
        let cost = attempt["cost_usd"].as_f64().unwrap();
        assert!((cost - 0.64).abs() < 1e-9, "1280 tokens at 500 a million: {attempt}");
        assert_eq!(scene.sync().code(), 3, "nothing waits any more");
        assert_eq!(scene.provider.made(), [1], "bought once");
        assert_eq!((scene.kept("asked"), scene.kept("sent"), scene.kept("answers")), (0, 0, 0));
        assert_eq!(scene.world.tidelock(&["status", "--offline"]).code(), 0, "no key is needed to look");
    }
}

#[test]
fn a_sync_that_is_killed_around_a_batch_buys_nothing_twice() {
    for kind in [Kind::Anthropic, Kind::Responses] {
        for point in ["batch: recorded", "batch: made", "batch: stored"] {
            let scene = Scene::wraps(kind);
            scene.killed_at(point);
            let again = scene.sync();
            assert!([3, 5].contains(&again.code()), "{point}: {again}");
            assert_eq!(scene.provider.made(), [1], "{kind:?} {point}: {again}");
            scene.provider.end(Fate::Answered);
            if point == "batch: stored" {
                scene.killed_at("batch: an answer is kept");
            }
            let landed = scene.sync();
            assert_eq!(landed.code(), 0, "{kind:?} {point}: {landed}");
            assert!(scene.is_ported());
            assert_eq!(scene.provider.made(), [1], "{kind:?} {point}");
        }
    }
}

#[test]
fn a_folder_that_was_lost_is_made_up_for_by_the_provider() {
    for kind in [Kind::Anthropic, Kind::Chat] {
        let scene = Scene::wraps(kind);
        assert_eq!(scene.sync().code(), 5);
        std::fs::remove_dir_all(scene.world.path("port/.tidelock/batches")).unwrap();
        let found = scene.run(&["sync", "--retry"]);
        assert!(found.stderr().contains("found at the provider"), "{found}");
        assert_eq!(scene.provider.made(), [1], "{found}");
        scene.provider.end(Fate::Answered);
        let landed = scene.sync();
        assert_eq!(landed.code(), 0, "{landed}");
        assert!(scene.is_ported());
        assert_eq!(scene.provider.made(), [1], "{kind:?}: {landed}");
    }
}

#[test]
fn what_expired_goes_into_the_next_batch() {
    for kind in [Kind::Anthropic, Kind::Responses] {
        let scene = Scene::wraps(kind);
        assert_eq!(scene.sync().code(), 5);
        scene.provider.end(Fate::Expired);
        let again = scene.sync();
        assert_eq!(again.code(), 5, "{again}");
        assert!(again.stderr().contains("can be sent again: the batch expired"), "{again}");
        assert_eq!(scene.provider.made(), [1, 1]);
        scene.provider.end(Fate::Answered);
        let landed = scene.sync();
        assert_eq!(landed.code(), 0, "{landed}");
        assert!(scene.is_ported());
    }
}

#[test]
fn a_batch_that_is_refused_as_a_whole_is_told_and_not_sent_again_by_itself() {
    let scene = Scene::wraps(Kind::Responses);
    assert_eq!(scene.sync().code(), 5);
    scene.provider.end(Fate::Invalid);
    let told = scene.sync();
    assert_eq!(told.code(), 5, "{told}");
    assert!(
        told.stderr().contains("refused a whole batch") && told.stderr().contains("no such model"),
        "{told}"
    );
    assert!(told.stdout().contains("it could not be told"), "{told}");
    assert_eq!(scene.sync().code(), 3);
    assert_eq!(scene.provider.made(), [1]);
    let asked = scene.run(&["sync", "--retry"]);
    assert_eq!(asked.code(), 5, "{asked}");
    assert_eq!(scene.provider.made(), [1, 1], "a person asked for it");
}

#[test]
fn what_does_not_fit_the_budget_is_not_sent() {
    let scene = Scene::new(Kind::Anthropic, "\n[translate.budget]\nrun-usd = 0.5\n");
    scene.world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let parked = scene.sync();
    assert_eq!(parked.code(), 5, "{parked}");
    assert!(parked.stdout().contains("the budget of the run is used up: with what is asked"), "{parked}");
    assert_eq!(scene.provider.made(), Vec::<usize>::new());
}

#[test]
fn what_is_given_up_is_not_sent_and_what_came_for_it_is_kept_and_counted() {
    let scene = Scene::wraps(Kind::Anthropic);
    // A backlog of two: what was asked at the first is another question at the second.
    scene.world.upstream_changes("n.wrapping_add(1)", "n.wrapping_add(1) & 0x7f", "bump is short");
    let asked = scene.sync();
    assert_eq!(asked.code(), 5, "{asked}");
    assert_eq!(scene.provider.made(), [1], "only the newest is asked");
    assert!(asked.stderr().contains("not sent, because nobody asks any more: 1 prompt"), "{asked}");
    scene.provider.end(Fate::Answered);
    scene.world.upstream_changes("n.wrapping_add(1) & 0x7f", "n.wrapping_add(1)", "bump is long");
    let other = scene.sync();
    assert_eq!(other.code(), 5, "{other}");
    assert!(
        other.stderr().contains("1 answer came that nobody asks for any more; kept, and 0.6400 USD"),
        "{other}"
    );
    assert_eq!((scene.kept("unused"), scene.kept("answers")), (1, 0));
    assert_eq!(scene.provider.made(), [1, 1]);
    scene.provider.end(Fate::Answered);
    let landed = scene.sync();
    assert_eq!(landed.code(), 0, "{landed}");
    assert!(scene.is_ported());
}

#[test]
fn without_a_key_nothing_begins() {
    let scene = Scene::wraps(Kind::Responses);
    let before = scene.world.git("port", &["rev-parse", "HEAD"]);
    let ran = scene.world.tidelock(&["sync"]);
    assert!(ran.code() != 0 && ran.stderr().contains("BATCH_KEY"), "{ran}");
    assert_eq!(scene.world.git("port", &["rev-parse", "HEAD"]), before);
    assert_eq!(scene.provider.made(), Vec::<usize>::new());
}

#[test]
fn a_batch_is_for_servers_alone() {
    let world = World::new();
    let model = "\n[[translate.model]]\nname = \"people\"\nkind = \"inbox\"\nbatch = true\n";
    world.write("port/tidelock.toml", &(world.read("port/tidelock.toml") + model));
    let ran = world.tidelock(&["status", "--offline"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("`people` has no interface for batches"), "{ran}");
}
