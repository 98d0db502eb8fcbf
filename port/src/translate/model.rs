//! A language model behind one trait, and what can come back from it or keep it from answering.
//!
//! [`Model`] is implemented by [`super::command`] and [`super::providers`]; [`ModelTranslator`] makes a link
//! of the chain out of one. It must never use an answer that is not recorded, nor ask for one that is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use upstream::ContentHash;

use super::codec::AnswerCodec;
use super::exchange::ExchangeStore;
use super::price::{Price, most_tokens};
use super::prompt::{Prompt, PromptBuilder};
use super::{Route, TranslateError, Translation, TranslationRequest, Translator, Usage};

/// The most attempts that any configuration may give one model at one unit.
pub const MODEL_ATTEMPTS_MAX: u32 = 10;

/// The code of an answer that is a refusal to answer.
pub const MODEL_REFUSED: &str = "model-refused";

/// Answers prompts.
pub trait Model: Send + Sync + std::fmt::Debug {
    /// Its name in reports and in the configuration.
    fn name(&self) -> String;
    /// Sends a prompt and waits for the whole answer.
    fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError>;
}

/// How an answer ended, by the provider's word; the grammar's closing line has the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model was done.
    Complete,
    /// A limit on tokens cut it off.
    Truncated,
    /// The model or a filter refused to answer.
    Refused,
    /// There is reasoning and no answer.
    ReasoningOnly,
    /// Something else, in the provider's word.
    Other(String),
}

/// What came back from a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// The text of the answer, reasoning left out.
    pub text: String,
    /// What it took.
    pub usage: Usage,
    /// How it ended.
    pub finish: Finish,
}

/// No completion came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Too many requests; waiting helps.
    #[error("the provider limits the rate of requests: {reason}")]
    RateLimited {
        /// How long the provider asks to wait, in milliseconds, where it says so.
        retry_after_ms: Option<u64>,
        /// The provider's words.
        reason: String,
    },
    /// A spending limit or an empty account; waiting does not help.
    #[error("the account cannot pay for the request (add credit or raise the spending limit): {reason}")]
    OutOfFunds {
        /// The provider's words.
        reason: String,
    },
    /// The key is missing, wrong, or may not use this model.
    #[error("the provider answered {status} (check the key and what it may use): {reason}")]
    NotAuthorised {
        /// The HTTP status.
        status: u16,
        /// The provider's words.
        reason: String,
    },
    /// The request is one that the provider will never answer.
    #[error("the provider refused the request with status {status}: {reason}")]
    InvalidRequest {
        /// The HTTP status.
        status: u16,
        /// The provider's words.
        reason: String,
    },
    /// The provider, or the way to it, is out of order.
    #[error("the provider is not available: {reason}")]
    Unavailable {
        /// How long the provider asks to wait, in milliseconds, where it says so.
        retry_after_ms: Option<u64>,
        /// What went wrong.
        reason: String,
    },
    /// An answer came back that is not what the protocol says. It may have been paid for, so asking again
    /// is for the caller to decide.
    #[error("the answer cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// A command that speaks for a model did not end well.
    #[error("the command failed: {reason}")]
    Command {
        /// What happened.
        reason: String,
    },
    /// The bound on attempts or on time was reached.
    #[error("gave up after {attempts} attempts: {cause}")]
    GaveUp {
        /// How often it was tried.
        attempts: u32,
        /// What the last attempt met.
        cause: Box<ModelError>,
    },
}

impl ModelError {
    /// Whether waiting and asking again can help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unavailable { .. } => true,
            Self::GaveUp { cause, .. } => cause.is_transient(),
            Self::OutOfFunds { .. }
            | Self::NotAuthorised { .. }
            | Self::InvalidRequest { .. }
            | Self::Unreadable { .. }
            | Self::Command { .. } => false,
        }
    }
}

