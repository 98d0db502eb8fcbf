//! What Tidelock must know of the port's language: its layout, its symbols and how to put text into it.
//!
//! [`Language`] is the seam: everything above it speaks of symbols, never of syntax. It must never touch a
//! file or decide whether an edit is wanted; it reads text and gives text back.

pub mod python;
mod table;

use std::collections::BTreeMap;

use mappings::{Symbol, SymbolPath};
use upstream::ContentHash;
use upstream::process::ProcessRunner;

use crate::edit::InsertPlace;
pub use python::Python;
pub(crate) use table::add_file;
pub use table::symbol_table;

/// A file larger than this is not read for symbols; it is reported as unparsed.
pub const FILE_BYTES_MAX: usize = 4 << 20;

/// A language that a port may be written in.
pub trait Language: Send + Sync + std::fmt::Debug {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;
    /// How its source files end, without the dot.
    fn extensions(&self) -> &'static [&'static str];
    /// The path of the module that a file is, if it is a source file.
    fn module_path(&self, file: &str) -> Option<SymbolPath>;
    /// Whether a file holds tests, by its path alone.
    fn is_test_file(&self, file: &str) -> bool;
    /// Whether a text is a name that a definition may have.
    fn is_name(&self, text: &str) -> bool;

    /// The symbols of one file.
    fn symbols(&self, file: &str, text: &str) -> FileSymbols;
    /// What a text that is to become a symbol defines when it stands alone.
    fn fragment(&self, text: &str) -> Fragment;
    /// What in a text is lazy or reaches out of the port; each once for each time it stands there.
    fn constructs(&self, text: &str) -> Vec<Construct>;
    /// Reads a text of import statements: the first line that is something else, if there is one.
    fn not_an_import(&self, text: &str) -> Option<usize>;
    /// The import statements at the top level of a file, as written, a statement an entry.
    fn imports(&self, text: &str) -> Vec<String>;
    /// What the import statements of a text bring, wherever in it they stand; `file` is what relative ones begin at. None
    /// where it does not parse.
    fn imported(&self, file: &str, text: &str) -> Vec<Imported>;
    /// The text of the runtime module in this language: see [`crate::runtime`].
    fn runtime(&self) -> &'static str;
    /// The head of a definition, for who only calls it: its header with the first line of its documentation; `None` where
    /// the text has none.
    fn signature(&self, text: &str) -> Option<String>;
    /// The hash of a text by which an edit names the symbol that has it.
    fn hash(&self, text: &str) -> ContentHash;

    /// Puts a new text in the place of a symbol.
    fn replace(&self, place: Place<'_>, symbol: &SymbolPath, body: &str) -> Result<String, SpliceError>;
    /// Puts a new symbol into a file; `place.text` is empty where the file is new.
    fn insert(&self, place: Place<'_>, at: &InsertPlace, body: &str) -> Result<String, SpliceError>;
    /// Takes a symbol out; comments in front of it stay.
    fn delete(&self, place: Place<'_>, symbol: &SymbolPath) -> Result<String, SpliceError>;
    /// Adds those imports that a file does not have yet.
    fn merge_imports(&self, place: Place<'_>, imports: &str) -> Result<String, SpliceError>;
    /// Renames a symbol and what refers to it in all these files; only changed files come back.
    fn rename(
        &self,
        files: &BTreeMap<String, String>,
        symbol: &Symbol,
        to: &str,
    ) -> Result<BTreeMap<String, String>, RenameError>;

    /// Asks the language's own tool whether it accepts a text as a source file.
    fn check_syntax(
        &self,
        runner: &dyn ProcessRunner,
        text: &str,
    ) -> Result<Option<SyntaxFault>, python::InterpreterError>;
}

/// A file into which something is put.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file from the port's root.
    pub file: &'a str,
    /// Its text as it stands.
    pub text: &'a str,
}

/// A text is not valid in its language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SyntaxFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// The symbols of one file in the order of their text.
#[derive(Debug, Clone)]
pub struct FileSymbols {
    /// The symbols; none where the file does not parse.
    pub symbols: Vec<LocatedSymbol>,
    /// Why the file could not be read.
    pub fault: Option<SyntaxFault>,
    /// The hash of the code of the file outside its symbols and imports.
    pub shell: ContentHash,
}

impl FileSymbols {
    /// The symbol at this path.
    pub fn get(&self, path: &SymbolPath) -> Option<&LocatedSymbol> {
        self.symbols.iter().find(|located| located.symbol.path == *path)
    }
}

/// A symbol, and what its surroundings are by content.
#[derive(Debug, Clone)]
pub struct LocatedSymbol {
    /// The symbol; its text is dedented to its own level.
    pub symbol: Symbol,
    /// Where its text stands in the file, in bytes, decorators included.
    pub span: std::ops::Range<usize>,
    /// The hash of its own code outside the symbols inside it.
    pub shell: ContentHash,
}

/// What a text defines when it stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The names that it defines at its own level, in order.
    pub names: Vec<String>,
    /// The first line (from 1) of code at its own level that defines nothing.
    pub stray_line: Option<usize>,
    /// Why it does not parse.
    pub fault: Option<SyntaxFault>,
}

/// Something in a text that a translation has no business with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Construct {
    /// A stable code, such as `stub` or `escape-process`.
    pub code: &'static str,
    /// The construct itself, in a form that is equal for equal constructs.
    pub what: String,
    /// The line in the text, from 1.
    pub line: usize,
}

