//! Documentation and attributes of a node.
//!
//! `///` and `#[doc = "…"]` are one thing here, and documentation is never an attribute.

use super::fingerprint::{one_line, tokens};
use super::syntax::{
    AstNode, AstToken, NodeOrToken, SyntaxNode, WalkEvent, ast, attribute_name, attribute_value, attributes,
};
use crate::ids::ContentHash;

/// Which documentation: before an item, or at the head of its contents.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    Outer,
    Inner,
}

/// The documentation directly on a node, line by line, without markers and without the one space after them.
pub(super) fn docs(node: &SyntaxNode, side: Side) -> String {
    let mut lines: Vec<String> = Vec::new();
    for element in node.children_with_tokens() {
        match element {
            NodeOrToken::Token(token) => {
                let Some(comment) = ast::Comment::cast(token) else { continue };
                let wanted = if side == Side::Inner { comment.is_inner() } else { comment.is_outer() };
                if let Some((text, _)) = comment.doc_comment().filter(|_| wanted) {
                    lines.extend(text.lines().map(|line| line.trim_end().to_owned()));
                    if text.is_empty() {
                        lines.push(String::new());
                    }
                }
            }
            NodeOrToken::Node(child) => {
                let Some(attribute) = ast::Attr::cast(child) else { continue };
                let wanted = attribute.excl_token().is_some() == (side == Side::Inner);
                if wanted && attribute_name(&attribute).as_deref() == Some("doc") && is_plain_doc(&attribute)
                {
                    let value = attribute_value(&attribute).unwrap_or_default();
                    lines.extend(value.lines().map(|line| line.trim_end().to_owned()));
                }
            }
        }
    }
    laid_out(&lines)
}

/// Lines of documentation as one text, without the one space that people put behind the marks.
pub(crate) fn laid_out(lines: &[String]) -> String {
    let indented = lines.iter().all(|line| line.is_empty() || line.starts_with(' '));
    let strip =
        |line: &String| if indented { line.get(1..).unwrap_or_default().to_owned() } else { line.clone() };
    lines.iter().map(strip).collect::<Vec<_>>().join("\n")
}

/// The documentation inside a node, of fields and variants for one, without that of the child `except`.
pub(super) fn inner_docs(node: &SyntaxNode, except: Option<&SyntaxNode>) -> String {
    let mut lines = Vec::new();
    let mut walk = node.preorder_with_tokens();
    while let Some(event) = walk.next() {
        match event {
            WalkEvent::Enter(NodeOrToken::Node(child)) => {
                if Some(&child) == except {
                    walk.skip_subtree();
                }
                let inside = child.parent().as_ref() != Some(node);
                let attribute = ast::Attr::cast(child).filter(|_| inside);
                let is_doc =
                    |it: &ast::Attr| attribute_name(it).as_deref() == Some("doc") && is_plain_doc(it);
                if let Some(attribute) = attribute.filter(is_doc) {
                    lines.extend(doc_lines(&attribute_value(&attribute).unwrap_or_default()));
                }
            }
            WalkEvent::Enter(NodeOrToken::Token(token)) => {
                let inside = token.parent().as_ref() != Some(node);
                let comment = ast::Comment::cast(token).filter(|_| inside);
                if let Some((text, _)) = comment.as_ref().and_then(ast::Comment::doc_comment) {
                    lines.extend(doc_lines(text));
                }
            }
            WalkEvent::Leave(_) => {}
        }
    }
    laid_out(&lines)
}

/// The lines of one piece of documentation; an empty piece is an empty line.
fn doc_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.trim_end().to_owned());
    if text.is_empty() { vec![String::new()] } else { lines.collect() }
}

/// `#[doc = "text"]`, as against `#[doc(hidden)]`, which is an attribute like others.
fn is_plain_doc(attribute: &ast::Attr) -> bool {
    attribute.meta().is_some_and(|meta| ast::KeyValueMeta::can_cast(meta.syntax().kind()))
}

/// The hash of documentation.
pub(super) fn docs_hash(docs: &str) -> ContentHash {
    ContentHash::of(docs.trim())
}

fn not_documentation(node: &SyntaxNode) -> impl Iterator<Item = ast::Attr> {
    let is_docs = |it: &ast::Attr| attribute_name(it).as_deref() == Some("doc") && is_plain_doc(it);
    attributes(node).filter(move |attribute| !is_docs(attribute))
}

/// The attributes other than documentation, each on one line, sorted.
pub(super) fn other_attributes(node: &SyntaxNode) -> Vec<String> {
    let mut texts: Vec<String> = not_documentation(node).map(|it| attribute_line(&it)).collect();
    texts.sort();
    texts
}

/// The attributes for comparison; each derived trait by itself, since `rustfmt` joins derives.
pub(super) fn attribute_marks(node: &SyntaxNode) -> Vec<String> {
    let mut marks = Vec::new();
    for attribute in not_documentation(node) {
        let mark = attribute_line(&attribute);
        match mark.strip_prefix("#[derive(").and_then(|rest| rest.strip_suffix(")]")) {
            Some(traits) => marks.extend(traits.split(',').map(|name| format!("derive {}", name.trim()))),
            None => marks.push(mark),
        }
    }
    marks.sort();
    marks
}

/// An attribute on one line, however it was laid out.
pub(super) fn attribute_line(attribute: &ast::Attr) -> String {
    let mark = if attribute.excl_token().is_some() { "#![" } else { "#[" };
    let contents = attribute.syntax().children().flat_map(|meta| tokens(&meta, None));
    let all: Vec<String> = std::iter::once(mark.to_owned()).chain(contents).chain(["]".to_owned()]).collect();
    one_line(&all)
}

/// Attributes that make what they stand on test code, by the last segment of their path.
const TEST_ATTRIBUTES: [&str; 8] =
    ["bench", "case", "proptest", "quickcheck", "rstest", "test", "test_case", "wasm_bindgen_test"];

/// Whether a node is test code by its own attributes.
pub(super) fn is_test(node: &SyntaxNode) -> bool {
    attributes(node).any(|attribute| {
        let Some(name) = attribute_name(&attribute) else { return false };
        let line = if name == "cfg" { attribute_line(&attribute) } else { String::new() };
        is_test_attribute(&name, &line)
    })
}

/// Whether an attribute makes what it stands on test code: by the last segment of its path, or, for `cfg`,
/// by the whole of it on one line.
pub(crate) fn is_test_attribute(name: &str, line: &str) -> bool {
    // At the head of a module it says the same of all inside.
    let line = line.strip_prefix("#![").or_else(|| line.strip_prefix("#[")).unwrap_or(line);
    let condition = line.strip_prefix("cfg(").and_then(|rest| rest.strip_suffix(")]"));
    TEST_ATTRIBUTES.contains(&name) || (name == "cfg" && condition.is_some_and(needs_test))
}

/// Whether a condition holds in test builds alone: it is `test`, or an `all` of which one is.
fn needs_test(condition: &str) -> bool {
    let condition = condition.trim();
    let all = || condition.strip_prefix("all(").and_then(|rest| rest.strip_suffix(')'));
    condition == "test" || all().is_some_and(|parts| arguments(parts).any(needs_test))
}

/// The parts between the commas that stand in no brackets.
fn arguments(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |letter: char| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    })
}
