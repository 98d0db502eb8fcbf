//! `cargo xtask picture`: a true recording of a terminal to a small picture that loads nothing and runs nothing.
//!
//! The recording is what a program wrote to a terminal, as `script` passes it on:
//!
//! ```text
//! script -qec 'stty cols 120 rows 200; target/debug/tidelock demo --fresh /tmp/tidelock-demo' /dev/null > demo.raw
//! cargo xtask picture demo.raw --command 'cargo run -- demo' --part 'This follows..This follows' \
//!     --part '[3/7]..632 probes' --part '[5/7]..⚓' --part '◐..probes agreed' > docs/images/terminal.svg
//! ```
//!
//! A terminal emulator plays it; of what stands on the screen at the end, the chosen parts are drawn as text.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use vt100::{Color, Parser, Screen};

/// How wide the terminal was.
const COLUMNS: u16 = 120;

/// Lines that the emulator keeps; a recording that scrolls beyond them loses its beginning.
const LINES: u16 = 400;

/// The longest recording that is read, in bytes.
const RECORDING_BYTES_MAX: u64 = 8 << 20;

/// A column and a line of the picture, in its own units.
const CELL: (f32, f32) = (7.8, 18.0);

/// The distance from the frame to the text.
const MARGIN: f32 = 16.0;

/// The height of the bar above the text.
const BAR: f32 = 30.0;

/// Lines of the recording, from the first that holds one text to the next that holds another.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    from: String,
    to: String,
}

impl std::str::FromStr for Part {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (from, to) = text.split_once("..").context("write a part as `FROM..TO`")?;
        Ok(Self { from: from.to_owned(), to: to.to_owned() })
    }
}

/// The picture of the chosen parts, below the command that made them.
pub(crate) fn picture(recording: &Path, command: &str, parts: &[Part]) -> Result<String> {
    let bytes = std::fs::metadata(recording).context("there is no such recording")?.len();
    if bytes > RECORDING_BYTES_MAX {
        bail!("the recording is {bytes} bytes long and at most {RECORDING_BYTES_MAX} are read");
    }
    let mut terminal = Parser::new(LINES, COLUMNS, 0);
    terminal.process(&std::fs::read(recording)?);
    let screen = terminal.screen();
    let mut lines = vec![prompt(command)];
    for part in parts {
        lines.extend(chosen(screen, part)?.map(|row| line(screen, row)));
        lines.push(String::new());
    }
    lines.pop();
    Ok(framed(&lines, command))
}

fn chosen(screen: &Screen, part: &Part) -> Result<std::ops::RangeInclusive<u16>> {
    let texts: Vec<String> = screen.rows(0, COLUMNS).collect();
    let find = |what: &str, behind: usize| {
        let at = texts.iter().skip(behind).position(|text| text.contains(what));
        at.map(|at| at + behind).with_context(|| format!("no line of the recording holds `{what}`"))
    };
    let from = find(&part.from, 0)?;
    let to = find(&part.to, from)?;
    Ok(u16::try_from(from)?..=u16::try_from(to)?)
}

fn prompt(command: &str) -> String {
    format!("<tspan class=\"g\">$</tspan> <tspan class=\"b\">{}</tspan>", escaped(command))
}

/// One line as runs of cells that look alike.
fn line(screen: &Screen, row: u16) -> String {
    let mut runs: Vec<(&'static str, String)> = Vec::new();
    for column in 0..COLUMNS {
        let Some(cell) = screen.cell(row, column) else { continue };
        if cell.is_wide_continuation() {
            continue;
        }
        let class = class(cell);
        let text = if cell.has_contents() { cell.contents() } else { " " };
        match runs.last_mut() {
            Some((last, run)) if *last == class => run.push_str(text),
            Some(_) | None => runs.push((class, text.to_owned())),
        }
    }
    if let Some((_, last)) = runs.last_mut() {
        last.truncate(last.trim_end().len());
    }
    let mut out = String::new();
    for (class, text) in runs.into_iter().filter(|(_, text)| !text.is_empty()) {
        let text = escaped(&text);
        if class.is_empty() {
            out.push_str(&text);
        } else {
            out.extend(["<tspan class=\"", class, "\">", &text, "</tspan>"]);
        }
    }
    out
}

fn class(cell: &vt100::Cell) -> &'static str {
    match cell.fgcolor() {
        Color::Idx(1) => "r",
        Color::Idx(2) => "g",
        Color::Idx(3) => "y",
        Color::Default | Color::Idx(_) | Color::Rgb(..) if cell.bold() => "b",
        Color::Default | Color::Idx(_) | Color::Rgb(..) if cell.dim() => "d",
        Color::Default | Color::Idx(_) | Color::Rgb(..) => "",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn framed(lines: &[String], title: &str) -> String {
    let (column, height) = CELL;
    let width = f32::from(COLUMNS) * column + 2.0 * MARGIN;
    let count = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let total = f32::from(count) * height + BAR + MARGIN + 4.0;
    let mut out = String::new();
    let title = escaped(title);
    let _infallible = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {total:.0}\" role=\"img\" \
         aria-label=\"A terminal after {title}\">\n\
         <style>text{{font:13px/1 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;\
         fill:#d5d9e0;white-space:pre}}.b{{fill:#fff;font-weight:700}}.d{{fill:#808896}}.g{{fill:#6cc58a}}\
         .r{{fill:#f0737a}}.y{{fill:#e0b45a}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"#14171c\"/>\n\
         <circle cx=\"20\" cy=\"17\" r=\"5.5\" fill=\"#f0737a\"/><circle cx=\"38\" cy=\"17\" r=\"5.5\" \
         fill=\"#e0b45a\"/><circle cx=\"56\" cy=\"17\" r=\"5.5\" fill=\"#6cc58a\"/>\n"
    );
    for (number, line) in (0_u16..).zip(lines) {
        if line.is_empty() {
            continue;
        }
        let y = BAR + MARGIN + f32::from(number) * height;
        let _infallible =
            writeln!(out, "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">{line}</text>");
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(recording: &[u8], parts: &[&str]) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("recording");
        std::fs::write(&path, recording)?;
        let parts: Vec<Part> = parts.iter().map(|part| part.parse()).collect::<Result<_>>()?;
        picture(&path, "run <it>", &parts)
    }

    #[test]
    fn a_live_line_that_was_cleared_is_not_drawn_and_colours_are() {
        let svg =
            drawn(b"begin\r\n  | working\r\x1b[2Kthe \x1b[32mend\x1b[0m & all\r\n", &["begin..end"]).unwrap();
        assert!(svg.contains(">begin</text>") && !svg.contains("working"));
        assert!(svg.contains("the <tspan class=\"g\">end</tspan> &amp; all"));
        assert!(svg.contains("run &lt;it&gt;") && !svg.contains("<script"));
    }

    #[test]
    fn a_part_that_the_recording_does_not_hold_is_named() {
        let error = drawn(b"begin\r\nend\r\n", &["begin..never"]).unwrap_err();
        assert!(error.to_string().contains("`never`"), "{error}");
    }
}
