//! The texts of a revision, read with bounds; what cannot be read gets a reason instead.
//!
//! Symbolic links are followed inside the tree alone: one that leads out of it, or in a circle, leads nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::syntax::TEXT_BYTES_MAX;
use crate::tree::{EntryKind, SourceTree, TreeEntry, TreeError};

/// The most links that one path may lead through, as Linux has it.
const LINKS_MAX: usize = 40;

/// The files of one revision.
pub(crate) struct Sources<'tree> {
    tree: &'tree dyn SourceTree,
    entries: BTreeMap<String, TreeEntry>,
    /// The links with what they say.
    links: BTreeMap<String, String>,
}

impl<'tree> Sources<'tree> {
    /// Lists the files.
    pub(crate) fn list(tree: &'tree dyn SourceTree) -> Result<Self, TreeError> {
        let entries: BTreeMap<String, TreeEntry> =
            tree.entries()?.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
        let mut links = BTreeMap::new();
        for entry in entries.values().filter(|entry| entry.kind == EntryKind::Link) {
            // A link whose content is lost leads nowhere; who needs what it led to says so.
            let target =
                tree.read(&entry.path).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
            links.extend(target.map(|target| (entry.path.clone(), target)));
        }
        Ok(Self { tree, entries, links })
    }

    /// The regular file behind a path, which may lead through links.
    pub(crate) fn file(&self, path: &str) -> Option<String> {
        self.real(path).filter(|real| self.has(real))
    }

    /// The folder behind a path, which may lead through links. A submodule is an empty one.
    pub(crate) fn folder(&self, path: &str) -> Option<String> {
        let is_module =
            |real: &str| self.entries.get(real).is_some_and(|entry| entry.kind == EntryKind::Submodule);
        self.real(path).filter(|real| real.is_empty() || is_module(real) || self.below(real).next().is_some())
    }

    /// The names in a folder, and whether each is a folder itself; a link is none, wherever it leads.
    pub(crate) fn children(&self, folder: &str) -> BTreeMap<String, bool> {
        let Some(folder) = self.folder(folder) else { return BTreeMap::new() };
        let start = if folder.is_empty() { 0 } else { folder.len() + 1 };
        let mut children = BTreeMap::new();
        for relative in self.below(&folder).filter_map(|path| path.get(start..)) {
            match relative.split_once('/') {
                Some((name, _)) => children.insert(name.to_owned(), true),
                None => children.insert(relative.to_owned(), false),
            };
        }
        children
    }

    /// All folders that hold something, submodules, and links, which may lead to one.
    pub(crate) fn folders(&self) -> BTreeSet<&str> {
        let mut folders = BTreeSet::from([""]);
        for path in self.paths() {
            let mut at = folder_of(path);
            while folders.insert(at) {
                at = folder_of(at);
            }
        }
        let others = self.entries.values().filter(|entry| entry.kind != EntryKind::File);
        folders.extend(others.map(|entry| entry.path.as_str()));
        folders
    }

    /// A path with its links followed; `None` where one leads out of the tree or in a circle.
    fn real(&self, path: &str) -> Option<String> {
        if self.links.is_empty() {
            return Some(path.to_owned());
        }
        let mut rest: Vec<&str> = path.rsplit('/').collect();
        let mut real: Vec<&str> = Vec::new();
        let mut followed = 0;
        while let Some(part) = rest.pop() {
            match part {
                "" | "." => {}
                ".." => {
                    real.pop()?;
                }
                name => {
                    real.push(name);
                    let Some(target) = self.links.get(&real.join("/")) else { continue };
                    followed += 1;
                    if followed > LINKS_MAX || target.starts_with('/') {
                        return None;
                    }
                    real.pop();
                    rest.extend(target.rsplit('/'));
                }
            }
        }
        Some(real.join("/"))
    }

    /// Everything that the tree lists, by path.
    pub(crate) fn entries(&self) -> &BTreeMap<String, TreeEntry> {
        &self.entries
    }

    /// Every path with the id of its content.
    pub(crate) fn ids(&self) -> BTreeMap<String, String> {
        self.entries.iter().map(|(path, entry)| (path.clone(), entry.id.clone())).collect()
    }

    /// The id of a regular file's content. Links are not followed: see [`Self::file`].
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
