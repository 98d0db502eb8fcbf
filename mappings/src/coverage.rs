//! What the mapping leaves open on each side: items without a symbol, symbols without an item, and what two
//! rules or two items quarrel over.
//!
//! The main function is [`coverage()`]. It only finds; nothing is repaired here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use upstream::ItemPath;
use upstream::snapshot::{Item, Snapshot};

use crate::lock::Lock;
use crate::mapping::{Mapping, PlaceError, Placement};
use crate::symbol::{SymbolKind, SymbolPath, SymbolTable};
use crate::unit::SkipReason;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct CoverageInput<'a> {
    /// The upstream.
    pub snapshot: &'a Snapshot,
    /// The port.
    pub symbols: &'a SymbolTable,
    /// What the configuration says.
    pub mapping: &'a Mapping,
    /// What was linked so far, where the port has a lock.
    pub lock: Option<&'a Lock>,
}

/// What the mapping comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Items whose symbol is there.
    pub mapped: usize,
    /// Items that a rule leaves alone, with a reason.
    pub left_alone: usize,
    /// Items that no rule and no link speaks of, with why.
    pub unmapped: BTreeMap<ItemPath, String>,
    /// Items whose symbol is not in the port, by item.
    pub missing: BTreeMap<ItemPath, SymbolPath>,
    /// Symbols of the port that no item comes to: neither linked nor declared an extension.
    pub orphaned: Vec<SymbolPath>,
    /// Items for which equally specific rules disagree, with the rules.
    pub ambiguous: BTreeMap<ItemPath, String>,
    /// Symbols that several items come to; variants of one item count once. Merging is allowed, and worth a look.
    pub shared: BTreeMap<SymbolPath, Vec<ItemPath>>,
    /// Links of the configuration whose item is gone.
    pub stale: Vec<ItemPath>,
}

impl Coverage {
    /// Whether there is something that a person must decide.
    pub fn is_open(&self) -> bool {
        !(self.unmapped.is_empty()
            && self.missing.is_empty()
            && self.orphaned.is_empty()
            && self.ambiguous.is_empty()
            && self.stale.is_empty())
    }
}

/// Finds what the mapping leaves open.
pub fn coverage(input: &CoverageInput<'_>) -> Coverage {
    let mut coverage = Coverage::default();
    let mut items_of: BTreeMap<SymbolPath, Vec<ItemPath>> = BTreeMap::new();
    // Symbols of which a rule says that several items were merged into them.
    let mut meant: BTreeSet<SymbolPath> = BTreeSet::new();
    for item in input.snapshot.items.values() {
        let Some(Placed { symbol, others, merged }) = place(input, item, &mut coverage) else { continue };
        for other in others {
            if input.symbols.symbols.contains_key(&other) {
                items_of.entry(other).or_default().push(item.path.clone());
            } else {
                coverage.missing.entry(item.path.clone()).or_insert(other);
            }
        }
        if !input.symbols.symbols.contains_key(&symbol) {
            if input.mapping.needs_no_symbol(item).is_some() {
                coverage.left_alone += 1;
            } else {
                coverage.missing.insert(item.path.clone(), symbol);
            }
            continue;
        }
        coverage.mapped += 1;
        if merged {
            meant.insert(symbol.clone());
        }
        let items = items_of.entry(symbol).or_default();
        let base = |path: &ItemPath| crate::mapping::without_variant(path.as_str()).to_owned();
        if items.last().is_none_or(|last| base(last) != base(&item.path)) {
            items.push(item.path.clone());
        }
    }
    coverage.orphaned = orphaned(input, &items_of);
    coverage.stale = input
        .mapping
        .linked_items()
        .filter(|item| !input.snapshot.items.contains_key(*item))
        .cloned()
        .collect();
    let is_shared =
        |(symbol, items): &(SymbolPath, Vec<ItemPath>)| items.len() > 1 && !meant.contains(symbol);
    coverage.shared = items_of.into_iter().filter(is_shared).collect();
    coverage
}

/// The symbols of an item.
struct Placed {
    symbol: SymbolPath,
    /// Those besides, where it was split.
    others: Vec<SymbolPath>,
    /// Whether a rule says that it was merged into its symbol.
    merged: bool,
}

