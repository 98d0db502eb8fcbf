//! The port before a change against the port after it, on the clock: interleaved, one process for each
//! measurement, until the evidence suffices or a bound is reached.
//!
//! [`measure()`] collects pairs and gives a [`TimingReport`]; [`statistics`] holds the rules, as pure
//! functions. What a report means for a gate is decided in `pipeline`. Too little evidence is
//! [`TimingOutcome::CannotTell`], never a result.

mod driver;
mod measure;
mod report;
pub mod statistics;

pub use driver::{DriverError, TimedCall, driver_invocation};
pub use measure::{
    Calibration, Judgement, Measurement, Side, TimingError, TimingPairs, TimingRequest, calibrate, measure,
};
pub use report::{BenchTiming, TimingOutcome, TimingReport};
