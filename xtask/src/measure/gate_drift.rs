//! Histories of a hundred syncs with many small losses: what the ledger leaves of them.

use std::path::PathBuf;

use anyhow::{Result, bail};
use port::bench::decide::{LedgerRule, TaskRule};
use port::bench::simulate::{DriftOutcome, DriftWorld, HabitOfLoss, SuiteWorld, drift};

use super::{Metric, Tell};

/// Histories behind each number.
const HISTORIES: usize = 400;

/// Histories that were not looked at when the ledger's rule was chosen; that was done with seed 3.
const SEED: u64 = 20_261_121;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `gate_drift` takes no repository: its histories are simulated");
    }
    let usual = LedgerRule::default();
    let mixed = play(usual, HabitOfLoss::Mixed);
    tell(Metric::at_least("gate_drift.mixed.gap_mean", points(mixed.gap_mean), "points", -2.0))?;
    let worst = points(mixed.gap_worst_low);
    tell(Metric::at_least("gate_drift.mixed.gap_worst_5th_percentile", worst, "points", -5.0))?;
    tell(Metric::at_most("gate_drift.mixed.good_blocked", mixed.good_blocked, "share", 0.20))?;
    tell(Metric::told("gate_drift.mixed.trips", mixed.trips, "stops in 100 syncs"))?;
    others("gate_drift", usual, tell)?;
    // The rule that the published simulation used, beside it.
    let published = LedgerRule { half_life_pairs: 1600.0, trip_gap: 0.02, ..usual };
    let mixed = play(published, HabitOfLoss::Mixed);
    let named = |what: &str| format!("gate_drift.half_life_1600_trip_2.mixed.{what}");
    tell(Metric::told(named("gap_mean"), points(mixed.gap_mean), "points"))?;
    tell(Metric::told(named("gap_worst_5th_percentile"), points(mixed.gap_worst_low), "points"))?;
    tell(Metric::told(named("good_blocked"), mixed.good_blocked, "share"))?;
    tell(Metric::told(named("trips"), mixed.trips, "stops in 100 syncs"))?;
    others("gate_drift.half_life_1600_trip_2", published, tell)
}

/// Histories without losses, and histories of nothing else.
fn others(name: &str, ledger: LedgerRule, tell: &mut Tell<'_>) -> Result<()> {
    let named = |what: &str| format!("{name}.{what}");
    let neutral = play(ledger, HabitOfLoss::Neutral);
    tell(Metric::told(named("neutral.good_blocked"), neutral.good_blocked, "share"))?;
    tell(Metric::told(named("neutral.trips"), neutral.trips, "stops in 100 syncs"))?;
    let creep = play(ledger, HabitOfLoss::Creep);
    tell(Metric::told(named("creep.gap_mean"), points(creep.gap_mean), "points"))?;
    tell(Metric::told(named("creep.gap_worst_5th_percentile"), points(creep.gap_worst_low), "points"))?;
    tell(Metric::told(named("creep.trips"), creep.trips, "stops in 100 syncs"))
}

fn play(ledger: LedgerRule, habit: HabitOfLoss) -> DriftOutcome {
    let world = DriftWorld {
        suite: SuiteWorld { tasks: 80, discordance: 0.13 },
        habit,
        syncs: 100,
        audit_pairs: 80,
        rule: TaskRule::default(),
        ledger,
    };
    drift(&world, HISTORIES, SEED)
}

fn points(share: f64) -> f64 {
    share * 100.0
}
