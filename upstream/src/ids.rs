//! Checked newtypes for what the upstream names: commits, contents, crates, items and revisions.
//!
//! Each is parsed once, at the border, and is valid from then on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A text that is not a valid value of the type it was given to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {reason}")]
pub struct InvalidId {
    /// What the text should have been, such as `commit id`.
    pub kind: &'static str,
    /// The text itself.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Declares a string newtype with `Display`, `FromStr`, ordering and serde through its check.
#[macro_export]
macro_rules! string_id {
    ($(#[$meta:meta])* $name:ident, $kind:literal, $check:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a text and takes it as this kind of name.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::ids::InvalidId> {
                let text = text.into();
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(reason) => Err($crate::ids::InvalidId { kind: $kind, text, reason }),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ids::InvalidId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::ids::InvalidId;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl $crate::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $kind.into()
            }

            fn json_schema(
                _generator: &mut $crate::schemars::SchemaGenerator,
            ) -> $crate::schemars::Schema {
                $crate::schemars::json_schema!({ "type": "string", "minLength": 1 })
            }
        }
    };
}

/// Refuses texts that could break a line of a report, a lock or a commit message.
pub fn one_line(text: &str) -> Result<(), &'static str> {
    // A lock has a hundred thousand names, and hardly one of them is not plain.
    let breaks = |text: &str| {
        if text.is_ascii() {
            text.bytes().any(|byte| byte.is_ascii_control())
        } else {
            text.chars().any(char::is_control)
        }
    };
    if text.is_empty() {
        Err("it is empty")
    } else if breaks(text) {
        Err("it holds a control character")
    } else {
        Ok(())
    }
}

fn hex_object_id(text: &str) -> Result<(), &'static str> {
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    match text.len() {
        40 | 64 if text.bytes().all(lower_hex) => Ok(()),
        40 | 64 => Err("it holds something else than lower-case hexadecimal digits"),
        _ => Err("it is neither 40 nor 64 hexadecimal digits long"),
    }
}

string_id! {
    /// A full git object id of a commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
    CommitId, "commit id", hex_object_id
}

string_id! {
    /// A full git object id of a tree.
    TreeId, "tree id", hex_object_id
}

string_id! {
    /// What people call a revision: a release such as `0.9.3`, a tag, or an abbreviated commit id.
    RevisionLabel, "revision label", one_line
}

string_id! {
    /// The path of an item as a Rust programmer would write it.
    ///
    /// `krate::module::function`, `krate::module::Type::method`; a member of a trait implementation is
    /// `krate::module::<Type as Trait>::method` and the block itself `krate::module::<Type as Trait>`.
    /// Items of targets other than the library begin with `package[kind:target]`, as in
    /// `strsim[test:lib]::hamming_works`.
    ItemPath, "item path", one_line
}

impl ItemPath {
    /// The segments, from the crate inwards; `::` inside angle or square brackets does not separate.
    pub fn segments(&self) -> Vec<&str> {
        let text = self.as_str();
        let mut segments = Vec::new();
        let (mut depth, mut start) = (0_usize, 0);
        let bytes = text.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'<' | b'[' => depth += 1,
                // The arrow of a function type closes nothing.
                b'>' if at > 0 && bytes.get(at - 1) == Some(&b'-') => {}
                b'>' | b']' => depth = depth.saturating_sub(1),
                b':' if depth == 0 && at >= start && bytes.get(at + 1) == Some(&b':') => {
                    segments.extend(text.get(start..at));
                    start = at + 2;
                }
                _ => {}
            }
        }
        segments.extend(text.get(start..));
        segments
    }

    /// The crate (or target) that the item belongs to.
    pub fn krate(&self) -> &str {
        // Asked of every item again and again: mostly the first `::` ends it, and no list is made.
        match self.0.split_once("::") {
            Some((krate, _)) if !krate.contains(['<', '[']) => krate,
            None if !self.0.contains(['<', '[']) => &self.0,
            Some(_) | None => self.segments().first().copied().unwrap_or_default(),
        }
    }

    /// The last segment: the item's own name.
    pub fn name(&self) -> &str {
        self.segments().last().copied().unwrap_or_default()
    }

    /// The last so many segments.
    pub fn end(&self, segments: usize) -> String {
        let all = self.segments();
        let skipped = all.len().saturating_sub(segments);
        all.get(skipped..).unwrap_or_default().join("::")
    }

    /// The path of what contains this item, if it is not a crate.
    pub fn parent(&self) -> Option<Self> {
        let segments = self.segments();
        let (_, parents) = segments.split_last()?;
        (!parents.is_empty()).then(|| Self(parents.join("::")))
    }
}

