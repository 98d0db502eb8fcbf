//! Items that left one place and appeared at another in the same revision.
//!
//! The same rule as in [`crate::diff`]: only unique matches count, and what kept its name, and before that also
//! what stands around it, has first claim.

use std::collections::BTreeMap;

use super::row::{ChangeKind, HistoryChange};
use crate::diff::Aspects;
use crate::scan::compare::{Sides, Trace};
use crate::snapshot::ItemKind;

/// The most items of one revision among which moves are looked for.
const SEARCHED_MAX: usize = 50_000;

/// A change with what is needed to find its other half.
pub(super) struct Open {
    /// The change as it stands.
    pub(super) change: HistoryChange,
    /// How it was found.
    pub(super) sides: Sides,
    /// Whether it is a file as a module.
    pub(super) is_file: bool,
}

/// Joins what was moved or renamed. The text says what was not searched.
pub(super) fn join(open: Vec<Open>) -> (Vec<HistoryChange>, Option<String>) {
    let (mut gone, mut come, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for Open { change, sides, .. } in open {
        match sides {
            Sides::Before(trace) => gone.push((change, trace)),
            Sides::After(trace) => come.push((change, trace)),
            Sides::Both(_) => done.push(change),
        }
    }
    let candidates = gone.len() + come.len();
    let mut not_searched = None;
    if candidates > SEARCHED_MAX {
        not_searched = Some(format!(
            "moves among {candidates} added and removed items (at most {SEARCHED_MAX} are searched)"
        ));
    } else if !gone.is_empty() && !come.is_empty() {
        // Of look-alikes in a file that moved, each finds its own by what stands around it.
        for around in [3, 2, 1] {
            pair(&mut gone, &mut come, &mut done, |change, trace| {
                (change.kind, trace.look, Some(change.path.end(around)))
            });
        }
        pair(&mut gone, &mut come, &mut done, |change, trace| (change.kind, trace.look, None));
    }
    done.extend(gone.into_iter().chain(come).map(|(change, _)| change));
    (done, not_searched)
}

type Half = (HistoryChange, Trace);
type Key = (ItemKind, u64, Option<String>);

/// Joins each pair that alone has its key.
fn pair(
    gone: &mut Vec<Half>,
    come: &mut Vec<Half>,
    done: &mut Vec<HistoryChange>,
    key: impl Fn(&HistoryChange, &Trace) -> Key,
) {
    let mut groups: BTreeMap<Key, (Vec<Half>, Vec<Half>)> = BTreeMap::new();
    for half in gone.drain(..) {
        groups.entry(key(&half.0, &half.1)).or_default().0.push(half);
    }
    for half in come.drain(..) {
        groups.entry(key(&half.0, &half.1)).or_default().1.push(half);
    }
    for (mut old, mut new) in groups.into_values() {
        if old.len() == 1
            && new.len() == 1
            && let (Some(before), Some(after)) = (old.pop(), new.pop())
        {
            done.push(joined(&before, after));
            continue;
        }
        gone.extend(old);
        come.extend(new);
    }
}

fn joined((before, old): &Half, (after, new): Half) -> HistoryChange {
    let same_name = before.path.name() == after.path.name();
    HistoryChange {
        change: if same_name { ChangeKind::Moved } else { ChangeKind::Renamed },
        from: Some(before.path.clone()),
        aspects: Aspects {
            docs: old.docs != new.docs,
            attributes: old.annotations != new.annotations || before.test != after.test,
            visibility: old.visibility != new.visibility || before.public != after.public,
            ..Aspects::default()
        },
        test: before.test && after.test,
        public: before.public || after.public,
        ..after
    }
}
