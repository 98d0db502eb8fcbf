//! Which linked items a change does not reach by itself, because their symbols do not use what they use.
//!
//! What changed may have no symbol at all, or the port may do without it at that place. Where the port's
//! symbol uses the changed item's symbol, the change comes through by itself, and the item is merely
//! impacted ([`super::impact`]). The main type is [`Search`]. It decides nothing about what it finds.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use upstream::diff::{ItemChange, item_change};
use upstream::snapshot::{Item, Snapshot};
use upstream::{ItemPath, RevisionLabel};

use super::behaviour::without_behaviour;
use super::change::relocated;
use super::member::Planned;
use super::{Decided, Graphs, PlanError, PlanInput};
use crate::convention::is_test_function;
use crate::graph::{CallGraph, Direction, NodeIndex};
use crate::lock::{Link, Lock};
use crate::mapping::{Placement, without_variant};
use crate::symbol::SymbolPath;
use crate::unit::{SkipReason, UnitKind};

/// A linked item, and what it uses that its symbol does without.
pub(super) struct Carrier<'a> {
    pub(super) item: &'a Item,
    pub(super) link: &'a Link,
    pub(super) used: ItemPath,
    pub(super) cause: Cause,
}

/// What is the matter with what a carrier uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It changed, and no symbol answers to it.
    Hidden,
    /// It changed, and the carrier's symbol does not use its symbol.
    Changed,
    /// It is a carrier itself, and the carrier's symbol does not use its symbol.
    Carrier,
}

/// Where carriers are looked for.
pub(super) struct Search<'d, 'a> {
    input: &'a PlanInput<'a>,
    calls: &'d CallGraph<ItemPath>,
    /// What uses what in the port.
    port: &'d CallGraph<SymbolPath>,
    /// The symbols of the items that are planned already: their own units carry what they use.
    own: BTreeMap<&'d ItemPath, &'d SymbolPath>,
    /// The links of items that have another path at the target, by that.
    moved: BTreeMap<&'d ItemPath, &'a Link>,
    /// Items that a carrier may have been parked under.
    waiting: BTreeSet<&'d ItemPath>,
    /// What the items are to a change, as far as it was asked.
    seats: Vec<OnceCell<Seat>>,
}

/// What an item is to a change that arrives at it.
#[derive(Debug, Clone, Copy)]
enum Seat {
    /// A test is followed for its own sake, and for that of what helps it.
    Test,
    /// It helps tests, and has no symbol: the tests that use it hold what it is.
    Helper,
    /// Without a symbol of its own it hands on what it uses.
    Bare,
    /// Its symbol, where the port has it.
    Linked(Option<NodeIndex>),
}

/// Something whose users are to be looked at, with the symbol by whose use the port takes part in it.
#[derive(Debug, Clone, Copy)]
struct Source {
    item: NodeIndex,
    symbol: Option<NodeIndex>,
    cause: Cause,
    /// Whether it helps tests: then tests are its users.
    helps: bool,
}

impl Source {
    fn carrier(item: NodeIndex, symbol: Option<NodeIndex>) -> Self {
        Self { item, symbol, cause: Cause::Carrier, helps: false }
    }
}

