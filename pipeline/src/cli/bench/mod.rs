//! `tidelock bench`: measure both sides, decide, rank, calibrate, look back. One file a subcommand.

mod calibrate;
mod charts;
mod chosen;
mod compare;
mod history;
mod import;
mod rank;
mod run;
mod train;

use port::bench::decide::Decided;

pub(super) use chosen::tree;

use super::args::{Bench, BenchCommand};
use super::{CliError, Context, ExitCode};

pub(super) fn run(context: &Context, args: &Bench) -> Result<ExitCode, CliError> {
    match &args.command {
        BenchCommand::Run(args) => run::measure(context, args),
        BenchCommand::Compare(args) => compare::compare(context, args),
        BenchCommand::Rank(args) => rank::rank(context, args),
        BenchCommand::Train(args) => train::train(context, args),
        BenchCommand::Calibrate(args) => calibrate::calibrate(context, args),
        BenchCommand::History(args) => history::history(context, args),
        BenchCommand::Import(args) => import::import(context, args),
    }
}

fn exit_code(decided: Decided) -> ExitCode {
    match decided {
        Decided::Accept => ExitCode::Done,
        Decided::Reject => ExitCode::GateFailed,
        Decided::Hold => ExitCode::Inconclusive,
    }
}
