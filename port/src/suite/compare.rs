//! Two runs of a suite side by side: what the change broke, and what was broken before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::{SuiteReport, TestOutcome, TestStatus};
use super::run::Rerun;

/// The tests that differ, or fail on both sides; names, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteComparison {
    /// They fail now, each time, and did not fail before; new tests that fail are among them.
    pub newly_failing: Vec<String>,
    /// They fail now, each time, and failed before.
    pub still_failing: Vec<String>,
    /// They failed before and pass now.
    pub fixed: Vec<String>,
    /// They were there before and are gone.
    pub missing: Vec<String>,
    /// They were carried out before and are skipped now.
    pub newly_skipped: Vec<String>,
    /// They failed now, and passed in some other attempt at the same code.
    pub flaky: Vec<String>,
}

impl SuiteComparison {
    /// Whether some test says that the change took something away.
    pub fn has_losses(&self) -> bool {
        !(self.newly_failing.is_empty() && self.missing.is_empty() && self.newly_skipped.is_empty())
    }
}

/// Compares the run before the change with the one after it. `reruns` are of the code after it.
///
/// A run with [`SuiteReport::trouble`] or one that [ran nothing](SuiteReport::ran_nothing) makes the
/// comparison worthless: the caller looks at both first.
pub fn compare(before: &SuiteReport, after: &SuiteReport, reruns: &[Rerun]) -> SuiteComparison {
    let earlier: BTreeMap<&str, TestStatus> =
        before.tests.iter().map(|test| (test.name.as_str(), test.status)).collect();
    let later: BTreeMap<&str, &TestOutcome> =
        after.tests.iter().map(|test| (test.name.as_str(), test)).collect();
    let passed_again =
        |name: &str| reruns.iter().any(|rerun| rerun.name == name && rerun.failures < rerun.runs);

    let mut comparison = SuiteComparison::default();
    for (&name, &test) in &later {
        let failed_before = earlier.get(name).is_some_and(|status| status.is_failure());
        let list = if test.status.is_failure() && passed_again(name) {
            &mut comparison.flaky
        } else if test.status.is_failure() && failed_before {
            &mut comparison.still_failing
        } else if test.status.is_failure() {
            &mut comparison.newly_failing
        } else if test.attempts > 1 {
            // Whoever reported it twice reran it after a failure.
            &mut comparison.flaky
        } else if test.status == TestStatus::Skipped {
            match earlier.get(name) {
                Some(TestStatus::Passed | TestStatus::Failed | TestStatus::Error) => {
                    &mut comparison.newly_skipped
                }
                Some(TestStatus::Skipped) | None => continue,
            }
        } else if failed_before {
            &mut comparison.fixed
        } else {
            continue;
        };
        list.push(name.to_owned());
    }
    let gone = earlier.keys().filter(|name| !later.contains_key(*name));
    comparison.missing = gone.map(|&name| name.to_owned()).collect();
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(tests: &[(&str, TestStatus)]) -> SuiteReport {
        let outcome = |&(name, status): &(&str, TestStatus)| TestOutcome {
            name: name.to_owned(),
            status,
            message: String::new(),
            attempts: 1,
        };
        SuiteReport {
            ended: "exit code 0".to_owned(),
            succeeded: true,
            trouble: None,
            tests: tests.iter().map(outcome).collect(),
            uncollected: None,
            ran_nothing: false,
            duration_ms: 1,
            tail: String::new(),
        }
    }

    #[test]
    fn each_kind_of_difference_has_its_list() {
        use TestStatus::{Error, Failed, Passed, Skipped};
        let before = report(&[
            ("breaks", Passed),
            ("flakes", Passed),
            ("goes", Passed),
            ("heals", Failed),
            ("hides", Passed),
            ("stays_bad", Error),
            ("stays_good", Passed),
            ("stays_skipped", Skipped),
        ]);
        let after = report(&[
            ("breaks", Error),
            ("flakes", Failed),
            ("heals", Passed),
            ("hides", Skipped),
            ("new_and_bad", Failed),
            ("new_and_good", Passed),
            ("stays_bad", Failed),
            ("stays_good", Passed),
            ("stays_skipped", Skipped),
        ]);
        let rerun = |name: &str, failures| Rerun { name: name.to_owned(), runs: 4, failures };
        let comparison = compare(&before, &after, &[rerun("flakes", 3), rerun("breaks", 4)]);
        assert_eq!(comparison.newly_failing, ["breaks", "new_and_bad"]);
        assert_eq!(comparison.still_failing, ["stays_bad"]);
        assert_eq!(comparison.fixed, ["heals"]);
        assert_eq!(comparison.missing, ["goes"]);
        assert_eq!(comparison.newly_skipped, ["hides"]);
        assert_eq!(comparison.flaky, ["flakes"]);
        assert!(comparison.has_losses());
    }

    #[test]
    fn equal_runs_differ_in_nothing() {
        let run = report(&[("a", TestStatus::Passed), ("b", TestStatus::Skipped)]);
        assert_eq!(compare(&run, &run, &[]), SuiteComparison::default());
    }
}
