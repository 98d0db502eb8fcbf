//! Symbols of the port, in a form that does not depend on the port's language.
//!
//! `port` fills a [`SymbolTable`] from source text; everything that decides reads it from here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use upstream::ids::one_line;
use upstream::{ContentHash, Words};

upstream::string_id! {
    /// The path of a symbol in the port: package, modules, classes, name, joined by dots.
    SymbolPath, "symbol path", one_line
}

impl SymbolPath {
    /// The last segment.
    pub fn name(&self) -> &str {
        self.as_str().rsplit('.').next().unwrap_or_default()
    }

    /// The path of what contains this symbol.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.as_str().rsplit_once('.')?;
        Self::new(parent).ok()
    }
}

/// What kind of symbol it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolKind {
    /// A free function.
    Function,
    /// A class.
    Class,
    /// A function in a class.
    Method,
    /// A constant or variable of a module or class.
    Constant,
}

/// One symbol of the port as it stands in a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// Where it is.
    pub path: SymbolPath,
    /// What it is.
    pub kind: SymbolKind,
    /// The file that holds it, from the port's root, with `/`.
    pub file: String,
    /// The line on which it begins, from 1, decorators included.
    pub line: u32,
    /// Its text: decorators, header, documentation and body. It is dedented to the symbol's own level, so that
    /// a method's text begins at the left margin like a function's; apart from that it is as written.
    pub text: String,
    /// The hash of `text` without trailing white space on its lines.
    pub hash: ContentHash,
    /// The names of its decorators, without arguments, such as `functools.cache`.
    #[serde(default)]
    pub decorators: Vec<String>,
    /// Parameter names in order, without `self` or `cls`, for functions and methods.
    pub parameters: Vec<String>,
    /// Names its text mentions, last segments only, sorted; the raw edges of the port's graph.
    pub mentions: Words,
    /// Whether it is test code.
    pub is_test: bool,
}

/// All symbols of one tree of the port, and the files that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolTable {
    /// The symbols by path.
    pub symbols: BTreeMap<SymbolPath, Symbol>,
    /// Files with a syntax error, with the complaint.
    pub unparsed: BTreeMap<String, String>,
}

impl SymbolTable {
    /// The symbol at this path.
    pub fn get(&self, path: &SymbolPath) -> Option<&Symbol> {
        self.symbols.get(path)
    }

    /// The path itself where nothing has it yet, or else with the first free number behind it. Two files may
    /// define one path: a class in a package's own file, and a module of the same name.
    pub fn free_path(&self, path: &SymbolPath) -> SymbolPath {
        let numbered = (2_u32..).filter_map(|number| SymbolPath::new(format!("{path}#{number}")).ok());
        std::iter::once(path.clone())
            .chain(numbered)
            .find(|path| self.get(path).is_none())
            .unwrap_or_else(|| path.clone())
    }
}
