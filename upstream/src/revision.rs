//! A revision: one state of the upstream that the port can equal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CommitId, RevisionLabel};

/// An upstream commit, or a release in a registry, which the mirror also holds as a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// What people call it.
    pub label: RevisionLabel,
    /// The commit in the local mirror. The same revision has the same commit on every machine.
    pub commit: CommitId,
    /// The first line of its message; for a release, the crate and version.
    pub summary: String,
    /// When it was made or published, in seconds since the Unix epoch, where that is known.
    pub published_s: Option<i64>,
    /// Taken back by its authors (a yanked release): noticed, reported and passed by, never synced to.
    pub withdrawn: bool,
}
