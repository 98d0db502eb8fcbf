//! Documents damaged in one place.

use serde_json::Value;

/// One way in which a document may be damaged.
#[derive(Clone, Copy)]
pub(super) enum Damage {
    /// A value is gone.
    Remove,
    /// A result stands twice.
    Twice,
    /// A word stands for a number.
    Text,
    /// Nothing stands for a number.
    Null,
}

impl Damage {
    /// Does it at a place; false where it cannot be done there.
    pub(super) fn apply(self, value: &mut Value, place: &str) -> bool {
        let Some((parent, key)) = place.rsplit_once('/') else { return false };
        match self {
            Self::Remove => match value.pointer_mut(parent) {
                Some(Value::Object(map)) => map.remove(&key.replace("~1", "/").replace("~0", "~")).is_some(),
                _ => false,
            },
            Self::Twice => match value.pointer_mut(parent) {
                Some(Value::Array(list)) => {
                    let Some(element) = key.parse::<usize>().ok().and_then(|at| list.get(at).cloned()) else {
                        return false;
                    };
                    // Only results stand for themselves; one more sample is a sample.
                    let is_result = element.is_object();
                    if is_result {
                        list.push(element);
                    }
                    is_result
                }
                _ => false,
            },
            Self::Text | Self::Null => {
                let Some(slot) = value.pointer_mut(place).filter(|slot| slot.is_number()) else {
                    return false;
                };
                *slot = if matches!(self, Self::Text) { Value::from("fast") } else { Value::Null };
                true
            }
        }
    }
}

/// The places of all values, as JSON pointers.
pub(super) fn walk(value: &Value, at: &mut String, places: &mut Vec<String>) {
    let mut into = |key: String, inner: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        places.push(at.clone());
        walk(inner, at, places);
        at.truncate(length);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| into(key.clone(), inner)),
        Value::Array(list) => list.iter().enumerate().for_each(|(at, inner)| into(at.to_string(), inner)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
