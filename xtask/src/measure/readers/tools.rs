//! Tools that are installed here and run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use port::bench::read::Format;
use upstream::process::{Finished, Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::super::criterion_suite::{cargo, cargo_with, write};
use super::Written;

/// From `PyPI`.
const PACKAGES: [&str; 14] = [
    "pytest",
    "pytest-rerunfailures",
    "pytest-benchmark",
    "tap.py",
    "asv",
    "virtualenv",
    "docker",
    "numpy",
    "pydantic",
    "pyyaml",
    "shortuuid",
    "toml",
    "tomli-w",
    "typing-extensions",
];

/// Four that count, one of them failed, and one that is skipped.
const PERL: &str = "plan tests => 5; ok(1, 'good'); ok(0, 'bad'); SKIP: { skip 'why', 1; } \
                    TODO: { local $TODO = 'later'; ok(0, 'known'); } subtest inner => sub { plan tests => 1; ok(1) };";

const TESTS: &str = "import time\nimport pytest\n\nSEEN = []\n\ndef test_good():\n    pass\n\n\
    def test_bad():\n    assert 1 == 2\n\n@pytest.mark.skip(reason='why')\ndef test_skipped():\n    pass\n\n\
    @pytest.mark.xfail\ndef test_expected():\n    assert False\n\n@pytest.mark.flaky(reruns=2)\n\
    def test_flaky():\n    SEEN.append(1)\n    assert len(SEEN) > 1\n";

/// One that passes, one that fails, one that is skipped, one that is known to fail.
const TAP_SUITE: &str = "import unittest\nfrom tap.runner import TAPTestRunner\n\n\
    class Suite(unittest.TestCase):\n    def test_good(self):\n        pass\n\n    \
    def test_bad(self):\n        self.assertEqual(1, 2)\n\n    @unittest.skip('why')\n    \
    def test_skipped(self):\n        pass\n\n    @unittest.expectedFailure\n    \
    def test_expected(self):\n        self.assertEqual(1, 2)\n\nrunner = TAPTestRunner()\n\
    runner.set_stream(True)\nrunner.run(unittest.defaultTestLoader.loadTestsFromTestCase(Suite))\n";

const BENCHES: &str = "def test_sum(benchmark):\n    benchmark(sum, range(100))\n\n\
    def test_sort(benchmark):\n    benchmark(sorted, list(range(100)))\n";

const ASV: &str = "class Suite:\n    params = [[10, 100], ['a', 'b']]\n    param_names = ['size', 'kind']\n\n    \
    def setup(self, size, kind):\n        if kind == 'b' and size == 100:\n            raise NotImplementedError()\n\n    \
    def time_sum(self, size, kind):\n        sum(range(size))\n\n\ndef time_broken():\n    raise ValueError()\n";

pub(super) fn process(program: &Path, folder: &Path, arguments: &[&str]) -> Result<Finished> {
    let invocation = Invocation::new(program, folder)
        .args(arguments.iter().copied())
        .inherit(&[
            "HOME",
            "PIP_INDEX_URL",
            "PIP_CERT",
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "CARGO_HOME",
            "RUSTUP_HOME",
        ])
        .limits(Limits::default());
    Ok(SystemProcessRunner::default().run(&invocation)?)
}

/// A virtual environment with the tools in it.
pub(super) struct Python {
    venv: PathBuf,
}

impl Python {
    /// pytest with what writes for it, asv, and what the report code of other tools needs.
    pub(super) fn install(folder: &Path) -> Result<Self> {
        let venv = folder.join("venv");
        let made = process(Path::new("python3"), folder, &["-m", "venv", &venv.to_string_lossy()])?;
        ensure!(made.succeeded(), "no virtual environment: {}", made.tail(5));
        let python = Self { venv };
        let install: Vec<&str> = ["-q", "install"].into_iter().chain(PACKAGES.iter().copied()).collect();
        let installed = process(&python.program("pip"), folder, &install)?;
        ensure!(installed.succeeded(), "cannot install the tools: {}", installed.tail(5));
        Ok(python)
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.venv.join("bin").join(name)
    }
}

/// What pytest, its plugins and asv write.
pub(super) fn python(python: &Python, folder: &Path) -> Result<Vec<Written>> {
    let program = |name: &str| python.program(name);
    std::fs::write(folder.join("test_suite.py"), TESTS)?;
    std::fs::write(folder.join("test_speed.py"), BENCHES)?;
    let pytest = program("pytest");
    process(&pytest, folder, &["-q", "--junitxml=junit.xml", "test_suite.py"])?;
    process(
        &pytest,
        folder,
        &["-q", "--benchmark-max-time=0.001", "--benchmark-json=speed.json", "test_speed.py"],
    )?;
    std::fs::write(folder.join("tap_suite.py"), TAP_SUITE)?;
    let tap = process(&program("python"), folder, &["tap_suite.py"])?;
    std::fs::write(folder.join("python.tap"), &tap.stdout)?;
    let asv = folder.join("asv");
    std::fs::create_dir_all(asv.join("benchmarks"))?;
    std::fs::write(asv.join("benchmarks/__init__.py"), "")?;
    std::fs::write(asv.join("benchmarks/suite.py"), ASV)?;
    let python = program("python").to_string_lossy().into_owned();
    std::fs::write(
        asv.join("asv.conf.json"),
        format!(
            "{{\"version\": 1, \"project\": \"p\", \"repo\": \".\", \"branches\": [\"HEAD\"], \"benchmark_dir\": \"benchmarks\", \
         \"environment_type\": \"existing:{python}\"}}"
        ),
    )?;
    for arguments in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "one"],
    ] {
        process(Path::new("git"), &asv, arguments)?;
    }
    process(&program("asv"), &asv, &["machine", "--yes"])?;
    let commit = process(Path::new("git"), &asv, &["rev-parse", "HEAD"])?;
    let commit = String::from_utf8_lossy(&commit.stdout).trim().to_owned();
    let existing = format!("--environment=existing:{python}");
    let commit = format!("--set-commit-hash={commit}");
    process(&program("asv"), &asv, &["run", "--quick", &existing, &commit])?;
    let one = |tool, format, path: PathBuf, results, good| Written { tool, format, path, results, good };
    Ok(vec![
        one("pytest", Format::Junit, folder.join("junit.xml"), 4, 2),
        one("pytest_benchmark", Format::PytestBenchmark, folder.join("speed.json"), 2, 2),
        one("tap_py", Format::Tap, folder.join("python.tap"), 3, 2),
        one("asv", Format::Asv, asv_result(&asv.join("results"))?, 4, 3),
    ])
}

