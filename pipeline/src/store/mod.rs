//! The local database: the journal of runs.
//!
//! It is history and cache. Delete it and nothing is lost but history: what the port equals is in
//! `tidelock.lock`. One process writes at a time (the lease sees to that); others may read.

mod journal;
mod schema;

use std::path::{Path, PathBuf};

use port::held::HeldFolder;
use rusqlite::{Connection, OpenFlags};

pub use journal::{RunRow, RunStatus};

/// The database cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It was written by a newer Tidelock.
    #[error(
        "`{path}` has format {found}, and this program knows formats up to {known}: update Tidelock, or \
         move the file away (only history is lost)"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// There is no room to write.
    #[error("no space left to write `{path}`: free some, then run the same command again, which goes on")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// It may be read, or not even that, but not written.
    #[error(
        "the database `{path}` may not be written ({source}): make it and its folder writable for this user, \
         then run the same command again, which goes on"
    )]
    NotWritable {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Anything else.
    #[error("cannot use the database `{path}`: {source}")]
    Database {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A run that another version wrote holds what this one does not know.
    #[error("run {run} was written by Tidelock {version}, and this one cannot read it: {what}")]
    OtherVersion {
        /// The run.
        run: String,
        /// The version that wrote it.
        version: String,
        /// What is not known.
        what: String,
    },
    /// A stored row is not what this program writes.
    #[error("the database `{path}` is damaged ({what}): move it away, only history is lost")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// How long a reader waits for a lock.
const READER_PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// The open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// Where a copy is read in its place; it goes with this value.
    _copy: Option<HeldFolder>,
}

impl Store {
    /// Opens the database at this path, makes it where there is none, and brings it to this format.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| classify(path, source);
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        // Every event decides something: it is on the disk before the next effect begins.
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let store = Self { connection, path: path.to_owned(), _copy: None };
        store.migrate(schema::MIGRATIONS)?;
        Ok(store)
    }

    /// Opens the database at this path to read what it holds, also where it may not be written: on a disk that
    /// is mounted read-only, or by another user than the one whose runs it tells of.
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let refused = match Self::open(path) {
            Err(refused @ StoreError::NotWritable { .. }) => refused,
            opened_or_broken => return opened_or_broken,
        };
        // While somebody else is at work there is a file through which events can be shared that are not in the
        // database itself yet. Else nobody changes it, and a copy of it may be read in any way.
        Self::open_shared(path).or_else(|_not_shared| Self::open_copy(path)).map_err(|_unreadable| refused)
    }

    /// Opens the database at this path to read it, and never writes to it or makes it. One of an older format is read in
    /// a copy.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        match Self::open_shared(path) {
            Err(refused @ StoreError::NotWritable { .. }) if path.exists() => {
                Self::open_copy(path).map_err(|_unreadable| refused)
            }
            opened_or_broken => opened_or_broken,
        }
    }

    fn open_shared(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| classify(path, source);
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        connection.busy_timeout(READER_PATIENCE).map_err(failed)?;
        let store = Self { connection, path: path.to_owned(), _copy: None };
        store.migrate(schema::MIGRATIONS)?;
        Ok(store)
    }

    fn open_copy(path: &Path) -> std::io::Result<Self> {
        let folder = HeldFolder::make("state")?;
        let copy = folder.path().join("state.db");
        std::fs::copy(path, &copy)?;
        let pending = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push("-wal");
            PathBuf::from(name)
        };
        if pending(path).exists() {
            std::fs::copy(pending(path), pending(&copy))?;
        }
        // What was copied is as read-only as the original.
        for file in [&copy, &pending(&copy)] {
            if file.exists() {
                std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            }
        }
        let store = Self::open(&copy).map_err(std::io::Error::other)?;
        Ok(Self { _copy: Some(folder), path: path.to_owned(), ..store })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, source: rusqlite::Error) -> StoreError {
        classify(&self.path, source)
    }

    fn damaged(&self, what: impl std::fmt::Display) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), what: what.to_string() }
    }
}

/// `SQLITE_IOERR_SHMSIZE`.
const IOERR_SHMSIZE: i32 = 0x130a;

fn classify(path: &Path, source: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    // The memory that readers share is a file as well: SQLite calls a disk without room for it an I/O error.
    let no_room_to_share = source.sqlite_error().is_some_and(|error| error.extended_code == IOERR_SHMSIZE);
    if no_room_to_share {
        return StoreError::Full { path };
    }
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full { path },
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Damaged { path, what: source.to_string() }
        }
        Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::PermissionDenied) => {
            StoreError::NotWritable { path, source }
        }
        // The files beside it cannot be made.
        Some(rusqlite::ErrorCode::CannotOpen) if !path.is_dir() => StoreError::NotWritable { path, source },
        Some(_) | None => StoreError::Database { path, source },
    }
}

#[cfg(test)]
mod migration_tests;
#[cfg(test)]
mod tests;
