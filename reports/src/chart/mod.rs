//! Charts as inline SVG, from plain numbers: no script, nothing fetched, the same bytes each time.
//!
//! Colours come from the page's CSS variables with a fallback, and every mark has a `<title>` with its
//! numbers, so that colour never carries meaning alone. Nothing here knows what a benchmark is.

mod frame;

use std::sync::LazyLock;

use frame::{Frame, escaped, shown};

/// The rules of charts, for a page that has them in its style sheet.
pub(crate) const RULES: &str = frame::OWN_STYLE;

/// The element with which each chart brings them.
pub(crate) static STYLE_ELEMENT: LazyLock<String> = LazyLock::new(|| format!("<style>{RULES}</style>"));

/// The most marks of one chart; of more, the last ones are drawn and the rest is counted.
const MARKS_MAX: usize = 400;

/// The most marks whose labels have room below them; of more, pointing at a mark tells its label.
const LABELS_MAX: usize = 4;

/// A value with its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// What it is of.
    pub label: String,
    /// The value.
    pub middle: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A value on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// What it is of.
    pub label: String,
    /// On the reference.
    pub reference: f64,
    /// On the candidate.
    pub candidate: f64,
}

/// The path of a sequential test: its statistic after so many pairs, between the bounds at which it decides.
pub fn sequential_path(title: &str, points: &[(f64, f64)], accept_at: f64, reject_at: f64) -> String {
    let (points, left_out) = last(points);
    let ys = points.iter().map(|point| point.1).chain([accept_at, reject_at]);
    let Some(frame) = Frame::around(points.iter().map(|point| point.0).chain([0.0]), ys) else {
        return empty(title);
    };
    let mut svg = frame.begin_unnumbered(title, left_out);
    if let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) {
        svg += &frame.label(*first, &shown(*first));
        svg += &frame.label(*last, &format!("{} pairs", shown(*last)));
    }
    for (bound, name, class) in [(accept_at, "accepted from", "good"), (reject_at, "rejected to", "bad")] {
        svg += &frame.level(bound, &format!("{name} {}", shown(bound)), class);
    }
    svg += &frame.level(0.0, "", "faint");
    let drawn = points.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
    let line: Vec<String> = drawn.map(|&(x, y)| frame.point(x, y)).collect();
    svg.extend(["<polyline class=\"line\" points=\"", &line.join(" "), "\"/>"]);
    for &(x, y) in points {
        svg += &frame.dot(x, y, &format!("after {} pairs: {}", shown(x), shown(y)));
    }
    svg + "</svg>"
}

/// A value over time, each with its interval, oldest first, with a line at the value that means no change.
pub fn history(title: &str, points: &[Interval], same: Option<f64>) -> String {
    intervals_in_order(title, points, same)
}

/// Values beside each other with their intervals, with a line at the value that means no change.
pub fn intervals(title: &str, values: &[Interval], same: Option<f64>) -> String {
    intervals_in_order(title, values, same)
}

/// Each value on both sides: on the diagonal nothing changed.
pub fn pairs(title: &str, values: &[Pair]) -> String {
    let (values, left_out) = last(values);
    let all = || values.iter().flat_map(|pair| [pair.reference, pair.candidate]);
    let Some(frame) = Frame::around(all(), all()) else { return empty(title) };
    let mut svg = frame.begin(title, left_out) + &frame.diagonal();
    for Pair { label, reference, candidate } in values {
        let words = format!("{label}: {} before, {} after", shown(*reference), shown(*candidate));
        svg += &frame.dot(*reference, *candidate, &words);
    }
    svg + "</svg>"
}

/// A page that holds charts and needs nothing else.
pub fn page(heading: &str, charts: &[String]) -> String {
    let figures: Vec<String> = charts.iter().map(|chart| format!("<figure>{chart}</figure>\n")).collect();
    let figures = figures.concat();
    let heading = escaped(heading);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{heading}</title>\n<style>{}</style>\
         </head><body>\n<h1>{heading}</h1>\n{figures}</body></html>\n",
        frame::STYLE
    )
}

fn intervals_in_order(title: &str, values: &[Interval], same: Option<f64>) -> String {
    let (values, left_out) = last(values);
    let places = || (0..values.len()).map(frame::place);
    let ends = values.iter().flat_map(|value| [value.low, value.middle, value.high]);
    if values.is_empty() {
        return empty(title);
    }
    // Half a place of room at both ends, for the labels.
    let room = [0.5, frame::place(values.len()) - 0.5];
    let Some(frame) = Frame::around(places().chain(room), ends.chain(same)) else { return empty(title) };
    let mut svg = frame.begin_unnumbered(title, left_out);
    if let Some(same) = same {
        svg += &frame.level(same, "no change", "faint");
    }
    for (at, value) in places().zip(values) {
        let words = format!(
            "{}: {} ({} to {})",
            value.label,
            shown(value.middle),
            shown(value.low),
            shown(value.high)
        );
        svg += &frame.bar(at, value.low, value.high);
        svg += &frame.dot(at, value.middle, &words);
        if values.len() <= LABELS_MAX {
            svg += &frame.label(at, &value.label);
        }
    }
    svg + "</svg>"
}

fn last<Mark>(marks: &[Mark]) -> (&[Mark], usize) {
    let left_out = marks.len().saturating_sub(MARKS_MAX);
    (marks.get(left_out..).unwrap_or_default(), left_out)
}

fn empty(title: &str) -> String {
    format!("<p class=\"chart\">{}: nothing was measured.</p>", escaped(title))
}

#[cfg(test)]
mod tests;
