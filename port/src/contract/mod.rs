//! The contract: the same calls on both sides, derived from the running upstream.
//!
//! [`Oracle::prepare`] builds the upstream once; [`check()`] compares it with one candidate after another,
//! which costs a run of the port alone. What the findings mean is decided elsewhere.

mod ahead;
mod block_count;
mod build;
mod call_log;
mod cause;
mod check;
mod compare;
mod compare_record;
mod constructing;
mod conversation;
mod counterexample;
mod coverage;
mod debug_text;
mod declared_bounds;
mod derived;
mod diagnostics;
mod generate;
mod generics;
mod harvested;
mod input_type;
mod landmarks;
mod linked;
mod locked;
mod observed_type;
mod observers;
mod operation;
mod oracle;
mod plan_type;
mod pools;
mod probeable;
mod public_paths;
mod python;
mod record;
mod recorded;
mod report;
mod rust_driver;
mod scratch;
mod search;
mod sequence;
mod sequence_draw;
mod sequence_plan;
mod sequence_shown;
mod sequence_shrink;
pub mod sessions;
mod shape;
mod shrink;
mod small_scope;
mod spec;
#[cfg(test)]
mod tests;
mod texts;
mod trace;
mod trigger_values;
mod type_form;
mod value;
mod vary;

use std::path::PathBuf;

pub use ahead::{Foreseen, ask_ahead};
pub use block_count::BlockCounters;
pub use call_log::CallLog;
pub use check::{COUNTEREXAMPLES_MAX, ContractItem, ContractRequest, OldRevision, Tracer, check};
pub use compare::{Agreement, LinkedClass, Profile, compare};
pub use conversation::Tools;
pub use counterexample::was_cut;
pub use coverage::{ProbeCoverage, probe_coverage};
pub use derived::{Derived, derive};
pub use generate::Generator;
pub use landmarks::Landmarks;
pub use oracle::{BuildProfile, Instrument, InstrumentedFile, Oracle, OracleRequest, Prepared, Toolchain};
pub use pools::{Examples, PROBES_MAX, Pools, Probe, ProbeOrigin};
pub use probeable::{FunctionPlan, ProbePlan, ReceiverPlan, plan_items};
pub use public_paths::public_paths;
pub use python::PortSide;
pub use record::{record_calls, recorded_before};
pub use recorded::Recorded;
pub use report::{
    ContractReport, Counterexample, Divergence, ErrorPolicy, ItemEvidence, SequenceEvidence, SpecFinding,
    Stage,
};
pub use scratch::ScratchError;
pub use search::{Found, SearchRequest, search};
pub use shape::{Maker, Shape, Way};
pub use value::{MalformedValue, Manner, Outcome, Record, Value};

use crate::confinement::ConfinementError;

/// The contract could not be checked for a cause outside both sides' code: inconclusive, never a failure.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// Foreign code may not run.
    #[error(transparent)]
    Confinement(#[from] ConfinementError),
    /// A process could not be run.
    #[error(transparent)]
    Process(#[from] upstream::process::ProcessError),
    /// The upstream's sources could not be copied.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// A file of the cache could not be read or written.
    #[error("cannot use the cache at `{path}`: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A driver did not begin to work.
    #[error("{driver} does not start: {reason}")]
    Driver {
        /// Which.
        driver: &'static str,
        /// Its last words.
        reason: String,
    },
    /// The upstream's dependencies could not be had, or the build ran out of its bounds.
    #[error("cannot prepare the upstream's build: {reason}")]
    Provisioning {
        /// The last lines of the tool.
        reason: String,
    },
    /// We were told to stop.
    #[error("interrupted")]
    Interrupted,
}
