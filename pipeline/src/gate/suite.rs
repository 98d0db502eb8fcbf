//! The port's own tests, before and after, to a verdict.

use mappings::SymbolPath;
use port::suite::{Rerun, SuiteReport, compare};
use reports::record::{Finding, GateRecord};
use reports::{Verdict, count};

use super::record;

/// The verdict over two runs. `stale` tests answer to upstream tests that changed and wait for a person:
/// they are counted and block nothing. `is_test` says whether a test is the one that a symbol is.
pub fn tests(
    before: &SuiteReport,
    after: &SuiteReport,
    reruns: &[Rerun],
    stale: &[SymbolPath],
    is_test: fn(&str, &SymbolPath) -> bool,
) -> GateRecord {
    if let Some(trouble) = &after.trouble {
        return record("tests", Verdict::Inconclusive, format!("the tests cannot be relied on: {trouble}"));
    }
    if after.ran_nothing {
        return record("tests", Verdict::Inconclusive, "no test was carried out".to_owned());
    }
    let compared = compare(before, after, reruns);
    let is_stale = |name: &String| stale.iter().any(|symbol| is_test(name, symbol));
    let lost = |names: &[String], code: &str| -> Vec<Finding> {
        let names = names.iter().filter(|name| !is_stale(name));
        names.map(|name| Finding { code: code.to_owned(), text: finding_text(name, after) }).collect()
    };
    let mut findings = lost(&compared.newly_failing, "newly-failing");
    findings.extend(lost(&compared.missing, "missing"));
    findings.extend(lost(&compared.newly_skipped, "newly-skipped"));
    let losses = findings.len();
    let noted = |names: &[String], code: &str| -> Vec<Finding> {
        names.iter().map(|name| Finding { code: code.to_owned(), text: name.clone() }).collect()
    };
    findings.extend(noted(&compared.still_failing, "still-failing"));
    findings.extend(noted(&compared.flaky, "flaky"));
    let waiting: Vec<String> = compared.newly_failing.iter().filter(|name| is_stale(name)).cloned().collect();
    findings.extend(noted(&waiting, "stale"));
    let only_the_exit_code = after.tests.is_empty();
    let (verdict, reason) = if only_the_exit_code {
        let verdict = if after.succeeded { Verdict::Pass } else { Verdict::Fail };
        (verdict, format!("the test command ended with {}; single tests cannot be told", after.ended))
    } else if losses > 0 {
        (Verdict::Fail, format!("{losses} of {} lost", count(after.tests.len() as u64, "test")))
    } else {
        let rest = match (compared.still_failing.len(), compared.flaky.len(), waiting.len()) {
            (0, 0, 0) => String::new(),
            (failing, flaky, waiting) => {
                format!("; {failing} fail as before, {flaky} are flaky, {waiting} wait for a person")
            }
        };
        (Verdict::Pass, format!("{}, none lost{rest}", count(after.tests.len() as u64, "test")))
    };
    GateRecord { findings, ..record("tests", verdict, reason) }
}

fn finding_text(name: &str, after: &SuiteReport) -> String {
    let message = after.tests.iter().find(|test| test.name == name).map(|test| test.message.trim());
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{name}: {message}"),
        None => name.to_owned(),
    }
}
