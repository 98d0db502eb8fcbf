//! Two revisions read together, so that only what differs costs something.
//!
//! Main function: [`read_both`]. Packages none of whose sources changed are left out of both snapshots. Of the
//! others, a file that is the same on both sides is read without the bodies of its functions, which is enough to
//! place its items and to see who can name them. Where that turns out not to be enough (an item of such a file
//! moved, or came into view), the file is read whole, and both sides again: the answer is that of two whole
//! snapshots, but for files that one package takes in from the folder of another by `#[path]`.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{CrateRoot, Packages, packages};
use super::sources::{Sources, folder_of};
use super::{Snapshot, SnapshotError, SnapshotReader};
use crate::revision::Revision;
use crate::scan::scan;
use crate::snapshot::ItemKind;
use crate::tree::{EntryKind, SourceTree, TreeEntry, TreeError};

/// How often files are asked for whole before all of them are.
const ROUNDS_MAX: usize = 4;

/// Reads the packages in which two revisions differ.
///
/// `incomplete` is given both snapshots and names the items, by their files, that it must know whole; it is
/// asked again until it names none. `before` is `None` for the empty tree.
pub fn read_both(
    before: (&dyn SourceTree, &Revision),
    after: (&dyn SourceTree, &Revision),
    incomplete: &mut dyn FnMut(&Snapshot, &Snapshot) -> BTreeSet<String>,
) -> Result<(Snapshot, Snapshot), SnapshotError> {
    let failed = |revision: &Revision| {
        let revision = revision.label.to_string();
        move |source: TreeError| SnapshotError { revision, source }
    };
    let old = Listed::of(before.0).map_err(failed(before.1))?;
    let new = Listed::of(after.0).map_err(failed(after.1))?;
    let common = Common::of(&old, &new);
    let mut whole: BTreeSet<String> = BTreeSet::new();
    for round in 0.. {
        let mut reader = SnapshotReader::default();
        let everything = round >= ROUNDS_MAX;
        let focused = |listed, tree| Focused { tree, listed, common: &common, whole: &whole, everything };
        let snapshots = (
            reader.read(&focused(&old, before.0), before.1)?,
            reader.read(&focused(&new, after.0), after.1)?,
        );
        let wanted = incomplete(&snapshots.0, &snapshots.1);
        let ids = |listed: &Listed| -> Vec<String> {
            wanted.iter().filter_map(|file| listed.files.get(file)).map(|entry| entry.id.clone()).collect()
        };
        let more: Vec<String> = [ids(&old), ids(&new)]
            .concat()
            .into_iter()
            .filter(|id| common.ids.contains(id) && !whole.contains(id))
            .collect();
        if more.is_empty() || everything {
            return Ok(snapshots);
        }
        whole.extend(more);
    }
    unreachable!("the rounds end")
}

/// Two revisions, read as far as they may differ.
#[derive(Debug)]
pub struct Changed {
    /// The first.
    pub before: Snapshot,
    /// The second.
    pub after: Snapshot,
    /// The crates of which both sides have the same, and that are in neither snapshot.
    pub left_out: BTreeSet<String>,
}

