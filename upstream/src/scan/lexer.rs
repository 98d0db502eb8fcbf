//! Rust tokens from bytes, as cheaply as they can be had.
//!
//! Main type: [`Tokens`]. It knows just enough of the language that strings, characters, lifetimes and nested
//! comments are never mistaken for each other; each sign is a token of its own (`>>` is two). It accepts any
//! bytes and always moves forward.
//! Source: The Rust Reference, chapters *Comments*, *Tokens* and *Raw identifiers*.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3, memrchr};

/// What a token is, as far as comparing and finding items needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// An identifier or keyword, raw or not.
    Word,
    /// `'a`
    Lifetime,
    /// A number, or a string, byte string, C string, character or byte.
    Literal,
    /// One sign.
    Sign,
}

/// A token with its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Its first byte.
    pub(crate) start: usize,
    /// The byte behind it.
    pub(crate) end: usize,
}

/// The tokens of a range, comments and white space left out.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<'text> {
    text: &'text [u8],
    at: usize,
    end: usize,
}

impl<'text> Tokens<'text> {
    /// The tokens that begin inside a range.
    pub(crate) fn of(text: &'text [u8], range: Range<usize>) -> Self {
        Self { text, at: range.start, end: range.end.min(text.len()) }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.at = after_trivia(self.text, self.at);
        if self.at >= self.end {
            return None;
        }
        let token = token_at(self.text, self.at);
        self.at = token.end;
        Some(token)
    }
}

/// The token that begins here; `at` must be inside the text and not on trivia.
pub(crate) fn token_at(text: &[u8], at: usize) -> Token {
    let first = byte(text, at);
    let (kind, end) = match first {
        b'"' => (TokenKind::Literal, after_string(text, at)),
        b'\'' => quoted(text, at),
        _ if first.is_ascii_digit() => (TokenKind::Literal, after_number(text, at)),
        _ if is_word_start(first) => word_or_prefixed(text, at),
        _ => (TokenKind::Sign, at + 1),
    };
    Token { kind, start: at, end: end.clamp(at + 1, text.len().max(at + 1)) }
}

/// The byte at a place, zero behind the end.
pub(crate) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// Whether a word can begin with this byte; everything beyond ASCII is taken for a letter.
pub(crate) fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit()
}

/// The first byte at or behind a place that is neither white space nor comment.
pub(crate) fn after_trivia(text: &[u8], mut at: usize) -> usize {
    loop {
        match byte(text, at) {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => at += 1,
            b'/' => match byte(text, at + 1) {
                b'/' => at = after_line(text, at),
                b'*' => at = after_block_comment(text, at),
                _ => return at,
            },
            // Marks of text direction and the byte order mark are white space as well.
            0xe2 if matches!(text.get(at..at + 3), Some([_, 0x80, 0x8e | 0x8f | 0xa8 | 0xa9])) => at += 3,
            0xef if text.get(at..at + 3) == Some(&[0xef, 0xbb, 0xbf]) => at += 3,
            _ => return at,
        }
    }
}

/// The end of the line, its break left out.
pub(crate) fn after_line(text: &[u8], at: usize) -> usize {
    memchr(b'\n', text.get(at..).unwrap_or_default()).map_or(text.len(), |length| at + length)
}

