//! The symbols of a whole tree.

use mappings::SymbolTable;

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
        if let Some(fault) = read.fault {
            table.unparsed.insert(file.as_ref().to_owned(), fault.to_string());
        }
        for located in read.symbols {
            let mut symbol = located.symbol;
            symbol.path = table.free_path(&symbol.path);
            table.symbols.insert(symbol.path.clone(), symbol);
        }
    }
    table
}
