//! The first port of an upstream, as a sync from nothing: a lock in which every item waits, and what is asked for next.
//!
//! [`first_lock`] makes that lock, [`next_wave`] and [`together`] say which of the waiting items a run takes up. Everything between
//! is a sync that takes up what is parked at its baseline.

mod first;
mod portion;

pub use first::{First, first_lock};
pub use portion::{Past, next_wave, together, types_of};

/// Why an item waits that nobody was asked for yet. The lock keeps it, so that the port alone tells what is still to be
/// asked for.
pub const NOT_YET: &str = "not ported yet";
