//! Draws sequences of calls: a value, then methods in a random order, then a look at everything that can be seen.
//!
//! Main function: [`drawn`]. Arguments repeat within a sequence, so that what is put in is asked for again.

use std::collections::BTreeMap;

use super::generate::Generator;
use super::landmarks::Landmarks;
use super::shape::{Shape, Way};
use super::value::Value;

/// How many calls are drawn for one sequence at most, the looks at its end left out.
pub(super) const CALLS_MAX: u64 = 12;
/// How many different values of one shape the calls of a sequence are made of.
const PALETTE: u64 = 3;
/// Most numbers are below this: larger ones overflow before anything else can be seen.
const SMALL: u64 = 6;

/// A method that may be drawn.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// How it is named, and what it takes.
    pub way: Way,
    /// Whether it may change the value.
    pub is_mutating: bool,
    /// Whether it asks for nothing and changes nothing: it is called at the end of every sequence.
    pub is_observer: bool,
}

/// What sequences are drawn from.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    /// What makes the value.
    pub shapes: &'a [Shape],
    /// The methods.
    pub choices: &'a [Choice],
    /// Literals in their code.
    pub landmarks: &'a Landmarks,
}

/// So many sequences by this seed, the short ones first: the arguments of the value, then the list of calls.
pub(super) fn drawn(drawing: &Drawing<'_>, seed: &[&str], count: usize) -> Vec<Vec<Value>> {
    let mut generator = Generator::new(seed.iter().copied(), drawing.landmarks);
    let mutating: Vec<_> = drawing.choices.iter().filter(|choice| choice.is_mutating).collect();
    let all: Vec<_> = drawing.choices.iter().collect();
    let mut sequences: Vec<Vec<Value>> = Vec::new();
    for at in 0..count {
        let mut palette = Palette { generator: &mut generator, values: BTreeMap::new() };
        let mut sequence: Vec<_> = drawing.shapes.iter().map(|shape| palette.value(shape)).collect();
        let longest = (2 + at as u64 / 4).min(CALLS_MAX);
        let mut calls = Vec::new();
        for _ in 0..=palette.generator.below(longest) {
            let from = if palette.generator.one_in(3) { &all } else { &mutating };
            let at = usize::try_from(palette.generator.below(from.len() as u64)).unwrap_or_default();
            let Some(choice) = from.get(at) else { break };
            calls.push(call(choice, &mut palette));
        }
        let observers: Vec<_> = drawing.choices.iter().filter(|choice| choice.is_observer).collect();
        calls.extend(observers.into_iter().map(|choice| call(choice, &mut palette)));
        sequence.push(Value::List(calls));
        if !sequences.contains(&sequence) {
            sequences.push(sequence);
        }
    }
    sequences
}

fn call(choice: &Choice, palette: &mut Palette<'_>) -> Value {
    let arguments = choice.way.parts.iter().map(|part| palette.value(part)).collect();
    Value::Made { maker: choice.way.maker.to_string(), arguments }
}

/// The few values that one sequence is made of.
struct Palette<'g> {
    generator: &'g mut Generator,
    values: BTreeMap<Shape, Vec<Value>>,
}

impl Palette<'_> {
    fn value(&mut self, shape: &Shape) -> Value {
        let at = self.generator.below(PALETTE);
        let known = self.values.get(shape).and_then(|values| values.get(usize::try_from(at).ok()?));
        if let Some(value) = known {
            return value.clone();
        }
        let is_small = matches!(shape, Shape::Int { .. }) && !self.generator.one_in(4);
        let value = if is_small {
            Value::int(i128::from(self.generator.below(SMALL)))
        } else {
            self.generator.random(shape)
        };
        self.values.entry(shape.clone()).or_default().push(value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::Maker;
    use super::*;

    fn choice(name: &str, parts: Vec<Shape>, is_mutating: bool) -> Choice {
        let is_observer = !is_mutating && parts.is_empty();
        let maker = Maker::Constructor(format!("k::T::{name}").parse().unwrap());
        Choice { way: Way { maker, parts }, is_mutating, is_observer }
    }

    #[test]
    fn sequences_are_short_first_repeat_their_values_and_end_with_every_look() {
        let byte = || Shape::Int { bits: 8, signed: false, is_size: false };
        let choices =
            [choice("push", vec![byte()], true), choice("pop", vec![], true), choice("len", vec![], false)];
        let landmarks = Landmarks::default();
        let drawing = Drawing { shapes: &[byte()], choices: &choices, landmarks: &landmarks };
        let all = drawn(&drawing, &["seed"], 80);
        assert_eq!(all, drawn(&drawing, &["seed"], 80));
        assert_ne!(all, drawn(&drawing, &["other"], 80));
        assert!(all.len() > 60, "{}", all.len());
        let mut repeats = 0;
        for sequence in &all {
            let [Value::Int(_), Value::List(calls)] = sequence.as_slice() else { panic!("{sequence:?}") };
            assert!(calls.len() >= 2 && calls.len() as u64 <= CALLS_MAX + 1, "{calls:?}");
            let Some(Value::Made { maker, .. }) = calls.last() else { panic!("{calls:?}") };
            assert_eq!(maker, "k::T::len");
            let pushed: Vec<_> = calls.iter().filter(|call| format!("{call:?}").contains("push")).collect();
            repeats += usize::from(pushed.windows(2).any(|pair| pair[0] == pair[1]));
        }
        assert!(repeats > 5, "{repeats}");
        assert!(matches!(&all[0][1], Value::List(calls) if calls.len() <= 3));
    }
}
