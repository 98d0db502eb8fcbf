//! Both interfaces against answers as they are documented, and against answers that are not.

use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use upstream::{ManualClock, RevisionLabel};

use super::*;
use crate::edit::Answer;
use crate::translate::model::Finish;
use crate::translate::prompt::PromptBuilder;
use crate::translate::providers::ProviderSetup;
use crate::translate::providers::anthropic::MessagesFormat;
use crate::translate::providers::http::{
    HeaderValue, HttpMethod, HttpRequest, HttpResponse, HttpTransport, TransportError,
};
use crate::translate::providers::responses::ResponsesFormat;
use crate::translate::retry::RetryPolicy;
use crate::translate::testing::{CODEC, limit_request};
use crate::translate::{Feedback, Translation, TranslationRequest, Translator, Usage};

/// Answers from a list, and remembers what was asked.
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

impl Scripted {
    /// What was sent: method, address, body.
    fn sent(&self) -> Vec<(HttpMethod, String, String)> {
        let sent = self.sent.lock().unwrap();
        let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
        sent.iter().map(|one| (one.method, one.url.clone(), text(&one.body))).collect()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a transport gives, beside its errors in a list")]
fn ok(body: impl Into<String>) -> Result<HttpResponse, TransportError> {
    Ok(HttpResponse { status: 200, body: body.into().into_bytes(), ..HttpResponse::default() })
}

#[expect(clippy::unnecessary_wraps, reason = "likewise")]
fn refused(status: u16, message: &str) -> Result<HttpResponse, TransportError> {
    let body = json!({ "error": { "type": "x", "message": message } }).to_string().into_bytes();
    Ok(HttpResponse { status, body, ..HttpResponse::default() })
}

fn wire(answers: Vec<Result<HttpResponse, TransportError>>) -> (BatchWire, Arc<Scripted>) {
    let transport = Arc::new(Scripted { answers: Mutex::new(answers), sent: Mutex::default() });
    let wire = BatchWire {
        transport: transport.clone(),
        gateways: Vec::new(),
        retries: RetryPolicy { attempts_max: 3, ..RetryPolicy::default() },
        clock: Arc::new(ManualClock::at(0)),
    };
    (wire, transport)
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

fn messages() -> MessagesFormat {
    MessagesFormat::new(setup())
}

fn anthropic() -> MessageBatches {
    MessageBatches { format: messages() }
}

fn openai() -> FileBatches {
    FileBatches { setup: setup(), endpoint: Endpoint::Responses }
}

fn responses() -> ResponsesFormat {
    ResponsesFormat { setup: setup(), cache_key: false }
}

fn tag() -> BatchTag {
    BatchTag::of("tally-py", "opus")
}

fn task(digit: char) -> TaskId {
    TaskId::new(&digit.to_string().repeat(32)).unwrap()
}

fn requests() -> Vec<BatchRequest> {
    let request = |digit| BatchRequest {
        id: RequestId::new(&tag(), task(digit), "abcd1234"),
        body: json!({ "model": "m-1" }),
    };
    ['a', 'b'].map(request).into()
}

fn name(digit: char) -> String {
    RequestId::new(&tag(), task(digit), "abcd1234").to_string()
}

fn message_batch(id: &str, status: &str, url: Option<&str>) -> Value {
    json!({
        "id": id, "type": "message_batch", "processing_status": status,
        "created_at": "2026-11-20T10:00:00Z", "expires_at": "2026-11-21T10:00:00Z",
        "ended_at": null, "archived_at": null, "cancel_initiated_at": null, "results_url": url,
        "request_counts": { "processing": 1, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 0 },
    })
}

fn file_batch(id: &str, status: &str, fields: &Value) -> Value {
    let mut batch = json!({
        "id": id, "object": "batch", "endpoint": "/v1/responses", "input_file_id": "file-1",
        "completion_window": "24h", "status": status, "created_at": 1_795_000_000,
        "request_counts": { "total": 2, "completed": 0, "failed": 0 },
    });
    for (name, value) in fields.as_object().unwrap() {
        batch[name] = value.clone();
    }
    batch
}

fn message(text: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m-1",
        "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": { "input_tokens": 100, "output_tokens": 40 },
    })
}

fn response(text: &str) -> Value {
    json!({
        "id": "resp_1", "object": "response", "status": "completed",
        "output": [{ "type": "message", "content": [{ "type": "output_text", "text": text }] }],
        "usage": { "input_tokens": 100, "output_tokens": 40 },
    })
}

fn lines(values: &[Value]) -> String {
    values.iter().flat_map(|value| [value.to_string(), "\n".to_owned()]).collect()
}

#[test]
fn names_say_whose_they_are_and_are_as_both_interfaces_want_them() {
    let id = name('a');
    assert!(id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{id}");
    let read = RequestId::read(&tag(), &id).unwrap();
    assert_eq!((read.task, read.nonce.as_str()), (task('a'), "abcd1234"));
    assert_eq!(RequestId::read(&BatchTag::of("tally-py", "haiku"), &id), None, "another model's");
    assert_eq!(RequestId::read(&BatchTag::of("other", "opus"), &id), None, "another port's");
    for odd in ["", "tl-", "request-1", id.strip_suffix("-abcd1234").unwrap(), &format!("{id}/../x")] {
        assert_eq!(RequestId::read(&tag(), odd), None, "{odd}");
    }
    let batch = tag().batch(17, &[task('a')]);
    assert!(tag().is_of(&batch) && !BatchTag::of("other", "opus").is_of(&batch));
    assert!(batch.len() <= 512, "metadata holds no more");
}

#[test]
fn requests_are_parted_by_number_and_by_bytes_and_none_is_left_out() {
    assert!(parted(&[], (2, 10)).is_empty());
    assert_eq!(parted(&[1, 1, 1, 1, 1], (2, 10)), [0..2, 2..4, 4..5]);
    assert_eq!(
        parted(&[6, 4, 1, 12, 3], (9, 10)),
        [0..2, 2..3, 3..4, 4..5],
        "one that is too long goes alone"
    );
}

#[test]
fn anthropic_is_sent_the_requests_themselves_and_told_of_by_its_list() {
    let (wire, transport) = wire(vec![
        ok(message_batch("msgbatch_1", "in_progress", None).to_string()),
        ok(json!({ "data": [message_batch("msgbatch_1", "ended", None)], "has_more": false }).to_string()),
    ]);
    let batch = anthropic().create(&wire, "unused", &requests()).unwrap();
    assert_eq!((batch.id.as_str(), batch.requests, batch.name), ("msgbatch_1", Some(2), None));
    assert_eq!(batch.progress, BatchProgress::UnderWay);
    let listed = anthropic().list(&wire, batch.made_s).unwrap();
    assert_eq!(listed.len(), 1);
    let sent = transport.sent();
    assert_eq!(sent[0].1, "http://localhost:1/v1/messages/batches");
    let body: Value = serde_json::from_str(&sent[0].2).unwrap();
    let expected = json!([
        { "custom_id": name('a'), "params": { "model": "m-1" } },
        { "custom_id": name('b'), "params": { "model": "m-1" } },
    ]);
    assert_eq!(body, json!({ "requests": expected }));
    assert_eq!(
        (sent[1].0, sent[1].1.as_str()),
        (HttpMethod::Get, "http://localhost:1/v1/messages/batches?limit=1000")
    );
    let key = transport.sent.lock().unwrap()[1].headers.iter().any(|(name, value)| {
        name == "x-api-key"
            && matches!(value, HeaderValue::Secret { value, .. } if value.expose_secret() == "sk-very-secret")
    });
    assert!(key, "each request has the key");
}

#[test]
fn results_are_fetched_where_the_key_belongs_and_nowhere_else() {
    for (told, place) in [
        (
            Some("http://localhost:1/v1/messages/batches/m/results?page=1"),
            "http://localhost:1/v1/messages/batches/m/results?page=1",
        ),
        (Some("http://evil.example/results"), "http://localhost:1/v1/messages/batches/m/results"),
        (None, "http://localhost:1/v1/messages/batches/m/results"),
    ] {
        let (wire, _) = wire(vec![ok(message_batch("m", "ended", told).to_string())]);
        let batch = anthropic().look(&wire, "m").unwrap();
        let expected = BatchProgress::Ended { results: vec![place.to_owned()], absent: BatchFailure::Untold };
        assert_eq!(batch.progress, expected, "{told:?}");
    }
}

#[test]
fn openai_is_sent_a_file_and_then_a_batch_of_it_under_its_name() {
    let made = file_batch("batch_1", "validating", &json!({ "metadata": { "tidelock": "tl-x" } }));
    let (wire, transport) = wire(vec![
        refused(503, "try again: a second file costs nothing"),
        ok(json!({ "id": "file-1", "object": "file" }).to_string()),
        ok(made.to_string()),
    ]);
    let batch = openai().create(&wire, "tl-x", &requests()).unwrap();
    assert_eq!((batch.id.as_str(), batch.name.as_deref()), ("batch_1", Some("tl-x")));
    let sent = transport.sent();
    assert_eq!(
        sent.iter().map(|one| one.1.as_str()).collect::<Vec<_>>(),
        ["http://localhost:1/v1/files", "http://localhost:1/v1/files", "http://localhost:1/v1/batches",]
    );
    let form = &sent[1].2;
    assert!(
        form.contains("name=\"purpose\"\r\n\r\nbatch\r\n") && form.contains("filename=\"tl-x.jsonl\""),
        "{form}"
    );
    let file: Vec<Value> = form
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = |digit| json!({ "custom_id": name(digit), "method": "POST", "url": "/v1/responses", "body": { "model": "m-1" } });
    assert_eq!(file, [line('a'), line('b')]);
    let creation: Value = serde_json::from_str(&sent[2].2).unwrap();
    let expected = json!({
        "input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h",
        "metadata": { "tidelock": "tl-x" },
    });
    assert_eq!(creation, expected);
}

type Response = fn() -> Result<HttpResponse, TransportError>;

#[test]
fn a_batch_that_may_have_been_made_is_never_made_again_by_itself() {
    let broken = || Err(TransportError::Connection { reason: "closed".to_owned() });
    let file = || ok(json!({ "id": "file-1" }).to_string());
    let page = || ok("<html>");
    let cases: [(Response, bool); 6] = [
        (broken, false),
        (|| refused(500, "busy"), false),
        (page, false),
        (|| refused(400, "bad"), true),
        (|| refused(402, "pay"), true),
        (|| refused(401, "no key"), true),
    ];
    for (failure, is_known) in cases {
        let (line, transport) = wire(vec![failure()]);
        let error = anthropic().create(&line, "n", &requests()).unwrap_err();
        assert_eq!(matches!(error, CreateError::NotMade(_)), is_known, "{error}");
        assert_eq!(transport.sent().len(), 1, "sent once: {error}");
        let (line, transport) = wire(vec![file(), failure()]);
        let error = openai().create(&line, "n", &requests()).unwrap_err();
        assert_eq!(matches!(error, CreateError::NotMade(_)), is_known, "{error}");
        assert_eq!(transport.sent().len(), 2, "sent once: {error}");
    }
    // What was turned away at the door may come back.
    let made = ok(message_batch("m", "in_progress", None).to_string());
    let (line, transport) = wire(vec![refused(429, "slow down"), made]);
    assert_eq!(anthropic().create(&line, "n", &requests()).unwrap().id, "m");
    assert_eq!(transport.sent().len(), 2);
    // Without a file there is no batch.
    let (line, _) = wire(vec![broken(), broken(), broken()]);
    let error = openai().create(&line, "n", &requests()).unwrap_err();
    assert!(matches!(error, CreateError::NotMade(_)), "{error}");
}

#[test]
fn every_way_in_which_a_request_of_anthropic_ends_is_told_apart() {
    let errored = |kind: &str| json!({ "type": "errored", "error": { "type": "error", "error": { "type": kind, "message": "why" }, "request_id": "r" } });
    let line = |digit, result: Value| json!({ "custom_id": name(digit), "result": result });
    let text = lines(&[
        line('b', json!({ "type": "expired" })),
        line('a', json!({ "type": "succeeded", "message": message("hello") })),
        line('c', json!({ "type": "canceled" })),
        line('d', errored("invalid_request_error")),
        line('e', errored("overloaded_error")),
        line('f', json!({ "type": "pondering" })),
    ]);
    let (wire, _) = wire(vec![ok(text)]);
    let results = anthropic().results(&wire, &["http://localhost:1/r".to_owned()], &messages()).unwrap();
    let told: Vec<(String, &Result<_, _>)> =
        results.replies.iter().map(|(id, outcome)| (id.clone(), outcome)).collect();
    assert_eq!(told.len(), 5);
    assert_eq!(told[0], (name('b'), &Err(BatchFailure::Expired)));
    let answer = told[1].1.as_ref().unwrap();
    assert_eq!(
        (answer.text.as_str(), &answer.finish, answer.usage.output_tokens),
        ("hello", &Finish::Complete, 40)
    );
    assert_eq!(told[2].1, &Err(BatchFailure::Cancelled));
    let again: Vec<bool> = told
        .iter()
        .filter_map(|(_, outcome)| outcome.as_ref().err())
        .map(BatchFailure::may_be_sent_again)
        .collect();
    assert_eq!(again, [true, true, false, true], "a bad request stays bad");
    assert!(results.faults[0].contains("not as documented"), "{:?}", results.faults);
    assert!(!results.is_damaged, "a word that is new is no damage");
}

#[test]
fn every_way_in_which_a_request_of_openai_ends_is_told_apart() {
    let line = |digit, status: u16, body: Value| {
        json!({ "id": "batch_req_1", "custom_id": name(digit),
        "response": { "status_code": status, "request_id": "r", "body": body }, "error": null })
    };
    let failed = |digit, code: &str| {
        json!({ "id": "batch_req_1", "custom_id": name(digit), "response": null,
        "error": { "code": code, "message": "why" } })
    };
    let output = lines(&[line('a', 200, response("hello"))]);
    let errors = lines(&[
        failed('b', "batch_expired"),
        failed('c', "batch_cancelled"),
        line('d', 400, json!({ "error": { "message": "bad", "type": "invalid_request_error" } })),
        line('e', 429, json!({ "error": { "message": "slow", "type": "rate_limit" } })),
    ]);
    let (wire, transport) = wire(vec![
        ok(file_batch("b", "completed", &json!({ "output_file_id": "file-2", "error_file_id": "file-3" }))
            .to_string()),
        ok(output),
        ok(errors),
    ]);
    let BatchProgress::Ended { results, absent } = openai().look(&wire, "b").unwrap().progress else {
        panic!("it is over")
    };
    assert_eq!(absent, BatchFailure::Untold);
    let results = openai().results(&wire, &results, &responses()).unwrap();
    assert_eq!(transport.sent()[2].1, "http://localhost:1/v1/files/file-3/content");
    let outcome = |digit| &results.replies.iter().find(|(id, _)| *id == name(digit)).unwrap().1;
    assert_eq!(outcome('a').as_ref().unwrap().text, "hello");
    assert_eq!(outcome('b'), &Err(BatchFailure::Expired));
    assert_eq!(outcome('c'), &Err(BatchFailure::Cancelled));
    assert!(!outcome('d').as_ref().unwrap_err().may_be_sent_again());
    assert!(outcome('e').as_ref().unwrap_err().may_be_sent_again());
    assert!(results.faults.is_empty());
}

#[test]
fn results_that_are_cut_off_doubled_or_of_nobody_are_told_and_the_rest_is_read() {
    let line = |digit, text: &str| {
        json!({ "custom_id": name(digit), "result": { "type": "succeeded", "message": message(text) } })
            .to_string()
    };
    let whole = [line('a', "first"), String::new(), line('a', "second"), line('b', "x")].join("\n");
    let cut: String = whole.chars().take(whole.len() - 20).collect();
    let (wire, _) = wire(vec![ok(cut)]);
    let results = anthropic().results(&wire, &["http://localhost:1/r".to_owned()], &messages()).unwrap();
    assert!(results.is_damaged);
    let [(id, Ok(first))] = results.replies.as_slice() else { panic!("{results:?}") };
    assert_eq!((id, first.text.as_str()), (&name('a'), "first"), "the first counts");
    assert!(results.faults.iter().any(|fault| fault.contains("more than once")), "{:?}", results.faults);
    assert!(results.faults.iter().any(|fault| fault.contains("no JSON")), "{:?}", results.faults);
}

#[test]
fn an_answer_inside_which_is_an_error_or_the_key_is_none() {
    let line = |digit, message: Value| json!({ "custom_id": name(digit), "result": { "type": "succeeded", "message": message } });
    let text = lines(&[
        line('a', json!({ "error": { "type": "overloaded_error", "message": "busy" } })),
        line('b', json!({ "content": 7 })),
        line('c', message("my key is sk-very-secret")),
    ]);
    let (wire, _) = wire(vec![ok(text)]);
    let results = anthropic().results(&wire, &["http://localhost:1/r".to_owned()], &messages()).unwrap();
    let again: Vec<bool> = results
        .replies
        .iter()
        .map(|(_, outcome)| outcome.as_ref().unwrap_err().may_be_sent_again())
        .collect();
    assert_eq!(again, [true, false, false]);
    assert!(!format!("{results:?}").contains("sk-very-secret"));
}

#[test]
fn a_batch_that_fails_its_validation_says_why() {
    let errors = |codes: &[&str]| {
        let data: Vec<Value> =
            codes.iter().enumerate().map(|(at, code)| json!({ "code": code, "line": at + 1, "message": format!("why {code}"), "param": null })).collect();
        json!({ "errors": { "object": "list", "data": data } })
    };
    let look = |fields: &Value| {
        let (wire, _) = wire(vec![ok(file_batch("b", "failed", fields).to_string())]);
        openai().look(&wire, "b").unwrap().progress
    };
    let BatchProgress::Refused { reason, is_passing } = look(&errors(&["bad", "bad", "bad", "bad"])) else {
        panic!()
    };
    assert!(!is_passing);
    assert_eq!(reason, "line 1: why bad; line 2: why bad; line 3: why bad; and 1 more");
    assert!(matches!(
        look(&errors(&["token_limit_exceeded"])),
        BatchProgress::Refused { is_passing: true, .. }
    ));
    assert!(matches!(look(&json!({})), BatchProgress::Refused { is_passing: false, .. }));
    for (status, absent) in [("expired", BatchFailure::Expired), ("cancelled", BatchFailure::Cancelled)] {
        let (wire, _) = wire(vec![ok(file_batch("b", status, &json!({})).to_string())]);
        let expected = BatchProgress::Ended { results: Vec::new(), absent };
        assert_eq!(openai().look(&wire, "b").unwrap().progress, expected);
    }
}

#[test]
fn a_list_is_read_to_where_it_is_too_old() {
    let at = |id: &str, made_s: i64| {
        let mut batch = file_batch(id, "completed", &json!({}));
        batch["created_at"] = json!(made_s);
        batch
    };
    let page = |batches: &[Value], more: bool| {
        ok(json!({ "object": "list", "data": batches, "has_more": more }).to_string())
    };
    let (wire, transport) =
        wire(vec![page(&[at("b3", 30), at("b2", 20)], true), page(&[at("b1", 10)], true)]);
    let listed = openai().list(&wire, 15).unwrap();
    assert_eq!(listed.iter().map(|batch| batch.id.as_str()).collect::<Vec<_>>(), ["b3", "b2"]);
    assert_eq!(listed[0].name.as_deref(), Some(""), "one without a name of ours is another's");
    assert!(transport.sent()[1].1.ends_with("batches?limit=100&after=b2"));
}

/// A store that says what it is told to, and remembers what was gathered.
#[derive(Debug)]
struct OneStanding {
    standing: Standing,
    gathered: Mutex<Vec<Question>>,
}

impl BatchStore for OneStanding {
    fn peek(&self, _: &TaskId) -> Result<Standing, BatchStoreError> {
        Ok(self.standing.clone())
    }
    fn take(&self, _: &TaskId, _: &RevisionLabel) -> Result<Standing, BatchStoreError> {
        Ok(self.standing.clone())
    }
    fn gather(&self, question: Question) -> Result<(), BatchStoreError> {
        self.gathered.lock().unwrap().push(question);
        Ok(())
    }
    fn committed(&self) -> Usage {
        Usage::default()
    }
    fn waits(&self) -> String {
        "waits".to_owned()
    }
}

fn translator(standing: Standing) -> (BatchTranslator, Arc<OneStanding>) {
    let store = Arc::new(OneStanding { standing, gathered: Mutex::default() });
    let translator = BatchTranslator {
        name: "opus".to_owned(),
        identity: "m-1".to_owned(),
        prompts: Arc::new(PromptBuilder::new(CODEC).unwrap()),
        codec: CODEC,
        format: Box::new(messages()),
        store: store.clone(),
        price: None,
        output_tokens_max: 4000,
        attempts_max: 3,
    };
    (translator, store)
}

#[test]
fn a_question_waits_until_its_answer_is_there_and_is_read_by_the_word_it_was_sent_with() {
    let (unasked, store) = translator(Standing::Unasked);
    assert!(!unasked.is_bought(&limit_request()) && unasked.answers_later() && !unasked.may_be_asked_ahead());
    let waiting = unasked.translate(&limit_request()).unwrap();
    assert_eq!(waiting, Translation::Waiting { reason: "waits".to_owned() });
    let [question] = store.gathered.lock().unwrap().clone().try_into().unwrap();
    assert_eq!(question.body["stream"], false);
    assert!(question.body.to_string().contains(&question.nonce), "the prompt tells the word");
    let (under_way, store) = translator(Standing::UnderWay);
    assert!(under_way.is_bought(&limit_request()));
    assert!(matches!(under_way.translate(&limit_request()), Ok(Translation::Waiting { .. })));
    assert!(store.gathered.lock().unwrap().is_empty(), "it is sent once");
    // The prompt of today would have another word.
    let answer = Answer::NoChange { reason: "same".to_owned() };
    let completion = Completion {
        text: (CODEC.render)(&answer, "earlier"),
        usage: Usage::default(),
        finish: Finish::Complete,
    };
    let (answered, _) = translator(Standing::Answered { completion, nonce: "earlier".to_owned() });
    assert!(matches!(answered.translate(&limit_request()), Ok(Translation::Answered { .. })));
    let (failed, _) = translator(Standing::Failed { reason: "refused".to_owned() });
    assert!(failed.translate(&limit_request()).unwrap_err().reason.contains("refused"));
}

/// The task that a request is.
fn task_of(request: &TranslationRequest) -> TaskId {
    let (translator, store) = translator(Standing::Unasked);
    translator.translate(request).unwrap();
    let gathered = store.gathered.lock().unwrap();
    gathered[0].task.clone()
}

#[test]
fn a_question_stays_the_same_when_what_is_beside_it_moves_on_and_becomes_another_when_it_changes() {
    let request = limit_request();
    let mut later = limit_request();
    later.revision.label = RevisionLabel::new("1.2.0").unwrap();
    "release 1.2.0".clone_into(&mut later.revision.summary);
    "def other(): ...".clone_into(&mut later.digest);
    later.unit.reason.push_str(", and more");
    assert_eq!(task_of(&request), task_of(&later));
    let changed = |change: &dyn Fn(&mut TranslationRequest)| {
        let mut request = limit_request();
        change(&mut request);
        task_of(&request)
    };
    let feedback = |refused: &str, finding: &str| {
        let feedback = Feedback {
            stage: "numeric".to_owned(),
            findings: vec![finding.to_owned()],
            refused: refused.to_owned(),
        };
        changed(&|request| {
            request.attempt = 2;
            request.feedback = Some(feedback.clone());
        })
    };
    assert_eq!(feedback("a", "one"), feedback("a", "the same told otherwise"));
    let others = [
        task_of(&request),
        changed(&|request| request.attempt = 2),
        changed(&|request| request.candidate = 1),
        changed(&|request| request.wanted = vec![mappings::SymbolPath::new("pkg.x").unwrap()]),
        changed(&|request| request.symbols[0].text = Some("def clamp(x): pass".to_owned())),
        changed(&|request| request.style = "tersely".to_owned()),
        feedback("a", "one"),
        feedback("b", "one"),
    ];
    let different: std::collections::BTreeSet<&TaskId> = others.iter().collect();
    assert_eq!(different.len(), others.len());
}
