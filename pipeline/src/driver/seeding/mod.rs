//! How good the contract is: wrong translations and rewrites that mean the same are put into a port that is
//! known to be right, and its contract is asked about each.
//!
//! Main type: [`Experiment`]. What the contract accepts is searched for a difference by far more calls of another
//! kind, so that what is wrong and what only looks different are told apart. Nothing lands, and the port's own
//! folder is never written to.

mod rates;
mod trials;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use mappings::graph::CallGraph;
use mappings::{Symbol, SymbolKind, SymbolPath, SymbolTable};
use port::confinement::Confinement;
use port::contract::{
    ContractError, ContractItem, ContractReport, ContractRequest, Found, Pools, PortSide, Prepared, Profile,
    Recorded, SearchRequest, check, search,
};
use port::language::Language as _;
use port::language::python::seed::poisoned;
use port::repo::{BranchHead, Checkout};
use reports::count;
use serde::Serialize;
use upstream::{ItemPath, Snapshot};

use super::check::DEVELOPMENT_SEED;
use super::checkouts;
use super::oracle::{Oracles, Upstream};
use crate::gate::Evidence;
use crate::progress::Progress;
use crate::session::Session;
pub use rates::Interval;
pub(crate) use rates::{OperatorRates, Rates};
use trials::{Seed, seeds};

/// How many commits of the port are looked through for earlier versions of its symbols.
const HISTORY_MAX: usize = 100;
/// The longest one probe may take here, in milliseconds: wrong translations hang more often than candidates do.
const PROBE_TIMEOUT_MS: u64 = 3_000;

/// How much is tried.
#[derive(Debug, Clone)]
pub(crate) struct Extent {
    /// How many wrong translations.
    pub(crate) wrong: usize,
    /// How many rewrites.
    pub(crate) rewrites: usize,
    /// How many calls of each way to call an item the search makes for what was accepted.
    pub(crate) calls: usize,
    /// Seeds the probes and the choice.
    pub(crate) seed: String,
    /// Only these symbols; all where empty.
    pub(crate) symbols: Vec<String>,
}

/// What the contract said of a seeded change, and what the search said behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Refused.
    Refused,
    /// Accepted, and the search found a call on which it is wrong.
    Accepted,
    /// Accepted, and differs only in what the relation does not hold against a port.
    Tolerated,
    /// Accepted, and the search found nothing: it may mean the same.
    Alike,
    /// The contract could not tell.
    Inconclusive,
}

/// One seeded change.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Trial {
    /// The symbol.
    pub(crate) symbol: String,
    /// How it was changed.
    pub(crate) operator: &'static str,
    /// What that gets wrong; none for a rewrite.
    pub(crate) row: Option<&'static str>,
    /// The file and line of the change.
    pub(crate) place: String,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// Why: how many probes differ, the call that the search found, how many calls it made.
    pub(crate) reason: String,
    /// The change, line by line.
    pub(crate) diff: String,
}

/// How far probes reach into an item.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Covered {
    /// The item.
    pub(crate) item: String,
    /// Probes on which both sides agree.
    pub(crate) probes: u32,
    /// Blocks of its code that they run through.
    pub(crate) blocks_reached: u32,
    /// All blocks of its code.
    pub(crate) blocks_total: u32,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    /// The upstream's revision.
    pub(crate) baseline: String,
    /// What was tried.
    pub(crate) trials: Vec<Trial>,
    /// How far probes reach.
    pub(crate) coverage: Vec<Covered>,
    /// Symbols that nothing was tried on, and why.
    pub(crate) left_out: BTreeMap<String, String>,
}

/// A port that is known to be right, ready to be broken.
pub(crate) struct Experiment<'a> {
    session: &'a Session,
    oracles: Oracles<'a>,
    upstream: Arc<Upstream>,
    /// What the upstream's tests call, by library.
    recorded: Arc<BTreeMap<String, Recorded>>,
    snapshot: &'a Snapshot,
    head: BranchHead,
    table: Arc<SymbolTable>,
    graph: CallGraph<SymbolPath>,
    links: BTreeMap<ItemPath, SymbolPath>,
    original: Checkout,
    changed: Checkout,
    pools: Pools,
}

impl<'a> Experiment<'a> {
    pub(crate) fn new(
        session: &'a Session,
        confinement: &'a dyn Confinement,
        snapshot: &'a Snapshot,
        extent: &Extent,
    ) -> Result<Self> {
        let head = session.head()?;
        let lock = session.lock(&head.tree)?;
        let linked = lock.links.values().filter(|link| !lock.is_behind(&link.item));
        let there = |item: &ItemPath| snapshot.items.get(item).is_some_and(|item| !item.is_test);
        let links = linked.filter(|link| there(&link.item));
        let links = links.map(|link| (link.item.clone(), link.symbol.clone())).collect();
        let mut oracles = Oracles::new(session, confinement)?;
        let upstream = oracles.at(snapshot)?;
        let recorded = oracles.recorded(snapshot)?;
        let table = session.symbols(&head.tree)?;
        let checkout = || session.port.checkout(&head.tree, &checkouts(session));
        Ok(Self {
            session,
            oracles,
            upstream,
            recorded,
            snapshot,
            graph: CallGraph::of_symbols(&table),
            table,
            links,
            original: checkout()?,
            changed: checkout()?,
            head: head.clone(),
            pools: Pools {
                development_seed: DEVELOPMENT_SEED.to_owned(),
                deciding_seed: extent.seed.clone(),
                probes_max: usize::try_from(session.settings.probes / 2).unwrap_or(usize::MAX).max(1),
            },
        })
    }

