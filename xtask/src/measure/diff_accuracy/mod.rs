//! What the product finds in real histories against an independent check: `syn` over texts that the `git`
//! command hands out, items compared by their tokens.
//!
//! Rows of `tidelock history` are compared revision by revision over windows spread over the whole history; the
//! full diff, which plans rest on, over a smaller sample. Each disagreement is printed as a JSON line with its
//! class. `docs/history.md` says what counts as agreement.

mod against;
mod differ;
mod full;
mod git;
mod normal;
mod read;
mod rows;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use against::{Disagreement, Verdict};
use anyhow::{Result, bail};
use clap::Args;
use git::Git;
use serde::Serialize;
use serde_json::json;

use super::{Metric, Tell};

/// Where windows begin, where nothing else is asked for.
const SEED: u64 = 1;

/// How much is compared, and which part of it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sampling {
    /// `diff-accuracy`: how many revisions of each repository are compared.
    #[arg(long, default_value_t = 500)]
    revisions: usize,
    /// `diff-accuracy`: how many of them stand side by side; such windows are spread over the history.
    #[arg(long, default_value_t = 25)]
    window: usize,
    /// `diff-accuracy`: how many revisions of each repository are compared with the full diff as well.
    #[arg(long, default_value_t = 60)]
    full: usize,
    /// Where in its part of the history each window begins depends on this number: `--seed`.
    #[arg(skip = SEED)]
    seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { revisions: 500, window: 25, full: 60, seed: SEED }
    }
}

impl Sampling {
    /// The same from another number, where one is given.
    pub(super) fn seeded(&self, seed: Option<u64>) -> Self {
        Self { seed: seed.unwrap_or(self.seed), ..self.clone() }
    }
}

/// The share of revisions that must agree in full.
const AGREEING_MIN: f64 = 99.5;
/// The fewest revisions on which the share rests.
const REVISIONS_MIN: f64 = 2_000.0;
/// The fewest repositories.
const REPOSITORIES_MIN: f64 = 5.0;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    sampled(repositories, &Sampling::default(), tell)
}

pub(super) fn sampled(repositories: &[PathBuf], sampling: &Sampling, tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `diff-accuracy` reads repositories: name at least five with `--repo PATH`");
    }
    if sampling.revisions == 0 || sampling.window == 0 {
        bail!("`--revisions` and `--window` must be at least 1");
    }
    let (mut rows, mut full) = (Tally::new("rows"), Tally::new("full"));
    for repository in repositories {
        let repository = repository.canonicalize()?;
        let name = repository.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let (mut own, mut own_full) = (Tally::new("rows"), Tally::new("full"));
        rows::compare(&repository, &name, sampling, &mut own)?;
        own.tell(&name, tell)?;
        full::compare(&repository, &name, sampling, &mut own_full)?;
        own_full.tell(&name, tell)?;
        rows.add(own);
        full.add(own_full);
    }
    let metric = |name: &str, value, unit, least| {
        Metric::at_least(format!("diff_accuracy.{name}"), value, unit, least)
    };
    tell(metric("repositories", number(repositories.len()), "repositories", REPOSITORIES_MIN))?;
    tell(metric("rows.revisions", number(rows.compared), "revisions", REVISIONS_MIN))?;
    tell(metric("rows.agreeing", rows.share(), "%", AGREEING_MIN))?;
    tell(metric("full.agreeing", full.share(), "%", AGREEING_MIN))?;
    tell(metric("full.as_rows", full.share_of(full.as_rows), "%", AGREEING_MIN))?;
    rows.tell("all", tell)?;
    full.tell("all", tell)?;
    let unexplained = rows.unexplained() + full.unexplained();
    tell(Metric::at_most("diff_accuracy.unexplained", number(unexplained), "disagreements", 0.0))
}

#[expect(clippy::cast_precision_loss, reason = "counts of revisions")]
fn number(count: usize) -> f64 {
    count as f64
}

/// What a comparison came to, over many revisions.
#[derive(Debug)]
struct Tally {
    what: &'static str,
    compared: usize,
    agreeing: usize,
    /// Of the full diff: revisions whose row says the same.
    as_rows: usize,
    items: usize,
    /// Items that both call modified, for different reasons.
    aspects_differ: usize,
    left_out: BTreeMap<&'static str, usize>,
    /// Disagreements by kind and class.
    by_class: BTreeMap<(String, &'static str), usize>,
    /// What counts as no disagreement, by reason: files and items.
    set_aside: BTreeMap<&'static str, usize>,
}

/// A disagreement as it is printed.
#[derive(Serialize)]
struct Line<'a> {
    repository: &'a str,
    comparison: &'static str,
    commit: &'a str,
    disagreement: &'a Disagreement,
}

