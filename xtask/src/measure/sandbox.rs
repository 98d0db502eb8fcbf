//! What confinement costs at the start of a command, and whether the attempts to escape fail, as the user who runs
//! this and as an ordinary one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use port::confinement::{Access, Confinement};
use port::sandbox::{Mechanism, Sandbox, SandboxPolicy};
use serde_json::json;
use upstream::clock::{Clock, SystemClock};
use upstream::process::{Ending, Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::{Metric, Tell};

/// How many rounds are timed; the median counts.
const ROUNDS: usize = 31;
/// How many runs are timed together: the clock counts in milliseconds.
const RUNS_A_ROUND: u32 = 4;
/// How much longer a confined command may take to start, in milliseconds.
const START_MS_MAX: f64 = 25.0;
/// The user and group of nobody.
const NOBODY: &str = "65534";

const MECHANISMS: [(&str, Mechanism); 3] = [
    ("bubblewrap", Mechanism::Bubblewrap),
    ("landlock", Mechanism::Landlock),
    ("landlock_alone", Mechanism::LandlockAlone),
];

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `sandbox` takes no repository");
    }
    let program = std::env::current_exe()?.with_file_name("tidelock");
    if !program.is_file() {
        bail!("there is no `{}`: run `cargo build` first", program.display());
    }
    let runner = SystemProcessRunner::default();
    let mut found = 0;
    for (name, mechanism) in MECHANISMS {
        let policy = SandboxPolicy { mechanisms: vec![mechanism], ..SandboxPolicy::default() };
        match Sandbox::detect(&policy, &program, &runner) {
            Ok(confinement) => {
                found += 1;
                start_up(name, &*confinement, &runner, tell)?;
            }
            Err(error) => told(tell, format!("sandbox.{name}.level"), &format!("not here: {error}"))?,
        }
    }
    if found == 0 {
        bail!("no sandbox works on this machine: install bubblewrap");
    }
    escapes(&runner, tell)
}

/// The same command confined and not, in turn.
fn start_up(
    name: &str,
    confinement: &dyn Confinement,
    runner: &SystemProcessRunner,
    tell: &mut Tell<'_>,
) -> Result<()> {
    told(tell, format!("sandbox.{name}.level"), &confinement.level())?;
    let folder = tempfile::tempdir()?;
    let plain = Invocation::new("true", folder.path()).limits(Limits::default());
    let access = Access { read: Vec::new(), write: vec![folder.path().to_path_buf()] };
    let (mut bare, mut confined) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(timed(runner, || Ok(plain.clone()))?);
        confined.push(timed(runner, || Ok(confinement.confine(plain.clone(), &access)?))?);
    }
    let (bare, confined) = (median(bare), median(confined));
    tell(Metric::told(format!("sandbox.{name}.unconfined_ms"), bare, "ms"))?;
    tell(Metric::told(format!("sandbox.{name}.confined_ms"), confined, "ms"))?;
    tell(Metric::at_most(format!("sandbox.{name}.start_up_ms"), confined - bare, "ms", START_MS_MAX))
}

/// Milliseconds for each run of a round.
fn timed(runner: &SystemProcessRunner, made: impl Fn() -> Result<Invocation>) -> Result<f64> {
    let clock = SystemClock;
    let began_ms = clock.now_ms();
    for _ in 0..RUNS_A_ROUND {
        let finished = runner.run(&made()?)?;
        if !finished.succeeded() {
            bail!("it ended with {:?}: {}", finished.ending, finished.tail(5));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few processes")]
    let took = (clock.now_ms() - began_ms) as f64;
    Ok(took / f64::from(RUNS_A_ROUND))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The escape suite of `port`, as we are and as an ordinary user.
fn escapes(runner: &SystemProcessRunner, tell: &mut Tell<'_>) -> Result<()> {
    let built = Invocation::new("cargo", PathBuf::from(env!("CARGO_MANIFEST_DIR")))
        .args(["test", "-p", "port", "--test", "sandbox", "--no-run", "--message-format", "json"])
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "CARGO_TARGET_DIR"])
        .limits(Limits { timeout_ms: 30 * 60 * 1000, output_bytes_max: 64 << 20, ..Limits::default() });
    let built = runner.run(&built)?;
    let text = String::from_utf8_lossy(&built.stdout).into_owned();
    let suite = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "sandbox")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("the escape suite does not build: {}", built.tail(5)))?;
    let own = if is_root() { "root" } else { "ordinary_user" };
    escape(own, &Invocation::new(&suite, "/"), runner, tell)?;
    if !is_root() {
        return told(tell, "sandbox.escapes_as_root".to_owned(), "not here: run this as root as well");
    }
    // A copy where anybody may run it; the home of nobody holds nothing.
    let folder = tempfile::tempdir_in("/var/tmp")?;
    let copy = folder.path().join("sandbox");
    std::fs::copy(&suite, &copy)?;
    open_to_all(folder.path())?;
    open_to_all(&copy)?;
    let alone = Invocation::new("setpriv", "/")
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .args([copy.as_os_str()])
        // Rust is in the home of whoever runs this, where nobody else may look.
        .args(["--skip", "cargo_builds"])
        .env("HOME", "/nonexistent");
    escape("ordinary_user", &alone, runner, tell)
}

fn open_to_all(path: &Path) -> Result<()> {
    Ok(std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?)
}

fn escape(user: &str, suite: &Invocation, runner: &SystemProcessRunner, tell: &mut Tell<'_>) -> Result<()> {
    let suite = suite
        .clone()
        .inherit(&["CARGO_HOME", "RUSTUP_HOME"])
        .limits(Limits { timeout_ms: 30 * 60 * 1000, ..Limits::default() });
    let suite = if user == "root" { suite.inherit(&["HOME"]) } else { suite };
    let finished = runner.run(&suite)?;
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    let ended =
        |how: &str| text.lines().filter(|line| line.starts_with("test ") && line.ends_with(how)).count();
    let failed: Vec<&str> =
        text.lines().filter(|line| line.starts_with("test ") && line.ends_with("FAILED")).collect();
    if !matches!(finished.ending, Ending::Exited(0 | 101)) {
        bail!("the escape suite ended with {:?}: {}", finished.ending, finished.tail(9));
    }
    tell(Metric {
        name: format!("sandbox.escapes_as_{user}"),
        value: json!({"passed": ended("ok"), "not_here": ended("ignored"), "failed": failed}),
        unit: "attempts",
        target: "none failed".to_owned(),
        ok: failed.is_empty() && ended("ok") > 0,
    })
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn told(tell: &mut Tell<'_>, name: String, value: &str) -> Result<()> {
    tell(Metric { name, value: json!(value), unit: "", target: String::new(), ok: true })
}
