//! What files hold, kept between runs by the id of their content and their edition.
//!
//! Parsing is most of what a snapshot costs, and between two revisions hardly a file differs. The main type is
//! [`OutlineCache`]. The file can be dropped at any time, and several processes may use it at once. A cache that cannot
//! be read or written is as good as an empty one: it never fails a snapshot.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::outline::Outline;
use crate::history::CacheError;
use crate::ids::ContentHash;

/// The most files that are kept; one takes some twenty kilobytes.
const FILES_MAX: i64 = 50_000;
/// How long another process may hold the file, before this one does without.
const BUSY: Duration = Duration::from_secs(2);

/// What decides how a file is read. Where any of it differs, nothing that was kept before is believed.
const RULES: &[&str] = &[
    include_str!("../../../Cargo.lock"),
    include_str!("annotations.rs"),
    include_str!("cache.rs"),
    include_str!("declared.rs"),
    include_str!("fingerprint.rs"),
    include_str!("item.rs"),
    include_str!("mentions.rs"),
    include_str!("outline.rs"),
    include_str!("rust_type.rs"),
    include_str!("syntax.rs"),
    include_str!("types.rs"),
    include_str!("uses.rs"),
    include_str!("visibility.rs"),
];

/// Outlines by content and edition.
#[derive(Debug)]
pub struct OutlineCache {
    connection: Connection,
}

impl OutlineCache {
    /// Opens the cache, and makes it where it is missing. One of other rules, or one that is damaged, is begun anew.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let failed = |reason: String| CacheError { path: path.to_owned(), reason };
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
             CREATE TABLE IF NOT EXISTS outlines
                 (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, outline TEXT NOT NULL);",
        )?;
        let known: Option<String> =
            connection.query_row("SELECT of FROM rules", [], |row| row.get(0)).optional()?;
        if known.as_deref() != Some(rules()) {
            let transaction = connection.unchecked_transaction()?;
            transaction.execute_batch("DELETE FROM outlines; DELETE FROM rules;")?;
            transaction.execute("INSERT INTO rules (of) VALUES (?1)", [rules()])?;
            transaction.commit()?;
        }
        Ok(Self { connection })
    }

    /// What the content held, where that is known.
    pub(super) fn get(&self, key: &(String, String)) -> Option<Outline> {
        let mut statement =
            self.connection.prepare_cached("SELECT outline FROM outlines WHERE key = ?1").ok()?;
        let text = statement.query_row([name(key)], |row| row.get::<_, String>(0)).optional().ok()??;
        serde_json::from_str(&text).ok()
    }

    /// Keeps what was read. Losing it costs time and nothing else.
    pub(super) fn keep(&self, fresh: &[((String, String), Arc<Outline>)]) {
        if !fresh.is_empty() {
            drop(self.try_keep(fresh));
        }
    }

    fn try_keep(&self, fresh: &[((String, String), Arc<Outline>)]) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        {
            let mut insert =
                transaction.prepare("INSERT OR REPLACE INTO outlines (key, outline) VALUES (?1, ?2)")?;
            for (key, outline) in fresh {
                let Ok(text) = serde_json::to_string(&**outline) else { continue };
                insert.execute(params![name(key), text])?;
            }
        }
        transaction.execute(
            "DELETE FROM outlines WHERE number <= (SELECT max(number) FROM outlines) - ?1",
            [FILES_MAX],
        )?;
        transaction.commit()
    }
}

fn name((content, edition): &(String, String)) -> String {
    format!("{content} {edition}")
}

fn rules() -> &'static str {
    static RULES_HASH: OnceLock<String> = OnceLock::new();
    RULES_HASH.get_or_init(|| ContentHash::of_parts(RULES).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::SnapshotReader;
    use crate::snapshot::tests::revision;
    use crate::tree::MemoryTree;

    const LIB: &[(&str, &str)] = &[
        ("Cargo.toml", "[package]\nname = \"k\"\nedition = \"2024\"\n"),
        (
            "src/lib.rs",
            "//! Words.\nmod a;\n#[cfg(test)] mod t { use super::*; #[test] fn f() { g(); } }\n\
             pub use a::{Never as N, *};\ncfg_if! { if #[cfg(unix)] { mod u; } }\n\
             pub fn g(x: &mut [u8; 3], y: (i8, !), z: impl Fn() -> u8) -> ! { loop {} }\n",
        ),
        (
            "src/a.rs",
            "/// Doc\npub enum Never { A(u8), #[doc = \"x\"] B }\nimpl Never { pub const X: u8 = 1; }",
        ),
        ("src/u.rs", "fn (broken"),
    ];

    fn read(cache: Option<OutlineCache>, changed: &[(&str, &str)]) -> crate::Snapshot {
        let file = |(path, text): &(&'static str, &'static str)| {
            let other = changed.iter().find(|(other, _)| other == path);
            (*path, other.map_or(*text, |(_, text)| *text).as_bytes().to_vec())
        };
        let tree: MemoryTree = LIB.iter().map(file).collect();
        let mut reader = cache.map_or_else(SnapshotReader::default, SnapshotReader::with_cache);
        reader.read(&tree, &revision()).unwrap()
    }

    #[test]
    fn a_snapshot_from_the_cache_is_that_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/outlines.sqlite");
        let open = || Some(OutlineCache::open(&path).unwrap());
        let plain = read(None, &[]);
        assert_eq!(read(open(), &[]), plain);
        let kept = OutlineCache::open(&path).unwrap();
        let count = |cache: &OutlineCache| -> i64 {
            cache.connection.query_row("SELECT count(*) FROM outlines", [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count(&kept), 3);
        assert_eq!(read(open(), &[]), plain);
        let changed = [("src/a.rs", "pub fn other() {}")];
        assert_eq!(read(open(), &changed), read(None, &changed));
        assert_eq!(count(&kept), 4, "one content more");
    }

    #[test]
    fn a_cache_that_is_damaged_or_of_other_rules_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outlines.sqlite");
        std::fs::write(&path, "no database".repeat(1000)).unwrap();
        let plain = read(None, &[]);
        assert_eq!(read(Some(OutlineCache::open(&path).unwrap()), &[]), plain);
        let kept = OutlineCache::open(&path).unwrap();
        kept.connection.execute_batch("UPDATE outlines SET outline = '{'").unwrap();
        assert_eq!(read(Some(kept), &[]), plain, "what cannot be read is read from the file");
        let kept = OutlineCache::open(&path).unwrap();
        kept.connection
            .execute_batch("UPDATE rules SET of = 'older'; UPDATE outlines SET outline = 'x'")
            .unwrap();
        drop(kept);
        let anew = OutlineCache::open(&path).unwrap();
        let left: i64 =
            anew.connection.query_row("SELECT count(*) FROM outlines", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0);
        assert!(OutlineCache::open(folder.path()).is_err(), "a folder is no cache");
    }
}
