//! The tables, and how an older database is brought to this format.

use super::{Store, StoreError};

/// Each entry brings the database from the format of its index to the next one.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE runs (
        run         TEXT PRIMARY KEY,
        started_ms  INTEGER NOT NULL,
        status      TEXT NOT NULL CHECK (status IN ('open', 'over', 'abandoned'))
    ) STRICT;
    CREATE TABLE events (
        run   TEXT NOT NULL REFERENCES runs (run),
        seq   INTEGER NOT NULL,
        event TEXT NOT NULL,
        PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;
"];

impl Store {
    pub(super) fn migrate(&self) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let found: i64 =
            self.connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        if found > known {
            return Err(StoreError::Newer { path: self.path.clone(), found, known });
        }
        let done = usize::try_from(found).map_err(|error| self.damaged(error))?;
        for (at, migration) in MIGRATIONS.iter().enumerate().skip(done) {
            let batch = format!("BEGIN IMMEDIATE; {migration}; PRAGMA user_version = {}; COMMIT;", at + 1);
            self.connection.execute_batch(&batch).map_err(failed)?;
        }
        Ok(())
    }
}
