//! The link of the chain that asks by batches: it hands a question to the store, and reads the answer when it came.

use std::sync::Arc;

use serde_json::Value;
use upstream::{ContentHash, RevisionLabel};

use super::id::TASK_DIGITS;
use crate::translate::codec::AnswerCodec;
use crate::translate::memory::memory_key;
use crate::translate::model::{Completion, MODEL_ATTEMPTS_MAX, ModelError, interpret};
use crate::translate::price::{Price, most_tokens};
use crate::translate::prompt::{Prompt, PromptBuilder, PromptError};
use crate::translate::providers::WireFormat;
use crate::translate::{Route, TranslateError, Translation, TranslationRequest, Translator, Usage};

/// The way in which tasks are told apart. A change to it makes every question a new one.
const TASK_VERSION: &str = "batch-task-1";

/// What is asked, apart from how it is put: the changes, the symbols that are to follow, and what was said before. A
/// question that is put otherwise because something beside it moved on is the same task, and is not bought again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId(String);

impl TaskId {
    /// A task by its digits; `None` where they are none.
    pub fn new(digits: &str) -> Option<Self> {
        let is_one = digits.len() == TASK_DIGITS && digits.chars().all(|digit| digit.is_ascii_hexdigit());
        is_one.then(|| Self(digits.to_owned()))
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(who: &str, request: &TranslationRequest) -> Self {
        // What was found wrong is worded by checks; the answer that was refused says enough of the talk so far.
        let refused = request.feedback.as_ref().map_or("", |feedback| &feedback.refused);
        let wanted: Vec<&str> = request.wanted.iter().map(mappings::SymbolPath::as_str).collect();
        let hash = ContentHash::of_parts([
            TASK_VERSION,
            who,
            &memory_key(request).to_string(),
            &request.attempt.to_string(),
            &request.candidate.to_string(),
            refused,
            &wanted.join(" "),
        ]);
        Self(hash.to_string().chars().take(TASK_DIGITS).collect())
    }
}

/// A question that is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is asked.
    pub task: TaskId,
    /// The unit that it is asked for.
    pub unit: String,
    /// The revision at which it is asked.
    pub revision: RevisionLabel,
    /// The word that the answer must carry.
    pub nonce: String,
    /// The body that the request would have by itself.
    pub body: Value,
    /// The most that the answer may take.
    pub most: Usage,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Nobody asked it.
    Unasked,
    /// It is gathered, and to be sent with the next batch.
    Gathered,
    /// It is sent.
    UnderWay,
    /// It was answered.
    Answered {
        /// What came back. Its usage is empty where it was counted already.
        completion: Completion,
        /// The word that the answer must carry.
        nonce: String,
    },
    /// There is no answer, and there will be none.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What is under way could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BatchStoreError(pub String);

/// Keeps questions and answers of one translator.
pub trait BatchStore: Send + Sync + std::fmt::Debug {
    /// Where a task stands, without touching it.
    fn peek(&self, task: &TaskId) -> Result<Standing, BatchStoreError>;
    /// Where a task stands, for an attempt at this revision: what is counted of its answer is counted for that.
    fn take(&self, task: &TaskId, revision: &RevisionLabel) -> Result<Standing, BatchStoreError>;
    /// Keeps a question for the next batch, on the disk. One that is kept already is wanted still.
    fn gather(&self, question: Question) -> Result<(), BatchStoreError>;
    /// What was asked and answered and no attempt has counted yet, at the most.
    fn committed(&self) -> Usage;
    /// What is told of a question that waits.
    fn waits(&self) -> String;
}

/// A model that is asked by batches.
#[derive(Debug)]
pub struct BatchTranslator {
    /// Its name in reports and in the configuration.
    pub name: String,
    /// What tells this model from others of the same name: its address, the provider's name for it, what it may answer.
    pub identity: String,
    /// Makes prompts of requests.
    pub prompts: Arc<PromptBuilder>,
    /// Reads the answers.
    pub codec: AnswerCodec,
    /// How requests are written, not streamed.
    pub format: Box<dyn WireFormat>,
    /// Where questions go and answers come from.
    pub store: Arc<dyn BatchStore>,
    /// What a batch's tokens cost, where that is configured.
    pub price: Option<Price>,
    /// The most that the model may answer, in tokens.
    pub output_tokens_max: u32,
    /// How many attempts the model is worth at one unit.
    pub attempts_max: u32,
}

impl BatchTranslator {
    fn task(&self, request: &TranslationRequest) -> TaskId {
        TaskId::of(&format!("{} {}", self.name, self.identity), request)
    }

    fn most(&self, prompt: &Prompt) -> Usage {
        let input_tokens = most_tokens(&prompt.text());
        let usage = Usage { input_tokens, output_tokens: self.output_tokens_max.into(), ..Usage::default() };
        Usage { cost_usd: self.price.map(|price| price.most_usd(&usage)), ..usage }
    }

    fn fault(&self, reason: String) -> TranslateError {
        TranslateError { translator: self.name(), reason, transient: false }
    }

    fn gather(&self, task: TaskId, request: &TranslationRequest, prompt: &Prompt) -> Result<(), String> {
        let body = self.format.request(prompt).map_err(|error: ModelError| error.to_string())?.body;
        let question = Question {
            task,
            unit: request.unit.id.to_string(),
            revision: request.revision.label.clone(),
            nonce: prompt.nonce.clone(),
            body: serde_json::from_slice(&body).map_err(|error| error.to_string())?,
            most: self.most(prompt),
        };
        self.store.gather(question).map_err(|error| error.to_string())
    }
}

impl Translator for BatchTranslator {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn route(&self) -> Route {
        Route::Model
    }

    fn attempts_max(&self) -> u32 {
        self.attempts_max.clamp(1, MODEL_ATTEMPTS_MAX)
    }

    fn answers_later(&self) -> bool {
        true
    }

    fn is_bought(&self, request: &TranslationRequest) -> bool {
        // What cannot be read is told when it is asked.
        matches!(
            self.store.peek(&self.task(request)),
            Ok(Standing::Gathered | Standing::UnderWay | Standing::Answered { .. } | Standing::Failed { .. })
        )
    }

    fn committed(&self) -> Usage {
        self.store.committed()
    }

    fn foresee(&self, request: &TranslationRequest) -> Usage {
        // Without a prompt nothing will be sent.
        self.prompts.build(request).map(|prompt| self.most(&prompt)).unwrap_or_default()
    }

    fn translate(&self, request: &TranslationRequest) -> Result<Translation, TranslateError> {
        let task = self.task(request);
        let standing = self.store.take(&task, &request.revision.label);
        match standing.map_err(|error| self.fault(error.to_string()))? {
            Standing::Answered { completion, nonce } => {
                Ok(interpret(&self.codec, completion, &nonce, self.name()))
            }
            Standing::Failed { reason } => Err(self.fault(reason)),
            Standing::UnderWay => Ok(Translation::Waiting { reason: self.store.waits() }),
            Standing::Unasked | Standing::Gathered => {
                let prompt = match self.prompts.build(request) {
                    Ok(prompt) => prompt,
                    Err(error) if PromptError::is_about_the_request(&error) => {
                        return Ok(Translation::Declined { reason: error.to_string() });
                    }
                    Err(error) => return Err(self.fault(error.to_string())),
                };
                self.gather(task, request, &prompt).map_err(|reason| self.fault(reason))?;
                Ok(Translation::Waiting { reason: self.store.waits() })
            }
        }
    }
}