/// Reads the packages whose sources differ between two revisions, and the crates that are asked for besides; all of
/// these whole. `reached` names, by file, the crates that are known to take in a file from the folder of another
/// package. `None` where something differs of which it cannot be told what it touches.
pub fn read_changed(
    reader: &mut SnapshotReader,
    before: (&dyn SourceTree, &Revision),
    after: (&dyn SourceTree, &Revision),
    also: &BTreeSet<String>,
    reached: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Option<Changed>, SnapshotError> {
    let failed = |revision: &Revision| {
        let revision = revision.label.to_string();
        move |source: TreeError| SnapshotError { revision, source }
    };
    let old = Side::of(reader, before.0).map_err(failed(before.1))?;
    let new = Side::of(reader, after.0).map_err(failed(after.1))?;
    let common = Common::of(&old.listed, &new.listed);
    if common.is_unclear {
        return Ok(None);
    }
    let mut wanted = also.clone();
    for (file, crates) in reached.iter().filter(|(file, _)| !common.same.contains(*file)) {
        if old.listed.files.contains_key(file) || new.listed.files.contains_key(file) {
            wanted.extend(crates.iter().cloned());
        }
    }
    let is_wanted = |listed: &Listed, target: &CrateRoot| {
        wanted.contains(&target.krate) || common.homes.contains(&listed.home(&target.root))
    };
    let targets = [&old, &new].map(|side| {
        let targets = side.listed.targets.iter();
        targets.map(|target| (target.krate.clone(), is_wanted(&side.listed, target))).collect::<Vec<_>>()
    });
    let read: BTreeSet<&String> =
        targets.iter().flatten().filter(|(_, is_wanted)| *is_wanted).map(|(krate, _)| krate).collect();
    let left_out = targets.iter().flatten().map(|(krate, _)| krate);
    let left_out = left_out.filter(|krate| !read.contains(krate)).cloned().collect();
    let mut walk = |side: Side<'_>, revision: &Revision| {
        let Side { sources, found, .. } = side;
        let is_read = |target: &CrateRoot| read.contains(&target.krate);
        reader.walk_targets(&sources, found, revision, &is_read).map_err(failed(revision))
    };
    let (before, after) = (walk(old, before.1)?, walk(new, after.1)?);
    Ok(Some(Changed { before, after, left_out }))
}

/// One side, listed and with its packages found.
struct Side<'tree> {
    sources: Sources<'tree>,
    found: Packages,
    listed: Listed,
}

impl<'tree> Side<'tree> {
    fn of(reader: &mut SnapshotReader, tree: &'tree dyn SourceTree) -> Result<Self, TreeError> {
        let sources = Sources::list(tree)?;
        let found = reader.packages(&sources)?;
        let listed = Listed::new(&sources, found.targets.clone());
        Ok(Self { sources, found, listed })
    }
}

/// The files of one side, and its targets.
struct Listed {
    files: BTreeMap<String, TreeEntry>,
    targets: Vec<CrateRoot>,
    /// The folders that have a manifest.
    folders: BTreeSet<String>,
}

impl Listed {
    fn of(tree: &dyn SourceTree) -> Result<Self, TreeError> {
        let sources = Sources::list(tree)?;
        let targets = packages(&sources)?.targets;
        Ok(Self::new(&sources, targets))
    }

    fn new(sources: &Sources<'_>, targets: Vec<CrateRoot>) -> Self {
        let files = sources.entries().clone();
        let manifests = files.keys().filter(|path| *path == "Cargo.toml" || path.ends_with("/Cargo.toml"));
        let folders = manifests.map(|path| folder_of(path).to_owned()).collect();
        Self { files, targets, folders }
    }

    /// The nearest folder with a manifest above a file.
    fn home(&self, file: &str) -> String {
        let mut folder = folder_of(file);
        while !folder.is_empty() && !self.folders.contains(folder) {
            folder = folder_of(folder);
        }
        folder.to_owned()
    }
}

/// What two sides have in common.
struct Common {
    /// Files at the same path with the same content.
    same: BTreeSet<String>,
    /// Contents that stand nowhere else than in those.
    ids: BTreeSet<String>,
    /// The packages that are read, by their folders.
    homes: BTreeSet<String>,
    /// Whether a link or a submodule is another one: what lies behind it may be anybody's.
    is_unclear: bool,
}

