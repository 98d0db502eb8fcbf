//! The symbols of a whole tree.

use mappings::{Symbol, SymbolTable};

use super::Language;

/// Reads the symbols of all these files. A path that two files define (a class in a package's
/// `__init__` and a module of the same name) goes to the first file; the other gets `#2` behind it.
pub fn symbol_table<Path: AsRef<str>, Text: AsRef<str>>(
    files: impl IntoIterator<Item = (Path, Text)>,
    language: &dyn Language,
) -> SymbolTable {
    let mut table = SymbolTable::default();
    for (file, text) in files {
        let read = language.symbols(file.as_ref(), text.as_ref());
        let symbols = read.symbols.into_iter().map(|located| located.symbol);
        add_file(&mut table, file.as_ref(), symbols, read.fault.map(|fault| fault.to_string()));
    }
    table
}

/// Adds the symbols of a file behind those of the files before it.
pub(crate) fn add_file(
    table: &mut SymbolTable,
    file: &str,
    symbols: impl IntoIterator<Item = Symbol>,
    fault: Option<String>,
) {
    if let Some(fault) = fault {
        table.unparsed.insert(file.to_owned(), fault);
    }
    for mut symbol in symbols {
        symbol.path = table.free_path(&symbol.path);
        table.symbols.insert(symbol.path.clone(), symbol);
    }
}
