//! The drift ledger: what many small losses came to, by audits alone.
//!
//! Audits are pairs of the port against its reference that no decision hung on. Pairs of a sequential test
//! must never enter: those that led to a merge are the lucky ones, and would hide the drift.

use serde::{Deserialize, Serialize};

use super::rates::{count, quantile};
use super::tasks::TaskPairs;

/// When the ledger stops the line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LedgerRule {
    /// After so many newer pairs an audit weighs half.
    pub half_life_pairs: f64,
    /// The gap at which the line stops, as a share.
    pub trip_gap: f64,
    /// By how many standard errors the gap must lie below zero as well.
    pub trip_deviations: f64,
}

impl Default for LedgerRule {
    /// Shorter and stricter than the published 1,600 pairs and 2 points: a longer memory lags behind losses, so
    /// that they grow and later good work is blocked for them. The price is that a line without any loss is
    /// stopped more often. `gate_drift` measures both on histories that were not used for choosing.
    fn default() -> Self {
        Self { half_life_pairs: 800.0, trip_gap: 0.015, trip_deviations: 1.645 }
    }
}

/// The gap between the port and its reference, pooled over audits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    weight: f64,
    weight_of_squares: f64,
    sum: f64,
    squares: f64,
}

impl Ledger {
    /// The ledger of all audits, oldest first.
    pub fn of<'a>(audits: impl IntoIterator<Item = &'a TaskPairs>, rule: &LedgerRule) -> Self {
        let mut ledger = Self::default();
        for audit in audits {
            ledger.audit(audit, rule);
        }
        ledger
    }

    /// Adds an audit.
    pub fn audit(&mut self, pairs: &TaskPairs, rule: &LedgerRule) {
        let faded = (-count(pairs.pairs) / rule.half_life_pairs).exp2();
        self.weight = self.weight * faded + count(pairs.pairs);
        self.weight_of_squares = self.weight_of_squares * faded * faded + count(pairs.pairs);
        self.sum = self.sum * faded + pairs.sum;
        self.squares = self.squares * faded + pairs.squares;
    }

    /// The estimated gap: below zero where the port is worse. Zero before the first audit.
    pub fn gap(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }

    /// The standard error of the gap; infinite before the first audit.
    pub fn standard_error(&self) -> f64 {
        if self.weight <= 0.0 {
            return f64::INFINITY;
        }
        let variance = (self.squares + 2.0) / (self.weight + 2.0) - (self.sum / (self.weight + 2.0)).powi(2);
        (variance * self.weight_of_squares).sqrt() / self.weight
    }

    /// The lower end of the one-sided 95 % interval of the gap. A mark of what the port has reached moves
    /// up by this only: the best of many runs overstates the truth, and then nothing passes any more.
    pub fn lower_bound(&self) -> f64 {
        self.gap() - quantile(0.95) * self.standard_error()
    }

    /// Whether the line stops: the gap is too large, and not by chance.
    pub fn is_tripped(&self, rule: &LedgerRule) -> bool {
        let gap = self.gap();
        gap <= -rule.trip_gap && -gap >= rule.trip_deviations * self.standard_error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(better: usize, worse: usize, same: usize) -> TaskPairs {
        let mut pairs = TaskPairs::default();
        (0..better).for_each(|_| pairs.add(1.0, 0.0));
        (0..worse).for_each(|_| pairs.add(0.0, 1.0));
        (0..same).for_each(|_| pairs.add(0.0, 0.0));
        pairs
    }

    #[test]
    fn small_losses_add_up_to_a_trip() {
        let rule = LedgerRule::default();
        let mut ledger = Ledger::default();
        assert!(!ledger.is_tripped(&rule), "without audits nothing is known");
        ledger.audit(&audit(4, 6, 70), &rule);
        assert!(ledger.gap() < -rule.trip_gap && !ledger.is_tripped(&rule), "one audit may be chance");
        for _ in 0..9 {
            ledger.audit(&audit(4, 6, 70), &rule);
        }
        assert!(ledger.is_tripped(&rule), "{ledger:?} {}", ledger.standard_error());
    }

    #[test]
    fn old_audits_fade() {
        let rule = LedgerRule::default();
        let old = audit(0, 160, 1440);
        let mut ledger = Ledger::of([&old], &rule);
        assert!(ledger.is_tripped(&rule));
        for _ in 0..10 {
            ledger.audit(&audit(80, 80, 1440), &rule);
        }
        assert!(!ledger.is_tripped(&rule) && ledger.gap().abs() < 0.001, "{}", ledger.gap());
    }

    #[test]
    fn the_mark_moves_up_by_the_lower_bound_only() {
        let ledger = Ledger::of([&audit(20, 10, 50)], &LedgerRule::default());
        assert!(ledger.gap() > 0.1 && ledger.lower_bound() < 0.05);
        assert!(Ledger::default().lower_bound().is_infinite());
    }
}
