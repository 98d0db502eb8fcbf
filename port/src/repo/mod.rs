//! The port as a git repository: read trees, write trees and commits, move a branch by compare-and-swap.
//!
//! [`PortRepo`] never checks out over a person's work, never moves a branch that somebody else moved, and
//! never hands the repository itself to code that is not trusted: that code gets a [`Checkout`].

mod branch;
mod checkout;
mod diff;
mod error;
mod lock_cache;
mod path;
mod read;
mod series;
mod symbol_cache;
mod uses_cache;
mod worktree;
mod write;

use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryOpenFlags};
use upstream::{CommitId, TreeId};

pub use branch::{AdvanceError, BranchHead, is_branch_name};
pub use checkout::{Checkout, sweep_checkouts};
pub use diff::DIFF_BYTES_MAX;
pub use error::RepoError;
pub use lock_cache::LockCache;
pub use path::{BadPath, check_path};
pub use read::{CommitInfo, FILES_MAX, SOURCE_BYTES_MAX};
pub use series::{Merged, SERIES_MAX, SeriesCommit};
pub use symbol_cache::SymbolCache;
pub use uses_cache::UsesCache;
pub use worktree::{RefreshError, WorktreeState};
pub use write::{Author, NewCommit};

/// The most entries of trees that one operation visits.
const ENTRIES_MAX: usize = 1_000_000;

/// The repository of a port, bare or with a working tree.
pub struct PortRepo {
    path: PathBuf,
    git: Repository,
}

impl std::fmt::Debug for PortRepo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PortRepo").field("path", &self.path).finish_non_exhaustive()
    }
}

impl PortRepo {
    /// Opens the repository at exactly this path; folders above it are not searched.
    pub fn open(path: &Path) -> Result<Self, RepoError> {
        let no_ceiling: [&Path; 0] = [];
        let git =
            Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, no_ceiling).map_err(|source| {
                RepoError::NotARepository { path: path.to_owned(), reason: source.message().to_owned() }
            })?;
        Ok(Self { path: path.to_owned(), git })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name under which its user commits, where git has been told one.
    pub fn user_name(&self) -> Option<String> {
        let config = self.git.config().and_then(|mut config| config.snapshot());
        config.ok()?.get_string("user.name").ok().filter(|name| !name.trim().is_empty())
    }

    fn tree(&self, id: &TreeId) -> Result<git2::Tree<'_>, RepoError> {
        let missing = |source: git2::Error| missing_or_git(source, "tree", id.as_str());
        self.git.find_tree(oid(id.as_str(), "tree")?).map_err(missing)
    }

    fn commit(&self, id: &CommitId) -> Result<git2::Commit<'_>, RepoError> {
        let missing = |source: git2::Error| missing_or_git(source, "commit", id.as_str());
        self.git.find_commit(oid(id.as_str(), "commit")?).map_err(missing)
    }
}

fn oid(id: &str, kind: &'static str) -> Result<Oid, RepoError> {
    Oid::from_str(id).map_err(|_invalid| RepoError::MissingObject { kind, id: id.to_owned() })
}

fn missing_or_git(source: git2::Error, kind: &'static str, id: &str) -> RepoError {
    if source.code() == ErrorCode::NotFound {
        RepoError::MissingObject { kind, id: id.to_owned() }
    } else {
        RepoError::Git { action: "read an object", source }
    }
}

fn tree_id(id: Oid) -> Result<TreeId, RepoError> {
    TreeId::new(id.to_string()).map_err(RepoError::from)
}

fn commit_id(id: Oid) -> Result<CommitId, RepoError> {
    CommitId::new(id.to_string()).map_err(RepoError::from)
}

/// What an entry of a tree is, as git stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Folder,
    File { executable: bool },
    Link,
    Submodule,
}

fn mode_of(entry: &git2::TreeEntry<'_>) -> Mode {
    match (entry.kind(), entry.filemode()) {
        (Some(ObjectType::Tree), _) => Mode::Folder,
        (_, 0o120_000) => Mode::Link,
        (_, 0o160_000) => Mode::Submodule,
        (_, mode) => Mode::File { executable: mode & 0o111 != 0 },
    }
}

#[cfg(test)]
mod tests;
