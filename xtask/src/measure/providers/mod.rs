//! Every protocol against a server that others wrote, the `LiteLLM` proxy, and against the types of the published SDKs.
//!
//! What Tidelock's own provider code reads from the proxy is held against what the SDKs of Anthropic and `OpenAI` read
//! when they send the same body; each body that it writes, and each answer that the fake provider of
//! `provider-faults` gives, is held against the SDKs' types. [`llama`] asks a real llama.cpp server.

mod llama;
mod origin;
mod python;
mod served;
mod shapes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use pipeline::chain::codec;
use pipeline::http::HttpClient;
use port::translate::model::{Completion, Finish, Model as _, ModelError};
use port::translate::prompt::{Prompt, PromptBuilder};
use port::translate::providers::anthropic::MessagesFormat;
use port::translate::providers::chat::{ChatFormat, OutputCapField};
use port::translate::providers::responses::ResponsesFormat;
use port::translate::providers::{HttpModel, ProviderSetup, WireFormat};
use port::translate::retry::RetryPolicy;
use secrecy::SecretString;
use serde_json::{Value, json};
use upstream::clock::SystemClock;

use super::provider_faults::request::Protocol;
use super::provider_faults::request_for;
use super::{Metric, Tell};
use origin::{ANSWERS, FAULTS, TEXT, TOKENS};
use python::{Environment, MOCKS, ROUTES};
use served::Served;

/// The key that the proxy takes.
const KEY: &str = "sk-proxy-on-loopback";
/// One that it does not.
const WRONG_KEY: &str = "sk-of-somebody-else";
/// The longest that an answer may take.
const TIMEOUT: Duration = Duration::from_mins(5);
const PROTOCOLS: [Protocol; 3] = [Protocol::Messages, Protocol::Responses, Protocol::Chat];

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = match repositories {
        [] => temporary.path().to_owned(),
        [kept] => std::path::absolute(kept)?,
        _ => bail!(
            "the measure `providers` takes one `--repo` at most: the folder that its environments are kept in"
        ),
    };
    std::fs::create_dir_all(&folder)?;
    // `Err` says that there is one already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let sdks = Environment::at(folder.join("sdks"), &["anthropic", "openai"])?;
    let litellm = Environment::at(folder.join("litellm"), &["litellm[proxy]"])?;
    for (environment, package) in [(&litellm, "litellm"), (&sdks, "anthropic"), (&sdks, "openai")] {
        tell(Metric {
            name: format!("providers.version.{package}"),
            value: environment.version(package)?.into(),
            unit: "",
            target: String::new(),
            ok: true,
        })?;
    }
    let prompt = PromptBuilder::new(codec())?.build(&request_for(1, 1, 1, None)?)?;
    shapes::measure(&sdks, &prompt, tell)?;
    let proxy = python::proxy(&litellm, temporary.path(), origin::serve()?, KEY)?;
    proxied(&sdks, &proxy, &prompt, tell)?;
    drop(proxy);
    llama::measure(&folder, tell)
}

/// One request to the proxy.
#[derive(Debug, Clone)]
struct Case {
    protocol: Protocol,
    model: String,
    stream: bool,
    key: &'static str,
}

impl Case {
    /// Each protocol with each model, streamed and not; and a key that is wrong.
    fn all() -> Vec<Self> {
        let mut models: Vec<String> = MOCKS.iter().map(|(name, _)| (*name).to_owned()).collect();
        for route in ROUTES {
            let names = ANSWERS.iter().map(|(name, _)| *name).chain(FAULTS.iter().map(|(name, ..)| *name));
            models.extend(names.map(|name| format!("{route}-{name}")));
        }
        let mut cases = Vec::new();
        for protocol in PROTOCOLS {
            for stream in [false, true] {
                let case = |model: &str, key| Self { protocol, model: model.to_owned(), stream, key };
                cases.extend(models.iter().map(|model| case(model, KEY)));
                cases.push(case("mock", WRONG_KEY));
            }
        }
        // To this one the proxy says it streams and sends a whole answer, which no SDK reads.
        cases.retain(|case| {
            let is_mock = case.key == KEY && case.model.starts_with("mock");
            !(is_mock && case.stream && case.protocol == Protocol::Messages)
        });
        cases
    }

