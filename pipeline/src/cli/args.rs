//! The command line as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::backtest::args::Backtest;
use super::bootstrap::args::{self as bootstrap, Bootstrap};
use super::contract::args::Contract;
use super::dashboard::Dashboard;
use super::decide_args::{self, Decide, Pin};
use super::exit_code;
use super::gate::Gate;
pub(super) use super::listing_args::{Diff, Items, Only};
use super::watch::Watch;

/// Keeps a Python port locked to a Rust upstream that keeps moving.
#[derive(Debug, Parser)]
#[command(name = "tidelock", version, max_term_width = 100, after_help = exit_code::help())]
pub(super) struct Cli {
    /// Where the port is: a folder with a `tidelock.toml`, or below one.
    #[arg(long, short = 'C', global = true, value_name = "FOLDER")]
    pub(super) directory: Option<PathBuf>,

    /// What standard output holds.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    /// How the log on standard error is written: see `TIDELOCK_LOG` for what is in it.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,

    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What standard output holds. Everything else goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON document, for programs.
    Json,
    /// One JSON document a line, as each is ready; the same as `json` where a command prints only one.
    Jsonl,
}

impl Format {
    /// Whether programs read it.
    pub(super) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented `tidelock.toml`, and the first `tidelock.lock` with `--adopt`.
    #[command(after_help = "Example, for a port of the crate `strsim` that equals its release 0.10.0:
  tidelock init --registry strsim
  tidelock init --adopt 0.10.0
  git add tidelock.toml tidelock.lock && git commit -m \"Lock the port to strsim 0.10.0\"

For a repository whose tags `v1.0`, `v1.1`, … are the revisions:
  tidelock init --git https://example.com/parser.git --tags 'v*' --package parser")]
    Init(Init),
    /// Begin a port: a package, then everything of the upstream, portion by portion, each proved before it lands.
    #[command(after_help = bootstrap::HELP)]
    Bootstrap(Bootstrap),
    /// Say how far the port is behind, and how well it is known to equal its baseline.
    #[command(after_help = "Example, for a monitor that rings when the port is more than 3 revisions behind:
  tidelock status --lag-max 3 || echo \"exit code 7: too far behind\"

Example, to sync only when there is something new, at the cost of a `git ls-remote`:
  tidelock status --poll && tidelock sync

With `--poll` it ends with 0 when there is something new, and with 3 when there is nothing.")]
    Status(Status),
    /// Say what a sync would do and about what it would cost, without doing it.
    #[command(after_help = "Example, to see what the release 1.2.0 would touch:
  tidelock plan --to 1.2.0")]
    Plan(Plan),
    /// Follow the upstream, once: translate, prove, land.
    #[command(after_help = "Examples:
  tidelock sync                        up to the newest revision, with the configured translators
  tidelock sync --to 1.2.0 --dry-run   try it, and land nothing
  tidelock sync --translator \"command:my-agent --headless\"

It ends with 0 when all of it is in the port, with 3 when there was nothing to do, and
with 5 when a part waits for a person. Where it would end with 0 or 3 and the port still is further
behind than `[alert]` allows, it ends with 7. Stopped at any time, it goes on where it was.")]
    Sync(Sync),
    /// Keep following it on a schedule until stopped.
    Watch(Watch),
    /// Show ports in a browser, from what runs left: nothing is changed, and no daemon is needed.
    Dashboard(Dashboard),
    /// Check that the lock and the two repositories agree.
    #[command(after_help = "Example, as a check in continuous integration:
  tidelock verify --contract

It ends with 4 where something disagrees, and with 6 where nothing could be compared.")]
    Verify(Verify),
    /// Decide that changes of some items, or of a revision, are not to be ported.
    #[command(after_help = decide_args::DECLINE_HELP)]
    Decline(Decide),
    /// Decide that changes of some items, or of a revision, are ported later.
    #[command(after_help = decide_args::DEFER_HELP)]
    Defer(Decide),
    /// Let the port go no further than a revision.
    #[command(after_help = decide_args::PIN_HELP)]
    Pin(Pin),
    /// What is proposed at the forge, where work lands by pull requests.
    #[command(after_help = "Example:
  tidelock pr status

`[forge]` in `tidelock.toml` says where; docs/pull-requests.md shows it for each forge.")]
    Pr(Pr),
    /// Gate a change that a person made: validity, contract and tests, against the lock's baseline.
    Gate(Gate),
    /// Ask the contract by itself, and measure how often it is wrong.
    #[command(after_help = "Example:
  tidelock contract measure --wrong 100 --rewrites 40")]
    Contract(Contract),
    /// Run benchmarks of both sides, and decide with stated error rates.
    #[command(after_help = "Example:
  tidelock bench calibrate
  tidelock bench compare --explain")]
    Bench(Bench),
    /// Replay past revisions with one or several chains of translators, in scratch copies, and compare them.
    Backtest(Backtest),
    /// Infer, explain and check which symbols answer to which items.
    #[command(after_help = "Example, for a port that exists, with no configuration yet:
  tidelock map infer --upstream ../parser@v1.2.0 --port .")]
    Map(Map),
    /// Print who uses whom, on both sides: for Graphviz, or as JSON with `--format json`.
    #[command(after_help = "Example:
  tidelock graph --level module | dot -Tsvg > graph.svg")]
    Graph(Graph),
    /// Show the translations that are remembered, and hand them on.
    #[command(
        after_help = "Example, to share what this machine has learned with everybody who clones the port:
  tidelock memory export && git add memory"
    )]
    Memory(Memory),
    /// Show a past run.
    #[command(after_help = "Examples:
  tidelock report --list
  tidelock report --render html --output report.html
  tidelock report --render markdown | gh pr comment --body-file -")]
    Report(Report),
    /// Tell what each revision of any Rust repository changed, item by item, one row each.
    History(History),
    /// Tell the workspaces, packages and modules of any Rust repository at a revision.
    Workspace(Workspace),
    /// Tell what changed between two revisions of any Rust repository: by crate, module and item.
    Diff(Diff),
    /// List the items of a revision of any Rust repository, or only what its users can name.
    Items(Items),
    /// Say what is missing on this machine.
    #[command(after_help = "Examples:
  tidelock doctor --format json
  tidelock doctor --provision")]
    Doctor(Doctor),
    /// Sync a small port of a real crate, to see how it goes.
    #[command(after_help = "Example:
  tidelock demo --fresh /tmp/tidelock-demo")]
    Demo(Demo),
}

