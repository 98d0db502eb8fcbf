//! Python, 3.10 or newer.
//!
//! Structure comes from tree-sitter; whether a text is valid Python, Python itself is asked.

mod constructs;
mod fragment;
mod holds;
mod import_names;
mod imports;
mod indent;
mod interpreter;
mod outline;
mod rename;
pub mod seed;
mod signature;
mod source;
mod splice;
mod symbols;

use std::collections::BTreeMap;

use mappings::{Symbol, SymbolPath};
use upstream::ContentHash;
use upstream::process::ProcessRunner;

use super::{
    Construct, FileSymbols, Fragment, Imported, Language, Place, RenameError, SpliceError, SyntaxFault,
};
use crate::edit::InsertPlace;
pub use interpreter::{Interpreter, InterpreterError, PythonVersion, Sought, VERSION_MIN};
pub use outline::{modules_by_root, outline, source_root};

/// Words that no definition may be named by.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The path of the module that a file is, where packages lie in the folder `source_root`.
fn module_path(source_root: &str, file: &str) -> Option<SymbolPath> {
    let inside = file
        .strip_prefix(source_root)
        .filter(|_| !source_root.is_empty())
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(file);
    let module = inside.strip_suffix(".py")?;
    let module = module.strip_suffix("/__init__").unwrap_or(module);
    SymbolPath::new(module.replace('/', ".")).ok()
}

/// The language of a Python port.
#[derive(Debug, Clone)]
pub struct Python {
    source_root: String,
    interpreter: Sought,
}

impl Python {
    /// Python whose packages lie in a folder from the port's root: `src`, or empty for the root itself.
    pub fn new(source_root: &str, interpreter: impl Into<Sought>) -> Self {
        let interpreter = interpreter.into();
        Self { source_root: source_root.trim_matches('/').to_owned(), interpreter }
    }
}

impl Language for Python {
    fn name(&self) -> &'static str {
        "python"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["py"]
    }

    fn module_path(&self, file: &str) -> Option<SymbolPath> {
        module_path(&self.source_root, file)
    }

    fn is_test_file(&self, file: &str) -> bool {
        symbols::is_test_file(file)
    }

    fn is_name(&self, text: &str) -> bool {
        let mut chars = text.chars();
        chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
            && chars.all(|next| next == '_' || next.is_alphanumeric())
            && !KEYWORDS.contains(&text)
    }

    fn symbols(&self, file: &str, text: &str) -> FileSymbols {
        symbols::read(file, text, self.module_path(file).as_ref())
    }

    fn fragment(&self, text: &str) -> Fragment {
        fragment::read(text)
    }

    fn constructs(&self, text: &str) -> Vec<Construct> {
        constructs::scan(text)
    }

    fn not_an_import(&self, text: &str) -> Option<usize> {
        imports::not_an_import(text)
    }

    fn imports(&self, text: &str) -> Vec<String> {
        imports::written_in(text)
    }

    fn imported(&self, file: &str, text: &str) -> Vec<Imported> {
        imports::brought(text, file, self.module_path(file).as_ref())
    }

    fn runtime(&self) -> &'static str {
        crate::runtime::PYTHON
    }

    fn signature(&self, text: &str) -> Option<String> {
        signature::of(text)
    }

    fn hash(&self, text: &str) -> ContentHash {
        indent::hash(&indent::dedent(text))
    }

    fn replace(&self, place: Place<'_>, symbol: &SymbolPath, body: &str) -> Result<String, SpliceError> {
        splice::replace(self, place, symbol, body)
    }

    fn insert(&self, place: Place<'_>, at: &InsertPlace, body: &str) -> Result<String, SpliceError> {
        splice::insert(self, place, at, body)
    }

    fn delete(&self, place: Place<'_>, symbol: &SymbolPath) -> Result<String, SpliceError> {
        splice::delete(self, place, symbol)
    }

    fn merge_imports(&self, place: Place<'_>, imports: &str) -> Result<String, SpliceError> {
        imports::merge(place, imports)
    }

    fn rename(
        &self,
        files: &BTreeMap<String, String>,
        symbol: &Symbol,
        to: &str,
    ) -> Result<BTreeMap<String, String>, RenameError> {
        rename::rename(self, files, symbol, to)
    }

    fn check_syntax(
        &self,
        runner: &dyn ProcessRunner,
        text: &str,
    ) -> Result<Option<SyntaxFault>, InterpreterError> {
        self.interpreter.get(runner)?.check_syntax(runner, text)
    }
}

#[cfg(test)]
pub(crate) mod tests;
