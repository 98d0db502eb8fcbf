//! Values by another principle than [`super::Generator`]'s: everything that is small, over the alphabet that the
//! code itself speaks, then longer mixtures of it.
//!
//! Main type: [`SmallScope`]. It is for measuring what the contract's probes miss, so it must share no list and
//! no habit with them.

use upstream::ContentHash;

use super::shape::Shape;
use super::value::Value;

/// Characters that stand for a kind: letters of both cases, digits, white space, marks, and beyond ASCII.
const KINDS: &str = "abAB01 _-.,\t\né\u{df}\u{130}Σσ\u{1c5}😀²٣\u{2028}\u{1c}";
/// The most characters of the code's own that texts are made of.
const OWN_CHARS_MAX: usize = 40;
/// Texts are enumerated up to this length over the first characters of the alphabet.
const ENUMERATED: [(usize, u64); 4] = [(0, 1), (1, 200), (2, 24), (3, 8)];
/// The longest mixture.
const LENGTH_MAX: u64 = 12;
/// The longest mixture once in a while.
const LONG_MAX: u64 = 300;

/// Makes arguments.
#[derive(Debug)]
pub(super) struct SmallScope {
    state: u64,
    alphabet: Vec<char>,
    words: Vec<String>,
    numbers: Vec<i128>,
    /// How many arguments were made; the first ones are enumerated.
    made: u64,
}

