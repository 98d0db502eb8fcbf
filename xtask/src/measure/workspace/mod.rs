//! `tidelock workspace` against Cargo and rustc, at revisions of real repositories.
//!
//! Each revision is written to a scratch folder by git. There `cargo metadata --no-deps` tells packages, targets,
//! features and dependencies, and at the newest revision rustc tells which files it reads for each target. What
//! differs is printed on standard error.

mod cargo;
mod checkout;
mod rustc;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use checkout::{Checkout, git};
use serde_json::Value;
use upstream::UpstreamRepo;
use upstream::workspace::{Package, Standing, Workspaces, read, read_modules};

use super::{Metric, Tell};

/// Revisions of each repository that Cargo is asked about, from the first one to the newest. The newest is also
/// given to rustc.
const REVISIONS: usize = 30;
/// The most times that Cargo is asked about one revision: some hold hundreds of packages as test data.
const WORKSPACES_MAX: usize = 40;
/// Manifests that Cargo refuses of which the reason is printed, for each repository.
const REFUSALS_SHOWN: usize = 30;

/// What was compared in one repository.
#[derive(Default)]
struct Sums {
    revisions: u32,
    agreeing: u32,
    lacking: u32,
    packages: u32,
    /// Manifests that Cargo refuses, with what it says.
    refused: Vec<String>,
    targets: u32,
    targets_agreeing: u32,
    files: u32,
    untold: u32,
}

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `workspace` reads repositories: name them with `--repo PATH`");
    }
    for repository in repositories {
        one(&repository.canonicalize()?, tell)?;
    }
    Ok(())
}

fn one(repository: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let listed = git(repository, &["rev-list", "--first-parent", "HEAD"], "")?;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let all: Vec<&str> = listed.lines().collect();
    let step = all.len().div_ceil(REVISIONS).max(1);
    let mut sums = Sums::default();
    for revision in all.iter().step_by(step) {
        compare(repository, revision, &mut sums)?;
    }
    let refused: BTreeSet<&String> = sums.refused.iter().collect();
    print("Cargo refuses", refused.into_iter().take(REFUSALS_SHOWN))?;
    let shown =
        repository.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let name = |what: &str| format!("workspace.{shown}.{what}");
    let share = |part: u32, of: u32| if of == 0 { 100.0 } else { 100.0 * f64::from(part) / f64::from(of) };
    tell(Metric::at_least(name("revisions_compared"), f64::from(sums.revisions), "revisions", 1.0))?;
    tell(Metric::told(name("revisions_lacking_objects"), f64::from(sums.lacking), "revisions"))?;
    tell(Metric::told(name("packages_compared"), f64::from(sums.packages), "packages"))?;
    tell(Metric::told(name("manifests_that_cargo_refuses"), number(sums.refused.len()), "manifests"))?;
    tell(Metric::at_least(name("agreeing"), share(sums.agreeing, sums.revisions), "% of revisions", 100.0))?;
    let Some(newest) = all.first() else { return Ok(()) };
    compare_modules(repository, newest, &mut sums)?;
    tell(Metric::told(name("targets_given_to_rustc"), f64::from(sums.targets + sums.untold), "targets"))?;
    tell(Metric::told(name("targets_that_rustc_told_nothing_of"), f64::from(sums.untold), "targets"))?;
    tell(Metric::told(name("files_that_rustc_read"), f64::from(sums.files), "files"))?;
    let agreeing = share(sums.targets_agreeing, sums.targets);
    tell(Metric::at_least(name("module_trees_agreeing"), agreeing, "% of targets", 100.0))
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Asks Cargo about a revision, unless the repository lacks what Cargo would read.
fn compare(repository: &Path, revision: &str, sums: &mut Sums) -> Result<()> {
    let checkout = Checkout::of(repository, revision, false)?;
    if !checkout.missing.is_empty() {
        sums.lacking += 1;
        return Ok(());
    }
    let repo = UpstreamRepo::open(repository)?;
    let known = repo.resolve(revision)?;
    let found = read(&repo.tree(&known.commit)?, &known)?;
    let (differences, compared) = packages(&checkout, &found, sums)?;
    if compared > 0 {
        sums.revisions += 1;
        sums.packages += compared;
        sums.agreeing += u32::from(differences.is_empty());
    }
    print(revision, differences.iter())
}

/// Gives a revision to rustc, unless the repository lacks what rustc would read.
fn compare_modules(repository: &Path, revision: &str, sums: &mut Sums) -> Result<()> {
    let checkout = Checkout::of(repository, revision, true)?;
    if !checkout.missing.is_empty() {
        return print(revision, std::iter::once(&format!("lacks {}", checkout.missing.join(", "))));
    }
    let repo = UpstreamRepo::open(repository)?;
    let known = repo.resolve(revision)?;
    let tree = repo.tree(&known.commit)?;
    let mut found = read(&tree, &known)?;
    read_modules(&mut found, &tree, &known)?;
    let differences = modules(&checkout.root()?, &found.packages, sums)?;
    print(revision, differences.iter())
}

fn print<'a>(what: &str, lines: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut out = std::io::stderr().lock();
    for line in lines {
        writeln!(out, "{what}: {line}")?;
    }
    Ok(())
}

