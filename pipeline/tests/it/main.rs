//! Whole runs of the program, on git repositories that the tests build.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod bad_answers;
mod bad_input;
mod bench;
mod contract;
mod crash;
mod diff;
mod history;
mod inbox;
mod memory;
mod providers;
mod registry;
mod retry;
mod sources;
mod sync;
mod told;
mod watch;
mod workspace;
mod world;
