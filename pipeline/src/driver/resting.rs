//! What rests on units that are not done: items that did not change themselves and use what did. Until those units are
//! done, they cannot be held to the new upstream.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mappings::WorkUnit;
use upstream::ItemPath;

use super::planning::Current;

impl Current {
    /// The linked items outside all units that come to a member of one of these units by calls, each with the nearest
    /// such member.
    pub(super) fn resting_on<'u>(
        &self,
        units: impl IntoIterator<Item = &'u WorkUnit>,
    ) -> BTreeMap<ItemPath, ItemPath> {
        let members_of = |unit: &'u WorkUnit| unit.members.iter().map(|member| member.change.path());
        let open: Vec<&ItemPath> = units.into_iter().flat_map(members_of).collect();
        if open.is_empty() {
            return BTreeMap::new();
        }
        let planned: BTreeSet<&ItemPath> = self
            .plan
            .units
            .iter()
            .flat_map(|unit| &unit.members)
            .map(|member| member.change.path())
            .collect();
        let calls = self.calls_now();
        let mut seen: BTreeSet<&ItemPath> = open.iter().copied().collect();
        let mut waiting: VecDeque<(&ItemPath, &ItemPath)> =
            open.into_iter().map(|item| (item, item)).collect();
        let mut found = BTreeMap::new();
        // Each item enters the queue once, so the walk is bounded by the graph.
        while let Some((item, on)) = waiting.pop_front() {
            for caller in calls.callers(item) {
                let is_code = self.snapshot.items.get(caller).is_some_and(|known| !known.is_test);
                if !is_code || !seen.insert(caller) {
                    continue;
                }
                if self.lock.links.contains_key(caller) && !planned.contains(caller) {
                    found.insert(caller.clone(), on.clone());
                }
                waiting.push_back((caller, on));
            }
        }
        found
    }
}
