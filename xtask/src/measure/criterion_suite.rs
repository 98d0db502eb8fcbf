//! A small criterion suite of our own, built for measures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use upstream::process::{Ending, Invocation, Limits, ProcessRunner, SystemProcessRunner};

const MANIFEST: &str = "[package]\nname = \"suite\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[lib]\nbench = false\n\n\
    [dev-dependencies]\ncriterion = { version = \"0.8\", default-features = false }\n\n\
    [[bench]]\nname = \"suite\"\nharness = false\n\n[workspace]\n";

const LIBRARY: &str = "/// The largest sum of neighbours.\npub fn largest(numbers: &[u64]) -> u64 {\n    \
    numbers.windows(2).map(|pair| pair[0].wrapping_mul(31) ^ pair[1]).max().unwrap_or(0)\n}\n\n\
    #[test]\nfn passes() {\n    assert_eq!(largest(&[1, 2]), 29);\n}\n\n#[test]\nfn fails() {\n    \
    assert_eq!(largest(&[1, 2]), 0);\n}\n\n#[test]\n#[ignore]\nfn ignored() {}\n";

const BENCH: &str = "use criterion::{black_box, criterion_group, criterion_main, Criterion};\n\
    fn all(c: &mut Criterion) {\n    for size in [100_u64, 1_000, 10_000] {\n        \
    let numbers: Vec<u64> = (0..size).map(|n| n.wrapping_mul(2654435761) % 1000).collect();\n        \
    c.bench_function(&format!(\"largest/{size}\"), |b| b.iter(|| suite::largest(black_box(&numbers))));\n    }\n}\n\
    criterion_group!(benches, all);\ncriterion_main!(benches);\n";

/// The longest a build may take, in milliseconds.
const BUILD_TIMEOUT_MS: u64 = 15 * 60 * 1000;

/// Writes the suite's package into a folder.
pub(super) fn write(folder: &Path) -> Result<PathBuf> {
    let package = folder.join("suite");
    std::fs::create_dir_all(package.join("src"))?;
    std::fs::create_dir_all(package.join("benches"))?;
    std::fs::write(package.join("Cargo.toml"), MANIFEST)?;
    std::fs::write(package.join("src/lib.rs"), LIBRARY)?;
    std::fs::write(package.join("benches/suite.rs"), BENCH)?;
    Ok(package)
}

/// Writes and builds it; gives the program of its benchmarks.
pub(super) fn build(folder: &Path) -> Result<PathBuf> {
    let package = write(folder)?;
    let text = cargo(&package, &["bench", "--no-run", "--message-format=json"])?;
    let program = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut program = program.filter(|message| message["target"]["kind"][0] == "bench");
    let found = program.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    found.context("cargo named no program of the benchmarks")
}

/// Runs cargo in the package; gives what it wrote.
pub(super) fn cargo(package: &Path, arguments: &[&str]) -> Result<String> {
    cargo_with(package, arguments, &[])
}

/// [`cargo`] with variables.
pub(super) fn cargo_with(package: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String> {
    let mut invocation = Invocation::new("cargo", package)
        .args(arguments.iter().copied())
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "SSL_CERT_FILE"])
        .limits(Limits { timeout_ms: BUILD_TIMEOUT_MS, ..Limits::default() });
    for (name, value) in variables {
        invocation = invocation.env(*name, *value);
    }
    let finished = SystemProcessRunner::default().run(&invocation)?;
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    // Tests of the suite fail on purpose; whoever needs a success looks for what it made.
    ensure!(
        matches!(finished.ending, Ending::Exited(0 | 100 | 101)),
        "cargo {} failed: {}",
        arguments.join(" "),
        finished.tail(10)
    );
    Ok(text)
}
