//! Two trees to the files that differ, with the package that each lies in.
//!
//! Folders that did not change are not entered. While going down it notes the nearest `Cargo.toml`, which is
//! at hand there and would have to be looked up otherwise.

use std::sync::Arc;

use gix::objs::tree::EntryKind;

use crate::repo::{shown_name, whole_message};

/// The deepest folder that is compared: hostile trees can be nested without end.
const DEPTH_MAX: usize = 256;
/// The most changed files of one revision that are listed.
const FILES_MAX: usize = 100_000;

/// One side of a changed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Side {
    /// The content.
    pub(super) id: gix::ObjectId,
    /// File, link or submodule.
    pub(super) kind: EntryKind,
}

/// A package as far as the tree tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackageFolder {
    /// The folder from the repository's root; empty for the root.
    pub(super) folder: String,
    /// The content of its `Cargo.toml`.
    pub(super) manifest: gix::ObjectId,
    /// Whether there is a `src/lib.rs`.
    pub(super) has_library: bool,
}

/// A file that differs between two trees.
#[derive(Debug, Clone)]
pub(super) struct FileDelta {
    /// From the repository's root.
    pub(super) path: String,
    /// As it was.
    pub(super) before: Option<Side>,
    /// As it is.
    pub(super) after: Option<Side>,
    /// The package around it.
    pub(super) package: Option<Arc<PackageFolder>>,
}

/// What differs, and what could not be listed.
#[derive(Debug, Default)]
pub(super) struct TreeDiff {
    /// The files, sorted by path.
    pub(super) files: Vec<FileDelta>,
    /// Folders that could not be read, with the reason.
    pub(super) unread: Vec<(String, String)>,
    /// Whether there were more than are listed.
    pub(super) truncated: bool,
}

/// Compares two trees; without an older one everything is new.
pub(super) fn compare(
    repo: &gix::Repository,
    before: Option<gix::ObjectId>,
    after: gix::ObjectId,
) -> TreeDiff {
    let mut comparison = Comparison { repo, found: TreeDiff::default() };
    comparison.folder("", before, Some(after), None, 0);
    comparison.found.files.sort_by(|one, other| one.path.cmp(&other.path));
    comparison.found
}

struct Comparison<'repo> {
    repo: &'repo gix::Repository,
    found: TreeDiff,
}

/// One entry of a folder.
struct Entry {
    name: Vec<u8>,
    kind: EntryKind,
    id: gix::ObjectId,
}

impl Comparison<'_> {
    fn folder(
        &mut self,
        path: &str,
        before: Option<gix::ObjectId>,
        after: Option<gix::ObjectId>,
        package: Option<Arc<PackageFolder>>,
        depth: usize,
    ) {
        if depth > DEPTH_MAX {
            self.found.unread.push((path.to_owned(), format!("it lies deeper than {DEPTH_MAX} folders")));
            return;
        }
        let (old, new) = (self.entries(path, before), self.entries(path, after));
        let here = self.package(path, if after.is_some() { &new } else { &old }).or(package);
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        loop {
            let (one, other) = match (old.peek(), new.peek()) {
                (None, None) => return,
                (Some(_), None) => (old.next(), None),
                (None, Some(_)) => (None, new.next()),
                (Some(one), Some(other)) => match one.name.cmp(&other.name) {
                    std::cmp::Ordering::Less => (old.next(), None),
                    std::cmp::Ordering::Greater => (None, new.next()),
                    std::cmp::Ordering::Equal => (old.next(), new.next()),
                },
            };
            self.entry(path, one, other, here.as_ref(), depth);
        }
    }

    fn entry(
        &mut self,
        folder: &str,
        before: Option<Entry>,
        after: Option<Entry>,
        package: Option<&Arc<PackageFolder>>,
        depth: usize,
    ) {
        if let (Some(one), Some(other)) = (&before, &after)
            && one.id == other.id
            && one.kind == other.kind
        {
            return;
        }
        let Some(name) =
            before.as_ref().or(after.as_ref()).map(|entry| shown_name(entry.name.as_slice().into()))
        else {
            return;
        };
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let tree = |entry: &Option<Entry>| {
            entry.as_ref().filter(|entry| entry.kind == EntryKind::Tree).map(|entry| entry.id)
        };
        let file = |entry: &Option<Entry>| {
            let entry = entry.as_ref().filter(|entry| entry.kind != EntryKind::Tree)?;
            Some(Side { id: entry.id, kind: entry.kind })
        };
        let (old_tree, new_tree) = (tree(&before), tree(&after));
        if old_tree.is_some() || new_tree.is_some() {
            self.folder(&path, old_tree, new_tree, package.cloned(), depth + 1);
        }
        let (before, after) = (file(&before), file(&after));
        if before.is_none() && after.is_none() {
            return;
        }
        if self.found.files.len() >= FILES_MAX {
            self.found.truncated = true;
            return;
        }
        self.found.files.push(FileDelta { path, before, after, package: package.cloned() });
    }

    /// The entries of a folder by name.
    fn entries(&mut self, path: &str, id: Option<gix::ObjectId>) -> Vec<Entry> {
        let Some(id) = id else { return Vec::new() };
        let mut entries = Vec::new();
        match self.repo.find_tree(id) {
            Ok(tree) => {
                for entry in tree.iter() {
                    match entry {
                        Ok(entry) => entries.push(Entry {
                            name: entry.filename().to_vec(),
                            kind: entry.mode().kind(),
                            id: entry.object_id(),
                        }),
                        Err(error) => {
                            self.found.unread.push((path.to_owned(), format!("tree {id}: {error}")));
                            break;
                        }
                    }
                }
            }
            Err(error) => {
                self.found.unread.push((path.to_owned(), format!("tree {id}: {}", whole_message(&error))));
            }
        }
        // Git orders folders as if their names ended in a slash; here a name meets its equal.
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries
    }

    fn package(&self, path: &str, entries: &[Entry]) -> Option<Arc<PackageFolder>> {
        let named = |name: &[u8]| {
            entries
                .binary_search_by(|entry| entry.name.as_slice().cmp(name))
                .ok()
                .and_then(|at| entries.get(at))
        };
        let manifest = named(b"Cargo.toml").filter(|entry| entry.kind != EntryKind::Tree)?;
        let sources = named(b"src").filter(|entry| entry.kind == EntryKind::Tree);
        let has_library = sources.is_some_and(|sources| {
            self.repo.find_tree(sources.id).is_ok_and(|tree| {
                tree.iter().any(|entry| entry.is_ok_and(|entry| entry.filename() == "lib.rs"))
            })
        });
        Some(Arc::new(PackageFolder { folder: path.to_owned(), manifest: manifest.id, has_library }))
    }
}
