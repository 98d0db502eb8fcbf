//! Which item of the older snapshot is which of the newer.
//!
//! Mostly the path says it. Several definitions under one path are told apart by `#2`, `#3` in the order of
//! the text, so a definition put before them shifts the numbers: those are paired by content first.

use std::collections::BTreeMap;

use crate::snapshot::{Item, Snapshot};

/// An item before and after; one of the two may be missing.
pub(super) type Pair<'items> = (Option<&'items Item>, Option<&'items Item>);

/// Pairs all items of two snapshots.
pub(super) fn pairs<'items>(before: &'items Snapshot, after: &'items Snapshot) -> Vec<Pair<'items>> {
    let mut groups: BTreeMap<&str, (Vec<&Item>, Vec<&Item>)> = BTreeMap::new();
    for item in before.items.values() {
        groups.entry(plain_path(item)).or_default().0.push(item);
    }
    for item in after.items.values() {
        groups.entry(plain_path(item)).or_default().1.push(item);
    }
    groups.into_values().flat_map(|(old, new)| pair_group(old, new)).collect()
}

/// The path without its number.
fn plain_path(item: &Item) -> &str {
    let path = item.path.as_str();
    match path.rsplit_once('#') {
        Some((plain, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => plain,
        Some(_) | None => path,
    }
}

fn pair_group<'items>(old: Vec<&'items Item>, new: Vec<&'items Item>) -> Vec<Pair<'items>> {
    if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
        return vec![(Some(old), Some(new))];
    }
    let mut equal: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for item in new {
        equal.entry(content(item)).or_default().push(item);
    }
    let (mut pairs, mut old_rest) = (Vec::new(), Vec::new());
    for item in old {
        let twins = equal.get_mut(&content(item)).filter(|twins| !twins.is_empty());
        match twins {
            Some(twins) => pairs.push((Some(item), Some(twins.remove(0)))),
            None => old_rest.push(item),
        }
    }
    let mut new_rest: Vec<&Item> = equal.into_values().flatten().collect();
    old_rest.sort_by_key(|item| number(item));
    new_rest.sort_by_key(|item| number(item));
    let length = old_rest.len().max(new_rest.len());
    pairs.extend((0..length).map(|at| (old_rest.get(at).copied(), new_rest.get(at).copied())));
    pairs
}

fn content(item: &Item) -> String {
    format!("{}{:?}{}", item.fingerprint.combined(), item.visibility, item.exported)
}

/// Which of several definitions under one path it is.
fn number(item: &Item) -> u32 {
    item.path.as_str().rsplit_once('#').and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}
