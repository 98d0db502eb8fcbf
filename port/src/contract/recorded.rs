//! Calls that the upstream's own tests were seen to make, fitted to what a function takes.
//!
//! Main type: [`Recorded`]. An argument was written down by its `Debug` text; what cannot be read back as a value of
//! its parameter is no probe.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use upstream::ItemPath;

use super::debug_text::read;
use super::probeable::{FunctionPlan, ReceiverPlan};
use super::shape::{Maker, Shape, Way};
use super::value::Value;

/// The most different calls that are fitted of one function.
const FITTED_MAX: usize = 128;
/// How many ways to make a value a recorded call of a method is tried with.
const RECEIVERS_MAX: usize = 8;

/// The calls of a revision's own tests: for each function the texts of its arguments, a receiver's first; `None` where
/// a type has no `Debug`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// By function, each call once, in the order of their texts.
    pub calls: BTreeMap<ItemPath, BTreeSet<Vec<Option<String>>>>,
    /// What could not be run or read, and why; empty where nothing is missing.
    pub notes: Vec<String>,
}

impl Recorded {
    /// How many calls there are.
    pub fn count(&self) -> usize {
        self.calls.values().map(BTreeSet::len).sum()
    }

    /// The arguments of recorded calls of this function that fit its parameters, each once.
    pub(super) fn fitting(&self, function: &FunctionPlan) -> Vec<Vec<Value>> {
        let Some(calls) = self.calls.get(&function.item) else { return Vec::new() };
        let mut found = BTreeSet::new();
        match &function.receiver {
            ReceiverPlan::None | ReceiverPlan::Argument | ReceiverPlan::Made => {
                found.extend(calls.iter().filter_map(|given| all_fit(given, &function.shapes)));
            }
            ReceiverPlan::Constructed { constructor, arguments, others: 0 } => {
                let (makes, takes) = function.shapes.split_at_checked(*arguments).unwrap_or_default();
                let made = self.receivers(constructor.as_ref(), makes);
                let own = calls.iter().filter_map(|given| all_fit(given.get(1..)?, takes));
                // Which of the values it was called on, nobody wrote down: each call gets one of them.
                for (at, own) in own.collect::<BTreeSet<_>>().into_iter().enumerate() {
                    if let Some(made) = made.get(at % made.len().max(1)) {
                        found.insert([made.clone(), own].concat());
                    }
                }
            }
            ReceiverPlan::Constructed { .. } => {}
        }
        found.into_iter().take(FITTED_MAX).collect()
    }

    /// What constructors were given.
    fn receivers(&self, constructor: Option<&ItemPath>, shapes: &[Shape]) -> Vec<Vec<Value>> {
        let Some(constructor) = constructor else { return vec![Vec::new()] };
        let calls = self.calls.get(constructor).into_iter().flatten();
        calls.filter_map(|given| all_fit(given, shapes)).take(RECEIVERS_MAX).collect()
    }
}

fn all_fit(given: &[Option<String>], shapes: &[Shape]) -> Option<Vec<Value>> {
    if given.len() != shapes.len() {
        return None;
    }
    given.iter().zip(shapes).map(|(text, shape)| fit(read(text.as_deref()?), shape)).collect()
}

/// A value that was read from a text, as the parameter's type has it.
fn fit(value: Value, shape: &Shape) -> Option<Value> {
    let all = |values: Vec<Value>, shape: &Shape| -> Option<Vec<Value>> {
        values.into_iter().map(|value| fit(value, shape)).collect()
    };
    let fitted = match (value, shape) {
        (Value::List(values), Shape::Bytes) => {
            let byte = |value: Value| {
                let Value::Int(digits) = value else { return None };
                digits.parse::<u8>().ok()
            };
            Value::Bytes(values.into_iter().map(byte).collect::<Option<_>>()?)
        }
        (Value::Int(digits), Shape::Float { bits: 32 }) => {
            Value::Float32(digits.parse::<f32>().ok()?.to_bits())
        }
        (Value::Int(digits), Shape::Float { .. }) => Value::float(digits.parse().ok()?),
        (Value::Float(bits), Shape::Float { bits: 32 }) => narrow(bits),
        (Value::Some(inner), Shape::Option(shape)) => Value::Some(Box::new(fit(*inner, shape)?)),
        (Value::Ok(inner), Shape::Result(shape, _)) => Value::Ok(Box::new(fit(*inner, shape)?)),
        (Value::Err(inner), Shape::Result(_, shape)) => Value::Err(Box::new(fit(*inner, shape)?)),
        (Value::List(values), Shape::List(shape) | Shape::Array(shape, _)) => {
            Value::List(all(values, shape)?)
        }
        // `Chars` and its like tell that they are.
        (Value::Set(values) | Value::List(values), Shape::Set(shape)) => Value::Set(all(values, shape)?),
        (Value::Map(entries), Shape::Map(key, value)) => {
            let entry = |(k, v)| Some((fit(k, key)?, fit(v, value)?));
            Value::Map(entries.into_iter().map(entry).collect::<Option<_>>()?)
        }
        (Value::Tuple(values), Shape::Tuple(shapes)) if values.len() == shapes.len() => {
            let one = |(value, shape)| fit(value, shape);
            Value::Tuple(values.into_iter().zip(shapes).map(one).collect::<Option<_>>()?)
        }
        (Value::Record(record), Shape::Made(ways)) => ways.iter().find_map(|way| made(&record, way))?,
        (value, _) => value,
    };
    shape.admits(&fitted).then_some(fitted)
}

