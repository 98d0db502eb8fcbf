//! Whether the units planned for real revisions contain what their maintainers changed in the port.
//!
//! `--repo` takes folders with an `impact.json`: one repository that holds both sides, and commits in which
//! both changed. For each, the mapping is inferred at the parent, over the rules that a person wrote for all of
//! them, and a plan is made for the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mappings::infer::{InferInput, Records, infer};
use mappings::lock::{Adoption, adopt};
use mappings::mapping::{LinkRule, MappingConfig, Placement};
use mappings::plan::{PlanInput, plan};
use mappings::{Mapping, PortOutline, SymbolPath, SymbolTable};
use pipeline::pair::Side;
use serde::Deserialize;
use serde_json::json;
use upstream::process::SystemProcessRunner;
use upstream::{ItemPath, Snapshot};

use super::{Metric, Tell};

/// From which confidence on an inferred link stands for an accepted one.
const ACCEPTED: f64 = 0.3;
/// How many of the files that were changed must be planned.
const RECALL: f64 = 0.99;
/// How many times as many symbols may be planned as were changed.
const TIMES_MAX: f64 = 3.0;

/// `impact.json`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    name: String,
    repository: PathBuf,
    #[serde(default)]
    upstream_folder: String,
    #[serde(default)]
    port_folder: String,
    /// A file beside it with `[[map]]`, `[[link]]` and `[[extension]]` as in `tidelock.toml`: what a person wrote once
    /// for all commits.
    #[serde(default)]
    mapping: Option<PathBuf>,
    commits: Vec<String>,
}

impl Task {
    /// The rules of a person; none without `mapping`.
    fn written(&self, folder: &Path) -> Result<MappingConfig> {
        let Some(file) = &self.mapping else { return Ok(MappingConfig::default()) };
        let text = std::fs::read_to_string(folder.join(file))
            .with_context(|| format!("the mapping {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("the mapping {}", file.display()))
    }
}

/// Sums over all commits.
#[derive(Debug, Default)]
struct Sums {
    commits: usize,
    skipped: usize,
    symbols_changed: usize,
    symbols_planned_of_changed: usize,
    symbols_touched_of_changed: usize,
    files_changed: usize,
    files_planned_of_changed: usize,
    files_touched_of_changed: usize,
    symbols_planned: usize,
    symbols_touched: usize,
    /// Why what was changed was not planned.
    missed: BTreeMap<Missed, usize>,
    /// The same of changed files none of whose symbols was planned: the reason of most of their symbols.
    missed_files: BTreeMap<Missed, usize>,
    /// Symbols that were changed, whose item is known and changed in the same commit.
    followed: usize,
    followed_planned: usize,
    /// Files that hold such a symbol, and those of them that hold a planned one.
    files_followed: usize,
    files_followed_planned: usize,
}

/// Why a symbol that the maintainers changed is in no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Missed {
    /// The upstream's half of the commit changes nothing that runs: releases, typing, packaging, the port's own work.
    NothingUpstream,
    /// No item is linked to the symbol, nor to the class or function around it: the mapping is at fault, or the symbol
    /// is the port's own.
    NoLink,
    /// Its item is linked and did not change, and nothing that it uses did: the port was worked on, or another change
    /// was ported here.
    ItemUnchanged,
    /// Its item changed, and the plan leaves it alone for a reason: the plan is at fault.
    LeftAlone,
}

impl Missed {
    const ALL: [Self; 4] = [Self::NothingUpstream, Self::NoLink, Self::ItemUnchanged, Self::LeftAlone];

    fn name(self) -> &'static str {
        match self {
            Self::NothingUpstream => "nothing_changed_upstream",
            Self::NoLink => "no_link",
            Self::ItemUnchanged => "item_unchanged",
            Self::LeftAlone => "left_alone",
        }
    }
}

