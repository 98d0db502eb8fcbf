//! The full diff, from two snapshots, against the check and against the row of the same revision.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use upstream::history::Line;
use upstream::snapshot::{Snapshot, SnapshotReader};
use upstream::{ItemChange, UpstreamRepo, diff};

use super::against::{Claim, Verdict, declaration_of, declares_one_of};
use super::differ::{Side, events};
use super::git::{Changed, Git};
use super::rows::{judged, revision, rows_of};
use super::{KINDS, Readings, Sampling, Tally, kind, plain, windows};

/// Revisions that stand side by side: a snapshot serves as the newer and as the older side.
const SIDE_BY_SIDE: usize = 10;

/// Compares a sample of one repository's first-parent line.
pub(super) fn compare(path: &Path, name: &str, sampling: &Sampling, tally: &mut Tally) -> Result<()> {
    let (repo, git) = (UpstreamRepo::open(path)?, Git::new(path));
    let commits = git.first_parents()?;
    let mut readings = Readings::default();
    for start in windows(commits.len(), sampling.full, SIDE_BY_SIDE, sampling.seed) {
        let Some(newest) = commits.get(start) else { continue };
        let rows = rows_of(&repo, newest, SIDE_BY_SIDE, Line::FirstParent)?;
        let mut reader = SnapshotReader::default();
        let pairs: Vec<(String, Option<String>)> = commits
            .iter()
            .skip(start)
            .take(SIDE_BY_SIDE)
            .cloned()
            .zip(commits.iter().skip(start + 1).cloned().map(Some))
            .collect();
        let changed = git.changed(&pairs)?;
        let ids =
            changed.iter().flatten().flat_map(|it| [&it.before, &it.after]).flatten().cloned().collect();
        let missing = readings.renew(&git, &ids)?;
        let mut newer: Option<Snapshot> = None;
        for (((commit, parent), changed), row) in pairs.iter().zip(&changed).zip(&rows) {
            let lacks = |id: &Option<String>| id.as_ref().is_some_and(|id| missing.contains(id));
            let mut take = |commit: &str| -> Result<Option<Snapshot>> {
                let revision = repo.revision(&upstream::CommitId::new(commit)?)?;
                Ok(reader.read(&repo.tree(&revision.commit)?, &revision).ok())
            };
            let after = match newer.take() {
                Some(snapshot) => Some(snapshot),
                None => take(commit)?,
            };
            let before = match parent {
                Some(parent) => take(parent)?,
                None => None,
            };
            let both = before.as_ref().zip(after.as_ref());
            let whole = !changed.iter().any(|it| lacks(&it.before) || lacks(&it.after));
            match both.filter(|_| whole) {
                Some((before, after)) => {
                    let verdict = one(&git, commit, before, after, changed, &readings, tally)?;
                    let by_row = revision(&git, commit, row, changed, &readings, &mut Tally::new("rows"))?;
                    tally.as_rows +=
                        usize::from(verdict.disagreements.is_empty() && by_row.disagreements.is_empty());
                    tally.count(name, commit, &verdict)?;
                }
                None => *tally.left_out.entry("object_missing").or_default() += 1,
            }
            newer = before;
        }
    }
    Ok(())
}

