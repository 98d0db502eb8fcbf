//! Removed and added items that are one item under another path.
//!
//! Only unique matches count: where two removed or two added items look alike, nobody can tell which became
//! which, and they stay removed and added.

use std::collections::{BTreeMap, BTreeSet};

use super::change::ItemChange;
use super::compare::aspects;
use crate::ids::{ContentHash, ItemPath};
use crate::snapshot::{Item, ItemKind, tokens_without_name};

/// Joins what was moved or renamed; the rest stays removed and added.
pub(super) fn join_relocated(removed: Vec<&Item>, added: Vec<&Item>) -> Vec<ItemChange> {
    let mut rest = Rest { gone: removed, come: added, looks: BTreeMap::new(), changes: Vec::new() };
    // What kept its name has first claim, and before that what also kept what stands around it: of two functions
    // with equal bodies that moved, each finds its own.
    for around in [3, 2, 1] {
        rest.join(|item, look| (look, Some(item.path.end(around))));
    }
    rest.join(|_, look| (look, None));
    rest.changes.extend(rest.gone.into_iter().map(|item| ItemChange::Removed { before: item.clone() }));
    rest.changes.extend(rest.come.into_iter().map(|item| ItemChange::Added { after: item.clone() }));
    rest.changes
}

type Look = (ItemKind, ContentHash);

struct Rest<'items> {
    gone: Vec<&'items Item>,
    come: Vec<&'items Item>,
    /// By whether the item is new, and its path; a look costs a parse.
    looks: BTreeMap<(bool, ItemPath), Look>,
    changes: Vec<ItemChange>,
}

impl Rest<'_> {
    /// Joins each pair that alone has its key.
    fn join(&mut self, key: impl Fn(&Item, Look) -> (Look, Option<String>)) {
        if self.gone.is_empty() || self.come.is_empty() {
            return;
        }
        let mut groups: BTreeMap<_, (Vec<&Item>, Vec<&Item>)> = BTreeMap::new();
        for item in &self.gone {
            let look = *self.looks.entry((false, item.path.clone())).or_insert_with(|| look(item));
            groups.entry(key(item, look)).or_default().0.push(item);
        }
        for item in &self.come {
            let look = *self.looks.entry((true, item.path.clone())).or_insert_with(|| look(item));
            groups.entry(key(item, look)).or_default().1.push(item);
        }
        let mut joined = BTreeSet::new();
        for (old, new) in groups.into_values() {
            if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
                joined.extend([(false, old.path.clone()), (true, new.path.clone())]);
                self.changes.push(relocated(old, new));
            }
        }
        self.gone.retain(|item| !joined.contains(&(false, item.path.clone())));
        self.come.retain(|item| !joined.contains(&(true, item.path.clone())));
    }
}

/// What the item is apart from its name, documentation, attributes and visibility.
fn look(item: &Item) -> Look {
    if item.kind == ItemKind::Module {
        // A module is known by its contents, and those are items of their own: by itself it looks like any
        // other that imports the same. Documentation is all that tells it apart.
        return (item.kind, ContentHash::of_parts([item.fingerprint.body.to_string(), item.docs.clone()]));
    }
    (item.kind, ContentHash::of_parts(tokens_without_name(item)))
}

fn relocated(old: &Item, new: &Item) -> ItemChange {
    let mut aspects = aspects(old, new);
    // The two look the same but for the name, so the name is all that differs in header and body.
    aspects.signature = false;
    aspects.body = false;
    ItemChange::Relocated { before: old.clone(), after: new.clone(), aspects }
}
