//! `JUnit` XML of pytest, of its reruns plugin, and of nextest.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessReruns, Report, TestCase, TestCaseStatus, XmlString};

use super::{Attempts, Outcome, ReadError, Reading, Row};

const FORMAT: &str = "junit";

/// One testcase element: its name, what it says, and how many failed attempts it tells of.
struct Case {
    task: String,
    outcome: Outcome,
    failed_before: usize,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let report = Report::deserialize_from_str(text).map_err(|error| {
        let whole = text.trim_end().ends_with('>') && text.contains("</testsuite");
        if whole { ReadError::malformed(FORMAT, error) } else { ReadError::truncated(FORMAT, error) }
    })?;
    let mut by_task: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    let mut elements = 0;
    for suite in &report.test_suites {
        elements += suite.test_cases.len();
        if suite.tests > suite.test_cases.len() {
            let reason =
                format!("{} of {} tests of `{}`", suite.test_cases.len(), suite.tests, suite.name.as_str());
            return Err(ReadError::truncated(FORMAT, reason));
        }
        for case in &suite.test_cases {
            let case = understood(case, suite.name.as_str());
            by_task.entry(case.task.clone()).or_default().push(case);
        }
    }
    if report.tests > elements {
        return Err(ReadError::truncated(FORMAT, format!("{elements} of {} tests", report.tests)));
    }
    // nextest marks every attempt; a test that stands twice all the same is a damaged file.
    let twice = by_task.iter().find(|(_, cases)| cases.len() > 1 && report.uuid.is_some());
    if let Some((task, _)) = twice {
        return Err(ReadError::Duplicate { task: task.clone() });
    }
    let rows = by_task.into_values().flat_map(attempts).collect();
    Reading::of(FORMAT, rows, Attempts::Retries)
}

/// All attempts at one test. The reruns plugin writes the same element again, with no mark on those that
/// failed; all but the last must have, or there would have been no rerun.
fn attempts(cases: Vec<Case>) -> Vec<Row> {
    let last = cases.len() - 1;
    let mut rows: Vec<Row> = Vec::new();
    for (index, case) in cases.into_iter().enumerate() {
        let failed = case.failed_before + usize::from(index < last);
        let outcomes = (0..failed).map(|_| Outcome::Fail).chain((index == last).then_some(case.outcome));
        for outcome in outcomes {
            let attempt = u32::try_from(rows.len() + 1).unwrap_or(u32::MAX);
            rows.push(Row { attempt, ..Row::task(case.task.clone(), outcome) });
        }
    }
    rows
}

fn understood(case: &TestCase, suite: &str) -> Case {
    let class = case.classname.as_ref().map_or(suite, XmlString::as_str);
    let task = format!("{class}::{}", case.name.as_str());
    let (outcome, failed_before) = match &case.status {
        TestCaseStatus::Success { flaky_runs } => (Outcome::Pass, flaky_runs.len()),
        TestCaseStatus::NonSuccess { reruns, .. } => (Outcome::Fail, failed_reruns(reruns)),
        // A failure that was expected is written as a skip.
        TestCaseStatus::Skipped { ty, .. } if ty.as_ref().is_some_and(|ty| ty.as_str() == "pytest.xfail") => {
            (Outcome::Pass, 0)
        }
        TestCaseStatus::Skipped { .. } => (Outcome::Skip, 0),
    };
    Case { task, outcome, failed_before }
}

fn failed_reruns(reruns: &NonSuccessReruns) -> usize {
    reruns.runs.len()
}