/// A struct of public fields, or a variant without fields, as it is made.
fn made(record: &super::value::Record, way: &Way) -> Option<Value> {
    let arguments = match &way.maker {
        Maker::Variant { name, .. } if record.variant.as_ref() == Some(name) => Vec::new(),
        Maker::Type(of)
            if of.name() == record.class
                && !way.parts.is_empty()
                && record.fields.len() == way.parts.len() =>
        {
            let fields = record.fields.iter().zip(&way.parts);
            fields.map(|((_, value), part)| fit(value.clone(), part)).collect::<Option<_>>()?
        }
        Maker::Variant { .. } | Maker::Type(_) | Maker::Constructor(_) => return None,
    };
    Some(Value::Made { maker: way.maker.to_string(), arguments })
}

/// A float whose text was a 32-bit one.
#[expect(clippy::cast_possible_truncation, reason = "its text was written from a number of 32 bits")]
fn narrow(bits: u64) -> Value {
    let number = f64::from_bits(bits) as f32;
    Value::Float32(number.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(text: &str, shape: &Shape) -> Option<Value> {
        fit(read(text), shape)
    }

    #[test]
    fn texts_become_values_of_their_parameter() {
        let byte = Shape::Int { bits: 8, signed: false, is_size: false };
        assert_eq!(fitted("[1, 255]", &Shape::Bytes), Some(Value::Bytes(vec![1, 255])));
        assert_eq!(fitted("[1, 256]", &Shape::Bytes), None);
        assert_eq!(fitted("300", &byte), None);
        assert_eq!(fitted("\"a\\n\"", &Shape::Text), Some(Value::text("a\n")));
        assert_eq!(fitted("\"a\"", &byte), None);
        assert_eq!(fitted("1.5", &Shape::Float { bits: 32 }), Some(Value::Float32(1.5f32.to_bits())));
        let option = Shape::Option(Box::new(Shape::List(Box::new(Shape::Char))));
        assert_eq!(
            fitted("Some(['a'])", &option),
            Some(Value::Some(Box::new(Value::List(vec![Value::Char('a')]))))
        );
        assert_eq!(fitted("None", &option), Some(Value::Nothing));
        assert_eq!(fitted("Chars(['a'])", &option), None);
        assert_eq!(fitted("<secret>", &Shape::Text), None);
    }

    #[test]
    fn plain_structs_and_variants_are_made_as_probes_make_them() {
        let int = Shape::Int { bits: 32, signed: true, is_size: false };
        let path = |text: &str| ItemPath::new(text).unwrap();
        let by_fields = Way { maker: Maker::Type(path("tiny::Spot")), parts: vec![int.clone(), int] };
        let variant =
            Way { maker: Maker::Variant { of: path("tiny::Way"), name: "Up".to_owned() }, parts: Vec::new() };
        let shape = Shape::Made(vec![by_fields, variant]);
        let spot = fitted("Spot { x: 1, y: -2 }", &shape).unwrap();
        let arguments = vec![Value::int(1), Value::int(-2)];
        assert_eq!(spot, Value::Made { maker: "tiny::Spot".to_owned(), arguments });
        let up = fitted("Up", &shape).unwrap();
        assert_eq!(up, Value::Made { maker: "tiny::Way::Up".to_owned(), arguments: Vec::new() });
        assert_eq!(fitted("Down", &shape), None);
        assert_eq!(fitted("Spot { x: 1 }", &shape), None);
    }
}
