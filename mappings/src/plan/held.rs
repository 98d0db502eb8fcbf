//! Changes that are passed over on purpose: what people decided, and what no rule has a place for.
//!
//! They are written into the lock, so that they are planned when the decision ends or a rule speaks of them. It
//! costs nothing to carry one on: as long as nothing about it is new, its earlier states are not looked at.

use upstream::ItemPath;
use upstream::diff::{ItemChange, item_change};
use upstream::snapshot::Item;

use super::{PlanError, PlanInput};
use crate::decision::{DecisionWord, Hold};
use crate::lock::{Disposition, HeldItem};
use crate::mapping::Placement;
use crate::unit::SkipReason;

/// Whether an item was passed over before, did not change since, and is to be passed over still.
pub(super) fn is_still_held(
    input: &PlanInput<'_>,
    path: &ItemPath,
    item: &Item,
    something_moved: bool,
) -> Result<bool, PlanError> {
    let Some(held) = input.lock.held.get(path) else { return Ok(false) };
    let may_have_moved = something_moved && !input.lock.links.contains_key(path);
    if may_have_moved || item_change(input.baseline.items.get(path), Some(item)).is_some() {
        return Ok(false);
    }
    let hold = input.holds.of_item(path, Some(item), input.item_at);
    let is_left_alone = |wanted: SkipReason| -> Result<bool, PlanError> {
        Ok(match input.mapping.place(item)? {
            Placement::Skipped { why, .. } => why == wanted,
            Placement::Mapped { .. } => false,
        })
    };
    Ok(match held.disposition {
        Disposition::NotPorted => hold.is_none() && is_left_alone(SkipReason::Unmapped)?,
        // By a decision, or by a rule that ignores it until a day.
        Disposition::Deferred => {
            hold.is_some_and(|hold| says(hold, held)) || is_left_alone(SkipReason::Deferred)?
        }
        Disposition::Declined
        | Disposition::Adopted
        | Disposition::Landed
        | Disposition::Absorbed
        | Disposition::Parked
        | Disposition::Withdrawn => hold.is_some_and(|hold| says(hold, held)),
    })
}

/// Whether a link stands under a path that is gone, for no recorded reason: what is held may be where its item
/// went, and both must be looked at together.
pub(super) fn something_moved(input: &PlanInput<'_>) -> bool {
    let is_gone =
        |item: &ItemPath| !input.target.items.contains_key(item) && !input.lock.held.contains_key(item);
    !input.lock.held.is_empty() && input.lock.links.keys().any(is_gone)
}

/// Why a person wants this change left alone.
pub(super) fn hold_of<'a>(input: &PlanInput<'a>, change: &ItemChange) -> Option<&'a Hold> {
    let of = |item: &Item, after| input.holds.of_item(&item.path, after, input.item_at);
    match change {
        ItemChange::Added { after } => of(after, Some(after)),
        ItemChange::Removed { before } => of(before, None),
        ItemChange::Modified { after, .. } => of(after, Some(after)),
        ItemChange::Relocated { before, after, .. } => {
            of(after, Some(after)).or_else(|| input.holds.of_path(&before.path))
        }
    }
}

/// The reason of a skipped change that is held.
pub(super) fn reason_of(hold: &Hold) -> SkipReason {
    match hold.word {
        DecisionWord::Deferred => SkipReason::Deferred,
        // A pin holds revisions, and none of those is planned.
        DecisionWord::Declined | DecisionWord::Pinned => SkipReason::Declined,
    }
}

/// Why an item that was passed over before was.
pub(super) fn reason_again(held: &HeldItem) -> SkipReason {
    match held.disposition {
        Disposition::Declined => SkipReason::Declined,
        Disposition::Deferred => SkipReason::Deferred,
        Disposition::NotPorted
        | Disposition::Adopted
        | Disposition::Landed
        | Disposition::Absorbed
        | Disposition::Parked
        | Disposition::Withdrawn => SkipReason::Unmapped,
    }
}

fn says(hold: &Hold, held: &HeldItem) -> bool {
    reason_of(hold) == reason_again(held)
}
