//! The items of a Rust file, found without parsing it.
//!
//! Main function: [`scan`]. A full parser reads some 30 MB a second; most of a history's bytes are bodies of
//! functions that nobody asks about, and those are passed over here by their brackets alone. Where the
//! brackets do not add up, or something stands where an item should, [`Scan::trouble`] says so, and the file
//! counts as unparsed.

pub(crate) mod compare;
pub(crate) mod facts;
mod items;
pub(crate) mod lexer;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use items::scan;

use crate::snapshot::{ItemKind, Visibility};

/// What one file holds.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Its items in the order of the text; the file itself, as a module, is the first.
    pub(crate) items: Vec<ScannedItem>,
    /// What surrounds items: the file, inline modules, `impl`, `trait` and `extern` blocks.
    pub(crate) scopes: Vec<Scope>,
    /// Why the items cannot be relied upon.
    pub(crate) trouble: Option<String>,
}

/// An item by its places in the text.
#[derive(Debug)]
pub(crate) struct ScannedItem {
    /// The scope around it.
    pub(crate) scope: usize,
    /// What it is.
    pub(crate) kind: ItemKind,
    /// What it is called.
    pub(crate) name: Name,
    /// Documentation and attributes before it.
    pub(crate) lead: Range<usize>,
    /// The header, behind the visibility.
    pub(crate) head: Range<usize>,
    /// The body: a block, a value, a macro's tokens; empty where there is none.
    pub(crate) body: Range<usize>,
    /// Behind all of it; for a block that holds items, behind its header.
    pub(crate) end: usize,
    /// For a module, the scope of its contents.
    pub(crate) contents: Option<usize>,
    /// Who may name it.
    pub(crate) visibility: Visibility,
    /// Whether it and all inline modules around it are `pub`.
    pub(crate) is_open: bool,
    /// Whether it is test code by its own attributes or those around it.
    pub(crate) is_test: bool,
}

/// What stands around items.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// The path of its contents inside the file.
    pub(crate) path: String,
    /// `use` and `extern crate` declarations.
    pub(crate) imports: Vec<Range<usize>>,
    /// Documentation and attributes of the contents (`//!`, `#![…]`).
    pub(crate) inner: Vec<Range<usize>>,
    pub(super) is_open: bool,
    pub(super) is_test: bool,
    /// The visibility of members that never carry one.
    pub(super) inherits: Option<Visibility>,
    /// Whether functions in it are methods.
    pub(super) has_members: bool,
}

/// What an item is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// As the text has it here. Most items of most files are never spoken of, so nothing is copied.
    At(Range<usize>),
    /// As it is put together: an `impl` block's, a macro's with its `!`, and none for the file itself.
    Written(String),
}

impl Name {
    /// The name as text.
    pub(crate) fn of<'a>(&'a self, text: &'a [u8]) -> Cow<'a, str> {
        match self {
            Self::At(range) => String::from_utf8_lossy(text.get(range.clone()).unwrap_or_default()),
            Self::Written(name) => Cow::Borrowed(name),
        }
    }
}

impl Scan {
    /// The path of an item inside the file, `::` between its segments; empty for the file itself.
    pub(crate) fn path(&self, text: &[u8], item: &ScannedItem) -> String {
        let around = self.scopes.get(item.scope).map_or("", |scope| scope.path.as_str());
        let name = item.name.of(text);
        if around.is_empty() { name.into_owned() } else { format!("{around}::{name}") }
    }
}
