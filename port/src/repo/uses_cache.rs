//! Who uses whom in a tree of the port, kept between runs by the tree. The main type is [`UsesCache`].
//!
//! To find it out takes longer than to read the symbols of a large port.

use std::path::Path;
use std::sync::OnceLock;

use mappings::Edges;
use upstream::cache::{CacheError, DerivedCache, Form};
use upstream::{ContentHash, TreeId};

use super::symbol_cache;
use crate::language::Language;

/// The most trees that are kept.
const TREES_MAX: u32 = 8;

/// What decides who uses whom, beside what decides which symbols there are. Where any of it differs, nothing that was kept
/// before is believed.
const RULES: &[&str] = &[
    include_str!("../../../mappings/src/graph/directory.rs"),
    include_str!("../../../mappings/src/graph/mod.rs"),
    include_str!("../../../mappings/src/graph/named.rs"),
    include_str!("uses_cache.rs"),
];

/// The edges among a tree's symbols.
#[derive(Debug)]
pub struct UsesCache(DerivedCache);

impl UsesCache {
    /// Opens the cache: see [`DerivedCache::open`].
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        DerivedCache::open(path, Form::Compact, rules(), TREES_MAX).map(Self)
    }

    /// The key of a tree: its content, the language that reads it, the folder where modules begin, and the file whose
    /// symbols are left out.
    pub fn key(language: &dyn Language, source_root: &str, tree: &TreeId, left_out: Option<&str>) -> String {
        format!("{tree} {} {source_root} {}", language.name(), left_out.unwrap_or_default())
    }

    /// The edges of a tree, where they are known.
    pub fn get(&self, key: &str) -> Option<Edges> {
        self.0.get(key)
    }

    /// Keeps the edges of a tree.
    pub fn keep(&self, key: &str, edges: &Edges) {
        self.0.keep([(key.to_owned(), edges)]);
    }
}

fn rules() -> &'static str {
    static RULES_HASH: OnceLock<String> = OnceLock::new();
    RULES_HASH.get_or_init(|| {
        let rules = RULES.iter().copied().chain([symbol_cache::rules()]);
        ContentHash::of_parts(rules).to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::python::{Python, Sought};

    #[test]
    fn edges_are_kept_by_all_that_decides_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uses.sqlite");
        let cache = UsesCache::open(&path).unwrap();
        let python = Python::new("", Sought::new(None));
        let tree = |digit: &str| TreeId::new(digit.repeat(40)).unwrap();
        let key = UsesCache::key(&python, "src", &tree("1"), None);
        let edges = vec![(0, 1), (70_000, 3)];
        cache.keep(&key, &edges);
        let known = |cache: &UsesCache, root: &str, digit: &str, left_out: Option<&str>| {
            cache.get(&UsesCache::key(&python, root, &tree(digit), left_out))
        };
        assert_eq!(known(&cache, "src", "1", None), Some(edges.clone()));
        assert_eq!(known(&UsesCache::open(&path).unwrap(), "src", "1", None), Some(edges));
        for (root, digit, left_out) in [("", "1", None), ("src", "2", None), ("src", "1", Some("src/p.py"))] {
            assert_eq!(known(&cache, root, digit, left_out), None, "{root} {digit} {left_out:?}");
        }
    }
}
