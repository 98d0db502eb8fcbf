//! How often the contract is wrong: seeded wrong translations and rewrites over several ports that are known to
//! be right, together with what their reviewers say of changes that mean the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::{Metric, Tell};

/// The rows of which no wrong translation may be accepted.
const STRICT_ROWS: [&str; 3] = ["arithmetic", "option", "aliasing"];
/// Wrong translations and rewrites for each port.
const WRONG: &str = "90";
const REWRITES: &str = "40";
/// The longest one port may take, in milliseconds.
const TIMEOUT_MS: u64 = 60 * 60 * 1000;

/// Ports that are not synced before they are measured: name and release.
#[derive(Debug, Deserialize)]
struct Ports {
    port: Vec<Port>,
    /// Changes that were looked at, and mean the same.
    #[serde(default)]
    equivalent: Vec<Equivalent>,
}

#[derive(Debug, Deserialize)]
struct Port {
    name: String,
    release: String,
}

#[derive(Debug, Deserialize)]
struct Equivalent {
    symbol: String,
    operator: String,
    diff: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Measured {
    trials: Vec<Trial>,
    coverage: Vec<Covered>,
}

#[derive(Debug, Deserialize)]
struct Trial {
    symbol: String,
    operator: String,
    row: Option<String>,
    place: String,
    outcome: String,
    reason: String,
    diff: String,
}

#[derive(Debug, Deserialize)]
struct Covered {
    probes: u32,
    blocks_reached: u32,
    blocks_total: u32,
}

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ports");
    let text = std::fs::read_to_string(folder.join("ports.toml"))?;
    let ports: Ports = toml::from_str(&text).context("xtask/ports/ports.toml")?;
    let named: BTreeSet<_> = repositories.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let program = super::demo::program()?;
    let work = tempfile::tempdir()?;
    let mut all = Vec::new();
    let mut covered = Vec::new();
    let mut measured = 0;
    let wanted = |name: &str| named.is_empty() || named.contains(name);
    for port in ports.port.iter().filter(|port| wanted(&port.name)) {
        let root = work.path().join(&port.name);
        copy(&folder.join(&port.name), &root)?;
        adopt(&program, &root, &port.release)?;
        take(measure(&program, &root)?, &port.name, tell, &mut all, &mut covered)?;
        measured += 1;
    }
    if wanted("strsim") {
        // The demo's port brings a history with it: its symbols have earlier versions.
        let root = work.path().join("demo");
        let synced =
            ran(Invocation::new(&program, "/").args([std::ffi::OsStr::new("demo"), root.as_os_str()]))?;
        drop(synced);
        take(measure(&program, &root.join("port"))?, "strsim", tell, &mut all, &mut covered)?;
        measured += 1;
    }
    if measured == 0 {
        bail!("no port has one of these names; `xtask/ports/ports.toml` lists them");
    }
    totals(&all, &ports.equivalent, measured, tell)?;
    let sum = |number: fn(&Covered) -> u32| covered.iter().map(number).sum::<u32>();
    tell(Metric::told("contract.probes", f64::from(sum(|row| row.probes)), "probes"))?;
    tell(Metric::told("contract.blocks_reached", f64::from(sum(|row| row.blocks_reached)), "blocks"))?;
    tell(Metric::told("contract.blocks_total", f64::from(sum(|row| row.blocks_total)), "blocks"))
}

fn take(
    measured: Measured,
    name: &str,
    tell: &mut Tell<'_>,
    all: &mut Vec<Trial>,
    covered: &mut Vec<Covered>,
) -> Result<()> {
    let count = |outcome: &str| measured.trials.iter().filter(|trial| trial.outcome == outcome).count();
    let value = json!({
        "tried": measured.trials.len(),
        "refused": count("refused"),
        "accepted": count("accepted"),
        "tolerated": count("tolerated"),
        "alike": count("alike"),
        "inconclusive": count("inconclusive"),
    });
    tell(Metric {
        name: format!("contract.{name}.trials"),
        value,
        unit: "changes",
        target: String::new(),
        ok: true,
    })?;
    all.extend(measured.trials);
    covered.extend(measured.coverage);
    Ok(())
}

