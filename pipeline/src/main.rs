//! Parses, calls, and turns the result into an exit code.

fn main() -> std::process::ExitCode {
    pipeline::cli::main()
}
