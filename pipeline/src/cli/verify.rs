//! `tidelock verify`: the lock and the two repositories agree, recomputed from them alone.

use anyhow::anyhow;
use mappings::Lock;
use mappings::decision::day_at;
use mappings::lock::{CheckInput, LockFinding, check};
use reports::{Verdict, count, visible_line};
use serde::Serialize;
use upstream::TreeId;

use super::args::Verify;
use super::{CliError, Context, ExitCode, session_error, sync};
use crate::ahead::ahead;
use crate::decided;
use crate::driver::prove;
use crate::gate::{Evidence, not_compared};
use crate::session::Session;

/// What is printed as JSON.
#[derive(Serialize)]
struct Verified {
    baseline: String,
    links: usize,
    revisions: usize,
    /// What does not agree.
    wrong: Vec<String>,
    /// What a person should know and is not wrong: symbols edited by hand, revisions withdrawn or gone from a rewritten
    /// history.
    notes: Vec<String>,
    contract: Option<Contract>,
}

/// What asking both sides came to.
#[derive(Serialize)]
struct Contract {
    verdict: Verdict,
    /// Why, where it is no pass.
    reason: String,
    probes_agreed: u32,
    probes_disagreed: u32,
    probes_unanswered: u32,
    items_probed: usize,
    items_not_probed: usize,
    /// Items that wait for a person, and are not to be compared.
    items_parked: usize,
    /// Each item that was not compared.
    not_probed: Vec<NotProbed>,
}

/// An item that was not compared, and why.
#[derive(Serialize)]
struct NotProbed {
    item: String,
    symbol: String,
    reason: String,
}

/// Items without a probe that are listed as text; the rest is counted.
const NOT_PROBED_MAX: usize = 50;

pub(super) fn run(context: &Context, args: &Verify) -> Result<ExitCode, CliError> {
    let session = context.session_to_look(context.settings()?)?;
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    session.poll(lock.revisions.first().map(|recorded| &recorded.revision)).map_err(session_error)?;
    let Agreed { mut notes, mut wrong } = agreed(&session, &lock, &head.tree)?;
    let known = session.revisions().map_err(session_error)?;
    notes.extend(ahead(&session, &head, &lock, &known)?.map(|ahead| ahead.told(&lock)));
    let mut contract = None;
    if args.contract && wrong.is_empty() {
        let baseline = session.revision(lock.baseline.as_str()).map_err(session_error)?;
        let baseline = session.snapshot(&baseline).map_err(session_error)?;
        let confinement = sync::confinement(&session.settings, &session.machine)?;
        let evidence = prove(&session, &*confinement, &lock, &head.tree, &baseline)?;
        if let Some(reason) = &evidence.report.source_blocked {
            return Err(CliError {
                code: ExitCode::Inconclusive,
                cause: anyhow!("the upstream at {} cannot be asked: {reason}", lock.baseline),
                hints: Vec::new(),
            });
        }
        wrong.extend(evidence.may_be_told());
        contract = Some(compared(&evidence, lock.parked.len()));
    }
    let verified = Verified {
        baseline: lock.baseline.to_string(),
        links: lock.links.len(),
        revisions: lock.revisions.len(),
        wrong,
        notes,
        contract,
    };
    if context.format.is_json() {
        context.json(&verified)?;
    } else {
        context.console.data(&text(&verified));
    }
    let inconclusive =
        verified.contract.as_ref().is_some_and(|contract| contract.verdict == Verdict::Inconclusive);
    Ok(match (verified.wrong.is_empty(), inconclusive) {
        (false, _) => ExitCode::GateFailed,
        (true, true) => ExitCode::Inconclusive,
        (true, false) => ExitCode::Done,
    })
}

/// What a lock and the two repositories do not agree on.
pub(super) struct Agreed {
    /// What a person should know and is not wrong.
    pub(super) notes: Vec<String>,
    /// What does not agree.
    pub(super) wrong: Vec<String>,
}

/// Holds a lock against the upstream and a tree of the port.
pub(super) fn agreed(session: &Session, lock: &Lock, tree: &TreeId) -> Result<Agreed, CliError> {
    let revisions = session.revisions().map_err(session_error)?;
    let symbols = session.symbols(tree).map_err(session_error)?;
    let holds = session.holds(session.machine.clock.now_ms()).map_err(session_error)?;
    let baseline = session.revision(lock.baseline.as_str()).map_err(session_error)?;
    let baseline = session.snapshot(&baseline).map_err(session_error)?;
    // A revision that is not there any more is named by the findings.
    let adopted = lock.adopted().and_then(|adopted| session.revision(adopted.revision.as_str()).ok());
    let adopted = adopted.map(|adopted| session.snapshot(&adopted)).transpose().map_err(session_error)?;
    let findings = check(&CheckInput {
        lock,
        revisions: &revisions,
        baseline: Some(&baseline),
        adopted: adopted.as_deref(),
        item_at: &|label, item| session.item_at(label, item),
        stood: &|asked| session.stood(asked),
        was_there: &|commit| session.was_fetched(commit),
        symbols: &symbols,
        mapping: &session.settings.mapping,
        holds: &holds,
    });
    let (notes, wrong): (Vec<_>, Vec<_>) = findings.into_iter().partition(is_note);
    let told = |findings: Vec<LockFinding>| findings.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (mut notes, mut wrong) = (told(notes), told(wrong));
    let today = day_at(session.machine.clock.now_ms());
    notes.extend(session.runtime_note(tree));
    notes.extend(session.settings.decisions.expired(today).map(decided::ended));
    notes.extend(session.settings.mapping.ended().iter().map(decided::ended_rule));
    let about_nothing = decided::about_nothing(session, lock, &baseline);
    wrong.extend(
        about_nothing.map(|decision| format!("{decision} speaks of no item; mend it or take it out")),
    );
    Ok(Agreed { notes, wrong })
}

