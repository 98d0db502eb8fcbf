//! What `tidelock history` costs, beside git printing the same revisions.
//!
//! Both are run in turn with their output into a file: without rows kept from before against `git log -p`, with
//! them against `git log --raw`. A third pair is ourselves, with the same changes in ten times the code. Python times each run and reads its peak memory, as the shell's `time` would.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::history_scale;
use super::{Metric, Tell};

/// How many revisions are told.
const REVISIONS: &str = "1000";
/// How often each is run; the median counts.
const ROUNDS: usize = 5;
/// How many times as long as `git log -p` a history may take.
const COLD_RATIO_MAX: f64 = 0.4;
/// How many times as long as `git log --raw` it may take when its rows are kept.
const WARM_RATIO_MAX: f64 = 1.5;
/// How much of the memory of `git log -p` it may take.
const MEMORY_RATIO_MAX: f64 = 1.2;

/// How many times as long a change may take in ten times the code.
const SCALE_RATIO_MAX: f64 = 1.3;

/// Runs a command with its output in a file; prints seconds, processor seconds, peak kilobytes, exit code.
const TIMER: &str = r"
import os, sys, time
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
begin = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
_, status, use = os.wait4(pid, 0)
print(time.perf_counter() - begin, use.ru_utime + use.ru_stime, use.ru_maxrss, os.waitstatus_to_exitcode(status))
";

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `history` reads repositories: name them with `--repo PATH`");
    }
    if cfg!(debug_assertions) {
        bail!(
            "run it as `cargo run --release -p xtask -- measure history`, with a release build of `tidelock` beside it"
        );
    }
    for repository in repositories {
        one(&repository.canonicalize()?, tell)?;
    }
    Ok(())
}

fn one(repository: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let shown =
        repository.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let program = std::env::current_exe()?.with_file_name("tidelock").display().to_string();
    let path = repository.display().to_string();
    let git =
        |how: &'static str| ["git", "-C", &path, "log", how, "-n", REVISIONS].map(str::to_owned).to_vec();
    let ours = |kept: &[&str]| {
        let fixed = [program.as_str(), "history", "--repo", &path, "--last", REVISIONS];
        fixed.iter().chain(kept).map(|word| (*word).to_owned()).collect::<Vec<String>>()
    };
    let timed = |command: &[String]| timed(folder.path(), command);
    let scaled = folder.path().join("scaled.git");
    let branches = history_scale::build(repository, &scaled)?;
    let changes = |branch: &str| -> Result<Run> {
        let (repo, last) = (scaled.display().to_string(), history_scale::COMMITS.to_string());
        let words = [&program, "history", "--repo", &repo, "--to", branch, "--last", &last, "--no-cache"];
        timed(&words.map(str::to_owned))?.succeeded()
    };
    let (mut plain, mut ten_times) = (Vec::new(), Vec::new());
    timed(&ours(&[]))?.succeeded()?;
    let (mut patch, mut raw, mut cold, mut warm) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        patch.push(timed(&git("-p"))?);
        cold.push(timed(&ours(&["--no-cache"]))?.succeeded()?);
        raw.push(timed(&git("--raw"))?.succeeded()?);
        warm.push(timed(&ours(&[]))?.succeeded()?);
        plain.push(changes(&branches.plain)?);
        ten_times.push(changes(&branches.ten_times)?);
    }
    let metric = |name: &str, value: f64, most: f64| Metric {
        name: format!("history.{shown}.{name}"),
        value: json!((value * 1000.0).round() / 1000.0),
        unit: "times",
        target: format!("at most {most}"),
        ok: value <= most,
    };
    let ratio = |ours: &[Run], theirs: &[Run], of: fn(&Run) -> f64| median(ours, of) / median(theirs, of);
    let scale = ratio(&ten_times, &plain, |run| run.seconds);
    tell(metric("100_commits_in_10_times_the_lines", scale, SCALE_RATIO_MAX))?;
    tell(metric("warm_to_raw", ratio(&warm, &raw, |run| run.seconds), WARM_RATIO_MAX))?;
    if let Some(failed) = patch.iter().find(|run| run.exit_code != 0) {
        // Git gives up at the first object that a mirror lacks: there is nothing to compare with.
        return tell(Metric {
            name: format!("history.{shown}.git_log_p_exit_code"),
            value: json!(failed.exit_code),
            unit: "",
            target: "0, or nothing can be compared".to_owned(),
            ok: false,
        });
    }
    let cpu = ratio(&cold, &patch, |run| run.cpu_seconds);
    tell(Metric { target: String::new(), ok: true, ..metric("cpu_to_patch", cpu, f64::INFINITY) })?;
    tell(metric("cold_to_patch", ratio(&cold, &patch, |run| run.seconds), COLD_RATIO_MAX))?;
    tell(metric("memory_to_patch", ratio(&cold, &patch, |run| run.peak_kb), MEMORY_RATIO_MAX))
}

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Run {
    seconds: f64,
    cpu_seconds: f64,
    peak_kb: f64,
    exit_code: i32,
}

impl Run {
    fn succeeded(self) -> Result<Self> {
        if self.exit_code != 0 {
            bail!("a run that should succeed ended with {}", self.exit_code);
        }
        Ok(self)
    }
}

fn timed(folder: &Path, command: &[String]) -> Result<Run> {
    let out = folder.join("out").display().to_string();
    let invocation = Invocation::new("python3", folder)
        .args(["-c", TIMER, &out])
        .args(command)
        // Rows are kept here and nowhere else.
        .env("XDG_CACHE_HOME", folder)
        .inherit(&["HOME"])
        .limits(Limits { timeout_ms: 600_000, ..Limits::default() });
    let finished = SystemProcessRunner::default().run(&invocation)?;
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    let mut numbers = said.split_whitespace();
    let mut next = || numbers.next().with_context(|| format!("nothing was timed: {}", finished.tail(5)));
    Ok(Run {
        seconds: next()?.parse()?,
        cpu_seconds: next()?.parse()?,
        peak_kb: next()?.parse()?,
        exit_code: next()?.parse()?,
    })
}

fn median(runs: &[Run], of: fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
