//! The plane that marks are drawn on: its scales, its axes, its words.

/// What every chart needs of a style sheet.
pub(super) const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:48rem;padding:0 1rem}\
figure{margin:2rem 0}svg.chart{width:100%;height:auto}\
:root{--ink:#1b1f24;--faint:#8b949e;--mark:#0969da;--good:#1a7f37;--bad:#cf222e;--ground:#fff}\
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--faint:#7d8590;--mark:#58a6ff;--good:#3fb950;--bad:#f85149;--ground:#0d1117}}\
body{color:var(--ink);background:var(--ground)}";

/// The same for a chart by itself.
pub(super) const OWN_STYLE: &str = ".chart text{fill:var(--ink,#1b1f24);font:12px system-ui,sans-serif}\
.chart .line{fill:none;stroke:var(--mark,#0969da);stroke-width:2}.chart circle{fill:var(--mark,#0969da)}\
.chart .bar{stroke:var(--mark,#0969da);stroke-width:2;opacity:.5}\
.chart .faint{stroke:var(--faint,#8b949e);stroke-dasharray:2 3}\
.chart .good{stroke:var(--good,#1a7f37)}.chart .bad{stroke:var(--bad,#cf222e);stroke-dasharray:6 3}";

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 28.0;

/// The scales of one chart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    /// Scales that hold these values; `None` where there are none. What is not finite cannot be drawn.
    pub(super) fn around(xs: impl Iterator<Item = f64>, ys: impl Iterator<Item = f64>) -> Option<Self> {
        Some(Self { x: range(xs)?, y: range(ys)? })
    }

    /// The picture up to its marks.
    pub(super) fn begin(&self, title: &str, left_out: usize) -> String {
        let (first, last) = (shown(self.x.0), shown(self.x.1));
        let (right, down) = (WIDTH - RIGHT, HEIGHT - 8.0);
        self.begin_unnumbered(title, left_out)
            + &format!(
                "<text x=\"{LEFT}\" y=\"{down}\">{first}</text>\
                 <text x=\"{right}\" y=\"{down}\" text-anchor=\"end\">{last}</text>"
            )
    }

    /// The same without numbers at the lower axis, where places there are an order only.
    pub(super) fn begin_unnumbered(&self, title: &str, left_out: usize) -> String {
        let title = escaped(title);
        let note = if left_out == 0 { String::new() } else { format!(" (without the first {left_out})") };
        let (low, high) = (shown(self.y.0), shown(self.y.1));
        let bottom = HEIGHT - BOTTOM;
        format!(
            "<svg class=\"chart\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             xmlns=\"http://www.w3.org/2000/svg\"><style>{OWN_STYLE}</style><text x=\"{LEFT}\" y=\"18\">{title}{note}</text>\
             <text x=\"4\" y=\"{TOP}\">{high}</text><text x=\"4\" y=\"{bottom}\">{low}</text>"
        )
    }

    /// Words below a place on the lower axis.
    pub(super) fn label(&self, x: f64, words: &str) -> String {
        const CHARS_MAX: usize = 24;
        let mut shown: String = words.chars().take(CHARS_MAX).collect();
        if words.chars().count() > CHARS_MAX {
            shown.push('…');
        }
        let (at, down) = (self.across(x), HEIGHT - 8.0);
        format!("<text x=\"{at:.1}\" y=\"{down}\" text-anchor=\"middle\">{}</text>", escaped(&shown))
    }

    /// `x,y` of a value on the picture.
    pub(super) fn point(&self, x: f64, y: f64) -> String {
        format!("{:.1},{:.1}", self.across(x), self.down(y))
    }

    /// A level line with its words.
    pub(super) fn level(&self, y: f64, words: &str, class: &str) -> String {
        let (at, right) = (self.down(y), WIDTH - RIGHT);
        // At the left, where the path of a test begins far from its bounds.
        format!(
            "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{LEFT}\" y=\"{:.1}\">{}</text>",
            at - 4.0,
            escaped(words)
        )
    }

    /// Where both axes have the same value.
    pub(super) fn diagonal(&self) -> String {
        let (low, high) = (self.x.0.max(self.y.0), self.x.1.min(self.y.1));
        format!(
            "<line class=\"faint\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            self.across(low),
            self.down(low),
            self.across(high),
            self.down(high)
        )
    }

    /// A mark with words that show when it is pointed at.
    pub(super) fn dot(&self, x: f64, y: f64, words: &str) -> String {
        if !(x.is_finite() && y.is_finite()) {
            return String::new();
        }
        let (across, down) = (self.across(x), self.down(y));
        let words = escaped(words);
        format!("<circle cx=\"{across:.1}\" cy=\"{down:.1}\" r=\"3\"><title>{words}</title></circle>")
    }

    /// An interval. An end that is not finite reaches the edge.
    pub(super) fn bar(&self, x: f64, low: f64, high: f64) -> String {
        let at = self.across(x);
        let end = |value: f64, edge: f64| self.down(if value.is_finite() { value } else { edge });
        format!(
            "<line class=\"bar\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
            end(low, self.y.0),
            end(high, self.y.1)
        )
    }

    fn across(&self, x: f64) -> f64 {
        LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn down(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - (y - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - TOP - BOTTOM)
    }
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    // Beyond this a value is as good as infinite, and would squeeze all others into a line.
    const LARGEST: f64 = 1e300;
    let fold = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    let finite = values.filter(|value| value.abs() < LARGEST);
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), fold);
    if low > high {
        return None;
    }
    let room = if high > low { (high - low) * 0.05 } else { low.abs().max(1.0) * 0.05 };
    Some((low - room, high + room))
}

/// The place of a mark among others.
pub(super) fn place(index: usize) -> f64 {
    f64::from(u32::try_from(index + 1).unwrap_or(u32::MAX))
}

/// A number with four digits, as people write it.
pub(super) fn shown(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Text that is safe inside an element and inside an attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
