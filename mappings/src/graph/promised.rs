//! What a trait's method does where the type is not the crate's.
//!
//! `<Vec<u8> as FromHex>::from_hex` and `<T as ToHex>::to_hex` have no symbols: nobody can give `bytes` a method. What
//! the port does instead stands in the symbol of the trait's own method, so that method is held to lead to them.

use std::collections::{BTreeMap, BTreeSet};

use upstream::ItemPath;
use upstream::snapshot::{Item, ItemKind};

use crate::convention;
use crate::mapping::without_variant;

/// From methods of traits to those of their implementations for types of others, where the trait is of the same crate.
pub(super) fn edges<'a>(items: &[&'a Item]) -> Vec<(ItemPath, &'a ItemPath)> {
    let foreign: Vec<(&str, &Item)> =
        items.iter().filter_map(|item| Some((convention::trait_for_others(item)?, *item))).collect();
    let wanted: BTreeSet<&str> = foreign.iter().map(|(of_trait, _)| *of_trait).collect();
    let mut traits: BTreeMap<(&str, &str), Vec<&ItemPath>> = BTreeMap::new();
    for item in items.iter().filter(|item| item.kind == ItemKind::Trait) {
        let name = without_variant(item.path.name());
        if wanted.contains(name) {
            traits.entry((item.path.krate(), name)).or_default().push(&item.path);
        }
    }
    let promises = |(of_trait, item): (&str, &'a Item)| {
        let promised_by = traits.get(&(item.path.krate(), of_trait)).into_iter().flatten();
        let method = without_variant(item.path.name()).to_owned();
        let paths =
            promised_by.filter_map(move |of_trait| ItemPath::new(format!("{of_trait}::{method}")).ok());
        paths.map(|path| (path, &item.path)).collect::<Vec<_>>()
    };
    foreign.into_iter().flat_map(promises).collect()
}
