//! The lock that lands with a revision: what its units came to, written down.
//!
//! The main function is [`settle`]. It claims nothing that its input does not say: a parked item keeps the
//! link it had, and a symbol that a person edited keeps the hash that shows it.

use std::collections::{BTreeMap, BTreeSet};

use upstream::diff::ItemChange;
use upstream::snapshot::{Item, Snapshot};
use upstream::{ItemPath, Revision, RevisionLabel};

use crate::bootstrap::NOT_YET;
use crate::convention::private_form;
use crate::decision::{DecisionWord, Holds};
use crate::lock::{Disposition, HeldItem, Link, LinkPart, Lock, ParkedItem, Proof, RecordedRevision};
use crate::mapping::{Mapping, Placement};
use crate::symbol::{SymbolPath, SymbolTable};
use crate::unit::{Later, Plan, SkipReason, Skipped, UnitId, UnitMember, WorkUnit};

/// What a unit came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitOutcome {
    /// An edit passed the gate.
    Landed {
        /// How far each item is proved. An item that is not named is mapped and not proved.
        proofs: BTreeMap<ItemPath, Proof>,
    },
    /// No edit was needed, and that was proved.
    Absorbed {
        /// How far each item is proved. An item that is not named is mapped and not proved.
        proofs: BTreeMap<ItemPath, Proof>,
    },
    /// It waits for a person.
    Parked {
        /// Why.
        reason: String,
    },
}

/// Everything that the new lock is made from.
#[derive(Debug, Clone, Copy)]
pub struct Settlement<'a> {
    /// The lock before.
    pub lock: &'a Lock,
    /// The plan that was carried out.
    pub plan: &'a Plan,
    /// The revision of the plan.
    pub target: &'a Snapshot,
    /// Where items belong; a renamed symbol is looked for there.
    pub mapping: &'a Mapping,
    /// The port before the revision's first edit.
    pub before: &'a SymbolTable,
    /// The port as it is to land.
    pub after: &'a SymbolTable,
    /// What each unit came to; every unit of the plan must be named.
    pub outcomes: &'a BTreeMap<UnitId, UnitOutcome>,
    /// Withdrawn revisions between the baseline and the target, oldest first: they are recorded as passed by.
    pub passed_by: &'a [Revision],
    /// What people decided, as it was planned.
    pub holds: &'a Holds,
    /// Items of no unit that differ because they use a parked one, each with that one: they wait with it.
    pub resting: &'a BTreeMap<ItemPath, ItemPath>,
}

/// The outcomes do not fit the plan, or the port does not hold what they claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// A unit has no outcome.
    #[error("unit `{unit}` of the plan has no outcome; nothing can be recorded of revision `{revision}`")]
    NoOutcome {
        /// The unit.
        unit: UnitId,
        /// The target.
        revision: RevisionLabel,
    },
    /// An outcome is of no unit.
    #[error("there is an outcome for `{unit}`, which is no unit of the plan")]
    UnknownUnit {
        /// The name given.
        unit: UnitId,
    },
    /// A symbol that landed is not in the port.
    #[error("`{symbol}` is said to follow `{item}`, and is not in the port that is to land")]
    SymbolMissing {
        /// The item.
        item: ItemPath,
        /// The symbol.
        symbol: SymbolPath,
    },
    /// The plan and the snapshot are of different revisions.
    #[error("the plan is for `{planned}`, and the snapshot is of `{given}`")]
    WrongTarget {
        /// The plan's revision.
        planned: RevisionLabel,
        /// The snapshot's revision.
        given: RevisionLabel,
    },
    /// The revision has a disposition already, and is not the baseline, which may be taken up again.
    #[error("revision `{revision}` is recorded already; a revision is landed once")]
    RecordedAlready {
        /// The revision.
        revision: RevisionLabel,
    },
    /// A revision that is passed by was not withdrawn.
    #[error("revision `{revision}` was not withdrawn; it cannot be passed by")]
    NotWithdrawn {
        /// The revision.
        revision: RevisionLabel,
    },
}

/// Makes the lock that lands with the revision.
pub fn settle(settlement: &Settlement<'_>) -> Result<Lock, SettleError> {
    check(settlement)?;
    let mut lock = settlement.lock.clone();
    follow_edits(&mut lock, settlement);
    lock.parked.clear();
    lock.held.clear();
    for unit in &settlement.plan.units {
        match settlement.outcomes.get(&unit.id) {
            None => {
                let revision = settlement.plan.revision.label.clone();
                return Err(SettleError::NoOutcome { unit: unit.id.clone(), revision });
            }
            Some(UnitOutcome::Landed { proofs } | UnitOutcome::Absorbed { proofs }) => {
                follow_unit(&mut lock, settlement, unit, proofs)?;
            }
            Some(UnitOutcome::Parked { reason }) => park(&mut lock, settlement, unit, reason),
        }
    }
    for (item, parked) in settlement.resting {
        rest(&mut lock, settlement, item, parked);
    }
    for later in &settlement.plan.later {
        wait(&mut lock, settlement, later);
    }
    for skipped in &settlement.plan.skipped {
        follow_skipped(&mut lock, settlement, skipped);
        hold(&mut lock, settlement, skipped);
    }
    record(&mut lock, settlement);
    Ok(lock)
}

