//! `tidelock contract`: the contract by itself.

pub(super) mod args;
mod measure;

use args::{Contract, ContractCommand};

use super::{CliError, Context, ExitCode};

pub(super) fn run(context: &Context, args: &Contract) -> Result<ExitCode, CliError> {
    match &args.command {
        ContractCommand::Measure(args) => measure::run(context, args),
    }
}
