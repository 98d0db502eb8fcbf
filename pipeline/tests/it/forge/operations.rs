//! What may be asked of each forge: our own short description of the operations that are used.
//! `cargo xtask measure forge --schemas FILE` compares it with the description that a forge publishes.

use std::sync::OnceLock;

use serde_json::Value;

use super::state::Kind;

const OPERATIONS: &str = include_str!("operations.json");

/// The operations of a forge.
pub(crate) fn of(kind: Kind) -> &'static Value {
    static ALL: OnceLock<Value> = OnceLock::new();
    &ALL.get_or_init(|| serde_json::from_str(OPERATIONS).unwrap())[kind.name()]["operations"]
}

/// The operation that a path belongs to, with the values of its parameters.
pub(crate) fn find(operations: &Value, method: &str, path: &str) -> Option<(String, Vec<String>)> {
    let asked: Vec<&str> = path.split('/').collect();
    let mut best: Option<(usize, String, Vec<String>)> = None;
    for name in operations.as_object()?.keys() {
        let (its_method, template) = name.split_once(' ')?;
        let parts: Vec<&str> = template.split('/').collect();
        if its_method != method || parts.len() != asked.len() {
            continue;
        }
        let fits = parts.iter().zip(&asked).all(|(part, asked)| part.starts_with('{') || part == asked);
        let literal = parts.iter().filter(|part| !part.starts_with('{')).count();
        if fits && best.as_ref().is_none_or(|(most, _, _)| literal > *most) {
            let values = parts.iter().zip(&asked).filter(|(part, _)| part.starts_with('{'));
            best = Some((literal, name.clone(), values.map(|(_, value)| decoded(value)).collect()));
        }
    }
    best.map(|(_, name, values)| (name, values))
}

/// What a request has that its operation does not know, or lacks.
pub(crate) fn violations(operation: &Value, query: &[(String, String)], body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let names = |key: &str| -> Vec<&str> {
        operation[key]
            .as_array()
            .map(|all| all.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    };
    let known = names("query");
    found.extend(
        query
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, _)| format!("query `{name}`")),
    );
    let fields = operation["body"].as_object();
    for (name, value) in body.as_object().into_iter().flatten() {
        let Some(kind) = fields.and_then(|fields| fields.get(name)).and_then(Value::as_str) else {
            found.push(format!("field `{name}`"));
            continue;
        };
        let fits = match kind.trim_end_matches('!') {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("the description has no type `{other}`"),
        };
        if !fits {
            found.push(format!("field `{name}` is {value}"));
        }
    }
    for (name, kind) in fields.into_iter().flatten() {
        if kind.as_str().is_some_and(|kind| kind.ends_with('!')) && body.get(name).is_none() {
            found.push(format!("no field `{name}`"));
        }
    }
    found
}

/// A part of a path or a query without its escapes.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
