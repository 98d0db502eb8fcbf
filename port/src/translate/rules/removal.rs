//! An item that went: its symbol goes too, where nothing that the request shows still names it.

use mappings::SymbolPath;
use upstream::ItemChange;

use super::python::{PythonKind, scan};
use super::{MemberView, Refusal, Rule};
use crate::edit::Edit;

/// Deletes the symbol of a removed item.
#[derive(Debug)]
pub(super) struct Removal;

impl Rule for Removal {
    fn name(&self) -> &'static str {
        "removal"
    }

    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal> {
        match &view.member.change {
            ItemChange::Removed { .. } => {}
            ItemChange::Added { .. } | ItemChange::Modified { .. } | ItemChange::Relocated { .. } => {
                return Refusal::because("the item is not removed");
            }
        }
        let (symbol, _) = view.written()?;
        if view.member.edited_by_hand {
            return Refusal::because("a person edited the symbol");
        }
        let shown = view.others().filter_map(|other| Some((&other.symbol, other.text.as_ref()?)));
        // Of users elsewhere in the port there are only the lines that name it.
        let used = view.request.uses.iter().map(|line| (&line.symbol, &line.text));
        for (other, text) in shown.chain(used).filter(|(other, _)| !is_removed_too(view, other)) {
            let name = symbol.symbol.name();
            let names_it =
                scan(text)?.iter().any(|token| token.kind == PythonKind::Name && token.text == name);
            if names_it {
                return Refusal::because(format!("`{other}` still names it"));
            }
        }
        Ok(vec![Edit::Delete { symbol: symbol.symbol.clone(), expected: symbol.hash.clone() }])
    }
}

fn is_removed_too(view: MemberView<'_>, other: &SymbolPath) -> bool {
    let mut members = view.request.unit.members.iter();
    members.any(|member| member.symbol == *other && member.change.after().is_none())
}
