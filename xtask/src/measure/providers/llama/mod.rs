//! Every protocol against a llama.cpp server: what it counts, how its answers end, what it refuses, and what comes of
//! connections that break off.
//!
//! The server is Debian's ([`packages`]), its model tiny and random ([`server`]), so that it says noise quickly. Where a
//! machine cannot have them, that is a metric that fails.

mod cut;
mod http;
mod packages;
mod server;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use pipeline::chain::codec;
use pipeline::http::HttpClient;
use port::translate::exchange::MemoryExchanges;
use port::translate::model::{Completion, Finish, Model as _, ModelError, ModelSetup, ModelTranslator};
use port::translate::prompt::{Prompt, PromptBuilder};
use port::translate::providers::chat::OutputCapField;
use port::translate::providers::http::HttpTransport;
use port::translate::providers::{HttpModel, ProviderSetup};
use port::translate::retry::RetryPolicy;
use port::translate::{Translation, Translator as _};
use secrecy::SecretString;
use upstream::clock::{Clock as _, SystemClock};

use super::super::provider_faults::request::Protocol;
use super::super::provider_faults::request_for;
use super::super::{Metric, Tell};
use super::{PROTOCOLS, TIMEOUT, WRONG_KEY, format, word};
use cut::Relay;
use server::{CONTEXT, Counted, KEY, MODEL, Server, Setup};

/// The most that answers may have, in tokens: two that are reached, and one that the model's noise ends before.
const CAPS: [u32; 3] = [1, 7, 2048];
/// Into how many parts an answer is cut, once at the end of each.
const CUTS: usize = 12;
/// How long a server is let answer before it is killed.
const HALF_AN_ANSWER: Duration = Duration::from_millis(500);

/// Asks all that the module says; what cannot be set up is told as a metric that fails.
pub(super) fn measure(folder: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let setup = match Setup::at(folder) {
        Ok(setup) => setup,
        Err(error) => {
            return tell(Metric {
                name: "providers.llama.server".to_owned(),
                value: format!("there is none: {error:#}").into(),
                unit: "",
                target: "a llama.cpp server with a model".to_owned(),
                ok: false,
            });
        }
    };
    let (name, target) = ("providers.version.llama.cpp".to_owned(), String::new());
    let value = setup.program.version.trim().into();
    tell(Metric { name, value, unit: "", target, ok: true })?;
    let transport: Arc<dyn HttpTransport> = Arc::new(HttpClient::new(TIMEOUT, Some(TIMEOUT))?);
    let mut measured = Measured { transport, groups: BTreeMap::new() };
    let server = setup.serve(&[])?;
    let ways =
        PROTOCOLS.into_iter().flat_map(|protocol| [false, true].map(|stream| Way { protocol, stream }));
    let ways: Vec<Way> = ways.collect();
    for way in &ways {
        measured.answers(*way, &server)?;
        measured.translations(*way, &server)?;
        measured.refusals(*way, &server);
        measured.cuts(*way, &server)?;
    }
    drop(server);
    let router = setup.route()?;
    for way in &ways {
        let unknown = measured.ask(*way, &Asked { model: "nobody", ..Asked::of(&router) }, &prompt("hello"));
        let is_typed = matches!(&unknown, Err(ModelError::InvalidRequest { status: 400 | 404, .. }));
        measured.note(*way, "refusals", is_typed, || format!("an unknown model: {unknown:?}"));
    }
    drop(router);
    for way in &ways {
        measured.killed(*way, &setup)?;
    }
    measured.tell(tell)
}

/// A protocol, streamed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    protocol: Protocol,
    stream: bool,
}

impl Way {
    fn name(self) -> String {
        format!("{}.{}", word(self.protocol), if self.stream { "stream" } else { "whole" })
    }
}

/// Who is asked, and how.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    port: u16,
    path: &'a str,
    model: &'a str,
    key: Option<&'a str>,
    cap: u32,
}

impl Asked<'_> {
    fn of(server: &Server) -> Self {
        Self { port: server.served.port, path: "/v1", model: MODEL, key: Some(KEY), cap: 2048 }
    }
}

/// How many things of a kind were looked at, and which were wrong.
#[derive(Default)]
struct Group {
    checked: u32,
    wrong: Vec<String>,
}

struct Measured {
    transport: Arc<dyn HttpTransport>,
    groups: BTreeMap<(String, &'static str), Group>,
}

impl Measured {
    fn note(&mut self, way: Way, group: &'static str, is_right: bool, said: impl FnOnce() -> String) {
        let group = self.groups.entry((way.name(), group)).or_default();
        group.checked += 1;
        if !is_right {
            group.wrong.push(said());
        }
    }

