//! The literals in code: its behaviour may turn at them, and one beside them.
//!
//! Main type: [`Landmarks`]. They are read from the text of an item and of what it calls: a boundary stands as
//! often in a private helper as in the function that is asked.

use std::collections::{BTreeMap, BTreeSet};

use upstream::{Item, Snapshot};

/// The most numbers that are kept.
const NUMBERS_MAX: usize = 48;
/// The most texts and characters that are kept.
const TEXTS_MAX: usize = 64;
/// The longest text that is kept, in characters.
const TEXT_CHARS_MAX: usize = 40;
/// How many items behind an item are read.
const ITEMS_MAX: usize = 40;

/// Texts at which functions of the standard library turn, by a word of their names.
const TRIGGERS: &[(&str, &[&str])] = &[
    ("digit", &["0", "9", "5", "00"]),
    ("parse", &["0", "9", "-", "+", "."]),
    ("is_numeric", &["0", "²", "ⅷ", "٣"]),
    ("whitespace", &[" ", "\t", "\n", "\u{a0}", "\u{1c}"]),
    ("trim", &[" ", "\t", "\u{85}", "\u{feff}"]),
    ("lines", &["\n", "\r\n", "\r"]),
    ("case", &["a", "B", "ß", "İ", "Σ"]),
    ("alphabetic", &["a", "Z", "é", "ⅷ"]),
    ("alphanumeric", &["a", "Z", "0", "_", "é"]),
];

/// Literals of code, each once, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Landmarks {
    /// Integers.
    pub numbers: Vec<i128>,
    /// Texts, and characters and bytes as texts of one character.
    pub texts: Vec<String>,
}

/// The items of a snapshot by crate and last name. A name may mean several of them, as the methods of a trait and
/// of what implements it do: all are read, for a literal too many does no harm.
#[derive(Debug)]
pub(super) struct ByName<'a>(BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a Item>>>);

impl<'a> ByName<'a> {
    pub(super) fn of_snapshot(snapshot: &'a Snapshot) -> Self {
        let mut names: BTreeMap<&str, BTreeMap<&str, Vec<&Item>>> = BTreeMap::new();
        for item in snapshot.items.values().filter(|item| !item.is_test) {
            names.entry(item.path.krate()).or_default().entry(item.path.name()).or_default().push(item);
        }
        Self(names)
    }

