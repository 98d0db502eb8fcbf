//! The gates as `JUnit` XML: a suite for each gate, a case for each symbol or finding.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{GateReport, subject};
use crate::record::{Finding, GateRecord, Verdict};
use crate::visible::{block, line};

/// The report as `JUnit` XML.
pub fn junit(report: &GateReport) -> Result<String, SerializeError> {
    let mut xml = Report::new("tidelock gate");
    for gate in &report.gates {
        let mut suite = TestSuite::new(gate.gate.as_str());
        suite.set_time(std::time::Duration::from_millis(gate.duration_ms));
        suite.add_test_cases(cases(gate));
        xml.add_test_suite(suite);
    }
    xml.to_string()
}

/// One case for each symbol that was compared and each test that was lost; one for the gate itself where there
/// are none.
fn cases(gate: &GateRecord) -> Vec<TestCase> {
    let class = format!("tidelock.{}", gate.gate);
    let case = |name: &str, status: TestCaseStatus| {
        let mut case = TestCase::new(line(name), status);
        case.set_classname(class.as_str());
        case
    };
    let failure = |kind: NonSuccessKind, message: &str, text: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(line(message)).set_description(block(&text));
        status
    };
    let mut cases: Vec<TestCase> = gate
        .evidence
        .iter()
        .map(|row| {
            let status = if row.disagreed > 0 {
                let examples = gate.counterexamples.iter().filter(|example| example.symbol == row.symbol);
                let text: Vec<String> = examples
                    .map(|example| {
                        format!("{}: upstream {}, port {}", example.call, example.upstream, example.port)
                    })
                    .collect();
                let message = format!("{} of {} probes differ", row.disagreed, row.agreed + row.disagreed);
                failure(NonSuccessKind::Failure, &message, text.join("\n"))
            } else if row.agreed > 0 {
                TestCaseStatus::success()
            } else {
                let mut status = TestCaseStatus::skipped();
                status.set_message(line(&row.not_probed));
                status
            };
            case(&row.symbol, status)
        })
        .collect();
    cases.extend(gate.sessions.iter().map(|row| {
        let status = match row.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Fail => {
                let examples = gate.counterexamples.iter().filter(|example| example.symbol == row.name);
                let lines: Vec<&str> =
                    examples.flat_map(|example| &example.commands).map(String::as_str).collect();
                failure(NonSuccessKind::Failure, &row.reason, lines.join("\n"))
            }
            Verdict::Inconclusive => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(line(&row.reason));
                status
            }
        };
        case(&row.name, status)
    }));
    let is_row = |finding: &&Finding| {
        let subject = subject(&finding.text);
        gate.sessions.iter().any(|row| row.name == subject)
    };
    let has_evidence = !gate.evidence.is_empty();
    let failed: Vec<_> = match gate.verdict {
        Verdict::Fail if !has_evidence => {
            gate.findings.iter().filter(|finding| !is_note(&finding.code) && !is_row(finding)).collect()
        }
        Verdict::Fail | Verdict::Pass | Verdict::Inconclusive => Vec::new(),
    };
    cases.extend(failed.iter().map(|finding| {
        case(&subject(&finding.text), failure(NonSuccessKind::Failure, &finding.code, finding.text.clone()))
    }));
    if cases.is_empty() {
        let status = match gate.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Fail => failure(NonSuccessKind::Failure, &gate.reason, gate.reason.clone()),
            Verdict::Inconclusive => failure(NonSuccessKind::Error, &gate.reason, gate.reason.clone()),
        };
        cases.push(case(&gate.gate, status));
    }
    cases
}

/// Findings that are told and held against nobody.
pub(super) fn is_note(code: &str) -> bool {
    matches!(code, "still-failing" | "flaky" | "stale")
}
