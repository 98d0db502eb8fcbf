//! Reads the `JUnit` file that pytest writes.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, XmlString};

use super::report::{Reading, TestStatus};

/// How pytest's `junitxml` writes a module that it could not import.
const COLLECTION_FAILED: &str = "collection failure";

/// Reads the text. `succeeded` is what the exit code said.
pub(super) fn read(xml: &str, succeeded: bool) -> Reading {
    let mut reading = Reading::default();
    let report = match Report::deserialize_from_str(xml) {
        Ok(report) => report,
        Err(error) => {
            reading.trouble = Some(format!("its JUnit file cannot be read: {error}"));
            return reading;
        }
    };
    let cases = || report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    if let Some(module) = uncollected(cases()) {
        reading.trouble = Some(format!("pytest could not collect `{module}`, and carried out no test"));
        reading.uncollected = Some(module.to_owned());
        return reading;
    }
    for case in cases() {
        let name = case.name.as_str();
        let name = match case.classname.as_ref().map(XmlString::as_str) {
            Some(class) if !class.is_empty() => format!("{class}.{name}"),
            Some(_) | None => name.to_owned(),
        };
        let (status, message) = status_of(&case.status);
        // A rerun by a plugin shows as the same test again, with no mark on either.
        reading.outcomes.add(&name, status, &message);
    }
    let failed = reading.outcomes.any_failure();
    if succeeded && failed {
        reading.trouble = Some("it lists failures, but its exit code is 0".to_owned());
    } else if !succeeded && !failed && report.tests > 0 {
        reading.trouble = Some("it lists no failure, but its exit code is not 0".to_owned());
    }
    reading
}

/// The first module that could not be collected, where nothing else came of the run: pytest ends there unless it is told to
/// go on. That is one error in place of all tests, and would be the same one before and after any change.
fn uncollected<'a>(cases: impl Iterator<Item = &'a TestCase>) -> Option<&'a str> {
    let mut first = None;
    for case in cases {
        match &case.status {
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, message: Some(message), .. }
                if message.as_str() == COLLECTION_FAILED =>
            {
                first.get_or_insert(case.name.as_str());
            }
            TestCaseStatus::Skipped { .. } => {}
            TestCaseStatus::Success { .. } | TestCaseStatus::NonSuccess { .. } => return None,
        }
    }
    first
}

fn status_of(status: &TestCaseStatus) -> (TestStatus, String) {
    let text = |message: &Option<XmlString>, description: &Option<XmlString>| {
        let parts = [message, description].map(|part| part.as_ref().map_or("", XmlString::as_str));
        parts.join("\n").trim().to_owned()
    };
    match status {
        TestCaseStatus::Success { .. } => (TestStatus::Passed, String::new()),
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, message, description, .. } => {
            (TestStatus::Failed, text(message, description))
        }
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, message, description, .. } => {
            (TestStatus::Error, text(message, description))
        }
        // A failure that was expected is written as a skip.
        TestCaseStatus::Skipped { ty, .. } if ty.as_ref().is_some_and(|ty| ty.as_str() == "pytest.xfail") => {
            (TestStatus::Passed, String::new())
        }
        TestCaseStatus::Skipped { message, description, .. } => {
            (TestStatus::Skipped, text(message, description))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">
<testsuite name="pytest" errors="1" failures="1" skipped="2" tests="6" time="0.1" timestamp="2026-01-02T03:04:05.000000+00:00" hostname="h">
<testcase classname="tests.test_a.Class" name="test_passes" time="0.001" />
<testcase classname="tests.test_a" name="test_case[1-&lt;a&gt;]" time="0.001"><failure message="assert 1 == 2">def test</failure></testcase>
<testcase classname="tests.test_a" name="test_tear_down" time="0.001"><error message="failed on teardown">E</error></testcase>
<testcase classname="tests.test_a" name="test_skipped" time="0.000"><skipped type="pytest.skip" message="not today">here</skipped></testcase>
<testcase classname="tests.test_a" name="test_expected" time="0.000"><skipped type="pytest.xfail" message="" /></testcase>
<testcase classname="tests.test_a" name="test_rerun" time="0.000" />
<testcase classname="tests.test_a" name="test_rerun" time="0.000" />
</testsuite></testsuites>"#;

    #[test]
    fn every_kind_of_result_is_read_and_a_rerun_is_seen() {
        let reading = read(XML, false);
        assert_eq!(reading.trouble, None);
        let lines: Vec<String> = reading
            .outcomes
            .into_sorted()
            .iter()
            .map(|test| format!("{} {:?} x{} {}", test.name, test.status, test.attempts, test.message))
            .map(|line| line.trim_end().to_owned())
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        tests.test_a.Class.test_passes Passed x1
        tests.test_a.test_case[1-<a>] Failed x1 assert 1 == 2
        def test
        tests.test_a.test_expected Passed x1
        tests.test_a.test_rerun Passed x2
        tests.test_a.test_skipped Skipped x1 not today
        here
        tests.test_a.test_tear_down Error x1 failed on teardown
        E
        ");
    }

    #[test]
    fn a_module_that_could_not_be_collected_stands_for_no_test() {
        let case = |name: &str, inside: &str| {
            format!("<testcase classname=\"\" name=\"{name}\">{inside}</testcase>")
        };
        let suite = |cases: &[String]| {
            let cases = cases.concat();
            format!(
                "<testsuites><testsuite name=\"pytest\" tests=\"2\" failures=\"0\" errors=\"1\">{cases}</testsuite></testsuites>"
            )
        };
        let broken = case("tests.test_b", "<error message=\"collection failure\">ImportError</error>");
        let skipped = case("tests.test_c", "<skipped type=\"pytest.skip\" message=\"collection skipped\" />");
        let reading = read(&suite(&[skipped, broken.clone()]), false);
        assert_eq!(reading.uncollected.as_deref(), Some("tests.test_b"));
        assert_eq!(
            reading.trouble.unwrap(),
            "pytest could not collect `tests.test_b`, and carried out no test"
        );
        assert!(reading.outcomes.into_sorted().is_empty());
        let went_on = read(&suite(&[broken, case("tests.test_a.test_one", "")]), false);
        assert_eq!((went_on.trouble, went_on.outcomes.into_sorted().len()), (None, 2));
    }

    #[test]
    fn text_that_is_no_junit_and_codes_that_contradict_it_are_trouble() {
        assert!(read("<html>", true).trouble.unwrap().starts_with("its JUnit file cannot be read"));
        assert_eq!(read(XML, true).trouble.unwrap(), "it lists failures, but its exit code is 0");
    }
}
