//! Whether the lock still tells the truth: about the upstream, about the port, about the revisions.
//!
//! It only finds; what a finding means for a run is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use upstream::snapshot::{Item, Snapshot};
use upstream::{CommitId, ContentHash, ItemPath, Revision, RevisionLabel};

use super::passed::{check_passed, check_waiting};
use super::records::{check_lost, check_records};
use super::{Disposition, Link, Lock};
use crate::decision::Holds;
use crate::mapping::Mapping;
use crate::symbol::{SymbolPath, SymbolTable};

/// Answers for each item whether it was there, as it is given, at the revision beside it.
type WereThere<'a> = dyn Fn(&[(&RevisionLabel, &Item)]) -> Vec<bool> + 'a;

/// What the lock is compared with.
#[derive(Clone, Copy)]
pub struct CheckInput<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// All revisions of the upstream, oldest first.
    pub revisions: &'a [Revision],
    /// The upstream at the baseline, where it can be read.
    pub baseline: Option<&'a Snapshot>,
    /// The upstream at the revision of the adoption, where it can be read.
    pub adopted: Option<&'a Snapshot>,
    /// An item as it was at a revision.
    pub item_at: &'a dyn Fn(&RevisionLabel, &ItemPath) -> Option<Item>,
    /// For each: whether it is plain, without reading the whole revision, that an item stood there as it is given.
    pub stood: &'a WereThere<'a>,
    /// Whether a commit is among what was ever fetched from the upstream, be it in its history or no longer.
    pub was_there: &'a dyn Fn(&CommitId) -> bool,
    /// The port as it stands.
    pub symbols: &'a SymbolTable,
    /// Where items belong, and which symbols are extensions: those are never taken for drift.
    pub mapping: &'a Mapping,
    /// What people decided to leave alone.
    pub holds: &'a Holds,
}

impl std::fmt::Debug for CheckInput<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckInput").field("baseline", &self.lock.baseline).finish_non_exhaustive()
    }
}

/// Something in the lock that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum LockFinding {
    /// The lock names a revision that the upstream does not have, or that the lock does not record.
    #[error("revision `{revision}` of {place} is unknown")]
    UnknownRevision {
        /// The label.
        revision: RevisionLabel,
        /// Where the lock names it, such as ``the link of `k::f` ``.
        place: String,
    },
    /// The lock recorded a revision that is in the upstream's history no more: the history was rewritten, and somebody
    /// accepted that. What the port equals is told by the fingerprints.
    #[error(
        "revision `{revision}` (commit {commit}) is in the upstream's history no more, which was rewritten: \
         what the port equals is told by the fingerprints"
    )]
    LeftHistory {
        /// The revision.
        revision: RevisionLabel,
        /// As the lock has it.
        commit: CommitId,
    },
    /// The upstream's revision is another commit than the lock recorded: a moved tag, a forced push.
    #[error("revision `{revision}` was recorded as commit {recorded} and is {actual} now")]
    CommitDiffers {
        /// The revision.
        revision: RevisionLabel,
        /// As the lock has it.
        recorded: CommitId,
        /// As the upstream has it.
        actual: CommitId,
    },
    /// Recorded after a revision that is newer.
    #[error("revision `{revision}` is recorded after `{newer}`, which is newer")]
    OutOfOrder {
        /// The revision.
        revision: RevisionLabel,
        /// The one recorded before it.
        newer: RevisionLabel,
    },
    /// A revision up to the baseline has no disposition.
    #[error("revision `{revision}` is older than the baseline, and nothing is recorded of it")]
    Lost {
        /// The revision.
        revision: RevisionLabel,
    },
    /// A revision was taken back by its authors after it was dealt with, or without a record of that.
    #[error("revision `{revision}` was withdrawn by its authors ({})", recorded_words(*.recorded))]
    Withdrawn {
        /// The revision.
        revision: RevisionLabel,
        /// What the lock says of it.
        recorded: Option<Disposition>,
    },
    /// The item was not there at the revision that its link names.
    #[error("`{item}` was not there at `{revision}`, which its link names")]
    ItemMissing {
        /// The item.
        item: ItemPath,
        /// The revision.
        revision: RevisionLabel,
    },
    /// The item was another at the revision that its link names: the lock was edited or restored.
    #[error("`{item}` had the fingerprint {actual} at `{revision}`, and its link says {recorded}")]
    ItemDiffers {
        /// The item.
        item: ItemPath,
        /// The revision.
        revision: RevisionLabel,
        /// As the lock has it.
        recorded: ContentHash,
        /// As the upstream has it.
        actual: ContentHash,
    },
    /// Recorded as withdrawn, and its authors have not taken it back, or not any more.
    #[error("revision `{revision}` is recorded as withdrawn, and is not: its changes came with the next one")]
    NotWithdrawn {
        /// The revision.
        revision: RevisionLabel,
    },
    /// The baseline holds a change of behaviour that the port does not have, and nothing says why.
    #[error(
        "the baseline passes over `{item}` ({change} since `{since}`), and nothing is recorded of it: \
         port it, or `tidelock decline` it"
    )]
    PassedOver {
        /// The item.
        item: ItemPath,
        /// The revision that the port equals in it, or at which it was adopted.
        since: RevisionLabel,
        /// What changed.
        change: String,
    },
    /// Parked or held, and the port equals the baseline in it: the next landing takes the entry out.
    #[error("`{item}` is said to wait, and the port equals the baseline in it")]
    WaitsNoLonger {
        /// The item.
        item: ItemPath,
    },
    /// It cannot be told where an item belongs, and so not whether it was passed over.
    #[error("{problem}")]
    NoPlace {
        /// What is wrong with the configuration.
        problem: String,
    },
    /// The symbol of a link is not in the port.
    #[error("`{symbol}`, which answers to `{item}`, is not in the port")]
    SymbolMissing {
        /// The item.
        item: ItemPath,
        /// The symbol.
        symbol: SymbolPath,
    },
    /// A person edited the symbol after Tidelock last saw or wrote it.
    #[error("`{symbol}`, which answers to `{item}`, was edited by hand")]
    EditedByHand {
        /// The item.
        item: ItemPath,
        /// The symbol.
        symbol: SymbolPath,
    },
}

