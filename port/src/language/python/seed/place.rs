//! Where changes go: nodes of a symbol that are code, edits of the text, and indentation.

use std::ops::Range;

use tree_sitter::Node;

use super::super::source::{Source, children, descendants, statements};
use super::Row;

/// A piece of the text and what comes in its place.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    /// Puts a text in the place of a node.
    pub(super) fn of(node: Node<'_>, text: impl Into<String>) -> Self {
        Self { at: node.byte_range(), text: text.into() }
    }
}

/// A change that may be made.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub(super) operator: &'static str,
    pub(super) row: Option<Row>,
    pub(super) edits: Vec<Edit>,
}

impl Proposal {
    /// A wrong translation by one edit.
    pub(super) fn wrong(operator: &'static str, row: Row, node: Node<'_>, text: impl Into<String>) -> Self {
        Self { operator, row: Some(row), edits: vec![Edit::of(node, text)] }
    }

    /// A rewrite that means the same.
    pub(super) fn same(operator: &'static str, edits: Vec<Edit>) -> Self {
        Self { operator, row: None, edits }
    }
}

/// The function, or the assignment of a constant, that a symbol is.
pub(super) fn symbol_node<'t>(source: &'t Source<'_>, span: &Range<usize>) -> Option<Node<'t>> {
    let inside = |node: &Node<'_>| span.start <= node.start_byte() && node.end_byte() <= span.end;
    descendants(source.root()).find(|node| {
        inside(node) && matches!(node.kind(), "function_definition" | "expression_statement" | "assignment")
    })
}

/// The nodes of a symbol that are code: documentation, annotations and names of parameters are not.
pub(super) fn code(symbol: Node<'_>) -> Vec<Node<'_>> {
    let mut waiting = vec![symbol];
    let mut found = Vec::new();
    while let Some(node) = waiting.pop() {
        let is_code = !matches!(node.kind(), "type" | "comment" | "decorator") && !is_documentation(node);
        if is_code {
            found.push(node);
        }
        // The text of an error is no part of what a port promises.
        if is_code && node.kind() != "raise_statement" {
            waiting.extend(children(node).into_iter().rev());
        }
    }
    found
}

/// Whether a statement is a text and nothing else.
pub(super) fn is_documentation(node: Node<'_>) -> bool {
    node.kind() == "expression_statement"
        && node.named_child(0).is_some_and(|inner| inner.kind() == "string")
        && node.named_child_count() == 1
}

/// The statements of a function's body, documentation left out.
pub(super) fn body_of(function: Node<'_>) -> Vec<Node<'_>> {
    let body = function.child_by_field_name("body");
    body.map(statements).unwrap_or_default().into_iter().filter(|node| !is_documentation(*node)).collect()
}

/// The white space in front of the line that a node begins on.
pub(super) fn indent_of<'t>(source: &Source<'t>, node: Node<'_>) -> &'t str {
    let before = source.text.get(..node.start_byte()).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let kept = line.len() - line.trim_start().len();
    line.get(..kept).unwrap_or_default()
}

/// Whether a statement begins its line, so that it can be moved with its indentation.
pub(super) fn begins_line(source: &Source<'_>, node: Node<'_>) -> bool {
    let before = source.text.get(..node.start_byte()).unwrap_or_default();
    before.rsplit('\n').next().unwrap_or_default().trim().is_empty()
}

/// The text of a node with so much white space more in front of each further line. Texts over several lines
/// would change by it, so there is none for these.
pub(super) fn deeper(source: &Source<'_>, node: Node<'_>, more: &str) -> Option<String> {
    let has_long_text = descendants(node)
        .any(|inner| inner.kind() == "string" && inner.start_position().row != inner.end_position().row);
    if has_long_text {
        return None;
    }
    let text = source.of(node);
    Some(text.replace('\n', &format!("\n{more}")))
}

/// The names that stand in a node, attributes and names of keyword arguments left out.
pub(super) fn names<'t>(source: &Source<'t>, node: Node<'_>) -> Vec<&'t str> {
    descendants(node).filter(|inner| is_name(*inner)).map(|inner| source.of(inner)).collect()
}

/// Whether a node is a name that means a variable.
pub(super) fn is_name(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    let is = |field: &str| parent.child_by_field_name(field) == Some(node);
    node.kind() == "identifier"
        && !(parent.kind() == "attribute" && is("attribute"))
        && !(parent.kind() == "keyword_argument" && is("name"))
}
