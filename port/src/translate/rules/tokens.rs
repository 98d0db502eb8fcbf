//! Rust text to tokens, for rules that compare token by token. Comments and white space are left out.
//!
//! This is no parser: it knows where literals, names and punctuation begin and end, and refuses what does
//! not end. Items come from a parser, so that a refusal here is rare and costs one rule, not a run.

use std::ops::Range;

/// The longest text that is scanned, in bytes.
pub(crate) const SCAN_BYTES_MAX: usize = 1 << 20;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name or keyword; `true` and `false` too.
    Identifier,
    /// `'a`
    Lifetime,
    /// An integer with its suffix.
    Integer,
    /// A floating-point number with its suffix.
    Float,
    /// A text literal, raw or not.
    Text,
    /// A character literal.
    Character,
    /// A byte, byte text or C text literal.
    Bytes,
    /// Anything else, joined as Rust joins it.
    Punctuation,
}

impl TokenKind {
    /// Whether it is a literal other than `true` and `false`.
    pub(crate) fn is_literal(self) -> bool {
        match self {
            Self::Integer | Self::Float | Self::Text | Self::Character | Self::Bytes => true,
            Self::Identifier | Self::Lifetime | Self::Punctuation => false,
        }
    }
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Its text as written.
    pub(crate) text: String,
    /// Where it stands, in bytes.
    pub(crate) span: Range<usize>,
}

impl Token {
    /// Whether it is this name, keyword or punctuation.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, TokenKind::Identifier | TokenKind::Punctuation) && self.text == text
    }

    /// Whether it is a literal, `true` and `false` included.
    pub(crate) fn is_value(&self) -> bool {
        self.kind.is_literal() || self.is("true") || self.is("false")
    }
}

/// The text could not be scanned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the Rust text cannot be read at byte {at}: {reason}")]
pub(crate) struct ScanError {
    at: usize,
    reason: &'static str,
}

