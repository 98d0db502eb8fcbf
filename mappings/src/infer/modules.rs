//! Which file of the port comes from which upstream file: every file of the port with its candidates.
//!
//! The main function is [`ModuleScores::new`]. A file of the port has one origin as a rule, and an upstream file
//! may be split over several; so nothing is taken away from a file because another has the same origin.

use std::collections::BTreeMap;

use super::compare::{Overlap, probability};
use super::corpus::{Corpus, Module};
use super::records::Recorded;
use super::words::Word;

/// How many candidates of one file are compared in full.
const COMPARED_MAX: usize = 48;
/// How many are kept.
const KEPT_MAX: usize = 8;
/// Words that more modules than this have find no candidates.
const HOLDERS_MAX: usize = 1_500;
/// The logit of having no origin at all.
const NO_ORIGIN: f64 = 0.0;

/// What speaks for one upstream module as the origin of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Candidate {
    /// The upstream module.
    pub(super) module: usize,
    pub(super) path: f64,
    pub(super) stem: f64,
    /// Whether both are, or are not, the file of a folder as a whole.
    pub(super) root: f64,
    pub(super) names: f64,
    pub(super) literals: f64,
    pub(super) recorded: f64,
    pub(super) neighbours: f64,
    /// The share of linked entities between the two, once there are links.
    pub(super) linked: f64,
    pub(super) logit: f64,
    pub(super) share: f64,
}

/// The candidates of each file of the port, the best first.
#[derive(Debug, Default)]
pub(super) struct ModuleScores {
    pub(super) of_port: Vec<Vec<Candidate>>,
}

impl ModuleScores {
    pub(super) fn new(corpus: &Corpus, recorded: &Recorded) -> Self {
        let finder = Finder::new(corpus);
        let mut of_port = Vec::with_capacity(corpus.port.modules.len());
        for (at, module) in corpus.port.modules.iter().enumerate() {
            let known = recorded.get(&at);
            let mut candidates: Vec<Candidate> = finder
                .find(corpus, module, known)
                .into_iter()
                .filter_map(|upstream| compared(corpus, module, upstream, known))
                .collect();
            rank(&mut candidates);
            of_port.push(candidates);
        }
        let mut scores = Self { of_port };
        scores.look_around(corpus);
        scores
    }

    /// Files beside each other come from files beside each other.
    pub(super) fn look_around(&mut self, corpus: &Corpus) {
        let mut folders: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        let mut groups: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        let mut totals: BTreeMap<&str, f64> = BTreeMap::new();
        let places = |port: usize, upstream: usize| {
            let port = corpus.port.modules.get(port)?;
            let upstream = corpus.upstream.modules.get(upstream)?;
            Some((port.group.as_str(), upstream.group.as_str(), folder(&upstream.file)))
        };
        let best: Vec<Option<(usize, f64)>> = self
            .of_port
            .iter()
            .map(|candidates| candidates.first().map(|best| (best.module, best.share)))
            .collect();
        for (port, best) in best.iter().enumerate() {
            let Some((upstream, share)) = best else { continue };
            let Some((beside, krate, within)) = places(port, *upstream) else { continue };
            *folders.entry((beside, within)).or_default() += share;
            *groups.entry((beside, krate)).or_default() += share;
            *totals.entry(beside).or_default() += share;
        }
        for (port, candidates) in self.of_port.iter_mut().enumerate() {
            let own = best.get(port).copied().flatten();
            for candidate in candidates.iter_mut() {
                let Some((beside, krate, within)) = places(port, candidate.module) else { continue };
                // What the file itself said does not count as what its neighbours say.
                let of_own = own.map_or(0.0, |(_, share)| share);
                let (own_group, own_folder) = own
                    .and_then(|(at, _)| places(port, at))
                    .map_or((false, false), |(_, of_crate, of_folder)| {
                        (of_crate == krate, of_folder == within)
                    });
                let total = totals.get(beside).copied().unwrap_or(0.0) - of_own;
                let less = |counted: Option<&f64>, is_own: bool| {
                    counted.copied().unwrap_or(0.0) - if is_own { of_own } else { 0.0 }
                };
                let in_group = less(groups.get(&(beside, krate)), own_group);
                let in_folder = less(folders.get(&(beside, within)), own_folder);
                candidate.neighbours = (0.6 * in_group + 0.4 * in_folder).max(0.0) / (total + 1.0);
            }
            rank(candidates);
        }
    }

