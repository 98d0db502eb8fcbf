//! Whether items stood in the history as they are given, told of thousands at once from their files alone.
//!
//! Main function: [`standing`]. Trees are read in the order of the questions, contents file by file: neighbours are
//! stored as differences of each other.

use std::collections::BTreeMap;
use std::rc::Rc;

use gix::ObjectId;
use gix::objs::TreeRefIter;

use super::{in_parallel, workers};
use crate::ids::CommitId;
use crate::repo::{ObjectReader, Packs, UpstreamRepo};
use crate::snapshot::{FileItems, Item};

/// Commits whose trees one thread looks into before it asks for more.
const COMMITS_AT_ONCE: usize = 16;

/// Did this item stand at this commit as it is given, in the same file?
#[derive(Debug, Clone, Copy)]
pub struct Stood<'input> {
    /// The commit.
    pub commit: &'input CommitId,
    /// The item.
    pub item: &'input Item,
}

/// Answers each question: whether it is plain that the item stood in its file at the commit, with the whole of its
/// text or as [`FileItems::holds`] tells. `false` says nothing: the file may have had another name, or cannot be read.
///
/// It is fastest where the questions come in the order of the history.
pub fn standing(repo: &UpstreamRepo, questions: &[Stood<'_>]) -> Vec<bool> {
    let packs = Packs::open(repo);
    let mut by_commit: Vec<(&CommitId, Vec<usize>)> = Vec::new();
    let mut places: BTreeMap<&CommitId, usize> = BTreeMap::new();
    for (at, question) in questions.iter().enumerate() {
        let place = *places.entry(question.commit).or_insert_with(|| {
            by_commit.push((question.commit, Vec::new()));
            by_commit.len() - 1
        });
        if let Some((_, asked)) = by_commit.get_mut(place) {
            asked.push(at);
        }
    }
    let objects = (repo, &packs);
    let found = in_parallel(objects, workers(), (&by_commit, COMMITS_AT_ONCE), |objects, (commit, asked)| {
        contents_of(objects, commit, asked, questions)
    });
    // By file, and of each file in the order of the questions.
    let mut by_file: BTreeMap<&str, Vec<(usize, ObjectId)>> = BTreeMap::new();
    for (at, content) in found {
        if let Some(question) = questions.get(at) {
            by_file.entry(&question.item.file).or_default().push((at, content));
        }
    }
    let mut by_file: Vec<_> = by_file.into_values().collect();
    for versions in &mut by_file {
        versions.sort_unstable();
    }
    // The longest first, so that no thread is left with one at the end.
    by_file.sort_by_key(|versions| std::cmp::Reverse(versions.len()));
    let stood = in_parallel(objects, workers(), (&by_file, 1), |objects, versions| {
        read(objects, versions, questions)
    });
    let mut answers = vec![false; questions.len()];
    for at in stood {
        if let Some(answer) = answers.get_mut(at) {
            *answer = true;
        }
    }
    answers
}

/// Which content the file of each question had at a commit, where it was there.
fn contents_of(
    objects: &mut ObjectReader,
    commit: &CommitId,
    asked: &[usize],
    questions: &[Stood<'_>],
) -> Vec<(usize, ObjectId)> {
    let root = ObjectId::from_hex(commit.as_str().as_bytes()).ok();
    let root = root.and_then(|id| Some(objects.repo().find_commit(id).ok()?.tree_id().ok()?.detach()));
    let Some(root) = root else { return Vec::new() };
    let mut known: BTreeMap<&str, Option<ObjectId>> = BTreeMap::new();
    let found = asked.iter().filter_map(|at| {
        let file = questions.get(*at)?.item.file.as_str();
        let content = *known.entry(file).or_insert_with(|| content_at(objects, root, file));
        Some((*at, content?))
    });
    found.collect()
}

/// The content of a file below a tree. A name that is no UTF-8 is not found.
fn content_at(objects: &mut ObjectReader, root: ObjectId, file: &str) -> Option<ObjectId> {
    let hash = objects.repo().object_hash();
    file.split('/').try_fold(root, |folder, name| {
        let tree: Rc<Vec<u8>> = objects.read(folder).ok()?;
        let mut entries = TreeRefIter::from_bytes(&tree, hash).filter_map(Result::ok);
        entries.find(|entry| entry.filename == name).map(|entry| entry.oid.to_owned())
    })
}

/// The questions about one file that are answered with yes.
fn read(objects: &mut ObjectReader, versions: &[(usize, ObjectId)], questions: &[Stood<'_>]) -> Vec<usize> {
    let of_one_content = versions.chunk_by(|(_, one), (_, other)| one == other);
    let mut stood = Vec::new();
    for asked in of_one_content {
        let Some((_, id)) = asked.first() else { continue };
        let bytes = objects.read(*id).ok();
        let Some(text) = bytes.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok()) else { continue };
        let mut items = None;
        stood.extend(asked.iter().map(|(at, _)| *at).filter(|at| {
            questions.get(*at).is_some_and(|Stood { item, .. }| {
                let is_as_written = !item.text.is_empty() && text.contains(&item.text);
                is_as_written || items.get_or_insert_with(|| FileItems::read(text)).holds(item)
            })
        }));
    }
    stood
}
