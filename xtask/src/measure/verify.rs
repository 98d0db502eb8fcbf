//! What `tidelock verify` takes over a long history, and `tidelock plan` of one revision of a large workspace.
//!
//! The port is written for the measure ([`super::big_port`]): a symbol for every item of every library. The links name
//! the revisions at which their items last changed, as those of a port that was synced revision by revision would.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use upstream::history::{HistoryRange, Line, history};
use upstream::{ItemPath, Revision, RevisionLabel};

use super::big_port::BigPort;
use super::{Metric, Tell};

/// How many revisions are verified.
const REVISIONS: usize = 10_000;
/// How long that may take, in seconds.
const VERIFY_S_MAX: f64 = 5.0;
/// How long a plan may take, in milliseconds.
const PLAN_MS_MAX: f64 = 300.0;
/// How often each is run; the median counts.
const ROUNDS: usize = 5;

pub(super) fn verify(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    check("verify", repositories)?;
    for repository in repositories {
        let folder = tempfile::tempdir()?;
        let (name, mut port) = begin("verify", repository, folder.path())?;
        let newest = port.revisions.last().context("the repository has no revision")?.clone();
        let from = port.revisions.len().saturating_sub(REVISIONS);
        let recorded: Vec<Revision> = port.revisions.iter().skip(from).cloned().collect();
        let baseline = port.snapshot(&newest)?;
        let symbols = port.write(&baseline)?;
        let mut lock = port.lock(&baseline, &recorded, &symbols)?;
        port.hold_the_rest(&mut lock, &baseline);
        let changed = last_changes(&port, &recorded)?;
        let adopted = recorded.first().context("there is a first revision")?.label.clone();
        for link in lock.links.values_mut() {
            link.revision = changed.get(&link.item).unwrap_or(&adopted).clone();
        }
        port.write_lock(&lock)?;
        // Rows are told from texts alone: where they missed a change, the link names the baseline instead.
        let mut corrected = 0;
        for wrong in port.wrong()? {
            let item = wrong.split('`').nth(1).and_then(|item| ItemPath::new(item).ok());
            if let Some(link) = item.and_then(|item| lock.links.get_mut(&item)) {
                link.revision = newest.label.clone();
                corrected += 1;
            }
        }
        port.write_lock(&lock)?;
        if let Some(wrong) = port.wrong()?.first() {
            bail!("the lock that was made to be true is not: {wrong}");
        }
        let times = (0..ROUNDS).map(|_| Ok(port.run(&["verify"])?.0)).collect::<Result<Vec<_>>>()?;
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        tell(Metric::told(format!("{name}.revisions"), number(recorded.len()), "revisions"))?;
        tell(Metric::told(format!("{name}.links"), number(lock.links.len()), "links"))?;
        tell(Metric::told(format!("{name}.links_corrected"), number(corrected), "links"))?;
        tell(Metric::at_most(format!("{name}.seconds"), median(times) / 1000.0, "s", VERIFY_S_MAX))?;
    }
    Ok(())
}

pub(super) fn plan(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    check("plan", repositories)?;
    for repository in repositories {
        let folder = tempfile::tempdir()?;
        let (name, mut port) = begin("plan", repository, folder.path())?;
        // The newest revision that changes anything that is ported.
        let newest = port.revisions.len().saturating_sub(1);
        let before = port.revisions.get(newest.saturating_sub(1)).context("there are two revisions")?.clone();
        let baseline = port.snapshot(&before)?;
        let symbols = port.write(&baseline)?;
        let lock = port.lock(&baseline, std::slice::from_ref(&before), &symbols)?;
        port.write_lock(&lock)?;
        let (first, told) = port.run(&["plan", "--offline", "--format", "json"])?;
        let told: serde_json::Value = serde_json::from_str(&told)?;
        let times =
            (0..ROUNDS).map(|_| Ok(port.run(&["plan", "--offline"])?.0)).collect::<Result<Vec<_>>>()?;
        let crates: std::collections::BTreeSet<&str> = baseline.items.keys().map(ItemPath::krate).collect();
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let units = told["units"].as_array().map_or(0, Vec::len);
        tell(Metric::told(format!("{name}.targets"), number(crates.len()), "targets"))?;
        tell(Metric::told(format!("{name}.links"), number(lock.links.len()), "links"))?;
        tell(Metric::told(format!("{name}.units"), number(units), "units"))?;
        tell(Metric::told(format!("{name}.first"), first, "ms"))?;
        tell(Metric::at_most(format!("{name}.warm"), median(times), "ms", PLAN_MS_MAX))?;
    }
    Ok(())
}

fn check(measure: &str, repositories: &[PathBuf]) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `{measure}` reads repositories: name them with `--repo PATH`");
    }
    if cfg!(debug_assertions) {
        bail!(
            "run it as `cargo run --release -p xtask -- measure {measure}`: it times the program that lies beside it"
        );
    }
    Ok(())
}

fn begin(measure: &str, repository: &Path, folder: &Path) -> Result<(String, BigPort)> {
    let repository = repository.canonicalize()?;
    let shown =
        repository.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    Ok((format!("{measure}.{shown}"), BigPort::begin(folder, &repository)?))
}

/// The last revision that changed each item.
fn last_changes(port: &BigPort, recorded: &[Revision]) -> Result<BTreeMap<ItemPath, RevisionLabel>> {
    let labels: BTreeMap<&upstream::CommitId, &RevisionLabel> =
        recorded.iter().map(|revision| (&revision.commit, &revision.label)).collect();
    let range = HistoryRange {
        to: recorded.last().context("there is a last revision")?.commit.clone(),
        from: recorded.first().map(|first| first.commit.clone()),
        last: None,
        line: Line::FirstParent,
    };
    let mut changed = BTreeMap::new();
    history(port.mirror.repo(), &range, None, &mut |row| {
        if let Some(label) = labels.get(&row.revision.commit) {
            for change in row.changes.items {
                // Newest first: the first that is met is the last that changed it.
                changed.entry(change.path).or_insert_with(|| (*label).clone());
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(changed)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
