//! The contract: the same calls on both sides, derived from the running upstream.

mod report;

pub use report::{ContractReport, Counterexample, ItemEvidence, SpecFinding, Stage};
