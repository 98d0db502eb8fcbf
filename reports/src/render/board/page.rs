//! What each page shows, put together from what it is given.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::data::{Chrome, Impact, ParkedItem, PortNow, Runs};
use super::digest::{RevisionDigest, RunDigest};
use super::graph::{Lit, picture};
use super::{rendered, spend};
use crate::record::{RevisionRecord, RunOutcome, RunRecord, UnitOutcome};
use crate::render::RenderError;
use crate::render::html::bench::benches;
use crate::render::html::bounds::CODE_OF_UNIT;
use crate::render::html::unit::{CodePlaces, UnitContext, unit};
use crate::render::html::view::{Share, outline, shares, unit_anchor};
use crate::summary::UnitCounts;
use crate::visible;
use crate::words::{self, Sign};

/// Revisions in a timeline.
const TIMELINE_MAX: usize = 24;
/// The last attempts of a run that is under way.
const LATEST_MAX: usize = 6;
/// Rows of a list.
const ROWS_MAX: usize = 200;
/// Revisions to choose from beside the graph.
const CHOICES_MAX: usize = 12;

/// The pages of one port, and which of them this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tab {
    /// The port itself.
    Port,
    /// Its modules.
    Modules,
    /// Its graph.
    Graph,
    /// Its benchmarks.
    Benchmarks,
    /// What models cost.
    Costs,
    /// None of these.
    Other,
}

/// The dashboard at one moment.
#[derive(Debug)]
pub struct Board {
    /// What all pages share.
    pub chrome: Chrome,
}

/// How a port is, in the order in which people should look.
fn sign_of(port: &PortNow) -> (u8, Sign) {
    let sign = |glyph, word: &str, tone| Sign { glyph, word: word.to_owned(), tone };
    let watched = port.watched.as_ref();
    let parked = port.standing.as_ref().map_or(0, |standing| standing.parked.len() as u64);
    let ended = port.last_ended.as_ref().map(|run| run.outcome);
    if !port.journal_trouble.is_empty() {
        return (0, sign("✗", "journal unreadable", "bad"));
    }
    if watched.is_some_and(|watched| watched.failures > 0) {
        let failures = watched.map_or(0, |watched| u64::from(watched.failures));
        return (1, sign("✗", &format!("{} in a row", words::count(failures, "failure")), "bad"));
    }
    if ended == Some(RunOutcome::GateFailed) {
        return (2, sign("✗", "gate failed", "bad"));
    }
    if ended == Some(RunOutcome::Inconclusive) {
        return (3, sign("?", "inconclusive", "warn"));
    }
    if !port.standing_trouble.is_empty() {
        return (4, sign("?", "cannot be read", "warn"));
    }
    if parked > 0 {
        return (5, sign("◐", &format!("{parked} parked"), "warn"));
    }
    match port.standing.as_ref().map(|standing| standing.lag_revisions) {
        None => (8, sign("○", "not read yet", "calm")),
        Some(None) => (4, sign("?", "baseline gone", "warn")),
        Some(Some(0)) => (7, sign("✓", "up to date", "good")),
        Some(Some(lag)) => (6, sign("→", &format!("{lag} behind"), "calm")),
    }
}

#[derive(Serialize)]
struct Card<'a> {
    sign: Sign,
    port: &'a PortNow,
    proof: Option<Vec<Part>>,
    running: Option<Live>,
}

/// One part of a bar of items.
#[derive(Debug, Serialize)]
struct Part {
    weight: u64,
    word: &'static str,
    glyph: &'static str,
    class: &'static str,
}

/// Items by how they are known, which are never added up: in a bar they stand side by side.
fn parts(counts: super::Counts) -> Vec<Part> {
    let all = [
        (counts.proved, "proved", "●", "k-proved"),
        (counts.tested, "tested", "◑", "k-tested"),
        (counts.mapped_only, "mapped only", "○", "k-mapped"),
        (counts.unknown, "unknown", "?", "k-unknown"),
        (counts.unmapped, "unmapped", "–", "k-unmapped"),
    ];
    let all = all.into_iter().filter(|(weight, ..)| *weight > 0);
    all.map(|(weight, word, glyph, class)| Part { weight, word, glyph, class }).collect()
}

