//! The mapping of a port that exists already: which file comes from which, which symbol answers to which item.
//!
//! The main function is [`infer()`]. It proposes and never decides: what was accepted before is kept as it is,
//! and what it finds holds only once a person accepts it. It reads an abstract outline of the port and knows
//! no language's syntax.

mod assign;
mod compare;
mod corpus;
mod forms;
mod items;
mod modules;
mod neighbours;
mod outline;
mod proposal;
mod records;
mod words;

use std::collections::BTreeMap;

use upstream::ItemPath;
use upstream::snapshot::Snapshot;

use assign::{Assigned, Edge, assign};
pub use corpus::Records;
use corpus::{Corpus, Shape};
use items::{Known, Pair, Pairs};
use modules::{Candidate, ModuleScores};
use neighbours::Neighbours;
pub use outline::{FileFacts, PortOutline, RecordLine, SymbolFacts};
pub use proposal::{Evidence, ModuleLink, Proposal, ProposedLink, Role};
use words::Word;

use crate::symbol::SymbolPath;

/// How often the links found so far are used to find further ones.
const ROUNDS: usize = 2;
/// What a pair must come to before its symbol may answer to it, in logits.
const ENOUGH: f64 = -2.5;
/// From which confidence on a link helps to find others.
const HELPS: f64 = 0.5;
/// What a pair must come to before an item joins a symbol that answers to another item first, in logits.
const MERGES: f64 = -2.0;
/// How many alternatives are told.
const ALTERNATIVES_MAX: usize = 4;
/// Evidence weaker than this is not told.
const TOLD_MIN: f64 = 0.05;

/// What the mapping is inferred from.
#[derive(Debug, Clone, Copy)]
pub struct InferInput<'a> {
    /// The upstream at the revision that the port equals, as far as is known.
    pub snapshot: &'a Snapshot,
    /// The port.
    pub outline: &'a PortOutline,
    /// Links that were accepted before: they are kept, and help to find others.
    pub accepted: &'a BTreeMap<ItemPath, SymbolPath>,
    /// Whether headers and status files that record the correspondence count.
    pub records: Records,
}

/// Proposes the mapping.
pub fn infer(input: &InferInput<'_>) -> Proposal {
    let corpus = Corpus::new(input.snapshot, input.outline, input.records);
    let recorded = match input.records {
        Records::Used => records::recorded(&corpus, input.outline),
        Records::Masked => BTreeMap::new(),
    };
    let mut scores = ModuleScores::new(&corpus, &recorded);
    let neighbours = Neighbours::new(input.snapshot, input.outline, &corpus);
    let accepted = accepted(input, &corpus);
    let mut links = Links::new(&corpus, accepted);
    let nothing = BTreeMap::new();
    let mut pairs = Pairs::new(&corpus, &scores, &Known { calls: &|_, _| 0.0, owners: &nothing });
    links.solve(&pairs);
    for _ in 0..ROUNDS {
        let helping = links.helping();
        scores.take_links(&corpus, &links_by_module(&corpus, &helping));
        scores.look_around(&corpus);
        let owners = owners(&corpus, &helping);
        let calls = |item: usize, symbol: usize| neighbours.linked(item, symbol, &helping);
        pairs.weigh_again(&corpus, &scores, &Known { calls: &calls, owners: &owners });
        links.solve(&pairs);
    }
    links.proposal(&pairs, &scores)
}

/// What was accepted, by item and symbol number.
fn accepted(input: &InferInput<'_>, corpus: &Corpus) -> BTreeMap<usize, usize> {
    let symbols: BTreeMap<&SymbolPath, usize> =
        corpus.port.entities.iter().enumerate().map(|(at, symbol)| (&symbol.key, at)).collect();
    let items = corpus.upstream.entities.iter().enumerate();
    items.filter_map(|(at, item)| Some((at, *symbols.get(input.accepted.get(&item.key)?)?))).collect()
}

