//! `tidelock contract`: the contract by itself.

pub(super) mod args;
mod asked;
mod check;
mod derive;
mod explain;
mod measure;

use args::{Contract, ContractCommand};

use super::{CliError, Context, ExitCode};

pub(super) fn run(context: &Context, args: &Contract) -> Result<ExitCode, CliError> {
    match &args.command {
        ContractCommand::Derive(args) => derive::run(context, args),
        ContractCommand::Check(args) => check::run(context, args),
        ContractCommand::Explain(args) => explain::run(context, args),
        ContractCommand::Measure(args) => measure::run(context, args),
    }
}
