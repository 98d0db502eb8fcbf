//! `tidelock backtest` as it is typed.

use std::path::PathBuf;

use clap::Args;

/// `tidelock backtest`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(in super::super) struct Backtest {
    /// A chain to try: a name and a file with a `[translate]` section as in `tidelock.toml`, and perhaps `prompts` and
    /// `style`. A name alone is the port's own. Default: the port's own alone.
    #[arg(long = "chain", value_name = "NAME=FILE")]
    pub(super) chains: Vec<String>,
    #[command(flatten)]
    pub(super) what: What,
    /// Cases at a time. More are faster, and disturb each other's timings.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) jobs: usize,
    /// Where finished cases are remembered, and scratch copies are made. Default: `backtest` in the state folder.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Let chains use the memory that the port had committed by then. Default: only memory that a chain file names.
    #[arg(long)]
    pub(super) memory: bool,
    /// Files that are tests, by which the real answer decides. Default: those that unittest and pytest usually find.
    #[arg(long = "answer-tests", value_name = "GLOB")]
    pub(super) answer_tests: Vec<String>,
    /// Begin no case once so many tokens are spent, over all cases and invocations.
    #[arg(long, value_name = "TOKENS")]
    pub(super) budget_tokens: Option<u64>,
    /// Begin no case once so many United States dollars are spent, by the models' prices.
    #[arg(long, value_name = "USD")]
    pub(super) budget_usd: Option<f64>,
    /// List the cases and about what they would cost, and run none.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What is replayed.
#[derive(Debug, Args)]
pub(super) struct What {
    /// From this upstream revision on. Default: the first that the port followed.
    #[arg(long, value_name = "REV")]
    pub(super) from: Option<String>,
    /// Up to this upstream revision. Default: the last that the port followed.
    #[arg(long, value_name = "REV")]
    pub(super) to: Option<String>,
    /// Of these only so many, the newest ones.
    #[arg(long, value_name = "N")]
    pub(super) last: Option<usize>,
    /// Replay these cases instead: a JSON object a line, with `port` (a commit of it), `after` (an upstream revision),
    /// and perhaps `before`, `answer` (a commit of the port) and `name`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "last"])]
    pub(super) cases: Option<PathBuf>,
}

const HELP: &str = "Examples:
  tidelock backtest --last 10 --dry-run
  tidelock backtest --last 10 --chain now --chain small=small.toml --jobs 2
  tidelock backtest --format json > table.json

Nothing of the port is changed. Stopped at any time, the same command goes on, and buys nothing twice.
It ends with 1 where a case could not be carried out, and with 5 where a budget stopped it.";
