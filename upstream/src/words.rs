//! Sets of names that are read, kept and copied in great numbers.
//!
//! The main type is [`Words`]. A large workspace and its port mention a million names; as texts of their own they would
//! take most of the time in which a cached file is read.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands between two words.
const END: char = '\n';

/// Names, sorted, each once, in one text. No name holds a line break.
///
/// Where people read it, it is a list of texts; in compact forms it is the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Box<str>);

impl Words {
    /// The words, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split(END).filter(|word| !word.is_empty())
    }

    /// Whether this is one of them.
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|one| one == word)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<Word: AsRef<str>> FromIterator<Word> for Words {
    fn from_iter<All: IntoIterator<Item = Word>>(words: All) -> Self {
        let all: Vec<Word> = words.into_iter().collect();
        let mut words: Vec<&str> = all.iter().flat_map(|word| word.as_ref().split(END)).collect();
        words.retain(|word| !word.is_empty());
        words.sort_unstable();
        words.dedup();
        Self(words.join("\n").into())
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_seq(self.iter())
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Ok(Vec::<Cow<'_, str>>::deserialize(deserializer)?.into_iter().collect())
        } else {
            Ok(Self(Box::deserialize(deserializer)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_once_each_and_none_is_empty() {
        let words: Words = ["b", "a", "", "r#a", "b", "c\nd"].into_iter().collect();
        assert_eq!(words.iter().collect::<Vec<_>>(), ["a", "b", "c", "d", "r#a"]);
        assert!(words.contains("r#a") && !words.contains("r") && !words.contains(""));
        assert!(!words.is_empty() && Words::default().is_empty());
        assert_eq!(Words::default().iter().next(), None);
    }

    #[test]
    fn people_read_a_list() {
        for (words, json) in [(&["b", "a"][..], r#"["a","b"]"#), (&[], "[]")] {
            let words: Words = words.iter().collect();
            assert_eq!(serde_json::to_string(&words).unwrap(), json);
            assert_eq!(serde_json::from_str::<Words>(json).unwrap(), words);
            let compact = postcard::to_allocvec(&words).unwrap();
            assert_eq!(postcard::from_bytes::<Words>(&compact).unwrap(), words);
        }
    }
}
