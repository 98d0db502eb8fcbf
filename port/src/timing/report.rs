//! What the measurements say.

use serde::{Deserialize, Serialize};

/// The answer for one bench, or for all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimingOutcome {
    /// Faster: the whole interval of the ratio lies below 1.
    Improved,
    /// A slowdown by the margin is ruled out.
    Unchanged,
    /// Slower.
    Harmed,
    /// The evidence does not suffice.
    CannotTell,
}

/// One bench, or the geometric mean over all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchTiming {
    /// Its name.
    pub name: String,
    /// The answer.
    pub outcome: TimingOutcome,
    /// The median after, divided by the median before.
    pub ratio: f64,
    /// The lower end of the 95 % interval of the ratio.
    pub ratio_low: f64,
    /// Its upper end.
    pub ratio_high: f64,
    /// The probability of such timings, or slower ones, if the slowdown were just the margin.
    pub harm_p_value: f64,
}

/// A comparison of two sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimingReport {
    /// The geometric mean over all benches: what is decided sequentially.
    pub overall: BenchTiming,
    /// Each bench, sorted by name; harmed only on proof that holds for all of them together.
    pub benches: Vec<BenchTiming>,
    /// Pairs of measurements that were used.
    pub pairs: usize,
    /// Pairs that were thrown away because a side failed, and measured again.
    pub pairs_failed: usize,
    /// The slowdown that must not pass, as a fraction.
    pub margin: f64,
}
