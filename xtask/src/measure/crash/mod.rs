//! A sync with everything in it, killed at every effect boundary and at random instants, on disks that fill
//! and with databases that are lost or may not be written: it must end as if nothing had happened.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{Metric, Tell};

mod disk;
#[path = "../../../../pipeline/tests/it/disturbed.rs"]
#[expect(dead_code, clippy::unwrap_used, clippy::panic, reason = "the tests' own, used as it is")]
mod disturbed;
#[path = "../../../../pipeline/tests/it/mounts.rs"]
mod mounts;
#[path = "../../../../pipeline/tests/it/world.rs"]
#[expect(dead_code, clippy::unwrap_used, clippy::panic, reason = "the tests' own, used as it is")]
pub(super) mod world;

use disturbed::{DATABASE_DAMAGES, Disturbed, Facts, READ_ONLY, Random, Size, difference, scenario};

/// How often the sync is killed at random where nothing else is asked for.
const KILLS: usize = 200;
/// What the random instants come from.
const SEED: u64 = 20_261_121;
/// How much room the disk has when the sync begins, in KiB.
const ROOM_KB: &[u64] = &[0, 8, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

/// The program, built beside this one.
fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("tidelock")
}

/// Fails where the program was not built.
pub(super) fn needs_program() -> Result<()> {
    if !program().is_file() {
        bail!("there is no `{}`: run `cargo build` first", program().display());
    }
    Ok(())
}

pub(super) fn run(kills: Option<usize>, repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `crash` takes no repository: it makes its own upstream and port");
    }
    needs_program()?;
    if !cfg!(debug_assertions) {
        bail!("run it without `--release`: only builds for development can be stopped at a point");
    }
    let template = scenario(Size::Whole);
    let undisturbed = Disturbed::new(&template);
    undisturbed.finish();
    let expected = undisturbed.facts();
    let outcomes = outcomes(&expected);
    tell(Metric {
        name: "crash.undisturbed_outcomes".to_owned(),
        value: json!(outcomes),
        unit: "revisions",
        target: "landings, an absorption and parks".to_owned(),
        ok: ["landed", "absorbed", "parked"].iter().all(|outcome| outcomes.contains_key(*outcome)),
    })?;
    let refusals = expected.record.to_string().matches("\"fail\"").count();
    tell(Metric::at_least("crash.undisturbed_refusals", count(refusals), "answers", 1.0))?;

    let mut all = Comparison { undisturbed: &undisturbed, expected: &expected, excused: 0, tell };
    let mut killed = Disturbed::new(&template);
    let points = killed.killed_everywhere();
    killed.finish();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for point in &points {
        *kinds.entry(point).or_default() += 1;
    }
    (all.tell)(Metric {
        name: "crash.boundary_kills".to_owned(),
        value: json!(kinds),
        unit: "kills",
        target: String::new(),
        ok: true,
    })?;
    all.same("crash.boundaries", &killed)?;
    random(kills.unwrap_or(KILLS), &template, &mut all)?;
    (all.tell)(Metric::told("crash.answers_asked_again_in_flight", count(all.excused), "answers"))?;
    disks(&template, &mut all)?;
    databases(&template, &mut all)?;
    read_only(&template, &mut all)?;
    let lost = Disturbed::losing_its_state(&template);
    lost.run_once().map_err(anyhow::Error::msg)?;
    lost.finish();
    all.same_port("crash.state_deleted_below_a_sync", &lost.facts())
}

/// An undisturbed run, and how others are held against it.
struct Comparison<'a, 'tell> {
    undisturbed: &'a Disturbed,
    expected: &'a Facts,
    /// Answers that were in flight when the process was killed and were asked for again.
    excused: usize,
    tell: &'a mut Tell<'tell>,
}

impl Comparison<'_, '_> {
    /// Everything is the same, and nothing was bought twice.
    fn same(&mut self, name: &str, found: &Disturbed) -> Result<()> {
        let differs = difference(self.expected, &found.facts());
        (self.tell)(Metric {
            name: format!("{name}.differences"),
            value: json!(differs),
            unit: "lines",
            target: "none".to_owned(),
            ok: differs.is_empty(),
        })?;
        let (excused, doubled) = found.doubled(self.undisturbed);
        self.excused += excused;
        (self.tell)(Metric::at_most(format!("{name}.bought_twice"), count(doubled), "answers", 0.0))
    }