/// Behind a block comment, which nests; the end of the text where it does not close.
pub(crate) fn after_block_comment(text: &[u8], at: usize) -> usize {
    let (mut at, mut depth) = (at + 2, 1_usize);
    while at < text.len() {
        match (byte(text, at), byte(text, at + 1)) {
            (b'/', b'*') => {
                depth += 1;
                at += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// Behind a string with escapes that begins here.
fn after_string(text: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        let Some(length) = memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) else {
            return text.len();
        };
        at += length;
        if byte(text, at) == b'"' {
            return at + 1;
        }
        at += 2;
    }
}

/// Behind a raw string whose opening quote stands at `quote`, behind so many `#`.
fn after_raw_string(text: &[u8], quote: usize, hashes: usize) -> usize {
    let mut at = quote + 1;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let Some(length) = memchr(b'"', rest) else { return text.len() };
        at += length + 1;
        let closes = text.get(at..at + hashes).is_some_and(|marks| marks.iter().all(|mark| *mark == b'#'));
        if closes {
            return at + hashes;
        }
    }
    text.len()
}

/// A character or a lifetime.
fn quoted(text: &[u8], at: usize) -> (TokenKind, usize) {
    if byte(text, at + 1) == b'\\' {
        // The escaped byte may itself be a quote.
        let mut end = at + 3;
        while end < text.len() && byte(text, end) != b'\'' && byte(text, end) != b'\n' {
            end += 1;
        }
        return (TokenKind::Literal, end + 1);
    }
    let length = match byte(text, at + 1) {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    };
    if byte(text, at + 1 + length) == b'\'' && byte(text, at + 1) != b'\'' {
        return (TokenKind::Literal, at + length + 2);
    }
    let mut end = at + 1;
    if byte(text, end) == b'r' && byte(text, end + 1) == b'#' {
        end += 2;
    }
    while is_word(byte(text, end)) {
        end += 1;
    }
    (TokenKind::Lifetime, end)
}

fn after_number(text: &[u8], at: usize) -> usize {
    let mut end = at;
    loop {
        let (here, next) = (byte(text, end), byte(text, end + 1));
        let in_number = is_word(here)
            // `1.5` goes on, `1..5` and `1.max(2)` do not.
            || (here == b'.' && next.is_ascii_digit() && !(end > at && byte(text, end - 1) == b'.'))
            || ((here == b'+' || here == b'-')
                && next.is_ascii_digit()
                && matches!(byte(text, end.wrapping_sub(1)), b'e' | b'E')
                && !text.get(at..end).is_some_and(|so_far| so_far.starts_with(b"0x")));
        if !in_number {
            return end;
        }
        end += 1;
    }
}

/// A word, a raw identifier, or a literal with a prefix (`b"…"`, `r#"…"#`, `c"…"`, `b'x'`).
fn word_or_prefixed(text: &[u8], at: usize) -> (TokenKind, usize) {
    let mut end = at + 1;
    while is_word(byte(text, end)) {
        end += 1;
    }
    let word = text.get(at..end).unwrap_or_default();
    match (word, byte(text, end)) {
        (b"b" | b"c", b'"') => (TokenKind::Literal, after_string(text, end)),
        (b"b", b'\'') => (TokenKind::Literal, quoted(text, end).1),
        (b"r" | b"br" | b"cr", b'"' | b'#') => {
            let hashes = text.get(end..).unwrap_or_default().iter().take_while(|byte| **byte == b'#').count();
            if byte(text, end + hashes) == b'"' {
                (TokenKind::Literal, after_raw_string(text, end + hashes, hashes))
            } else if word == b"r" && hashes == 1 && is_word_start(byte(text, end + 1)) {
                let mut raw = end + 1;
                while is_word(byte(text, raw)) {
                    raw += 1;
                }
                (TokenKind::Word, raw)
            } else {
                (TokenKind::Word, end)
            }
        }
        _ => (TokenKind::Word, end),
    }
}

/// What a byte can mean for where an item ends; everything else is passed over at full speed.
const fn weights() -> [u8; 256] {
    let mut table = [PLAIN; 256];
    table[b'(' as usize] = OPENS;
    table[b'[' as usize] = OPENS;
    table[b'{' as usize] = OPENS;
    table[b')' as usize] = CLOSES;
    table[b']' as usize] = CLOSES;
    table[b'}' as usize] = CLOSES;
    table[b'"' as usize] = QUOTE;
    table[b'\'' as usize] = APOSTROPHE;
    table[b'/' as usize] = SLASH;
    table[b';' as usize] = HEADER;
    table[b'<' as usize] = HEADER;
    table[b'>' as usize] = HEADER;
    table[b'=' as usize] = HEADER;
    table
}

const PLAIN: u8 = 0;
/// Tells something in a header, nothing inside a group.
const HEADER: u8 = 1;
const OPENS: u8 = 2;
const CLOSES: u8 = 3;
const QUOTE: u8 = 4;
const APOSTROPHE: u8 = 5;
const SLASH: u8 = 6;
const WEIGHTS: [u8; 256] = weights();

/// The first sign at or behind a place that can end a header: a bracket, `;`, `<`, `>` or `=`. Strings,
/// characters, lifetimes and comments are passed over.
pub(crate) fn next_header_sign(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        at += text.get(at..)?.iter().position(|byte| WEIGHTS[usize::from(*byte)] != PLAIN)?;
        match WEIGHTS[usize::from(byte(text, at))] {
            HEADER | OPENS | CLOSES => return Some(at),
            _ => at = after_passive(text, at),
        }
    }
}

/// The first quote or slash in a range: what begins a string, a character, a lifetime or a comment.
pub(crate) fn next_passive(text: &[u8], range: Range<usize>) -> Option<usize> {
    let start = range.start;
    memchr3(b'/', b'"', b'\'', text.get(range)?).map(|length| start + length)
}

/// How far a lexer may look ahead: as many `#` as a raw string can have (The Rust Reference, *Raw string literals*).
const AHEAD_MAX: usize = 256;