    /// Tries as much as is asked for.
    pub(crate) fn run(&self, extent: &Extent) -> Result<Measured> {
        let mut coverage = Vec::new();
        for (item, symbol) in &self.links {
            let evidence = self.compared(&self.original, &[(item.clone(), symbol.clone())])?;
            if evidence.disagrees() || evidence.report.source_blocked.is_some() {
                let told = evidence.may_be_told().join("; ");
                bail!(
                    "the port is not known to be right, so nothing can be measured with it: `{symbol}`: {told}"
                );
            }
            let rows = evidence.report.items.into_iter().filter(|row| row.agreed > 0);
            coverage.extend(rows.map(|row| Covered {
                item: row.item.to_string(),
                probes: row.agreed,
                blocks_reached: row.blocks_reached,
                blocks_total: row.blocks_total,
            }));
        }
        let probed: BTreeSet<&str> = coverage.iter().map(|row| row.item.as_str()).collect();
        let mut left_out = BTreeMap::new();
        let mut targets = Vec::new();
        for symbol in self.table.symbols.values().filter(|symbol| is_code(symbol)) {
            let is_named = |named: &String| symbol.path.as_str() == named || symbol.path.name() == named;
            if !extent.symbols.is_empty() && !extent.symbols.iter().any(is_named) {
                continue;
            }
            let users = self.users(&symbol.path);
            let users: Vec<_> =
                users.into_iter().filter(|(item, _)| probed.contains(item.as_str())).collect();
            if users.is_empty() || !self.is_reached(symbol, &users)? {
                left_out.insert(symbol.path.to_string(), "no probe runs through it".to_owned());
            } else {
                targets.push((symbol, users));
            }
        }
        if targets.is_empty() {
            bail!("there is nothing to break: no probe runs through any of the symbols that were asked for");
        }
        let chosen = seeds(self, &targets, extent)?;
        let of = chosen.len();
        let mut trials = Vec::new();
        for (number, seed) in chosen.into_iter().enumerate() {
            let what = format!("{} of {of}: {} in {}", number + 1, seed.operator, seed.symbol.path);
            self.session.machine.listener.tell(Progress::Step { what });
            trials.push(self.trial(&seed, extent)?);
        }
        Ok(Measured { baseline: self.snapshot.revision.label.to_string(), trials, coverage, left_out })
    }

    /// Whether any probe runs through a function: names alone do not tell, as `" ".join` is no call of a `join`.
    fn is_reached(&self, symbol: &Symbol, users: &[(ItemPath, SymbolPath)]) -> Result<bool> {
        let Some(text) = self.session.port_text(&self.head.tree, &symbol.file) else { return Ok(false) };
        let symbols = self.session.language.symbols(&symbol.file, &text);
        let Some(located) = symbols.get(&symbol.path) else { return Ok(false) };
        let Some(poisoned) = poisoned(&text, &located.span) else {
            return Ok(symbol.kind == SymbolKind::Constant);
        };
        let path = self.changed.path().join(&symbol.file);
        write(&path, &poisoned)?;
        let evidence = self.compared(&self.changed, users);
        write(&path, &text)?;
        Ok(evidence?.disagrees())
    }

    /// The linked items whose symbols run through this one, the nearest first.
    fn users(&self, symbol: &SymbolPath) -> Vec<(ItemPath, SymbolPath)> {
        let mut ahead = std::collections::VecDeque::from([symbol]);
        let mut seen = BTreeSet::from([symbol]);
        let mut found = Vec::new();
        while let Some(at) = ahead.pop_front() {
            let linked = self.links.iter().filter(|(_, linked)| *linked == at);
            found.extend(linked.map(|(item, symbol)| (item.clone(), symbol.clone())));
            ahead.extend(self.graph.callers(at).into_iter().filter(|caller| seen.insert(caller)));
        }
        found
    }

    fn compared(&self, checkout: &Checkout, users: &[(ItemPath, SymbolPath)]) -> Result<Evidence> {
        let items: Vec<_> = users
            .iter()
            .map(|(item, symbol)| ContractItem { item: item.clone(), symbol: symbol.clone() })
            .collect();
        let side = self.oracles.port_side(checkout.path())?;
        let Some(request) = self.request(&items, &side) else {
            return Ok(Evidence::of(ContractReport::default()));
        };
        Ok(Evidence::of(check(&self.tools(), &request)?))
    }