/// The tokens of a Rust text.
pub(crate) fn scan(text: &str) -> Result<Vec<Token>, ScanError> {
    if text.len() > SCAN_BYTES_MAX {
        return Err(ScanError { at: SCAN_BYTES_MAX, reason: "it is too long" });
    }
    let mut scanner = Scanner { text, at: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    while let Some(next) = scanner.peek(0) {
        if next.is_whitespace() {
            scanner.bump();
        } else if scanner.starts_with("//") {
            scanner.skip_while(|c| c != '\n');
        } else if scanner.starts_with("/*") {
            scanner.block_comment()?;
        } else {
            let start = scanner.at;
            let is_field = tokens.last().is_some_and(|token| token.is("."));
            let kind = scanner.token(next, is_field)?;
            let span = start..scanner.at;
            let text = text.get(span.clone()).unwrap_or_default().to_owned();
            tokens.push(Token { kind, text, span });
        }
    }
    Ok(tokens)
}

/// The tokens without the attributes that stand before the item.
pub(crate) fn without_attributes(tokens: &[Token]) -> &[Token] {
    let mut rest = tokens;
    while let [hash, bracket, ..] = rest {
        if !hash.is("#") || !bracket.is("[") {
            break;
        }
        let Some(end) = closing(rest, 1) else { break };
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    rest
}

/// Where the bracket that opens at `open` closes.
pub(crate) fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.kind != TokenKind::Punctuation {
            continue;
        }
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

const JOINED: [&str; 24] = [
    "<<=", ">>=", "...", "..=", "->", "=>", "::", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=",
    "%=", "^=", "&=", "|=", "<<", ">>", "..",
];

struct Scanner<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Scanner<'text> {
    fn rest(&self) -> &'text str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest().chars().nth(ahead)
    }

    fn starts_with(&self, prefix: &str) -> bool {
        self.rest().starts_with(prefix)
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

    fn fail<Value>(&self, reason: &'static str) -> Result<Value, ScanError> {
        Err(ScanError { at: self.at, reason })
    }

    fn block_comment(&mut self) -> Result<(), ScanError> {
        let mut depth = 0_usize;
        loop {
            if self.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else if self.bump().is_none() {
                return self.fail("a comment does not end");
            }
        }
    }

    fn token(&mut self, next: char, is_field: bool) -> Result<TokenKind, ScanError> {
        if let Some(kind) = self.text_literal()? {
            return Ok(kind);
        }
        if next.is_ascii_digit() {
            return Ok(self.number(is_field));
        }
        if self.starts_with("r#") && self.peek(2).is_some_and(is_name_start) {
            self.at += 2;
            self.skip_while(is_name);
            return Ok(TokenKind::Identifier);
        }
        if is_name_start(next) {
            self.skip_while(is_name);
            return Ok(TokenKind::Identifier);
        }
        if next == '\'' {
            return self.quote();
        }
        let joined = JOINED.iter().find(|joined| self.starts_with(joined));
        self.at += joined.map_or(next.len_utf8(), |joined| joined.len());
        Ok(TokenKind::Punctuation)
    }

    /// A literal in double quotes with any prefix, or a byte literal.
    fn text_literal(&mut self) -> Result<Option<TokenKind>, ScanError> {
        let rest = self.rest();
        if rest.starts_with("b'") {
            self.at += 1;
            return self.quote().map(|_character| Some(TokenKind::Bytes));
        }
        let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
            let behind = rest.strip_prefix(prefix).unwrap_or_default();
            let quoted = if prefix.contains('r') { behind.trim_start_matches('#') } else { behind };
            quoted.starts_with('"')
        });
        let Some(prefix) = prefix else { return Ok(None) };
        self.at += prefix.len();
        let kind = if prefix.starts_with(['b', 'c']) { TokenKind::Bytes } else { TokenKind::Text };
        if prefix.contains('r') {
            let hashes = self.rest().chars().take_while(|c| *c == '#').count();
            let end = format!("\"{}", "#".repeat(hashes));
            self.at += hashes + 1;
            let Some(found) = self.rest().find(&end) else { return self.fail("a raw text does not end") };
            self.at += found + end.len();
            return Ok(Some(kind));
        }
        self.bump();
        loop {
            match self.bump() {
                Some('"') => return Ok(Some(kind)),
                Some('\\') => {
                    self.bump();
                }
                Some(_) => {}
                None => return self.fail("a text does not end"),
            }
        }
    }

    /// A character or a lifetime.
    fn quote(&mut self) -> Result<TokenKind, ScanError> {
        let (first, second) = (self.peek(1), self.peek(2));
        self.bump();
        if first != Some('\\') && second != Some('\'') {
            if !first.is_some_and(is_name_start) {
                return self.fail("a quote begins neither a character nor a lifetime");
            }
            self.skip_while(is_name);
            return Ok(TokenKind::Lifetime);
        }
        loop {
            match self.bump() {
                Some('\'') => return Ok(TokenKind::Character),
                Some('\\') => {
                    self.bump();
                }
                Some('\n') | None => return self.fail("a character does not end"),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self, is_field: bool) -> TokenKind {
        if is_field {
            self.skip_while(|c| c.is_ascii_digit());
            return TokenKind::Integer;
        }
        if ["0x", "0o", "0b"].iter().any(|prefix| self.starts_with(prefix)) {
            self.skip_while(is_name);
            return TokenKind::Integer;
        }
        let digit = |c: char| c.is_ascii_digit() || c == '_';
        let mut kind = TokenKind::Integer;
        self.skip_while(digit);
        if self.peek(0) == Some('.') && !self.peek(1).is_some_and(|c| c == '.' || is_name_start(c)) {
            kind = TokenKind::Float;
            self.bump();
            self.skip_while(digit);
        }
        let exponent_at = if matches!(self.peek(1), Some('+' | '-')) { 2 } else { 1 };
        if matches!(self.peek(0), Some('e' | 'E'))
            && self.peek(exponent_at).is_some_and(|c| c.is_ascii_digit())
        {
            kind = TokenKind::Float;
            self.at += exponent_at;
            self.skip_while(digit);
        }
        if self.starts_with("f32") || self.starts_with("f64") {
            kind = TokenKind::Float;
        }
        self.skip_while(is_name);
        kind
    }
}

fn is_name_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        scan(text).unwrap().into_iter().map(|token| token.text).collect()
    }

    fn kind(text: &str) -> TokenKind {
        let tokens = scan(text).unwrap();
        assert_eq!(tokens.len(), 1, "{tokens:?}");
        tokens[0].kind
    }

    #[test]
    fn numbers_are_told_apart_from_ranges_fields_and_methods() {
        assert_eq!(texts("1..2"), ["1", "..", "2"]);
        assert_eq!(texts("1.max(2)"), ["1", ".", "max", "(", "2", ")"]);
        assert_eq!(texts("t.0.1"), ["t", ".", "0", ".", "1"]);
        assert_eq!(texts("1.5e-3f64+1."), ["1.5e-3f64", "+", "1."]);
        for (text, expected) in [
            ("1_000u32", TokenKind::Integer),
            ("0xE0", TokenKind::Integer),
            ("1f32", TokenKind::Float),
            ("2E5", TokenKind::Float),
            ("3.", TokenKind::Float),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn quotes_are_told_apart() {
        assert_eq!(kind("'a'"), TokenKind::Character);
        assert_eq!(kind(r"'\''"), TokenKind::Character);
        assert_eq!(kind(r"'\u{1F600}'"), TokenKind::Character);
        assert_eq!(kind("'static"), TokenKind::Lifetime);
        assert_eq!(kind("b'x'"), TokenKind::Bytes);
        assert_eq!(kind("r##\"a \"# b\"##"), TokenKind::Text);
        assert_eq!(kind(r#""a \" b""#), TokenKind::Text);
        assert_eq!(kind("br\"x\""), TokenKind::Bytes);
        assert_eq!(kind("r#type"), TokenKind::Identifier);
    }

    #[test]
    fn comments_are_left_out_however_they_nest() {
        assert_eq!(texts("a /* x /* y */ \" */ b // c\n d"), ["a", "b", "d"]);
    }

    #[test]
    fn attributes_before_the_item_are_passed_over() {
        let tokens = scan("#[cfg(any(a, b))] #[must_use = \"]\"] fn f() {}").unwrap();
        assert!(without_attributes(&tokens)[0].is("fn"));
    }

    #[test]
    fn what_does_not_end_is_refused() {
        for text in ["\"abc", "r#\"abc\"", "/* abc", "'\\", "'+", "b'"] {
            assert!(scan(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_scanned_or_refused_and_tokens_do_not_overlap(text in ".{0,60}") {
            if let Ok(tokens) = scan(&text) {
                let mut end = 0;
                for token in tokens {
                    prop_assert!(token.span.start >= end && token.span.end > token.span.start);
                    prop_assert_eq!(text.get(token.span.clone()), Some(token.text.as_str()));
                    end = token.span.end;
                }
            }
        }
    }
}