/// The classes that answer to types, by folded names.
fn owners(corpus: &Corpus, helping: &[Option<usize>]) -> BTreeMap<Word, Word> {
    let types = corpus.upstream.entities.iter().zip(helping).filter(|(item, _)| item.shape == Shape::Type);
    types
        .filter_map(|(item, symbol)| {
            let symbol = corpus.port.entities.get((*symbol)?)?;
            Some((item.main_name()?, symbol.main_name()?))
        })
        .collect()
}

/// How many links there are between each two modules.
fn links_by_module(corpus: &Corpus, helping: &[Option<usize>]) -> BTreeMap<(usize, usize), f64> {
    let mut links = BTreeMap::new();
    for (item, symbol) in corpus.upstream.entities.iter().zip(helping) {
        let Some(symbol) = symbol.and_then(|symbol| corpus.port.entities.get(symbol)) else { continue };
        *links.entry((item.module, symbol.module)).or_insert(0.0) += 1.0;
    }
    links
}

/// The links found so far.
struct Links<'a> {
    corpus: &'a Corpus,
    accepted: BTreeMap<usize, usize>,
    /// By item: the symbol that answers to it, its logit and how sure it is.
    of_item: Vec<Option<Chosen>>,
    /// By symbol: the item that it answers to first.
    of_symbol: Vec<Option<(usize, f64)>>,
    cut: usize,
}

#[derive(Debug, Clone, Copy)]
struct Chosen {
    symbol: usize,
    confidence: f64,
    role: Role,
}

impl<'a> Links<'a> {
    fn new(corpus: &'a Corpus, accepted: BTreeMap<usize, usize>) -> Self {
        let of_item = corpus.upstream.entities.iter().map(|_| None).collect();
        let of_symbol = corpus.port.entities.iter().map(|_| None).collect();
        Self { corpus, accepted, of_item, of_symbol, cut: 0 }
    }

    /// Chooses anew among all pairs.
    fn solve(&mut self, pairs: &Pairs) {
        self.of_item.fill(None);
        self.of_symbol.fill(None);
        let mut given = vec![false; self.of_symbol.len()];
        for (item, symbol) in &self.accepted {
            if let Some(given) = given.get_mut(*symbol) {
                *given = true;
            }
            if let Some(first) = self.of_symbol.get_mut(*symbol) {
                *first = Some((*item, f64::INFINITY));
            }
            if let Some(chosen) = self.of_item.get_mut(*item) {
                *chosen = Some(Chosen { symbol: *symbol, confidence: 1.0, role: Role::Accepted });
            }
        }
        let is_free = |pair: &&Pair| {
            !self.accepted.contains_key(&pair.item) && !given.get(pair.symbol).copied().unwrap_or(true)
        };
        let free: Vec<&Pair> = pairs.of_item.iter().flatten().filter(is_free).collect();
        let edges: Vec<Edge> = free
            .iter()
            .map(|pair| Edge { row: pair.item, column: pair.symbol, gain: pair.logit - ENOUGH })
            .collect();
        let Assigned { edges: taken, cut } = assign(&edges, self.of_item.len(), self.of_symbol.len());
        self.cut = cut;
        let taken: Vec<&Pair> = taken.into_iter().filter_map(|at| free.get(at).copied()).collect();
        for pair in &taken {
            if let Some(first) = self.of_symbol.get_mut(pair.symbol) {
                *first = Some((pair.item, pair.logit));
            }
        }
        let rivals = Rivals::new(self, pairs, &taken);
        let sure: Vec<f64> = taken.iter().map(|pair| rivals.confidence(pair)).collect();
        for (pair, confidence) in taken.iter().zip(sure) {
            if let Some(chosen) = self.of_item.get_mut(pair.item) {
                *chosen = Some(Chosen { symbol: pair.symbol, confidence, role: Role::Primary });
            }
        }
        self.merge(pairs);
    }

