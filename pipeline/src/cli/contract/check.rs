//! `tidelock contract check`: the contract of some symbols, now, against the working tree.

use std::path::{Path, PathBuf};

use port::contract::sessions::{Program, Programs};
use port::contract::{ItemEvidence, SequenceEvidence};
use reports::record::{CounterexampleRecord, EvidenceRow, Finding, SessionRow};
use reports::{Verdict, count};
use serde::Serialize;

use super::super::{CliError, Context, ExitCode, sync};
use super::args::ContractItems;
use super::asked::{Asked, Opened};
use crate::driver::{
    NO_LIBRARY, SessionsQuestion, add_sessions, prove_sessions, prove_some, session_programs,
};
use crate::gate::{Evidence, not_compared};

/// What is printed as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    pub(super) baseline: String,
    pub(super) verdict: Verdict,
    /// Why, where it is no pass.
    pub(super) reason: String,
    /// How foreign code was confined, in words.
    pub(super) confinement: String,
    pub(super) evidence: Vec<EvidenceRow>,
    pub(super) sequences: Vec<Sequences>,
    /// Programs that were run on both sides, by case.
    pub(super) sessions: Vec<SessionRow>,
    /// Where the upstream's programs are that were run.
    pub(super) programs: Vec<ProgramRow>,
    pub(super) findings: Vec<Finding>,
    pub(super) counterexamples: Vec<CounterexampleRecord>,
    /// What could not be looked into besides.
    pub(super) notes: Vec<String>,
}

/// The upstream's program of a session, to be run by hand as well.
#[derive(Debug, Serialize)]
pub(super) struct ProgramRow {
    /// The session.
    pub(super) session: String,
    /// The program, or the module that the upstream's library is.
    pub(super) file: PathBuf,
    /// For a module: what Python has to import from, as `PYTHONPATH`.
    pub(super) imports: Option<PathBuf>,
}

/// What was called one after another on values of one type.
#[derive(Debug, Serialize)]
pub(super) struct Sequences {
    /// The type.
    pub(super) of: String,
    /// The methods that were called.
    pub(super) methods: Vec<String>,
    pub(super) agreed: u32,
    pub(super) disagreed: u32,
    /// Sequences in which nothing could be compared behind a change.
    pub(super) unobserved: u32,
    pub(super) blocked: u32,
    pub(super) calls: u32,
    /// Why there is none; empty where there are some.
    pub(super) not_sequenced: String,
    /// Methods that change their value and are in no sequence, with the reason.
    pub(super) left_out: Vec<(String, String)>,
}

impl Sequences {
    fn of(evidence: &SequenceEvidence) -> Self {
        Self {
            of: evidence.of.to_string(),
            methods: evidence.methods.iter().map(ToString::to_string).collect(),
            agreed: evidence.agreed,
            disagreed: evidence.disagreed,
            unobserved: evidence.unobserved,
            blocked: evidence.blocked,
            calls: evidence.calls,
            not_sequenced: evidence.not_sequenced.clone().unwrap_or_default(),
            left_out: evidence.left_out.iter().map(|(item, why)| (item.to_string(), why.clone())).collect(),
        }
    }
}

pub(super) fn run(context: &Context, args: &ContractItems) -> Result<ExitCode, CliError> {
    let opened = Opened::new(context)?;
    let checked = checked(context, &opened, Asked::of(&opened, &args.items)?)?;
    if context.format.is_json() {
        context.json(&checked)?;
    } else {
        context.console.data(&text(&checked));
    }
    Ok(exit_code(checked.verdict))
}

pub(super) fn exit_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Pass => ExitCode::Done,
        Verdict::Fail => ExitCode::GateFailed,
        Verdict::Inconclusive => ExitCode::Inconclusive,
    }
}

/// Asks both sides about these items, and runs these sessions.
pub(super) fn checked(context: &Context, opened: &Opened, asked: Asked) -> Result<Checked, CliError> {
    let Asked { items, sessions } = asked;
    let confinement = sync::confinement(&opened.session.settings, &context.machine)?;
    let baseline = (&*opened.baseline, items);
    let mut evidence = if baseline.1.is_empty() && !sessions.is_empty() {
        Evidence::default()
    } else {
        prove_some(&opened.session, &*confinement, &opened.lock, &opened.tree, baseline)?
    };
    let question = SessionsQuestion {
        sessions: &sessions,
        tree: &opened.tree,
        upstream: &opened.baseline,
        before: None,
        occasion: format!("sessions at {}", opened.lock.baseline),
    };
    add_sessions(&mut evidence, prove_sessions(&opened.session, &*confinement, &question)?, false);
    let programs = session_programs(&opened.session, &*confinement, &opened.baseline, &sessions)?;
    let (verdict, reason) = verdict(&evidence);
    Ok(Checked {
        baseline: opened.lock.baseline.to_string(),
        verdict,
        reason,
        confinement: confinement.level(),
        evidence: evidence.rows(),
        sequences: evidence.report.sequences.iter().map(Sequences::of).collect(),
        sessions: evidence.session_rows(),
        programs: rows_of(programs),
        findings: evidence.findings(),
        counterexamples: evidence.counterexamples(),
        notes: evidence.report.notes.clone(),
    })
}

