//! The repository's own verdict: the tests of the real answer over what a chain made.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use globset::{Glob, GlobSet, GlobSetBuilder};
use port::confinement::Confinement;
use port::suite::{SuiteReport, TestStatus, compare};
use upstream::TreeId;
use upstream::tree::EntryKind;

use super::outcome::AnswerVerdict;
use crate::driver::Suites;
use crate::session::Session;

/// Which files are tests, where nothing else is said.
pub(crate) const TESTS: [&str; 5] = ["tests/**", "test/**", "**/test_*.py", "**/*_test.py", "**/conftest.py"];

/// How many tests are named.
const NAMED_MAX: usize = 5;

/// Patterns of the files that are tests.
pub(crate) fn patterns(globs: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob)?);
    }
    Ok(set.build()?)
}

/// The trees that are told apart; all are in the repository of the session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trees<'a> {
    /// The port before.
    pub(crate) before: &'a TreeId,
    /// What was made of it.
    pub(crate) made: &'a TreeId,
    /// The real answer.
    pub(crate) answer: &'a TreeId,
}

/// Runs the answer's tests over the answer, over what was made, and over the port as it was: where they pass on the
/// latter as well they tell nothing.
pub(crate) fn judge(
    session: &Session,
    confinement: &dyn Confinement,
    tests: &GlobSet,
    trees: Trees<'_>,
) -> Result<AnswerVerdict> {
    let mut suites = Suites::new(session, confinement);
    let untold = |reason: &str| Ok(AnswerVerdict::Untold { reason: reason.to_owned() });
    if !suites.are_there() {
        return untold("the port has no tests");
    }
    let reference = suites.of(trees.answer)?;
    if let Some(trouble) = &reference.trouble {
        return untold(&format!("the tests of the real answer cannot be relied on: {trouble}"));
    }
    if reference.ran_nothing {
        return untold("the real answer has no test that runs");
    }
    let over = |tree: &TreeId| with_tests(session, tests, tree, trees.answer);
    let (made, before) = (over(trees.made)?, over(trees.before)?);
    let found = suites.of(&made)?;
    if let Some(verdict) = without_results(&found) {
        return Ok(verdict);
    }
    let reruns = suites.again(&made, &found)?;
    if reference.tests.is_empty() {
        let before = suites.of(&before)?;
        return Ok(by_exit_code(&reference, &found, &before));
    }
    let compared = compare(&reference, &found, &reruns);
    let lost = [&compared.newly_failing, &compared.missing, &compared.newly_skipped];
    let lost: Vec<String> = lost.into_iter().flatten().cloned().collect();
    if !lost.is_empty() {
        return Ok(AnswerVerdict::Wrong { tests: named(lost) });
    }
    let before = suites.of(&before)?;
    if told_apart(&reference, &before) {
        return Ok(AnswerVerdict::Right);
    }
    untold("the tests of the real answer pass on the port as it was, too")
}

/// What a run says whose single tests say nothing, where the same tests could be relied on with the real answer.
fn without_results(found: &SuiteReport) -> Option<AnswerVerdict> {
    // They import what the answer has: where that is not there, none of them runs.
    if let Some(module) = &found.uncollected {
        return Some(AnswerVerdict::Wrong { tests: vec![format!("{module}, which cannot be collected")] });
    }
    let trouble = found.trouble.as_ref()?;
    Some(AnswerVerdict::Untold { reason: format!("the tests cannot be relied on: {trouble}") })
}

fn by_exit_code(reference: &SuiteReport, found: &SuiteReport, before: &SuiteReport) -> AnswerVerdict {
    let untold = |reason: &str| AnswerVerdict::Untold { reason: reason.to_owned() };
    match (reference.succeeded, found.succeeded, before.succeeded) {
        (false, _, _) => untold("the tests of the real answer fail"),
        (true, false, _) => {
            AnswerVerdict::Wrong { tests: vec![format!("the test command: {}", found.ended)] }
        }
        (true, true, false) => AnswerVerdict::Right,
        (true, true, true) => untold("the tests of the real answer pass on the port as it was, too"),
    }
}

/// Whether a test that passes with the answer does not on the port as it was.
fn told_apart(reference: &SuiteReport, before: &SuiteReport) -> bool {
    let passing = |report: &SuiteReport| -> BTreeSet<String> {
        let passing = report.tests.iter().filter(|test| test.status == TestStatus::Passed);
        passing.map(|test| test.name.clone()).collect()
    };
    !passing(reference).is_subset(&passing(before))
}

