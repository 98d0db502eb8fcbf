//! What to do next: computed from the state, carried out by the driver, answered by one event.
//!
//! Every effect may be carried out again after a crash. Its answer is either the same, or it is found
//! that the work was done already.

use mappings::UnitId;
use port::translate::Feedback;
use upstream::{CommitId, Revision, TreeId};

use super::event::Head;

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Diff a revision and plan it.
    Plan {
        /// The revision.
        revision: Revision,
        /// The port to plan for.
        head: Head,
    },
    /// Ask a translator for a unit and check its answer.
    Attempt {
        /// The unit.
        unit: UnitId,
        /// Which link of the chain.
        translator: usize,
        /// Which attempt of that link, from 1.
        attempt: u32,
        /// What was wrong with its attempt before.
        feedback: Option<Feedback>,
        /// The port's tree to work on.
        tree: TreeId,
        /// The port's tree that a model is shown: as it was when this turn began, whatever landed beside it since.
        shown: TreeId,
    },
    /// Write the lock and measure the whole candidate.
    Gate {
        /// The port's tree with the accepted units done.
        tree: TreeId,
    },
    /// Write the commit that is to land.
    Commit {
        /// The tree that passed.
        tree: TreeId,
    },
    /// Advance the branch.
    Advance {
        /// What the branch must be now.
        from: Head,
        /// What it is to be.
        to: CommitId,
    },
    /// Close the run.
    Finish,
}

impl Effect {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Plan { .. } => "plan",
            Self::Attempt { .. } => "attempt",
            Self::Gate { .. } => "gate",
            Self::Commit { .. } => "commit",
            Self::Advance { .. } => "advance",
            Self::Finish => "finish",
        }
    }
}
