//! The contract over a tree of the port: both sides asked, and what came of it as evidence.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use mappings::SymbolPath;
use port::confinement::Confinement;
use port::contract::{
    COUNTEREXAMPLES_MAX, ContractError, ContractItem, ContractReport, ContractRequest, ItemEvidence,
    OldRevision, Pools, PortSide, Prepared, Profile, Recorded, Tools, Tracer, check,
};
use upstream::{ContentHash, ItemPath, Snapshot, TreeId};

use super::oracle::{Oracles, Tracing, Upstream};
use super::planning::Current;
use super::{Driver, checkouts};
use crate::gate::Evidence;
use crate::session::Session;

/// The seed of the development probes. It may be known to everybody.
pub(crate) const DEVELOPMENT_SEED: &str = "tidelock development probes 1";

/// Why nothing of a program is called: what there is of it besides is run as a whole.
pub(crate) const NO_LIBRARY: &str = "its target is no library";

/// What is to be compared, and against what.
pub(crate) struct Question<'a> {
    /// The tree of the port.
    pub(crate) tree: &'a TreeId,
    /// The upstream that it is to equal.
    pub(crate) upstream: &'a Snapshot,
    /// The state before, where the change itself is compared too.
    pub(crate) before: Option<Before<'a>>,
    /// The items with their symbols.
    pub(crate) items: Vec<(ItemPath, SymbolPath)>,
    /// All links, for the constructors of methods' values.
    pub(crate) links: BTreeMap<ItemPath, SymbolPath>,
    /// What makes this attempt's deciding probes its own.
    pub(crate) occasion: String,
}

/// The state before a change.
pub(crate) struct Before<'a> {
    /// The tree of the port.
    pub(crate) tree: &'a TreeId,
    /// The upstream that it equalled.
    pub(crate) upstream: &'a Snapshot,
}

/// Asks both sides.
#[derive(Debug)]
pub(crate) struct Contract<'a> {
    pub(super) session: &'a Session,
    pub(crate) oracles: Oracles<'a>,
    /// Seeds the deciding probes. It never leaves this process.
    secret: String,
}

impl<'a> Contract<'a> {
    pub(crate) fn new(
        session: &'a Session,
        confinement: &'a dyn Confinement,
        secret: String,
    ) -> Result<Self> {
        Ok(Self { session, oracles: Oracles::new(session, confinement)?, secret })
    }

    /// Runs the contract of an upstream over a tree of the port.
    pub(crate) fn ask(&mut self, question: &Question<'_>) -> Result<Evidence> {
        let upstream = self.oracles.at(question.upstream)?;
        let recorded = self.oracles.recorded(question.upstream)?;
        let old_upstream = match &question.before {
            Some(before) => Some(self.oracles.at(before.upstream)?),
            None => None,
        };
        let candidate = self.session.port.checkout(question.tree, &checkouts(self.session))?;
        let candidate_side = self.oracles.port_side(candidate.path())?;
        let old_port = match &question.before {
            Some(before) => Some(self.session.port.checkout(before.tree, &checkouts(self.session))?),
            None => None,
        };
        let old_side =
            old_port.as_ref().map(|checkout| self.oracles.port_side(checkout.path())).transpose()?;
        let sides = Sides {
            upstream: &upstream,
            snapshot: question.upstream,
            recorded: &recorded,
            candidate: &candidate_side,
            old: old_upstream.as_deref().zip(old_side.as_ref()),
            items: &question.items,
            links: &question.links,
            pools: &self.pools(&question.occasion),
            counterexamples_max: COUNTEREXAMPLES_MAX,
        };
        let tracing = |library: &str| self.oracles.tracing(question.upstream, library);
        let report = compared(&self.oracles.tools(), &sides, &tracing)?;
        Ok(Evidence::of(report))
    }

    /// How probes are drawn on an occasion.
    pub(super) fn pools(&self, occasion: &str) -> Pools {
        Pools {
            development_seed: DEVELOPMENT_SEED.to_owned(),
            deciding_seed: ContentHash::of_parts([&self.secret, occasion]).to_string(),
            probes_max: usize::try_from(self.session.settings.probes / 2).unwrap_or(usize::MAX).max(1),
        }
    }
}

