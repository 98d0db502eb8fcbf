//! One entry of the translation memory and its form in a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use upstream::{ContentHash, ItemPath, RevisionLabel};

/// The version of the file format that this program writes and reads.
pub(super) const ENTRY_FORMAT: u32 = 1;

/// An answer that was right before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryEntry {
    /// The key of the request that it answers.
    pub key: ContentHash,
    /// Where it comes from, for reports: a person, a rule, a model's name.
    pub origin: String,
    /// The first item of the unit, for people.
    pub item: ItemPath,
    /// The revision at which it was right, for people.
    pub revision: RevisionLabel,
    /// The answer in the edit grammar, with [`super::MEMORY_NONCE`].
    pub answer: String,
    /// Anything worth knowing about it; may be empty.
    pub note: String,
    /// Whether a person corrected it after it had landed. Such an entry is tried before others.
    pub corrected: bool,
}

/// The entry as a file holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFile {
    format: u32,
    key: ContentHash,
    origin: String,
    item: ItemPath,
    revision: RevisionLabel,
    #[serde(default)]
    corrected: bool,
    #[serde(default)]
    note: String,
    answer: String,
}

/// The fields of one line.
#[derive(Debug, Serialize)]
struct EntryHead<'entry> {
    format: u32,
    key: ContentHash,
    origin: &'entry str,
    item: &'entry ItemPath,
    revision: &'entry RevisionLabel,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    corrected: bool,
}

/// What is wrong with a file, and on which line from 1 where that is known.
pub(super) struct EntryFault {
    pub(super) line: Option<usize>,
    pub(super) reason: String,
}

impl MemoryEntry {
    /// Reads the text of a file.
    pub(super) fn parse(text: &str) -> Result<Self, EntryFault> {
        let file: EntryFile = toml::from_str(text).map_err(|error| EntryFault {
            line: error
                .span()
                .map(|span| 1 + text.get(..span.start).unwrap_or_default().matches('\n').count()),
            reason: error.message().to_owned(),
        })?;
        let EntryFile { format, key, origin, item, revision, corrected, note, answer } = file;
        if format != ENTRY_FORMAT {
            let reason = format!("it has format {format}; this program reads format {ENTRY_FORMAT}");
            return Err(EntryFault { line: None, reason });
        }
        Ok(Self { key, origin, item, revision, answer, note, corrected })
    }

    /// The text of its file. Texts of several lines are written as they read, wherever TOML can.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let mut text = toml::to_string(&EntryHead {
            format: ENTRY_FORMAT,
            key: self.key,
            origin: &self.origin,
            item: &self.item,
            revision: &self.revision,
            corrected: self.corrected,
        })?;
        if !self.note.is_empty() {
            text.push_str(&field("note", &self.note)?);
        }
        text.push_str(&field("answer", &self.answer)?);
        Ok(text)
    }
}

/// One field. A literal of several lines knows no escapes, which is what makes it read as the text does, and
/// therefore cannot hold its own quotes or control characters; the library's form can.
fn field(name: &str, text: &str) -> Result<String, toml::ser::Error> {
    let plain = !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    if text.contains('\n') && plain && !text.contains("'''") && !text.ends_with('\'') {
        return Ok(format!("{name} = '''\n{text}'''\n"));
    }
    toml::to_string(&BTreeMap::from([(name, text)]))
}