impl<'d, 'a: 'd> Search<'d, 'a> {
    pub(super) fn new(
        input: &'a PlanInput<'a>,
        Graphs { calls, port }: Graphs<'d>,
        decided: &'d Decided,
    ) -> Self {
        let mut moved: BTreeMap<&ItemPath, &Link> = BTreeMap::new();
        let mut waiting: BTreeSet<&ItemPath> = input.lock.parked.keys().collect();
        // What was held and is so no longer.
        let carried: BTreeSet<&ItemPath> =
            decided.skipped.iter().filter(|skip| skip.carried).map(|skip| &skip.item).collect();
        waiting.extend(input.lock.held.keys().filter(|item| !carried.contains(item)));
        for skip in &decided.skipped {
            if let Some(link) = skip.before.as_ref().and_then(|before| input.lock.links.get(before)) {
                moved.insert(&skip.item, link);
                // It may have been parked under a path in between.
                waiting.insert(&skip.item);
            }
        }
        let origins = origins(&decided.planned);
        let standing = |one: &'d Planned| {
            let origin = one.comes_at.as_ref().and_then(|comes_at| origins.get(comes_at));
            (one.member.change.path(), origin.map_or(&one.member.symbol, |origin| &origin.member.symbol))
        };
        // Of an item that was split the first symbol counts.
        let own = decided.planned.iter().rev().map(standing).collect();
        let seats = vec![OnceCell::new(); calls.size()];
        Self { input, calls, port, own, moved, waiting, seats }
    }

    /// All carriers, by path.
    pub(super) fn carriers(&self, decided: &Decided) -> Result<Vec<Carrier<'a>>, PlanError> {
        let behind = self.behind()?;
        let mut found = self.beyond(self.changed(decided), &behind);
        for (node, source) in behind {
            if let Some(source) = source {
                found.entry(node).or_insert(source);
            }
        }
        let carrier = |(node, source): (&NodeIndex, &Source)| {
            let path = self.calls.key(*node).filter(|path| !self.own.contains_key(path))?;
            let (item, link) = (self.input.target.items.get(path)?, self.link(path)?);
            let used = self.calls.key(source.item)?.clone();
            Some(Carrier { item, link, used, cause: source.cause })
        };
        let mut carriers: Vec<Carrier<'a>> = found.iter().filter_map(carrier).collect();
        carriers.sort_by(|one, other| one.item.path.cmp(&other.item.path));
        Ok(carriers)
    }

    /// The linked users that the sources do not reach by themselves, each with the nearest source. They are
    /// to change in their turn, so their own users are looked at likewise. Those that wait are counted from what
    /// their links equal: what changed back in the meantime is nothing to them.
    fn beyond(
        &self,
        sources: Vec<Source>,
        behind: &BTreeMap<NodeIndex, Option<Source>>,
    ) -> BTreeMap<NodeIndex, Source> {
        let mut taken: BTreeSet<NodeIndex> = sources.iter().map(|source| source.item).collect();
        let mut waiting = VecDeque::from(sources);
        let mut found = BTreeMap::new();
        // Each item is a source once, and each source's walks are bounded by the graphs.
        while let Some(source) = waiting.pop_front() {
            let mut users = source.symbol.map(|symbol| self.port.lazy_walk(symbol, Direction::Incoming));
            self.calls.walk([source.item], Direction::Incoming, |caller| {
                // Behind another source, that one's own walk looks.
                if taken.contains(&caller) {
                    return false;
                }
                let symbol = match self.seat(caller) {
                    Seat::Test => {
                        // One that waits may equal what there is again.
                        if source.helps && !matches!(behind.get(&caller), Some(None)) {
                            taken.insert(caller);
                            found.insert(caller, source);
                        }
                        return false;
                    }
                    Seat::Helper => return source.helps,
                    Seat::Bare => return true,
                    Seat::Linked(symbol) => symbol,
                };
                let comes_through =
                    users.as_mut().zip(symbol).is_some_and(|(users, symbol)| users.comes_to(symbol));
                if matches!(behind.get(&caller), Some(None)) {
                    // Nothing is to be done about it; what does without its symbol may have followed in between.
                    taken.insert(caller);
                    waiting.push_back(Source::carrier(caller, symbol));
                    return false;
                }
                if !comes_through {
                    taken.insert(caller);
                    found.insert(caller, source);
                    waiting.push_back(Source::carrier(caller, symbol));
                }
                comes_through
            });
        }
        found
    }

    /// What changed in a way that its users may notice. Tests are left out: nothing uses them.
    fn changed(&self, decided: &Decided) -> Vec<Source> {
        let names = Names::of(self.input.baseline, self.input.lock);
        let origins = origins(&decided.planned);
        let is_noticed = |one: &&Planned| {
            let change = &one.member.change;
            let origin = one.comes_at.as_ref().and_then(|comes_at| origins.get(comes_at));
            let halves = origin.and_then(|origin| origin.member.change.before().zip(change.after()));
            one.kind != UnitKind::Test
                && match halves {
                    Some((before, after)) => without_behaviour(&relocated(before, after)).is_none(),
                    None => without_behaviour(change).is_none() && names.may_be_used(change),
                }
        };
        let planned = decided.planned.iter().filter(is_noticed).map(|one| one.member.change.path());
        let unseen = decided.unseen.iter().filter(|change| names.may_be_used(change)).map(ItemChange::path);
        unseen.chain(planned).filter_map(|path| self.source(self.calls.node(path)?)).collect()
    }

    /// The items that wait, each with what it uses that differs since the revision that its link equals, if anything
    /// does.
    fn behind(&self) -> Result<BTreeMap<NodeIndex, Option<Source>>, PlanError> {
        let mut waiting: BTreeMap<&RevisionLabel, Vec<NodeIndex>> = BTreeMap::new();
        for path in self.waiting.iter().filter(|path| !self.own.contains_key(*path)) {
            if let (Some(node), Some(link)) = (self.calls.node(path), self.link(path)) {
                waiting.entry(&link.revision).or_default().push(node);
            }
        }
        let mut behind = BTreeMap::new();
        for (since, waiting) in waiting {
            let found = self.beyond(self.changed_since(since, &waiting)?, &BTreeMap::new());
            behind.extend(waiting.into_iter().map(|node| (node, found.get(&node).copied())));
        }
        Ok(behind)
    }

    /// What these items use, directly or not, that changed since the revision. Their own changes are dealt
    /// with: what changed its behaviour is planned.
    fn changed_since(&self, since: &RevisionLabel, users: &[NodeIndex]) -> Result<Vec<Source>, PlanError> {
        let used = self.calls.walk(users.iter().copied(), Direction::Outgoing, |_| true);
        let users: BTreeSet<&NodeIndex> = users.iter().collect();
        let mut changed = Vec::new();
        for node in used.nodes().filter(|node| !users.contains(node)) {
            if let Some(path) = self.calls.key(node)
                && self.has_changed(path, since)?
            {
                changed.extend(self.source(node));
            }
        }
        Ok(changed)
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

    fn source(&self, item: NodeIndex) -> Option<Source> {
        let source = |symbol, cause, helps| Some(Source { item, symbol, cause, helps });
        match self.seat(item) {
            Seat::Test => None,
            Seat::Helper => source(None, Cause::Hidden, true),
            Seat::Bare => source(None, Cause::Hidden, false),
            Seat::Linked(symbol) => source(symbol, Cause::Changed, false),
        }
    }

    fn link(&self, path: &ItemPath) -> Option<&'a Link> {
        self.moved.get(path).copied().or_else(|| self.input.lock.links.get(path))
    }

    fn seat(&self, item: NodeIndex) -> Seat {
        let find = || self.calls.key(item).map_or(Seat::Bare, |path| self.seat_of(path));
        self.seats.get(item.index()).map_or_else(find, |seat| *seat.get_or_init(find))
    }

    fn seat_of(&self, path: &ItemPath) -> Seat {
        let link = || self.link(path).map(|link| &link.symbol);
        if let Some(item) = self.input.target.items.get(path).filter(|item| item.is_test) {
            return if is_test_function(item) || link().is_some() { Seat::Test } else { Seat::Helper };
        }
        match self.own.get(path).copied().or_else(link) {
            Some(symbol) => Seat::Linked(self.port.node(symbol)),
            None => Seat::Bare,
        }
    }
}

