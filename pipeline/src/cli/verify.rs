//! `tidelock verify`: the lock and the two repositories agree, recomputed from them alone.

use anyhow::anyhow;
use mappings::lock::{CheckInput, LockFinding, check};
use serde::Serialize;

use super::args::Verify;
use super::{CliError, Context, ExitCode, session_error, sync};
use crate::driver::prove;

/// What is printed as JSON.
#[derive(Serialize)]
struct Verified {
    baseline: String,
    links: usize,
    revisions: usize,
    /// What does not agree.
    wrong: Vec<String>,
    /// What a person should know and is not wrong: symbols edited by hand, withdrawn revisions.
    notes: Vec<String>,
    contract: Option<Contract>,
}

#[derive(Serialize)]
struct Contract {
    probes_agreed: u32,
    probes_disagreed: u32,
    items_probed: usize,
    items_not_probed: usize,
}

pub(super) fn run(context: &Context, args: &Verify) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    session.poll(lock.revisions.first().map(|recorded| &recorded.revision)).map_err(session_error)?;
    let revisions = session.mirror.revisions().map_err(|error| anyhow!(error))?;
    let symbols = session.symbols(&head.tree).map_err(session_error)?;
    let findings = check(&CheckInput {
        lock: &lock,
        revisions: &revisions,
        item_at: &|label, item| session.item_at(label, item),
        symbols: &symbols,
        mapping: &session.settings.mapping,
    });
    let (notes, wrong): (Vec<_>, Vec<_>) = findings.into_iter().partition(is_note);
    let mut wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
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
        let items = &evidence.report.items;
        let probed = items.iter().filter(|item| item.agreed + item.disagreed > 0).count();
        contract = Some(Contract {
            probes_agreed: items.iter().map(|item| item.agreed).sum(),
            probes_disagreed: items.iter().map(|item| item.disagreed).sum(),
            items_probed: probed,
            items_not_probed: items.len() - probed,
        });
    }
    let verified = Verified {
        baseline: lock.baseline.to_string(),
        links: lock.links.len(),
        revisions: lock.revisions.len(),
        wrong,
        notes: notes.iter().map(ToString::to_string).collect(),
        contract,
    };
    if context.format.is_json() {
        context.json(&verified)?;
    } else {
        context.console.data(&text(&verified));
    }
    Ok(if verified.wrong.is_empty() { ExitCode::Done } else { ExitCode::GateFailed })
}

/// Whether a finding is no disagreement: people may edit the port, and authors may take releases back.
pub(super) fn is_note(finding: &LockFinding) -> bool {
    match finding {
        LockFinding::EditedByHand { .. } | LockFinding::Withdrawn { .. } => true,
        LockFinding::UnknownRevision { .. }
        | LockFinding::CommitDiffers { .. }
        | LockFinding::OutOfOrder { .. }
        | LockFinding::Lost { .. }
        | LockFinding::ItemMissing { .. }
        | LockFinding::ItemDiffers { .. }
        | LockFinding::SymbolMissing { .. } => false,
    }
}

fn text(verified: &Verified) -> String {
    let mut lines = Vec::new();
    if verified.wrong.is_empty() {
        lines.push(format!(
            "the lock, the port and the upstream agree at {}: {} links, {} revisions with a disposition",
            verified.baseline, verified.links, verified.revisions
        ));
    } else {
        lines.push(format!("{} things do not agree:", verified.wrong.len()));
        lines.extend(verified.wrong.iter().map(|wrong| format!("  {wrong}")));
    }
    if let Some(contract) = &verified.contract {
        lines.push(format!(
            "contract: {} probes on {} items agree, {} differ, {} items could not be probed",
            contract.probes_agreed,
            contract.items_probed,
            contract.probes_disagreed,
            contract.items_not_probed
        ));
    } else {
        lines.push("contract: not run; `--contract` builds the upstream and compares both sides".to_owned());
    }
    lines.extend(verified.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n") + "\n"
}
