//! The working tree that has the branch checked out, be it the port's own or a linked one. It belongs to a
//! person: it is looked at, and brought up to date after a landing, but only where it holds exactly what was
//! there before.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{DiffOptions, ErrorCode, RepositoryState, StatusOptions, Tree};
use upstream::{CommitId, TreeId};
use walkdir::WalkDir;

use super::branch::ref_name;
use super::error::{RepoError, git};
use super::{PortRepo, commit_id, tree_id};

/// Where files are written before they are moved into place, inside git's own folder.
const ASIDE: &str = "tidelock-files";

/// How the working tree stands to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorktreeState {
    /// No working tree has the branch checked out: landing does not concern any file.
    NotCheckedOut,
    /// Somebody is in the middle of something that ends by moving this branch.
    Busy {
        /// `merge`, `rebase`, …
        with: &'static str,
    },
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
    /// The branch is not checked out.
    #[error("no working tree has the branch")]
    Bare,
    /// Files were changed by somebody else.
    #[error("the working tree has changes of its own in {}: commit or stash them", files.join(", "))]
    LocalChanges {
        /// The files, sorted.
        files: Vec<String>,
    },
    /// Another git process holds the index.
    #[error(
        "another git process holds the index: try again when it has ended, or remove `index.lock` if none runs"
    )]
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
        let checkouts = self.checkouts()?;
        if let Some(with) = checkouts.iter().find_map(|checkout| checkout.busy_with(&name)) {
            return Ok(WorktreeState::Busy { with });
        }
        match checkouts.iter().find(|checkout| checkout.has_checked_out(&name)) {
            Some(checkout) => checkout.state_of(&name),
            None => Ok(WorktreeState::NotCheckedOut),
        }
    }

    /// All working trees of the repository, this one first.
    fn checkouts(&self) -> Result<Vec<Self>, RepoError> {
        let opened = |git: git2::Repository| Self { path: git.path().to_owned(), git };
        let open = |path: &Path| git2::Repository::open(path).map(opened);
        let mut all = vec![open(self.git.path()).map_err(git("open the repository"))?];
        let main = git2::Repository::open(self.git.commondir()).map_err(git("open the repository"))?;
        let names = main.worktrees().map_err(git("list the worktrees"))?;
        for name in names.iter().flatten().flatten() {
            // One whose folder is gone holds no files.
            let linked =
                main.find_worktree(name).and_then(|found| git2::Repository::open_from_worktree(&found));
            all.extend(linked.map(opened));
        }
        all.push(opened(main));
        Ok(all)
    }

    fn has_checked_out(&self, name: &str) -> bool {
        self.git.workdir().is_some() && self.checked_out().is_ok_and(|head| head.as_deref() == Some(name))
    }

    /// What goes on in this working tree that would be spoilt if the branch moved.
    fn busy_with(&self, name: &str) -> Option<&'static str> {
        // During a rebase `HEAD` is detached; the branch's name is kept beside it.
        let rebased = ["rebase-merge", "rebase-apply"].iter().any(|folder| {
            fs::read_to_string(self.git.path().join(folder).join("head-name"))
                .is_ok_and(|branch| branch.trim() == name)
        });
        if rebased {
            return Some("rebase");
        }
        if !self.has_checked_out(name) {
            return None;
        }
        match self.git.state() {
            RepositoryState::Merge => Some("merge"),
            RepositoryState::Revert | RepositoryState::RevertSequence => Some("revert"),
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => Some("cherry-pick"),
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => Some("`git am`"),
            RepositoryState::Clean
            | RepositoryState::Bisect
            | RepositoryState::Rebase
            | RepositoryState::RebaseInteractive
            | RepositoryState::RebaseMerge => None,
        }
    }

    fn state_of(&self, name: &str) -> Result<WorktreeState, RepoError> {
        let changed = self.changed_files()?;
        if changed.is_empty() {
            return Ok(WorktreeState::Clean);
        }
        let files = || changed.iter().cloned().collect();
        let head = self.git.find_reference(name).and_then(|head| head.peel_to_commit());
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

    /// Whether [`Self::refresh_worktree`] would find nothing in its way.
    pub fn may_refresh_worktree(&self, branch: &str, old: &TreeId, new: &TreeId) -> Result<(), RefreshError> {
        let name = ref_name(branch)?;
        match self.checkouts()?.iter().find(|checkout| checkout.has_checked_out(&name)) {
            Some(checkout) => checkout.movable(&checkout.tree(old)?, &checkout.tree(new)?).map(drop),
            None => Ok(()),
        }
    }

    /// Brings the files that differ between two trees from the first to the second, and the index with
    /// them, where the branch is checked out. Every one of them must hold the old content, or the new one
    /// already.
    pub fn refresh_worktree(&self, branch: &str, old: &TreeId, new: &TreeId) -> Result<(), RefreshError> {
        let name = ref_name(branch)?;
        let checkouts = self.checkouts()?;
        let checkout = checkouts.iter().find(|checkout| checkout.has_checked_out(&name));
        checkout.ok_or(RefreshError::Bare)?.refresh(old, new)
    }

    /// The files that differ between two trees, where nobody else's work stands in their way.
    fn movable(&self, old: &Tree<'_>, new: &Tree<'_>) -> Result<BTreeSet<String>, RefreshError> {
        let folder = self.git.workdir().ok_or(RefreshError::Bare)?;
        let moving = self.between(old, new)?;
        let mut in_the_way = self.foreign(&moving, old, new)?;
        in_the_way.extend(foreign_in_folders(folder, &moving, old, new));
        if in_the_way.is_empty() {
            Ok(moving)
        } else {
            Err(RefreshError::LocalChanges { files: in_the_way.into_iter().collect() })
        }
    }

    fn refresh(&self, old: &TreeId, new: &TreeId) -> Result<(), RefreshError> {
        let folder = self.git.workdir().ok_or(RefreshError::Bare)?.to_owned();
        let (old, new) = (self.tree(old)?, self.tree(new)?);
        let moving = self.movable(&old, &new)?;
        let (written, removed): (Vec<&String>, Vec<&String>) =
            moving.iter().partition(|path| has(&new, path));
        for path in &removed {
            remove_file(&folder, path)?;
        }
        self.write_files(&new, &folder, &written)?;
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

    /// Writes the files aside and moves each into its place: whoever is killed here leaves every file old or
    /// new, and none half written.
    fn write_files(&self, new: &Tree<'_>, folder: &Path, paths: &[&String]) -> Result<(), RefreshError> {
        if paths.is_empty() {
            return Ok(());
        }
        let aside = self.git.path().join(ASIDE);
        remove_aside(&aside)?;
        let mut checkout = CheckoutBuilder::new();
        checkout.force().disable_pathspec_match(true).update_index(false).target_dir(&aside);
        for path in paths {
            checkout.path(path.as_str());
        }
        self.git.checkout_tree(new.as_object(), Some(&mut checkout)).map_err(locked_or("write the files"))?;
        for path in paths {
            move_into_place(&aside.join(path), folder, path)?;
        }
        remove_aside(&aside)
    }

    /// Enters what was written and takes out what was removed.
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

fn remove_aside(aside: &Path) -> Result<(), RefreshError> {
    match fs::remove_dir_all(aside) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(RepoError::File { action: "remove", path: aside.to_owned(), source }.into()),
    }
}

/// Moves a file that was written aside to its path in the working tree.
fn move_into_place(from: &Path, folder: &Path, path: &str) -> Result<(), RefreshError> {
    let to = folder.join(path);
    let failed = |source| RefreshError::from(RepoError::File { action: "write", path: to.clone(), source });
    let mut parents: Vec<&Path> = Path::new(path).ancestors().skip(1).collect();
    parents.reverse();
    for parent in parents.into_iter().map(|parent| folder.join(parent)).filter(|parent| parent != folder) {
        match fs::symlink_metadata(&parent) {
            Ok(found) if found.is_dir() => {}
            // A link could lead out of the port.
            Ok(_) => return Err(RefreshError::LocalChanges { files: vec![parent.display().to_string()] }),
            Err(_missing) => fs::create_dir(&parent).map_err(failed)?,
        }
    }
    if to.is_dir() && !to.is_symlink() {
        // Folders that hold nothing: what was in them has been moved or removed.
        for empty in WalkDir::new(&to).contents_first(true).into_iter().flatten() {
            fs::remove_dir(empty.path()).map_err(failed)?;
        }
    }
    match fs::rename(from, &to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            // A linked worktree on another disk: written beside its place first.
            let parent = to.parent().unwrap_or(folder);
            let beside = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
            fs::copy(from, beside.path()).map_err(failed)?;
            beside.persist(&to).map(drop).map_err(|error| failed(error.error))
        }
        moved => moved.map_err(failed),
    }
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
