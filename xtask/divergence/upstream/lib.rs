//! Calls below calls, in several shapes.

pub mod numbers;
pub mod shapes;
pub mod state;
pub mod texts;