/// What a [`ModelTranslator`] is made of.
#[derive(Debug, Clone)]
pub struct ModelSetup {
    /// Makes prompts of requests.
    pub prompts: Arc<PromptBuilder>,
    /// Reads the answers.
    pub codec: AnswerCodec,
    /// Where exchanges are recorded.
    pub exchanges: Arc<dyn ExchangeStore>,
    /// What the model's tokens cost, where that is configured.
    pub price: Option<Price>,
    /// The most that the model may answer, in tokens.
    pub output_tokens_max: u32,
    /// How many attempts the model is worth at one unit, at most [`MODEL_ATTEMPTS_MAX`].
    pub attempts_max: u32,
}

/// A model as a link of the chain.
#[derive(Debug)]
pub struct ModelTranslator {
    model: Arc<dyn Model>,
    setup: ModelSetup,
}

impl ModelTranslator {
    /// A translator that asks this model.
    pub fn new(model: Arc<dyn Model>, setup: ModelSetup) -> Self {
        Self { model, setup }
    }

    /// The recorded completion of this prompt, or a new one, recorded before it is returned.
    fn completion(&self, hash: ContentHash, prompt: &Prompt) -> Result<Completion, TranslateError> {
        let store = &self.setup.exchanges;
        let broken = |error: super::exchange::ExchangeError| self.fault(error.to_string(), false);
        if let Some(recorded) = store.lookup(&hash).map_err(broken)? {
            return Ok(recorded);
        }
        store.begin(&hash, prompt).map_err(broken)?;
        let mut completion = self
            .model
            .complete(prompt)
            .map_err(|error| self.fault(error.to_string(), error.is_transient()))?;
        completion.usage.cost_usd = self.setup.price.map(|price| price.cost_usd(&completion.usage));
        store.finish(&hash, &completion).map_err(broken)?;
        Ok(completion)
    }

    fn fault(&self, reason: String, transient: bool) -> TranslateError {
        TranslateError { translator: self.name(), reason, transient }
    }
}

impl Translator for ModelTranslator {
    fn name(&self) -> String {
        self.model.name()
    }

    fn route(&self) -> Route {
        Route::Model
    }

    fn attempts_max(&self) -> u32 {
        self.setup.attempts_max.clamp(1, MODEL_ATTEMPTS_MAX)
    }

    fn may_be_asked_ahead(&self) -> bool {
        true
    }

    fn foresee(&self, request: &TranslationRequest) -> Usage {
        // Without a prompt nothing will be sent.
        let Ok(prompt) = self.setup.prompts.build(request) else { return Usage::default() };
        let input_tokens = most_tokens(&prompt.text());
        let output_tokens = self.setup.output_tokens_max.into();
        let usage = Usage { input_tokens, output_tokens, ..Usage::default() };
        Usage { cost_usd: self.setup.price.map(|price| price.most_usd(&usage)), ..usage }
    }

    fn translate(&self, request: &TranslationRequest) -> Result<Translation, TranslateError> {
        let prompt = match self.setup.prompts.build(request) {
            Ok(prompt) => prompt,
            // A unit that is too large for a prompt is no fault of the machine: another translator, or a
            // person, may still follow it.
            Err(error) if error.is_about_the_request() => {
                return Ok(Translation::Declined { reason: error.to_string() });
            }
            Err(error) => return Err(self.fault(error.to_string(), false)),
        };
        let completion = self.completion(prompt.hash(&self.name()), &prompt)?;
        Ok(interpret(&self.setup.codec, completion, &prompt.nonce, self.name()))
    }
}