impl Common {
    fn of(old: &Listed, new: &Listed) -> Self {
        let mut same = BTreeSet::new();
        let mut changed_ids = BTreeSet::new();
        let mut homes = BTreeSet::new();
        let mut is_unclear = false;
        let paths: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
        for path in paths {
            let sides = (old.files.get(path), new.files.get(path));
            if let (Some(one), Some(other)) = sides
                && one.id == other.id
                && one.kind == other.kind
            {
                same.insert(path.clone());
                continue;
            }
            for (entry, listed) in [(sides.0, old), (sides.1, new)] {
                let Some(entry) = entry else { continue };
                changed_ids.insert(entry.id.clone());
                is_unclear |= entry.kind != EntryKind::File;
                if is_source(path) {
                    homes.insert(listed.home(path));
                }
            }
        }
        // A target that came, went, or has another edition or root touches its package.
        let keys = |listed: &Listed| -> BTreeSet<(String, String, String, String)> {
            let key = |target: &CrateRoot| {
                let home = listed.home(&target.root);
                (home, target.krate.clone(), target.root.clone(), target.edition.clone())
            };
            listed.targets.iter().map(key).collect()
        };
        let (one, other) = (keys(old), keys(new));
        homes.extend(one.symmetric_difference(&other).map(|(home, ..)| home.clone()));
        let in_same = |path: &String| old.files.get(path).map(|entry| entry.id.clone());
        let ids = same.iter().filter_map(in_same).filter(|id| !changed_ids.contains(id)).collect();
        Self { same, ids, homes, is_unclear }
    }
}

/// Whether a path ends as Rust sources do.
pub(crate) fn is_source(path: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|end| end == "rs")
}

/// One side, without the packages that did not change and the bodies that nobody asks about.
struct Focused<'a> {
    tree: &'a dyn SourceTree,
    listed: &'a Listed,
    common: &'a Common,
    whole: &'a BTreeSet<String>,
    everything: bool,
}

impl SourceTree for Focused<'_> {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        let kept = |entry: &&TreeEntry| {
            !is_source(&entry.path) || self.common.homes.contains(&self.listed.home(&entry.path))
        };
        Ok(self.listed.files.values().filter(kept).cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError> {
        let Some(bytes) = self.tree.read(path)? else { return Ok(None) };
        let entry = self.listed.files.get(path);
        let is_common = entry.is_some_and(|entry| {
            entry.kind == EntryKind::File
                && self.common.same.contains(path)
                && self.common.ids.contains(&entry.id)
                && !self.whole.contains(&entry.id)
        });
        Ok(Some(if is_common && is_source(path) && !self.everything { without_bodies(bytes) } else { bytes }))
    }
}

/// A tree whose functions have no bodies, for those who only ask what there is. Lines stay where they are.
pub struct WithoutBodies<'a>(
    /// The whole tree.
    pub &'a dyn SourceTree,
);

impl std::fmt::Debug for WithoutBodies<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WithoutBodies")
    }
}

impl SourceTree for WithoutBodies<'_> {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        self.0.entries()
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError> {
        let bytes = self.0.read(path)?;
        Ok(bytes.map(|bytes| if is_source(path) { without_bodies(bytes) } else { bytes }))
    }
}

/// A source without the bodies of its functions. What the scanner does not understand stays as it is.
fn without_bodies(bytes: Vec<u8>) -> Vec<u8> {
    let scanned = scan(&bytes);
    if scanned.trouble.is_some() {
        return bytes;
    }
    let is_function = |kind: ItemKind| kind == ItemKind::Function || kind == ItemKind::Method;
    let mut bodies: Vec<_> = scanned
        .items
        .iter()
        .filter(|item| is_function(item.kind) && !item.body.is_empty())
        .map(|item| item.body.clone())
        .collect();
    bodies.sort_by_key(|body| body.start);
    let mut kept = Vec::with_capacity(bytes.len() / 2);
    let mut at = 0;
    for body in bodies {
        if body.start < at {
            continue;
        }
        kept.extend_from_slice(bytes.get(at..body.start).unwrap_or_default());
        kept.push(b'{');
        // Lines stay where they are.
        let left_out = bytes.get(body.clone()).unwrap_or_default();
        kept.extend(left_out.iter().filter(|byte| **byte == b'\n'));
        kept.push(b'}');
        at = body.end;
    }
    kept.extend_from_slice(bytes.get(at..).unwrap_or_default());
    kept
}

