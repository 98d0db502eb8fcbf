//! `tidelock bench`: measure both sides, decide, calibrate, look back.

use std::ops::Range;

use anyhow::{Context as _, anyhow};
use port::bench::decide::{Decided, Train, Verdict};
use port::bench::read::{self, Attempts, Outcome, Reading};
use port::bench::run::{SideBySide, Stopped};
use reports::chart;
use serde::Serialize;
use upstream::process::Invocation;
use upstream::{Revision, TreeId};

use super::args::{
    Bench, BenchCommand, BenchCompare, BenchHistory, BenchImport, BenchNames, BenchRun, BenchTrain,
    ScheduleName,
};
use super::{CliError, Context, ExitCode, session_error, sync};
use crate::config::bench::{BenchMode, BenchRole, BenchSchedule, BenchSettings};
use crate::driver::benching::{
    Benching, CALIBRATION_PAIRS, Compared, Decision, HistoryRow, Pairing, Question, Source, mode_name,
};
use crate::gate::words;
use crate::lease::Lease;
use crate::session::Session;

/// Rows of an import that are shown as text; JSON has all.
const ROWS_SHOWN: usize = 40;

pub(super) fn run(context: &Context, args: &Bench) -> Result<ExitCode, CliError> {
    match &args.command {
        BenchCommand::Run(args) => measure(context, args),
        BenchCommand::Compare(args) => compare(context, args),
        BenchCommand::Train(args) => train(context, args),
        BenchCommand::Calibrate(args) => calibrate(context, args),
        BenchCommand::History(args) => history(context, args),
        BenchCommand::Import(args) => import(context, args),
    }
}

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