    fn name(&self) -> String {
        let how = if self.stream { "stream" } else { "whole" };
        let key = if self.key == KEY { "" } else { " with a wrong key" };
        format!("{}.{how} {}{key}", word(self.protocol), self.model)
    }

    fn format(&self, base_url: String) -> Box<dyn WireFormat> {
        let setup = ProviderSetup {
            base_url,
            model: self.model.clone(),
            key: Some(SecretString::from(self.key.to_owned())),
            output_tokens_max: 4096,
            stream: self.stream,
        };
        format(self.protocol, setup, OutputCapField::MaxTokens, false)
    }
}

/// The name of a protocol in metrics.
fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Messages => "messages",
        Protocol::Responses => "responses",
        Protocol::Chat => "chat",
    }
}

fn format(
    protocol: Protocol,
    setup: ProviderSetup,
    cap_field: OutputCapField,
    cache_key: bool,
) -> Box<dyn WireFormat> {
    match protocol {
        Protocol::Messages => Box::new(MessagesFormat::new(setup)),
        Protocol::Responses => Box::new(ResponsesFormat { setup, cache_key }),
        Protocol::Chat => Box::new(ChatFormat { setup, cap_field }),
    }
}

/// What came of the requests of one protocol, streamed or not.
#[derive(Default)]
struct Tally {
    answers: u32,
    /// Answers of which nothing is lost on the way through the proxy: text, ending and tokens are what the provider
    /// behind it sent.
    exact: u32,
    faults: u32,
    differences: Vec<String>,
}

/// Asks the proxy by our own code and by the SDKs, and compares.
fn proxied(sdks: &Environment, proxy: &Served, prompt: &Prompt, tell: &mut Tell<'_>) -> Result<()> {
    let transport = Arc::new(HttpClient::new(TIMEOUT, Some(TIMEOUT))?);
    let (mut own, mut questions) = (Vec::new(), Vec::new());
    for case in Case::all() {
        let base_url = format!("{}/v1", proxy.root());
        let body: Value = serde_json::from_slice(&case.format(base_url.clone()).request(prompt)?.body)?;
        questions.push(json!({
            "do": "ask", "protocol": word(case.protocol), "root": proxy.root(), "key": case.key, "body": body,
        }));
        let model = HttpModel {
            name: case.name(),
            format: case.format(base_url),
            transport: transport.clone(),
            gateways: Vec::new(),
            // Each fault is to be seen.
            retries: RetryPolicy { attempts_max: 1, ..RetryPolicy::default() },
            clock: Arc::new(SystemClock),
        };
        own.push((case, model.complete(prompt)));
    }
    let theirs = sdks.ask(&questions)?;
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for ((case, ours), theirs) in own.iter().zip(&theirs) {
        let how = if case.stream { "stream" } else { "whole" };
        let tally = tallies.entry(format!("{}.{how}", word(case.protocol))).or_default();
        match ours {
            Ok(completion) => {
                tally.answers += 1;
                tally.exact += u32::from(is_exact(case, completion));
            }
            Err(_) => tally.faults += 1,
        }
        if let Some(difference) = difference(ours, theirs) {
            tally.differences.push(format!("{}: {difference}", case.name()));
        }
    }
    for (name, tally) in tallies {
        for difference in &tally.differences {
            tell(Metric::told(format!("providers.difference: {difference}"), 1.0, "requests"))?;
        }
        let name = |what: &str| format!("providers.litellm.{name}.{what}");
        // A whole and a truncated answer by each route at least.
        let least = f64::from(2 * u32::try_from(ROUTES.len())?);
        tell(Metric::at_least(name("answers"), tally.answers.into(), "requests", least))?;
        tell(Metric::at_least(name("answers_as_sent"), tally.exact.into(), "requests", least))?;
        let least = f64::from(u32::try_from(ROUTES.len() * FAULTS.len())?);
        tell(Metric::at_least(name("faults"), tally.faults.into(), "requests", least))?;
        let differences = u32::try_from(tally.differences.len())?;
        tell(Metric::at_most(name("read_otherwise_than_sdk"), differences.into(), "requests", 0.0))?;
    }
    Ok(())
}

