//! What changed in the Rust repository.
//!
//! [`source`] keeps a local mirror, [`snapshot`] knows the items of one revision, [`diff`] compares two.
//! Nothing here writes to the upstream, needs a checkout to plan, or knows that a port exists.

#[cfg(any(test, feature = "fuzzing"))]
pub mod agreement;
pub mod cache;
pub mod clock;
pub mod diff;
mod disk;
pub mod harvest;
pub mod history;
pub mod ids;
pub mod instrument;
#[cfg(test)]
mod laws;
pub mod listing;
pub mod process;
pub mod repo;
pub mod revision;
mod scan;
pub mod schemas;
pub mod snapshot;
pub mod source;
pub mod trace_calls;
pub mod tree;
pub mod words;
pub mod workspace;

pub use clock::{Clock, ManualClock, SystemClock};
pub use diff::{ItemChange, RevisionClass, SemanticDiff};
pub use ids::{CommitId, ContentHash, ItemPath, RevisionLabel, TreeId};
pub use repo::UpstreamRepo;
pub use revision::Revision;
#[doc(hidden)]
pub use schemars;
pub use snapshot::{Fingerprint, Item, ItemKind, RustType, Snapshot};
pub use source::{Mirror, SourceSpec};
pub use words::Words;
