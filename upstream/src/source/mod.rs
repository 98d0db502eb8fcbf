//! Where the upstream comes from, and the local bare mirror that holds it.
//!
//! A [`SourceSpec`] names a git repository or a crate in a Cargo registry; a [`Mirror`] keeps a copy of it
//! that later steps read through [`UpstreamRepo`](crate::repo::UpstreamRepo), online or not.
//! Nothing here writes to the upstream, or to any folder but the mirror's.

mod address;
mod error;
mod git;
mod mirror;
mod poll;
mod refs;
mod registry;
mod spec;
mod state;

pub use error::SourceError;
pub use mirror::{Mirror, SourceLimits, Surroundings};
pub use poll::{Glance, Notice, Poll, SourceProgress};
pub use registry::RegistryEnvironment;
pub use spec::{Follow, History, InvalidSource, SourceSpec, TagOrder};

#[cfg(test)]
mod tests;
