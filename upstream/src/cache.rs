//! What was worked out before, kept between runs under the content that it was worked out from.
//!
//! The main type is [`DerivedCache`]. Its file can be dropped at any time, and several processes may use it at once
//! (`SQLite` sees to that). A cache that cannot be read or written is as good as an empty one: it never fails a run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// Values of one kind by key. A key holds all that a value is worked out from, such as the id of a file's content.
#[derive(Debug)]
pub struct DerivedCache {
    connection: Connection,
    entries_max: u32,
}

impl DerivedCache {
    /// Opens the cache, and makes it where it is missing. `rules` names how values are worked out and written down: one
    /// of other rules, or one that is damaged, is begun anew. Of more than `entries_max` values the oldest leave.
    pub fn open(path: &Path, rules: &str, entries_max: u32) -> Result<Self, CacheError> {
        let failed = |reason: String| CacheError { path: path.to_owned(), reason };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        }
        let connection = match prepare(path, rules) {
            Err(error) if is_damaged(&error) => {
                std::fs::remove_file(path).map_err(|error| failed(error.to_string()))?;
                prepare(path, rules)
            }
            opened => opened,
        };
        let connection = connection.map_err(|error| failed(error.to_string()))?;
        Ok(Self { connection, entries_max })
    }

    /// The value of a key, where it is known.
    pub fn get<Value: DeserializeOwned>(&self, key: &str) -> Option<Value> {
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM entries WHERE key = ?1").ok()?;
        let text = statement.query_row([key], |row| row.get::<_, String>(0)).optional().ok()??;
        serde_json::from_str(&text).ok()
    }

    /// Keeps values. Losing them costs time and nothing else.
    pub fn keep<'values, Value: Serialize + 'values>(
        &self,
        fresh: impl IntoIterator<Item = (String, &'values Value)>,
    ) {
        let mut fresh = fresh.into_iter().peekable();
        if fresh.peek().is_some() {
            drop(self.try_keep(fresh));
        }
    }

    fn try_keep<'values, Value: Serialize + 'values>(
        &self,
        fresh: impl Iterator<Item = (String, &'values Value)>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        {
            let mut insert =
                transaction.prepare("INSERT OR REPLACE INTO entries (key, value) VALUES (?1, ?2)")?;
            for (key, value) in fresh {
                let Ok(text) = serde_json::to_string(value) else { continue };
                insert.execute(params![key, text])?;
            }
        }
        transaction.execute(
            "DELETE FROM entries WHERE number <= (SELECT max(number) FROM entries) - ?1",
            [self.entries_max],
        )?;
        transaction.commit()
    }
}

fn prepare(path: &Path, rules: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS rules (of TEXT PRIMARY KEY) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS entries
             (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL);",
    )?;
    let known: Option<String> =
        connection.query_row("SELECT of FROM rules", [], |row| row.get(0)).optional()?;
    if known.as_deref() != Some(rules) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch("DELETE FROM entries; DELETE FROM rules;")?;
        transaction.execute("INSERT INTO rules (of) VALUES (?1)", [rules])?;
        transaction.commit()?;
    }
    Ok(connection)
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: &'static str) -> (String, &'static str) {
        (key.to_owned(), value)
    }

    fn keep(cache: &DerivedCache, entries: &[(String, &'static str)]) {
        cache.keep(entries.iter().map(|(key, value)| (key.clone(), value)));
    }

    fn get(cache: &DerivedCache, key: &str) -> Option<String> {
        cache.get(key)
    }

    #[test]
    fn values_stay_as_long_as_the_rules_and_the_oldest_leave() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/cache.sqlite");
        let cache = DerivedCache::open(&path, "one", 2).unwrap();
        keep(&cache, &[entry("a", "1"), entry("b", "2")]);
        let beside = DerivedCache::open(&path, "one", 2).unwrap();
        assert_eq!(get(&beside, "a").as_deref(), Some("1"));
        assert_eq!(get(&beside, "c"), None);
        assert_eq!(beside.get::<u8>("a"), None, "a value of another form is none");
        keep(&beside, &[entry("a", "3"), entry("c", "4")]);
        assert_eq!(get(&cache, "b"), None, "the oldest leaves");
        assert_eq!((get(&cache, "a").as_deref(), get(&cache, "c").as_deref()), (Some("3"), Some("4")));
        assert_eq!(get(&DerivedCache::open(&path, "two", 2).unwrap(), "a"), None);
        assert_eq!(get(&cache, "a"), None, "the other emptied it");
    }

    #[test]
    fn what_is_damaged_is_begun_anew_and_what_cannot_be_a_cache_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        std::fs::write(&path, "no database".repeat(1000)).unwrap();
        let cache = DerivedCache::open(&path, "one", 2).unwrap();
        keep(&cache, &[entry("a", "1")]);
        assert_eq!(get(&cache, "a").as_deref(), Some("1"));
        cache.connection.execute_batch("UPDATE entries SET value = '{'; DROP TABLE rules").unwrap();
        assert_eq!(get(&cache, "a"), None);
        keep(&cache, &[entry("a", "2")]);
        assert_eq!(get(&cache, "a").as_deref(), Some("2"));
        let error = DerivedCache::open(folder.path(), "one", 2).unwrap_err().to_string();
        assert!(error.contains("cannot use the cache"), "{error}");
    }
}
