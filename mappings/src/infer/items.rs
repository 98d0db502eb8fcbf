//! Which symbols may answer to which items, and what speaks for each pair.
//!
//! The main type is [`Pairs`]: for each item its best candidates with their evidence as plain numbers.

use std::collections::BTreeMap;

use upstream::ItemPath;

use super::compare::Overlap;
use super::corpus::{Corpus, Entity, Shape};
use super::modules::{ModuleScores, weight};
use super::words::Word;
use crate::symbol::SymbolPath;

/// How many upstream modules of one file of the port are compared item by item.
const MODULES_COMPARED_MAX: usize = 4;
/// A module pair is compared whole up to this many pairs of entities; above, only those that share a name.
const PAIRS_WHOLE_MAX: usize = 60_000;
/// A name that more entities of either side go by is too common to find candidates elsewhere.
const NAMESAKES_MAX: usize = 8;
/// How many candidates of one item are kept.
const CANDIDATES_MAX: usize = 8;

/// What speaks for one pair, each from 0 to 1 unless said otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Features {
    /// How usual it is that the item has the symbol's very name.
    pub(super) name: f64,
    /// How rare that name is.
    pub(super) rarity: f64,
    /// How alike the parts of the names are.
    pub(super) parts: f64,
    /// 1 for the same type or class, -1 for two different ones.
    pub(super) owner: f64,
    /// How sure it is that the symbol's file comes from the item's.
    pub(super) module: f64,
    pub(super) parameters: f64,
    pub(super) mentions: f64,
    pub(super) literals: f64,
    pub(super) prose: f64,
    pub(super) members: f64,
    /// Whether the symbol's documentation names the item.
    pub(super) named: f64,
    /// How alike the places in the files are.
    pub(super) position: f64,
    /// How alike the lengths are.
    pub(super) size: f64,
    /// How far callers and callees are linked to each other.
    pub(super) calls: f64,
    /// Whether the kinds differ.
    pub(super) kind: f64,
    /// Whether one is a test and the other is not.
    pub(super) test: f64,
}

/// What each of [`Features::values`] is called in reports.
pub(super) const FEATURES: [&str; 16] = [
    "name",
    "rarity",
    "parts",
    "owner",
    "module",
    "parameters",
    "mentions",
    "literals",
    "prose",
    "members",
    "named",
    "position",
    "size",
    "calls",
    "kind",
    "test",
];

/// What each feature weighs, in logits.
const WEIGHTS: [f64; 16] = [4.2, 1.0, 2.2, 1.6, 2.6, 0.8, 1.4, 1.8, 0.9, 1.0, 2.5, 0.8, 0.7, 2.2, -2.5, -3.0];
/// The logit of a pair that nothing speaks for.
const NOTHING: f64 = -5.6;

impl Features {
    pub(super) fn values(&self) -> [f64; 16] {
        [
            self.name,
            self.rarity,
            self.parts,
            self.owner,
            self.module,
            self.parameters,
            self.mentions,
            self.literals,
            self.prose,
            self.members,
            self.named,
            self.position,
            self.size,
            self.calls,
            self.kind,
            self.test,
        ]
    }

    pub(super) fn logit(&self) -> f64 {
        NOTHING + self.values().iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum::<f64>()
    }

    /// What each feature adds, for evidence.
    pub(super) fn weighed(&self) -> impl Iterator<Item = (&'static str, f64)> {
        FEATURES
            .into_iter()
            .zip(self.values())
            .zip(WEIGHTS)
            .map(|((name, value), weight)| (name, value * weight))
    }
}

/// One pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) item: usize,
    pub(super) symbol: usize,
    pub(super) features: Features,
    pub(super) logit: f64,
}

/// The candidates of all items, by item, the best first.
#[derive(Debug)]
pub(super) struct Pairs {
    pub(super) of_item: Vec<Vec<Pair>>,
}

/// What is known of the links so far.
pub(super) struct Known<'a> {
    /// Symbols that the items which an item calls are linked to, and the like: the share of linked calls.
    pub(super) calls: &'a dyn Fn(usize, usize) -> f64,
    /// The class that answers to a type, by folded names.
    pub(super) owners: &'a BTreeMap<Word, Word>,
}