/// Asks Cargo about each workspace and each package outside of one.
fn packages(checkout: &Checkout, found: &Workspaces, sums: &mut Sums) -> Result<(Vec<String>, u32)> {
    let root = checkout.root()?;
    let mut seen = BTreeSet::new();
    let mut differences = Vec::new();
    let mut compared = 0;
    let mut asked = 0;
    for folder in &checkout.manifests {
        if seen.contains(folder) {
            continue;
        }
        asked += 1;
        if asked > WORKSPACES_MAX {
            break;
        }
        // Asked at a member, Cargo takes that one for the default.
        let asked_at_root = match cargo::metadata(&root, folder)? {
            Ok(metadata) if metadata.root != *folder => cargo::metadata(&root, &metadata.root)?,
            told => told,
        };
        let metadata = match asked_at_root {
            Ok(metadata) => metadata,
            Err(refusal) => {
                sums.refused.push(format!("`{folder}`: {refusal}"));
                continue;
            }
        };
        for (at, theirs) in &metadata.packages {
            if !seen.insert(at.clone()) {
                continue;
            }
            compared += 1;
            match found.package_at(at) {
                Some(package) => differ(at, theirs, &cargo::ours(package), &mut differences),
                None => differences.push(format!("`{at}` is not told")),
            }
        }
        members(&metadata, found, &mut differences);
    }
    Ok((differences, compared))
}

/// Compares which packages belong together.
fn members(metadata: &cargo::Metadata, found: &Workspaces, differences: &mut Vec<String>) {
    let folder = metadata.root.as_str();
    let theirs: BTreeSet<&str> = metadata.packages.keys().map(String::as_str).collect();
    let Some(workspace) = found.workspaces.iter().find(|it| it.folder == folder) else {
        let is_alone = found.package_at(folder).is_some_and(|package| package.standing == Standing::Alone);
        if theirs != BTreeSet::from([folder]) || !is_alone {
            differences
                .push(format!("`{folder}`: Cargo has the members {theirs:?}, and it is told as alone"));
        }
        return;
    };
    let ours: BTreeSet<&str> = workspace.members.iter().map(String::as_str).collect();
    if ours != theirs {
        let only = |one: &BTreeSet<&str>, other: &BTreeSet<&str>| {
            one.difference(other).map(|it| (*it).to_owned()).collect::<Vec<_>>()
        };
        differences.push(format!(
            "`{folder}`: members only here {:?}, only in Cargo {:?}",
            only(&ours, &theirs),
            only(&theirs, &ours)
        ));
    }
    let defaults: BTreeSet<String> = workspace.default_members.iter().cloned().collect();
    if defaults != metadata.default_members {
        differences.push(format!(
            "`{folder}`: default members {defaults:?}, in Cargo {:?}",
            metadata.default_members
        ));
    }
}

/// Adds what differs between two packages, field by field.
fn differ(folder: &str, theirs: &Value, ours: &Value, differences: &mut Vec<String>) {
    for (field, value) in theirs.as_object().into_iter().flatten() {
        if ours[field] == *value {
            continue;
        }
        let (Some(theirs), Some(ours)) = (value.as_array(), ours[field].as_array()) else {
            differences.push(format!("`{folder}`: {field} is {}, in Cargo {value}", ours[field]));
            continue;
        };
        let only = |one: &Vec<Value>, other: &Vec<Value>| {
            one.iter().filter(|it| !other.contains(it)).map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        differences.push(format!(
            "`{folder}`: {field} only here {}, only in Cargo {}",
            only(ours, theirs),
            only(theirs, ours)
        ));
    }
}

/// Gives every target to rustc.
fn modules(root: &Path, packages: &[Package], sums: &mut Sums) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    for package in packages {
        for target in &package.targets {
            let Some(tree) = target.modules.as_ref().filter(|tree| !tree.modules.is_empty()) else {
                continue;
            };
            let Some(compared) = rustc::compare(root, package, target, tree)? else {
                sums.untold += 1;
                continue;
            };
            sums.targets += 1;
            sums.files += u32::try_from(compared.files).unwrap_or(u32::MAX);
            if compared.unknown.is_empty() && compared.unread.is_empty() {
                sums.targets_agreeing += 1;
            } else {
                differences.push(format!(
                    "`{}`: rustc also reads {:?} and does not read {:?}",
                    target.root, compared.unknown, compared.unread
                ));
            }
        }
    }
    Ok(differences)
}
