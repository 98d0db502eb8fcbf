//! The order of tags: by version where their names hold one, by commit time where not.

use semver::Version;

use crate::revision::Revision;

/// Sorts revisions, oldest first.
///
/// Versions are in version order. A tag without a version stands behind the last version that is not
/// younger than it; so the order is total, and one odd tag does not disturb the others.
pub(super) fn in_version_order(revisions: Vec<Revision>) -> Vec<Revision> {
    let (mut versions, mut others) = (Vec::new(), Vec::new());
    for revision in revisions {
        match version_in(revision.label.as_str()) {
            Some(version) => versions.push((version, revision)),
            None => others.push(revision),
        }
    }
    versions.sort_by(|(left, left_at), (right, right_at)| {
        left.cmp(right).then_with(|| left_at.label.cmp(&right_at.label))
    });
    others.sort_by(|left, right| {
        left.published_s.cmp(&right.published_s).then_with(|| left.label.cmp(&right.label))
    });
    let place = |other: &Revision| {
        versions
            .iter()
            .rposition(|(_, version)| version.published_s <= other.published_s)
            .map_or(0, |at| at + 1)
    };
    let places: Vec<usize> = others.iter().map(place).collect();
    let mut waiting = others.into_iter().zip(places).collect::<Vec<_>>();
    // Stable, so those at one place stay in the order of their times.
    waiting.sort_by_key(|(_, place)| *place);
    let mut waiting = waiting.into_iter().peekable();
    let mut ordered = Vec::new();
    for (at, (_, version)) in versions.into_iter().enumerate() {
        while let Some((other, _)) = waiting.next_if(|(_, place)| *place <= at) {
            ordered.push(other);
        }
        ordered.push(version);
    }
    ordered.extend(waiting.map(|(other, _)| other));
    ordered
}

/// Sorts revisions, oldest first, by the dates of their commits.
pub(super) fn in_date_order(mut revisions: Vec<Revision>) -> Vec<Revision> {
    let version = |revision: &Revision| version_in(revision.label.as_str());
    revisions.sort_by(|left, right| {
        let by_date = left.published_s.cmp(&right.published_s);
        by_date.then_with(|| version(left).cmp(&version(right))).then_with(|| left.label.cmp(&right.label))
    });
    revisions
}

/// The version in a tag's name: `1.2.3`, `v1.2.3`, `krate-1.2.3`, `krate/v1.2.3`, `release-1.2.3-rc.1`.
pub(super) fn version_in(tag: &str) -> Option<Version> {
    let mut before = None;
    for (at, character) in tag.char_indices() {
        let begins = character.is_ascii_digit()
            && !before.is_some_and(|before: char| before.is_ascii_digit() || before == '.');
        if begins && let Some(version) = tag.get(at..).and_then(|rest| Version::parse(rest).ok()) {
            return Some(version);
        }
        before = Some(character);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CommitId, RevisionLabel};

    fn revision(label: &str, published_s: i64) -> Revision {
        Revision {
            label: RevisionLabel::new(label).unwrap(),
            commit: CommitId::new("0".repeat(40)).unwrap(),
            summary: String::new(),
            published_s: Some(published_s),
            withdrawn: false,
        }
    }

    fn check(tags: &[(&str, i64)], expected: &[&str]) {
        let revisions = tags.iter().map(|(label, time)| revision(label, *time)).collect();
        let ordered = in_version_order(revisions);
        let labels: Vec<_> = ordered.iter().map(|revision| revision.label.as_str()).collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn versions_come_in_version_order_whatever_their_dates() {
        check(
            &[("v1.10.0", 5), ("v1.9.0", 6), ("v2.0.0-rc.1", 1), ("v2.0.0", 0)],
            &["v1.9.0", "v1.10.0", "v2.0.0-rc.1", "v2.0.0"],
        );
    }

    #[test]
    fn tags_without_a_version_stand_by_their_date_between_versions() {
        check(
            &[("nightly", 15), ("before", 1), ("v1.0.0", 10), ("v1.1.0", 20), ("last", 30)],
            &["before", "v1.0.0", "nightly", "v1.1.0", "last"],
        );
    }

    #[test]
    fn prefixes_do_not_hide_a_version() {
        check(
            &[("strsim-0.10.0", 2), ("strsim/v0.9.3", 1), ("b2-0.9.4", 0)],
            &["strsim/v0.9.3", "b2-0.9.4", "strsim-0.10.0"],
        );
    }
}
