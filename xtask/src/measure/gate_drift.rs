//! Histories of a hundred syncs with many small losses: what the ledger leaves of them.

use std::path::PathBuf;

use anyhow::{Result, bail};
use port::bench::decide::{LedgerRule, TaskRule};
use port::bench::simulate::{DriftWorld, HabitOfLoss, SuiteWorld, drift};

use super::{Metric, Tell};

/// Histories behind each number.
const HISTORIES: usize = 400;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `gate_drift` takes no repository: its histories are simulated");
    }
    let play = |habit| {
        let world = DriftWorld {
            suite: SuiteWorld { tasks: 80, discordance: 0.13 },
            habit,
            syncs: 100,
            audit_pairs: 80,
            rule: TaskRule::default(),
            ledger: LedgerRule::default(),
        };
        drift(&world, HISTORIES, 3)
    };
    let points = |share: f64| share * 100.0;
    let mixed = play(HabitOfLoss::Mixed);
    tell(Metric::at_least("gate_drift.mixed.gap_mean", points(mixed.gap_mean), "points", -2.0))?;
    let worst = points(mixed.gap_worst_low);
    tell(Metric::at_least("gate_drift.mixed.gap_worst_5th_percentile", worst, "points", -5.0))?;
    tell(Metric::at_most("gate_drift.mixed.good_blocked", mixed.good_blocked, "share", 0.20))?;
    tell(Metric::told("gate_drift.mixed.trips", mixed.trips, "stops in 100 syncs"))?;
    let neutral = play(HabitOfLoss::Neutral);
    tell(Metric::told("gate_drift.neutral.good_blocked", neutral.good_blocked, "share"))?;
    tell(Metric::told("gate_drift.neutral.trips", neutral.trips, "stops in 100 syncs"))?;
    let creep = play(HabitOfLoss::Creep);
    tell(Metric::told("gate_drift.creep.gap_mean", points(creep.gap_mean), "points"))?;
    tell(Metric::told("gate_drift.creep.gap_worst_5th_percentile", points(creep.gap_worst_low), "points"))?;
    tell(Metric::told("gate_drift.creep.trips", creep.trips, "stops in 100 syncs"))
}
