//! Which revisions a history has, newest first.

use std::collections::BTreeMap;

use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use super::row::{HistoryRow, RowChanges};
use crate::ids::{CommitId, RevisionLabel};
use crate::repo::{HISTORY_COMMITS_MAX, RepoError, UpstreamRepo, commit_id, revision_of, whole_message};
use crate::revision::Revision;

/// Which part of a history.
#[derive(Debug, Clone)]
pub struct HistoryRange {
    /// The newest revision.
    pub to: CommitId,
    /// Everything that this one does not reach, where it is given.
    pub from: Option<CommitId>,
    /// At most so many revisions.
    pub last: Option<usize>,
    /// Which parents are followed.
    pub line: Line,
}

/// Which parents of a merge are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// All of them, as `git log` does: each revision has a row, and a merge's row holds only what it changed
    /// against all its parents.
    All,
    /// The first alone: a merge's row holds everything it brought in.
    FirstParent,
}

/// One revision that is to have a row.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The commit.
    pub(super) id: gix::ObjectId,
    /// Those it is compared with.
    pub(super) parents: Vec<gix::ObjectId>,
    /// How many it has.
    pub(super) parent_count: usize,
    /// What is known of it.
    pub(super) revision: Revision,
}

impl Step {
    pub(super) fn row(&self, changes: RowChanges) -> HistoryRow {
        HistoryRow { revision: self.revision.clone(), parents: self.parent_count, changes }
    }
}

/// The revisions of a range, newest first.
pub(super) fn revisions(repo: &UpstreamRepo, range: &HistoryRange) -> Result<Vec<Step>, RepoError> {
    let local = repo.local();
    let unreadable = |id: &CommitId, error: &dyn std::error::Error| RepoError::MissingObject {
        id: id.to_string(),
        reason: whole_message(error),
    };
    let to = object_id(&range.to)?;
    let mut walk = local.rev_walk([to]).sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
    if range.line == Line::FirstParent {
        walk = walk.first_parent_only();
    }
    if let Some(from) = &range.from {
        walk = walk.with_hidden([object_id(from)?]);
    }
    let shallow = local.shallow_commits().map_err(|error| RepoError::References(whole_message(&error)))?;
    let most = range.last.unwrap_or(HISTORY_COMMITS_MAX).min(HISTORY_COMMITS_MAX);
    let mut found = Vec::new();
    for info in walk.all().map_err(|error| unreadable(&range.to, &error))?.take(most) {
        let info = info.map_err(|error| unreadable(&range.to, &error))?;
        // A shallow repository names the commits whose parents it does not have.
        let is_root = shallow.as_ref().is_some_and(|shallow| shallow.contains(&info.id));
        let parents = if is_root { Vec::new() } else { info.parent_ids.iter().copied().collect() };
        found.push((info.id, parents));
    }
    if range.last.is_none() && found.len() == HISTORY_COMMITS_MAX {
        return Err(RepoError::HistoryTooLong { to: range.to.clone() });
    }
    let labels = repo.labels_among(&found.iter().map(|(id, _)| *id).collect())?;
    found.into_iter().map(|(id, parents)| step(&local, id, parents, range.line, &labels)).collect()
}

fn step(
    repo: &gix::Repository,
    id: gix::ObjectId,
    mut parents: Vec<gix::ObjectId>,
    line: Line,
    labels: &BTreeMap<CommitId, RevisionLabel>,
) -> Result<Step, RepoError> {
    let commit = repo
        .find_commit(id)
        .map_err(|error| RepoError::MissingObject { id: id.to_string(), reason: whole_message(&error) })?;
    let parent_count = parents.len();
    if line == Line::FirstParent {
        parents.truncate(1);
    }
    Ok(Step { id: commit.id, parents, parent_count, revision: revision_of(&commit, labels) })
}

fn object_id(commit: &CommitId) -> Result<gix::ObjectId, RepoError> {
    gix::ObjectId::from_hex(commit.as_str().as_bytes())
        .map_err(|error| RepoError::MissingObject { id: commit.to_string(), reason: error.to_string() })
}

impl Step {
    /// The commit, for the cache.
    pub(super) fn commit(&self) -> CommitId {
        commit_id(self.id)
    }
}
