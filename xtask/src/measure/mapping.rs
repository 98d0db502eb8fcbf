//! How well `tidelock map infer` finds the correspondence that real ports recorded themselves.
//!
//! `--repo` takes evaluation sets: folders with a `set.json` and a `pairs.jsonl`, as `docs/mapping.md` describes
//! them. Each set is inferred twice, with its records used and with them masked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mappings::infer::{InferInput, ModuleLink, ProposedLink, Records, infer};
use mappings::{PortOutline, Proposal};
use pipeline::pair::Side;
use serde::Deserialize;
use serde_json::json;
use upstream::process::SystemProcessRunner;
use upstream::{Clock, Snapshot, SystemClock};

use super::{Metric, Tell};

/// The longest that inference may take, in seconds.
const SECONDS_MAX: f64 = 60.0;
/// From which confidence on a link must be right.
const SURE: f64 = 0.9;

/// `set.json`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    name: String,
    /// `PATH[@REV][:FOLDER]`, from the folder of the set where it is relative.
    upstream: String,
    port: String,
    #[serde(default)]
    source_root: Option<String>,
}

/// One line of `pairs.jsonl`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    /// `module` or `item`.
    kind: Kind,
    /// Scored apart from others, such as `hard` or `test`.
    group: String,
    /// The upstream's file.
    upstream_file: String,
    /// For an item: its name, and the line on which its text begins where the name is not enough.
    #[serde(default)]
    item: Option<String>,
    #[serde(default)]
    line: Option<u32>,
    /// The port's file.
    port_file: String,
    /// For an item: the symbol's name, and its line where the name is not enough.
    #[serde(default)]
    symbol: Option<String>,
    #[serde(default)]
    symbol_line: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Module,
    Item,
}

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!(
            "the measure `mapping` needs `--repo FOLDER` with an evaluation set; `docs/mapping.md` says how to make one"
        );
    }
    for folder in repositories {
        one_set(folder, tell).with_context(|| format!("the set `{}`", folder.display()))?;
    }
    Ok(())
}

fn one_set(folder: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let set: Set = serde_json::from_str(&std::fs::read_to_string(folder.join("set.json"))?)?;
    let text = std::fs::read_to_string(folder.join("pairs.jsonl"))?;
    let pairs: Vec<Recorded> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let runner = SystemProcessRunner::default();
    let side = |text: &str| -> Result<Side> {
        let mut side: Side = text.parse().map_err(|reason: String| anyhow::anyhow!(reason))?;
        side.path = folder.join(&side.path);
        Ok(side)
    };
    let clock = SystemClock;
    let begun = clock.now_ms();
    let snapshot = side(&set.upstream)?.snapshot(&runner)?;
    let outline = side(&set.port)?.outline(&runner, set.source_root.as_deref())?;
    let read_ms = clock.now_ms() - begun;
    let name = &set.name;
    told(tell, format!("mapping.{name}.items"), json!(snapshot.items.len()), "items")?;
    told(tell, format!("mapping.{name}.symbols"), json!(outline.symbols.symbols.len()), "symbols")?;
    told(tell, format!("mapping.{name}.port_files"), json!(outline.files.len()), "files")?;
    for (records, mark) in [(Records::Used, "records"), (Records::Masked, "masked")] {
        let begun = clock.now_ms();
        let accepted = BTreeMap::new();
        let input = InferInput { snapshot: &snapshot, outline: &outline, accepted: &accepted, records };
        let proposal = infer(&input);
        let seconds = seconds(clock.now_ms() - begun + read_ms);
        tell(Metric {
            name: format!("mapping.{name}.{mark}.seconds"),
            value: json!(seconds),
            unit: "s",
            target: format!("at most {SECONDS_MAX}"),
            ok: seconds <= SECONDS_MAX,
        })?;
        let scored = Scored { set: name, mark, snapshot: &snapshot, outline: &outline, proposal: &proposal };
        scored.modules(&pairs, folder, tell)?;
        scored.items(&pairs, folder, tell)?;
    }
    Ok(())
}