fn check(settlement: &Settlement<'_>) -> Result<(), SettleError> {
    let planned = &settlement.plan.revision.label;
    let given = &settlement.target.revision.label;
    if planned != given {
        return Err(SettleError::WrongTarget { planned: planned.clone(), given: given.clone() });
    }
    let units: BTreeSet<&UnitId> = settlement.plan.units.iter().map(|unit| &unit.id).collect();
    if let Some(unit) = settlement.outcomes.keys().find(|unit| !units.contains(unit)) {
        return Err(SettleError::UnknownUnit { unit: unit.clone() });
    }
    if let Some(revision) = settlement.passed_by.iter().find(|revision| !revision.withdrawn) {
        return Err(SettleError::NotWithdrawn { revision: revision.label.clone() });
    }
    // The baseline itself may be settled again: what was parked at it is taken up once more.
    let is_again = *planned == settlement.lock.baseline;
    let earlier = settlement.lock.revisions.iter().map(|recorded| &recorded.revision);
    let mut recorded: BTreeSet<&RevisionLabel> =
        earlier.filter(|label| !is_again || *label != planned).collect();
    let mut new = settlement.passed_by.iter().map(|revision| &revision.label).chain([planned]);
    match new.find(|label| !recorded.insert(label)) {
        Some(label) => Err(SettleError::RecordedAlready { revision: label.clone() }),
        None => Ok(()),
    }
}

/// What changed between the two tables, Tidelock changed: a renamed callee changes its callers' texts, a
/// method its class's. A symbol that did not match before was edited by a person, and stays so marked.
fn follow_edits(lock: &mut Lock, settlement: &Settlement<'_>) {
    for link in lock.links.values_mut() {
        let was_ours = settlement.before.get(&link.symbol).is_some_and(|symbol| symbol.hash == link.written);
        if let Some(symbol) = settlement.after.get(&link.symbol).filter(|_| was_ours) {
            link.written = symbol.hash;
        }
        for part in &mut link.parts {
            let before = settlement.before.get(&part.symbol);
            let was_ours = before.is_some_and(|symbol| symbol.hash == part.written);
            if let Some(symbol) = settlement.after.get(&part.symbol).filter(|_| was_ours) {
                part.written = symbol.hash;
            }
        }
    }
}

fn follow_unit(
    lock: &mut Lock,
    settlement: &Settlement<'_>,
    unit: &WorkUnit,
    proofs: &BTreeMap<ItemPath, Proof>,
) -> Result<(), SettleError> {
    // The items of this unit whose first symbol is linked; what comes behind it are the others.
    let mut linked: BTreeSet<&ItemPath> = BTreeSet::new();
    for member in &unit.members {
        let item = member.change.after();
        let is_part = item.is_some_and(|item| linked.contains(&item.path));
        if let Some(before) = member.change.before().filter(|_| !is_part) {
            lock.links.remove(&before.path);
        }
        let Some(item) = item else { continue };
        let symbol = landed_symbol(settlement, member, item);
        let Some(found) = settlement.after.get(&symbol) else {
            return Err(SettleError::SymbolMissing { item: item.path.clone(), symbol });
        };
        if let Some(link) = lock.links.get_mut(&item.path).filter(|_| is_part) {
            link.parts.push(LinkPart { symbol, written: found.hash });
            continue;
        }
        linked.insert(&item.path);
        let link = Link {
            item: item.path.clone(),
            upstream: item.fingerprint.combined(),
            written: found.hash,
            revision: settlement.plan.revision.label.clone(),
            proof: proofs.get(&item.path).copied().unwrap_or(Proof::MappedOnly),
            symbol,
            parts: Vec::new(),
        };
        lock.links.insert(item.path.clone(), link);
    }
    Ok(())
}

