//! How much of real upstreams the contract can plan probes for, and why not the rest.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use port::contract::{plan_items, public_paths};
use serde_json::json;
use upstream::{Item, ItemKind, ItemPath, Snapshot, UpstreamRepo, snapshot};

use super::{Metric, Tell};

/// The names that the branch to be read may have.
const BRANCHES: &[&str] = &["main", "master", "trunk"];

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
    let repo = UpstreamRepo::open(repository)?;
    let revision = BRANCHES
        .iter()
        .find_map(|branch| repo.resolve(branch).ok())
        .with_context(|| format!("`{}` has no branch named {}", repository.display(), BRANCHES.join(", ")))?;
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
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (item, reason) in &plan.not_probed {
        not_probed_line(&name, item, reason)?;
        *reasons.entry(in_general(reason)).or_default() += 1;
    }
    for (reason, times) in reasons {
        count(format!("not: {reason}"), times)?;
    }
    Ok(())
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