fn told(tell: &mut Tell<'_>, name: String, value: serde_json::Value, unit: &'static str) -> Result<()> {
    tell(Metric { name, value, unit, target: String::new(), ok: true })
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a run that a person waits for")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Counts of one group.
#[derive(Debug, Default)]
struct Counts {
    pairs: usize,
    /// Pairs whose two ends are in the snapshot and in the outline.
    found: usize,
    top1: usize,
    top3: usize,
    sure: usize,
    sure_right: usize,
    /// Chosen among the recorded symbols alone.
    pool_top1: usize,
    pool_top3: usize,
}

impl Counts {
    fn sum<'a>(groups: impl Iterator<Item = &'a Self>) -> Self {
        groups.fold(Self::default(), |sum, one| Self {
            pairs: sum.pairs + one.pairs,
            found: sum.found + one.found,
            top1: sum.top1 + one.top1,
            top3: sum.top3 + one.top3,
            sure: sum.sure + one.sure,
            sure_right: sum.sure_right + one.sure_right,
            pool_top1: sum.pool_top1 + one.pool_top1,
            pool_top3: sum.pool_top3 + one.pool_top3,
        })
    }
}

struct Scored<'a> {
    set: &'a str,
    mark: &'a str,
    snapshot: &'a Snapshot,
    outline: &'a PortOutline,
    proposal: &'a Proposal,
}