#[cfg(test)]
mod tests {
    use super::super::tests::revision;
    use super::*;
    use crate::tree::MemoryTree;

    const FILES: &[(&str, &str)] = &[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\", \"c\"]\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
        ("a/src/lib.rs", "pub fn f() { g() } fn g() {}"),
        ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
        ("b/src/lib.rs", "pub fn h() { i() } fn i() {}\n#[path = \"../../c/src/shared.rs\"] mod shared;"),
        ("c/Cargo.toml", "[package]\nname = \"c\"\n"),
        ("c/src/lib.rs", "pub mod shared;"),
        ("c/src/shared.rs", "pub fn s() {}"),
    ];

    fn tree(changed: &[(&str, &str)]) -> MemoryTree {
        let mut files: BTreeMap<&str, &str> = FILES.iter().copied().collect();
        files.extend(changed.iter().copied());
        files.into_iter().map(|(path, text)| (path, text.as_bytes())).collect()
    }

    /// The crates that are left out when these files change; what is read must be as in the whole.
    fn left_out(changed: &[(&str, &str)], also: &[&str], reached: &[(&str, &str)]) -> Vec<String> {
        let (old, new) = (tree(&[]), tree(changed));
        let also = also.iter().map(|krate| (*krate).to_owned()).collect();
        let reached = reached.iter().map(|(file, krate)| ((*file).to_owned(), [(*krate).to_owned()].into()));
        let mut reader = SnapshotReader::default();
        let (old_side, new_side) =
            ((&old as &dyn SourceTree, &revision()), (&new as &dyn SourceTree, &revision()));
        let found =
            read_changed(&mut reader, old_side, new_side, &also, &reached.collect()).unwrap().unwrap();
        for (tree, read) in [(&old, &found.before), (&new, &found.after)] {
            let mut whole = super::super::read(tree, &revision()).unwrap();
            whole.items.retain(|path, _| !found.left_out.contains(path.krate()));
            assert_eq!(whole.items, read.items);
            assert_eq!((&whole.packages, &whole.files), (&read.packages, &read.files));
        }
        found.left_out.into_iter().collect()
    }

    #[test]
    fn only_packages_that_differ_and_those_that_are_asked_for_are_read() {
        let body = ("a/src/lib.rs", "pub fn f() { g() } fn g() { 1 }");
        assert_eq!(left_out(&[body], &[], &[]), ["b", "c"]);
        assert_eq!(left_out(&[body], &["c"], &[]), ["b"]);
        assert_eq!(left_out(&[], &[], &[]), ["a", "b", "c"]);
        assert_eq!(left_out(&[("README.md", "words")], &[], &[]), ["a", "b", "c"]);
        assert_eq!(
            left_out(&[("b/Cargo.toml", "[package]\nname = \"b\"\nedition = \"2024\"\n")], &[], &[]),
            ["a", "c"]
        );
        let another = [("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n")];
        assert_eq!(left_out(&another, &[], &[]), ["a", "b"]);
        let shared = ("c/src/shared.rs", "pub fn s() { 1 }");
        assert_eq!(left_out(&[shared], &[], &[("c/src/shared.rs", "b")]), ["a"]);
    }

    #[test]
    fn a_link_that_is_another_one_touches_nobody_knows_what() {
        struct Linked(MemoryTree);
        impl SourceTree for Linked {
            fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
                let link =
                    TreeEntry { path: "a/src/x.rs".to_owned(), kind: EntryKind::Link, id: "1".to_owned() };
                Ok(self.0.entries()?.into_iter().chain([link]).collect())
            }

            fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError> {
                self.0.read(path)
            }
        }
        let (old, new) = (tree(&[]), Linked(tree(&[])));
        let mut reader = SnapshotReader::default();
        let none = (BTreeSet::new(), BTreeMap::new());
        let found = read_changed(&mut reader, (&old, &revision()), (&new, &revision()), &none.0, &none.1);
        assert!(found.unwrap().is_none());
    }
}