/// `tidelock init`
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Follow the releases of this crate in the Cargo registry.
    #[arg(long, value_name = "CRATE", conflicts_with = "git")]
    pub(super) registry: Option<String>,
    /// Follow this git repository: an address or a path.
    #[arg(long, value_name = "URL")]
    pub(super) git: Option<String>,
    /// Of that repository, follow the tags that match this pattern, such as `v*`: each is a revision.
    #[arg(long, value_name = "PATTERN", requires = "git", conflicts_with_all = ["registry", "branch"])]
    pub(super) tags: Option<String>,
    /// Of that repository, follow this branch, commit by commit. Default: its own default branch.
    #[arg(long, value_name = "NAME", requires = "git", conflicts_with = "registry")]
    pub(super) branch: Option<String>,
    /// The Python package that answers to the crate. Default: the crate's name.
    #[arg(long, value_name = "NAME")]
    pub(super) package: Option<String>,
    /// The port equals this revision: link what is there and write `tidelock.lock`.
    #[arg(long, value_name = "REV")]
    pub(super) adopt: Option<String>,
    /// With `--adopt`: where the port differs from that revision in single items, leave these out by name and link the rest,
    /// rather than nothing.
    #[arg(long, requires = "adopt")]
    pub(super) leave_out: bool,
}