/// The symbol that answers after the unit: for a renamed item the one at its new place, where that is there.
fn landed_symbol(settlement: &Settlement<'_>, member: &UnitMember, item: &Item) -> SymbolPath {
    let ItemChange::Relocated { .. } = member.change else { return member.symbol.clone() };
    let placed = match settlement.mapping.place(item) {
        Ok(Placement::Mapped { symbol, .. }) => Some(symbol),
        Ok(Placement::Skipped { .. }) | Err(_) => None,
    };
    let private = placed.as_ref().and_then(|symbol| private_form(item, symbol));
    let is_there = |symbol: &SymbolPath| settlement.after.get(symbol).is_some();
    let landed = placed.into_iter().chain(private).find(is_there);
    landed.unwrap_or_else(|| member.symbol.clone())
}

fn park(lock: &mut Lock, settlement: &Settlement<'_>, unit: &WorkUnit, reason: &str) {
    for member in &unit.members {
        let item = member.change.path().clone();
        let symbol = member.symbol.clone();
        let revision = parked_since(settlement, &item);
        let parked = ParkedItem { item: item.clone(), symbol, revision, reason: reason.to_owned() };
        // Of an item that was split the first symbol stands for all.
        lock.parked.entry(item).or_insert(parked);
    }
}

/// An item that did not change itself waits with what it uses.
fn rest(lock: &mut Lock, settlement: &Settlement<'_>, item: &ItemPath, on: &ItemPath) {
    let Some(symbol) = lock.links.get(item).map(|link| link.symbol.clone()) else { return };
    let revision = parked_since(settlement, item);
    let reason = format!("it rests on `{on}`, which waits");
    let parked = ParkedItem { item: item.clone(), symbol, revision, reason };
    lock.parked.entry(item.clone()).or_insert(parked);
}

/// Since when an item waits that waits now: since it was first parked or held.
fn parked_since(settlement: &Settlement<'_>, item: &ItemPath) -> RevisionLabel {
    let held = || settlement.lock.held.get(item).map(|held| &held.revision);
    let since = settlement.lock.parked.get(item).map(|parked| &parked.revision).or_else(held);
    since.unwrap_or(&settlement.plan.revision.label).clone()
}

/// What was not asked for waits as it did.
fn wait(lock: &mut Lock, settlement: &Settlement<'_>, later: &Later) {
    let known = settlement.lock.parked.get(&later.item).cloned();
    let parked = known.unwrap_or_else(|| ParkedItem {
        item: later.item.clone(),
        symbol: later.symbol.clone(),
        revision: settlement.plan.revision.label.clone(),
        reason: NOT_YET.to_owned(),
    });
    lock.parked.entry(later.item.clone()).or_insert(parked);
}

fn follow_skipped(lock: &mut Lock, settlement: &Settlement<'_>, skipped: &Skipped) {
    let old_path = skipped.before.as_ref().unwrap_or(&skipped.item);
    let item = settlement.target.items.get(&skipped.item);
    match (skipped.why, item) {
        // What rests on something that waits keeps the revision that it is counted from.
        (SkipReason::NoBehaviour, Some(item)) if settlement.resting.contains_key(&item.path) => {}
        (SkipReason::NoBehaviour, Some(item)) => {
            if let Some(mut link) = lock.links.remove(old_path) {
                link.item = item.path.clone();
                link.upstream = item.fingerprint.combined();
                link.revision = settlement.plan.revision.label.clone();
                lock.links.insert(item.path.clone(), link);
            }
        }
        // The item went, and nothing is to be done about it: there is nothing left to link.
        (
            SkipReason::NoBehaviour
            | SkipReason::Ignored
            | SkipReason::Bound
            | SkipReason::NoCounterpart
            | SkipReason::Unmapped,
            None,
        ) => {
            lock.links.remove(old_path);
        }
        // A person has yet to follow, or declined to; until then the link shows what the port equals.
        (SkipReason::Manual | SkipReason::Declined | SkipReason::Deferred, _)
        | (
            SkipReason::Ignored | SkipReason::Bound | SkipReason::NoCounterpart | SkipReason::Unmapped,
            Some(_),
        ) => {}
    }
}

/// Writes down what the baseline passes over, so that it is planned once that ends.
fn hold(lock: &mut Lock, settlement: &Settlement<'_>, skipped: &Skipped) {
    let is_there = || settlement.target.items.contains_key(&skipped.item);
    let disposition = match skipped.why {
        SkipReason::Declined => Disposition::Declined,
        SkipReason::Deferred => Disposition::Deferred,
        SkipReason::Unmapped if is_there() => Disposition::NotPorted,
        SkipReason::Unmapped
        | SkipReason::NoBehaviour
        | SkipReason::Ignored
        | SkipReason::Manual
        | SkipReason::Bound
        | SkipReason::NoCounterpart => return,
    };
    let item = &skipped.item;
    if !is_there() && !lock.links.contains_key(item) {
        // It came and went, and the port never had it.
        return;
    }
    // It is passed over since it first was, parked or held.
    let parked = settlement.lock.parked.get(item).map(|parked| &parked.revision);
    let since = parked.or_else(|| settlement.lock.held.get(item).map(|held| &held.revision));
    let held = HeldItem {
        item: item.clone(),
        symbol: skipped.symbol.clone(),
        revision: since.unwrap_or(&settlement.plan.revision.label).clone(),
        disposition,
        reason: skipped.reason.clone(),
    };
    lock.held.insert(item.clone(), held);
}

