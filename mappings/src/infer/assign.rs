//! Which pairs go together so that the sum of what speaks for them is largest, each taken at most once.
//!
//! Candidates are sparse: they fall into blocks that do not touch, and each is solved by itself (Kuhn and
//! Munkres). A block over the bound is cut at its weakest pairs, and the cuts are counted.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// The most rows or columns of one block.
const BLOCK_MAX: usize = 260;
/// What one is in the whole numbers that the algorithm counts in.
const SCALE: f64 = 1_000.0;

/// A pair that may be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) row: usize,
    pub(super) column: usize,
    /// What speaks for it; pairs with nothing for them are never taken.
    pub(super) gain: f64,
}

/// The pairs that were taken.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    /// Indices of edges, ascending.
    pub(super) edges: Vec<usize>,
    /// How many pairs were not looked at, because their block would have been too large.
    pub(super) cut: usize,
}

/// Solves the assignment over these edges; at most one for each pair of row and column.
pub(super) fn assign(edges: &[Edge], rows: usize, columns: usize) -> Assigned {
    let mut order: Vec<usize> = (0..edges.len())
        .filter(|at| edges.get(*at).is_some_and(|edge| edge.gain > 0.0 && edge.gain.is_finite()))
        .collect();
    let gain = |at: usize| edges.get(at).map_or(0.0, |edge| edge.gain);
    order.sort_by(|one, other| gain(*other).total_cmp(&gain(*one)).then(one.cmp(other)));
    let mut blocks = Blocks::new(rows, columns);
    let mut kept = Vec::new();
    let mut cut = 0;
    for at in order {
        match edges.get(at) {
            Some(edge) if blocks.join(edge.row, rows + edge.column) => kept.push(at),
            Some(_) => cut += 1,
            None => {}
        }
    }
    kept.sort_by_key(|at| edges.get(*at).map(|edge| (blocks.root(edge.row), *at)));
    let mut taken = Vec::new();
    let same_block = |one: &usize, other: &usize| {
        let root = |at: &usize| edges.get(*at).map(|edge| blocks.known_root(edge.row));
        root(one) == root(other)
    };
    for block in kept.chunk_by(same_block) {
        solve(edges, block, &mut taken);
    }
    taken.sort_unstable();
    Assigned { edges: taken, cut }
}

/// Solves one block.
fn solve(edges: &[Edge], block: &[usize], taken: &mut Vec<usize>) {
    if let [only] = block {
        taken.push(*only);
        return;
    }
    let mut rows: Vec<usize> = block.iter().filter_map(|at| edges.get(*at)).map(|edge| edge.row).collect();
    let mut columns: Vec<usize> =
        block.iter().filter_map(|at| edges.get(*at)).map(|edge| edge.column).collect();
    for side in [&mut rows, &mut columns] {
        side.sort_unstable();
        side.dedup();
    }
    let wide = columns.len() >= rows.len();
    let (short, long) = if wide { (rows.len(), columns.len()) } else { (columns.len(), rows.len()) };
    let mut gains = Matrix::new(short, long, 0_i64);
    let mut at_cell = Matrix::new(short, long, None);
    for at in block {
        let Some(edge) = edges.get(*at) else { continue };
        let (Ok(row), Ok(column)) = (rows.binary_search(&edge.row), columns.binary_search(&edge.column))
        else {
            continue;
        };
        let cell = if wide { (row, column) } else { (column, row) };
        if let (Some(gain), Some(known)) = (gains.get_mut(cell), at_cell.get_mut(cell)) {
            *gain = scaled(edge.gain);
            *known = Some(*at);
        }
    }
    let (_, partners) = kuhn_munkres(&gains);
    for (row, column) in partners.into_iter().enumerate() {
        taken.extend(at_cell.get((row, column)).copied().flatten());
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a gain is a small finite number, and the cast saturates"
)]
fn scaled(gain: f64) -> i64 {
    (gain * SCALE).round() as i64
}