/// `tidelock status`
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Do not ask the upstream: tell from what was last seen.
    #[arg(long)]
    pub(super) offline: bool,
    /// End with exit code 7 when the port is more revisions behind than this. Default: what `[alert]` says.
    #[arg(long, value_name = "REVISIONS")]
    pub(super) lag_max: Option<u32>,
    /// Only ask whether there is anything new: nothing is fetched, and the port is not looked into.
    #[arg(long, conflicts_with_all = ["offline", "lag_max"])]
    pub(super) poll: bool,
}

/// `tidelock plan`
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Plan up to this revision. Default: the newest.
    #[arg(long, value_name = "REV")]
    pub(super) to: Option<String>,
    /// Do not ask the upstream: plan from what was last seen.
    #[arg(long)]
    pub(super) offline: bool,
    /// Print the exact prompt of one unit, as a model would be given it at its first attempt, and send it
    /// nowhere. The plan names the units.
    #[arg(long, value_name = "UNIT")]
    pub(super) prompt: Option<String>,
}

/// `tidelock memory`
#[derive(Debug, Args)]
pub(super) struct Memory {
    #[command(subcommand)]
    pub(super) command: MemoryCommand,
}

/// The commands of `tidelock memory`.
#[derive(Debug, Subcommand)]
pub(super) enum MemoryCommand {
    /// List what is remembered, in the order in which it is tried.
    #[command(after_help = "Example:
  tidelock memory list --item parser::")]
    List(MemoryList),
    /// Copy what was learned here into a folder, one file an entry, to be reviewed and committed.
    #[command(after_help = "Example:
  tidelock memory export --to ../other-port/memory")]
    Export(MemoryExport),
    /// Take in what was learned elsewhere. It is used only where it answers the very same change, and passes the
    /// same gate as anything else.
    #[command(after_help = "Example:
  tidelock memory import ../other-port/memory")]
    Import(MemoryImport),
}

/// `tidelock memory list`
#[derive(Debug, Args)]
pub(super) struct MemoryList {
    /// Only items whose path holds this.
    #[arg(long, value_name = "TEXT")]
    pub(super) item: Option<String>,
}

/// `tidelock memory export`
#[derive(Debug, Args)]
pub(super) struct MemoryExport {
    /// The folder. Default: `memory` in the port, which every sync reads.
    #[arg(long, value_name = "FOLDER")]
    pub(super) to: Option<PathBuf>,
}

/// `tidelock memory import`
#[derive(Debug, Args)]
pub(super) struct MemoryImport {
    /// A folder of entries.
    #[arg(value_name = "FOLDER")]
    pub(super) folder: PathBuf,
}

/// `tidelock sync`
#[derive(Debug, Args)]
pub(super) struct Sync {
    /// Sync up to this revision. Default: the newest.
    #[arg(long, value_name = "REV")]
    pub(super) to: Option<String>,
    /// Sync at most this many revisions.
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// With nothing new upstream, take up again what is parked: after a change of the translators, the style
    /// or the port.
    #[arg(long)]
    pub(super) retry: bool,
    /// Do everything but land.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// First accept what the upstream did to its past, as `tidelock status` tells it: the commit that a
    /// rewritten branch is at now, or the name of its new default branch.
    #[arg(long, value_name = "COMMIT-OR-BRANCH")]
    pub(super) accept: Option<String>,
    #[command(flatten)]
    pub(super) who: Who,
}

/// Who translates, against the configuration.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Who {
    /// Leave the memory out and ask this translator: the name of a `[[translate.model]]`,
    /// `command:PROGRAM ARGUMENTS`, `chat:MODEL@URL`, `responses:MODEL[@URL]`, `anthropic:MODEL[@URL]`, or
    /// `inbox[:FOLDER]`, which writes prompts as files and reads the answers when they are there. May be repeated.
    #[arg(long = "translator", value_name = "WHO")]
    pub(super) translators: Vec<String>,
}

/// `tidelock pr`
#[derive(Debug, Args)]
pub(super) struct Pr {
    /// What to tell.
    #[command(subcommand)]
    pub(super) command: PrCommand,
}