impl Pairs {
    /// Compares the entities of modules that may belong together, and namesakes wherever they are.
    pub(super) fn new(corpus: &Corpus, scores: &ModuleScores, known: &Known<'_>) -> Self {
        let mut pairs = Self { of_item: corpus.upstream.entities.iter().map(|_| Vec::new()).collect() };
        let shares = module_shares(scores);
        let weigh = Weigh { corpus, shares: &shares, known };
        for (upstream, port) in compared_modules(corpus, scores) {
            pairs.compare_modules(&weigh, upstream, port);
        }
        pairs.compare_namesakes(&weigh);
        pairs.compare_lookalikes(&weigh);
        for candidates in &mut pairs.of_item {
            rank(candidates);
        }
        pairs
    }

    /// Weighs the same pairs again, by what has been learned since.
    pub(super) fn weigh_again(&mut self, corpus: &Corpus, scores: &ModuleScores, known: &Known<'_>) {
        let shares = module_shares(scores);
        let weigh = Weigh { corpus, shares: &shares, known };
        for candidates in &mut self.of_item {
            for pair in candidates.iter_mut() {
                if let Some(again) = weigh.pair(pair.item, pair.symbol) {
                    *pair = again;
                }
            }
            rank(candidates);
        }
    }

    fn add(&mut self, pair: Pair) {
        let Some(candidates) = self.of_item.get_mut(pair.item) else { return };
        if candidates.iter().any(|known| known.symbol == pair.symbol) {
            return;
        }
        candidates.push(pair);
        // Kept short while it grows, so that a common name does not fill the memory.
        if candidates.len() >= CANDIDATES_MAX * 4 {
            rank(candidates);
        }
    }

    fn compare_modules(&mut self, weigh: &Weigh<'_>, upstream: usize, port: usize) {
        let corpus = weigh.corpus;
        let (Some(one), Some(other)) = (corpus.upstream.modules.get(upstream), corpus.port.modules.get(port))
        else {
            return;
        };
        let is_small = one.entities.len().saturating_mul(other.entities.len()) <= PAIRS_WHOLE_MAX;
        for item in &one.entities {
            for symbol in &other.entities {
                if !is_small && !weigh.share_a_name(*item, *symbol) {
                    continue;
                }
                if let Some(pair) = weigh.pair(*item, *symbol).filter(Pair::is_worth_keeping) {
                    self.add(pair);
                }
            }
        }
    }

    fn compare_namesakes(&mut self, weigh: &Weigh<'_>) {
        let by_name = by_name(&weigh.corpus.upstream.entities);
        for (name, symbols) in by_name_of_port(weigh.corpus) {
            let items = by_name.get(&name).map_or(&[][..], Vec::as_slice);
            if items.len() > NAMESAKES_MAX || symbols.len() > NAMESAKES_MAX {
                continue;
            }
            for item in items {
                for symbol in &symbols {
                    if let Some(pair) = weigh.pair(*item, *symbol).filter(Pair::is_worth_keeping) {
                        self.add(pair);
                    }
                }
            }
        }
    }
}

/// Words that more symbols than this have find no lookalikes.
const LOOKALIKES_MAX: usize = 80;
/// How many lookalikes of one item are compared in full.
const LOOKALIKES_COMPARED_MAX: usize = 5;

impl Pairs {
    /// Compares each item with symbols anywhere that share rare parts of its name, or rare contents.
    fn compare_lookalikes(&mut self, weigh: &Weigh<'_>) {
        let corpus = weigh.corpus;
        let by_part = holders(corpus.port.entities.iter().map(|symbol| symbol.name.as_slice()));
        let by_literal = holders(corpus.port.entities.iter().map(|symbol| symbol.literals.as_slice()));
        let by_named = holders(corpus.port.entities.iter().map(|symbol| symbol.named.as_slice()));
        for (at, item) in corpus.upstream.entities.iter().enumerate() {
            let mut found: Vec<(usize, f64)> = Vec::new();
            let mut collect = |by_word: &BTreeMap<Word, Vec<usize>>, words: &[Word], weights: &[f64]| {
                for word in words {
                    let symbols = by_word.get(word).into_iter().flatten();
                    found.extend(symbols.map(|symbol| (*symbol, weight(weights, *word))));
                }
            };
            collect(&by_part, &item.name, &corpus.part_weight);
            collect(&by_literal, &item.literals, &corpus.content_weight);
            collect(&by_named, item.main_name().as_slice(), &corpus.name_weight);
            let mut found = summed(found);
            found.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
            for (symbol, _) in found.into_iter().take(LOOKALIKES_COMPARED_MAX) {
                if let Some(pair) = weigh.pair(at, symbol).filter(Pair::is_worth_keeping) {
                    self.add(pair);
                }
            }
        }
    }
}

