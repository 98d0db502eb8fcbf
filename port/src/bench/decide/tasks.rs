//! Task suites: a sequential test on pairs of runs of the same task.
//!
//! A pair is one run of each side on one task; its difference is `candidate - reference`: -1, 0 or 1 for
//! passed and failed, anything between for scores. The likelihood ratio is the generalised one of normal
//! differences, as chess engines are tested.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};

use super::rates::{ErrorRates, Evidence, count, quantile};
use super::stored::StoredScore;

/// Pairs that are imagined at each end before anything was seen. Without them a suite in which nothing
/// differed yet would look free of noise: with a thousandth of a pair, as chess engines have it, a loss of
/// 5 points is accepted in a quarter of all cases on 80 tasks.
const IMAGINED_PAIRS: f64 = 1.0;

/// How a decision is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TaskRule {
    /// How often it may be wrong.
    pub rates: ErrorRates,
    /// The loss that must not pass, as a share: 0.05 is 5 points.
    pub margin: f64,
    /// The change that counts as none: the known gap, where the reference is the upstream.
    pub centre: f64,
    /// The number of pairs at which the first look is taken.
    pub pairs_min: usize,
    /// Pairs between two looks.
    pub pairs_step: usize,
    /// The most pairs; then it cannot be told.
    pub pairs_max: usize,
}

impl Default for TaskRule {
    /// For 50 to 150 tasks and twelve rounds of 80.
    fn default() -> Self {
        Self {
            rates: ErrorRates::default(),
            margin: 0.05,
            centre: 0.0,
            pairs_min: 24,
            pairs_step: 8,
            pairs_max: 960,
        }
    }
}

impl TaskRule {
    /// Whether the evidence is looked at after so many pairs.
    pub fn looks_at(&self, pairs: usize) -> bool {
        pairs >= self.pairs_min && pairs.is_multiple_of(self.pairs_step.max(1))
    }
}

/// The pairs so far, as their sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskPairs {
    /// How many.
    pub pairs: usize,
    /// The sum of their differences.
    pub sum: f64,
    /// The sum of the squares of their differences.
    pub squares: f64,
    /// Pairs in which the candidate alone was better.
    pub better: usize,
    /// Pairs in which the reference alone was better.
    pub worse: usize,
    /// What stored means of the reference add to the variance of the sum, because each repeats its error in
    /// every pair of its task: the sum of `(uses² - uses)` times the variance of the mean. 0 without them.
    #[serde(default)]
    pub repeated: f64,
}

impl TaskPairs {
    /// Adds a pair.
    pub fn add(&mut self, candidate: f64, reference: f64) {
        let difference = candidate - reference;
        self.pairs += 1;
        self.sum += difference;
        self.squares += difference * difference;
        self.better += usize::from(difference > 0.0);
        self.worse += usize::from(difference < 0.0);
    }

    /// Adds a pair whose reference is the mean of stored runs, which served so many pairs before this one.
    pub fn add_stored(&mut self, candidate: f64, reference: &StoredScore, uses: usize) {
        self.add(candidate, reference.mean);
        self.repeated += 2.0 * count(uses) * reference.variance;
    }

