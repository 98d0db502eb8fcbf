//! The JSON schemas of what programs are given: `docs/schemas/` holds them, written by `cargo xtask generate`.

use schemars::{JsonSchema, schema_for};

use crate::history::HistoryRow;
use crate::listing::{DiffListing, DiffRecord, ItemListing, ItemRecord};

/// Each schema with the name of its file, without its end.
pub fn schemas() -> Vec<(&'static str, String)> {
    vec![
        ("diff", text::<DiffListing>()),
        ("diff-line", text::<DiffRecord>()),
        ("items", text::<ItemListing>()),
        ("items-line", text::<ItemRecord>()),
        ("history-row", text::<HistoryRow>()),
    ]
}

fn text<T: JsonSchema>() -> String {
    format!("{:#}\n", schema_for!(T).as_value())
}

/// Fails a test where a value is not what its schema says.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_valid<T: JsonSchema + serde::Serialize>(value: &T) {
    let schema = schema_for!(T);
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let json = serde_json::to_value(value).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&json).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new(), "{json:#}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_schema_refuses_what_is_nothing_of_the_kind() {
        for (name, text) in schemas() {
            let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
            let validator = jsonschema::validator_for(&schema).unwrap();
            for wrong in [serde_json::json!({}), serde_json::json!([]), serde_json::json!({"record": "no"})] {
                assert!(!validator.is_valid(&wrong), "{name} takes {wrong}");
            }
        }
    }
}
