//! Two versions of a file to what happened to its items.
//!
//! Main function: [`compare`]. Items are matched by path and compared byte by byte; only where bytes differ
//! are tokens read, and only where tokens differ in nothing but signs that `rustfmt` adds and takes away is
//! the full parser asked.

use std::borrow::Cow;
use std::ops::Range;

use super::facts::{Annotations, as_read, imports, inner_docs, look};
use super::lexer::{Tokens, common_line};
use super::{Scan, ScannedItem};
use crate::diff::Aspects;
use crate::snapshot::{ItemKind, Visibility, fingerprint_of};

/// One version of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version<'a> {
    /// The bytes.
    pub(crate) text: &'a [u8],
    /// The items found in them.
    pub(crate) scan: &'a Scan,
}

/// What happened to an item inside one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalChange {
    /// The path inside the file.
    pub(crate) path: String,
    /// What it is, or was.
    pub(crate) kind: ItemKind,
    /// How it was and is.
    pub(crate) sides: Sides,
    /// Test code, by what the file says, on every side it has.
    pub(crate) is_test: bool,
    /// Whether it and what stands around it in the file is `pub`, on one side at least.
    pub(crate) is_open: bool,
    /// For an item of both versions: that it became `pub` in that sense, or that it is so no longer.
    pub(crate) opened: Option<bool>,
}

/// Which versions have the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sides {
    /// Only the older one.
    Before(Trace),
    /// Only the newer one.
    After(Trace),
    /// Both.
    Both(Aspects),
}

/// What is kept of an item that stands on one side only, to find it on the other side elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    /// What it is apart from its name and annotations.
    pub(crate) look: u64,
    /// Documentation and attributes.
    pub(crate) annotations: u64,
    /// Documentation alone.
    pub(crate) docs: u64,
    /// Who may name it.
    pub(crate) visibility: Visibility,
}

/// What happened between two versions of a file; one of them may be missing.
pub(crate) fn compare(before: Option<Version<'_>>, after: Option<Version<'_>>) -> Vec<LocalChange> {
    let mut changes = Vec::new();
    for group in groups(before, after) {
        let (old, new) = (group.old, group.new);
        for (old, new) in paired(&old, &new) {
            match (old, new) {
                (Some(old), Some(new)) => changes.extend(survivor(old, new)),
                (Some(one), None) => changes.push(alone(one, Sides::Before(trace(one)))),
                (None, Some(one)) => changes.push(alone(one, Sides::After(trace(one)))),
                (None, None) => {}
            }
        }
    }
    changes
}

/// An item in its version.
#[derive(Clone, Copy)]
struct Placed<'a> {
    version: Version<'a>,
    item: &'a ScannedItem,
}

impl<'a> Placed<'a> {
    fn bytes(&self, range: Range<usize>) -> &'a [u8] {
        self.version.text.get(range).unwrap_or_default()
    }

    /// Its path inside the file.
    fn path(&self) -> String {
        self.version.scan.path(self.version.text, self.item)
    }

    /// Whether others can name it as far as its file tells; nobody can name test code.
    fn is_shown(&self) -> bool {
        self.item.is_open && !self.item.is_test
    }

    /// The documentation inside it, members of blocks left out.
    fn inner_docs(&self) -> String {
        inner_docs(self.version.text, [self.item.head.clone(), self.item.body.clone()])
    }

    /// Behind its last byte, body included.
    fn last(&self) -> usize {
        self.item.end.max(self.item.body.end)
    }

    /// Whether everything that does not stand in its own text is the same.
    fn is_like(&self, other: &Self) -> bool {
        let around =
            |placed: &Self| placed.version.scan.scopes.get(placed.item.scope).map(|scope| &scope.path);
        self.item.kind == other.item.kind
            && self.item.visibility == other.item.visibility
            && self.item.is_open == other.item.is_open
            && self.item.is_test == other.item.is_test
            && around(self) == around(other)
    }

    /// Its whole text, for the parser.
    fn whole(&self) -> Range<usize> {
        self.item.lead.start..self.item.end
    }

    fn imports(&self) -> Option<&'a [Range<usize>]> {
        let contents = self.item.contents?;
        self.version.scan.scopes.get(contents).map(|scope| scope.imports.as_slice())
    }

    fn inner(&self) -> &'a [Range<usize>] {
        let contents = self.item.contents.and_then(|contents| self.version.scan.scopes.get(contents));
        contents.map_or(&[], |scope| scope.inner.as_slice())
    }

    fn annotations(&self) -> Annotations {
        Annotations::of(self.version.text, self.version.scan, self.item)
    }
}