impl SmallScope {
    /// Over the literals of these texts of code.
    pub(super) fn new(seed: &str, code: &[&str]) -> Self {
        let digits: String =
            ContentHash::of_parts([seed, "small scope"]).to_string().chars().take(16).collect();
        let words: Vec<String> = code.iter().flat_map(|text| literals(text)).collect();
        let mut alphabet: Vec<char> = Vec::new();
        for char in words.iter().flat_map(|word| word.chars()).take(400) {
            if !alphabet.contains(&char) && alphabet.len() < OWN_CHARS_MAX {
                alphabet.push(char);
            }
        }
        let numbers = code.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_digit()));
        let numbers: Vec<i128> = numbers.filter_map(|digits| digits.parse().ok()).collect();
        // Code that works on bytes may hold characters as numbers; after those, all of ASCII.
        let codes = numbers.iter().filter_map(|number| u32::try_from(*number).ok());
        let near = codes.flat_map(|code| [code, code.wrapping_add(1), code.wrapping_sub(1)]);
        let near = near.filter(|code| (33..127).contains(code)).filter_map(char::from_u32);
        for char in near.chain(KINDS.chars()).chain(' '..='~').collect::<Vec<_>>() {
            if !alphabet.contains(&char) {
                alphabet.push(char);
            }
        }
        let state = u64::from_str_radix(&digits, 16).unwrap_or(1);
        Self { state, alphabet, words, numbers, made: 0 }
    }

    /// The next number (xorshift64*).
    fn next(&mut self) -> u64 {
        self.state |= 1;
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound.max(1)
    }

    fn pick<Thing: Clone>(&mut self, things: &[Thing]) -> Option<Thing> {
        let at = usize::try_from(self.below(things.len() as u64)).unwrap_or_default();
        things.get(at).cloned()
    }

    /// Arguments for a call: often alike, as what is compared, searched or cut has to be.
    pub(super) fn arguments(&mut self, shapes: &[Shape]) -> Vec<Value> {
        let mut arguments: Vec<Value> = Vec::new();
        let narrow = self.narrow_alphabet();
        for (at, shape) in shapes.iter().enumerate() {
            let alike = shapes.iter().take(at).rposition(|earlier| earlier == shape);
            let alike = alike.and_then(|at| arguments.get(at).cloned());
            let value = match (alike, self.below(6)) {
                (Some(value), 0) => value,
                (Some(Value::Text(text)), 1..=3) => Value::Text(self.edited(&text, &narrow)),
                (Some(Value::Int(digits)), 1) => self.near(&digits, shape),
                (Some(_) | None, _) => self.value(shape, &narrow, 0),
            };
            arguments.push(value);
        }
        self.made += 1;
        arguments
    }

    /// Two to five characters, so that texts repeat themselves and each other.
    fn narrow_alphabet(&mut self) -> Vec<char> {
        let all = self.alphabet.clone();
        let count = 2 + self.below(4);
        (0..count).filter_map(|_| self.pick(&all)).collect()
    }

    fn value(&mut self, shape: &Shape, narrow: &[char], depth: u32) -> Value {
        let length = if depth > 3 { 0 } else { self.below(6) };
        match shape {
            Shape::Unit => Value::Unit,
            Shape::Bool => Value::Bool(self.below(2) == 0),
            Shape::Char => {
                let all = self.alphabet.clone();
                let wide = self.below(3) == 0;
                let char = if wide { self.pick(&all) } else { self.pick(narrow) };
                Value::Char(char.unwrap_or('a'))
            }
            Shape::Text => Value::Text(self.text(narrow)),
            Shape::Bytes => Value::Bytes(self.bytes(narrow)),
            Shape::Int { .. } => self.int(shape),
            Shape::Float { bits } => {
                let number = self.float();
                if *bits == 32 {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "a 32-bit float is what is asked for"
                    )]
                    let number = number as f32;
                    Value::Float32(number.to_bits())
                } else {
                    Value::float(number)
                }
            }
            Shape::Option(inner) => match self.below(4) {
                0 => Value::Nothing,
                _ => Value::Some(Box::new(self.value(inner, narrow, depth + 1))),
            },
            Shape::Result(ok, err) => match self.below(3) {
                0 => Value::Err(Box::new(self.value(err, narrow, depth + 1))),
                _ => Value::Ok(Box::new(self.value(ok, narrow, depth + 1))),
            },
            Shape::List(element) => Value::List(self.list(element, length, narrow, depth)),
            Shape::Array(element, length) => Value::List(self.list(element, *length as u64, narrow, depth)),
            Shape::Set(element) => {
                let mut values = self.list(element, length, narrow, depth);
                values.sort();
                values.dedup();
                Value::Set(values)
            }
            Shape::Map(key, value) => {
                let mut keys = self.list(key, length, narrow, depth);
                keys.sort();
                keys.dedup();
                Value::Map(keys.into_iter().map(|key| (key, self.value(value, narrow, depth + 1))).collect())
            }
            Shape::Tuple(parts) => {
                Value::Tuple(parts.iter().map(|part| self.value(part, narrow, depth + 1)).collect())
            }
            Shape::Made(ways) => match self.pick(ways) {
                Some(way) => Value::Made {
                    maker: way.maker.to_string(),
                    arguments: way.parts.iter().map(|part| self.value(part, narrow, depth + 1)).collect(),
                },
                None => Value::Unit,
            },
        }
    }

    fn list(&mut self, element: &Shape, length: u64, narrow: &[char], depth: u32) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for _ in 0..length {
            let again = if self.below(4) == 0 { self.pick(&values) } else { None };
            let value = again.unwrap_or_else(|| self.value(element, narrow, depth + 1));
            values.push(value);
        }
        values
    }

    fn text(&mut self, narrow: &[char]) -> String {
        if let Some(text) = self.enumerated() {
            return text;
        }
        let length = if self.below(40) == 0 { self.below(LONG_MAX) } else { self.below(LENGTH_MAX) };
        match self.below(5) {
            // A run, for what is added up.
            4 => self
                .pick(narrow)
                .unwrap_or('a')
                .to_string()
                .repeat(usize::try_from(length).unwrap_or_default()),
            // Words of the code among characters.
            0 => {
                let words = self.words.clone();
                let mut text = String::new();
                for _ in 0..=self.below(4) {
                    if self.below(2) == 0 {
                        text.extend(self.pick(narrow));
                    } else {
                        text.push_str(&self.pick(&words).unwrap_or_default());
                    }
                }
                text
            }
            // Anything.
            1 => {
                let all = self.alphabet.clone();
                (0..length).filter_map(|_| self.pick(&all)).collect()
            }
            _ => (0..length).filter_map(|_| self.pick(narrow)).collect(),
        }
    }

    /// The texts of a small length one after the other, while there are any left.
    fn enumerated(&mut self) -> Option<String> {
        let mut number = self.made;
        for (length, letters) in ENUMERATED {
            let letters = letters.min(self.alphabet.len() as u64);
            let count = letters.pow(u32::try_from(length).unwrap_or_default());
            if number < count {
                let mut text = String::new();
                for _ in 0..length {
                    let at = usize::try_from(number % letters).unwrap_or_default();
                    text.extend(self.alphabet.get(at));
                    number /= letters;
                }
                return Some(text);
            }
            number -= count;
        }
        None
    }

    fn bytes(&mut self, narrow: &[char]) -> Vec<u8> {
        if self.below(2) == 0 {
            return self.text(narrow).into_bytes();
        }
        let length = self.below(LENGTH_MAX * 2);
        let few = [0, 1, 0x30, 0x7f, 0x80, 0xfe, 0xff];
        (0..length)
            .map(|_| match self.below(2) {
                0 => self.pick(&few).unwrap_or_default(),
                _ => u8::try_from(self.below(256)).unwrap_or_default(),
            })
            .collect()
    }

    fn int(&mut self, shape: &Shape) -> Value {
        let Some((low, high)) = shape.int_range() else { return Value::int(0) };
        let is_size = matches!(shape, Shape::Int { is_size: true, .. });
        let sign = if low < 0 && self.below(2) == 0 { -1 } else { 1 };
        let numbers = self.numbers.clone();
        let number = match self.below(6) {
            0 | 1 => i128::from(self.below(40)),
            2 => self.pick(&numbers).unwrap_or_default() + i128::from(self.below(5)) - 2,
            3 if !is_size => {
                let bits = u32::try_from(self.below(127)).unwrap_or_default();
                (1_i128 << bits) + i128::from(self.below(5)) - 2
            }
            4 if !is_size => {
                let end = if low < 0 && sign < 0 { low } else { high };
                let step = i128::from(self.below(40));
                return Value::int(if end == high { end - step } else { end + step });
            }
            _ => {
                let bits = if is_size { 12 } else { 1 + self.below(63) };
                i128::from(self.next() >> (64 - bits))
            }
        };
        let number = number.saturating_mul(sign);
        if low <= number && number <= high {
            return Value::int(number);
        }
        let width = high.checked_sub(low).and_then(|width| width.checked_add(1)).unwrap_or(i128::MAX);
        Value::int(if is_size { number.abs() % 4096 } else { low + number.rem_euclid(width) })
    }

    fn near(&mut self, digits: &str, shape: &Shape) -> Value {
        let Some((low, high)) = shape.int_range() else { return Value::int(0) };
        let number: i128 = digits.parse().unwrap_or_default();
        let step = i128::from(self.below(7)) - 3;
        let moved = match self.below(3) {
            0 => number.saturating_neg(),
            1 => number.saturating_mul(step.max(2)),
            _ => number.saturating_add(step),
        };
        Value::int(moved.clamp(low, high))
    }

    fn float(&mut self) -> f64 {
        let small = i32::try_from(self.below(801)).unwrap_or_default() - 400;
        match self.below(5) {
            0 => f64::from(small),
            1 => f64::from(small) / 4.0,
            2 => f64::from(small) / 7.0,
            3 => {
                let exponent = i32::try_from(self.below(600)).unwrap_or_default() - 300;
                f64::from(small) * 10_f64.powi(exponent)
            }
            _ => f64::from_bits(self.next()),
        }
    }

    /// A text with one to three letters put in, taken out, changed or exchanged.
    fn edited(&mut self, text: &str, narrow: &[char]) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(3) {
            let at = usize::try_from(self.below(chars.len() as u64 + 1)).unwrap_or_default();
            let char = self.pick(narrow).unwrap_or('a');
            match self.below(5) {
                0 => chars.insert(at, char),
                1 if at < chars.len() => drop(chars.remove(at)),
                2 if at < chars.len() => chars[at] = char,
                3 if at + 1 < chars.len() => chars.swap(at, at + 1),
                _ => chars.reverse(),
            }
        }
        chars.into_iter().collect()
    }
}