fn compare(context: &Context, args: &BenchCompare) -> Result<ExitCode, CliError> {
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

fn exit_code(decided: Decided) -> ExitCode {
    match decided {
        Decided::Accept => ExitCode::Done,
        Decided::Reject => ExitCode::GateFailed,
        Decided::Hold => ExitCode::Inconclusive,
    }
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

/// Both sides, where anything was measured.
fn sides(compared: &Compared) -> Vec<SideBySide> {
    let measured = compared.comparison.tally.pairs() > 0;
    if measured { compared.comparison.side_by_side() } else { Vec::new() }
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

#[derive(Serialize)]
struct TrainShown {
    revision: String,
    decided: Option<Decided>,
}

fn train(context: &Context, args: &BenchTrain) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    let names = BenchNames { names: Vec::new() };
    let benches = chosen(&session, &names, Some(BenchSchedule::Train))?;
    let mut trees = vec![tree(&session, &args.base)?];
    for revision in &args.revisions {
        trees.push(tree(&session, revision)?);
    }
    let upstream = upstream_of(&session, &benches, None)?;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let benching = Benching::new(&session, &*confinement).afresh(args.fresh);
    let mut train = Train::of(args.revisions.len());
    while let Some(range) = train.next() {
        let Range { start, end } = range.clone();
        let at = |place: usize| trees.get(place).cloned().context("a revision of the train is gone");
        let question = Question {
            benches: benches.clone(),
            before: at(start)?,
            after: at(end)?,
            upstream: upstream.clone(),
        };
        let decision = benching.decide(&question)?;
        let revisions = args.revisions.get(range).unwrap_or_default().join(" ");
        context.console.say(&format!("{revisions}: {}", decision.verdict.line));
        train.decided(decision.verdict.decided);
    }
    let verdicts = args.revisions.iter().zip(train.verdicts());
    let rows: Vec<TrainShown> = verdicts
        .map(|(revision, decided)| TrainShown { revision: revision.clone(), decided: *decided })
        .collect();
    if context.format.is_json() {
        context.json(&rows)?;
    } else {
        let word = |decided: Option<Decided>| decided.map_or("not tested", Decided::word);
        let lines = rows.iter().map(|row| format!("{} {}\n", word(row.decided), row.revision));
        context.console.data(&(lines.collect::<String>() + &format!("{} tests\n", train.tests())));
    }
    let worst = rows.iter().filter_map(|row| row.decided).max().unwrap_or(Decided::Hold);
    Ok(exit_code(worst))
}

/// Two sides of `bench run`.
#[derive(Serialize)]
struct Measured {
    bench: String,
    reference: String,
    candidate: String,
    /// Why there are fewer pairs than were asked for; empty where there are not.
    trouble: String,
    sides: Vec<SideBySide>,
    /// The mean result on both sides, by task or bench.
    means: Vec<Mean>,
}

#[derive(Serialize)]
struct Mean {
    name: String,
    reference: f64,
    candidate: f64,
}

fn measure(context: &Context, args: &BenchRun) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    let schedule = args.schedule.map(|name| match name {
        ScheduleName::Change => BenchSchedule::Change,
        ScheduleName::Nightly => BenchSchedule::Nightly,
        ScheduleName::Train => BenchSchedule::Train,
    });
    let benches = chosen(&session, &args.which, schedule)?;
    let head = session.head().map_err(session_error)?.tree;
    let upstream = upstream_of(&session, &benches, None)?;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let benching = Benching::new(&session, &*confinement);
    let mut measured = Vec::new();
    for bench in &benches {
        for (reference, mode) in against(bench, upstream.as_ref(), &head) {
            let pairing = Pairing {
                bench,
                mode,
                reference,
                candidate: Source::Port(head.clone()),
                trusted: head.clone(),
                endpoints: 1,
            };
            measured.push(one_measured(&benching, &pairing, args.pairs)?);
        }
    }
    if context.format.is_json() {
        context.json(&measured)?;
    } else {
        context.console.data(&measured_text(&measured));
    }
    let troubled = measured.iter().any(|one| !one.trouble.is_empty());
    Ok(if troubled { ExitCode::Inconclusive } else { ExitCode::Done })
}

/// What the port as it stands is set beside: the upstream in both modes, or itself, which shows the noise.
fn against(bench: &BenchSettings, upstream: Option<&Revision>, head: &TreeId) -> Vec<(Source, BenchMode)> {
    let [_, parity, extended] = &bench.environment;
    let both = bench.mode != BenchMode::Parity || !parity.is_empty() || !extended.is_empty();
    let modes = if both { vec![BenchMode::Parity, BenchMode::Extended] } else { vec![BenchMode::Parity] };
    let reference = match upstream.filter(|_| !bench.upstream_command.is_empty()) {
        Some(revision) => Source::Upstream(Box::new(revision.clone())),
        None => Source::Port(head.clone()),
    };
    modes.into_iter().map(|mode| (reference.clone(), mode)).collect()
}

fn one_measured(benching: &Benching<'_>, pairing: &Pairing<'_>, pairs: usize) -> Result<Measured, CliError> {
    let comparison = benching.measure(pairing, pairs)?;
    let trouble = match &comparison.stopped {
        Stopped::Decided | Stopped::Capped => {
            comparison.invalid().first().map(ToString::to_string).unwrap_or_default()
        }
        Stopped::Interrupted => "it was stopped; the same command goes on".to_owned(),
        Stopped::Infrastructure(reason) | Stopped::Impossible(reason) => reason.clone(),
        Stopped::StoredDiffer => "stored runs of the reference hold no longer".to_owned(),
    };
    let number = |pairs: usize| f64::from(u32::try_from(pairs.max(1)).unwrap_or(u32::MAX));
    let means = comparison.tally.by_task.iter().map(|(name, sums)| Mean {
        name: name.clone(),
        reference: sums.reference / number(sums.pairs),
        candidate: sums.candidate / number(sums.pairs),
    });
    Ok(Measured {
        bench: pairing.bench.name.clone(),
        reference: pairing.reference.words(),
        candidate: format!("{} in {} mode", pairing.candidate.words(), mode_name(pairing.mode)),
        trouble,
        means: means.collect(),
        sides: if comparison.tally.pairs() > 0 { comparison.side_by_side() } else { Vec::new() },
    })
}

fn measured_text(measured: &[Measured]) -> String {
    let mut lines = Vec::new();
    for one in measured {
        lines.push(format!("{}: {} beside {}", one.bench, one.candidate, one.reference));
        if !one.trouble.is_empty() {
            lines.push(format!("  inconclusive: {}", one.trouble));
        }
        lines.extend(one.sides.iter().map(|side| format!("  {}", words(side))));
        for Mean { name, reference, candidate } in &one.means {
            lines.push(format!("    {name}: {reference:.6} and {candidate:.6} on average"));
        }
    }
    lines.join("\n") + "\n"
}

#[derive(Serialize)]
struct Calibrated {
    bench: String,
    /// The deviation of the logarithm of a ratio of two equal measurements.
    noise: f64,
    /// The smallest loss that the pairs of a comparison detect nine times in ten.
    detectable: f64,
    pairs: usize,
}

fn calibrate(context: &Context, args: &BenchNames) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    let benches = chosen(&session, args, None)?;
    let head = session.head().map_err(session_error)?.tree;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let benching = Benching::new(&session, &*confinement);
    let mut rows = Vec::new();
    for bench in benches.iter().filter(|bench| bench.kind == crate::config::bench::BenchKind::Values) {
        for mode in crate::driver::benching::modes(bench.mode) {
            let found = benching.calibrate(bench, mode, &head)?;
            let pairs = bench.pairs_max.unwrap_or(CALIBRATION_PAIRS);
            rows.push(Calibrated {
                bench: format!("{} ({})", bench.name, mode_name(mode)),
                noise: found.overall.sqrt(),
                detectable: port::timing::statistics::detectable_slowdown(found.overall, pairs),
                pairs,
            });
        }
    }
    if rows.is_empty() {
        context.console.say("no benchmark measures values: task suites need no calibration");
        return Ok(ExitCode::NothingToDo);
    }
    if context.format.is_json() {
        context.json(&rows)?;
    } else {
        let line = |row: &Calibrated| {
            format!(
                "{}: equal code differs by {:.1} % from pair to pair; {} pairs detect a loss of {:.1} %\n",
                row.bench,
                row.noise * 100.0,
                row.pairs,
                row.detectable * 100.0
            )
        };
        context.console.data(&rows.iter().map(line).collect::<String>());
    }
    Ok(ExitCode::Done)
}

