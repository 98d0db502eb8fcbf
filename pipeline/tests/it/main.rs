//! Whole runs of the program, on git repositories that the tests build.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod bad_answers;
mod bad_input;
mod bench;
mod canaries;
mod crash;
mod disturbed;
mod history;
mod hostile_answers;
mod hostile_upstream;
mod providers;
mod registry;
mod repository;
mod retry;
mod sync;
mod told;
mod watch;
mod world;

/// The program that is tested.
fn program() -> std::path::PathBuf {
    env!("CARGO_BIN_EXE_tidelock").into()
}