/// The sums by symbol.
fn summed(mut found: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    found.sort_by_key(|(symbol, _)| *symbol);
    found.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 += later.1;
        }
        same
    });
    found
}

/// The entities that have each word, where they are not too many.
fn holders<'a>(sets: impl Iterator<Item = &'a [Word]>) -> BTreeMap<Word, Vec<usize>> {
    let mut holders: BTreeMap<Word, Vec<usize>> = BTreeMap::new();
    for (at, set) in sets.enumerate() {
        for word in set {
            holders.entry(*word).or_default().push(at);
        }
    }
    holders.retain(|_, holders| holders.len() <= LOOKALIKES_MAX);
    holders
}

impl Pair {
    /// Whether anything but the place speaks for it.
    fn is_worth_keeping(&self) -> bool {
        let features = &self.features;
        features.name > 0.0
            || features.parts > 0.15
            || features.named > 0.0
            || features.literals > 0.2
            || features.mentions > 0.25
    }
}

fn rank(candidates: &mut Vec<Pair>) {
    candidates.sort_by(|one, other| other.logit.total_cmp(&one.logit).then(one.symbol.cmp(&other.symbol)));
    candidates.truncate(CANDIDATES_MAX);
}

fn module_shares(scores: &ModuleScores) -> BTreeMap<(usize, usize), f64> {
    let mut shares = BTreeMap::new();
    for (port, candidates) in scores.of_port.iter().enumerate() {
        shares.extend(candidates.iter().map(|candidate| ((candidate.module, port), candidate.share)));
    }
    shares
}

/// The pairs of modules whose entities are compared: the best of each file, and the best of each module.
fn compared_modules(corpus: &Corpus, scores: &ModuleScores) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut of_upstream: Vec<Vec<(f64, usize)>> =
        corpus.upstream.modules.iter().map(|_| Vec::new()).collect();
    for (port, candidates) in scores.of_port.iter().enumerate() {
        for candidate in candidates {
            if let Some(files) = of_upstream.get_mut(candidate.module) {
                files.push((candidate.logit, port));
            }
        }
        pairs.extend(candidates.iter().take(MODULES_COMPARED_MAX).map(|candidate| (candidate.module, port)));
    }
    for (upstream, files) in of_upstream.iter_mut().enumerate() {
        files.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        pairs.extend(files.iter().take(MODULES_COMPARED_MAX).map(|(_, port)| (upstream, *port)));
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn by_name<Key>(entities: &[Entity<Key>]) -> BTreeMap<Word, Vec<usize>> {
    let mut by_name: BTreeMap<Word, Vec<usize>> = BTreeMap::new();
    for (at, entity) in entities.iter().enumerate() {
        for (name, _) in entity.forms.iter().filter(|(_, usual)| *usual > 0.8) {
            by_name.entry(*name).or_default().push(at);
        }
    }
    by_name
}

fn by_name_of_port(corpus: &Corpus) -> BTreeMap<Word, Vec<usize>> {
    by_name(&corpus.port.entities)
}

/// Weighs pairs.
struct Weigh<'a> {
    corpus: &'a Corpus,
    /// How sure it is that a file of the port comes from an upstream module, by both.
    shares: &'a BTreeMap<(usize, usize), f64>,
    known: &'a Known<'a>,
}

