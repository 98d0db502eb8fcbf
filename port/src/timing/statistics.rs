//! The rules: a sequential test on log ratios, a guard that demands proof of harm, an interval.
//!
//! A *log ratio* is `ln(after / before)` of one pair of measurements: positive means slower. Timings have
//! heavy tails and few pairs, so values are winsorised, and the variance is blended with one known from
//! measuring the same code against itself.

use serde::{Deserialize, Serialize};

use crate::bench::decide::rates::{count, upper_tail};
use crate::bench::decide::{ErrorRates, Evidence};
use crate::bench::random::Random;

/// The median absolute deviation of a normal distribution, times this, is its standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// Values are pulled in to this many deviations from the median.
const WINSOR_DEVIATIONS: f64 = 2.5;

/// The variance of standard normal values after that: what is estimated from pulled-in values is divided
/// by it, or it would be too small.
const WINSORISED_VARIANCE: f64 = 0.9775;

/// How many pairs the known variance weighs.
const PRIOR_PAIRS: f64 = 10.0;

/// Resamples behind an interval.
const RESAMPLES: usize = 2000;

/// The normal quantiles whose sum makes an effect detectable: 5 % error, 90 % power.
const DETECTION_DEVIATIONS: f64 = 1.645 + 1.282;

/// How a decision is made, and at which error rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimingRule {
    /// How often it may be wrong.
    pub rates: ErrorRates,
    /// The slowdown that must not pass, as a fraction: 0.05 is 5 %.
    pub margin: f64,
    /// The variance of a log ratio of the same code against itself on this machine.
    pub variance_known: f64,
    /// The number of pairs at which the first look is taken.
    pub pairs_min: usize,
    /// The most pairs; then it cannot be told.
    pub pairs_max: usize,
}

impl Default for TimingRule {
    /// Five percent of everything; the known variance is that of processes that scatter by five percent.
    fn default() -> Self {
        Self {
            rates: ErrorRates::default(),
            margin: 0.05,
            variance_known: 0.005,
            pairs_min: 6,
            pairs_max: 40,
        }
    }
}

impl TimingRule {
    /// The same with a margin no smaller than what this machine's noise lets one see at all.
    #[must_use]
    pub fn raised_to_detectable(self) -> Self {
        let detectable = detectable_slowdown(self.variance_known, self.pairs_max);
        Self { margin: self.margin.max(detectable), ..self }
    }

    fn log_margin(&self) -> f64 {
        self.margin.ln_1p()
    }
}

/// The smallest slowdown, as a fraction, that so many pairs of this variance detect nine times in ten.
pub fn detectable_slowdown(variance: f64, pairs: usize) -> f64 {
    (DETECTION_DEVIATIONS * (variance / count(pairs.max(1))).sqrt()).exp_m1()
}

/// The generalised sequential probability ratio test of "as fast as before" against "slower by the
/// margin", for all pairs so far. To be looked at after every second pair.
pub fn sequential_test(log_ratios: &[f64], rule: &TimingRule) -> Evidence {
    if log_ratios.len() < rule.pairs_min.max(2) {
        return Evidence::Open;
    }
    rule.rates.evidence(log_likelihood_ratio(log_ratios, rule))
}

/// How much likelier the pairs are if nothing changed than if the code is slower by the margin.
pub fn log_likelihood_ratio(log_ratios: &[f64], rule: &TimingRule) -> f64 {
    let Moments { mean, variance, pairs } = moments(log_ratios, rule.variance_known);
    let margin = rule.log_margin();
    pairs * margin * (margin - 2.0 * mean) / (2.0 * variance)
}

/// The probability of pairs as slow as these, or slower, if the slowdown were just the margin: small
/// means that harm beyond the margin is proved. To be held against [`crate::bench::decide::holm`].
pub fn harm_p_value(log_ratios: &[f64], rule: &TimingRule) -> f64 {
    if log_ratios.len() < 2 {
        return 1.0;
    }
    let Moments { mean, variance, pairs } = moments(log_ratios, rule.variance_known);
    let deviations = (mean - rule.log_margin()) / (variance / pairs).sqrt();
    upper_tail(deviations)
}

/// A ratio of medians and the interval that holds it with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInterval {
    /// The median after, divided by the median before.
    pub ratio: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The ratio of medians of pairs `(before, after)`, with a bootstrap interval over whole pairs; `None`
/// without pairs.
pub fn ratio_of_medians(pairs: &[(f64, f64)], seed: u64) -> Option<RatioInterval> {
    let ratio_in = |pairs: &mut dyn Iterator<Item = (f64, f64)>| {
        let (before, after): (Vec<f64>, Vec<f64>) = pairs.unzip();
        Some(median(&after)? / median(&before)?)
    };
    let ratio = ratio_in(&mut pairs.iter().copied())?;
    let mut random = Random::seeded(seed);
    let mut resampled = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let mut sample = (0..pairs.len()).filter_map(|_| pairs.get(random.index(pairs.len())).copied());
        resampled.push(ratio_in(&mut sample)?);
    }
    resampled.sort_by(f64::total_cmp);
    let low = *resampled.get(RESAMPLES / 40)?;
    let high = *resampled.get(RESAMPLES - 1 - RESAMPLES / 40)?;
    Some(RatioInterval { ratio, low, high })
}

