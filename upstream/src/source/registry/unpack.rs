//! Unpacks the archive of a release in memory, trusting nothing in it.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use crate::ids::RevisionLabel;
use crate::repo::{ancestors, is_safe_path, link_stays_inside};

/// The most bytes that an archive may have when it is unpacked; the public registry allows 512 MiB.
pub(super) const UNPACKED_BYTES_MAX: u64 = 512 << 20;
/// The most files that an archive may have.
pub(super) const UNPACKED_FILES_MAX: usize = 100_000;

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArchiveFile {
    pub(super) kind: ArchiveFileKind,
    pub(super) content: Vec<u8>,
}

/// What a path of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArchiveFileKind {
    Regular,
    Executable,
    /// A link that stays inside; the content is its target.
    Link,
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("it cannot be unpacked: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("the path `{0}` is unsafe, or not in the folder of the release")]
    UnsafePath(String),
    #[error("the link `{path}` leads out, to `{target}`")]
    EscapingLink { path: String, target: String },
    #[error("`{path}` is neither a file, a folder nor a symbolic link ({kind:?})")]
    UnknownKind { path: String, kind: EntryType },
    #[error("the path `{0}` is there twice, or is a file and a folder")]
    Twice(String),
    #[error("it has more than {UNPACKED_FILES_MAX} files")]
    TooManyFiles,
    #[error("it has more than {UNPACKED_BYTES_MAX} bytes")]
    TooManyBytes,
    #[error("it holds no files")]
    Empty,
}

/// The files of an archive by path, without the `krate-version/` that all paths begin with.
pub(super) fn unpack(
    archive: &[u8],
    krate: &str,
    version: &RevisionLabel,
) -> Result<BTreeMap<String, ArchiveFile>, Refused> {
    let folder = format!("{krate}-{version}/");
    // One byte more than allowed tells an archive that is too large from one that just fits.
    let unpacked = GzDecoder::new(archive).take(UNPACKED_BYTES_MAX + 1);
    let mut archive = Archive::new(unpacked);
    let mut files = BTreeMap::new();
    let mut bytes = 0_u64;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = path_inside(&raw, &folder, kind).ok_or_else(|| Refused::UnsafePath(raw.clone()))?;
        if kind == EntryType::Directory {
            continue;
        }
        bytes += entry.size();
        if bytes > UNPACKED_BYTES_MAX {
            return Err(Refused::TooManyBytes);
        }
        let file = if kind == EntryType::Regular {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            let executable = entry.header().mode()? & 0o100 != 0;
            let kind = if executable { ArchiveFileKind::Executable } else { ArchiveFileKind::Regular };
            ArchiveFile { kind, content }
        } else if kind == EntryType::Symlink {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let stays = std::str::from_utf8(&target).is_ok_and(|target| link_stays_inside(&path, target));
            if !stays {
                let target = String::from_utf8_lossy(&target).into_owned();
                return Err(Refused::EscapingLink { path, target });
            }
            ArchiveFile { kind: ArchiveFileKind::Link, content: target }
        } else {
            return Err(Refused::UnknownKind { path, kind });
        };
        if files.insert(path.clone(), file).is_some() {
            return Err(Refused::Twice(path));
        }
        if files.len() > UNPACKED_FILES_MAX {
            return Err(Refused::TooManyFiles);
        }
    }
    if let Some(path) = files.keys().find(|path| ancestors(path).any(|above| files.contains_key(above))) {
        return Err(Refused::Twice(path.clone()));
    }
    if files.is_empty() { Err(Refused::Empty) } else { Ok(files) }
}

/// The path below the release's folder; folders may end with `/`, and the release's own folder is `.`.
fn path_inside(raw: &str, folder: &str, kind: EntryType) -> Option<String> {
    let raw =
        if kind == EntryType::Directory { format!("{}/", raw.trim_end_matches('/')) } else { raw.to_owned() };
    let inside = raw.strip_prefix(folder)?;
    let inside = if kind == EntryType::Directory { inside.trim_end_matches('/') } else { inside };
    let is_top = kind == EntryType::Directory && inside.is_empty();
    (is_top || is_safe_path(inside)).then(|| inside.to_owned())
}
