//! Measurements to decisions with stated error rates. Pure: no process, no file, no clock.
//!
//! [`TaskPairs`] is the sequential test of task suites; that of timings is in
//! [`crate::timing::statistics`] and shares [`ErrorRates`], [`Evidence`] and [`holm`]. [`decide`] puts the
//! findings together. Absence of significance is never taken for absence of a loss.

pub mod cache;
mod guard;
mod ledger;
pub mod objective;
pub(crate) mod rates;
mod stored;
mod tasks;
mod train;
mod validity;
mod verdict;

pub use guard::holm;
pub use ledger::{Ledger, LedgerRule};
pub use rates::{ErrorRates, Evidence};
pub use stored::{STORED_RUNS_MIN, StoredReference, StoredScore};
pub use tasks::{TaskPairs, TaskRule};
pub use train::{LENGTH as TRAIN_LENGTH, Train};
pub use validity::{ArmFacts, Invalid, invalid};
pub use verdict::{Decided, ENDPOINTS_MAX, EndpointFinding, Findings, GuardrailFinding, Verdict, decide};
