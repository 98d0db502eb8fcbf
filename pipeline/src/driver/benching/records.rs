//! What is kept of benchmarks between runs: journals, calibrations, audits, submissions, history. All of
//! it is history or cache; lines are only ever added.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use port::bench::decide::TaskPairs;
use port::bench::run::{Fingerprint, SideBySide};
use port::timing::Calibration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::mode_name;
use crate::config::bench::BenchMode;

/// The longest file that is read, in bytes.
const BYTES_MAX: u64 = 64 << 20;

/// One audit of the port against its upstream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuditRow {
    /// The benchmark.
    pub(crate) bench: String,
    /// The upstream's revision.
    pub(crate) upstream: String,
    /// The port's tree.
    pub(crate) port: String,
    /// When, in milliseconds since the Unix epoch.
    pub(crate) at_ms: i64,
    /// Its pairs.
    pub(crate) pairs: TaskPairs,
}

/// One finished comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct HistoryRow {
    /// When, in milliseconds since the Unix epoch.
    pub(crate) at_ms: i64,
    /// The benchmark.
    pub(crate) bench: String,
    /// The mode.
    pub(crate) mode: BenchMode,
    /// What was compared against.
    pub(crate) reference: String,
    /// What was decided about.
    pub(crate) candidate: String,
    /// The machine.
    pub(crate) machine: String,
    /// What was decided, as a word.
    pub(crate) decided: String,
    /// Why.
    pub(crate) line: String,
    /// Both sides with intervals.
    pub(crate) sides: Vec<SideBySide>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Submission {
    bench: String,
    reference: String,
    candidate: String,
}

/// The folder of these files.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    folder: PathBuf,
}

impl Records {
    /// In the state folder.
    pub(crate) fn below(state: &Path) -> Self {
        Self { folder: state.join("bench") }
    }

    /// The journal of a comparison.
    pub(super) fn journal(&self, name: &str) -> PathBuf {
        self.folder.join("journals").join(format!("{name}.jsonl"))
    }

    /// A journal with nothing in it: what is measured for its own sake is never continued.
    pub(super) fn fresh_journal(&self, bench: &str) -> Result<PathBuf> {
        let path = self.journal(&format!("{bench}-once"));
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
        Ok(path)
    }

    /// What this machine showed.
    pub(super) fn calibration(&self, bench: &str, mode: BenchMode) -> Result<Option<Calibration>> {
        let path = self.calibration_path(bench, mode);
        match std::fs::read(&path) {
            Ok(bytes) => {
                let read = serde_json::from_slice(&bytes);
                Ok(Some(read.with_context(|| format!("`{}` is damaged: remove it", path.display()))?))
            }
            Err(_absent) => Ok(None),
        }
    }