/// The programs that are there; why others are not is told with their cases.
fn rows_of(programs: Programs) -> Vec<ProgramRow> {
    let row = |(session, program): (String, Result<Program, String>)| {
        let program = program.ok()?;
        let imports = program.imports().map(Path::to_path_buf);
        Some(ProgramRow { session, file: program.file().to_owned(), imports })
    };
    programs.into_iter().filter_map(row).collect()
}

/// Each item that was asked for must have been compared: who names one wants to know of it.
fn verdict(evidence: &Evidence) -> (Verdict, String) {
    if let Some(reason) = &evidence.report.source_blocked {
        return (Verdict::Inconclusive, format!("the upstream cannot be asked: {reason}"));
    }
    if evidence.disagrees() {
        return (Verdict::Fail, "the port does not do as the upstream does".to_owned());
    }
    if evidence.blocked() > 0 {
        let probes = count(evidence.blocked().into(), "probe");
        return (Verdict::Inconclusive, format!("{probes} could not be answered"));
    }
    if let Some((name, reason)) = evidence.untold_session() {
        return (Verdict::Inconclusive, format!("{name}: {reason}"));
    }
    // What belongs to a program is run with it as a whole.
    let was_run = |item: &ItemEvidence| {
        !evidence.report.sessions.is_empty() && item.not_probed.as_deref() == Some(NO_LIBRARY)
    };
    let mut items = evidence.report.items.iter().filter(|item| !was_run(item));
    let open = items.find_map(|item| Some((&item.symbol, not_compared(item)?)));
    match open {
        Some((symbol, reason)) => (Verdict::Inconclusive, format!("`{symbol}` was not compared: {reason}")),
        None => (Verdict::Pass, String::new()),
    }
}

pub(super) fn text(checked: &Checked) -> String {
    let word = match checked.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail => format!("FAIL: {}", checked.reason),
        Verdict::Inconclusive => format!("cannot tell: {}", checked.reason),
    };
    let mut lines = vec![format!("{word} (upstream at {})", checked.baseline)];
    for row in &checked.evidence {
        let reached = match row.blocks_total {
            0 => String::new(),
            total => format!("; {} of {total} blocks of the upstream's code reached", row.blocks_reached),
        };
        let open = if row.not_probed.is_empty() { String::new() } else { format!("; {}", row.not_probed) };
        lines.push(format!(
            "  {}: {} agree, {} differ, {} unanswered{reached}{open}",
            row.symbol, row.agreed, row.disagreed, row.blocked
        ));
    }
    for row in &checked.sequences {
        let calls = count(row.calls.into(), "call");
        let open =
            if row.not_sequenced.is_empty() { String::new() } else { format!("; {}", row.not_sequenced) };
        lines.push(format!(
            "  {} in sequence: {} agree, {} differ, {} show nothing, {} unanswered, of {calls}{open}",
            row.of, row.agreed, row.disagreed, row.unobserved, row.blocked
        ));
        let left = row.left_out.iter().filter(|_| row.not_sequenced.is_empty());
        lines.extend(left.map(|(item, reason)| format!("    without {item}: {reason}")));
    }
    lines.extend(checked.sessions.iter().map(|row| {
        let made = if row.generated { " (made)" } else { "" };
        match row.verdict {
            Verdict::Pass => format!("  {}{made}: both do the same", row.name),
            Verdict::Fail => format!("  {}{made}: differs", row.name),
            Verdict::Inconclusive => format!("  {}{made}: cannot tell: {}", row.name, row.reason),
        }
    }));
    lines.extend(
        checked
            .findings
            .iter()
            .filter(|finding| !finding.code.ends_with("disagreement"))
            .map(|finding| format!("  {}: {}", finding.code, finding.text)),
    );
    lines.extend(checked.notes.iter().map(|note| format!("  note: {note}")));
    lines.extend(checked.counterexamples.iter().map(|example| {
        let parting = example.divergence.as_ref().map(|found| format!("\n    parts in  {found}"));
        let parting = parting.unwrap_or_default();
        let by_hand = example.commands.iter().zip(["upstream", "port    "]);
        let by_hand: Vec<_> = by_hand.map(|(line, side)| format!("\n    run {side}  {line}")).collect();
        let by_hand = by_hand.concat();
        format!(
            "  {}\n    upstream  {}\n    port      {}{parting}{by_hand}",
            example.call, example.upstream, example.port
        )
    }));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use port::contract::ContractReport;

    use super::*;

    #[test]
    fn an_item_that_was_asked_for_and_not_compared_is_no_pass() {
        let item = ItemEvidence {
            not_probed: Some("it is private".to_owned()),
            ..ItemEvidence::none("k::f".parse().unwrap(), "p.f".parse().unwrap())
        };
        let of = |items| verdict(&Evidence::of(ContractReport { items, ..ContractReport::default() }));
        assert_eq!(of(vec![item.clone()]).0, Verdict::Inconclusive);
        let compared = ItemEvidence { not_probed: None, agreed: 3, ..item };
        assert_eq!(of(vec![compared.clone()]).0, Verdict::Pass);
        assert_eq!(of(vec![ItemEvidence { blocked: 1, ..compared.clone() }]).0, Verdict::Inconclusive);
        assert_eq!(of(vec![ItemEvidence { disagreed: 1, ..compared }]).0, Verdict::Fail);
    }
}
