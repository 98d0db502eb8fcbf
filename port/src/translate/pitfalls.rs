//! Where a Rust operation and its obvious Python counterpart differ: the rows that a prompt may quote.
//!
//! A row goes into a prompt only when one of its triggers occurs as a token of the Rust text, so that a
//! prompt warns of what is there and of nothing else.

use std::collections::BTreeSet;

use super::rules::tokens::{Token, TokenKind, scan};

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pitfall {
    /// The number of the row in the project's catalogue, which the probes and seeded mistakes use too.
    pub number: u8,
    /// The operation.
    pub operation: &'static str,
    /// Tokens that announce it.
    triggers: &'static [&'static str],
    /// What Rust does.
    pub rust: &'static str,
    /// The mistake that is easily made.
    pub naive: &'static str,
}

/// The rows whose triggers occur in any of these Rust texts, in the order of the table.
pub fn triggered<'text>(texts: impl IntoIterator<Item = &'text str>) -> Vec<&'static Pitfall> {
    let seen = tokens_of(texts);
    PITFALLS.iter().filter(|row| row.triggers.iter().any(|trigger| seen.contains(*trigger))).collect()
}

/// The names and signs of these Rust texts, and a sign for an index.
pub(super) fn tokens_of<'text>(texts: impl IntoIterator<Item = &'text str>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for text in texts {
        let tokens = without_comments(text);
        for (at, token) in tokens.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| tokens.get(at));
            match token.kind {
                TokenKind::Punctuation if token.text == "[" && before.is_some_and(ends_expression) => {
                    seen.insert(INDEX.to_owned());
                }
                TokenKind::Identifier | TokenKind::Punctuation => {
                    seen.insert(token.text.clone());
                }
                TokenKind::Lifetime
                | TokenKind::Integer
                | TokenKind::Float
                | TokenKind::Text
                | TokenKind::Character
                | TokenKind::Bytes => {}
            }
        }
    }
    seen
}

/// The tokens of the lines that went or came, or of the whole new text where those cannot be read by themselves.
pub(super) fn tokens_of_change(changed: &[String], whole: &str) -> BTreeSet<String> {
    if changed.iter().any(|lines| scan(lines).is_err()) {
        return tokens_of([whole]);
    }
    tokens_of(changed.iter().map(String::as_str))
}

/// The rows that a change of a text triggers: by the lines that went or came, or by the whole new text where those
/// cannot be read by themselves.
pub fn triggered_by_change(changed: &[String], whole: &str) -> Vec<&'static Pitfall> {
    if changed.iter().any(|lines| scan(lines).is_err()) {
        return triggered([whole]);
    }
    triggered(changed.iter().map(String::as_str))
}

/// What cannot be scanned triggers nothing: a prompt without a warning is still a whole prompt.
fn without_comments(text: &str) -> Vec<Token> {
    scan(text).unwrap_or_default()
}

/// Whether a bracket behind this token is an index, and not a type, an array or an attribute.
fn ends_expression(token: &Token) -> bool {
    let is_keyword = ["mut", "in", "return", "dyn", "match", "if", "else"].iter().any(|word| token.is(word));
    (token.kind == TokenKind::Identifier && !is_keyword) || token.is(")") || token.is("]")
}

/// The trigger of an index, which no token can be.
const INDEX: &str = "x[";

