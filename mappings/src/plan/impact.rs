//! Which linked items may behave differently because something that they use changed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use upstream::ItemPath;

use super::PlanInput;
use crate::graph::CallGraph;
use crate::unit::{Impacted, WorkUnit};

/// How many impacted items a unit lists; its reason says how many more there are.
const IMPACTED_MAX: usize = 1_000;

/// Lists for each unit the linked items that reach it by calls, up to the first exported one on each way:
/// what is exported is proved by its own probes, and its callers through it.
pub(super) fn mark(units: &mut [WorkUnit], calls: &CallGraph<ItemPath>, input: &PlanInput<'_>) {
    let members: BTreeSet<ItemPath> =
        units.iter().flat_map(|unit| &unit.members).map(|member| member.change.path().clone()).collect();
    for unit in units {
        let reached = reach(unit, calls, input, &members);
        let left_out = reached.len().saturating_sub(IMPACTED_MAX);
        if left_out > 0 {
            unit.reason = format!("{}; {left_out} more callers than the {IMPACTED_MAX} listed", unit.reason);
        }
        let linked = reached.into_iter().take(IMPACTED_MAX);
        unit.impacted = linked
            .filter_map(|(item, through)| {
                let symbol = input.lock.links.get(&item)?.symbol.clone();
                Some(Impacted { item, symbol, through })
            })
            .collect();
    }
}

/// Linked items outside all units, each with the member of this unit through which it is reached.
fn reach(
    unit: &WorkUnit,
    calls: &CallGraph<ItemPath>,
    input: &PlanInput<'_>,
    members: &BTreeSet<ItemPath>,
) -> BTreeMap<ItemPath, ItemPath> {
    let mut found = BTreeMap::new();
    for member in &unit.members {
        let through = member.change.path();
        let mut seen: BTreeSet<&ItemPath> = BTreeSet::from([through]);
        let mut waiting = VecDeque::from([through]);
        // Each item enters the queue once, so the walk is bounded by the graph.
        while let Some(item) = waiting.pop_front() {
            for caller in calls.callers(item) {
                let Some(known) = input.target.items.get(caller).filter(|known| !known.is_test) else {
                    continue;
                };
                if members.contains(caller) || !seen.insert(caller) {
                    continue;
                }
                if input.lock.links.contains_key(caller) {
                    found.entry(caller.clone()).or_insert_with(|| through.clone());
                }
                if !known.exported {
                    waiting.push_back(caller);
                }
            }
        }
    }
    found
}