    fn tell(self, tell: &mut Tell<'_>) -> Result<()> {
        for ((way, group), Group { checked, wrong }) in self.groups {
            for said in &wrong {
                tell(Metric::told(format!("providers.llama.wrong: {way} {group}: {said}"), 1.0, "requests"))?;
            }
            let name = |what: &str| format!("providers.llama.{way}.{group}.{what}");
            tell(Metric::at_least(name("checked"), checked.into(), "requests", 1.0))?;
            let wrong = u32::try_from(wrong.len())?;
            tell(Metric::at_most(name("wrong"), wrong.into(), "requests", 0.0))?;
        }
        Ok(())
    }

    fn model(&self, way: Way, asked: &Asked<'_>) -> HttpModel {
        let setup = ProviderSetup {
            base_url: format!("http://127.0.0.1:{}{}", asked.port, asked.path),
            model: asked.model.to_owned(),
            key: asked.key.map(|key| SecretString::from(key.to_owned())),
            output_tokens_max: asked.cap,
            stream: way.stream,
        };
        HttpModel {
            name: way.name(),
            format: format(way.protocol, setup, OutputCapField::MaxTokens, false),
            transport: Arc::clone(&self.transport),
            gateways: Vec::new(),
            // Each fault is to be seen.
            retries: RetryPolicy { attempts_max: 1, ..RetryPolicy::default() },
            clock: Arc::new(SystemClock),
        }
    }

    /// What came of one request, without the count of attempts around a fault.
    fn ask(&self, way: Way, asked: &Asked<'_>, prompt: &Prompt) -> Result<Completion, ModelError> {
        self.model(way, asked).complete(prompt).map_err(|error| match error {
            ModelError::GaveUp { cause, .. } => *cause,
            other @ (ModelError::RateLimited { .. }
            | ModelError::OutOfFunds { .. }
            | ModelError::NotAuthorised { .. }
            | ModelError::InvalidRequest { .. }
            | ModelError::Unavailable { .. }
            | ModelError::Unreadable { .. }
            | ModelError::Command { .. }) => other,
        })
    }

    /// Texts, tokens and endings of answers, against the server's own counters. A token is a character, so that a text
    /// says how long it is, and the same prompt gets the same noise, so that a shorter answer is how a longer one begins.
    fn answers(&mut self, way: Way, server: &Server) -> Result<()> {
        let long = PromptBuilder::new(codec())?.build(&request_for(1, 1, 1, None)?)?;
        for prompt in [prompt("hello"), prompt("Say é😀\n\tand \"so on\"."), prompt("hello"), long] {
            let mut longest = String::new();
            for cap in CAPS.into_iter().rev() {
                let before = server.counted()?;
                let answer = self.ask(way, &Asked { cap, ..Asked::of(server) }, &prompt);
                let counted = server.counted()?.since(before);
                let Ok(answer) = answer else {
                    self.note(way, "tokens", false, || format!("no answer: {answer:?}"));
                    continue;
                };
                let said = || format!("at most {cap}: {answer:?}, and the server counts {counted:?}");
                self.note(way, "tokens", usage(&answer) == counted, said);
                let is_full = counted.output == u64::from(cap);
                let ending = if is_full { Finish::Truncated } else { Finish::Complete };
                self.note(way, "endings", answer.finish == ending, said);
                // The token that ends an answer is counted and is no character.
                let characters = counted.output - u64::from(!is_full);
                let is_whole = u64::try_from(answer.text.chars().count())? == characters;
                let goes_on = longest.is_empty() || longest.starts_with(&answer.text);
                self.note(way, "texts", is_whole && goes_on, said);
                if longest.is_empty() {
                    longest = answer.text;
                }
            }
        }
        Ok(())
    }

    /// What the chain makes of noise, and of noise that is cut off.
    fn translations(&mut self, way: Way, server: &Server) -> Result<()> {
        for (cap, code) in [(7, "truncated"), (2048, "empty")] {
            let setup = ModelSetup {
                prompts: Arc::new(PromptBuilder::new(codec())?),
                codec: codec(),
                exchanges: Arc::new(MemoryExchanges::default()),
                price: None,
                output_tokens_max: cap,
                attempts_max: 1,
            };
            let model = Arc::new(self.model(way, &Asked { cap, ..Asked::of(server) }));
            let before = server.counted()?;
            let translation = ModelTranslator::new(model, setup).translate(&request_for(1, 1, 1, None)?);
            let counted = server.counted()?.since(before);
            let is_typed = match &translation {
                Ok(Translation::Malformed { code: found, usage, .. }) => {
                    found == code
                        && (usage.input_tokens, usage.output_tokens) == (counted.input, counted.output)
                }
                Ok(
                    Translation::Answered { .. } | Translation::Declined { .. } | Translation::Waiting { .. },
                )
                | Err(_) => false,
            };
            self.note(way, "translations", is_typed, || {
                format!("{translation:?} is not `{code}` with {counted:?}")
            });
        }
        Ok(())
    }