impl Weigh<'_> {
    fn share_a_name(&self, item: usize, symbol: usize) -> bool {
        let (Some(item), Some(symbol)) =
            (self.corpus.upstream.entities.get(item), self.corpus.port.entities.get(symbol))
        else {
            return false;
        };
        name(&item.forms, &symbol.forms).is_some()
            || Overlap::of(&item.name, &symbol.name, &self.corpus.part_weight).dice() > 0.4
    }

    fn pair(&self, at: usize, to: usize) -> Option<Pair> {
        let corpus = self.corpus;
        let item = corpus.upstream.entities.get(at)?;
        let symbol = corpus.port.entities.get(to)?;
        let content = &corpus.content_weight;
        let (name, rarity) = name(&item.forms, &symbol.forms).map_or((0.0, 0.0), |(word, usual)| {
            (usual, usual * (weight(&corpus.name_weight, word) / RARE).min(1.0))
        });
        let named = item.main_name().is_some_and(|name| symbol.named.binary_search(&name).is_ok());
        let features = Features {
            name,
            rarity,
            parts: self.parts(item, symbol),
            owner: self.owner(item, symbol),
            module: self.shares.get(&(item.module, symbol.module)).copied().unwrap_or(0.0),
            parameters: Overlap::of(&item.parameters, &symbol.parameters, content).dice(),
            mentions: Overlap::of(&item.mentions, &symbol.mentions, content).cosine(4.0),
            literals: Overlap::of(&item.literals, &symbol.literals, content).cosine(3.0),
            prose: Overlap::of(&item.prose, &symbol.prose, content).cosine(6.0),
            members: Overlap::of(&item.members, &symbol.members, content).inclusion(3.0),
            named: f64::from(u8::from(named)),
            position: 1.0 - (item.position - symbol.position).abs(),
            size: 1.0 / (1.0 + (item.size - symbol.size).abs()),
            calls: (self.known.calls)(at, to),
            kind: kind_difference(item.shape, symbol.shape),
            test: f64::from(u8::from(item.is_test != symbol.is_test)),
        };
        Some(Pair { item: at, symbol: to, features, logit: features.logit() })
    }

    /// How alike the parts of the names are. A long name may stand inside a longer one.
    fn parts(&self, item: &Entity<ItemPath>, symbol: &Entity<SymbolPath>) -> f64 {
        let overlap = Overlap::of(&item.name, &symbol.name, &self.corpus.part_weight);
        let smaller = overlap.one.min(overlap.other);
        let inside = if smaller > RARE { LONG_INSIDE * overlap.shared / smaller } else { 0.0 };
        overlap.dice().max(inside)
    }

    fn owner(&self, item: &Entity<ItemPath>, symbol: &Entity<SymbolPath>) -> f64 {
        match (item.owner, symbol.owner) {
            (Some(one), Some(other)) if one == other => 1.0,
            (Some(one), Some(other)) if self.known.owners.get(&one) == Some(&other) => 0.9,
            (Some(_), Some(_)) => {
                let alike = Overlap::of(&item.owner_parts, &symbol.owner_parts, &self.corpus.part_weight);
                alike.dice() * 1.3 - 0.5
            }
            (None, None) => 0.3,
            // A module of functions on the one side is a class with methods on the other.
            (None, Some(class)) if item.holder == Some(class) => 0.8,
            (Some(class), None) if symbol.holder == Some(class) => 0.8,
            // A class of tests holds functions that stood free.
            (None, Some(_)) if item.is_test && symbol.is_test => 0.2,
            (Some(_), None) | (None, Some(_)) => -0.2,
        }
    }
}

/// What a long name inside a longer one counts for.
const LONG_INSIDE: f64 = 0.9;

/// The weight from which on a name is as rare as can be.
const RARE: f64 = 8.0;

/// The most usual name that both go by.
fn name(item: &[(Word, f64)], symbol: &[(Word, f64)]) -> Option<(Word, f64)> {
    let mut best: Option<(Word, f64)> = None;
    for (word, usual) in item {
        let other = symbol.iter().find(|(other, _)| other == word);
        if let Some((_, other)) = other {
            let usual = usual * other;
            if best.is_none_or(|(_, most)| usual > most) {
                best = Some((*word, usual));
            }
        }
    }
    best
}

fn kind_difference(item: Shape, symbol: Shape) -> f64 {
    match (item, symbol) {
        (Shape::Callable, Shape::Callable) | (Shape::Type, Shape::Type) | (Shape::Value, Shape::Value) => 0.0,
        // An enum may be a union of types, and a constant a class of them.
        (Shape::Type, Shape::Value) | (Shape::Value, Shape::Type) => 0.5,
        (Shape::Value, Shape::Callable) | (Shape::Callable, Shape::Value) => 0.8,
        (Shape::Callable, Shape::Type) | (Shape::Type, Shape::Callable) => 1.0,
    }
}
