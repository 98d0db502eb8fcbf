//! Whether the revisions that the lock records are the upstream's.

use std::collections::{BTreeMap, BTreeSet};

use upstream::{Revision, RevisionLabel};

use super::Disposition;
use super::check::{CheckInput, LockFinding};

/// The recorded revisions are the upstream's, at the same commits and in the same order. Gives those that are in its
/// history no more.
pub(super) fn check_records<'a>(
    input: &CheckInput<'a>,
    findings: &mut Vec<LockFinding>,
) -> BTreeSet<&'a RevisionLabel> {
    let known: BTreeMap<&RevisionLabel, (usize, &Revision)> =
        input.revisions.iter().enumerate().map(|(at, revision)| (&revision.label, (at, revision))).collect();
    let newest_known =
        input.lock.revisions.iter().rposition(|recorded| known.contains_key(&recorded.revision));
    let mut newest: Option<(usize, &RevisionLabel)> = None;
    let mut left = BTreeSet::new();
    for (place, recorded) in input.lock.revisions.iter().enumerate() {
        let label = &recorded.revision;
        let Some((at, revision)) = known.get(label) else {
            // The objects of a lost past need not be on every machine. Where the history was followed further since,
            // that it was rewritten is what explains the record, and nothing hides behind it: each revision of the
            // history is looked for in the lock, and each link is held against the baseline.
            let followed = newest_known.is_some_and(|newest| newest > place);
            let (revision, commit) = (label.clone(), recorded.commit.clone());
            findings.push(if followed || (input.was_there)(&commit) {
                left.insert(label);
                LockFinding::LeftHistory { revision, commit }
            } else {
                LockFinding::UnknownRevision { revision, place: "the recorded revisions".to_owned() }
            });
            continue;
        };
        if revision.commit != recorded.commit {
            findings.push(LockFinding::CommitDiffers {
                revision: label.clone(),
                recorded: recorded.commit.clone(),
                actual: revision.commit.clone(),
            });
        }
        match newest {
            Some((newer_at, newer)) if newer_at > *at => {
                findings.push(LockFinding::OutOfOrder { revision: label.clone(), newer: newer.clone() });
            }
            Some(_) | None => newest = Some((*at, label)),
        }
        if revision.withdrawn && recorded.disposition != Disposition::Withdrawn {
            let recorded = Some(recorded.disposition);
            findings.push(LockFinding::Withdrawn { revision: label.clone(), recorded });
        }
        if !revision.withdrawn && recorded.disposition == Disposition::Withdrawn {
            findings.push(LockFinding::NotWithdrawn { revision: label.clone() });
        }
    }
    left
}

/// Every revision from the first recorded one that is still in the history to the baseline has a disposition.
pub(super) fn check_lost(input: &CheckInput<'_>, findings: &mut Vec<LockFinding>) {
    let place = |label: &RevisionLabel| input.revisions.iter().position(|known| known.label == *label);
    let recorded: BTreeSet<&RevisionLabel> =
        input.lock.revisions.iter().map(|recorded| &recorded.revision).collect();
    let first = input.lock.revisions.iter().find_map(|recorded| place(&recorded.revision));
    let (Some(first), Some(last)) = (first, place(&input.lock.baseline)) else { return };
    let span = input.revisions.get(first..=last).unwrap_or_default();
    for revision in span.iter().filter(|revision| !recorded.contains(&revision.label)) {
        let revision_label = revision.label.clone();
        findings.push(if revision.withdrawn {
            LockFinding::Withdrawn { revision: revision_label, recorded: None }
        } else {
            LockFinding::Lost { revision: revision_label }
        });
    }
}
