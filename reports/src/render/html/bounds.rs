//! How much one page holds. Whatever is beyond a bound is counted on the page, with where to find it.

use serde::Serialize;

use crate::diff::DiffBounds;
use crate::record::{RunRecord, UnitRecord};

/// Revisions that are shown on one page.
pub(crate) const REVISIONS_MAX: usize = 500;

/// Units that are shown in full on one page.
pub(crate) const UNITS_MAX: usize = 600;

/// Units on a page up to which diffs stand open.
pub(crate) const UNITS_OPEN_MAX: usize = 24;

/// Rows of one list or table.
pub(crate) const ROWS_MAX: usize = 200;

/// Members, attempts and the like of one unit.
pub(crate) const UNIT_ROWS_MAX: usize = 20;

/// Rows of code on one page.
const CODE_ROWS_PAGE: usize = 14_000;

/// Bytes of code on one page, before escaping.
const CODE_BYTES_PAGE: usize = 1_500_000;

/// Lines that are read and compared for one page. Comparing costs up to the square of a piece's lines.
const CODE_LINES_READ_PAGE: usize = 200_000;

/// What one piece of code may take at most, however few there are.
const CODE_MOST: DiffBounds = DiffBounds { lines_read: 1_000, rows: 160, bytes: 16_000 };

/// What one piece of code may take on the page of one unit.
pub(crate) const CODE_OF_UNIT: DiffBounds = DiffBounds { lines_read: 4_000, rows: 1_500, bytes: 200_000 };

/// The fair share of each piece of code on the page: what small pieces leave is shared by the large ones.
pub(crate) fn code_share(record: &RunRecord) -> DiffBounds {
    let units = record.revisions.iter().flat_map(|revision| &revision.units).take(UNITS_MAX);
    let sizes: Vec<_> = units.flat_map(code_sizes).collect();
    let sizes_of = |size: fn(&CodeSize) -> usize| sizes.iter().map(size).collect::<Vec<_>>();
    DiffBounds {
        lines_read: fair_share(sizes_of(|size| size.lines), CODE_LINES_READ_PAGE, CODE_MOST.lines_read),
        rows: fair_share(sizes_of(|size| size.lines), CODE_ROWS_PAGE, CODE_MOST.rows),
        bytes: fair_share(sizes_of(|size| size.bytes), CODE_BYTES_PAGE, CODE_MOST.bytes),
    }
}

/// How large a piece of code is at most when it is shown.
struct CodeSize {
    lines: usize,
    bytes: usize,
}

fn code_sizes(unit: &UnitRecord) -> impl Iterator<Item = CodeSize> {
    let members = unit.members.iter().take(UNIT_ROWS_MAX).flat_map(|member| {
        [
            pair_size(&member.upstream_before, &member.upstream_after),
            pair_size(&member.port_before, &member.port_after),
        ]
    });
    let attempts = unit.attempts.iter().take(UNIT_ROWS_MAX).map(|attempt| pair_size("", &attempt.diff));
    members.chain(attempts)
}

fn pair_size(before: &str, after: &str) -> CodeSize {
    let before = if before == after { "" } else { before };
    CodeSize { lines: before.lines().count() + after.lines().count(), bytes: before.len() + after.len() }
}

/// The largest share, at most `most`, so that pieces cut to it fit into `room` together.
fn fair_share(mut sizes: Vec<usize>, room: usize, most: usize) -> usize {
    sizes.sort_unstable();
    let mut left = room;
    let count = sizes.len();
    for (at, size) in sizes.into_iter().enumerate() {
        let share = left / (count - at);
        if size.min(most) > share {
            return share;
        }
        left -= size.min(most);
    }
    most
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_small_pieces_leave_goes_to_large_ones() {
        assert_eq!(fair_share(vec![10, 100, 100], 110, 1_000), 50);
        assert_eq!(fair_share(vec![10, 20], 110, 1_000), 1_000);
        assert_eq!(fair_share(vec![900], 5_000, 160), 160);
        assert_eq!(fair_share(Vec::new(), 10, 160), 160);
        assert_eq!(fair_share(vec![3; 100], 50, 160), 0);
    }

    proptest::proptest! {
        #[test]
        fn cut_pieces_fit_into_the_room(
            sizes in proptest::collection::vec(0_usize..500, 0..40), room in 0_usize..5_000,
        ) {
            let share = fair_share(sizes.clone(), room, 160);
            let total: usize = sizes.iter().map(|size| size.min(&share)).sum();
            proptest::prop_assert!(total <= room);
        }
    }
}
