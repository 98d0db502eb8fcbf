//! `tidelock contract` as it is typed.

use clap::{Args, Subcommand};

/// `tidelock contract`
#[derive(Debug, Args)]
pub(in crate::cli) struct Contract {
    /// What to do.
    #[command(subcommand)]
    pub(in crate::cli) command: ContractCommand,
}

/// What to do with the contract.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ContractCommand {
    /// Say what would be probed for which linked item, and why the rest cannot be; nothing is built.
    #[command(after_help = "Example:
  tidelock contract derive --format json")]
    Derive(ContractItems),
    /// Ask both sides about some items now, against the working tree.
    #[command(
        after_help = "It ends with 0 where all agree, with 4 where one differs, and with 6 where one could not be compared.

Example:
  tidelock contract check strsim.jaro strsim.hamming"
    )]
    Check(ContractItems),
    /// Say everything about the contract of one item, and run it, with counterexamples to run by hand.
    #[command(after_help = "Example:
  tidelock contract explain strsim::jaro")]
    Explain(ContractItem),
    /// Seed wrong translations and rewrites into a port that is known to be right, and print how often the
    /// contract is wrong.
    #[command(after_help = "Example, in a port whose `tidelock verify --contract` passes:
  tidelock contract measure --wrong 100 --rewrites 40")]
    Measure(ContractMeasure),
}

/// `tidelock contract derive` and `check`
#[derive(Debug, Args)]
pub(in crate::cli) struct ContractItems {
    /// Items or their symbols, by path or by last name; for `check` also names of sessions. Default: all that are linked,
    /// and all sessions.
    #[arg(value_name = "ITEM|SYMBOL")]
    pub(in crate::cli) items: Vec<String>,
}

/// `tidelock contract explain`
#[derive(Debug, Args)]
pub(in crate::cli) struct ContractItem {
    /// The item or its symbol, by path or by last name.
    #[arg(value_name = "ITEM|SYMBOL")]
    pub(in crate::cli) item: String,
}

/// `tidelock contract measure`
#[derive(Debug, Args)]
pub(in crate::cli) struct ContractMeasure {
    /// Only these symbols of the port, by path or by name. Default: all that probes run through.
    #[arg(value_name = "SYMBOL")]
    pub(in crate::cli) symbols: Vec<String>,
    /// Wrong translations to try, spread over all operators and symbols.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(in crate::cli) wrong: usize,
    /// Rewrites to try that mean the same.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(in crate::cli) rewrites: usize,
    /// Further calls of each function, of another kind than probes, by which what was accepted is examined.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(in crate::cli) calls: usize,
    /// Decides which changes are tried and which probes decide: the same seed gives the same numbers.
    #[arg(long, value_name = "TEXT", default_value = "tidelock contract measure")]
    pub(in crate::cli) seed: String,
}