/// The variance of log ratios of the same code against itself: the `variance_known` of a rule. Wild values
/// are pulled in as they are in a comparison, and not left out, or heavy tails would look like calm.
pub fn robust_variance(log_ratios: &[f64]) -> Option<f64> {
    if log_ratios.len() < 2 {
        return None;
    }
    let middle = median(log_ratios)?;
    let spread = deviation(log_ratios, middle)?;
    let kept = pulled_in(log_ratios, middle, WINSOR_DEVIATIONS * spread);
    let mean = kept.iter().sum::<f64>() / count(kept.len());
    let squares: f64 = kept.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / count(kept.len() - 1) / WINSORISED_VARIANCE).max(spread.powi(2)))
}

fn pulled_in(values: &[f64], middle: f64, reach: f64) -> Vec<f64> {
    values.iter().map(|value| value.clamp(middle - reach, middle + reach)).collect()
}

/// The mean and the variance of one pair that a decision is reckoned with.
pub fn mean_and_variance(log_ratios: &[f64], variance_known: f64) -> (f64, f64) {
    let Moments { mean, variance, .. } = moments(log_ratios, variance_known);
    (mean, variance)
}

struct Moments {
    mean: f64,
    /// Of one pair.
    variance: f64,
    pairs: f64,
}

fn moments(log_ratios: &[f64], variance_known: f64) -> Moments {
    let pairs = count(log_ratios.len());
    let blend = |variance: f64| (pairs * variance + PRIOR_PAIRS * variance_known) / (pairs + PRIOR_PAIRS);
    let middle = median(log_ratios).unwrap_or_default();
    let spread = blend(deviation(log_ratios, middle).unwrap_or_default().powi(2)).sqrt();
    let reach = WINSOR_DEVIATIONS * spread;
    let kept = pulled_in(log_ratios, middle, reach);
    let mean = kept.iter().sum::<f64>() / pairs;
    let squares: f64 = kept.iter().map(|value| (value - mean).powi(2)).sum();
    // A small sample does not know its variance well: it is taken larger. And equal measurements, as of a
    // coarse clock, do not make a certainty.
    let variance = blend(squares / (pairs - 1.0).max(1.0) / WINSORISED_VARIANCE) * (1.0 + 2.0 / pairs);
    Moments { mean, variance: variance.max(f64::EPSILON), pairs }
}

