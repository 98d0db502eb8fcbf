//! The command line as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps a Python port locked to a Rust upstream that keeps moving.
#[derive(Debug, Parser)]
#[command(name = "tidelock", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    /// Where the port is: a folder with a `tidelock.toml`, or below one.
    #[arg(long, short = 'C', global = true, value_name = "FOLDER")]
    pub(super) directory: Option<PathBuf>,

    /// What standard output holds.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 internal error, 2 usage or configuration, 3 nothing to do, 4 gate failed,
5 parked for a person, 6 inconclusive, 7 lag over the threshold.

Try `tidelock demo`: it syncs a small port of a real crate, with no key and no account.";

/// What standard output holds. Everything else goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON document, for programs.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented `tidelock.toml`, and the first `tidelock.lock` with `--adopt`.
    Init(Init),
    /// Say how far the port is behind, and how well it is known to equal its baseline.
    Status(Status),
    /// Say what a sync would do and about what it would cost, without doing it.
    Plan(Plan),
    /// Follow the upstream, once: translate, prove, land.
    Sync(Sync),
    /// Keep following it on a schedule until stopped.
    Watch(Watch),
    /// Check that the lock and the two repositories agree.
    Verify(Verify),
    /// Infer, explain and check which symbols answer to which items.
    Map(Map),
    /// Print who uses whom, on both sides: for Graphviz, or as JSON with `--format json`.
    Graph(Graph),
    /// Show a past run.
    Report(Report),
    /// Say what is missing on this machine.
    Doctor,
    /// Sync a small port of a real crate, to see how it goes.
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
    /// The Python package that answers to the crate. Default: the crate's name.
    #[arg(long, value_name = "NAME")]
    pub(super) package: Option<String>,
    /// The port equals this revision: link what is there and write `tidelock.lock`.
    #[arg(long, value_name = "REV")]
    pub(super) adopt: Option<String>,
}

/// `tidelock status`
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Do not ask the upstream: tell from what was last seen.
    #[arg(long)]
    pub(super) offline: bool,
    /// End with exit code 7 when the port is more revisions behind than this.
    #[arg(long, value_name = "REVISIONS")]
    pub(super) lag_max: Option<u32>,
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
    /// Do everything but land.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) who: Who,
}

/// Who translates, against the configuration.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Who {
    /// Leave the memory out and ask this translator: the name of a `[[translate.model]]`,
    /// `command:PROGRAM ARGUMENTS`, `chat:MODEL@URL` or `anthropic:MODEL[@URL]`. May be repeated.
    #[arg(long = "translator", value_name = "WHO")]
    pub(super) translators: Vec<String>,
}

/// `tidelock watch`
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// When to look, as a cron expression in local time, against the configuration.
    #[arg(long, value_name = "CRON")]
    pub(super) schedule: Option<String>,
    #[command(flatten)]
    pub(super) who: Who,
}

/// `tidelock verify`
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Also build the upstream at the baseline and run the contract against the port.
    #[arg(long)]
    pub(super) contract: bool,
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
