//! What changed behind the items of a unit and has no symbol of its own in the port: the private helpers whose
//! behaviour the unit's symbols have to take over.
//!
//! A translator that is not shown them sees an item that did not change at all, or half of a change.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use mappings::{CallGraph, UnitKind, WorkUnit};
use upstream::{ItemChange, ItemPath, Snapshot};

use super::planning::Current;

/// Who calls whom upstream, on both sides of a revision. It is made when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Calls(OnceCell<[CallGraph<ItemPath>; 2]>);

impl Calls {
    fn of(&self, before: &Snapshot, after: &Snapshot) -> &[CallGraph<ItemPath>; 2] {
        self.0.get_or_init(|| [before, after].map(|side| CallGraph::of_items(side.items.values())))
    }
}

impl Current {
    /// Who calls whom at the revision.
    pub(super) fn calls_now(&self) -> &CallGraph<ItemPath> {
        let [_before, after] = self.calls.of(&self.baseline, &self.snapshot);
        after
    }

    /// The changes behind a unit that no symbol answers to, by path. The walk ends at what has a symbol: that
    /// is followed by itself.
    pub(super) fn hidden_behind(&self, unit: &WorkUnit) -> Vec<ItemChange> {
        let changed = self.hidden_changes(unit.kind == UnitKind::Test);
        let is_begun = self.is_begun(unit);
        if changed.is_empty() && !is_begun {
            return Vec::new();
        }
        let calls = self.calls.of(&self.baseline, &self.snapshot);
        let own = unit.members.iter().flat_map(|member| [member.change.before(), member.change.after()]);
        let mut ahead: Vec<&ItemPath> = own.flatten().map(|item| &item.path).collect();
        let mut seen: BTreeSet<&ItemPath> = ahead.iter().copied().collect();
        let mut found = BTreeMap::new();
        while let Some(path) = ahead.pop() {
            for callee in calls.iter().flat_map(|side| side.callees(path)) {
                if self.is_followed(callee) || !seen.insert(callee) {
                    continue;
                }
                if let Some(change) = changed.get(callee) {
                    found.insert(change.path(), (*change).clone());
                } else if let Some(after) = self.snapshot.items.get(callee).filter(|_| is_begun) {
                    found.insert(callee, ItemChange::Added { after: after.clone() });
                }
                ahead.push(callee);
            }
        }
        found.into_values().collect()
    }

    /// Whether a unit is of a port that is being begun: all behind it that never has a symbol (macros, helpers of tests)
    /// is as new to the port as the unit is.
    fn is_begun(&self, unit: &WorkUnit) -> bool {
        unit.members.iter().any(|member| {
            let is_added = matches!(member.change, ItemChange::Added { .. });
            is_added && self.baseline.items.contains_key(member.change.path())
        })
    }

    /// What helps tests stands behind tests alone.
    fn hidden_changes(&self, of_tests: bool) -> BTreeMap<&ItemPath, &ItemChange> {
        let changes = self.diff.items.iter().filter(|change| {
            let is_meant = of_tests || !change.is_test();
            change.touches_behaviour() && is_meant && !self.is_followed(change.path())
        });
        changes
            .flat_map(|change| {
                [change.before(), change.after()].into_iter().flatten().map(move |i| (i, change))
            })
            .map(|(item, change)| (&item.path, change))
            .collect()
    }

    /// Whether an item has a symbol, or a unit of its own.
    fn is_followed(&self, item: &ItemPath) -> bool {
        let planned = || self.plan.units.iter().flat_map(|unit| &unit.members);
        self.lock.parked.contains_key(item)
            || self.lock.links.contains_key(item)
            || planned().any(|member| member.change.path() == item)
    }
}
