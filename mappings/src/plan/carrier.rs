//! Linked items that use something changed which their symbols do not use: the change reaches the port only
//! through them, so they are followed like items that changed themselves.
//!
//! What changed may have no symbol at all, or the port may do without it at that place. Where the port's
//! symbol uses the changed item's symbol, the change comes through by itself, and the item is merely
//! impacted ([`super::impact`]).
//!
//! The main function is [`add_carriers`]. It never plans an item twice, and never lets one go that waits for
//! a person.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use upstream::diff::{Aspects, ItemChange, item_change};
use upstream::snapshot::Item;
use upstream::{ItemPath, RevisionLabel};

use super::behaviour::without_behaviour;
use super::change::{item_of, relocated};
use super::member::{Decision, Planned, ensure_parsed, place};
use super::{Decided, PlanError, PlanInput};
use crate::graph::CallGraph;
use crate::lock::Link;
use crate::mapping::Placement;
use crate::symbol::SymbolPath;
use crate::unit::{SkipReason, Skipped, UnitKind, UnitMember};

/// Adds the linked users that what changed does not reach by itself, and those that were parked as such and
/// still lag.
pub(super) fn add_carriers(
    decided: &mut Decided,
    input: &PlanInput<'_>,
    calls: &CallGraph<ItemPath>,
) -> Result<(), PlanError> {
    for carrier in Search::new(input, calls, decided).carriers(decided)? {
        let path = &carrier.item.path;
        let at = decided.skipped.iter().position(|skip| skip.item == *path);
        match (decide(input, &carrier)?, at) {
            (Decision::Follow(members), at) => {
                // Nothing was to be done about its own change; about what it uses there is.
                if let Some(at) = at {
                    decided.skipped.remove(at);
                }
                decided.planned.extend(members);
            }
            (Decision::Skip(skip), None) => decided.skipped.push(skip),
            (Decision::Skip(_), Some(_)) => {}
        }
    }
    Ok(())
}

/// A linked item, and what it uses that changed.
struct Carrier<'a> {
    item: &'a Item,
    link: &'a Link,
    changed: ItemPath,
}

/// Where carriers are looked for.
struct Search<'a> {
    input: &'a PlanInput<'a>,
    calls: &'a CallGraph<ItemPath>,
    /// Items that are planned already: their units carry what they use.
    own: BTreeSet<ItemPath>,
    /// The links by the paths that their items have at the target.
    links: BTreeMap<ItemPath, &'a Link>,
    /// Items that a carrier may have been parked under.
    waiting: BTreeSet<ItemPath>,
    /// What uses what in the port.
    port: CallGraph<SymbolPath>,
}

/// A change on its way to those that use it.
#[derive(Clone)]
struct Arrival {
    /// The item that was reached.
    item: ItemPath,
    /// The symbol by whose use the port takes part in the change; `None` where there is none.
    symbol: Option<SymbolPath>,
    /// The item that changed.
    changed: ItemPath,
}

impl<'a> Search<'a> {
    fn new(input: &'a PlanInput<'a>, calls: &'a CallGraph<ItemPath>, decided: &Decided) -> Self {
        let mut links: BTreeMap<ItemPath, &Link> =
            input.lock.links.iter().map(|(path, link)| (path.clone(), link)).collect();
        let mut waiting: BTreeSet<ItemPath> = input.lock.parked.keys().cloned().collect();
        for skip in &decided.skipped {
            if let Some(link) = skip.before.as_ref().and_then(|before| input.lock.links.get(before)) {
                links.insert(skip.item.clone(), link);
                // It may have been parked under a path in between.
                waiting.insert(skip.item.clone());
            }
        }
        let own = decided.planned.iter().map(|one| one.member.change.path().clone()).collect();
        let port = CallGraph::of_symbols(input.symbols);
        Self { input, calls, own, links, waiting, port }
    }

