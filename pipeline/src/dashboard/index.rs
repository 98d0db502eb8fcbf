//! What is kept in memory of a port's runs: a digest of each, read once, since a run that ended never changes.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use reports::board::{PortNow, RunDigest, Runs};
use reports::{RunOutcome, RunRecord};

use super::{RunError, record_of};
use crate::store::{RunRow, RunStatus, Store, StoreError};

/// The newest runs of a port that are kept; older ones are counted.
const RUNS_MAX: usize = 20_000;
/// Runs on one page.
const PAGE_ROWS: usize = 20;
/// Runs whose revisions make up the timeline.
const HISTORY_MAX: usize = 200;
/// Characters of a reason that is shown.
const TROUBLE_CHARS_MAX: usize = 600;

/// Length and time of the files of a journal: where they are the same, so is the journal.
pub(super) type Stamp = [Option<(u64, SystemTime)>; 2];

/// The runs of one port.
#[derive(Debug, Default)]
pub(super) struct Index {
    stamp: Option<Stamp>,
    trouble: String,
    total: usize,
    /// The runs that are kept, newest first.
    rows: Vec<RunRow>,
    digests: HashMap<String, Arc<RunDigest>>,
    /// Runs that cannot be read, with the reason.
    unreadable: BTreeMap<String, String>,
    /// Runs still to be read, the newest at the end.
    pending: Vec<String>,
    /// The newest run, where it has not ended.
    open: Option<Arc<RunRecord>>,
}

/// The stamp of a journal that is there now.
pub(super) fn stamp(journal: &Path) -> Stamp {
    let mut beside = journal.as_os_str().to_owned();
    beside.push("-wal");
    [journal, &PathBuf::from(beside)].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    })
}

impl Index {
    /// Looks at the list of runs anew where the journal has changed; whether it has.
    pub(super) fn refresh(&mut self, journal: &Path) -> bool {
        let now = stamp(journal);
        if self.stamp == Some(now) {
            return false;
        }
        match Self::listed(journal, now) {
            Ok(rows) => {
                self.trouble.clear();
                self.stamp = Some(now);
                self.take(rows);
                true
            }
            // Looked at again at the next turn: a lock passes, and a damaged file may be replaced.
            Err(error) => {
                let told: String = error.to_string().chars().take(TROUBLE_CHARS_MAX).collect();
                let is_new = told != self.trouble;
                self.trouble = told;
                is_new
            }
        }
    }

    fn listed(journal: &Path, stamp: Stamp) -> Result<Vec<RunRow>, StoreError> {
        match stamp[0] {
            None => Ok(Vec::new()),
            Some(_) => Store::open_read_only(journal)?.runs(),
        }
    }

    fn take(&mut self, mut rows: Vec<RunRow>) {
        self.total = rows.len();
        rows.truncate(RUNS_MAX);
        let before: HashMap<&str, RunStatus> =
            self.rows.iter().map(|row| (row.run.as_str(), row.status)).collect();
        let is_known = |row: &&RunRow| {
            let read = self.digests.contains_key(&row.run) || self.unreadable.contains_key(&row.run);
            read && row.status != RunStatus::Open && before.get(row.run.as_str()) == Some(&row.status)
        };
        self.pending = rows.iter().rev().filter(|row| !is_known(row)).map(|row| row.run.clone()).collect();
        self.rows = rows;
        let kept: std::collections::HashSet<&str> = self.rows.iter().map(|row| row.run.as_str()).collect();
        self.digests.retain(|run, _| kept.contains(run.as_str()));
        self.unreadable.retain(|run, _| kept.contains(run.as_str()));
        if self.rows.first().is_none_or(|row| row.status != RunStatus::Open) {
            self.open = None;
        }
    }

