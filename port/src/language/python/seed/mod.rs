//! Seeded changes of a symbol's text: wrong translations that a contract has to refuse, and rewrites that
//! mean the same, which it has to accept.
//!
//! Main functions: [`wrong`] and [`rewrites()`]. They read and write text alone; nothing here runs it. A wrong
//! translation may happen to mean the same as the right one: who measures has to tell these apart.

mod calls;
mod expressions;
mod place;
mod rewrites;
mod shapes;
mod statements;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

use place::{Edit, Proposal};

use super::source::Source;

/// What a seeded change gets wrong: the rows of the report. Each is a way in which translations from Rust
/// are known to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// Operators, division, remainders, shifts, masks, signs.
    Arithmetic,
    /// Absence taken for an empty or zero value, or the other way round.
    Option,
    /// Values that are shared where the upstream has copies, and state that outlives a call.
    Aliasing,
    /// One comparison for another.
    Comparison,
    /// One too many or too few, in literals, bounds and indices.
    OffByOne,
    /// Other bounds of a slice.
    Slice,
    /// Bytes for characters, and other units of text.
    TextUnit,
    /// Case, classes of characters, white space and other rules of text.
    TextRule,
    /// Branches, statements and conditions that are lost or turned round.
    Branch,
    /// Arguments and operands in another order.
    Argument,
    /// Another symbol, or an earlier version, in the place of the right one.
    Substitution,
    /// Errors that are not raised, or are of another class.
    Error,
    /// Order: sorted, reversed, smallest for largest, first for last.
    Order,
    /// Integers for floats, and rounding.
    Number,
    /// Another constant.
    Constant,
}

impl Row {
    /// All rows, in the order of the report.
    pub const ALL: [Self; 15] = [
        Self::Arithmetic,
        Self::Option,
        Self::Aliasing,
        Self::Comparison,
        Self::OffByOne,
        Self::Slice,
        Self::TextUnit,
        Self::TextRule,
        Self::Branch,
        Self::Argument,
        Self::Substitution,
        Self::Error,
        Self::Order,
        Self::Number,
        Self::Constant,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arithmetic => "arithmetic",
            Self::Option => "option",
            Self::Aliasing => "aliasing",
            Self::Comparison => "comparison",
            Self::OffByOne => "off-by-one",
            Self::Slice => "slice",
            Self::TextUnit => "text-unit",
            Self::TextRule => "text-rule",
            Self::Branch => "branch",
            Self::Argument => "argument",
            Self::Substitution => "substitution",
            Self::Error => "error",
            Self::Order => "order",
            Self::Number => "number",
            Self::Constant => "constant",
        }
    }
}

/// A file with one symbol changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    /// How it was changed, such as `floor-for-truncation` or `local-renamed`.
    pub operator: &'static str,
    /// What that gets wrong; none where it is meant to mean the same.
    pub row: Option<Row>,
    /// The line of the change, from 1.
    pub line: usize,
    /// The file's new text.
    pub text: String,
}

/// What stands around a symbol, for substitutions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The functions of the same module by name, with their numbers of parameters.
    pub functions: &'a [(String, usize)],
    /// The exception classes of the same module.
    pub exceptions: &'a [String],
}

/// The wrong translations of the symbol at this span of a file, each a file of its own.
pub fn wrong(text: &str, symbol: &Range<usize>, around: &Surroundings<'_>) -> Vec<Seeded> {
    let Ok(source) = Source::parse(text) else { return Vec::new() };
    let Some(node) = place::symbol_node(&source, symbol) else { return Vec::new() };
    let mut proposals = expressions::proposals(&source, node);
    proposals.extend(calls::proposals(&source, node, around));
    proposals.extend(statements::proposals(&source, node, around));
    seeded(&source, proposals)
}

/// The symbol at this span of a file with an error raised where its body begins: whether anything runs through it
/// shows by that. None for what is no function.
pub fn poisoned(text: &str, symbol: &Range<usize>) -> Option<String> {
    let source = Source::parse(text).ok()?;
    let node = place::symbol_node(&source, symbol).filter(|node| node.kind() == "function_definition")?;
    let first = place::body_of(node).first().copied()?;
    let indent = place::indent_of(&source, first);
    let raise = format!("raise SystemError(\"reached\")\n{indent}");
    applied(text, vec![Edit { at: first.start_byte()..first.start_byte(), text: raise }])
}

/// The rewrites of the symbol at this span of a file that mean the same, each a file of its own.
pub fn rewrites(text: &str, symbol: &Range<usize>) -> Vec<Seeded> {
    let Ok(source) = Source::parse(text) else { return Vec::new() };
    let Some(node) = place::symbol_node(&source, symbol) else { return Vec::new() };
    let mut proposals = rewrites::proposals(&source, node);
    proposals.extend(shapes::proposals(&source, node));
    seeded(&source, proposals)
}

/// Carries proposals out; what changes nothing, repeats another or does not parse is left out.
fn seeded(source: &Source<'_>, proposals: Vec<Proposal>) -> Vec<Seeded> {
    let mut known = BTreeSet::from([source.text.to_owned()]);
    let mut all = Vec::new();
    for Proposal { operator, row, edits } in proposals {
        let Some(first) = edits.iter().map(|edit| edit.at.start).min() else { continue };
        let Some(text) = applied(source.text, edits) else { continue };
        if !known.insert(text.clone()) || Source::parse(&text).is_err() {
            continue;
        }
        let line = 1 + source.text.get(..first).unwrap_or_default().matches('\n').count();
        all.push(Seeded { operator, row, line, text });
    }
    all
}

/// The text with all edits; `None` where two of them overlap.
fn applied(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let mut made = String::new();
    let mut behind = 0;
    for Edit { at, text: new } in edits {
        made.push_str(text.get(behind..at.start)?);
        made.push_str(&new);
        behind = at.end;
    }
    made.push_str(text.get(behind..)?);
    Some(made)
}
