//! A translation memory in a folder, one file an entry, to be reviewed and committed like source.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use upstream::ContentHash;

use super::entry::MemoryEntry;
use super::{MemoryStore, MemoryTable};

/// The most entries that one folder may have.
pub const MEMORY_ENTRIES_MAX: usize = 20_000;

/// The largest file that an entry may have, in bytes.
pub const MEMORY_ENTRY_BYTES_MAX: u64 = 1 << 20;

/// The most entries that one key may have.
const ENTRIES_PER_KEY_MAX: u32 = 100;

/// The memory could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// A file operation failed.
    #[error("cannot {doing} `{path}` of the translation memory: {source}")]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no entry.
    #[error("{}{}: this is no entry of the translation memory: {reason}", path.display(), line_suffix(*line))]
    Entry {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// There are too many entries.
    #[error("`{path}` holds more than {entries_max} entries of the translation memory")]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The bound.
        entries_max: usize,
    },
    /// An entry cannot be written as TOML.
    #[error("cannot encode an entry of the translation memory: {0}")]
    Encode(#[from] toml::ser::Error),
}

fn line_suffix(line: Option<usize>) -> String {
    line.map(|line| format!(":{line}")).unwrap_or_default()
}

/// A translation memory in a folder. Files are read once, when it is opened; the entries of one key are
/// tried in the order of their files' names.
#[derive(Debug, Clone)]
pub struct MemoryFolder {
    folder: PathBuf,
    table: MemoryTable,
}

impl MemoryFolder {
    /// Reads every `*.toml` in the folder, folders inside it passed over. No folder is an empty memory.
    pub fn open(folder: &Path) -> Result<Self, MemoryError> {
        let mut entries = Vec::new();
        for path in entry_files(folder)? {
            let text = read_bounded(&path)?;
            let entry = MemoryEntry::parse(&text).map_err(|fault| MemoryError::Entry {
                path: path.clone(),
                line: fault.line,
                reason: fault.reason,
            })?;
            entries.push(entry);
        }
        Ok(Self { folder: folder.to_owned(), table: entries.into_iter().collect() })
    }

    /// All entries: by key, those of one key in the order in which they are tried.
    pub fn entries(&self) -> Vec<&MemoryEntry> {
        self.table.entries()
    }

    /// Writes an entry behind those that its key has already, and returns its file.
    pub fn add(&mut self, entry: &MemoryEntry) -> Result<PathBuf, MemoryError> {
        let text = entry.to_toml()?;
        let failed =
            |path: &Path, source| MemoryError::File { doing: "write", path: path.to_owned(), source };
        fs::create_dir_all(&self.folder).map_err(|source| failed(&self.folder, source))?;
        // Written aside and moved into place, so that no crash leaves half an entry to be read.
        let mut file = NamedTempFile::new_in(&self.folder).map_err(|source| failed(&self.folder, source))?;
        file.write_all(text.as_bytes()).map_err(|source| failed(file.path(), source))?;
        for number in 1..=ENTRIES_PER_KEY_MAX {
            let path = self.folder.join(format!("{}-{number:02}.toml", entry.key));
            match file.persist_noclobber(&path) {
                Ok(_) => {
                    *self = Self::open(&self.folder)?;
                    return Ok(path);
                }
                Err(taken) if taken.error.kind() == std::io::ErrorKind::AlreadyExists => file = taken.file,
                Err(other) => return Err(failed(&path, other.error)),
            }
        }
        let entries_max = usize::try_from(ENTRIES_PER_KEY_MAX).unwrap_or(usize::MAX);
        Err(MemoryError::TooMany { path: self.folder.clone(), entries_max })
    }
}

/// Several folders as one memory: the entries of the first are tried first.
impl MemoryStore for Vec<MemoryFolder> {
    fn lookup(&self, key: &ContentHash) -> Vec<MemoryEntry> {
        corrected_first(self.iter().flat_map(|folder| folder.table.lookup(key)).collect())
    }

    fn entries_max(&self) -> u32 {
        self.iter().map(MemoryStore::entries_max).fold(0, u32::saturating_add)
    }
}

impl MemoryStore for MemoryFolder {
    fn lookup(&self, key: &ContentHash) -> Vec<MemoryEntry> {
        corrected_first(self.table.lookup(key))
    }

    fn entries_max(&self) -> u32 {
        self.table.entries_max()
    }
}

/// What people corrected comes first, the latest correction before earlier ones.
fn corrected_first(entries: Vec<MemoryEntry>) -> Vec<MemoryEntry> {
    let (mut first, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.corrected);
    first.reverse();
    first.extend(others);
    first
}

/// The entries' files, sorted by name.
fn entry_files(folder: &Path) -> Result<Vec<PathBuf>, MemoryError> {
    let failed = |source| MemoryError::File { doing: "read", path: folder.to_owned(), source };
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in listing {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            files.push(path);
        }
        if files.len() > MEMORY_ENTRIES_MAX {
            return Err(MemoryError::TooMany { path: folder.to_owned(), entries_max: MEMORY_ENTRIES_MAX });
        }
    }
    files.sort();
    Ok(files)
}

fn read_bounded(path: &Path) -> Result<String, MemoryError> {
    let failed = |source| MemoryError::File { doing: "read", path: path.to_owned(), source };
    let entry_fault = |reason: String| MemoryError::Entry { path: path.to_owned(), line: None, reason };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MEMORY_ENTRY_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MEMORY_ENTRY_BYTES_MAX {
        return Err(entry_fault(format!("it is longer than {MEMORY_ENTRY_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| entry_fault(error.utf8_error().to_string()))
}
