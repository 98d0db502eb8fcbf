//! The gate: what was measured, to verdicts, and the proof without which nothing lands.

mod pass;

pub use pass::{GatePass, overall};
