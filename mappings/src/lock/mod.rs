//! `tidelock.lock`: what the port equals, as a text file in the port that one can merge and review.
//!
//! It changes only in the commit that lands the work. [`Lock::parse`] and [`Lock::render`] are its text form,
//! [`check()`] compares it with both sides, [`adopt()`] makes the first one.

mod adopt;
mod by_item;
mod check;
mod lines;
mod passed;
mod records;
mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upstream::ids::{CommitId, ContentHash, ItemPath, RevisionLabel};

pub use adopt::{Adopted, Adoption, Unlinked, adopt};
pub use check::{CheckInput, LockFinding, check};
pub use text::{LockError, schema};

use crate::symbol::SymbolPath;

/// The format that this program writes. A lock of a newer version is refused, not guessed at.
///
/// Version 1 had no `held`; it is read as a lock that holds nothing. Version 2 had no `parts`.
pub const LOCK_VERSION: u32 = 3;

/// How far it is known that a symbol behaves as its item does. These are never mixed in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The contract compared both on probes and they agreed.
    Proved,
    /// Only tests of the port, or probes of its callers, reach it.
    Tested,
    /// It is mapped, and nothing was checked.
    MappedOnly,
    /// Nothing is known.
    Unknown,
}

/// One item and the symbol that answers to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The item.
    pub item: ItemPath,
    /// The symbol.
    pub symbol: SymbolPath,
    /// The combined fingerprint of the item that the symbol equals.
    pub upstream: ContentHash,
    /// The hash of the symbol as Tidelock last saw or wrote it; another one in the port is a person's edit.
    pub written: ContentHash,
    /// The revision at which the item had that fingerprint.
    pub revision: RevisionLabel,
    /// How far it is known to behave alike.
    pub proof: Proof,
    /// Further symbols, where the item was split into several, in the order of the configuration.
    #[serde(default)]
    pub parts: Vec<LinkPart>,
}

/// One more symbol of an item that was split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkPart {
    /// The symbol.
    pub symbol: SymbolPath,
    /// The hash of the symbol as Tidelock last saw or wrote it.
    pub written: ContentHash,
}

impl Link {
    /// The symbols that answer to the item, the first one first, each with the hash that Tidelock last saw or wrote.
    pub fn symbols(&self) -> impl Iterator<Item = (&SymbolPath, ContentHash)> {
        let parts = self.parts.iter().map(|part| (&part.symbol, part.written));
        std::iter::once((&self.symbol, self.written)).chain(parts)
    }
}

/// What became of one upstream revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// The port equalled it when Tidelock was set up.
    Adopted,
    /// Its changes are in the port.
    Landed,
    /// The port needed no edit, and that was proved.
    Absorbed,
    /// Its changes are not ported, for a recorded reason.
    NotPorted,
    /// A person declined it.
    Declined,
    /// A person put it off.
    Deferred,
    /// Part of it waits for a person; the rest is in the port.
    Parked,
    /// Its authors took it back (a yanked release); it was passed by.
    Withdrawn,
}

impl Disposition {
    /// Whether it leaves a change alone on purpose: what is held has one of these.
    #[must_use]
    pub fn leaves_alone(self) -> bool {
        match self {
            Self::NotPorted | Self::Declined | Self::Deferred => true,
            Self::Adopted | Self::Landed | Self::Absorbed | Self::Parked | Self::Withdrawn => false,
        }
    }
}

/// One upstream revision with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedRevision {
    /// The revision.
    pub revision: RevisionLabel,
    /// Its commit in the mirror.
    pub commit: CommitId,
    /// What became of it.
    pub disposition: Disposition,
    /// Why, where it is not plain; empty otherwise.
    #[serde(default)]
    pub reason: String,
}

/// A unit that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParkedItem {
    /// The item.
    pub item: ItemPath,
    /// The symbol that is to follow it.
    pub symbol: SymbolPath,
    /// The revision at which it was parked.
    pub revision: RevisionLabel,
    /// Why.
    pub reason: String,
}

/// A changed item that the baseline passed over and that the port does not follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldItem {
    /// The item.
    pub item: ItemPath,
    /// The symbol that would follow it, where one is known.
    pub symbol: Option<SymbolPath>,
    /// The revision that was the first to be passed over.
    pub revision: RevisionLabel,
    /// `declined` or `deferred` by a person; `not-ported` where no rule says where it belongs.
    pub disposition: Disposition,
    /// Why.
    pub reason: String,
}

/// The whole lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The upstream as its source is written in the configuration, such as `registry:strsim`.
    pub source: String,
    /// The revision that the port equals, apart from what is parked.
    pub baseline: RevisionLabel,
    /// Its commit in the mirror.
    pub commit: CommitId,
    /// The links by item.
    #[serde(with = "by_item")]
    pub links: BTreeMap<ItemPath, Link>,
    /// The revisions from adoption to the baseline, oldest first.
    pub revisions: Vec<RecordedRevision>,
    /// What waits for a person, by item.
    #[serde(with = "by_item")]
    pub parked: BTreeMap<ItemPath, ParkedItem>,
    /// What the port does not follow although it changed, by item.
    #[serde(with = "by_item")]
    pub held: BTreeMap<ItemPath, HeldItem>,
}

impl Lock {
    /// The revision at which the port was adopted.
    pub fn adopted(&self) -> Option<&RecordedRevision> {
        self.revisions.iter().find(|recorded| recorded.disposition == Disposition::Adopted)
    }

    /// Whether the port is known to be behind the baseline in an item: it is parked or held.
    pub fn is_behind(&self, item: &ItemPath) -> bool {
        self.parked.contains_key(item) || self.held.contains_key(item)
    }

    /// How many of the held items have a symbol that answers to them.
    pub fn held_links(&self) -> usize {
        self.held.keys().filter(|item| self.links.contains_key(*item)).count()
    }

    /// The revision that was the baseline when this one became it, by the records.
    pub fn recorded_before(&self, revision: &RevisionLabel) -> Option<&RevisionLabel> {
        let at = self.revisions.iter().position(|recorded| recorded.revision == *revision)?;
        let earlier = self.revisions.get(..at)?.iter();
        let baseline = earlier.rev().find(|recorded| recorded.disposition != Disposition::Withdrawn);
        baseline.map(|recorded| &recorded.revision)
    }
}