pub(super) const PITFALLS: &[Pitfall] = &[
    Pitfall {
        number: 2,
        operation: "subtraction of unsigned integers",
        triggers: &["-", "-="],
        rust: "an unsigned result below zero panics, or wraps in release builds",
        naive: "Python goes on with a negative number",
    },
    Pitfall {
        number: 3,
        operation: "saturating, checked and wrapping arithmetic",
        triggers: &[
            "saturating_sub",
            "saturating_add",
            "saturating_mul",
            "checked_add",
            "checked_sub",
            "checked_mul",
            "checked_div",
            "wrapping_add",
            "wrapping_sub",
            "wrapping_mul",
            "overflowing_add",
        ],
        rust: "the result stays in the type's range, is None, or wraps at the type's width",
        naive: "a plain operator, which has no range",
    },
    Pitfall {
        number: 4,
        operation: "integer division and remainder",
        triggers: &["/", "%", "/=", "%=", "rem_euclid", "div_euclid"],
        rust: "rounds towards zero, and the remainder has the sign of the left side (-7 / 2 is -3, -7 % 2 is -1)",
        naive: "`//` and `%` round down (-4 and 1); `/` makes a float",
    },
    Pitfall {
        number: 7,
        operation: "floating-point division, roots and powers",
        triggers: &["f64", "f32", "sqrt", "ln", "log", "log10", "log2", "powf", "powi"],
        rust: "gives inf or NaN where there is no number",
        naive: "Python raises ZeroDivisionError or ValueError, or answers with a complex number",
    },
    Pitfall {
        number: 8,
        operation: "conversion with `as`",
        triggers: &["as"],
        rust: "a float is cut towards zero and clamped to the type's range, NaN is 0; an integer keeps its low bits",
        naive: "`int(x)` alone, which knows no range and fails for NaN and inf",
    },
    Pitfall {
        number: 10,
        operation: "bits: not, shifts, counts",
        triggers: &["<<", "leading_zeros", "trailing_zeros", "count_zeros", "rotate_left", "rotate_right"],
        rust: "works within the type's width",
        naive: "Python integers have no width: mask the result",
    },
    Pitfall {
        number: 13,
        operation: "rounding",
        triggers: &["round"],
        rust: "halves go away from zero (2.5 to 3, -2.5 to -3)",
        naive: "`round()` takes halves to the even number (2.5 to 2)",
    },
    Pitfall {
        number: 14,
        operation: "numbers as text",
        triggers: &["format", "write", "writeln", "println", "print", "to_string", "Display"],
        rust: "`{}` of 1.0_f64 is `1`, never with an exponent; NaN, inf; true and false in lower case",
        naive: "`str()`: `1.0`, `1e+21`, `nan`, `True`",
    },
    Pitfall {
        number: 17,
        operation: "text to number",
        triggers: &["parse", "from_str", "from_str_radix"],
        rust: "accepts a sign and ASCII digits; no blanks, no underscores, no other digits",
        naive: "`int()` and `float()` also take blanks, underscores and other scripts' digits",
    },
    Pitfall {
        number: 19,
        operation: "length of a text",
        triggers: &["len"],
        rust: "`str::len` counts UTF-8 bytes; `chars().count()` counts characters",
        naive: "`len()` of a `str` counts characters",
    },
    Pitfall {
        number: 20,
        operation: "slices and indices",
        triggers: &[INDEX, "split_at", "get_unchecked"],
        rust: "out of bounds, or inside a character of a text, panics; text offsets are bytes",
        naive: "Python clamps slices and takes negative indices from the end",
    },
    Pitfall {
        number: 21,
        operation: "offsets into a text",
        triggers: &["char_indices", "find", "rfind", "match_indices", "split_at", "is_char_boundary"],
        rust: "byte offsets, and None where nothing is found",
        naive: "character offsets, and -1 from `str.find`, which is a valid index",
    },
    Pitfall {
        number: 23,
        operation: "trimming blanks",
        triggers: &["trim", "trim_start", "trim_end", "split_whitespace", "is_whitespace"],
        rust: "Unicode White_Space: U+0085 counts, U+001C to U+001F do not",
        naive: "`strip()` and `split()` take U+001C to U+001F too",
    },
    Pitfall {
        number: 24,
        operation: "lines",
        triggers: &["lines"],
        rust: "ends lines at \\n and \\r\\n alone",
        naive: "`splitlines()` splits at \\r, \\x0b, \\x0c, \\u2028 and more",
    },
    Pitfall {
        number: 25,
        operation: "splitting",
        triggers: &["split", "splitn", "rsplit", "rsplitn", "split_terminator", "split_once"],
        rust: "`splitn(n)` makes at most n parts; an empty separator gives empty ends; `rsplit` goes backwards",
        naive: "`maxsplit=n` makes n + 1 parts; an empty separator raises; `rsplit` is not reversed",
    },
    Pitfall {
        number: 26,
        operation: "prefixes and suffixes",
        triggers: &["strip_prefix", "strip_suffix", "trim_start_matches", "trim_end_matches", "trim_matches"],
        rust: "`strip_prefix` takes a whole text off once or gives None; `trim_start_matches` repeats it",
        naive: "`lstrip` takes a set of characters; `removeprefix` does not say whether it did",
    },
    Pitfall {
        number: 28,
        operation: "classes of characters",
        triggers: &["is_numeric", "is_alphabetic", "is_alphanumeric", "is_ascii_digit", "is_digit"],
        rust: "`is_numeric` covers ½ and Ⅷ; the ASCII forms cover ASCII alone",
        naive: "`isdigit`, `isnumeric` and `isalpha` draw other lines",
    },
    Pitfall {
        number: 32,
        operation: "ties of maximum and minimum",
        triggers: &["max_by_key", "max_by", "max"],
        rust: "of equal ones, `max_by_key` gives the last and `min_by_key` the first",
        naive: "`max()` gives the first",
    },
    Pitfall {
        number: 34,
        operation: "order of maps and sets",
        triggers: &["BTreeMap", "BTreeSet", "HashMap", "HashSet"],
        rust: "BTreeMap and BTreeSet go in the order of keys; HashMap has none",
        naive: "`dict` keeps the order of insertion",
    },
    Pitfall {
        number: 36,
        operation: "options",
        triggers: &["Option", "Some", "None", "unwrap_or", "unwrap_or_else", "unwrap_or_default", "is_some"],
        rust: "Some(0), Some(\"\") and Some(false) are not None",
        naive: "`x or default` and `if x:` take 0, \"\" and False for None",
    },
    Pitfall {
        number: 40,
        operation: "iterators",
        triggers: &["take_while", "zip", "dedup", "peekable", "skip_while", "by_ref"],
        rust: "`take_while` consumes the first element that fails; `dedup` removes neighbours alone",
        naive: "a set for `dedup`; a generator read twice is empty the second time",
    },
    Pitfall {
        number: 41,
        operation: "ranges",
        triggers: &["..", "..=", "step_by", "rev"],
        rust: "`..=` includes its end; a range that runs backwards is empty",
        naive: "an end that is off by one",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<u8> {
        triggered([text]).iter().map(|row| row.number).collect()
    }

    #[test]
    fn only_rows_whose_tokens_occur_are_quoted() {
        assert_eq!(numbers("fn f(a: i32) -> i32 { a + 1 }"), Vec::<u8>::new());
        assert_eq!(numbers("fn f(a: i32) -> i32 { a % 3 }"), [4]);
        assert_eq!(numbers("fn f(x: &str) -> usize { x.trim().len() }"), [19, 23]);
    }

    #[test]
    fn comments_and_text_literals_trigger_nothing() {
        assert_eq!(
            numbers("/// a % b\nfn f() -> &'static str { \"len % trim\" } // round"),
            Vec::<u8>::new()
        );
    }

    #[test]
    fn rows_are_in_order_and_numbered_once() {
        assert!(PITFALLS.windows(2).all(|pair| pair[0].number < pair[1].number));
        assert!(PITFALLS.iter().all(|row| !row.triggers.is_empty()));
    }
}
