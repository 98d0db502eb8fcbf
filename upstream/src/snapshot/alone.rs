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
