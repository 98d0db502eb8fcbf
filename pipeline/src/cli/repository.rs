//! Commands that work on any git repository: how it is opened, and what is said when it cannot be read.

use std::path::Path;

use anyhow::anyhow;
use upstream::repo::RepoError;
use upstream::snapshot::SnapshotError;
use upstream::{Revision, UpstreamRepo};

use super::{CliError, Context};

/// Opens the repository at a path, or the one that the command runs in, as git finds it: from any of its folders.
pub(super) fn open(context: &Context, repo: Option<&Path>) -> Result<UpstreamRepo, CliError> {
    let around = || context.directory.ancestors().find(|folder| folder.join(".git").exists());
    let path = repo.or_else(around).unwrap_or(&context.directory);
    UpstreamRepo::open(path).map_err(unreadable)
}

/// The revision of this name, or what is checked out.
pub(super) fn revision(repo: &UpstreamRepo, text: Option<&str>) -> Result<Revision, CliError> {
    match text.filter(|text| *text != "HEAD") {
        Some(text) => repo.resolve(text),
        None => repo.head().and_then(|head| repo.revision(&head)),
    }
    .map_err(unreadable)
}

/// Which exit code an unreadable repository leads to, and what to do about it.
pub(super) fn unreadable(error: RepoError) -> CliError {
    match error {
        RepoError::NotARepository { .. } => {
            CliError::usage(anyhow!(error)).hint("give a git repository with `--repo PATH`")
        }
        RepoError::UnknownRevision { .. }
        | RepoError::AmbiguousRevision { .. }
        | RepoError::UnsupportedObjects { .. }
        | RepoError::UnsupportedReferences { .. } => CliError::usage(anyhow!(error)),
        RepoError::MissingObject { .. }
        | RepoError::References(_)
        | RepoError::NotAnAncestor { .. }
        | RepoError::HistoryTooLong { .. } => CliError::from(anyhow!(error)),
    }
}

/// The same where the files of one revision cannot be read.
pub(super) fn unreadable_tree(error: SnapshotError) -> CliError {
    CliError::from(anyhow!(error)).hint(
        "where the clone was made without some of its objects (`--filter`, `--depth`), bring them: \
         `git fetch --refetch --no-filter` or `git fetch --unshallow`",
    )
}
