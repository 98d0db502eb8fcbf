//! Rust's own test runner: its JSON lines, nextest's form of them, and the text for people.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Attempts, Outcome, ReadError, Reading, Row, json};

const FORMAT: &str = "libtest";

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line {
    Suite(Suite),
    Test(Test),
    Bench(Bench),
    Report(serde_json::Value),
}

#[derive(Deserialize)]
struct Suite {
    event: String,
    test_count: Option<usize>,
    passed: Option<usize>,
    failed: Option<usize>,
    ignored: Option<usize>,
    measured: Option<usize>,
}

#[derive(Deserialize)]
struct Test {
    event: String,
    name: String,
}

#[derive(Deserialize)]
struct Bench {
    name: String,
    median: f64,
}

/// What was counted in one suite, and what it promised.
#[derive(Default)]
struct Counted {
    open: bool,
    promised: usize,
    passed: usize,
    failed: usize,
    ignored: usize,
    measured: usize,
    /// The tests that had a result.
    tasks: BTreeSet<String>,
    /// What nextest promised of each test binary, and which of its tests had a result so far: it ends a suite
    /// whenever no test of the binary is running, and begins it again with the next result.
    binaries: BTreeMap<String, (usize, BTreeSet<String>)>,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let rows = if text.trim_start().starts_with('{') { json_lines(text)? } else { for_people(text)? };
    Reading::of(FORMAT, rows, Attempts::Retries)
}

fn json_lines(text: &str) -> Result<Vec<Row>, ReadError> {
    let (mut rows, mut suite) = (Vec::new(), Counted::default());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match json::document::<Line>(FORMAT, line)? {
            Line::Suite(event) if event.event == "started" => suite.start(event.test_count)?,
            Line::Suite(event) => {
                let told = [event.passed, event.failed, event.ignored, event.measured];
                suite.end(told.map(Option::unwrap_or_default))?;
            }
            Line::Test(test) => {
                let outcome = match test.event.as_str() {
                    "started" => continue,
                    "ok" => Outcome::Pass,
                    // A test that takes long is said so, and ends by another event.
                    "timeout" => continue,
                    "failed" => Outcome::Fail,
                    "ignored" => Outcome::Skip,
                    other => {
                        return Err(ReadError::malformed(FORMAT, format!("a test is `{other}`")));
                    }
                };
                rows.push(suite.add(&test.name, outcome)?);
            }
            Line::Bench(bench) => {
                suite.measured += 1;
                rows.push(Row::measured(bench.name, bench.median, "ns"));
            }
            Line::Report(_time) => {}
        }
    }
    suite.ensure_complete()?;
    Ok(rows)
}

/// `test a::b ... ok` and `test a::c ... bench: 1,234.5 ns/iter (+/- 6)`, between `running 2 tests` and
/// `test result: ok. 1 passed; 0 failed; 0 ignored; 1 measured; 0 filtered out`.
fn for_people(text: &str) -> Result<Vec<Row>, ReadError> {
    let (mut rows, mut suite) = (Vec::new(), Counted::default());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("running ") {
            let number = rest.split_whitespace().next().and_then(|word| word.parse().ok());
            suite.start(number)?;
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            let number = |word: &str| {
                let before = rest.split_once(word).map(|(before, _)| before.trim_end());
                before.and_then(|before| before.rsplit(' ').next()).and_then(|number| number.parse().ok())
            };
            let told = ["passed", "failed", "ignored", "measured"].map(number);
            if told.iter().any(Option::is_none) {
                return Err(ReadError::truncated(FORMAT, "the line of the result is cut"));
            }
            suite.end(told.map(Option::unwrap_or_default))?;
        } else if let Some((name, result)) =
            line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        {
            let name = name.split(" - should panic").next().unwrap_or(name);
            let row = match result.split([' ', ',']).next().unwrap_or_default() {
                "ok" => suite.add(name, Outcome::Pass)?,
                "FAILED" => suite.add(name, Outcome::Fail)?,
                "ignored" => suite.add(name, Outcome::Skip)?,
                "bench:" => {
                    suite.measured += 1;
                    Row::measured(name, nanoseconds(result)?, "ns")
                }
                other => return Err(ReadError::malformed(FORMAT, format!("`{name}` is `{other}`"))),
            };
            rows.push(row);
        }
    }
    suite.ensure_ended()?;
    Ok(rows)
}

