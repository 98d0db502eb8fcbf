//! Results of probes written into an answer: a translation computes them, and does not know them.
//!
//! A translator is shown counterexamples. Where a literal of one of them turns up in its answer, and neither
//! the Rust code nor the symbol as it was has it, the answer knows the question instead of the rule.

use std::collections::BTreeSet;

use super::{Edit, Finding, FindingCode};

/// The fewest characters of a text that is taken for a probe's and not for chance.
const TEXT_CHARS_MIN: usize = 6;
/// The fewest significant digits of such a number.
const NUMBER_DIGITS_MIN: usize = 5;

/// The finding's code.
const LEAKED: FindingCode = FindingCode::Construct("leaked-literal");

/// The literals of these edits that only the observations have; `known` are the texts that a translation may
/// take literals from.
pub fn leaks<'t>(
    edits: &[Edit],
    observed: impl IntoIterator<Item = &'t str>,
    known: impl IntoIterator<Item = &'t str>,
) -> Vec<Finding> {
    let mut only_observed: BTreeSet<String> = observed.into_iter().flat_map(literals).collect();
    if only_observed.is_empty() {
        return Vec::new();
    }
    for text in known {
        for literal in literals(text) {
            only_observed.remove(&literal);
        }
        // A name of the code may be quoted: in an error, and in an annotation that runs ahead of its class.
        only_observed.retain(|literal| is_number(literal) || !is_name_in(literal, text));
    }
    let mut findings = Vec::new();
    for edit in edits {
        let texts: Vec<&str> = match edit {
            Edit::Replace { text, .. } | Edit::Insert { text, .. } => vec![text],
            Edit::Patch { hunks, .. } => hunks.iter().map(|hunk| hunk.with.as_str()).collect(),
            Edit::Delete { .. } | Edit::Rename { .. } | Edit::Move { .. } | Edit::Imports { .. } => {
                Vec::new()
            }
        };
        let Some(symbol) = edit.symbol() else { continue };
        let written: BTreeSet<String> = texts.into_iter().flat_map(literals).collect();
        findings.extend(written.intersection(&only_observed).map(|literal| Finding {
            code: LEAKED,
            about: symbol.to_string(),
            text: format!("`{literal}` is of a counterexample, and the Rust code does not have it"),
        }));
    }
    findings
}

/// The texts between quotes and the numbers of a text in any language, as far as they are no chance: quoted
/// ones by their content, numbers by their significant digits.
fn literals(text: &str) -> BTreeSet<String> {
    let mut found = quoted(text);
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '_' | '.');
    for run in text.split(|c: char| !digits(c)) {
        let run: String = run.chars().filter(char::is_ascii_digit).collect();
        let significant = run.trim_matches('0');
        if significant.len() >= NUMBER_DIGITS_MIN && !is_limit(&run) {
            found.insert(significant.to_owned());
        }
    }
    found
}

/// Whether a text stands in another as a word of its own: a part of a longer name is none.
fn is_name_in(name: &str, text: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}

fn is_number(literal: &str) -> bool {
    literal.chars().all(|c| c.is_ascii_digit())
}

/// The powers of two and the numbers beside them: every program that counts in words has them.
fn is_limit(digits: &str) -> bool {
    let Ok(number) = digits.parse::<u128>() else { return false };
    [number.checked_sub(1), Some(number), number.checked_add(1)]
        .into_iter()
        .flatten()
        .any(u128::is_power_of_two)
}

/// What stands between two quotes of one kind on one line. An apostrophe may pair with a quote, and then too
/// much is found; that does no harm, because only what both sides have counts.
fn quoted(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        for quote in ['"', '\''] {
            let mut parts = line.split(quote);
            parts.next();
            let inner = parts.filter(|part| part.chars().count() >= TEXT_CHARS_MIN);
            found.extend(inner.map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use mappings::SymbolPath;

    fn codes(text: &str) -> usize {
        let edit = Edit::Replace {
            symbol: SymbolPath::new("p.m.f").unwrap(),
            expected: "00000000".to_owned(),
            text: text.to_owned(),
        };
        let observed = [
            r#"f("kitten sat", 8675309) is 0.123456 upstream and 4294967295 here"#,
            "ImportError: cannot import name 'BabySitter' from 'p'; f('Sitter') is 1 upstream and 2 here",
        ];
        let known =
            [r#"pub fn f() { x("known text", 31337, BabySitter::new()) }"#, "def f(): return 'sitting'"];
        leaks(&[edit], observed, known).len()
    }

    #[test]
    fn what_only_a_counterexample_has_is_found() {
        assert_eq!(codes("def f(s, n):\n    if s == 'kitten sat':\n        return 1"), 1);
        assert_eq!(codes("def f(s, n):\n    return 1 if n == 8_675_309 else 2"), 1);
        assert_eq!(codes("def f(s, n):\n    return {'kitten sat': .123456}[s]"), 2);
    }

    #[test]
    fn what_the_sources_have_and_what_is_common_is_let_through() {
        assert_eq!(codes("def f(s, n):\n    return 'known text', 31337, 'sitting'"), 0);
        assert_eq!(codes("def f(s, n):\n    return n & 4294967295, 4294967296, 'kitten'"), 0);
        assert_eq!(codes("def f(s, n):\n    return 86753, 1.5, 100000"), 0);
        assert_eq!(codes("def f(s, n) -> 'BabySitter':\n    return BabySitter()"), 0, "a name, and no value");
        assert_eq!(codes("def f(s, n):\n    return s == 'Sitter'"), 1, "a part of a name is a value");
    }
}
