//! Smaller calls than a given one, to find the smallest on which the sides still differ.

use super::shape::Shape;
use super::value::Value;

/// How many smaller calls are tried in one round.
pub(super) const CANDIDATES_MAX: usize = 48;

/// How many places are tried to be dropped from several arguments at once.
const TOGETHER_PLACES_MAX: usize = 12;

/// Calls with one argument made smaller, smallest first.
pub(super) fn smaller(arguments: &[Value], shapes: &[Shape]) -> Vec<Vec<Value>> {
    let mut all: Vec<Vec<Value>> = Vec::new();
    for (at, (argument, shape)) in arguments.iter().zip(shapes).enumerate() {
        for candidate in smaller_values(argument) {
            if shape.admits(&candidate) && candidate.size() < argument.size() {
                let mut call = arguments.to_vec();
                if let Some(slot) = call.get_mut(at) {
                    *slot = candidate;
                }
                all.push(call);
            }
        }
    }
    all.extend(shortened_together(arguments, shapes));
    all.sort_by_key(|call| size(call));
    all.dedup();
    spread(all)
}

/// Calls with the same place dropped from all texts and lists of one shape: near-equal arguments stay so.
fn shortened_together(arguments: &[Value], shapes: &[Shape]) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for (first, shape) in shapes.iter().enumerate() {
        let alike: Vec<usize> = (0..shapes.len()).filter(|at| shapes.get(*at) == Some(shape)).collect();
        if alike.first() != Some(&first) || alike.len() < 2 {
            continue;
        }
        for place in 0..TOGETHER_PLACES_MAX {
            let dropped = |(at, value): (usize, &Value)| {
                if alike.contains(&at) { without(value, place) } else { Some(value.clone()) }
            };
            all.extend(arguments.iter().enumerate().map(dropped).collect::<Option<Vec<_>>>());
        }
    }
    all
}

/// A text or list without what is at this place, where there is something.
fn without(value: &Value, place: usize) -> Option<Value> {
    match value {
        Value::Text(text) if place < text.chars().count() => Some(Value::Text(
            text.chars().enumerate().filter(|(at, _)| *at != place).map(|(_, char)| char).collect(),
        )),
        Value::List(values) if place < values.len() => Some(Value::List(
            values
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != place)
                .map(|(_, value)| value.clone())
                .collect(),
        )),
        Value::Bytes(bytes) if place < bytes.len() => Some(Value::Bytes(
            bytes.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, byte)| *byte).collect(),
        )),
        Value::Unit
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Float32(_)
        | Value::Char(_) => None,
        Value::Text(_)
        | Value::List(_)
        | Value::Bytes(_)
        | Value::Nothing
        | Value::Some(_)
        | Value::Ok(_) => None,
        Value::Err(_) | Value::Tuple(_) | Value::Map(_) | Value::Set(_) | Value::Record(_) => None,
        Value::Changed { .. } | Value::Made { .. } | Value::Opaque { .. } => None,
    }
}

/// How large a call is.
pub(super) fn size(arguments: &[Value]) -> u64 {
    arguments.iter().map(Value::size).sum()
}

/// The smallest half of the bound, and the rest evenly spread: bold and careful steps alike.
fn spread(mut all: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    if all.len() <= CANDIDATES_MAX {
        return all;
    }
    let rest = all.split_off(CANDIDATES_MAX / 2);
    let step = rest.len() / (CANDIDATES_MAX / 2) + 1;
    all.extend(rest.into_iter().rev().step_by(step));
    all
}

