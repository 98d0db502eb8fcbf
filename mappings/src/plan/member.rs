//! What to do about one changed item: follow it with a symbol, or leave it alone for a reason.

use std::collections::BTreeSet;

use upstream::ContentHash;
use upstream::diff::{ItemChange, item_change};
use upstream::snapshot::Item;

use super::behaviour::without_behaviour;
use super::change::{Pending, Standing};
use super::held::{hold_of, reason_again, reason_of};
use super::{PlanError, PlanInput};
use crate::convention::private_form;
use crate::decision::Hold;
use crate::lock::Link;
use crate::mapping::{Ground, Part, Placement};
use crate::symbol::{Symbol, SymbolKind, SymbolPath, SymbolTable};
use crate::unit::{SkipReason, Skipped, UnitKind, UnitMember};

/// A member with what its unit is to be.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) member: UnitMember,
    pub(super) kind: UnitKind,
    pub(super) reason: String,
    /// For both halves of a symbol that goes at one place and comes at another, the place where it comes.
    pub(super) comes_at: Option<SymbolPath>,
}

/// What is done about one change.
#[derive(Debug)]
pub(super) enum Decision {
    /// Symbols follow it; more than one where a symbol goes at one place and comes at another.
    Follow(Vec<Planned>),
    /// It is left alone.
    Skip(Skipped),
}

/// Decides about one change.
pub(super) fn decide(input: &PlanInput<'_>, pending: Pending<'_>) -> Result<Decision, PlanError> {
    let Pending { change, link, standing } = pending;
    match standing {
        Standing::Open => {}
        Standing::Settled => {
            let reason = without_behaviour(&change);
            let reason = reason.unwrap_or_else(|| "the port equals this state already".to_owned());
            return Ok(skip(&change, SkipReason::NoBehaviour, reason));
        }
        Standing::Unreadable => {
            let file = change.before().map_or("", |item| &item.file);
            let reason =
                format!("`{file}` cannot be read at this revision; a person must see what became of it");
            return Ok(skip(&change, SkipReason::Manual, reason));
        }
        Standing::Held => return Ok(carry(input, &change)),
    }
    let Some(item) = change.after().or(change.before()) else {
        return Ok(skip(&change, SkipReason::NoBehaviour, "nothing is there on either side".to_owned()));
    };
    let place = match kept_place(input, &change, link)? {
        Some(kept) => Ok(kept),
        None => place(input, item, link)?,
    };
    let symbol = place.as_ref().ok().map(|(symbol, _)| symbol).or(link.map(|link| &link.symbol)).cloned();
    let hold = hold_of(input, &change).map(|hold| held(input, &change, hold));
    let parts = parts_of(input, &change, link)?;
    let decision = match link {
        Some(link) => linked(input, change, link, place)?,
        None => unlinked(input, change, place)?,
    };
    let decision = with_parts(input, decision, parts)?;
    Ok(with_symbol(hold.filter(|_| is_to_be_held(&decision)).unwrap_or(decision), symbol))
}

/// Whether a person's word counts: what is left alone for a reason of its own needs none.
fn is_to_be_held(decision: &Decision) -> bool {
    let Decision::Skip(skip) = decision else { return true };
    match skip.why {
        SkipReason::Unmapped | SkipReason::NoCounterpart => true,
        SkipReason::NoBehaviour
        | SkipReason::Ignored
        | SkipReason::Manual
        | SkipReason::Declined
        | SkipReason::Deferred
        | SkipReason::Bound => false,
    }
}

/// A change that a person wants left alone.
fn held(input: &PlanInput<'_>, change: &ItemChange, hold: &Hold) -> Decision {
    let before = change.before().map_or(change.path(), |before| &before.path);
    let baseline = input.baseline.items.get(change.path()).or_else(|| input.baseline.items.get(before));
    let is_new = item_change(baseline, change.after()).is_some();
    let mut decision = skip(change, reason_of(hold), hold.reason.clone());
    if let Decision::Skip(skip) = &mut decision {
        skip.carried = !is_new && input.lock.held.contains_key(change.path());
    }
    decision
}

/// What an earlier revision passed over, as it was recorded then.
fn carry(input: &PlanInput<'_>, change: &ItemChange) -> Decision {
    let Some(held) = input.lock.held.get(change.path()) else {
        return skip(change, SkipReason::Unmapped, String::new());
    };
    Decision::Skip(Skipped {
        item: change.path().clone(),
        before: None,
        change: "unchanged itself".to_owned(),
        why: reason_again(held),
        reason: held.reason.clone(),
        symbol: held.symbol.clone(),
        carried: true,
    })
}

