//! Two texts line by line, with the changed words marked: what a diff pane shows, without any markup.
//!
//! Everything is bounded, and what is not shown is counted: a reader can tell a short diff from a cut one.

mod words;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices};

use crate::visible;

use words::{mark_words, pair_lines};

/// Unchanged lines that are kept around a change.
const CONTEXT_LINES: usize = 3;

/// Characters of one shown line.
const LINE_CHARS_MAX: usize = 240;

/// How much of a diff is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiffBounds {
    /// Lines of each text that are compared; later ones are counted and not shown.
    pub(crate) lines_read: usize,
    /// Rows that are shown.
    pub(crate) rows: usize,
    /// Bytes of text that are shown.
    pub(crate) bytes: usize,
}

/// A diff as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LineDiff {
    /// The rows, in order.
    pub(crate) rows: Vec<Row>,
    /// Lines that came, shown or not.
    pub(crate) added: usize,
    /// Lines that went, shown or not.
    pub(crate) removed: usize,
    /// Lines beyond the bounds: neither shown nor folded.
    pub(crate) not_shown: usize,
}

/// One row. Line numbers begin at 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    /// A line on both sides.
    Same {
        /// Its number before.
        old: usize,
        /// Its number after.
        new: usize,
        /// The line.
        text: String,
    },
    /// A line that went.
    Removed {
        /// Its number before.
        old: usize,
        /// The line in pieces.
        pieces: Vec<Piece>,
    },
    /// A line that came.
    Added {
        /// Its number after.
        new: usize,
        /// The line in pieces.
        pieces: Vec<Piece>,
    },
    /// Unchanged lines that are left out.
    Folded {
        /// How many.
        lines: usize,
    },
}

/// A piece of a changed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The text, made visible.
    pub(crate) text: String,
    /// Whether this is what differs from the line's counterpart.
    pub(crate) changed: bool,
}

/// Compares two texts. Equal texts give no rows.
pub(crate) fn line_diff(before: &str, after: &str, bounds: DiffBounds) -> LineDiff {
    if before == after {
        return LineDiff::default();
    }
    let (old, old_unread) = read_lines(before, bounds.lines_read);
    let (new, new_unread) = read_lines(after, bounds.lines_read);
    let ops = capture_diff_slices(Algorithm::Histogram, &old, &new);
    let mut writer = Writer { bounds, diff: LineDiff::default(), bytes: 0, full: false };
    let last = ops.len().saturating_sub(1);
    for (at, op) in ops.iter().enumerate() {
        match op.tag() {
            DiffTag::Equal => writer.unchanged(op, &old, (at == 0, at == last)),
            DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => writer.changed(op, &old, &new),
        }
    }
    let mut diff = writer.diff;
    diff.not_shown += old_unread.max(new_unread);
    diff
}

/// A text that nothing changed, line by line.
pub(crate) fn unchanged(text: &str, bounds: DiffBounds) -> LineDiff {
    let (lines, unread) = read_lines(text, bounds.lines_read);
    let mut writer = Writer { bounds, diff: LineDiff::default(), bytes: 0, full: false };
    for (at, line) in lines.iter().enumerate() {
        let text = visible::code_line(line, LINE_CHARS_MAX);
        let bytes = text.len();
        writer.push(Row::Same { old: at + 1, new: at + 1, text }, bytes);
    }
    writer.diff.not_shown += unread;
    writer.diff
}

/// A unified diff as a candidate's record holds it. Its text is foreign, so its hunk headers are shown as
/// they stand and no line number is taken from them.
pub(crate) fn unified(text: &str, bounds: DiffBounds) -> LineDiff {
    let (lines, unread) = read_lines(text, bounds.lines_read);
    let mut writer = Writer { bounds, diff: LineDiff::default(), bytes: 0, full: false };
    for (at, line) in lines.iter().enumerate() {
        let header = line.starts_with("---") || line.starts_with("+++") || line.starts_with("@@");
        let (body, number) = (line.get(1..).unwrap_or_default(), at + 1);
        let row = match line.chars().next() {
            Some('+') if !header => Row::Added { new: number, pieces: whole(body) },
            Some('-') if !header => Row::Removed { old: number, pieces: whole(body) },
            Some(' ') => {
                Row::Same { old: number, new: number, text: visible::code_line(body, LINE_CHARS_MAX) }
            }
            _ => Row::Same { old: number, new: number, text: visible::code_line(line, LINE_CHARS_MAX) },
        };
        writer.diff.added += usize::from(matches!(row, Row::Added { .. }));
        writer.diff.removed += usize::from(matches!(row, Row::Removed { .. }));
        writer.push(row, line.len());
    }
    writer.diff.not_shown += unread;
    writer.diff
}