/// A run that is under way.
#[derive(Debug, Serialize)]
struct Live {
    run: String,
    began_ms: i64,
    revision: String,
    anchor: String,
    number: usize,
    of: u32,
    mix: Vec<Share>,
    settled: u64,
    units: u64,
    latest: Vec<Latest>,
    at: String,
}

#[derive(Debug, Serialize)]
struct Latest {
    unit: String,
    anchor: String,
    route: String,
    origin: String,
    sign: Sign,
}

fn live(record: &RunRecord) -> Live {
    let last = record.revisions.last();
    let counts = last.map(|revision| UnitCounts::of(&revision.units)).unwrap_or_default();
    let at_revision = record.revisions.len().saturating_sub(1);
    let attempts = last.into_iter().flat_map(|revision| revision.units.iter().enumerate());
    let mut latest: Vec<Latest> = attempts
        .flat_map(|(at, unit)| {
            unit.attempts.iter().map(move |attempt| Latest {
                unit: unit.id.clone(),
                anchor: unit_anchor(at_revision, at),
                route: words::plain(&attempt.route),
                origin: attempt.origin.clone(),
                sign: words::attempt(attempt),
            })
        })
        .collect();
    latest.drain(..latest.len().saturating_sub(LATEST_MAX));
    latest.reverse();
    Live {
        run: record.run.clone(),
        began_ms: record.started_ms,
        revision: last.map(|revision| revision.label.clone()).unwrap_or_default(),
        anchor: format!("r{}", at_revision + 1),
        number: record.revisions.len(),
        of: record.upstream.lag_before,
        mix: shares(&counts),
        settled: counts.total - counts.open,
        units: counts.total,
        latest,
        at: last.map_or_else(|| "planning the first revision".to_owned(), stage),
    }
}

fn stage(revision: &RevisionRecord) -> String {
    let open = revision.units.iter().find(|unit| unit.outcome == UnitOutcome::Open);
    match (open, revision.gates.is_empty(), &revision.landed) {
        (Some(unit), ..) => format!("translating `{}`", visible::line(&unit.id)),
        (None, true, _) => "measuring the whole candidate".to_owned(),
        (None, false, None) => "landing".to_owned(),
        (None, false, Some(_)) => "planning the next revision".to_owned(),
    }
}

/// What waits for a person: an item of the lock, and what the last run says about it.
#[derive(Debug, Serialize)]
struct Parked<'a> {
    item: &'a ParkedItem,
    needs: String,
    run: String,
    unit: Option<String>,
}

fn parked(port: &PortNow) -> Vec<Parked<'_>> {
    let mut told: BTreeMap<&str, (&RunDigest, &super::digest::WaitingDigest)> = BTreeMap::new();
    if let Some(run) = &port.last_ended {
        for waiting in &run.waiting {
            told.extend(waiting.items.iter().map(|item| (item.as_str(), (run, waiting))));
        }
    }
    let items = port.standing.iter().flat_map(|standing| &standing.parked).take(ROWS_MAX);
    items
        .map(|item| match told.get(item.item.as_str()) {
            Some((run, waiting)) => Parked {
                item,
                needs: waiting.needs.clone(),
                run: run.run.clone(),
                unit: waiting.unit.clone(),
            },
            None => Parked { item, needs: String::new(), run: String::new(), unit: None },
        })
        .collect()
}

#[derive(Debug, Serialize)]
struct InTime<'a> {
    run: &'a str,
    revision: &'a RevisionDigest,
    mix: Vec<Share>,
}

/// The newest look at each revision, newest first.
fn timeline<'a>(runs: impl IntoIterator<Item = &'a RunDigest>) -> Vec<InTime<'a>> {
    let mut seen = std::collections::BTreeSet::new();
    let all =
        runs.into_iter().flat_map(|run| run.revisions.iter().rev().map(move |revision| (run, revision)));
    let mut all = all.filter(|(_, revision)| seen.insert(revision.label.as_str()));
    let view = |(run, revision): (&'a RunDigest, &'a RevisionDigest)| InTime {
        run: &run.run,
        revision,
        mix: shares(&revision.units),
    };
    all.by_ref().take(TIMELINE_MAX).map(view).collect()
}