/// The commands of `tidelock pr`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum PrCommand {
    /// List Tidelock's pull requests, the newest first. Ends with 3 where there is none.
    #[command(after_help = "Example:
  tidelock pr list --format json")]
    List,
    /// Tell how the newest one stands, and what the next sync would do about it. Ends with 5 where a person has to do
    /// something first, and with 4 where a tree landed that is not the one that was tested.
    #[command(after_help = "Example:
  tidelock pr status")]
    Status,
}

/// `tidelock verify`
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Also build the upstream at the baseline and run the contract against the port.
    #[arg(long)]
    pub(super) contract: bool,
}

/// `tidelock bench`
#[derive(Debug, Args)]
pub(super) struct Bench {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: BenchCommand,
}

/// What to do with benchmarks.
#[derive(Debug, Subcommand)]
pub(super) enum BenchCommand {
    /// Measure the upstream, the port in parity mode and the port with its extensions, side by side.
    Run(BenchRun),
    /// Decide whether a revision of the port may follow another one. Continues where it was stopped.
    Compare(BenchCompare),
    /// Decide about several candidates for the same work, and put those that passed into an order.
    #[command(after_help = "Example, for two answers to the same upstream revision:
  tidelock bench rank --base main answer-a answer-b

The exit code is 0 where at least one passed, 6 where none did and some are on hold, 4 where all are rejected.")]
    Rank(BenchRank),
    /// Test several revisions of the port together, and apart only where together they fail.
    Train(BenchTrain),
    /// Measure the port against itself: what this machine's noise lets one see.
    Calibrate(BenchNames),
    /// Show past comparisons.
    History(BenchHistory),
    /// Read what another tool wrote, and show how it is understood.
    Import(BenchImport),
}

/// Which benchmarks.
#[derive(Debug, Args)]
pub(super) struct BenchNames {
    /// The benchmarks, by name. Default: all.
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
}

/// `tidelock bench run`
#[derive(Debug, Args)]
pub(super) struct BenchRun {
    #[command(flatten)]
    pub(super) which: BenchNames,
    /// Interleaved pairs of each two sides.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) pairs: usize,
    /// Those scheduled for the night, or for a train, in place of those of every change.
    #[arg(long, value_enum)]
    pub(super) schedule: Option<ScheduleName>,
}

/// When a benchmark runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ScheduleName {
    /// In the gate of every change.
    Change,
    /// In the night.
    Nightly,
    /// For several revisions together.
    Train,
}

/// `tidelock bench compare`
#[derive(Debug, Args)]
pub(super) struct BenchCompare {
    #[command(flatten)]
    pub(super) which: BenchNames,
    /// The port before: a commit, branch or tag.
    #[arg(long, value_name = "REV", default_value = "HEAD~1")]
    pub(super) before: String,
    /// The port after.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub(super) after: String,
    /// The upstream revision that suites are compared with where the upstream can run them. Default: the
    /// baseline.
    #[arg(long, value_name = "REV")]
    pub(super) upstream: Option<String>,
    /// Show how it was reckoned.
    #[arg(long)]
    pub(super) explain: bool,
    /// Run every pair afresh, also where stored runs of the reference would serve.
    #[arg(long)]
    pub(super) fresh: bool,
    /// Write charts of the pairs and of the test's path into this HTML file.
    #[arg(long, value_name = "FILE")]
    pub(super) charts: Option<PathBuf>,
}

/// `tidelock bench rank`
#[derive(Debug, Args)]
pub(super) struct BenchRank {
    /// The port that each candidate follows.
    #[arg(long, value_name = "REV")]
    pub(super) base: String,
    /// The candidates. Each one after the first is held to a stricter rate, as every further try is.
    #[arg(required = true, value_name = "REV")]
    pub(super) candidates: Vec<String>,
    /// The upstream revision that suites are compared with where the upstream can run them. Default: the
    /// baseline.
    #[arg(long, value_name = "REV")]
    pub(super) upstream: Option<String>,
    /// Run every pair afresh, also where stored runs of the reference would serve.
    #[arg(long)]
    pub(super) fresh: bool,
}

