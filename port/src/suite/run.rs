//! Runs the tests of a checkout, confined, and reads the results in the form that their runner gives.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use upstream::process::{Ending, Finished, Invocation, Limits, ProcessError, ProcessRunner};

use super::report::{Reading, SuiteReport, TestStatus};
use super::{pytest, unittest};
use crate::confinement::{Access, Confinement, ConfinementError};
use crate::held::HeldFolder;

/// How many of the last lines are kept.
const TAIL_LINES: usize = 40;

/// The longest `JUnit` file that is read, in bytes.
const JUNIT_BYTES_MAX: u64 = 64 << 20;

/// The most reruns of a suite.
const RERUNS_MAX: u32 = 20;

/// Which tests to run, and where.
#[derive(Debug, Clone)]
pub struct SuiteRequest {
    /// The program and its arguments, such as `python3 -m unittest -v`.
    pub command: Vec<String>,
    /// The checkout.
    pub directory: PathBuf,
    /// The whole environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// The bounds of the run.
    pub limits: Limits,
    /// What it may touch beside the checkout, which it may write.
    pub access: Access,
}

/// The suite could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// No command is configured.
    #[error("the test command is empty")]
    NoCommand,
    /// It cannot be confined.
    #[error(transparent)]
    Confinement(#[from] ConfinementError),
    /// It cannot be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// There is no place for its results.
    #[error("no folder for the test results: {0}")]
    Results(#[source] std::io::Error),
}

/// How the results of a command are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Unittest,
    Pytest,
    ExitCode,
}

/// Runs the suite once. Failing tests, crashes and bounds that were reached are part of the report.
pub fn run_suite(
    request: &SuiteRequest,
    confinement: &dyn Confinement,
    runner: &dyn ProcessRunner,
) -> Result<SuiteReport, SuiteError> {
    let (program, arguments) = request.command.split_first().ok_or(SuiteError::NoCommand)?;
    let form = form_of(&request.command);
    let results = HeldFolder::make("suite").map_err(SuiteError::Results)?;
    let junit = results.path().join("junit.xml");

    let mut invocation = Invocation::new(program, &request.directory).args(arguments).limits(request.limits);
    invocation.environment.clone_from(&request.environment);
    // What was tested must be what lands: no caches in the checkout.
    invocation = invocation.env("PYTHONDONTWRITEBYTECODE", "1");
    let mut access = request.access.clone();
    access.write.push(request.directory.clone());
    if form == Form::Unittest {
        // Without it a run that found no test looks like one that passed.
        invocation = invocation.args(["--verbose"]);
    }
    if form == Form::Pytest {
        let mut option = OsString::from("--junitxml=");
        option.push(&junit);
        invocation = invocation.args([option]).args(["-p", "no:cacheprovider"]);
        access.write.push(results.path().to_owned());
    }
    let finished = runner.run(&confinement.confine(invocation, &access)?)?;
    Ok(report_of(&finished, read(form, &finished, &junit), form))
}

/// What reruns of the suite said about a test that had failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rerun {
    /// The test.
    pub name: String,
    /// In how many reruns it was carried out.
    pub runs: u32,
    /// In how many of these it failed again.
    pub failures: u32,
}

/// Runs the whole suite again, to tell flaky tests from failing ones. Not the failed tests alone: in
/// another order or company a test may pass for that reason.
pub fn rerun_failed(
    request: &SuiteRequest,
    first: &SuiteReport,
    times: u32,
    confinement: &dyn Confinement,
    runner: &dyn ProcessRunner,
) -> Result<Vec<Rerun>, SuiteError> {
    let mut reruns: Vec<Rerun> =
        first.failing().map(|name| Rerun { name: name.to_owned(), runs: 0, failures: 0 }).collect();
    let times = if reruns.is_empty() { 0 } else { times.min(RERUNS_MAX) };
    for _ in 0..times {
        let again = run_suite(request, confinement, runner)?;
        for rerun in &mut reruns {
            let found = again.tests.iter().find(|test| test.name == rerun.name);
            if let Some(test) = found.filter(|test| test.status != TestStatus::Skipped) {
                rerun.runs += 1;
                rerun.failures += u32::from(test.status.is_failure());
            }
        }
    }
    Ok(reruns)
}

fn form_of(command: &[String]) -> Form {
    let named = |names: &[&str]| {
        command.iter().any(|word| {
            let file = Path::new(word).file_name().and_then(|name| name.to_str());
            file.is_some_and(|file| names.contains(&file))
        })
    };
    if named(&["pytest", "py.test"]) {
        Form::Pytest
    } else if named(&["unittest"]) {
        Form::Unittest
    } else {
        Form::ExitCode
    }
}

fn read(form: Form, finished: &Finished, junit: &Path) -> Reading {
    match form {
        Form::Unittest => unittest::read(&String::from_utf8_lossy(&finished.stderr), finished.succeeded()),
        Form::Pytest => match read_junit(junit) {
            Ok(text) => pytest::read(&text, finished.succeeded()),
            Err(reason) => Reading { trouble: Some(reason), ..Reading::default() },
        },
        Form::ExitCode => Reading::default(),
    }
}

