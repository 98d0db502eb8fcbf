//! What is replayed: a commit of the port, and the upstream revision that it is to follow next.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use mappings::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upstream::{CommitId, RevisionLabel, TreeId};

use crate::session::{LOCK_NAME, Session};

/// How far a port's history is looked through, in commits.
const COMMITS_MAX: usize = 100_000;

/// One revision to replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Case {
    /// What people call it, unique in a backtest.
    pub name: String,
    /// The commit of the port before it followed.
    pub port: String,
    /// The upstream revision that the port equalled then.
    pub before: String,
    /// The upstream revision that it is to follow.
    pub after: String,
    /// The commit of `after` in the mirror.
    pub after_commit: String,
    /// The commit of the port with the real answer, where there is one.
    pub answer: Option<String>,
}

/// The cases, oldest first, and what was passed over.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    pub(crate) cases: Vec<Case>,
    pub(crate) notes: Vec<String>,
}

/// The part of the upstream's history whose revisions are replayed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Range {
    /// The first one.
    pub(crate) from: Option<String>,
    /// The last one.
    pub(crate) to: Option<String>,
    /// No more than so many, the newest ones.
    pub(crate) last: Option<usize>,
}

/// A commit of the port with its lock.
struct Locked {
    commit: CommitId,
    lock: Option<Arc<Lock>>,
}

/// Each commit of the port's branch that moved the baseline forward is a case.
pub(crate) fn from_history(session: &Session, range: &Range) -> Result<Cases> {
    let (commits, mut notes) = locked(session)?;
    let source = session.settings.source.to_string();
    let moves: Vec<(usize, &Locked, &Lock, &Lock)> = commits
        .iter()
        .zip(commits.iter().skip(1))
        .enumerate()
        .filter_map(|(at, (before, after))| {
            let (old, new) = (before.lock.as_deref()?, after.lock.as_deref()?);
            let moved = old.commit != new.commit && old.source == source && new.source == source;
            moved.then_some((at + 1, before, old, new))
        })
        .collect();
    let Some((_, _, first, _)) = moves.first() else { return Ok(Cases { cases: Vec::new(), notes }) };
    session.poll(Some(&first.baseline))?;
    let known = session.mirror.revisions()?;
    let place = |commit: &CommitId| known.iter().position(|revision| revision.commit == *commit);
    let named = |name: Option<&str>| -> Result<Option<usize>> {
        let Some(name) = name else { return Ok(None) };
        let revision = session.revision(name)?;
        Ok(Some(
            place(&revision.commit)
                .with_context(|| format!("{name} is not in the history that is followed"))?,
        ))
    };
    let (from, to) = (named(range.from.as_deref())?, named(range.to.as_deref())?);
    let mut cases = Vec::new();
    for (at, before, old, new) in moves {
        let (Some(was), Some(is)) = (place(&old.commit), place(&new.commit)) else {
            notes.push(format!("{} -> {}: the upstream has one of them no more", old.baseline, new.baseline));
            continue;
        };
        if is <= was || from.is_some_and(|from| is < from) || to.is_some_and(|to| is > to) {
            continue;
        }
        cases.push(Case {
            name: name_of(&old.baseline, &new.baseline),
            port: before.commit.to_string(),
            before: old.baseline.to_string(),
            after: new.baseline.to_string(),
            after_commit: new.commit.to_string(),
            answer: answer(&commits, at, old, new).map(ToString::to_string),
        });
    }
    let surplus = cases.len().saturating_sub(range.last.unwrap_or(usize::MAX));
    cases.drain(..surplus);
    Ok(Cases { cases: with_unique_names(cases), notes })
}

/// The first commit from the landing on that holds the whole of it: a landing in part is completed by a person, and
/// only that is an answer.
fn answer<'a>(commits: &'a [Locked], at: usize, old: &Lock, new: &Lock) -> Option<&'a CommitId> {
    let later = commits.iter().skip(at);
    let same = later.take_while(|one| one.lock.as_ref().is_some_and(|lock| lock.commit == new.commit));
    let is_whole = |one: &&Locked| {
        one.lock.as_ref().is_some_and(|lock| lock.parked.keys().all(|item| old.parked.contains_key(item)))
    };
    same.filter(is_whole).map(|one| &one.commit).next()
}

