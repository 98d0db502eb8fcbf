//! The value of a literal, read from Rust and written as Python.
//!
//! A value is taken over only where both languages mean the same by it: byte texts, single-precision numbers
//! and integers wider than 128 bits are refused.

use super::Refusal;
use super::tokens::{Token, TokenKind};

/// The value of a literal in either language.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// An integer without its sign.
    Integer(u128),
    /// A double-precision number without its sign.
    Float(f64),
    /// A text; of a Rust character, the text of one character that Python has for it.
    Text(String),
    /// `true` or `false`.
    Truth(bool),
}

/// A Rust literal with its value and what Python would write for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RustLiteral {
    /// Its value.
    pub(crate) value: Value,
    /// The Python text of a number or truth value; texts are written by [`python_text`].
    number: String,
}

impl RustLiteral {
    /// Reads a Rust literal.
    pub(crate) fn of(token: &Token) -> Result<Self, Refusal> {
        let refuse = |why: &str| Refusal::new(format!("`{}` {why}", token.text));
        match token.kind {
            TokenKind::Integer => {
                integer(&token.text).ok_or_else(|| refuse("is no integer that Python writes alike"))
            }
            TokenKind::Float => float(&token.text).ok_or_else(|| refuse("is no double-precision number")),
            TokenKind::Text => text_value(&token.text)
                .map(|text| Self { value: Value::Text(text), number: String::new() })
                .ok_or_else(|| refuse("is no text that can be read")),
            TokenKind::Character => {
                let inner = token.text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
                inner
                    .and_then(unescape)
                    .filter(|text| text.chars().count() == 1)
                    .map(|text| Self { value: Value::Text(text), number: String::new() })
                    .ok_or_else(|| refuse("is no character that can be read"))
            }
            TokenKind::Identifier if token.text == "true" => {
                Ok(Self { value: Value::Truth(true), number: "True".to_owned() })
            }
            TokenKind::Identifier if token.text == "false" => {
                Ok(Self { value: Value::Truth(false), number: "False".to_owned() })
            }
            TokenKind::Bytes => Err(refuse("is a byte literal, which Python has in several forms")),
            TokenKind::Identifier | TokenKind::Lifetime | TokenKind::Punctuation => {
                Err(refuse("is no literal"))
            }
        }
    }

    /// What Python writes for it, texts in this kind of quotes.
    pub(crate) fn python(&self, quote: char) -> String {
        match &self.value {
            Value::Text(text) => python_text(text, quote),
            Value::Integer(_) | Value::Float(_) | Value::Truth(_) => self.number.clone(),
        }
    }
}

const INTEGER_SUFFIXES: [&str; 12] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];

fn integer(text: &str) -> Option<RustLiteral> {
    let digits = INTEGER_SUFFIXES.iter().find_map(|suffix| text.strip_suffix(suffix)).unwrap_or(text);
    let (prefix, radix) = match digits.get(..2) {
        Some("0x") => ("0x", 16),
        Some("0o") => ("0o", 8),
        Some("0b") => ("0b", 2),
        _ => ("", 10),
    };
    let body = digits.strip_prefix(prefix)?;
    let plain = body.replace('_', "");
    let value = u128::from_str_radix(&plain, radix).ok()?;
    let number = if is_python_grouping(body) && !(prefix.is_empty() && leads_with_zero(&plain)) {
        format!("{prefix}{body}")
    } else if prefix.is_empty() {
        value.to_string()
    } else {
        format!("{prefix}{plain}")
    };
    Some(RustLiteral { value: Value::Integer(value), number })
}

fn float(text: &str) -> Option<RustLiteral> {
    if text.ends_with("f32") {
        return None;
    }
    let body = text.strip_suffix("f64").unwrap_or(text);
    let body = body.strip_suffix('_').unwrap_or(body);
    let plain = body.replace('_', "");
    let value: f64 = plain.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let body = if is_python_grouping(body) { body.to_owned() } else { plain };
    let number = match (body.contains(['.', 'e', 'E']), body.ends_with('.')) {
        (false, _) => format!("{body}.0"),
        (true, true) => format!("{body}0"),
        (true, false) => body,
    };
    Some(RustLiteral { value: Value::Float(value), number })
}

