//! Finished rows, kept between runs.
//!
//! What a revision changed is fixed by its commit id, so a row is kept under it for ever, bounded in number.
//! The file can be dropped at any time, and several processes may use it at once (`SQLite` sees to that). A
//! cache that cannot be read or written is as good as an empty one: it never fails a history.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::row::RowChanges;
use super::walk::Step;

/// The form of the rows and the rules that make them: another number, and everything kept is forgotten.
const FORMAT: i64 = 3;
/// The most rows that are kept; a row of a large workspace takes about two kilobytes.
const ROWS_MAX: i64 = 200_000;
/// How long another process may hold the file, before this one does without.
const BUSY: Duration = Duration::from_secs(2);

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the cache `{path}`: {reason}")]
pub struct CacheError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// Rows by commit.
#[derive(Debug)]
pub struct HistoryCache {
    connection: Connection,
}

impl HistoryCache {
    /// Opens the cache, and makes it where it is missing. One of another format, or one that is damaged, is
    /// begun anew.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let failed = |reason: String| CacheError { path: path.to_owned(), reason };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        }
        match Self::prepare(path) {
            Ok(cache) => Ok(cache),
            Err(error) if is_damaged(&error) => {
                std::fs::remove_file(path).map_err(|error| failed(error.to_string()))?;
                Self::prepare(path).map_err(|error| failed(error.to_string()))
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn prepare(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found != FORMAT {
            connection.execute_batch(
                "BEGIN IMMEDIATE;
                 DROP TABLE IF EXISTS history;
                 CREATE TABLE history (key TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY, key TEXT NOT NULL);
                 DELETE FROM kept;
                 COMMIT;",
            )?;
            connection.pragma_update(None, "user_version", FORMAT)?;
        }
        Ok(Self { connection })
    }

    /// The rows of these revisions, where they are known.
    pub(super) fn rows(&self, steps: &[Step]) -> Vec<Option<RowChanges>> {
        let Ok(mut statement) = self.connection.prepare("SELECT row FROM history WHERE key = ?1") else {
            return vec![None; steps.len()];
        };
        let mut find = |step: &Step| -> Option<RowChanges> {
            let text: String =
                statement.query_row(params![key(step)], |row| row.get(0)).optional().ok()??;
            serde_json::from_str(&text).ok()
        };
        steps.iter().map(&mut find).collect()
    }

    /// Keeps the rows of these revisions. A row that rests on a missing object is not kept: the object may
    /// come.
    pub(super) fn keep(&self, steps: &[&Step], rows: &[RowChanges]) {
        // Losing the cache costs time and nothing else.
        drop(self.try_keep(steps, rows));
    }

    fn try_keep(&self, steps: &[&Step], rows: &[RowChanges]) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        {
            let mut insert =
                transaction.prepare("INSERT OR REPLACE INTO history (key, row) VALUES (?1, ?2)")?;
            let mut number = transaction.prepare("INSERT INTO kept (key) VALUES (?1)")?;
            for (step, row) in steps.iter().zip(rows).filter(|(_, row)| row.unparsed.is_empty()) {
                let Ok(text) = serde_json::to_string(row) else { continue };
                insert.execute(params![key(step), text])?;
                number.execute(params![key(step)])?;
            }
        }
        transaction.execute(
            "DELETE FROM history WHERE key IN
                 (SELECT key FROM kept WHERE number <= (SELECT max(number) FROM kept) - ?1)",
            [ROWS_MAX],
        )?;
        transaction
            .execute("DELETE FROM kept WHERE number <= (SELECT max(number) FROM kept) - ?1", [ROWS_MAX])?;
        transaction.commit()
    }
}

/// A merge is compared with one parent or with all, so that is part of the key.
fn key(step: &Step) -> String {
    let line = if step.parents.len() < step.parent_count { "first" } else { "all" };
    format!("{} {line}", step.commit())
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