    /// Items without a symbol of their own join the one that they fit best.
    fn merge(&mut self, pairs: &Pairs) {
        for (item, candidates) in pairs.of_item.iter().enumerate() {
            let Some(best) = candidates.first().filter(|best| best.logit > MERGES) else { continue };
            if self.of_item.get(item).is_some_and(Option::is_some) {
                continue;
            }
            let rivals: f64 = candidates.iter().skip(1).map(|rival| (rival.logit - best.logit).exp()).sum();
            let confidence = 0.8 / (1.0 + (-best.logit).exp() + rivals);
            if let Some(chosen) = self.of_item.get_mut(item) {
                *chosen = Some(Chosen { symbol: best.symbol, confidence, role: Role::MergedInto });
            }
        }
    }

    /// By item, the symbol of a link that is sure enough to help.
    fn helping(&self) -> Vec<Option<usize>> {
        let sure = |chosen: &Option<Chosen>| {
            chosen.filter(|chosen| chosen.confidence >= HELPS).map(|chosen| chosen.symbol)
        };
        self.of_item.iter().map(sure).collect()
    }

    fn proposal(&self, pairs: &Pairs, scores: &ModuleScores) -> Proposal {
        let mut links: Vec<ProposedLink> =
            (0..self.of_item.len()).filter_map(|item| self.proposed(item, pairs)).collect();
        links.sort_by(|one, other| one.item.cmp(&other.item));
        let mut used = vec![false; self.of_symbol.len()];
        for chosen in self.of_item.iter().flatten() {
            if let Some(used) = used.get_mut(chosen.symbol) {
                *used = true;
            }
        }
        Proposal {
            modules: self.module_links(scores),
            items_without: self.of_item.iter().filter(|chosen| chosen.is_none()).count(),
            symbols_without: used.iter().filter(|used| !**used).count(),
            links,
            pairs_cut: self.cut,
        }
    }

    fn proposed(&self, at: usize, pairs: &Pairs) -> Option<ProposedLink> {
        let chosen = (*self.of_item.get(at)?)?;
        let item = self.corpus.upstream.entities.get(at)?;
        let symbol = self.corpus.port.entities.get(chosen.symbol)?;
        let candidates = pairs.of_item.get(at).map_or(&[][..], Vec::as_slice);
        let pair = candidates.iter().find(|pair| pair.symbol == chosen.symbol);
        let highest = candidates.first().map_or(0.0, |best| best.logit).max(0.0);
        let total: f64 =
            (-highest).exp() + candidates.iter().map(|pair| (pair.logit - highest).exp()).sum::<f64>();
        let others = candidates.iter().filter(|pair| pair.symbol != chosen.symbol).take(ALTERNATIVES_MAX);
        Some(ProposedLink {
            item: item.key.clone(),
            symbol: symbol.key.clone(),
            file: self.corpus.port.modules.get(symbol.module)?.file.clone(),
            role: chosen.role,
            is_test: item.is_test,
            confidence: rounded(chosen.confidence),
            evidence: told(pair.into_iter().flat_map(|pair| pair.features.weighed().collect::<Vec<_>>())),
            alternatives: others
                .filter_map(|pair| {
                    let symbol = self.corpus.port.entities.get(pair.symbol)?;
                    Some((symbol.key.clone(), rounded((pair.logit - highest).exp() / total)))
                })
                .collect(),
        })
    }

    fn module_links(&self, scores: &ModuleScores) -> Vec<ModuleLink> {
        let mut best_of: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
        for (port, candidates) in scores.of_port.iter().enumerate() {
            let Some(best) = candidates.first() else { continue };
            let first = best_of.entry(best.module).or_insert((best.logit, port));
            if best.logit > first.0 {
                *first = (best.logit, port);
            }
        }
        let links = scores.of_port.iter().enumerate().filter_map(|(port, candidates)| {
            let best = candidates.first()?;
            let file = |module: usize| self.corpus.upstream.modules.get(module).map(|module| &module.file);
            let upstream = file(best.module)?;
            let mut alternatives: Vec<(String, f64)> = Vec::new();
            for candidate in candidates {
                let Some(other) = file(candidate.module).filter(|other| *other != upstream) else { continue };
                if alternatives.iter().all(|(known, _)| known != other) {
                    alternatives.push((other.clone(), rounded(candidate.share)));
                }
            }
            alternatives.truncate(ALTERNATIVES_MAX);
            // The upstream's test code in a file and the rest of it are one file.
            let same: f64 = candidates
                .iter()
                .filter(|candidate| {
                    candidate.module != best.module && file(candidate.module) == Some(upstream)
                })
                .map(|candidate| candidate.share)
                .sum();
            Some(ModuleLink {
                upstream: upstream.clone(),
                port: self.corpus.port.modules.get(port)?.file.clone(),
                confidence: rounded((best.confidence() + same).min(1.0)),
                split: best_of.get(&best.module).is_some_and(|(_, first)| *first != port),
                evidence: module_evidence(best),
                alternatives,
            })
        });
        links.collect()
    }
}

