//! The gate: what was measured, to verdicts, and the proof without which nothing lands.
//!
//! Everything here is a plain function from findings to records. Nothing measures.

mod bench;
mod contract;
mod evidence;
mod pass;
mod sessions;
mod suite;
mod timing;
mod unprobed;
mod validity;

use reports::Verdict;
use reports::record::GateRecord;

pub use bench::{BenchEvidence, benchmarks, verdict_of, words};
pub use contract::{NotCompared, behavioural, numeric, spec};
pub use evidence::Evidence;
pub use pass::{GatePass, overall};
pub use sessions::waits_with_parked;
pub use suite::tests;
pub use timing::timing;
pub use unprobed::{not_compared, why_not_compared};
pub use validity::{Reach, intrusions, standing_validity, validity};

/// A gate's record without findings.
fn record(gate: &str, verdict: Verdict, reason: String) -> GateRecord {
    GateRecord {
        gate: gate.to_owned(),
        verdict,
        reason,
        findings: Vec::new(),
        evidence: Vec::new(),
        counterexamples: Vec::new(),
        timings: Vec::new(),
        benches: Vec::new(),
        sessions: Vec::new(),
        arithmetic: Vec::new(),
        duration_ms: 0,
    }
}
