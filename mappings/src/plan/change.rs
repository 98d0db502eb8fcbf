//! What changed for each item, counted from the revision that the port equals in it.

use std::collections::{BTreeMap, BTreeSet};

use upstream::ItemPath;
use upstream::diff::{ItemChange, aspects, item_change};
use upstream::snapshot::{Item, ItemKind, Snapshot};

use super::held::{is_still_held, something_moved};
use super::{PlanError, PlanInput};
use crate::lock::Link;

/// One item that changed, before it is decided what to do about it.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    /// What happened to it.
    pub(super) change: ItemChange,
    /// Its link in the lock; for a relocated item, that of its old path.
    pub(super) link: Option<&'a Link>,
    /// What is known of it beforehand.
    pub(super) standing: Standing,
}

/// What is known of a change before anything is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing.
    Open,
    /// The port equals the new state already, although the baseline does not.
    Settled,
    /// The item's file cannot be read at the target, so its absence says nothing.
    Unreadable,
    /// An earlier revision passed over it, and nothing is new about that.
    Held,
}

/// All changes, sorted by path; every item that differs between baseline and target is among them, and so is
/// every item in which the port lags.
pub(super) fn pending_changes<'a>(input: &PlanInput<'a>) -> Result<Vec<Pending<'a>>, PlanError> {
    let mut added = Vec::new();
    let mut pending = Vec::new();
    let something_moved = something_moved(input);
    for (path, item) in &input.target.items {
        match input.lock.links.get(path) {
            link if is_still_held(input, path, item, something_moved)? => {
                let change = ItemChange::Added { after: item.clone() };
                pending.push(Pending { change, link, standing: Standing::Held });
            }
            Some(link) => pending.extend(linked_change(input, link, item)?),
            None => match unlinked_change(input, path, item) {
                Some((ItemChange::Added { after }, Standing::Open)) => added.push(after),
                Some((change, standing)) => pending.push(Pending { change, link: None, standing }),
                None => {}
            },
        }
    }
    let unreadable = unreadable(input.target);
    let mut removed = Vec::new();
    for link in input.lock.links.values().filter(|link| !input.target.items.contains_key(&link.item)) {
        let before = item_of(input, link)?;
        if unreadable.contains(&before) {
            let change = ItemChange::Removed { before };
            pending.push(Pending { change, link: Some(link), standing: Standing::Unreadable });
        } else {
            removed.push((link, before));
        }
    }
    pending.extend(relocations(input, &mut removed, &mut added));
    pending.extend(removed.into_iter().map(|(link, before)| Pending {
        change: ItemChange::Removed { before },
        link: Some(link),
        standing: Standing::Open,
    }));
    pending.extend(added.into_iter().map(|after| Pending {
        change: ItemChange::Added { after },
        link: None,
        standing: Standing::Open,
    }));
    pending.extend(unlinked_removals(input, &unreadable));
    pending.sort_by(|one, other| one.change.path().cmp(other.change.path()));
    Ok(pending)
}

/// The same item under another path.
pub(super) fn relocated(before: &Item, after: &Item) -> ItemChange {
    ItemChange::Relocated { before: before.clone(), after: after.clone(), aspects: aspects(before, after) }
}

fn linked_change<'a>(
    input: &PlanInput<'a>,
    link: &'a Link,
    item: &Item,
) -> Result<Option<Pending<'a>>, PlanError> {
    if link.upstream == item.fingerprint.combined() {
        // The port equals it. It may still differ from the baseline: in its visibility, or because an
        // earlier change was parked and is now taken back.
        let change = test_change(input, link, item);
        if change.is_some() {
            return Ok(change.map(|change| Pending { change, link: Some(link), standing: Standing::Open }));
        }
        let change = item_change(input.baseline.items.get(&link.item), Some(item));
        return Ok(change.map(|change| Pending { change, link: Some(link), standing: Standing::Settled }));
    }
    let before = item_of(input, link)?;
    let change = item_change(Some(&before), Some(item));
    Ok(change.map(|change| Pending { change, link: Some(link), standing: Standing::Open }))
}

/// The change of an item that became test code, or stopped being it, by what stands around it: its own tokens
/// do not tell.
fn test_change(input: &PlanInput<'_>, link: &Link, item: &Item) -> Option<ItemChange> {
    let earlier = || (input.item_at)(&link.revision, &link.item);
    let at_baseline = || input.baseline.items.get(&link.item).cloned();
    // Where the port lags, the baseline has gone on without it.
    let lags = input.lock.is_behind(&link.item);
    let before = if lags { earlier() } else { at_baseline() };
    let before = before.filter(|before| before.is_test != item.is_test)?;
    let aspects = aspects(&before, item);
    Some(ItemChange::Modified { before, after: item.clone(), aspects })
}

fn unlinked_change(input: &PlanInput<'_>, path: &ItemPath, item: &Item) -> Option<(ItemChange, Standing)> {
    let at_baseline = input.baseline.items.get(path);
    if let Some(held) = input.lock.held.get(path) {
        // What was passed over is counted from the revision before. It may have been taken back since.
        let since = input.lock.recorded_before(&held.revision);
        let before = since.and_then(|since| (input.item_at)(since, path));
        let open = item_change(before.as_ref(), Some(item)).map(|change| (change, Standing::Open));
        let settled = || item_change(at_baseline, Some(item)).map(|change| (change, Standing::Settled));
        return open.or_else(settled);
    }
    // What was parked when it was new has no link yet, and is tried again.
    let before = at_baseline.filter(|_| !input.lock.parked.contains_key(path));
    item_change(before, Some(item)).map(|change| (change, Standing::Open))
}