/// Whether an answer is what the provider behind the proxy sent.
fn is_exact(case: &Case, completion: &Completion) -> bool {
    let [input, cached, _, output, _] = TOKENS;
    let usage = &completion.usage;
    let is_counted =
        (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (input, cached, output);
    let ending = if case.model.ends_with("-truncated") { Finish::Truncated } else { Finish::Complete };
    completion.text == TEXT && completion.finish == ending && is_counted
}

/// How what we read differs from what an SDK reads, if it does.
fn difference(ours: &Result<Completion, ModelError>, theirs: &Value) -> Option<String> {
    match (ours, theirs["status"].as_u64()) {
        (Ok(completion), None) if theirs.get("error").is_none() => {
            let read = json!({
                "text": completion.text, "ending": ending(&completion.finish),
                "input": completion.usage.input_tokens, "cached": completion.usage.cached_tokens,
                "output": completion.usage.output_tokens,
            });
            (read != *theirs).then(|| format!("we read {read}, the SDK reads {theirs}"))
        }
        (Err(error), Some(status)) if fits(error, status) => None,
        // The SDK cannot read it either.
        (Err(_), None) if theirs.get("error").is_some() => None,
        (Ok(completion), _) => Some(format!("we read {completion:?}, the SDK says {theirs}")),
        (Err(error), _) => Some(format!("we say `{error}`, the SDK says {theirs}")),
    }
}

fn ending(finish: &Finish) -> String {
    match finish {
        Finish::Complete => "complete".to_owned(),
        Finish::Truncated => "truncated".to_owned(),
        Finish::Refused => "refused".to_owned(),
        Finish::ReasoningOnly => "reasoning_only".to_owned(),
        Finish::Other(word) => format!("other {word}"),
    }
}

/// Whether a fault is what a status stands for.
fn fits(error: &ModelError, status: u64) -> bool {
    match error {
        ModelError::GaveUp { cause, .. } => fits(cause, status),
        ModelError::RateLimited { .. } => status == 429,
        ModelError::OutOfFunds { .. } => matches!(status, 400 | 402 | 403 | 429),
        ModelError::NotAuthorised { .. } => matches!(status, 401 | 403),
        ModelError::InvalidRequest { .. } => matches!(status, 400 | 404 | 413 | 422),
        ModelError::Unavailable { .. } => matches!(status, 408 | 409 | 425 | 500..=599),
        ModelError::Unreadable { .. } | ModelError::Command { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, finish: Finish) -> Completion {
        let usage = port::translate::Usage {
            input_tokens: 10,
            cached_tokens: 4,
            output_tokens: 3,
            ..Default::default()
        };
        Completion { text: text.to_owned(), usage, finish }
    }

    #[test]
    fn more_than_one_folder_is_refused() {
        let two = [PathBuf::from("a"), PathBuf::from("b")];
        let error = run(&two, &mut |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("one `--repo` at most"), "{error}");
    }

    #[test]
    fn what_is_read_otherwise_is_a_difference_and_what_fails_alike_is_none() {
        let theirs = json!({ "text": "a", "ending": "complete", "input": 10, "cached": 4, "output": 3 });
        assert_eq!(difference(&Ok(read("a", Finish::Complete)), &theirs), None);
        for wrong in [read("b", Finish::Complete), read("a", Finish::Truncated)] {
            assert!(difference(&Ok(wrong.clone()), &theirs).is_some(), "{wrong:?}");
        }
        let limited = || ModelError::RateLimited { retry_after_ms: None, reason: String::new() };
        let gave_up = Err(ModelError::GaveUp { attempts: 1, cause: Box::new(limited()) });
        assert_eq!(difference(&gave_up, &json!({ "status": 429 })), None);
        assert!(difference(&gave_up, &json!({ "status": 500 })).is_some());
        assert!(difference(&gave_up, &theirs).is_some());
        assert!(difference(&Ok(read("a", Finish::Complete)), &json!({ "status": 429 })).is_some());
        assert!(difference(&Ok(read("a", Finish::Complete)), &json!({ "error": "no end" })).is_some());
        assert_eq!(difference(&gave_up, &json!({ "error": "no end" })), None);
    }
}
