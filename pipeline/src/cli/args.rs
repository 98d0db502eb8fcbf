//! The command line as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::exit_code;

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

    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

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
    #[command(after_help = "Example, for a port of the crate `strsim` that equals its release 0.10.0:
  tidelock init --registry strsim
  tidelock init --adopt 0.10.0
  git add tidelock.toml tidelock.lock && git commit -m \"Lock the port to strsim 0.10.0\"

For a repository whose tags `v1.0`, `v1.1`, … are the revisions:
  tidelock init --git https://example.com/parser.git --tags 'v*' --package parser")]
    Init(Init),
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
with 5 when a part waits for a person. Stopped at any time, it goes on where it was.")]
    Sync(Sync),
    /// Keep following it on a schedule until stopped.
    #[command(after_help = "Example, to look every hour on the hour:
  tidelock watch --schedule '0 * * * *'")]
    Watch(Watch),
    /// Check that the lock and the two repositories agree.
    #[command(after_help = "Example, as a check in continuous integration:
  tidelock verify --contract

It ends with 4 where something disagrees, and with 6 where nothing could be compared.")]
    Verify(Verify),
    /// Show a past run.
    #[command(after_help = "Examples:
  tidelock report --list
  tidelock report --render html --output report.html
  tidelock report --render markdown | gh pr comment --body-file -")]
    Report(Report),
    /// Say what is missing on this machine.
    #[command(after_help = "Example:
  tidelock doctor --format json")]
    Doctor,
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
