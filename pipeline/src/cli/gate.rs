//! `tidelock gate`: the gate over a change that a person made, as a check in continuous integration.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use clap::Args;
use mappings::Lock;
use port::confinement::Confinement;
use reports::gate_report::{GateReport, SymbolPlace, junit, sarif};
use reports::record::GateRecord;
use reports::{Verdict, count};
use upstream::TreeId;

use super::bench::tree;
use super::verify::{Agreed, agreed};
use super::{CliError, Context, ExitCode, session_error, sync};
use crate::driver::{Standing, gate_standing};
use crate::gate::overall;
use crate::session::Session;

/// `tidelock gate`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Gate {
    /// The revision of the port: a commit, branch or tag. Default: the working tree as it stands, without what
    /// git ignores.
    #[arg(value_name = "REV")]
    revision: Option<String>,
    /// The revision before, whose passing tests must not be lost. Default: the branch that work lands on; the
    /// commit before where that is what is gated.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Also write `JUnit` XML into this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<std::path::PathBuf>,
    /// Also write a SARIF 2.1.0 log into this file.
    #[arg(long, value_name = "FILE")]
    sarif: Option<std::path::PathBuf>,
}

const HELP: &str = "\
It ends with 0 where every gate passes, with 4 where one fails, and with 6 where one cannot tell.

Example, as a check of pull requests:
  tidelock gate HEAD --base origin/main --junit gate.xml --sarif gate.sarif";

pub(super) fn run(context: &Context, args: &Gate) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let gated = match &args.revision {
        Some(revision) => tree(&session, revision)?,
        None => session.port.worktree_tree().map_err(|error| {
            CliError::from(anyhow!(error))
                .hint("where there is no working tree, name a revision, such as `tidelock gate HEAD`")
        })?,
    };
    let before = before(&session, args, &gated)?;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let Measured { gates, lock, notes } = measured(&session, &*confinement, &gated, &before)?;
    let report = GateReport {
        what: args.revision.clone().unwrap_or_else(|| "the working tree".to_owned()),
        tree: gated.to_string(),
        before: before.to_string(),
        baseline: lock.baseline.to_string(),
        verdict: overall(&gates),
        confinement: confinement.level(),
        places: places(&session, &gated, &GateReport::symbols(&gates))?,
        gates,
        notes,
    };
    if let Some(file) = &args.junit {
        write(file, &junit(&report).context("cannot write JUnit XML")?)?;
    }
    if let Some(file) = &args.sarif {
        write(file, &format!("{:#}\n", sarif(&report)))?;
    }
    if context.format.is_json() {
        context.json(&report)?;
    } else {
        context.console.data(&text(&report));
    }
    Ok(match report.verdict {
        Verdict::Pass => ExitCode::Done,
        Verdict::Fail => ExitCode::GateFailed,
        Verdict::Inconclusive => ExitCode::Inconclusive,
    })
}

/// The gates over a tree that nobody translated.
pub(super) fn gated(session: &Session, tree: &TreeId, before: &TreeId) -> Result<Vec<GateRecord>, CliError> {
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    Ok(measured(session, &*confinement, tree, before)?.gates)
}

struct Measured {
    gates: Vec<GateRecord>,
    lock: Arc<Lock>,
    notes: Vec<String>,
}

fn measured(
    session: &Session,
    confinement: &dyn Confinement,
    gated: &TreeId,
    before: &TreeId,
) -> Result<Measured, CliError> {
    let lock = session.lock(gated).map_err(session_error)?;
    session.poll(lock.revisions.first().map(|recorded| &recorded.revision)).map_err(session_error)?;
    let Agreed { notes, wrong } = agreed(session, &lock, gated)?;
    let baseline = session.revision(lock.baseline.as_str()).map_err(session_error)?;
    let baseline = session.snapshot(&baseline).map_err(session_error)?;
    let standing = Standing { tree: gated, before, lock: &lock, baseline: &baseline, wrong: &wrong };
    let gates = gate_standing(session, confinement, &standing)?;
    Ok(Measured { gates, lock, notes })
}

/// The tree that tests are compared with.
fn before(session: &Session, args: &Gate, gated: &TreeId) -> Result<TreeId, CliError> {
    if let Some(base) = &args.base {
        return tree(session, base);
    }
    let head = session.head().map_err(|error| {
        session_error(error).hint("name the revision before with `--base`, such as `--base origin/main`")
    })?;
    if head.tree != *gated {
        return Ok(head.tree);
    }
    let info = session.port.commit_info(&head.commit).map_err(|error| anyhow!(error))?;
    match info.parents.first() {
        Some(parent) => Ok(session.port.commit_info(parent).map_err(|error| anyhow!(error))?.tree),
        None => Ok(head.tree),
    }
}

fn places(session: &Session, tree: &TreeId, symbols: &[String]) -> Result<Vec<SymbolPlace>, CliError> {
    let table = session.symbols(tree).map_err(session_error)?;
    let known =
        table.symbols.values().filter(|symbol| symbols.iter().any(|name| symbol.path.as_str() == name));
    let place = |symbol: &mappings::Symbol| SymbolPlace {
        symbol: symbol.path.to_string(),
        file: symbol.file.clone(),
        line: symbol.line,
    };
    Ok(known.map(place).collect())
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    Ok(())
}

fn text(report: &GateReport) -> String {
    let word = |verdict: Verdict| match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::Inconclusive => "cannot tell",
    };
    let mut lines = vec![format!(
        "{}: {} against the upstream at {}",
        word(report.verdict),
        report.what,
        report.baseline
    )];
    for gate in &report.gates {
        lines.push(format!("  {:<10} {:<12} {}", gate.gate, word(gate.verdict), gate.reason));
        lines.extend(gate.findings.iter().map(|finding| format!("      {}: {}", finding.code, finding.text)));
        lines.extend(gate.counterexamples.iter().map(|example| {
            let parting = example.divergence.as_ref().map(|found| format!("; first in {found}"));
            let parting = parting.unwrap_or_default();
            let by_hand = example.commands.iter().zip(["upstream", "port"]);
            let by_hand: Vec<_> = by_hand.map(|(line, side)| format!("\n        {side}: {line}")).collect();
            let by_hand = by_hand.concat();
            format!(
                "      {}: upstream {}, port {}{parting}{by_hand}",
                example.call, example.upstream, example.port
            )
        }));
    }
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    let tests = report.gates.iter().any(|gate| gate.gate == "tests");
    if !tests {
        lines.push("tests: not run; `[gate.tests]` names no command".to_owned());
    }
    let disagreeing = report.gates.iter().flat_map(|gate| &gate.evidence).filter(|row| row.disagreed > 0);
    if let Some(row) = disagreeing.clone().next() {
        lines.push(format!(
            "{} out of line; `tidelock contract explain {}` says more",
            count(disagreeing.count() as u64, "symbol"),
            row.symbol
        ));
    }
    lines.join("\n") + "\n"
}