fn with_symbol(mut decision: Decision, symbol: Option<SymbolPath>) -> Decision {
    if let Decision::Skip(skip) = &mut decision {
        skip.symbol = symbol;
    }
    decision
}

/// A further symbol of an item that was split, and what Tidelock last saw or wrote there.
struct PartAt {
    part: Part,
    written: Option<ContentHash>,
}

/// The further symbols that follow an item: as the configuration has them, or, where the item went, as the lock does.
fn parts_of(
    input: &PlanInput<'_>,
    change: &ItemChange,
    link: Option<&Link>,
) -> Result<Vec<PartAt>, PlanError> {
    let known = link.map_or(&[][..], |link| &link.parts);
    let written =
        |symbol: &SymbolPath| known.iter().find(|part| part.symbol == *symbol).map(|part| part.written);
    let Some(item) = change.after() else {
        let file_of = |symbol: &SymbolPath| input.symbols.get(symbol).map(|symbol| symbol.file.clone());
        let there = known.iter().filter_map(|part| {
            let place = Part { symbol: part.symbol.clone(), file: file_of(&part.symbol)? };
            Some(PartAt { part: place, written: Some(part.written) })
        });
        return Ok(there.collect());
    };
    let Placement::Mapped { split, .. } = input.mapping.place(item)? else { return Ok(Vec::new()) };
    Ok(split.into_iter().map(|part| PartAt { written: written(&part.symbol), part }).collect())
}

/// A change of an item that was split is one of all its symbols.
fn with_parts(
    input: &PlanInput<'_>,
    mut decision: Decision,
    parts: Vec<PartAt>,
) -> Result<Decision, PlanError> {
    let Decision::Follow(planned) = &mut decision else { return Ok(decision) };
    let Some((change, reason)) = planned.last().map(|one| (one.member.change.clone(), one.reason.clone()))
    else {
        return Ok(decision);
    };
    for PartAt { part, written } in parts {
        let present = input.symbols.get(&part.symbol);
        if present.is_none() {
            ensure_parsed(input, &part.symbol, Some(&part.file))?;
        }
        let is_new = matches!(change, ItemChange::Added { .. });
        let (kind, edited_by_hand) = match present {
            Some(_) if change.after().is_none() => (UnitKind::Remove, false),
            // What Tidelock never wrote is a person's.
            Some(symbol) => (UnitKind::Change, written != Some(symbol.hash)),
            None => (UnitKind::Add, !is_new),
        };
        let file = present.map_or(part.file, |symbol| symbol.file.clone());
        let member = UnitMember { change: change.clone(), symbol: part.symbol, file, edited_by_hand };
        let kind = if change.is_test() { UnitKind::Test } else { kind };
        planned.push(Planned { member, kind, reason: reason.clone(), comes_at: None });
    }
    Ok(decision)
}

/// Where the symbol of an item stays that moved to another module: a person linked it to a place that no rule would have
/// given it, and said nothing of the new one.
fn kept_place(
    input: &PlanInput<'_>,
    change: &ItemChange,
    link: Option<&Link>,
) -> Result<Option<(SymbolPath, String)>, PlanError> {
    let (ItemChange::Relocated { before, after, .. }, Some(link)) = (change, link) else { return Ok(None) };
    let is_moved = before.path.name() == after.path.name() && !input.mapping.is_named(&after.path);
    if !is_moved || !input.mapping.is_named(&before.path) {
        return Ok(None);
    }
    let by_rule = match input.mapping.place_without_links(before)? {
        Placement::Mapped { symbol, .. } => symbol.parent(),
        Placement::Skipped { .. } => None,
    };
    let symbol = input.symbols.get(&link.symbol).filter(|_| by_rule != link.symbol.parent());
    Ok(symbol.map(|symbol| (link.symbol.clone(), symbol.file.clone())))
}

/// A place for the symbol, or why there is to be none.
pub(super) type Place = Result<(SymbolPath, String), (SkipReason, String)>;

