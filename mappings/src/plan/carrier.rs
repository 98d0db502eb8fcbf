//! Carriers: linked items that did not change themselves and are followed because something that they use
//! changed, and does not reach the port by itself ([`super::users`]).
//!
//! The main function is [`add_carriers`]. It never plans an item twice, and never lets one go that waits for
//! a person.

use upstream::diff::{Aspects, ItemChange};
use upstream::snapshot::Item;

use super::change::{item_of, relocated};
use super::held::reason_of;
use super::member::{Decision, Planned, ensure_parsed, place};
use super::users::{Carrier, Cause, Search};
use super::{Decided, Graphs, PlanError, PlanInput};
use crate::lock::Link;
use crate::symbol::SymbolPath;
use crate::unit::{SkipReason, Skipped, UnitKind, UnitMember};

/// Adds the linked users that what changed does not reach by itself, and those that were parked as such and
/// still lag.
pub(super) fn add_carriers(
    decided: &mut Decided,
    input: &PlanInput<'_>,
    graphs: Graphs<'_>,
) -> Result<(), PlanError> {
    let carriers = Search::new(input, graphs, decided).carriers(decided)?;
    for carrier in carriers {
        let path = &carrier.item.path;
        let at = decided.skipped.iter().position(|skip| skip.item == *path);
        match (decide(input, &carrier)?, at) {
            (Decision::Follow(members), at) => {
                // Nothing was to be done about its own change; about what it uses there is.
                if let Some(at) = at {
                    decided.skipped.remove(at);
                }
                decided.planned.extend(members);
            }
            (Decision::Skip(skip), None) => decided.skipped.push(skip),
            (Decision::Skip(_), Some(_)) => {}
        }
    }
    Ok(())
}

fn decide(input: &PlanInput<'_>, carrier: &Carrier<'_>) -> Result<Decision, PlanError> {
    let Carrier { item, link, .. } = carrier;
    let uses = uses(carrier);
    if let Some(hold) = input.holds.of_path(&item.path) {
        return Ok(left_alone(carrier, reason_of(hold), hold.reason.clone()));
    }
    let planned = |symbol: SymbolPath, file, edited_by_hand, kind, reason| {
        let change = own_change(input, link, item)?;
        let member = UnitMember { change, symbol, file, edited_by_hand };
        let kind = if item.is_test { UnitKind::Test } else { kind };
        Ok(Decision::Follow(vec![Planned { member, kind, reason, comes_at: None }]))
    };
    let (symbol, file) = match (place(input, item, Some(link))?, input.symbols.get(&link.symbol)) {
        (Err((why, reason)), _) => return Ok(left_alone(carrier, why, format!("{uses}; {reason}"))),
        (Ok(_), Some(symbol)) => {
            let edited_by_hand = symbol.hash != link.written;
            let (at, file) = (symbol.path.clone(), symbol.file.clone());
            return planned(at, file, edited_by_hand, UnitKind::Change, uses);
        }
        (Ok((_, file)), None) => (link.symbol.clone(), file),
    };
    ensure_parsed(input, &symbol, Some(&file))?;
    let reason = format!("`{symbol}` is gone from the port, and {uses}");
    planned(symbol, file, true, UnitKind::Add, reason)
}

/// What the carrier uses, and why that does not reach the port by itself.
fn uses(carrier: &Carrier<'_>) -> String {
    let used = &carrier.used;
    match carrier.cause {
        Cause::Hidden => format!("it uses `{used}`, which changed and has no symbol of its own"),
        Cause::Changed => format!("it uses `{used}`, which changed, and its symbol does not"),
        Cause::Carrier => format!("it uses `{used}`, which follows a change, and its symbol does not"),
    }
}

fn left_alone(carrier: &Carrier<'_>, why: SkipReason, reason: String) -> Decision {
    let (item, change) = (carrier.item.path.clone(), "unchanged itself".to_owned());
    let symbol = Some(carrier.link.symbol.clone());
    Decision::Skip(Skipped { item, before: None, change, why, reason, symbol, carried: false })
}

/// What happened to the carrier itself since the revision that its link equals: mostly nothing.
fn own_change(input: &PlanInput<'_>, link: &Link, item: &Item) -> Result<ItemChange, PlanError> {
    let is_at_its_path = link.item == item.path;
    if is_at_its_path && link.upstream == item.fingerprint.combined() {
        let (before, after) = (item.clone(), item.clone());
        return Ok(ItemChange::Modified { before, after, aspects: Aspects::default() });
    }
    let before = item_of(input, link)?;
    if !is_at_its_path {
        return Ok(relocated(&before, item));
    }
    let aspects = upstream::diff::aspects(&before, item);
    Ok(ItemChange::Modified { before, after: item.clone(), aspects })
}
