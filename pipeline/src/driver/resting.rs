//! What rests on units that are not done: items that did not change themselves and use what did. Until those units are
//! done, they cannot be held to the new upstream.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mappings::{SymbolPath, UnitId, WorkUnit};
use upstream::ItemPath;

use super::Driver;
use super::context::Attempt;
use super::judging::asked_of;
use super::planning::Current;
use crate::engine::{Phase, RunState, UnitState};
use crate::gate::Evidence;

/// The units of the revision at work that are not done.
pub(super) fn not_done(state: &RunState) -> Vec<UnitId> {
    let RunState::Working(work) = state else { return Vec::new() };
    let Phase::Translating(candidate) = &work.phase else { return Vec::new() };
    let units = candidate.plan.units.iter().zip(&candidate.units);
    let open = units.filter(|(_, state)| !matches!(state, UnitState::Accepted { .. }));
    open.map(|(unit, _)| unit.id.clone()).collect()
}

impl Driver<'_> {
    /// What else is to be asked for a unit where all that differs rests on other units, which are not done: what calls
    /// several changed items does as the new upstream only with the last of them, and says nothing of the others.
    pub(super) fn asked_without_resting(
        &self,
        given: &Attempt<'_>,
        evidence: &Evidence,
    ) -> Option<Vec<(ItemPath, SymbolPath)>> {
        let differing = evidence.differing();
        if differing.is_empty() || !evidence.report.spec.is_empty() {
            return None;
        }
        let units = given.current.plan.units.iter();
        let others = units.filter(|unit| unit.id != given.unit.id && self.not_done.contains(&unit.id));
        let resting = given.current.resting_on(others);
        let rest_on_others = differing.iter().all(|item| resting.contains_key(*item));
        let asked = asked_of(given.unit).into_iter().filter(|(item, _)| !differing.contains(item));
        rest_on_others.then(|| asked.collect())
    }
}

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