fn deviation(values: &[f64], middle: f64) -> Option<f64> {
    let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    Some(MAD_TO_DEVIATION * median(&distances)?)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*sorted.get(sorted.len() / 2 - 1)?, upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::decide::holm;
    use crate::bench::simulate::{Decisions, Machine, timing_decisions};
    use proptest::prelude::*;

    fn simulate(noise: f64, slowdown: f64) -> Decisions {
        let rule = TimingRule { pairs_max: 400, ..TimingRule::default() };
        timing_decisions(noise, slowdown, &rule, 600, 20_261_120)
    }

    #[test]
    fn unchanged_code_is_accepted_at_the_stated_rate() {
        for (noise, pairs_max) in [(0.02, 10.0), (0.05, 35.0), (0.10, 110.0)] {
            let rates = simulate(noise, 0.0);
            assert!(rates.rejected < 0.08, "noise {noise}: {} rejected", rates.rejected);
            assert!(rates.accepted > 0.91, "noise {noise}: {} accepted", rates.accepted);
            assert!(rates.pairs < pairs_max, "noise {noise}: {} pairs", rates.pairs);
        }
    }

    #[test]
    fn a_slowdown_by_the_margin_is_accepted_at_most_at_the_stated_rate() {
        for noise in [0.02, 0.05, 0.10] {
            let rates = simulate(noise, 0.05);
            assert!(rates.accepted < 0.075, "noise {noise}: {} accepted", rates.accepted);
            assert!(rates.rejected > 0.9, "noise {noise}: {} rejected", rates.rejected);
        }
    }

    #[test]
    fn twice_the_margin_is_hardly_ever_accepted_and_costs_fewer_pairs() {
        for noise in [0.02, 0.05, 0.10] {
            let rates = simulate(noise, 0.10);
            assert!(rates.accepted < 0.005, "noise {noise}: {} accepted", rates.accepted);
            assert!(rates.pairs < simulate(noise, 0.05).pairs, "noise {noise}: {} pairs", rates.pairs);
        }
    }

    #[test]
    fn guarding_many_benches_hardly_ever_blames_unchanged_code_and_finds_real_harm() {
        let rule = TimingRule { variance_known: 0.005, ..TimingRule::default() };
        let mut machine = Machine { random: Random::seeded(7), noise: 0.05 };
        let (mut blamed, mut found) = (0, 0);
        for _ in 0..200 {
            let mut p_values: Vec<f64> = (0..50)
                .map(|_| (0..20).map(|at| machine.log_ratio(0.0, at)).collect::<Vec<f64>>())
                .map(|log_ratios| harm_p_value(&log_ratios, &rule))
                .collect();
            blamed += usize::from(holm(&p_values, 0.05).contains(&true));
            let harmed: Vec<f64> = (0..20).map(|at| machine.log_ratio(0.20, at)).collect();
            p_values.push(harm_p_value(&harmed, &rule));
            found += usize::from(*holm(&p_values, 0.05).last().unwrap());
        }
        assert!(blamed <= 2, "{blamed} of 200 runs blame unchanged code");
        assert!(found >= 180, "{found} of 200 find a bench that is slower by 20 %");
    }

    #[test]
    fn the_likelihood_ratio_is_the_documented_one() {
        // Equal values: nothing is winsorised, and the variance is the known one, blended and enlarged.
        let rule = TimingRule { variance_known: 0.004, ..TimingRule::default() };
        let margin = 1.05_f64.ln();
        let variance = 10.0 * 0.004 / 18.0 * (1.0 + 2.0 / 8.0);
        let expected = 8.0 * margin * (margin - 2.0 * 0.01) / (2.0 * variance);
        assert!((log_likelihood_ratio(&[0.01; 8], &rule) - expected).abs() < 1e-9);
    }

    #[test]
    fn the_arithmetic_agrees_with_an_independent_implementation() {
        // Reckoned with numpy and scipy from the same ten log ratios.
        let log_ratios = [0.013, -0.021, 0.004, 0.0, 0.052, -0.013, 0.31, -0.005, 0.017, 0.009];
        let rule = TimingRule { variance_known: 0.0007, ..TimingRule::default() };
        assert!((log_likelihood_ratio(&log_ratios, &rule) - 7.270_355_519_087_213).abs() < 1e-9);
        assert!((harm_p_value(&log_ratios, &rule) - 0.999_970_976_642_611_3).abs() < 1e-9);
    }

    #[test]
    fn one_wild_value_does_not_decide() {
        let rule = TimingRule { variance_known: 0.0005, ..TimingRule::default() };
        let mut log_ratios = vec![0.001, -0.002, 0.0, 0.003, -0.001, 0.002, -0.003, 0.001, 0.0];
        log_ratios.push(3.0);
        assert_eq!(sequential_test(&log_ratios, &rule), Evidence::NotWorse);
    }

    #[test]
    fn too_few_pairs_decide_nothing() {
        assert_eq!(sequential_test(&[0.0; 5], &TimingRule::default()), Evidence::Open);
        assert_eq!(harm_p_value(&[9.0], &TimingRule::default()).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn the_detectable_slowdown_is_that_of_the_published_table() {
        for (noise, expected) in [(0.02_f64, 0.027), (0.05, 0.068), (0.10, 0.14)] {
            let found = detectable_slowdown(2.0 * noise.powi(2), 10);
            assert!((found - expected).abs() < 0.002, "{found}");
        }
        let raised = TimingRule { variance_known: 0.02, pairs_max: 10, ..TimingRule::default() };
        assert!(raised.raised_to_detectable().margin > 0.13);
    }

    #[test]
    fn the_interval_holds_the_ratio_and_is_reproducible() {
        let pairs: Vec<(f64, f64)> =
            (0..30).map(|i| (1.0 + count(i) / 100.0, 1.2 + count(i % 7) / 50.0)).collect();
        let interval = ratio_of_medians(&pairs, 5).unwrap();
        assert!(interval.low <= interval.ratio && interval.ratio <= interval.high, "{interval:?}");
        assert_eq!(ratio_of_medians(&pairs, 5), Some(interval));
        assert_eq!(ratio_of_medians(&[], 5), None);
    }

    proptest! {
        #[test]
        fn swapping_the_sides_of_symmetric_hypotheses_swaps_the_evidence(
            log_ratios in proptest::collection::vec(-0.2..0.2_f64, 6..40),
        ) {
            let rule = TimingRule::default();
            // Mirrored around the middle between both hypotheses.
            let mirrored: Vec<f64> = log_ratios.iter().map(|value| rule.log_margin() - value).collect();
            let opposite = match sequential_test(&mirrored, &rule) {
                Evidence::NotWorse => Evidence::Worse,
                Evidence::Worse => Evidence::NotWorse,
                Evidence::Open => Evidence::Open,
            };
            prop_assert_eq!(sequential_test(&log_ratios, &rule), opposite);
        }

        #[test]
        fn a_slower_pair_never_makes_harm_less_likely(
            log_ratios in proptest::collection::vec(-0.05..0.05_f64, 6..30), shift in 0.0..0.5_f64,
        ) {
            let rule = TimingRule::default();
            let slower: Vec<f64> = log_ratios.iter().map(|value| value + shift).collect();
            prop_assert!(harm_p_value(&slower, &rule) <= harm_p_value(&log_ratios, &rule) + 1e-9);
        }
    }
}
