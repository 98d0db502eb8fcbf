//! Code that did not change: how often it is called slower. With `--repo`, on the published history of a
//! repository that runs the same benchmarks on every commit; without, on this machine as it is now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use port::bench::decide::Evidence;
use port::bench::random::Random;
use port::bench::read::Format;
use port::bench::run::{BenchProcess, Output, ProcessBench, StopRule, Wanted};
use port::confinement::Access;
use port::sandbox::Unconfined;
use port::timing::statistics::{TimingRule, detectable_slowdown, robust_variance, sequential_test};
use serde_json::Value;
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::value_runs::ValueRuns;
use super::{Metric, Tell};

/// Where the history lies in the repository.
const HISTORY: &str = "gh-pages:dev/bench/data.js";

/// The series that are looked at.
const SERIES: [&str; 2] = ["Rust Benchmark", "Go Benchmark"];

/// Pairs that calibrate, and the most pairs of a decision.
const PAIRS: [usize; 2] = [40, 20];

/// How often the labels of each window are drawn anew.
const DRAWS: u64 = 40;

/// Comparisons of the unchanged suite on this machine.
const COMPARISONS: u64 = 40;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        return this_machine(tell);
    }
    for repository in repositories {
        published(repository, tell)?;
    }
    Ok(())
}

fn published(repository: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let invocation = Invocation::new("git", repository).args(["show", HISTORY]);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    ensure!(finished.succeeded(), "git cannot show the history: {}", finished.tail(3));
    let text = String::from_utf8(finished.stdout).context("the history is no text")?;
    let json = text.split_once('=').map_or(text.as_str(), |(_, json)| json).trim().trim_end_matches(';');
    let data: Value = serde_json::from_str(json).context("the history is no JSON")?;
    let (mut decisions, mut worse, mut held) = (0.0, 0.0, 0.0);
    for series in SERIES {
        let values = series_of(&data["entries"][series]);
        ensure!(!values.is_empty(), "the history has no series `{series}`");
        for (bench, values) in values {
            let found = decide_history(&values);
            if found.0 > 0.0 {
                let name = format!("gate_null.published.{series}.{bench}.called_slower");
                tell(Metric::told(name, found.1 / found.0, "share"))?;
            }
            decisions += found.0;
            worse += found.1;
            held += found.2;
        }
    }
    tell(Metric::told("gate_null.published.decisions", decisions, "decisions"))?;
    tell(Metric::told("gate_null.published.held", held / decisions, "share"))?;
    tell(Metric::at_most("gate_null.published.called_slower", worse / decisions, "share", 0.05))
}

/// The values of each bench, in the order of the commits.
fn series_of(entries: &Value) -> BTreeMap<String, Vec<f64>> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for entry in entries.as_array().into_iter().flatten() {
        for bench in entry["benches"].as_array().into_iter().flatten() {
            if let (Some(name), Some(value)) = (bench["name"].as_str(), bench["value"].as_f64())
                && value > 0.0
            {
                values.entry(name.to_owned()).or_default().push(value);
            }
        }
    }
    values
}

/// Neighbouring runs are pairs with random labels: decisions, those that say slower, those that hold.
fn decide_history(values: &[f64]) -> (f64, f64, f64) {
    let [calibrating, deciding] = PAIRS;
    let (mut decisions, mut worse, mut held) = (0.0, 0.0, 0.0);
    let pairs: Vec<f64> = values
        .chunks_exact(2)
        .filter_map(|pair| if let [one, other] = pair { Some((other / one).ln()) } else { None })
        .collect();
    let window = calibrating + deciding;
    for start in (0..pairs.len().saturating_sub(window - 1)).step_by(deciding / 2) {
        for draw in 0..DRAWS {
            let mut random = Random::seeded(draw + 1000 * u64::try_from(start).unwrap_or_default());
            let mut labelled: Vec<f64> = pairs.iter().skip(start).take(window).copied().collect();
            for value in &mut labelled {
                *value = if random.coin() { *value } else { -*value };
            }
            let (same, rest) = labelled.split_at(calibrating);
            let variance_known = robust_variance(same).unwrap_or_default();
            let rule = TimingRule { variance_known, pairs_max: deciding, ..TimingRule::default() };
            let rule = rule.raised_to_detectable();
            let looks = (rule.pairs_min..=rest.len()).step_by(2);
            let evidence = looks
                .map(|pairs| sequential_test(rest.get(..pairs).unwrap_or_default(), &rule))
                .find(|evidence| *evidence != Evidence::Open);
            decisions += 1.0;
            worse += f64::from(u8::from(evidence == Some(Evidence::Worse)));
            held += f64::from(u8::from(evidence.is_none()));
        }
    }
    (decisions, worse, held)
}

/// A small suite of our own, built once and compared with itself again and again.
fn this_machine(tell: &mut Tell<'_>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let program = super::criterion_suite::build(folder.path())?;
    let script = "CRITERION_HOME=\"$1/c\" exec \"$2\" --bench --noplot --sample-size 10 --warm-up-time 0.02 \
                  --measurement-time 0.05";
    let command = ["sh", "-c", script, "sh", "{output}"].map(str::to_owned).into_iter();
    let side = BenchProcess {
        command: command.chain([program.to_string_lossy().into_owned()]).collect(),
        directory: folder.path().to_owned(),
        environment: Invocation::new("true", "/").environment,
        access: Access::default(),
        limits: Limits { timeout_ms: 60_000, ..Limits::default() },
    };
    let runner = SystemProcessRunner::default();
    let bench = ProcessBench {
        reference: &side,
        candidate: &side,
        format: Format::Criterion,
        output: &Output::Below("c".to_owned()),
        wanted: Wanted::Values,
        confinement: &Unconfined,
        runner: &runner,
    };
    let runs = ValueRuns { bench: &bench, folder: folder.path() };
    let [calibrating, deciding] = PAIRS;
    let calibration = runs.calibration("calibration", calibrating)?;
    let detectable = detectable_slowdown(calibration.overall, deciding);
    tell(Metric::told("gate_null.this_machine.noise", calibration.overall.sqrt(), "log ratio"))?;
    tell(Metric::told("gate_null.this_machine.detectable", detectable, "share"))?;
    let rule = TimingRule { pairs_max: deciding, margin: detectable.max(0.05), ..TimingRule::default() };
    let (mut rejected, mut accepted, mut pairs) = (0.0, 0.0, 0.0);
    for seed in 1..=COMPARISONS {
        let name = format!("comparison-{seed}");
        let found = runs.run(&name, seed, rule, Some(calibration.clone()), StopRule::WhenDecided)?;
        match found.verdict().decided {
            port::bench::decide::Decided::Accept => accepted += 1.0,
            port::bench::decide::Decided::Reject => rejected += 1.0,
            port::bench::decide::Decided::Hold => {}
        }
        pairs += f64::from(u32::try_from(found.tally.pairs())?);
    }
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let comparisons = COMPARISONS as f64;
    tell(Metric::told("gate_null.this_machine.accepted", accepted / comparisons, "share"))?;
    tell(Metric::told("gate_null.this_machine.mean_pairs", pairs / comparisons, "pairs"))?;
    tell(Metric::at_most("gate_null.this_machine.rejected", rejected / comparisons, "share", 0.05))
}
