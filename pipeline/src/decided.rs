//! What people's decisions mean for a run: how far it may go, what is to be taken up again, what to tell.

use anyhow::Result;
use mappings::decision::{About, Decision, Holds, day_at};
use mappings::mapping::{DeclaredExtension, EndedRule};
use mappings::plan::{PlanInput, plan};
use mappings::{Lock, SkipReason, SymbolPath};
use reports::count;
use reports::record::Notice;
use upstream::{ItemPath, Revision, RevisionLabel, Snapshot, TreeId};

use crate::session::Session;

/// How many symbols of one extension a report names; `tidelock status --format json` has all.
const NAMED_MAX: usize = 20;

/// Leaves out the targets that a pin holds back, and gives how many those are.
pub(crate) fn hold_back(targets: &mut Vec<Revision>, holds: &Holds, known: &[Revision]) -> usize {
    let Some(pin) = holds.pin() else { return 0 };
    let place = |label: &RevisionLabel| known.iter().position(|revision| revision.label == *label);
    let pinned = place(&pin.revision);
    let before = targets.len();
    targets.retain(|target| place(&target.label) <= pinned);
    before - targets.len()
}

/// What a person should know of the decisions before a run: those that have ended, and the pin.
pub(crate) fn notices(session: &Session, holds: &Holds, held_back: usize, at_ms: i64) -> Vec<Notice> {
    let ended = session
        .settings
        .decisions
        .expired(day_at(at_ms))
        .map(|decision| Notice { code: "expired-decision".to_owned(), text: ended(decision) });
    let pin = holds.pin().filter(|_| held_back > 0).map(|pin| Notice {
        code: "pinned".to_owned(),
        text: format!(
            "the port is pinned at {}, and {} behind it wait: {}",
            pin.revision,
            count(held_back as u64, "revision"),
            pin.hold.reason
        ),
    });
    let rules = session.settings.mapping.ended();
    let rules = rules
        .iter()
        .map(|rule| Notice { code: "expired-rule".to_owned(), text: ended_rule(rule) })
        .collect::<Vec<_>>();
    ended.chain(rules).chain(pin).collect()
}

/// A rule of the mapping that has ended, in words.
pub(crate) fn ended_rule(ended: &EndedRule) -> String {
    let EndedRule { rule, until } = ended;
    format!("{rule} ended on {until}: what it ignored is planned again; renew it or take it out")
}

/// What the port declares its own, for the report: left as it is, and switched off in parity mode.
pub(crate) fn extensions(session: &Session, tree: &TreeId) -> Result<Vec<Notice>> {
    let told = |extension: DeclaredExtension| {
        let names: Vec<&str> = extension.symbols.iter().take(NAMED_MAX).map(SymbolPath::as_str).collect();
        let more = match extension.symbols.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let reason = extension.reason.as_ref().map(|reason| format!("; {reason}")).unwrap_or_default();
        let off = match extension.flag.as_ref().and_then(|flag| session.settings.parity.get_key_value(flag)) {
            Some((flag, value)) => format!("; off in parity mode ({flag}={value})"),
            None => String::new(),
        };
        let count = count(extension.symbols.len() as u64, "symbol");
        let list = if names.is_empty() { String::new() } else { format!(": {}{more}", names.join(", ")) };
        Notice {
            code: "extension".to_owned(),
            text: format!("{extension}, {count} left alone{list}{off}{reason}"),
        }
    };
    let symbols = session.symbols(tree)?;
    Ok(session.settings.mapping.extensions(&symbols).into_iter().map(told).collect())
}

/// A decision that has ended, in words.
pub(crate) fn ended(decision: &Decision) -> String {
    let until = decision.until.map(|until| until.to_string()).unwrap_or_default();
    format!("{decision} ended on {until}: what it held is planned again; renew it or take it out")
}

/// Whether the lock and the decisions have come apart: something is held that is not to be any more, or waits for
/// a person and need not. The next run takes it up, also with nothing new upstream.
pub(crate) fn is_unsettled(session: &Session, lock: &Lock, tree: &TreeId, holds: &Holds) -> Result<bool> {
    let may_be =
        !lock.held.is_empty() || (!lock.parked.is_empty() && !session.settings.decisions.all().is_empty());
    if !may_be {
        return Ok(false);
    }
    let baseline = session.snapshot(&session.revision(lock.baseline.as_str())?)?;
    let again = plan(&PlanInput {
        target: &baseline,
        baseline: &baseline,
        lock,
        item_at: &|label, item| session.item_at(label, item),
        mapping: &session.settings.mapping,
        symbols: &*session.symbols(tree)?,
        uses: &*session.uses(tree)?,
        holds,
    })?;
    let is_carried = |item: &ItemPath| again.skipped.iter().any(|skip| skip.item == *item && skip.carried);
    let is_by_decision = |why| matches!(why, SkipReason::Declined | SkipReason::Deferred);
    Ok(lock.held.keys().any(|item| !is_carried(item))
        || again.skipped.iter().any(|skip| is_by_decision(skip.why) && lock.parked.contains_key(&skip.item)))
}

/// The decisions about items of which none is there: neither in the upstream at the baseline nor in the lock.
pub(crate) fn about_nothing<'a>(
    session: &'a Session,
    lock: &'a Lock,
    baseline: &'a Snapshot,
) -> impl Iterator<Item = &'a Decision> {
    session.settings.decisions.all().iter().filter(move |decision| match &decision.about {
        About::Items(pattern) => {
            let known = baseline.items.keys().chain(lock.links.keys());
            let waiting = lock.held.keys().chain(lock.parked.keys());
            !known.chain(waiting).any(|item| pattern.matches(item))
        }
        About::Revision(_) => false,
    })
}
