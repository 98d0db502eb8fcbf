//! Small changes of values: what near-equal arguments and variations of examples are made of.

use super::generate::Generator;
use super::shape::Shape;
use super::value::Value;

impl Generator {
    /// A small change of a value: what near-equal arguments and variations of examples are made of.
    pub fn changed(&mut self, value: &Value, shape: &Shape) -> Value {
        match (value, shape) {
            (Value::Text(text), Shape::Text) => {
                let mut chars: Vec<char> = text.chars().collect();
                let other = self.random_char(false);
                self.edit(&mut chars, other, |char| change_case(*char));
                Value::Text(chars.into_iter().collect())
            }
            (Value::Bytes(bytes), Shape::Bytes) => {
                let mut bytes = bytes.clone();
                let other = self.random_byte();
                self.edit(&mut bytes, other, |byte| byte ^ 0x20);
                Value::Bytes(bytes)
            }
            (Value::List(values), Shape::List(element)) => {
                let mut values = values.clone();
                let other = self.random_at(element, 1);
                self.edit(&mut values, other.clone(), move |_| other.clone());
                Value::List(values)
            }
            (Value::Int(digits), Shape::Int { .. }) => {
                let (low, high) = shape.int_range().unwrap_or_default();
                let number: i128 = digits.parse().unwrap_or_default();
                let step = i128::from(self.below(3)) + 1;
                let moved =
                    if self.one_in(2) { number.saturating_add(step) } else { number.saturating_sub(step) };
                Value::int(if self.one_in(6) { number.saturating_neg() } else { moved }.clamp(low, high))
            }
            (Value::Some(inner), Shape::Option(shape)) if !self.one_in(5) => {
                Value::Some(Box::new(self.changed(inner, shape)))
            }
            (Value::Tuple(values), Shape::Tuple(shapes)) => Value::Tuple(self.one_changed(values, shapes)),
            (Value::Made { maker, arguments }, Shape::Made(ways)) if !arguments.is_empty() => {
                let way = ways.iter().find(|way| way.maker.to_string() == *maker);
                let shapes = way.map(|way| way.parts.as_slice()).unwrap_or_default();
                Value::Made { maker: maker.clone(), arguments: self.one_changed(arguments, shapes) }
            }
            (_, _) => self.random(shape),
        }
    }

    /// The values with a small change of one of them.
    fn one_changed(&mut self, values: &[Value], shapes: &[Shape]) -> Vec<Value> {
        let at = usize::try_from(self.below(values.len() as u64)).unwrap_or_default();
        let parts = values.iter().zip(shapes).enumerate();
        let changed = parts.map(
            |(here, (value, shape))| {
                if here == at { self.changed(value, shape) } else { value.clone() }
            },
        );
        changed.collect()
    }

    /// One or two edits: insert, drop, replace, duplicate, transpose, rotate, change case, lengthen both ends.
    fn edit<Thing: Clone>(
        &mut self,
        things: &mut Vec<Thing>,
        other: Thing,
        change: impl Fn(&Thing) -> Thing,
    ) {
        for _ in 0..=self.below(2) {
            let at = usize::try_from(self.below(things.len() as u64 + 1)).unwrap_or_default();
            let here = things.get(at).cloned();
            match (self.below(8), here) {
                (0, _) | (_, None) => things.insert(at, other.clone()),
                (1, Some(_)) => drop(things.remove(at)),
                (2, Some(_)) => drop(std::mem::replace(&mut things[at], other.clone())),
                (3, Some(thing)) => things.insert(at, thing),
                (4, Some(_)) if at + 1 < things.len() => things.swap(at, at + 1),
                (5, Some(_)) => things.rotate_left(at),
                (6, Some(thing)) => things[at] = change(&thing),
                (_, Some(_)) => things.truncate(at),
            }
        }
    }

    /// Arguments for a call. Later arguments are often near an earlier one of the same shape: equal texts,
    /// edits of each other, long common prefixes. Where a call takes several texts, they are often short ones of the
    /// same few characters: what compares or aligns them turns on which comes where, and how often.
    pub fn arguments(&mut self, shapes: &[Shape]) -> Vec<Value> {
        let mut arguments: Vec<Value> = Vec::new();
        self.choose_few();
        let are_several = shapes.iter().filter(|shape| **shape == Shape::Text).count() > 1;
        let is_tight = are_several && self.one_in(2);
        for (at, shape) in shapes.iter().enumerate() {
            let earlier = shapes.iter().take(at).position(|earlier| earlier == shape);
            let near = earlier.and_then(|earlier| arguments.get(earlier).cloned());
            let argument = match (near, self.below(5)) {
                (Some(near), 0) => near,
                (_, _) if is_tight && *shape == Shape::Text => Value::Text(self.tight_text()),
                (Some(near), 1 | 2) => self.changed(&near, shape),
                (Some(_) | None, _) => self.random(shape),
            };
            arguments.push(argument);
        }
        arguments
    }
}

fn change_case(char: char) -> char {
    let mut changed =
        if char.is_uppercase() { char.to_lowercase().next() } else { char.to_uppercase().next() };
    changed.take().unwrap_or(char)
}
