//! The translation memory: answers that were right before, found again by exact content.
//!
//! A key stands for the old and new items, what changed behind them without a symbol, the symbols as they are,
//! and the port's style. It is the same on every machine. Only an exact hit answers, and what it answers passes
//! the same gate as anything else.

mod entry;
mod folder;
mod key;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use entry::MemoryEntry;
pub use folder::{MEMORY_ENTRIES_MAX, MEMORY_ENTRY_BYTES_MAX, MemoryError, MemoryFolder};
pub use key::{KEY_VERSION, memory_key};
use upstream::ContentHash;

use super::codec::AnswerCodec;
use super::{Route, TranslateError, Translation, TranslationRequest, Translator, Usage};

/// The nonce that answers in the memory carry: they are not sent to anybody who could forge one.
pub const MEMORY_NONCE: &str = "memory";

/// Holds entries by key.
pub trait MemoryStore: Send + Sync + std::fmt::Debug {
    /// The entries under this key, in the order in which they are to be tried.
    fn lookup(&self, key: &ContentHash) -> Vec<MemoryEntry>;
    /// The most entries that any one key has.
    fn entries_max(&self) -> u32;
}

/// Entries held in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryTable {
    entries: BTreeMap<String, Vec<MemoryEntry>>,
}

impl MemoryTable {
    fn entries(&self) -> Vec<&MemoryEntry> {
        self.entries.values().flatten().collect()
    }
}

impl FromIterator<MemoryEntry> for MemoryTable {
    fn from_iter<Entries: IntoIterator<Item = MemoryEntry>>(entries: Entries) -> Self {
        let mut table = Self::default();
        for entry in entries {
            table.entries.entry(entry.key.to_string()).or_default().push(entry);
        }
        table
    }
}

impl MemoryStore for MemoryTable {
    fn lookup(&self, key: &ContentHash) -> Vec<MemoryEntry> {
        self.entries.get(&key.to_string()).cloned().unwrap_or_default()
    }

    fn entries_max(&self) -> u32 {
        let most = self.entries.values().map(Vec::len).max().unwrap_or_default();
        u32::try_from(most).unwrap_or(u32::MAX)
    }
}

/// The memory as a link of the chain.
#[derive(Debug)]
pub struct MemoryTranslator {
    store: Arc<dyn MemoryStore>,
    codec: AnswerCodec,
}

impl MemoryTranslator {
    /// A translator that looks answers up here.
    pub fn new(store: Arc<dyn MemoryStore>, codec: AnswerCodec) -> Self {
        Self { store, codec }
    }
}

impl Translator for MemoryTranslator {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn route(&self) -> Route {
        Route::Memory
    }

    fn attempts_max(&self) -> u32 {
        self.store.entries_max().max(1)
    }

    /// Answers attempt N with the N-th entry.
    fn translate(&self, request: &TranslationRequest) -> Result<Translation, TranslateError> {
        let key = memory_key(request);
        let entries = self.store.lookup(&key);
        let wanted = usize::try_from(request.attempt.max(1) - 1).unwrap_or(usize::MAX);
        let Some(entry) = entries.get(wanted) else {
            let reason = match entries.len() {
                0 => format!("the memory has no entry for this change ({key})"),
                tried => format!("the memory has no other entry for this change ({key}): {tried} tried"),
            };
            return Ok(Translation::Declined { reason });
        };
        Ok(match (self.codec.parse)(&entry.answer, MEMORY_NONCE) {
            Ok(answer) => {
                Translation::Answered { answer, origin: entry.origin.clone(), usage: Usage::default() }
            }
            Err(error) => Translation::Malformed {
                code: error.code,
                reason: format!("entry {} of the memory: {}", wanted + 1, error.reason),
                raw: entry.answer.clone(),
                usage: Usage::default(),
            },
        })
    }
}

#[cfg(test)]
mod tests;
