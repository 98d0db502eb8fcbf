//! Revisions under the labels that the lock recorded.
//!
//! A commit gets another label when somebody tags it, or takes a tag away. The lock keeps the label that it saw, so
//! whatever is compared with the lock is called what the lock calls it.

use std::collections::{BTreeMap, BTreeSet};

use mappings::Lock;
use upstream::{CommitId, Revision, RevisionLabel};

/// The labels that a lock recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    by_commit: BTreeMap<CommitId, RevisionLabel>,
    by_label: BTreeMap<String, CommitId>,
}

impl Labels {
    pub(crate) fn of(lock: &Lock) -> Self {
        let recorded = || lock.revisions.iter().map(|recorded| (&recorded.commit, &recorded.revision));
        Self {
            by_commit: recorded().map(|(commit, label)| (commit.clone(), label.clone())).collect(),
            by_label: recorded().map(|(commit, label)| (label.to_string(), commit.clone())).collect(),
        }
    }

    /// The commit that the lock recorded under a label.
    pub(crate) fn commit(&self, label: &str) -> Option<&CommitId> {
        self.by_label.get(label)
    }

    /// The revisions, each that the lock recorded under its recorded label. Another one that has come to be called
    /// so goes by its commit.
    pub(crate) fn applied(&self, mut known: Vec<Revision>) -> Vec<Revision> {
        let mut taken = BTreeSet::new();
        for revision in &mut known {
            if let Some(label) = self.by_commit.get(&revision.commit) {
                revision.label = label.clone();
                taken.insert(label);
            }
        }
        let is_double = |revision: &Revision| {
            taken.contains(&revision.label) && self.by_commit.get(&revision.commit) != Some(&revision.label)
        };
        for revision in known.iter_mut().filter(|revision| is_double(revision)) {
            if let Ok(label) = RevisionLabel::new(revision.commit.as_str()) {
                revision.label = label;
            }
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use mappings::{Disposition, RecordedRevision};

    use super::*;

    fn revision(label: &str, digit: char) -> Revision {
        Revision {
            label: RevisionLabel::new(label).unwrap(),
            commit: CommitId::new(digit.to_string().repeat(40)).unwrap(),
            summary: String::new(),
            published_s: None,
            withdrawn: false,
        }
    }

    fn labels(recorded: &[(&str, char)]) -> Labels {
        let recorded = recorded.iter().map(|(label, digit)| revision(label, *digit));
        let revisions: Vec<RecordedRevision> = recorded
            .map(|revision| RecordedRevision {
                revision: revision.label,
                commit: revision.commit,
                disposition: Disposition::Adopted,
                reason: String::new(),
            })
            .collect();
        let last = revisions.last().unwrap().clone();
        Labels::of(&Lock {
            source: String::new(),
            baseline: last.revision,
            commit: last.commit,
            links: BTreeMap::new(),
            revisions,
            parked: BTreeMap::new(),
            held: BTreeMap::new(),
        })
    }

    fn applied(labels: &Labels, known: &[(&str, char)]) -> Vec<String> {
        let known = known.iter().map(|(label, digit)| revision(label, *digit)).collect();
        labels.applied(known).into_iter().map(|revision| revision.label.to_string()).collect()
    }

    #[test]
    fn a_commit_that_was_tagged_later_keeps_its_recorded_label() {
        let labels = labels(&[("aaaa", 'a'), ("bbbb", 'b')]);
        assert_eq!(applied(&labels, &[("aaaa", 'a'), ("v1", 'b'), ("v2", 'c')]), ["aaaa", "bbbb", "v2"]);
        assert_eq!(labels.commit("bbbb"), Some(&revision("v1", 'b').commit));
        assert_eq!(labels.commit("v1"), None);
    }

    #[test]
    fn a_tag_that_was_moved_leaves_the_recorded_commit_its_label() {
        let labels = labels(&[("v1", 'a')]);
        let moved = applied(&labels, &[("aaaa", 'a'), ("v1", 'b')]);
        assert_eq!(moved, ["v1".to_owned(), "b".repeat(40)]);
        // Where the recorded commit is there no longer, the tag means what it means.
        assert_eq!(applied(&labels, &[("v1", 'b')]), ["v1"]);
    }
}