pub(super) fn place(input: &PlanInput<'_>, item: &Item, link: Option<&Link>) -> Result<Place, PlanError> {
    let place = match input.mapping.place_in(item, input.symbols)? {
        Placement::Mapped { symbol, file, rule: Ground::Convention, .. } if item.is_test => {
            Ok((in_test_class(input.symbols, symbol, &file), file))
        }
        Placement::Mapped { symbol, file, .. } => {
            let is_private = link.is_some_and(|link| link.symbol.name().starts_with('_'));
            let private = private_form(item, &symbol).filter(|private| {
                is_private || (input.symbols.get(&symbol).is_none() && input.symbols.get(private).is_some())
            });
            Ok((private.unwrap_or(symbol), file))
        }
        Placement::Skipped { why, reason, .. } => Err((why, reason)),
    };
    // A link that was accepted once says where the symbol is, even where no rule does.
    let fallback = link.and_then(|link| {
        let symbol = input.symbols.get(&link.symbol)?;
        Some((link.symbol.clone(), symbol.file.clone()))
    });
    Ok(match (place, fallback) {
        (Err((SkipReason::Unmapped | SkipReason::NoCounterpart, _)), Some(fallback)) => Ok(fallback),
        (place, _) => place,
    })
}

/// Where a test goes that the convention puts at the level of a module: into the module's class of tests, if the
/// port writes them so. With several such classes, or with tests beside it, nobody can tell.
fn in_test_class(symbols: &SymbolTable, symbol: SymbolPath, file: &str) -> SymbolPath {
    if symbols.get(&symbol).is_some() {
        return symbol;
    }
    let tests = symbols.symbols.values().filter(|test| test.file == file && is_test_name(test.path.name()));
    let parents: BTreeSet<_> = tests.filter_map(|test| test.path.parent()).collect();
    let mut parents = parents.into_iter();
    let (Some(only), None) = (parents.next(), parents.next()) else { return symbol };
    let is_class = symbols.get(&only).is_some_and(|class| class.kind == SymbolKind::Class);
    if !is_class || only.parent() != symbol.parent() {
        return symbol;
    }
    SymbolPath::new(format!("{only}.{}", symbol.name())).unwrap_or(symbol)
}

fn is_test_name(name: &str) -> bool {
    name.starts_with("test")
}

fn linked(
    input: &PlanInput<'_>,
    change: ItemChange,
    link: &Link,
    place: Place,
) -> Result<Decision, PlanError> {
    let symbol = input.symbols.get(&link.symbol);
    if symbol.is_none() && matches!(change, ItemChange::Removed { .. }) {
        ensure_parsed(input, &link.symbol, place.as_ref().ok().map(|(_, file)| file.as_str()))?;
        return Ok(skip(&change, SkipReason::NoBehaviour, format!("`{}` is gone already", link.symbol)));
    }
    let stays = match (&change, &place) {
        (ItemChange::Relocated { .. }, Ok((to, _))) => *to == link.symbol,
        _ => true,
    };
    if let Some(reason) = without_behaviour(&change).filter(|_| stays && symbol.is_some()) {
        return Ok(skip(&change, SkipReason::NoBehaviour, reason));
    }
    let (to, file) = match place {
        Ok(place) => place,
        Err((why, reason)) => return Ok(skip(&change, why, reason)),
    };
    let Some(symbol) = symbol else {
        ensure_parsed(input, &link.symbol, Some(&file))?;
        let reason = format!("`{}` is gone from the port, and its item changed", link.symbol);
        let to = if stays { link.symbol.clone() } else { to };
        let member = UnitMember { change, symbol: to, file, edited_by_hand: true };
        return Ok(follow(vec![Planned { member, kind: UnitKind::Add, reason, comes_at: None }]));
    };
    let edited_by_hand = symbol.hash != link.written;
    let at_symbol = |change| UnitMember {
        change,
        symbol: link.symbol.clone(),
        file: symbol.file.clone(),
        edited_by_hand,
    };
    let one = |change, kind, reason| {
        follow(vec![Planned { member: at_symbol(change), kind, reason, comes_at: None }])
    };
    Ok(match change {
        ItemChange::Removed { .. } if answers_to_others(input, link) => {
            let reason = format!("one of the items that `{}` answers to went", link.symbol);
            one(change, UnitKind::Change, reason)
        }
        ItemChange::Removed { .. } => one(change, UnitKind::Remove, "the item went".to_owned()),
        ItemChange::Relocated { before, after, .. } if !stays && to.parent() != link.symbol.parent() => {
            relocate_between_files(at_symbol(ItemChange::Removed { before }), after, to, file)
        }
        ItemChange::Relocated { .. } if !stays => {
            let reason = format!("the item has another name: `{}` becomes `{to}`", link.symbol);
            one(change, UnitKind::Relocate, reason)
        }
        ItemChange::Added { .. } | ItemChange::Modified { .. } | ItemChange::Relocated { .. } => {
            let reason = format!("the item changed: {}", change.summary());
            one(change, UnitKind::Change, reason)
        }
    })
}

