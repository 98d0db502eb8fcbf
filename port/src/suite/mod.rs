//! The port's own tests: running them confined, reading what they say, comparing two runs.
//!
//! [`run_suite`] gives a [`SuiteReport`], [`compare()`] sets two of them side by side. What a failure means
//! is decided in `pipeline`; nothing here calls a test good because its output could not be read.

mod compare;
mod history;
mod pytest;
mod report;
mod run;
mod unittest;

pub use compare::{SuiteComparison, compare};
pub use history::{BROKEN_BELOW, TestHistory, flake_probability};
pub use report::{SuiteReport, TestOutcome, TestStatus};
pub use run::{Rerun, SuiteError, SuiteRequest, rerun_failed, run_suite};
