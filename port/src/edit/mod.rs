//! What a translator answers: edits keyed by symbol and by the content they were made for, or no edit.
//!
//! The text form is the grammar of `docs/edit-grammar.md`; this is what it means.

mod apply;
pub mod fuzz;
mod leak;
mod parse;
mod patch;
mod runtime;
mod scope;
mod validate;

use mappings::SymbolPath;
use serde::{Deserialize, Serialize};

pub use apply::{ApplyError, apply};
pub use leak::leaks;
pub use parse::{
    ANSWER_BYTES_MAX, AnswerDefect, AnswerError, BLOCKS_MAX, BODY_BYTES_MAX, parse_answer, render_answer,
};
pub use patch::{Hunk, PATCH_LINES_MIN, PatchFault};
pub use scope::{Files, Scope};
pub use validate::{Finding, FindingCode, validate, without_repeated};

/// Where an inserted symbol goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InsertPlace {
    /// Behind this symbol, at its level.
    After(SymbolPath),
    /// At the end of this class.
    InClass(SymbolPath),
    /// At the end of this file, which is created if it is not there.
    InFile(String),
}

/// One edit. `expected` is a prefix of the hash of the symbol's text that the edit was made for
/// (8 hexadecimal digits or more): where it does not match, the edit is stale and is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Edit {
    /// The whole symbol, decorators and documentation included, becomes `text`.
    Replace {
        /// Which symbol.
        symbol: SymbolPath,
        /// What it was made for.
        expected: String,
        /// Its new text.
        text: String,
    },
    /// Pieces of a very large symbol become others; the rest of it stays.
    Patch {
        /// Which symbol.
        symbol: SymbolPath,
        /// What it was made for.
        expected: String,
        /// The pieces, at least one.
        hunks: Vec<Hunk>,
    },
    /// A new symbol.
    Insert {
        /// The path that it will have.
        symbol: SymbolPath,
        /// Where it goes.
        place: InsertPlace,
        /// Its text.
        text: String,
    },
    /// The symbol goes.
    Delete {
        /// Which symbol.
        symbol: SymbolPath,
        /// What it was made for.
        expected: String,
    },
    /// The symbol gets another name where it stands; references in the port follow.
    Rename {
        /// Which symbol.
        symbol: SymbolPath,
        /// What it was made for.
        expected: String,
        /// Its new name, the last segment alone.
        to: String,
    },
    /// The symbol goes elsewhere with its text as it is. Who uses it there or here imports it by edits of
    /// their own.
    Move {
        /// Which symbol.
        symbol: SymbolPath,
        /// What it was made for.
        expected: String,
        /// The path that it will have; its last segment stays.
        to: SymbolPath,
        /// Where it goes.
        place: InsertPlace,
    },
    /// Import lines that the other edits need; those already there are left alone.
    Imports {
        /// The file.
        file: String,
        /// One import statement a line.
        text: String,
    },
}

/// What a translator answers to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// These edits, all or none.
    Edits {
        /// The edits, at least one.
        edits: Vec<Edit>,
    },
    /// The port needs no edit. The claim is proved or refused like an edit.
    NoChange {
        /// Why.
        reason: String,
    },
    /// More context is wanted before an answer; granted once.
    Need {
        /// The symbols whose text is wanted.
        symbols: Vec<SymbolPath>,
    },
    /// The change cannot be expressed in the port.
    Unportable {
        /// Why.
        reason: String,
    },
}

impl Edit {
    /// The symbol that the edit is about; imports are about a file.
    pub fn symbol(&self) -> Option<&SymbolPath> {
        match self {
            Self::Replace { symbol, .. }
            | Self::Patch { symbol, .. }
            | Self::Insert { symbol, .. }
            | Self::Delete { symbol, .. }
            | Self::Rename { symbol, .. }
            | Self::Move { symbol, .. } => Some(symbol),
            Self::Imports { .. } => None,
        }
    }

    /// Every path that the edit writes to: a move writes to two.
    pub fn touched(&self) -> impl Iterator<Item = &SymbolPath> {
        let to = match self {
            Self::Move { to, .. } => Some(to),
            Self::Replace { .. }
            | Self::Patch { .. }
            | Self::Insert { .. }
            | Self::Delete { .. }
            | Self::Rename { .. }
            | Self::Imports { .. } => None,
        };
        self.symbol().into_iter().chain(to)
    }

    /// The prefix of the hash of the text that the edit was made for, where it was made for one.
    pub fn expected(&self) -> Option<&str> {
        match self {
            Self::Replace { expected, .. }
            | Self::Patch { expected, .. }
            | Self::Delete { expected, .. }
            | Self::Rename { expected, .. }
            | Self::Move { expected, .. } => Some(expected),
            Self::Insert { .. } | Self::Imports { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
