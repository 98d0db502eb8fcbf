//! The class of a row: the strongest thing that any of its changes can do.

use super::row::{ChangeKind, Confidence, HistoryChange};
use crate::diff::{DependencyChange, FileChange, RevisionClass, class_of_file};
use crate::snapshot::ItemKind;

/// A change with what its place tells.
pub(super) struct Classed<'a> {
    pub(super) change: &'a HistoryChange,
    /// Whether a declaration in another file could make it private, or test code.
    pub(super) by_place: bool,
}

/// The class of everything together, and how sure it is.
pub(super) fn class_of<'a>(
    items: impl Iterator<Item = Classed<'a>>,
    files: &[(FileChange, bool)],
    dependencies: &[DependencyChange],
    anything_unread: bool,
) -> (RevisionClass, Confidence) {
    let mut class = RevisionClass::NoBehaviourChange;
    let mut by_place = false;
    for item in items {
        let own = class_of_item(item.change);
        if own > class {
            (class, by_place) = (own, item.by_place);
        } else if own == class {
            // One change that is sure of it is enough.
            by_place &= item.by_place;
        }
    }
    for (file, in_sources) in files {
        class = class.max(class_of_file(&file.file, *in_sources));
    }
    if !dependencies.is_empty() {
        class = class.max(RevisionClass::Dependencies);
    }
    let rests_on_place = by_place && class >= RevisionClass::InternalBehaviour;
    let confidence = match (anything_unread, rests_on_place) {
        (true, _) => Confidence::Unknown,
        (false, true) => Confidence::Likely,
        (false, false) => Confidence::Certain,
    };
    (class, confidence)
}

fn class_of_item(change: &HistoryChange) -> RevisionClass {
    if change.test || change.path.krate().contains("[example:") {
        return RevisionClass::NoBehaviourChange;
    }
    let surface = match change.change {
        ChangeKind::Added => Some(RevisionClass::PublicApiAdded),
        ChangeKind::Removed | ChangeKind::Moved | ChangeKind::Renamed => {
            Some(RevisionClass::PublicApiRemoved)
        }
        ChangeKind::Modified => {
            let shows_attributes = change.aspects.attributes
                && change.kind != ItemKind::Module
                && change.kind != ItemKind::Function;
            let changed = match change.became_public {
                Some(true) => RevisionClass::PublicApiAdded,
                Some(false) => RevisionClass::PublicApiRemoved,
                None => RevisionClass::PublicApiChanged,
            };
            let shows = change.aspects.signature || change.aspects.visibility || shows_attributes;
            shows.then_some(changed)
        }
    };
    let inside = if change.touches_behaviour() {
        RevisionClass::InternalBehaviour
    } else {
        RevisionClass::NoBehaviourChange
    };
    surface.filter(|_| change.public).unwrap_or(inside)
}
