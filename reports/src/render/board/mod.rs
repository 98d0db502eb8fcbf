//! The pages of the dashboard, as pure functions from plain values to HTML.
//!
//! Pages hold no inline style and no inline script, so that the strictest policy fits them: what they load are
//! [`STYLE`], [`SCRIPT`] and [`ICON`]. Every text that enters a page is made visible and escaped by the environment
//! itself, not by each template. Nothing here reads a file or judges a run.

mod around;
mod benches;
mod data;
mod digest;
mod graph;
mod graph_page;
mod modules;
mod overview;
mod page;
mod port;
mod run;
mod running;
mod spend;

use std::sync::LazyLock;

use minijinja::Value;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, escape_formatter};

use super::RenderError;
use super::html::{TEMPLATES, markup};
use crate::{chart, visible, words};

pub use data::{
    Around, AroundMember, ByHand, Chrome, Command, Counts, Graph, GraphNode, Impact, ModuleCounts,
    ParkedItem, PortNow, Runs, Standing, Watched,
};
pub use digest::{RevisionDigest, RunDigest};
pub use page::{Board, Tab};
pub use run::{UnitFound, UnitPage, unit_at};

/// The script: it copies commands and swaps what has changed. Pages are complete without it.
pub const SCRIPT: &str = include_str!("../templates/board/board.js");

/// The icon, an SVG.
pub const ICON: &str = include_str!("../templates/board/icon.svg");

/// The style sheet: that of the report, that of charts, and what only the dashboard has.
pub static STYLE: LazyLock<String> = LazyLock::new(|| {
    let own = include_str!("../templates/board/board.css");
    [include_str!("../templates/style.css"), chart::RULES, own].join("\n")
});

const PAGES: [(&str, &str); 14] = [
    ("base.html", include_str!("../templates/board/base.html")),
    ("bits.html", include_str!("../templates/board/bits.html")),
    ("overview.html", include_str!("../templates/board/overview.html")),
    ("port.html", include_str!("../templates/board/port.html")),
    ("run.html", include_str!("../templates/board/run.html")),
    ("unit.html", include_str!("../templates/board/unit.html")),
    ("modules.html", include_str!("../templates/board/modules.html")),
    ("symbols.html", include_str!("../templates/board/symbols.html")),
    ("around.html", include_str!("../templates/board/around.html")),
    ("graph.html", include_str!("../templates/board/graph.html")),
    ("benches.html", include_str!("../templates/board/benches.html")),
    ("costs.html", include_str!("../templates/board/costs.html")),
    ("sign_in.html", include_str!("../templates/board/sign_in.html")),
    ("message.html", include_str!("../templates/board/message.html")),
];

/// The templates, read once. They are part of the program: whether they can be read does not depend on any input.
static ENVIRONMENT: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(environment);

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => escape_formatter(out, state, &Value::from(visible::whole(text))),
        // A chart that stands by itself brings its rules; here they are in the style sheet.
        Some(chart) if chart.contains(chart::STYLE_ELEMENT.as_str()) => {
            let bare = chart.replace(chart::STYLE_ELEMENT.as_str(), "");
            escape_formatter(out, state, &Value::from_safe_string(bare))
        }
        Some(_) | None => escape_formatter(out, state, value),
    });
    environment.add_filter("prose", |text: &str| markup::prose(&visible::whole(text)));
    environment.add_filter("soft", |text: &str| markup::soft(&visible::whole(text)));
    environment.add_filter("segment", |text: &str| Value::from_safe_string(segment(text)));
    environment.add_filter("path", |text: &str| path(text));
    environment.add_filter("moment", |ms: i64| words::moment(ms).unwrap_or_default());
    environment.add_filter("iso", |ms: i64| iso(ms));
    environment.add_filter("took", |ms: i64| words::duration(u64::try_from(ms).unwrap_or(0)));
    environment.add_filter("date", |seconds: i64| words::date(seconds).unwrap_or_default());
    environment.add_filter("duration", words::duration);
    environment.add_filter("cost", words::cost);
    environment.add_filter("thousands", words::thousands);
    environment.add_filter("count", |number: u64, one: &str| words::count(number, one));
    environment.add_filter("since", |then_ms: i64, now_ms: i64| since(then_ms, now_ms));
    for (name, source) in TEMPLATES.into_iter().chain(PAGES) {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// A page from its template and what it shows.
fn rendered(template: &str, page: Value) -> Result<String, RenderError> {
    let environment = ENVIRONMENT.as_ref().map_err(|error| {
        let said = format!("{error:#}");
        RenderError::Template(minijinja::Error::new(error.kind(), said))
    })?;
    Ok(environment.get_template(template)?.render(page)?)
}

/// A name as one segment of an address.
pub fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            // Also the dot: a segment of dots alone is taken for a way up.
            other => {
                out.push('%');
                let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0').to_ascii_uppercase();
                out.extend([digit(other >> 4), digit(other & 15)]);
            }
        }
    }
    out
}

/// An address that was put together of segments: with no other character in it there is nothing to escape.
fn path(text: &str) -> Value {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '~' | '%');
    if text.chars().all(is_plain) { Value::from_safe_string(text.to_owned()) } else { Value::from(text) }
}

/// For programs that read the page; empty where the number is no time.
fn iso(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default()
}

/// `5 min ago`, `in 40 s`.
fn since(then_ms: i64, now_ms: i64) -> String {
    let seconds = now_ms.saturating_sub(then_ms) / 1000;
    let words = match seconds.unsigned_abs() {
        0..2 => return "now".to_owned(),
        seconds @ 2..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => words::count(seconds / 86_400, "day"),
    };
    if seconds > 0 { format!("{words} ago") } else { format!("in {words}") }
}

#[cfg(test)]
mod tests;