fn one(
    git: &Git,
    commit: &str,
    before: &Snapshot,
    after: &Snapshot,
    changed: &[Changed],
    readings: &Readings,
    tally: &mut Tally,
) -> Result<Verdict> {
    let diff = diff::compare(before, after);
    let spoken = |snapshot: &Snapshot| -> BTreeSet<String> {
        snapshot.items.values().map(|item| item.file.clone()).collect()
    };
    let (spoken_before, spoken_after) = (spoken(before), spoken(after));
    let unparsed: BTreeSet<&str> =
        before.unparsed.iter().chain(&after.unparsed).map(|it| it.file.as_str()).collect();
    let (mut check, mut set_aside) = (Vec::new(), BTreeSet::new());
    let mut aside = |reason: &'static str, file: &str| {
        *tally.set_aside.entry(reason).or_default() += 1;
        set_aside.insert(file.to_owned());
    };
    for it in changed {
        let (there, here) = (spoken_before.contains(&it.file), spoken_after.contains(&it.file));
        let sides = (readings.get(it.before.as_ref()), readings.get(it.after.as_ref()));
        let (Ok(old), Ok(new)) = sides else {
            aside("files_the_check_cannot_read", &it.file);
            continue;
        };
        if unparsed.contains(it.file.as_str()) {
            aside("files_the_parser_complains_of", &it.file);
        } else if (!there && it.before.is_some()) || (!here && it.after.is_some()) {
            aside("files_that_no_module_names", &it.file);
        } else {
            check.extend(events(&it.file, old, new));
        }
    }
    check.retain(|event| !declares_one_of(event, &set_aside));
    let files: BTreeSet<&str> = changed.iter().map(|it| it.file.as_str()).collect();
    let mut told = Vec::new();
    for mut claim in diff.items.iter().flat_map(claims) {
        let file = claim.file.clone().unwrap_or_default();
        let by_place = claim.side == Side::Modified && claim.aspects.iter().all(|it| seen_from_elsewhere(it));
        // To the check, who may name a module is said where it is declared.
        let is_elsewhere = by_place || !files.contains(file.as_str());
        if is_elsewhere
            && claim.kind == "module"
            && !check.iter().any(|event| event.file == file && event.path.is_empty())
            && let Some(event) = declaration_of(&file, &check)
        {
            claim.file = Some(event.file.clone());
            told.push(claim);
            continue;
        }
        if !KINDS.contains(&claim.kind.as_str()) || set_aside.contains(&file) {
            continue;
        }
        if !files.contains(file.as_str()) {
            // A declaration in another file took it in, left it out, showed it or hid it.
            *tally.set_aside.entry("items_of_unchanged_files").or_default() += 1;
        } else if by_place
            && !check.iter().any(|event| event.file == file && claim.path.ends_with(&event.path))
        {
            *tally.set_aside.entry("items_shown_or_hidden_from_elsewhere").or_default() += 1;
        } else {
            told.push(claim);
        }
    }
    Ok(without_elsewhere(judged(git, commit, once_each(told), check)?))
}

/// Aspects that can change while the file says the same.
fn seen_from_elsewhere(aspect: &str) -> bool {
    matches!(aspect, "visibility" | "attributes")
}

/// A file in several targets is told of in each: one account is enough.
fn once_each(claims: Vec<Claim>) -> Vec<Claim> {
    let mut crates: BTreeMap<(String, bool), String> = BTreeMap::new();
    let mut kept = Vec::new();
    for claim in claims {
        // A crate that has another name now is one before and another after.
        let at = (claim.file.clone().unwrap_or_default(), claim.side == Side::Removed);
        let own = claim.path.split("::").next().unwrap_or_default().to_owned();
        if *crates.entry(at).or_insert_with(|| own.clone()) == own {
            kept.push(claim);
        }
    }
    kept
}

/// Without changes of nothing but what stands elsewhere: the check cannot see those.
fn without_elsewhere(mut verdict: Verdict) -> Verdict {
    verdict.disagreements.retain(|it| {
        !(it.says == "only_product"
            && it.side == Side::Modified
            && it.aspects.iter().all(|aspect| seen_from_elsewhere(aspect)))
    });
    verdict.aspects.retain(|it| !it.aspects.iter().all(|aspect| seen_from_elsewhere(aspect)));
    verdict
}

fn claims(change: &ItemChange) -> Vec<Claim> {
    let claim = |side, item: &upstream::Item, aspects: Option<&diff::Aspects>| Claim {
        side,
        file: Some(item.file.clone()),
        path: plain(&item.path),
        kind: kind(item.kind),
        aspects: aspects.map(|it| it.names().collect()).unwrap_or_default(),
    };
    match change {
        ItemChange::Added { after } => vec![claim(Side::Added, after, None)],
        ItemChange::Removed { before } => vec![claim(Side::Removed, before, None)],
        ItemChange::Modified { after, aspects, .. } => vec![claim(Side::Modified, after, Some(aspects))],
        ItemChange::Relocated { before, after, .. } => {
            vec![claim(Side::Removed, before, None), claim(Side::Added, after, None)]
        }
    }
}
