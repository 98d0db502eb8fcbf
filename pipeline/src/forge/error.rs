//! Why a forge did not do what it was asked, by what is to be done about it.

/// A request to a forge failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// It does not know us, or does not let us do that.
    #[error("the forge refuses ({status}) {what}: {said}")]
    Denied {
        /// The status: 401 or 403.
        status: u16,
        /// What was asked, as method and path.
        what: String,
        /// What it says.
        said: String,
    },
    /// It is not there, or is hidden from us.
    #[error("the forge has nothing at {what}: {said}")]
    NotFound {
        /// What was asked.
        what: String,
        /// What it says.
        said: String,
    },
    /// It is not as we thought: it was there already, or has moved. Looking again tells.
    #[error("the forge did not do {what} ({status}): {said}")]
    Conflict {
        /// The status: 405, 409, 412 or 422.
        status: u16,
        /// What was asked.
        what: String,
        /// What it says.
        said: String,
    },
    /// Too many requests.
    #[error("the forge takes no more requests for {after_s} seconds ({what})")]
    Limited {
        /// How long, in seconds.
        after_s: u64,
        /// What was asked.
        what: String,
    },
    /// It did not answer, or not whole. What was asked may have been done.
    #[error("the forge did not answer {what}: {reason}")]
    Unavailable {
        /// What was asked.
        what: String,
        /// Why.
        reason: String,
    },
    /// It answered what it should not.
    #[error("the forge answered {what} with what Tidelock cannot read: {reason}")]
    Unreadable {
        /// What was asked.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// There is more of it than is read.
    #[error("{what} has more than {max} entries, which is more than Tidelock reads")]
    TooMany {
        /// What was asked.
        what: String,
        /// The bound.
        max: usize,
    },
}

impl ForgeError {
    /// Whether the same request may well succeed, or need not be made any more, once one has looked again.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Conflict { .. } | Self::Limited { .. } | Self::Unavailable { .. } => true,
            Self::Denied { .. } | Self::NotFound { .. } | Self::Unreadable { .. } | Self::TooMany { .. } => {
                false
            }
        }
    }

    /// What to do, where something can be done.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Denied { status: 401, .. } => {
                Some("the token in the variable that `token-env` names is wrong or has ended")
            }
            Self::Denied { .. } => {
                Some("the token lacks a right: docs/pull-requests.md says which are needed for each forge")
            }
            Self::NotFound { .. } => Some(
                "see `repository` and `url` in `[forge]`; a token that may not see it gets the same answer",
            ),
            Self::Limited { .. } | Self::Unavailable { .. } => {
                Some("run the same command again later, which goes on")
            }
            Self::Conflict { .. } | Self::Unreadable { .. } | Self::TooMany { .. } => None,
        }
    }
}
