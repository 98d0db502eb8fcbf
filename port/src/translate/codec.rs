//! The seam to the edit grammar: how an answer is read, written and explained.
//!
//! [`AnswerCodec`] is wired by the program; nothing below this folder knows the grammar itself.

use crate::edit::Answer;

/// A text that is no valid answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct CodecError {
    /// A stable code of the finding.
    pub code: String,
    /// What is wrong, for people and for the repair prompt.
    pub reason: String,
}

/// Reads and writes answers in the edit grammar.
#[derive(Debug, Clone, Copy)]
pub struct AnswerCodec {
    /// Reads an answer that must carry this nonce.
    pub parse: fn(text: &str, nonce: &str) -> Result<Answer, CodecError>,
    /// Writes an answer with this nonce.
    pub render: fn(answer: &Answer, nonce: &str) -> String,
    /// The rules of the grammar as a model is told them.
    pub grammar_text: &'static str,
}