/// Python allows one underscore between two digits and nowhere else.
fn is_python_grouping(digits: &str) -> bool {
    let parts: Vec<&str> = digits.split(['.', 'e', 'E', '+', '-']).collect();
    parts.iter().all(|part| !part.starts_with('_') && !part.ends_with('_') && !part.contains("__"))
}

fn leads_with_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

fn text_value(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let hashes = raw.chars().take_while(|c| *c == '#').count();
        let inner = raw.get(hashes + 1..raw.len().checked_sub(hashes + 1)?)?;
        return Some(inner.replace("\r\n", "\n"));
    }
    unescape(literal.strip_prefix('"')?.strip_suffix('"')?)
}

/// A Rust text without its escapes.
fn unescape(inner: &str) -> Option<String> {
    let inner = inner.replace("\r\n", "\n");
    let mut text = String::new();
    let mut rest = inner.as_str();
    while let Some(next) = rest.chars().next() {
        rest = rest.get(next.len_utf8()..)?;
        if next != '\\' {
            text.push(next);
            continue;
        }
        let escape = rest.chars().next()?;
        rest = rest.get(escape.len_utf8()..)?;
        match escape {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            '0' => text.push('\0'),
            '\\' | '\'' | '"' => text.push(escape),
            'x' => {
                text.push(char::from_u32(u32::from_str_radix(rest.get(..2)?, 16).ok()?)?);
                rest = rest.get(2..)?;
            }
            'u' => {
                let (digits, behind) = rest.strip_prefix('{')?.split_once('}')?;
                text.push(char::from_u32(u32::from_str_radix(&digits.replace('_', ""), 16).ok()?)?);
                rest = behind;
            }
            '\n' => rest = rest.trim_start_matches([' ', '\t', '\n', '\r']),
            _ => return None,
        }
    }
    Some(text)
}

/// A Python text literal.
pub(crate) fn python_text(text: &str, quote: char) -> String {
    let mut literal = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c == quote => literal.extend(['\\', c]),
            c if c.is_control() && u32::from(c) < 0x100 => {
                literal.extend(format!("\\x{:02x}", u32::from(c)).chars());
            }
            // Line and paragraph separators would be invisible in the port's source.
            '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                literal.extend(format!("\\u{:04x}", u32::from(c)).chars());
            }
            c => literal.push(c),
        }
    }
    literal.push(quote);
    literal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{python, tokens};
    use super::*;

    fn python_of(rust: &str) -> Option<String> {
        let tokens = tokens::scan(rust).unwrap();
        RustLiteral::of(&tokens[0]).ok().map(|literal| literal.python('"'))
    }

    #[test]
    fn numbers_lose_what_python_does_not_know() {
        for (rust, expected) in [
            ("1_000u32", "1_000"),
            ("1__0", "10"),
            ("007", "7"),
            ("5_usize", "5"),
            ("0xFF_u8", "0xFF"),
            ("0b1010", "0b1010"),
            ("1.", "1.0"),
            ("1f64", "1.0"),
            ("1_000.5_f64", "1_000.5"),
            ("2e5", "2e5"),
            ("true", "True"),
        ] {
            assert_eq!(python_of(rust).as_deref(), Some(expected), "{rust}");
        }
    }

    #[test]
    fn what_means_something_else_in_python_is_refused() {
        for rust in ["1f32", "b'a'", "b\"a\"", "1e400", "'static"] {
            assert_eq!(python_of(rust), None, "{rust}");
        }
    }

    #[test]
    fn texts_are_read_and_written_by_value() {
        assert_eq!(python_of(r#""a\n\"\u{e9}\x41""#).as_deref(), Some(r#""a\n\"éA""#));
        assert_eq!(python_of("\"a \\\n     b\"").as_deref(), Some("\"a b\""));
        assert_eq!(python_of("r#\"\\d\"\"#").as_deref(), Some(r#""\\d\"""#));
        assert_eq!(python_of(r"'\''").as_deref(), Some("\"'\""));
    }

    proptest! {
        #[test]
        fn a_text_written_for_python_is_read_back_as_the_same(text in "\\PC{0,20}|[\\x00-\\xff]{0,20}") {
            for quote in ['"', '\''] {
                let literal = python_text(&text, quote);
                let tokens = python::scan(&literal).unwrap();
                prop_assert_eq!(tokens.len(), 1);
                prop_assert_eq!(&tokens[0].value, &Some(Value::Text(text.clone())));
            }
        }
    }
}
