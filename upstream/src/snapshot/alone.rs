//! The fingerprint of one item that is given by its text alone.

use super::item::{Fingerprint, ItemKind};
use super::outline::outline;
use super::syntax::Edition;

/// Parses one item; a member of an `impl` or `trait` block is read as one.
///
/// `None` where no edition reads the text as an item.
pub(crate) fn fingerprint_of(text: &str, is_member: bool) -> Option<Fingerprint> {
    let text = if is_member { format!("impl X {{ {text} }}") } else { text.to_owned() };
    // The newest edition that reads it: the item stood in a file that parsed.
    let editions = [Edition::Edition2024, Edition::Edition2018, Edition::Edition2015];
    let read =
        editions.into_iter().map(|edition| outline(&text, edition)).find(|it| it.complaint.is_none())?;
    let is_it = |kind: ItemKind| !is_member || kind != ItemKind::Impl;
    read.items.into_iter().find(|entry| is_it(entry.item.kind)).map(|entry| entry.item.fingerprint)
}

/// The name under which an `impl` block stands, by what stands between `impl` and its braces, and whether it
/// implements a trait. `None` where no edition reads it.
pub(crate) fn implementation_of(header: &str) -> Option<(String, bool)> {
    let text = format!("impl {header}\n{{ fn f() {{}} }}");
    let editions = [Edition::Edition2024, Edition::Edition2018, Edition::Edition2015];
    let read =
        editions.into_iter().map(|edition| outline(&text, edition)).find(|it| it.complaint.is_none())?;
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
