//! What the upstream's own tests and examples call, and with which values: the seeds of probes.
//!
//! Main function: [`calls`]. Only inputs are taken, never expected results: those come from the running
//! upstream. What cannot be read as a value is passed over, since no probe can be made of it.

mod docs;
mod literal;
mod tokens;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use docs::doc_tests;
pub use literal::Literal;
use serde::{Deserialize, Serialize};

use crate::ids::ItemPath;
use crate::snapshot::sources::Sources;
use crate::snapshot::syntax::{AstNode, NodeOrToken, SyntaxNode, ast, edition, own_range, parse_file};
use crate::snapshot::{Item, ItemKind, Snapshot};
use crate::tree::{SourceTree, TreeError};
use walk::Walk;

/// The most calls that are kept.
pub const CALLS_MAX: usize = 50_000;
/// The most literals that are kept of one item.
pub const LITERALS_MAX: usize = 1_000;

/// A call all of whose arguments are literals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HarvestedCall {
    /// The name of what is called: the last segment of its path, or the method.
    pub callee: String,
    /// Its path as written, without type arguments; the name alone for a method.
    pub callee_path: Vec<String>,
    /// For a method, the value it is called on, where that is a literal.
    pub receiver: Option<Literal>,
    /// For a method, the call that made the value it is called on, where that is known instead.
    pub constructor: Option<Box<HarvestedCall>>,
    /// The arguments, without the receiver.
    pub arguments: Vec<Literal>,
    /// The file in which it stands.
    pub file: String,
    /// The line in the file, from 1. In documentation it is counted from the first line of its item.
    pub line: u32,
}

/// The calls of a revision, sorted by file and line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Harvest {
    /// The calls.
    pub calls: Vec<HarvestedCall>,
    /// How many more there were than [`CALLS_MAX`], or than one loop or one function may yield.
    pub left_out: usize,
}

/// Collects the calls in tests, benches, examples and documentation.
pub fn calls(tree: &dyn SourceTree, snapshot: &Snapshot) -> Result<Harvest, TreeError> {
    let sources = Sources::list(tree)?;
    let mut harvest = Harvest::default();
    for (file, items) in harvestable(snapshot) {
        // A file that cannot be read has no items, so this one can.
        let Ok(text) = sources.text(file)? else { continue };
        let Ok(parsed) = parse_file(&text, edition(edition_of(snapshot, file))) else { continue };
        let starts: BTreeSet<usize> = items.iter().map(|item| item.span.start).collect();
        let mut walk = Walk::new(file, &text, parsed.file.syntax(), &mut harvest);
        let nodes: Vec<SyntaxNode> =
            parsed.file.syntax().descendants().filter(|node| runs(node, &starts)).collect();
        for node in &nodes {
            walk.add_helper(node);
        }
        for node in &nodes {
            walk.item(node);
        }
    }
    for item in snapshot.items.values() {
        docs::calls(item, &mut harvest);
    }
    harvest.calls.sort_by(|one, other| {
        (&one.file, one.line, &one.callee).cmp(&(&other.file, other.line, &other.callee))
    });
    harvest.calls.dedup();
    Ok(harvest)
}

/// Collects every literal of every test, bench and example, for generators to vary.
pub fn literals(snapshot: &Snapshot) -> BTreeMap<ItemPath, Vec<Literal>> {
    let mut found = BTreeMap::new();
    for item in harvestable(snapshot).into_values().flatten() {
        // Not every member reads alone without complaint; its tokens do.
        let Ok(parsed) = parse_file(&item.text, edition("2021")) else { continue };
        let tokens = parsed.file.syntax().descendants_with_tokens().filter_map(NodeOrToken::into_token);
        let mut values: Vec<Literal> = Vec::new();
        for value in tokens.filter_map(|token| literal::token_literal(&token)) {
            if values.len() < LITERALS_MAX && !values.contains(&value) {
                values.push(value);
            }
        }
        if !values.is_empty() {
            found.insert(item.path.clone(), values);
        }
    }
    found
}

impl Harvest {
    /// Keeps a call, or counts it where there are too many.
    fn keep(&mut self, call: HarvestedCall) {
        if self.calls.len() < CALLS_MAX {
            self.calls.push(call);
        } else {
            self.left_out += 1;
        }
    }
}

/// The functions and macro invocations that are tests, benches or examples, by file.
fn harvestable(snapshot: &Snapshot) -> BTreeMap<&str, Vec<&Item>> {
    let mut files: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in snapshot.items.values() {
        let runs = matches!(item.kind, ItemKind::Function | ItemKind::Method | ItemKind::Macro);
        if runs && (item.is_test || item.path.krate().contains("[example:")) {
            files.entry(item.file.as_str()).or_default().push(item);
        }
    }
    files
}

/// Whether a node is one of the functions or invocations that begin here.
fn runs(node: &SyntaxNode, starts: &BTreeSet<usize>) -> bool {
    let is_function = ast::Fn::can_cast(node.kind());
    let is_macro = ast::MacroCall::can_cast(node.kind()) && is_item(node);
    (is_function || is_macro) && starts.contains(&own_range(node).start)
}

/// Whether a macro's invocation stands where an item could.
fn is_item(node: &SyntaxNode) -> bool {
    node.parent().is_some_and(|parent| {
        ast::SourceFile::can_cast(parent.kind()) || ast::ItemList::can_cast(parent.kind())
    })
}

/// The edition of the innermost package that holds the file.
fn edition_of<'snapshot>(snapshot: &'snapshot Snapshot, file: &str) -> &'snapshot str {
    let holds = |folder: &str| folder.is_empty() || file.starts_with(&format!("{folder}/"));
    let packages = snapshot.packages.iter().filter(|package| holds(&package.folder));
    packages.max_by_key(|package| package.folder.len()).map_or("2015", |package| package.edition.as_str())
}
