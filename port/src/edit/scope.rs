//! What a set of edits may touch, and the files of the port as they stand before it.

use std::collections::BTreeMap;

use mappings::{Symbol, SymbolPath};

use crate::language::{FileSymbols, Language};
use crate::runtime::Offer;

/// What the edits of one work unit may touch. Everything else is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Symbols that may be replaced, deleted and renamed, with what is inside them; also symbols that are
    /// to be written.
    pub editable: Vec<SymbolPath>,
    /// Modules and classes that may get further symbols.
    pub insertable: Vec<SymbolPath>,
    /// The files that hold these symbols, or are to: the only ones that edits may name.
    pub files: Vec<String>,
    /// Further files in which a rename follows references; edits may not name them.
    pub references: Vec<String>,
    /// What may be imported of the runtime module.
    pub runtime: Offer,
}

impl Scope {
    /// Whether a symbol that is there may be edited.
    pub fn may_edit(&self, symbol: &SymbolPath) -> bool {
        self.editable.iter().any(|allowed| allowed == symbol || is_inside(symbol, allowed))
    }

    /// Whether a symbol may be written that is not there yet.
    pub fn may_insert(&self, symbol: &SymbolPath) -> bool {
        let parent = symbol.parent();
        self.may_edit(symbol)
            || self.insertable.contains(symbol)
            || parent.is_some_and(|parent| self.insertable.contains(&parent))
    }
}

/// Whether a symbol stands inside another one.
pub(super) fn is_inside(symbol: &SymbolPath, outer: &SymbolPath) -> bool {
    symbol.as_str().strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('.'))
}

/// The files of a scope, with their symbols.
#[derive(Debug)]
pub struct Files {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) symbols: BTreeMap<String, FileSymbols>,
}

impl Files {
    /// Reads what a scope names and what is there of it.
    pub(super) fn read(
        files: &dyn Fn(&str) -> Option<String>,
        language: &dyn Language,
        scope: &Scope,
    ) -> Self {
        let named = scope.files.iter().chain(&scope.references);
        let texts = named.filter_map(|file| files(file).map(|text| (file.clone(), text))).collect();
        Self::of(texts, language)
    }

    pub(super) fn of(texts: BTreeMap<String, String>, language: &dyn Language) -> Self {
        let symbols = texts.iter().map(|(file, text)| (file.clone(), language.symbols(file, text))).collect();
        Self { texts, symbols }
    }

    /// The symbol at this path.
    pub fn get(&self, path: &SymbolPath) -> Option<&Symbol> {
        self.symbols.values().find_map(|file| file.get(path)).map(|located| &located.symbol)
    }
}
