//! What benchmark tools wrote, to rows: one format a file, each strict.
//!
//! [`read`] gives a [`Reading`] or refuses. A result that is absent is missing and never a pass, a result
//! that stands twice is refused unless the format says what that means, and a stream that stops before its
//! end is refused: a caller takes refusals for faults of the infrastructure, never for losses.

mod asv;
mod bencher;
mod cargo_criterion;
mod criterion;
mod github_action;
mod harbor;
mod hyperfine;
mod json;
mod junit;
mod libtest;
mod plain;
mod pytest_benchmark;
mod reading;
mod swebench;
mod tap;
mod terminal_bench;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use reading::{Attempts, Outcome, ReadError, Reading, Row};

/// The longest file that is read, in bytes.
const BYTES_MAX: u64 = 256 << 20;

/// The formats there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Tidelock's own: a JSON object of names with numbers, or with `outcome`, `value`, `unit`, `samples`.
    Plain,
    /// A run report or per-instance reports of SWE-bench, versions 1 and 2.
    Swebench,
    /// `results.json` of Terminal-Bench 1, of a run or of a trial.
    TerminalBench,
    /// A job folder or one trial's `result.json` of Harbor (Terminal-Bench 2).
    Harbor,
    /// `JUnit` XML, as pytest, its reruns plugin and nextest write it.
    Junit,
    /// Rust's own test runner: JSON lines, nextest's JSON, or the text for people.
    Libtest,
    /// The folder that the criterion library writes.
    Criterion,
    /// The messages of `cargo criterion --message-format=json`.
    CargoCriterion,
    /// The JSON of pytest-benchmark.
    PytestBenchmark,
    /// The JSON export of hyperfine, 1.x and 2.x.
    Hyperfine,
    /// A result file of airspeed velocity.
    Asv,
    /// The Test Anything Protocol, versions 12 to 14.
    Tap,
    /// Bencher Metric Format.
    Bencher,
    /// What github-action-benchmark takes (its custom JSON) and what it keeps (its JSON or `data.js`, newest run).
    GithubActionBenchmark,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 14] = [
        Self::Plain,
        Self::Swebench,
        Self::TerminalBench,
        Self::Harbor,
        Self::Junit,
        Self::Libtest,
        Self::Criterion,
        Self::CargoCriterion,
        Self::PytestBenchmark,
        Self::Hyperfine,
        Self::Asv,
        Self::Tap,
        Self::Bencher,
        Self::GithubActionBenchmark,
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Swebench => "swebench",
            Self::TerminalBench => "terminal-bench",
            Self::Harbor => "harbor",
            Self::Junit => "junit",
            Self::Libtest => "libtest",
            Self::Criterion => "criterion",
            Self::CargoCriterion => "cargo-criterion",
            Self::PytestBenchmark => "pytest-benchmark",
            Self::Hyperfine => "hyperfine",
            Self::Asv => "asv",
            Self::Tap => "tap",
            Self::Bencher => "bencher",
            Self::GithubActionBenchmark => "github-action-benchmark",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no format `{text}`; there are {names}")
        })
    }
}

/// Reads what a tool wrote at a path: a file, or for some formats a folder.
pub fn read(format: Format, path: &Path) -> Result<Reading, ReadError> {
    let reading = match format {
        Format::Criterion => criterion::read(path),
        Format::Harbor if path.is_dir() => harbor::read_job(path),
        Format::Plain
        | Format::Swebench
        | Format::TerminalBench
        | Format::Harbor
        | Format::Junit
        | Format::Libtest
        | Format::CargoCriterion
        | Format::PytestBenchmark
        | Format::Hyperfine
        | Format::Asv
        | Format::Tap
        | Format::Bencher
        | Format::GithubActionBenchmark => return read_text(format, &text_of(path)?),
    };
    checked(reading)
}

/// Reads what a tool printed. Formats that are folders cannot be read from a text.
pub fn read_text(format: Format, text: &str) -> Result<Reading, ReadError> {
    let read: fn(&str) -> Result<Reading, ReadError> = match format {
        Format::Plain => plain::read,
        Format::Swebench => swebench::read,
        Format::TerminalBench => terminal_bench::read,
        Format::Harbor => harbor::read_trial,
        Format::Junit => junit::read,
        Format::Libtest => libtest::read,
        Format::Criterion => return Err(ReadError::Folder { format: format.name() }),
        Format::CargoCriterion => cargo_criterion::read,
        Format::PytestBenchmark => pytest_benchmark::read,
        Format::Hyperfine => hyperfine::read,
        Format::Asv => asv::read,
        Format::Tap => tap::read,
        Format::Bencher => bencher::read,
        Format::GithubActionBenchmark => github_action::read,
    };
    checked(read(text))
}

/// A benchmark that measured nothing says nothing, whatever it wrote.
fn checked(reading: Result<Reading, ReadError>) -> Result<Reading, ReadError> {
    let reading = reading?;
    if reading.rows.iter().all(|row| row.outcome == Outcome::Skip) {
        return Err(ReadError::Nothing);
    }
    Ok(reading)
}

fn text_of(path: &Path) -> Result<String, ReadError> {
    let unreadable = |reason: String| ReadError::Unreadable { path: path.to_owned(), reason };
    let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if length > BYTES_MAX {
        return Err(unreadable(format!("it has {length} bytes, more than {BYTES_MAX}")));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests;
