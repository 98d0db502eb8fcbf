//! Series of commits that are proposed to somebody: reading them, merging beneath them, and beginning them anew.

use git2::{ErrorCode, Sort};
use upstream::{CommitId, TreeId};

use super::branch::ref_name;
use super::error::{RepoError, git};
use super::{AdvanceError, PortRepo, commit_id, oid, tree_id};

/// The most commits that a series may have.
pub const SERIES_MAX: usize = 10_000;
/// How many conflicting files are named.
const CONFLICTS_SHOWN: usize = 20;

/// A commit of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesCommit {
    /// Its id.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// Its message. Bytes that are no UTF-8 are replaced.
    pub message: String,
    /// The address of whoever wrote it.
    pub author_email: String,
    /// The address of whoever committed it: another one once somebody amended or rebased it.
    pub committer_email: String,
}

/// What merging two commits comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// A tree. Nobody has tested it.
    Tree(TreeId),
    /// Both sides changed the same places of these files, sorted.
    Conflicts(Vec<String>),
}

impl PortRepo {
    /// The commits that are in `to` and not in `from`, oldest first.
    pub fn series(&self, from: &CommitId, to: &CommitId) -> Result<Vec<SeriesCommit>, RepoError> {
        let mut walk = self.git.revwalk().map_err(git("walk the history"))?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(git("walk the history"))?;
        walk.push(oid(to.as_str(), "commit")?).map_err(git("walk the history"))?;
        walk.hide(oid(from.as_str(), "commit")?).map_err(git("walk the history"))?;
        let mut commits = Vec::new();
        for id in walk {
            if commits.len() >= SERIES_MAX {
                return Err(RepoError::TooManyEntries { max: SERIES_MAX });
            }
            let id = id.map_err(git("walk the history"))?;
            let commit = self.git.find_commit(id).map_err(git("read a commit"))?;
            let email = |who: &git2::Signature<'_>| String::from_utf8_lossy(who.email_bytes()).into_owned();
            commits.push(SeriesCommit {
                id: commit_id(id)?,
                tree: tree_id(commit.tree_id())?,
                message: String::from_utf8_lossy(commit.message_raw_bytes()).into_owned(),
                author_email: email(&commit.author()),
                committer_email: email(&commit.committer()),
            });
        }
        Ok(commits)
    }

    /// Where a reference stands, by its full name, such as `refs/remotes/origin/main`.
    pub fn reference(&self, name: &str) -> Result<Option<CommitId>, RepoError> {
        match self.git.find_reference(name) {
            Ok(found) => {
                let commit = found.peel_to_commit().map_err(git("read a reference"))?;
                Ok(Some(commit_id(commit.id())?))
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(RepoError::Git { action: "read a reference", source }),
        }
    }

    /// Whether a commit is here.
    pub fn has_commit(&self, id: &CommitId) -> bool {
        self.commit(id).is_ok()
    }

    /// Merges two commits in memory: no branch and no file is touched.
    pub fn merge_trees(&self, ours: &CommitId, theirs: &CommitId) -> Result<Merged, RepoError> {
        let (ours, theirs) = (self.commit(ours)?, self.commit(theirs)?);
        let mut index = self.git.merge_commits(&ours, &theirs, None).map_err(git("merge two commits"))?;
        if index.has_conflicts() {
            let mut files: Vec<String> = Vec::new();
            for conflict in index.conflicts().map_err(git("read the conflicts"))? {
                let conflict = conflict.map_err(git("read the conflicts"))?;
                let side = conflict.our.or(conflict.their).or(conflict.ancestor);
                files.extend(side.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()));
            }
            files.sort();
            files.dedup();
            files.truncate(CONFLICTS_SHOWN);
            return Ok(Merged::Conflicts(files));
        }
        let tree = index.write_tree_to(&self.git).map_err(git("write a merged tree"))?;
        Ok(Merged::Tree(tree_id(tree)?))
    }

    /// Puts a branch to another commit, wherever that is, if it still stands where it is known to stand (`None`: if
    /// there is no such branch). What it held before is in the reflog. A branch that is checked out is refused.
    pub fn reset_branch(
        &self,
        branch: &str,
        from: Option<&CommitId>,
        to: &CommitId,
    ) -> Result<(), AdvanceError> {
        let Some(from) = from else { return self.create_branch(branch, to) };
        let name = ref_name(branch)?;
        if self.checked_out()?.as_deref() == Some(name.as_str()) {
            return Err(AdvanceError::CheckedOut { branch: branch.to_owned() });
        }
        let (old, new) = (oid(from.as_str(), "commit")?, self.commit(to)?.id());
        self.move_branch(branch, old, new, "tidelock: begin anew")
    }
}
