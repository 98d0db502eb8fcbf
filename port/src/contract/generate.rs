//! Makes values of a shape: boundaries first, then mixtures, then small changes of what is already there.
//!
//! Main type: [`Generator`]. The same seed gives the same values on every machine.

use std::collections::{BTreeMap, BTreeSet};

use upstream::ContentHash;

use super::landmarks::Landmarks;
use super::shape::{Shape, Way};
use super::texts::TEXT_CHARS_MAX;
use super::trigger_values::{CHARS, FLOATS, TEXTS};
use super::value::Value;

/// How deep random values nest.
const DEPTH_MAX: u32 = 4;
/// The longest random list.
const LIST_ITEMS_MAX: u64 = 8;

/// The most texts that are made of an item's own literals.
const OWN_TEXTS_MAX: usize = 320;
/// A run of one character that is long enough to overflow what adds bytes up, in characters.
const LONG_RUN_CHARS: usize = 100;

/// Makes values by a seed.
#[derive(Debug, Clone)]
pub struct Generator {
    state: u64,
    pub(super) landmarks: Landmarks,
    /// Characters of the landmarks, and those beside them.
    pub(super) chars: Vec<char>,
    /// The few of them that the texts of one call are mostly made of, so that these resemble each other.
    pub(super) few: Vec<char>,
    /// Boundaries that were worked out before.
    known: BTreeMap<Shape, Vec<Value>>,
}