    pub(super) fn keep_calibration(&self, bench: &str, mode: BenchMode, found: &Calibration) -> Result<()> {
        let path = self.calibration_path(bench, mode);
        let folder = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let mut file = tempfile::NamedTempFile::new_in(folder).context("cannot keep the calibration")?;
        file.write_all(&serde_json::to_vec_pretty(found)?).context("cannot keep the calibration")?;
        file.persist(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(())
    }

    fn calibration_path(&self, bench: &str, mode: BenchMode) -> PathBuf {
        let machine = Fingerprint::of_this_machine().short();
        self.folder.join("calibration").join(format!("{bench}-{}-{machine}.json", mode_name(mode)))
    }

    /// Which try this candidate is at its reference, from 1. The same candidate stays the same try.
    pub(super) fn submission(&self, bench: &str, reference: &str, candidate: &str) -> Result<u32> {
        let all: Vec<Submission> = self.rows("submissions")?;
        let here: Vec<&Submission> =
            all.iter().filter(|known| known.bench == bench && known.reference == reference).collect();
        let known = here.iter().position(|known| known.candidate == candidate);
        if known.is_none() {
            let [bench, reference, candidate] = [bench, reference, candidate].map(str::to_owned);
            self.add("submissions", &Submission { bench, reference, candidate })?;
        }
        Ok(u32::try_from(known.unwrap_or(here.len()) + 1).unwrap_or(u32::MAX))
    }

    /// All audits, oldest first.
    pub(crate) fn audits(&self) -> Result<Vec<AuditRow>> {
        self.rows("audits")
    }

    /// Adds an audit; the same trees are audited once.
    pub(crate) fn add_audit(&self, row: &AuditRow) -> Result<()> {
        let same = |known: &AuditRow| {
            (&known.bench, &known.upstream, &known.port) == (&row.bench, &row.upstream, &row.port)
        };
        if self.audits()?.iter().any(same) {
            return Ok(());
        }
        self.add("audits", row)
    }

    /// All finished comparisons, oldest first.
    pub(crate) fn history(&self) -> Result<Vec<HistoryRow>> {
        self.rows("history")
    }

    /// Adds a finished comparison.
    pub(crate) fn add_history(&self, row: &HistoryRow) -> Result<()> {
        self.add("history", row)
    }

    pub(super) fn rows<Row: DeserializeOwned>(&self, name: &str) -> Result<Vec<Row>> {
        let path = self.folder.join(format!("{name}.jsonl"));
        let Ok(facts) = std::fs::metadata(&path) else { return Ok(Vec::new()) };
        anyhow::ensure!(facts.len() <= BYTES_MAX, "`{}` is longer than {BYTES_MAX} bytes", path.display());
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        // A last line without its end was torn by a crash.
        let whole = text.rfind('\n').and_then(|end| text.get(..=end)).unwrap_or_default();
        let row = |(at, line): (usize, &str)| {
            serde_json::from_str(line)
                .with_context(|| format!("line {} of `{}` is damaged: move it away", at + 1, path.display()))
        };
        whole.lines().enumerate().map(row).collect()
    }

    fn add(&self, name: &str, row: &impl Serialize) -> Result<()> {
        self.add_all(name, std::slice::from_ref(row))
    }

    /// Adds lines; they are on the disk when this returns.
    pub(super) fn add_all(&self, name: &str, rows: &[impl Serialize]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(format!("{name}.jsonl"));
        let folder = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let torn = !text.is_empty() && !text.ends_with('\n');
        let failed = || format!("cannot write `{}`", path.display());
        let mut file = OpenOptions::new().create(true).append(true).open(&path).with_context(failed)?;
        if torn {
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            file.set_len(u64::try_from(whole).unwrap_or_default()).with_context(failed)?;
        }
        let mut lines = String::new();
        for row in rows {
            lines += &serde_json::to_string(row)?;
            lines.push('\n');
        }
        file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).with_context(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_new_candidate_is_another_try_and_the_same_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::below(folder.path());
        let tries = ["a", "b", "a", "c"].map(|candidate| records.submission("s", "r", candidate).unwrap());
        assert_eq!(tries, [1, 2, 1, 3]);
        assert_eq!(records.submission("s", "other", "d").unwrap(), 1);
        assert_eq!(records.submission("t", "r", "d").unwrap(), 1);
    }

    #[test]
    fn a_torn_line_is_replaced_and_an_audit_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::below(folder.path());
        let audit = |port: &str| AuditRow {
            bench: "b".to_owned(),
            upstream: "u".to_owned(),
            port: port.to_owned(),
            at_ms: 1,
            pairs: TaskPairs::default(),
        };
        records.add_audit(&audit("p")).unwrap();
        records.add_audit(&audit("p")).unwrap();
        let path = folder.path().join("bench/audits.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{\"bench\":")).unwrap();
        assert_eq!(records.audits().unwrap(), [audit("p")]);
        records.add_audit(&audit("q")).unwrap();
        assert_eq!(records.audits().unwrap(), [audit("p"), audit("q")]);
    }
}
