//! The error rates of a sequential test, and what they make of the evidence.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// How often a decision may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorRates {
    /// The probability of accepting a loss of exactly the margin.
    pub alpha: f64,
    /// The probability of rejecting what lost nothing.
    pub beta: f64,
}

impl Default for ErrorRates {
    fn default() -> Self {
        Self { alpha: 0.05, beta: 0.05 }
    }
}

impl ErrorRates {
    /// For one of several endpoints that must all be proved. Accepting needs every proof, so `alpha` stays;
    /// one false rejection is enough to reject, so `beta` is split.
    #[must_use]
    pub fn split_over(self, endpoints: usize) -> Self {
        Self { beta: self.beta / count(endpoints.max(1)), ..self }
    }

    /// For the `submission`-th try, from 1, at the same upstream change: whoever may try ten times must not
    /// pass by luck. The first try keeps `alpha`, and all later ones together get less than 0.4 of it: the
    /// inverse squares from 2 on sum to π²/6 - 1.
    #[must_use]
    pub fn of_submission(self, submission: u32) -> Self {
        if submission <= 1 {
            return self;
        }
        let share = 6.0 / (std::f64::consts::PI * f64::from(submission)).powi(2);
        Self { alpha: self.alpha * share, ..self }
    }

    /// The log likelihood ratio at which the loss is ruled out.
    pub fn accept_at(self) -> f64 {
        ((1.0 - self.beta) / self.alpha).ln()
    }

    /// The log likelihood ratio at which it is ruled out that nothing was lost.
    pub fn reject_at(self) -> f64 {
        (self.beta / (1.0 - self.alpha)).ln()
    }

    /// What a log likelihood ratio of "nothing lost" against "lost by the margin" says.
    pub fn evidence(self, log_likelihood_ratio: f64) -> Evidence {
        if log_likelihood_ratio >= self.accept_at() {
            Evidence::NotWorse
        } else if log_likelihood_ratio <= self.reject_at() {
            Evidence::Worse
        } else {
            // Not a number stays open too.
            Evidence::Open
        }
    }

    /// How many pairs of this variance a test of fixed length would need for the same rates.
    pub fn fixed_pairs(self, variance: f64, margin: f64) -> f64 {
        (variance * (self.deviations() / margin).powi(2)).ceil()
    }

    /// The smallest loss that so many pairs of this variance tell from none at these rates.
    pub fn detectable(self, variance: f64, pairs: usize) -> f64 {
        self.deviations() * (variance / count(pairs.max(1))).sqrt()
    }

    /// The probability that the sequential test accepts, when the true change is `change` and `margin` is
    /// the loss to be ruled out (Wald's approximation, without a cap).
    pub fn acceptance(self, change: f64, margin: f64) -> f64 {
        let (low, high) = (self.reject_at(), self.accept_at());
        let slope = (2.0 * change + margin) / margin;
        if slope.abs() < 1e-9 {
            return -low / (high - low);
        }
        let (at_low, at_high) = ((-slope * low).exp(), (-slope * high).exp());
        (1.0 - at_low) / (at_high - at_low)
    }

    fn deviations(self) -> f64 {
        quantile(1.0 - self.alpha) + quantile(1.0 - self.beta)
    }
}

/// What the evidence so far says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A loss by the margin is ruled out.
    NotWorse,
    /// That nothing was lost is ruled out.
    Worse,
    /// More is needed.
    Open,
}

/// The value below which a standard normal one lies with this probability.
pub(crate) fn quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The probability of a standard normal value above this one.
pub(crate) fn upper_tail(deviations: f64) -> f64 {
    Normal::standard().sf(deviations)
}

/// A count as a number to reckon with.
pub(crate) fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_walds() {
        let rates = ErrorRates::default();
        assert!((rates.accept_at() - 19.0_f64.ln()).abs() < 1e-12);
        assert!((rates.reject_at() + 19.0_f64.ln()).abs() < 1e-12);
        assert_eq!(rates.evidence(3.0), Evidence::NotWorse);
        assert_eq!(rates.evidence(-3.0), Evidence::Worse);
        assert_eq!(rates.evidence(2.9), Evidence::Open);
        assert_eq!(rates.evidence(f64::NAN), Evidence::Open);
    }

    #[test]
    fn a_fixed_design_needs_the_pairs_of_the_published_table() {
        let rates = ErrorRates::default();
        // Reckoned apart: 0.13 * ((1.6448536 + 1.6448536) / 0.05)^2.
        assert!((rates.fixed_pairs(0.13, 0.05) - 563.0).abs() < 0.5, "{}", rates.fixed_pairs(0.13, 0.05));
        let detectable = rates.detectable(0.13, 563);
        assert!((detectable - 0.05).abs() < 1e-4, "{detectable}");
    }

    #[test]
    fn however_often_one_tries_the_later_tries_together_get_less_than_the_first() {
        let alphas: Vec<f64> = (1..2000).map(|nth| ErrorRates::default().of_submission(nth).alpha).collect();
        assert!(alphas.windows(2).all(|pair| pair[1] < pair[0]));
        assert!((alphas[0] - 0.05).abs() < 1e-12);
        assert!(alphas.iter().sum::<f64>() < 1.4 * 0.05);
        assert!((alphas[9] - 6.0 * 0.05 / (std::f64::consts::PI * 10.0).powi(2)).abs() < 1e-12);
    }

    #[test]
    fn acceptance_is_what_was_stated_at_both_hypotheses() {
        let rates = ErrorRates { alpha: 0.02, beta: 0.08 };
        assert!((rates.acceptance(0.0, 0.05) - 0.92).abs() < 1e-9);
        assert!((rates.acceptance(-0.05, 0.05) - 0.02).abs() < 1e-9);
        let between = rates.acceptance(-0.025, 0.05);
        assert!((0.3..0.7).contains(&between), "{between}");
        assert!((rates.split_over(2).beta - 0.04).abs() < 1e-12);
    }

    #[test]
    fn normal_tails_are_those_of_the_tables() {
        for (deviations, expected) in
            [(0.0, 0.5), (1.644_853_626_951_472, 0.05), (-1.959_963_984_540_054, 0.975)]
        {
            assert!((upper_tail(deviations) - expected).abs() < 1e-10);
        }
        assert!((quantile(0.95) - 1.644_853_626_951_472).abs() < 1e-9);
    }
}
