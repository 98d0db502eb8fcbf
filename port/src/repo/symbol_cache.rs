//! The symbols of files, kept between runs by the id of their content and their place.
//!
//! The main type is [`SymbolCache`]. The file can be dropped at any time, and several processes may use it at once. A
//! cache that cannot be read or written is as good as an empty one.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use mappings::Symbol;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use upstream::ContentHash;

use crate::language::Language;

/// The most files that are kept.
const FILES_MAX: i64 = 100_000;
/// How long another process may hold the file, before this one does without.
const BUSY: Duration = Duration::from_secs(2);

/// What decides which symbols a file has. Where any of it differs, nothing that was kept before is believed.
const RULES: &[&str] = &[
    include_str!("../../../Cargo.lock"),
    include_str!("../language/python/indent.rs"),
    include_str!("../language/python/mod.rs"),
    include_str!("../language/python/source.rs"),
    include_str!("../language/python/symbols.rs"),
    include_str!("../../../mappings/src/symbol.rs"),
    include_str!("symbol_cache.rs"),
];

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the cache `{path}`: {reason}")]
pub struct SymbolCacheError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// The symbols of one file, or why it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) symbols: Vec<Symbol>,
    pub(super) fault: Option<String>,
}

/// Symbols by content and place.
#[derive(Debug)]
pub struct SymbolCache {
    connection: Connection,
}

impl SymbolCache {
    /// Opens the cache, and makes it where it is missing. One of other rules, or one that is damaged, is begun anew.
    pub fn open(path: &Path) -> Result<Self, SymbolCacheError> {
        let failed = |reason: String| SymbolCacheError { path: path.to_owned(), reason };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        }
        Self::prepare(path).or_else(|_damaged| {
            std::fs::remove_file(path).map_err(|error| failed(error.to_string()))?;
            Self::prepare(path).map_err(|error| failed(error.to_string()))
        })
    }

    fn prepare(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS rules (of TEXT PRIMARY KEY) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS files
                 (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, symbols TEXT NOT NULL);",
        )?;
        let known: Option<String> =
            connection.query_row("SELECT of FROM rules", [], |row| row.get(0)).optional()?;
        if known.as_deref() != Some(rules()) {
            let transaction = connection.unchecked_transaction()?;
            transaction.execute_batch("DELETE FROM files; DELETE FROM rules;")?;
            transaction.execute("INSERT INTO rules (of) VALUES (?1)", [rules()])?;
            transaction.commit()?;
        }
        Ok(Self { connection })
    }

    /// The key of a file: its content, its place, and the module that it is there.
    pub(super) fn key(language: &dyn Language, file: &str, content: &str) -> String {
        let module = language.module_path(file);
        let module = module.as_ref().map_or("", |module| module.as_str());
        format!("{content} {} {module} {file}", language.name())
    }

    pub(super) fn get(&self, key: &str) -> Option<Kept> {
        let mut statement =
            self.connection.prepare_cached("SELECT symbols FROM files WHERE key = ?1").ok()?;
        let text = statement.query_row([key], |row| row.get::<_, String>(0)).optional().ok()??;
        serde_json::from_str(&text).ok()
    }

    /// Keeps what was read. Losing it costs time and nothing else.
    pub(super) fn keep(&self, fresh: &[(String, Kept)]) {
        if !fresh.is_empty() {
            drop(self.try_keep(fresh));
        }
    }

    fn try_keep(&self, fresh: &[(String, Kept)]) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        {
            let mut insert =
                transaction.prepare("INSERT OR REPLACE INTO files (key, symbols) VALUES (?1, ?2)")?;
            for (key, kept) in fresh {
                let Ok(text) = serde_json::to_string(kept) else { continue };
                insert.execute(params![key, text])?;
            }
        }
        transaction
            .execute("DELETE FROM files WHERE number <= (SELECT max(number) FROM files) - ?1", [FILES_MAX])?;
        transaction.commit()
    }

    #[cfg(test)]
    pub(super) fn damage(&self) {
        self.connection.execute_batch("UPDATE files SET symbols = '{'").unwrap();
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> i64 {
        self.connection.query_row("SELECT count(*) FROM files", [], |row| row.get(0)).unwrap()
    }
}

fn rules() -> &'static str {
    static RULES_HASH: OnceLock<String> = OnceLock::new();
    RULES_HASH.get_or_init(|| ContentHash::of_parts(RULES).to_string())
}
