//! The plan: work units in an order, each with what it is for and why.

use serde::{Deserialize, Serialize};
use upstream::diff::ItemChange;
use upstream::ids::{ItemPath, one_line};
use upstream::revision::Revision;

use crate::symbol::SymbolPath;

upstream::string_id! {
    /// The name of a work unit within its revision: the first item's path, which is stable across runs.
    UnitId, "unit id", one_line
}

/// What is to happen to a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// The item is new: its symbol is to be written.
    Add,
    /// The item changed: its symbol is to follow.
    Change,
    /// The item went: its symbol is to go.
    Remove,
    /// The item has another path: its symbol is to be renamed or moved.
    Relocate,
    /// An upstream test changed, was added or went: the port's test is to follow.
    Test,
}

/// One item of a unit, with the symbol that answers to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitMember {
    /// What happened upstream, between the revision that the link equals and the target. A member that is
    /// here only because of what it uses is modified in no aspect.
    pub change: ItemChange,
    /// The symbol that answers, or is to answer, to the item.
    pub symbol: SymbolPath,
    /// The file that holds the symbol, or is to.
    pub file: String,
    /// Whether a person edited the symbol after Tidelock last wrote it.
    pub edited_by_hand: bool,
}

/// Items and symbols that are translated together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkUnit {
    /// Its name.
    pub id: UnitId,
    /// What it is.
    pub kind: UnitKind,
    /// Its members, sorted by item path; more than one where they call each other.
    pub members: Vec<UnitMember>,
    /// Why it is in the plan, for people.
    pub reason: String,
    /// Other symbols that the change touches because they call these: they are proved, not edited.
    pub impacted: Vec<Impacted>,
    /// Units of this plan that come first because this one calls them.
    pub after: Vec<UnitId>,
    /// Units of one wave do not depend on each other; the first wave is 0.
    pub wave: u32,
    /// What a model would be sent and would answer, in tokens, estimated.
    pub tokens_estimate: u64,
}

/// An item whose behaviour may differ because something it uses changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impacted {
    /// The item.
    pub item: ItemPath,
    /// The symbol that answers to it.
    pub symbol: SymbolPath,
    /// The changed item through which it is reached.
    pub through: ItemPath,
}

/// A changed item that the plan does not touch, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The item.
    pub item: ItemPath,
    /// The path that it had before, where it was moved or renamed.
    #[serde(default)]
    pub before: Option<ItemPath>,
    /// What happened to it, in words of [`ItemChange::summary`]; `unchanged itself` where only something that
    /// it uses changed.
    pub change: String,
    /// Why it is left alone.
    pub why: SkipReason,
    /// The reason in words: the configuration's own where it gives one.
    pub reason: String,
    /// The symbol that would have followed it, where one is known.
    #[serde(default)]
    pub symbol: Option<SymbolPath>,
    /// Whether it did not change at this revision: an earlier one passed over it, and nothing is new about that.
    #[serde(default)]
    pub carried: bool,
}

/// Why a changed item is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Nothing that runs changed: documentation, visibility or attributes without effect on the port.
    NoBehaviour,
    /// The configuration ignores it.
    Ignored,
    /// The configuration leaves it to a person.
    Manual,
    /// A person declined it.
    Declined,
    /// A person put it off.
    Deferred,
    /// The port calls the Rust code.
    Bound,
    /// Kinds that have no counterpart of their own: modules, `impl` headers, `use`, macros; and what the
    /// upstream does not export, or only helps its tests, where the port has no symbol for it.
    NoCounterpart,
    /// No rule of the configuration and no convention says where it belongs.
    Unmapped,
}

/// Everything that a sync to one revision would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The revision to sync to.
    pub revision: Revision,
    /// The units, callees first.
    pub units: Vec<WorkUnit>,
    /// What is left alone.
    pub skipped: Vec<Skipped>,
    /// What is to be followed and is not asked for in this plan, by item: it waits on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<Later>,
}

/// An item that a plan over a part of the upstream does not take up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// The item.
    pub item: ItemPath,
    /// The symbol that is to follow it.
    pub symbol: SymbolPath,
}
