//! What changed between two snapshots.
//!
//! Main function: [`compare`]. Pure: it reads nothing but its arguments, and equal snapshots have an empty diff.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Aspects, DependencyChange, FileChange, FileChangeKind, ItemChange, SemanticDiff};
use super::class::class_of;
use super::pairing::pairs;
use super::relocation::join_relocated;
use super::similar::join_similar;
use crate::snapshot::{Item, Snapshot, spoken_files};

/// Compares two snapshots item by item.
pub fn compare(before: &Snapshot, after: &Snapshot) -> SemanticDiff {
    let unknown = Unknown::between(before, after);
    let mut survivors = Vec::new();
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for (old, new) in pairs(before, after) {
        match (old, new) {
            (Some(old), Some(new)) => survivors.extend(item_change(Some(old), Some(new))),
            (Some(old), None) if !unknown.now(&old.file) => removed.push(old),
            (None, Some(new)) if !unknown.earlier(&new.file) => added.push(new),
            (Some(_), None) | (None, _) => {}
        }
    }
    let mut items = join_relocated(removed, added);
    items.extend(survivors);
    sort(&mut items);
    let mut diff = SemanticDiff {
        from: before.revision.clone(),
        to: after.revision.clone(),
        class: super::RevisionClass::NoBehaviourChange,
        items,
        files: file_changes(before, after, &unknown),
        dependencies: dependency_changes(before, after),
        unparsed: after.unparsed.clone(),
    };
    diff.class = class_of(&diff, before, after);
    diff
}

/// [`compare`], and besides what was moved or renamed and also changed, found by similarity. The texts say what
/// was not searched.
///
/// Plans do not rest on this: what is only similar is a guess, and a good one for people.
pub fn compare_thoroughly(before: &Snapshot, after: &Snapshot) -> (SemanticDiff, Vec<String>) {
    let mut diff = compare(before, after);
    let (items, not_searched) = join_similar(std::mem::take(&mut diff.items));
    diff.items = items;
    sort(&mut diff.items);
    diff.class = class_of(&diff, before, after);
    (diff, not_searched)
}

fn sort(items: &mut [ItemChange]) {
    items.sort_by(|one, other| {
        let key = |change: &ItemChange| (change.path().clone(), change.before().is_some());
        key(one).cmp(&key(other))
    });
}

/// What happened to one item; `None` when nothing did, or when only its place in the text is different.
pub fn item_change(before: Option<&Item>, after: Option<&Item>) -> Option<ItemChange> {
    match (before, after) {
        (None, None) => None,
        (Some(before), None) => Some(ItemChange::Removed { before: before.clone() }),
        (None, Some(after)) => Some(ItemChange::Added { after: after.clone() }),
        (Some(before), Some(after)) => {
            let mut aspects = aspects(before, after);
            // Another kind under the same name is another header, even where the tokens agree.
            aspects.signature |= before.kind != after.kind;
            (aspects != Aspects::default()).then(|| ItemChange::Modified {
                before: before.clone(),
                after: after.clone(),
                aspects,
            })
        }
    }
}

/// Which aspects of two states of an item differ.
pub fn aspects(before: &Item, after: &Item) -> Aspects {
    let (old, new) = (before.fingerprint, after.fingerprint);
    Aspects {
        signature: old.signature != new.signature,
        body: old.body != new.body,
        docs: old.docs != new.docs,
        // Test code is made by attributes, of the item itself or of what stands around it.
        attributes: old.attributes != new.attributes || before.is_test != after.is_test,
        // An item can also come into view, or leave it, by what stands around it.
        visibility: before.visibility != after.visibility || before.exported != after.exported,
    }
}

/// Files whose items cannot be known on one side, so that their absence says nothing.
struct Unknown<'snapshot> {
    earlier: BTreeSet<&'snapshot str>,
    now: BTreeSet<&'snapshot str>,
}

impl<'snapshot> Unknown<'snapshot> {
    fn between(before: &'snapshot Snapshot, after: &'snapshot Snapshot) -> Self {
        Self { earlier: unreadable(before, after), now: unreadable(after, before) }
    }

    fn now(&self, file: &str) -> bool {
        self.now.contains(file)
    }

    fn earlier(&self, file: &str) -> bool {
        self.earlier.contains(file)
    }
}

/// The files of a snapshot that did not parse, and those that the other snapshot reached and that are still
/// there, but behind a file that did not parse.
fn unreadable<'a>(here: &'a Snapshot, other: &'a Snapshot) -> BTreeSet<&'a str> {
    let unparsed: BTreeSet<&str> = here.unparsed.iter().map(|it| it.file.as_str()).collect();
    if unparsed.is_empty() {
        return unparsed;
    }
    let spoken = spoken_files(here);
    let lost = |file: &&str| here.files.contains_key(*file) && !spoken.contains(*file);
    let unreached: BTreeSet<&str> = spoken_files(other).into_iter().filter(lost).collect();
    unparsed.into_iter().filter(|file| !spoken.contains(file)).chain(unreached).collect()
}

/// Changed files whose change no item tells.
fn file_changes(before: &Snapshot, after: &Snapshot, unknown: &Unknown<'_>) -> Vec<FileChange> {
    let (spoken_before, spoken_after) = (spoken_files(before), spoken_files(after));
    let paths: BTreeSet<&String> = before.files.keys().chain(after.files.keys()).collect();
    let mut changes = Vec::new();
    for path in paths {
        let (old, new) = (before.files.get(path), after.files.get(path));
        let kind = match (old, new) {
            (None, _) => FileChangeKind::Added,
            (Some(_), None) => FileChangeKind::Removed,
            (Some(old), Some(new)) if old == new => continue,
            (Some(_), Some(_)) => FileChangeKind::Modified,
        };
        let told_before = old.is_none() || spoken_before.contains(path.as_str());
        let told_after = new.is_none() || spoken_after.contains(path.as_str());
        if !(told_before && told_after) || unknown.now(path) || unknown.earlier(path) {
            changes.push(FileChange { file: path.clone(), kind });
        }
    }
    changes
}

fn dependency_changes(before: &Snapshot, after: &Snapshot) -> Vec<DependencyChange> {
    let requirements = |snapshot: &Snapshot| -> BTreeMap<(String, String), String> {
        let of = |package: &crate::snapshot::Package| {
            let name = package.name.clone();
            let entry = move |(to, text): (&String, &String)| ((name.clone(), to.clone()), text.clone());
            package.dependencies.iter().map(entry).collect::<Vec<_>>()
        };
        snapshot.packages.iter().flat_map(of).collect()
    };
    let (old, new) = (requirements(before), requirements(after));
    let keys: BTreeSet<&(String, String)> = old.keys().chain(new.keys()).collect();
    let change = |key: &(String, String)| DependencyChange {
        package: key.0.clone(),
        dependency: key.1.clone(),
        before: old.get(key).cloned(),
        after: new.get(key).cloned(),
    };
    keys.into_iter().map(change).filter(|change| change.before != change.after).collect()
}