fn totals(all: &[Trial], reviewed: &[Equivalent], ports: usize, tell: &mut Tell<'_>) -> Result<()> {
    let wrong: Vec<&Trial> = all.iter().filter(|trial| trial.row.is_some()).collect();
    let rewrites: Vec<&Trial> = all.iter().filter(|trial| trial.row.is_none()).collect();
    let review = |trial: &Trial| {
        reviewed.iter().find(|known| {
            known.symbol == trial.symbol
                && known.operator == trial.operator
                && known.diff.trim() == trial.diff.trim()
        })
    };
    let is = |outcome: &'static str| move |trial: &&&Trial| trial.outcome == outcome;
    told_each("contract.accepted_though_wrong", wrong.iter().filter(is("accepted")), tell)?;
    told_each("contract.rewrite_refused", rewrites.iter().filter(is("refused")), tell)?;
    let doubtful = all.iter().filter(|trial| trial.outcome == "inconclusive").collect::<Vec<_>>();
    told_each("contract.could_not_be_told", doubtful.iter(), tell)?;
    let unseen: Vec<&&Trial> =
        wrong.iter().filter(is("alike")).filter(|trial| review(trial).is_none()).collect();
    told_each("contract.unreviewed", unseen.iter().copied(), tell)?;
    told_each("contract.tolerated", wrong.iter().filter(is("tolerated")), tell)?;
    for trial in wrong.iter().filter(is("alike")) {
        if let Some(known) = review(trial) {
            let value = json!({ "symbol": trial.symbol, "diff": trial.diff, "reason": known.reason });
            tell(plain("contract.reviewed_as_equivalent", value))?;
        }
    }
    rows(&wrong, tell)?;
    let accepted = wrong.iter().filter(is("accepted")).count();
    let refused = wrong.iter().filter(is("refused")).count();
    let told = rewrites.len() - rewrites.iter().filter(is("inconclusive")).count();
    let rejected = rewrites.iter().filter(is("refused")).count();
    let doubt = all.iter().filter(|trial| trial.outcome == "inconclusive").count();
    let least =
        |name: &str, value: usize, unit, least: f64| Metric::at_least(name, number(value), unit, least);
    tell(least("contract.ports", ports, "ports", 6.0))?;
    tell(least("contract.wrong_translations_known_to_be_wrong", accepted + refused, "changes", 500.0))?;
    tell(least("contract.rewrites", told, "changes", 200.0))?;
    rate("contract.false_accept", accepted, accepted + refused, 2.0, tell)?;
    rate(
        "contract.false_accept_if_all_unreviewed_were_wrong",
        accepted + unseen.len(),
        accepted + refused + unseen.len(),
        100.0,
        tell,
    )?;
    rate("contract.false_reject", rejected, told, 1.0, tell)?;
    rate("contract.inconclusive", doubt, all.len(), 5.0, tell)
}

/// The rates of each row and each operator.
fn rows(wrong: &[&Trial], tell: &mut Tell<'_>) -> Result<()> {
    let mut groups: BTreeMap<(bool, String), [usize; 2]> = BTreeMap::new();
    for trial in wrong {
        let outcome = match trial.outcome.as_str() {
            "accepted" => 0,
            "refused" => 1,
            _ => continue,
        };
        let row = trial.row.clone().unwrap_or_default();
        for key in [(false, row.clone()), (true, format!("{row}.{}", trial.operator))] {
            if let Some(count) = groups.entry(key).or_default().get_mut(outcome) {
                *count += 1;
            }
        }
    }
    for ((is_operator, name), [accepted, refused]) in groups {
        let strict = STRICT_ROWS.iter().any(|row| name == *row || name.starts_with(&format!("{row}.")));
        let most = if strict { 0.0 } else { 100.0 };
        let kind = if is_operator { "operator" } else { "row" };
        rate(&format!("contract.false_accept.{kind}.{name}"), accepted, accepted + refused, most, tell)?;
    }
    Ok(())
}

/// A rate in percent with its 95 % interval (Wilson).
fn rate(name: &str, times: usize, of: usize, most: f64, tell: &mut Tell<'_>) -> Result<()> {
    let interval = pipeline::Interval::of(times, of);
    let percent = interval.rate * 100.0;
    let value = json!({
        "percent": percent,
        "low": interval.low * 100.0,
        "high": interval.high * 100.0,
        "times": times,
        "of": of,
    });
    let target = if most >= 100.0 { String::new() } else { format!("at most {most}") };
    tell(Metric { name: name.to_owned(), value, unit: "percent", target, ok: percent <= most })
}

fn told_each<'t, 's: 't>(
    name: &str,
    trials: impl IntoIterator<Item = &'t &'s Trial>,
    tell: &mut Tell<'_>,
) -> Result<()> {
    for trial in trials {
        let value = json!({
            "symbol": trial.symbol,
            "operator": trial.operator,
            "place": trial.place,
            "reason": trial.reason,
            "diff": trial.diff,
        });
        tell(plain(name, value))?;
    }
    Ok(())
}

fn plain(name: &str, value: Value) -> Metric {
    Metric { name: name.to_owned(), value, unit: "change", target: String::new(), ok: true }
}

#[expect(clippy::cast_precision_loss, reason = "counts of trials are small")]
fn number(value: usize) -> f64 {
    value as f64
}

fn measure(program: &Path, root: &Path) -> Result<Measured> {
    let arguments = ["contract", "measure", "--format", "json", "--wrong", WRONG, "--rewrites", REWRITES];
    let said = ran(Invocation::new(program, root).args(arguments))?;
    serde_json::from_slice(&said).context("`tidelock contract measure` did not write what was expected")
}

/// Makes a port a repository, and locks it to the release that it equals.
pub(super) fn adopt(program: &Path, root: &Path, release: &str) -> Result<()> {
    git(root, &["init", "--quiet", "--initial-branch=main"])?;
    commit(root, "A port")?;
    ran(Invocation::new(program, root).args(["init", "--adopt", release]))?;
    commit(root, "Lock it")
}

pub(super) fn commit(root: &Path, message: &str) -> Result<()> {
    git(root, &["add", "--all"])?;
    git(root, &["commit", "--quiet", "--no-gpg-sign", "--message", message])
}

pub(super) fn git(root: &Path, arguments: &[&str]) -> Result<()> {
    let invocation = Invocation::new("git", root)
        .args(["-c", "user.name=Tidelock", "-c", "user.email=xtask@localhost"])
        .args(arguments.iter().copied())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    ran(invocation).map(drop)
}

/// What a command wrote that has to succeed.
pub(super) fn ran(invocation: Invocation) -> Result<Vec<u8>> {
    let invocation = invocation
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"])
        .limits(Limits { timeout_ms: TIMEOUT_MS, ..Limits::default() });
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        let program = invocation.program.display();
        bail!("{program} ended with {:?}:\n{}", finished.ending, finished.tail(20));
    }
    Ok(finished.stdout)
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
