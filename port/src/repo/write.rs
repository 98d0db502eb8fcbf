//! Writing trees and commits as objects; no branch, index or working tree is touched here.

use std::collections::BTreeMap;

use git2::{Oid, Signature, Time, Tree};
use upstream::{CommitId, TreeId};

use super::error::{RepoError, git};
use super::path::check_path;
use super::{Mode, PortRepo, commit_id, mode_of, tree_id};

/// How deep folders may be nested; a path is shorter than this anyway.
const DEPTH_MAX: usize = 512;

const MODE_FILE: i32 = 0o100_644;
const MODE_EXECUTABLE: i32 = 0o100_755;
const MODE_FOLDER: i32 = 0o040_000;

/// Who makes a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// A commit to be made. Equal values give equal ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit<'a> {
    /// Its parents, in order.
    pub parents: &'a [CommitId],
    /// Its tree.
    pub tree: &'a TreeId,
    /// Its message.
    pub message: &'a str,
    /// Who makes it, as author and as committer.
    pub author: &'a Author,
    /// When, in seconds since the Unix epoch.
    pub time_s: i64,
}

impl PortRepo {
    /// Writes a tree that is `base` with these files put in (`Some`) or taken out (`None`). A file that is
    /// there keeps its executable bit; a folder that becomes empty goes.
    pub fn write_tree(
        &self,
        base: &TreeId,
        changes: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<TreeId, RepoError> {
        let mut root = Changes::default();
        for (path, content) in changes {
            check_path(path)?;
            root.add(path, path, content.as_deref())?;
        }
        let base = self.tree(base)?;
        match self.written(Some(&base), &root, "", 0)? {
            Some(id) => tree_id(id),
            None => tree_id(
                self.git.treebuilder(None).and_then(|empty| empty.write()).map_err(git("write a tree"))?,
            ),
        }
    }

    /// Writes a commit that no branch names yet.
    pub fn commit_object(&self, new: &NewCommit<'_>) -> Result<CommitId, RepoError> {
        let author = Signature::new(&new.author.name, &new.author.email, &Time::new(new.time_s, 0))
            .map_err(git("take the author's name"))?;
        let tree = self.tree(new.tree)?;
        let parents = new.parents.iter().map(|id| self.commit(id)).collect::<Result<Vec<_>, _>>()?;
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        let id = self
            .git
            .commit(None, &author, &author, new.message, &tree, &parents)
            .map_err(git("write a commit"))?;
        commit_id(id)
    }

    /// The tree of one folder; `None` where nothing is left in it.
    fn written(
        &self,
        base: Option<&Tree<'_>>,
        changes: &Changes<'_>,
        folder: &str,
        depth: usize,
    ) -> Result<Option<Oid>, RepoError> {
        if depth > DEPTH_MAX {
            return Err(RepoError::PathConflict {
                path: folder.to_owned(),
                reason: "it is nested too deeply",
            });
        }
        let mut builder = self.git.treebuilder(base).map_err(git("write a tree"))?;
        for (name, change) in &changes.entries {
            let path = format!("{folder}{name}");
            let there = base.and_then(|base| base.get_name(name));
            let mode = there.as_ref().map(mode_of);
            let conflict = |reason| Err(RepoError::PathConflict { path: path.clone(), reason });
            match (change, mode) {
                (_, Some(Mode::Link)) => return conflict("a symbolic link is there"),
                (_, Some(Mode::Submodule)) => return conflict("a submodule is there"),
                (Change::Write(_) | Change::Remove, Some(Mode::Folder)) => {
                    return conflict("a folder is there");
                }
                (Change::Folder(_), Some(Mode::File { .. })) => return conflict("a file is there"),
                (Change::Remove, None) => return Err(RepoError::NotThere { path }),
                (Change::Remove, Some(Mode::File { .. })) => {
                    builder.remove(name.as_str()).map_err(git("write a tree"))?;
                }
                (Change::Write(content), mode) => {
                    let blob = self.git.blob(content).map_err(git("write a file's content"))?;
                    let executable = mode == Some(Mode::File { executable: true });
                    let mode = if executable { MODE_EXECUTABLE } else { MODE_FILE };
                    builder.insert(name.as_str(), blob, mode).map_err(git("write a tree"))?;
                }
                (Change::Folder(inner), mode) => {
                    let inside = there
                        .filter(|_| mode.is_some())
                        .map(|entry| self.git.find_tree(entry.id()))
                        .transpose()
                        .map_err(git("read a tree"))?;
                    match self.written(inside.as_ref(), inner, &format!("{path}/"), depth + 1)? {
                        Some(id) => {
                            builder.insert(name.as_str(), id, MODE_FOLDER).map_err(git("write a tree"))?;
                        }
                        None if mode.is_some() => {
                            builder.remove(name.as_str()).map_err(git("write a tree"))?;
                        }
                        None => {}
                    }
                }
            }
        }
        if builder.is_empty() { Ok(None) } else { builder.write().map(Some).map_err(git("write a tree")) }
    }
}

/// Changes of one folder, by the name of the entry.
#[derive(Default)]
struct Changes<'a> {
    entries: BTreeMap<String, Change<'a>>,
}

enum Change<'a> {
    Write(&'a [u8]),
    Remove,
    Folder(Changes<'a>),
}

impl<'a> Changes<'a> {
    fn add(&mut self, path: &str, rest: &str, content: Option<&'a [u8]>) -> Result<(), RepoError> {
        let conflict = || RepoError::PathConflict {
            path: path.to_owned(),
            reason: "another change makes a file of one of its folders",
        };
        match rest.split_once('/') {
            None => {
                let change = content.map_or(Change::Remove, Change::Write);
                match self.entries.insert(rest.to_owned(), change) {
                    None => Ok(()),
                    Some(_) => Err(conflict()),
                }
            }
            Some((folder, rest)) => {
                let entry = self.entries.entry(folder.to_owned());
                match entry.or_insert_with(|| Change::Folder(Changes::default())) {
                    Change::Folder(inner) => inner.add(path, rest, content),
                    Change::Write(_) | Change::Remove => Err(conflict()),
                }
            }
        }
    }
}
