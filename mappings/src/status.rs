//! How the port stands: how far behind, and for how many items it is known to behave alike.
//!
//! Proved, tested, mapped only and unknown are counted apart and never added up.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use upstream::snapshot::{Item, Snapshot};
use upstream::{ItemPath, Revision, RevisionLabel};

use crate::convention::{is_member, private_form};
use crate::coverage::{CoverageInput, coverage};
use crate::lock::{HeldItem, Lock, ParkedItem, Proof};
use crate::mapping::{DeclaredExtension, Mapping, PlaceError, Placement};
use crate::symbol::{SymbolPath, SymbolTable};
use crate::unit::SkipReason;

/// What the status is read from.
#[derive(Debug, Clone, Copy)]
pub struct StatusInput<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// The upstream at the lock's baseline.
    pub baseline: &'a Snapshot,
    /// All revisions of the upstream, oldest first.
    pub revisions: &'a [Revision],
    /// Where items belong.
    pub mapping: &'a Mapping,
    /// The port as it stands.
    pub symbols: &'a SymbolTable,
}

/// How the port stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The upstream as its source is written in the configuration.
    pub source: String,
    /// The revision that the port equals.
    pub baseline: RevisionLabel,
    /// The newest revision that was not withdrawn.
    pub newest: Option<RevisionLabel>,
    /// Revisions after the baseline that were not withdrawn; `None` where the upstream no longer has the
    /// baseline.
    pub lag_revisions: Option<usize>,
    /// Time between the baseline's and the newest revision's publication, in seconds, where both are known.
    pub lag_s: Option<i64>,
    /// All items.
    pub total: Counts,
    /// The items by module of the upstream.
    pub modules: BTreeMap<String, Counts>,
    /// What waits for a person, by item.
    pub parked: Vec<Waiting>,
    /// What the baseline passed over by a decision, or because no rule has a place for it, by item.
    pub held: Vec<Waiting>,
    /// Symbols that a person edited after Tidelock last saw or wrote them, with their items.
    pub edited: BTreeMap<SymbolPath, ItemPath>,
    /// Links whose symbol is not in the port any more.
    pub symbol_missing: BTreeMap<SymbolPath, ItemPath>,
    /// Links whose item the baseline no longer has.
    pub item_vanished: Vec<ItemPath>,
    /// Symbols that no item comes to and that are not declared extensions.
    pub without_owner: Vec<SymbolPath>,
    /// Symbols that are declared extensions: never drift, never edited.
    pub extensions: Vec<SymbolPath>,
    /// The declarations of extensions, with their flags and their symbols.
    pub extension_rules: Vec<DeclaredExtension>,
}

/// How many items are in which state. The first five and `ignored` count every item once; the others count some
/// again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Compared on probes, and they agreed.
    pub proved: usize,
    /// Reached by tests or by probes of callers only.
    pub tested: usize,
    /// Linked, and not checked.
    pub mapped_only: usize,
    /// Linked, and nothing is known.
    pub unknown: usize,
    /// Without a symbol, although neither the configuration nor their kind excuses that, nor that the upstream
    /// hides them.
    pub unmapped: usize,
    /// Of the linked ones, those whose symbol was edited by hand or is gone.
    pub drifted: usize,
    /// Items that wait for a person.
    pub parked: usize,
    /// Items that a rule leaves alone with a reason: ignored, bound, or left to a person.
    pub ignored: usize,
    /// Of the linked ones, those that the baseline has in another state than the port equals, or has no more.
    pub stale: usize,
    /// Items that the baseline passed over: declined, deferred, or without a rule.
    pub held: usize,
}

/// One item that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The item.
    pub item: ItemPath,
    /// Since when.
    pub revision: RevisionLabel,
    /// Why.
    pub reason: String,
}

