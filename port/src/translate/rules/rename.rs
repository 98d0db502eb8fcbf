//! An item with another name and nothing else: its symbol gets that name.

use super::tokens::{Token, TokenKind};
use super::{MemberView, Refusal, Rule, code_tokens};
use crate::edit::Edit;
use crate::translate::SymbolContext;
use upstream::ItemChange;

/// Names that Python keeps for itself.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Renames the symbol of a renamed item.
#[derive(Debug)]
pub(super) struct Rename;

impl Rule for Rename {
    fn name(&self) -> &'static str {
        "rename"
    }

    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal> {
        let (before, after) = match &view.member.change {
            ItemChange::Relocated { before, after, .. } => (before, after),
            ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Modified { .. } => {
                return Refusal::because("the item keeps its path");
            }
        };
        let (old, new) = (before.path.name(), after.path.name());
        if old == new || before.path.parent() != after.path.parent() {
            return Refusal::because("the item moved, which is more than a new name");
        }
        if before.attributes != after.attributes {
            return Refusal::because("its attributes changed");
        }
        if !same_but_for_the_name(&code_tokens(before)?, &code_tokens(after)?, old, new) {
            return Refusal::because("more than its name changed");
        }
        let symbol = current_symbol(view, old)?;
        let to = if symbol.symbol.name() == old {
            new.to_owned()
        } else if symbol.symbol.name().strip_prefix('_') == Some(old) {
            format!("_{new}")
        } else {
            return Refusal::because("the symbol's name does not follow from the item's");
        };
        if KEYWORDS.contains(&to.as_str()) || !to.chars().all(|c| c == '_' || c.is_alphanumeric()) {
            return Refusal::because(format!("`{to}` is no name in Python"));
        }
        if view.others().any(|other| other.text.is_some() && other.symbol.name() == to) {
            return Refusal::because(format!("`{to}` is there already"));
        }
        Ok(vec![Edit::Rename { symbol: symbol.symbol.clone(), expected: symbol.hash.clone(), to }])
    }
}

/// The symbol under its old name: the member's own, or, where the member names what it is to become, the one
/// beside it that the old item's name leads to.
fn current_symbol<'request>(
    view: MemberView<'request>,
    old: &str,
) -> Result<&'request SymbolContext, Refusal> {
    if let Ok((symbol, _)) = view.written() {
        return Ok(symbol);
    }
    let private = format!("_{old}");
    let beside = |symbol: &&SymbolContext| {
        symbol.text.is_some()
            && symbol.symbol.parent() == view.member.symbol.parent()
            && (symbol.symbol.name() == old || symbol.symbol.name() == private)
    };
    let found = view.request.symbols.iter().find(beside);
    found.ok_or_else(|| Refusal::new(format!("no symbol for `{old}` is there")))
}

fn same_but_for_the_name(before: &[Token], after: &[Token], old: &str, new: &str) -> bool {
    let renamed = |token: &Token| token.kind == TokenKind::Identifier && token.text == old;
    before.len() == after.len()
        && before.iter().zip(after).all(|(before, after)| {
            let expected = if renamed(before) { new } else { &before.text };
            before.kind == after.kind && expected == after.text
        })
}
