//! Rates with their intervals.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Trial};

/// The quantile of the normal distribution for 95 %, two-sided.
const Z: f64 = 1.959_963_984_540_054;

/// A rate, and between what the true one lies with 95 % confidence (Wilson).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// How often it happened.
    pub times: usize,
    /// Out of how many.
    pub of: usize,
    /// The rate; 0 of nothing is 0.
    pub rate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    #[expect(clippy::cast_precision_loss, reason = "counts of trials are small")]
    /// Of so many trials so many times.
    pub fn of(times: usize, of: usize) -> Self {
        if of == 0 {
            return Self { times, of, rate: 0.0, low: 0.0, high: 1.0 };
        }
        let (n, rate) = (of as f64, times as f64 / of as f64);
        let square = Z * Z;
        let middle = (rate + square / (2.0 * n)) / (1.0 + square / n);
        let half = Z / (1.0 + square / n) * (rate * (1.0 - rate) / n + square / (4.0 * n * n)).sqrt();
        let (low, high) = ((middle - half).max(0.0), (middle + half).min(1.0));
        Self {
            times,
            of,
            rate,
            low: if times == 0 { 0.0 } else { low },
            high: if times == of { 1.0 } else { high },
        }
    }

    /// For people.
    pub(crate) fn words(&self) -> String {
        let percent = |rate: f64| format!("{:.1}", rate * 100.0);
        format!("{} % ({} to {} %)", percent(self.rate), percent(self.low), percent(self.high))
    }
}

/// One row of the table.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct OperatorRates {
    /// Changes that were tried.
    pub(crate) tried: usize,
    /// Those that the contract refused.
    pub(crate) refused: usize,
    /// Those that it accepted, and the search proved wrong.
    pub(crate) accepted: usize,
    /// Those that differ only in what the relation does not hold against a port.
    pub(crate) tolerated: usize,
    /// Those that nothing tells apart.
    pub(crate) alike: usize,
    /// Those that could not be told.
    pub(crate) inconclusive: usize,
}

impl OperatorRates {
    fn count(&mut self, outcome: Outcome) {
        self.tried += 1;
        match outcome {
            Outcome::Refused => self.refused += 1,
            Outcome::Accepted => self.accepted += 1,
            Outcome::Tolerated => self.tolerated += 1,
            Outcome::Alike => self.alike += 1,
            Outcome::Inconclusive => self.inconclusive += 1,
        }
    }

    /// Of the wrong translations that are known to be wrong, those that were accepted.
    pub(crate) fn false_accepts(&self) -> Interval {
        Interval::of(self.accepted, self.refused + self.accepted)
    }
}

/// All rates.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Rates {
    /// By row.
    pub(crate) rows: BTreeMap<&'static str, OperatorRates>,
    /// By operator; rewrites too.
    pub(crate) operators: BTreeMap<&'static str, OperatorRates>,
    /// All wrong translations.
    pub(crate) wrong: OperatorRates,
    /// All rewrites.
    pub(crate) rewrites: OperatorRates,
    /// Wrong translations that were accepted, of those that are known to be wrong.
    pub(crate) false_accept: Interval,
    /// The same, if everything that nothing told apart were wrong: the rate cannot be higher.
    pub(crate) false_accept_at_most: Interval,
    /// Rewrites that were refused.
    pub(crate) false_reject: Interval,
    /// What could not be told, of everything.
    pub(crate) inconclusive: Interval,
}

impl Rates {
    pub(crate) fn of(trials: &[Trial]) -> Self {
        let (mut wrong, mut rewrites) = (OperatorRates::default(), OperatorRates::default());
        let mut rows: BTreeMap<&'static str, OperatorRates> = BTreeMap::new();
        let mut operators: BTreeMap<&'static str, OperatorRates> = BTreeMap::new();
        for trial in trials {
            operators.entry(trial.operator).or_default().count(trial.outcome);
            match trial.row {
                Some(row) => {
                    rows.entry(row).or_default().count(trial.outcome);
                    wrong.count(trial.outcome);
                }
                None => rewrites.count(trial.outcome),
            }
        }
        let accepted = wrong.accepted + wrong.tolerated + wrong.alike;
        let told = rewrites.tried - rewrites.inconclusive;
        Self {
            false_accept: wrong.false_accepts(),
            false_accept_at_most: Interval::of(accepted, accepted + wrong.refused),
            false_reject: Interval::of(rewrites.refused, told),
            inconclusive: Interval::of(wrong.inconclusive + rewrites.inconclusive, trials.len()),
            rows,
            operators,
            wrong,
            rewrites,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_textbook() {
        // Newcombe 1998, table I, method 3.
        for (times, of, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
        {
            let interval = Interval::of(times, of);
            assert!((interval.low - low).abs() < 1e-4 && (interval.high - high).abs() < 1e-4, "{interval:?}");
        }
        assert_eq!(Interval::of(0, 0).words(), "0.0 % (0.0 to 100.0 %)");
    }

    #[test]
    fn what_may_mean_the_same_is_no_false_accept_and_bounds_the_rate() {
        let trial = |row, outcome| Trial {
            symbol: String::new(),
            operator: "one-more",
            row,
            place: String::new(),
            outcome,
            reason: String::new(),
            diff: String::new(),
        };
        let rates = Rates::of(&[
            trial(Some("option"), Outcome::Refused),
            trial(Some("option"), Outcome::Accepted),
            trial(Some("option"), Outcome::Alike),
            trial(Some("option"), Outcome::Inconclusive),
            trial(None, Outcome::Alike),
            trial(None, Outcome::Refused),
        ]);
        assert_eq!((rates.false_accept.times, rates.false_accept.of), (1, 2));
        assert_eq!((rates.false_accept_at_most.times, rates.false_accept_at_most.of), (2, 3));
        assert_eq!((rates.false_reject.times, rates.false_reject.of), (1, 2));
        assert_eq!((rates.inconclusive.times, rates.inconclusive.of), (1, 6));
    }
}
