//! A parsed Python text, and walks over its tree that do not recurse.

use std::collections::BTreeSet;
use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

use crate::language::{FILE_BYTES_MAX, SyntaxFault};

/// A text with its tree.
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    tree: Tree,
}

impl<'t> Source<'t> {
    /// Parses a text. A text over the bound is refused, as is one that is no valid Python.
    pub(super) fn parse(text: &'t str) -> Result<Self, SyntaxFault> {
        if text.len() > FILE_BYTES_MAX {
            let message = format!("it is longer than {FILE_BYTES_MAX} bytes");
            return Err(SyntaxFault { line: 1, message });
        }
        let mut parser = Parser::new();
        let source = parser
            .set_language(&tree_sitter_python::LANGUAGE.into())
            .ok()
            .and_then(|()| parser.parse(text, None))
            .map(|tree| Self { text, tree })
            .ok_or_else(|| SyntaxFault { line: 1, message: "the parser gave nothing".to_owned() })?;
        match source.fault() {
            Some(fault) => Err(fault),
            None => Ok(source),
        }
    }

    pub(super) fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// The text of a node.
    pub(super) fn of(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// The text of the field of a node, empty where there is none.
    pub(super) fn field(&self, node: Node<'_>, name: &str) -> &'t str {
        node.child_by_field_name(name).map(|child| self.of(child)).unwrap_or_default()
    }

    fn fault(&self) -> Option<SyntaxFault> {
        if !self.root().has_error() {
            return None;
        }
        let first = descendants(self.root()).find(|node| node.is_error() || node.is_missing());
        let (line, message) = match first {
            Some(node) if node.is_missing() => (line_of(node), format!("`{}` is missing", node.kind())),
            Some(node) => (line_of(node), "invalid syntax".to_owned()),
            None => (1, "invalid syntax".to_owned()),
        };
        Some(SyntaxFault { line, message })
    }

    /// Rows (from 0) that begin inside a string that is a value: their white space is content. Strings
    /// that stand as a statement are documentation, and move with the code around them.
    pub(super) fn verbatim_rows(&self) -> BTreeSet<usize> {
        descendants(self.root())
            .filter(|node| node.kind() == "string")
            .filter(|node| node.parent().is_none_or(|parent| parent.kind() != "expression_statement"))
            .flat_map(|node| node.start_position().row + 1..=node.end_position().row)
            .collect()
    }

    /// The spans of all comments.
    pub(super) fn comments(&self) -> Vec<Range<usize>> {
        descendants(self.root())
            .filter(|node| node.kind() == "comment")
            .map(|node| node.byte_range())
            .collect()
    }
}

/// The line on which a node begins, from 1.
pub(super) fn line_of(node: Node<'_>) -> usize {
    node.start_position().row + 1
}

/// A node and everything below it, in the order of the text.
pub(super) fn descendants(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let mut waiting = vec![node];
    std::iter::from_fn(move || {
        let next = waiting.pop()?;
        waiting.extend(children(next).into_iter().rev());
        Some(next)
    })
}

/// The children of a node.
pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// The statements of a block or module, comments left out.
pub(super) fn statements(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}
