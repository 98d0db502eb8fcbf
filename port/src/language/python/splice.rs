//! Putting symbols into Python files and taking them out, by span.
//!
//! Blank lines follow the usual convention: two between definitions of a module, one between those of a
//! class, none between constants. Comments are nobody's and stay where they are.

use mappings::{SymbolKind, SymbolPath};

use super::Python;
use super::indent::{dedent, indent, leading_white};
use super::source::{Source, children, statements};
use super::symbols::{Found, line_after, line_before, read_located};
use crate::edit::InsertPlace;
use crate::language::{Language, Place, SpliceError};

/// Puts a new text in the place of a symbol.
pub(super) fn replace(
    python: &Python,
    place: Place<'_>,
    symbol: &SymbolPath,
    body: &str,
) -> Result<String, SpliceError> {
    let found = find_alone(python, place, symbol)?;
    let body = indent(&checked(body)?, &found.indent);
    let span = found.located.span;
    Ok(joined(place.text, (span.start, span.end), &with_eol(&body, place.text)))
}

/// Puts a new symbol into a file.
pub(super) fn insert(
    python: &Python,
    place: Place<'_>,
    at: &InsertPlace,
    body: &str,
) -> Result<String, SpliceError> {
    let body = checked(body)?;
    let anchor = match at {
        InsertPlace::After(symbol) => after_symbol(python, place, symbol, &body)?,
        InsertPlace::InClass(class) => end_of_class(python, place, class)?,
        InsertPlace::InFile(_) => end_of_file(place)?,
    };
    Ok(anchor.put(place.text, &body))
}

/// Takes a symbol out, with its lines.
pub(super) fn delete(python: &Python, place: Place<'_>, symbol: &SymbolPath) -> Result<String, SpliceError> {
    let found = find_alone(python, place, symbol)?;
    let span = found.located.span;
    if found.only_statement && !found.indent.is_empty() {
        // A block must hold something.
        return Ok(joined(place.text, (span.start, span.end), "pass"));
    }
    let text = place.text;
    let start = span.start - line_before(text, span.start).len();
    let end = next_line(text, span.end);
    let (head, blank_before) = without_blank_end(text.get(..start).unwrap_or_default());
    let (tail, blank_after) = without_blank_start(text.get(end..).unwrap_or_default());
    let blank = if head.is_empty() || tail.is_empty() { 0 } else { blank_before.max(blank_after) };
    Ok(format!("{head}{}{tail}", eol(text).repeat(blank)))
}