fn history(context: &Context, args: &BenchHistory) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let records = crate::driver::benching::Records::below(&session.settings.state);
    let all = records.history()?;
    let wanted = |row: &&HistoryRow| args.which.names.is_empty() || args.which.names.contains(&row.bench);
    let rows: Vec<&HistoryRow> = all.iter().filter(wanted).collect();
    if let Some(path) = &args.charts {
        std::fs::write(path, history_chart(&rows))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if context.format.is_json() {
        context.json(&rows)?;
    } else {
        let line = |row: &&HistoryRow| {
            let when = jiff::Timestamp::from_millisecond(row.at_ms).map_or_else(
                |_out_of_range| row.at_ms.to_string(),
                |when| when.strftime("%Y-%m-%d %H:%M").to_string(),
            );
            let side = row.sides.first().map(words).unwrap_or_default();
            format!(
                "{when}  {:6} {} ({}): {} to {}: {side}\n",
                row.decided,
                row.bench,
                mode_name(row.mode),
                row.reference,
                row.candidate
            )
        };
        context.console.data(&rows.iter().map(line).collect::<String>());
    }
    Ok(if rows.is_empty() { ExitCode::NothingToDo } else { ExitCode::Done })
}

fn import(context: &Context, args: &BenchImport) -> Result<ExitCode, CliError> {
    let format = args.written_as.parse().map_err(|message: String| CliError::usage(anyhow!(message)))?;
    let reading = match read::read(format, &context.directory.join(&args.path)) {
        Ok(reading) => reading,
        Err(error) => {
            return Err(CliError { code: ExitCode::Inconclusive, cause: anyhow!(error), hints: Vec::new() });
        }
    };
    if context.format.is_json() {
        context.json(&reading)?;
    } else {
        context.console.data(&reading_text(&reading));
    }
    Ok(ExitCode::Done)
}

