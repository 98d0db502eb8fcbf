//! The one retry loop around a model: waits as long as the provider asks, or longer each time, up to bounds
//! on attempts and on time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use upstream::{Clock, ContentHash};

use super::model::ModelError;

/// The bounds of a retry loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// The most attempts, the first included.
    pub attempts_max: u32,
    /// The longest the loop may take before it starts another attempt, waiting included, in milliseconds.
    pub total_ms_max: u64,
    /// The wait before the second attempt, in milliseconds; it doubles from then on.
    pub backoff_first_ms: u64,
    /// The longest wait of our own choice, in milliseconds. A provider's wish may be longer.
    pub backoff_ms_max: u64,
    /// What the spread of the waits is drawn from, so that a run can be repeated.
    pub seed: String,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            total_ms_max: 10 * 60 * 1000,
            backoff_first_ms: 1000,
            backoff_ms_max: 60 * 1000,
            seed: String::new(),
        }
    }
}

/// Tries until there is a result, an error that waiting does not help, or a bound.
pub fn retry<Value>(
    policy: &RetryPolicy,
    clock: &dyn Clock,
    mut attempt: impl FnMut() -> Result<Value, ModelError>,
) -> Result<Value, ModelError> {
    let started_ms = clock.now_ms();
    let mut attempts: u32 = 0;
    loop {
        attempts = attempts.saturating_add(1);
        let error = match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if !error.is_transient() => return Err(error),
            Err(error) => error,
        };
        let wait_ms = wait_ms(policy, &error, attempts);
        let passed_ms = u64::try_from(clock.now_ms() - started_ms).unwrap_or_default();
        if attempts >= policy.attempts_max || passed_ms.saturating_add(wait_ms) > policy.total_ms_max {
            return Err(ModelError::GaveUp { attempts, cause: Box::new(error) });
        }
        clock.sleep(Duration::from_millis(wait_ms));
    }
}

/// How long to wait behind this attempt: never less than the provider asks, and spread by up to a quarter so
/// that several of us do not come back at once.
fn wait_ms(policy: &RetryPolicy, error: &ModelError, attempts: u32) -> u64 {
    let asked_ms = match error {
        ModelError::RateLimited { retry_after_ms, .. } | ModelError::Unavailable { retry_after_ms, .. } => {
            *retry_after_ms
        }
        ModelError::OutOfFunds { .. }
        | ModelError::NotAuthorised { .. }
        | ModelError::InvalidRequest { .. }
        | ModelError::Unreadable { .. }
        | ModelError::Command { .. }
        | ModelError::GaveUp { .. } => None,
    };
    let doubled = policy.backoff_first_ms.saturating_mul(1_u64 << (attempts - 1).min(32));
    let base_ms = asked_ms.unwrap_or_else(|| doubled.min(policy.backoff_ms_max));
    let spread = base_ms / 4;
    base_ms.saturating_add(if spread == 0 { 0 } else { draw(&policy.seed, attempts) % (spread + 1) })
}

/// A number that depends on the seed and the attempt alone.
fn draw(seed: &str, attempt: u32) -> u64 {
    let digits = ContentHash::of_parts([seed, &attempt.to_string()]).short();
    u64::from_str_radix(&digits, 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use upstream::ManualClock;

    use super::*;

    fn limited(retry_after_ms: Option<u64>) -> ModelError {
        ModelError::RateLimited { retry_after_ms, reason: "slow down".to_owned() }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy { seed: "test".to_owned(), ..RetryPolicy::default() }
    }

    #[test]
    fn the_provider_is_given_at_least_the_time_that_it_asks_for() {
        let clock = ManualClock::at(0);
        let mut errors = vec![limited(Some(90_000))];
        let result = retry(&policy(), &clock, || errors.pop().map_or(Ok(7), Err));
        assert_eq!(result, Ok(7));
        assert!((90_000..=112_500).contains(&clock.now_ms()), "{}", clock.now_ms());
    }

    #[test]
    fn waits_grow_up_to_their_cap_and_attempts_up_to_theirs() {
        let clock = ManualClock::at(0);
        let mut at_ms = Vec::new();
        let policy = RetryPolicy { backoff_ms_max: 3000, attempts_max: 4, ..policy() };
        let result: Result<(), _> = retry(&policy, &clock, || {
            at_ms.push(clock.now_ms());
            Err(limited(None))
        });
        assert_eq!(result, Err(ModelError::GaveUp { attempts: 4, cause: Box::new(limited(None)) }));
        let waits: Vec<i64> = at_ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((1000..=1250).contains(&waits[0]), "{waits:?}");
        assert!((2000..=2500).contains(&waits[1]), "{waits:?}");
        assert!((3000..=3750).contains(&waits[2]), "{waits:?}");
    }

    #[test]
    fn a_wait_that_would_pass_the_bound_on_time_is_not_begun() {
        let clock = ManualClock::at(0);
        let policy = RetryPolicy { total_ms_max: 10_000, ..policy() };
        let result: Result<(), _> = retry(&policy, &clock, || Err(limited(Some(3_600_000))));
        assert!(matches!(result, Err(ModelError::GaveUp { attempts: 1, .. })), "{result:?}");
        assert_eq!(clock.now_ms(), 0);
    }

    #[test]
    fn an_error_that_waiting_does_not_help_comes_back_at_once_and_as_it_is() {
        let clock = ManualClock::at(0);
        let mut calls = 0;
        let error = ModelError::OutOfFunds { reason: "empty".to_owned() };
        let result: Result<(), _> = retry(&policy(), &clock, || {
            calls += 1;
            Err(error.clone())
        });
        assert_eq!((result, calls), (Err(error), 1));
    }

    #[test]
    fn the_same_seed_waits_the_same_time() {
        let waits = |seed: &str| {
            let policy = RetryPolicy { seed: seed.to_owned(), ..RetryPolicy::default() };
            (1..5).map(|attempt| wait_ms(&policy, &limited(None), attempt)).collect::<Vec<_>>()
        };
        assert_eq!(waits("a"), waits("a"));
        assert_ne!(waits("a"), waits("b"));
    }
}
