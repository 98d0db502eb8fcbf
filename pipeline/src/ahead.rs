//! A lock that was put back while the port stayed where it was: the port's history holds the one that fits.
//!
//! Revision by revision such a port cannot be synced, since it equals none of the revisions between. A sync takes up the
//! lock that fits, and lands it like anything else: proved at its baseline, and gated.

use std::collections::BTreeSet;

use anyhow::Result;
use mappings::{Lock, SymbolTable};
use port::repo::BranchHead;
use upstream::{CommitId, Revision, RevisionLabel};

use crate::session::{LOCK_NAME, Session};

/// How many commits of the port are looked at.
const COMMITS_MAX: usize = 1_000;

/// What the port's history says of a port that is ahead of its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// The lock that fits the port.
    pub(crate) lock: Lock,
    /// The commit that holds it.
    pub(crate) commit: CommitId,
}

impl Ahead {
    /// What a person should know of it.
    pub(crate) fn told(&self, lock: &Lock) -> String {
        let commit: String = self.commit.as_str().chars().take(10).collect();
        format!(
            "`{LOCK_NAME}` says {}, and the port is as commit {commit} landed it, at {}: the lock was put back",
            lock.baseline, self.lock.baseline
        )
    }
}

/// The newest lock in the port's history that is of a later revision and fits the port as it is: each symbol that is
/// not as the present lock has it is as that one does. `None` where there is none, or the present lock fits.
pub(crate) fn ahead(
    session: &Session,
    head: &BranchHead,
    lock: &Lock,
    known: &[Revision],
) -> Result<Option<Ahead>> {
    let symbols = session.symbols(&head.tree)?;
    if !lock.links.values().any(|link| has_moved(lock, &symbols, &link.item)) {
        return Ok(None);
    }
    let place = |label: &RevisionLabel| known.iter().position(|revision| revision.label == *label);
    let now = place(&lock.baseline);
    let mut found: Option<(Option<usize>, Ahead)> = None;
    let (mut at, mut seen) = (head.commit.clone(), BTreeSet::new());
    for _ in 0..COMMITS_MAX {
        let info = session.port.commit_info(&at)?;
        if let Some(bytes) = session.port.read(&info.tree, LOCK_NAME)?
            && let Ok(text) = String::from_utf8(bytes)
            // What cannot be read as a lock says nothing of where the port stands.
            && let Ok(earlier) = Lock::parse(&text)
            && seen.insert((earlier.baseline.clone(), text.len()))
        {
            let there = place(&earlier.baseline);
            let is_later = there > now && found.as_ref().is_none_or(|(best, _)| there > *best);
            if is_later && earlier.source == lock.source && fits(lock, &earlier, &symbols) {
                let ahead = Ahead { lock: earlier, commit: at.clone() };
                found = Some((there, ahead));
            }
        }
        let Some(parent) = info.parents.first() else { break };
        at = parent.clone();
    }
    Ok(found.map(|(_, ahead)| ahead))
}

fn has_moved(lock: &Lock, symbols: &SymbolTable, item: &upstream::ItemPath) -> bool {
    lock.links
        .get(item)
        .is_some_and(|link| symbols.get(&link.symbol).is_none_or(|symbol| symbol.hash != link.written))
}

/// Whether everything in which the port is not as one lock has it is as the other one does.
fn fits(lock: &Lock, other: &Lock, symbols: &SymbolTable) -> bool {
    let moved = lock.links.keys().filter(|item| has_moved(lock, symbols, item));
    moved.clone().all(|item| !has_moved(other, symbols, item))
}
