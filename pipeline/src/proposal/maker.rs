//! What makes the work that is proposed: the engine, or a stand-in in tests.

use upstream::{CommitId, TreeId};

use super::marker::Declined;
use crate::gate::GatePass;

/// Work on the bot's branch.
#[derive(Debug, Clone)]
pub struct Made {
    /// The commit that the branch stands at; the start where nothing was to be done.
    pub tip: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// The proof for that tree; `None` where nothing was made now.
    pub pass: Option<GatePass>,
    /// The revision behind which it begins.
    pub from: String,
    /// The revision that the port equals with it.
    pub to: String,
    /// Items in it that wait for a person.
    pub parked: usize,
    /// What it is, for people; `None` where what was said of it before still holds.
    pub words: Option<Words>,
    /// Whether a rule lets it be merged without a person's word.
    pub may_automerge: bool,
}

/// Work, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The title of a pull request.
    pub title: String,
    /// Its text: the report in short, as Markdown that is escaped already.
    pub body: String,
    /// One line for the commit status.
    pub verdict: String,
    /// What `/tidelock explain` is answered with, as Markdown.
    pub explanation: String,
}

/// Makes work on a branch of the port.
pub trait Maker {
    /// A commit upon `base` that records what was declined, as configuration: the same for the same arguments. `base`
    /// itself where all of it is recorded there, or is behind its baseline.
    fn record_declined(&mut self, base: &CommitId, declined: &[Declined]) -> anyhow::Result<CommitId>;

    /// Whether it is known that this commit's tree passed the gate.
    fn knows(&mut self, commit: &CommitId) -> anyhow::Result<bool>;

    /// Gates a tree that nobody made here: the bot's branch with the base branch merged into it. What is wrong with it
    /// is given in words.
    fn gate(&mut self, tree: &TreeId, base: &CommitId) -> anyhow::Result<Result<GatePass, String>>;

    /// Follows the upstream on the bot's branch, from where it stands. `base` is where the base branch stands.
    fn make(&mut self, base: &CommitId, retry: bool) -> anyhow::Result<Made>;
}
