//! Python text to tokens, for rules that put one literal, name or statement in the place of another.
//!
//! Comments and the ends of logical lines are tokens too; indentation is not.

use std::ops::Range;

use super::tokens::SCAN_BYTES_MAX;
use super::value::Value;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PythonKind {
    /// A name or keyword.
    Name,
    /// An integer or floating-point number.
    Number,
    /// A text literal of any quotes.
    Text,
    /// A literal whose value is not read: bytes, formatted texts, imaginary numbers.
    Opaque,
    /// `# …`
    Comment,
    /// The end of a logical line.
    LineEnd,
    /// Anything else, one character each.
    Operator,
}

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PythonToken {
    /// What it is.
    pub(crate) kind: PythonKind,
    /// Its text as written.
    pub(crate) text: String,
    /// Where it stands, in bytes.
    pub(crate) span: Range<usize>,
    /// The value of a literal that can be read.
    pub(crate) value: Option<Value>,
}

impl PythonToken {
    /// Whether it is this name, keyword or operator.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, PythonKind::Name | PythonKind::Operator) && self.text == text
    }

    /// The kind of quotes that a text literal is written in.
    pub(crate) fn quote(&self) -> char {
        self.text.chars().find(|c| matches!(c, '"' | '\'')).unwrap_or('"')
    }
}

/// The text could not be scanned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the Python text cannot be read at byte {at}: {reason}")]
pub(crate) struct PythonScanError {
    at: usize,
    reason: &'static str,
}

/// The tokens of a Python text.
pub(crate) fn scan(text: &str) -> Result<Vec<PythonToken>, PythonScanError> {
    if text.len() > SCAN_BYTES_MAX {
        return Err(PythonScanError { at: SCAN_BYTES_MAX, reason: "it is too long" });
    }
    let mut scanner = Scanner { text, at: 0, depth: 0 };
    let mut tokens = Vec::new();
    while let Some(next) = scanner.peek(0) {
        let start = scanner.at;
        let Some(kind) = scanner.token(next)? else { continue };
        let span = start..scanner.at;
        let text = text.get(span.clone()).unwrap_or_default().to_owned();
        let value = value_of(kind, &text);
        tokens.push(PythonToken { kind, text, span, value });
    }
    Ok(tokens)
}

/// Where the text that documents a function or class stands among its tokens.
pub(crate) fn docstring(tokens: &[PythonToken]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != PythonKind::Operator {
            continue;
        }
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            ":" if depth == 0 => {
                let mut first = at + 1;
                while matches!(
                    tokens.get(first).map(|token| token.kind),
                    Some(PythonKind::LineEnd | PythonKind::Comment)
                ) {
                    first += 1;
                }
                return is_statement(tokens, first).then_some(first);
            }
            _ => {}
        }
    }
    None
}

/// Whether the token at `at` is a text literal that makes a whole statement.
pub(crate) fn is_statement(tokens: &[PythonToken], at: usize) -> bool {
    let ends = |token: Option<&PythonToken>| {
        token.is_none_or(|token| matches!(token.kind, PythonKind::LineEnd | PythonKind::Comment))
    };
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    tokens.get(at).is_some_and(|token| token.kind == PythonKind::Text)
        && ends(before)
        && ends(tokens.get(at + 1))
}

