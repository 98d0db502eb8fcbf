//! Decide, act, remember: the engine, the driver, the gate, the store and the command line.
//!
//! [`engine`] is pure. [`driver`] carries its effects out over a [`session`], [`gate`] turns measurements
//! into verdicts, [`store`] keeps the journal, [`dashboard`] shows it, and [`cli`] is the only part that talks to people.

mod ahead;
pub mod backtest;
pub mod batches;
pub mod budget;
mod by_hand;
pub mod chain;
pub mod cli;
pub mod config;
mod corrections;
pub mod daemon;
pub mod dashboard;
mod decided;
pub mod driver;
pub mod engine;
pub mod forge;
pub mod gate;
pub mod http;
mod labels;
pub mod lease;
mod leash;
pub mod pair;
pub mod progress;
pub mod proposal;
mod provisioned;
mod runtime;
pub mod session;
mod stops;
pub mod store;

pub use driver::seeding::Interval;
