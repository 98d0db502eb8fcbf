//! Runs both sides of a benchmark in turn until the evidence suffices, and keeps every pair.
//!
//! [`compare()`] is the loop; [`Measure`] is what it runs, which [`ProcessBench`] does with confined
//! processes, one a measurement. Every pair is a line of a [`Journal`] before the next one begins, so that
//! a comparison that was stopped goes on. A fault of the infrastructure drops the pair, on both sides.

mod compare;
mod finding;
mod journal;
mod machine;
mod measure;
mod order;
mod process;
mod tally;

pub use compare::{CompareRequest, Comparison, RunError, StopRule, Stopped, Surroundings, compare};
pub use finding::{SideBySide, describe_side};
pub use journal::{Header, Journal, JournalError, PairRow};
pub use machine::Fingerprint;
pub use measure::{Arm, Fault, Measure, Slot};
pub(in crate::bench) use order::is_sentinel;
pub use process::{BenchProcess, Output, ProcessBench, Wanted};
pub use tally::{Direction, Kind, PathPoint, Tally, TaskSums, ValueRule};