/// The file was written by foreign code: it may be anything.
fn read_junit(path: &Path) -> Result<String, String> {
    let metadata = path.symlink_metadata().map_err(|error| format!("it wrote no JUnit file: {error}"))?;
    if !metadata.is_file() || metadata.len() > JUNIT_BYTES_MAX {
        return Err(format!("its JUnit file is no file of at most {JUNIT_BYTES_MAX} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("its JUnit file cannot be read: {error}"))
}

fn report_of(finished: &Finished, reading: Reading, form: Form) -> SuiteReport {
    let (ended, cut_short) = ending_in_words(finished.ending);
    let tests = reading.outcomes.into_sorted();
    let carried_out = tests.iter().any(|test| test.status != TestStatus::Skipped);
    SuiteReport {
        succeeded: finished.succeeded(),
        trouble: if cut_short { Some(format!("it was stopped: {ended}")) } else { reading.trouble },
        ended,
        tests,
        uncollected: reading.uncollected,
        ran_nothing: form != Form::ExitCode && !carried_out,
        duration_ms: finished.duration_ms,
        tail: finished.tail(TAIL_LINES),
    }
}

/// In words, and whether it was us who ended it.
fn ending_in_words(ending: Ending) -> (String, bool) {
    match ending {
        Ending::Exited(code) => (format!("exit code {code}"), false),
        Ending::Signalled(signal) => (format!("signal {signal}"), false),
        Ending::TimedOut => ("ran too long".to_owned(), true),
        Ending::Silent => ("was silent too long".to_owned(), true),
        Ending::TooMuchOutput => ("wrote too much".to_owned(), true),
        Ending::TooMuchDisk => ("wrote too much to the disk".to_owned(), true),
        Ending::DiskFull => ("no space left on device, which it filled".to_owned(), true),
        Ending::Interrupted => ("interrupted".to_owned(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Unconfined;
    use upstream::process::SystemProcessRunner;

    fn run(command: &[&str], files: &[(&str, &str)]) -> SuiteReport {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let invocation = Invocation::new("true", folder.path()).inherit(&["HOME"]);
        let request = SuiteRequest {
            command: command.iter().map(|&word| word.to_owned()).collect(),
            directory: folder.path().to_owned(),
            environment: invocation.environment,
            limits: Limits { timeout_ms: 20_000, ..Limits::default() },
            access: Access::default(),
        };
        let report = run_suite(&request, &Unconfined, &SystemProcessRunner::default()).unwrap();
        assert!(!folder.path().join("__pycache__").exists(), "the checkout was written to");
        report
    }

    const UNITTEST: &[&str] = &["python3", "-m", "unittest"];

    #[test]
    fn a_real_unittest_run_is_read() {
        let file = "import unittest\nclass T(unittest.TestCase):\n def test_a(self): pass\n \
                    def test_b(self): self.assertEqual(1, 2)\n";
        let report = run(UNITTEST, &[("test_real.py", file)]);
        assert_eq!(
            (report.trouble.as_deref(), report.ended.as_str()),
            (None, "exit code 1"),
            "{}",
            report.tail
        );
        assert_eq!(report.failing().collect::<Vec<_>>(), ["test_real.T.test_b"]);
        assert!(!report.ran_nothing);
        assert!(report.tests.last().unwrap().message.ends_with("AssertionError: 1 != 2"));
    }

    #[test]
    fn a_run_without_tests_measured_nothing() {
        assert!(run(UNITTEST, &[]).ran_nothing);
        let skipped =
            "import unittest\n@unittest.skip('x')\nclass T(unittest.TestCase):\n def test_a(self): pass\n";
        assert!(run(UNITTEST, &[("test_skipped.py", skipped)]).ran_nothing);
    }

    #[test]
    fn a_process_that_leaves_early_with_code_0_is_trouble() {
        let file = "import os, unittest\nclass T(unittest.TestCase):\n def test_a(self): os._exit(0)\n";
        let report = run(UNITTEST, &[("test_leaves.py", file)]);
        assert!(report.succeeded);
        assert_eq!(report.trouble.unwrap(), "the run ended before its summary");
    }

    #[test]
    fn other_commands_are_judged_by_their_exit_code() {
        let report = run(&["sh", "-c", "echo out; exit 3"], &[]);
        assert_eq!(
            (report.succeeded, report.ran_nothing, report.ended.as_str()),
            (false, false, "exit code 3")
        );
        assert_eq!(report.tail, "out");
    }

    #[test]
    fn a_pytest_without_results_is_trouble() {
        // A stand-in, found by its name, that ignores its options.
        let report = run(&["sh", "./pytest"], &[("pytest", "exit 0")]);
        assert!(report.ran_nothing);
        assert!(report.trouble.unwrap().starts_with("it wrote no JUnit file"));
    }

    #[test]
    fn reruns_tell_a_flaky_test_from_a_failing_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = "import pathlib, unittest\nclass T(unittest.TestCase):\n def test_always(self): self.fail()\n \
                    def test_first(self):\n  seen = pathlib.Path('seen')\n  again = seen.exists()\n  \
                    seen.touch()\n  self.assertTrue(again)\n";
        std::fs::write(folder.path().join("test_flaky.py"), file).unwrap();
        let request = SuiteRequest {
            command: UNITTEST.iter().map(|&word| word.to_owned()).collect(),
            directory: folder.path().to_owned(),
            environment: Invocation::new("true", "/").inherit(&["HOME"]).environment,
            limits: Limits::default(),
            access: Access::default(),
        };
        let runner = SystemProcessRunner::default();
        let first = run_suite(&request, &Unconfined, &runner).unwrap();
        let reruns = rerun_failed(&request, &first, 2, &Unconfined, &runner).unwrap();
        let failures: Vec<(&str, u32, u32)> =
            reruns.iter().map(|rerun| (rerun.name.as_str(), rerun.failures, rerun.runs)).collect();
        assert_eq!(failures, [("test_flaky.T.test_always", 2, 2), ("test_flaky.T.test_first", 0, 2)]);
    }
}
