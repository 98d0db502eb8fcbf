//! `tidelock bench compare`: may a revision of the port follow another one?

use anyhow::{Context as _, anyhow};
use port::bench::decide::Verdict;
use port::bench::run::{SideBySide, Stopped};
use serde::Serialize;

use super::super::args::BenchCompare;
use super::super::{CliError, Context, ExitCode, sync};
use super::charts::{charts_of, sides};
use super::chosen::{chosen, tree, upstream_of};
use super::exit_code;
use crate::config::bench::{BenchMode, BenchRole};
use crate::driver::benching::{Benching, Compared, Decision, Question, mode_name};
use crate::gate::words;
use crate::lease::Lease;

/// One comparison, as JSON.
#[derive(Serialize)]
struct OneCompared<'a> {
    bench: &'a str,
    mode: &'static str,
    role: BenchRole,
    reference: &'a str,
    candidate: &'a str,
    machine: &'a str,
    stopped: &'a Stopped,
    pairs: usize,
    margin: f64,
    detectable: f64,
    calibrated: bool,
    verdict: Verdict,
    sides: Vec<SideBySide>,
    path: &'a [port::bench::run::PathPoint],
}

#[derive(Serialize)]
struct AllCompared<'a> {
    verdict: &'a Verdict,
    comparisons: Vec<OneCompared<'a>>,
}

pub(super) fn compare(context: &Context, args: &BenchCompare) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    let benches = chosen(&session, &args.which, None)?;
    let question = Question {
        before: tree(&session, &args.before)?,
        after: tree(&session, &args.after)?,
        upstream: upstream_of(&session, &benches, args.upstream.as_deref())?,
        benches,
    };
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let benching = Benching::new(&session, &*confinement).afresh(args.fresh);
    let decision = benching.decide(&question)?;
    if let Some(path) = &args.charts {
        let page = charts_of(&decision);
        std::fs::write(path, page).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if context.format.is_json() {
        context.json(&shown(&decision))?;
    } else {
        context.console.data(&text(&decision, args.explain));
        for (_, _, compared) in decision.compared.iter().filter(|(_, _, compared)| !compared.calibrated) {
            if compared.comparison.harms().is_some() {
                let name = &compared.comparison.header.bench;
                let hint =
                    format!("note: `{name}` is not calibrated on this machine: `tidelock bench calibrate`");
                context.console.say(&hint);
            }
        }
    }
    Ok(exit_code(decision.verdict.decided))
}

fn shown(decision: &Decision) -> AllCompared<'_> {
    let comparisons = decision.compared.iter().map(|(mode, role, compared)| one(*mode, *role, compared));
    AllCompared { verdict: &decision.verdict, comparisons: comparisons.collect() }
}

fn one(mode: BenchMode, role: BenchRole, compared: &Compared) -> OneCompared<'_> {
    let Compared { comparison, margin, calibrated, notes: _ } = compared;
    OneCompared {
        bench: &comparison.header.bench,
        mode: mode_name(mode),
        role,
        reference: &comparison.header.reference,
        candidate: &comparison.header.candidate,
        machine: &comparison.header.machine.processor,
        stopped: &comparison.stopped,
        pairs: comparison.tally.pairs(),
        margin: margin.loss,
        detectable: margin.detectable,
        calibrated: *calibrated,
        verdict: comparison.verdict(),
        sides: sides(compared),
        path: &comparison.tally.path,
    }
}

fn text(decision: &Decision, explain: bool) -> String {
    let mut lines = vec![decision.verdict.line.clone()];
    for (mode, _role, compared) in &decision.compared {
        let header = &compared.comparison.header;
        lines.push(format!("  {} ({}): {}", header.bench, mode_name(*mode), compared.margin));
        lines.extend(sides(compared).iter().map(|side| format!("    {}", words(side))));
    }
    if explain {
        lines.push("how it was reckoned:".to_owned());
        lines.extend(decision.verdict.arithmetic.iter().map(|line| format!("  {line}")));
        for (_, _, compared) in &decision.compared {
            for arm in [&compared.comparison.tally.reference, &compared.comparison.tally.candidate] {
                lines.push(format!(
                    "  {} results and {} faults outside the code on one side of {}; harness {}",
                    arm.valid, arm.infrastructure, compared.comparison.header.bench, arm.harness
                ));
            }
        }
    }
    lines.join("\n") + "\n"
}