    /// What the server refuses, by the kind of fault.
    fn refusals(&mut self, way: Way, server: &Server) {
        let sound = Asked::of(server);
        let too_long = prompt(&"long ".repeat(CONTEXT / 4));
        let refused = self.ask(way, &sound, &too_long);
        let is_typed = matches!(&refused, Err(ModelError::InvalidRequest { status: 400, reason }) if reason.contains("context"));
        self.note(way, "refusals", is_typed, || format!("a prompt that is too long: {refused:?}"));
        let refused = self.ask(way, &Asked { path: "/v9", ..sound }, &prompt("hello"));
        let is_typed = matches!(&refused, Err(ModelError::InvalidRequest { status: 404, .. }));
        self.note(way, "refusals", is_typed, || format!("a wrong path: {refused:?}"));
        for key in [None, Some(WRONG_KEY)] {
            let refused = self.ask(way, &Asked { key, ..sound }, &prompt("hello"));
            let is_typed = matches!(&refused, Err(ModelError::NotAuthorised { status: 401, .. }));
            self.note(way, "refusals", is_typed, || format!("the key {key:?}: {refused:?}"));
        }
        // A prompt that leaves room for a few tokens only: the server ends the answer there. Which protocol says so
        // differs; the text is never longer than the room, and never taken for a whole answer of the grammar.
        let room = 4;
        let overhead = self.ask(way, &sound, &prompt("")).map_or(0, |answer| answer.usage.input_tokens);
        let length = CONTEXT - usize::try_from(overhead).unwrap_or(0) - room;
        let filled = self.ask(way, &sound, &prompt(&"x".repeat(length)));
        let is_typed = match &filled {
            Ok(answer) => {
                let says_so = answer.finish == Finish::Truncated;
                answer.usage.output_tokens <= 8 && (says_so || way.protocol == Protocol::Responses)
            }
            Err(_) => false,
        };
        self.note(way, "endings", is_typed, || format!("no room for more than {room} tokens: {filled:?}"));
    }

    /// An answer that breaks off, anywhere: never an answer, but where all of it came.
    fn cuts(&mut self, way: Way, server: &Server) -> Result<()> {
        let through = |bytes_max| -> Result<_> {
            let relay = Relay::to(server.served.port, bytes_max)?;
            let asked = Asked { port: relay.port, cap: 64, ..Asked::of(server) };
            Ok((relay, asked))
        };
        let (relay, asked) = through(usize::MAX)?;
        let whole = self.ask(way, &asked, &prompt("hello")).context("an answer through the relay")?;
        let length = relay.passed();
        let places = (0..CUTS).map(|part| length * part / CUTS).chain([length - 1]);
        for bytes in places {
            let (_relay, asked) = through(bytes)?;
            let cut = self.ask(way, &asked, &prompt("hello"));
            let is_typed = match &cut {
                Ok(answer) => (&answer.text, &answer.finish) == (&whole.text, &whole.finish),
                Err(error) => error.is_transient() || matches!(error, ModelError::Unreadable { .. }),
            };
            self.note(way, "cuts", is_typed, || format!("after {bytes} of {length} bytes: {cut:?}"));
        }
        Ok(())
    }

    /// A server that dies while it answers, and is not there any more.
    fn killed(&mut self, way: Way, setup: &Setup) -> Result<()> {
        let mut server = setup.serve(&["--ignore-eos"])?;
        let asked = Asked { cap: u32::try_from(CONTEXT)? - 1024, ..Asked::of(&server) };
        let (answer, took_ms) = std::thread::scope(|scope| -> Result<_> {
            let measured = &*self;
            let asking = scope.spawn(move || {
                let began_ms = SystemClock.now_ms();
                (measured.ask(way, &asked, &prompt("hello")), SystemClock.now_ms() - began_ms)
            });
            SystemClock.sleep(HALF_AN_ANSWER);
            server.served.kill()?;
            asking.join().map_err(|_panic| anyhow::anyhow!("the thread that asks panicked"))
        })?;
        let was_asked = took_ms >= i64::try_from(HALF_AN_ANSWER.as_millis())? / 2;
        let is_typed = matches!(&answer, Err(ModelError::Unavailable { .. }));
        self.note(way, "cuts", is_typed && was_asked, || format!("killed after {took_ms} ms: {answer:?}"));
        let answer = self.ask(way, &asked, &prompt("hello"));
        let is_typed = matches!(&answer, Err(ModelError::Unavailable { .. }));
        self.note(way, "cuts", is_typed, || format!("a server that is gone: {answer:?}"));
        Ok(())
    }
}

/// A prompt of these words.
fn prompt(payload: &str) -> Prompt {
    Prompt {
        system: "Be brief.".to_owned(),
        stable: "Style: none.".to_owned(),
        payload: payload.to_owned(),
        nonce: "none".to_owned(),
        prompt_version: String::new(),
        left_out: Vec::new(),
        blocks: Vec::new(),
    }
}

/// What an answer is said to have taken.
fn usage(answer: &Completion) -> Counted {
    let usage = &answer.usage;
    Counted { input: usage.input_tokens, cached: usage.cached_tokens, output: usage.output_tokens }
}
