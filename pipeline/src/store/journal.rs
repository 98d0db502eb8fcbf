//! The append-only journal: the events of each run, in order.

use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError};
use crate::engine::Event;

/// Whether a run can be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// It was begun and has not ended.
    Open,
    /// It ended.
    Over,
    /// It was given up because what it was begun for is no longer so.
    Abandoned,
}

impl RunStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Over => "over",
            Self::Abandoned => "abandoned",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Open, Self::Over, Self::Abandoned].into_iter().find(|status| status.name() == text)
    }
}

/// A run as the list of runs shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its name.
    pub run: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// Whether it can be continued.
    pub status: RunStatus,
}

impl Store {
    /// Appends an event to a run; `seq` is its place, from 0. The first event makes the run.
    ///
    /// The event is on the disk when this returns.
    pub fn append(&mut self, run: &str, seq: usize, event: &Event) -> Result<(), StoreError> {
        let text = serde_json::to_string(event).map_err(|error| self.damaged(error))?;
        let seq = i64::try_from(seq).map_err(|error| self.damaged(error))?;
        let path = self.path.clone();
        let failed = |source| super::classify(&path, source);
        let transaction = self.connection.transaction().map_err(failed)?;
        if let Event::Started { header } = event {
            transaction
                .execute(
                    "INSERT INTO runs (run, started_ms, status) VALUES (?1, ?2, 'open')",
                    params![run, header.started_ms],
                )
                .map_err(failed)?;
        }
        transaction
            .execute("INSERT INTO events (run, seq, event) VALUES (?1, ?2, ?3)", params![run, seq, text])
            .map_err(failed)?;
        if matches!(event, Event::Finished { .. }) {
            transaction
                .execute("UPDATE runs SET status = 'over' WHERE run = ?1", params![run])
                .map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// The events of a run, in order.
    pub fn events(&self, run: &str) -> Result<Vec<Event>, StoreError> {
        let failed = |source| self.failed(source);
        let mut statement = self
            .connection
            .prepare("SELECT seq, event FROM events WHERE run = ?1 ORDER BY seq")
            .map_err(failed)?;
        let rows = statement
            .query_map(params![run], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
            .map_err(failed)?;
        let mut events = Vec::new();
        for row in rows {
            let (seq, text) = row.map_err(failed)?;
            if usize::try_from(seq).ok() != Some(events.len()) {
                return Err(self.damaged(format!("run {run} has no event {}", events.len())));
            }
            events.push(serde_json::from_str(&text).map_err(|error| self.unread(run, seq, &error))?);
        }
        Ok(events)
    }

    fn unread(&self, run: &str, seq: i64, error: &serde_json::Error) -> StoreError {
        let what = format!("event {seq} of run {run}: {error}");
        match self.begun_by(run) {
            Ok(Some(version)) if version != env!("CARGO_PKG_VERSION") => {
                StoreError::OtherVersion { run: run.to_owned(), version, what }
            }
            Ok(_) | Err(_) => self.damaged(what),
        }
    }

    /// The version of the program that began a run, where it still says so. Everything else that another version
    /// wrote may mean something else to this one.
    pub fn begun_by(&self, run: &str) -> Result<Option<String>, StoreError> {
        let found = self.connection.query_row(
            "SELECT event FROM events WHERE run = ?1 AND seq = 0",
            params![run],
            |row| row.get::<_, String>(0),
        );
        let text = found.optional().map_err(|source| self.failed(source))?.unwrap_or_default();
        let event: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        Ok(event["header"]["tidelock"].as_str().map(str::to_owned))
    }

    /// All runs, newest first.
    pub fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        let failed = |source| self.failed(source);
        let mut statement = self
            .connection
            .prepare("SELECT run, started_ms, status FROM runs ORDER BY started_ms DESC, rowid DESC")
            .map_err(failed)?;
        let rows = statement
            .query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
            })
            .map_err(failed)?;
        let mut runs = Vec::new();
        for row in rows {
            let (run, started_ms, status) = row.map_err(failed)?;
            let status = RunStatus::read(&status)
                .ok_or_else(|| self.damaged(format!("run {run} has the status `{status}`")))?;
            runs.push(RunRow { run, started_ms, status });
        }
        Ok(runs)
    }

    /// Gives a run up: it is kept as history and never continued.
    pub fn abandon(&self, run: &str) -> Result<(), StoreError> {
        self.connection
            .execute("UPDATE runs SET status = 'abandoned' WHERE run = ?1", params![run])
            .map(drop)
            .map_err(|source| self.failed(source))
    }
}
