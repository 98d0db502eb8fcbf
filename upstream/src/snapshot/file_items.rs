//! The items of one file that is read by itself, whatever tree it stands in.

use super::alone::EDITIONS;
use super::item::{Item, ItemKind};
use super::outline::{Outline, outline};

/// What a file holds, as far as it tells that alone.
#[derive(Debug)]
pub struct FileItems(Outline);

impl FileItems {
    /// Reads a file's text. A file that no edition reads holds nothing.
    pub fn read(text: &str) -> Self {
        // Which edition the file was written for is not known here.
        let mut read = EDITIONS.into_iter().map(|edition| outline(text, edition));
        Self(read.find(|outline| outline.complaint.is_none()).unwrap_or_default())
    }

    /// Whether it is plain that the file holds an item as it is given: at the same place below the file's own module, of
    /// the same kind, with the same [`super::Fingerprint`]. `false` says nothing: a module is told by other files as well, and
    /// which of several definitions under one path is which is told only by all of them.
    pub fn holds(&self, item: &Item) -> bool {
        let path = item.path.segments();
        if item.kind == ItemKind::Module || path.last().is_some_and(|name| name.contains('#')) {
            return false;
        }
        self.0.items.iter().any(|entry| {
            let inside = || entry.modules.iter().chain(&entry.names).rev();
            entry.item.kind == item.kind
                && entry.item.fingerprint == item.fingerprint
                && inside().count() <= path.len()
                && inside().zip(path.iter().rev()).all(|(name, segment)| *name == **segment)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::SnapshotReader;
    use crate::snapshot::tests::revision;
    use crate::tree::MemoryTree;

    const FILE: &str = "/// Doc\npub fn f(x: u8) -> u8 { x + 1 }\n\
        mod inner { pub struct S; impl S { fn f() {} } }\n\
        #[cfg(unix)] fn twice() {}\n#[cfg(not(unix))] fn twice() {}\n";

    /// The items of the file where it is a module of a crate.
    fn items() -> Vec<Item> {
        let files = [
            ("Cargo.toml", "[package]\nname = \"k\"\nedition = \"2021\"\n"),
            ("src/lib.rs", "pub mod a;\n"),
            ("src/a.rs", FILE),
        ];
        let tree: MemoryTree = files.iter().map(|(path, text)| (*path, text.as_bytes().to_vec())).collect();
        let snapshot = SnapshotReader::default().read(&tree, &revision()).unwrap();
        snapshot.items.into_values().filter(|item| item.file == "src/a.rs").collect()
    }

    fn held(text: &str) -> Vec<String> {
        let file = FileItems::read(text);
        items().iter().filter(|item| file.holds(item)).map(|item| item.path.to_string()).collect()
    }

    #[test]
    fn a_file_holds_its_items_and_says_nothing_of_modules_and_of_later_twins() {
        let known = ["k::a::f", "k::a::inner::S", "k::a::inner::S::f", "k::a::twice"];
        assert_eq!(held(FILE), known);
        assert_eq!(held(&FILE.replace("{ x + 1 }", "{\n    // One more.\n    x + 1\n}")), known, "laid out");
    }

    #[test]
    fn what_differs_in_anything_is_not_held() {
        assert!(!held(&FILE.replace("x + 1", "x + 2")).contains(&"k::a::f".to_owned()));
        assert!(!held(&FILE.replace("Doc", "Other")).contains(&"k::a::f".to_owned()));
        let moved = held(&FILE.replace("mod inner", "mod other"));
        assert_eq!(moved, ["k::a::f", "k::a::twice"], "another module");
        assert!(held("fn f( {").is_empty(), "what does not parse holds nothing");
    }
}
