//! What is held on a day, with the revisions looked up.

use upstream::snapshot::Item;
use upstream::{ItemPath, Revision, RevisionLabel};

use super::{About, Decision, DecisionWord, ItemPattern};

/// Gives an item as it was at a revision.
pub type ItemAt<'a> = dyn Fn(&RevisionLabel, &ItemPath) -> Option<Item> + 'a;

/// How much of a commit must be given to name a revision by it.
const COMMIT_LETTERS_MIN: usize = 7;

/// What the decisions of a day hold.
#[derive(Debug, Clone, Default)]
pub struct Holds {
    items: Vec<(ItemPattern, Hold)>,
    revisions: Vec<RevisionHold>,
    pin: Option<Pin>,
}

/// Why something is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Which decision, from 1.
    pub number: usize,
    /// `Declined` or `Deferred`.
    pub word: DecisionWord,
    /// The reason, with who answers for it and until when.
    pub reason: String,
}

/// A revision whose changes are held.
#[derive(Debug, Clone)]
struct RevisionHold {
    label: RevisionLabel,
    /// The revision before it.
    before: RevisionLabel,
    hold: Hold,
}

/// The revision that the port goes no further than.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The revision.
    pub revision: RevisionLabel,
    /// Why, and until when.
    pub hold: Hold,
}

/// A decision names a revision that the upstream does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{decision} names a revision that the upstream does not have; write one that `tidelock status` knows, \
     or take the decision out"
)]
pub struct UnknownRevision {
    /// The decision.
    pub decision: String,
}

impl Holds {
    pub(super) fn new<'a>(
        active: impl Iterator<Item = &'a Decision>,
        revisions: &[Revision],
    ) -> Result<Self, UnknownRevision> {
        let mut holds = Self::default();
        let mut pinned_at: Option<usize> = None;
        for decision in active {
            let hold = Hold { number: decision.number, word: decision.word, reason: decision.told() };
            let label = match &decision.about {
                About::Items(pattern) => {
                    holds.items.push((pattern.clone(), hold));
                    continue;
                }
                About::Revision(label) => label,
            };
            let at =
                find(revisions, label).ok_or_else(|| UnknownRevision { decision: decision.to_string() })?;
            let Some(revision) = revisions.get(at) else { continue };
            if decision.word != DecisionWord::Pinned {
                let before = at.checked_sub(1).and_then(|at| revisions.get(at));
                // Before the first revision there is nothing that it could have changed.
                holds.revisions.extend(before.map(|before| RevisionHold {
                    label: revision.label.clone(),
                    before: before.label.clone(),
                    hold,
                }));
            } else if pinned_at.is_none_or(|pinned| at < pinned) {
                // Of several pins the oldest holds.
                pinned_at = Some(at);
                holds.pin = Some(Pin { revision: revision.label.clone(), hold });
            }
        }
        Ok(holds)
    }

    /// The revision that the port goes no further than.
    pub fn pin(&self) -> Option<&Pin> {
        self.pin.as_ref()
    }

    /// Why a whole revision is held.
    pub fn of_revision(&self, label: &RevisionLabel) -> Option<&Hold> {
        self.revisions.iter().find(|held| held.label == *label).map(|held| &held.hold)
    }

    /// Why items under this path are held, whatever changes in them.
    pub fn of_path(&self, path: &ItemPath) -> Option<&Hold> {
        self.items.iter().find(|(pattern, _)| pattern.matches(path)).map(|(_, hold)| hold)
    }

    /// Why the change of an item is held: the item itself, or the revision that last changed it. `after` is its
    /// state at the target.
    pub fn of_item(&self, path: &ItemPath, after: Option<&Item>, item_at: &ItemAt<'_>) -> Option<&Hold> {
        let changed_it = |held: &&RevisionHold| {
            let at_revision = item_at(&held.label, path);
            is_same(at_revision.as_ref(), after)
                && !is_same(item_at(&held.before, path).as_ref(), at_revision.as_ref())
        };
        self.of_path(path).or_else(|| self.revisions.iter().find(changed_it).map(|held| &held.hold))
    }
}

fn is_same(one: Option<&Item>, other: Option<&Item>) -> bool {
    let state = |item: &Item| (item.fingerprint.combined(), item.is_test);
    one.map(state) == other.map(state)
}

/// The place of a revision among all, by its label or the beginning of its commit.
fn find(revisions: &[Revision], wanted: &RevisionLabel) -> Option<usize> {
    let by_label = revisions.iter().position(|revision| revision.label == *wanted);
    let by_commit = || {
        let text = wanted.as_str();
        let mut found = revisions.iter().enumerate().filter(|(_, revision)| {
            text.len() >= COMMIT_LETTERS_MIN && revision.commit.as_str().starts_with(text)
        });
        found.next().filter(|_only| found.next().is_none()).map(|(at, _)| at)
    };
    by_label.or_else(by_commit)
}