/// Both sides, once everything that they take is there.
pub(super) struct Sides<'s> {
    pub(super) upstream: &'s Upstream,
    pub(super) snapshot: &'s Snapshot,
    /// What the upstream's own tests call, by library.
    pub(super) recorded: &'s BTreeMap<String, Recorded>,
    pub(super) candidate: &'s PortSide,
    /// The upstream before, and the port before.
    pub(super) old: Option<(&'s Upstream, &'s PortSide)>,
    pub(super) items: &'s [(ItemPath, SymbolPath)],
    /// All links, for the constructors of methods' values.
    pub(super) links: &'s BTreeMap<ItemPath, SymbolPath>,
    pub(super) pools: &'s Pools,
    /// How many counterexamples of each item are told.
    pub(super) counterexamples_max: usize,
}

/// Asks both sides, library by library.
pub(super) fn compared<'t>(
    tools: &Tools<'_>,
    sides: &Sides<'_>,
    tracing: &dyn Fn(&str) -> Option<Tracing<'t>>,
) -> Result<ContractReport, ContractError> {
    let mut report = ContractReport::default();
    let nothing = Recorded::default();
    for (library, items) in by_library(sides.items) {
        let Some(prepared) = sides.upstream.prepared.get(&library) else {
            report.items.extend(items.iter().map(|item| not_probed(item, NO_LIBRARY)));
            continue;
        };
        let tracing = tracing(&library);
        let request = ContractRequest {
            upstream: prepared,
            snapshot: sides.snapshot,
            candidate: sides.candidate,
            old: sides.old.and_then(|(upstream, port)| old_revision(upstream, &library, port)),
            items: &items,
            links: sides.links,
            harvested: &sides.upstream.harvested,
            recorded: sides.recorded.get(&library).unwrap_or(&nothing),
            pools: sides.pools,
            profile: &Profile::default(),
            counterexamples_max: sides.counterexamples_max,
            tracer: tracing.as_ref().map(|tracing| tracing as &dyn Tracer),
        };
        merge(&mut report, check(tools, &request)?);
    }
    Ok(report)
}

impl Driver<'_> {
    /// Runs the contract of the revision at work over a tree of the port; `with_change` compares the change itself too.
    pub(super) fn ask(
        &mut self,
        current: &Current,
        tree: &TreeId,
        items: Vec<(ItemPath, SymbolPath)>,
        occasion: String,
        with_change: bool,
    ) -> Result<Evidence> {
        let before = Before { tree: &current.head.tree, upstream: &current.baseline };
        self.contract.ask(&Question {
            tree,
            upstream: &current.snapshot,
            before: with_change.then_some(before),
            links: links(current, &items),
            items,
            occasion,
        })
    }
}

/// The links of a revision at work, with those that its units are to have.
pub(super) fn links(current: &Current, items: &[(ItemPath, SymbolPath)]) -> BTreeMap<ItemPath, SymbolPath> {
    let links = current.lock.links.values().map(|link| (link.item.clone(), link.symbol.clone()));
    links.chain(items.iter().cloned()).collect()
}

pub(super) fn by_library(items: &[(ItemPath, SymbolPath)]) -> BTreeMap<String, Vec<ContractItem>> {
    let mut libraries: BTreeMap<String, Vec<ContractItem>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (item, symbol) in items.iter().filter(|(item, _)| seen.insert(item)) {
        let entry = ContractItem { item: item.clone(), symbol: symbol.clone() };
        libraries.entry(item.krate().to_owned()).or_default().push(entry);
    }
    libraries
}

fn old_revision<'b>(upstream: &'b Upstream, library: &str, port: &'b PortSide) -> Option<OldRevision<'b>> {
    match upstream.prepared.get(library) {
        Some(Prepared::Ready(oracle)) => Some(OldRevision { oracle, port }),
        Some(Prepared::SourceBlocked { .. }) | None => None,
    }
}

fn merge(into: &mut ContractReport, report: ContractReport) {
    into.source_blocked = into.source_blocked.take().or(report.source_blocked);
    into.spec.extend(report.spec);
    into.items.extend(report.items);
    into.sequences.extend(report.sequences);
    into.counterexamples.extend(report.counterexamples);
    into.notes.extend(report.notes);
    into.duration_ms += report.duration_ms;
}

fn not_probed(item: &ContractItem, reason: &str) -> ItemEvidence {
    ItemEvidence {
        not_probed: Some(reason.to_owned()),
        ..ItemEvidence::none(item.item.clone(), item.symbol.clone())
    }
}