/// The port's branch, oldest commit first, along first parents.
fn locked(session: &Session) -> Result<(Vec<Locked>, Vec<String>)> {
    let mut line: Vec<(CommitId, TreeId)> = Vec::new();
    let mut at = Some(session.head()?.commit);
    while let Some(commit) = at.filter(|_| line.len() < COMMITS_MAX) {
        let info = session.port.commit_info(&commit)?;
        line.push((commit, info.tree));
        // Where the history was cut off, its last commit names a parent that is not there.
        at = info.parents.into_iter().next().filter(|parent| session.port.has_commit(parent));
    }
    let mut notes = Vec::new();
    let mut commits: Vec<Locked> = Vec::new();
    let mut last: Option<(Vec<u8>, Option<Arc<Lock>>)> = None;
    for (commit, tree) in line.into_iter().rev() {
        let bytes = session.port.read(&tree, LOCK_NAME)?;
        let lock = match (&last, bytes) {
            (_, None) => None,
            (Some((known, lock)), Some(bytes)) if *known == bytes => lock.clone(),
            (_, Some(bytes)) => {
                let lock = match Lock::parse(&String::from_utf8_lossy(&bytes)) {
                    Ok(lock) => Some(Arc::new(lock)),
                    Err(error) => {
                        notes.push(format!("the lock at {commit} cannot be read: {error}"));
                        None
                    }
                };
                last = Some((bytes, lock.clone()));
                lock
            }
        };
        commits.push(Locked { commit, lock });
    }
    Ok((commits, notes))
}

/// A line of a file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: Option<String>,
    port: String,
    before: Option<String>,
    after: String,
    answer: Option<String>,
}

/// Cases from a file with a JSON object a line.
pub(crate) fn from_file(session: &Session, path: &Path, text: &str) -> Result<Cases> {
    session.poll(None)?;
    let mut cases = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}:{}", path.display(), number + 1);
        let row: Row = serde_json::from_str(line).with_context(place)?;
        cases.push(of_row(session, row).with_context(place)?);
    }
    Ok(Cases { cases: with_unique_names(cases), notes: Vec::new() })
}

fn of_row(session: &Session, row: Row) -> Result<Case> {
    let port = in_port(session, &row.port)?;
    let answer = row.answer.as_deref().map(|answer| in_port(session, answer)).transpose()?;
    let tree = session.port.commit_info(&port)?.tree;
    let locked = match session.port.read(&tree, LOCK_NAME)? {
        Some(bytes) => Some(Lock::parse(&String::from_utf8_lossy(&bytes))?.baseline.to_string()),
        None => None,
    };
    let before = match (row.before, locked) {
        (None, None) => {
            anyhow::bail!("there is no `{LOCK_NAME}` at {port}, and `before` says not what it equals")
        }
        (Some(before), None) => session.revision(&before)?.label.to_string(),
        (None, Some(locked)) => locked,
        (Some(before), Some(locked)) => {
            let commit = |text: &str| session.revision(text).map(|revision| revision.commit);
            anyhow::ensure!(
                before == locked || commit(&before)? == commit(&locked)?,
                "`before` is {before}, and the lock at {port} says {locked}"
            );
            locked
        }
    };
    let after = session.revision(&row.after)?;
    let name = row.name.unwrap_or_else(|| name_of_text(&before, after.label.as_str()));
    Ok(Case {
        name,
        port: port.to_string(),
        before,
        after: after.label.to_string(),
        after_commit: after.commit.to_string(),
        answer: answer.map(|answer| answer.to_string()),
    })
}

fn in_port(session: &Session, text: &str) -> Result<CommitId> {
    let commit: CommitId = text.parse().context("the port's commits are named by all their 40 digits")?;
    anyhow::ensure!(session.port.has_commit(&commit), "the port has no commit {commit}");
    Ok(commit)
}

fn name_of(before: &RevisionLabel, after: &RevisionLabel) -> String {
    name_of_text(before.as_str(), after.as_str())
}

fn name_of_text(before: &str, after: &str) -> String {
    format!("{}..{}", shortened(before), shortened(after))
}

/// Commit ids are cut; what people named stays whole.
fn shortened(label: &str) -> String {
    let is_id = label.len() == 40 && label.chars().all(|digit| digit.is_ascii_hexdigit());
    label.chars().take(if is_id { 10 } else { usize::MAX }).collect()
}

/// A revision that was followed, taken back and followed again is two cases.
fn with_unique_names(mut cases: Vec<Case>) -> Vec<Case> {
    let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    for case in &mut cases {
        if names.iter().filter(|name| **name == case.name).count() > 1 {
            case.name = format!("{}@{}", case.name, shortened(&case.port));
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_unique() {
        let case = |port: &str| Case {
            name: name_of_text(&"a".repeat(40), "1.0.0"),
            port: port.repeat(40),
            before: String::new(),
            after: String::new(),
            after_commit: String::new(),
            answer: None,
        };
        let names = with_unique_names(vec![case("b"), case("c")]);
        let names: Vec<&str> = names.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["aaaaaaaaaa..1.0.0@bbbbbbbbbb", "aaaaaaaaaa..1.0.0@cccccccccc"]);
    }
}