fn reading_text(reading: &Reading) -> String {
    let count = |wanted: fn(&Outcome) -> bool| reading.rows.iter().filter(|row| wanted(&row.outcome)).count();
    let mut lines = vec![format!(
        "{} results: {} passed or measured, {} failed, {} skipped, {} faults outside the code; several attempts are {}",
        reading.rows.len(),
        count(|outcome| *outcome == Outcome::Pass),
        count(|outcome| *outcome == Outcome::Fail),
        count(|outcome| *outcome == Outcome::Skip),
        count(|outcome| matches!(outcome, Outcome::Infra { .. })),
        match reading.attempts {
            Attempts::Retries => "retries, and the first one counts",
            Attempts::Independent => "independent, and their mean counts",
        }
    )];
    for row in reading.rows.iter().take(ROWS_SHOWN) {
        let outcome = match &row.outcome {
            Outcome::Pass => "pass".to_owned(),
            Outcome::Fail => "FAIL".to_owned(),
            Outcome::Skip => "skip".to_owned(),
            Outcome::Infra { reason } => format!("fault ({reason})"),
        };
        let value = row.value.map(|value| format!(" {value} {}", row.unit)).unwrap_or_default();
        let attempt = if row.attempt > 1 { format!(" (attempt {})", row.attempt) } else { String::new() };
        lines.push(format!("  {outcome} {}{attempt}{value}", row.task));
    }
    if reading.rows.len() > ROWS_SHOWN {
        lines.push(format!("  and {} more: `--format json` has all", reading.rows.len() - ROWS_SHOWN));
    }
    lines.join("\n") + "\n"
}

/// The benchmarks that are meant: those named, or those of a schedule, or all.
fn chosen<'s>(
    session: &'s Session,
    which: &BenchNames,
    schedule: Option<BenchSchedule>,
) -> Result<Vec<&'s BenchSettings>, CliError> {
    let all = &session.settings.benches;
    if all.is_empty() {
        return Err(CliError::usage(anyhow!("no benchmark is configured"))
            .hint("add a `[[bench]]` table to tidelock.toml: docs/benchmarks.md begins with one"));
    }
    if let Some(name) = which.names.iter().find(|name| !all.iter().any(|bench| bench.name == **name)) {
        let known: Vec<&str> = all.iter().map(|bench| bench.name.as_str()).collect();
        let error = anyhow!("there is no benchmark `{name}`; there are {}", known.join(", "));
        return Err(CliError::usage(error));
    }
    let named = |bench: &&BenchSettings| which.names.is_empty() || which.names.contains(&bench.name);
    let due = |bench: &&BenchSettings| schedule.is_none_or(|schedule| bench.schedule == schedule);
    let benches: Vec<&BenchSettings> = all.iter().filter(named).filter(due).collect();
    if benches.is_empty() {
        return Err(CliError::usage(anyhow!("no benchmark has this schedule"))
            .hint("`schedule` of a `[[bench]]` is `change`, `nightly` or `train`"));
    }
    Ok(benches)
}