fn read_lines(text: &str, lines_max: usize) -> (Vec<&str>, usize) {
    let mut lines = text.lines();
    let read = lines.by_ref().take(lines_max).collect();
    (read, lines.count())
}

struct Writer {
    bounds: DiffBounds,
    diff: LineDiff,
    bytes: usize,
    full: bool,
}

impl Writer {
    /// Keeps the context at each end that meets a change, and folds the middle.
    fn unchanged(&mut self, op: &DiffOp, old: &[&str], (first, last): (bool, bool)) {
        let (old_range, new_start) = (op.old_range(), op.new_range().start);
        let lead = if first { 0 } else { CONTEXT_LINES };
        let tail = if last { 0 } else { CONTEXT_LINES };
        let length = old_range.len();
        // Folding a single line would take as much room as showing it.
        let folded = if length > lead + tail + 1 { lead..length - tail } else { length..length };
        for at in 0..length {
            if at == folded.start {
                self.push(Row::Folded { lines: folded.len() }, 0);
            }
            if folded.contains(&at) {
                continue;
            }
            let text = visible::code_line(old.get(old_range.start + at).unwrap_or(&""), LINE_CHARS_MAX);
            let bytes = text.len();
            self.push(Row::Same { old: old_range.start + at + 1, new: new_start + at + 1, text }, bytes);
        }
    }

    fn changed(&mut self, op: &DiffOp, old: &[&str], new: &[&str]) {
        let (old_range, new_range) = (op.old_range(), op.new_range());
        self.diff.removed += old_range.len();
        self.diff.added += new_range.len();
        let old_lines = old.get(old_range.clone()).unwrap_or_default();
        let new_lines = new.get(new_range.clone()).unwrap_or_default();
        // Words are compared for rows that may be shown only: that is where the time goes.
        let room = if self.full { 0 } else { self.bounds.rows.saturating_sub(self.diff.rows.len()) };
        let old_shown = old_lines.len().min(room);
        let new_shown = new_lines.len().min(room - old_shown);
        let mut old_pieces: Vec<_> = old_lines.iter().take(old_shown).map(|line| whole(line)).collect();
        let mut new_pieces: Vec<_> = new_lines.iter().take(new_shown).map(|line| whole(line)).collect();
        let pairs = if room == 0 { Vec::new() } else { pair_lines(old_lines, new_lines) };
        for (old_at, new_at) in
            pairs.into_iter().filter(|(old_at, new_at)| *old_at < old_shown || *new_at < new_shown)
        {
            let (Some(old_line), Some(new_line)) = (old_lines.get(old_at), new_lines.get(new_at)) else {
                continue;
            };
            if let Some((before, after)) = mark_words(old_line, new_line) {
                if let Some(pieces) = old_pieces.get_mut(old_at) {
                    *pieces = before;
                }
                if let Some(pieces) = new_pieces.get_mut(new_at) {
                    *pieces = after;
                }
            }
        }
        for (at, pieces) in old_pieces.into_iter().enumerate() {
            let bytes = pieces.iter().map(|piece| piece.text.len()).sum();
            self.push(Row::Removed { old: old_range.start + at + 1, pieces }, bytes);
        }
        for (at, pieces) in new_pieces.into_iter().enumerate() {
            let bytes = pieces.iter().map(|piece| piece.text.len()).sum();
            self.push(Row::Added { new: new_range.start + at + 1, pieces }, bytes);
        }
        let beyond = old_lines.len() - old_shown + new_lines.len() - new_shown;
        self.diff.not_shown += beyond;
        self.full = self.full || beyond > 0;
    }

