//! Rows of a history against the check.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;
use upstream::history::{ChangeKind, HistoryChange, HistoryRange, HistoryRow, Line, history};
use upstream::{CommitId, UpstreamRepo};

use super::against::{Claim, Disagreement, Verdict, declares_one_of, disagreements};
use super::differ::{Event, Side, events};
use super::git::{Changed, Git};
use super::{KINDS, Readings, Sampling, Tally, kind, plain, windows};

/// Compares windows of one repository's history.
pub(super) fn compare(path: &Path, name: &str, sampling: &Sampling, tally: &mut Tally) -> Result<()> {
    let (repo, git) = (UpstreamRepo::open(path)?, Git::new(path));
    let commits = git.commits()?;
    let mut seen = BTreeSet::new();
    let mut readings = Readings::default();
    for start in windows(commits.len(), sampling.revisions, sampling.window, sampling.seed) {
        let Some(newest) = commits.get(start) else { continue };
        let mut rows = rows_of(&repo, newest, sampling.window, Line::All)?;
        rows.retain(|row| seen.insert(row.revision.commit.clone()));
        window(&git, name, &rows, &mut readings, tally)?;
    }
    Ok(())
}

/// The rows of so many revisions.
pub(super) fn rows_of(repo: &UpstreamRepo, newest: &str, last: usize, line: Line) -> Result<Vec<HistoryRow>> {
    let range = HistoryRange { to: CommitId::new(newest)?, from: None, last: Some(last), line };
    let mut rows = Vec::new();
    history(repo, &range, None, &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn window(
    git: &Git,
    name: &str,
    rows: &[HistoryRow],
    readings: &mut Readings,
    tally: &mut Tally,
) -> Result<()> {
    let commits: Vec<String> = rows.iter().map(|row| row.revision.commit.to_string()).collect();
    let changed = changed_against_all(git, &commits)?;
    let ids = changed.iter().flatten().flat_map(|it| [&it.before, &it.after]).flatten().cloned().collect();
    let missing = readings.renew(git, &ids)?;
    for ((row, commit), changed) in rows.iter().zip(&commits).zip(&changed) {
        let lacks = |id: &Option<String>| id.as_ref().is_some_and(|id| missing.contains(id));
        if changed.iter().any(|it| lacks(&it.before) || lacks(&it.after)) {
            *tally.left_out.entry("object_missing").or_default() += 1;
            continue;
        }
        let verdict = revision(git, commit, row, changed, readings, tally)?;
        tally.count(name, commit, &verdict)?;
    }
    Ok(())
}

/// The Rust files that each revision changed against its parent, or, of a merge, against every parent.
fn changed_against_all(git: &Git, commits: &[String]) -> Result<Vec<Vec<Changed>>> {
    let parents = git.parents(commits)?;
    let of = |commit: &String| parents.get(commit).cloned().unwrap_or_default();
    let first: Vec<_> =
        commits.iter().map(|commit| (commit.clone(), of(commit).into_iter().next())).collect();
    let mut changed = git.changed(&first)?;
    for (commit, changed) in commits.iter().zip(&mut changed) {
        for other in of(commit).into_iter().skip(1) {
            let against: BTreeSet<String> = git
                .changed(&[(commit.clone(), Some(other))])?
                .into_iter()
                .flatten()
                .map(|changed| changed.file)
                .collect();
            changed.retain(|it| against.contains(&it.file));
        }
    }
    Ok(changed)
}

/// Compares one row.
pub(super) fn revision(
    git: &Git,
    commit: &str,
    row: &HistoryRow,
    changed: &[Changed],
    readings: &Readings,
    tally: &mut Tally,
) -> Result<Verdict> {
    let unread: BTreeSet<&str> = row.changes.unparsed.iter().map(|it| it.file.as_str()).collect();
    let told: BTreeSet<&str> = row.changes.items.iter().map(|it| it.file.as_str()).collect();
    let whole: BTreeSet<&str> = row.changes.files.iter().map(|it| it.file.as_str()).collect();
    let (mut check, mut set_aside, mut files) = (Vec::new(), BTreeSet::new(), Vec::new());
    for it in changed {
        let file = it.file.as_str();
        let sides = (readings.get(it.before.as_ref()), readings.get(it.after.as_ref()));
        let (Ok(before), Ok(after)) = sides else {
            *tally.set_aside.entry("files_the_check_cannot_read").or_default() += 1;
            set_aside.insert(file);
            continue;
        };
        let found = events(file, before, after);
        if unread.contains(file) {
            set_aside.insert(file);
            files.push(about_file(file, "the_product_cannot_read_it", &found));
        } else if whole.contains(file) && !told.contains(file) {
            set_aside.insert(file);
            if lies_where_targets_look(git, commit, it)? {
                files.push(about_file(file, "unexplained", &found));
            } else {
                *tally.set_aside.entry("files_that_no_target_reaches").or_default() += 1;
            }
        } else {
            check.extend(found);
        }
    }
    let aside: BTreeSet<String> = set_aside.iter().map(|file| (*file).to_owned()).collect();
    check.retain(|event| !declares_one_of(event, &aside));
    let claims = row.changes.items.iter().flat_map(claims).filter(|claim| {
        KINDS.contains(&claim.kind.as_str())
            && claim.file.as_deref().is_none_or(|file| !set_aside.contains(file))
    });
    let mut verdict = judged(git, commit, claims.collect(), check)?;
    if !set_aside.is_empty() {
        // Of an item that moved the row does not name the old file.
        verdict.disagreements.retain(|it| !(it.says == "only_product" && it.file.is_empty()));
    }
    verdict.disagreements.extend(files.into_iter().flatten());
    Ok(verdict)
}

/// Compares both accounts; names that attributes give to files are looked up only where something is left.
pub(super) fn judged(git: &Git, commit: &str, claims: Vec<Claim>, check: Vec<Event>) -> Result<Verdict> {
    let verdict = disagreements(claims.clone(), check.clone(), &[]);
    if verdict.disagreements.is_empty() {
        return Ok(verdict);
    }
    let parents = git.parents(&[commit.to_owned()])?;
    let mut named = git.paths_by_attribute(commit)?;
    for parent in parents.get(commit).into_iter().flatten() {
        named.extend(git.paths_by_attribute(parent)?);
    }
    Ok(disagreements(claims, check, &named))
}

fn about_file(file: &str, class: &'static str, found: &[Event]) -> Option<Disagreement> {
    let first = found.first()?;
    Some(Disagreement {
        says: "only_check",
        side: first.side,
        kind: "file".to_owned(),
        file: file.to_owned(),
        path: format!("{} items", found.len()),
        aspects: Vec::new(),
        class,
    })
}

/// Whether Cargo looks for modules where this file lies, by the place of the manifest above it.
fn lies_where_targets_look(git: &Git, commit: &str, changed: &Changed) -> Result<bool> {
    let folders: Vec<&str> =
        changed.file.match_indices('/').filter_map(|(at, _)| changed.file.get(..=at)).collect();
    let manifests =
        folders.iter().copied().chain([""]).map(|folder| format!("{commit}:{folder}Cargo.toml")).collect();
    let existing = git.existing(&manifests)?;
    let is_package = |folder: &&&str| existing.contains(&format!("{commit}:{folder}Cargo.toml"));
    let folder = folders.iter().rev().find(is_package).copied().unwrap_or_default();
    let inside = changed.file.strip_prefix(folder).unwrap_or(&changed.file);
    Ok(inside == "build.rs"
        || ["src/", "tests/", "benches/", "examples/"].iter().any(|at| inside.starts_with(at)))
}

/// What a row says of an item: one that moved was removed there and added here.
fn claims(change: &HistoryChange) -> Vec<Claim> {
    let claim = |side, file: Option<&String>, path| Claim {
        side,
        file: file.cloned(),
        path: plain(path),
        kind: kind(change.kind),
        aspects: change.aspects.names().collect(),
    };
    let here = Some(&change.file);
    match change.change {
        ChangeKind::Added => vec![claim(Side::Added, here, &change.path)],
        ChangeKind::Removed => vec![claim(Side::Removed, here, &change.path)],
        ChangeKind::Modified => vec![claim(Side::Modified, here, &change.path)],
        ChangeKind::Moved | ChangeKind::Renamed => {
            let from = change.from.iter().map(|from| claim(Side::Removed, None, from));
            from.chain([claim(Side::Added, here, &change.path)]).collect()
        }
    }
}
