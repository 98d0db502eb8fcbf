//! What stops the bot until a person has done something. What people did is left as it is.

use upstream::CommitId;

/// A person has to do something first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposalObstacle {
    /// Somebody pushed to the bot's branch.
    #[error(
        "the branch `{branch}` holds the commit {commit}, which is not Tidelock's: it was left untouched"
    )]
    ForeignCommit {
        /// The branch.
        branch: String,
        /// The commit.
        commit: CommitId,
    },
    /// Somebody opened a pull request from the bot's branch.
    #[error("pull request {number} from `{branch}` is by {author} and not Tidelock's: it was left untouched")]
    ForeignPull {
        /// The branch.
        branch: String,
        /// Its number.
        number: u64,
        /// Who opened it.
        author: String,
    },
    /// It was reviewed, so it is not begun anew, and the base branch does not merge into it.
    #[error("pull request {number} was reviewed and conflicts with `{base}` in {}: it was left untouched", files.join(", "))]
    Conflict {
        /// Its number.
        number: u64,
        /// The base branch.
        base: String,
        /// The files.
        files: Vec<String>,
    },
    /// It was reviewed, and with the base branch merged into it the gate does not pass it.
    #[error("pull request {number} was reviewed, and does not pass with `{base}` merged into it: {reason}")]
    MergeRefused {
        /// Its number.
        number: u64,
        /// The base branch.
        base: String,
        /// What the gate says.
        reason: String,
    },
    /// The base branch is not at the forge.
    #[error("the forge has no branch `{branch}`")]
    NoBase {
        /// The branch.
        branch: String,
    },
    /// The local base branch went another way than the forge's.
    #[error("the branch `{branch}` holds commits here that the forge does not have")]
    Diverged {
        /// The branch.
        branch: String,
    },
    /// The bot's branch is checked out here.
    #[error("the branch `{branch}` is Tidelock's own, and is checked out in the port")]
    CheckedOut {
        /// The branch.
        branch: String,
    },
}

impl ProposalObstacle {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ForeignCommit { .. } => {
                "merge the pull request, or close it and delete the branch, or take the commit off, then run it again"
            }
            Self::ForeignPull { .. } => "close it, or choose another `group-name` in `[forge]`",
            Self::Conflict { .. } => {
                "merge the base branch by hand, or close the pull request and comment `/tidelock retry` on it"
            }
            Self::MergeRefused { .. } => {
                "close the pull request and comment `/tidelock retry` on it, to begin anew"
            }
            Self::NoBase { .. } => "push it, or name another as `base-branch` in `[forge]`",
            Self::Diverged { .. } => "push or drop them, then run the same command again",
            Self::CheckedOut { .. } => "switch to another branch, then run the same command again",
        }
    }
}