impl Scored<'_> {
    fn modules(&self, pairs: &[Recorded], folder: &Path, tell: &mut Tell<'_>) -> Result<()> {
        let links: BTreeMap<&str, &ModuleLink> =
            self.proposal.modules.iter().map(|link| (link.port.as_str(), link)).collect();
        let mut groups: BTreeMap<&str, Counts> = BTreeMap::new();
        let mut wrong = Vec::new();
        // A file of the port may have several origins on record.
        let mut right: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for pair in pairs.iter().filter(|pair| pair.kind == Kind::Module) {
            right.entry(&pair.port_file).or_default().insert(&pair.upstream_file);
        }
        for pair in pairs.iter().filter(|pair| pair.kind == Kind::Module) {
            let counts = groups.entry(&pair.group).or_default();
            counts.pairs += 1;
            let both = self.outline.files.contains_key(&pair.port_file)
                && self.snapshot.files.contains_key(&pair.upstream_file);
            counts.found += usize::from(both);
            let Some(link) = links.get(pair.port_file.as_str()) else { continue };
            let right = &right[pair.port_file.as_str()];
            let is_right = |file: &str| right.contains(file);
            let first = is_right(&link.upstream);
            counts.top1 += usize::from(first);
            if !first {
                wrong.push(json!({
                    "group": pair.group, "port": pair.port_file, "upstream": pair.upstream_file, "found": link,
                }));
            }
            let next = link.alternatives.iter().take(2).any(|(file, _)| is_right(file));
            counts.top3 += usize::from(first || next);
            if link.confidence >= SURE {
                counts.sure += 1;
                counts.sure_right += usize::from(first);
            }
        }
        write_wrong(folder, &format!("wrong-modules-{}.jsonl", self.mark), &wrong)?;
        if groups.len() > 1 {
            self.tell_counts("module", "all", &Counts::sum(groups.values()), 0.97, tell)?;
        }
        for (group, counts) in groups {
            self.tell_counts("module", group, &counts, 0.97, tell)?;
        }
        Ok(())
    }

    fn items(&self, pairs: &[Recorded], folder: &Path, tell: &mut Tell<'_>) -> Result<()> {
        let links: BTreeMap<&str, &ProposedLink> =
            self.proposal.links.iter().map(|link| (link.item.as_str(), link)).collect();
        let mut groups: BTreeMap<&str, Counts> = BTreeMap::new();
        let mut right: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut located = Vec::new();
        for pair in pairs.iter().filter(|pair| pair.kind == Kind::Item) {
            let counts = groups.entry(&pair.group).or_default();
            counts.pairs += 1;
            let (Some(item), Some(symbol)) = (self.item(pair), self.symbol(pair)) else { continue };
            counts.found += 1;
            right.entry(item.clone()).or_default().insert(symbol.clone());
            located.push((pair, item, symbol));
        }
        let pool: BTreeSet<&str> = located.iter().map(|(_, _, symbol)| symbol.as_str()).collect();
        let mut wrong = Vec::new();
        for (pair, item, symbol) in &located {
            let counts = groups.entry(&pair.group).or_default();
            let right = &right[item];
            let Some(link) = links.get(item.as_str()) else {
                wrong.push(json!({"mark": self.mark, "item": item, "symbol": symbol, "found": null}));
                continue;
            };
            let ranked = || {
                std::iter::once(link.symbol.as_str())
                    .chain(link.alternatives.iter().map(|(path, _)| path.as_str()))
            };
            let first = right.contains(link.symbol.as_str());
            counts.top1 += usize::from(first);
            counts.top3 += usize::from(ranked().take(3).any(|symbol| right.contains(symbol)));
            let mut in_pool = ranked().filter(|symbol| pool.contains(symbol)).take(3);
            let pool_first = in_pool.next().is_some_and(|symbol| right.contains(symbol));
            counts.pool_top1 += usize::from(pool_first);
            counts.pool_top3 += usize::from(pool_first || in_pool.any(|symbol| right.contains(symbol)));
            if link.confidence >= SURE {
                counts.sure += 1;
                counts.sure_right += usize::from(first);
            }
            if !first {
                wrong.push(json!({
                    "mark": self.mark, "item": item, "symbol": symbol, "found": link.symbol,
                    "confidence": link.confidence, "evidence": link.evidence,
                    "alternatives": link.alternatives,
                }));
            }
        }
        write_wrong(folder, &format!("wrong-items-{}.jsonl", self.mark), &wrong)?;
        for (group, counts) in groups {
            self.tell_counts("item", group, &counts, 0.95, tell)?;
            let name = |what: &str| format!("mapping.{}.{}.item.{group}.{what}", self.set, self.mark);
            told(tell, name("top1_among_recorded"), json!(share(counts.pool_top1, counts.found)), "share")?;
            told(tell, name("top3_among_recorded"), json!(share(counts.pool_top3, counts.found)), "share")?;
        }
        Ok(())
    }

    /// The path of the recorded item.
    fn item(&self, pair: &Recorded) -> Option<String> {
        let name = pair.item.as_deref()?;
        let of_name = |item: &&upstream::Item| {
            let own = item.path.name();
            item.file == pair.upstream_file
                && own.split('#').next().unwrap_or(own).trim_start_matches("r#") == name
        };
        let found: Vec<&upstream::Item> = self.snapshot.items.values().filter(of_name).collect();
        let nearest = match pair.line {
            Some(line) => found.iter().min_by_key(|item| item.line.abs_diff(line)),
            None => found.first(),
        };
        nearest.map(|item| item.path.to_string())
    }

    /// The path of the recorded symbol.
    fn symbol(&self, pair: &Recorded) -> Option<String> {
        let name = pair.symbol.as_deref()?;
        let of_name = |symbol: &&mappings::Symbol| {
            symbol.file == pair.port_file
                && symbol.path.name().split('#').next().is_some_and(|own| own == name)
        };
        let found: Vec<&mappings::Symbol> = self.outline.symbols.symbols.values().filter(of_name).collect();
        let nearest = match pair.symbol_line {
            Some(line) => found.iter().min_by_key(|symbol| symbol.line.abs_diff(line)),
            None => found.first(),
        };
        nearest.and_then(|symbol| symbol.path.as_str().split('#').next().map(str::to_owned))
    }

    fn tell_counts(
        &self,
        kind: &str,
        group: &str,
        counts: &Counts,
        target: f64,
        tell: &mut Tell<'_>,
    ) -> Result<()> {
        let name = |what: &str| format!("mapping.{}.{}.{kind}.{group}.{what}", self.set, self.mark);
        told(tell, name("pairs"), json!(counts.pairs), "pairs")?;
        told(tell, name("found_on_both_sides"), json!(counts.found), "pairs")?;
        let of = counts.found.max(1);
        let mut scored = |what: &str, value: f64, target: f64| {
            tell(Metric {
                name: name(what),
                value: json!(value),
                unit: "share",
                target: format!("at least {target}"),
                ok: value >= target,
            })
        };
        scored("top1", share(counts.top1, of), target)?;
        scored("top3", share(counts.top3, of), 0.99)?;
        scored("precision_when_sure", share(counts.sure_right, counts.sure), 0.99)?;
        told(tell, name("recall_when_sure"), json!(share(counts.sure_right, of)), "share")
    }
}

/// Writes what was missed beside the set, for a person to look at.
fn write_wrong(folder: &Path, name: &str, wrong: &[serde_json::Value]) -> Result<()> {
    let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    Ok(std::fs::write(folder.join(name), lines.join("\n"))?)
}

/// A share to four digits; 1 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of pairs are small")]
fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { (part as f64 / of as f64 * 10_000.0).round() / 10_000.0 }
}
