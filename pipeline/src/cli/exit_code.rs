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
        (Self::Inconclusive, "it could not be told, or nothing could be compared"),
        (Self::Lag, "the port lags behind by more than `--lag-max` or `[alert]` allows"),
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

/// What stands below the help of the program.
pub(super) fn help() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (code, meaning) in ExitCode::TABLE {
        text.extend(["  ", &(*code as u8).to_string(), "  ", meaning, "\n"]);
    }
    text.push_str(
        "\nTry `tidelock demo`: it syncs a small port of a real crate, with no key and no account.\n\
         `tidelock COMMAND --help` shows an example of each command.",
    );
    text
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::args::Cli;

    #[test]
    fn every_command_teaches_with_an_example() {
        for command in Cli::command().get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            assert!(help.contains("Example") && help.contains(&format!("tidelock {name}")), "{name}: {help}");
        }
    }

    #[test]
    fn the_help_names_every_exit_code() {
        let help = super::help();
        for (code, meaning) in super::ExitCode::TABLE {
            assert!(help.contains(&format!("  {}  {meaning}\n", *code as u8)));
        }
        assert_eq!(super::ExitCode::TABLE.len(), 8);
    }
}
