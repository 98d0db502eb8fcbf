//! The files of one revision, read from git objects.

use std::collections::BTreeMap;

use gix::bstr::{BString, ByteSlice};
use gix::objs::tree::EntryKind as Mode;

use super::whole_message;
use crate::tree::{EntryKind, SourceTree, TreeEntry, TreeError};

/// The most paths that a revision may have.
pub(super) const TREE_ENTRIES_MAX: usize = 2_000_000;
/// The deepest folder that is read: hostile trees can be nested without end.
pub(super) const TREE_DEPTH_MAX: usize = 256;
/// The largest file that is read.
pub(super) const FILE_BYTES_MAX: u64 = 256 << 20;

/// The files of one commit.
pub struct RevisionTree {
    repo: gix::Repository,
    root: gix::ObjectId,
}

impl std::fmt::Debug for RevisionTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RevisionTree").field(&self.root).finish()
    }
}

/// One path with what only git knows of it.
pub(super) struct GitEntry {
    pub(super) mode: Mode,
    pub(super) id: gix::ObjectId,
}

impl SourceTree for RevisionTree {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |(path, entry): (String, GitEntry)| {
            let kind = match entry.mode {
                Mode::Blob | Mode::BlobExecutable => EntryKind::File,
                Mode::Link => EntryKind::Link,
                Mode::Commit => EntryKind::Submodule,
                Mode::Tree => return None,
            };
            Some(TreeEntry { path, kind, id: entry.id.to_hex().to_string() })
        };
        Ok(self.git_entries()?.into_iter().filter_map(entry).collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError> {
        let failed = |error: gix::Error| tree_error(path, whole_message(&error));
        if path.is_empty() {
            return Ok(None);
        }
        let tree = self.repo.find_tree(self.root).map_err(failed)?;
        match tree.lookup_entry(raw_path(path).split_str("/")).map_err(failed)? {
            Some(entry) => match entry.mode().kind() {
                Mode::Blob | Mode::BlobExecutable | Mode::Link => {
                    self.read_object(path, entry.object_id()).map(Some)
                }
                Mode::Tree | Mode::Commit => Ok(None),
            },
            None => Ok(None),
        }
    }
}

impl RevisionTree {
    /// The id of the content at a path, as [`SourceTree::entries`] has it; `None` where no file is there. Only the
    /// folders on the way are read.
    pub fn id_of(&self, path: &str) -> Result<Option<String>, TreeError> {
        let failed = |error: gix::Error| tree_error(path, whole_message(&error));
        if path.is_empty() {
            return Ok(None);
        }
        let tree = self.repo.find_tree(self.root).map_err(failed)?;
        let entry = tree.lookup_entry(raw_path(path).split_str("/")).map_err(failed)?;
        let file = entry.filter(|entry| entry.mode().is_blob());
        Ok(file.map(|entry| entry.object_id().to_hex().to_string()))
    }

    pub(super) fn new(repo: gix::Repository, root: gix::ObjectId) -> Self {
        Self { repo, root }
    }

    /// The content of the object behind a path.
    pub(super) fn read_object(&self, path: &str, id: gix::ObjectId) -> Result<Vec<u8>, TreeError> {
        let failed = |error: gix::Error| tree_error(path, format!("object {id}: {}", whole_message(&error)));
        let size = self.repo.find_header(id).map_err(failed)?.size();
        if size > FILE_BYTES_MAX {
            return Err(tree_error(path, format!("it has {size} bytes, more than {FILE_BYTES_MAX}")));
        }
        Ok(self.repo.find_blob(id).map_err(failed)?.take_data())
    }

    /// All paths that are not folders, sorted.
    pub(super) fn git_entries(&self) -> Result<BTreeMap<String, GitEntry>, TreeError> {
        let mut entries = BTreeMap::new();
        let mut folders = vec![(String::new(), self.root, 0_usize)];
        while let Some((folder, id, depth)) = folders.pop() {
            let failed = |reason: String| tree_error(&folder, format!("tree {id}: {reason}"));
            if depth > TREE_DEPTH_MAX {
                return Err(failed(format!("it lies deeper than {TREE_DEPTH_MAX} folders")));
            }
            let tree = self.repo.find_tree(id).map_err(|error| failed(whole_message(&error)))?;
            for entry in tree.iter() {
                let entry = entry.map_err(|error| failed(whole_message(&error)))?;
                let name = shown_name(entry.filename());
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if entry.mode().is_tree() {
                    folders.push((path, entry.object_id(), depth + 1));
                } else {
                    entries.insert(path, GitEntry { mode: entry.mode().kind(), id: entry.object_id() });
                }
                if entries.len() + folders.len() > TREE_ENTRIES_MAX {
                    return Err(failed(format!("the revision has more than {TREE_ENTRIES_MAX} paths")));
                }
            }
        }
        Ok(entries)
    }
}

/// A file name as text. Bytes that are not UTF-8 become `\xNN`, so that one odd name stops nothing.
pub(crate) fn shown_name(name: &gix::bstr::BStr) -> String {
    let mut shown = String::new();
    for chunk in name.utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            shown.push_str("\\x");
            shown.push_str(&hex::encode([*byte]));
        }
    }
    shown
}

/// The inverse of [`shown_name`] for bytes that are not ASCII; a name that really holds `\x41` stays as it is.
fn raw_path(path: &str) -> BString {
    let mut raw = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(character) = rest.chars().next() {
        let escaped = rest
            .strip_prefix("\\x")
            .and_then(|digits| digits.get(..2))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|byte| !byte.is_ascii());
        let used = if let Some(byte) = escaped {
            raw.push(byte);
            4
        } else {
            raw.extend(character.to_string().as_bytes());
            character.len_utf8()
        };
        rest = rest.get(used..).unwrap_or_default();
    }
    raw.into()
}

fn tree_error(path: &str, reason: String) -> TreeError {
    let path = if path.is_empty() { "/" } else { path };
    TreeError { path: path.to_owned(), reason }
}
