//! The one error that people see: what went wrong, why, and what to do.

use mappings::plan::PlanError;

use super::exit_code::ExitCode;
use crate::config::ConfigError;
use crate::driver::Obstacle;
use crate::forge::ForgeError;
use crate::proposal::ProposalObstacle;
use crate::session::SessionError;

/// An error at the edge.
#[derive(Debug)]
pub struct CliError {
    /// The exit code it leads to.
    pub code: ExitCode,
    /// What went wrong, with its causes.
    pub cause: anyhow::Error,
    /// What to do, one hint a line.
    pub hints: Vec<String>,
}

impl CliError {
    /// An error of the command line or the configuration.
    pub fn usage(cause: impl Into<anyhow::Error>) -> Self {
        Self { code: ExitCode::Usage, cause: cause.into(), hints: Vec::new() }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(config) = self.cause.downcast_ref::<ConfigError>() {
            return write!(f, "{config}");
        }
        write!(f, "error: {:#}", self.cause)?;
        for hint in &self.hints {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<Obstacle> for CliError {
    fn from(obstacle: Obstacle) -> Self {
        anyhow::Error::from(obstacle).into()
    }
}

/// Anything that is not known to be about the user's own files is ours or the world's.
impl From<anyhow::Error> for CliError {
    fn from(cause: anyhow::Error) -> Self {
        if let Some(obstacle) = cause.downcast_ref::<Obstacle>() {
            let code = if matches!(obstacle, Obstacle::Blocked { .. }) {
                // Nothing was compared, and nothing is said of anybody's change.
                ExitCode::Inconclusive
            } else if obstacle.is_usage() {
                ExitCode::Usage
            } else {
                ExitCode::Internal
            };
            let hints = vec![obstacle.hint().to_owned()];
            return Self { code, cause, hints };
        }
        if let Some(obstacle) = cause.downcast_ref::<ProposalObstacle>() {
            let hints = vec![obstacle.hint().to_owned()];
            return Self { code: ExitCode::Parked, cause, hints };
        }
        if let Some(error) = cause.downcast_ref::<ForgeError>() {
            let hints = error.hint().map(str::to_owned).into_iter().collect();
            return Self { code: ExitCode::Internal, cause, hints };
        }
        let cause = match cause.downcast::<SessionError>() {
            Ok(error) => return super::session_error(error),
            Err(cause) => cause,
        };
        let code = match cause.downcast_ref::<PlanError>() {
            Some(PlanError::LockDisagrees { .. }) => ExitCode::GateFailed,
            Some(
                PlanError::Place(_)
                | PlanError::Withdrawn { .. }
                | PlanError::PortFileUnparsed { .. }
                | PlanError::TooLarge { .. },
            ) => ExitCode::Usage,
            Some(PlanError::WrongBaseline { .. }) => ExitCode::Internal,
            None if cause.is::<ConfigError>() => ExitCode::Usage,
            None => ExitCode::Internal,
        };
        Self { code, cause, hints: Vec::new() }
    }
}