fn recorded_words(recorded: Option<Disposition>) -> &'static str {
    match recorded {
        None => "and nothing is recorded of it",
        Some(Disposition::Adopted) => "after it was adopted",
        Some(Disposition::Landed | Disposition::Absorbed | Disposition::Parked) => "after it was synced",
        Some(Disposition::NotPorted | Disposition::Declined | Disposition::Deferred) => {
            "after it was recorded as not in the port"
        }
        Some(Disposition::Withdrawn) => "as recorded",
    }
}

/// Lists what does not fit, revisions first, then links by item.
pub fn check(input: &CheckInput<'_>) -> Vec<LockFinding> {
    let mut findings = Vec::new();
    let left = check_records(input, &mut findings);
    check_lost(input, &mut findings);
    let recorded: BTreeSet<&RevisionLabel> =
        input.lock.revisions.iter().map(|recorded| &recorded.revision).collect();
    let stood = stood_as_linked(input);
    for link in input.lock.links.values() {
        if recorded.contains(&link.revision) {
            if !stood.contains(&link.item) {
                findings.extend(check_item(input, link, left.contains(&link.revision)));
            }
        } else {
            let place = format!("the link of `{}`", link.item);
            findings.push(LockFinding::UnknownRevision { revision: link.revision.clone(), place });
        }
        findings.extend(check_symbols(input, link));
    }
    for parked in input.lock.parked.values().filter(|parked| !recorded.contains(&parked.revision)) {
        let place = format!("the parked `{}`", parked.item);
        findings.push(LockFinding::UnknownRevision { revision: parked.revision.clone(), place });
    }
    for held in input.lock.held.values().filter(|held| !recorded.contains(&held.revision)) {
        let place = format!("the held `{}`", held.item);
        findings.push(LockFinding::UnknownRevision { revision: held.revision.clone(), place });
    }
    check_passed(input, &mut findings);
    check_waiting(input, &mut findings);
    findings
}

/// The items of which it is plain that they stood at the revision of their link as it says: they equal the baseline,
/// and were there with the text that they have now. All are asked about at once, in the order of the revisions.
fn stood_as_linked<'a>(input: &CheckInput<'a>) -> BTreeSet<&'a ItemPath> {
    let Some(baseline) = input.baseline else { return BTreeSet::new() };
    let places: BTreeMap<&RevisionLabel, usize> =
        input.revisions.iter().enumerate().map(|(at, revision)| (&revision.label, at)).collect();
    let equal = input.lock.links.values().filter_map(|link| {
        let item = baseline.items.get(&link.item)?;
        (item.fingerprint.combined() == link.upstream).then_some((&link.revision, item))
    });
    let (mut stood, mut asked): (Vec<_>, Vec<_>) =
        equal.partition(|(revision, _)| **revision == input.lock.baseline);
    asked.sort_by_key(|(revision, _)| places.get(revision));
    let answers = (input.stood)(&asked);
    stood.extend(asked.into_iter().zip(answers).filter(|(_, stood)| *stood).map(|(asked, _)| asked));
    stood.into_iter().map(|(_, item)| &item.path).collect()
}

/// What a link says of its item is true. Where its revision has left the history, that may be out of reach: then the
/// item equals the baseline, or it is recorded that it does not.
fn check_item(input: &CheckInput<'_>, link: &Link, left: bool) -> Option<LockFinding> {
    let (item, revision) = (link.item.clone(), link.revision.clone());
    let at_baseline = input.baseline.and_then(|baseline| baseline.items.get(&item));
    let equal = at_baseline.filter(|item| item.fingerprint.combined() == link.upstream);
    let Some(found) = (input.item_at)(&link.revision, &link.item) else {
        if left && (equal.is_some() || input.lock.is_behind(&item)) {
            return None;
        }
        return Some(LockFinding::ItemMissing { item, revision });
    };
    let actual = found.fingerprint.combined();
    let recorded = link.upstream;
    (actual != recorded).then_some(LockFinding::ItemDiffers { item, revision, recorded, actual })
}

fn check_symbols(input: &CheckInput<'_>, link: &Link) -> Vec<LockFinding> {
    let of_symbol = |(symbol, written): (&SymbolPath, ContentHash)| {
        if input.mapping.is_extension(input.symbols, symbol) {
            return None;
        }
        let (item, found) = (link.item.clone(), input.symbols.get(symbol));
        let symbol = symbol.clone();
        match found {
            None => Some(LockFinding::SymbolMissing { item, symbol }),
            Some(found) if found.hash != written => Some(LockFinding::EditedByHand { item, symbol }),
            Some(_) => None,
        }
    };
    link.symbols().filter_map(of_symbol).collect()
}

#[cfg(test)]
mod tests;
