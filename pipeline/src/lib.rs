//! Decide, act, remember: the engine, the gate, the store and the command line.

pub mod engine;
pub mod gate;
pub mod progress;
pub mod store;