/// A symbol that goes to another module or class is written there and deleted here, so that the plan names
/// both places as ones that may be edited.
fn relocate_between_files(old: UnitMember, after: Item, to: SymbolPath, file: String) -> Decision {
    let reason = format!("the item has another place: `{}` becomes `{to}`", old.symbol);
    let comes_at = Some(to.clone());
    let change = ItemChange::Added { after };
    let new = UnitMember { change, symbol: to, file, edited_by_hand: old.edited_by_hand };
    let planned = |member| Planned {
        member,
        kind: UnitKind::Relocate,
        reason: reason.clone(),
        comes_at: comes_at.clone(),
    };
    follow(vec![planned(old), planned(new)])
}

fn unlinked(input: &PlanInput<'_>, change: ItemChange, place: Place) -> Result<Decision, PlanError> {
    let (symbol, file) = match place {
        Ok(place) => place,
        Err((why, reason)) => return Ok(skip(&change, why, reason)),
    };
    let present = input.symbols.get(&symbol);
    if present.is_none() {
        ensure_parsed(input, &symbol, Some(&file))?;
    }
    let follow_at = |change, present: &Symbol, reason| {
        let owned = input.lock.links.values().find(|link| link.symbol == symbol);
        // What Tidelock never wrote is a person's.
        let edited_by_hand = owned.is_none_or(|link| link.written != present.hash);
        let file = present.file.clone();
        let member = UnitMember { change, symbol: symbol.clone(), file, edited_by_hand };
        follow(vec![Planned { member, kind: UnitKind::Change, reason, comes_at: None }])
    };
    // A port that is begun anew has symbols for what the upstream hides as well, and waits for them.
    let waits = input.lock.parked.contains_key(change.path());
    if present.is_none()
        && !waits
        && let Some(reason) = change.after().and_then(|item| input.mapping.needs_no_symbol(item))
    {
        return Ok(skip(&change, SkipReason::NoCounterpart, reason.to_owned()));
    }
    Ok(match (&change, present) {
        (ItemChange::Added { .. }, None) => {
            let member = UnitMember { change, symbol, file, edited_by_hand: false };
            let reason = "the item is new".to_owned();
            follow(vec![Planned { member, kind: UnitKind::Add, reason, comes_at: None }])
        }
        (ItemChange::Added { .. }, Some(present)) => {
            let reason = format!("the item is new, and the port has a `{symbol}` that is not linked to it");
            follow_at(change, present, reason)
        }
        (ItemChange::Removed { .. }, _) => {
            let reason = format!("it was never linked to a symbol; `{symbol}`, if there, is left alone");
            skip(&change, SkipReason::Unmapped, reason)
        }
        (ItemChange::Modified { .. } | ItemChange::Relocated { .. }, Some(present)) => {
            let reason = format!("the item changed, and the port has a `{symbol}` that is not linked to it");
            follow_at(change, present, reason)
        }
        (ItemChange::Modified { .. } | ItemChange::Relocated { .. }, None) => {
            if let Some(reason) = without_behaviour(&change) {
                return Ok(skip(&change, SkipReason::NoBehaviour, reason));
            }
            let reason = format!("the port never had `{symbol}`: write it, or `ignore` the item");
            skip(&change, SkipReason::Unmapped, reason)
        }
    })
}

fn answers_to_others(input: &PlanInput<'_>, link: &Link) -> bool {
    input.lock.links.values().any(|other| {
        other.symbol == link.symbol && other.item != link.item && input.target.items.contains_key(&other.item)
    })
}

/// A symbol that was not found may stand in a file that could not be read.
pub(super) fn ensure_parsed(
    input: &PlanInput<'_>,
    symbol: &SymbolPath,
    file: Option<&str>,
) -> Result<(), PlanError> {
    match file.and_then(|file| input.symbols.unparsed.get_key_value(file)) {
        Some((file, reason)) => Err(PlanError::PortFileUnparsed {
            file: file.clone(),
            reason: reason.clone(),
            symbol: symbol.clone(),
        }),
        None => Ok(()),
    }
}

/// Makes it one unit's: tests are units of their own kind whatever happened to them.
fn follow(mut planned: Vec<Planned>) -> Decision {
    for one in planned.iter_mut().filter(|one| one.member.change.is_test()) {
        one.kind = UnitKind::Test;
    }
    Decision::Follow(planned)
}

fn skip(change: &ItemChange, why: SkipReason, reason: String) -> Decision {
    let relocated = matches!(change, ItemChange::Relocated { .. });
    let before = change.before().filter(|_| relocated).map(|item| item.path.clone());
    Decision::Skip(Skipped {
        item: change.path().clone(),
        before,
        change: change.summary(),
        why,
        reason,
        symbol: None,
        carried: false,
    })
}