    fn tools(&self) -> port::contract::Tools<'a> {
        port::contract::Tools { probe_timeout_ms: PROBE_TIMEOUT_MS, ..self.oracles.tools() }
    }

    fn request<'r>(&'r self, items: &'r [ContractItem], side: &'r PortSide) -> Option<ContractRequest<'r>> {
        static PROFILE: std::sync::LazyLock<Profile> = std::sync::LazyLock::new(Profile::default);
        static NOTHING: Recorded = Recorded { calls: BTreeMap::new(), notes: Vec::new() };
        let library = items.first().map(|item| item.item.krate())?;
        let upstream: &Prepared = self.upstream.prepared.get(library)?;
        Some(ContractRequest {
            upstream,
            snapshot: self.snapshot,
            candidate: side,
            old: None,
            items,
            links: &self.links,
            harvested: &self.upstream.harvested,
            recorded: self.recorded.get(library).unwrap_or(&NOTHING),
            pools: &self.pools,
            profile: &PROFILE,
            counterexamples_max: 0,
            tracer: None,
        })
    }

    /// Puts a change into the copy of the port, asks, and takes it out again.
    fn trial(&self, seed: &Seed<'_>, extent: &Extent) -> Result<Trial> {
        let path = self.changed.path().join(&seed.symbol.file);
        write(&path, &seed.text)?;
        let judged = self.judged(seed, extent);
        write(&path, &seed.before)?;
        let (outcome, reason) = match judged {
            Ok(judged) => judged,
            // One change that cannot be asked about says nothing of the others.
            Err(error) => match error.downcast_ref::<ContractError>() {
                Some(failed @ ContractError::Driver { .. }) => (Outcome::Inconclusive, failed.to_string()),
                Some(_) | None => return Err(error),
            },
        };
        Ok(Trial {
            symbol: seed.symbol.path.to_string(),
            operator: seed.operator,
            row: seed.row.map(port::language::python::seed::Row::name),
            place: format!("{}:{}", seed.symbol.file, seed.line),
            outcome,
            reason,
            diff: trials::diff(&seed.before, &seed.text),
        })
    }

    fn judged(&self, seed: &Seed<'_>, extent: &Extent) -> Result<(Outcome, String)> {
        let mut doubt = None;
        // One user that differs refuses the whole candidate, and the nearest does so most often.
        let (nearest, others) = seed.users.split_at(1.min(seed.users.len()));
        for users in [nearest, others].into_iter().filter(|users| !users.is_empty()) {
            let evidence = self.compared(&self.changed, users)?;
            if evidence.disagrees() {
                let findings = evidence.findings();
                let first = findings.first().map(|finding| finding.text.clone()).unwrap_or_default();
                return Ok((Outcome::Refused, first));
            }
            if evidence.blocked() > 0 || evidence.agreed() == 0 {
                doubt.get_or_insert_with(|| {
                    format!("{} had no answer", count(evidence.blocked().into(), "probe"))
                });
            }
        }
        if let Some(reason) = doubt {
            return Ok((Outcome::Inconclusive, reason));
        }
        if seed.row.is_none() {
            return Ok((Outcome::Alike, String::new()));
        }
        self.searched(seed, extent)
    }

    /// Whether what was accepted is wrong after all.
    fn searched(&self, seed: &Seed<'_>, extent: &Extent) -> Result<(Outcome, String)> {
        let (original, changed) =
            (self.oracles.port_side(self.original.path())?, self.oracles.port_side(self.changed.path())?);
        let mut calls_made = 0;
        let mut tolerated = None;
        for (item, symbol) in seed.users {
            let items = [ContractItem { item: item.clone(), symbol: symbol.clone() }];
            let Some(contract) = self.request(&items, &changed) else { continue };
            let request = SearchRequest {
                contract: &contract,
                original: &original,
                code: &[&seed.symbol.text],
                seed: &extent.seed,
                calls_max: extent.calls,
            };
            match search(&self.tools(), &request)? {
                Found::Wrong { call, upstream, port } => {
                    let reason = format!("{call}: Rust gives {upstream}, the port {port}");
                    return Ok((Outcome::Accepted, reason));
                }
                Found::Tolerated { call, original, port } => {
                    tolerated.get_or_insert_with(|| format!("{call}: {original} before, {port} now"));
                }
                Found::Alike { calls } => calls_made += calls,
            }
        }
        Ok(match tolerated {
            Some(reason) => (Outcome::Tolerated, reason),
            None => (Outcome::Alike, format!("{calls_made} further calls do not tell it apart")),
        })
    }
}

/// Functions and methods of the port itself.
fn is_code(symbol: &Symbol) -> bool {
    !symbol.is_test && matches!(symbol.kind, SymbolKind::Function | SymbolKind::Method | SymbolKind::Constant)
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
