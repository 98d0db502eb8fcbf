//! Two revisions read together, so that only what differs costs something.
//!
//! Main function: [`read_both`]. Packages none of whose sources changed are left out of both snapshots. Of the
//! others, a file that is the same on both sides is read without the bodies of its functions, which is enough to
//! place its items and to see who can name them. Where that turns out not to be enough (an item of such a file
//! moved, or came into view), the file is read whole, and both sides again: the answer is that of two whole
//! snapshots, but for files that one package takes in from the folder of another by `#[path]`.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{CrateRoot, packages};
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
        let files: BTreeMap<String, TreeEntry> =
            tree.entries()?.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
        let manifests = files.keys().filter(|path| *path == "Cargo.toml" || path.ends_with("/Cargo.toml"));
        let folders = manifests.map(|path| folder_of(path).to_owned()).collect();
        Ok(Self { files, targets, folders })
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
}

impl Common {
    fn of(old: &Listed, new: &Listed) -> Self {
        let mut same = BTreeSet::new();
        let mut changed_ids = BTreeSet::new();
        let mut homes = BTreeSet::new();
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
        Self { same, ids, homes }
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
