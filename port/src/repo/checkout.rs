//! A tree exported to a plain folder, for code that must not find the repository it came from.
//!
//! Each checkout is held by a lock on a file beside it. The kernel drops the lock when its process ends,
//! however it ends, and so a sweep can tell what a killed run left from what another run is using.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use tempfile::NamedTempFile;
use upstream::TreeId;
use walkdir::WalkDir;

use super::error::RepoError;
use super::path::check_segment;
use super::{Mode, PortRepo};

const PREFIX: &str = "checkout-";
const LOCK_SUFFIX: &str = ".lock";
/// How often a new checkout is named anew where a sweep takes its lock first.
const NAMES_MAX: usize = 20;

/// A tree in a folder of its own. The folder is removed when this is dropped.
#[derive(Debug)]
pub struct Checkout {
    folder: PathBuf,
    left_out: Vec<String>,
    // Dropped after the folder was removed: the lock outlives what it guards.
    _lock: NamedTempFile,
}

impl Checkout {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// What of the tree is not in the folder: submodules, and links that lead out of it.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if let Err(error) = remove_folder(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "a checkout could not be removed");
        }
    }
}

impl PortRepo {
    /// Exports a tree into a new folder inside `into`.
    pub fn checkout(&self, tree: &TreeId, into: &Path) -> Result<Checkout, RepoError> {
        fs::create_dir_all(into).map_err(file("make", into))?;
        let lock = new_lock(into)?;
        let folder = folder_of(lock.path());
        fs::create_dir(&folder).map_err(file("make", &folder))?;
        let mut checkout = Checkout { folder, left_out: Vec::new(), _lock: lock };
        checkout.left_out = self.export(tree, &checkout.folder)?;
        Ok(checkout)
    }

    fn export(&self, tree: &TreeId, folder: &Path) -> Result<Vec<String>, RepoError> {
        let (mut left_out, mut links) = (Vec::new(), Vec::new());
        self.visit(tree, &mut |path, mode, id| {
            check_segment(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default())?;
            let relative = Path::new(OsStr::from_bytes(path));
            let target = folder.join(relative);
            match mode {
                Mode::Folder => fs::create_dir(&target).map_err(file("make", &target))?,
                Mode::File { executable } => write_new(&target, &self.blob(id)?, executable)?,
                Mode::Submodule => left_out.push(String::from_utf8_lossy(path).into_owned()),
                Mode::Link => {
                    let to = PathBuf::from(OsStr::from_bytes(&self.blob(id)?));
                    if stays_inside(relative, &to) {
                        links.push((target, to));
                    } else {
                        left_out.push(String::from_utf8_lossy(path).into_owned());
                    }
                }
            }
            Ok(())
        })?;
        // Links come last, so that nothing is written through one.
        for (target, to) in links {
            symlink(&to, &target).map_err(file("make", &target))?;
        }
        left_out.sort();
        Ok(left_out)
    }
}

/// Removes the checkouts in a folder whose process ended without removing them; how many they were.
pub fn sweep_checkouts(into: &Path) -> Result<usize, RepoError> {
    let entries = match fs::read_dir(into) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(source) => return Err(file("read", into)(source)),
    };
    let mut removed = 0;
    for entry in entries {
        let path = entry.map_err(file("read", into))?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if name.starts_with(PREFIX) && name.ends_with(LOCK_SUFFIX) && sweep(&path)? {
            removed += 1;
        }
    }
    Ok(removed)
}

fn sweep(lock: &Path) -> Result<bool, RepoError> {
    let held = match File::open(lock) {
        Ok(held) => held,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(file("open", lock)(source)),
    };
    if held.try_lock().is_err() {
        return Ok(false);
    }
    remove_folder(&folder_of(lock)).map_err(file("remove", lock))?;
    match fs::remove_file(lock) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(file("remove", lock)(source)),
    }
}

/// A locked file of a name that nobody else has.
fn new_lock(into: &Path) -> Result<NamedTempFile, RepoError> {
    for _attempt in 0..NAMES_MAX {
        let lock = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(LOCK_SUFFIX)
            .tempfile_in(into)
            .map_err(file("make a file in", into))?;
        // Between its making and its locking a sweep may have taken it for a leftover and removed it.
        if lock.as_file().try_lock().is_ok() && is_at(lock.as_file(), lock.path()) {
            return Ok(lock);
        }
    }
    let busy = std::io::Error::new(ErrorKind::ResourceBusy, "another process keeps taking the lock");
    Err(file("make a checkout in", into)(busy))
}

fn is_at(open: &File, path: &Path) -> bool {
    match (open.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

fn folder_of(lock: &Path) -> PathBuf {
    lock.with_extension("")
}

fn write_new(target: &Path, content: &[u8], executable: bool) -> Result<(), RepoError> {
    let mode = if executable { 0o755 } else { 0o644 };
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(target)
        .map_err(file("make", target))?;
    new.write_all(content).map_err(file("write", target))?;
    // The umask may have taken bits away that the code in the sandbox, another user, needs.
    new.set_permissions(fs::Permissions::from_mode(mode)).map_err(file("write", target))
}

/// Whether a link at a path leads to something inside the same tree, by its text alone.
fn stays_inside(at: &Path, to: &Path) -> bool {
    let mut depth = at.components().count().saturating_sub(1);
    for component in to.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

/// Removes a folder in which foreign code may have taken the permission to do so away.
fn remove_folder(folder: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(folder).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(());
    }
    for entry in WalkDir::new(folder) {
        // What cannot be read is noticed by the removal.
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_dir() {
            let owner_only = fs::Permissions::from_mode(0o700);
            fs::set_permissions(entry.path(), owner_only)?;
        }
    }
    fs::remove_dir_all(folder)
}

fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RepoError + use<> {
    let path = path.to_owned();
    move |source| RepoError::File { action, path, source }
}
