//! The pull-request bot: what is proposed to a forge, and what follows from what people do with it.
//!
//! [`step::decide`] is pure: from a [`View`] of the forge and the two repositories it gives one [`step::Step`].
//! [`bot::Bot`] carries it out and looks again, until there is nothing to do. Nothing is remembered beside the forge
//! and git: each step has a key by which it is found done, so that a process that was killed anywhere, or a machine that
//! never saw the port before, goes on from what is there.

pub mod bot;
pub mod command;
pub mod landed;
pub mod maker;
pub mod marker;
pub mod obstacle;
pub mod step;
pub mod view;

pub use bot::{Bot, Outcome};
pub use maker::{Made, Maker, Words};
pub use marker::{Declined, Marker};
pub use obstacle::ProposalObstacle;
pub use view::View;

use crate::forge::MergeMethod;

/// When a proposal is begun anew because the base branch moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebaseWhen {
    /// Whenever it is behind, so that what is merged is what was tested.
    BehindBaseBranch,
    /// Where it cannot be merged any more.
    Conflicted,
    /// Never.
    Never,
}

/// When a pull request is a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftWhen {
    /// While something in it waits for a person.
    Parked,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How the bot behaves: `[forge]`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The branch that work is proposed for.
    pub base_branch: String,
    /// The branch that work is on.
    pub head_branch: String,
    /// What the names of such branches begin with.
    pub branch_prefix: String,
    /// The address by which our own commits are known.
    pub author_email: String,
    /// Labels that a pull request is given.
    pub labels: Vec<String>,
    /// Whom a pull request is shown to.
    pub reviewers: Vec<String>,
    /// When it is a draft.
    pub draft: DraftWhen,
    /// The most that may be open; 0 for any number.
    pub pr_concurrent_limit: u32,
    /// When the base branch is followed.
    pub rebase_when: RebaseWhen,
    /// People that must have approved the newest commit before it is merged by us.
    pub required_approvals: u32,
    /// How it is merged.
    pub automerge_strategy: MergeMethod,
    /// The name of the commit status.
    pub status_context: String,
}