/// Reads a completion as an answer.
///
/// The provider's word on how the answer ended names what is wrong with an answer that does not parse; it
/// neither saves nor spoils one that does, because providers have been wrong about it in both directions.
pub(in crate::translate) fn interpret(
    codec: &AnswerCodec,
    completion: Completion,
    nonce: &str,
    origin: String,
) -> Translation {
    let Completion { text, usage, finish } = completion;
    let malformed = |code: &str, reason: &str, raw: String| Translation::Malformed {
        code: code.to_owned(),
        reason: reason.to_owned(),
        raw,
        usage,
    };
    match &finish {
        Finish::Refused => return malformed(MODEL_REFUSED, "the model refused to answer", text),
        Finish::ReasoningOnly => {
            return malformed("reasoning-only", "there is reasoning and no answer behind it", text);
        }
        Finish::Complete | Finish::Truncated | Finish::Other(_) => {}
    }
    if text.trim().is_empty() {
        return malformed("empty", "the answer is empty", text);
    }
    let error = match (codec.parse)(&text, nonce) {
        Ok(answer) => return Translation::Answered { answer, origin, usage },
        Err(error) => error,
    };
    match finish {
        Finish::Truncated => {
            let reason = format!("the answer was cut off at the limit on output tokens ({error})");
            malformed("truncated", &reason, text)
        }
        Finish::Other(word) => {
            let reason = format!("{}; the provider says that the answer ended by `{word}`", error.reason);
            malformed(&error.code, &reason, text)
        }
        Finish::Complete | Finish::Refused | Finish::ReasoningOnly => {
            malformed(&error.code, &error.reason, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::edit::Answer;
    use crate::translate::exchange::{ExchangeError, ExchangeFolder, MemoryExchanges};
    use crate::translate::replay::ReplayTranslator;
    use crate::translate::testing::{CODEC, limit_request};

    /// A model that gives each of these in turn; `NONCE` becomes the prompt's.
    #[derive(Debug)]
    struct Scripted {
        answers: Mutex<Vec<Result<Completion, ModelError>>>,
    }

    impl Model for Scripted {
        fn name(&self) -> String {
            "scripted".to_owned()
        }

        fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
            let mut answer = self.answers.lock().unwrap().remove(0)?;
            answer.text = answer.text.replace("NONCE", &prompt.nonce);
            Ok(answer)
        }
    }

    fn completion(text: &str, finish: Finish) -> Completion {
        let usage = Usage { input_tokens: 100, output_tokens: 10, ..Usage::default() };
        Completion { text: text.to_owned(), usage, finish }
    }

    fn no_change() -> String {
        format!("NONCE {}", serde_json::to_string(&Answer::NoChange { reason: "same".to_owned() }).unwrap())
    }

    fn translator(
        answers: Vec<Result<Completion, ModelError>>,
        exchanges: Arc<dyn ExchangeStore>,
    ) -> ModelTranslator {
        let setup = ModelSetup {
            prompts: Arc::new(PromptBuilder::new(CODEC).unwrap()),
            codec: CODEC,
            exchanges,
            price: Some(Price { input: 1.0, cached_input: None, written_input: None, output: 10.0 }),
            output_tokens_max: 1000,
            attempts_max: 3,
        };
        ModelTranslator::new(Arc::new(Scripted { answers: Mutex::new(answers) }), setup)
    }

    fn malformed_code(text: &str, finish: Finish) -> String {
        let translator = translator(vec![Ok(completion(text, finish))], Arc::new(MemoryExchanges::default()));
        let translation = translator.translate(&limit_request()).unwrap();
        let Translation::Malformed { code, usage, .. } = translation else { panic!("{translation:?}") };
        assert_eq!(usage.output_tokens, 10, "what was paid for is counted");
        code
    }

    #[test]
    fn a_recorded_answer_is_not_bought_twice() {
        let exchanges = Arc::new(MemoryExchanges::default());
        let translator = translator(vec![Ok(completion(&no_change(), Finish::Complete))], exchanges.clone());
        let first = translator.translate(&limit_request()).unwrap();
        let second = translator.translate(&limit_request()).unwrap();
        assert_eq!(first, second);
        let Translation::Answered { origin, usage, .. } = first else { panic!("{first:?}") };
        assert_eq!(origin, "scripted");
        assert_eq!(usage.cost_usd, Some(0.0002));
        assert_eq!(exchanges.counts(), (1, 1));
    }

    #[test]
    fn a_malformed_answer_is_recorded_too() {
        let exchanges = Arc::new(MemoryExchanges::default());
        let translator = translator(vec![Ok(completion("nonsense", Finish::Complete))], exchanges.clone());
        translator.translate(&limit_request()).unwrap();
        translator.translate(&limit_request()).unwrap();
        assert_eq!(exchanges.counts(), (1, 1));
    }

    #[test]
    fn a_call_that_failed_is_made_again() {
        let answers = vec![
            Err(ModelError::Unavailable { retry_after_ms: None, reason: "down".to_owned() }),
            Ok(completion(&no_change(), Finish::Complete)),
        ];
        let exchanges = Arc::new(MemoryExchanges::default());
        let translator = translator(answers, exchanges.clone());
        let error = translator.translate(&limit_request()).unwrap_err();
        assert!(error.transient, "{error}");
        assert_eq!(exchanges.counts(), (1, 0));
        assert!(matches!(translator.translate(&limit_request()), Ok(Translation::Answered { .. })));
    }

    #[test]
    fn an_account_without_money_is_no_passing_fault() {
        let answers = vec![Err(ModelError::OutOfFunds { reason: "empty".to_owned() })];
        let translator = translator(answers, Arc::new(MemoryExchanges::default()));
        assert!(!translator.translate(&limit_request()).unwrap_err().transient);
    }

    #[test]
    fn each_broken_answer_has_its_code() {
        assert_eq!(malformed_code("", Finish::Complete), "empty");
        assert_eq!(malformed_code(" \n", Finish::Complete), "empty");
        assert_eq!(malformed_code("", Finish::ReasoningOnly), "reasoning-only");
        assert_eq!(malformed_code("I cannot", Finish::Refused), "model-refused");
        assert_eq!(malformed_code("hello", Finish::Complete), "no-nonce");
        assert_eq!(malformed_code("NONCE {\"answer\":", Finish::Truncated), "truncated");
        assert_eq!(malformed_code("NONCE {\"answer\":", Finish::Complete), "grammar");
        assert_eq!(malformed_code("NONCE {\"answer\":", Finish::Other("pause_turn".to_owned())), "grammar");
    }

    #[test]
    fn a_whole_answer_counts_whatever_the_provider_says_of_its_end() {
        let answers = vec![Ok(completion(&no_change(), Finish::Truncated))];
        let translator = translator(answers, Arc::new(MemoryExchanges::default()));
        assert!(matches!(translator.translate(&limit_request()), Ok(Translation::Answered { .. })));
    }

    #[test]
    fn a_recording_replays_and_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let exchanges = Arc::new(ExchangeFolder::at(folder.path()));
        let live = translator(vec![Ok(completion(&no_change(), Finish::Complete))], exchanges.clone());
        let Translation::Answered { answer, .. } = live.translate(&limit_request()).unwrap() else {
            panic!("no answer");
        };
        let replay = ReplayTranslator {
            model: "scripted".to_owned(),
            prompts: Arc::new(PromptBuilder::new(CODEC).unwrap()),
            codec: CODEC,
            exchanges,
            attempts_max: 3,
        };
        let replayed = replay.translate(&limit_request()).unwrap();
        let origin = "replay of scripted".to_owned();
        assert_eq!(replayed, Translation::Answered { answer, origin, usage: Usage::default() });
        let mut other = limit_request();
        other.attempt = 2;
        assert!(matches!(replay.translate(&other), Ok(Translation::Declined { .. })));
    }

    /// A journal that loses every answer.
    #[derive(Debug)]
    struct Forgetful;

    impl ExchangeStore for Forgetful {
        fn lookup(&self, _: &ContentHash) -> Result<Option<Completion>, ExchangeError> {
            Ok(None)
        }
        fn begin(&self, _: &ContentHash, _: &Prompt) -> Result<(), ExchangeError> {
            Ok(())
        }
        fn finish(&self, _: &ContentHash, _: &Completion) -> Result<(), ExchangeError> {
            Err(ExchangeError::Damaged { path: "answer".into(), reason: "disk full".to_owned() })
        }
    }

    #[test]
    fn an_answer_that_cannot_be_recorded_is_not_used() {
        let translator =
            translator(vec![Ok(completion(&no_change(), Finish::Complete))], Arc::new(Forgetful));
        let error = translator.translate(&limit_request()).unwrap_err();
        assert!(error.reason.contains("disk full"), "{error}");
    }
}