/// The items of one path on both sides.
struct Group<'a> {
    old: Vec<Placed<'a>>,
    new: Vec<Placed<'a>>,
}

/// The items that may differ, by path.
fn groups<'a>(before: Option<Version<'a>>, after: Option<Version<'a>>) -> Vec<Group<'a>> {
    let (old, new) = match (before, after) {
        (Some(before), Some(after)) => differing(before, after),
        (before, after) => (all(before), all(after)),
    };
    let with_path = |items: Vec<Placed<'a>>| {
        let mut items: Vec<(String, Placed<'a>)> =
            items.into_iter().map(|placed| (placed.path(), placed)).collect();
        // Stable: several items under one path keep their order.
        items.sort_by(|(one, _), (other, _)| one.cmp(other));
        items.into_iter().peekable()
    };
    let (mut old, mut new) = (with_path(old), with_path(new));
    let mut groups = Vec::new();
    loop {
        let path = match (old.peek(), new.peek()) {
            (None, None) => return groups,
            (Some((one, _)), None) | (None, Some((one, _))) => one.clone(),
            (Some((one, _)), Some((other, _))) => one.min(other).clone(),
        };
        let mut group = Group { old: Vec::new(), new: Vec::new() };
        while let Some((_, item)) = old.next_if(|(other, _)| *other == path) {
            group.old.push(item);
        }
        while let Some((_, item)) = new.next_if(|(other, _)| *other == path) {
            group.new.push(item);
        }
        groups.push(group);
    }
}

fn all(version: Option<Version<'_>>) -> Vec<Placed<'_>> {
    let items = version
        .into_iter()
        .flat_map(|version| version.scan.items.iter().map(move |item| Placed { version, item }));
    items.collect()
}

/// The items that do not lie, the same on both sides, in what the texts have in common at their beginnings and
/// ends: most changes touch a few lines.
fn differing<'a>(before: Version<'a>, after: Version<'a>) -> (Vec<Placed<'a>>, Vec<Placed<'a>>) {
    let (old, new) = (before.text, after.text);
    let prefix = common_prefix(old, new);
    let most = old.len().min(new.len()) - prefix;
    let suffix = common_suffix(old, new).min(most);
    let (mut old_items, mut new_items) = (all(Some(before)), all(Some(after)));
    let (mut kept_old, mut kept_new) = (Vec::new(), Vec::new());
    let same_head = old_items
        .iter()
        .zip(&new_items)
        .take_while(|(one, other)| one.last() <= prefix && one.whole() == other.whole() && one.is_like(other))
        .count();
    for (one, other) in old_items.drain(..same_head).zip(new_items.drain(..same_head)) {
        // What a module imports may stand further down.
        if one.item.contents.is_some() {
            kept_old.push(one);
            kept_new.push(other);
        }
    }
    while let (Some(one), Some(other)) = (old_items.last().copied(), new_items.last().copied()) {
        let from_end = |placed: Placed<'_>, at: usize| placed.version.text.len() - at;
        let is_same = from_end(one, one.whole().start) <= suffix
            && from_end(one, one.whole().start) == from_end(other, other.whole().start)
            && from_end(one, one.last()) == from_end(other, other.last())
            && one.is_like(&other);
        if !is_same || one.item.contents.is_some() {
            break;
        }
        old_items.pop();
        new_items.pop();
    }
    kept_old.append(&mut old_items);
    kept_new.append(&mut new_items);
    (kept_old, kept_new)
}

/// Whole blocks are compared at once.
const BLOCK: usize = 256;