/// The line ending of a file.
pub(super) fn eol(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Where a text goes in, and how it stands off from what is around it.
pub(super) struct Anchor {
    /// The end of the line behind which it goes; 0 for the beginning of the file.
    pub(super) at: usize,
    /// The indentation of its lines.
    pub(super) level: String,
    /// Blank lines in front of it.
    pub(super) gap_before: usize,
    /// Blank lines behind it, at least, where something of its own level follows.
    pub(super) gap_after: usize,
}

impl Anchor {
    /// Puts a text at the left margin in.
    pub(super) fn put(&self, text: &str, body: &str) -> String {
        let eol = eol(text);
        let (head, _) = without_blank_end(text.get(..self.at).unwrap_or_default());
        let (tail, blank_behind) = without_blank_start(text.get(self.at..).unwrap_or_default());
        let body = with_eol(&format!("{}{}", self.level, indent(body, &self.level)), text);
        let before = if head.is_empty() { String::new() } else { eol.repeat(self.gap_before) };
        let same_level = leading_white(tail).len() >= self.level.len();
        let behind = if tail.is_empty() {
            0
        } else if same_level {
            blank_behind.max(self.gap_after)
        } else {
            blank_behind
        };
        let missing_end = if head.is_empty() || head.ends_with('\n') { "" } else { eol };
        format!("{head}{missing_end}{before}{body}{eol}{}{tail}", eol.repeat(behind))
    }
}

fn after_symbol(
    python: &Python,
    place: Place<'_>,
    symbol: &SymbolPath,
    body: &str,
) -> Result<Anchor, SpliceError> {
    let found = find_alone(python, place, symbol)?;
    let constants = found.located.symbol.kind == SymbolKind::Constant && is_constant(body);
    let gap = gap_of(&found.indent);
    Ok(Anchor {
        at: behind_own_comments(place.text, found.located.span.end, &found.indent),
        gap_before: if constants { 0 } else { gap },
        gap_after: if is_constant(body) { 0 } else { gap },
        level: found.indent,
    })
}

fn end_of_class(python: &Python, place: Place<'_>, class: &SymbolPath) -> Result<Anchor, SpliceError> {
    let found = find_alone(python, place, class)?;
    if found.located.symbol.kind != SymbolKind::Class {
        return Err(SpliceError::NotAClass { symbol: class.clone() });
    }
    let level = found.body_indent.ok_or_else(|| SpliceError::SharedLine { symbol: class.clone() })?;
    let at = behind_own_comments(place.text, found.located.span.end, &found.indent);
    Ok(Anchor { at, level, gap_before: 1, gap_after: 1 })
}

/// The end of a file is in front of its `if __name__ == "__main__":`, which must run last.
fn end_of_file(place: Place<'_>) -> Result<Anchor, SpliceError> {
    let source = Source::parse(place.text)
        .map_err(|fault| SpliceError::Unparsed { file: place.file.to_owned(), fault })?;
    let statements = statements(source.root());
    let guard = statements.iter().rposition(|statement| {
        statement.kind() == "if_statement" && source.field(*statement, "condition").contains("__name__")
    });
    let at = match guard {
        Some(guard) if guard + 1 == statements.len() => guard
            .checked_sub(1)
            .and_then(|before| statements.get(before))
            .map_or(0, |before| next_line(place.text, before.end_byte())),
        Some(_) | None => place.text.len(),
    };
    Ok(Anchor { at, level: String::new(), gap_before: 2, gap_after: 2 })
}

fn find_alone(python: &Python, place: Place<'_>, symbol: &SymbolPath) -> Result<Found, SpliceError> {
    let module = python.module_path(place.file);
    let (found, _) = read_located(place.file, place.text, module.as_ref())
        .map_err(|fault| SpliceError::Unparsed { file: place.file.to_owned(), fault })?;
    let found = found
        .into_iter()
        .find(|found| found.located.symbol.path == *symbol)
        .ok_or_else(|| SpliceError::UnknownSymbol { file: place.file.to_owned(), symbol: symbol.clone() })?;
    if found.alone { Ok(found) } else { Err(SpliceError::SharedLine { symbol: symbol.clone() }) }
}

/// The body at the left margin, if it parses.
fn checked(body: &str) -> Result<String, SpliceError> {
    let body = dedent(&body.replace("\r\n", "\n"));
    Source::parse(&body).map_err(|fault| SpliceError::Body { fault })?;
    Ok(body)
}

fn is_constant(body: &str) -> bool {
    let Ok(source) = Source::parse(body) else { return false };
    let first = statements(source.root()).into_iter().next();
    first.is_some_and(|statement| {
        statement.kind() == "expression_statement"
            && children(statement).first().is_some_and(|inner| inner.kind() == "assignment")
    })
}

fn gap_of(level: &str) -> usize {
    if level.is_empty() { 2 } else { 1 }
}

/// The end of a symbol's last line, and of the comment lines below it that are indented deeper than it.
fn behind_own_comments(text: &str, end: usize, level: &str) -> usize {
    let mut at = next_line(text, end);
    loop {
        let line = line_after(text, at);
        let deeper = leading_white(line).len() > level.len();
        if !(deeper && line.trim_start().starts_with('#')) {
            return at;
        }
        at = next_line(text, at);
    }
}

/// The beginning of the line after a position.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    (at + line_after(text, at).len() + 1).min(text.len())
}

/// A text without the blank lines at its end, and how many they were.
fn without_blank_end(text: &str) -> (&str, usize) {
    let mut kept = text;
    let mut blank = 0;
    loop {
        let before = kept.strip_suffix('\n').unwrap_or(kept);
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        if kept.is_empty() || !last_line.trim().is_empty() {
            return (kept, blank);
        }
        blank += 1;
        kept = kept.get(..before.len() - last_line.len()).unwrap_or_default();
    }
}

/// A text without the blank lines at its beginning, and how many they were.
fn without_blank_start(text: &str) -> (&str, usize) {
    let mut kept = text;
    let mut blank = 0;
    loop {
        let line = line_after(kept, 0);
        if kept.is_empty() || !line.trim().is_empty() {
            return (kept, blank);
        }
        blank += 1;
        kept = kept.get(next_line(kept, 0)..).unwrap_or_default();
    }
}

fn with_eol(body: &str, file: &str) -> String {
    if eol(file) == "\r\n" { body.replace('\n', "\r\n") } else { body.to_owned() }
}

fn joined(text: &str, (start, end): (usize, usize), middle: &str) -> String {
    let head = text.get(..start).unwrap_or_default();
    let tail = text.get(end..).unwrap_or_default();
    let last = if tail.is_empty() { eol(text) } else { "" };
    format!("{head}{middle}{tail}{last}")
}
