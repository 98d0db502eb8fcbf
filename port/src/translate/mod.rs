//! The chain of translators: each answers a request, or declines with a reason, and the next one is asked.
//!
//! [`rules`], [`memory`], [`model`] and [`replay`] hold the links. None of them judges an answer: whatever
//! they give passes the same gate.

pub mod batch;
pub mod codec;
pub mod command;
pub mod exchange;
pub mod inbox;
pub mod limits;
pub mod memory;
pub mod model;
pub mod pitfalls;
pub mod price;
pub mod prompt;
pub mod providers;
pub mod replay;
pub mod retry;
pub mod risk;
pub mod rules;

#[cfg(test)]
mod testing;

use mappings::{SymbolPath, WorkUnit};
use serde::{Deserialize, Serialize};
use upstream::Revision;

use crate::edit::Answer;

/// Which kind of translator an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// No edit was needed: the old port satisfies the new contract.
    VerifyFirst,
    /// A deterministic rule.
    Rule,
    /// The translation memory.
    Memory,
    /// A language model, or a command that speaks for one.
    Model,
}

/// A symbol of the port as the translator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolContext {
    /// Which symbol.
    pub symbol: SymbolPath,
    /// The file that holds it, or is to.
    pub file: String,
    /// Its text with the hash by which an edit must name it; `None` where it is to be written.
    pub text: Option<String>,
    /// The hash of `text`, in full; empty where there is none.
    pub hash: String,
}

/// Part of a symbol's text, made of whole lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// Which symbol.
    pub symbol: SymbolPath,
    /// The file that holds it.
    pub file: String,
    /// Its head, or lines of it.
    pub text: String,
}

/// What was wrong with an earlier answer. Holds development probes only, never deciding ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// The stage that refused it, such as `syntax` or `numeric`.
    pub stage: String,
    /// What was found, one finding a line.
    pub findings: Vec<String>,
    /// The answer that was refused, as text.
    pub refused: String,
}

/// Everything that a translator is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranslationRequest {
    /// The revision to follow.
    pub revision: Revision,
    /// The unit: changes with old and new upstream text, and the symbols that are to follow.
    pub unit: WorkUnit,
    /// The unit's symbols as they stand.
    pub symbols: Vec<SymbolContext>,
    /// Changes behind the unit's items that no symbol answers to: the unit's symbols have to take them over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<upstream::ItemChange>,
    /// Symbols to be read whole and not to be edited: those that were asked for, those that the unit's symbols call and
    /// that change with this revision, and examples of tests. A prompt shows those that have a head among `signatures`
    /// by that head.
    pub neighbours: Vec<SymbolContext>,
    /// The heads of other symbols that the unit's symbols call; of a class that changes, all of it but the bodies of its
    /// methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Excerpt>,
    /// Lines of other symbols that use the unit's symbols.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Excerpt>,
    /// The heads of what stands in the unit's file as the revision found it, a line each: the same for all units of one
    /// file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// The import lines of each file of the unit.
    pub imports: Vec<(String, String)>,
    /// What may be imported of the runtime module, where the port may have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<crate::runtime::Importable>,
    /// The port's style guide, in the user's words; empty where there is none.
    pub style: String,
    /// 1 for the first attempt of this translator at this unit.
    pub attempt: u32,
    /// Which of several candidates it is, from 0, where more than one is asked for.
    #[serde(default, skip_serializing_if = "is_first")]
    pub candidate: u32,
    /// What was wrong with the attempt before.
    pub feedback: Option<Feedback>,
    /// The symbols that an earlier answer to the same attempt asked to see; they are among the neighbours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<SymbolPath>,
    /// The crate around the unit's items and the port as it stands, for rules: no prompt shows it.
    #[serde(skip)]
    pub surroundings: Option<crate::compile::Surroundings>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands on a reference")]
fn is_first(candidate: &u32) -> bool {
    *candidate == 0
}

/// Tokens and money that an answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens sent, cached ones included.
    pub input_tokens: u64,
    /// Of those, tokens read from the provider's cache.
    pub cached_tokens: u64,
    /// Tokens sent that were written to the provider's cache, where that is counted apart.
    #[serde(default)]
    pub written_tokens: u64,
    /// Tokens received, reasoning included.
    pub output_tokens: u64,
    /// Of those, tokens of reasoning, where that is counted apart.
    #[serde(default)]
    pub reasoning_tokens: u64,
    /// The cost in United States dollars, where a price is configured.
    pub cost_usd: Option<f64>,
}

impl Usage {
    /// Both together.
    #[must_use]
    pub fn plus(&self, more: &Self) -> Self {
        let cost_usd = match (self.cost_usd, more.cost_usd) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or_default() + other.unwrap_or_default()),
        };
        Self {
            input_tokens: self.input_tokens.saturating_add(more.input_tokens),
            cached_tokens: self.cached_tokens.saturating_add(more.cached_tokens),
            written_tokens: self.written_tokens.saturating_add(more.written_tokens),
            output_tokens: self.output_tokens.saturating_add(more.output_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(more.reasoning_tokens),
            cost_usd,
        }
    }
}

/// What a translator made of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Translation {
    /// An answer.
    Answered {
        /// The answer.
        answer: Answer,
        /// Who made it: a rule's name, a memory entry's origin, a model's name.
        origin: String,
        /// What it took.
        usage: Usage,
    },
    /// Not for this translator.
    Declined {
        /// Why, for people.
        reason: String,
    },
    /// It tried, and what came back was no valid answer.
    Malformed {
        /// A stable code of the finding.
        code: String,
        /// What is wrong, for people and for the repair prompt.
        reason: String,
        /// What came back.
        raw: String,
        /// What it took.
        usage: Usage,
    },
    /// It is asked, and the answer comes later: with a sync to come.
    Waiting {
        /// What is waited for, for people.
        reason: String,
    },
}

/// A translator could not do its work for a cause outside the request: inconclusive, never a refusal.
#[derive(Debug, thiserror::Error)]
#[error("{translator}: {reason}")]
pub struct TranslateError {
    /// Which translator.
    pub translator: String,
    /// What went wrong, and what to do.
    pub reason: String,
    /// Whether waiting and asking again can help.
    pub transient: bool,
}

/// One link of the chain.
pub trait Translator: Send + Sync + std::fmt::Debug {
    /// Its name in reports and in the configuration.
    fn name(&self) -> String;
    /// Which kind it is.
    fn route(&self) -> Route;
    /// How many attempts it is worth, the first included: one where the same request gets the same answer.
    fn attempts_max(&self) -> u32;
    /// Whether an answer takes so long, and costs this machine so little, that it may be asked for before its turn,
    /// and others with it. Then what it answers must depend on the request alone.
    fn may_be_asked_ahead(&self) -> bool {
        false
    }
    /// Whether answers come with a later sync than the one that asks. What asking may cost must fit the budget then, with
    /// all that is asked already.
    fn answers_later(&self) -> bool {
        false
    }
    /// Whether asking costs nothing more: the answer is there, or on its way.
    fn is_bought(&self, _request: &TranslationRequest) -> bool {
        false
    }
    /// What was asked and answered and no attempt has counted yet, at the most.
    fn committed(&self) -> Usage {
        Usage::default()
    }
    /// The most that the answer to a request may take, estimated.
    fn foresee(&self, _request: &TranslationRequest) -> Usage {
        Usage::default()
    }
    /// Answers a request.
    fn translate(&self, request: &TranslationRequest) -> Result<Translation, TranslateError>;
}
