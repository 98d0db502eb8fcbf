//! Calls found in the upstream's tests, documentation and examples, fitted to what a function takes.

use upstream::harvest::{HarvestedCall, Literal};

use super::probeable::FunctionPlan;
use super::shape::Shape;
use super::value::Value;

/// The arguments of the harvested calls of this function that fit its parameters.
pub(super) fn fitting(harvested: &[HarvestedCall], function: &FunctionPlan) -> Vec<Vec<Value>> {
    let called = harvested.iter().filter(|call| call.callee == function.item.name());
    let fitted = called.filter_map(|call| {
        // What a constructor is given comes before what the method on its value is given.
        let made = call.constructor.iter().flat_map(|constructor| &constructor.arguments);
        let literals: Vec<_> = made.chain(&call.receiver).chain(&call.arguments).collect();
        let fits = literals.len() == function.shapes.len();
        let values = literals.iter().zip(&function.shapes).map(|(literal, shape)| fit(literal, shape));
        values.collect::<Option<Vec<_>>>().filter(|_values| fits)
    });
    fitted.collect()
}

fn fit(literal: &Literal, shape: &Shape) -> Option<Value> {
    let value = match (literal, shape) {
        (Literal::Unit, Shape::Unit) => Value::Unit,
        (Literal::Bool(truth), Shape::Bool) => Value::Bool(*truth),
        (Literal::Char(char), Shape::Char) => Value::Char(*char),
        (Literal::Str(text), Shape::Text) => Value::text(text),
        (Literal::Str(text), Shape::Bytes) => Value::Bytes(text.as_bytes().to_vec()),
        // `"abc".chars()` is harvested as its text by callers that look through it.
        (Literal::Str(text), Shape::List(element)) if **element == Shape::Char => {
            Value::List(text.chars().map(Value::Char).collect())
        }
        (Literal::Bytes(bytes), Shape::Bytes) => Value::Bytes(bytes.clone()),
        (Literal::Int { value, .. }, Shape::Int { .. }) => Value::int(*value),
        (Literal::Int { value, .. }, Shape::Float { .. }) => float(&value.to_string(), shape)?,
        (Literal::Float(text), Shape::Float { .. }) => float(text, shape)?,
        (Literal::None, Shape::Option(_)) => Value::Nothing,
        (Literal::Some(inner), Shape::Option(shape)) => Value::Some(Box::new(fit(inner, shape)?)),
        (Literal::Ok(inner), Shape::Result(shape, _)) => Value::Ok(Box::new(fit(inner, shape)?)),
        (Literal::Err(inner), Shape::Result(_, shape)) => Value::Err(Box::new(fit(inner, shape)?)),
        (Literal::List(items), Shape::Bytes) => {
            let byte = |item: &Literal| match item {
                Literal::Int { value, .. } => u8::try_from(*value).ok(),
                Literal::Str(_)
                | Literal::Char(_)
                | Literal::Bool(_)
                | Literal::Float(_)
                | Literal::Bytes(_) => None,
                Literal::List(_) | Literal::Tuple(_) | Literal::Some(_) | Literal::None | Literal::Ok(_) => {
                    None
                }
                Literal::Err(_) | Literal::Unit => None,
            };
            Value::Bytes(items.iter().map(byte).collect::<Option<_>>()?)
        }
        (Literal::List(items), Shape::List(element) | Shape::Array(element, _)) => {
            Value::List(items.iter().map(|item| fit(item, element)).collect::<Option<_>>()?)
        }
        (Literal::List(items), Shape::Set(element)) => {
            Value::Set(items.iter().map(|item| fit(item, element)).collect::<Option<_>>()?)
        }
        (Literal::Tuple(items), Shape::Tuple(shapes)) if items.len() == shapes.len() => Value::Tuple(
            items.iter().zip(shapes).map(|(item, shape)| fit(item, shape)).collect::<Option<_>>()?,
        ),
        (_, _) => return None,
    };
    shape.admits(&value).then_some(value)
}

fn float(text: &str, shape: &Shape) -> Option<Value> {
    if matches!(shape, Shape::Float { bits: 32 }) {
        return text.parse::<f32>().ok().map(|number| Value::Float32(number.to_bits()));
    }
    text.parse::<f64>().ok().map(Value::float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_take_the_type_of_their_parameter() {
        let byte = Shape::Int { bits: 8, signed: false, is_size: false };
        let int = |value| Literal::Int { value, suffix: None };
        assert_eq!(fit(&int(7), &Shape::Float { bits: 64 }), Some(Value::float(7.0)));
        assert_eq!(fit(&int(256), &byte), None);
        assert_eq!(fit(&Literal::Str("é".into()), &Shape::Bytes), Some(Value::Bytes(vec![0xc3, 0xa9])));
        let chars = Shape::List(Box::new(Shape::Char));
        assert_eq!(
            fit(&Literal::Str("ab".into()), &chars),
            Some(Value::List(vec![Value::Char('a'), Value::Char('b')]))
        );
        assert_eq!(fit(&Literal::Str("a".into()), &Shape::Bool), None);
    }
}
