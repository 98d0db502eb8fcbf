//! After a merge: whether the tree that landed is the tree that was tested.

use port::repo::{PortRepo, RepoError};
use upstream::{CommitId, TreeId};

/// How many of the base branch's newest commits are looked at.
const COMMITS_MAX: usize = 2_000;
/// How many files are named.
const FILES_SHOWN: usize = 20;

/// What became of tested work in the base branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// The base branch held exactly the tree that was tested.
    Same {
        /// The commit with it.
        commit: CommitId,
    },
    /// It never did. What it held then was tested by nobody.
    Differs {
        /// The commit that the forge says it landed as, or the branch's newest.
        commit: CommitId,
        /// The files that differ, sorted; at most some.
        files: Vec<String>,
        /// How many differ.
        count: usize,
    },
    /// It cannot be told: the tested commit is no longer to be had.
    Unknown,
    /// It is not there.
    Absent,
}

/// Compares. `merged` is the commit that the forge names, where it says that it was merged at all.
pub fn compare(
    port: &PortRepo,
    tested: Option<&TreeId>,
    base: &CommitId,
    merged: Option<&str>,
    is_merged: bool,
) -> Result<Landing, RepoError> {
    let Some(tested) = tested else { return Ok(if is_merged { Landing::Unknown } else { Landing::Absent }) };
    // By the first parents: what a merge brought beside them was never what the branch held.
    let mut at = Some(base.clone());
    for _ in 0..COMMITS_MAX {
        let Some(commit) = at else { break };
        let info = port.commit_info(&commit)?;
        if info.tree == *tested {
            return Ok(Landing::Same { commit });
        }
        at = info.parents.into_iter().next();
    }
    if !is_merged {
        return Ok(Landing::Absent);
    }
    let named = merged.and_then(|id| CommitId::new(id).ok()).filter(|id| port.has_commit(id));
    let commit = named.unwrap_or_else(|| base.clone());
    let tree = port.commit_info(&commit)?.tree;
    let (files, count) = differing(port, tested, &tree)?;
    Ok(Landing::Differs { commit, files, count })
}

/// The files in which two trees differ: some of them, and how many.
pub fn differing(port: &PortRepo, one: &TreeId, other: &TreeId) -> Result<(Vec<String>, usize), RepoError> {
    use std::collections::BTreeMap;
    let by_path = |tree: &TreeId| -> Result<BTreeMap<String, String>, RepoError> {
        Ok(port.files(tree)?.into_iter().map(|entry| (entry.path, entry.id)).collect())
    };
    let (one, other) = (by_path(one)?, by_path(other)?);
    let mut files: Vec<String> =
        one.keys().chain(other.keys()).filter(|path| one.get(*path) != other.get(*path)).cloned().collect();
    files.sort();
    files.dedup();
    let count = files.len();
    files.truncate(FILES_SHOWN);
    Ok((files, count))
}
