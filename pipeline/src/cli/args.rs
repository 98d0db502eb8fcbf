//! The command line as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps a Python port locked to a Rust upstream that keeps moving.
#[derive(Debug, Parser)]
#[command(name = "tidelock", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Where the port is: a folder with a `tidelock.toml`, or below one.
    #[arg(long, short = 'C', global = true, value_name = "FOLDER")]
    pub directory: Option<PathBuf>,

    /// What standard output holds.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 internal error, 2 usage or configuration, 3 nothing to do, 4 gate failed,
5 parked for a person, 6 inconclusive, 7 lag over the threshold.

Try `tidelock demo`: it syncs a small port of a real crate, with no key and no account.";

/// What standard output holds. Everything else goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document, for programs.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
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
    /// Show a past run.
    Report(Report),
    /// Say what is missing on this machine.
    Doctor,
    /// Sync a small port of a real crate, to see how it goes.
    Demo(Demo),
}

/// `tidelock init`
#[derive(Debug, Args)]
pub struct Init {
    /// Follow the releases of this crate in the Cargo registry.
    #[arg(long, value_name = "CRATE", conflicts_with = "git")]
    pub registry: Option<String>,
    /// Follow this git repository: an address or a path.
    #[arg(long, value_name = "URL")]
    pub git: Option<String>,
    /// The Python package that answers to the crate. Default: the crate's name.
    #[arg(long, value_name = "NAME")]
    pub package: Option<String>,
    /// The port equals this revision: link what is there and write `tidelock.lock`.
    #[arg(long, value_name = "REV")]
    pub adopt: Option<String>,
}

/// `tidelock status`
#[derive(Debug, Args)]
pub struct Status {
    /// Do not ask the upstream: tell from what was last seen.
    #[arg(long)]
    pub offline: bool,
    /// End with exit code 7 when the port is more revisions behind than this.
    #[arg(long, value_name = "REVISIONS")]
    pub lag_max: Option<u32>,
}

/// `tidelock plan`
#[derive(Debug, Args)]
pub struct Plan {
    /// Plan up to this revision. Default: the newest.
    #[arg(long, value_name = "REV")]
    pub to: Option<String>,
    /// Do not ask the upstream: plan from what was last seen.
    #[arg(long)]
    pub offline: bool,
}

/// `tidelock sync`
#[derive(Debug, Args)]
pub struct Sync {
    /// Sync up to this revision. Default: the newest.
    #[arg(long, value_name = "REV")]
    pub to: Option<String>,
    /// Sync at most this many revisions.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Do everything but land.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub who: Who,
}

/// Who translates, against the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct Who {
    /// Leave the memory out and ask this translator: the name of a `[[translate.model]]`,
    /// `command:PROGRAM ARGUMENTS`, `chat:MODEL@URL` or `anthropic:MODEL[@URL]`. May be repeated.
    #[arg(long = "translator", value_name = "WHO")]
    pub translators: Vec<String>,
}

/// `tidelock watch`
#[derive(Debug, Args)]
pub struct Watch {
    /// When to look, as a cron expression in local time, against the configuration.
    #[arg(long, value_name = "CRON")]
    pub schedule: Option<String>,
    #[command(flatten)]
    pub who: Who,
}

/// `tidelock verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// Also build the upstream at the baseline and run the contract against the port.
    #[arg(long)]
    pub contract: bool,
}

/// `tidelock report`
#[derive(Debug, Args)]
pub struct Report {
    /// The run. Default: the newest.
    pub run: Option<String>,
    /// List the runs.
    #[arg(long, conflicts_with = "run")]
    pub list: bool,
    /// How to render it: `--format json` has the record itself.
    #[arg(long, value_enum, default_value_t = Rendering::Text)]
    pub render: Rendering,
    /// Write it to this file and not to standard output.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How a run is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rendering {
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
pub struct Demo {
    /// Where to work. Default: `tidelock-demo` below the build folder, or the current folder.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Begin again from nothing: remove what an earlier demo left there.
    #[arg(long)]
    pub fresh: bool,
    #[command(flatten)]
    pub who: Who,
}