/// What stands between quotes in a text of code, of either language, with its escapes read. What is no literal
/// and is taken for one does no harm: it is only a text to try.
pub(super) fn literals(code: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(quote) = chars.next() {
        if quote != '"' && quote != '\'' {
            continue;
        }
        let mut literal = String::new();
        let mut is_closed = false;
        let mut ahead = chars.clone();
        while let Some(char) = ahead.next() {
            match char {
                '\\' => match ahead.next() {
                    Some('n') => literal.push('\n'),
                    Some('t') => literal.push('\t'),
                    Some('r') => literal.push('\r'),
                    Some('0') => literal.push('\0'),
                    Some(other) => literal.push(other),
                    None => break,
                },
                '\n' => break,
                char if char == quote => {
                    is_closed = true;
                    break;
                }
                char => literal.push(char),
            }
            // An apostrophe begins a lifetime or a word in a comment more often than a long text.
            if quote == '\'' && literal.chars().count() > 12 {
                break;
            }
        }
        if is_closed {
            chars = ahead;
            if !literal.is_empty() && literal.chars().count() <= 40 && !found.contains(&literal) {
                found.push(literal);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_both_languages_are_read() {
        assert_eq!(literals(r#"if c == '\'' { push("a\n") }"#), ["'", "a\n"]);
        assert_eq!(literals("x.startswith(\"v\") or y in ('*', '?')"), ["v", "*", "?"]);
    }

    #[test]
    fn every_value_fits_its_shape_and_small_texts_all_come() {
        let int = |bits, signed, is_size| Shape::Int { bits, signed, is_size };
        let shapes = [
            Shape::Text,
            Shape::Bytes,
            Shape::Char,
            int(8, true, false),
            int(64, false, false),
            int(128, true, false),
            int(64, false, true),
            Shape::Float { bits: 32 },
            Shape::Option(Box::new(Shape::Bool)),
            Shape::List(Box::new(Shape::Tuple(vec![Shape::Text, int(16, false, false)]))),
            Shape::Array(Box::new(Shape::Char), 3),
            Shape::Map(Box::new(Shape::Text), Box::new(Shape::Unit)),
        ];
        let mut scope = SmallScope::new("seed", &["x == '*'"]);
        let mut texts = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let arguments = scope.arguments(&shapes);
            for (value, shape) in arguments.iter().zip(&shapes) {
                assert!(shape.admits(value), "{shape:?} {value:?}");
            }
            texts.extend(arguments.first().cloned());
        }
        for text in ["", "*", "a", "A", "~", "ab", "*a", "***"] {
            assert!(texts.contains(&Value::text(text)), "{text}");
        }
    }
}
