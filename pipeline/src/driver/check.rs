//! The contract over a tree of the port: both sides asked, and what came of it as evidence.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use mappings::SymbolPath;
use port::contract::{
    ContractItem, ContractReport, ContractRequest, ItemEvidence, OldRevision, Pools, PortSide, Prepared,
    Profile, check,
};
use upstream::{ContentHash, ItemPath, TreeId};

use super::{Driver, checkouts};
use crate::gate::Evidence;

/// The seed of the development probes. It may be known to everybody.
const DEVELOPMENT_SEED: &str = "tidelock development probes 1";

/// What is to be compared, and against what.
pub(super) struct Question<'a> {
    /// The tree of the port.
    pub(super) tree: &'a TreeId,
    /// The items with their symbols.
    pub(super) items: Vec<(ItemPath, SymbolPath)>,
    /// What makes this attempt's deciding probes its own.
    pub(super) occasion: String,
    /// Whether the change itself is compared too.
    pub(super) compare_change: bool,
}

impl Driver<'_> {
    /// Runs the contract of the revision at work over a tree of the port.
    pub(super) fn ask(&mut self, question: &Question<'_>) -> Result<Evidence> {
        let current = self.current()?;
        let upstream = self.oracles.at(&current.revision, &current.snapshot)?;
        let (old_upstream, old_tree) = if question.compare_change {
            (Some(self.oracles.at(&current.baseline.revision, &current.baseline)?), Some(&current.head.tree))
        } else {
            (None, None)
        };
        let candidate = self.session.port.checkout(question.tree, &checkouts(self.session))?;
        let candidate_side = self.oracles.port_side(candidate.path());
        let before = match old_tree {
            Some(tree) => Some(self.session.port.checkout(tree, &checkouts(self.session))?),
            None => None,
        };
        let before_side = before.as_ref().map(|before| self.oracles.port_side(before.path()));
        let pools = Pools {
            development_seed: DEVELOPMENT_SEED.to_owned(),
            deciding_seed: ContentHash::of_parts([&self.secret, &question.occasion]).to_string(),
            probes_max: usize::try_from(self.session.settings.probes / 2).unwrap_or(usize::MAX).max(1),
        };
        let links: BTreeMap<ItemPath, SymbolPath> = current
            .lock
            .links
            .values()
            .map(|link| (link.item.clone(), link.symbol.clone()))
            .chain(question.items.iter().cloned())
            .collect();
        let mut report = ContractReport::default();
        for (library, items) in by_library(&question.items) {
            let Some(prepared) = upstream.prepared.get(&library) else {
                report.items.extend(items.iter().map(|item| not_probed(item, "its target is no library")));
                continue;
            };
            let old = old_side(old_upstream.as_deref(), &library, before_side.as_ref());
            let found = check(
                &self.oracles.tools(),
                &ContractRequest {
                    upstream: prepared,
                    snapshot: &current.snapshot,
                    candidate: &candidate_side,
                    old,
                    items: &items,
                    links: &links,
                    harvested: &upstream.harvested,
                    pools: &pools,
                    profile: &Profile::default(),
                },
            )?;
            merge(&mut report, found);
        }
        Ok(Evidence::of(report))
    }
}

fn by_library(items: &[(ItemPath, SymbolPath)]) -> BTreeMap<String, Vec<ContractItem>> {
    let mut libraries: BTreeMap<String, Vec<ContractItem>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (item, symbol) in items.iter().filter(|(item, _)| seen.insert(item)) {
        let entry = ContractItem { item: item.clone(), symbol: symbol.clone() };
        libraries.entry(item.krate().to_owned()).or_default().push(entry);
    }
    libraries
}

fn old_side<'b>(
    upstream: Option<&'b super::oracle::Upstream>,
    library: &str,
    port: Option<&'b PortSide>,
) -> Option<OldRevision<'b>> {
    match (upstream.and_then(|upstream| upstream.prepared.get(library)), port) {
        (Some(Prepared::Ready(oracle)), Some(port)) => Some(OldRevision { oracle, port }),
        (Some(Prepared::SourceBlocked { .. } | Prepared::Ready(_)) | None, _) => None,
    }
}

fn merge(into: &mut ContractReport, report: ContractReport) {
    into.source_blocked = into.source_blocked.take().or(report.source_blocked);
    into.spec.extend(report.spec);
    into.items.extend(report.items);
    into.counterexamples.extend(report.counterexamples);
    into.duration_ms += report.duration_ms;
}

fn not_probed(item: &ContractItem, reason: &str) -> ItemEvidence {
    ItemEvidence {
        item: item.item.clone(),
        symbol: item.symbol.clone(),
        not_probed: Some(reason.to_owned()),
        harvested: 0,
        generated: 0,
        agreed: 0,
        disagreed: 0,
        blocked: 0,
        blocks_reached: 0,
        blocks_total: 0,
        changed_upstream: None,
        changed_port: None,
        changed_alike: None,
    }
}
