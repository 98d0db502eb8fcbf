//! The decision about task suites over simulated agents: its error rates and its cost.

use std::path::PathBuf;

use anyhow::{Result, bail};
use port::bench::decide::{ErrorRates, TaskRule};
use port::bench::simulate::{StoredDecisions, StoredWorld, SuiteWorld, stored_decisions, task_decisions};

use super::{Metric, Tell};

const SEED: u64 = 20_261_120;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `gate_suites` takes no repository: its agents are simulated");
    }
    let eighty = SuiteWorld { tasks: 80, discordance: 0.13 };
    let rule = TaskRule::default();
    let decide = |change: f64| task_decisions(&eighty, change, &rule, 4000, SEED);
    let none = decide(0.0);
    tell(Metric::at_least("gate_suites.tasks_80.no_change.accepted", none.accepted, "share", 0.94))?;
    tell(Metric::told("gate_suites.tasks_80.no_change.rejected", none.rejected, "share"))?;
    tell(Metric::told("gate_suites.tasks_80.no_change.held", none.held, "share"))?;
    tell(Metric::at_most("gate_suites.tasks_80.no_change.mean_pairs", none.pairs, "pairs", 330.0))?;
    let fixed = ErrorRates::default().fixed_pairs(eighty.discordance, rule.margin);
    tell(Metric::told("gate_suites.tasks_80.fixed_design", fixed, "pairs"))?;
    let five = decide(-0.05);
    tell(Metric::at_most("gate_suites.tasks_80.minus_5.accepted", five.accepted, "share", 0.03))?;
    tell(Metric::told("gate_suites.tasks_80.minus_5.rejected", five.rejected, "share"))?;
    tell(Metric::told("gate_suites.tasks_80.minus_5.mean_pairs", five.pairs, "pairs"))?;
    let ten = decide(-0.10);
    tell(Metric::at_most("gate_suites.tasks_80.minus_10.accepted", ten.accepted, "share", 0.001))?;
    tell(Metric::told("gate_suites.tasks_80.minus_2.accepted", decide(-0.02).accepted, "share"))?;

    stored(&eighty, &rule, tell)?;

    let large = SuiteWorld { tasks: 500, discordance: 0.20 };
    let rule = TaskRule { margin: 0.02, pairs_max: 8 * 500, ..TaskRule::default() };
    let lost = task_decisions(&large, -0.02, &rule, 2000, SEED);
    tell(Metric::at_most("gate_suites.tasks_500.minus_2.accepted", lost.accepted, "share", 0.05))?;
    let none = task_decisions(&large, 0.0, &rule, 2000, SEED);
    tell(Metric::told("gate_suites.tasks_500.no_change.accepted", none.accepted, "share"))?;
    tell(Metric::told("gate_suites.tasks_500.no_change.rejected", none.rejected, "share"))?;
    tell(Metric::told("gate_suites.tasks_500.no_change.mean_pairs", none.pairs, "pairs"))
}

/// Against stored runs of the reference, in the world that they were made in and in one that moved since.
fn stored(suite: &SuiteWorld, rule: &TaskRule, tell: &mut Tell<'_>) -> Result<()> {
    let decide = |runs, shift, change| -> StoredDecisions {
        let world = StoredWorld { suite: *suite, runs, shift };
        stored_decisions(&world, change, rule, 4000, SEED)
    };
    for (runs, name) in [(10, "stored_10"), (4, "stored_4")] {
        let named = |what: &str| format!("gate_suites.{name}.{what}");
        let (none, five) = (decide(runs, 0.0, 0.0), decide(runs, 0.0, -0.05));
        tell(Metric::at_most(named("minus_5.accepted"), five.decisions.accepted, "share", 0.03))?;
        tell(Metric::told(named("no_change.accepted"), none.decisions.accepted, "share"))?;
        tell(Metric::told(named("no_change.rejected"), none.decisions.rejected, "share"))?;
        tell(Metric::told(named("no_change.held"), none.decisions.held, "share"))?;
        tell(Metric::told(named("no_change.mean_agent_runs"), none.agent_runs, "runs"))?;
        tell(Metric::told(named("no_change.dropped_by_sentinels"), none.dropped, "share"))?;
    }
    for (shift, name) in [(-0.02, "stored_10.shift_minus_2"), (0.02, "stored_10.shift_plus_2")] {
        let named = |what: &str| format!("gate_suites.{name}.{what}");
        let (none, five) = (decide(10, shift, 0.0), decide(10, shift, -0.05));
        tell(Metric::told(named("minus_5.accepted"), five.decisions.accepted, "share"))?;
        tell(Metric::told(named("no_change.accepted"), none.decisions.accepted, "share"))?;
        tell(Metric::told(named("no_change.rejected"), none.decisions.rejected, "share"))?;
        tell(Metric::told(named("no_change.mean_agent_runs"), none.agent_runs, "runs"))?;
        tell(Metric::told(named("no_change.dropped_by_sentinels"), none.dropped, "share"))?;
    }
    Ok(())
}
