//! Two trees to the files that differ, with the package that each lies in.
//!
//! Folders that did not change are not entered. While going down it notes the nearest `Cargo.toml`, which is
//! at hand there and would have to be looked up otherwise.

use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use gix::objs::TreeRefIter;
use gix::objs::tree::EntryKind;

use crate::repo::{ObjectReader, shown_name};

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
    objects: &mut ObjectReader,
    before: Option<gix::ObjectId>,
    after: gix::ObjectId,
) -> TreeDiff {
    let mut comparison = Comparison { objects, found: TreeDiff::default() };
    comparison.folder("", before, Some(after), None, 0);
    comparison.found.files.sort_by(|one, other| one.path.cmp(&other.path));
    comparison.found
}

struct Comparison<'reader> {
    objects: &'reader mut ObjectReader,
    found: TreeDiff,
}

/// One entry of a folder.
#[derive(Clone, Copy)]
struct Entry<'tree> {
    name: &'tree [u8],
    kind: EntryKind,
    id: gix::ObjectId,
}

impl Entry<'_> {
    fn is_tree(&self) -> bool {
        self.kind == EntryKind::Tree
    }
}

impl Comparison<'_> {
    fn folder(
        &mut self,
        path: &str,
        before: Option<gix::ObjectId>,
        after: Option<gix::ObjectId>,
        package: Option<&Arc<PackageFolder>>,
        depth: usize,
    ) {
        if depth > DEPTH_MAX {
            self.found.unread.push((path.to_owned(), format!("it lies deeper than {DEPTH_MAX} folders")));
            return;
        }
        let (old, new) = (self.tree(path, before), self.tree(path, after));
        let here = self.package(path, new.as_ref().or(old.as_ref()));
        let package = here.as_ref().or(package);
        let hash = self.objects.repo().object_hash();
        let (mut old_entries, mut new_entries) = (entries(old.as_ref(), hash), entries(new.as_ref(), hash));
        let (mut one, mut other) = (old_entries.next(), new_entries.next());
        loop {
            let order = match (&one, &other) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => in_git_order(one, other),
            };
            let before = if order == Ordering::Greater { None } else { one };
            let after = if order == Ordering::Less { None } else { other };
            self.entry(path, before, after, package, depth);
            if order != Ordering::Greater {
                one = old_entries.next();
            }
            if order != Ordering::Less {
                other = new_entries.next();
            }
        }
    }

    /// One name on both sides, or on one of them.
    fn entry(
        &mut self,
        folder: &str,
        before: Option<Entry<'_>>,
        after: Option<Entry<'_>>,
        package: Option<&Arc<PackageFolder>>,
        depth: usize,
    ) {
        let Some(either) = before.or(after) else { return };
        if let (Some(one), Some(other)) = (&before, &after)
            && one.id == other.id
            && one.kind == other.kind
        {
            return;
        }
        let name = shown_name(either.name.into());
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if either.is_tree() {
            self.folder(&path, before.map(|it| it.id), after.map(|it| it.id), package, depth + 1);
            return;
        }
        if self.found.files.len() >= FILES_MAX {
            self.found.truncated = true;
            return;
        }
        let side = |entry: Option<Entry<'_>>| entry.map(|entry| Side { id: entry.id, kind: entry.kind });
        let (before, after) = (side(before), side(after));
        self.found.files.push(FileDelta { path, before, after, package: package.cloned() });
    }

    fn tree(&mut self, path: &str, id: Option<gix::ObjectId>) -> Option<Rc<Vec<u8>>> {
        match self.objects.read(id?) {
            Ok(tree) => Some(tree),
            Err(reason) => {
                self.found.unread.push((path.to_owned(), reason));
                None
            }
        }
    }

    fn package(&mut self, path: &str, tree: Option<&Rc<Vec<u8>>>) -> Option<Arc<PackageFolder>> {
        let hash = self.objects.repo().object_hash();
        let named = |name: &[u8]| entries(tree, hash).find(|entry| entry.name == name);
        let manifest = named(b"Cargo.toml").filter(|entry| !entry.is_tree())?;
        let sources = named(b"src").filter(Entry::is_tree);
        let has_library = sources.is_some_and(|sources| {
            let tree = self.objects.read(sources.id).ok();
            entries(tree.as_ref(), hash).any(|entry| entry.name == b"lib.rs")
        });
        Some(Arc::new(PackageFolder { folder: path.to_owned(), manifest: manifest.id, has_library }))
    }
}

/// The entries of a folder. A tree that is cut off ends early, and git itself reads no more of it.
fn entries(tree: Option<&Rc<Vec<u8>>>, hash: gix::hash::Kind) -> impl Iterator<Item = Entry<'_>> {
    let bytes = tree.map_or(&[] as &[u8], |tree| tree.as_slice());
    TreeRefIter::from_bytes(bytes, hash).map_while(Result::ok).map(|entry| Entry {
        name: entry.filename,
        kind: entry.mode.kind(),
        id: entry.oid.to_owned(),
    })
}

/// Git's own order: folders stand as if their names ended in a slash, and meet folders only.
fn in_git_order(one: &Entry<'_>, other: &Entry<'_>) -> Ordering {
    let key = |entry: &Entry<'_>, at: usize| {
        entry.name.get(at).copied().or_else(|| entry.is_tree().then_some(b'/')).map_or(0, u16::from)
    };
    let common = one.name.len().min(other.name.len());
    let (head, other_head) = (one.name.get(..common), other.name.get(..common));
    head.cmp(&other_head)
        .then_with(|| key(one, common).cmp(&key(other, common)))
        .then_with(|| one.name.len().cmp(&other.name.len()))
        .then_with(|| one.is_tree().cmp(&other.is_tree()))
}
