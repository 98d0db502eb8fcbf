//! Machines on which the same process takes a different time each time.

use super::Decisions;
use crate::bench::decide::Evidence;
use crate::bench::decide::rates::count;
use crate::bench::random::Random;
use crate::timing::statistics::{TimingRule, robust_variance, sequential_test};

/// Pairs of the calibration.
const CALIBRATION_PAIRS: usize = 40;

/// A machine whose processes scatter, with heavy tails, while it drifts by five percent.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Where its chance comes from.
    pub random: Random,
    /// The deviation of the logarithm of a process's time.
    pub noise: f64,
}

impl Machine {
    /// One process in twenty is disturbed, as by another program.
    fn scatter(&mut self) -> f64 {
        let disturbed = if self.random.uniform() < 0.05 { 2.5 } else { 1.0 };
        self.noise * disturbed * self.random.normal()
    }

    /// The log ratio of the pair at a place, where the candidate is slower by this share.
    pub fn log_ratio(&mut self, slowdown: f64, at: usize) -> f64 {
        let drift = 0.05 * (count(at) / 10.0).sin();
        let [before, after] = [drift + self.scatter(), drift + slowdown.ln_1p() + self.scatter()];
        after - before
    }

    /// What the same code shows against itself.
    pub fn calibrated(&mut self) -> f64 {
        let same: Vec<f64> = (0..CALIBRATION_PAIRS).map(|at| self.log_ratio(0.0, at)).collect();
        robust_variance(&same).unwrap_or_default()
    }
}

/// Many decisions about a true slowdown, each on a machine that was calibrated for it.
pub fn timing_decisions(
    noise: f64,
    slowdown: f64,
    rule: &TimingRule,
    decisions: usize,
    seed: u64,
) -> Decisions {
    let mut machine = Machine { random: Random::seeded(seed), noise };
    Decisions::of((0..decisions).map(|_| {
        let rule = TimingRule { variance_known: machine.calibrated(), ..*rule };
        let mut log_ratios = Vec::new();
        loop {
            for _ in 0..2 {
                log_ratios.push(machine.log_ratio(slowdown, log_ratios.len()));
            }
            let evidence = sequential_test(&log_ratios, &rule);
            if evidence != Evidence::Open || log_ratios.len() >= rule.pairs_max {
                return (evidence, log_ratios.len());
            }
        }
    }))
}