fn smaller_values(value: &Value) -> Vec<Value> {
    match value {
        Value::Unit | Value::Nothing | Value::Opaque { .. } | Value::Bool(false) => Vec::new(),
        Value::Record(_) | Value::Changed { .. } => Vec::new(),
        Value::Bool(true) => vec![Value::Bool(false)],
        Value::Int(digits) => digits.parse().map(smaller_ints).unwrap_or_default(),
        Value::Float(bits) => {
            let number = f64::from_bits(*bits);
            [0.0, 1.0, number.trunc(), number.abs(), number / 2.0].into_iter().map(Value::float).collect()
        }
        Value::Float32(bits) => {
            let number = f32::from_bits(*bits);
            [0.0, 1.0, number.trunc(), number.abs()]
                .into_iter()
                .map(|number| Value::Float32(number.to_bits()))
                .collect()
        }
        Value::Char(_) => ['a', 'b', 'A', '0', 'é'].map(Value::Char).to_vec(),
        Value::Text(text) => {
            let chars: Vec<char> = text.chars().collect();
            let simpler = |char: &char| ['a', 'b', 'é'].into_iter().filter(|plain| plain != char).collect();
            parts(&chars, simpler).into_iter().map(|chars| Value::Text(chars.into_iter().collect())).collect()
        }
        Value::Bytes(bytes) => parts(bytes, |_| vec![b'a']).into_iter().map(Value::Bytes).collect(),
        Value::List(values) => parts(values, smaller_values).into_iter().map(Value::List).collect(),
        Value::Set(values) => parts(values, |_| Vec::new()).into_iter().map(Value::Set).collect(),
        Value::Map(entries) => {
            let simpler = |(key, value): &(Value, Value)| {
                smaller_values(value).into_iter().map(|value| (key.clone(), value)).collect()
            };
            parts(entries, simpler).into_iter().map(Value::Map).collect()
        }
        Value::Tuple(values) => one_smaller(values).into_iter().map(Value::Tuple).collect(),
        Value::Made { maker, arguments } => one_smaller(arguments)
            .into_iter()
            .map(|arguments| Value::Made { maker: maker.clone(), arguments })
            .collect(),
        Value::Some(inner) => {
            let inner = smaller_values(inner).into_iter().map(|inner| Value::Some(Box::new(inner)));
            std::iter::once(Value::Nothing).chain(inner).collect()
        }
        Value::Ok(inner) => {
            smaller_values(inner).into_iter().map(|inner| Value::Ok(Box::new(inner))).collect()
        }
        Value::Err(inner) => {
            smaller_values(inner).into_iter().map(|inner| Value::Err(Box::new(inner))).collect()
        }
    }
}

/// The values with one of them made smaller.
fn one_smaller(values: &[Value]) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for (at, value) in values.iter().enumerate() {
        for candidate in smaller_values(value) {
            let mut changed = values.to_vec();
            if let Some(slot) = changed.get_mut(at) {
                *slot = candidate;
            }
            all.push(changed);
        }
    }
    all
}

fn smaller_ints(number: i128) -> Vec<Value> {
    let towards_zero = number - number.signum();
    [0, 1, -1, number / 2, number / 10, number.saturating_abs(), towards_zero]
        .into_iter()
        .map(Value::int)
        .collect()
}

/// The things without a part of them, for parts of falling size, and with one of them made simpler.
fn parts<Thing: Clone>(things: &[Thing], simpler: impl Fn(&Thing) -> Vec<Thing>) -> Vec<Vec<Thing>> {
    let mut all = vec![Vec::new()];
    let mut width = things.len() / 2;
    while width > 0 {
        for from in (0..things.len()).step_by(width) {
            all.push(things.iter().take(from).chain(things.iter().skip(from + width)).cloned().collect());
        }
        width /= 2;
    }
    for (at, thing) in things.iter().enumerate() {
        for candidate in simpler(thing) {
            let mut changed = things.to_vec();
            if let Some(slot) = changed.get_mut(at) {
                *slot = candidate;
            }
            all.push(changed);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_smaller_and_bounded() {
        let shapes =
            [Shape::Text, Shape::List(Box::new(Shape::Int { bits: 8, signed: true, is_size: false }))];
        let call =
            [Value::text("h\u{e9}llo w\u{1f600}rld ".repeat(9)), Value::List(vec![Value::int(-128); 20])];
        let candidates = smaller(&call, &shapes);
        assert!(candidates.len() > 10 && candidates.len() <= CANDIDATES_MAX, "{}", candidates.len());
        assert!(candidates.iter().all(|candidate| size(candidate) < size(&call)));
    }

    #[test]
    fn shrinking_ends() {
        let mut call = vec![Value::text("some text")];
        let mut rounds = 0;
        while let Some(next) = smaller(&call, &[Shape::Text]).pop() {
            call = next;
            rounds += 1;
            assert!(rounds < 200);
        }
        assert_eq!(call, [Value::text("")]);
    }

    #[test]
    fn arguments_that_belong_together_are_shortened_together() {
        let shapes = [Shape::Text, Shape::Text];
        let candidates = smaller(&[Value::text("xab"), Value::text("xba")], &shapes);
        assert!(candidates.contains(&vec![Value::text("ab"), Value::text("ba")]), "{candidates:?}");
    }
}
