//! `tidelock backtest`: what chains of translators would have made of the port's past.

pub(super) mod args;
mod text;

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use port::confinement::Confinement;
use serde::Serialize;

use super::{CliError, Context, ExitCode, session_error, sync};
use crate::backtest::answer::{TESTS, patterns};
use crate::backtest::case::{Case, Cases, Range, from_file, from_history};
use crate::backtest::chains::{NamedChain, named};
use crate::backtest::folder::BacktestFolder;
use crate::backtest::outcome::CaseResult;
use crate::backtest::report::{Facts, report};
use crate::backtest::run::{Job, Shared};
use crate::backtest::schedule::{Bounds, JOBS_MAX, carry_out};
use crate::backtest::scratch::Origin;
use crate::chain::Gates;
use crate::config::CONFIG_NAME;
use crate::driver::Current;
use crate::engine::Head;
use crate::progress::Silent;
use crate::session::{Machine, Session};
use args::Backtest;

pub(super) fn run(context: &Context, args: &Backtest) -> Result<ExitCode, CliError> {
    if !(1..=JOBS_MAX).contains(&args.jobs) {
        let error = anyhow!("{} cases at a time cannot be: from 1 to {JOBS_MAX} can", args.jobs);
        return Err(CliError::usage(error));
    }
    let settings = context.settings()?;
    let chains = named(&args.chains, &settings, &context.directory).map_err(CliError::usage)?;
    let globs = if args.answer_tests.is_empty() {
        TESTS.map(str::to_owned).to_vec()
    } else {
        args.answer_tests.clone()
    };
    let tests = patterns(&globs).map_err(CliError::usage)?;
    let out =
        args.out.as_ref().map_or_else(|| settings.state.join("backtest"), |out| context.directory.join(out));
    let confinement: Arc<dyn Confinement> = sync::confinement(&settings, &context.machine)?.into();
    let session = context.session(settings)?;
    let source = session.settings.source.to_string();
    let Cases { cases, notes } = cases(context, args, &session)?;
    for note in &notes {
        context.console.say(&format!("note: {note}"));
    }
    let mut folder = BacktestFolder::open(&out, &session.settings.port, &source)
        .map_err(|error| CliError { code: ExitCode::Usage, cause: error, hints: Vec::new() })?;
    let config = session.settings.root.join(CONFIG_NAME);
    let at_once_max = chains.iter().map(|chain| chain.settings.at_once_max).max().unwrap_or_default();
    let shared = Shared {
        origin: Origin {
            root: session.settings.root.clone(),
            state: session.settings.state.clone(),
            config: std::fs::read_to_string(&config)
                .with_context(|| format!("cannot read `{}`", config.display()))?,
        },
        // Cases under way at a time would talk across each other; each is told when it is done.
        machine: Machine { listener: Arc::new(Silent), ..context.machine.clone() },
        confinement: &confinement,
        gates: Gates::new(at_once_max, Arc::clone(&context.machine.clock)),
        tests,
        test_globs: globs,
        with_memory: args.memory,
    };
    // Case by case: where a budget ends it, the chains have about the same cases behind them.
    let jobs: Vec<Job<'_>> =
        cases.iter().flat_map(|case| chains.iter().map(move |chain| Job { case, chain })).collect();
    if args.dry_run {
        return planned(context, &session, &cases, &chains, &jobs, &shared, &folder);
    }
    let bounds = Bounds { jobs: args.jobs, tokens: args.budget_tokens, usd: args.budget_usd };
    let ended = carry_out(&jobs, &shared, &mut folder, &bounds, &|line| context.console.say(line))?;
    let results = finished(&jobs, &shared, &folder);
    let facts = Facts {
        port: session.settings.port.clone(),
        source,
        chains: chains.iter().map(|chain| chain.name.clone()).collect(),
        failures: ended.failures,
        stopped_by: ended.stopped_by,
        notes,
        cases: cases.clone(),
    };
    let report = report(facts, results);
    if context.format.is_json() {
        context.json(&report)?;
    } else {
        context.console.data(&text::table(&report));
        context.console.say(&format!("\nThe record of each run: `{}`", out.join("records").display()));
    }
    Ok(if report.stopped_by.is_some() {
        ExitCode::Parked
    } else if report.failures.is_empty() {
        ExitCode::Done
    } else {
        ExitCode::Internal
    })
}

/// What is to be replayed.
fn cases(context: &Context, args: &Backtest, session: &Session) -> Result<Cases, CliError> {
    let what = &args.what;
    let found = if let Some(file) = &what.cases {
        let path = context.directory.join(file);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the cases `{}`", path.display()))
            .map_err(CliError::usage)?;
        from_file(session, &path, &text).map_err(CliError::usage)?
    } else {
        let range = Range { from: what.from.clone(), to: what.to.clone(), last: what.last };
        from_history(session, &range)?
    };
    if found.cases.is_empty() {
        let error = anyhow!(
            "there is nothing to replay: no commit of the port moved `tidelock.lock` forward in this range"
        );
        return Err(CliError::usage(error)
            .hint("`git log -- tidelock.lock` shows which did; `--cases FILE` names cases of other ports"));
    }
    Ok(found)
}