    /// All carriers, by path.
    fn carriers(&self, decided: &Decided) -> Result<Vec<Carrier<'a>>, PlanError> {
        let mut found = self.users(decided);
        let may_carry = |path: &&ItemPath| !self.own.contains(*path) && !self.is_test(path);
        for path in self.waiting.iter().filter(may_carry) {
            if let Some(link) = self.links.get(path).filter(|_| !found.contains_key(path))
                && let Some(changed) = self.changed_below(path, &link.revision)?
            {
                found.insert(path.clone(), changed);
            }
        }
        let carrier = |(path, changed)| {
            let (item, link) = (self.input.target.items.get(&path)?, *self.links.get(&path)?);
            Some(Carrier { item, link, changed })
        };
        Ok(found.into_iter().filter_map(carrier).collect())
    }

    /// The linked users that are not planned and that a change does not reach by itself, each with the item
    /// that changed. Tests are left out: they are followed for their own sake.
    fn users(&self, decided: &Decided) -> BTreeMap<ItemPath, ItemPath> {
        let hidden = decided.unseen.iter().map(|item| (item, None));
        let moves =
            |one: &&Planned| one.kind != UnitKind::Test && without_behaviour(&one.member.change).is_none();
        let planned = decided.planned.iter().filter(moves);
        let planned = planned.map(|one| (one.member.change.path(), Some(&one.member.symbol)));
        let mut waiting: VecDeque<Arrival> = hidden
            .chain(planned)
            .map(|(item, symbol)| Arrival {
                item: item.clone(),
                symbol: symbol.cloned(),
                changed: item.clone(),
            })
            .collect();
        let mut found = BTreeMap::new();
        let mut seen: BTreeSet<(ItemPath, Option<SymbolPath>)> = BTreeSet::new();
        // Each pair of item and symbol is looked at once, so the walk is bounded by the graph.
        while let Some(Arrival { item, symbol, changed }) = waiting.pop_front() {
            if !seen.insert((item.clone(), symbol.clone())) {
                continue;
            }
            for caller in self.calls.callers(&item) {
                if self.is_test(caller) || self.own.contains(caller) {
                    continue;
                }
                let symbol = match self.links.get(caller) {
                    // Without a symbol of its own it hands on what it uses.
                    None => symbol.clone(),
                    Some(link) => {
                        if !symbol.as_ref().is_some_and(|used| self.port_uses(&link.symbol, used)) {
                            found.entry(caller.clone()).or_insert_with(|| changed.clone());
                        }
                        Some(link.symbol.clone())
                    }
                };
                waiting.push_back(Arrival { item: caller.clone(), symbol, changed: changed.clone() });
            }
        }
        found
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

    fn is_test(&self, path: &ItemPath) -> bool {
        self.input.target.items.get(path).is_some_and(|item| item.is_test)
    }

    /// The first item that this one uses, that changed since the revision, and whose change does not come
    /// through by itself.
    fn changed_below(&self, path: &ItemPath, since: &RevisionLabel) -> Result<Option<ItemPath>, PlanError> {
        let mut seen: BTreeSet<&ItemPath> = BTreeSet::from([path]);
        let mut waiting: VecDeque<&ItemPath> = VecDeque::from([path]);
        // Each item enters the queue once, so the walk is bounded by the graph.
        while let Some(item) = waiting.pop_front() {
            for callee in self.calls.callees(item) {
                if self.own.contains(callee) || !seen.insert(callee) {
                    continue;
                }
                let own = self.links.get(path).map(|link| &link.symbol);
                let used = self.links.get(callee).map(|link| &link.symbol);
                if let (Some(own), Some(used)) = (own, used)
                    && self.port_uses(own, used)
                {
                    continue;
                }
                if self.has_changed(callee, since)? {
                    return Ok(Some(callee.clone()));
                }
                if used.is_none() {
                    waiting.push_back(callee);
                }
            }
        }
        Ok(None)
    }

    fn has_changed(&self, path: &ItemPath, since: &RevisionLabel) -> Result<bool, PlanError> {
        let Some(item) = self.input.target.items.get(path) else { return Ok(false) };
        let is_left_out = match self.input.mapping.place(item)? {
            Placement::Mapped { .. } => false,
            Placement::Skipped { why, .. } => !is_unseen(why),
        };
        let before = if *since == self.input.lock.baseline {
            self.input.baseline.items.get(path).cloned()
        } else {
            (self.input.item_at)(since, path)
        };
        let change = item_change(before.as_ref(), Some(item));
        Ok(!is_left_out && change.is_some_and(|change| without_behaviour(&change).is_none()))
    }
}

/// Whether an item that is skipped for this reason is followed through what uses it.
pub(super) fn is_unseen(why: SkipReason) -> bool {
    match why {
        SkipReason::NoCounterpart | SkipReason::Unmapped => true,
        SkipReason::NoBehaviour | SkipReason::Ignored | SkipReason::Manual | SkipReason::Bound => false,
    }
}

fn decide(input: &PlanInput<'_>, carrier: &Carrier<'_>) -> Result<Decision, PlanError> {
    let Carrier { item, link, changed } = carrier;
    let uses = if input.lock.links.contains_key(changed) {
        format!("it uses `{changed}`, which changed, and its symbol does not use that one's")
    } else {
        format!("it uses `{changed}`, which changed and has no symbol of its own")
    };
    let planned = |symbol: SymbolPath, file, edited_by_hand, kind, reason| {
        let change = own_change(input, link, item)?;
        let member = UnitMember { change, symbol, file, edited_by_hand };
        Ok(Decision::Follow(vec![Planned { member, kind, reason, comes_at: None }]))
    };
    let (symbol, file) = match (place(input, item, Some(link))?, input.symbols.get(&link.symbol)) {
        (Err((why, reason)), _) => return Ok(left_alone(carrier, why, format!("{uses}; {reason}"))),
        (Ok(_), Some(symbol)) => {
            let edited_by_hand = symbol.hash != link.written;
            let (at, file) = (symbol.path.clone(), symbol.file.clone());
            return planned(at, file, edited_by_hand, UnitKind::Change, uses);
        }
        (Ok((_, file)), None) => (link.symbol.clone(), file),
    };
    ensure_parsed(input, &symbol, Some(&file))?;
    let reason = format!("`{symbol}` is gone from the port, and {uses}");
    planned(symbol, file, true, UnitKind::Add, reason)
}

fn left_alone(carrier: &Carrier<'_>, why: SkipReason, reason: String) -> Decision {
    let (item, change) = (carrier.item.path.clone(), "unchanged itself".to_owned());
    Decision::Skip(Skipped { item, before: None, change, why, reason })
}

/// What happened to the carrier itself since the revision that its link equals: mostly nothing.
fn own_change(input: &PlanInput<'_>, link: &Link, item: &Item) -> Result<ItemChange, PlanError> {
    let is_at_its_path = link.item == item.path;
    if is_at_its_path && link.upstream == item.fingerprint.combined() {
        let (before, after) = (item.clone(), item.clone());
        return Ok(ItemChange::Modified { before, after, aspects: Aspects::default() });
    }
    let before = item_of(input, link)?;
    if !is_at_its_path {
        return Ok(relocated(&before, item));
    }
    let aspects = upstream::diff::aspects(&before, item);
    Ok(ItemChange::Modified { before, after: item.clone(), aspects })
}