fn unlinked_removals<'a>(input: &PlanInput<'a>, unreadable: &Unreadable<'_>) -> Vec<Pending<'a>> {
    let is_gone = |item: &&Item| {
        !input.target.items.contains_key(&item.path) && !input.lock.links.contains_key(&item.path)
    };
    let pending = |before: &Item| Pending {
        change: ItemChange::Removed { before: before.clone() },
        link: None,
        standing: if unreadable.contains(before) { Standing::Unreadable } else { Standing::Open },
    };
    input.baseline.items.values().filter(is_gone).map(pending).collect()
}

/// Files of a snapshot of which it is not known what they hold.
struct Unreadable<'a> {
    snapshot: &'a Snapshot,
    /// Files that gave at least one item.
    spoken: BTreeSet<&'a str>,
}

fn unreadable(snapshot: &Snapshot) -> Unreadable<'_> {
    // Mostly everything can be read, and nothing is asked.
    let items = snapshot.items.values().filter(|_| !snapshot.unparsed.is_empty());
    Unreadable { snapshot, spoken: items.map(|item| item.file.as_str()).collect() }
}

impl Unreadable<'_> {
    /// Whether a vanished item may still be there: its file did not parse, or is there and was not reached
    /// because a file before it did not parse.
    fn contains(&self, item: &Item) -> bool {
        let file = item.file.as_str();
        let is_unparsed = self.snapshot.unparsed.iter().any(|unparsed| unparsed.file == file);
        let is_unreached = !self.snapshot.unparsed.is_empty()
            && self.snapshot.files.contains_key(file)
            && !self.spoken.contains(file);
        is_unparsed || is_unreached
    }
}

/// The item that the port equals. Mostly that is the baseline's; only where the port lags behind the
/// baseline is an earlier revision asked for.
pub(super) fn item_of(input: &PlanInput<'_>, link: &Link) -> Result<Item, PlanError> {
    let is_linked = |item: &Item| item.fingerprint.combined() == link.upstream;
    let at_baseline = input.baseline.items.get(&link.item).filter(|item| is_linked(item)).cloned();
    let item = at_baseline.or_else(|| (input.item_at)(&link.revision, &link.item).filter(is_linked));
    item.ok_or_else(|| PlanError::LockDisagrees { item: link.item.clone(), revision: link.revision.clone() })
}

/// Takes the pairs of a vanished and a new item that are one item under another path out of both lists.
fn relocations<'a>(
    input: &PlanInput<'a>,
    removed: &mut Vec<(&'a Link, Item)>,
    added: &mut Vec<Item>,
) -> Vec<Pending<'a>> {
    let mut found = Vec::new();
    // One symbol answers to both: whatever became of the item, it is the symbol's new counterpart.
    let by_symbol = |item: &Item| match input.mapping.place(item) {
        Ok(crate::mapping::Placement::Mapped { symbol, .. }) => Some(symbol),
        Ok(crate::mapping::Placement::Skipped { .. }) | Err(_) => None,
    };
    take_pairs(removed, added, &mut found, |link, _| Some(link.symbol.clone()), by_symbol);
    // Of several that are alike, such as `clone` and `copy`, the name says which is which.
    let named = |item: &Item| Some((Likeness::of(item), item.path.name().to_owned()));
    take_pairs(removed, added, &mut found, |_, item| named(item), named);
    let alike = |item: &Item| Some(Likeness::of(item));
    take_pairs(removed, added, &mut found, |_, item| alike(item), alike);
    found
}

/// Pairs what has the same key and is alone with it on both sides.
fn take_pairs<'a, Key: Ord>(
    removed: &mut Vec<(&'a Link, Item)>,
    added: &mut Vec<Item>,
    found: &mut Vec<Pending<'a>>,
    old_key: impl Fn(&Link, &Item) -> Option<Key>,
    new_key: impl Fn(&Item) -> Option<Key>,
) {
    let mut pairs: BTreeMap<Key, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, (link, item)) in removed.iter().enumerate() {
        if let Some(key) = old_key(link, item) {
            pairs.entry(key).or_default().0.push(at);
        }
    }
    for (at, item) in added.iter().enumerate() {
        if let Some(key) = new_key(item) {
            pairs.entry(key).or_default().1.push(at);
        }
    }
    let (mut old_taken, mut new_taken) = (BTreeSet::new(), BTreeSet::new());
    for (old_at, new_at) in pairs.into_values() {
        let ([old_at], [new_at]) = (old_at.as_slice(), new_at.as_slice()) else { continue };
        let (Some((link, before)), Some(after)) = (removed.get(*old_at), added.get(*new_at)) else {
            continue;
        };
        if before.kind != after.kind || before.is_test != after.is_test {
            continue;
        }
        found.push(Pending { change: relocated(before, after), link: Some(link), standing: Standing::Open });
        old_taken.insert(*old_at);
        new_taken.insert(*new_at);
    }
    drop_at(removed, &old_taken);
    drop_at(added, &new_taken);
}

fn drop_at<Element>(elements: &mut Vec<Element>, taken: &BTreeSet<usize>) {
    let mut at = 0;
    elements.retain(|_| {
        at += 1;
        !taken.contains(&(at - 1))
    });
}

/// What two items must share to be taken for one that moved.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    kind: ItemKind,
    body: upstream::ContentHash,
    members: Vec<String>,
    is_test: bool,
    /// For what has neither a body nor members to be known by, its name.
    name: Option<String>,
}

impl Likeness {
    fn of(item: &Item) -> Self {
        let has_body = matches!(item.kind, ItemKind::Function | ItemKind::Method | ItemKind::Macro);
        let name = (!has_body && item.members.is_empty()).then(|| item.path.name().to_owned());
        Self {
            kind: item.kind,
            body: item.fingerprint.body,
            members: item.members.clone(),
            is_test: item.is_test,
            name,
        }
    }
}
