//! Texts to words: the parts of names, what names have in common across languages, literals, prose.

use std::collections::HashMap;

/// A word as a number; equal words have equal numbers.
pub(super) type Word = u32;

/// The most bytes of a literal that count; longer ones are told apart by their beginning.
const LITERAL_BYTES_MAX: usize = 80;
/// The most literals that are taken from one text.
const LITERALS_MAX: usize = 400;

/// Every word that was seen.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    // Looked up only, never walked: the order of its entries shows nowhere.
    numbers: HashMap<String, Word>,
}

impl Vocabulary {
    /// The number of a word.
    pub(super) fn number(&mut self, word: &str) -> Word {
        if let Some(known) = self.numbers.get(word) {
            return *known;
        }
        let number = Word::try_from(self.numbers.len()).unwrap_or(Word::MAX);
        self.numbers.insert(word.to_owned(), number);
        number
    }

    /// The numbers of these words, sorted, each once.
    pub(super) fn set<Text: AsRef<str>>(&mut self, words: impl IntoIterator<Item = Text>) -> Vec<Word> {
        let mut numbers: Vec<Word> = words.into_iter().map(|word| self.number(word.as_ref())).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }
}

/// A name without what conventions change: letter case and underscores. Double underscores are kept: they
/// make another name.
pub(super) fn fold(name: &str) -> String {
    if name.len() > 4 && name.starts_with("__") && name.ends_with("__") {
        return name.to_owned();
    }
    name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}

/// The parts of a name: `HTTPServer_run2` is `http`, `server`, `run2`.
pub(super) fn parts(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    for (at, letter) in letters.iter().copied().enumerate() {
        if !letter.is_alphanumeric() {
            if !part.is_empty() {
                parts.push(std::mem::take(&mut part));
            }
            continue;
        }
        let before = at.checked_sub(1).and_then(|before| letters.get(before)).copied().unwrap_or('_');
        let next_is_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase()
            && (before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && next_is_lower));
        if begins && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        part.extend(letter.to_lowercase());
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// The words of a text for people, without the short ones and without a plural's `s`.
pub(super) fn prose_words(prose: &str) -> Vec<String> {
    prose
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .flat_map(parts)
        .filter(|word| word.chars().count() > 2)
        .map(|word| match word.strip_suffix('s') {
            Some(stem) if stem.len() > 3 && !stem.ends_with('s') => stem.to_owned(),
            Some(_) | None => word,
        })
        .collect()
}

/// The names that a text for people mentions: words of several parts, or with `::` or dots in them; folded.
pub(super) fn named_in(prose: &str) -> Vec<String> {
    let is_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':' | '.');
    prose
        .split(|letter: char| !is_path(letter))
        .filter(|word| {
            let inner = word.trim_matches(['.', ':', '_']);
            inner.contains("::") || inner.contains('_') || parts(inner).len() > 1
        })
        .flat_map(|word| word.split(['.', ':']).filter(|name| name.len() > 2).map(fold).collect::<Vec<_>>())
        .collect()
}

/// Lines of a text for people that do not speak of the upstream: what is left when records are masked.
pub(super) fn masked(prose: &str) -> String {
    let speaks = |line: &str| {
        let lower = line.to_lowercase();
        lower.contains("rust") || lower.contains(".rs") || lower.contains("::") || lower.contains("upstream")
    };
    prose.lines().filter(|line| !speaks(line)).collect::<Vec<_>>().join("\n")
}

/// The contents of the strings and the numbers of a Rust text that say something.
pub(super) fn rust_literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut letters = text.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, letter)) = letters.next() {
        if found.len() >= LITERALS_MAX {
            break;
        }
        match letter {
            '/' if text.get(at..).is_some_and(|rest| rest.starts_with("//")) => {
                while letters.next_if(|(_, next)| *next != '\n').is_some() {}
            }
            '"' => {
                let is_raw = before == 'r' || before == '#';
                let mut content = String::new();
                while let Some((_, next)) = letters.next() {
                    match next {
                        '"' => break,
                        '\\' if !is_raw => content.extend(letters.next().map(|(_, escaped)| escaped)),
                        _ => content.push(next),
                    }
                }
                found.push(content);
            }
            '0'..='9' if !before.is_alphanumeric() && before != '_' => {
                let mut number = String::from(letter);
                while let Some((_, next)) =
                    letters.next_if(|(_, next)| next.is_alphanumeric() || matches!(next, '_' | '.'))
                {
                    number.push(next);
                }
                found.push(number);
            }
            _ => {}
        }
        before = letter;
    }
    found
}

/// A literal as it is compared: placeholders, quotes and the suffixes of types left out; `None` where it is
/// too common to say anything.
pub(super) fn literal_word(literal: &str) -> Option<String> {
    let is_number = literal.starts_with(|first: char| first.is_ascii_digit());
    let plain: String = if is_number {
        let number: String = literal.chars().filter(|letter| *letter != '_').collect();
        let end = number.find(['u', 'i']).filter(|_| !number.starts_with("0x")).unwrap_or(number.len());
        number.get(..end).unwrap_or_default().trim_end_matches('.').to_lowercase()
    } else {
        let mut depth = 0_usize;
        literal
            .chars()
            .filter(|letter| {
                match letter {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && letter.is_alphanumeric()
            })
            .flat_map(char::to_lowercase)
            .collect()
    };
    let short: String = plain.chars().take(LITERAL_BYTES_MAX).collect();
    let long_enough = if is_number { short.len() > 1 } else { short.len() > 2 };
    long_enough.then(|| format!("\"{short}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_apart_at_underscores_and_capitals() {
        assert_eq!(parts("HTTPServer_run2"), ["http", "server", "run2"]);
        assert_eq!(parts("__init__"), ["init"]);
        assert_eq!(parts("toUtf8Str"), ["to", "utf8", "str"]);
    }

    #[test]
    fn folding_leaves_special_names_alone() {
        assert_eq!(fold("FromStr_x"), "fromstrx");
        assert_eq!(fold("__init__"), "__init__");
    }

    #[test]
    fn literals_are_found_in_rust_texts() {
        let text =
            "fn f<'a>(x: &'a str) { // \"no\"\n let y = 0xFF_u8; g(r#\"raw\"#, \"a\\\"b {x}\", 1_000) }";
        assert_eq!(rust_literals(text), ["0xFF_u8", "raw", "a\"b {x}", "1_000"]);
        assert_eq!(literal_word("a\"b-cd {x}").as_deref(), Some("\"abcd"));
        assert_eq!(literal_word("1_000usize").as_deref(), Some("\"1000"));
        assert_eq!(literal_word("1"), None);
    }

    #[test]
    fn prose_names_are_those_that_no_sentence_uses() {
        assert_eq!(named_in("Port of `core::Session::run_turn`, a loop."), ["core", "session", "runturn"]);
        assert_eq!(masked("Does it.\nRust owner: `x`"), "Does it.");
    }
}
