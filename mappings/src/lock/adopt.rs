//! The first lock of a port that exists already: what is mapped and there is linked, and nothing is claimed
//! to be proved.

use std::collections::BTreeMap;

use serde::Serialize;
use upstream::ItemPath;
use upstream::snapshot::Snapshot;

use super::{Disposition, Link, LinkPart, Lock, Proof, RecordedRevision};
use crate::convention::private_form;
use crate::mapping::{Mapping, Part, PlaceError, Placement};
use crate::symbol::{SymbolPath, SymbolTable};
use crate::unit::SkipReason;

/// What the first lock is made from.
#[derive(Debug, Clone, Copy)]
pub struct Adoption<'a> {
    /// The upstream as its source is written in the configuration.
    pub source: &'a str,
    /// The upstream at the revision that the port is said to equal.
    pub baseline: &'a Snapshot,
    /// Where items belong.
    pub mapping: &'a Mapping,
    /// The port.
    pub symbols: &'a SymbolTable,
}

/// The first lock, and what it does not speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The lock.
    pub lock: Lock,
    /// Items that should have a symbol and have none, by path. What the upstream hides needs none.
    pub unlinked: Vec<Unlinked>,
}

/// An item without a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unlinked {
    /// The item.
    pub item: ItemPath,
    /// The symbol that was looked for; `None` where nothing says where the item belongs.
    pub symbol: Option<SymbolPath>,
    /// Why there is no link.
    pub reason: String,
}

/// Links each item, tests included, whose symbol is in the port, under its name or, where the item is not
/// public, with an underscore before it.
pub fn adopt(adoption: &Adoption<'_>) -> Result<Adopted, PlaceError> {
    let revision = &adoption.baseline.revision;
    let mut links = BTreeMap::new();
    let mut unlinked = Vec::new();
    for (path, item) in &adoption.baseline.items {
        let needs_symbol = adoption.mapping.needs_no_symbol(item).is_none();
        let (symbol, file, split) = match adoption.mapping.place_in(item, adoption.symbols)? {
            Placement::Mapped { symbol, file, split, .. } => (symbol, file, split),
            Placement::Skipped { why: SkipReason::Unmapped, reason, .. } => {
                let one = Unlinked { item: path.clone(), symbol: None, reason };
                unlinked.extend(needs_symbol.then_some(one));
                continue;
            }
            Placement::Skipped { .. } => continue,
        };
        let private = || private_form(item, &symbol).and_then(|private| adoption.symbols.get(&private));
        let Some(found) = adoption.symbols.get(&symbol).or_else(private) else {
            let reason = match adoption.symbols.unparsed.get(&file) {
                Some(complaint) => format!("`{file}` cannot be parsed: {complaint}"),
                None if needs_symbol => format!("the port has no `{symbol}`"),
                None => continue,
            };
            unlinked.push(Unlinked { item: path.clone(), symbol: Some(symbol), reason });
            continue;
        };
        let link = Link {
            item: path.clone(),
            upstream: item.fingerprint.combined(),
            written: found.hash,
            revision: revision.label.clone(),
            proof: Proof::MappedOnly,
            symbol: found.path.clone(),
            parts: parts_in(&split, adoption.symbols),
        };
        for missing in split.iter().filter(|part| adoption.symbols.get(&part.symbol).is_none()) {
            let reason = format!("the port has no `{}`, which `split` names", missing.symbol);
            let symbol = Some(missing.symbol.clone());
            unlinked.push(Unlinked { item: path.clone(), symbol, reason });
        }
        links.insert(path.clone(), link);
    }
    let recorded = RecordedRevision {
        revision: revision.label.clone(),
        commit: revision.commit.clone(),
        disposition: Disposition::Adopted,
        reason: String::new(),
    };
    let lock = Lock {
        source: adoption.source.to_owned(),
        baseline: revision.label.clone(),
        commit: revision.commit.clone(),
        links,
        revisions: vec![recorded],
        parked: BTreeMap::new(),
        held: BTreeMap::new(),
    };
    Ok(Adopted { lock, unlinked })
}

/// The further symbols of an item that the port has, with their hashes.
fn parts_in(split: &[Part], symbols: &SymbolTable) -> Vec<LinkPart> {
    let found = split.iter().filter_map(|part| symbols.get(&part.symbol));
    found.map(|symbol| LinkPart { symbol: symbol.path.clone(), written: symbol.hash }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{function, path, private, snapshot, symbol_path, table, test_function, test_helper};

    #[test]
    fn what_is_mapped_and_there_is_linked_and_the_rest_is_listed() {
        let baseline = snapshot(
            "1.0.0",
            [
                function("k::f", "1"),
                function("k::g", "2"),
                private(function("k::inner", "3")),
                private(function("k::hidden", "3")),
                private(function("k::m::hidden", "3")),
                private(function("other::hidden", "3")),
                test_helper("k::tests::helper", "3"),
                function("other::h", ""),
                test_function("k::tests::t", ""),
            ],
        );
        let rules = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{name}'\nfile = 'p.py'\n\
                     [[map]]\nitems = 'k::m::**'\nsymbol = 'p.m.{name}'\nfile = 'm.py'\n";
        let mapping = Mapping::new(toml::from_str(rules).unwrap()).unwrap();
        let mut symbols = table(&[("p.f", "def f"), ("p._inner", "def _inner"), ("p.test_t", "def test_t")]);
        symbols.unparsed.insert("m.py".to_owned(), "line 1".to_owned());
        let adoption =
            Adoption { source: "registry:k", baseline: &baseline, mapping: &mapping, symbols: &symbols };
        let Adopted { lock, unlinked } = adopt(&adoption).unwrap();
        assert_eq!(
            lock.links.keys().collect::<Vec<_>>(),
            [&path("k::f"), &path("k::inner"), &path("k::tests::t")]
        );
        assert_eq!(lock.links[&path("k::inner")].symbol, symbol_path("p._inner"));
        let link = &lock.links[&path("k::f")];
        assert_eq!((link.proof, &link.symbol), (Proof::MappedOnly, &symbol_path("p.f")));
        assert_eq!(link.upstream, baseline.items[&path("k::f")].fingerprint.combined());
        let missing: Vec<_> = unlinked.iter().map(|one| (one.item.as_str(), one.reason.as_str())).collect();
        assert_eq!(
            missing,
            [
                ("k::g", "the port has no `p.g`"),
                ("k::m::hidden", "`m.py` cannot be parsed: line 1"),
                ("other::h", "no rule speaks of it, and no `[convention]` is given")
            ]
        );
        assert_eq!(Lock::parse(&lock.render()), Ok(lock));
    }
}
