//! What one run of a test suite said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most that is kept of a test's message, in characters.
const MESSAGE_CHARS_MAX: usize = 2000;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestStatus {
    /// It passed, or failed as it was expected to.
    Passed,
    /// It did not run, by its own decision.
    Skipped,
    /// An assertion did not hold, or it passed against expectation.
    Failed,
    /// It could not be carried through.
    Error,
}

impl TestStatus {
    /// Whether it speaks against the code.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOutcome {
    /// Its full name, such as `tests.test_text.Distance.test_empty`.
    pub name: String,
    /// How it ended; the worst, where it was reported more than once.
    pub status: TestStatus,
    /// What it said, cut at a bound; empty where it passed.
    pub message: String,
    /// How often it was reported: more than once means that something reran it.
    pub attempts: u32,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteReport {
    /// How the process ended, in words: `exit code 0`, `signal 9`, `ran too long` …
    pub ended: String,
    /// Whether the process itself reported success.
    pub succeeded: bool,
    /// Why the results cannot be relied on as a whole, where they cannot: such a run is inconclusive.
    pub trouble: Option<String>,
    /// The first module that could not be collected, where that kept all tests from running: it is the code's own fault.
    pub uncollected: Option<String>,
    /// The tests, sorted by name. Empty where only the exit code could be read.
    pub tests: Vec<TestOutcome>,
    /// Whether the run says nothing about the code: no test was carried out.
    pub ran_nothing: bool,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The last lines that it wrote.
    pub tail: String,
}

impl SuiteReport {
    /// The names of the tests that failed.
    pub fn failing(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter(|test| test.status.is_failure()).map(|test| test.name.as_str())
    }
}

/// Collects outcomes by name; of several for one test the worst counts.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    by_name: BTreeMap<String, TestOutcome>,
}

impl Outcomes {
    /// Adds one report of a test.
    pub(super) fn add(&mut self, name: &str, status: TestStatus, message: &str) {
        let known = self.worsen(name, status, message);
        known.attempts += 1;
    }

    /// Says more about a report that was added, or will be counted once all the same.
    pub(super) fn worsen(&mut self, name: &str, status: TestStatus, message: &str) -> &mut TestOutcome {
        let new = || TestOutcome { name: name.to_owned(), status, message: String::new(), attempts: 0 };
        let known = self.by_name.entry(name.to_owned()).or_insert_with(new);
        if known.message.is_empty() || status > known.status {
            known.message = message.trim().chars().take(MESSAGE_CHARS_MAX).collect();
        }
        known.status = known.status.max(status);
        known
    }

    pub(super) fn any_failure(&self) -> bool {
        self.by_name.values().any(|test| test.status.is_failure())
    }

    pub(super) fn count(&self, status: TestStatus) -> usize {
        self.by_name.values().filter(|test| test.status == status).count()
    }

    pub(super) fn into_sorted(self) -> Vec<TestOutcome> {
        self.by_name
            .into_values()
            .map(|test| TestOutcome { attempts: test.attempts.max(1), ..test })
            .collect()
    }
}

/// What a reader of some output format understood.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) outcomes: Outcomes,
    pub(super) trouble: Option<String>,
    /// As in [`SuiteReport::uncollected`].
    pub(super) uncollected: Option<String>,
}
