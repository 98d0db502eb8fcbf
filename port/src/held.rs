//! Temporary folders that stay behind no longer than until the next one is made.
//!
//! Main type: [`HeldFolder`]. A process that is killed cannot remove what it made; but its lock ends with it, and by
//! that the next one knows. A folder that anybody lives in, that another user made or that a link leads to is never
//! touched.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;
use walkdir::WalkDir;

/// How many leftovers are removed when a folder is made: a start is not to take long because of others.
const SWEPT_MAX: usize = 256;

/// How often a folder is made anew that somebody removed before it was held.
const TRIES: usize = 16;

/// What holds the folders of this machine's user apart from other files: each begins with this.
const PREFIX: &str = "tidelock-held-";

/// A folder for temporary files. It goes with this value, or is removed by the next process that makes one beside it.
#[derive(Debug)]
pub struct HeldFolder {
    folder: TempDir,
    /// Held for as long as this process lives, so that others can tell. It ends behind the folder.
    lock: Option<File>,
}

impl HeldFolder {
    /// A folder among the machine's temporary files, with this word in its name.
    pub fn make(word: &str) -> io::Result<Self> {
        Self::make_in(&tempfile::env::temp_dir(), word)
    }

    /// A folder in this one, with this word in its name.
    pub fn make_in(parent: &Path, word: &str) -> io::Result<Self> {
        sweep_left(parent);
        let mut made = Self::try_make(parent, word)?;
        for _ in 1..TRIES {
            if made.is_there() {
                break;
            }
            // Between its making and its lock another process took it for a leftover.
            made = Self::try_make(parent, word)?;
        }
        Ok(made)
    }

    fn try_make(parent: &Path, word: &str) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{word}-"))
            .permissions(PermissionsExt::from_mode(0o700))
            .tempdir_in(parent)?;
        // On a disk that knows no locks nobody can take one either, and nothing is ever swept there.
        let held = File::open(folder.path()).ok().filter(|opened| opened.lock().is_ok());
        Ok(Self { folder, lock: held })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn is_there(&self) -> bool {
        // Without a lock it may also have gone before it could be opened.
        self.lock.as_ref().map_or_else(|| self.path().is_dir(), |held| is_the_same(held, self.path()))
    }
}

/// Whether the path leads, by no link, to what is open.
fn is_the_same(opened: &File, path: &Path) -> bool {
    let (Ok(opened), Ok(found)) = (opened.metadata(), path.symlink_metadata()) else { return false };
    (opened.dev(), opened.ino()) == (found.dev(), found.ino())
}

/// Removes the folders that processes which were killed have left in this one: what making one beside them does too.
pub fn sweep_left(parent: &Path) {
    sweep(parent, rustix::process::geteuid().as_raw());
}

/// Removes the folders of processes that ended without doing so.
fn sweep(parent: &Path, user: u32) {
    // A folder that cannot be listed is one that nobody can sweep.
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let named = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
    };
    for path in entries.flatten().map(|entry| entry.path()).filter(named).take(SWEPT_MAX) {
        let Some(opened) = left(&path, user) else { continue };
        if let Err(error) = remove(&path) {
            tracing::debug!(%error, folder = %path.display(), "a left folder stays behind");
        }
        // Whoever waits for its lock sees then that it is gone.
        drop(opened);
    }
}

/// The folder, locked by us, where it is one of this user's in which nobody lives.
fn left(path: &Path, user: u32) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let ours = opened.metadata().is_ok_and(|found| found.uid() == user);
    (ours && opened.try_lock().is_ok() && is_the_same(&opened, path)).then_some(opened)
}

/// Removes a folder with all that it holds, also what foreign code has closed to its own user. Links are removed, and
/// not followed.
fn remove(path: &Path) -> io::Result<()> {
    let refused = match std::fs::remove_dir_all(path) {
        Err(refused) if refused.kind() == io::ErrorKind::PermissionDenied => refused,
        removed_or_else => return removed_or_else,
    };
    // Each is opened before it is listed: the walk yields a folder before it reads it.
    for entry in WalkDir::new(path).follow_links(false).into_iter().flatten() {
        if entry.file_type().is_dir() {
            std::fs::set_permissions(entry.path(), PermissionsExt::from_mode(0o700))?;
        }
    }
    std::fs::remove_dir_all(path).map_err(|_again| refused)
}

