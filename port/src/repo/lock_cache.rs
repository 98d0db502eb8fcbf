//! Locks that were read before, kept under the id of their content. The main type is [`LockCache`].
//!
//! The lock of a large port has ten megabytes of text. It is git's object that says what the lock is; what is kept
//! here only spares reading it again.

use std::path::Path;
use std::sync::OnceLock;

use mappings::Lock;
use upstream::ContentHash;
use upstream::cache::{CacheError, DerivedCache, Form};

/// The most locks that are kept; one of a large port takes six megabytes.
const LOCKS_MAX: u32 = 4;

/// What decides how a lock is read. Where any of it differs, nothing that was kept before is believed.
const RULES: &[&str] = &[
    include_str!("../../../Cargo.lock"),
    include_str!("../../../mappings/src/lock/by_item.rs"),
    include_str!("../../../mappings/src/lock/lines.rs"),
    include_str!("../../../mappings/src/lock/mod.rs"),
    include_str!("../../../mappings/src/lock/text.rs"),
    include_str!("../../../mappings/src/symbol.rs"),
    include_str!("../../../upstream/src/ids.rs"),
    include_str!("lock_cache.rs"),
];

/// Locks by content.
#[derive(Debug)]
pub struct LockCache(DerivedCache);

impl LockCache {
    /// Opens the cache: see [`DerivedCache::open`].
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        DerivedCache::open(path, Form::Compact, rules(), LOCKS_MAX).map(Self)
    }

    /// The lock with this content, where it is known.
    pub fn get(&self, content: &str) -> Option<Lock> {
        self.0.get(content)
    }

    /// Keeps what was read of a content.
    pub fn keep(&self, content: &str, lock: &Lock) {
        self.0.keep([(content.to_owned(), lock)]);
    }
}

fn rules() -> &'static str {
    static RULES_HASH: OnceLock<String> = OnceLock::new();
    RULES_HASH.get_or_init(|| ContentHash::of_parts(RULES).to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mappings::{Disposition, HeldItem, Link, LinkPart, ParkedItem, Proof, RecordedRevision, SymbolPath};
    use upstream::{CommitId, ItemPath, RevisionLabel};

    use super::*;

    fn a_lock() -> Lock {
        let item = |text: &str| ItemPath::new(text).unwrap();
        let symbol = |text: &str| SymbolPath::new(text).unwrap();
        let (label, hash) = (RevisionLabel::new("1.0.0").unwrap(), ContentHash::of("x"));
        let link = |at: &str| Link {
            item: item(at),
            symbol: symbol("p.f"),
            upstream: hash,
            written: ContentHash::of("y"),
            revision: label.clone(),
            proof: Proof::Tested,
            parts: vec![LinkPart { symbol: symbol("p.g"), written: hash }],
        };
        let (parked, held) = (item("k::\"odd\""), item("k::held"));
        let reason = "a \\ reason\n".to_owned();
        Lock {
            source: "registry:k".to_owned(),
            baseline: label.clone(),
            commit: CommitId::new("0".repeat(40)).unwrap(),
            links: ["k::a", "k::b"].map(|at| (item(at), link(at))).into(),
            revisions: vec![RecordedRevision {
                revision: label.clone(),
                commit: CommitId::new("0".repeat(40)).unwrap(),
                disposition: Disposition::Adopted,
                reason: reason.clone(),
            }],
            parked: BTreeMap::from([(
                parked.clone(),
                ParkedItem {
                    item: parked,
                    symbol: symbol("p.f"),
                    revision: label.clone(),
                    reason: reason.clone(),
                },
            )]),
            held: BTreeMap::from([(
                held.clone(),
                HeldItem {
                    item: held,
                    symbol: None,
                    revision: label,
                    disposition: Disposition::Declined,
                    reason,
                },
            )]),
        }
    }

    #[test]
    fn a_kept_lock_is_the_one_that_was_read_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("locks.sqlite");
        let cache = LockCache::open(&path).unwrap();
        let lock = a_lock();
        assert_eq!(Lock::parse(&lock.render()).as_ref(), Ok(&lock));
        cache.keep("one", &lock);
        assert_eq!((cache.get("one"), cache.get("other")), (Some(lock), None));
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute_batch("UPDATE entries SET value = substr(value, 2)").unwrap();
        assert_eq!(cache.get("one"), None, "what is damaged is read anew");
    }
}
