//! Writes the files of a revision into a folder.
//!
//! Trees are written by strangers: a path that would leave the folder is refused, and links are made only
//! after all files, so that no file is ever written through one.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind as Mode;

use super::tree::RevisionTree;
use super::{RepoError, tree};
use crate::tree::TreeError;

/// The most files that an export may have.
pub(super) const EXPORT_FILES_MAX: usize = 500_000;
/// The most bytes that an export may have.
pub(super) const EXPORT_BYTES_MAX: u64 = 8 << 30;

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// How many files and links.
    pub files: usize,
    /// How many bytes.
    pub bytes: u64,
    /// The paths that were left out: submodules, links that leave the folder or lead nowhere, and names with
    /// control characters.
    pub left_out: Vec<String>,
}

/// Why a revision could not be written into a folder.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The history could not be read.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// A file of the revision could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The folder holds something already.
    #[error("`{}` is not empty; give an empty or a new folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The revision holds a path that no file may have.
    #[error("the revision holds the unsafe path {path:?}; nothing more was written")]
    UnsafePath {
        /// The path.
        path: String,
    },
    /// The revision is larger than an export may be.
    #[error("the revision has more than {most} {what}")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The bound.
        most: u64,
    },
    /// A file could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

pub(super) fn export(tree: &RevisionTree, into: &Path) -> Result<Exported, ExportError> {
    let root = empty_folder(into)?;
    let entries = tree.git_entries()?;
    if entries.len() > EXPORT_FILES_MAX {
        return Err(ExportError::TooLarge { what: "files", most: EXPORT_FILES_MAX as u64 });
    }
    let mut exported = Exported::default();
    let mut links = Vec::new();
    for (path, entry) in &entries {
        // No source needs such a name, and whoever lists the folder would stumble over it.
        if path.chars().any(|character| character.is_control() && character != '\0') {
            exported.left_out.push(path.clone());
            continue;
        }
        // A hostile tree can hold a file or a link and a folder of the same name.
        let stands_in_the_way = ancestors(path).any(|ancestor| entries.contains_key(ancestor));
        if !is_safe_path(path) || stands_in_the_way {
            return Err(ExportError::UnsafePath { path: path.clone() });
        }
        let executable = match entry.mode {
            Mode::Blob => false,
            Mode::BlobExecutable => true,
            Mode::Link => {
                links.push((path, tree.read_object(path, entry.id)?));
                continue;
            }
            Mode::Commit | Mode::Tree => {
                exported.left_out.push(path.clone());
                continue;
            }
        };
        let content = tree.read_object(path, entry.id)?;
        exported.bytes += content.len() as u64;
        if exported.bytes > EXPORT_BYTES_MAX {
            return Err(ExportError::TooLarge { what: "bytes", most: EXPORT_BYTES_MAX });
        }
        write_file(&root.join(path), &content, executable)?;
        exported.files += 1;
    }
    let mut made = Vec::new();
    for (path, target) in links {
        if make_link(&root, path, &target)? {
            made.push(path);
        } else {
            exported.left_out.push(path.clone());
        }
    }
    // Links may lead through other links, so where each ends is known only once all are there.
    for path in made {
        let at = root.join(path);
        if fs::canonicalize(&at).is_ok_and(|end| end.starts_with(&root)) {
            exported.files += 1;
        } else {
            fs::remove_file(&at).map_err(|source| ExportError::Write { path: at, source })?;
            exported.left_out.push(path.clone());
        }
    }
    exported.left_out.sort();
    Ok(exported)
}

/// Whether a link at `path` with this target stays inside the root, as far as the texts tell.
pub(crate) fn link_stays_inside(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains('\0') {
        return false;
    }
    let mut depth = path.split('/').count().saturating_sub(1);
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

/// Whether a path names a place below the root on every common file system, and none that git itself uses.
pub(crate) fn is_safe_path(path: &str) -> bool {
    let is_safe_part = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.eq_ignore_ascii_case(".git")
            && !part.contains(['\0', '\n', '\r'])
            && part.len() <= 255
    };
    path.len() <= 4096 && path.split('/').count() <= tree::TREE_DEPTH_MAX && path.split('/').all(is_safe_part)
}

/// The folders above a path, the nearest first, without the root.
pub(crate) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|(folder, _)| folder), |folder| {
        folder.rsplit_once('/').map(|(above, _)| above)
    })
}

fn empty_folder(into: &Path) -> Result<PathBuf, ExportError> {
    let failed = |source| ExportError::Write { path: into.to_owned(), source };
    fs::create_dir_all(into).map_err(failed)?;
    if fs::read_dir(into).map_err(failed)?.next().is_some() {
        return Err(ExportError::NotEmpty { path: into.to_owned() });
    }
    fs::canonicalize(into).map_err(failed)
}

fn write_file(path: &Path, content: &[u8], executable: bool) -> Result<(), ExportError> {
    let failed = |source| ExportError::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mode = if executable { 0o755 } else { 0o644 };
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(content).map_err(failed)
}

fn make_link(root: &Path, path: &str, target: &[u8]) -> Result<bool, ExportError> {
    let Some(target) = target.to_str().ok().filter(|target| link_stays_inside(path, target)) else {
        return Ok(false);
    };
    let at = root.join(path);
    let failed = |source| ExportError::Write { path: at.clone(), source };
    if let Some(folder) = at.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    symlink(target, &at).map_err(failed)?;
    Ok(true)
}
