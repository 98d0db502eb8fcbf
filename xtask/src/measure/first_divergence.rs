//! Whether the function that is wrong is named, where it stands two or more calls below the one that was probed.
//!
//! A crate and its port of our own (`xtask/divergence`), right but for one seeded fault at a time.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use upstream::process::{Ending, Finished, Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::{Metric, Tell};

/// The fewest faults, and the share of them that has to be named, in percent.
const FAULTS_LEAST: f64 = 50.0;
const NAMED_LEAST: f64 = 90.0;
/// The longest one question may take, in milliseconds.
const TIMEOUT_MS: u64 = 20 * 60 * 1000;
/// The exit codes of `tidelock contract check` for a port that is right, and for one that is not.
const RIGHT: i32 = 0;
const WRONG: i32 = 4;

#[derive(Debug, Deserialize)]
struct Faults {
    fault: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    /// The function that is asked about, from the package on.
    probed: String,
    /// The one that is made wrong.
    faulty: String,
    /// What is replaced by what in its module.
    changes: Vec<[String; 2]>,
}

pub(super) fn run(repositories: &[std::path::PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `first-divergence` brings its own crate and takes no `--repo`");
    }
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("divergence");
    let text = std::fs::read_to_string(from.join("faults.toml"))?;
    let faults: Faults = toml::from_str(&text).context("xtask/divergence/faults.toml")?;
    let program = super::demo::program()?;
    let work = tempfile::tempdir()?;
    let port = world(&program, &from, work.path())?;
    let (mut named, mut seeded, mut unseen) = (0_u32, 0_u32, 0_u32);
    for fault in &faults.fault {
        let module = fault.faulty.split('.').next().unwrap_or_default();
        let file = port.join("chains").join(format!("{module}.py"));
        let right = std::fs::read_to_string(&file)?;
        for [this, that] in &fault.changes {
            if right.matches(this.as_str()).count() != 1 {
                bail!(
                    "`{this}` does not stand once in the module of {}: faults.toml has to follow",
                    fault.faulty
                );
            }
            std::fs::write(&file, right.replace(this, that))?;
            let checked = check(&program, &port, &fault.probed);
            std::fs::write(&file, &right)?;
            let found = match checked? {
                Checked::Right => {
                    unseen += 1;
                    tell(told("unseen", json!({ "faulty": fault.faulty, "from": this, "to": that })))?;
                    continue;
                }
                Checked::Wrong(found) => found,
            };
            seeded += 1;
            let wanted = format!("chains.{}", fault.faulty);
            if found.as_deref() == Some(wanted.as_str()) {
                named += 1;
            } else {
                let value = json!({ "faulty": wanted, "named": found, "from": this, "to": that });
                tell(told("misnamed", value))?;
            }
        }
    }
    tell(Metric::told("first_divergence.unseen_by_the_contract", f64::from(unseen), "faults"))?;
    tell(Metric::at_least("first_divergence.faults", f64::from(seeded), "faults", FAULTS_LEAST))?;
    let percent = 100.0 * f64::from(named) / f64::from(seeded.max(1));
    tell(Metric::at_least("first_divergence.named", percent, "percent", NAMED_LEAST))
}

fn told(what: &str, value: Value) -> Metric {
    let name = format!("first_divergence.{what}");
    Metric { name, value, unit: "fault", target: String::new(), ok: true }
}

/// The upstream and its port as repositories, adopted and right.
fn world(program: &Path, from: &Path, work: &Path) -> Result<std::path::PathBuf> {
    let (upstream, port) = (work.join("upstream"), work.join("port"));
    super::contract::copy(&from.join("upstream"), &upstream.join("src"))?;
    let manifest = "[package]\nname = \"chains\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    std::fs::write(upstream.join("Cargo.toml"), manifest)?;
    super::contract::git(&upstream, &["init", "--quiet", "--initial-branch=main"])?;
    super::contract::commit(&upstream, "chains")?;
    super::contract::copy(&from.join("port"), &port)?;
    let head = asked(Path::new("git"), &upstream, &["rev-parse", "HEAD"])?;
    let head = String::from_utf8(head.stdout).context("git names no commit")?;
    super::contract::adopt(program, &port, head.trim())?;
    Ok(port)
}

/// What the contract said about one function.
enum Checked {
    Right,
    /// The symbol that was named, where one was.
    Wrong(Option<String>),
}

fn check(program: &Path, port: &Path, probed: &str) -> Result<Checked> {
    let symbol = format!("chains.{probed}");
    let said = asked(program, port, &["contract", "check", &symbol, "--format", "json"])?;
    if said.ending == Ending::Exited(RIGHT) {
        return Ok(Checked::Right);
    }
    if said.ending != Ending::Exited(WRONG) {
        bail!("`tidelock contract check {symbol}` ended with {:?}:\n{}", said.ending, said.tail(20));
    }
    let said: Value =
        serde_json::from_slice(&said.stdout).context("the check did not write what was expected")?;
    let named = said.pointer("/counterexamples/0/divergence/symbol").and_then(Value::as_str);
    Ok(Checked::Wrong(named.map(str::to_owned)))
}

fn asked(program: &Path, port: &Path, arguments: &[&str]) -> Result<Finished> {
    let invocation = Invocation::new(program, port)
        .args(arguments.iter().copied())
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"])
        .limits(Limits { timeout_ms: TIMEOUT_MS, ..Limits::default() });
    Ok(SystemProcessRunner::default().run(&invocation)?)
}