/// Reads the status.
pub fn status(input: &StatusInput<'_>) -> Result<Status, PlaceError> {
    let mut modules: BTreeMap<String, Counts> = BTreeMap::new();
    let paths: BTreeSet<&ItemPath> =
        input.baseline.items.keys().chain(input.lock.links.keys()).chain(input.lock.parked.keys()).collect();
    for path in paths {
        let counts = counts_of(input, path)?;
        if counts != Counts::default() {
            modules.entry(module_of(path, input.baseline.items.get(path))).or_default().add(counts);
        }
    }
    let mut total = Counts::default();
    for counts in modules.values() {
        total.add(*counts);
    }
    let lag = lag(input.lock, input.revisions);
    let waiting = |parked: &ParkedItem| Waiting {
        item: parked.item.clone(),
        revision: parked.revision.clone(),
        reason: parked.reason.clone(),
    };
    let held = |held: &HeldItem| Waiting {
        item: held.item.clone(),
        revision: held.revision.clone(),
        reason: held.reason.clone(),
    };
    let is_ours = |symbol: &SymbolPath| !input.mapping.is_extension(input.symbols, symbol);
    let links = || input.lock.links.values().filter(|link| is_ours(&link.symbol));
    // Each symbol of each link, with what was written there and what is there.
    let symbols = || {
        links().flat_map(|link| {
            link.symbols().filter(|(symbol, _)| is_ours(symbol)).map(|(symbol, written)| {
                let found = input.symbols.get(symbol).map(|found| found.hash);
                ((symbol.clone(), link.item.clone()), written, found)
            })
        })
    };
    let found = coverage(&CoverageInput {
        snapshot: input.baseline,
        symbols: input.symbols,
        mapping: input.mapping,
        lock: Some(input.lock),
    });
    let is_extension = |symbol: &&SymbolPath| input.mapping.is_extension(input.symbols, symbol);
    Ok(Status {
        source: input.lock.source.clone(),
        baseline: input.lock.baseline.clone(),
        newest: lag.newest.map(|revision| revision.label.clone()),
        lag_revisions: lag.revisions,
        lag_s: lag.seconds,
        total,
        modules,
        parked: input.lock.parked.values().map(waiting).collect(),
        held: input.lock.held.values().map(held).collect(),
        edited: symbols()
            .filter(|(_, written, found)| found.is_some_and(|found| found != *written))
            .map(|(named, ..)| named)
            .collect(),
        symbol_missing: symbols().filter(|(_, _, found)| found.is_none()).map(|(named, ..)| named).collect(),
        item_vanished: links()
            .filter(|link| !input.baseline.items.contains_key(&link.item))
            .map(|link| link.item.clone())
            .collect(),
        without_owner: found.orphaned,
        extensions: input.symbols.symbols.keys().filter(is_extension).cloned().collect(),
        extension_rules: input.mapping.extensions(input.symbols),
    })
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.proved += other.proved;
        self.tested += other.tested;
        self.mapped_only += other.mapped_only;
        self.unknown += other.unknown;
        self.unmapped += other.unmapped;
        self.drifted += other.drifted;
        self.parked += other.parked;
        self.ignored += other.ignored;
        self.stale += other.stale;
        self.held += other.held;
    }
}

fn counts_of(input: &StatusInput<'_>, path: &ItemPath) -> Result<Counts, PlaceError> {
    let parked = usize::from(input.lock.parked.contains_key(path));
    let held = usize::from(input.lock.held.contains_key(path));
    let mut counts = Counts { parked, held, ..Counts::default() };
    let Some(link) = input.lock.links.get(path) else {
        counts.unmapped = usize::from(is_unmapped(input, path)?);
        counts.ignored = usize::from(is_ignored(input, path)?);
        return Ok(counts);
    };
    let at_baseline = input.baseline.items.get(path).map(|item| item.fingerprint.combined());
    counts.stale = usize::from(at_baseline != Some(link.upstream));
    match link.proof {
        Proof::Proved => counts.proved = 1,
        Proof::Tested => counts.tested = 1,
        Proof::MappedOnly => counts.mapped_only = 1,
        Proof::Unknown => counts.unknown = 1,
    }
    let has_drifted = |(symbol, written): (&SymbolPath, upstream::ContentHash)| {
        let differs = input.symbols.get(symbol).is_none_or(|symbol| symbol.hash != written);
        differs && !input.mapping.is_extension(input.symbols, symbol)
    };
    counts.drifted = usize::from(link.symbols().any(has_drifted));
    Ok(counts)
}

fn is_unmapped(input: &StatusInput<'_>, path: &ItemPath) -> Result<bool, PlaceError> {
    let Some(item) = input.baseline.items.get(path) else { return Ok(false) };
    let needs_symbol = || input.mapping.needs_no_symbol(item).is_none();
    Ok(match input.mapping.place(item)? {
        Placement::Mapped { symbol, file, .. } => {
            // Where there is a symbol, or its file cannot be read, what the upstream hides is missing too.
            let is_there = |symbol: &SymbolPath| input.symbols.get(symbol).is_some();
            needs_symbol()
                || is_there(&symbol)
                || private_form(item, &symbol).is_some_and(|private| is_there(&private))
                || input.symbols.unparsed.contains_key(&file)
        }
        Placement::Skipped { why, .. } => why == SkipReason::Unmapped && needs_symbol(),
    })
}

