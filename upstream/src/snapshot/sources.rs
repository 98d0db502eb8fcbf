//! The texts of a revision, read with bounds; what cannot be read gets a reason instead.

use std::collections::BTreeMap;

use super::syntax::TEXT_BYTES_MAX;
use crate::tree::{EntryKind, SourceTree, TreeEntry, TreeError};

/// The files of one revision.
pub(crate) struct Sources<'tree> {
    tree: &'tree dyn SourceTree,
    entries: BTreeMap<String, TreeEntry>,
}

impl<'tree> Sources<'tree> {
    /// Lists the files.
    pub(crate) fn list(tree: &'tree dyn SourceTree) -> Result<Self, TreeError> {
        let entries = tree.entries()?.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
        Ok(Self { tree, entries })
    }

    /// Every path with the id of its content.
    pub(crate) fn ids(&self) -> BTreeMap<String, String> {
        self.entries.iter().map(|(path, entry)| (path.clone(), entry.id.clone())).collect()
    }

    /// The id of a regular file's content. Links are not followed: they could lead out of the tree.
    pub(crate) fn id(&self, path: &str) -> Option<&str> {
        let entry = self.entries.get(path)?;
        (entry.kind == EntryKind::File).then_some(entry.id.as_str())
    }

    /// Whether a regular file stands at this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.id(path).is_some()
    }

    /// All paths, sorted.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The paths below a folder (without a slash at its end), sorted.
    pub(crate) fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a str> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.entries.range(prefix.clone()..);
        from.map(|(path, _)| path.as_str()).take_while(move |path| path.starts_with(&prefix))
    }

    /// The text of a file, or why it has none.
    pub(crate) fn text(&self, path: &str) -> Result<Result<String, String>, TreeError> {
        if !self.has(path) {
            return Ok(Err("it is not a regular file of this revision".to_owned()));
        }
        let Some(bytes) = self.tree.read(path)? else {
            return Ok(Err("it is listed, and its content is missing".to_owned()));
        };
        if bytes.len() > TEXT_BYTES_MAX {
            return Ok(Err(format!("it is longer than {TEXT_BYTES_MAX} bytes")));
        }
        Ok(String::from_utf8(bytes)
            .map_err(|error| format!("it is not UTF-8 from byte {} on", error.utf8_error().valid_up_to())))
    }
}

/// A path below a folder with `.` and `..` resolved; `None` where it leads out of the tree.
pub(crate) fn join(folder: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The folder of a path; empty for the root.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