/// The beginning of a line that is the same in two texts whose first `common` bytes are, and that stands in no string
/// and no comment: tokens before it are the same, and a token begins behind it.
pub(crate) fn common_line(text: &[u8], start: usize, common: usize) -> usize {
    let end = start + common.saturating_sub(AHEAD_MAX);
    let (mut at, mut line) = (start, start);
    loop {
        let passive = if at < end { next_passive(text, at..end) } else { None };
        let plain = at..passive.unwrap_or(end);
        if let Some(found) = text.get(plain.clone()).and_then(|plain| memrchr(b'\n', plain)) {
            line = plain.start + found + 1;
        }
        match passive {
            Some(passive) => at = after_passive(text, passive),
            None => return line,
        }
    }
}

/// Behind the string, character, lifetime or comment that a quote or slash begins here.
pub(crate) fn after_passive(text: &[u8], at: usize) -> usize {
    match (byte(text, at), byte(text, at + 1)) {
        (b'"', _) => after_string_of_any_kind(text, at),
        (b'\'', _) => quoted(text, at).1,
        (_, b'/') => after_line(text, at),
        (_, b'*') => after_block_comment(text, at),
        _ => at + 1,
    }
}

/// Behind the group whose opening bracket stands at `at`; `None` where it does not close.
pub(crate) fn after_group(text: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut depth) = (at, 0_usize);
    loop {
        at += text.get(at..)?.iter().position(|byte| WEIGHTS[usize::from(*byte)] > HEADER)?;
        match WEIGHTS[usize::from(byte(text, at))] {
            OPENS => {
                depth += 1;
                at += 1;
            }
            CLOSES => {
                // What begins with a closing bracket is no group.
                depth = depth.checked_sub(1)?;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at = after_passive(text, at),
        }
    }
}

/// Behind the string whose quote stands here; what stands before the quote tells whether it is raw.
fn after_string_of_any_kind(text: &[u8], quote: usize) -> usize {
    let before = text.get(..quote).unwrap_or_default();
    let hashes = before.iter().rev().take_while(|byte| **byte == b'#').count();
    let mut letters = before.iter().rev().skip(hashes);
    let is_raw = letters.next() == Some(&b'r')
        && match letters.next() {
            Some(b'b' | b'c') => !letters.next().is_some_and(|byte| is_word(*byte)),
            other => !other.is_some_and(|byte| is_word(*byte)),
        };
    if is_raw { after_raw_string(text, quote, hashes) } else { after_string(text, quote) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        Tokens::of(source.as_bytes(), 0..source.len())
            .map(|token| source.get(token.start..token.end).unwrap())
            .collect()
    }

    #[test]
    fn characters_lifetimes_and_strings_are_told_apart() {
        assert_eq!(
            texts(r##"'a' 'a '\'' b'"' "x\"y" r#"a"b"# br"\" r#type 'é' c"z" '"'"##),
            [
                "'a'",
                "'a",
                r"'\''",
                "b'\"'",
                r#""x\"y""#,
                r##"r#"a"b"#"##,
                r#"br"\""#,
                "r#type",
                "'é'",
                "c\"z\"",
                "'\"'"
            ]
        );
    }

    #[test]
    fn numbers_end_where_a_range_or_a_method_begins() {
        assert_eq!(
            texts("1..2 1.5 1.max(2) 0xe+1 1e-3f32"),
            ["1", ".", ".", "2", "1.5", "1", ".", "max", "(", "2", ")", "0xe", "+", "1", "1e-3f32"]
        );
    }

    #[test]
    fn what_two_texts_begin_with_ends_at_a_line_outside_of_strings_and_comments() {
        let rest = "x".repeat(AHEAD_MAX);
        for (same, line) in [
            ("a\nb c", 2),
            ("a\n\"b\nc\" d", 2),
            ("a\nr#\"\"b\nc\"#\nd", 12),
            ("a\n// \"\nb", 7),
            ("a\n/* \n */ b", 2),
            ("a 'b' '\"' 'c\nd", 13),
            ("a b", 0),
        ] {
            let text = format!("{same}{rest}");
            assert_eq!(common_line(text.as_bytes(), 0, text.len()), line, "{same:?}");
        }
        assert_eq!(common_line(b"a\nb", 0, 3), 0);
    }

    #[test]
    fn a_group_ends_at_its_own_bracket_whatever_stands_in_strings_and_comments() {
        for group in [
            "{ \"}\" }",
            "{ '}' }",
            "{ r#\"}\"}\"# }",
            "{ // }\n }",
            "{ /* } /* } */ } */ }",
            "{ 'a: loop {} }",
            "{ b\"\\\"}\" br\"\\\" }",
            "{ varr\"}\" }",
        ] {
            let text = format!("{group} tail }}");
            assert_eq!(after_group(text.as_bytes(), 0), Some(group.len()), "{group}");
        }
        assert_eq!(after_group(b"{ { }", 0), None);
        assert_eq!(after_group(b"} {}", 0), None);
    }
}