impl Tally {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            compared: 0,
            agreeing: 0,
            as_rows: 0,
            items: 0,
            aspects_differ: 0,
            left_out: BTreeMap::new(),
            by_class: BTreeMap::new(),
            set_aside: BTreeMap::new(),
        }
    }

    /// Takes the verdict on one revision and prints what it disagrees in.
    fn count(&mut self, repository: &str, commit: &str, verdict: &Verdict) -> Result<()> {
        self.compared += 1;
        self.agreeing += usize::from(verdict.disagreements.is_empty());
        self.items += verdict.agreed;
        self.aspects_differ += verdict.aspects.len();
        let mut out = std::io::stdout().lock();
        for disagreement in verdict.disagreements.iter().chain(&verdict.aspects) {
            let line = Line { repository, comparison: self.what, commit, disagreement };
            writeln!(out, "{}", serde_json::to_string(&line)?)?;
        }
        for disagreement in &verdict.disagreements {
            *self.by_class.entry((disagreement.kind.clone(), disagreement.class)).or_default() += 1;
        }
        Ok(())
    }

    fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.agreeing += other.agreeing;
        self.as_rows += other.as_rows;
        self.items += other.items;
        self.aspects_differ += other.aspects_differ;
        for (reason, count) in other.left_out {
            *self.left_out.entry(reason).or_default() += count;
        }
        for (class, count) in other.by_class {
            *self.by_class.entry(class).or_default() += count;
        }
        for (reason, count) in other.set_aside {
            *self.set_aside.entry(reason).or_default() += count;
        }
    }

    fn share(&self) -> f64 {
        self.share_of(self.agreeing)
    }

    fn share_of(&self, part: usize) -> f64 {
        let share = 100.0 * number(part) / number(self.compared.max(1));
        (share * 1000.0).round() / 1000.0
    }

    fn unexplained(&self) -> usize {
        self.by_class.iter().filter(|((_, class), _)| *class == "unexplained").map(|(_, count)| count).sum()
    }

    /// Tells everything that is only told.
    fn tell(&self, name: &str, tell: &mut Tell<'_>) -> Result<()> {
        let told = |what: &str, value: usize, unit| {
            Metric::told(format!("diff_accuracy.{name}.{}.{what}", self.what), number(value), unit)
        };
        tell(told("compared", self.compared, "revisions"))?;
        tell(told("agreeing", self.agreeing, "revisions"))?;
        tell(told("items", self.items, "items"))?;
        tell(told("aspects_differ", self.aspects_differ, "items"))?;
        for (reason, count) in &self.left_out {
            tell(told(&format!("left_out.{reason}"), *count, "revisions"))?;
        }
        for (reason, count) in &self.set_aside {
            tell(told(&format!("set_aside.{reason}"), *count, ""))?;
        }
        for ((kind, class), count) in &self.by_class {
            tell(told(&format!("disagreements.{kind}.{class}"), *count, "items"))?;
        }
        Ok(())
    }
}

/// Where windows begin among so many revisions, newest first: one in each equal part of the history.
fn windows(total: usize, wanted: usize, window: usize, seed: u64) -> Vec<usize> {
    let count = wanted.min(total).div_ceil(window);
    let part = total / count.max(1);
    let mut state = seed;
    (0..count)
        .map(|at| {
            let room = part.saturating_sub(window) + 1;
            at * part + usize::try_from(next(&mut state) % room as u64).unwrap_or(0)
        })
        .collect()
}

/// The next number of a sequence that a seed decides (splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The check's reading of contents, each read once while it is in use.
#[derive(Default)]
struct Readings {
    known: BTreeMap<String, Result<Vec<read::Found>, String>>,
}

impl Readings {
    /// Reads these contents, and forgets those that are not among them.
    fn renew(&mut self, git: &Git, ids: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        self.known.retain(|id, _| ids.contains(id));
        let wanted: BTreeSet<String> =
            ids.iter().filter(|id| !self.known.contains_key(*id)).cloned().collect();
        let contents = git.contents(&wanted)?;
        let missing = wanted.iter().filter(|id| !contents.contains_key(*id)).cloned().collect();
        for (id, bytes) in contents {
            let reading = match String::from_utf8(bytes) {
                Ok(text) => read::items(&text),
                Err(_bytes) => Err("it is not UTF-8".to_owned()),
            };
            self.known.insert(id, reading);
        }
        Ok(missing)
    }

    fn get(&self, id: Option<&String>) -> Result<Option<&[read::Found]>, &str> {
        match id.and_then(|id| self.known.get(id)) {
            None => Ok(None),
            Some(Ok(found)) => Ok(Some(found)),
            Some(Err(reason)) => Err(reason),
        }
    }
}

/// A kind as a row has it.
fn kind(kind: upstream::ItemKind) -> String {
    json!(kind).as_str().unwrap_or_default().to_owned()
}

/// A path without spaces and without the number of one of several.
fn plain(path: &upstream::ItemPath) -> String {
    let text: String = path.as_str().chars().filter(|c| !c.is_whitespace()).collect();
    match text.rsplit_once('#') {
        Some((plain, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => plain.to_owned(),
        Some(_) | None => text,
    }
}

/// The kinds that the check knows; whatever else the product may tell of is not compared.
const KINDS: [&str; 12] = [
    "function",
    "method",
    "struct",
    "enum",
    "union",
    "trait",
    "impl",
    "const",
    "static",
    "type_alias",
    "macro",
    "module",
];