    fn of(&self, krate: &str, name: &str) -> &[&'a Item] {
        self.0.get(krate).and_then(|names| names.get(name)).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Landmarks {
    /// The literals of these texts of Rust code.
    pub fn of<'t>(code: impl IntoIterator<Item = &'t str>) -> Self {
        let mut landmarks = Self::default();
        for text in code {
            landmarks.read(text);
        }
        landmarks
    }

    /// The literals of an item and of what it names in its own crate, directly or through others.
    pub(super) fn behind(item: &Item, named: &ByName<'_>) -> Self {
        let mut order = vec![item];
        let mut seen = BTreeSet::from([&item.path]);
        let mut at = 0;
        while let Some(user) = order.get(at).copied() {
            at += 1;
            for other in user.mentions.iter().flat_map(|name| named.of(item.path.krate(), name)) {
                if order.len() < ITEMS_MAX && seen.insert(&other.path) {
                    order.push(*other);
                }
            }
        }
        Self::of(order.iter().map(|item| item.text.as_str()))
    }

    /// Those of other code too.
    pub(super) fn add(&mut self, other: &Self) {
        let new = |number: &&i128| !self.numbers.contains(*number);
        let numbers: Vec<_> = other.numbers.iter().filter(new).copied().collect();
        self.numbers.extend(numbers.into_iter().take(NUMBERS_MAX.saturating_sub(self.numbers.len())));
        let new = |text: &&String| !self.texts.contains(*text);
        let texts: Vec<_> = other.texts.iter().filter(new).cloned().collect();
        self.texts.extend(texts.into_iter().take(TEXTS_MAX.saturating_sub(self.texts.len())));
    }

    /// The characters that stand alone or in short texts, each once.
    pub(super) fn chars(&self) -> Vec<char> {
        let mut chars = Vec::new();
        for char in self.texts.iter().flat_map(|text| text.chars()) {
            if !chars.contains(&char) && chars.len() < TEXTS_MAX {
                chars.push(char);
            }
        }
        chars
    }

    /// Characters that stand alone, and those before and behind them: ends of ranges among them.
    pub(super) fn around(&self) -> Vec<char> {
        let mut all = Vec::new();
        let singles = self.texts.iter().filter_map(|text| {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        });
        let from_numbers = self
            .numbers
            .iter()
            .filter_map(|number| u8::try_from(*number).ok().filter(u8::is_ascii_graphic).map(char::from));
        for char in singles.chain(from_numbers).take(TEXTS_MAX) {
            let code = u32::from(char);
            let near = [code.wrapping_sub(1), code, code + 1].map(char::from_u32);
            for char in near.into_iter().flatten() {
                if !all.contains(&char) {
                    all.push(char);
                }
            }
        }
        all
    }

    fn read(&mut self, code: &str) {
        for (_, texts) in TRIGGERS.iter().filter(|(word, _)| code.contains(word)) {
            for text in *texts {
                self.add_text((*text).to_owned());
            }
        }
        let mut chars = code.chars().peekable();
        let mut previous = ' ';
        while let Some(char) = chars.next() {
            let is_word = previous.is_alphanumeric() || previous == '_';
            let before = std::mem::replace(&mut previous, char);
            match char {
                '/' if chars.peek() == Some(&'/') => {
                    // What a comment says is no landmark.
                    let _comment = chars.by_ref().take_while(|char| *char != '\n').count();
                }
                '"' => {
                    let is_raw = before == 'r' || before == '#';
                    let text = quoted(&mut chars, '"', is_raw);
                    self.add_text(text);
                }
                '\'' => {
                    // Else it is a lifetime.
                    let mut ahead = chars.clone();
                    let first = ahead.next();
                    let is_char = first == Some('\\') || ahead.next() == Some('\'');
                    if is_char {
                        let text = quoted(&mut chars, '\'', false);
                        self.add_text(text);
                    }
                }
                '0'..='9' if !is_word => {
                    let mut digits = String::from(char);
                    while let Some(next) = chars.next_if(|next| next.is_alphanumeric() || *next == '_') {
                        digits.push(next);
                    }
                    self.add_number(&digits);
                    previous = '0';
                }
                _ => {}
            }
        }
    }

    fn add_text(&mut self, text: String) {
        let fits = !text.is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
        if fits && self.texts.len() < TEXTS_MAX && !self.texts.contains(&text) {
            self.texts.push(text);
        }
    }

    /// A number with its prefix and its type behind it, such as `0x6eed_u64`.
    fn add_number(&mut self, written: &str) {
        let plain = written.replace('_', "").to_ascii_lowercase();
        let (digits, radix) = match plain.get(..2) {
            Some("0x") => (plain.get(2..).unwrap_or_default(), 16),
            Some("0b") => (plain.get(2..).unwrap_or_default(), 2),
            Some("0o") => (plain.get(2..).unwrap_or_default(), 8),
            _ => (plain.as_str(), 10),
        };
        let of_type = |digit: char| !digit.is_digit(radix);
        let digits = digits.split(of_type).next().unwrap_or_default();
        if let Ok(number) = i128::from_str_radix(digits, radix)
            && self.numbers.len() < NUMBERS_MAX
            && !self.numbers.contains(&number)
        {
            self.numbers.push(number);
        }
    }
}

/// What stands up to the closing quote, with its escapes read.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char, is_raw: bool) -> String {
    let mut text = String::new();
    while let Some(char) = chars.next() {
        match char {
            '\\' if !is_raw => match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('0') => text.push('\0'),
                Some('x') => text.extend(code_point(chars.by_ref().take(2))),
                Some('u') => {
                    let digits = chars.by_ref().skip(1).take_while(|char| *char != '}');
                    text.extend(code_point(digits));
                }
                Some(other) => text.push(other),
                None => break,
            },
            char if char == quote => break,
            char => text.push(char),
        }
    }
    text
}

fn code_point(digits: impl Iterator<Item = char>) -> Option<char> {
    u32::from_str_radix(&digits.collect::<String>(), 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_and_comments_and_lifetimes_are_not() {
        let code = r#"
            // 77 'z' "no"
            fn f<'a>(x: &'a str) -> u64 {
                match c { b'a'..=b'f' => 10, '\'' | '\n' | '\u{2028}' | '\x1f' => 0x6eed_u64, _ => v2 }
                "v\"1" ; 1_000i32; 2.5; 0b101
            }"#;
        let landmarks = Landmarks::of([code]);
        assert_eq!(landmarks.texts, ["a", "f", "'", "\n", "\u{2028}", "\u{1f}", "v\"1"]);
        assert_eq!(landmarks.numbers, [10, 0x6eed, 1000, 2, 5]);
        assert_eq!(Landmarks::of(["c.to_digit(10)"]).texts, ["0", "9", "5", "00"]);
        let around = landmarks.around();
        for char in ['`', 'g', 'e', '\u{20}', '\u{1e}', '\u{2029}'] {
            assert!(around.contains(&char), "{char:?}");
        }
    }
}
