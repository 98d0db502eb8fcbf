//! Finished rows, kept between runs: what a revision changed is fixed by its commit id.

use std::path::Path;

use super::row::RowChanges;
use super::walk::Step;
use crate::cache::{CacheError, DerivedCache, Form};

/// The form of the rows and the rules that make them: with another one, everything kept is forgotten.
const FORMAT: &str = "3";
/// The most rows that are kept; a row of a large workspace takes about two kilobytes.
const ROWS_MAX: u32 = 200_000;

/// Rows by commit.
#[derive(Debug)]
pub struct HistoryCache(DerivedCache);

impl HistoryCache {
    /// Opens the cache: see [`DerivedCache::open`].
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        DerivedCache::open(path, Form::Text, FORMAT, ROWS_MAX).map(Self)
    }

    /// The rows of these revisions, where they are known.
    pub(super) fn rows(&self, steps: &[Step]) -> Vec<Option<RowChanges>> {
        steps.iter().map(|step| self.0.get(&key(step))).collect()
    }

    /// Keeps the rows of these revisions. A row that rests on a missing object is not kept: the object may come.
    pub(super) fn keep(&self, steps: &[&Step], rows: &[RowChanges]) {
        let whole = steps.iter().zip(rows).filter(|(_, row)| row.unparsed.is_empty());
        self.0.keep(whole.map(|(step, row)| (key(step), row)));
    }
}

/// A merge is compared with one parent or with all, so that is part of the key.
fn key(step: &Step) -> String {
    let line = if step.parents.len() < step.parent_count { "first" } else { "all" };
    format!("{} {line}", step.commit())
}
