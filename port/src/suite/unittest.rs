//! Reads what `python -m unittest -v` writes to standard error, in the forms of Python 3.8 to 3.13.
//!
//! Tests may print into it, so a result may stand on a later line than its test, or nowhere. Failures are
//! listed a second time at the end, and counted by the exit code: what does not add up is trouble.

use super::report::{Outcomes, Reading, TestStatus};

/// Stands before each failure that is listed at the end.
const SECTION: &str = "======================================================================";

/// Closes the title of such a failure, and the list.
const RULE: &str = "----------------------------------------------------------------------";

/// Reads the text. `succeeded` is what the exit code said.
pub(super) fn read(text: &str, succeeded: bool) -> Reading {
    let mut reader = Reader::default();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == SECTION {
            let mut section = Vec::new();
            let title = lines.next().unwrap_or_default();
            while let Some(line) = lines.next_if(|line| *line != SECTION && !is_summary(line)) {
                section.push(line);
            }
            reader.section(title, &section);
        } else if is_summary(line) {
            reader.tests_run = line.split(' ').nth(1).and_then(|number| number.parse().ok());
        } else {
            reader.progress(line);
        }
    }
    reader.finish(succeeded)
}

#[derive(Default)]
struct Reader {
    outcomes: Outcomes,
    /// The test whose result has not been seen yet.
    pending: Option<String>,
    /// Tests without a result of their own: failed subtests, or a result that was printed over.
    unresolved: Vec<String>,
    /// How many tests were begun.
    begun: usize,
    tests_run: Option<usize>,
}

impl Reader {
    /// A line before the failures: `test_x (module.Class.test_x) ... ok`, or a part of that.
    fn progress(&mut self, line: &str) {
        let subtest = line.starts_with("  ");
        let (title, result) = match line.split_once(" ... ") {
            Some((title, result)) => (title, result),
            None => (line.strip_suffix(" ...").unwrap_or(line), ""),
        };
        if let Some(name) = test_name(title.trim_start()) {
            if subtest {
                return self.subtest(&name, result);
            }
            self.unresolved.extend(self.pending.take());
            self.begun += 1;
            self.pending = Some(name);
        }
        // Behind the title, behind the first line of its documentation, or alone behind what it printed.
        let result = if line.contains(" ... ") { result } else { line };
        if let Some((status, message)) = status_of(result)
            && let Some(name) = self.pending.take()
        {
            self.outcomes.add(&name, status, message);
        }
    }

    fn subtest(&mut self, name: &str, result: &str) {
        // One that was skipped says nothing about the others of its test.
        if let Some((status, message)) = status_of(result)
            && status.is_failure()
        {
            self.outcomes.worsen(name, status, message);
        }
    }

    /// A failure in full: its title, and what follows.
    fn section(&mut self, title: &str, lines: &[&str]) {
        let Some((kind, test)) = title.split_once(": ") else { return };
        let status = match kind {
            "FAIL" | "UNEXPECTED SUCCESS" => TestStatus::Failed,
            "ERROR" => TestStatus::Error,
            _not_a_result => return,
        };
        let Some(name) = test_name(test) else { return };
        let message = lines.iter().skip_while(|line| **line != RULE).skip(1);
        let message: Vec<&str> = message.copied().filter(|line| *line != RULE).collect();
        let known = self.outcomes.worsen(&name, status, "");
        if !message.is_empty() {
            known.message.clear();
            self.outcomes.worsen(&name, status, &message.join("\n"));
        }
    }

    fn finish(mut self, succeeded: bool) -> Reading {
        let Some(tests_run) = self.tests_run else {
            if let Some(name) = self.pending.take() {
                self.outcomes.add(&name, TestStatus::Error, "the process ended during this test");
            }
            let trouble = Some("the run ended before its summary".to_owned());
            return Reading { outcomes: self.outcomes, trouble, ..Reading::default() };
        };
        // Whatever failed was listed; these were not.
        for name in self.unresolved.drain(..).chain(self.pending.take()) {
            self.outcomes.worsen(&name, TestStatus::Passed, "");
        }
        let failed = self.outcomes.any_failure();
        // Since Python 3.12.1 a test that its decorator skips is not counted.
        let at_least = self.begun.saturating_sub(self.outcomes.count(TestStatus::Skipped));
        let trouble = if tests_run > self.begun || tests_run < at_least {
            Some(format!("it says that {tests_run} tests ran, but {} were begun", self.begun))
        } else if succeeded && failed {
            Some("it lists failures, but its exit code is 0".to_owned())
        } else if !succeeded && !failed && tests_run > 0 {
            Some("it lists no failure, but its exit code is not 0".to_owned())
        } else {
            None
        };
        Reading { outcomes: self.outcomes, trouble, ..Reading::default() }
    }
}

fn is_summary(line: &str) -> bool {
    line.strip_prefix("Ran ").is_some_and(|rest| rest.contains(" test") && rest.contains(" in "))
}

/// `test_x (module.Class)` before Python 3.11, `test_x (module.Class.test_x)` since; behind it perhaps
/// what tells a subtest.
fn test_name(title: &str) -> Option<String> {
    let (method, rest) = title.split_once(" (")?;
    let (place, rest) = rest.split_once(')')?;
    let is_path = |text: &str| {
        let parts = || text.split('.');
        parts().all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '<' || c == '>')
        })
    };
    let subtest = rest.is_empty() || rest.starts_with(" [") || rest.starts_with(" (");
    if !is_path(place) || !is_path(method) || method.contains('.') || !subtest {
        return None;
    }
    let ends_with_method = place.strip_suffix(method).is_some_and(|front| front.ends_with('.'));
    Some(if ends_with_method { place.to_owned() } else { format!("{place}.{method}") })
}

