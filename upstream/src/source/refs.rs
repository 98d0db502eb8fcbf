//! The references of a mirror.
//!
//! `refs/heads` and `refs/tags` hold what was accepted, and move only forward; `refs/incoming` holds what
//! the remote had last. A tag of the mirror points at the commit itself, also where the remote's is annotated.

use std::collections::BTreeMap;
use std::path::Path;

use gix::bstr::ByteSlice;
use gix::refs::transaction::{PreviousValue, RefEdit};

use super::SourceError;
use crate::ids::CommitId;
use crate::repo::{commit_id, whole_message};

/// How deep reference names are nested at most, where stale lock files are looked for.
const FOLDERS_DEEP_MAX: usize = 32;

/// The commit that a reference of the mirror points at, if it is there.
pub(super) fn get(repo: &gix::Repository, name: &str) -> Result<Option<CommitId>, SourceError> {
    let broken = |error: &dyn std::error::Error| broken(repo, error);
    let Some(mut reference) = repo.try_find_reference(name).map_err(|error| broken(&error))? else {
        return Ok(None);
    };
    let commit = reference.peel_to_commit().map_err(|error| broken(&error))?;
    Ok(Some(commit_id(commit.id)))
}

/// The mirror's tags by name, and what they point at. No object is read.
pub(super) fn tags(repo: &gix::Repository) -> Result<BTreeMap<String, gix::ObjectId>, SourceError> {
    let unreadable = |error: gix::Error| broken(repo, &error);
    let mut tags = BTreeMap::new();
    for reference in repo.references().map_err(unreadable)?.tags().map_err(unreadable)? {
        let reference = reference.map_err(|error| SourceError::BrokenMirror {
            path: repo.git_dir().to_owned(),
            reason: error.to_string(),
        })?;
        let name = reference.name().as_bstr().to_str_lossy().into_owned();
        if let (Some(short), Some(id)) = (name.strip_prefix("refs/tags/"), reference.try_id()) {
            tags.insert(short.to_owned(), id.detach());
        }
    }
    Ok(tags)
}

/// Makes a reference of the mirror point at a commit.
pub(super) fn set(repo: &gix::Repository, name: &str, commit: &CommitId) -> Result<(), SourceError> {
    set_all(repo, &[(name.to_owned(), commit.clone())])
}

/// Makes references of the mirror point at commits.
pub(super) fn set_all(repo: &gix::Repository, named: &[(String, CommitId)]) -> Result<(), SourceError> {
    let broken = |error: &dyn std::error::Error| broken(repo, error);
    let mut edits = Vec::new();
    for (name, commit) in named {
        let full = gix::refs::FullName::try_from(name.as_str()).map_err(|error| broken(&error))?;
        let id = gix::ObjectId::from_hex(commit.as_str().as_bytes()).map_err(|error| broken(&error))?;
        edits.push(RefEdit::update(full, id, PreviousValue::Any, "tidelock"));
    }
    // The mirror is opened without reference logs, so nobody has to be named for them.
    repo.edit_references_as(edits, None).map_err(|error| broken(&error))?;
    Ok(())
}

/// Removes the locks that a killed process left behind. Call it only while nobody else can poll.
pub(super) fn remove_stale_locks(directory: &Path) -> Result<(), SourceError> {
    let mut folders = vec![(directory.join("refs"), 0)];
    remove_lock(&directory.join("packed-refs.lock"))?;
    remove_lock(&directory.join("HEAD.lock"))?;
    while let Some((folder, depth)) = folders.pop() {
        let failed = |source| SourceError::Io { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                if depth < FOLDERS_DEEP_MAX {
                    folders.push((path, depth + 1));
                }
            } else if path.extension().is_some_and(|extension| extension == "lock") {
                remove_lock(&path)?;
            }
        }
    }
    Ok(())
}

/// The error for a mirror that does not do what a repository must.
pub(super) fn broken(repo: &gix::Repository, error: &dyn std::error::Error) -> SourceError {
    SourceError::BrokenMirror { path: repo.git_dir().to_owned(), reason: whole_message(error) }
}

fn remove_lock(path: &Path) -> Result<(), SourceError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SourceError::Io { path: path.to_owned(), source: error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