impl Board {
    /// All ports, those that need somebody first. `running` are the runs that are under way, by port.
    pub fn overview(
        &self,
        ports: &[PortNow],
        running: &BTreeMap<String, RunRecord>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: Option<&'a PortNow>,
            tab: Tab,
            title: String,
            cards: Vec<Card<'a>>,
            attention: u64,
            behind: u64,
            parked: usize,
        }
        let mut cards: Vec<(u8, Card<'_>)> = ports
            .iter()
            .map(|port| {
                let (rank, sign) = sign_of(port);
                let proof = port.standing.as_ref().map(|standing| parts(standing.total));
                (rank, Card { sign, port, proof, running: running.get(&port.name).map(live) })
            })
            .collect();
        cards.sort_by(|(rank, one), (other_rank, other)| {
            rank.cmp(other_rank).then_with(|| one.port.name.cmp(&other.port.name))
        });
        let standings = || ports.iter().filter_map(|port| port.standing.as_ref());
        let page = Page {
            chrome: &self.chrome,
            port: None,
            tab: Tab::Other,
            title: "Ports".to_owned(),
            attention: cards.iter().filter(|(rank, _)| *rank <= 5).count() as u64,
            behind: standings().filter(|standing| standing.lag_revisions != Some(0)).count() as u64,
            parked: standings().map(|standing| standing.parked.len()).sum(),
            cards: cards.into_iter().map(|(_, card)| card).collect(),
        };
        rendered("overview.html", page)
    }

