//! What corresponds to what, what a change touches, and in which order to follow it.
//!
//! Everything here is a plain function from values to values: the upstream's snapshots and the port's
//! symbol table go in, a plan comes out. Nothing here reads a repository or writes a file.

pub mod bootstrap;
pub mod coverage;
pub mod decision;
pub mod graph;
pub mod infer;
pub mod lock;
pub mod mapping;
pub mod plan;
pub mod settle;
pub mod status;
pub mod symbol;
pub mod unit;

mod convention;
#[cfg(test)]
mod testing;

pub use convention::is_bench_function;
pub use decision::{DecisionRule, DecisionWord, Decisions, Holds};
pub use graph::{CallGraph, Edges, PortUses};
pub use infer::{InferInput, PortOutline, Proposal, infer};
pub use lock::{Disposition, HeldItem, Link, LinkPart, Lock, ParkedItem, Proof, RecordedRevision};
pub use mapping::{Mapping, MappingConfig, MappingError, PlaceError, Placement};
pub use plan::{PlanError, PlanInput, plan, plan_portion};
pub use settle::{SettleError, Settlement, UnitOutcome, settle};
pub use status::{Status, StatusInput, status};
pub use symbol::{Symbol, SymbolKind, SymbolPath, SymbolTable};
pub use unit::{Impacted, Later, Plan, SkipReason, Skipped, UnitId, UnitKind, UnitMember, WorkUnit};