    /// These pairs and others, as one.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self {
            pairs: self.pairs + others.pairs,
            sum: self.sum + others.sum,
            squares: self.squares + others.squares,
            better: self.better + others.better,
            worse: self.worse + others.worse,
            repeated: self.repeated + others.repeated,
        }
    }

    /// The mean difference.
    pub fn mean(&self) -> f64 {
        self.sum / count(self.pairs.max(1))
    }

    /// The variance of one difference, with the imagined pairs and the repeated errors of stored means.
    pub fn variance(&self) -> f64 {
        let pairs = count(self.pairs) + 2.0 * IMAGINED_PAIRS;
        let own = (self.squares + 2.0 * IMAGINED_PAIRS) / pairs - (self.sum / pairs).powi(2);
        own + self.repeated / count(self.pairs.max(1))
    }

    /// How much likelier the pairs are if nothing was lost than if the margin was.
    pub fn log_likelihood_ratio(&self, rule: &TaskRule) -> f64 {
        let above = self.mean() - rule.centre;
        count(self.pairs) * rule.margin * (2.0 * above + rule.margin) / (2.0 * self.variance())
    }

    /// What they say.
    pub fn evidence(&self, rule: &TaskRule) -> Evidence {
        if self.pairs < rule.pairs_min {
            return Evidence::Open;
        }
        rule.rates.evidence(self.log_likelihood_ratio(rule))
    }

    /// Half the width of an interval around the mean that holds the truth at every look with 90 %
    /// probability, however often one looks: a normal mixture confidence sequence. For people who watch;
    /// the decision is made by [`Self::evidence`].
    pub fn half_width_at_any_time(&self) -> f64 {
        const MISSED: f64 = 0.10;
        const TUNED_FOR_PAIRS: f64 = 400.0;
        if self.pairs == 0 {
            return f64::INFINITY;
        }
        let pairs = count(self.pairs);
        let spread = (1.0 - 2.0 * MISSED.ln()).ln() - 2.0 * MISSED.ln();
        let spread = spread / TUNED_FOR_PAIRS;
        let grown = pairs * spread + 1.0;
        let width = 2.0 * grown / (pairs * pairs * spread) * (grown.sqrt() / MISSED).ln();
        (self.variance() * width).sqrt()
    }

    /// Half the width of the ordinary 95 % interval around the mean, for reports of a finished run.
    pub fn half_width(&self) -> f64 {
        if self.pairs == 0 {
            return f64::INFINITY;
        }
        quantile(0.975) * (self.variance() / count(self.pairs)).sqrt()
    }

    /// The exact two-sided probability of so lopsided a split of the differing pairs, if both sides were
    /// equal (`McNemar`'s test). A description: not being significant proves nothing.
    pub fn lopsided_p_value(&self) -> f64 {
        let differing = self.better + self.worse;
        let fewer = self.better.min(self.worse);
        if differing == 0 {
            return 1.0;
        }
        let Ok(binomial) = Binomial::new(0.5, u64::try_from(differing).unwrap_or(u64::MAX)) else {
            return 1.0;
        };
        (2.0 * binomial.cdf(u64::try_from(fewer).unwrap_or(u64::MAX))).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(better: usize, worse: usize, same: usize) -> TaskPairs {
        let mut pairs = TaskPairs::default();
        (0..better).for_each(|_| pairs.add(1.0, 0.0));
        (0..worse).for_each(|_| pairs.add(0.0, 1.0));
        (0..same).for_each(|_| pairs.add(1.0, 1.0));
        pairs
    }

    #[test]
    fn the_likelihood_ratio_is_the_documented_one() {
        // n = 40, sum = -2, squares = 6: variance 8/42 - (2/42)^2, mean -0.05.
        let found = pairs(2, 4, 34);
        let variance = 8.0 / 42.0 - (2.0_f64 / 42.0).powi(2);
        let expected = 40.0 * 0.05 * (2.0 * -0.05 + 0.05) / (2.0 * variance);
        assert!((found.log_likelihood_ratio(&TaskRule::default()) - expected).abs() < 1e-12);
        let centred = TaskRule { centre: -0.05, ..TaskRule::default() };
        assert!(found.log_likelihood_ratio(&centred) > 0.0, "a known gap is no loss");
    }

    #[test]
    fn a_suite_in_which_nothing_differs_is_not_accepted_at_once() {
        assert_eq!(pairs(0, 0, 24).evidence(&TaskRule::default()), Evidence::Open);
        assert_eq!(pairs(0, 0, 500).evidence(&TaskRule::default()), Evidence::NotWorse);
        assert_eq!(pairs(0, 23, 0).evidence(&TaskRule::default()), Evidence::Open, "before the first look");
        assert_eq!(pairs(0, 24, 0).evidence(&TaskRule::default()), Evidence::Worse);
    }

    #[test]
    fn the_error_of_a_stored_mean_does_not_fade_with_more_pairs() {
        let stored = StoredScore { mean: 0.5, variance: 0.04, runs: 4, oldest_ms: 0 };
        let mut pairs = TaskPairs::default();
        for uses in 0..100 {
            pairs.add_stored(f64::from(u8::from(uses % 2 == 0)), &stored, uses);
        }
        // One task, used a hundred times: the variance of the mean difference is that of the stored mean at least.
        let of_the_mean = pairs.variance() / 100.0;
        assert!(of_the_mean > 0.04 && of_the_mean < 0.045, "{of_the_mean}");
    }

    #[test]
    fn mcnemars_probability_is_exact() {
        assert!((pairs(1, 5, 10).lopsided_p_value() - 14.0 / 64.0).abs() < 1e-12);
        assert!((pairs(0, 0, 3).lopsided_p_value() - 1.0).abs() < 1e-12);
        assert!((pairs(2, 2, 3).lopsided_p_value() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_arithmetic_agrees_with_an_independent_implementation() {
        // Reckoned with scipy from the same sums.
        let found = TaskPairs { pairs: 317, sum: -7.0, squares: 41.0, better: 17, worse: 24, repeated: 0.0 };
        let rule = TaskRule { centre: -0.01, ..TaskRule::default() };
        assert!((found.log_likelihood_ratio(&rule) - 1.524_404_795_873_573_1).abs() < 1e-9);
        assert!((found.lopsided_p_value() - 0.348_888_879_449_077_65).abs() < 1e-9);
        let rates = ErrorRates { alpha: 0.05, beta: 0.02 };
        assert!((rates.fixed_pairs(0.2, 0.02) - 6840.0).abs() < 1e-9);
        assert!((rates.detectable(0.2, 4000) - 0.026_153_069_352_389_202).abs() < 1e-9);
    }

    #[test]
    fn the_interval_at_any_time_is_the_wider_one() {
        let found = pairs(20, 30, 350);
        assert!(found.half_width_at_any_time() > found.half_width());
        assert!(found.half_width_at_any_time() < 0.1);
        assert!(TaskPairs::default().half_width_at_any_time().is_infinite());
    }

    proptest! {
        #[test]
        fn swapping_the_sides_mirrors_the_evidence_around_the_middle(
            better in 0_usize..60, worse in 0_usize..60, same in 24_usize..200,
        ) {
            // Centred so that both hypotheses lie at the same distance from zero.
            let rule = TaskRule { centre: 0.025, ..TaskRule::default() };
            let (one, other) = (pairs(better, worse, same), pairs(worse, better, same));
            let sum = one.log_likelihood_ratio(&rule) + other.log_likelihood_ratio(&rule);
            prop_assert!(sum.abs() < 1e-9);
        }

        #[test]
        fn one_more_loss_never_speaks_for_the_candidate(
            better in 0_usize..40, worse in 0_usize..40, same in 1_usize..200,
        ) {
            let rule = TaskRule::default();
            let (before, after) = (pairs(better, worse, same), pairs(better, worse + 1, same - 1));
            prop_assert!(after.mean() < before.mean());
            prop_assert!(
                after.log_likelihood_ratio(&rule) < before.log_likelihood_ratio(&rule)
                    || before.log_likelihood_ratio(&rule) < 0.0
            );
        }
    }
}
