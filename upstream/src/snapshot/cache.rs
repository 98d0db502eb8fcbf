//! What files hold, kept between runs by the id of their content and their edition.
//!
//! Parsing is most of what a snapshot costs, and between two revisions hardly a file differs. The main type is
//! [`OutlineCache`].

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::outline::Outline;
use crate::cache::{CacheError, DerivedCache, Form};
use crate::ids::ContentHash;

/// The most files that are kept; one takes some twenty kilobytes.
const FILES_MAX: u32 = 50_000;

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
    include_str!("../words.rs"),
];

/// Outlines by content and edition.
#[derive(Debug)]
pub struct OutlineCache(DerivedCache);

impl OutlineCache {
    /// Opens the cache: see [`DerivedCache::open`].
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        DerivedCache::open(path, Form::Compact, rules(), FILES_MAX).map(Self)
    }

    /// What the content held, where that is known.
    pub(super) fn get(&self, key: &(String, String)) -> Option<Outline> {
        self.0.get(&name(key))
    }

    /// Keeps what was read.
    pub(super) fn keep(&self, fresh: &[((String, String), Arc<Outline>)]) {
        self.0.keep(fresh.iter().map(|(key, outline)| (name(key), &**outline)));
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
        let path = folder.path().join("outlines.sqlite");
        let open = || Some(OutlineCache::open(&path).unwrap());
        let plain = read(None, &[]);
        for _ in 0..2 {
            assert_eq!(read(open(), &[]), plain);
        }
        let changed = [("src/a.rs", "pub fn other() {}")];
        assert_eq!(read(open(), &changed), read(None, &changed));
        let connection = rusqlite::Connection::open(&path).unwrap();
        let count: i64 = connection.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 4, "three contents, and one more");
        let last: i64 =
            connection.query_row("SELECT max(number) FROM entries", [], |row| row.get(0)).unwrap();
        assert_eq!(last, count, "nothing was read and kept again");
        connection.execute_batch("UPDATE entries SET value = '{'").unwrap();
        assert_eq!(read(open(), &[]), plain, "what cannot be read is read from the file");
    }
}