impl Drop for HeldFolder {
    fn drop(&mut self) {
        if let Err(error) = remove(self.folder.path()) {
            tracing::debug!(%error, folder = %self.folder.path().display(), "a temporary folder stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn folder(parent: &Path, name: &str) -> PathBuf {
        let path = parent.join(format!("{PREFIX}{name}"));
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("file"), "text").unwrap();
        path
    }

    #[test]
    fn a_folder_goes_with_its_value() {
        let parent = tempfile::tempdir().unwrap();
        let held = HeldFolder::make_in(parent.path(), "word").unwrap();
        let path = held.path().to_owned();
        assert!(path.file_name().unwrap().to_string_lossy().starts_with("tidelock-held-word-"));
        std::fs::create_dir(path.join("closed")).unwrap();
        std::fs::write(path.join("closed/file"), "text").unwrap();
        std::fs::set_permissions(path.join("closed"), PermissionsExt::from_mode(0o000)).unwrap();
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o777,
            0o700,
            "others may not look into it"
        );
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_went_before_it_was_held_is_made_anew() {
        let parent = tempfile::tempdir().unwrap();
        for is_open in [true, false] {
            let mut made = HeldFolder::try_make(parent.path(), "word").unwrap();
            assert!(made.is_there());
            made.lock = made.lock.take().filter(|_| is_open);
            std::fs::remove_dir(made.path()).unwrap();
            assert!(!made.is_there());
        }
    }

    #[test]
    fn what_the_dead_left_is_removed_and_what_the_living_hold_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("file"), "mine").unwrap();
        let dead = folder(parent.path(), "sandbox-aaaaaa");
        std::os::unix::fs::symlink(outside.path(), dead.join("link")).unwrap();
        std::fs::set_permissions(&dead, PermissionsExt::from_mode(0o500)).unwrap();
        let living = HeldFolder::make_in(parent.path(), "sandbox").unwrap();
        assert!(!dead.exists());
        let next = HeldFolder::make_in(parent.path(), "sandbox").unwrap();
        assert!(living.path().exists() && next.path().exists());
        assert_eq!(std::fs::read_to_string(outside.path().join("file")).unwrap(), "mine");
    }

    #[test]
    fn links_files_other_names_and_what_others_own_are_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("file"), "mine").unwrap();
        let link = parent.path().join(format!("{PREFIX}link"));
        std::os::unix::fs::symlink(outside.path(), &link).unwrap();
        let file = parent.path().join(format!("{PREFIX}file"));
        std::fs::write(&file, "text").unwrap();
        let named = parent.path().join("tidelock-notes");
        std::fs::create_dir(&named).unwrap();
        sweep(parent.path(), user());
        let foreign = folder(parent.path(), "foreign");
        sweep(parent.path(), user().wrapping_add(1));
        for kept in [&link, &file, &named, &foreign] {
            assert!(kept.symlink_metadata().is_ok(), "{}", kept.display());
        }
        assert_eq!(std::fs::read_to_string(outside.path().join("file")).unwrap(), "mine");
        sweep(parent.path(), user());
        assert!(!foreign.exists(), "it was kept for its owner alone");
    }

    #[test]
    fn only_so_many_are_removed_at_once() {
        let parent = tempfile::tempdir().unwrap();
        for number in 0..SWEPT_MAX + 3 {
            std::fs::create_dir(parent.path().join(format!("{PREFIX}{number}"))).unwrap();
        }
        let left = || std::fs::read_dir(parent.path()).unwrap().count();
        sweep(parent.path(), user());
        assert_eq!(left(), 3);
        sweep(parent.path(), user());
        assert_eq!(left(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_no_sweep() {
        let parent = tempfile::tempdir().unwrap();
        let gone = parent.path().join("gone");
        sweep(&gone, user());
        assert_eq!(HeldFolder::make_in(&gone, "x").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