/// What one plan came to.
struct Planned {
    /// The symbols of the units.
    units: BTreeSet<String>,
    /// With those that are proved because they use them.
    touched: BTreeSet<String>,
    /// The symbols that an item is linked to, with their items.
    linked: BTreeMap<String, BTreeSet<ItemPath>>,
    /// The items that behave differently.
    changed: BTreeSet<ItemPath>,
}

impl Planned {
    fn why_missed(&self, symbol: &str) -> Missed {
        if self.changed.is_empty() {
            return Missed::NothingUpstream;
        }
        let items = self.items_of(symbol);
        if items.is_empty() {
            Missed::NoLink
        } else if items.iter().any(|item| self.changed.contains(*item)) {
            Missed::LeftAlone
        } else {
            Missed::ItemUnchanged
        }
    }

    /// The items that are linked to the symbol, or to what stands around it.
    fn items_of(&self, symbol: &str) -> Vec<&ItemPath> {
        let mut at = Some(symbol);
        while let Some(path) = at {
            if let Some(items) = self.linked.get(path) {
                return items.iter().collect();
            }
            at = path.rsplit_once('.').map(|(parent, _)| parent);
        }
        Vec::new()
    }
}

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!(
            "the measure `impact` needs `--repo FOLDER` with an `impact.json`; `docs/mapping.md` describes it"
        );
    }
    for folder in repositories {
        let text = std::fs::read_to_string(folder.join("impact.json"))?;
        let task: Task = serde_json::from_str(&text)?;
        let written = task.written(folder)?;
        let mut sums = Sums::default();
        let mut missed = Vec::new();
        for commit in &task.commits {
            one_commit(&task, &written, commit, &mut sums, &mut missed)
                .with_context(|| format!("the commit {commit}"))?;
        }
        std::fs::write(folder.join("missed.jsonl"), missed.concat())?;
        tell_sums(&task.name, &sums, tell)?;
    }
    Ok(())
}

fn one_commit(
    task: &Task,
    written: &MappingConfig,
    commit: &str,
    sums: &mut Sums,
    missed: &mut Vec<String>,
) -> Result<()> {
    let runner = SystemProcessRunner::default();
    let side = |revision: String, folder: &str| Side {
        path: Path::new(&task.repository).to_owned(),
        revision,
        folder: folder.to_owned(),
    };
    let (before, after) = (format!("{commit}^"), commit.to_owned());
    let baseline = side(before.clone(), &task.upstream_folder).snapshot(&runner)?;
    let target = side(after.clone(), &task.upstream_folder).snapshot(&runner)?;
    let port = side(before, &task.port_folder).outline(&runner, None)?;
    let port_after = side(after, &task.port_folder).outline(&runner, None)?;
    let mapping = Mapping::new(written.clone())?;
    let mut changed = changed_symbols(&port.symbols, &port_after.symbols);
    changed.retain(|path| {
        SymbolPath::new(path).is_ok_and(|symbol| !mapping.is_extension(&port.symbols, &symbol))
    });
    if changed.is_empty() {
        sums.skipped += 1;
        return Ok(());
    }
    sums.commits += 1;
    let plan = planned_symbols(written, &mapping, &baseline, &target, &port)?;
    let (planned, touched) = (&plan.units, &plan.touched);
    let files = |symbols: &BTreeSet<String>| -> BTreeSet<String> {
        let of = port.symbols.symbols.values();
        of.filter(|symbol| symbols.contains(symbol.path.as_str())).map(|symbol| symbol.file.clone()).collect()
    };
    let (files_changed, files_planned) = (files(&changed), files(planned));
    sums.symbols_changed += changed.len();
    sums.symbols_planned_of_changed += changed.intersection(planned).count();
    sums.symbols_touched_of_changed += changed.intersection(touched).count();
    sums.files_changed += files_changed.len();
    sums.files_planned_of_changed += files_changed.intersection(&files_planned).count();
    sums.files_touched_of_changed += files_changed.intersection(&files(touched)).count();
    sums.symbols_planned += planned.len();
    sums.symbols_touched += touched.len();
    let open: Vec<&String> = changed.difference(touched).collect();
    for symbol in &open {
        *sums.missed.entry(plan.why_missed(symbol)).or_default() += 1;
    }
    for file in files_changed.difference(&files_planned) {
        let mut reasons: BTreeMap<Missed, usize> = BTreeMap::new();
        let of_file = port.symbols.symbols.values().filter(|symbol| symbol.file == *file);
        for symbol in of_file.filter(|symbol| changed.contains(symbol.path.as_str())) {
            *reasons.entry(plan.why_missed(symbol.path.as_str())).or_default() += 1;
        }
        if let Some((reason, _)) = reasons.into_iter().max_by_key(|(_, count)| *count) {
            *sums.missed_files.entry(reason).or_default() += 1;
        }
    }
    let follows = |symbol: &&String| {
        plan.items_of(symbol).iter().any(|item| plan.changed.contains(*item)) || touched.contains(*symbol)
    };
    let followed: BTreeSet<String> = changed.iter().filter(follows).cloned().collect();
    sums.followed += followed.len();
    sums.followed_planned += followed.intersection(touched).count();
    let files_followed = files(&followed);
    sums.files_followed += files_followed.len();
    sums.files_followed_planned += files_followed.intersection(&files_planned).count();
    missed.push(format!(
        "{}\n",
        json!({
            "commit": commit,
            "missed": open.iter().map(|symbol| (symbol, plan.why_missed(symbol).name())).collect::<Vec<_>>(),
            "planned": planned.len(),
            "changed": changed.len(),
        })
    ));
    Ok(())
}