fn named(mut tests: Vec<String>) -> Vec<String> {
    let more = tests.len().saturating_sub(NAMED_MAX);
    tests.truncate(NAMED_MAX);
    if more > 0 {
        tests.push(format!("and {more} more"));
    }
    tests
}

/// A tree with the tests of another one in place of its own.
fn with_tests(session: &Session, tests: &GlobSet, tree: &TreeId, of: &TreeId) -> Result<TreeId> {
    let test_files = |tree: &TreeId| -> Result<BTreeMap<String, String>> {
        let files = session.port.files(tree)?.into_iter();
        let files = files.filter(|file| file.kind == EntryKind::File && tests.is_match(&file.path));
        Ok(files.map(|file| (file.path, file.id)).collect())
    };
    let (own, others) = (test_files(tree)?, test_files(of)?);
    let mut changes: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
    for path in own.keys().filter(|path| !others.contains_key(*path)) {
        changes.insert(path.clone(), None);
    }
    for (path, id) in &others {
        if own.get(path) != Some(id) {
            changes.insert(path.clone(), session.port.read(of, path)?);
        }
    }
    Ok(session.port.write_tree(tree, &changes)?)
}

#[cfg(test)]
mod tests {
    use port::suite::TestOutcome;

    use super::*;

    fn suite(tests: &[(&str, TestStatus)]) -> SuiteReport {
        let outcome = |&(name, status): &(&str, TestStatus)| TestOutcome {
            name: name.to_owned(),
            status,
            message: String::new(),
            attempts: 1,
        };
        SuiteReport {
            ended: "exit code 1".to_owned(),
            succeeded: false,
            trouble: None,
            tests: tests.iter().map(outcome).collect(),
            uncollected: None,
            ran_nothing: false,
            duration_ms: 1,
            tail: String::new(),
        }
    }

    #[test]
    fn a_module_that_lacks_what_the_answer_has_is_wrong_and_other_trouble_tells_nothing() {
        let whole = suite(&[("a", TestStatus::Passed)]);
        assert_eq!(without_results(&whole), None);
        let trouble = Some("it was stopped: ran too long".to_owned());
        let stopped = SuiteReport { trouble, ..whole.clone() };
        assert!(matches!(without_results(&stopped), Some(AnswerVerdict::Untold { .. })));
        let lacking = SuiteReport { uncollected: Some("tests.test_b".to_owned()), ..stopped };
        let tests = vec!["tests.test_b, which cannot be collected".to_owned()];
        assert_eq!(without_results(&lacking), Some(AnswerVerdict::Wrong { tests }));
    }

    #[test]
    fn tests_tell_something_where_one_of_the_answers_does_not_pass_before() {
        use TestStatus::{Error, Passed, Skipped};
        let answer = suite(&[("a", Passed), ("b", Passed), ("c", Skipped)]);
        assert!(!told_apart(&answer, &suite(&[("a", Passed), ("b", Passed)])));
        assert!(told_apart(&answer, &suite(&[("a", Passed), ("b", Error)])));
        assert!(told_apart(&answer, &suite(&[("a", Passed)])), "a module that does not load has no tests");
    }

    #[test]
    fn an_exit_code_alone_tells_as_much_as_it_can() {
        let ends = |succeeded| SuiteReport { succeeded, ..suite(&[]) };
        let of = |answer, made, before| by_exit_code(&ends(answer), &ends(made), &ends(before));
        assert_eq!(of(true, true, false), AnswerVerdict::Right);
        assert!(matches!(of(true, false, false), AnswerVerdict::Wrong { .. }));
        assert!(matches!(of(true, true, true), AnswerVerdict::Untold { .. }));
        assert!(matches!(of(false, true, false), AnswerVerdict::Untold { .. }));
    }

    #[test]
    fn the_usual_places_of_tests_are_known_and_a_broken_pattern_is_not_taken() {
        let tests = patterns(&TESTS.map(str::to_owned)).unwrap();
        for file in ["tests/data/x.txt", "test/a.py", "pkg/test_a.py", "pkg/a_test.py", "conftest.py"] {
            assert!(tests.is_match(file), "{file}");
        }
        assert!(!tests.is_match("pkg/testing.py"));
        assert!(patterns(&["a[".to_owned()]).is_err());
    }

    #[test]
    fn many_tests_are_named_in_part() {
        let names = named((0..8).map(|number| number.to_string()).collect());
        assert_eq!(names.last().unwrap(), "and 3 more");
    }
}
