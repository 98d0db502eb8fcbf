//! The files of one revision, wherever they come from: git objects in production, a map in tests.

use std::collections::BTreeMap;

use crate::ids::ContentHash;

/// What a path of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file, executable or not.
    File,
    /// A symbolic link; its content is the target's path.
    Link,
    /// A submodule: named, never followed.
    Submodule,
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// The path from the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// The id of its content: equal ids mean equal contents.
    pub id: String,
}

/// An object that should be there could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}`: {reason}")]
pub struct TreeError {
    /// What was to be read.
    pub path: String,
    /// Why it could not be.
    pub reason: String,
}

/// The files of one revision.
pub trait SourceTree {
    /// All entries, sorted by path.
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError>;
    /// The content of a file, or `None` where there is none at this path.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError>;
}

/// A tree held in memory: path to content.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    files: BTreeMap<String, Vec<u8>>,
    links: BTreeMap<String, Vec<u8>>,
}

impl MemoryTree {
    /// Adds a symbolic link.
    #[must_use]
    pub fn with_link(mut self, path: &str, target: &str) -> Self {
        self.links.insert(path.to_owned(), target.as_bytes().to_vec());
        self
    }
}

impl<Path: Into<String>, Content: Into<Vec<u8>>> FromIterator<(Path, Content)> for MemoryTree {
    fn from_iter<Files: IntoIterator<Item = (Path, Content)>>(files: Files) -> Self {
        let files = files.into_iter().map(|(path, content)| (path.into(), content.into())).collect();
        Self { files, links: BTreeMap::new() }
    }
}

impl SourceTree for MemoryTree {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |kind| {
            move |(path, content): (&String, &Vec<u8>)| TreeEntry {
                path: path.clone(),
                kind,
                id: ContentHash::of(content).to_string(),
            }
        };
        let files = self.files.iter().map(entry(EntryKind::File));
        let mut entries: Vec<TreeEntry> =
            files.chain(self.links.iter().map(entry(EntryKind::Link))).collect();
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError> {
        Ok(self.files.get(path).or_else(|| self.links.get(path)).cloned())
    }
}
