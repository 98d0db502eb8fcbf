//! What the bot sees before each step: the forge, the branches, and what people said.

use upstream::{CommitId, ContentHash, TreeId};

use super::command::Command;
use super::marker::{Marker, Said, Says};
use crate::forge::{PullRequest, PullState, Review, Status};

use super::landed::Landing;

/// A commit and its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The commit.
    pub commit: CommitId,
    /// Its tree.
    pub tree: TreeId,
}

/// The bot's branch at the forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteHead {
    /// Where it is.
    pub tip: Tip,
    /// The first of its commits, behind the base branch, that is not ours.
    pub foreign: Option<CommitId>,
    /// Whether everything of the base branch is in it.
    pub holds_base: bool,
    /// The files that would conflict with the base branch.
    pub conflicts: Vec<String>,
}

/// A command that nobody has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The comment.
    pub comment: u64,
    /// Who asks.
    pub by: String,
    /// For what.
    pub command: Command,
    /// Whether the forge lets them push.
    pub is_allowed: bool,
}

/// Everything that a step is decided from.
#[derive(Debug, Clone)]
pub struct View {
    /// Who we are at the forge.
    pub me: String,
    /// The base branch.
    pub base: Tip,
    /// The bot's branch, where there is one.
    pub head: Option<RemoteHead>,
    /// The newest pull request from it.
    pub pull: Option<Pull>,
    /// How many of ours are open; counted only where none is open from this branch.
    pub open_pulls: usize,
    /// How many of ours were opened within the last hour; counted likewise.
    pub opened_lately: usize,
    /// A hash of what stands at the forge about our proposals.
    pub seen: ContentHash,
    /// The time, in milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// The newest pull request from the bot's branch, with its conversation.
#[derive(Debug, Clone)]
pub struct Pull {
    /// The pull request.
    pub request: PullRequest,
    /// What we wrote into it for ourselves.
    pub marker: Option<Marker>,
    /// What we said in it.
    pub said: Vec<Says>,
    /// What we were asked in it and have not answered, oldest first.
    pub asked: Vec<Asked>,
    /// What people other than us said of its code, oldest first.
    pub reviews: Vec<Review>,
    /// The status of its newest commit under our name.
    pub status: Option<Status>,
    /// What became of it in the base branch, where it is not open.
    pub landing: Option<Landing>,
}

impl Pull {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.request.state == PullState::Open
    }

    /// Whether something was said in it under this key.
    pub fn has_said(&self, key: &str) -> bool {
        self.said.iter().any(|says| says.key == key)
    }

    /// What was decided last about it.
    pub fn last_word(&self) -> Option<&Said> {
        self.said.iter().rev().find_map(|says| says.verdict.as_ref())
    }
}