/// The symbols of an item: as it was linked, or else as the mapping has it.
fn place(input: &CoverageInput<'_>, item: &Item, coverage: &mut Coverage) -> Option<Placed> {
    let placement = input.mapping.place_in(item, input.symbols);
    if let Some(link) = input.lock.and_then(|lock| lock.links.get(&item.path)) {
        let others = link.parts.iter().map(|part| part.symbol.clone()).collect();
        let merged = matches!(placement, Ok(Placement::Mapped { merged: true, .. }));
        return Some(Placed { symbol: link.symbol.clone(), others, merged });
    }
    match placement {
        Ok(Placement::Mapped { symbol, split, merged, .. }) => {
            let others = split.into_iter().map(|part| part.symbol).collect();
            return Some(Placed { symbol: existing_form(input, item, symbol), others, merged });
        }
        Ok(Placement::Skipped { why: SkipReason::Unmapped, reason, .. }) => {
            if input.mapping.needs_no_symbol(item).is_some() {
                coverage.left_alone += 1;
            } else {
                coverage.unmapped.insert(item.path.clone(), reason);
            }
        }
        Ok(Placement::Skipped { .. }) => coverage.left_alone += 1,
        Err(problem @ (PlaceError::Ambiguous { .. } | PlaceError::Invalid { .. })) => {
            coverage.ambiguous.insert(item.path.clone(), problem.to_string());
        }
    }
    None
}

/// The symbol as the port marks it: `_name` where it has that and not `name`.
fn existing_form(input: &CoverageInput<'_>, item: &Item, symbol: SymbolPath) -> SymbolPath {
    let has = |symbol: &SymbolPath| input.symbols.symbols.contains_key(symbol);
    match crate::convention::private_form(item, &symbol).filter(has) {
        Some(private) if !has(&symbol) => private,
        Some(_) | None => symbol,
    }
}

/// Symbols that nothing comes to. What stands in a class that an item comes to is that item's own matter, as
/// are classes that hold linked methods.
fn orphaned(input: &CoverageInput<'_>, items_of: &BTreeMap<SymbolPath, Vec<ItemPath>>) -> Vec<SymbolPath> {
    let is_open = |path: &SymbolPath| {
        let kind = input.symbols.get(path).map(|symbol| symbol.kind);
        let of_linked = path.parent().is_some_and(|parent| items_of.contains_key(&parent));
        let holds_linked = || {
            let below = format!("{path}.");
            items_of.keys().any(|linked| linked.as_str().starts_with(&below))
        };
        let covered = match kind {
            Some(SymbolKind::Constant) => of_linked,
            Some(SymbolKind::Class) => holds_linked(),
            Some(SymbolKind::Function | SymbolKind::Method) | None => false,
        };
        !items_of.contains_key(path) && !covered && !input.mapping.is_extension(input.symbols, path)
    };
    input.symbols.symbols.keys().filter(|path| is_open(path)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{function, path, snapshot, symbol_path, table};

    fn mapping(toml: &str) -> Mapping {
        Mapping::new(toml::from_str(toml).unwrap()).unwrap()
    }

    #[test]
    fn each_side_is_told_what_it_lacks() {
        let snapshot =
            snapshot("1", ["k::f", "k::gone", "k::odd", "k::left", "other::x"].map(|at| function(at, "")));
        let symbols = table(&[("p.f", ""), ("p.mine", ""), ("p.extra", "")]);
        let mapping = mapping(
            "[[map]]\nitems = 'k::*'\nsymbol = 'p.{name}'\nfile = 'p.py'\n\
             [[map]]\nitems = 'k::od*'\nsymbol = 'p.{name}'\nfile = 'p.py'\n\
             [[map]]\nitems = 'k::od*'\nsymbol = 'q.{name}'\nfile = 'q.py'\n\
             [[map]]\nitems = 'k::left'\nstrategy = 'ignore'\nreason = 'x'\n\
             [[link]]\nitem = 'k::never'\nsymbol = 'p.never'\nfile = 'p.py'\n\
             [[extension]]\nsymbol = 'p.extra'\n",
        );
        let coverage = coverage(&CoverageInput {
            snapshot: &snapshot,
            symbols: &symbols,
            mapping: &mapping,
            lock: None,
        });
        assert_eq!((coverage.mapped, coverage.left_alone), (1, 1));
        assert_eq!(coverage.unmapped.keys().collect::<Vec<_>>(), [&path("other::x")]);
        assert_eq!(coverage.missing, BTreeMap::from([(path("k::gone"), symbol_path("p.gone"))]));
        assert_eq!(coverage.ambiguous.keys().collect::<Vec<_>>(), [&path("k::odd")]);
        assert_eq!(coverage.orphaned, [symbol_path("p.mine")]);
        assert_eq!(coverage.stale, [path("k::never")]);
        assert!(coverage.is_open());
    }

    #[test]
    fn items_that_come_to_one_symbol_are_told() {
        let snapshot = snapshot("1", ["k::f", "k::g"].map(|at| function(at, "")));
        let symbols = table(&[("p.f", "")]);
        let mapping = mapping("[[map]]\nitems = 'k::**'\nsymbol = 'p.f'\nfile = 'p.py'\n");
        let coverage = coverage(&CoverageInput {
            snapshot: &snapshot,
            symbols: &symbols,
            mapping: &mapping,
            lock: None,
        });
        assert_eq!(coverage.shared, BTreeMap::from([(symbol_path("p.f"), vec![path("k::f"), path("k::g")])]));
        assert!(!coverage.is_open());
    }
}
