//! What calls that the upstream's own tests make add to the probes: how many, and how much of the code they reach.
//!
//! No port is needed for it: the upstream alone is asked, with the probes that would be sent to a port.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use port::contract::{
    BlockCounters, BuildProfile, Examples, Oracle, OracleRequest, Pools, Prepared, Recorded, probe_coverage,
    public_paths, record_calls,
};
use serde_json::json;
use upstream::process::SystemProcessRunner;
use upstream::{ItemPath, SystemClock, harvest, snapshot};

use super::real_upstream::{newest, toolchain, tools};
use super::{Metric, Tell};

/// Half of what is configured where nothing is: each pool's size.
const PROBES_MAX: usize = 150;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `probes` reads upstreams: name them with `--repo PATH`");
    }
    for repository in repositories {
        one(repository, tell)?;
    }
    Ok(())
}

fn one(repository: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let (repo, revision) = newest(repository)?;
    let tree = repo.tree(&revision.commit)?;
    let snapshot = snapshot::read(&tree, &revision)?;
    let harvested = harvest::calls(&tree, &snapshot)?.calls;
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("source");
    repo.export(&revision.commit, &source)?;
    let toolchain = toolchain();
    let (runner, clock) = (SystemProcessRunner::default(), SystemClock);
    let tools = tools(&runner, &clock);
    let pools = Pools {
        development_seed: "measure".to_owned(),
        deciding_seed: "measured".to_owned(),
        probes_max: PROBES_MAX,
    };
    let name = repository.parent().unwrap_or(repository).file_name().unwrap_or_default().to_string_lossy();
    for package in &snapshot.packages {
        let Some(library) = &package.library else { continue };
        let is_code = |item: &&upstream::Item| {
            !item.is_test && item.path.krate() == library && item.signature.is_some()
        };
        let items: Vec<ItemPath> =
            snapshot.items.values().filter(is_code).map(|item| item.path.clone()).collect();
        let root = snapshot.items.get(&ItemPath::new(library)?).map(|item| item.file.clone());
        let below = |file: String| {
            file.strip_prefix(&package.folder).map(|rest| rest.trim_start_matches('/').to_owned())
        };
        let request = OracleRequest {
            source: &source,
            source_key: revision.commit.as_str(),
            snapshot: &snapshot,
            package,
            library_root: &root.and_then(below).unwrap_or_else(|| "src/lib.rs".to_owned()),
            items: &items,
            public_paths: &public_paths(&snapshot),
            profile: &BuildProfile::default(),
            instrument: Some(&BlockCounters),
            toolchain: &toolchain,
            cache_dir: &folder.path().join("cache"),
        };
        let oracle = match Oracle::prepare(&tools, &request)? {
            Prepared::Ready(oracle) => oracle,
            Prepared::SourceBlocked { reason } => bail!("{name} does not build here: {reason}"),
        };
        let recorded = record_calls(&tools, &request)?;
        let with = |recorded: &Recorded| {
            probe_coverage(&tools, &oracle, Examples { harvested: &harvested, recorded }, &pools)
        };
        let (before, after) = (with(&Recorded::default())?, with(&recorded)?);
        let mut count = |what: &str, value: usize, unit: &'static str| {
            let name = format!("probes.{name}.{library}.{what}");
            tell(Metric { name, value: json!(value), unit, target: String::new(), ok: true })
        };
        count("recorded_calls", recorded.count(), "calls")?;
        count("harvested", after.harvested, "probes")?;
        count("recorded", after.recorded, "probes")?;
        count("generated", after.generated, "probes")?;
        count("blocks", after.blocks, "blocks")?;
        count("reached_without_recorded", before.reached, "blocks")?;
        count("reached", after.reached, "blocks")?;
        for note in &recorded.notes {
            count(&format!("note: {}", note.lines().next().unwrap_or_default()), 1, "notes")?;
        }
    }
    Ok(())
}
