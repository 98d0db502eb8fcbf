//! Tell people: the durable record of a run, and its renderings.
//!
//! A record is rendered and never judged here: no verdict is computed below this crate's root.

pub mod record;

pub use record::{RunOutcome, RunRecord, Verdict};