struct Scanner<'text> {
    text: &'text str,
    at: usize,
    depth: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest().chars().nth(ahead)
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.bump();
        }
    }

    /// Passes one token, or nothing that matters.
    fn token(&mut self, next: char) -> Result<Option<PythonKind>, PythonScanError> {
        if next == '\n' {
            self.bump();
            return Ok((self.depth == 0).then_some(PythonKind::LineEnd));
        }
        if next.is_whitespace() {
            self.bump();
            return Ok(None);
        }
        if next == '\\' && matches!(self.peek(1), Some('\n' | '\r')) {
            self.bump();
            self.skip_while(|c| c == '\r');
            self.bump();
            return Ok(None);
        }
        if next == '#' {
            self.skip_while(|c| c != '\n');
            return Ok(Some(PythonKind::Comment));
        }
        if let Some(prefix_length) = self.text_prefix() {
            return self.text(prefix_length).map(Some);
        }
        if next.is_ascii_digit() || (next == '.' && self.peek(1).is_some_and(|c| c.is_ascii_digit())) {
            return Ok(Some(self.number()));
        }
        if next == '_' || next.is_alphabetic() {
            self.skip_while(|c| c == '_' || c.is_alphanumeric());
            return Ok(Some(PythonKind::Name));
        }
        match next {
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.bump();
        Ok(Some(PythonKind::Operator))
    }

    /// How many letters stand before the quotes of a text literal that begins here.
    fn text_prefix(&self) -> Option<usize> {
        let letters: String = self.rest().chars().take_while(char::is_ascii_alphabetic).take(3).collect();
        let known = ["", "r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt"];
        let quoted = self.rest().get(letters.len()..)?.starts_with(['"', '\'']);
        (quoted && known.contains(&letters.to_ascii_lowercase().as_str())).then_some(letters.len())
    }

    fn text(&mut self, prefix_length: usize) -> Result<PythonKind, PythonScanError> {
        let start = self.at;
        let prefix = self.rest().get(..prefix_length).unwrap_or_default().to_ascii_lowercase();
        self.at += prefix_length;
        let quote = self.peek(0).unwrap_or('"');
        let triple = quote.to_string().repeat(3);
        let end = if self.rest().starts_with(&triple) { triple } else { quote.to_string() };
        self.at += end.len();
        loop {
            if self.rest().starts_with(&end) {
                self.at += end.len();
                let opaque = prefix.contains(['b', 'f', 't']);
                return Ok(if opaque { PythonKind::Opaque } else { PythonKind::Text });
            }
            match self.bump() {
                Some('\\') => {
                    self.bump();
                }
                Some('\n') if end.len() == 1 => {
                    return Err(PythonScanError { at: start, reason: "a text does not end on its line" });
                }
                Some(_) => {}
                None => return Err(PythonScanError { at: start, reason: "a text does not end" }),
            }
        }
    }

    fn number(&mut self) -> PythonKind {
        let hexadecimal = self.rest().starts_with("0x") || self.rest().starts_with("0X");
        let start = self.at;
        loop {
            let before = self.text.get(start..self.at).unwrap_or_default();
            let signed = !hexadecimal && before.ends_with(['e', 'E']);
            match self.peek(0) {
                Some(c) if c == '_' || c == '.' || c.is_ascii_alphanumeric() => self.bump(),
                Some('+' | '-') if signed => self.bump(),
                Some(_) | None => break,
            };
        }
        let imaginary = self.text.get(start..self.at).is_some_and(|text| text.ends_with(['j', 'J']));
        if imaginary { PythonKind::Opaque } else { PythonKind::Number }
    }
}

fn value_of(kind: PythonKind, text: &str) -> Option<Value> {
    match kind {
        PythonKind::Name if text == "True" => Some(Value::Truth(true)),
        PythonKind::Name if text == "False" => Some(Value::Truth(false)),
        PythonKind::Number => number_value(&text.replace('_', "").to_ascii_lowercase()),
        PythonKind::Text => text_value(text).map(Value::Text),
        PythonKind::Name
        | PythonKind::Opaque
        | PythonKind::Comment
        | PythonKind::LineEnd
        | PythonKind::Operator => None,
    }
}

fn number_value(digits: &str) -> Option<Value> {
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(body) = digits.strip_prefix(prefix) {
            return u128::from_str_radix(body, radix).ok().map(Value::Integer);
        }
    }
    if digits.contains(['.', 'e']) {
        return digits.parse().ok().map(Value::Float);
    }
    digits.parse().ok().map(Value::Integer)
}