/// How many bytes two texts have in common at their ends.
pub(crate) fn common_suffix(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.rchunks_exact(BLOCK).zip(other.rchunks_exact(BLOCK));
    let start = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one.iter().rev().skip(start).zip(other.iter().rev().skip(start));
    start + rest.take_while(|(one, other)| one == other).count()
}

/// How many bytes two texts have in common at their beginnings.
pub(crate) fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let start = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one.iter().skip(start).zip(other.iter().skip(start));
    start + rest.take_while(|(one, other)| one == other).count()
}

/// Several items under one path: those with the same bytes belong together, then those that differ in nothing,
/// then those of one kind in their order, then whatever is left.
fn paired<'a>(old: &[Placed<'a>], new: &[Placed<'a>]) -> Vec<(Option<Placed<'a>>, Option<Placed<'a>>)> {
    if let ([old], [new]) = (old, new) {
        return vec![(Some(*old), Some(*new))];
    }
    let rules: [fn(&Placed<'a>, &Placed<'a>) -> bool; 4] = [
        |one, other| one.bytes(one.whole()) == other.bytes(other.whole()),
        |one, other| one.item.kind == other.item.kind && aspects(*one, *other) == Aspects::default(),
        |one, other| one.item.kind == other.item.kind,
        |_, _| true,
    ];
    let (mut old, mut new) = (old.to_vec(), new.to_vec());
    let mut pairs = Vec::new();
    for rule in rules {
        old.retain(|item| match new.iter().position(|other| rule(item, other)) {
            Some(at) => {
                pairs.push((Some(*item), Some(new.remove(at))));
                false
            }
            None => true,
        });
        if old.is_empty() || new.is_empty() {
            break;
        }
    }
    pairs.extend(old.into_iter().map(|item| (Some(item), None)));
    pairs.extend(new.into_iter().map(|item| (None, Some(item))));
    pairs
}

fn survivor(old: Placed<'_>, new: Placed<'_>) -> Option<LocalChange> {
    let aspects = aspects(old, new);
    (aspects != Aspects::default()).then(|| LocalChange {
        path: new.path(),
        kind: new.item.kind,
        sides: Sides::Both(aspects),
        is_test: old.item.is_test && new.item.is_test,
        is_open: old.item.is_open || new.item.is_open,
        opened: (old.item.is_open != new.item.is_open).then_some(new.item.is_open),
    })
}

fn alone(one: Placed<'_>, sides: Sides) -> LocalChange {
    LocalChange {
        path: one.path(),
        kind: one.item.kind,
        sides,
        is_test: one.item.is_test,
        is_open: one.item.is_open,
        opened: None,
    }
}

fn trace(one: Placed<'_>) -> Trace {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let annotations = one.annotations();
    let hashed = |value: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        value(&mut hasher);
        hasher.finish()
    };
    Trace {
        look: look(one.version.text, one.version.scan, one.item),
        annotations: hashed(&|hasher| annotations.attributes.hash(hasher)),
        docs: hashed(&|hasher| (&annotations.docs, one.inner_docs()).hash(hasher)),
        visibility: one.item.visibility,
    }
}