impl Generator {
    /// A generator for one purpose (`parts`), with literals around which behaviour may turn.
    pub fn new<Part: AsRef<[u8]>>(parts: impl IntoIterator<Item = Part>, landmarks: &Landmarks) -> Self {
        let digits: String = ContentHash::of_parts(parts).to_string().chars().take(16).collect();
        let mut chars = landmarks.around();
        chars.extend(landmarks.chars());
        let mut seen = BTreeSet::new();
        chars.retain(|char| seen.insert(*char));
        Self {
            state: u64::from_str_radix(&digits, 16).unwrap_or_default(),
            landmarks: landmarks.clone(),
            chars,
            few: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    /// The next number (`SplitMix64`).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least one.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(super) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<Thing: Clone>(&mut self, things: &[Thing]) -> Option<Thing> {
        let at = usize::try_from(self.below(things.len() as u64)).unwrap_or_default();
        things.get(at).cloned()
    }

    /// The values of a shape at which behaviour is known to turn.
    pub fn boundaries(&self, shape: &Shape) -> Vec<Value> {
        match shape {
            Shape::Unit => vec![Value::Unit],
            Shape::Bool => vec![Value::Bool(false), Value::Bool(true)],
            Shape::Char => distinct(CHARS.iter().chain(&self.chars).copied().map(Value::Char)),
            Shape::Text => {
                let own = self.own_texts();
                distinct(TEXTS.iter().copied().map(Value::text).chain(own.into_iter().map(Value::Text)))
            }
            Shape::Bytes => {
                let mut all: Vec<_> =
                    [0, 1, 0x7f, 0x80, 0xff].iter().map(|byte| Value::Bytes(vec![*byte])).collect();
                all.insert(0, Value::Bytes(Vec::new()));
                all.extend(
                    TEXTS
                        .iter()
                        .filter(|text| text.len() > 1)
                        .map(|text| Value::Bytes(text.as_bytes().to_vec())),
                );
                all.push(Value::Bytes(vec![0xc3, 0x28]));
                all.extend(self.own_texts().into_iter().map(|text| Value::Bytes(text.into_bytes())));
                distinct(all)
            }
            Shape::Int { .. } => self.int_boundaries(shape).into_iter().map(Value::int).collect(),
            Shape::Float { bits: 32 } => FLOATS.iter().map(|number| narrow(*number)).collect(),
            Shape::Float { .. } => FLOATS.iter().copied().map(Value::float).collect(),
            Shape::Option(inner) => {
                let some = self.boundaries(inner).into_iter().map(|value| Value::Some(Box::new(value)));
                std::iter::once(Value::Nothing).chain(some).collect()
            }
            Shape::Result(ok, err) => {
                let ok = self.boundaries(ok).into_iter().map(|value| Value::Ok(Box::new(value)));
                ok.chain(self.boundaries(err).into_iter().take(3).map(|value| Value::Err(Box::new(value))))
                    .collect()
            }
            Shape::List(element) => {
                let elements = self.boundaries(element);
                let mut all = vec![Value::List(Vec::new())];
                all.extend(elements.iter().take(12).map(|value| Value::List(vec![value.clone()])));
                all.extend(elements.windows(2).take(6).map(|pair| Value::List(pair.to_vec())));
                all.extend(elements.iter().take(4).map(|value| Value::List(vec![value.clone(); 3])));
                all.push(Value::List(elements.iter().take(12).cloned().collect()));
                all.push(Value::List(elements.iter().take(12).rev().cloned().collect()));
                all
            }
            Shape::Set(element) => {
                let elements = self.boundaries(element);
                let first = |count: usize| Value::Set(elements.iter().take(count).cloned().collect());
                vec![first(0), first(1), first(2), first(5)]
            }
            Shape::Map(key, value) => {
                let entries: Vec<_> = self
                    .boundaries(key)
                    .into_iter()
                    .zip(self.boundaries(value).into_iter().cycle())
                    .collect();
                let first = |count: usize| Value::Map(entries.iter().take(count).cloned().collect());
                vec![first(0), first(1), first(2), first(5)]
            }
            Shape::Array(element, length) => {
                let elements = self.boundaries(element);
                let same = |value: &Value| Value::List(vec![value.clone(); *length]);
                let mut all: Vec<_> = elements.iter().take(12).map(same).collect();
                all.extend(
                    elements
                        .windows((*length).max(1))
                        .take(12)
                        .filter(|window| window.len() == *length)
                        .map(|window| Value::List(window.to_vec())),
                );
                all
            }
            Shape::Tuple(parts) => self.boundaries_of_all(parts).into_iter().map(Value::Tuple).collect(),
            Shape::Made(ways) => {
                let made = ways.iter().flat_map(|way| {
                    let all = self.boundaries_of_all(&way.parts);
                    all.into_iter().map(|arguments| made(way, arguments))
                });
                made.collect()
            }
        }
    }

    /// The boundaries of some values side by side, each of them at least once; of no values there is one.
    fn boundaries_of_all(&self, parts: &[Shape]) -> Vec<Vec<Value>> {
        let parts: Vec<_> = parts.iter().map(|part| self.boundaries(part)).collect();
        let longest = parts.iter().map(Vec::len).max().unwrap_or(1);
        let nth = |at: usize| {
            parts.iter().filter_map(|part| part.get(at % part.len().max(1)).cloned()).collect::<Vec<_>>()
        };
        (0..longest).map(nth).collect()
    }

    /// Texts of the landmarks: as they stand, and their characters alone, doubled and among others.
    fn own_texts(&self) -> Vec<String> {
        let texts = self.landmarks.texts.iter().cloned();
        let around = self.chars.iter().flat_map(|char| {
            [char.to_string(), format!("{char}{char}"), format!("a{char}b"), format!("0{char}")]
        });
        // What is summed, counted or kept in a table overflows only over long runs.
        let own = self.landmarks.chars();
        let long = own.iter().map(|char| char.to_string().repeat(LONG_RUN_CHARS));
        texts.chain(long).chain(around).take(OWN_TEXTS_MAX).collect()
    }

    fn some_boundary(&mut self, shape: &Shape) -> Option<Value> {
        if !self.known.contains_key(shape) {
            self.known.insert(shape.clone(), self.boundaries(shape));
        }
        let count = self.known.get(shape).map(Vec::len).unwrap_or_default();
        let at = usize::try_from(self.below(count as u64)).unwrap_or_default();
        self.known.get(shape)?.get(at).cloned()
    }

    fn int_boundaries(&self, shape: &Shape) -> Vec<i128> {
        let Some((low, high)) = shape.int_range() else { return Vec::new() };
        let is_size = matches!(shape, Shape::Int { is_size: true, .. });
        let mut all: Vec<i128> = vec![0, 1, -1, 2, 3, -2, 7, -7, 10, 16, 100, 127, 128, 255, 256, 1000];
        for landmark in &self.landmarks.numbers {
            all.extend([landmark.saturating_sub(1), *landmark, landmark.saturating_add(1)]);
        }
        all.extend(self.chars.iter().map(|char| i128::from(u32::from(*char))));
        if is_size {
            // In between lie sizes that either side would try to allocate.
            all.retain(|number| *number <= 100_000);
            all.push(high);
        } else {
            let powers = [15, 16, 31, 32, 53, 63, 64].map(|power| 1_i128 << power);
            all.extend(powers.iter().flat_map(|power| [*power - 1, *power, *power + 1, -*power]));
            all.extend([low, low.saturating_add(1), high - 1, high]);
        }
        let mut seen = Vec::new();
        for number in all {
            if low <= number && number <= high && !seen.contains(&number) {
                seen.push(number);
            }
        }
        seen
    }

    /// Some value of a shape.
    pub fn random(&mut self, shape: &Shape) -> Value {
        self.random_at(shape, 0)
    }

    pub(super) fn random_at(&mut self, shape: &Shape, depth: u32) -> Value {
        let is_leaf = matches!(
            shape,
            Shape::Int { .. } | Shape::Float { .. } | Shape::Char | Shape::Bool | Shape::Unit
        );
        if self.one_in(if is_leaf { 2 } else { 4 })
            && let Some(value) = self.some_boundary(shape)
        {
            return value;
        }
        let length = if depth >= DEPTH_MAX { 0 } else { self.below(LIST_ITEMS_MAX) };
        match shape {
            Shape::Unit => Value::Unit,
            Shape::Bool => Value::Bool(self.one_in(2)),
            Shape::Char => Value::Char(self.random_char(false)),
            Shape::Text => Value::Text(self.random_text()),
            Shape::Bytes if !self.chars.is_empty() && self.one_in(3) => {
                Value::Bytes(self.text_of_landmarks().into_bytes())
            }
            Shape::Bytes => {
                Value::Bytes((0..self.below(TEXT_CHARS_MAX)).map(|_| self.random_byte()).collect())
            }
            Shape::Int { .. } => Value::int(self.random_int(shape)),
            Shape::Float { bits } => {
                let number = self.random_float();
                if *bits == 32 { narrow(number) } else { Value::float(number) }
            }
            Shape::Option(_) if self.one_in(4) => Value::Nothing,
            Shape::Option(inner) => Value::Some(Box::new(self.random_at(inner, depth + 1))),
            Shape::Result(_, err) if self.one_in(4) => Value::Err(Box::new(self.random_at(err, depth + 1))),
            Shape::Result(ok, _) => Value::Ok(Box::new(self.random_at(ok, depth + 1))),
            Shape::List(element) => self.random_list(element, length, depth),
            Shape::Array(element, length) => self.random_list(element, *length as u64, depth),
            Shape::Set(element) => {
                let mut values: Vec<_> = (0..length).map(|_| self.random_at(element, depth + 1)).collect();
                values.sort();
                values.dedup();
                Value::Set(values)
            }
            Shape::Map(key, value) => {
                let mut entries: Vec<_> = (0..length)
                    .map(|_| (self.random_at(key, depth + 1), self.random_at(value, depth + 1)))
                    .collect();
                entries.sort();
                entries.dedup_by(|one, other| one.0 == other.0);
                Value::Map(entries)
            }
            Shape::Tuple(parts) => {
                Value::Tuple(parts.iter().map(|part| self.random_at(part, depth + 1)).collect())
            }
            Shape::Made(ways) => match self.pick(ways) {
                Some(way) => {
                    let arguments = way.parts.iter().map(|part| self.random_at(part, depth + 1)).collect();
                    made(&way, arguments)
                }
                None => Value::Unit,
            },
        }
    }

    /// Elements repeat, so that equal ones, ties and runs occur.
    fn random_list(&mut self, element: &Shape, length: u64, depth: u32) -> Value {
        let mut values: Vec<Value> = Vec::new();
        for _ in 0..length {
            let repeated = if self.one_in(3) { self.pick(&values) } else { None };
            let value = repeated.unwrap_or_else(|| self.random_at(element, depth + 1));
            values.push(value);
        }
        Value::List(values)
    }

    fn random_int(&mut self, shape: &Shape) -> i128 {
        let Some((low, high)) = shape.int_range() else { return 0 };
        let is_size = matches!(shape, Shape::Int { is_size: true, .. });
        let small = i128::from(self.below(200)) - 100;
        let number = match self.below(3) {
            0 if !is_size => i128::from(self.next()).wrapping_mul(if self.one_in(2) { 1 } else { -1 }),
            1 => small / 10,
            _ => small,
        };
        if low <= number && number <= high {
            return number;
        }
        let width = high.checked_sub(low).and_then(|width| width.checked_add(1)).unwrap_or(i128::MAX);
        if is_size { number.abs() } else { low + number.rem_euclid(width) }
    }

    fn random_float(&mut self) -> f64 {
        let small = i32::try_from(self.below(4001)).unwrap_or_default() - 2000;
        match self.below(4) {
            0 => f64::from_bits(self.next()),
            1 => f64::from(small),
            2 => f64::from(small) / 8.0,
            _ => f64::from(small) / 1000.0,
        }
    }

    pub(super) fn random_byte(&mut self) -> u8 {
        let own = self.chars.clone();
        if self.one_in(3)
            && let Some(byte) = self.pick(&own).and_then(|char| u8::try_from(u32::from(char)).ok())
        {
            return byte;
        }
        let byte = self.below(256).to_le_bytes()[0];
        if self.one_in(2) { byte } else { b'a' + byte % 4 }
    }
}

/// What a way makes of these arguments.
pub(super) fn made(way: &Way, arguments: Vec<Value>) -> Value {
    Value::Made { maker: way.maker.to_string(), arguments }
}

/// The values, each once.
fn distinct(values: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    values.into_iter().filter(|value| seen.insert(value.clone())).collect()
}

/// A 32-bit float.
fn narrow(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to the nearest 32-bit float is what is meant"
    )]
    let number = number as f32;
    Value::Float32(number.to_bits())
}