    /// The next runs to read, the newest first, with whether each was given up.
    pub(super) fn next(&mut self, most: usize) -> Vec<(String, RunStatus)> {
        let from = self.pending.len().saturating_sub(most);
        let status = |run: &String| self.rows.iter().find(|row| row.run == *run).map(|row| row.status);
        let next: Vec<(String, RunStatus)> = self
            .pending
            .get(from..)
            .unwrap_or_default()
            .iter()
            .rev()
            .filter_map(|run| Some((run.clone(), status(run)?)))
            .collect();
        self.pending.truncate(from);
        next
    }

    /// A run was read, or could not be.
    pub(super) fn put(&mut self, run: &str, status: RunStatus, read: Result<RunRecord, String>) {
        self.digests.remove(run);
        self.unreadable.remove(run);
        match read {
            Ok(record) => {
                let digest = Arc::new(RunDigest::of(&record, status == RunStatus::Abandoned));
                self.digests.insert(run.to_owned(), digest);
                let is_newest = self.rows.first().is_some_and(|row| row.run == run);
                if is_newest {
                    self.open = (status == RunStatus::Open).then(|| Arc::new(record));
                }
            }
            Err(why) => {
                self.unreadable.insert(run.to_owned(), why.chars().take(TROUBLE_CHARS_MAX).collect());
            }
        }
    }

    /// The digests, newest run first.
    pub(super) fn digests(&self) -> impl Iterator<Item = &Arc<RunDigest>> {
        self.rows.iter().filter_map(|row| self.digests.get(&row.run))
    }

    /// The newest ones, for the timeline.
    pub(super) fn history(&self) -> Vec<Arc<RunDigest>> {
        self.digests().take(HISTORY_MAX).cloned().collect()
    }

    /// One page of runs, from 1. Beyond the last page is the last one.
    pub(super) fn page(&self, page: usize) -> Runs {
        let pages = self.rows.len().div_ceil(PAGE_ROWS).max(1);
        let page = page.clamp(1, pages);
        let rows = self.rows.iter().skip((page - 1) * PAGE_ROWS).take(PAGE_ROWS);
        let rows =
            rows.filter_map(|row| self.digests.get(&row.run)).map(|digest| (**digest).clone()).collect();
        Runs { rows, page, pages, asked: "" }
    }

    /// The run that has not ended.
    pub(super) fn open(&self) -> Option<Arc<RunRecord>> {
        self.open.clone()
    }

    /// What is known of the port from its runs; the rest is empty.
    pub(super) fn now(&self) -> PortNow {
        let ended = |digest: &&Arc<RunDigest>| digest.outcome != RunOutcome::Unfinished;
        let unreadable = match self.unreadable.iter().next_back() {
            Some((run, why)) if self.trouble.is_empty() => {
                format!(
                    "{} cannot be read, such as `{run}`: {why}",
                    reports::count(self.unreadable.len() as u64, "run")
                )
            }
            Some(_) | None => String::new(),
        };
        PortNow {
            journal_trouble: if self.trouble.is_empty() { unreadable } else { self.trouble.clone() },
            runs_total: self.total,
            runs_read: self.digests.len() + self.unreadable.len(),
            last: self.digests().next().map(|digest| (**digest).clone()),
            last_ended: self.digests().find(ended).map(|digest| (**digest).clone()),
            ..PortNow::default()
        }
    }
}

/// Reads runs for an index, which is not locked meanwhile.
pub(super) fn read(
    journal: &Path,
    runs: Vec<(String, RunStatus)>,
) -> Vec<(String, RunStatus, Result<RunRecord, String>)> {
    let store = match Store::open_read_only(journal) {
        Ok(store) => store,
        Err(error) => {
            let why = error.to_string();
            return runs.into_iter().map(|(run, status)| (run, status, Err(why.clone()))).collect();
        }
    };
    let read = |run: &str| record_of(&store, run).map_err(|error: RunError| error.to_string());
    runs.into_iter()
        .map(|(run, status)| {
            let found = read(&run);
            (run, status, found)
        })
        .collect()
}