fn nanoseconds(result: &str) -> Result<f64, ReadError> {
    let number = result
        .trim_start_matches("bench:")
        .split_once(" ns/iter")
        .map(|(number, _)| number.trim().replace(',', ""));
    number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| ReadError::malformed(FORMAT, format!("`{result}` is no time in ns/iter")))
}

impl Counted {
    fn start(&mut self, promised: Option<usize>) -> Result<(), ReadError> {
        self.ensure_ended()?;
        let promised = promised.ok_or_else(|| ReadError::malformed(FORMAT, "a suite has no number"))?;
        let binaries = std::mem::take(&mut self.binaries);
        *self = Self { open: true, promised, binaries, ..Self::default() };
        Ok(())
    }

    /// A name of nextest ends in `#2` where the test was tried again.
    fn add(&mut self, name: &str, outcome: Outcome) -> Result<Row, ReadError> {
        if !self.open {
            return Err(ReadError::malformed(FORMAT, format!("`{name}` is in no suite")));
        }
        match outcome {
            Outcome::Pass => self.passed += 1,
            Outcome::Fail => self.failed += 1,
            Outcome::Skip | Outcome::Infra { .. } => self.ignored += 1,
        }
        let retry = name.rsplit_once('#').and_then(|(name, number)| Some((name, number.parse().ok()?)));
        let (task, attempt) = retry.filter(|_| name.contains('$')).unwrap_or((name, 1));
        self.tasks.insert(task.to_owned());
        Ok(Row { attempt, ..Row::task(task, outcome) })
    }

    fn end(&mut self, told: [usize; 4]) -> Result<(), ReadError> {
        if !self.open {
            return Err(ReadError::malformed(FORMAT, "a suite ends that did not begin"));
        }
        self.open = false;
        let counted = [self.passed, self.failed, self.ignored, self.measured];
        let all: usize = counted.iter().sum();
        if let Some(binary) = binary(&self.tasks) {
            // What it ignored it tells in each part anew.
            let told_here = told.iter().take(2).ne(counted.iter().take(2));
            if self.tasks.len() == all && told_here {
                return Err(ReadError::contradiction(FORMAT, format!("counted {counted:?}, told {told:?}")));
            }
            let (promised, seen) = self.binaries.entry(binary).or_default();
            *promised = (*promised).max(self.promised);
            seen.append(&mut self.tasks);
            return Ok(());
        }
        // Retries of nextest are results of their own, and the count is of the tests.
        if all < self.promised || told.iter().sum::<usize>() > all {
            return Err(ReadError::truncated(FORMAT, format!("{all} of {} results", self.promised)));
        }
        if all == self.promised && told != counted {
            return Err(ReadError::contradiction(FORMAT, format!("counted {counted:?}, told {told:?}")));
        }
        Ok(())
    }

    fn ensure_ended(&self) -> Result<(), ReadError> {
        if self.open {
            return Err(ReadError::truncated(FORMAT, "the last suite did not end"));
        }
        Ok(())
    }

    /// Whether each test binary of nextest came to all its results.
    fn ensure_complete(&self) -> Result<(), ReadError> {
        self.ensure_ended()?;
        match self.binaries.iter().find(|(_, (promised, seen))| seen.len() != *promised) {
            Some((binary, (promised, seen))) => {
                let reason = format!("{} of {promised} results of `{binary}`", seen.len());
                Err(ReadError::truncated(FORMAT, reason))
            }
            None => Ok(()),
        }
    }
}

/// The test binary that nextest names before each test (`crate::binary$path`), where it wrote these.
fn binary(tasks: &BTreeSet<String>) -> Option<String> {
    tasks.first()?.split_once('$').map(|(binary, _)| binary.to_owned())
}
