//! A long history, revision by revision, item by item, as fast as it can be read.
//!
//! Main function: [`history`]. It answers what [`crate::diff`] answers, for thousands of revisions: items come
//! from the light scanner in `scan` rather than from a parser, and from a file's place rather than from the
//! module tree. Where that leaves a doubt, a row says so in its [`Confidence`].
//!
//! How it is fast: the revisions of a window are listed first, their trees compared, and then each *file* is
//! followed from its newest version to its oldest, so that every content is read and scanned once and the
//! pack's deltas are met in the order in which they are stored. What a revision changed never changes again,
//! so finished rows are kept in a [`HistoryCache`].

mod cache;
mod class;
pub(crate) mod dependencies;
mod follow;
mod place;
mod relocate;
mod row;
mod standing;
mod tree_diff;
mod walk;

#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use dependencies::both_ways::{requirements, versions};

pub use cache::HistoryCache;
pub use row::{ChangeKind, Confidence, HistoryChange, HistoryRow, RowChanges};
pub use standing::{Stood, standing};
pub use walk::{HistoryRange, Line};

use crate::repo::{ObjectReader, Packs, RepoError, UpstreamRepo};

/// How many revisions are worked on together. Memory grows with it; a smaller window reads some contents
/// twice.
const WINDOW_REVISIONS: usize = 1_000;
/// The most threads that read at once.
const WORKERS_MAX: usize = 16;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryEnd {
    /// The rows handed out.
    pub rows: usize,
    /// How many of them came from the cache.
    pub from_cache: usize,
    /// Whether the receiver wanted no more.
    pub stopped: bool,
}

/// Hands out one row for each revision of a range, newest first.
///
/// Rows come window by window as they are ready. The receiver can stop it at any row. A damaged or missing
/// object costs its file and is named in the row; only an unreadable commit ends the history.
pub fn history(
    repo: &UpstreamRepo,
    range: &HistoryRange,
    cache: Option<&HistoryCache>,
    each: &mut dyn FnMut(HistoryRow) -> ControlFlow<()>,
) -> Result<HistoryEnd, RepoError> {
    let revisions = walk::revisions(repo, range)?;
    let mut end = HistoryEnd { rows: 0, from_cache: 0, stopped: false };
    for window in revisions.chunks(WINDOW_REVISIONS) {
        let known = cache.map_or_else(|| vec![None; window.len()], |cache| cache.rows(window));
        let missing: Vec<&walk::Step> =
            window.iter().zip(&known).filter_map(|(step, row)| row.is_none().then_some(step)).collect();
        end.from_cache += window.len() - missing.len();
        let computed = if missing.is_empty() { Vec::new() } else { follow::rows(repo, &missing, workers())? };
        if let Some(cache) = cache {
            cache.keep(&missing, &computed);
        }
        let mut computed = computed.into_iter();
        for (step, row) in window.iter().zip(known) {
            let Some(body) = row.or_else(|| computed.next()) else { continue };
            end.rows += 1;
            if each(step.row(body)).is_break() {
                return Ok(HistoryEnd { stopped: true, ..end });
            }
        }
    }
    Ok(end)
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(WORKERS_MAX)
}

/// Has all the work done by so many threads, which take `at_once` pieces of it each; the findings come in no order.
fn in_parallel<Work: Sync, Finding: Send>(
    (repo, packs): (&UpstreamRepo, &Packs),
    workers: usize,
    (work, at_once): (&[Work], usize),
    each: impl Fn(&mut ObjectReader, &Work) -> Vec<Finding> + Sync,
) -> Vec<Finding> {
    let next = AtomicUsize::new(0);
    let parts: Vec<&[Work]> = work.chunks(at_once).collect();
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut objects = ObjectReader::new(repo, packs);
                let mut own = Vec::new();
                while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    own.extend(part.iter().flat_map(|work| each(&mut objects, work)));
                }
                found.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}
