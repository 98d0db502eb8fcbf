//! The working tree of the port's main checkout, which belongs to a person: it is looked at, and brought
//! up to date after a landing, but only where it holds exactly what was there before.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{DiffOptions, ErrorCode, StatusOptions, Tree};
use upstream::{CommitId, TreeId};
use walkdir::WalkDir;

use super::branch::ref_name;
use super::error::{RepoError, git};
use super::{PortRepo, commit_id, tree_id};

/// How the working tree stands to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorktreeState {
    /// The repository is bare, or another branch is checked out: landing does not concern any file.
    NotCheckedOut,
    /// It holds what the branch holds. Files that git does not know do not matter.
    Clean,
    /// It holds changes that are not committed.
    Dirty {
        /// The files, sorted.
        files: Vec<String>,
    },
    /// Every file that differs is as it was in the commit before: a run was killed after it moved the
    /// branch and before the files followed. [`PortRepo::refresh_worktree`] completes it.
    HalfMoved {
        /// The commit that the files are still at.
        from: CommitId,
        /// The commit that the branch is at.
        to: CommitId,
    },
}

/// Why the working tree was not brought up to date. None of its files was touched, except where the error
/// says so.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The repository is bare.
    #[error("the repository has no working tree")]
    Bare,
    /// Files were changed by somebody else.
    #[error("the working tree has changes of its own in {}: commit or stash them", files.join(", "))]
    LocalChanges {
        /// The files, sorted.
        files: Vec<String>,
    },
    /// Another git process holds the index.
    #[error("another git process holds the index: try again when it has ended")]
    Locked,
    /// Files are still not as they should be: somebody wrote to them at the same time.
    #[error("{} did not take the new content: look at them, then run again", files.join(", "))]
    Incomplete {
        /// The files, sorted.
        files: Vec<String>,
    },
    /// The repository or a file could not be read or written; some files may be new already.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

impl PortRepo {
    /// How the working tree stands to a branch.
    pub fn worktree_state(&self, branch: &str) -> Result<WorktreeState, RepoError> {
        let name = ref_name(branch)?;
        if self.git.workdir().is_none() || self.checked_out()?.as_deref() != Some(name.as_str()) {
            return Ok(WorktreeState::NotCheckedOut);
        }
        let changed = self.changed_files()?;
        if changed.is_empty() {
            return Ok(WorktreeState::Clean);
        }
        let files = || changed.iter().cloned().collect();
        let head = self.git.find_reference(&name).and_then(|head| head.peel_to_commit());
        let (head, parent) = match head.and_then(|head| head.parent(0).map(|parent| (head, parent))) {
            Ok(pair) => pair,
            // The branch has no commit, or its first: nothing was moved.
            Err(error) if error.code() == ErrorCode::NotFound => {
                return Ok(WorktreeState::Dirty { files: files() });
            }
            Err(source) => return Err(RepoError::Git { action: "read the branch", source }),
        };
        let old = parent.tree().map_err(git("read a tree"))?;
        let new = head.tree().map_err(git("read a tree"))?;
        let foreign = self.foreign(&changed, &old, &new)?;
        if foreign.is_empty() {
            return Ok(WorktreeState::HalfMoved { from: commit_id(parent.id())?, to: commit_id(head.id())? });
        }
        Ok(WorktreeState::Dirty { files: files() })
    }

