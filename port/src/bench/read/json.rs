//! JSON in which no key of an object stands twice: else the last one would silently win.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::ReadError;

/// Reads a whole text.
pub(super) fn document<Value: DeserializeOwned>(
    format: &'static str,
    text: &str,
) -> Result<Value, ReadError> {
    serde_json::from_str(text).map_err(|error| {
        if error.is_eof() { ReadError::truncated(format, error) } else { ReadError::malformed(format, error) }
    })
}

/// The middle of samples that are not empty.
pub(super) fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*sorted.get(sorted.len() / 2 - 1)?, upper))
}

/// An object whose keys are all different.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unique<Value>(pub(super) BTreeMap<String, Value>);

impl<Value> Default for Unique<Value> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, Value: Deserialize<'de>> Deserialize<'de> for Unique<Value> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys<Value>(PhantomData<Value>);
        impl<'de, Value: Deserialize<'de>> Visitor<'de> for Keys<Value> {
            type Value = Unique<Value>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<Map: MapAccess<'de>>(self, mut map: Map) -> Result<Self::Value, Map::Error> {
                let mut found = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if found.contains_key(&key) {
                        return Err(Map::Error::custom(format!("`{key}` stands twice")));
                    }
                    found.insert(key, value);
                }
                Ok(Unique(found))
            }
        }
        deserializer.deserialize_map(Keys(PhantomData))
    }
}
