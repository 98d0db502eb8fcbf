//! What a poll found.

use std::fmt;

use crate::ids::{CommitId, RevisionLabel};
use crate::revision::Revision;

/// What a poll found. It depends on the mirror and on `since` only: ask again and it says the same, so
/// that nothing is lost when the process ends between a poll and what was to follow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Poll {
    /// The revisions behind `since` (all where it was not given), oldest first, without withdrawn ones.
    pub new: Vec<Revision>,
    /// The withdrawn revisions from `since` on, `since` itself among them, oldest first.
    pub withdrawn: Vec<Revision>,
    /// What happened upstream that nobody should follow blindly.
    pub notices: Vec<Notice>,
}

/// What a look at the upstream found, without fetching anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Whether the upstream differs from what the last poll saw there; true before the first poll.
    pub changed: bool,
    /// The newest revision that the last poll saw, withdrawn ones left out.
    pub newest: Option<(RevisionLabel, CommitId)>,
    /// What the last poll said that nobody should follow blindly, for people.
    pub notices: Vec<String>,
}

impl Glance {
    /// Whether a port that equals this revision has nothing to do.
    pub fn is_up_to_date(&self, baseline: &RevisionLabel) -> bool {
        !self.changed
            && self.newest.as_ref().is_some_and(|(label, commit)| {
                label == baseline || crate::repo::begins_with(commit, baseline.as_str())
            })
    }
}

/// Something that the upstream did to its own past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A forced push: the branch no longer holds what it held. The mirror stays on the old history until
    /// [`Mirror::accept_rewrite`](super::Mirror::accept_rewrite).
    BranchRewritten {
        /// The branch.
        branch: String,
        /// Where the mirror is.
        had: CommitId,
        /// Where the upstream is.
        has: CommitId,
        /// The newest commit that both first-parent histories hold.
        common_ancestor: Option<CommitId>,
        /// How many revisions of the mirror's history the upstream threw away.
        lost: usize,
    },
    /// The branch is gone.
    BranchDeleted {
        /// The branch.
        branch: String,
        /// Where the mirror is.
        had: CommitId,
    },
    /// The remote's default branch is another one now; the mirror still follows the former.
    DefaultBranchChanged {
        /// The branch that is followed.
        had: String,
        /// The branch that the remote names now.
        has: String,
    },
    /// A tag points at another commit; the mirror keeps the former.
    TagMoved {
        /// The tag.
        tag: String,
        /// The commit in the mirror.
        had: CommitId,
        /// The object that the upstream's tag names now.
        has: String,
    },
    /// A followed tag is gone: its revision counts as withdrawn.
    TagDeleted {
        /// The tag.
        tag: String,
        /// The commit in the mirror.
        had: CommitId,
    },
    /// A release has another checksum than when it was first seen; the mirror keeps the former.
    ReleaseReplaced {
        /// The release.
        label: RevisionLabel,
        /// The SHA-256 that was seen first.
        had: String,
        /// The SHA-256 that the index has now.
        has: String,
    },
    /// A release is no longer in the index: its revision counts as withdrawn.
    ReleaseDeleted {
        /// The release.
        label: RevisionLabel,
    },
    /// A withdrawn release cannot be downloaded any more, and the mirror does not have it.
    WithdrawnReleaseUnavailable {
        /// The release.
        label: RevisionLabel,
        /// Why.
        reason: String,
    },
}

impl Notice {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BranchRewritten { .. } => "branch-rewritten",
            Self::BranchDeleted { .. } => "branch-deleted",
            Self::DefaultBranchChanged { .. } => "default-branch-changed",
            Self::TagMoved { .. } => "tag-moved",
            Self::TagDeleted { .. } => "tag-deleted",
            Self::ReleaseReplaced { .. } => "release-replaced",
            Self::ReleaseDeleted { .. } => "release-deleted",
            Self::WithdrawnReleaseUnavailable { .. } => "withdrawn-release-unavailable",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BranchRewritten { branch, had, has, common_ancestor, lost } => {
                write!(
                    f,
                    "branch `{branch}` was rewritten upstream: {had} is no longer in the history of {has}"
                )?;
                match common_ancestor {
                    Some(common) => {
                        write!(f, "; they part after {common}, {lost} revisions were thrown away")
                    }
                    None => write!(f, "; they have nothing in common"),
                }
            }
            Self::BranchDeleted { branch, had } => {
                write!(f, "branch `{branch}` was deleted upstream; the mirror keeps it at {had}")
            }
            Self::DefaultBranchChanged { had, has } => {
                write!(f, "the default branch upstream is `{has}` now; `{had}` is still followed")
            }
            Self::TagMoved { tag, had, has } => {
                write!(f, "tag `{tag}` was moved upstream from {had} to {has}; the mirror keeps {had}")
            }
            Self::TagDeleted { tag, had } => {
                write!(f, "tag `{tag}` was deleted upstream; the mirror keeps it at {had}")
            }
            Self::ReleaseReplaced { label, had, has } => {
                write!(f, "release {label} had checksum {had} and has {has} now; the mirror keeps the former")
            }
            Self::ReleaseDeleted { label } => write!(f, "release {label} is no longer in the registry"),
            Self::WithdrawnReleaseUnavailable { label, reason } => {
                write!(f, "the withdrawn release {label} cannot be downloaded: {reason}")
            }
        }
    }
}

/// Hears what a poll is at. Every method does nothing unless it is written.
pub trait SourceProgress: Sync {
    /// The source is asked what there is.
    fn asking(&self, _source: &str) {}
    /// Commits are being fetched.
    fn fetching(&self, _source: &str) {}
    /// So many bytes have come, where that can be told: once for each mebibyte.
    fn received(&self, _source: &str, _bytes: u64) {}
    /// Another process polls this mirror at this moment, and is waited for.
    fn waiting(&self, _source: &str) {}
    /// A release is being downloaded, the `nth` (from 1) of `of`.
    fn downloading(&self, _label: &RevisionLabel, _nth: usize, _of: usize) {}
}

/// Hears nothing.
impl SourceProgress for () {}
