//! Every pair of a comparison, one JSON object a line, as it was measured. Lines are only ever added.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::machine::Fingerprint;
use super::measure::Arm;
use crate::bench::decide::{StoredScore, TaskPairs};

/// The version of the lines.
const VERSION: u32 = 1;

/// The longest journal that is read, in bytes.
const BYTES_MAX: u64 = 256 << 20;

/// What all pairs of one comparison have in common. Pairs of another are never continued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the lines.
    pub version: u32,
    /// The benchmark.
    pub bench: String,
    /// What is compared against: a tree or a revision.
    pub reference: String,
    /// What is to be decided about.
    pub candidate: String,
    /// Command, data and rule, hashed.
    pub harness: String,
    /// The machine.
    pub machine: Fingerprint,
    /// Where the order of the pairs comes from.
    pub seed: u64,
}

impl Header {
    /// A header of the version that is written.
    pub fn new(bench: &str, reference: &str, candidate: &str, harness: &str, seed: u64) -> Self {
        Self {
            version: VERSION,
            bench: bench.to_owned(),
            reference: reference.to_owned(),
            candidate: candidate.to_owned(),
            harness: harness.to_owned(),
            machine: Fingerprint::of_this_machine(),
            seed,
        }
    }
}

/// One pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairRow {
    /// Its number, from 0.
    pub pair: usize,
    /// Which side ran first.
    pub first: Arm,
    /// The task, where a process ran one.
    pub task: Option<String>,
    /// The machine, shortened.
    pub machine: String,
    /// When it ended, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What the reference scored or took, by task or bench.
    pub reference: BTreeMap<String, f64>,
    /// What the candidate did.
    pub candidate: BTreeMap<String, f64>,
    /// Why the pair was dropped, with the side at fault, where it was.
    pub dropped: Option<(Arm, String)>,
    /// The stored runs that stand for the reference, where it was not run; `reference` holds their means.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stored: BTreeMap<String, StoredScore>,
    /// What the reference did when it was run all the same, to see whether the stored runs still hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sentinel: BTreeMap<String, f64>,
    /// What earlier comparisons saw of the same kind, beside the same stored runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_sentinels: Option<TaskPairs>,
}

/// A journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk.
    #[error("cannot use the journal `{}`: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line before the last one cannot be read.
    #[error("line {line} of the journal `{}` is damaged: move the file away to begin anew", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
}

/// A journal that is open for more pairs.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// The pairs that were there.
    pub kept: Vec<PairRow>,
}

impl Journal {
    /// Opens the journal of a comparison, with the pairs that are there already. A journal of another
    /// comparison under this name is begun anew, and a last line that a crash tore is dropped.
    pub fn open(path: &Path, header: &Header) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let (kept, length) = kept(path, header)?;
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
        file.set_len(length).map_err(io)?;
        let mut journal = Self { path: path.to_owned(), file, kept };
        if length == 0 {
            journal.line(header)?;
        }
        Ok(journal)
    }

    /// The pairs of a comparison so far, without touching the file; none of another comparison's.
    pub fn read(path: &Path, header: &Header) -> Result<Vec<PairRow>, JournalError> {
        Ok(kept(path, header)?.0)
    }

    /// Adds a pair; it is on the disk when this returns.
    pub fn add(&mut self, row: &PairRow) -> Result<(), JournalError> {
        self.line(row)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        let mut text = serde_json::to_string(value).map_err(|error| io(error.into()))?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).map_err(io)?;
        self.file.sync_data().map_err(io)
    }
}

/// The pairs of a comparison in a file, and the length of what is whole and belongs to it.
fn kept(path: &Path, header: &Header) -> Result<(Vec<PairRow>, u64), JournalError> {
    let io = |source| JournalError::Io { path: path.to_owned(), source };
    let text = match std::fs::metadata(path) {
        Ok(facts) if facts.len() <= BYTES_MAX => std::fs::read_to_string(path).map_err(io)?,
        Ok(_) => return Err(io(std::io::Error::other(format!("it is longer than {BYTES_MAX} bytes")))),
        Err(_absent) => String::new(),
    };
    let whole = text.rfind('\n').and_then(|end| text.get(..=end)).unwrap_or_default();
    let mut lines = whole.lines();
    if lines.next().and_then(|line| serde_json::from_str(line).ok()) != Some(header.clone()) {
        return Ok((Vec::new(), 0));
    }
    let mut kept = Vec::new();
    for (index, line) in lines.enumerate() {
        let damaged = |_| JournalError::Damaged { path: path.to_owned(), line: index + 2 };
        kept.push(serde_json::from_str(line).map_err(damaged)?);
    }
    Ok((kept, u64::try_from(whole.len()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pair: usize) -> PairRow {
        PairRow {
            pair,
            first: Arm::Candidate,
            task: None,
            machine: "m".to_owned(),
            at_ms: 5,
            reference: [("a".to_owned(), 0.1 + 0.2)].into(),
            candidate: BTreeMap::new(),
            dropped: Some((Arm::Reference, "disk".to_owned())),
            stored: BTreeMap::new(),
            sentinel: BTreeMap::new(),
            earlier_sentinels: None,
        }
    }

    #[test]
    fn pairs_survive_and_a_torn_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b/j.jsonl");
        let header = Header::new("b", "r", "c", "h", 1);
        let mut journal = Journal::open(&path, &header).unwrap();
        journal.add(&row(0)).unwrap();
        journal.add(&row(1)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for cut in 0..text.len() {
            std::fs::write(&path, text.get(..cut).unwrap()).unwrap();
            let kept = Journal::open(&path, &header).unwrap().kept;
            let whole = text.get(..cut).unwrap().matches('\n').count().saturating_sub(1);
            assert_eq!(kept, (0..whole).map(row).collect::<Vec<_>>());
        }
        std::fs::write(&path, &text).unwrap();
        let mut again = Journal::open(&path, &header).unwrap();
        again.add(&row(2)).unwrap();
        assert_eq!(Journal::open(&path, &header).unwrap().kept.len(), 3);
    }

    #[test]
    fn another_comparison_begins_anew_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.jsonl");
        let header = Header::new("b", "r", "c", "h", 1);
        Journal::open(&path, &header).unwrap().add(&row(0)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.clone() + "{}\n" + &text).unwrap();
        let message = Journal::open(&path, &header).unwrap_err().to_string();
        assert!(message.starts_with("line 3 of the journal"), "{message}");
        std::fs::write(&path, &text).unwrap();
        let other = Header { candidate: "d".to_owned(), ..header.clone() };
        assert_eq!(Journal::read(&path, &other).unwrap(), []);
        assert_eq!(Journal::read(&path, &header).unwrap(), [row(0)], "reading leaves the file alone");
        assert_eq!(Journal::open(&path, &other).unwrap().kept, []);
    }
}
