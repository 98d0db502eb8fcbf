//! What inference is told about a port: plain values that whoever reads the port's language fills in.
//!
//! The main type is [`PortOutline`]. It knows no syntax and reads nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::symbol::{SymbolPath, SymbolTable};

/// A port as far as inference looks at it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortOutline {
    /// The symbols.
    pub symbols: SymbolTable,
    /// What the symbol table leaves out, by symbol.
    pub facts: BTreeMap<SymbolPath, SymbolFacts>,
    /// Every source file of the port, also those that define nothing.
    pub files: BTreeMap<String, FileFacts>,
    /// Lines of documents (status tables, ledgers) that name files of both sides.
    pub records: Vec<RecordLine>,
}

/// What a symbol's text holds besides names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolFacts {
    /// Its documentation and its comments.
    pub prose: String,
    /// The contents of its strings and its numbers, as written.
    pub literals: Vec<String>,
}

/// What a file says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The comments and the documentation at its top.
    pub header: String,
    /// Whether it holds tests, by its path.
    pub is_test: bool,
}

/// A line of a document in which both sides may be named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLine {
    /// The document.
    pub document: String,
    /// The line, from 1.
    pub line: u32,
    /// What it says.
    pub text: String,
}