/// Functions, methods and constants outside tests that a commit changed or removed. A class counts only where
/// none of its members changed.
fn changed_symbols(before: &SymbolTable, after: &SymbolTable) -> BTreeSet<String> {
    let base =
        |symbol: &mappings::Symbol| symbol.path.as_str().split('#').next().unwrap_or_default().to_owned();
    let is_changed = |symbol: &&mappings::Symbol| {
        !symbol.is_test && after.get(&symbol.path).is_none_or(|now| now.hash != symbol.hash)
    };
    let changed: BTreeSet<String> = before.symbols.values().filter(is_changed).map(base).collect();
    let holds_changed = |path: &String| {
        let below = format!("{path}.");
        changed.iter().any(|other| other.starts_with(&below))
    };
    changed.iter().filter(|path| !holds_changed(path)).cloned().collect()
}

/// What a person's rules place, where the symbol is there.
fn placed(mapping: &Mapping, baseline: &Snapshot, symbols: &SymbolTable) -> BTreeMap<ItemPath, SymbolPath> {
    let mut placed = BTreeMap::new();
    for item in baseline.items.values() {
        if let Ok(Placement::Mapped { symbol, .. }) = mapping.place(item)
            && symbols.get(&symbol).is_some()
        {
            placed.insert(item.path.clone(), symbol);
        }
    }
    placed
}