/// What Perl's own test library writes.
pub(super) fn perl(folder: &Path) -> Result<Written> {
    let finished = process(Path::new("perl"), folder, &["-MTest::More", "-e", PERL])?;
    let path = folder.join("perl.tap");
    std::fs::write(&path, &finished.stdout)?;
    Ok(Written { tool: "perl", format: Format::Tap, path, results: 4, good: 3 })
}

/// The one result file of asv: not the machine's, and not the list of benchmarks.
fn asv_result(folder: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(folder).context("asv wrote no results")? {
        let machine = entry?.path();
        for file in std::fs::read_dir(&machine).into_iter().flatten() {
            let path = file?.path();
            if path.file_name().is_some_and(|name| name != "machine.json") {
                return Ok(path);
            }
        }
    }
    bail!("asv wrote no results")
}

/// The test runners of Rust, the criterion library and its runner.
pub(super) fn rust(folder: &Path) -> Result<Vec<Written>> {
    let package = write(folder)?;
    let kept = |name: &str, text: String| -> Result<PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    };
    let people = kept("libtest.txt", cargo(&package, &["test", "--lib", "--no-fail-fast"])?)?;
    // The format is for nightly toolchains, and the test program honours this variable alone.
    let unstable = [("RUSTC_BOOTSTRAP", "1"), ("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1")];
    let json = ["test", "--lib", "--no-fail-fast", "--", "-Zunstable-options", "--format=json"];
    let machine = kept("libtest.json", cargo_with(&package, &json, &unstable)?)?;
    std::fs::create_dir_all(package.join(".config"))?;
    let retries = "[profile.default]\nretries = 1\n[profile.default.junit]\npath = \"junit.xml\"\n";
    std::fs::write(package.join(".config/nextest.toml"), retries)?;
    let json = ["nextest", "run", "--lib", "--no-fail-fast", "--message-format", "libtest-json-plus"];
    let nextest = kept("nextest.json", cargo_with(&package, &json, &unstable)?)?;
    let short = ["--noplot", "--sample-size", "10", "--warm-up-time", "0.02", "--measurement-time", "0.05"];
    cargo(&package, &[&["bench", "--"], &short[..]].concat())?;
    let runner = installed(folder, "cargo-criterion", "1.1.0")?;
    let runner = runner.to_string_lossy();
    let messages =
        [&["criterion", "--message-format=json", "--"], short.get(1..).unwrap_or_default()].concat();
    let finished = process(Path::new(&*runner), &package, &messages)?;
    ensure!(finished.succeeded(), "cargo-criterion failed: {}", finished.tail(5));
    let messages = kept("criterion.jsonl", String::from_utf8_lossy(&finished.stdout).into_owned())?;
    let one = |tool, format, path: PathBuf, results, good| Written { tool, format, path, results, good };
    let target = package.join("target");
    Ok(vec![
        one("libtest", Format::Libtest, people, 2, 1),
        one("libtest_json", Format::Libtest, machine, 2, 1),
        one("nextest", Format::Junit, target.join("nextest/default/junit.xml"), 2, 1),
        one("nextest_json", Format::Libtest, nextest, 2, 1),
        one("criterion", Format::Criterion, target.join("criterion"), 3, 3),
        one("cargo_criterion", Format::CargoCriterion, messages, 3, 3),
    ])
}

