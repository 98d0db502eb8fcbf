//! The demo: how long it takes, that it always ends in the same state, and what it did.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use upstream::process::{Ending, Finished, Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::{Metric, Tell};

/// The longest a demo may take when the program is built, in seconds.
const SECONDS_MAX: f64 = 60.0;

/// When the demo is killed, in percent of the time it takes undisturbed.
const KILLS: [u64; 5] = [10, 30, 50, 70, 90];

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `demo` takes no repository: it brings its own port and follows a published crate");
    }
    let program = program()?;
    let folder = tempfile::tempdir()?;
    let first = folder.path().join("first");
    let finished = demo(&program, &first, Limits::default())?;
    let tree = tree(&first)?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run that a person waits for")]
    let seconds = finished.duration_ms as f64 / 1000.0;
    tell(Metric {
        name: "demo.seconds_when_built".to_owned(),
        value: json!(seconds),
        unit: "s",
        target: format!("at most {SECONDS_MAX}"),
        ok: seconds <= SECONDS_MAX,
    })?;
    counts(&program, &first, tell)?;

    let second = folder.path().join("second");
    demo(&program, &second, Limits::default())?;
    same_tree("demo.second_run_has_the_same_tree".to_owned(), &tree, &second, tell)?;
    for percent in KILLS {
        let killed = folder.path().join(format!("killed-{percent}"));
        let timeout_ms = finished.duration_ms * percent / 100;
        let ended = started(&program, &killed, Limits { timeout_ms, ..Limits::default() })?;
        let was_killed = ended.ending == Ending::TimedOut;
        demo(&program, &killed, Limits::default())?;
        tell(Metric {
            name: format!("demo.was_killed_at_{percent}_percent"),
            value: json!(was_killed),
            unit: "",
            target: "true".to_owned(),
            ok: was_killed,
        })?;
        same_tree(format!("demo.killed_at_{percent}_percent_has_the_same_tree"), &tree, &killed, tell)?;
    }
    Ok(())
}

/// The program, built beside this one.
pub(super) fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let program = own.parent().context("this program has no folder")?.join("tidelock");
    if !program.is_file() {
        bail!("there is no `{}`: run `cargo build` first", program.display());
    }
    Ok(program)
}

fn started(program: &Path, folder: &Path, limits: Limits) -> Result<Finished> {
    let invocation = Invocation::new(program, "/")
        .args([std::ffi::OsStr::new("demo"), folder.as_os_str()])
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"])
        .limits(limits);
    Ok(SystemProcessRunner::default().run(&invocation)?)
}

/// Runs a demo to its end; a second call goes on with one that was killed.
fn demo(program: &Path, folder: &Path, limits: Limits) -> Result<Finished> {
    let finished = started(program, folder, limits)?;
    if !finished.succeeded() {
        bail!("the demo ended with {:?}:\n{}", finished.ending, finished.tail(20));
    }
    Ok(finished)
}

/// The tree of the port's last commit.
fn tree(folder: &Path) -> Result<String> {
    let invocation = Invocation::new("git", folder.join("port")).args(["rev-parse", "HEAD^{tree}"]);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("git cannot read the port: {}", finished.tail(5));
    }
    Ok(String::from_utf8_lossy(&finished.stdout).trim().to_owned())
}

fn same_tree(metric: String, expected: &str, folder: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let found = tree(folder)?;
    let ok = found == expected;
    tell(Metric { name: metric, value: json!(found), unit: "git tree", target: expected.to_owned(), ok })
}

/// What the undisturbed run did, from its record.
fn counts(program: &Path, folder: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let invocation = Invocation::new(program, folder.join("port")).args(["report", "--render", "json"]);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    let record: reports::RunRecord =
        serde_json::from_slice(&finished.stdout).context("the report is no record")?;
    let summary = serde_json::to_value(reports::Summary::of(&record))?;
    let mut told = |metric: &str, value: Value, unit: &'static str, target: &str, ok: bool| {
        let (metric, target) = (format!("demo.{metric}"), target.to_owned());
        tell(Metric { name: metric, value, unit, target, ok })
    };
    let landed = record.revisions.iter().filter(|revision| revision.landed.is_some()).count();
    let revisions = record.revisions.len();
    told("revisions_synced", json!(landed), "revisions", "all", landed == revisions)?;
    told("summary", summary, "counts", "", true)?;
    let refused = record
        .revisions
        .iter()
        .flat_map(|revision| &revision.units)
        .flat_map(|unit| &unit.attempts)
        .filter(|attempt| attempt.route == "memory" && attempt.verdict == Some(reports::Verdict::Fail))
        .count();
    told("false_candidates_refused", json!(refused), "candidates", "1", refused == 1)?;
    let mut probes: Vec<u32> = record
        .revisions
        .iter()
        .flat_map(|revision| &revision.gates)
        .flat_map(|gate| &gate.evidence)
        .map(|row| row.agreed)
        .filter(|agreed| *agreed > 0)
        .collect();
    probes.sort_unstable();
    told("probes_per_function_least", json!(probes.first()), "probes", "", true)?;
    told("probes_per_function_median", json!(probes.get(probes.len() / 2)), "probes", "", true)
}
