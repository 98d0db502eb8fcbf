//! How much one page holds. Whatever is beyond a bound is counted on the page, with where to find it.

use serde::Serialize;

use crate::diff::DiffBounds;
use crate::record::RunRecord;

/// Revisions that are shown on one page.
pub(crate) const REVISIONS_MAX: usize = 500;

/// Units that are shown in full on one page.
pub(crate) const UNITS_MAX: usize = 1_500;

/// Units on a page up to which diffs stand open.
pub(crate) const UNITS_OPEN_MAX: usize = 24;

/// Rows of one list or table.
pub(crate) const ROWS_MAX: usize = 200;

/// Members, attempts and the like of one unit.
pub(crate) const UNIT_ROWS_MAX: usize = 20;

/// Rows of code on one page, shared out evenly.
const CODE_ROWS_PAGE: usize = 20_000;

/// Bytes of code on one page before escaping, shared out evenly.
const CODE_BYTES_PAGE: usize = 2_000_000;

/// Lines that are read and compared for one page, shared out evenly.
const CODE_LINES_READ_PAGE: usize = 400_000;

/// What one piece of code may take at most, however few there are.
const CODE_MOST: DiffBounds = DiffBounds { lines_read: 2_000, rows: 160, bytes: 16_000 };

/// The fair share of each piece of code on the page.
pub(crate) fn code_share(record: &RunRecord) -> DiffBounds {
    let units = record.revisions.iter().flat_map(|revision| &revision.units).take(UNITS_MAX);
    let pieces =
        units.map(|unit| 2 * unit.members.len().min(UNIT_ROWS_MAX) + unit.attempts.len().min(UNIT_ROWS_MAX));
    let pieces = pieces.sum::<usize>().max(1);
    DiffBounds {
        lines_read: (CODE_LINES_READ_PAGE / pieces).min(CODE_MOST.lines_read),
        rows: (CODE_ROWS_PAGE / pieces).min(CODE_MOST.rows),
        bytes: (CODE_BYTES_PAGE / pieces).min(CODE_MOST.bytes),
    }
}

/// The first rows of a list, and how many more there are.
#[derive(Debug, Serialize)]
pub(crate) struct Bounded<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) more: usize,
}

/// Takes the first `rows_max`.
pub(crate) fn bounded<S, T>(list: &[S], rows_max: usize, show: impl FnMut(&S) -> T) -> Bounded<T> {
    let rows: Vec<_> = list.iter().take(rows_max).map(show).collect();
    let more = list.len() - rows.len();
    Bounded { rows, more }
}