/// Whether an item that is skipped for this reason is followed through what uses it.
pub(super) fn is_unseen(why: SkipReason) -> bool {
    match why {
        SkipReason::NoCounterpart | SkipReason::Unmapped => true,
        SkipReason::NoBehaviour
        | SkipReason::Ignored
        | SkipReason::Manual
        | SkipReason::Declined
        | SkipReason::Deferred
        | SkipReason::Bound => false,
    }
}

/// Where a symbol goes at one place and comes at another, what goes, by the place where it comes: until the
/// unit is done, the port uses it there.
fn origins(planned: &[Planned]) -> BTreeMap<&SymbolPath, &Planned> {
    let goes = planned.iter().filter(|one| one.member.change.after().is_none());
    goes.filter_map(|one| Some((one.comes_at.as_ref()?, one))).collect()
}

/// The names of the items that the port was made from, by crate.
struct Names<'a> {
    baseline: &'a Snapshot,
    lock: &'a Lock,
    /// They are gathered when something new is first asked about.
    known: OnceCell<HashSet<(&'a str, &'a str)>>,
}

impl<'a> Names<'a> {
    fn of(baseline: &'a Snapshot, lock: &'a Lock) -> Self {
        Self { baseline, lock, known: OnceCell::new() }
    }

    fn known(&self) -> &HashSet<(&'a str, &'a str)> {
        // What was parked when it was new is new still.
        let is_known = |path: &&ItemPath| !self.lock.is_behind(path) || self.lock.links.contains_key(*path);
        self.known.get_or_init(|| self.baseline.items.keys().filter(is_known).map(named).collect())
    }

    /// Whether what did not change itself may use this and did not before, or in another way. A new item can
    /// only be meant by such a text if it takes the place of another of its name.
    fn may_be_used(&self, change: &ItemChange) -> bool {
        !matches!(change, ItemChange::Added { .. }) || self.known().contains(&named(change.path()))
    }
}

fn named(path: &ItemPath) -> (&str, &str) {
    (path.krate(), without_variant(path.name()))
}
