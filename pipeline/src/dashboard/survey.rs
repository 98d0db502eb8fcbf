//! How ports stand: their lock beside the upstream and their own code, read as `tidelock status` and `tidelock graph`
//! read them. That takes from a part of a second to minutes, so that it is done beside, and pages show the last reading.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use mappings::status::{Counts as Counted, StatusInput, status};
use mappings::{CallGraph, SymbolPath, SymbolTable};
use reports::board::{Counts, Graph, GraphNode, ModuleCounts, ParkedItem, Standing};
use upstream::process::SystemProcessRunner;

use super::symbols::Symbols;
use super::{Kept, Reading, Shared, commands, locked};
use crate::config::Settings;
use crate::progress::{Listener, Progress};
use crate::session::{Machine, Session};

/// How often it is looked whether anything is to be read.
const TURN: Duration = Duration::from_millis(500);
/// The least time between two readings of a port, in milliseconds.
const GAP_MS: i64 = 5_000;
/// A reading that takes long is not repeated at once: it may take this share of the time.
const SHARE: i64 = 20;
/// Seconds in a day.
const DAY_S: i64 = 24 * 60 * 60;
/// Characters of one foreign text that are kept.
const TEXT_CHARS_MAX: usize = 600;

/// The machine for readings: they tell nobody what they do, and end when the program does.
pub(super) fn quiet(machine: &Machine) -> Machine {
    #[derive(Debug)]
    struct Nobody;
    impl Listener for Nobody {
        fn tell(&self, _progress: Progress) {}
    }
    let stop = Arc::clone(&machine.stop);
    Machine {
        runner: Arc::new(SystemProcessRunner { interrupt: Arc::clone(&machine.interrupt) }),
        interrupt: Arc::clone(&machine.interrupt),
        stop,
        listener: Arc::new(Nobody),
        ..machine.clone()
    }
}

/// Reads what is wanted until its channel is closed.
pub(super) fn read(shared: &Shared, stopped: &Receiver<()>) {
    loop {
        match stopped.recv_timeout(TURN) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
        let Some((name, kept)) = next(shared) else { continue };
        let began_ms = shared.clock().now_ms();
        let read = standing(&kept.settings, &shared.machine);
        let now_ms = shared.clock().now_ms();
        locked(&shared.wanted).remove(&name);
        let before = locked(&kept.standing).clone();
        let reading = match read {
            Ok((standing, symbols)) => Reading {
                standing: Some(Arc::new(Standing { read_ms: now_ms, ..standing })),
                symbols: Arc::new(symbols),
                trouble: String::new(),
                read_ms: now_ms,
                took_ms: now_ms - began_ms,
            },
            // The last reading says more than none, beside why there is no newer one.
            Err(error) => {
                let trouble = cut(&format!("{error:#}"));
                Reading { trouble, read_ms: now_ms, took_ms: now_ms - began_ms, ..before }
            }
        };
        *locked(&kept.standing) = reading;
        shared.live.changed();
    }
}

/// A port that is wanted and was not read just now.
fn next(shared: &Shared) -> Option<(String, Arc<Kept>)> {
    let now_ms = shared.clock().now_ms();
    let wanted = locked(&shared.wanted).clone();
    let is_due = |kept: &Kept| {
        let reading = locked(&kept.standing);
        now_ms - reading.read_ms >= GAP_MS.max(reading.took_ms * SHARE) || reading.read_ms > now_ms
    };
    let mut due: Vec<(i64, String, Arc<Kept>)> = Vec::new();
    for name in wanted {
        match shared.port(&name) {
            Some(kept) if is_due(&kept) => {
                let read_ms = locked(&kept.standing).read_ms;
                due.push((read_ms, name, kept));
            }
            Some(_) => {}
            None => {
                locked(&shared.wanted).remove(&name);
            }
        }
    }
    // Who waited longest comes first.
    due.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    due.into_iter().next().map(|(_, name, kept)| (name, kept))
}

/// Reads how a port stands, and its symbols.
fn standing(settings: &Settings, machine: &Machine) -> anyhow::Result<(Standing, Symbols)> {
    let session = Session::open(settings.clone(), machine.clone())?;
    let head = session.head()?;
    let lock = session.lock(&head.tree)?;
    let revisions = session.revisions()?;
    let baseline = session.revision(lock.baseline.as_str())?;
    let baseline = session.snapshot(&baseline)?;
    let symbols = session.symbols(&head.tree)?;
    let status = status(&StatusInput {
        lock: &lock,
        baseline: &baseline,
        revisions: &revisions,
        mapping: &settings.mapping,
        symbols: &symbols,
    })?;
    let newest = revisions.iter().rfind(|revision| !revision.withdrawn);
    let lag_items = match (status.lag_revisions, newest) {
        (None, _) | (_, None) => None,
        (Some(0), _) => Some(0),
        (Some(_), Some(newest)) => {
            let newest = session.snapshot(newest).ok();
            newest.map(|newest| upstream::diff::compare(&baseline, &newest).items.len() as u64)
        }
    };
    let commands = commands::Commands::of(settings);
    let parked = status.parked.iter().map(|waiting| ParkedItem {
        item: cut(waiting.item.as_str()),
        revision: cut(waiting.revision.as_str()),
        reason: cut(&waiting.reason),
        commands: commands.about(waiting.item.as_str()),
    });
    let graph = CallGraph::of_symbols(&symbols);
    let standing = Standing {
        commit: head.commit.to_string().chars().take(10).collect(),
        read_ms: 0,
        baseline: cut(status.baseline.as_str()),
        newest: status.newest.as_ref().map(|label| cut(label.as_str())).unwrap_or_default(),
        lag_revisions: status.lag_revisions.map(|lag| lag as u64),
        lag_items,
        lag_days: status.lag_s.map(|lag| lag / DAY_S),
        total: counts(status.total),
        modules: status
            .modules
            .iter()
            .map(|(name, of)| ModuleCounts { name: cut(name), counts: counts(*of) })
            .collect(),
        parked: parked.collect(),
        graph: modules(&symbols, &graph),
    };
    Ok((standing, Symbols::of(&symbols, &graph)))
}

fn counts(of: Counted) -> Counts {
    let Counted { proved, tested, mapped_only, unknown, unmapped, drifted, parked, ignored, stale, held } =
        of;
    let number = |number: usize| number as u64;
    Counts {
        proved: number(proved),
        tested: number(tested),
        mapped_only: number(mapped_only),
        unknown: number(unknown),
        unmapped: number(unmapped),
        drifted: number(drifted),
        stale: number(stale),
        parked: number(parked),
        ignored: number(ignored),
        held: number(held),
    }
}

/// The port's graph by file, as `tidelock graph --level module` has it.
fn modules(symbols: &SymbolTable, graph: &CallGraph<SymbolPath>) -> Graph {
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    for symbol in symbols.symbols.values() {
        *numbers.entry(symbol.file.as_str()).or_default() += 1;
    }
    let places: BTreeMap<&str, usize> = numbers.keys().enumerate().map(|(at, file)| (*file, at)).collect();
    let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (path, symbol) in &symbols.symbols {
        for used in graph.callees(path) {
            let used = symbols.get(used).and_then(|used| places.get(used.file.as_str()));
            if let (Some(user), Some(used)) = (places.get(symbol.file.as_str()), used)
                && user != used
            {
                edges.insert((*user, *used));
            }
        }
    }
    let nodes = numbers.iter().map(|(file, symbols)| GraphNode { name: cut(file), symbols: *symbols });
    Graph { nodes: nodes.collect(), edges: edges.into_iter().collect() }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}
