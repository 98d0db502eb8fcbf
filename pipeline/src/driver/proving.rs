//! Proving a port against its baseline alone: for `init --adopt`, which records what it finds, and for
//! `verify --contract`.

use anyhow::Result;
use mappings::{Lock, SymbolPath};
use port::confinement::Confinement;
use port::contract::Prepared;
use upstream::{ItemPath, Snapshot, TreeId};

use super::check::{Contract, Question};
use super::oracle::Oracles;
use super::secret;
use crate::gate::Evidence;
use crate::session::Session;

/// Compares everything that a lock links with the upstream at the lock's baseline.
pub(crate) fn prove(
    session: &Session,
    confinement: &dyn Confinement,
    lock: &Lock,
    tree: &TreeId,
    baseline: &Snapshot,
) -> Result<Evidence> {
    let at_baseline = |item: &ItemPath| baseline.items.get(item).is_some_and(|item| !item.is_test);
    let linked = lock.links.values().filter(|link| !lock.is_behind(&link.item));
    let items: Vec<_> = linked
        .filter(|link| at_baseline(&link.item))
        .map(|link| (link.item.clone(), link.symbol.clone()))
        .collect();
    let mut contract = Contract::new(session, confinement, secret())?;
    contract.ask(&Question {
        tree,
        upstream: baseline,
        before: None,
        links: items.iter().cloned().collect(),
        items,
        occasion: format!("baseline {}", lock.baseline),
    })
}

/// Compares some linked items with the upstream at the lock's baseline; the deciding probes are new ones.
pub(crate) fn prove_some(
    session: &Session,
    confinement: &dyn Confinement,
    lock: &Lock,
    tree: &TreeId,
    (baseline, items): (&Snapshot, Vec<(ItemPath, SymbolPath)>),
) -> Result<Evidence> {
    let links = lock.links.values().map(|link| (link.item.clone(), link.symbol.clone())).collect();
    let mut contract = Contract::new(session, confinement, secret())?;
    let occasion = format!("items at {}", lock.baseline);
    contract.ask(&Question { tree, upstream: baseline, before: None, links, items, occasion })
}

/// Why the upstream cannot be asked what it does at a revision, if it cannot: it does not build here.
pub(crate) fn why_not_built(
    session: &Session,
    confinement: &dyn Confinement,
    snapshot: &Snapshot,
    library: &str,
) -> Result<Option<String>> {
    let upstream = Oracles::new(session, confinement)?.at(snapshot)?;
    Ok(upstream.prepared.get(library).and_then(|prepared| match prepared {
        Prepared::SourceBlocked { reason } => Some(reason.clone()),
        Prepared::Ready(_) => None,
    }))
}
