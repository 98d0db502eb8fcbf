//! The plan for one revision: which symbols follow which items, together with what, and in which order.
//!
//! The main function is [`plan`]. It looks at every item of the target and of the baseline, so nothing that
//! changed is lost: each changed item is in a unit, or skipped with a reason. It never edits and never
//! decides whether a change was ported well.

mod behaviour;
mod carrier;
mod change;
mod held;
mod impact;
mod member;
mod order;
mod users;

pub(crate) use behaviour::without_behaviour;
use change::{Pending, pending_changes};
use member::{Decision, Planned, decide};
use std::collections::{BTreeMap, BTreeSet};

use upstream::diff::ItemChange;
use upstream::snapshot::{Item, Snapshot};
use upstream::{ItemPath, RevisionLabel};

use crate::decision::Holds;
use crate::graph::{CallGraph, PortUses};
use crate::lock::Lock;
use crate::mapping::{Mapping, PlaceError};
use crate::symbol::{SymbolPath, SymbolTable};
use crate::unit::{Later, Plan, Skipped};

/// How many items a plan may hold. A larger step is taken over revisions in between.
pub const CHANGES_MAX: usize = 50_000;

/// Everything that a plan is made from.
#[derive(Clone, Copy)]
pub struct PlanInput<'a> {
    /// The revision to sync to.
    pub target: &'a Snapshot,
    /// The revision that the lock names as its baseline.
    pub baseline: &'a Snapshot,
    /// What the port equals.
    pub lock: &'a Lock,
    /// An item as it was at an earlier revision. A parked item lags behind the baseline: its change is
    /// computed from the revision that its link equals.
    pub item_at: &'a dyn Fn(&RevisionLabel, &ItemPath) -> Option<Item>,
    /// Where items belong.
    pub mapping: &'a Mapping,
    /// The port as it stands.
    pub symbols: &'a SymbolTable,
    /// Who uses whom in it, where that is known already.
    pub uses: &'a PortUses,
    /// What people decided to leave alone.
    pub holds: &'a Holds,
}

impl std::fmt::Debug for PlanInput<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlanInput")
            .field("target", &self.target.revision.label)
            .field("baseline", &self.lock.baseline)
            .finish_non_exhaustive()
    }
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The mapping has no answer for an item.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The target was taken back by its authors.
    #[error("revision `{revision}` was withdrawn by its authors; sync to a later one")]
    Withdrawn {
        /// The target.
        revision: RevisionLabel,
    },
    /// The snapshot given as the baseline is of another revision than the lock names.
    #[error("the lock's baseline is `{expected}`, and the snapshot given for it is of `{given}`")]
    WrongBaseline {
        /// The lock's baseline.
        expected: RevisionLabel,
        /// The snapshot's revision.
        given: RevisionLabel,
    },
    /// The lock speaks of an item that was not there, or was another, at the revision it names.
    #[error(
        "the entry for `{item}` in `tidelock.lock` does not fit the item at revision `{revision}`; \
         the lock was edited or comes from another upstream: run `tidelock verify`"
    )]
    LockDisagrees {
        /// The item.
        item: ItemPath,
        /// The revision that the lock names for it.
        revision: RevisionLabel,
    },
    /// A symbol's file cannot be read, so nobody knows whether the symbol is there.
    #[error("`{file}` in the port cannot be parsed ({reason}), and `{symbol}` belongs there; mend it first")]
    PortFileUnparsed {
        /// The file.
        file: String,
        /// The parser's complaint.
        reason: String,
        /// The symbol that was looked for.
        symbol: SymbolPath,
    },
    /// More changed than one plan may hold.
    #[error(
        "{count} items changed or use what changed, and {CHANGES_MAX} are the most for one plan; sync over revisions between"
    )]
    TooLarge {
        /// How many there are.
        count: usize,
    },
}

/// Makes the plan.
pub fn plan(input: &PlanInput<'_>) -> Result<Plan, PlanError> {
    plan_portion(input, None)
}

/// Makes the plan for some items alone, where some are named: what else is to be followed is told as [`Plan::later`], and
/// waits. Only what is named belongs together, so a class may be asked for without its methods.
pub fn plan_portion(input: &PlanInput<'_>, portion: Option<&BTreeSet<ItemPath>>) -> Result<Plan, PlanError> {
    check(input)?;
    let (symbols, uses, items) = (input.symbols, input.uses, &input.target.items);
    // What is found out at the same time does not depend on each other.
    let (graphs, decided) = std::thread::scope(|scope| {
        let graphs = scope.spawn(|| (CallGraph::edges_of_items(items.values()), uses.among(symbols)));
        let decided = pending_changes(input).and_then(|changes| decide_all(input, changes));
        (graphs.join(), decided)
    });
    let (calls, port) = graphs.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let mut decided = decided?;
    carrier::add_carriers(&mut decided, input, Graphs { calls: &calls, port })?;
    let Decided { planned, mut skipped, .. } = decided;
    let count = planned.len() + skipped.len();
    if count > CHANGES_MAX {
        return Err(PlanError::TooLarge { count });
    }
    let (planned, later): (Vec<Planned>, Vec<Planned>) = planned
        .into_iter()
        .partition(|one| portion.is_none_or(|portion| portion.contains(one.member.change.path())));
    let mut units = order::units(planned, &calls, input.symbols);
    impact::mark(&mut units, &calls, input);
    skipped.sort_by(|one, other| one.item.cmp(&other.item));
    Ok(Plan { revision: input.target.revision.clone(), units, skipped, later: told_later(later) })
}

/// Who uses whom on both sides.
struct Graphs<'d> {
    /// Items of the target.
    calls: &'d CallGraph<ItemPath>,
    /// Symbols of the port.
    port: &'d CallGraph<SymbolPath>,
}

/// Each item once, with its first symbol.
fn told_later(planned: Vec<Planned>) -> Vec<Later> {
    let mut later: BTreeMap<ItemPath, SymbolPath> = BTreeMap::new();
    for one in planned {
        later.entry(one.member.change.path().clone()).or_insert(one.member.symbol);
    }
    later.into_iter().map(|(item, symbol)| Later { item, symbol }).collect()
}

/// What the plan comes to, item by item.
#[derive(Debug, Default)]
struct Decided {
    planned: Vec<Planned>,
    skipped: Vec<Skipped>,
    /// The skipped changes that reach the port through what uses their items, if at all.
    unseen: Vec<ItemChange>,
}

fn decide_all(input: &PlanInput<'_>, changes: Vec<Pending<'_>>) -> Result<Decided, PlanError> {
    if changes.len() > CHANGES_MAX {
        return Err(PlanError::TooLarge { count: changes.len() });
    }
    let mut decided = Decided::default();
    for pending in changes {
        let effect = without_behaviour(&pending.change).is_none().then(|| pending.change.clone());
        match decide(input, pending)? {
            Decision::Follow(members) => decided.planned.extend(members),
            Decision::Skip(skip) => {
                decided.unseen.extend(effect.filter(|_| !skip.carried && users::is_unseen(skip.why)));
                decided.skipped.push(skip);
            }
        }
    }
    Ok(decided)
}

fn check(input: &PlanInput<'_>) -> Result<(), PlanError> {
    let revision = &input.target.revision;
    if revision.withdrawn {
        return Err(PlanError::Withdrawn { revision: revision.label.clone() });
    }
    let given = &input.baseline.revision.label;
    if *given != input.lock.baseline {
        return Err(PlanError::WrongBaseline { expected: input.lock.baseline.clone(), given: given.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
