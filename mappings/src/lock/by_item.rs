//! The tables of a lock in other forms than its text: lists of entries, each under the item that it names.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use upstream::ItemPath;

use super::{HeldItem, Link, ParkedItem};

/// An entry of a lock that is about an item.
pub(super) trait OfItem {
    fn item(&self) -> &ItemPath;
}

impl OfItem for Link {
    fn item(&self) -> &ItemPath {
        &self.item
    }
}

impl OfItem for ParkedItem {
    fn item(&self) -> &ItemPath {
        &self.item
    }
}

impl OfItem for HeldItem {
    fn item(&self) -> &ItemPath {
        &self.item
    }
}

/// The entries under their items. Sorted ones, as they mostly are, take one pass.
pub(super) fn table<Entry: OfItem>(entries: Vec<Entry>) -> BTreeMap<ItemPath, Entry> {
    entries.into_iter().map(|entry| (entry.item().clone(), entry)).collect()
}

pub(super) fn serialize<Entry: Serialize, S: Serializer>(
    table: &BTreeMap<ItemPath, Entry>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(table.values())
}

pub(super) fn deserialize<'de, Entry: OfItem + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<ItemPath, Entry>, D::Error> {
    Vec::deserialize(deserializer).map(table)
}
