//! When runs of an unchanged reference may be used again, and what watches over them.

use serde::{Deserialize, Serialize};

use super::rates::{count, upper_tail};
use super::tasks::TaskPairs;

/// The oldest runs that are used again, in milliseconds: a week.
const AGE_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1000;

/// One task in so many is run on the reference again, beside the candidate.
pub const SENTINEL_ONE_IN: usize = 10;

/// Below this probability the sentinels are no chance: the world around the reference changed.
const SENTINEL_P: f64 = 0.01;

/// What stored runs were made with; they serve only where all of it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheKey {
    /// The reference's tree.
    pub tree: String,
    /// Harness, data and command, hashed.
    pub harness: String,
    /// The model snapshot that an agent used; empty without one.
    pub model: String,
    /// The machine.
    pub machine: String,
}

/// Why stored runs do not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// They were made with something else.
    #[error("the stored runs were made with another {0}")]
    Other(&'static str),
    /// They are too old.
    #[error("the stored runs are more than 7 days old")]
    TooOld,
    /// The clock went back.
    #[error("the stored runs are from the future")]
    FromTheFuture,
}

/// Whether runs stored at a time serve now.
pub fn usable(stored: &CacheKey, stored_ms: i64, wanted: &CacheKey, now_ms: i64) -> Result<(), Unusable> {
    let parts = [
        ("reference", &stored.tree, &wanted.tree),
        ("benchmark", &stored.harness, &wanted.harness),
        ("model", &stored.model, &wanted.model),
        ("machine", &stored.machine, &wanted.machine),
    ];
    if let Some((name, ..)) = parts.into_iter().find(|(_, stored, wanted)| stored != wanted) {
        return Err(Unusable::Other(name));
    }
    if stored_ms > now_ms {
        return Err(Unusable::FromTheFuture);
    }
    if now_ms.saturating_sub(stored_ms) > AGE_MS_MAX {
        return Err(Unusable::TooOld);
    }
    Ok(())
}

/// Whether fresh runs of the reference, each paired with the mean of the stored ones on its task, say that
/// the stored ones still hold. They notice a world that broke; a shift of 2 points they do not, as that takes
/// as many fresh runs as a comparison without stored ones. Against that stands the age that is allowed.
pub fn sentinels_agree(fresh_against_stored: &TaskPairs) -> bool {
    sentinel_p_value(fresh_against_stored) >= SENTINEL_P
}

/// The two-sided probability of so large a difference by chance; 1 without sentinels.
pub fn sentinel_p_value(fresh_against_stored: &TaskPairs) -> f64 {
    if fresh_against_stored.pairs == 0 {
        return 1.0;
    }
    let error = (fresh_against_stored.variance() / count(fresh_against_stored.pairs)).sqrt();
    2.0 * upper_tail(fresh_against_stored.mean().abs() / error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CacheKey {
        let text = |text: &str| text.to_owned();
        CacheKey { tree: text("t"), harness: text("h"), model: text("m"), machine: text("x") }
    }

    #[test]
    fn stored_runs_serve_for_the_same_world_and_a_week() {
        assert_eq!(usable(&key(), 0, &key(), AGE_MS_MAX), Ok(()));
        assert_eq!(usable(&key(), 0, &key(), AGE_MS_MAX + 1), Err(Unusable::TooOld));
        assert_eq!(usable(&key(), 5, &key(), 4), Err(Unusable::FromTheFuture));
        let other = CacheKey { model: "n".to_owned(), ..key() };
        assert_eq!(usable(&key(), 0, &other, 0), Err(Unusable::Other("model")));
    }

    #[test]
    fn sentinels_notice_a_world_that_changed() {
        let mut sentinels = TaskPairs::default();
        assert!(sentinels_agree(&sentinels));
        for task in 0..40 {
            sentinels.add(f64::from(u8::from(task % 2 == 0)), 0.5);
        }
        assert!(sentinels_agree(&sentinels));
        for _ in 0..40 {
            sentinels.add(0.0, 0.6);
        }
        assert!(!sentinels_agree(&sentinels));
    }
}
