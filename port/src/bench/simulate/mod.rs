//! Suites, machines and histories of known quality, played with seeds: how often the rules decide wrongly
//! is measured on them, in tests and in `cargo xtask measure`.

mod drift;
mod machine;
mod stored;
mod suite;

pub use drift::{DriftOutcome, DriftWorld, HabitOfLoss, drift};
pub use machine::{Machine, timing_decisions};
pub use stored::{StoredDecisions, StoredWorld, stored_decisions};
pub use suite::{SuiteWorld, task_decision, task_decisions};

use crate::bench::decide::Evidence;
use crate::bench::decide::rates::count;

/// How many decisions went which way.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Decisions {
    /// The share that accepted.
    pub accepted: f64,
    /// The share that rejected.
    pub rejected: f64,
    /// The share that could not tell.
    pub held: f64,
    /// Pairs spent, on average.
    pub pairs: f64,
}

impl Decisions {
    /// Counts single decisions with their pairs.
    pub fn of(decisions: impl IntoIterator<Item = (Evidence, usize)>) -> Self {
        let (mut sums, mut decided) = (Self::default(), 0.0_f64);
        for (evidence, pairs) in decisions {
            match evidence {
                Evidence::NotWorse => sums.accepted += 1.0,
                Evidence::Worse => sums.rejected += 1.0,
                Evidence::Open => sums.held += 1.0,
            }
            sums.pairs += count(pairs);
            decided += 1.0;
        }
        let share = |sum: f64| sum / decided.max(1.0);
        Self {
            accepted: share(sums.accepted),
            rejected: share(sums.rejected),
            held: share(sums.held),
            pairs: share(sums.pairs),
        }
    }
}
