//! What the pages are given, in plain values. Texts are foreign: pages make them visible and escape them.

use serde::Serialize;

use super::digest::RunDigest;
use crate::record::{CounterexampleRecord, UnitRecord};

/// What all pages of one moment share.
#[derive(Debug, Clone, Serialize)]
pub struct Chrome {
    /// The version of Tidelock.
    pub version: String,
    /// The time, in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// Raised whenever anything changed that a page shows.
    pub change: u64,
    /// Whether a daemon answers, and not a reader of what runs left.
    pub daemon: bool,
    /// Whether a token is set with which people sign in and act.
    pub may_sign_in: bool,
    /// What forms of this page carry; empty for who is not signed in.
    pub csrf: String,
}

/// A port as it stands.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PortNow {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: String,
    /// The upstream as configured.
    pub source: String,
    /// Its language.
    pub language: String,
    /// What the daemon does with it; `None` where none does.
    pub watched: Option<Watched>,
    /// How it stands at its newest commit; `None` where that was not read yet, or cannot be.
    pub standing: Option<Standing>,
    /// Why `standing` cannot be read.
    pub standing_trouble: String,
    /// Why its journal cannot be read.
    pub journal_trouble: String,
    /// Runs that the journal holds.
    pub runs_total: usize,
    /// Of these, the runs that were read.
    pub runs_read: usize,
    /// The newest run.
    pub last: Option<RunDigest>,
    /// The newest run that ended; the same as `last` as a rule.
    pub last_ended: Option<RunDigest>,
}

/// What a daemon does with a port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// `waiting`, `waiting for a look`, `looking`, `waiting for a sync`, `syncing`.
    pub phase: String,
    /// Its place in the queue that it waits in, from 1.
    pub place: Option<usize>,
    /// What its sync is at, in words.
    pub step: String,
    /// When it is looked at next, in milliseconds since the Unix epoch.
    pub next_ms: Option<i64>,
    /// When its upstream last answered.
    pub answered_ms: Option<i64>,
    /// Failures in a row.
    pub failures: u32,
    /// The last of them.
    pub trouble: String,
}

/// How a port stands at its newest commit.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Standing {
    /// The commit.
    pub commit: String,
    /// When it was read, in milliseconds since the Unix epoch.
    pub read_ms: i64,
    /// The revision that it equals.
    pub baseline: String,
    /// The newest revision.
    pub newest: String,
    /// Revisions behind; `None` where the upstream no longer has the baseline.
    pub lag_revisions: Option<u64>,
    /// Items that differ between the baseline and the newest revision, where both can be read.
    pub lag_items: Option<u64>,
    /// Days from the baseline to the newest revision, where both are known.
    pub lag_days: Option<i64>,
    /// All items by state.
    pub total: Counts,
    /// The same by module of the upstream.
    pub modules: Vec<ModuleCounts>,
    /// What waits for a person, by item.
    pub parked: Vec<ParkedItem>,
    /// The port's modules and who uses whom.
    pub graph: Graph,
}

/// How many items are in which state. The first five and `ignored` count every item once; the others count some
/// again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Compared on probes, and they agreed.
    pub proved: u64,
    /// Reached by tests or by probes of callers only.
    pub tested: u64,
    /// Linked, and not checked.
    pub mapped_only: u64,
    /// Linked, and nothing is known.
    pub unknown: u64,
    /// Without a symbol, and nothing excuses that.
    pub unmapped: u64,
    /// Of the linked ones, those whose symbol was edited by hand or is gone.
    pub drifted: u64,
    /// Of the linked ones, those that the baseline has in another state.
    pub stale: u64,
    /// Those that wait for a person.
    pub parked: u64,
    /// Those that a rule leaves alone.
    pub ignored: u64,
    /// Those that were passed over.
    pub held: u64,
}

/// The items of one module.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ModuleCounts {
    /// The module.
    pub name: String,
    /// Its items by state.
    pub counts: Counts,
}

/// One item that waits for a person.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ParkedItem {
    /// The item.
    pub item: String,
    /// Since which revision.
    pub revision: String,
    /// Why.
    pub reason: String,
    /// What a person may do about it.
    pub commands: Vec<Command>,
}

/// The modules of a port, or some of its symbols, and who uses whom.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Graph {
    /// The modules by file, or the symbols.
    pub nodes: Vec<GraphNode>,
    /// From user to used, by place in `nodes`.
    pub edges: Vec<(usize, usize)>,
}

/// One module, or one symbol.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GraphNode {
    /// Its file, or the symbol.
    pub name: String,
    /// How many symbols it has.
    pub symbols: u64,
}

/// What a revision touched, in modules or in symbols.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Impact {
    /// The revision.
    pub label: String,
    /// The run that followed it.
    pub run: String,
    /// What its units changed or looked at first.
    pub changed: Vec<String>,
    /// What was checked as well, because it uses those.
    pub reached: Vec<String>,
}

/// The symbols that a revision or one of its units reached, and those beside them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Around {
    /// The symbols that were reached.
    pub impact: Impact,
    /// What was touched: its item and its unit.
    pub members: Vec<AroundMember>,
    /// These symbols, and what uses or is used by the touched ones, as the port stands now.
    pub graph: Graph,
    /// Symbols that were reached and that the port does not have now.
    pub gone: Vec<String>,
    /// Symbols that belong here and are beyond a bound.
    pub left_out: usize,
    /// Whether the port was read, so that it is known who uses whom.
    pub is_read: bool,
}

/// A symbol that a unit touched.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AroundMember {
    /// The symbol.
    pub symbol: String,
    /// Its item.
    pub item: String,
    /// The unit's name.
    pub unit: String,
    /// The unit's page, such as `r2-u1`.
    pub anchor: String,
}

/// The runs of a port, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Runs {
    /// Those of this page.
    pub rows: Vec<RunDigest>,
    /// The page, from 1.
    pub page: usize,
    /// All pages.
    pub pages: usize,
    /// What was just asked for from here: `look`, `retry` or nothing.
    pub asked: &'static str,
}

/// A command that acts on what waits, ready to be copied.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Command {
    /// What it does.
    pub what: &'static str,
    /// The command, as a shell reads it.
    pub text: String,
}

/// What a person may run by hand, in a shell: pages show it to be copied, and run nothing.
pub trait ByHand: std::fmt::Debug {
    /// Shows what the port gives for a counterexample; `None` where it cannot be written as a command.
    fn counterexample(&self, example: &CounterexampleRecord) -> Option<String>;
    /// Asks both sides about a unit again.
    fn unit(&self, unit: &UnitRecord) -> Vec<Command>;
}