/// Rows and columns that hang together, bounded.
struct Blocks {
    parent: Vec<usize>,
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl Blocks {
    fn new(rows: usize, columns: usize) -> Self {
        let all = rows + columns;
        let is_row = |at: usize| usize::from(at < rows);
        Self {
            parent: (0..all).collect(),
            rows: (0..all).map(is_row).collect(),
            columns: (0..all).map(|at| 1 - is_row(at)).collect(),
        }
    }

    fn known_root(&self, mut at: usize) -> usize {
        // Each step goes to another node of a tree, so the walk ends.
        while let Some(parent) = self.parent.get(at).copied().filter(|parent| *parent != at) {
            at = parent;
        }
        at
    }

    fn root(&mut self, at: usize) -> usize {
        let root = self.known_root(at);
        if let Some(parent) = self.parent.get_mut(at) {
            *parent = root;
        }
        root
    }

    /// Joins the blocks of a row and a column; `false` where the block would be too large.
    fn join(&mut self, row: usize, column: usize) -> bool {
        let (one, other) = (self.root(row), self.root(column));
        if one == other {
            return true;
        }
        let count = |of: &[usize]| {
            of.get(one).copied().unwrap_or_default() + of.get(other).copied().unwrap_or_default()
        };
        let (rows, columns) = (count(&self.rows), count(&self.columns));
        if rows > BLOCK_MAX || columns > BLOCK_MAX {
            return false;
        }
        let larger = |at: usize| {
            self.rows.get(at).copied().unwrap_or_default() + self.columns.get(at).copied().unwrap_or_default()
        };
        let (root, child) = if larger(one) >= larger(other) { (one, other) } else { (other, one) };
        if let Some(parent) = self.parent.get_mut(child) {
            *parent = root;
        }
        for (of, sum) in [(&mut self.rows, rows), (&mut self.columns, columns)] {
            if let Some(known) = of.get_mut(root) {
                *known = sum;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(edges: &[(usize, usize, f64)], rows: usize, columns: usize) -> Vec<(usize, usize)> {
        let edges: Vec<Edge> = edges
            .iter()
            .map(|(row, column, gain)| Edge { row: *row, column: *column, gain: *gain })
            .collect();
        let taken = assign(&edges, rows, columns).edges;
        taken.into_iter().map(|at| (edges[at].row, edges[at].column)).collect()
    }

    #[test]
    fn the_best_sum_wins_over_the_best_single_pair() {
        assert_eq!(pairs(&[(0, 0, 10.0), (0, 1, 9.0), (1, 0, 8.0)], 2, 2), [(0, 1), (1, 0)]);
    }

    #[test]
    fn what_nothing_speaks_for_is_not_taken() {
        assert_eq!(pairs(&[(0, 0, 0.0), (1, 1, -2.0), (1, 0, f64::NAN)], 2, 2), Vec::new());
    }

    #[test]
    fn a_block_over_the_bound_is_cut_and_says_so() {
        let count = BLOCK_MAX * 3;
        let edges: Vec<Edge> = (0..count)
            .flat_map(|at| {
                let next = (at + 1) % count;
                [(at, at, 5.0), (at, next, 1.0)].map(|(row, column, gain)| Edge { row, column, gain })
            })
            .collect();
        let assigned = assign(&edges, count, count);
        assert_eq!(assigned.edges.len(), count);
        assert!(assigned.cut > 0);
    }

    proptest! {
        #[test]
        fn nothing_is_taken_twice(edges in prop::collection::btree_map((0_usize..12, 0_usize..12), 0.1_f64..9.0, 0..60)) {
            let edges: Vec<(usize, usize, f64)> = edges.into_iter().map(|((row, column), gain)| (row, column, gain)).collect();
            let taken = pairs(&edges, 12, 12);
            let mut rows: Vec<usize> = taken.iter().map(|pair| pair.0).collect();
            let mut columns: Vec<usize> = taken.iter().map(|pair| pair.1).collect();
            for side in [&mut rows, &mut columns] {
                side.sort_unstable();
                side.dedup();
                prop_assert_eq!(side.len(), taken.len());
            }
        }
    }
}