/// `tidelock bench train`
#[derive(Debug, Args)]
pub(super) struct BenchTrain {
    /// The port that the first revision follows.
    #[arg(long, value_name = "REV")]
    pub(super) base: String,
    /// Run every pair afresh, also where stored runs of the reference would serve.
    #[arg(long)]
    pub(super) fresh: bool,
    /// The revisions, oldest first.
    #[arg(required = true, value_name = "REV")]
    pub(super) revisions: Vec<String>,
}

/// `tidelock bench history`
#[derive(Debug, Args)]
pub(super) struct BenchHistory {
    #[command(flatten)]
    pub(super) which: BenchNames,
    /// Write charts with intervals into this HTML file.
    #[arg(long, value_name = "FILE")]
    pub(super) charts: Option<PathBuf>,
}

/// `tidelock bench import`
#[derive(Debug, Args)]
pub(super) struct BenchImport {
    /// The format: see `[[bench]]` in docs/configuration.md.
    #[arg(value_name = "FORMAT")]
    pub(super) written_as: String,
    /// The file or folder.
    #[arg(value_name = "PATH")]
    pub(super) path: PathBuf,
}

/// `tidelock map`
#[derive(Debug, Args)]
pub(super) struct Map {
    /// What to do with the mapping.
    #[command(subcommand)]
    pub(super) command: MapCommand,
}

/// What to do with the mapping.
#[derive(Debug, Subcommand)]
pub(super) enum MapCommand {
    /// Propose links for a port that exists already, each with a confidence and its evidence.
    Infer(MapInfer),
    /// Say which rule or which evidence links an item or a symbol.
    Explain(MapExplain),
    /// Say what is unmapped, orphaned or ambiguous on each side.
    Check(MapCheck),
}

/// `tidelock map infer`
#[derive(Debug, Default, Args)]
pub(super) struct MapInfer {
    /// The upstream: `PATH`, `PATH@REV`, `PATH:FOLDER` or `PATH@REV:FOLDER`. Default: the configured one, at
    /// the lock's baseline.
    #[arg(long, value_name = "PATH@REV")]
    pub(super) upstream: Option<String>,
    /// The port, in the same words. Default: the configured branch.
    #[arg(long, value_name = "PATH@REV")]
    pub(super) port: Option<String>,
    /// Write links with at least this confidence (0 to 1) to `tidelock.toml`; those that it has stay as they are.
    #[arg(long, value_name = "ABOVE")]
    pub(super) accept: Option<f64>,
    /// Leave header comments and status files that record the correspondence out.
    #[arg(long)]
    pub(super) without_records: bool,
}

/// `tidelock map explain`
#[derive(Debug, Args)]
pub(super) struct MapExplain {
    /// The path of an item (`krate::module::name`) or of a symbol (`package.module.name`).
    #[arg(value_name = "ITEM|SYMBOL")]
    pub(super) name: String,
}

/// `tidelock map check`
#[derive(Debug, Args)]
pub(super) struct MapCheck {
    /// End with exit code 4 also where items are unmapped or symbols are orphaned.
    #[arg(long)]
    pub(super) strict: bool,
}

/// `tidelock graph`
#[derive(Debug, Args)]
pub(super) struct Graph {
    /// The upstream's revision. Default: the lock's baseline.
    #[arg(long, value_name = "REV")]
    pub(super) revision: Option<String>,
    /// What a node is.
    #[arg(long, value_enum, default_value_t = Level::Module)]
    pub(super) level: Level,
}

/// What a node of the graph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    /// An item or a symbol.
    Item,
    /// A source file.
    Module,
    /// A crate or package.
    Crate,
}

