//! Whether the baseline passes over a change of behaviour of which nothing is recorded.
//!
//! It is computed from the two states alone, the upstream at the baseline and what the links say the port equals,
//! so that no marker that moved on can hide anything. The main function is [`check_passed`].

use std::collections::BTreeSet;

use upstream::RevisionLabel;
use upstream::diff::{ItemChange, item_change};
use upstream::snapshot::Item;

use super::Link;
use super::check::{CheckInput, LockFinding};
use crate::mapping::Placement;
use crate::plan::without_behaviour;
use crate::unit::SkipReason;

/// Adds each item that the baseline passes over.
pub(super) fn check_passed(input: &CheckInput<'_>, findings: &mut Vec<LockFinding>) {
    let Some(baseline) = input.baseline else { return };
    for item in baseline.items.values() {
        if input.lock.is_behind(&item.path) {
            continue;
        }
        findings.extend(match input.lock.links.get(&item.path) {
            Some(link) => linked(input, link, item),
            None => unlinked(input, item),
        });
    }
    let unreadable: BTreeSet<&str> = baseline.unparsed.iter().map(|file| file.file.as_str()).collect();
    for link in input.lock.links.values() {
        let is_there = baseline.items.contains_key(&link.item) || input.lock.is_behind(&link.item);
        if !is_there {
            findings.extend(gone(input, link, &unreadable));
        }
    }
}

/// Adds what is said to wait and does not: two branches may have landed what the other one parked.
pub(super) fn check_waiting(input: &CheckInput<'_>, findings: &mut Vec<LockFinding>) {
    let place = |label: &RevisionLabel| input.revisions.iter().position(|known| known.label == *label);
    let waiting = input.lock.parked.values().map(|parked| (&parked.item, &parked.revision));
    let waiting = waiting.chain(input.lock.held.values().map(|held| (&held.item, &held.revision)));
    for (item, since) in waiting {
        let (Some(link), Some(at)) =
            (input.lock.links.get(item), input.baseline.and_then(|baseline| baseline.items.get(item)))
        else {
            continue;
        };
        // What waits for the sake of what it uses equals the baseline too, and its link is older.
        let is_newer = place(&link.revision).zip(place(since)).is_some_and(|(link, since)| link >= since);
        if link.upstream == at.fingerprint.combined() && is_newer {
            findings.push(LockFinding::WaitsNoLonger { item: item.clone() });
        }
    }
}

/// The link must equal the baseline, unless what changed since is no behaviour or has a reason.
fn linked(input: &CheckInput<'_>, link: &Link, item: &Item) -> Option<LockFinding> {
    if link.upstream == item.fingerprint.combined() {
        return None;
    }
    // A link that says what never was is found as such.
    let before = (input.item_at)(&link.revision, &link.item)
        .filter(|before| before.fingerprint.combined() == link.upstream)?;
    passed(input, &item_change(Some(&before), Some(item))?, Some(link))
}

/// What no symbol answers to must be as it was when the port was adopted.
fn unlinked(input: &CheckInput<'_>, item: &Item) -> Option<LockFinding> {
    let before = input.adopted?.items.get(&item.path);
    let change = item_change(before, Some(item))?;
    if input.mapping.needs_no_symbol(item).is_some() {
        return None;
    }
    passed(input, &change, None)
}

/// A link whose item is not in the baseline any more: the item went, and the symbol should have gone too.
fn gone(input: &CheckInput<'_>, link: &Link, unreadable: &BTreeSet<&str>) -> Option<LockFinding> {
    let before = (input.item_at)(&link.revision, &link.item)?;
    if unreadable.contains(before.file.as_str()) {
        return None;
    }
    passed(input, &ItemChange::Removed { before }, Some(link))
}

fn passed(input: &CheckInput<'_>, change: &ItemChange, link: Option<&Link>) -> Option<LockFinding> {
    if without_behaviour(change).is_some() {
        return None;
    }
    let item = change.after().or(change.before())?;
    if input.holds.of_item(&item.path, change.after(), input.item_at).is_some() {
        return None;
    }
    match input.mapping.place(item) {
        Ok(Placement::Mapped { .. } | Placement::Skipped { why: SkipReason::Unmapped, .. }) => {}
        // A rule with a reason, or what the item is, says that nothing is to follow.
        Ok(Placement::Skipped { .. }) => return None,
        Err(problem) => return Some(LockFinding::NoPlace { problem: problem.to_string() }),
    }
    let since = link.map(|link| &link.revision).or(input.adopted.map(|adopted| &adopted.revision.label))?;
    Some(LockFinding::PassedOver { item: item.path.clone(), since: since.clone(), change: change.summary() })
}