fn text_value(literal: &str) -> Option<String> {
    let at = literal.find(['"', '\''])?;
    let (prefix, quoted) = literal.split_at_checked(at)?;
    let quotes =
        if quoted.len() >= 6 && (quoted.starts_with("\"\"\"") || quoted.starts_with("'''")) { 3 } else { 1 };
    let inner = quoted.get(quotes..quoted.len().checked_sub(quotes)?)?;
    if prefix.contains(['r', 'R']) { Some(inner.to_owned()) } else { unescape(inner) }
}

/// A Python text without its escapes; `None` where it names a character or an escape is broken.
fn unescape(inner: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = inner;
    while let Some(next) = rest.chars().next() {
        rest = rest.get(next.len_utf8()..)?;
        if next != '\\' {
            text.push(next);
            continue;
        }
        let escape = rest.chars().next()?;
        rest = rest.get(escape.len_utf8()..)?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            text.push(char::from_u32(u32::from_str_radix(rest.get(..digits)?, 16).ok()?)?);
            rest = rest.get(digits..)?;
            continue;
        }
        match escape {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'a' => text.push('\u{7}'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'v' => text.push('\u{b}'),
            '\\' | '\'' | '"' => text.push(escape),
            '\n' => {}
            'N' => return None,
            '0'..='7' => {
                let more = rest.chars().take(2).take_while(|c| c.is_digit(8)).count();
                let octal = format!("{escape}{}", rest.get(..more)?);
                text.push(char::from_u32(u32::from_str_radix(&octal, 8).ok()?)?);
                rest = rest.get(more..)?;
            }
            // Python keeps a backslash that escapes nothing.
            other => text.extend(['\\', other]),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<Value> {
        scan(text).unwrap().into_iter().filter_map(|token| token.value).collect()
    }

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    #[test]
    fn literals_have_the_values_that_python_gives_them() {
        assert_eq!(
            values("0xFF 1_000 1e3 .5 5."),
            [
                Value::Integer(255),
                Value::Integer(1000),
                Value::Float(1000.0),
                Value::Float(0.5),
                Value::Float(5.0),
            ]
        );
        assert_eq!(
            values(r#"'a\'b' "\x41\101\q" r'\d' '''x"y''' True"#),
            [text("a'b"), text("AA\\q"), text("\\d"), text("x\"y"), Value::Truth(true),]
        );
    }

    #[test]
    fn formatted_texts_bytes_and_comments_have_no_value() {
        assert_eq!(values("f'{x}' b'a' rb'a' 3j # 'c' 4"), []);
    }

    #[test]
    fn line_ends_inside_brackets_are_no_line_ends() {
        let tokens = scan("f(\n  1,\n)\ng \\\n + 1\n").unwrap();
        assert_eq!(tokens.iter().filter(|token| token.kind == PythonKind::LineEnd).count(), 2);
    }

    #[test]
    fn the_docstring_is_found_and_other_texts_are_not() {
        let at = |text: &str| docstring(&scan(text).unwrap());
        assert!(at("def f(a: int = 1) -> int:\n    \"\"\"Doc.\"\"\"\n    return 'x'\n").is_some());
        assert!(at("def f():\n    # note\n    'doc'\n").is_some());
        assert_eq!(at("def f():\n    return 'x'\n"), None);
        assert_eq!(at("def f():\n    'a' + g()\n"), None);
        assert_eq!(at("X = 'a'\n"), None);
    }

    #[test]
    fn what_does_not_end_is_refused() {
        for text in ["'abc", "\"\"\"abc\"", "'abc\n'"] {
            assert!(scan(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_scanned_or_refused(text in ".{0,60}") {
            if let Ok(tokens) = scan(&text) {
                for token in tokens {
                    prop_assert_eq!(text.get(token.span.clone()), Some(token.text.as_str()));
                }
            }
        }
    }
}
