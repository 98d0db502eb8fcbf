//! Tables of code and small figures as HTML, built here rather than in the template because a page holds
//! tens of thousands of their rows.
//!
//! Markup comes from this file's own text only: everything foreign goes through [`Markup::text`].

use minijinja::Value;

use crate::diff::{LineDiff, Piece, Row};
use crate::record::TimingRow;
use crate::words;

/// HTML that holds foreign text only escaped.
#[derive(Debug, Default)]
pub(crate) struct Markup(String);

impl Markup {
    pub(crate) fn raw(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    fn number(&mut self, number: usize) {
        self.0.push_str(&number.to_string());
    }

    pub(crate) fn place(&mut self, place: f64) {
        add!(self.0, "{place:.1}");
    }

    pub(crate) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
    }

    pub(crate) fn finish(self) -> Value {
        Value::from_safe_string(self.0)
    }
}

/// Text with what stands between backquotes as code.
pub(crate) fn prose(text: &str) -> Value {
    let mut out = Markup::default();
    for (code, piece) in words::prose(text) {
        if code {
            out.raw("<code>");
        }
        out.text(piece);
        if code {
            out.raw("</code>");
        }
    }
    out.finish()
}

/// A name from this length on is told where it may break, in characters.
const SOFT_CHARS: usize = 24;

/// A name that breaks behind what parts it, where it must: text that is copied holds nothing more.
pub(crate) fn soft(name: &str) -> Value {
    let mut out = Markup::default();
    let may_break = name.chars().nth(SOFT_CHARS).is_some();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        out.text(c.encode_utf8(&mut [0; 4]));
        let parts = matches!(c, ':' | '.' | '/' | '_');
        if may_break && parts && chars.peek().is_some_and(|next| *next != c) {
            out.raw("<wbr>");
        }
    }
    out.finish()
}

/// Which line numbers a table of code shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Those before and after.
    BeforeAndAfter,
    /// None: the text is a diff already.
    None,
}

/// A diff as a table. The end tags of cells and rows are left out, as HTML allows: they would be a sixth
/// of a large page.
pub(crate) fn code_table(diff: &LineDiff, title: &str, numbers: Numbers) -> Value {
    let mut out = Markup::default();
    out.raw("<table class=diff><caption class=vh>");
    out.text(title);
    out.raw("</caption>");
    let numbered = numbers == Numbers::BeforeAndAfter;
    if numbered {
        out.raw(
            "<thead class=vh><tr><th scope=col>Line before<th scope=col>Line after<th scope=col>Code</thead>",
        );
    }
    out.raw("<tbody>");
    for row in &diff.rows {
        push_row(&mut out, row, numbered);
    }
    out.raw("</tbody></table>");
    out.finish()
}

fn push_row(out: &mut Markup, row: &Row, numbered: bool) {
    let (class, old, new) = match row {
        Row::Same { old, new, .. } => ("<tr>", Some(*old), Some(*new)),
        Row::Removed { old, .. } => ("<tr class=d>", Some(*old), None),
        Row::Added { new, .. } => ("<tr class=a>", None, Some(*new)),
        Row::Folded { .. } => ("<tr class=f>", None, None),
    };
    out.raw(class);
    if numbered {
        for number in [old, new] {
            out.raw("<td>");
            if let Some(number) = number {
                out.number(number);
            }
        }
    }
    out.raw("<td>");
    match row {
        Row::Same { text, .. } => {
            out.raw("  ");
            out.text(text);
        }
        Row::Removed { pieces, .. } => {
            out.raw("− ");
            push_pieces(out, pieces, ("<del>", "</del>"));
        }
        Row::Added { pieces, .. } => {
            out.raw("+ ");
            push_pieces(out, pieces, ("<ins>", "</ins>"));
        }
        Row::Folded { lines } => {
            out.raw("⋯ ");
            out.number(*lines);
            out.raw(if *lines == 1 { " unchanged line" } else { " unchanged lines" });
        }
    }
    out.raw("\n");
}

fn push_pieces(out: &mut Markup, pieces: &[Piece], (open, close): (&'static str, &'static str)) {
    for piece in pieces {
        if piece.changed {
            out.raw(open);
        }
        out.text(&piece.text);
        if piece.changed {
            out.raw(close);
        }
    }
}

/// The width of a figure's drawing area, in its own units.
const FIGURE_WIDTH: f64 = 240.0;

/// The least distance from 1 that the scale reaches to each side, so that noise does not look large.
const SCALE_LEAST: f64 = 0.1;

/// Intervals of timings, one figure each, all on one scale with 1, at which nothing changed, in its middle.
pub(crate) fn interval_figures(timings: &[TimingRow]) -> Vec<Value> {
    let ends = timings.iter().flat_map(|row| [row.ratio_low, row.ratio, row.ratio_high]);
    let reach = ends.filter(|ratio| ratio.is_finite()).map(|ratio| (ratio - 1.0).abs());
    let reach = reach.fold(SCALE_LEAST, f64::max);
    let place = |ratio: f64| {
        let share = if ratio.is_nan() { 0.0 } else { ((ratio - 1.0) / reach).clamp(-1.0, 1.0) };
        FIGURE_WIDTH / 2.0 + share * (FIGURE_WIDTH / 2.0 - 6.0)
    };
    timings.iter().map(|row| interval_figure(row, place)).collect()
}

fn interval_figure(row: &TimingRow, place: impl Fn(f64) -> f64) -> Value {
    let mut out = Markup::default();
    let (low, high) = (place(row.ratio_low), place(row.ratio_high));
    out.raw("<svg class=interval viewBox=\"0 0 240 20\" role=img><title>");
    out.text(&format!(
        "{}: {:.2}, interval {:.2} to {:.2}",
        row.name_shown(),
        row.ratio,
        row.ratio_low,
        row.ratio_high
    ));
    out.raw("</title><path class=axis d=\"M");
    out.place(place(1.0));
    out.raw(" 1V19\"/><path class=whisker d=\"M");
    out.place(low);
    out.raw(" 5V15M");
    out.place(low);
    out.raw(" 10H");
    out.place(high);
    out.raw("M");
    out.place(high);
    out.raw(" 5V15\"/><circle cx=\"");
    out.place(place(row.ratio));
    out.raw("\" cy=\"10\" r=\"4\"/></svg>");
    out.finish()
}

impl TimingRow {
    fn name_shown(&self) -> String {
        crate::visible::line(&self.name)
    }
}
