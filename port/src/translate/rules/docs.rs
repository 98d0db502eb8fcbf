//! Documentation that changed and nothing else: the docstring follows, where it was the old documentation.

use super::python::{PythonToken, docstring, scan};
use super::value::Value;
use super::{MemberView, Refusal, Rule, spliced};
use crate::edit::Edit;
use upstream::ItemChange;

/// Replaces a docstring that mirrors the upstream's documentation.
#[derive(Debug)]
pub(super) struct Docs;

impl Rule for Docs {
    fn name(&self) -> &'static str {
        "docs"
    }

    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal> {
        let (before, after, aspects) = match &view.member.change {
            ItemChange::Modified { before, after, aspects } => (before, after, aspects),
            ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Relocated { .. } => {
                return Refusal::because("the item is not changed in place");
            }
        };
        if !aspects.docs || aspects.touches_behaviour() {
            return Refusal::because("the change is not one of documentation alone");
        }
        let (symbol, text) = view.written()?;
        let text = with_docs(text, &before.docs, &after.docs)?;
        Ok(vec![Edit::Replace { symbol: symbol.symbol.clone(), expected: symbol.hash.clone(), text }])
    }
}

/// The symbol's text where its documentation changed beside something else: a docstring follows or the rule
/// refuses, and where there is none, none is missing.
pub(super) fn following(text: &str, old: &str, new: &str) -> Result<String, Refusal> {
    if normal(old) == normal(new) || docstring(&scan(text)?).is_none() {
        return Ok(text.to_owned());
    }
    with_docs(text, old, new)
}

/// The symbol's text with the new documentation in the place of the old.
fn with_docs(text: &str, old: &str, new: &str) -> Result<String, Refusal> {
    let tokens = scan(text)?;
    let Some(token) = docstring(&tokens).and_then(|at| tokens.get(at)) else {
        return Refusal::because("the symbol has no docstring");
    };
    let Some(Value::Text(current)) = &token.value else {
        return Refusal::because("the docstring cannot be read");
    };
    if normal(current) != normal(old) {
        return Refusal::because("the docstring is not the old documentation");
    }
    let new = normal(new);
    if new.is_empty() {
        return Refusal::because("the documentation went, which is not for a docstring to follow");
    }
    if new.iter().any(|line| line.contains('\\') || line.contains("\"\"\"") || line.ends_with('"')) {
        return Refusal::because("the new documentation would have to be escaped");
    }
    if !token.text.starts_with("\"\"\"") {
        return Refusal::because("the docstring is not written in three double quotes");
    }
    spliced(text, vec![(token.span.clone(), written(text, token, &new))])
}

/// The docstring's lines without common indentation and without blank lines around them.
fn normal(docs: &str) -> Vec<String> {
    let mut lines = docs.trim().lines();
    let mut normal: Vec<String> = lines.next().into_iter().map(|line| line.trim().to_owned()).collect();
    let rest: Vec<&str> = lines.collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = rest.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    normal.extend(rest.iter().map(|line| line.get(common..).unwrap_or_default().trim_end().to_owned()));
    normal
}

/// The new docstring in the old one's layout.
fn written(text: &str, token: &PythonToken, lines: &[String]) -> String {
    let before = text.get(..token.span.start).unwrap_or_default();
    let indent = before.rsplit('\n').next().unwrap_or_default();
    let mut out = String::from("\"\"\"");
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push('\n');
            if !line.is_empty() {
                out.push_str(indent);
            }
        }
        out.push_str(line);
    }
    if lines.len() > 1 {
        out.push('\n');
        out.push_str(indent);
    }
    out.push_str("\"\"\"");
    out
}
