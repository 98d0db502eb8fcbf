//! The pull-request bot: what is proposed to a forge, and what follows from what people do with it.
//!
//! [`step::decide`] is pure: from a [`View`] of the forge and the two repositories it gives one [`step::Step`].
//! [`bot::Bot`] carries it out and looks again, until there is nothing to do. Nothing is remembered beside the forge
//! and git: each step has a key by which it is found done, so that a process that was killed anywhere, or a machine that
//! never saw the port before, goes on from what is there.

pub mod bot;
pub mod command;
pub mod dashboard;
pub mod group;
pub mod landed;
mod look;
pub mod maker;
pub mod marker;
pub mod obstacle;
mod seen;
pub mod step;
pub mod times;
pub mod view;

pub use bot::{Bot, Outcome};
pub use group::GroupBy;
pub use maker::{Made, Maker, Words};
pub use marker::{Declined, Marker};
pub use obstacle::ProposalObstacle;
pub use seen::seen;
pub use times::OpenTimes;
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
    /// The most that are opened within an hour; 0 for any number.
    pub pr_hourly_limit: u32,
    /// When new ones are opened.
    pub schedule: OpenTimes,
    /// What revisions share one.
    pub group_by: GroupBy,
    /// The title of the dashboard issue, where there is to be one.
    pub dashboard: Option<String>,
    /// When the base branch is followed.
    pub rebase_when: RebaseWhen,
    /// People that must have approved the newest commit before it is merged by us.
    pub required_approvals: u32,
    /// How it is merged.
    pub automerge_strategy: MergeMethod,
    /// The name of the commit status.
    pub status_context: String,
}

impl Policy {
    /// What holds where nothing else is configured: work on `head_branch` is proposed for `base_branch`.
    pub fn new(base_branch: &str, head_branch: &str, branch_prefix: &str, author_email: &str) -> Self {
        Self {
            base_branch: base_branch.to_owned(),
            head_branch: head_branch.to_owned(),
            branch_prefix: branch_prefix.to_owned(),
            author_email: author_email.to_owned(),
            labels: Vec::new(),
            reviewers: Vec::new(),
            draft: DraftWhen::Parked,
            pr_concurrent_limit: 10,
            pr_hourly_limit: 2,
            schedule: OpenTimes::always(),
            group_by: GroupBy::All,
            dashboard: None,
            rebase_when: RebaseWhen::BehindBaseBranch,
            required_approvals: 0,
            automerge_strategy: MergeMethod::Merge,
            status_context: "tidelock".to_owned(),
        }
    }
}
