//! The symbols of files, kept between runs by the id of their content and their place. The main type is
//! [`SymbolCache`].

use std::path::Path;
use std::sync::OnceLock;

use mappings::Symbol;
use serde::{Deserialize, Serialize};
use upstream::ContentHash;
use upstream::cache::{CacheError, DerivedCache, Form};

use crate::language::Language;

/// The most files that are kept.
const FILES_MAX: u32 = 100_000;

/// What decides which symbols a file has. Where any of it differs, nothing that was kept before is believed.
const RULES: &[&str] = &[
    include_str!("../../../Cargo.lock"),
    include_str!("../language/python/indent.rs"),
    include_str!("../language/python/mod.rs"),
    include_str!("../language/python/source.rs"),
    include_str!("../language/python/symbols.rs"),
    include_str!("../../../mappings/src/symbol.rs"),
    include_str!("../../../upstream/src/words.rs"),
    include_str!("symbol_cache.rs"),
];

/// The symbols of one file, or why it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) symbols: Vec<Symbol>,
    pub(super) fault: Option<String>,
}

/// Symbols by content and place.
#[derive(Debug)]
pub struct SymbolCache(DerivedCache);

impl SymbolCache {
    /// Opens the cache: see [`DerivedCache::open`].
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        DerivedCache::open(path, Form::Compact, rules(), FILES_MAX).map(Self)
    }

    /// The key of a file: its content, its place, and the module that it is there.
    pub(super) fn key(language: &dyn Language, file: &str, content: &str) -> String {
        let module = language.module_path(file);
        let module = module.as_ref().map_or("", |module| module.as_str());
        format!("{content} {} {module} {file}", language.name())
    }

    pub(super) fn get(&self, key: &str) -> Option<Kept> {
        self.0.get(key)
    }

    pub(super) fn keep(&self, fresh: &[(String, Kept)]) {
        self.0.keep(fresh.iter().map(|(key, kept)| (key.clone(), kept)));
    }
}

pub(super) fn rules() -> &'static str {
    static RULES_HASH: OnceLock<String> = OnceLock::new();
    RULES_HASH.get_or_init(|| ContentHash::of_parts(RULES).to_string())
}
