//! Exchanges with models: the request is stored before it is sent, the answer before it is used, so that
//! no crash buys the same answer twice.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRow {
    /// The hash of the request.
    pub request: String,
    /// Which model was asked.
    pub model: String,
    /// What it was sent.
    pub prompt: String,
    /// When, in milliseconds since the Unix epoch.
    pub asked_ms: i64,
    /// Its answer, as JSON; `None` where none arrived.
    pub completion: Option<String>,
}

impl Store {
    /// The answer to a request, if one is stored.
    pub fn completion(&self, request: &str) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT completion FROM exchanges WHERE request = ?1", params![request], |row| {
                row.get::<_, Option<String>>(0)
            })
            .optional()
            .map(Option::flatten)
            .map_err(|source| self.failed(source))
    }

    /// Stores a request that is about to be sent.
    pub fn begin_exchange(&self, row: &ExchangeRow) -> Result<(), StoreError> {
        self.connection
            .execute(
                "INSERT INTO exchanges (request, model, prompt, asked_ms) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (request) DO UPDATE SET asked_ms = excluded.asked_ms",
                params![row.request, row.model, row.prompt, row.asked_ms],
            )
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// Stores the answer to a request.
    pub fn finish_exchange(&self, request: &str, completion: &str) -> Result<(), StoreError> {
        self.connection
            .execute("UPDATE exchanges SET completion = ?2 WHERE request = ?1", params![request, completion])
            .map(drop)
            .map_err(|source| self.failed(source))
    }
}
