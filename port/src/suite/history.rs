//! Whether a failing test is worse than its own history lets one expect.

/// How a test fared on code that is taken to be good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestHistory {
    /// How often it ran.
    pub runs: u32,
    /// How often it failed.
    pub failures: u32,
}

/// Below this probability a test is taken to be broken; above it, to be flaky.
pub const BROKEN_BELOW: f64 = 1e-3;

/// The side on which the true failure rate lies with this probability is taken as the rate.
const CONFIDENCE: f64 = 0.95;

/// Steps of the search for that rate; each halves the interval.
const BISECTIONS: u32 = 60;

/// The probability that a test which is merely as flaky as before fails in `failures` or more of `runs`
/// attempts: small means that it is broken. Its rate is taken at the upper 95 % bound of its history
/// (Jeffreys' interval), so a short history excuses more than a long one.
pub fn flake_probability(history: TestHistory, failures: u32, runs: u32) -> f64 {
    let failures_seen = f64::from(history.failures.min(history.runs)) + 0.5;
    let passes_seen = f64::from(history.runs.saturating_sub(history.failures)) + 0.5;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if beta_distribution(failures_seen, passes_seen, middle) < CONFIDENCE {
            low = middle;
        } else {
            high = middle;
        }
    }
    at_least(failures, runs, high)
}

/// The probability of `least` or more events in `runs` at this rate.
fn at_least(least: u32, runs: u32, rate: f64) -> f64 {
    if least == 0 {
        return 1.0;
    }
    if least > runs {
        return 0.0;
    }
    // The binomial tail is a value of the beta distribution.
    beta_distribution(f64::from(least), f64::from(runs - least) + 1.0, rate)
}

/// The distribution function of Beta(a, b), integrated numerically after `x = sin²(t)`, which takes away
/// the poles at both ends for a, b of one half and more.
fn beta_distribution(a: f64, b: f64, x: f64) -> f64 {
    let integral = |to: f64, peak: f64| {
        let step = to / f64::from(STEPS);
        let density = |t: f64| {
            let (sine, cosine) = t.sin_cos();
            (log_power(sine, 2.0 * a - 1.0) + log_power(cosine, 2.0 * b - 1.0) - peak).exp()
        };
        let inner: f64 = (0..STEPS).map(|index| density((f64::from(index) + 0.5) * step)).sum();
        inner * step
    };
    // Scaled by the largest value of the density, so that nothing underflows.
    let top = ((2.0 * a - 1.0) / (2.0 * b - 1.0).max(f64::MIN_POSITIVE)).sqrt().atan();
    let peak = log_power(top.sin(), 2.0 * a - 1.0) + log_power(top.cos(), 2.0 * b - 1.0);
    let whole = integral(std::f64::consts::FRAC_PI_2, peak);
    (integral(x.clamp(0.0, 1.0).sqrt().asin(), peak) / whole).clamp(0.0, 1.0)
}

/// Slices of the integral: the error is below 1e-4 for the histories that are kept.
const STEPS: u32 = 2000;

fn log_power(base: f64, exponent: f64) -> f64 {
    if exponent <= 0.0 { 0.0 } else { exponent * base.max(f64::MIN_POSITIVE).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-3 * expected.max(0.1), "{found} against {expected}");
    }

    #[test]
    fn binomial_tails_are_exact_enough() {
        close(at_least(1, 5, 0.1), 1.0 - 0.9_f64.powi(5));
        close(at_least(5, 5, 0.5), 1.0 / 32.0);
        close(at_least(2, 4, 0.5), 11.0 / 16.0);
        close(at_least(0, 4, 0.5), 1.0);
    }

    #[test]
    fn beta_values_agree_with_closed_forms() {
        close(beta_distribution(1.0, 1.0, 0.3), 0.3);
        close(beta_distribution(0.5, 0.5, 0.5), 0.5);
        close(beta_distribution(2.0, 1.0, 0.5), 0.25);
    }

    #[test]
    fn a_stable_test_that_always_fails_is_broken() {
        let stable = TestHistory { runs: 200, failures: 0 };
        assert!(flake_probability(stable, 5, 5) < BROKEN_BELOW);
        assert!(flake_probability(stable, 1, 5) > BROKEN_BELOW);
    }

    #[test]
    fn a_new_race_that_failed_once_is_found_by_one_more_failure_in_four_reruns() {
        // So it is found with probability 1 - 1/16, the published 94 %.
        assert!(flake_probability(TestHistory { runs: 200, failures: 0 }, 2, 5) < BROKEN_BELOW);
    }

    #[test]
    fn a_test_without_history_is_not_condemned_by_one_failure() {
        assert!(flake_probability(TestHistory::default(), 1, 5) > 0.5);
    }

    #[test]
    fn a_flaky_history_excuses_more() {
        let flaky = TestHistory { runs: 200, failures: 40 };
        let stable = TestHistory { runs: 200, failures: 1 };
        assert!(flake_probability(flaky, 3, 5) > 10.0 * flake_probability(stable, 3, 5));
    }
}