fn record(lock: &mut Lock, settlement: &Settlement<'_>) {
    let recorded = |revision: &Revision, disposition, reason| RecordedRevision {
        revision: revision.label.clone(),
        commit: revision.commit.clone(),
        disposition,
        reason,
    };
    for revision in settlement.passed_by {
        lock.revisions.push(recorded(
            revision,
            Disposition::Withdrawn,
            "withdrawn by its authors".to_owned(),
        ));
    }
    let (disposition, reason) = disposition(settlement, lock.parked.len());
    let revision = &settlement.plan.revision;
    match lock.revisions.iter_mut().find(|earlier| earlier.revision == revision.label) {
        // Taken up again: what waited at it may have landed by now, and what had landed stays so.
        Some(earlier) if may_be_taken_up(earlier.disposition) => {
            *earlier = recorded(revision, disposition, reason);
        }
        Some(_) => {}
        None => lock.revisions.push(recorded(revision, disposition, reason)),
    }
    lock.baseline = revision.label.clone();
    lock.commit = revision.commit.clone();
}

/// Whether something of a revision may still come in.
fn may_be_taken_up(disposition: Disposition) -> bool {
    match disposition {
        Disposition::Parked | Disposition::Declined | Disposition::Deferred => true,
        Disposition::Adopted
        | Disposition::Landed
        | Disposition::Absorbed
        | Disposition::NotPorted
        | Disposition::Withdrawn => false,
    }
}

/// What became of the revision, where so many items wait now.
fn disposition(settlement: &Settlement<'_>, items: usize) -> (Disposition, String) {
    let outcomes = settlement.outcomes.values();
    let count = |is: fn(&UnitOutcome) -> bool| outcomes.clone().filter(|outcome| is(outcome)).count();
    let parked = count(|outcome| matches!(outcome, UnitOutcome::Parked { .. }));
    let landed = count(|outcome| matches!(outcome, UnitOutcome::Landed { .. }));
    let skipped: Vec<&Skipped> = settlement.plan.skipped.iter().filter(|skip| !skip.carried).collect();
    if let Some(hold) = settlement.holds.of_revision(&settlement.plan.revision.label) {
        return match (hold.word, parked) {
            (_, 1..) => (Disposition::Parked, waiting(items)),
            (DecisionWord::Deferred, 0) => (Disposition::Deferred, hold.reason.clone()),
            (DecisionWord::Declined | DecisionWord::Pinned, 0) => {
                (Disposition::Declined, hold.reason.clone())
            }
        };
    }
    let later = settlement.plan.later.len();
    match (parked, landed, outcomes.len()) {
        (0, _, _) if later > 0 => (Disposition::Parked, format!("{later} items are not asked for yet")),
        (1.., _, _) => (Disposition::Parked, waiting(items)),
        (0, 1.., _) => (Disposition::Landed, String::new()),
        (0, 0, 1..) => (Disposition::Absorbed, String::new()),
        (0, 0, 0) if skipped.is_empty() => (Disposition::NotPorted, "no item changed".to_owned()),
        (0, 0, 0) => (Disposition::NotPorted, left_alone(&skipped)),
    }
}

fn waiting(items: usize) -> String {
    match items {
        1 => "1 item waits for a person".to_owned(),
        _ => format!("{items} items wait for a person"),
    }
}

/// Such as `nothing for the port to follow: 2 ignored, 1 no behaviour`.
fn left_alone(skipped: &[&Skipped]) -> String {
    let mut counts: BTreeMap<SkipReason, usize> = BTreeMap::new();
    for skip in skipped {
        *counts.entry(skip.why).or_default() += 1;
    }
    let words = |why| match why {
        SkipReason::NoBehaviour => "without a change of behaviour",
        SkipReason::Ignored => "ignored",
        SkipReason::Manual => "left to a person",
        SkipReason::Declined => "declined",
        SkipReason::Deferred => "deferred",
        SkipReason::Bound => "bound to the Rust code",
        SkipReason::NoCounterpart => "without a counterpart",
        SkipReason::Unmapped => "unmapped",
    };
    let parts: Vec<String> =
        counts.into_iter().map(|(why, count)| format!("{count} {}", words(why))).collect();
    format!("nothing for the port to follow: {}", parts.join(", "))
}

#[cfg(test)]
mod tests;
