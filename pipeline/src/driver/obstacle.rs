//! What stops a run until a person has done something: nothing is lost, and the same command goes on.

use port::repo::{AdvanceError, PortRepo, RefreshError, RepoError, WorktreeState};
use upstream::TreeId;

use crate::engine::{AttemptResult, Event};
use crate::session::SessionError;

/// What a full disk makes programs say, whoever they are.
const FULL: [&str; 2] = ["no space left on device", "(os error 28)"];

/// A person has to do something first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The working tree holds what is not committed.
    #[error("the port has uncommitted changes, which were left untouched: {}", files.join(", "))]
    Uncommitted {
        /// The files, sorted.
        files: Vec<String>,
    },
    /// Somebody is in the middle of something in the port.
    #[error("a {with} is in progress on the branch `{branch}` of the port, which was left untouched")]
    Busy {
        /// `merge`, `rebase`, …
        with: &'static str,
        /// The branch.
        branch: String,
    },
    /// Files that are to be written are there already, and are somebody's own.
    #[error("files that are to be written are there and are not the port's: {}", files.join(", "))]
    InTheWay {
        /// The files, sorted.
        files: Vec<String>,
    },
    /// The branch is gone.
    #[error("the branch `{branch}` of the port was deleted during the run")]
    NoBranch {
        /// The branch.
        branch: String,
    },
    /// There is no room to build, test or write in. What was measured without room says nothing.
    #[error("no space left: {said}")]
    NoRoom {
        /// Who said so, and how.
        said: String,
    },
    /// One of the sides cannot be built or run here: that is neither pass nor fail.
    #[error("blocked: {what} cannot be had: {reason}")]
    Blocked {
        /// What cannot be had, such as `the port's environment`.
        what: &'static str,
        /// Why.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
}

impl Obstacle {
    /// What keeps a side from being built or run. A full disk is one that every command meets.
    pub(crate) fn blocked(what: &'static str, reason: &str, hint: &'static str) -> Self {
        let lower = reason.to_lowercase();
        if FULL.iter().any(|full| lower.contains(full)) {
            return Self::NoRoom { said: reason.to_owned() };
        }
        Self::Blocked { what, reason: reason.to_owned(), hint }
    }

    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Uncommitted { .. } => {
                "commit or stash them, then run the same command again, which goes on; `--dry-run` lands nothing"
            }
            Self::Busy { .. } => "finish or abort it, then run the same command again, which goes on",
            Self::InTheWay { .. } => {
                "move them away or commit them, then run the same command again, which goes on"
            }
            Self::NoBranch { .. } => "put it back, or name another as `branch` in `[port]`",
            Self::NoRoom { .. } => "free some, then run the same command again, which goes on",
            Self::Blocked { hint, .. } => hint,
        }
    }

    /// Whether it is about the port as its owner keeps it, and not about the machine.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::NoRoom { .. } | Self::Blocked { .. })
    }

    /// What of the working tree keeps a branch from being moved; a move that was broken off does not.
    pub fn in_worktree(state: WorktreeState, branch: &str) -> Option<Self> {
        match state {
            WorktreeState::NotCheckedOut | WorktreeState::Clean | WorktreeState::HalfMoved { .. } => None,
            WorktreeState::Dirty { files } => Some(Self::Uncommitted { files }),
            WorktreeState::Busy { with } => Some(Self::Busy { with, branch: branch.to_owned() }),
        }
    }

    /// What keeps the files from following a branch.
    pub(super) fn to_files(
        port: &PortRepo,
        branch: &str,
        (old, new): (&TreeId, &TreeId),
    ) -> Result<Option<Self>, RefreshError> {
        match port.may_refresh_worktree(branch, old, new) {
            Ok(()) => Ok(None),
            Err(RefreshError::LocalChanges { files }) => Ok(Some(Self::InTheWay { files })),
            Err(error) => Err(error),
        }
    }

    /// An answer to an effect that a full disk gave: it is no answer, and is not kept.
    pub(super) fn in_answer(event: &Event) -> Option<Self> {
        let full = |text: &str| {
            let lower = text.to_lowercase();
            FULL.iter().any(|full| lower.contains(full))
        };
        let said = match event {
            Event::Attempted { result: AttemptResult::Unavailable { reason }, .. } => {
                full(reason).then_some(reason)
            }
            Event::Gated { gates, verdict, .. } if *verdict != reports::Verdict::Pass => gates
                .iter()
                .flat_map(|gate| {
                    [&gate.reason].into_iter().chain(gate.findings.iter().map(|found| &found.text))
                })
                .find(|text| full(text)),
            Event::Started { .. }
            | Event::Planned { .. }
            | Event::Attempted { .. }
            | Event::Gated { .. }
            | Event::Prepared { .. }
            | Event::Landed { .. }
            | Event::BranchMoved { .. }
            | Event::Finished { .. } => None,
        };
        let line = said?.lines().find(|line| full(line)).unwrap_or_default().trim().to_owned();
        Some(Self::NoRoom { said: line })
    }
}

/// A branch that cannot be moved because it is not there.
pub(super) fn of_advance(error: AdvanceError) -> anyhow::Error {
    match error {
        AdvanceError::Moved { branch, found: None } => Obstacle::NoBranch { branch }.into(),
        AdvanceError::Moved { .. }
        | AdvanceError::CheckedOut { .. }
        | AdvanceError::Locked { .. }
        | AdvanceError::NotADescendant { .. }
        | AdvanceError::Repo(_) => error.into(),
    }
}

/// The branch is gone before it is even looked at.
pub(super) fn of_head(error: SessionError) -> anyhow::Error {
    if let SessionError::Port(RepoError::UnknownBranch { branch, .. } | RepoError::UnbornBranch { branch }) =
        error
    {
        return Obstacle::NoBranch { branch }.into();
    }
    error.into()
}