/// What one name of an import statement brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The module, as a path from where the language imports; a relative one that leads nowhere is as it was written.
    pub module: String,
    /// The name that is taken of it, `*` for all; `None` where the module itself is imported.
    pub name: Option<String>,
    /// The line in the text, from 1.
    pub line: usize,
}

/// A text cannot be put where it should go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// The file has a syntax error.
    #[error("`{file}` does not parse ({fault}): repair it first")]
    Unparsed {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: SyntaxFault,
    },
    /// The file holds no such symbol.
    #[error("`{file}` holds no symbol `{symbol}`")]
    UnknownSymbol {
        /// The file.
        file: String,
        /// The symbol.
        symbol: SymbolPath,
    },
    /// The symbol shares its line with other code, so that its text cannot be lifted out.
    #[error("`{symbol}` shares a line with other code: put it on lines of its own")]
    SharedLine {
        /// The symbol.
        symbol: SymbolPath,
    },
    /// The symbol is no class.
    #[error("`{symbol}` is no class, nothing can be inserted into it")]
    NotAClass {
        /// The symbol.
        symbol: SymbolPath,
    },
    /// The text to put in does not parse.
    #[error("the new text does not parse ({fault})")]
    Body {
        /// What is wrong with it.
        fault: SyntaxFault,
    },
}

/// A symbol cannot be renamed without a guess.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// A file that must be searched for references has a syntax error.
    #[error("`{file}` does not parse ({fault}): its references are unknown")]
    Unparsed {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: SyntaxFault,
    },
    /// A use of the name may or may not mean the symbol.
    #[error("`{name}` in `{file}`, line {line}, is ambiguous: {why}")]
    Ambiguous {
        /// The old name, or the new one where that is taken.
        name: String,
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// Why it cannot be told.
        why: &'static str,
    },
    /// The name has a meaning to the language itself.
    #[error("`{name}` has a meaning of its own in the language and is not renamed")]
    Reserved {
        /// The name.
        name: String,
    },
    /// The definition is not where it was said to be.
    #[error("`{file}` holds no symbol `{symbol}`")]
    UnknownSymbol {
        /// The file.
        file: String,
        /// The symbol.
        symbol: SymbolPath,
    },
}

/// A symbol's own name, without the number of its definition: `f` for `pkg.f#2`.
pub fn plain_name(symbol: &SymbolPath) -> &str {
    let name = symbol.name();
    name.split_once('#').map_or(name, |(plain, _)| plain)
}
