//! Two versions of a file to what became of its items, by the check's own reading.

use std::collections::{BTreeMap, BTreeSet};

use super::normal;
use super::read::{Found, Kind};

/// What became of an item. One that moved was removed here and added there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Added,
    Removed,
    Modified,
}

/// Something that happened to an item.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) side: Side,
    pub(super) file: String,
    /// The path inside the file.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// What differs, for one that was there before and is there now. Nothing: its tokens differ, and the check holds
    /// that for formatting.
    pub(super) aspects: BTreeSet<&'static str>,
    /// Over the item by itself, whatever stands around it.
    pub(super) content: u64,
}

/// What happened between two versions; one of them may be missing.
pub(super) fn events(file: &str, before: Option<&[Found]>, after: Option<&[Found]>) -> Vec<Event> {
    let mut groups: BTreeMap<&str, (Vec<&Found>, Vec<&Found>)> = BTreeMap::new();
    for item in before.unwrap_or_default() {
        groups.entry(&item.path).or_default().0.push(item);
    }
    for item in after.unwrap_or_default() {
        groups.entry(&item.path).or_default().1.push(item);
    }
    // `syn` reads the old `...` of patterns as `..=`: where their number differs, equal items may not be.
    let old_ranges = |items: Option<&[Found]>| items.and_then(|items| items.first()).map(|it| it.old_ranges);
    let is_open = old_ranges(before) != old_ranges(after);
    let mut events = Vec::new();
    for (old, new) in groups.into_values() {
        for (old, new) in paired(old, new) {
            events.extend(event(file, old, new, is_open));
        }
    }
    events
}

/// Several items under one path: the same ones first, then those of one kind, then whatever is left.
fn paired<'a>(
    mut old: Vec<&'a Found>,
    mut new: Vec<&'a Found>,
) -> Vec<(Option<&'a Found>, Option<&'a Found>)> {
    let mut pairs = Vec::new();
    let rules: [fn(&Found, &Found) -> bool; 4] = [
        |one, other| one.digest == other.digest,
        |one, other| one.kind == other.kind && difference(one, other).is_empty(),
        |one, other| one.kind == other.kind,
        |_, _| true,
    ];
    for rule in rules {
        old.retain(|item| match new.iter().position(|other| rule(item, other)) {
            Some(at) => {
                pairs.push((Some(*item), Some(new.remove(at))));
                false
            }
            None => true,
        });
        if old.is_empty() || new.is_empty() {
            break;
        }
    }
    pairs.extend(old.into_iter().map(|item| (Some(item), None)));
    pairs.extend(new.into_iter().map(|item| (None, Some(item))));
    pairs
}

fn event(file: &str, old: Option<&Found>, new: Option<&Found>, is_open: bool) -> Option<Event> {
    let item = new.or(old)?;
    let (side, aspects) = match (old, new) {
        (Some(old), Some(new)) => (Side::Modified, difference(old, new)),
        (Some(_), None) => (Side::Removed, BTreeSet::new()),
        (None, _) => (Side::Added, BTreeSet::new()),
    };
    let is_same = !is_open && old.zip(new).is_some_and(|(old, new)| old.digest == new.digest);
    (!is_same).then(|| Event {
        side,
        file: file.to_owned(),
        path: item.path.clone(),
        kind: item.kind,
        aspects,
        content: item.content,
    })
}

/// Which parts of an item differ.
fn difference(old: &Found, new: &Found) -> BTreeSet<&'static str> {
    if old.digest == new.digest {
        return BTreeSet::new();
    }
    let differs = [
        ("signature", old.kind != new.kind || !normal::same(&old.head, &new.head)),
        ("body", !normal::same(&old.body, &new.body)),
        ("docs", old.docs.trim() != new.docs.trim()),
        ("attributes", old.attributes != new.attributes || old.is_test != new.is_test),
        ("visibility", old.visibility != new.visibility || old.is_open != new.is_open),
    ];
    differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}
