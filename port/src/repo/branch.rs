//! Branches: where one stands, and moving it only from where it is known to stand.

use git2::{BranchType, ErrorCode, Oid, Reference};
use upstream::{CommitId, TreeId};

use super::error::{RepoError, git};
use super::{PortRepo, commit_id, oid, tree_id};

/// How many branches an error names.
const BRANCHES_SHOWN: usize = 10;

/// Where a branch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchHead {
    /// Its commit.
    pub commit: CommitId,
    /// The commit's tree.
    pub tree: TreeId,
}

/// Why a branch was not moved. It stands where it stood.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Somebody else moved it.
    #[error("the branch `{branch}` is at {} and not where it was: begin again from there", found.as_ref().map_or("no commit", CommitId::as_str))]
    Moved {
        /// The branch.
        branch: String,
        /// Where it is; `None` where it is gone.
        found: Option<CommitId>,
    },
    /// Somebody else is moving it at this moment.
    #[error(
        "the branch `{branch}` is locked by another process: try again, or remove `refs/heads/{branch}.lock` if no git runs"
    )]
    Locked {
        /// The branch.
        branch: String,
    },
    /// The new commit does not come after the old one.
    #[error("{to} is not a descendant of {from}: the branch `{branch}` would lose commits")]
    NotADescendant {
        /// The branch.
        branch: String,
        /// Where it is.
        from: CommitId,
        /// Where it should have gone.
        to: CommitId,
    },
    /// Somebody has it checked out, and what they see would change under their hands.
    #[error("the branch `{branch}` is checked out in the port: switch to another one")]
    CheckedOut {
        /// The branch.
        branch: String,
    },
    /// The repository could not be read or written.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

impl PortRepo {
    /// Where a branch stands.
    pub fn head(&self, branch: &str) -> Result<BranchHead, RepoError> {
        let id = self.tip(branch)?;
        let commit = self.git.find_commit(id).map_err(git("read the branch's commit"))?;
        Ok(BranchHead { commit: commit_id(id)?, tree: tree_id(commit.tree_id())? })
    }

    /// Moves a branch from one commit to a later one, if it still stands at the first.
    pub fn advance(&self, branch: &str, from: &CommitId, to: &CommitId) -> Result<(), AdvanceError> {
        let (old, new) = (self.commit(from)?.id(), self.commit(to)?.id());
        let descends = self.git.graph_descendant_of(new, old).map_err(git("compare two commits"))?;
        if !descends {
            let (branch, from, to) = (branch.to_owned(), from.clone(), to.clone());
            return Err(AdvanceError::NotADescendant { branch, from, to });
        }
        self.move_branch(branch, old, new, "tidelock: land")
    }

    /// Moves a branch that stands at `old` and nowhere else.
    pub(super) fn move_branch(
        &self,
        branch: &str,
        old: Oid,
        new: Oid,
        reason: &str,
    ) -> Result<(), AdvanceError> {
        let name = ref_name(branch)?;
        // libgit2 would make a branch that is gone anew, so its place is looked at before.
        let found = self.tip_if_any(&name)?;
        if found != Some(old) {
            return Err(moved(branch, found)?);
        }
        match self.git.reference_matching(&name, new, true, old, reason) {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::NotFound) => {
                Err(moved(branch, self.tip_if_any(&name)?)?)
            }
            Err(error) if error.code() == ErrorCode::Locked => {
                Err(AdvanceError::Locked { branch: branch.to_owned() })
            }
            Err(source) => Err(RepoError::Git { action: "move the branch", source }.into()),
        }
    }

    /// Makes a branch that is not there yet. One that is there already, at this commit, is left alone.
    pub fn create_branch(&self, branch: &str, at: &CommitId) -> Result<(), AdvanceError> {
        let name = ref_name(branch)?;
        let id = self.commit(at)?.id();
        match self.git.reference(&name, id, false, "tidelock: create") {
            Ok(_) => Ok(()),
            Err(error) if error.code() == ErrorCode::Exists => {
                let found = self.tip_if_any(&name)?;
                if found == Some(id) { Ok(()) } else { Err(moved(branch, found)?) }
            }
            Err(error) if error.code() == ErrorCode::Locked => {
                Err(AdvanceError::Locked { branch: branch.to_owned() })
            }
            Err(source) => Err(RepoError::Git { action: "make the branch", source }.into()),
        }
    }

    /// Whether a commit comes after another one, or is that one.
    pub fn descends(&self, later: &CommitId, earlier: &CommitId) -> Result<bool, RepoError> {
        let (later, earlier) = (oid(later.as_str(), "commit")?, oid(earlier.as_str(), "commit")?);
        Ok(later == earlier
            || self.git.graph_descendant_of(later, earlier).map_err(git("compare two commits"))?)
    }

    fn tip(&self, branch: &str) -> Result<Oid, RepoError> {
        let name = ref_name(branch)?;
        if let Some(tip) = self.tip_if_any(&name)? {
            return Ok(tip);
        }
        if self.checked_out()?.as_deref() == Some(name.as_str()) {
            return Err(RepoError::UnbornBranch { branch: branch.to_owned() });
        }
        Err(RepoError::UnknownBranch { branch: branch.to_owned(), known: self.branches()? })
    }

    pub(super) fn tip_if_any(&self, name: &str) -> Result<Option<Oid>, RepoError> {
        match self.git.find_reference(name) {
            Ok(reference) => {
                let commit = reference.peel_to_commit().map_err(git("read the branch's commit"))?;
                Ok(Some(commit.id()))
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(RepoError::Git { action: "read the branch", source }),
        }
    }

    /// The branch that is checked out, whether it has a commit or not; `None` for a detached `HEAD`.
    pub fn checked_out_branch(&self) -> Result<Option<String>, RepoError> {
        Ok(self.checked_out()?.and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned)))
    }

    /// The full name of the branch that `HEAD` names, whether it has a commit or not.
    pub(super) fn checked_out(&self) -> Result<Option<String>, RepoError> {
        let head = self.git.find_reference("HEAD").map_err(git("read HEAD"))?;
        let target = head.symbolic_target().map_err(git("read HEAD"))?;
        Ok(target.map(str::to_owned))
    }

    fn branches(&self) -> Result<Vec<String>, RepoError> {
        let branches = self.git.branches(Some(BranchType::Local)).map_err(git("list the branches"))?;
        let mut names = Vec::new();
        for branch in branches {
            let (branch, _) = branch.map_err(git("list the branches"))?;
            names.push(String::from_utf8_lossy(branch.get().shorthand_bytes()).into_owned());
        }
        names.sort();
        names.truncate(BRANCHES_SHOWN);
        Ok(names)
    }
}

/// Whether git takes this as the name of a branch.
pub fn is_branch_name(name: &str) -> bool {
    ref_name(name).is_ok()
}

pub(super) fn ref_name(branch: &str) -> Result<String, RepoError> {
    let name = format!("refs/heads/{branch}");
    if branch.is_empty() || branch.starts_with('-') || !Reference::is_valid_name(&name) {
        return Err(RepoError::BadBranchName { branch: branch.to_owned() });
    }
    Ok(name)
}

pub(super) fn moved(branch: &str, found: Option<Oid>) -> Result<AdvanceError, RepoError> {
    Ok(AdvanceError::Moved { branch: branch.to_owned(), found: found.map(commit_id).transpose()? })
}