#[cfg(test)]
mod tests {
    use upstream::ItemPath;

    use super::*;
    use crate::contract::shape::Maker;

    fn int(bits: u32, signed: bool) -> Shape {
        Shape::Int { bits, signed, is_size: false }
    }

    fn shapes() -> Vec<Shape> {
        let text = || Box::new(Shape::Text);
        vec![
            Shape::Unit,
            Shape::Bool,
            Shape::Char,
            Shape::Text,
            Shape::Bytes,
            int(8, true),
            int(8, false),
            int(64, false),
            int(128, true),
            int(128, false),
            Shape::Int { bits: 64, signed: false, is_size: true },
            Shape::Float { bits: 32 },
            Shape::Float { bits: 64 },
            Shape::Option(text()),
            Shape::Result(text(), Box::new(Shape::Unit)),
            Shape::List(Box::new(int(32, true))),
            Shape::Array(Box::new(Shape::Char), 3),
            Shape::Tuple(vec![Shape::Text, int(16, true)]),
            Shape::Map(text(), Box::new(Shape::List(text()))),
            Shape::Set(Box::new(Shape::Char)),
            Shape::Made(vec![
                Way {
                    maker: Maker::Type(ItemPath::new("a::T").unwrap()),
                    parts: vec![Shape::Text, Shape::Bool],
                },
                Way { maker: Maker::Type(ItemPath::new("a::U").unwrap()), parts: Vec::new() },
            ]),
        ]
    }