/// What the evidence comes to. A comparison that compared nothing, or that left probes unanswered, tells nothing.
fn compared(evidence: &Evidence, items_parked: usize) -> Contract {
    let items = &evidence.report.items;
    let not_probed: Vec<NotProbed> = items
        .iter()
        .filter_map(|item| {
            let reason = not_compared(item)?;
            Some(NotProbed { item: item.item.to_string(), symbol: item.symbol.to_string(), reason })
        })
        .collect();
    let probes_agreed = evidence.agreed();
    let unanswered = evidence.blocked();
    let (verdict, reason) = if evidence.disagrees() {
        (Verdict::Fail, "the port does not do as the upstream does".to_owned())
    } else if unanswered > 0 {
        (Verdict::Inconclusive, format!("{} could not be answered", count(unanswered.into(), "probe")))
    } else if probes_agreed == 0 {
        (Verdict::Inconclusive, "nothing could be compared".to_owned())
    } else {
        (Verdict::Pass, String::new())
    };
    Contract {
        verdict,
        reason,
        probes_agreed,
        probes_disagreed: items.iter().map(|item| item.disagreed).sum(),
        probes_unanswered: unanswered,
        items_probed: items.len() - not_probed.len(),
        items_not_probed: not_probed.len(),
        items_parked,
        not_probed,
    }
}

/// Whether a finding is no disagreement: people may edit the port, and authors may take releases back or rewrite their
/// history.
pub(super) fn is_note(finding: &LockFinding) -> bool {
    match finding {
        LockFinding::EditedByHand { .. }
        | LockFinding::Withdrawn { .. }
        | LockFinding::LeftHistory { .. }
        | LockFinding::WaitsNoLonger { .. }
        | LockFinding::NotWithdrawn { .. } => true,
        LockFinding::UnknownRevision { .. }
        | LockFinding::CommitDiffers { .. }
        | LockFinding::OutOfOrder { .. }
        | LockFinding::Lost { .. }
        | LockFinding::ItemMissing { .. }
        | LockFinding::ItemDiffers { .. }
        | LockFinding::PassedOver { .. }
        | LockFinding::NoPlace { .. }
        | LockFinding::SymbolMissing { .. } => false,
    }
}

fn text(verified: &Verified) -> String {
    let mut lines = Vec::new();
    if verified.wrong.is_empty() {
        lines.push(format!(
            "the lock agrees with the port and the upstream at {}: {}, {} with a disposition",
            verified.baseline,
            count(verified.links as u64, "link"),
            count(verified.revisions as u64, "revision")
        ));
    } else {
        lines.push(format!("{}:", count(verified.wrong.len() as u64, "disagreement")));
        lines.extend(verified.wrong.iter().map(|wrong| format!("  {wrong}")));
    }
    if let Some(contract) = &verified.contract {
        push_contract(&mut lines, contract);
    } else {
        lines.push("contract: not run; `--contract` builds the upstream and compares both sides".to_owned());
    }
    lines.extend(verified.notes.iter().map(|note| format!("note: {note}")));
    // Labels and reasons are the upstream's and other people's.
    lines.iter().map(|line| visible_line(line) + "\n").collect()
}

fn push_contract(lines: &mut Vec<String>, contract: &Contract) {
    let word = match contract.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail => format!("fail: {}", contract.reason),
        Verdict::Inconclusive => format!("inconclusive: {}", contract.reason),
    };
    lines.push(format!(
        "contract: {word}; {} on {} agree, {} differ, {} unanswered",
        count(contract.probes_agreed.into(), "probe"),
        count(contract.items_probed as u64, "item"),
        contract.probes_disagreed,
        contract.probes_unanswered
    ));
    if contract.items_parked > 0 {
        let parked = count(contract.items_parked as u64, "item");
        lines.push(format!("parked and not compared: {parked}, named by `tidelock status`"));
    }
    if contract.not_probed.is_empty() {
        return;
    }
    lines.push(format!("not compared: {}", count(contract.items_not_probed as u64, "item")));
    let listed = contract.not_probed.iter().take(NOT_PROBED_MAX);
    lines.extend(listed.map(|NotProbed { item, reason, .. }| format!("  {item}: {reason}")));
    let rest = contract.items_not_probed.saturating_sub(NOT_PROBED_MAX);
    if rest > 0 {
        lines.push(format!("  and {rest} more, all in `--format json`"));
    }
}