fn status_of(result: &str) -> Option<(TestStatus, &str)> {
    match result.trim_end() {
        "ok" | "expected failure" => Some((TestStatus::Passed, "")),
        "FAIL" => Some((TestStatus::Failed, "")),
        "unexpected success" => Some((TestStatus::Failed, "unexpected success")),
        "ERROR" => Some((TestStatus::Error, "")),
        other => {
            let reason = other.strip_prefix("skipped ")?;
            Some((TestStatus::Skipped, reason.trim_matches(['\'', '"'])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, succeeded: bool) -> String {
        let reading = read(text, succeeded);
        let mut lines: Vec<String> = Vec::new();
        for test in reading.outcomes.into_sorted() {
            let message = test.message.lines().last().unwrap_or_default().to_owned();
            lines.push(format!("{} {:?} {message}", test.name, test.status).trim_end().to_owned());
        }
        lines.extend(reading.trouble.map(|trouble| format!("trouble: {trouble}")));
        lines.join("\n")
    }

    const PYTHON_3_13: &str = include_str!("fixtures/unittest_3_13.txt");
    const PYTHON_3_10: &str = include_str!("fixtures/unittest_3_10.txt");

    #[test]
    fn every_kind_of_result_of_python_3_13_is_read() {
        insta::assert_snapshot!(show(PYTHON_3_13, false), @r"
        test_results.Broken.setUpClass Error RuntimeError: no set-up
        test_results.Results.test_fails_as_expected Passed
        test_results.Results.test_fails_with_documentation Failed AssertionError: 1 != 2
        test_results.Results.test_passes Passed
        test_results.Results.test_passes_against_expectation Failed unexpected success
        test_results.Results.test_prints Passed
        test_results.Results.test_raises Error ValueError: raised
        test_results.Results.test_skipped Skipped not today
        test_results.Results.test_subtests Failed AssertionError: 1 != 0
        test_results.Results.test_subtests_all_pass Passed
        test_results.Results.test_with_documentation Passed
        ");
    }

    #[test]
    fn names_of_python_3_10_become_those_of_3_13() {
        insta::assert_snapshot!(show(PYTHON_3_10, false), @r"
        test_results.Broken.setUpClass Error RuntimeError: no set-up
        test_results.Results.test_fails_as_expected Passed
        test_results.Results.test_fails_with_documentation Failed AssertionError: 1 != 2
        test_results.Results.test_passes Passed
        test_results.Results.test_passes_against_expectation Failed unexpected success
        test_results.Results.test_prints Passed
        test_results.Results.test_raises Error ValueError: raised
        test_results.Results.test_skipped Skipped not today
        test_results.Results.test_subtests Failed AssertionError: 1 != 0
        test_results.Results.test_subtests_all_pass Passed
        test_results.Results.test_with_documentation Passed
        ");
    }

    #[test]
    fn a_run_that_dies_names_the_test_it_died_in() {
        let text = "test_a (m.C.test_a) ... ok\ntest_b (m.C.test_b) ... Segmentation fault";
        insta::assert_snapshot!(show(text, false), @r"
        m.C.test_a Passed
        m.C.test_b Error the process ended during this test
        trouble: the run ended before its summary
        ");
    }

    #[test]
    fn counts_and_exit_code_must_agree_with_what_is_listed() {
        let forged =
            "test_a (m.C.test_a) ... ok\ntest_forged (m.C.test_forged) ... ok\n\nRan 1 test in 0.1s\n\nOK";
        assert_eq!(read(forged, true).trouble.unwrap(), "it says that 1 tests ran, but 2 were begun");
        let one = "test_a (m.C.test_a) ... ok\n\nRan 1 test in 0.1s\n\nOK";
        assert!(read(one, true).trouble.is_none());
        assert_eq!(read(one, false).trouble.unwrap(), "it lists no failure, but its exit code is not 0");
        let failed = "test_a (m.C.test_a) ... FAIL\n\nRan 1 test in 0.1s\n\nFAILED (failures=1)";
        assert_eq!(read(failed, true).trouble.unwrap(), "it lists failures, but its exit code is 0");
    }

    #[test]
    fn a_module_that_cannot_be_imported_is_an_error() {
        let text = "test_bad (unittest.loader._FailedTest.test_bad) ... ERROR\n\n\
                    ======================================================================\n\
                    ERROR: test_bad (unittest.loader._FailedTest.test_bad)\n\
                    ----------------------------------------------------------------------\n\
                    ImportError: Failed to import test module: test_bad\n\n\
                    ----------------------------------------------------------------------\n\
                    Ran 1 test in 0.000s\n\nFAILED (errors=1)\n";
        insta::assert_snapshot!(show(text, false), @"unittest.loader._FailedTest.test_bad Error ImportError: Failed to import test module: test_bad");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "([ a-z().=:\n-]|test_a \\(m.C\\)| \\.\\.\\. |ok|FAIL|Ran 1 test in |={70}){0,40}") {
            read(&text, true);
        }
    }
}
