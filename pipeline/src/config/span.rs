//! Where a key stands in the text of a configuration file.

use std::ops::Range;

use toml_edit::{Document, Item, Table, Value};

/// The bytes of the value at this path of keys; entries of arrays are named by their index, from 0.
/// Where a key is missing, the place of what should hold it.
pub(super) fn span_of(text: &str, keys: &[&str]) -> Option<Range<usize>> {
    let document = Document::parse(text).ok()?;
    let (mut node, mut span) = (Node::Item(document.as_item()), None);
    for key in keys {
        let Some(child) = node.child(key) else { break };
        span = child.span().or(span);
        node = child;
    }
    span
}

/// A place in the document; an array of tables holds tables that are no items.
enum Node<'a> {
    Item(&'a Item),
    Table(&'a Table),
    Value(&'a Value),
}

impl<'a> Node<'a> {
    fn span(&self) -> Option<Range<usize>> {
        match self {
            Self::Item(item) => item.span(),
            Self::Table(table) => table.span(),
            Self::Value(value) => value.span(),
        }
    }

    fn child(&self, key: &str) -> Option<Node<'a>> {
        match self {
            Self::Table(table) => table.get(key).map(Node::Item),
            Self::Value(value) => element(value, key),
            Self::Item(item) => match item {
                Item::ArrayOfTables(tables) => tables.get(key.parse().ok()?).map(Node::Table),
                Item::Value(value) => element(value, key),
                Item::Table(table) => table.get(key).map(Node::Item),
                Item::None => None,
            },
        }
    }
}

fn element<'a>(value: &'a Value, key: &str) -> Option<Node<'a>> {
    if let Some(array) = value.as_array() {
        return array.get(key.parse().ok()?).map(Node::Value);
    }
    value.as_inline_table()?.get(key).map(Node::Value)
}