    #[test]
    fn every_value_fits_its_shape() {
        for shape in shapes() {
            let mut generator = Generator::new(
                ["seed"],
                &Landmarks { numbers: vec![255, -4, i128::MAX], texts: vec!["*".into(), "v1".into()] },
            );
            let boundaries = generator.boundaries(&shape);
            assert!(!boundaries.is_empty(), "{shape:?}");
            for value in boundaries {
                assert!(shape.admits(&value), "{shape:?} {value:?}");
                let changed = generator.changed(&value, &shape);
                assert!(shape.admits(&changed), "{shape:?} {changed:?}");
            }
            for _ in 0..500 {
                let value = generator.random(&shape);
                assert!(shape.admits(&value), "{shape:?} {value:?}");
            }
        }
    }

    #[test]
    fn the_seed_alone_decides() {
        let make = |seed: &str| {
            let mut generator = Generator::new([seed], &Landmarks::default());
            (0..50).map(|_| generator.arguments(&[Shape::Text, Shape::Text])).collect::<Vec<_>>()
        };
        assert_eq!(make("one"), make("one"));
        assert_ne!(make("one"), make("two"));
    }

    #[test]
    fn numbers_in_the_code_are_approached_from_both_sides() {
        let generator = Generator::new(["seed"], &Landmarks::of(["37"]));
        let boundaries = generator.boundaries(&int(32, true));
        for number in [36, 37, 38] {
            assert!(boundaries.contains(&Value::int(number)), "{number}");
        }
    }
}
