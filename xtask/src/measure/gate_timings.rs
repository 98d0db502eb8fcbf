//! The decision about timings on simulated machines: its error rates and its cost.

use std::path::PathBuf;

use anyhow::{Result, bail};
use port::bench::simulate::timing_decisions;
use port::timing::statistics::TimingRule;

use super::{Metric, Tell};

const SEED: u64 = 20_261_120;

/// Decisions behind each number.
const DECISIONS: usize = 4000;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `gate_timings` takes no repository: its machines are simulated");
    }
    // As many pairs as it takes: a cap would turn errors into decisions that hold.
    let rule = TimingRule { pairs_max: 400, ..TimingRule::default() };
    for (noise, name) in [(0.02, "noise_2"), (0.05, "noise_5"), (0.10, "noise_10")] {
        let decide = |slowdown: f64| timing_decisions(noise, slowdown, &rule, DECISIONS, SEED);
        let (none, margin, twice) = (decide(0.0), decide(rule.margin), decide(2.0 * rule.margin));
        let named = |what: &str| format!("gate_timings.{name}.{what}");
        tell(Metric::at_most(named("no_change.rejected"), none.rejected, "share", 0.06))?;
        tell(Metric::told(named("no_change.accepted"), none.accepted, "share"))?;
        tell(Metric::told(named("no_change.mean_pairs"), none.pairs, "pairs"))?;
        tell(Metric::at_most(named("slower_by_margin.accepted"), margin.accepted, "share", 0.05))?;
        tell(Metric::told(named("slower_by_margin.mean_pairs"), margin.pairs, "pairs"))?;
        tell(Metric::at_most(named("slower_by_twice.accepted"), twice.accepted, "share", 0.001))?;
    }
    Ok(())
}
