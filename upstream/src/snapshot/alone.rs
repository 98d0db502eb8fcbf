//! One item that is given by its text alone, read again.

use super::item::{Fingerprint, Item, ItemKind};
use super::outline::outline;
use super::syntax::{AstNode, Edition, SyntaxNode, ast, parse_file};

/// The editions to try: the newest that reads it, since the item stood in a file that parsed.
pub(super) const EDITIONS: [Edition; 3] = [Edition::Edition2024, Edition::Edition2018, Edition::Edition2015];

/// Parses one item; a member of an `impl` or `trait` block is read as one.
///
/// `None` where no edition reads the text as an item.
pub(crate) fn fingerprint_of(text: &str, is_member: bool) -> Option<Fingerprint> {
    let text = wrapped(text, is_member);
    let read =
        EDITIONS.into_iter().map(|edition| outline(&text, edition)).find(|it| it.complaint.is_none())?;
    let is_it = |kind: ItemKind| !is_member || kind != ItemKind::Impl;
    read.items.into_iter().find(|entry| is_it(entry.item.kind)).map(|entry| entry.item.fingerprint)
}

/// An item as syntax, and how many bytes of the parsed text stand before the item's own.
pub(super) struct Alone {
    /// The item.
    pub(super) node: SyntaxNode,
    /// What was put before its text.
    pub(super) offset: usize,
}

/// Parses an item's text; `None` where it cannot be read alone. A module's text is no module: see
/// [`super::outline::ModuleFacts`].
pub(super) fn alone(item: &Item) -> Option<Alone> {
    let is_member = is_member(item);
    let text = wrapped(&item.text, is_member);
    let parsed = EDITIONS
        .into_iter()
        .filter_map(|edition| parse_file(&text, edition).ok())
        .find(|parsed| parsed.complaint.is_none())?;
    let is_item =
        |node: &SyntaxNode| ast::Item::can_cast(node.kind()) || ast::AssocItem::can_cast(node.kind());
    let top = parsed.file.syntax().children().find(is_item)?;
    let list = top.children().find(|child| is_member && ast::AssocItemList::can_cast(child.kind()));
    let node = match list {
        Some(list) if item.kind != ItemKind::Impl => list.children().find(is_item)?,
        Some(_) | None => top,
    };
    Some(Alone { node, offset: if is_member { WRAP.len() } else { 0 } })
}

/// What is put around members.
const WRAP: &str = "impl X { ";

fn wrapped(text: &str, is_member: bool) -> String {
    if is_member { format!("{WRAP}{text} }}") } else { text.to_owned() }
}

/// Whether an item can stand only inside a block.
fn is_member(item: &Item) -> bool {
    let in_block = item.path.segments().iter().any(|segment| segment.starts_with('<'));
    item.kind == ItemKind::Method || (in_block && item.kind != ItemKind::Impl)
}

/// The name under which an `impl` block stands, by what stands between `impl` and its braces, and whether it
/// implements a trait. `None` where no edition reads it.
pub(crate) fn implementation_of(header: &str) -> Option<(String, bool)> {
    let text = format!("impl {header}\n{{ fn f() {{}} }}");
    let read =
        EDITIONS.into_iter().map(|edition| outline(&text, edition)).find(|it| it.complaint.is_none())?;
    let of_trait = read.items.iter().any(|entry| entry.item.kind == ItemKind::Impl);
    let name =
        read.items.into_iter().find(|entry| entry.item.kind == ItemKind::Method)?.names.into_iter().next()?;
    Some((name, of_trait))
}

/// The items of a text that is a file by itself: the path inside the file, the kind, whether it is test code.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn items_alone(text: &str) -> Result<Vec<(String, ItemKind, bool)>, String> {
    let outline = outline(text, Edition::Edition2024);
    if let Some(complaint) = outline.complaint {
        return Err(complaint);
    }
    let named = |entry: super::outline::OutlineItem| {
        let path: Vec<String> = entry.modules.into_iter().chain(entry.names).collect();
        (path.join("::"), entry.item.kind, entry.item.is_test)
    };
    Ok(outline.items.into_iter().map(named).collect())
}
