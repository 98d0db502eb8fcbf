//! A translator that answers from recorded exchanges and never asks anybody.
//!
//! The prompt is made as the live translator would make it; what was recorded for it under the same model's
//! name is the answer. Nothing recorded, nothing answered: it declines.

use std::sync::Arc;

use super::codec::AnswerCodec;
use super::exchange::ExchangeStore;
use super::model::interpret;
use super::prompt::PromptBuilder;
use super::{Route, TranslateError, Translation, TranslationRequest, Translator, Usage};

/// Answers from recorded exchanges.
#[derive(Debug)]
pub struct ReplayTranslator {
    /// The name of the model whose answers were recorded.
    pub model: String,
    /// Makes prompts of requests, from the same templates as when they were recorded.
    pub prompts: Arc<PromptBuilder>,
    /// Reads the answers.
    pub codec: AnswerCodec,
    /// The recordings.
    pub exchanges: Arc<dyn ExchangeStore>,
    /// How many attempts to allow, as the live translator does.
    pub attempts_max: u32,
}

impl Translator for ReplayTranslator {
    fn name(&self) -> String {
        format!("replay of {}", self.model)
    }

    fn route(&self) -> Route {
        Route::Model
    }

    fn attempts_max(&self) -> u32 {
        self.attempts_max.clamp(1, super::model::MODEL_ATTEMPTS_MAX)
    }

    fn translate(&self, request: &TranslationRequest) -> Result<Translation, TranslateError> {
        let fault = |reason: String| TranslateError { translator: self.name(), reason, transient: false };
        let prompt = match self.prompts.build(request) {
            Ok(prompt) => prompt,
            Err(error) if error.is_about_the_request() => {
                return Ok(Translation::Declined { reason: error.to_string() });
            }
            Err(error) => return Err(fault(error.to_string())),
        };
        let hash = prompt.hash(&self.model);
        let recorded = self.exchanges.lookup(&hash).map_err(|error| fault(error.to_string()))?;
        let Some(mut completion) = recorded else {
            return Ok(Translation::Declined { reason: format!("no exchange is recorded under {hash}") });
        };
        // Nothing is paid for a recording.
        completion.usage = Usage::default();
        Ok(interpret(&self.codec, completion, &prompt.nonce, self.name()))
    }
}
