//! The tables, and how an older database is brought to this format.

use rusqlite::{Transaction, TransactionBehavior};

use super::{Store, StoreError};

/// Each entry brings the database from the format of its index to the next one. A new one is added behind the others,
/// with a filled database of its format in `formats/`; the others never change.
pub(super) const MIGRATIONS: &[&str] = &["
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
    /// Brings the database to the format behind the last of these. Each step is there wholly or not at all.
    pub(super) fn migrate(&self, migrations: &[&str]) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        // Most databases are of this format: they are only read.
        if self.format(migrations)? == migrations.len() {
            return Ok(());
        }
        for _ in migrations {
            let behavior = TransactionBehavior::Immediate;
            let transaction = Transaction::new_unchecked(&self.connection, behavior).map_err(failed)?;
            // Looked at again: another process may have done it meanwhile.
            let format = self.format(migrations)?;
            let Some(migration) = migrations.get(format) else { break };
            transaction.execute_batch(migration).map_err(failed)?;
            let numbered = format!("PRAGMA user_version = {}", format + 1);
            transaction.execute_batch(&numbered).map_err(failed)?;
            transaction.commit().map_err(failed)?;
        }
        Ok(())
    }

    fn format(&self, migrations: &[&str]) -> Result<usize, StoreError> {
        let number = |row: &rusqlite::Row<'_>| row.get(0);
        let found: i64 = self
            .connection
            .query_row("PRAGMA user_version", [], number)
            .map_err(|source| self.failed(source))?;
        let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(StoreError::Newer { path: self.path.clone(), found, known });
        }
        usize::try_from(found).map_err(|error| self.damaged(error))
    }
}