/// The SHA-256 of some content, shortened to 128 bits: 32 lower-case hexadecimal digits.
///
/// Where people read it, it is these digits; in compact forms it is the bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 16]);

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            std::borrow::Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 16]>::deserialize(deserializer).map(Self)
        }
    }
}

impl schemars::JsonSchema for ContentHash {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "content hash".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{32}$" })
    }
}

impl ContentHash {
    /// Hashes bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::of_parts([bytes])
    }

    /// Hashes a sequence of parts; each is preceded by its length, so that `["ab"]` and `["a", "b"]` differ.
    pub fn of_parts<Part: AsRef<[u8]>>(parts: impl IntoIterator<Item = Part>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            let part = part.as_ref();
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let digest = hasher.finalize();
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        Self(short)
    }

    /// All 32 hexadecimal digits, without a text for them.
    pub(crate) fn digits(self) -> [u8; 32] {
        let mut digits = [0; 32];
        hex::encode_to_slice(self.0, &mut digits).expect("two digits for each byte have room");
        digits
    }

    /// The first eight hexadecimal digits, for people and for prompts.
    pub fn short(&self) -> String {
        hex::encode(self.0).chars().take(8).collect()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl FromStr for ContentHash {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason| InvalidId { kind: "content hash", text: text.to_owned(), reason };
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_not_hex| invalid("it is not 32 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_keep_what_is_inside_brackets_together() {
        let path = ItemPath::new("krate::module::<a::Type<Fn() -> b::C> as c::Trait>::fmt").unwrap();
        assert_eq!(path.segments(), ["krate", "module", "<a::Type<Fn() -> b::C> as c::Trait>", "fmt"]);
        let test = ItemPath::new("strsim[test:a::b]::works").unwrap();
        assert_eq!(test.segments(), ["strsim[test:a::b]", "works"]);
        assert_eq!(test.parent().unwrap().as_str(), "strsim[test:a::b]");
    }

    #[test]
    fn hashes_of_parts_depend_on_where_the_parts_end() {
        assert_ne!(ContentHash::of_parts(["ab"]), ContentHash::of_parts(["a", "b"]));
    }

    #[test]
    fn a_hash_is_digits_for_people_and_bytes_in_compact_forms() {
        let hash = ContentHash::of("x");
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{hash}\""));
        assert_eq!(serde_json::from_str::<ContentHash>(&json).unwrap(), hash);
        let wrong = serde_json::from_str::<ContentHash>("\"00\"").unwrap_err().to_string();
        assert!(wrong.contains("`00` is not a valid content hash"), "{wrong}");
        let compact = postcard::to_allocvec(&hash).unwrap();
        assert_eq!(compact.len(), 16);
        assert_eq!(postcard::from_bytes::<ContentHash>(&compact).unwrap(), hash);
    }

    #[test]
    fn no_name_breaks_a_line() {
        for (text, is_name) in
            [("a b", true), ("\u{e9}", true), ("", false), ("a\n", false), ("\u{e9}\u{85}", false)]
        {
            assert_eq!(ItemPath::new(text).is_ok(), is_name, "{text:?}");
        }
    }

    #[test]
    fn a_commit_id_is_checked() {
        assert!(CommitId::new("0123456789abcdef0123456789abcdef01234567").is_ok());
        assert!(CommitId::new("HEAD").is_err());
        assert!(CommitId::new("0123456789ABCDEF0123456789abcdef01234567").is_err());
    }
}