    /// Takes in how many entities are linked between each file and its candidates.
    pub(super) fn take_links(&mut self, corpus: &Corpus, links: &BTreeMap<(usize, usize), f64>) {
        for (port, candidates) in self.of_port.iter_mut().enumerate() {
            let of_port = corpus.port.modules.get(port).map_or(0, |module| module.entities.len());
            let total: f64 =
                candidates.iter().filter_map(|candidate| links.get(&(candidate.module, port))).sum();
            for candidate in candidates.iter_mut() {
                let linked = links.get(&(candidate.module, port)).copied().unwrap_or(0.0);
                let of_port = f64::from(u32::try_from(of_port).unwrap_or(u32::MAX));
                let share = linked / (total + 0.5);
                candidate.linked =
                    share * (linked / (linked + 1.0)) * (0.5 + 0.5 * linked / of_port.max(1.0));
            }
            rank(candidates);
        }
    }
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn rank(candidates: &mut Vec<Candidate>) {
    for candidate in candidates.iter_mut() {
        candidate.logit = -5.0
            + 5.0 * candidate.path
            + 1.6 * candidate.stem
            + 0.5 * candidate.root
            + 5.0 * candidate.names
            + 1.5 * candidate.literals
            + 5.5 * candidate.recorded
            + 2.0 * candidate.neighbours
            + 3.0 * candidate.linked;
    }
    candidates.sort_by(|one, other| other.logit.total_cmp(&one.logit).then(one.module.cmp(&other.module)));
    candidates.truncate(KEPT_MAX);
    let highest = candidates.first().map_or(0.0, |best| best.logit).max(NO_ORIGIN);
    let total: f64 = candidates.iter().map(|candidate| (candidate.logit - highest).exp()).sum::<f64>()
        + (NO_ORIGIN - highest).exp();
    for candidate in candidates.iter_mut() {
        candidate.share = (candidate.logit - highest).exp() / total;
    }
}

fn compared(
    corpus: &Corpus,
    port: &Module,
    upstream: usize,
    recorded: Option<&BTreeMap<String, f64>>,
) -> Option<Candidate> {
    let module = corpus.upstream.modules.get(upstream)?;
    let (mut path, mut stem, mut root) = (0.0_f64, 0.0_f64, 0.0_f64);
    for one in &module.paths {
        for other in &port.paths {
            let alike = Overlap::of(&one.words, &other.words, &corpus.path_weight).dice();
            let ends = Overlap::of(&one.stem, &other.stem, &corpus.path_weight).dice();
            let same = f64::from(u8::from(one.is_root == other.is_root));
            if alike + 0.3 * ends + 0.1 * same > path + 0.3 * stem + 0.1 * root {
                (path, stem, root) = (alike, ends, same);
            }
        }
    }
    let of_test = if module.is_test == port.is_test { 1.0 } else { 0.35 };
    Some(Candidate {
        module: upstream,
        path: path * of_test,
        stem: stem * of_test,
        root,
        names: Overlap::of(&module.names, &port.names, &corpus.name_weight).inclusion(6.0),
        literals: Overlap::of(&module.literals, &port.literals, &corpus.content_weight).inclusion(20.0),
        recorded: recorded.and_then(|files| files.get(&module.file)).copied().unwrap_or(0.0)
            * of_test.max(0.6),
        ..Candidate::default()
    })
}

/// Finds modules that share rare words with a file.
struct Finder {
    by_path: BTreeMap<Word, Vec<usize>>,
    by_name: BTreeMap<Word, Vec<usize>>,
    by_file: BTreeMap<String, Vec<usize>>,
    /// By module: what all words of its shortest path weigh.
    path_weight: Vec<f64>,
}

impl Finder {
    fn new(corpus: &Corpus) -> Self {
        let (mut by_path, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        let mut by_file: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, module) in corpus.upstream.modules.iter().enumerate() {
            by_file.entry(module.file.clone()).or_default().push(at);
            for word in module.paths.iter().flat_map(|path| &path.words) {
                hold(&mut by_path, *word, at);
            }
            for word in &module.names {
                hold(&mut by_name, *word, at);
            }
        }
        let path_weight = corpus
            .upstream
            .modules
            .iter()
            .map(|module| {
                let sums = module
                    .paths
                    .iter()
                    .map(|path| path.words.iter().map(|word| weight(&corpus.path_weight, *word)).sum());
                sums.fold(f64::INFINITY, f64::min)
            })
            .collect();
        Self { by_path, by_name, by_file, path_weight }
    }

    fn find(&self, corpus: &Corpus, port: &Module, recorded: Option<&BTreeMap<String, f64>>) -> Vec<usize> {
        let mut found: BTreeMap<usize, f64> = BTreeMap::new();
        let own: f64 = port
            .paths
            .iter()
            .flat_map(|path| &path.words)
            .map(|word| weight(&corpus.path_weight, *word))
            .sum();
        let common = |holders: &&Vec<usize>| holders.len() <= HOLDERS_MAX;
        for word in port.paths.iter().flat_map(|path| &path.words) {
            for holder in self.by_path.get(word).filter(common).into_iter().flatten() {
                let both = own + self.path_weight.get(*holder).copied().unwrap_or(0.0);
                *found.entry(*holder).or_default() +=
                    2.0 * weight(&corpus.path_weight, *word) / both.max(0.1);
            }
        }
        let all: f64 = port.names.iter().map(|word| weight(&corpus.name_weight, *word)).sum();
        for word in &port.names {
            for holder in self.by_name.get(word).filter(common).into_iter().flatten() {
                *found.entry(*holder).or_default() += weight(&corpus.name_weight, *word) / all.max(0.1);
            }
        }
        for file in recorded.into_iter().flat_map(BTreeMap::keys) {
            for at in self.by_file.get(file).into_iter().flatten() {
                *found.entry(*at).or_default() += f64::from(u16::MAX);
            }
        }
        let is_test = |at: usize| corpus.upstream.modules.get(at).is_some_and(|module| module.is_test);
        let mut found: Vec<(usize, f64)> = found
            .into_iter()
            .map(|(at, weight)| (at, if is_test(at) == port.is_test { weight * 1.5 } else { weight }))
            .collect();
        found.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        found.truncate(COMPARED_MAX);
        found.into_iter().map(|(at, _)| at).collect()
    }
}

fn hold(by_word: &mut BTreeMap<Word, Vec<usize>>, word: Word, at: usize) {
    let holders = by_word.entry(word).or_default();
    if holders.last() != Some(&at) {
        holders.push(at);
    }
}

/// How much a word says.
pub(super) fn weight(weights: &[f64], word: Word) -> f64 {
    usize::try_from(word).ok().and_then(|word| weights.get(word)).copied().unwrap_or(0.0)
}

impl Candidate {
    /// How sure it is that this is the origin.
    pub(super) fn confidence(&self) -> f64 {
        self.share.min(probability(self.logit))
    }
}
