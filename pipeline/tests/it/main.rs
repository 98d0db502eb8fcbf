//! Whole runs of the program, on git repositories that the tests build.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod bad_answers;
mod bad_input;
mod bench;
mod bench_faults;
mod bench_suites;
mod bench_world;
mod crash;
mod history;
mod providers;
mod registry;
mod retry;
mod sync;
mod told;
mod watch;
mod world;
