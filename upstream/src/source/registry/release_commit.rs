//! Makes a commit of a release's files. The same release is the same commit on every machine: no clock, no
//! name of a person, and no date of the index, which mirrors of a registry may lack, go into it.

use std::collections::BTreeMap;

use gix::objs::tree::EntryKind;

use super::unpack::{ArchiveFile, ArchiveFileKind};
use crate::ids::CommitId;
use crate::repo::commit_id;
use crate::source::SourceError;
use crate::source::refs::broken;

const AUTHOR: &str = "registry";

/// Writes files, folders and a commit without parents, in this order, so that a commit is never incomplete.
pub(super) fn write(
    repo: &gix::Repository,
    files: &BTreeMap<String, ArchiveFile>,
    title: &str,
    checksum: &str,
) -> Result<CommitId, SourceError> {
    let failed = |error: gix::Error| broken(repo, &error);
    let mut tree = repo.edit_tree(gix::ObjectId::empty_tree(repo.object_hash())).map_err(failed)?;
    for (path, file) in files {
        let kind = match file.kind {
            ArchiveFileKind::Regular => EntryKind::Blob,
            ArchiveFileKind::Executable => EntryKind::BlobExecutable,
            ArchiveFileKind::Link => EntryKind::Link,
        };
        let blob = repo.write_blob(&file.content).map_err(failed)?;
        tree.upsert(path, kind, blob).map_err(failed)?;
    }
    let nobody =
        gix::actor::Signature { name: AUTHOR.into(), email: "".into(), time: gix::date::Time::new(0, 0) };
    let commit = gix::objs::Commit {
        tree: tree.write().map_err(failed)?.detach(),
        parents: std::iter::empty().collect(),
        author: nobody.clone(),
        committer: nobody,
        encoding: None,
        message: format!("{title}\n\nchecksum: {checksum}\n").into(),
        extra_headers: Vec::new(),
    };
    Ok(commit_id(repo.write_object(&commit).map_err(failed)?.detach()))
}
