//! Why the port's repository could not be read or written.

use std::path::PathBuf;

use upstream::ids::InvalidId;

use super::path::BadPath;

/// Why the port's repository could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// There is no repository at the path.
    #[error("`{path}` is no git repository ({reason}): give the folder that holds `.git`, or a bare repository", path = path.display())]
    NotARepository {
        /// The path.
        path: PathBuf,
        /// What libgit2 said.
        reason: String,
    },
    /// No branch of this name can be.
    #[error("`{branch}` is no valid branch name")]
    BadBranchName {
        /// The name.
        branch: String,
    },
    /// There is no branch of this name.
    #[error("there is no branch `{branch}`; there are: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    UnknownBranch {
        /// The name.
        branch: String,
        /// The first of those that are there, sorted.
        known: Vec<String>,
    },
    /// The branch is checked out and has no commit yet.
    #[error("the branch `{branch}` has no commit yet: commit the port first")]
    UnbornBranch {
        /// The branch.
        branch: String,
    },
    /// An object is not in the repository.
    #[error("there is no {kind} `{id}` in the repository")]
    MissingObject {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// A path that leads out of the port.
    #[error(transparent)]
    BadPath(#[from] BadPath),
    /// Something else stands where a file or folder is to be.
    #[error("`{path}` cannot be written: {reason}")]
    PathConflict {
        /// The path.
        path: String,
        /// What is in the way.
        reason: &'static str,
    },
    /// A file that is to go is not there.
    #[error("`{path}` cannot be removed: it is not in the tree")]
    NotThere {
        /// The path.
        path: String,
    },
    /// A path of a tree is no regular file.
    #[error("`{path}` is {what}, not a file")]
    NotAFile {
        /// The path.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// A tree is larger than what is read.
    #[error("the tree has more than {max} entries")]
    TooManyEntries {
        /// The bound.
        max: usize,
    },
    /// A difference is larger than what is shown.
    #[error("the difference is larger than {max} bytes: ask for fewer files")]
    DiffTooLarge {
        /// The bound.
        max: usize,
    },
    /// A file of a checkout or of the working tree could not be read or written.
    #[error("cannot {action} `{path}`: {source}", path = path.display())]
    File {
        /// What was to be done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The repository was made of ids that are none.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// Anything else that libgit2 refused.
    #[error("cannot {action}: {}", source.message())]
    Git {
        /// What was to be done.
        action: &'static str,
        /// Why not.
        source: git2::Error,
    },
}

/// Names what was to be done when libgit2 refused it.
pub(super) fn git(action: &'static str) -> impl FnOnce(git2::Error) -> RepoError {
    move |source| RepoError::Git { action, source }
}