    /// The port is the same; the history of the runs was lost.
    fn same_port(&mut self, name: &str, found: &Facts) -> Result<()> {
        let ok = found.tree == self.expected.tree
            && found.log == self.expected.log
            && found.status == self.expected.status;
        let (value, target) = (json!(found.tree.trim()), self.expected.tree.trim().to_owned());
        (self.tell)(Metric { name: format!("{name}.port"), value, unit: "git tree", target, ok })
    }
}

fn random(kills: usize, template: &world::World, all: &mut Comparison<'_, '_>) -> Result<()> {
    let mut random = Random(SEED);
    let (mut killed, mut syncs) = (0, 0);
    while killed < kills {
        let mut world = Disturbed::new(template);
        let mut times = 0;
        while times == 0 {
            times = world.killed_at_random(&mut random);
        }
        world.finish();
        killed += times;
        syncs += 1;
        all.same(&format!("crash.random_{syncs}"), &world)?;
    }
    (all.tell)(Metric::told("crash.random_syncs", count(syncs), "syncs"))?;
    (all.tell)(Metric::at_least("crash.random_kills", count(killed), "kills", count(kills)))
}

/// The disk fills during a sync, at a later place each time.
fn disks(template: &world::World, all: &mut Comparison<'_, '_>) -> Result<()> {
    let mut stopped = 0;
    for &room_kb in ROOM_KB {
        let full = Disturbed::new(template);
        let told = disk::on_a_disk_with(&full, room_kb)?;
        let name = format!("crash.disk_{room_kb}_kib");
        if let Some(said) = told {
            stopped += 1;
            let ok = said.to_lowercase().contains("no space left");
            let (value, target) = (json!(said), "it says that no space is left".to_owned());
            (all.tell)(Metric { name: format!("{name}.said"), value, unit: "", target, ok })?;
        }
        full.finish();
        all.same_port(&name, &full.facts())?;
        let doubled = full.doubled(all.undisturbed).1;
        (all.tell)(Metric::at_most(format!("{name}.bought_twice"), count(doubled), "answers", 0.0))?;
    }
    (all.tell)(Metric::at_least("crash.disks_that_filled", count(stopped), "syncs", 3.0))
}

/// The database is damaged in the middle of a sync.
fn databases(template: &world::World, all: &mut Comparison<'_, '_>) -> Result<()> {
    for damage in DATABASE_DAMAGES {
        let mut world = Disturbed::new(template);
        let said = world.damaged(damage).map_err(anyhow::Error::msg)?;
        (all.tell)(Metric {
            name: format!("crash.database_{}.said", damage.name),
            value: json!(said),
            unit: "",
            target: damage.says.to_owned(),
            ok: said.contains(damage.says),
        })?;
        world.finish();
        all.same_port(&format!("crash.database_{}", damage.name), &world.facts())?;
    }
    Ok(())
}

/// The database, or all of the state, may not be written any more in the middle of a sync, and then may again.
fn read_only(template: &world::World, all: &mut Comparison<'_, '_>) -> Result<()> {
    for what in READ_ONLY {
        let mut world = Disturbed::new(template);
        let said = world.refused_to_write(what).map_err(anyhow::Error::msg)?;
        let name = format!("crash.read_only_{}", what.name);
        (all.tell)(Metric {
            name: format!("{name}.said"),
            value: json!(said),
            unit: "",
            target: what.says.to_owned(),
            ok: said.contains(what.says),
        })?;
        world.finish();
        all.same(&name, &world)?;
    }
    Ok(())
}

/// How many revisions ended how.
fn outcomes(facts: &Facts) -> BTreeMap<String, usize> {
    let mut outcomes = BTreeMap::new();
    for revision in facts.record.as_array().into_iter().flatten() {
        let outcome = revision["disposition"].as_str().context("no disposition").unwrap_or("none");
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
    }
    outcomes
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn count(number: usize) -> f64 {
    number as f64
}
