//! Small items, snapshots and symbol tables for tests. Mentions are the words of the body. Items are exported
//! unless they are made [`private`].

use std::collections::BTreeMap;

use upstream::snapshot::{Fingerprint, Item, ItemKind, Snapshot, Visibility};
use upstream::{CommitId, ContentHash, ItemPath, Revision, RevisionLabel};

use crate::symbol::{Symbol, SymbolKind, SymbolPath, SymbolTable};

pub(crate) fn path(text: &str) -> ItemPath {
    ItemPath::new(text).unwrap()
}

pub(crate) fn symbol_path(text: &str) -> SymbolPath {
    SymbolPath::new(text).unwrap()
}

pub(crate) fn label(text: &str) -> RevisionLabel {
    RevisionLabel::new(text).unwrap()
}

pub(crate) fn an_item(at: &str, kind: ItemKind) -> Item {
    let mut item = Item {
        path: path(at),
        kind,
        file: "src/lib.rs".to_owned(),
        span: 0..0,
        line: 1,
        visibility: Visibility::Public,
        exported: true,
        is_test: false,
        fingerprint: Fingerprint {
            signature: ContentHash::of(""),
            body: ContentHash::of(""),
            docs: ContentHash::of(""),
            attributes: ContentHash::of(""),
        },
        text: String::new(),
        docs: String::new(),
        attributes: Vec::new(),
        signature: None,
        aliased: None,
        members: Vec::new(),
        mentions: upstream::Words::default(),
    };
    renew(&mut item, "");
    item
}

/// Computes text, fingerprint and mentions again, for this body.
pub(crate) fn renew(item: &mut Item, body: &str) {
    let name = item.path.name().to_owned();
    item.fingerprint = Fingerprint {
        signature: ContentHash::of_parts([name.as_str(), &item.members.join(",")]),
        body: ContentHash::of(body),
        docs: ContentHash::of(&item.docs),
        attributes: ContentHash::of(item.attributes.join(";")),
    };
    item.text = format!("{name} {{ {body} }}");
    item.mentions = words(body);
}

pub(crate) fn function(at: &str, body: &str) -> Item {
    let mut item = an_item(at, ItemKind::Function);
    renew(&mut item, body);
    item
}

pub(crate) fn method(at: &str, body: &str) -> Item {
    let mut item = an_item(at, ItemKind::Method);
    renew(&mut item, body);
    item
}

pub(crate) fn test_function(at: &str, body: &str) -> Item {
    with_attributes(test_helper(at, body), &["#[test]"])
}

/// A function of test code that is no test itself.
pub(crate) fn test_helper(at: &str, body: &str) -> Item {
    let mut item = private(function(at, body));
    item.is_test = true;
    item
}

/// The item as one that users of the crate cannot name.
pub(crate) fn private(mut item: Item) -> Item {
    item.visibility = Visibility::Private;
    item.exported = false;
    item
}

pub(crate) fn with_attributes(mut item: Item, attributes: &[&str]) -> Item {
    item.attributes = attributes.iter().map(|attribute| (*attribute).to_owned()).collect();
    item.fingerprint.attributes = ContentHash::of(item.attributes.join(";"));
    item
}

pub(crate) fn with_docs(mut item: Item, docs: &str) -> Item {
    docs.clone_into(&mut item.docs);
    item.fingerprint.docs = ContentHash::of(docs);
    item
}

pub(crate) fn revision(name: &str) -> Revision {
    let digest = format!("{}{}", ContentHash::of(name), ContentHash::of(format!("{name} more")));
    Revision {
        label: label(name),
        commit: CommitId::new(digest).unwrap(),
        summary: format!("release {name}"),
        published_s: None,
        withdrawn: false,
    }
}

pub(crate) fn snapshot(name: &str, items: impl IntoIterator<Item = Item>) -> Snapshot {
    Snapshot {
        revision: revision(name),
        packages: Vec::new(),
        items: items.into_iter().map(|item| (item.path.clone(), item)).collect(),
        unparsed: Vec::new(),
        files: BTreeMap::new(),
    }
}

/// A table of functions, each with its text; the file follows from the path.
pub(crate) fn table(symbols: &[(&str, &str)]) -> SymbolTable {
    let mut table = SymbolTable::default();
    for (at, text) in symbols {
        let at = symbol_path(at);
        let folder = at.parent().map(|parent| parent.as_str().replace('.', "/")).unwrap_or_default();
        let symbol = Symbol {
            path: at.clone(),
            kind: SymbolKind::Function,
            file: format!("{folder}.py"),
            line: 1,
            text: (*text).to_owned(),
            hash: ContentHash::of(text),
            decorators: Vec::new(),
            parameters: Vec::new(),
            mentions: words(text),
            is_test: false,
        };
        table.symbols.insert(at, symbol);
    }
    table
}

/// The names that a text mentions, sorted.
pub(crate) fn words(text: &str) -> upstream::Words {
    let separates = |letter: char| !letter.is_alphanumeric() && letter != '_';
    text.split(separates).collect()
}
