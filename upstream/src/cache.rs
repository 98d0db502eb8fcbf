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

/// How values are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As JSON, for what is printed like that as well, and leaves out what is not there.
    Text,
    /// As `postcard` has it, which takes a fraction of the time to read. That form says nothing of itself, so a checksum
    /// stands in front of it; all fields must be written, always.
    Compact,
}

/// Values of one kind by key. A key holds all that a value is worked out from, such as the id of a file's content.
#[derive(Debug)]
pub struct DerivedCache {
    connection: Connection,
    form: Form,
    entries_max: u32,
}

impl DerivedCache {
    /// Opens the cache, and makes it where it is missing. `rules` names how values are worked out and what they consist
    /// of: one of other rules or in another form, or one that is damaged, is begun anew. Of more than `entries_max`
    /// values the oldest leave.
    pub fn open(path: &Path, form: Form, rules: &str, entries_max: u32) -> Result<Self, CacheError> {
        let rules = &match form {
            Form::Text => rules.to_owned(),
            Form::Compact => format!("compact {rules}"),
        };
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
        Ok(Self { connection, form, entries_max })
    }

    /// The value of a key, where it is known.
    pub fn get<Value: DeserializeOwned>(&self, key: &str) -> Option<Value> {
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM entries WHERE key = ?1").ok()?;
        let read = statement.query_row([key], |row| Ok(self.form.read(row.get_ref(0)?.as_bytes()?)));
        read.optional().ok()?.flatten()
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
                let Some(value) = self.form.written(value) else { continue };
                insert.execute(params![key, value])?;
            }
        }
        transaction.execute(
            "DELETE FROM entries WHERE number <= (SELECT max(number) FROM entries) - ?1",
            [self.entries_max],
        )?;
        transaction.commit()
    }
}

impl Form {
    fn written<Value: Serialize>(self, value: &Value) -> Option<Vec<u8>> {
        match self {
            Self::Text => serde_json::to_vec(value).ok(),
            Self::Compact => {
                let mut bytes = postcard::to_allocvec(value).ok()?;
                let checksum = crc32fast::hash(&bytes);
                bytes.extend(checksum.to_le_bytes());
                Some(bytes)
            }
        }
    }

    fn read<Value: DeserializeOwned>(self, bytes: &[u8]) -> Option<Value> {
        match self {
            Self::Text => serde_json::from_slice(bytes).ok(),
            Self::Compact => {
                let (value, checksum) = bytes.split_last_chunk()?;
                let is_whole = crc32fast::hash(value) == u32::from_le_bytes(*checksum);
                postcard::from_bytes(value).ok().filter(|_| is_whole)
            }
        }
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
             (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL);",
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
        for form in [Form::Text, Form::Compact] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("deep/cache.sqlite");
            let cache = DerivedCache::open(&path, form, "one", 2).unwrap();
            keep(&cache, &[entry("a", "1"), entry("b", "2")]);
            let beside = DerivedCache::open(&path, form, "one", 2).unwrap();
            assert_eq!(get(&beside, "a").as_deref(), Some("1"));
            assert_eq!(get(&beside, "c"), None);
            assert_eq!(beside.get::<(String, String)>("a"), None, "a value of another shape is none");
            keep(&beside, &[entry("a", "3"), entry("c", "4")]);
            assert_eq!(get(&cache, "b"), None, "the oldest leaves");
            assert_eq!((get(&cache, "a").as_deref(), get(&cache, "c").as_deref()), (Some("3"), Some("4")));
            assert_eq!(get(&DerivedCache::open(&path, form, "two", 2).unwrap(), "a"), None);
            assert_eq!(get(&cache, "a"), None, "the other emptied it");
        }
    }

    #[test]
    fn another_form_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        for form in [Form::Text, Form::Compact, Form::Text] {
            let cache = DerivedCache::open(&path, form, "one", 2).unwrap();
            assert_eq!(get(&cache, "a"), None);
            keep(&cache, &[entry("a", "1")]);
            assert_eq!(get(&cache, "a").as_deref(), Some("1"));
        }
    }

    #[test]
    fn what_is_damaged_is_begun_anew_and_what_cannot_be_a_cache_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        std::fs::write(&path, "no database".repeat(1000)).unwrap();
        let cache = DerivedCache::open(&path, Form::Text, "one", 2).unwrap();
        keep(&cache, &[entry("a", "1")]);
        assert_eq!(get(&cache, "a").as_deref(), Some("1"));
        cache.connection.execute_batch("UPDATE entries SET value = '{'; DROP TABLE rules").unwrap();
        assert_eq!(get(&cache, "a"), None);
        keep(&cache, &[entry("a", "2")]);
        assert_eq!(get(&cache, "a").as_deref(), Some("2"));
        let error = DerivedCache::open(folder.path(), Form::Text, "one", 2).unwrap_err().to_string();
        assert!(error.contains("cannot use the cache"), "{error}");
    }

    #[test]
    fn a_compact_value_is_whole_or_none() {
        let whole = Form::Compact.written(&"abc").unwrap();
        assert_eq!(Form::Compact.read::<String>(&whole).as_deref(), Some("abc"));
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert_eq!(Form::Compact.read::<String>(&damaged), None, "byte {at}");
            assert_eq!(Form::Compact.read::<String>(&whole[..at]), None, "{at} bytes");
        }
    }
}