/// `tidelock report`
#[derive(Debug, Args)]
pub(super) struct Report {
    /// The run. Default: the newest.
    pub(super) run: Option<String>,
    /// List the runs.
    #[arg(long, conflicts_with = "run")]
    pub(super) list: bool,
    /// How to render it: `--format json` has the record itself.
    #[arg(long, value_enum, default_value_t = Rendering::Text)]
    pub(super) render: Rendering,
    /// Write it to this file and not to standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// How a run is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Rendering {
    /// For a terminal.
    Text,
    /// For a pull request.
    Markdown,
    /// One self-contained page.
    Html,
    /// The record itself.
    Json,
}

/// `tidelock history`
#[derive(Debug, Args)]
#[command(after_help = HISTORY_HELP)]
pub(super) struct History {
    /// The git repository, bare or not; it needs no `tidelock.toml`. Default: the current folder.
    #[arg(long, value_name = "PATH")]
    pub(super) repo: Option<PathBuf>,
    /// Leave out this revision and everything before it: a tag, a branch or a commit id.
    #[arg(long, value_name = "REV")]
    pub(super) from: Option<String>,
    /// The newest revision. Default: what the repository has checked out.
    #[arg(long, value_name = "REV")]
    pub(super) to: Option<String>,
    /// At most this many revisions.
    #[arg(long, value_name = "N")]
    pub(super) last: Option<usize>,
    /// Follow only the first parent of merges, whose rows then hold all that they brought in.
    #[arg(long)]
    pub(super) first_parent: bool,
    /// Also list each changed item below its revision.
    #[arg(long)]
    pub(super) items: bool,
    /// Neither use nor write the rows that earlier calls kept.
    #[arg(long)]
    pub(super) no_cache: bool,
}

const HISTORY_HELP: &str = "\
Columns: commit, date, class, items added (+), removed (-), modified (~), moved or renamed (>), subject.
Before the class stands `~` where it rests on where files lie, `?` where a file could not be read.

Example: tidelock history --repo ../serde --last 20 --items";

/// `tidelock workspace`
#[derive(Debug, Args)]
#[command(after_help = WORKSPACE_HELP)]
pub(super) struct Workspace {
    /// The revision: a tag, a branch or a commit id. Default: what the repository has checked out.
    #[arg(value_name = "REV")]
    pub(super) revision: Option<String>,
    /// The git repository, bare or not; it needs no `tidelock.toml`. Default: the current folder.
    #[arg(long, value_name = "PATH")]
    pub(super) repo: Option<PathBuf>,
    /// Only this package, with everything that is known of it.
    #[arg(long, value_name = "NAME")]
    pub(super) package: Option<String>,
    #[command(flatten)]
    pub(super) show: WorkspaceShow,
}

/// What `tidelock workspace` shows beside packages.
#[derive(Debug, Args)]
pub(super) struct WorkspaceShow {
    /// Also list the targets of each package.
    #[arg(long)]
    pub(super) targets: bool,
    /// Also list the dependencies of each package, and the packages here that use it.
    #[arg(long)]
    pub(super) dependencies: bool,
    /// Also read the modules of each target, and list the files that belong to none.
    #[arg(long)]
    pub(super) modules: bool,
}

const WORKSPACE_HELP: &str = "\
Everything is read from the objects of the repository: there is no checkout, and Cargo is not run.
A value with `*` behind it comes from `[workspace.package]`.

Examples:
  tidelock workspace v1.0.0 --repo ../serde
  tidelock workspace --package serde_derive
  tidelock workspace --modules --format jsonl | jq -c 'select(.row == \"orphan\")'";

/// `tidelock doctor`
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Install what the port's project files ask for, so that nothing needs the network later.
    #[arg(long)]
    pub(super) provision: bool,
}

/// `tidelock demo`
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where to work. Default: `tidelock-demo` below the build folder, or the current folder.
    #[arg(value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// Begin again from nothing: remove what an earlier demo left there.
    #[arg(long)]
    pub(super) fresh: bool,
    #[command(flatten)]
    pub(super) who: Who,
}
