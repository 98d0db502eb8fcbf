//! What is random in a run, replaced on both sides by the same word before anything is compared.

use std::path::Path;

use regex::Regex;
use serde_json::Value as Json;

/// The most that a pattern may become, in bytes: it comes from a configuration file, and is run over much output.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A pattern and what stands in its place.
#[derive(Debug, Clone)]
pub struct Mask {
    pattern: Regex,
    replacement: String,
}

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMask {
    /// It is no regular expression.
    #[error("{reason}")]
    Pattern {
        /// Why, in one line.
        reason: String,
    },
    /// It matches where there is nothing, so that it would stand between all characters.
    #[error("it matches the empty text")]
    Empty,
}

impl Mask {
    /// Reads a pattern.
    pub fn new(pattern: &str, replacement: &str) -> Result<Self, InvalidMask> {
        let regex = regex::RegexBuilder::new(pattern).multi_line(true).size_limit(COMPILED_BYTES_MAX).build();
        // The library points at the place with a drawing; the last line says what is wrong.
        let pattern = regex.map_err(|error| InvalidMask::Pattern {
            reason: error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        })?;
        if pattern.is_match("") {
            return Err(InvalidMask::Empty);
        }
        Ok(Self { pattern, replacement: replacement.to_owned() })
    }

    /// Puts a word in the place of a path; `None` for one that is no text.
    pub(super) fn of_path(path: &Path, replacement: &str) -> Option<Self> {
        let pattern = Regex::new(&regex::escape(path.to_str()?)).ok()?;
        Some(Self { pattern, replacement: replacement.to_owned() })
    }
}

/// A text with everything replaced, in the order of the masks.
pub(super) fn masked(masks: &[Mask], text: &str) -> String {
    masks.iter().fold(text.to_owned(), |text, mask| {
        // The replacement is a word and no pattern: `$1` stands for itself.
        mask.pattern.replace_all(&text, regex::NoExpand(&mask.replacement)).into_owned()
    })
}

/// The same in every text of a JSON value; names of members stay.
pub(super) fn masked_json(masks: &[Mask], value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(masked(masks, &text)),
        Json::Array(values) => values.into_iter().map(|value| masked_json(masks, value)).collect(),
        Json::Object(members) => {
            members.into_iter().map(|(name, value)| (name, masked_json(masks, value))).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_is_replaced_line_by_line_and_in_order() {
        let masks = [Mask::new(r"^pid \d+$", "<pid>").unwrap(), Mask::new("<pid>", "$0").unwrap()];
        assert_eq!(masked(&masks, "pid 12\npid 13 x\npid 14"), "$0\npid 13 x\n$0");
        let value = serde_json::json!({ "pid 1": ["pid 1", 1] });
        assert_eq!(masked_json(&masks[..1], value), serde_json::json!({ "pid 1": ["<pid>", 1] }));
    }

    #[test]
    fn patterns_that_cannot_be_used_are_refused() {
        let refused = |pattern: &str| Mask::new(pattern, "x").unwrap_err();
        assert_eq!(refused("a*"), InvalidMask::Empty);
        assert!(refused("(").to_string().contains("unclosed group"), "{}", refused("("));
        assert!(refused("(?:a{1000}){1000}").to_string().contains("size"), "too large");
    }
}