    /// The working tree as it stands, as a tree: changed and new files with it, ignored ones without. Nothing
    /// of the user's is touched, the index neither.
    pub fn worktree_tree(&self) -> Result<TreeId, RepoError> {
        let mut index = self.git.index().map_err(git("read the index"))?;
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).map_err(git("read the working tree"))?;
        index.update_all(["*"], None).map_err(git("read the working tree"))?;
        let id = index.write_tree().map_err(git("write a tree"))?;
        // What was read into memory must not reach the index on the disk by a later write.
        index.read(true).map_err(git("read the index"))?;
        tree_id(id)
    }

    /// Brings the files that differ between two trees from the first to the second, and the index with
    /// them. Every one of them must hold the old content, or the new one already.
    pub fn refresh_worktree(&self, old: &TreeId, new: &TreeId) -> Result<(), RefreshError> {
        let folder = self.git.workdir().ok_or(RefreshError::Bare)?.to_owned();
        let (old, new) = (self.tree(old)?, self.tree(new)?);
        let moving = self.between(&old, &new)?;
        let mut in_the_way = self.foreign(&moving, &old, &new)?;
        in_the_way.extend(foreign_in_folders(&folder, &moving, &old, &new));
        if !in_the_way.is_empty() {
            return Err(RefreshError::LocalChanges { files: in_the_way.into_iter().collect() });
        }
        let (written, removed): (Vec<&String>, Vec<&String>) =
            moving.iter().partition(|path| has(&new, path));
        for path in &removed {
            remove_file(&folder, path)?;
        }
        self.write_files(&new, &written)?;
        self.update_index(&written, &removed)?;
        let mut left = self.unlike_on_disk(&moving, &new)?;
        left.extend(self.unlike_in_index(&moving, &new)?);
        if left.is_empty() {
            Ok(())
        } else {
            Err(RefreshError::Incomplete { files: left.into_iter().collect() })
        }
    }

    /// Files that git knows and that differ from the branch, in the index or on disk.
    fn changed_files(&self) -> Result<BTreeSet<String>, RepoError> {
        let mut options = StatusOptions::new();
        options.include_untracked(false).include_ignored(false).exclude_submodules(true);
        let statuses = self.git.statuses(Some(&mut options)).map_err(git("look at the working tree"))?;
        let paths = statuses.iter().map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned());
        Ok(paths.collect())
    }

    fn between(&self, old: &Tree<'_>, new: &Tree<'_>) -> Result<BTreeSet<String>, RepoError> {
        let diff =
            self.git.diff_tree_to_tree(Some(old), Some(new), None).map_err(git("compare two trees"))?;
        Ok(paths_of(&diff))
    }

    /// Those of some paths which hold, on disk or in the index, neither the old nor the new content.
    fn foreign(
        &self,
        paths: &BTreeSet<String>,
        old: &Tree<'_>,
        new: &Tree<'_>,
    ) -> Result<BTreeSet<String>, RepoError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let on_disk_old = self.unlike_on_disk(paths, old)?;
        let on_disk_new = self.unlike_on_disk(paths, new)?;
        let index_old = self.unlike_in_index(paths, old)?;
        let index_new = self.unlike_in_index(paths, new)?;
        let foreign = paths.iter().filter(|path| {
            let both = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
                one.contains(*path) && other.contains(*path)
            };
            both(&on_disk_old, &on_disk_new) || both(&index_old, &index_new)
        });
        Ok(foreign.cloned().collect())
    }

    /// Those of some paths which on disk are not what a tree says, line endings and the like considered.
    fn unlike_on_disk(
        &self,
        paths: &BTreeSet<String>,
        tree: &Tree<'_>,
    ) -> Result<BTreeSet<String>, RepoError> {
        let folder = self.git.workdir().unwrap_or_else(|| Path::new(""));
        let (known, absent): (Vec<&String>, Vec<&String>) = paths.iter().partition(|path| has(tree, path));
        // A path that is not in the tree must not be on disk either, whether git ignores it or not.
        let mut unlike: BTreeSet<String> =
            absent.into_iter().filter(|path| is_file(&folder.join(path))).cloned().collect();
        if !known.is_empty() {
            let mut options = exactly(&known);
            let diff = self
                .git
                .diff_tree_to_workdir(Some(tree), Some(&mut options))
                .map_err(git("look at the working tree"))?;
            unlike.extend(paths_of(&diff).into_iter().filter(|path| known.contains(&path)));
        }
        Ok(unlike)
    }

    fn unlike_in_index(
        &self,
        paths: &BTreeSet<String>,
        tree: &Tree<'_>,
    ) -> Result<BTreeSet<String>, RepoError> {
        let mut index = self.git.index().map_err(git("read the index"))?;
        index.read(false).map_err(git("read the index"))?;
        let mut options = exactly(&paths.iter().collect::<Vec<_>>());
        let diff = self
            .git
            .diff_tree_to_index(Some(tree), Some(&index), Some(&mut options))
            .map_err(git("compare the index"))?;
        Ok(paths_of(&diff))
    }

    fn write_files(&self, new: &Tree<'_>, paths: &[&String]) -> Result<(), RefreshError> {
        if paths.is_empty() {
            return Ok(());
        }
        let mut checkout = CheckoutBuilder::new();
        checkout.force().disable_pathspec_match(true).update_index(true);
        for path in paths {
            checkout.path(path.as_str());
        }
        self.git.checkout_tree(new.as_object(), Some(&mut checkout)).map_err(locked_or("write the files"))
    }

    /// A checkout enters only what it wrote; what stood there already must be entered as well.
    fn update_index(&self, written: &[&String], removed: &[&String]) -> Result<(), RefreshError> {
        let mut index = self.git.index().map_err(git("read the index"))?;
        for path in removed {
            match index.remove_path(Path::new(path)) {
                Ok(()) => {}
                Err(error) if error.code() == ErrorCode::NotFound => {}
                Err(source) => return Err(RepoError::Git { action: "update the index", source }.into()),
            }
        }
        for path in written {
            index.add_path(Path::new(path)).map_err(git("update the index"))?;
        }
        index.write().map_err(locked_or("write the index"))
    }
}

