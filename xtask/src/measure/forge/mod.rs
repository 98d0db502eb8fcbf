//! The pull-request bot against the fake forge of the tests: random schedules, with the promises as assertions.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{Metric, Tell};

#[path = "../../../../pipeline/tests/it/forge/mod.rs"]
#[expect(clippy::unwrap_used, clippy::panic, reason = "the tests' own, used as it is")]
mod fake;
mod schemas;

use fake::schedules::play;

/// How many schedules are played where nothing else is asked for.
const SCHEDULES: usize = 1000;

pub(super) fn run(
    schedules: Option<usize>,
    published: &[PathBuf],
    repositories: &[PathBuf],
    tell: &mut Tell<'_>,
) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `forge` takes no repository: it makes its own forge and port");
    }
    for path in published {
        let (kind, prefix, description) = schemas::read(path)?;
        let ours: Value =
            serde_json::from_str(include_str!("../../../../pipeline/tests/it/forge/operations.json"))
                .context("our own description is no JSON")?;
        let ours = &ours[kind]["operations"];
        let wrong = schemas::compare(ours, &description, prefix);
        let used = ours.as_object().map_or(0, serde_json::Map::len);
        tell(Metric::told(format!("forge.{kind}_operations"), count(used), "operations"))?;
        tell(Metric {
            name: format!("forge.{kind}_not_as_published"),
            value: json!(wrong),
            unit: "differences",
            target: "none".to_owned(),
            ok: wrong.is_empty(),
        })?;
    }
    let wanted = schedules.unwrap_or(SCHEDULES);
    let (mut broken, mut requests) = (Vec::new(), 0);
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..wanted {
        let report = play(1_000_000 + seed as u64);
        requests += report.requests;
        for (what, times) in report.told {
            *told.entry(what).or_default() += times;
        }
        if !report.violations.is_empty() {
            broken.push(json!({ "seed": 1_000_000 + seed, "violations": report.violations }));
        }
    }
    tell(Metric::told("forge.schedules", count(wanted), "schedules"))?;
    tell(Metric::told("forge.requests", count(requests), "requests"))?;
    let what = Metric {
        name: "forge.what_happened".to_owned(),
        value: json!(told),
        unit: "times",
        target: String::new(),
        ok: true,
    };
    tell(what)?;
    let ok = broken.is_empty();
    tell(Metric {
        name: "forge.broken_promises".to_owned(),
        value: json!(broken),
        unit: "schedules",
        target: "none".to_owned(),
        ok,
    })
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}