/// The plan of a commit, with the mapping inferred at its parent over what a person wrote.
fn planned_symbols(
    written: &MappingConfig,
    by_rule: &Mapping,
    baseline: &Snapshot,
    target: &Snapshot,
    port: &PortOutline,
) -> Result<Planned> {
    let accepted = placed(by_rule, baseline, &port.symbols);
    let input = InferInput { snapshot: baseline, outline: port, accepted: &accepted, records: Records::Used };
    let links = infer(&input)
        .links
        .into_iter()
        .filter(|link| link.confidence >= ACCEPTED && !accepted.contains_key(&link.item))
        .map(|link| LinkRule::new(link.item.as_str(), link.symbol.as_str(), link.file));
    let mut config = written.clone();
    config.link.extend(links.filter(LinkRule::is_valid));
    let mapping = Mapping::new(config)?;
    let symbols = &port.symbols;
    let adopted = adopt(&Adoption { source: "measured", baseline, mapping: &mapping, symbols })?;
    let item_at = |label: &upstream::RevisionLabel, item: &ItemPath| {
        (*label == baseline.revision.label).then(|| baseline.items.get(item).cloned()).flatten()
    };
    let made = plan(&PlanInput {
        target,
        baseline,
        lock: &adopted.lock,
        item_at: &item_at,
        mapping: &mapping,
        symbols,
        uses: &mappings::PortUses::default(),
        holds: &mappings::Holds::default(),
    })?;
    let members = || made.units.iter().flat_map(|unit| &unit.members).map(|member| member.symbol.to_string());
    let impacted =
        made.units.iter().flat_map(|unit| &unit.impacted).map(|impacted| impacted.symbol.to_string());
    let mut linked: BTreeMap<String, BTreeSet<ItemPath>> = BTreeMap::new();
    for link in adopted.lock.links.values() {
        linked.entry(link.symbol.to_string()).or_default().insert(link.item.clone());
    }
    let diff = upstream::diff::compare(baseline, target);
    let behaves = diff.items.iter().filter(|change| change.touches_behaviour() && !change.is_test());
    let paths = |change: &upstream::ItemChange| {
        let both = [change.before(), change.after()];
        both.into_iter().flatten().map(|item| item.path.clone()).collect::<Vec<_>>()
    };
    Ok(Planned {
        units: members().collect(),
        touched: members().chain(impacted).collect(),
        linked,
        changed: behaves.flat_map(paths).collect(),
    })
}

fn tell_sums(name: &str, sums: &Sums, tell: &mut Tell<'_>) -> Result<()> {
    let mut told = |what: &str, value: serde_json::Value, unit: &'static str, target: String, ok: bool| {
        tell(Metric { name: format!("impact.{name}.{what}"), value, unit, target, ok })
    };
    told("commits", json!(sums.commits), "commits", String::new(), true)?;
    told("commits_without_a_change_to_the_port", json!(sums.skipped), "commits", String::new(), true)?;
    let value = ratio(sums.files_planned_of_changed, sums.files_changed);
    told("recall_of_files_edited", json!(value), "share", format!("at least {RECALL}"), value >= RECALL)?;
    // `followed` is what was changed for the upstream's sake: the item is linked, and it changed in the same commit.
    for (what, part, of) in [
        ("recall_of_files_edited_or_proved", sums.files_touched_of_changed, sums.files_changed),
        ("recall_of_files_with_an_item_that_changed", sums.files_followed_planned, sums.files_followed),
        ("recall_of_symbols_edited", sums.symbols_planned_of_changed, sums.symbols_changed),
        ("recall_of_symbols_edited_or_proved", sums.symbols_touched_of_changed, sums.symbols_changed),
        ("recall_of_symbols_whose_item_changed", sums.followed_planned, sums.followed),
    ] {
        told(what, json!(ratio(part, of)), "share", String::new(), true)?;
    }
    let missed_files = sums.files_changed - sums.files_planned_of_changed;
    for reason in Missed::ALL {
        let of = |missed: &BTreeMap<Missed, usize>| missed.get(&reason).copied().unwrap_or_default();
        let (symbols, files) = (of(&sums.missed), of(&sums.missed_files));
        let share = ratio(symbols, sums.symbols_changed);
        told(&format!("missed_symbols.{}", reason.name()), json!(share), "share", String::new(), true)?;
        let share = if missed_files == 0 { 0.0 } else { ratio(files, sums.files_changed) };
        told(&format!("missed_files.{}", reason.name()), json!(share), "share", String::new(), true)?;
    }
    let value = ratio(sums.symbols_planned, sums.symbols_changed);
    told(
        "planned_for_each_changed",
        json!(value),
        "ratio",
        format!("at most {TIMES_MAX}"),
        value <= TIMES_MAX,
    )?;
    let value = ratio(sums.symbols_touched, sums.symbols_changed);
    told("planned_or_proved_for_each_changed", json!(value), "ratio", String::new(), true)
}

#[expect(clippy::cast_precision_loss, reason = "counts of symbols are small")]
fn ratio(part: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { (part as f64 / of as f64 * 10_000.0).round() / 10_000.0 }
}
