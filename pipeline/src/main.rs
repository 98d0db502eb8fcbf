//! Parses, calls, and turns the result into an exit code.

/// Reading a long history allocates much in many threads, for which this one is made.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    pipeline::cli::main()
}
