//! A body in which literals changed and nothing else: the same literals change in the symbol, where each of
//! them is found there exactly once.

use upstream::{ItemChange, ItemKind};

use super::docs::following;
use super::python::{PythonKind, PythonToken, is_statement, scan};
use super::tokens::Token;
use super::value::{RustLiteral, Value};
use super::{MemberView, Refusal, Rule, code_tokens, spliced};
use crate::edit::Edit;

/// Replaces literals.
#[derive(Debug)]
pub(super) struct LiteralChange;

impl Rule for LiteralChange {
    fn name(&self) -> &'static str {
        "literal"
    }

    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal> {
        let (before, after, aspects) = match &view.member.change {
            ItemChange::Modified { before, after, aspects } => (before, after, aspects),
            ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Relocated { .. } => {
                return Refusal::because("the item is not changed in place");
            }
        };
        if !aspects.body || aspects.signature || aspects.attributes {
            return Refusal::because("more or less than the body changed");
        }
        if !matches!(after.kind, ItemKind::Function | ItemKind::Method) {
            return Refusal::because("the item is no function");
        }
        let (symbol, text) = view.written()?;
        let tokens = scan(text)?;
        let mut changes = Vec::new();
        for (old, new) in changed_literals(&code_tokens(before)?, &code_tokens(after)?)? {
            let place = only_place(&tokens, &old.value)?;
            changes.push((place.span.clone(), new.python(place.quote())));
        }
        let text = following(&spliced(text, changes)?, &before.docs, &after.docs)?;
        Ok(vec![Edit::Replace { symbol: symbol.symbol.clone(), expected: symbol.hash.clone(), text }])
    }
}

/// The literals in which two token sequences differ; each old one occurs once among the old tokens.
fn changed_literals(before: &[Token], after: &[Token]) -> Result<Vec<(RustLiteral, RustLiteral)>, Refusal> {
    if before.len() != after.len() {
        return Refusal::because("more than literals changed");
    }
    let mut changed = Vec::new();
    for (old, new) in before.iter().zip(after) {
        if old.kind == new.kind && old.text == new.text {
            continue;
        }
        if old.kind != new.kind || !old.is_value() || !new.is_value() {
            return Refusal::because(format!("`{}` became `{}`", old.text, new.text));
        }
        let (old_literal, new_literal) = (RustLiteral::of(old)?, RustLiteral::of(new)?);
        refuse_formats(&old_literal)?;
        refuse_formats(&new_literal)?;
        let same = |token: &&Token| {
            token.is_value() && RustLiteral::of(token).is_ok_and(|other| other.value == old_literal.value)
        };
        if before.iter().filter(same).count() != 1 {
            return Refusal::because(format!("`{}` occurs more than once in the item", old.text));
        }
        changed.push((old_literal, new_literal));
    }
    if changed.is_empty() {
        return Refusal::because("no literal changed");
    }
    Ok(changed)
}

/// A text with braces may be a format, whose counterpart is more than a text.
fn refuse_formats(literal: &RustLiteral) -> Result<(), Refusal> {
    match &literal.value {
        Value::Text(text) if text.contains(['{', '}']) => {
            Refusal::because("a text with braces may be a format")
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Truth(_) => Ok(()),
    }
}

/// The one literal of the symbol that has this value.
fn only_place<'tokens>(
    tokens: &'tokens [PythonToken],
    value: &Value,
) -> Result<&'tokens PythonToken, Refusal> {
    let mut found = None;
    for (at, token) in tokens.iter().enumerate() {
        if token.value.as_ref() != Some(value) || is_statement(tokens, at) {
            continue;
        }
        if found.is_some() {
            return Refusal::because("the old literal occurs more than once in the symbol");
        }
        let neighbours = [at.checked_sub(1), Some(at + 1)].map(|at| at.and_then(|at| tokens.get(at)));
        let joined = |token: &&PythonToken| matches!(token.kind, PythonKind::Text | PythonKind::Opaque);
        if joined(&token) && neighbours.iter().flatten().any(joined) {
            return Refusal::because("the old literal is part of a longer text");
        }
        found = Some(token);
    }
    found.ok_or_else(|| Refusal::new("the old literal does not occur in the symbol"))
}
