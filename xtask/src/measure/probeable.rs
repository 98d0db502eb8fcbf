//! How much of real upstreams the contract can call, and why not the rest.
//!
//! A call that is planned may not compile, so each crate is built with the driver that the contract would use.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use port::contract::{BuildProfile, Oracle, OracleRequest, Prepared, plan_items, public_paths};
use serde_json::json;
use upstream::process::SystemProcessRunner;
use upstream::{Item, ItemKind, ItemPath, Revision, Snapshot, SystemClock, UpstreamRepo, snapshot};

use super::real_upstream::{newest, toolchain, tools};
use super::{Metric, Tell};

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `probeable` reads upstreams: name them with `--repo PATH`");
    }
    for repository in repositories {
        one(repository, tell)?;
    }
    Ok(())
}

fn one(repository: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let (repo, revision) = newest(repository)?;
    let snapshot = snapshot::read(&repo.tree(&revision.commit)?, &revision)?;
    let paths = public_paths(&snapshot);
    let items: Vec<_> = snapshot.items.values().filter(|item| is_public(&snapshot, item)).collect();
    let asked: Vec<ItemPath> = items.iter().map(|item| item.path.clone()).collect();
    let plan = plan_items(&snapshot, &asked, &paths);
    let name = repository.parent().unwrap_or(repository).file_name().unwrap_or_default().to_string_lossy();
    let mut count = |what: String, value: usize| {
        let name = format!("probeable.{name}.{what}");
        tell(Metric { name, value: json!(value), unit: "functions", target: String::new(), ok: true })
    };
    count("public".to_owned(), asked.len())?;
    count("planned".to_owned(), asked.len() - plan.not_probed.len())?;
    let not_probed = match callable(&repo, &revision, &snapshot, &asked, &paths)? {
        Ok(not_probed) => not_probed,
        Err(reason) => bail!("{name} does not build here: {reason}"),
    };
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    count("callable".to_owned(), asked.len() - not_probed.len())?;
    for (item, reason) in &not_probed {
        not_probed_line(&name, item, reason)?;
        *reasons.entry(in_general(reason)).or_default() += 1;
    }
    for (reason, times) in reasons {
        count(format!("not: {reason}"), times)?;
    }
    Ok(())
}

/// Why items cannot be called, where each package's driver was really built; or why a package does not build.
fn callable(
    repo: &UpstreamRepo,
    revision: &Revision,
    snapshot: &Snapshot,
    asked: &[ItemPath],
    paths: &BTreeMap<ItemPath, String>,
) -> Result<std::result::Result<BTreeMap<ItemPath, String>, String>> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("source");
    repo.export(&revision.commit, &source)?;
    let toolchain = toolchain();
    let (runner, clock) = (SystemProcessRunner::default(), SystemClock);
    let tools = tools(&runner, &clock);
    let mut not_probed = BTreeMap::new();
    for package in &snapshot.packages {
        let Some(library) = &package.library else { continue };
        let of_it: Vec<ItemPath> = asked.iter().filter(|item| item.krate() == library).cloned().collect();
        if of_it.is_empty() {
            continue;
        }
        let request = OracleRequest {
            source: &source,
            source_key: revision.commit.as_str(),
            snapshot,
            package,
            library_root: "src/lib.rs",
            items: &of_it,
            public_paths: paths,
            profile: &BuildProfile::default(),
            instrument: None,
            toolchain: &toolchain,
            cache_dir: &folder.path().join("cache"),
        };
        match Oracle::prepare(&tools, &request)? {
            Prepared::Ready(oracle) => {
                // What keeps to itself is told of by its methods.
                let plan = oracle.plan();
                let left = plan.not_probed.iter().filter(|(item, _)| plan.observers(item).next().is_none());
                not_probed.extend(left.map(|(item, reason)| (item.clone(), reason.clone())));
            }
            Prepared::SourceBlocked { reason } => return Ok(Err(reason)),
        }
    }
    Ok(Ok(not_probed))
}

/// One line for each function that is not probed, so that the counts can be looked into.
fn not_probed_line(repository: &str, item: &ItemPath, reason: &str) -> Result<()> {
    let line = json!({ "repository": repository, "item": item.as_str(), "not_probed": reason });
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}

/// Functions that other crates can call: exported ones of libraries.
fn is_public(snapshot: &Snapshot, item: &Item) -> bool {
    let is_library =
        snapshot.packages.iter().any(|package| package.library.as_deref() == Some(item.path.krate()));
    is_library
        && item.exported
        && !item.is_test
        && item.signature.is_some()
        && matches!(item.kind, ItemKind::Function | ItemKind::Method)
}

/// A reason without the names in it, so that like ones are counted together.
fn in_general(reason: &str) -> String {
    let parts = reason.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { part } else { "…" }).collect()
}