    /// One port. `history` are its runs, newest first, for the timeline; `running` the run that is under way.
    pub fn port<'a>(
        &self,
        port: &PortNow,
        runs: &Runs,
        history: impl IntoIterator<Item = &'a RunDigest>,
        running: Option<&RunRecord>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: &'a PortNow,
            tab: Tab,
            title: String,
            state: Sign,
            runs: &'a Runs,
            running: Option<Live>,
            timeline: Vec<InTime<'a>>,
            parked: Vec<Parked<'a>>,
            parked_more: usize,
            waiting: Vec<&'a super::digest::WaitingDigest>,
            proof: Vec<Part>,
        }
        let total = port.standing.as_ref().map(|standing| standing.parked.len()).unwrap_or_default();
        let parked = parked(port);
        let history: Vec<&RunDigest> = history.into_iter().collect();
        let page = Page {
            chrome: &self.chrome,
            port,
            tab: Tab::Port,
            title: visible::line(&port.name),
            state: sign_of(port).1,
            runs,
            running: running.map(live),
            timeline: timeline(history.iter().copied()),
            parked_more: total - parked.len(),
            // What is parked stands in the lock already: of the last run only what its gates said is new.
            waiting: port
                .last_ended
                .iter()
                .flat_map(|run| &run.waiting)
                .filter(|waiting| waiting.unit.is_none())
                .take(ROWS_MAX)
                .collect(),
            parked,
            proof: port.standing.as_ref().map(|standing| parts(standing.total)).unwrap_or_default(),
        };
        rendered("port.html", page)
    }

    /// One run.
    pub fn run(&self, port: &PortNow, record: &RunRecord) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: &'a PortNow,
            tab: Tab,
            title: String,
            run: Value,
            name: &'a str,
            began_ms: i64,
            live: Option<Live>,
        }
        let page = Page {
            chrome: &self.chrome,
            port,
            tab: Tab::Other,
            title: format!("Run {}", visible::line(&record.run)),
            run: Value::from(Serde(outline(record))),
            name: &record.run,
            began_ms: record.started_ms,
            live: record.finished_ms.is_none().then(|| live(record)),
        };
        rendered("run.html", page)
    }

    /// One unit of a run by its anchor, such as `r2-u1`; `None` where the run has none of that name.
    pub fn unit(
        &self,
        port: &PortNow,
        record: &RunRecord,
        anchor: &str,
    ) -> Result<Option<String>, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: &'a PortNow,
            tab: Tab,
            title: String,
            name: &'a str,
            u: Value,
            r: RevisionHead,
            before: Option<String>,
            after: Option<String>,
            is_open: bool,
        }
        #[derive(Serialize)]
        struct RevisionHead {
            anchor: String,
            label: String,
            sign: Sign,
            commit: String,
        }
        let Some((at, unit_at)) = places(anchor) else { return Ok(None) };
        let Some(revision) = record.revisions.get(at) else { return Ok(None) };
        let Some(of) = revision.units.get(unit_at) else { return Ok(None) };
        let context = UnitContext {
            share: CODE_OF_UNIT,
            places: CodePlaces {
                upstream: words::short(&revision.commit),
                port: revision.landed.as_ref().map(|landed| words::short(&landed.commit)).unwrap_or_default(),
            },
            few_units: true,
        };
        let neighbour =
            |to: Option<usize>| to.filter(|to| *to < revision.units.len()).map(|to| unit_anchor(at, to));
        let page = Page {
            chrome: &self.chrome,
            port,
            tab: Tab::Other,
            title: format!("Unit {}", visible::line(&of.id)),
            name: &record.run,
            u: Value::from(Serde(unit(of, anchor.to_owned(), &context))),
            r: RevisionHead {
                anchor: format!("r{}", at + 1),
                label: revision.label.clone(),
                sign: words::revision(revision),
                commit: words::short(&revision.commit),
            },
            before: neighbour(unit_at.checked_sub(1)),
            after: neighbour(Some(unit_at + 1)),
            is_open: of.outcome == UnitOutcome::Open,
        };
        rendered("unit.html", page).map(Some)
    }

    /// The modules of a port, by how their items are known.
    pub fn modules(&self, port: &PortNow) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: &'a PortNow,
            tab: Tab,
            title: String,
            modules: Vec<Module<'a>>,
            total: Vec<Part>,
        }
        #[derive(Serialize)]
        struct Module<'a> {
            name: &'a str,
            counts: super::Counts,
            parts: Vec<Part>,
            items: u64,
            /// The weakest thing that is known of it, as a colour and a word.
            state: &'static str,
            word: &'static str,
        }
        let standing = port.standing.as_ref();
        let mut modules: Vec<Module<'_>> = standing
            .into_iter()
            .flat_map(|standing| &standing.modules)
            .map(|module| {
                let parts = parts(module.counts);
                let (state, word) = state_of(module.counts);
                let items = parts.iter().map(|part| part.weight).sum();
                Module { name: &module.name, counts: module.counts, parts, items, state, word }
            })
            .collect();
        modules.sort_by(|one, other| other.items.cmp(&one.items).then_with(|| one.name.cmp(other.name)));
        let page = Page {
            chrome: &self.chrome,
            port,
            tab: Tab::Modules,
            title: format!("Modules of {}", visible::line(&port.name)),
            modules,
            total: standing.map(|standing| parts(standing.total)).unwrap_or_default(),
        };
        rendered("modules.html", page)
    }

    /// The dependency graph of a port, with what one revision touched. `choices` are the revisions to choose from.
    pub fn graph(
        &self,
        port: &PortNow,
        choices: &[String],
        impact: Option<&Impact>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: &'a PortNow,
            tab: Tab,
            title: String,
            choices: Vec<&'a String>,
            impact: Option<&'a Impact>,
            picture: Option<Value>,
            rows: Vec<Row<'a>>,
            rows_more: usize,
        }
        #[derive(Serialize)]
        struct Row<'a> {
            name: &'a str,
            symbols: u64,
            lit: &'static str,
            uses: Vec<&'a str>,
            used_by: Vec<&'a str>,
        }
        let empty = super::ModuleGraph::default();
        let graph = port.standing.as_ref().map_or(&empty, |standing| &standing.graph);
        let name = |at: &usize| graph.nodes.get(*at).map(|node| node.name.as_str());
        let rows = graph.nodes.iter().enumerate().take(ROWS_MAX).map(|(at, node)| Row {
            name: &node.name,
            symbols: node.symbols,
            lit: Lit::of(&node.name, impact).word(),
            uses: graph.edges.iter().filter(|edge| edge.0 == at).filter_map(|edge| name(&edge.1)).collect(),
            used_by: graph
                .edges
                .iter()
                .filter(|edge| edge.1 == at)
                .filter_map(|edge| name(&edge.0))
                .collect(),
        });
        let page = Page {
            chrome: &self.chrome,
            port,
            tab: Tab::Graph,
            title: format!("Graph of {}", visible::line(&port.name)),
            choices: choices.iter().take(CHOICES_MAX).collect(),
            impact,
            picture: picture(graph, impact).map(|picture| Value::from(Serde(picture))),
            rows: rows.collect(),
            rows_more: graph.nodes.len().saturating_sub(ROWS_MAX),
        };
        rendered("graph.html", page)
    }

    /// The benchmarks of the newest run that has any.
    pub fn benchmarks(&self, port: &PortNow, record: Option<&RunRecord>) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: &'a PortNow,
            tab: Tab,
            title: String,
            name: Option<&'a str>,
            began_ms: i64,
            gates: Vec<Gate>,
        }
        #[derive(Serialize)]
        struct Gate {
            revision: String,
            anchor: String,
            sign: Sign,
            reason: String,
            benches: Value,
        }
        let revisions = record.into_iter().flat_map(|record| record.revisions.iter().enumerate());
        let gates = revisions.flat_map(|(at, revision)| {
            let with = revision.gates.iter().filter(|gate| !gate.benches.is_empty());
            with.map(move |gate| Gate {
                revision: revision.label.clone(),
                anchor: format!("r{}", at + 1),
                sign: words::verdict(gate.verdict),
                reason: gate.reason.clone(),
                benches: Value::from(Serde(benches(&gate.benches))),
            })
        });
        let page = Page {
            chrome: &self.chrome,
            port,
            tab: Tab::Benchmarks,
            title: format!("Benchmarks of {}", visible::line(&port.name)),
            name: record.map(|record| record.run.as_str()),
            began_ms: record.map_or(0, |record| record.started_ms),
            gates: gates.collect(),
        };
        rendered("benches.html", page)
    }

    /// What models cost, over these runs.
    pub fn costs<'a>(
        &self,
        port: &PortNow,
        runs: impl IntoIterator<Item = &'a RunDigest>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: &'a PortNow,
            tab: Tab,
            title: String,
            costs: Value,
        }
        let page = Page {
            chrome: &self.chrome,
            port,
            tab: Tab::Costs,
            title: format!("Costs of {}", visible::line(&port.name)),
            costs: Value::from(Serde(spend::costs(runs))),
        };
        rendered("costs.html", page)
    }

    /// A page that only says something, such as that there is no such run.
    pub fn message(&self, port: Option<&PortNow>, title: &str, text: &str) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Page<'a> {
            chrome: &'a Chrome,
            port: Option<&'a PortNow>,
            tab: Tab,
            title: &'a str,
            text: &'a str,
        }
        rendered("message.html", Page { chrome: &self.chrome, port, tab: Tab::Other, title, text })
    }
}

/// `r2-u1` as places from 0.
fn places(anchor: &str) -> Option<(usize, usize)> {
    let (revision, unit) = anchor.strip_prefix('r')?.split_once("-u")?;
    let (at, unit_at) = (revision.parse::<usize>().ok()?, unit.parse::<usize>().ok()?);
    let places = (at.checked_sub(1)?, unit_at.checked_sub(1)?);
    // One address for one unit: `r02-u1` is none.
    (unit_anchor(places.0, places.1) == anchor).then_some(places)
}

/// What colours a module: what is wrong with it first, then the weakest thing that is known.
fn state_of(counts: super::Counts) -> (&'static str, &'static str) {
    let all = [
        (counts.drifted, "k-drifted", "drifted"),
        (counts.stale, "k-stale", "stale"),
        (counts.unknown, "k-unknown", "unknown"),
        (counts.unmapped, "k-unmapped", "unmapped"),
        (counts.mapped_only, "k-mapped", "mapped only"),
        (counts.tested, "k-tested", "tested"),
        (counts.proved, "k-proved", "proved"),
    ];
    let first = all.into_iter().find(|(number, ..)| *number > 0);
    first.map_or(("k-none", "left alone"), |(_, state, word)| (state, word))
}
