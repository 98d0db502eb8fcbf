//! Linked items that did not change themselves and use something that did, where that has no symbol: the
//! change reaches the port only through them, so they are units of their own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use upstream::ItemPath;
use upstream::diff::{Aspects, ItemChange};

use super::PlanInput;
use super::member::Planned;
use crate::graph::CallGraph;
use crate::unit::{UnitKind, UnitMember};

/// The units for the nearest linked users of `unseen` items: changed ones without a symbol. Items that are
/// planned already carry the change in their own unit.
pub(super) fn carriers(
    input: &PlanInput<'_>,
    calls: &CallGraph<ItemPath>,
    planned: &[Planned],
    unseen: &BTreeSet<ItemPath>,
) -> Vec<Planned> {
    let own: BTreeSet<&ItemPath> = planned.iter().map(|one| one.member.change.path()).collect();
    let mut found: BTreeMap<&ItemPath, &ItemPath> = BTreeMap::new();
    for changed in unseen {
        let mut seen: BTreeSet<&ItemPath> = BTreeSet::from([changed]);
        let mut waiting = VecDeque::from([changed]);
        // Each item enters the queue once, so the walk is bounded by the graph.
        while let Some(item) = waiting.pop_front() {
            for caller in calls.callers(item) {
                let is_test = input.target.items.get(caller).is_none_or(|known| known.is_test);
                if is_test || own.contains(caller) || !seen.insert(caller) {
                    continue;
                }
                if input.lock.links.contains_key(caller) {
                    found.entry(caller).or_insert(changed);
                } else {
                    waiting.push_back(caller);
                }
            }
        }
    }
    found.into_iter().filter_map(|(carrier, changed)| carry(input, carrier, changed)).collect()
}

fn carry(input: &PlanInput<'_>, carrier: &ItemPath, changed: &ItemPath) -> Option<Planned> {
    let item = input.target.items.get(carrier)?;
    let link = input.lock.links.get(carrier)?;
    let symbol = input.symbols.get(&link.symbol)?;
    let change =
        ItemChange::Modified { before: item.clone(), after: item.clone(), aspects: Aspects::default() };
    Some(Planned {
        member: UnitMember {
            change,
            symbol: link.symbol.clone(),
            file: symbol.file.clone(),
            edited_by_hand: symbol.hash != link.written,
        },
        kind: UnitKind::Change,
        reason: format!("it uses `{changed}`, which changed and has no symbol of its own"),
        comes_at: None,
    })
}