/// The tree of a commit of the port, by what people call it.
fn tree(session: &Session, revision: &str) -> Result<TreeId, CliError> {
    let unknown = || {
        CliError::usage(anyhow!("the port has no revision `{revision}`"))
            .hint("name a commit, a branch or a tag; `HEAD~1` needs a history of two commits")
    };
    if revision.starts_with('-') {
        return Err(unknown());
    }
    let spec = format!("{revision}^{{tree}}");
    let invocation = Invocation::new("git", &session.settings.root).args(["rev-parse", "--verify", &spec]);
    let finished = session.machine.runner.run(&invocation).map_err(|error| anyhow!(error))?;
    if !finished.succeeded() {
        return Err(unknown());
    }
    TreeId::new(String::from_utf8_lossy(&finished.stdout).trim()).map_err(|_no_tree| unknown())
}

/// The upstream's revision, where some benchmark can run there.
fn upstream_of(
    session: &Session,
    benches: &[&BenchSettings],
    named: Option<&str>,
) -> Result<Option<Revision>, CliError> {
    if benches.iter().all(|bench| bench.upstream_command.is_empty()) {
        return Ok(None);
    }
    let label = if let Some(label) = named {
        label.to_owned()
    } else {
        let head = session.head().map_err(session_error)?;
        session.lock(&head.tree).map_err(session_error)?.baseline.to_string()
    };
    session.revision(&label).map(Some).map_err(session_error)
}

/// A page with the path of each test and the ratios or differences of both sides.
fn charts_of(decision: &Decision) -> String {
    let mut charts = Vec::new();
    for (mode, _role, compared) in &decision.compared {
        let Compared { comparison, .. } = compared;
        let name = format!("{} ({})", comparison.header.bench, mode_name(*mode));
        let rates = comparison.tally.kind.rates();
        let points =
            comparison.tally.path.iter().map(|point| (number(point.pairs), point.log_likelihood_ratio));
        charts.push(chart::sequential_path(
            &format!("{name}: the evidence after each look"),
            &points.collect::<Vec<_>>(),
            rates.accept_at(),
            rates.reject_at(),
        ));
        charts.push(chart::intervals(&format!("{name}: both sides"), &intervals(&sides(compared)), same(&sides(compared))));
        let pairs: Vec<chart::Pair> = comparison
            .tally
            .by_task
            .iter()
            .map(|(label, sums)| chart::Pair {
                label: label.clone(),
                reference: sums.reference / number(sums.pairs.max(1)),
                candidate: sums.candidate / number(sums.pairs.max(1)),
            })
            .collect();
        charts.push(chart::pairs(&format!("{name}: each task or bench on both sides"), &pairs));
    }
    chart::page(&decision.verdict.line, &charts)
}

fn intervals(sides: &[SideBySide]) -> Vec<chart::Interval> {
    let one = |side: &SideBySide| chart::Interval {
        label: side.name.clone(),
        middle: side.change,
        low: side.low,
        high: side.high,
    };
    sides.iter().map(one).collect()
}

/// The value that means no change.
fn same(sides: &[SideBySide]) -> Option<f64> {
    sides.first().map(|side| if side.measure == "ratio" { 1.0 } else { 0.0 })
}

fn history_chart(rows: &[&HistoryRow]) -> String {
    let mut names: Vec<(&str, &str)> =
        rows.iter().map(|row| (row.bench.as_str(), mode_name(row.mode))).collect();
    names.sort_unstable();
    names.dedup();
    let chart = |(bench, mode): (&str, &str)| {
        let of_it = rows.iter().filter(|row| row.bench == bench && mode_name(row.mode) == mode);
        let same_of = of_it.clone().next().and_then(|row| same(&row.sides));
        let points: Vec<chart::Interval> = of_it
            .filter_map(|row| {
                let side = row.sides.first()?;
                Some(chart::Interval {
                    label: row.candidate.clone(),
                    middle: side.change,
                    low: side.low,
                    high: side.high,
                })
            })
            .collect();
        chart::history(&format!("{bench} ({mode}), each comparison with its interval"), &points, same_of)
    };
    let charts: Vec<String> = names.into_iter().map(chart).collect();
    chart::page("Benchmarks", &charts)
}

fn number(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}
