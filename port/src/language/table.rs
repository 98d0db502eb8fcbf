//! The symbols of a whole tree.

use mappings::{SymbolPath, SymbolTable};

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
            symbol.path = free_path(&table, &symbol.path);
            table.symbols.insert(symbol.path.clone(), symbol);
        }
    }
    table
}

fn free_path(table: &SymbolTable, path: &SymbolPath) -> SymbolPath {
    let numbered = (2_u32..).filter_map(|number| SymbolPath::new(format!("{path}#{number}")).ok());
    std::iter::once(path.clone())
        .chain(numbered)
        .find(|path| table.get(path).is_none())
        .unwrap_or_else(|| path.clone())
}