fn is_ignored(input: &StatusInput<'_>, path: &ItemPath) -> Result<bool, PlaceError> {
    let Some(item) = input.baseline.items.get(path) else { return Ok(false) };
    Ok(match input.mapping.place(item)? {
        Placement::Mapped { .. } => false,
        Placement::Skipped { why, .. } => {
            matches!(why, SkipReason::Ignored | SkipReason::Bound | SkipReason::Manual)
        }
    })
}

/// The module that holds an item, or holds the type that it is a member of.
fn module_of(path: &ItemPath, item: Option<&Item>) -> String {
    let parent = path.parent();
    let module = if item.is_some_and(is_member) { parent.and_then(|parent| parent.parent()) } else { parent };
    module.map_or_else(|| path.krate().to_owned(), |module| module.to_string())
}

/// How far a port is behind its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag<'a> {
    /// The newest revision that was not withdrawn.
    pub newest: Option<&'a Revision>,
    /// The revision that the port equals, where the upstream still has it.
    pub baseline: Option<&'a Revision>,
    /// Revisions after the baseline that were not withdrawn, where the upstream still has it.
    pub revisions: Option<usize>,
    /// Time between the baseline's and the newest revision's publication, in seconds, where both are known.
    pub seconds: Option<i64>,
}

/// Reckons how far a port is behind, from all revisions of the upstream, oldest first.
pub fn lag<'a>(lock: &Lock, known: &'a [Revision]) -> Lag<'a> {
    let at = known.iter().position(|revision| revision.label == lock.baseline);
    let newest = known.iter().rfind(|revision| !revision.withdrawn);
    let later = at.and_then(|at| known.get(at + 1..));
    let revisions = later.map(|later| later.iter().filter(|revision| !revision.withdrawn).count());
    let baseline = at.and_then(|at| known.get(at));
    let seconds = match (baseline.and_then(|one| one.published_s), newest.and_then(|one| one.published_s)) {
        (Some(from), Some(to)) => Some(to.saturating_sub(from).max(0)),
        (Some(_) | None, Some(_) | None) => None,
    };
    Lag { newest, baseline, revisions, seconds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{Adoption, adopt};
    use crate::testing::{
        an_item, function, label, method, path, private, revision, snapshot, symbol_path, table, test_helper,
    };

    #[test]
    fn items_are_counted_by_module_and_states_are_kept_apart() {
        let baseline = snapshot(
            "1",
            [
                function("k::a::f", "1"),
                function("k::a::g", "2"),
                method("k::a::Type::h", "3"),
                function("k::b::i", "4"),
                function("k::b::left", "5"),
                an_item("k::b", upstream::ItemKind::Module),
            ],
        );
        let rules = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{name}'\nfile = 'p.py'\n\
                     [[map]]\nitems = 'k::b::left'\nstrategy = 'ignore'\nreason = 'x'\n";
        let mapping = Mapping::new(toml::from_str(rules).unwrap()).unwrap();
        let symbols = table(&[("p.f", "f"), ("p.g", "g"), ("p.Type.h", "h")]);
        let adoption = Adoption { source: "x", baseline: &baseline, mapping: &mapping, symbols: &symbols };
        let mut lock = adopt(&adoption).unwrap().lock;
        lock.links.get_mut(&path("k::a::f")).unwrap().proof = Proof::Proved;
        lock.links.get_mut(&path("k::a::g")).unwrap().proof = Proof::Tested;
        let parked = ParkedItem {
            item: path("k::b::i"),
            symbol: symbol_path("p.i"),
            revision: label("1"),
            reason: "hard".to_owned(),
        };
        lock.parked.insert(path("k::b::i"), parked);
        let mut revisions = ["0", "1", "2", "3", "4"].map(revision).to_vec();
        revisions[1].published_s = Some(100);
        revisions[3].published_s = Some(250);
        revisions[4].withdrawn = true;
        let edited = table(&[("p.f", "f"), ("p.g", "mine"), ("p.Type.h", "h")]);
        let input = StatusInput {
            lock: &lock,
            baseline: &baseline,
            revisions: &revisions,
            mapping: &mapping,
            symbols: &edited,
        };
        let status = status(&input).unwrap();
        let a = Counts { proved: 1, tested: 1, mapped_only: 1, drifted: 1, ..Counts::default() };
        let b = Counts { unmapped: 1, parked: 1, ignored: 1, ..Counts::default() };
        assert_eq!(status.modules, BTreeMap::from([("k::a".to_owned(), a), ("k::b".to_owned(), b)]));
        assert_eq!((status.total.proved, status.total.unmapped, status.total.parked), (1, 1, 1));
        assert_eq!(
            (status.lag_revisions, status.newest, status.lag_s),
            (Some(2), Some(label("3")), Some(150))
        );
        assert_eq!(status.parked[0].reason, "hard");
        assert_eq!(status.edited, BTreeMap::from([(symbol_path("p.g"), path("k::a::g"))]));
    }

    #[test]
    fn what_is_out_of_step_is_named() {
        let adopted = snapshot("1", ["k::f", "k::g", "k::gone", "k::ext"].map(|at| function(at, "1")));
        let rules = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{name}'\nfile = 'p.py'\n\
                     [[extension]]\nsymbol = 'p.extra*'\n";
        let mapping = Mapping::new(toml::from_str(rules).unwrap()).unwrap();
        let symbols = table(&[("p.f", "f"), ("p.g", "g"), ("p.gone", "x"), ("p.ext", "x")]);
        let adoption = Adoption { source: "x", baseline: &adopted, mapping: &mapping, symbols: &symbols };
        let mut lock = adopt(&adoption).unwrap().lock;
        let held = HeldItem {
            item: path("k::f"),
            symbol: None,
            revision: label("1"),
            disposition: crate::lock::Disposition::Declined,
            reason: "no".to_owned(),
        };
        lock.held.insert(path("k::f"), held);
        let baseline = snapshot("1", [function("k::f", "2"), function("k::g", "1"), function("k::ext", "1")]);
        let now =
            table(&[("p.f", "f"), ("p.gone", "x"), ("p.ext", "x"), ("p.extra_one", "y"), ("p.mine", "z")]);
        let (lock, mapping) = (&lock, &mapping);
        let input = StatusInput { lock, baseline: &baseline, revisions: &[], mapping, symbols: &now };
        let status = status(&input).unwrap();
        assert_eq!((status.total.stale, status.total.held, status.total.drifted), (2, 1, 1));
        assert_eq!(status.held[0].reason, "no");
        assert_eq!(status.item_vanished, [path("k::gone")]);
        assert_eq!(status.symbol_missing, BTreeMap::from([(symbol_path("p.g"), path("k::g"))]));
        assert_eq!(status.without_owner, [symbol_path("p.gone"), symbol_path("p.mine")]);
        assert_eq!(status.extensions, [symbol_path("p.extra_one")]);
    }

    #[test]
    fn what_the_upstream_hides_is_unmapped_only_where_the_port_has_a_symbol_for_it() {
        let hidden = ["k::inner", "k::ported", "odd::inner"].map(|at| private(function(at, "1")));
        let items = [function("k::f", "1"), function("odd::f", "1"), test_helper("k::helper", "1")];
        let baseline = snapshot("1", hidden.into_iter().chain(items));
        let rules = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{name}'\nfile = 'p.py'\n";
        let mapping = Mapping::new(toml::from_str(rules).unwrap()).unwrap();
        let none = SymbolTable::default();
        let adoption = Adoption { source: "x", baseline: &baseline, mapping: &mapping, symbols: &none };
        let lock = adopt(&adoption).unwrap().lock;
        let unmapped = |symbols: &SymbolTable| {
            let (lock, baseline, mapping) = (&lock, &baseline, &mapping);
            let input = StatusInput { lock, baseline, revisions: &[], mapping, symbols };
            status(&input).unwrap().total.unmapped
        };
        assert_eq!(unmapped(&none), 2);
        assert_eq!(unmapped(&table(&[("p._ported", "")])), 3);
        let unparsed = BTreeMap::from([("p.py".to_owned(), "x".to_owned())]);
        assert_eq!(unmapped(&SymbolTable { unparsed, ..none.clone() }), 5);
    }

    #[test]
    fn a_baseline_that_the_upstream_no_longer_has_gives_no_lag() {
        let baseline = snapshot("1", []);
        let mapping = Mapping::new(crate::MappingConfig::default()).unwrap();
        let symbols = SymbolTable::default();
        let adoption = Adoption { source: "x", baseline: &baseline, mapping: &mapping, symbols: &symbols };
        let lock = adopt(&adoption).unwrap().lock;
        let input = StatusInput {
            lock: &lock,
            baseline: &baseline,
            revisions: &[revision("2")],
            mapping: &mapping,
            symbols: &symbols,
        };
        assert_eq!(status(&input).unwrap().lag_revisions, None);
    }
}
