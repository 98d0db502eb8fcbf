//! The engine: `step(state, event)` and the effects it asks for, as plain values.
//!
//! Nothing here acts, waits or reads a clock. `driver` carries the effects out.

pub mod chart;
mod effect;
mod event;
mod record;
mod state;
mod step;

pub use effect::Effect;
pub use event::{
    AttemptResult, ChainLink, Decided, Event, Head, Lesson, PlannedRevision, PlannedUnit, RunHeader, Stage,
    Standing,
};
pub use record::{apply, record};
pub(crate) use state::SHOWN_NONCE;
pub use state::{Candidate, Ended, IN_A_BATCH, Phase, RunState, Stop, Turn, UnitState, Work};
pub use step::{BRANCH_MOVES_MAX, IllegalEvent, UNTOLD, effect, foreseen, step};