/// Files that nobody knows in folders where a file is to be.
fn foreign_in_folders(
    folder: &Path,
    moving: &BTreeSet<String>,
    old: &Tree<'_>,
    new: &Tree<'_>,
) -> Vec<String> {
    let becomes_file = moving.iter().filter(|path| has(new, path) && folder.join(path).is_dir());
    let inside = becomes_file.flat_map(|path| WalkDir::new(folder.join(path)).into_iter().flatten());
    inside
        .filter(|entry| !entry.file_type().is_dir())
        .filter_map(|entry| entry.path().strip_prefix(folder).ok().map(Path::to_owned))
        .map(|path| path.to_string_lossy().into_owned())
        .filter(|path| !has(old, path))
        .collect()
}

fn locked_or(action: &'static str) -> impl FnOnce(git2::Error) -> RefreshError {
    move |source| {
        if source.code() == ErrorCode::Locked {
            RefreshError::Locked
        } else {
            RepoError::Git { action, source }.into()
        }
    }
}

fn exactly(paths: &[&String]) -> DiffOptions {
    let mut options = DiffOptions::new();
    options.disable_pathspec_match(true).ignore_submodules(true);
    for path in paths {
        options.pathspec(path.as_str());
    }
    options
}

fn paths_of(diff: &git2::Diff<'_>) -> BTreeSet<String> {
    let path =
        |file: git2::DiffFile<'_>| file.path_bytes().map(|path| String::from_utf8_lossy(path).into_owned());
    diff.deltas().flat_map(|delta| [path(delta.old_file()), path(delta.new_file())]).flatten().collect()
}

/// Whether a tree has a file at this path.
fn has(tree: &Tree<'_>, path: &str) -> bool {
    tree.get_path(Path::new(path)).is_ok_and(|entry| entry.kind() != Some(git2::ObjectType::Tree))
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir())
}

/// Removes a file and those folders above it that are empty then.
fn remove_file(folder: &Path, path: &str) -> Result<(), RepoError> {
    let full = folder.join(path);
    match fs::remove_file(&full) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
        Err(source) => return Err(RepoError::File { action: "remove", path: full, source }),
    }
    let above: Vec<PathBuf> = Path::new(path).ancestors().skip(1).map(|above| folder.join(above)).collect();
    for above in above.iter().filter(|above| above.as_path() != folder && above.starts_with(folder)) {
        if fs::remove_dir(above).is_err() {
            // Something else is in it.
            break;
        }
    }
    Ok(())
}