/// Both schemas that hyperfine has had.
pub(super) fn hyperfine(folder: &Path) -> Result<Vec<Written>> {
    let mut written = Vec::new();
    for (tool, version) in [("hyperfine_1", "1.20.0"), ("hyperfine_2", "2.0.0")] {
        let program = installed(folder, "hyperfine", version)?;
        let path = folder.join(format!("{tool}.json"));
        let export = path.to_string_lossy().into_owned();
        let run =
            process(&program, folder, &["-N", "-r", "5", "--export-json", &export, "true", "sleep 0.01"])?;
        ensure!(run.succeeded(), "hyperfine failed: {}", run.tail(5));
        written.push(Written { tool, format: Format::Hyperfine, path, results: 2, good: 2 });
    }
    Ok(written)
}

/// A program of the Cargo registry, built below the folder.
fn installed(folder: &Path, name: &str, version: &str) -> Result<PathBuf> {
    let root = folder.join(format!("{name}-{version}"));
    let into = root.to_string_lossy().into_owned();
    let install = [
        "install",
        "--quiet",
        "--locked",
        "--ignore-rust-version",
        "--root",
        &into,
        "--version",
        version,
        name,
    ];
    succeed(run("cargo", folder, &install, &[])?, &format!("cargo install {name} {version}"))?;
    Ok(root.join("bin").join(name))
}

/// A run that must succeed.
pub(super) fn succeed(finished: Finished, what: &str) -> Result<Finished> {
    ensure!(finished.succeeded(), "{what} failed: {}", finished.tail(10));
    Ok(finished)
}

/// Runs a program that may build for long.
pub(super) fn run(
    program: &str,
    folder: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<Finished> {
    let mut invocation = Invocation::new(PathBuf::from(program), folder)
        .args(arguments.iter().copied())
        .inherit(&[
            "HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "SSL_CERT_FILE",
            "NPM_CONFIG_REGISTRY",
            "NODE_EXTRA_CA_CERTS",
        ])
        .limits(Limits { timeout_ms: 1_800_000, ..Limits::default() });
    for (name, value) in variables {
        invocation = invocation.env(*name, *value);
    }
    Ok(SystemProcessRunner::default().run(&invocation)?)
}
