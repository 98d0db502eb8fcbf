//! What a name of an item or a symbol is resolved by.

use std::borrow::Cow;

use upstream::snapshot::Item;
use upstream::{ItemPath, Words};

use crate::convention;
use crate::mapping::without_variant;
use crate::symbol::{Symbol, SymbolPath};

/// One item or symbol with what its name is resolved by.
#[derive(Debug)]
pub(super) struct Named<'a, Key> {
    pub(super) key: &'a Key,
    pub(super) name: &'a str,
    /// The path without the mark of a variant: variants of one item are called together.
    pub(super) base: &'a str,
    /// The type or class that it is a member of.
    pub(super) owner: Option<Cow<'a, str>>,
    pub(super) module: Cow<'a, str>,
    pub(super) krate: Cow<'a, str>,
    pub(super) is_test: bool,
    pub(super) mentions: &'a Words,
    /// The text, where names in it may stand behind a module: `rfc2822::parse`.
    pub(super) text: &'a str,
}

impl<Key> Named<'_, Key> {
    /// The last name of the module that it stands in.
    pub(super) fn last_of_module(&self) -> &str {
        self.module.rsplit("::").next().unwrap_or_default()
    }

    /// The names in front of a word wherever it stands in the text; `None` where nothing is in front of it.
    pub(super) fn in_front_of<'w>(&'w self, word: &'w str) -> impl Iterator<Item = Option<&'w str>> {
        let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let found = self.text.match_indices(word).filter_map(move |(at, _)| {
            let (before, rest) = self.text.split_at_checked(at)?;
            let behind = rest.strip_prefix(word)?;
            (!before.ends_with(is_of_word) && !behind.starts_with(is_of_word)).then_some(before)
        });
        found.map(move |before| {
            let path = before.strip_suffix("::")?;
            path.rsplit(|letter| !is_of_word(letter)).next().filter(|name| !name.is_empty())
        })
    }
}

impl<'a> Named<'a, ItemPath> {
    pub(super) fn of_item(item: &'a Item) -> Self {
        let (krate, owner) = convention::crate_and_owner(item);
        let segments = item.path.segments();
        let own = 1 + usize::from(convention::is_member(item));
        let module = segments.get(..segments.len().saturating_sub(own)).unwrap_or_default().join("::");
        let owner = match owner {
            convention::Owner::None => None,
            convention::Owner::Class(name) | convention::Owner::Foreign(name) => Some(Cow::Owned(name)),
        };
        let name = segments.last().copied().unwrap_or_default();
        Self {
            key: &item.path,
            name: without_variant(name).trim_start_matches("r#"),
            base: without_variant(item.path.as_str()),
            owner,
            module: Cow::Owned(module),
            krate: Cow::Owned(krate),
            is_test: item.is_test,
            mentions: &item.mentions,
            text: &item.text,
        }
    }
}

impl<'a> Named<'a, SymbolPath> {
    pub(super) fn of_symbol(
        path: &'a SymbolPath,
        symbol: &'a Symbol,
        is_class: &dyn Fn(&str) -> bool,
    ) -> Self {
        let above = |path: &'a str| path.rsplit_once('.');
        let (parent, name) = above(path.as_str()).unwrap_or(("", path.as_str()));
        let class = Some(parent).filter(|parent| is_class(parent));
        let (module, owner) = match class {
            Some(class) => above(class).map_or(("", Some(class)), |(module, name)| (module, Some(name))),
            None => (parent, None),
        };
        Self {
            key: path,
            name,
            base: path.as_str(),
            owner: owner.map(Cow::Borrowed),
            module: Cow::Borrowed(module),
            krate: Cow::Borrowed(""),
            is_test: symbol.is_test,
            mentions: &symbol.mentions,
            text: "",
        }
    }
}