/// What else the two sides of a link could be linked to.
struct Rivals<'a> {
    of_item: &'a Pairs,
    of_symbol: BTreeMap<usize, Vec<&'a Pair>>,
    /// By item and by symbol: the logit of the pair that was taken.
    item_taken: BTreeMap<usize, f64>,
    symbol_taken: BTreeMap<usize, f64>,
}

impl<'a> Rivals<'a> {
    fn new(links: &Links<'_>, pairs: &'a Pairs, taken: &[&Pair]) -> Self {
        let mut of_symbol: BTreeMap<usize, Vec<&Pair>> = BTreeMap::new();
        for pair in pairs.of_item.iter().flatten() {
            of_symbol.entry(pair.symbol).or_default().push(pair);
        }
        let item_taken = taken.iter().map(|pair| (pair.item, pair.logit)).collect();
        let mut symbol_taken: BTreeMap<usize, f64> =
            taken.iter().map(|pair| (pair.symbol, pair.logit)).collect();
        symbol_taken.extend(links.accepted.values().map(|symbol| (*symbol, f64::INFINITY)));
        Self { of_item: pairs, of_symbol, item_taken, symbol_taken }
    }

    /// How sure a pair is: against being linked to nothing, and against what its two sides could be linked to
    /// that has no better partner.
    fn confidence(&self, pair: &Pair) -> f64 {
        let beside = |rival: &&Pair| rival.item != pair.item || rival.symbol != pair.symbol;
        let open = |taken: Option<&f64>, rival: &Pair| match taken {
            Some(logit) => (rival.logit - logit).exp().min(1.0),
            None => 1.0,
        };
        let of_item = self.of_item.of_item.get(pair.item).into_iter().flatten().filter(beside).map(|rival| {
            open(self.symbol_taken.get(&rival.symbol), rival) * (rival.logit - pair.logit).exp()
        });
        let of_symbol =
            self.of_symbol.get(&pair.symbol).into_iter().flatten().copied().filter(beside).map(|rival| {
                open(self.item_taken.get(&rival.item), rival) * (rival.logit - pair.logit).exp()
            });
        let rivals: f64 = of_item.chain(of_symbol).sum();
        1.0 / (1.0 + (-pair.logit).exp() + rivals)
    }
}

fn module_evidence(candidate: &Candidate) -> Vec<Evidence> {
    told([
        ("path", 5.0 * candidate.path),
        ("stem", 1.6 * candidate.stem),
        ("root", 0.5 * candidate.root),
        ("names", 5.0 * candidate.names),
        ("literals", 1.5 * candidate.literals),
        ("record", 5.5 * candidate.recorded),
        ("neighbours", 2.0 * candidate.neighbours),
        ("links", 3.0 * candidate.linked),
    ])
}

/// Evidence worth telling, the strongest first.
fn told(evidence: impl IntoIterator<Item = (&'static str, f64)>) -> Vec<Evidence> {
    let mut told: Vec<Evidence> = evidence
        .into_iter()
        .filter(|(_, weight)| weight.abs() >= TOLD_MIN)
        .map(|(what, weight)| Evidence { what, weight: rounded(weight) })
        .collect();
    told.sort_by(|one, other| other.weight.total_cmp(&one.weight).then(one.what.cmp(other.what)));
    told
}

/// To three digits, so that reports do not differ by machine.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests;
