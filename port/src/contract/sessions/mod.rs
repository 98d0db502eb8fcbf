//! Sessions: whole programs of the upstream and what answers to them in the port, run on the same cases.
//!
//! [`Program::prepare`] builds an upstream's program, [`check_sessions`] runs both sides and compares what can be seen of
//! them: exit code, standard output and error, files written, or answers line by line. What that means is decided
//! elsewhere. No case ever runs outside the confinement.

mod check;
mod compare;
mod declared;
mod evidence;
mod exchange;
mod mask;
mod observation;
mod program;
mod running;
mod shell;
mod shrink;
#[cfg(test)]
mod tests;
mod vary;
mod words;

pub use check::{Programs, SessionsRequest, check_sessions};
pub use declared::{
    Case, ExitRelation, Extension, IgnoredFiles, Input, Origin, Relation, Session, StderrRelation,
    StdoutRelation,
};
pub use evidence::{Change, Difference, SessionEvidence, SessionOutcome};
pub use mask::{InvalidMask, Mask};
pub use program::{Program, ProgramRequest};
