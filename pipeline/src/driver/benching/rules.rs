//! The settings of a benchmark to the rule that it is decided by.

use std::fmt;

use port::bench::decide::{ErrorRates, TaskRule};
use port::bench::run::{Kind, ValueRule};
use port::timing::statistics::{TimingRule, detectable_slowdown};
use port::timing::{Calibration, Judgement};

use crate::config::bench::{BenchKind, BenchSettings};

/// From so many tasks on a suite is large.
const LARGE: usize = 400;

/// How often every task of a small or a large suite is run on each side, at most.
const ROUNDS: [usize; 2] = [12, 8];

/// The fewest pairs at which a task suite is given up: what ordinary discordance takes at 5 points.
const TASK_PAIRS_MIN: usize = 600;

/// The share of tasks on which two runs of the same agent disagree: the median over public agents.
const DISCORDANCE: f64 = 0.13;

/// A margin, and the smallest loss that the pairs can detect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Margin {
    /// The margin in force.
    pub(crate) loss: f64,
    /// The smallest loss that the most pairs can tell from none.
    pub(crate) detectable: f64,
    /// Whether the configuration gives it.
    pub(crate) given: bool,
}

impl Margin {
    /// Whether it was given and cannot be kept.
    pub(crate) fn refused(self) -> bool {
        self.given && self.loss < self.detectable
    }
}

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (margin, detectable) = (self.loss * 100.0, self.detectable * 100.0);
        if self.refused() {
            write!(
                f,
                "a margin of {margin:.1} % is below the {detectable:.1} % that these pairs can detect here: raise \
                 `margin` or `pairs-max`"
            )
        } else {
            write!(f, "margin {margin:.1} %, detectable from {detectable:.1} %")
        }
    }
}

/// A rule with its margin.
pub(super) struct Posed {
    pub(super) kind: Kind,
    pub(super) margin: Margin,
}

/// The rule of a benchmark: one of so many endpoints, at its so-manieth submission, with a known gap.
pub(super) fn posed(
    bench: &BenchSettings,
    calibration: Option<Calibration>,
    endpoints: usize,
    submission: u32,
    gap: f64,
) -> Posed {
    let rates = ErrorRates::default().split_over(endpoints).of_submission(submission);
    match bench.kind {
        BenchKind::Tasks => tasks(bench, rates, gap),
        BenchKind::Values => values(bench, rates, calibration),
    }
}

fn tasks(bench: &BenchSettings, rates: ErrorRates, gap: f64) -> Posed {
    let large = bench.tasks.len() >= LARGE;
    let rounds = ROUNDS[usize::from(large)];
    let pairs_max = bench.pairs_max.unwrap_or((rounds * bench.tasks.len()).max(TASK_PAIRS_MIN));
    let margin = Margin {
        loss: bench.margin.unwrap_or(if large { 0.02 } else { 0.05 }),
        detectable: rates.detectable(DISCORDANCE, pairs_max),
        given: bench.margin.is_some(),
    };
    let rule = TaskRule { rates, margin: margin.loss, centre: gap, pairs_max, ..TaskRule::default() };
    Posed { kind: Kind::Tasks(rule), margin }
}

fn values(bench: &BenchSettings, rates: ErrorRates, calibration: Option<Calibration>) -> Posed {
    let usual = TimingRule::default();
    let pairs_max = bench.pairs_max.unwrap_or(usual.pairs_max);
    let variance = calibration.as_ref().map_or(usual.variance_known, |calibration| calibration.overall);
    let detectable = detectable_slowdown(variance, pairs_max);
    let margin = Margin {
        loss: bench.margin.unwrap_or_else(|| detectable.max(0.03)),
        detectable,
        given: bench.margin.is_some(),
    };
    let rule = TimingRule { rates, margin: margin.loss, variance_known: variance, pairs_max, ..usual };
    let judgement = Judgement { rule, calibration, seed: super::SEED };
    let rule = ValueRule { judgement, harm_margin: bench.harm_margin, direction: bench.direction };
    Posed { kind: Kind::Values(rule), margin }
}
