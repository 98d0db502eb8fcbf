//! Whole ports from nothing: how much of a crate `tidelock bootstrap` proves, how many of its tests it translates, and
//! what that costs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use upstream::process::{Ending, Invocation, Limits, ProcessRunner as _, SystemProcessRunner};

use super::{Metric, Tell};

/// The longest that one port may take, in milliseconds.
const PORT_MS: u64 = 4 * 60 * 60 * 1000;
/// How a command ends that did what can be done: done, nothing to do, some of it waits.
const ENDED: [i32; 3] = [0, 3, 5];

/// Ports crates, named or given as repositories. They are kept beside this program, so that a second call goes on.
pub(super) fn run(translators: &[String], crates: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if crates.is_empty() {
        bail!(
            "the measure `bootstrap` ports crates: name them, or the paths of their repositories, with `--repo`"
        );
    }
    let program = super::demo::program()?;
    let below = program.parent().context("the program has no folder")?.join("bootstrap");
    std::fs::create_dir_all(&below)?;
    for named in crates {
        one(&program, &below, named, translators, tell)?;
    }
    Ok(())
}

fn one(
    program: &Path,
    below: &Path,
    named: &Path,
    translators: &[String],
    tell: &mut Tell<'_>,
) -> Result<()> {
    let (upstream, name) = if named.is_dir() {
        let whole = named.canonicalize()?;
        // Mirrors are called by the folder that holds them.
        let holder = if named.join("HEAD").is_file() { whole.parent().unwrap_or(&whole) } else { &whole };
        let name = holder.file_name().unwrap_or_default().to_string_lossy().replace('+', "-");
        (whole.display().to_string(), name)
    } else {
        let name = named.display().to_string();
        (name.clone(), name)
    };
    let folder = below.join(&name);
    let mut invocation = Invocation::new(program, below)
        .args(["bootstrap", "--format", "json", "--upstream", &upstream, "--into"])
        .args([folder.as_os_str()])
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE", "PATH"])
        .limits(Limits { timeout_ms: PORT_MS, ..Limits::default() });
    for translator in translators {
        invocation = invocation.args(["--translator", translator]);
    }
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !matches!(finished.ending, Ending::Exited(code) if ENDED.contains(&code)) {
        bail!("`tidelock bootstrap` of {name} ended with {:?}:\n{}", finished.ending, finished.tail(30));
    }
    let told: Value = serde_json::from_slice(&finished.stdout)
        .with_context(|| format!("what `tidelock bootstrap` of {name} told is no JSON"))?;
    for (of, what) in [("items", "proved"), ("public", "proved"), ("tests", "tested")] {
        let share = json!({ "of": told[of]["of"], what: told[of][what], "missing": told[of]["missing"] });
        tell(metric(&name, of, share, "items"))?;
    }
    for (of, unit) in
        [("lines", "lines"), ("tokens_per_line", "tokens"), ("translated", "units"), ("cost", "")]
    {
        tell(metric(&name, of, told[of].clone(), unit))?;
    }
    tell(metric(&name, "missing", told["missing"].clone(), "items"))
}

fn metric(name: &str, of: &str, value: Value, unit: &'static str) -> Metric {
    Metric { name: format!("bootstrap.{name}.{of}"), value, unit, target: String::new(), ok: true }
}
