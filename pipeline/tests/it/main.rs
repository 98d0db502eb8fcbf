//! Whole runs of the program, on git repositories that the tests build.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod backtest;
mod bad_answers;
mod bad_input;
mod batch_objects;
mod batches;
mod bench;
mod bench_faults;
mod bench_suites;
mod bench_world;
mod bootstrap;
mod canaries;
mod contract;
mod contrib;
mod crash;
mod decisions;
mod diff;
mod disturbed;
mod focus;
mod forge;
mod history;
mod hostile_answers;
mod hostile_builds;
mod hostile_suites;
mod hostile_texts;
mod hostile_upstream;
mod inbox;
mod leash;
mod memory;
mod mounts;
mod proposals;
mod proposals_cli;
mod providers;
mod provisioned;
mod registry;
mod repository;
mod resting;
mod retry;
mod rewritten;
mod runtime;
mod sessions;
mod sources;
mod standing;
mod superset;
mod survival;
mod sync;
mod together;
mod told;
mod watch;
mod workspace;
mod world;

/// The program that is tested.
fn program() -> std::path::PathBuf {
    env!("CARGO_BIN_EXE_tidelock").into()
}