    fn push(&mut self, row: Row, bytes: usize) {
        self.full = self.full
            || self.diff.rows.len() >= self.bounds.rows
            || self.bytes.saturating_add(bytes) > self.bounds.bytes;
        if !self.full {
            self.bytes += bytes;
            self.diff.rows.push(row);
            return;
        }
        self.diff.not_shown += match row {
            Row::Folded { lines } => lines,
            Row::Same { .. } | Row::Removed { .. } | Row::Added { .. } => 1,
        };
    }
}

fn whole(line: &str) -> Vec<Piece> {
    vec![Piece { text: visible::code_line(line, LINE_CHARS_MAX), changed: false }]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: DiffBounds = DiffBounds { lines_read: 1_000, rows: 1_000, bytes: 100_000 };

    /// Shows a diff as text: `[…]` is what is marked within a line.
    fn shown(before: &str, after: &str, bounds: DiffBounds) -> String {
        let pieces = |pieces: &[Piece]| -> String {
            let mark = |p: &Piece| if p.changed { format!("[{}]", p.text) } else { p.text.clone() };
            pieces.iter().map(mark).collect()
        };
        let diff = line_diff(before, after, bounds);
        let rows = diff.rows.iter().map(|row| match row {
            Row::Same { old, new, text } => format!("{old} {new}   {text}\n"),
            Row::Removed { old, pieces: p } => format!("{old}   - {}\n", pieces(p)),
            Row::Added { new, pieces: p } => format!("  {new} + {}\n", pieces(p)),
            Row::Folded { lines } => format!("... {lines}\n"),
        });
        rows.chain([format!("+{} -{} hidden {}", diff.added, diff.removed, diff.not_shown)]).collect()
    }

    #[test]
    fn changed_words_are_marked_and_long_unchanged_runs_folded() {
        let before = "a\nb\nc\nd\ne\nf\nlet x = one(1);\ng\nh\ni\nj\nk\n";
        let after = "a\nb\nc\nd\ne\nf\nlet x = two(1);\ng\nh\ni\nj\nk\n";
        insta::assert_snapshot!(shown(before, after, WIDE), @r"
        ... 3
        4 4   d
        5 5   e
        6 6   f
        7   - let x = [one](1);
          7 + let x = [two](1);
        8 8   g
        9 9   h
        10 10   i
        ... 2
        +1 -1 hidden 0
        ");
    }

    #[test]
    fn lines_are_matched_with_their_likeliest_counterpart() {
        let before = "return a + b\n";
        let after = "check(a)\nreturn a - b\n";
        insta::assert_snapshot!(shown(before, after, WIDE), @r"
        1   - return a [+] b
          1 + check(a)
          2 + return a [-] b
        +2 -1 hidden 0
        ");
    }

    #[test]
    fn rows_beyond_the_bound_are_counted() {
        let after = "line\n".repeat(50);
        let narrow = DiffBounds { rows: 8, ..WIDE };
        assert!(shown("", &after, narrow).ends_with("+50 -0 hidden 42"));
        let short = DiffBounds { lines_read: 20, ..WIDE };
        assert_eq!(line_diff("", &after, short).not_shown, 30);
        let light = DiffBounds { bytes: 11, ..WIDE };
        assert_eq!(line_diff("", &after, light).rows.len(), 2);
    }

    #[test]
    fn equal_texts_have_no_rows() {
        assert_eq!(line_diff("a\nb", "a\nb", WIDE), LineDiff::default());
    }

    proptest::proptest! {
        #[test]
        fn every_line_is_shown_folded_or_counted(
            before in "([ab]\n){0,30}", after in "([abc]\n){0,30}", rows in 0_usize..40,
        ) {
            let diff = line_diff(&before, &after, DiffBounds { rows, ..WIDE });
            let shown: usize = diff.rows.iter().map(|row| match row {
                Row::Folded { lines } => *lines,
                Row::Same { .. } | Row::Removed { .. } | Row::Added { .. } => 1,
            }).sum();
            let same = before.lines().count() - diff.removed;
            if before != after {
                proptest::prop_assert_eq!(shown + diff.not_shown, same + diff.removed + diff.added);
            }
        }
    }
}