/// What differs between two versions of an item.
fn aspects(old: Placed<'_>, new: Placed<'_>) -> Aspects {
    let mut found = Aspects {
        visibility: old.item.visibility != new.item.visibility || old.is_shown() != new.is_shown(),
        attributes: old.item.is_test != new.item.is_test,
        signature: old.item.kind != new.item.kind,
        ..Aspects::default()
    };
    let same_lead = old.bytes(old.item.lead.clone()) == new.bytes(new.item.lead.clone());
    let same_inner = old.inner().len() == new.inner().len()
        && old
            .inner()
            .iter()
            .zip(new.inner())
            .all(|(one, other)| old.bytes(one.clone()) == new.bytes(other.clone()));
    if !(same_lead && same_inner) {
        let (before, after) = (old.annotations(), new.annotations());
        found.docs = before.docs != after.docs;
        found.attributes |= before.attributes != after.attributes;
    }
    if let (Some(before), Some(after)) = (old.imports(), new.imports()) {
        let same = before.len() == after.len()
            && before
                .iter()
                .zip(after)
                .all(|(one, other)| old.bytes(one.clone()) == new.bytes(other.clone()));
        found.body = !same && imports(old.version.text, before) != imports(new.version.text, after);
        return found;
    }
    let head = difference(old, old.item.head.clone(), new, new.item.head.clone());
    let body = difference(old, old.item.body.clone(), new, new.item.body.clone());
    found.signature |= head == Difference::Real;
    found.body |= body == Difference::Real;
    let same_bytes = old.bytes(old.item.head.clone()) == new.bytes(new.item.head.clone())
        && old.bytes(old.item.body.clone()) == new.bytes(new.item.body.clone());
    found.docs |= !same_bytes && old.inner_docs() != new.inner_docs();
    let doubtful = (head == Difference::Doubtful && !found.signature, body == Difference::Doubtful);
    if doubtful.0 || doubtful.1 {
        let (signature, body) = parsed(old, new).unwrap_or((true, true));
        found.signature |= doubtful.0 && signature;
        found.body |= doubtful.1 && body;
    }
    found
}

/// How two pieces of text differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// Not at all, or in comments and space only.
    None,
    /// In signs that formatting adds and takes away; only a parser can tell what they mean.
    Doubtful,
    /// In tokens that mean something.
    Real,
}

fn difference(
    old: Placed<'_>,
    old_range: Range<usize>,
    new: Placed<'_>,
    new_range: Range<usize>,
) -> Difference {
    let (old_bytes, new_bytes) = (old.bytes(old_range.clone()), new.bytes(new_range.clone()));
    if old_bytes == new_bytes {
        return Difference::None;
    }
    let common = common_prefix(old_bytes, new_bytes);
    let same = common_line(old.version.text, old_range.start, common) - old_range.start;
    let mut old_words = words(old, old_range.start + same..old_range.end);
    let mut new_words = words(new, new_range.start + same..new_range.end);
    loop {
        let (one, other) = (old_words.next(), new_words.next());
        if one.is_none() && other.is_none() {
            return Difference::None;
        }
        if one != other {
            let telling = |token: &Cow<'_, [u8]>| !is_formatting(token);
            let old_rest = one.into_iter().chain(old_words).filter(telling);
            let new_rest = other.into_iter().chain(new_words).filter(telling);
            return if old_rest.eq(new_rest) { Difference::Doubtful } else { Difference::Real };
        }
    }
}

/// The significant tokens of a range.
fn words(placed: Placed<'_>, range: Range<usize>) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let text = placed.version.text;
    let words = Tokens::of(text, range.clone()).map(move |token| (token, text.get(token.start..token.end)));
    // A `where` with nothing behind it is formatting.
    let is_idle = move |end: usize| Tokens::of(text, end..range.end).next().is_none();
    words
        .filter(move |(token, word)| *word != Some(b"where") || !is_idle(token.end))
        .map(|(_, word)| as_read(word.unwrap_or_default()))
}

/// Signs that `rustfmt` adds and takes away in some places.
fn is_formatting(token: &[u8]) -> bool {
    matches!(token, b"," | b";" | b"{" | b"}" | b"|" | b"(" | b")" | b"<" | b">")
}

/// What the full parser says: whether header and body differ.
fn parsed(old: Placed<'_>, new: Placed<'_>) -> Option<(bool, bool)> {
    let of = |placed: Placed<'_>| {
        let text = std::str::from_utf8(placed.bytes(placed.whole())).ok()?;
        let member = placed.version.scan.scopes.get(placed.item.scope)?.has_members;
        // A header without its block is given an empty one.
        let block = matches!(placed.item.kind, ItemKind::Trait | ItemKind::Impl);
        let text = if block { format!("{text} {{}}") } else { text.to_owned() };
        fingerprint_of(&text, member)
    };
    let (old, new) = (of(old)?, of(new)?);
    Some((old.signature != new.signature, old.body != new.body))
}
