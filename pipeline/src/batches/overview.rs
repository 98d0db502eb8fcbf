//! What waits in batches, for people: read from the disk, without a key and without a provider.

use anyhow::Result;
use serde::Serialize;

use super::book;
use crate::config::{ChainEntry, Settings};

/// What waits of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchesOverview {
    /// Its name.
    pub model: String,
    /// Prompts that are gathered and not sent.
    pub unsent: usize,
    /// Prompts that are sent.
    pub sent: usize,
    /// Batches that are not over.
    pub batches: usize,
    /// When the oldest prompt was asked that has no answer, in milliseconds since the Unix epoch.
    pub since_ms: Option<i64>,
    /// Answers that no sync has used yet.
    pub answers: usize,
    /// Answers that came when nobody asked for them any more.
    pub unused: usize,
}

/// What waits of each model of the chain that is asked by batches.
pub fn overview(settings: &Settings) -> Result<Vec<BatchesOverview>> {
    let models = settings.chain.iter().filter_map(|entry| match entry {
        ChainEntry::Model(model) if model.batch.is_some() => Some(&model.name),
        ChainEntry::Model(_)
        | ChainEntry::VerifyFirst
        | ChainEntry::Rules
        | ChainEntry::Memory
        | ChainEntry::Items => None,
    });
    models.map(|model| book::overview(&settings.state, model)).collect()
}

impl BatchesOverview {
    /// Whether an answer is to come, or to be used.
    pub fn is_open(&self) -> bool {
        self.unsent > 0 || self.batches > 0 || self.answers > 0
    }

    /// It in a line.
    pub fn line(&self) -> String {
        let prompts = |count: usize| reports::count(count as u64, "prompt");
        let mut parts = Vec::new();
        if self.batches > 0 {
            let batches = reports::count(self.batches as u64, "batch");
            parts.push(match self.sent {
                0 => format!("{batches} found at the provider"),
                sent => format!("{} sent in {batches}", prompts(sent)),
            });
        }
        if self.unsent > 0 {
            parts.push(format!("{} not sent yet", prompts(self.unsent)));
        }
        if self.answers > 0 {
            parts.push(format!("{} to be used", reports::count(self.answers as u64, "answer")));
        }
        let since = self.since_ms.and_then(|at_ms| jiff::Timestamp::from_millisecond(at_ms).ok());
        let since =
            since.map(|at| format!(", since {}", at.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
        format!("{}: {}{since}", self.model, parts.join(", "))
    }
}
