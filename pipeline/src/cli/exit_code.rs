//! Exit codes: documented API, see `docs/cli.md`.

use reports::RunOutcome;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything that was asked for is done.
    Done = 0,
    /// Something failed inside Tidelock or around it: a repository, the network, a disk.
    Internal = 1,
    /// The command line or the configuration is not right.
    Usage = 2,
    /// There is nothing to do.
    NothingToDo = 3,
    /// A gate refused the change, or `verify` found a disagreement.
    GateFailed = 4,
    /// Some of it waits for a person.
    Parked = 5,
    /// It could not be told.
    Inconclusive = 6,
    /// The port lags behind by more than was allowed.
    Lag = 7,
}

impl ExitCode {
    /// The codes with their meaning, for `--help` and the documentation.
    pub const TABLE: &[(Self, &str)] = &[
        (Self::Done, "done"),
        (Self::Internal, "something failed inside Tidelock or around it (a repository, the network, a disk)"),
        (Self::Usage, "the command line or the configuration is not right"),
        (Self::NothingToDo, "there is nothing to do"),
        (Self::GateFailed, "a gate refused the change, or `verify` found a disagreement"),
        (Self::Parked, "some of it waits for a person"),
        (Self::Inconclusive, "it could not be told"),
        (Self::Lag, "the port lags behind by more than `--lag-max` allows"),
    ];

    /// The code of a run's outcome.
    pub fn of(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Done | RunOutcome::DryRun => Self::Done,
            RunOutcome::NothingToDo => Self::NothingToDo,
            RunOutcome::Parked => Self::Parked,
            RunOutcome::GateFailed => Self::GateFailed,
            RunOutcome::Inconclusive => Self::Inconclusive,
            RunOutcome::Unfinished => Self::Internal,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
