//! Two revisions to a listing of what changed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::blocks::add_blocks;
use super::manifests::{Manifests, Side, manifests};
use super::rows::{Sides, rows, sort, with_new_part_docs};
use super::summary::{DiffListing, Judged, Others};
use crate::diff::{FileChange, FileMove, FileMoveKind, SemanticDiff, compare_thoroughly, file_moves};
use crate::ids::{CommitId, RevisionLabel};
use crate::repo::{RepoError, UpstreamRepo};
use crate::revision::Revision;
use crate::snapshot::{Snapshot, SnapshotError, UnparsedFile, is_source, read_both, spoken_files, surface};
use crate::tree::{MemoryTree, SourceTree, TreeEntry, TreeError};

/// What a listing is to hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The unified diff of each item's text.
    pub patches: bool,
}

/// Why two revisions could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// A commit or one of its trees could not be read.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The files of a revision could not be listed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A file could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// Tells what changed between two commits; from the empty tree where the older is `None`.
pub fn between(
    repo: &UpstreamRepo,
    from: Option<&CommitId>,
    to: &CommitId,
    options: Options,
) -> Result<DiffListing, ListingError> {
    let after = (repo.tree(to)?, repo.revision(to)?);
    let nothing = MemoryTree::default();
    match from {
        Some(from) => {
            let before = (repo.tree(from)?, repo.revision(from)?);
            between_trees((&before.0, Some(&before.1)), (&after.0, &after.1), options)
        }
        None => between_trees((&nothing, None), (&after.0, &after.1), options),
    }
}

/// Tells what changed between two trees.
pub(super) fn between_trees(
    before: (&dyn SourceTree, Option<&Revision>),
    after: (&dyn SourceTree, &Revision),
    options: Options,
) -> Result<DiffListing, ListingError> {
    let nothing = nothing();
    let old_tree = Gentle::new(before.0);
    let new_tree = Gentle::new(after.0);
    let mut found: Option<(SemanticDiff, Vec<String>)> = None;
    let (old, new) =
        read_both((&old_tree, before.1.unwrap_or(&nothing)), (&new_tree, after.1), &mut |old, new| {
            let (diff, not_searched) = compare_thoroughly(old, new);
            let sides = diff.items.iter().flat_map(|change| [change.before(), change.after()]);
            let files = sides.flatten().map(|item| item.file.clone()).collect();
            found = Some((diff, not_searched));
            files
        })?;
    let (mut diff, mut not_searched) = found.unwrap_or_else(|| compare_thoroughly(&old, &new));
    let mut changes = std::mem::take(&mut diff.items);
    changes.extend(with_new_part_docs(&old, &new));
    let moves = file_moves(&old, &new, &changes);
    let sides = (Side { snapshot: &old, tree: &old_tree }, Side { snapshot: &new, tree: &new_tree });
    let Manifests { dependencies, features, settings, unparsed } = manifests(&sides.0, &sides.1)?;
    diff.dependencies = dependencies;
    diff.files = other_files(&diff.files, &moves);
    diff.unparsed = changed_unparsed([(&old, &old_tree), (&new, &new_tree)], unparsed);
    let is_rust = |file: &FileChange| is_source(&file.file);
    if !has_manifest(&old) && !has_manifest(&new) && diff.files.iter().any(is_rust) {
        not_searched.push(
            "items: there is no Cargo.toml in either revision, so nothing says which files are Rust crates"
                .to_owned(),
        );
    }
    let (before_surface, after_surface) = (surface(&old), surface(&new));
    let told = Sides {
        before: &old,
        after: &new,
        before_surface: &before_surface,
        after_surface: &after_surface,
        patches: options.patches,
    };
    let mut items = rows(&changes, &told);
    add_blocks(&mut items, &told, (&old_tree, &new_tree))?;
    sort(&mut items);
    let judged = Judged {
        before: &old,
        after: &new,
        before_surface: &before_surface,
        after_surface: &after_surface,
        changes: &changes,
    };
    let others = Others { features: &features, settings: &settings, moves: &moves };
    let mut summary = judged.summary(&items, &diff, &others);
    summary.from = before.1.cloned();
    summary.not_searched = not_searched;
    Ok(DiffListing {
        summary,
        items,
        dependencies: diff.dependencies,
        features,
        settings,
        moves,
        files: diff.files,
        unparsed: diff.unparsed,
    })
}

/// A tree whose missing objects are files that cannot be read, and not the end.
pub(super) struct Gentle<'a> {
    tree: &'a dyn SourceTree,
    lost: RefCell<BTreeMap<String, String>>,
}

impl<'a> Gentle<'a> {
    pub(super) fn new(tree: &'a dyn SourceTree) -> Self {
        Self { tree, lost: RefCell::default() }
    }

    /// Puts the reason in where an object is missing.
    pub(super) fn explain(&self, unparsed: &mut [UnparsedFile]) {
        let lost = self.lost.borrow();
        for UnparsedFile { file, reason } in unparsed {
            if let Some(known) = lost.get(file) {
                reason.clone_from(known);
            }
        }
    }
}

impl SourceTree for Gentle<'_> {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        self.tree.entries()
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError> {
        Ok(self.tree.read(path).unwrap_or_else(|error| {
            self.lost.borrow_mut().insert(path.to_owned(), error.reason);
            None
        }))
    }
}

/// Changed files that no item speaks for and that could not be read, each with the first reason.
fn changed_unparsed(sides: [(&Snapshot, &Gentle<'_>); 2], manifests: Vec<UnparsedFile>) -> Vec<UnparsedFile> {
    let [(old, _), (new, _)] = sides;
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    for (snapshot, tree) in sides {
        let spoken = spoken_files(snapshot);
        let lost = tree.lost.borrow();
        let silent = snapshot.unparsed.iter().filter(|it| !spoken.contains(it.file.as_str()));
        for UnparsedFile { file, reason } in
            silent.filter(|it| old.files.get(&it.file) != new.files.get(&it.file))
        {
            let reason = lost.get(file).unwrap_or(reason).clone();
            reasons.entry(file.clone()).or_insert(reason);
        }
    }
    for UnparsedFile { file, reason } in manifests {
        reasons.entry(file).or_insert(reason);
    }
    reasons.into_iter().map(|(file, reason)| UnparsedFile { file, reason }).collect()
}

/// The changed files that no item speaks for, without those that only stand elsewhere.
fn other_files(files: &[FileChange], moves: &[FileMove]) -> Vec<FileChange> {
    let moved = moves.iter().filter(|it| it.kind == FileMoveKind::Moved);
    let told: BTreeSet<&String> = moved.flat_map(|it| it.from.iter().chain(&it.to)).collect();
    files.iter().filter(|change| !told.contains(&change.file)).cloned().collect()
}

fn has_manifest(snapshot: &Snapshot) -> bool {
    snapshot.files.keys().any(|file| file == "Cargo.toml" || file.ends_with("/Cargo.toml"))
}

/// The revision of the empty tree.
fn nothing() -> Revision {
    Revision {
        label: RevisionLabel::new("nothing").expect("a word is a label"),
        commit: CommitId::new("0".repeat(40)).expect("forty digits are a commit id"),
        summary: String::new(),
        published_s: None,
        withdrawn: false,
    }
}
