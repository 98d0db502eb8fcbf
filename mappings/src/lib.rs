//! What corresponds to what, what a change touches, and in which order to follow it.
//!
//! Everything here is a plain function from values to values: the upstream's snapshots and the port's
//! symbol table go in, a plan comes out. Nothing here reads a repository or writes a file.

pub mod lock;
pub mod symbol;
pub mod unit;

pub use lock::{Disposition, Link, Lock, ParkedItem, Proof, RecordedRevision};
pub use symbol::{Symbol, SymbolKind, SymbolPath, SymbolTable};
pub use unit::{Impacted, Plan, SkipReason, Skipped, UnitId, UnitKind, UnitMember, WorkUnit};
