//! Parses, calls, and turns the result into an exit code.

use mimalloc::MiMalloc;

/// Most of what a plan of a large workspace does is to make small strings, on several threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    pipeline::cli::main()
}