fn finished(jobs: &[Job<'_>], shared: &Shared<'_>, folder: &BacktestFolder) -> Vec<CaseResult> {
    let result = |job: &Job<'_>| folder.finished(&job.key(shared).to_string()).cloned();
    // What was finished under another name of the same chain or case is told by its present one.
    let named = |job: &Job<'_>, result: CaseResult| CaseResult {
        case: job.case.name.clone(),
        chain: job.chain.name.clone(),
        ..result
    };
    jobs.iter().filter_map(|job| Some(named(job, result(job)?))).collect()
}

/// What `--dry-run` prints as JSON.
#[derive(Debug, Serialize)]
struct Planned<'a> {
    cases: Vec<PlannedCase<'a>>,
    chains: Vec<PlannedChain<'a>>,
}

#[derive(Debug, Serialize)]
struct PlannedCase<'a> {
    #[serde(flatten)]
    case: &'a Case,
    /// Tokens, if a model had to do all of it; `None` where it cannot be planned as the port is configured today.
    tokens_estimate: Option<u64>,
}

#[derive(Debug, Serialize)]
struct PlannedChain<'a> {
    name: &'a str,
    /// Cases that are finished.
    finished: usize,
    /// Cases that are not.
    open: usize,
    /// Tokens of the open cases, by the mean of those that this folder knows of this chain by name.
    tokens_expected: Option<u64>,
    /// United States dollars, likewise.
    usd_expected: Option<f64>,
}

/// `--dry-run`: nothing is run, and nobody is asked.
fn planned(
    context: &Context,
    session: &Session,
    cases: &[Case],
    chains: &[NamedChain],
    jobs: &[Job<'_>],
    shared: &Shared<'_>,
    folder: &BacktestFolder,
) -> Result<ExitCode, CliError> {
    let estimates = cases.iter().map(|case| PlannedCase { case, tokens_estimate: estimate(session, case) });
    let of_chain = |chain: &'_ NamedChain| -> (usize, usize) {
        let own = || jobs.iter().filter(|job| job.chain.name == chain.name);
        let finished = own().filter(|job| folder.finished(&job.key(shared).to_string()).is_some()).count();
        (finished, own().count() - finished)
    };
    let rows = chains.iter().map(|chain| {
        let (finished, open) = of_chain(chain);
        let known: Vec<&CaseResult> = folder.all().filter(|result| result.chain == chain.name).collect();
        let count = known.len() as u64;
        let tokens: u64 = known.iter().map(|result| result.tokens()).sum();
        let usd: Option<f64> = known.iter().filter_map(|result| result.cost_usd).reduce(|sum, usd| sum + usd);
        PlannedChain {
            name: &chain.name,
            finished,
            open,
            tokens_expected: (count > 0).then(|| tokens * open as u64 / count.max(1)),
            usd_expected: usd.map(|usd| usd * ratio(open, known.len())),
        }
    });
    let planned = Planned { cases: estimates.collect(), chains: rows.collect() };
    if context.format.is_json() {
        context.json(&planned)?;
        return Ok(ExitCode::Done);
    }
    for PlannedCase { case, tokens_estimate } in &planned.cases {
        let tokens = tokens_estimate
            .map_or_else(|| "?".to_owned(), |tokens| format!("about {}", reports::count(tokens, "token")));
        let answer = if case.answer.is_some() { "" } else { "; no real answer" };
        context.console.data(&format!("{}  {tokens} if a model had to do all of it{answer}\n", case.name));
    }
    for chain in &planned.chains {
        let expected = match (chain.tokens_expected, chain.usd_expected) {
            (None, _) => "nothing is known of what it costs".to_owned(),
            (Some(tokens), None) => format!("about {} to go", reports::count(tokens, "token")),
            (Some(tokens), Some(usd)) => {
                format!("about {} and {usd:.2} USD to go", reports::count(tokens, "token"))
            }
        };
        let PlannedChain { name, finished, open, .. } = chain;
        context.console.data(&format!("{name}: {finished} finished, {open} open; {expected}\n"));
    }
    Ok(ExitCode::Done)
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are small")]
fn ratio(open: usize, known: usize) -> f64 {
    open as f64 / known.max(1) as f64
}

/// Tokens of a case, if a model had to do all of it, as the port is configured today.
fn estimate(session: &Session, case: &Case) -> Option<u64> {
    let commit = case.port.parse().ok()?;
    let tree = session.port.commit_info(&commit).ok()?.tree;
    let target = session.revision(&case.after).map_err(session_error).ok()?;
    let current =
        Current::look(session, &target, &Head { commit, tree }, session.machine.clock.now_ms()).ok()?;
    Some(current.plan.units.iter().map(|unit| unit.tokens_estimate).sum())
}
