//! The pull-request bot against the fake forge of the tests: random schedules, with the promises as assertions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use upstream::{Clock as _, SystemClock};

use super::{Metric, Tell};

#[path = "../../../../pipeline/tests/it/forge/mod.rs"]
#[expect(clippy::unwrap_used, clippy::panic, reason = "the tests' own, used as it is")]
mod fake;
mod requests;
mod schemas;

use fake::promise::Promise;
use fake::schedules::{Report, play};
use requests::{Found, Published};

/// How many schedules are played where nothing else is asked for.
const SCHEDULES: usize = 1000;
/// The first schedule where nothing else is asked for; the ordinary tests play from 0 on.
const SEED: u64 = 1_000_000;

/// What the measure lets one choose.
pub(super) struct Chosen<'a> {
    /// How many schedules.
    pub(super) schedules: Option<usize>,
    /// The first one.
    pub(super) seed: Option<u64>,
    /// Published descriptions: files, or folders of them.
    pub(super) published: &'a [PathBuf],
}

pub(super) fn run(chosen: &Chosen<'_>, repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `forge` takes no repository: it makes its own forge and port");
    }
    let mut published = published(chosen.published, tell)?;
    let keeps = !published.is_empty();
    let (wanted, first) = (chosen.schedules.unwrap_or(SCHEDULES), chosen.seed.unwrap_or(SEED));
    let began_ms = SystemClock.now_ms();
    let mut sums = Sums::default();
    played(first, wanted, keeps, |seed, report| {
        for description in published.iter_mut().filter(|one| one.kind == report.kind.name()) {
            let found = sums.found.entry(description.name.clone()).or_default();
            for sent in &report.sent {
                description.check(sent, found);
            }
        }
        sums.add(seed, report);
    });
    let seconds = count(usize::try_from(SystemClock.now_ms() - began_ms).unwrap_or_default()) / 1000.0;
    tell(Metric::told("forge.seconds", seconds, "seconds"))?;
    sums.tell(wanted, tell)
}

/// The published descriptions, and how our own short one compares with each.
fn published(paths: &[PathBuf], tell: &mut Tell<'_>) -> Result<Vec<Published>> {
    let ours: Value =
        serde_json::from_str(include_str!("../../../../pipeline/tests/it/forge/operations.json"))
            .context("our own description is no JSON")?;
    let mut all = Vec::new();
    for path in paths {
        for file in schemas::files(path)? {
            let (kind, prefix, document) = schemas::read(&file)?;
            let ours = ours[kind]["operations"].clone();
            let name = file.file_stem().unwrap_or_default().to_string_lossy().replace('.', "_");
            let used = ours.as_object().map_or(0, serde_json::Map::len);
            tell(Metric::told(format!("forge.{name}.operations"), count(used), "operations"))?;
            tell(none(
                format!("forge.{name}.not_as_published"),
                json!(schemas::compare(&ours, &document, prefix)),
                "differences",
            ))?;
            all.push(Published::new(name, kind, prefix, document, ours));
        }
    }
    Ok(all)
}

/// Plays schedules side by side, and hands each to `hear` as it ends.
fn played(first: u64, wanted: usize, keeps: bool, mut hear: impl FnMut(u64, Report)) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let (sender, reports) = sync_channel(threads);
        for _ in 0..threads {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= wanted {
                        return;
                    }
                    let seed = first + at as u64;
                    if sender.send((seed, play(seed, keeps))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (seed, report) in reports {
            hear(seed, report);
        }
    });
}

/// What all schedules came to.
#[derive(Default)]
struct Sums {
    requests: usize,
    told: BTreeMap<String, usize>,
    /// By promise: the seeds of the schedules that broke it, with how.
    broken: BTreeMap<Promise, BTreeMap<u64, Vec<String>>>,
    found: BTreeMap<String, Found>,
}

impl Sums {
    fn add(&mut self, seed: u64, report: Report) {
        self.requests += report.requests;
        for (what, times) in report.told {
            *self.told.entry(what).or_default() += times;
        }
        for (promise, how) in report.violations {
            self.broken.entry(promise).or_default().entry(seed).or_default().push(how);
        }
    }

    fn tell(&self, schedules: usize, tell: &mut Tell<'_>) -> Result<()> {
        tell(Metric::told("forge.schedules", count(schedules), "schedules"))?;
        tell(Metric::told("forge.requests", count(self.requests), "requests"))?;
        tell(Metric {
            name: "forge.what_happened".to_owned(),
            value: json!(self.told),
            unit: "times",
            target: String::new(),
            ok: true,
        })?;
        for (name, found) in &self.found {
            tell(Metric::told(format!("forge.{name}.requests_checked"), count(found.checked), "requests"))?;
            if !found.in_prose.is_empty() {
                tell(Metric {
                    name: format!("forge.{name}.requests_described_in_prose_alone"),
                    value: json!(found.in_prose),
                    unit: "requests",
                    target: String::new(),
                    ok: true,
                })?;
            }
            tell(none(format!("forge.{name}.requests_not_as_published"), json!(found.wrong), "requests"))?;
        }
        for promise in Promise::ALL {
            let seeds = self.broken.get(&promise);
            tell(Metric::at_most(
                format!("forge.{}", promise.name()),
                count(seeds.map_or(0, BTreeMap::len)),
                "schedules",
                0.0,
            ))?;
            for (seed, how) in seeds.into_iter().flatten() {
                tell(Metric {
                    name: format!("forge.{}.by", promise.name()),
                    value: json!({ "again": format!("--schedules 1 --seed {seed}"), "how": how }),
                    unit: "",
                    target: String::new(),
                    ok: false,
                })?;
            }
        }
        Ok(())
    }
}

/// A list that must be empty.
fn none(name: String, value: Value, unit: &'static str) -> Metric {
    let ok = value.as_array().map(Vec::is_empty).or_else(|| value.as_object().map(serde_json::Map::is_empty));
    Metric { name, value, unit, target: "none".to_owned(), ok: ok.unwrap_or_default() }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}
