//! Linked items that did not change themselves and use something that did, where the port does not use it
//! the same way: the change reaches the port only through them, so they are units of their own.
//!
//! Where the port's symbol calls the changed item's symbol, the change comes through by itself and the item
//! is merely impacted ([`super::impact`]).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use upstream::ItemPath;
use upstream::diff::{Aspects, ItemChange};

use super::PlanInput;
use super::member::Planned;
use crate::graph::CallGraph;
use crate::symbol::SymbolPath;
use crate::unit::{UnitKind, UnitMember};

/// The units for users of what changed: of `unseen` items, which have no symbol, and of planned ones.
pub(super) fn carriers(
    input: &PlanInput<'_>,
    calls: &CallGraph<ItemPath>,
    planned: &[Planned],
    unseen: &BTreeSet<ItemPath>,
) -> Vec<Planned> {
    let mut walk = Walk {
        input,
        calls,
        port: CallGraph::of_symbols(input.symbols),
        planned: planned.iter().map(|one| one.member.change.path().clone()).collect(),
        moved: BTreeSet::new(),
        waiting: VecDeque::new(),
        found: BTreeMap::new(),
    };
    for item in unseen {
        walk.visit(item.clone(), None, item.clone());
    }
    for one in
        planned.iter().filter(|one| one.kind != UnitKind::Test && one.member.change.touches_behaviour())
    {
        let item = one.member.change.path().clone();
        walk.visit(item.clone(), Some(one.member.symbol.clone()), item);
    }
    walk.run();
    let found = std::mem::take(&mut walk.found);
    found.iter().filter_map(|(carrier, changed)| carry(input, carrier, changed)).collect()
}

/// A walk from what changed to its users, each item once for each way in which the change arrives.
struct Walk<'a> {
    input: &'a PlanInput<'a>,
    calls: &'a CallGraph<ItemPath>,
    port: CallGraph<SymbolPath>,
    /// Items that are in units already.
    planned: BTreeSet<ItemPath>,
    /// What was visited: an item, and the symbol by which the port may use it.
    moved: BTreeSet<(ItemPath, Option<SymbolPath>)>,
    waiting: VecDeque<Step>,
    /// The carriers, each with the changed item that it uses.
    found: BTreeMap<ItemPath, ItemPath>,
}

struct Step {
    item: ItemPath,
    symbol: Option<SymbolPath>,
    origin: ItemPath,
}

impl Walk<'_> {
    fn visit(&mut self, item: ItemPath, symbol: Option<SymbolPath>, origin: ItemPath) {
        if self.moved.insert((item.clone(), symbol.clone())) {
            self.waiting.push_back(Step { item, symbol, origin });
        }
    }

    /// Each pair of item and symbol enters the queue once, so the walk is bounded by the graph.
    fn run(&mut self) {
        while let Some(Step { item, symbol, origin }) = self.waiting.pop_front() {
            for caller in self.calls.callers(&item).into_iter().cloned().collect::<Vec<_>>() {
                let is_test = self.input.target.items.get(&caller).is_none_or(|known| known.is_test);
                if is_test || self.planned.contains(&caller) {
                    continue;
                }
                match self.input.lock.links.get(&caller).map(|link| link.symbol.clone()) {
                    // Without a symbol of its own it hands the change on.
                    None => self.visit(caller, symbol.clone(), origin.clone()),
                    Some(own) => {
                        let comes_through =
                            symbol.as_ref().is_some_and(|changed| self.port_uses(&own, changed));
                        if !comes_through {
                            self.found.entry(caller.clone()).or_insert_with(|| origin.clone());
                        }
                        self.visit(caller, Some(own), origin.clone());
                    }
                }
            }
        }
    }

    /// Whether one symbol of the port uses another, directly or through others.
    fn port_uses(&self, user: &SymbolPath, used: &SymbolPath) -> bool {
        let mut seen = BTreeSet::from([user]);
        let mut waiting = VecDeque::from([user]);
        while let Some(symbol) = waiting.pop_front() {
            for callee in self.port.callees(symbol) {
                if callee == used {
                    return true;
                }
                if seen.insert(callee) {
                    waiting.push_back(callee);
                }
            }
        }
        false
    }
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
        reason: format!("it uses `{changed}`, which changed, and its symbol does not"),
        comes_at: None,
    })
}
