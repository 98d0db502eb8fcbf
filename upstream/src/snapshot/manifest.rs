//! The packages of a revision and the crates whose items are read.
//!
//! Main function: [`packages`]. What a manifest says is read by [`crate::workspace`].

use std::collections::BTreeMap;

use super::sources::{Sources, folder_of};
use super::{Package, UnparsedFile};
use crate::ids::ContentHash;
use crate::tree::{EntryKind, TreeEntry, TreeError};
use crate::workspace::{self, DependencyKind, Surveyed, Target, TargetKind, manifest_path};

/// What a crate is to its package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrateKind {
    Library,
    Binary,
    Test,
    Bench,
    Example,
}

/// One crate of a package.
#[derive(Debug, Clone)]
pub(super) struct CrateRoot {
    /// The first segment of its items' paths.
    pub(super) krate: String,
    pub(super) kind: CrateKind,
    /// The file of its root module, by its manifest.
    pub(super) root: String,
    /// The same file, links followed.
    pub(super) file: String,
    pub(super) edition: String,
}

/// The packages of a revision.
#[derive(Debug, Default, Clone)]
pub(super) struct Packages {
    pub(super) all: Vec<Package>,
    pub(super) targets: Vec<CrateRoot>,
    pub(super) unparsed: Vec<UnparsedFile>,
}

/// Stands for all that the packages of a revision follow from: its paths, its links, and what its manifests hold.
pub(super) fn grounds(sources: &Sources<'_>) -> ContentHash {
    let is_manifest = |path: &str| path == "Cargo.toml" || path.ends_with("/Cargo.toml");
    let content = |entry: &TreeEntry| {
        // A manifest may be a link to a file of any name.
        let manifest = is_manifest(&entry.path).then(|| sources.file(&entry.path)).flatten();
        let manifest = manifest.and_then(|real| sources.id(&real)).unwrap_or_default().to_owned();
        match entry.kind {
            EntryKind::File => ["file".to_owned(), manifest],
            EntryKind::Link => [format!("link {}", entry.id), manifest],
            EntryKind::Submodule => ["submodule".to_owned(), manifest],
        }
    };
    let parts = sources.entries().values().flat_map(|entry| {
        let [kind, manifest] = content(entry);
        [entry.path.clone(), kind, manifest]
    });
    ContentHash::of_parts(parts)
}

/// Finds the packages: those of the root and of its workspace, or, without a manifest there, those of the
/// topmost ones.
pub(super) fn packages(sources: &Sources<'_>) -> Result<Packages, TreeError> {
    let survey = workspace::survey(sources)?;
    let mut found = Packages::default();
    let tops = top_folders(sources);
    let is_top = |folder: &String| tops.contains(folder);
    for package in &survey.found.packages {
        if is_top(&package.folder) || package.workspace.as_ref().is_some_and(is_top) {
            add(sources, &mut found, package);
        }
    }
    let wanted = manifests_of(&survey, &tops);
    let unread = survey.found.unread.iter().filter(|it| wanted.contains(&it.file));
    found.unparsed.extend(unread.map(|it| UnparsedFile { file: it.file.clone(), reason: it.reason.clone() }));
    Ok(found)
}

fn add(sources: &Sources<'_>, found: &mut Packages, package: &workspace::Package) {
    let mut library = None;
    for target in &package.targets {
        let Some(root) = crate_root(sources, package, target) else { continue };
        if root.kind == CrateKind::Library {
            library = Some(root.krate.clone());
        }
        found.targets.push(root);
    }
    found.all.push(Package {
        name: package.name.clone(),
        version: package.version.as_ref().map(|version| version.value.clone()),
        folder: package.folder.clone(),
        edition: package.edition.value.clone(),
        library,
        dependencies: requirements(package),
    });
}

/// The normal dependencies. Of several under one name that for every platform counts, which comes first.
fn requirements(package: &workspace::Package) -> BTreeMap<String, String> {
    let normal = package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal);
    normal.rev().map(|it| (it.name.clone(), it.written.clone())).collect()
}

/// A target whose items are read: all but build scripts, which are no part of what a package does.
fn crate_root(sources: &Sources<'_>, package: &workspace::Package, target: &Target) -> Option<CrateRoot> {
    let (kind, key) = match target.kind {
        TargetKind::Library => (CrateKind::Library, ""),
        TargetKind::Binary => (CrateKind::Binary, "bin"),
        TargetKind::Example => (CrateKind::Example, "example"),
        TargetKind::Test => (CrateKind::Test, "test"),
        TargetKind::Bench => (CrateKind::Bench, "bench"),
        TargetKind::BuildScript => return None,
    };
    let krate = match kind {
        CrateKind::Library => target.name.replace('-', "_"),
        CrateKind::Binary | CrateKind::Test | CrateKind::Bench | CrateKind::Example => {
            format!("{}[{key}:{}]", package.name, target.name)
        }
    };
    let file = sources.file(&target.root).filter(|_| workspace::is_name(&target.name))?;
    Some(CrateRoot { krate, kind, root: target.root.clone(), file, edition: target.edition.clone() })
}

/// The manifests that belong to what is read.
fn manifests_of(survey: &Surveyed, tops: &[String]) -> Vec<String> {
    let unusable = survey.unusable.iter().filter(|(root, _)| tops.contains(root)).map(|(_, folder)| folder);
    let workspaces = survey.found.workspaces.iter().filter(|it| tops.contains(&it.folder));
    let members = workspaces.flat_map(|it| &it.members);
    unusable.chain(members).chain(tops).map(|folder| manifest_path(folder)).collect()
}

/// The root, or without a manifest there, every folder with a manifest that none above it has.
fn top_folders(sources: &Sources<'_>) -> Vec<String> {
    let mut top: Vec<String> = Vec::new();
    let is_manifest = |path: &&str| *path == "Cargo.toml" || path.ends_with("/Cargo.toml");
    let mut folders: Vec<&str> = sources.paths().filter(is_manifest).map(folder_of).collect();
    folders.sort_unstable();
    for folder in folders {
        let inside = |above: &String| above.is_empty() || folder.starts_with(&format!("{above}/"));
        if !top.iter().any(inside) {
            top.push(folder.to_owned());
        }
    }
    top
}
