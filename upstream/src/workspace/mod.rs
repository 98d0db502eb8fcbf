//! The workspaces and packages of a revision, read from its files alone; Cargo is never run.
//!
//! Main function: [`read`]. Whatever cannot be read or does not fit is told and passed over, so that one broken
//! manifest in a folder of test data stops nothing.

mod dependencies;
mod manifest;
mod members;
mod model;
mod modules;
mod targets;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use dependencies::{Folders, dependencies, features, shared_requirements};
use manifest::{Manifest, WithShared};
use members::{PACKAGES_MAX, is_below, members, patterns};
pub use model::{
    Complaint, Dependency, DependencyKind, Feature, Given, Origin, Package, Patterns, Publish, Standing,
    Target, TargetKind, Workspace, Workspaces,
};
pub use modules::{Module, ModuleForm, ModuleTree, Orphan, read_modules};
use toml::Value;

use crate::revision::Revision;
use crate::snapshot::SnapshotError;
use crate::snapshot::sources::{Sources, folder_of};
use crate::tree::{SourceTree, TreeError};

/// The most targets of one package.
const TARGETS_MAX: usize = 10_000;

/// Reads the workspaces and packages of a revision.
pub fn read(tree: &dyn SourceTree, revision: &Revision) -> Result<Workspaces, SnapshotError> {
    let read = || Ok(survey(&Sources::list(tree)?)?.found);
    read().map_err(|source| SnapshotError { revision: revision.label.to_string(), source })
}

/// Reads the workspaces and packages of listed files.
pub(crate) fn survey(sources: &Sources<'_>) -> Result<Surveyed, TreeError> {
    let mut survey = Survey {
        sources,
        folders: sources.folders(),
        manifests: BTreeMap::new(),
        roots: BTreeMap::new(),
        unusable: Vec::new(),
        found: Workspaces::default(),
    };
    survey.run()?;
    Ok(Surveyed { found: survey.found, unusable: survey.unusable })
}

/// What was read, and what was to be.
pub(crate) struct Surveyed {
    pub(crate) found: Workspaces,
    /// Workspaces with the folders that they want as members, and whose manifests cannot be used.
    pub(crate) unusable: Vec<(String, String)>,
}

/// The path of a folder's manifest.
pub(crate) fn manifest_path(folder: &str) -> String {
    if folder.is_empty() { "Cargo.toml".to_owned() } else { format!("{folder}/Cargo.toml") }
}

/// The reading of one revision, under way.
struct Survey<'sources, 'tree> {
    sources: &'sources Sources<'tree>,
    folders: BTreeSet<&'sources str>,
    /// What was read so far, by folder; nothing where there is no manifest, or a broken one.
    manifests: BTreeMap<String, Option<Manifest>>,
    /// The folders with a `[workspace]` table.
    roots: BTreeMap<String, Patterns>,
    unusable: Vec<(String, String)>,
    found: Workspaces,
}

impl Survey<'_, '_> {
    fn run(&mut self) -> Result<(), TreeError> {
        for folder in self.listed() {
            self.load(&folder)?;
        }
        for (folder, manifest) in &self.manifests {
            let workspace = manifest.as_ref().and_then(Manifest::workspace);
            self.roots.extend(workspace.map(|workspace| (folder.clone(), patterns(workspace))));
        }
        let mut claimed: BTreeMap<String, String> = BTreeMap::new();
        for (root, patterns) in self.roots.clone() {
            let found = members(self, &root, &patterns)?;
            for member in &found.members {
                // Of two workspaces with one package the nearer has it.
                let nearer = claimed.get(member).is_none_or(|other| is_below(&root, other));
                if nearer {
                    claimed.insert(member.clone(), root.clone());
                }
            }
            self.add_workspace(root, patterns, found);
        }
        for folder in self.manifests.keys().cloned().collect::<Vec<_>>() {
            self.add_package(&folder, claimed.get(&folder))?;
        }
        self.found.unread.sort();
        Ok(())
    }

    /// The folders with a manifest, in order.
    fn listed(&mut self) -> Vec<String> {
        let is_manifest = |path: &&str| *path == "Cargo.toml" || path.ends_with("/Cargo.toml");
        let paths = self.sources.paths().filter(is_manifest);
        let mut folders: Vec<String> = paths.map(|path| folder_of(path).to_owned()).collect();
        if folders.len() > PACKAGES_MAX {
            let reason = format!("more than {PACKAGES_MAX} manifests: the last ones are not read");
            self.found.problems.push(Complaint { file: "Cargo.toml".to_owned(), reason });
            // Those near the root come first.
            folders.sort_by_key(|folder| (folder.matches('/').count(), folder.clone()));
            folders.truncate(PACKAGES_MAX);
        }
        folders
    }

    /// Reads a folder's manifest, once; whether there is one that can be used.
    fn load(&mut self, folder: &str) -> Result<bool, TreeError> {
        if let Some(known) = self.manifests.get(folder) {
            return Ok(known.is_some());
        }
        let file = manifest_path(folder);
        let Some(real) = self.sources.file(&file) else { return Ok(false) };
        let parsed = self.sources.text(&real)?.and_then(|text| Manifest::parse(&text));
        let manifest = parsed.map_err(|reason| self.found.unread.push(Complaint { file, reason })).ok();
        let is_usable = manifest.is_some();
        self.manifests.insert(folder.to_owned(), manifest);
        Ok(is_usable)
    }

    fn manifest(&self, folder: &str) -> Option<&Manifest> {
        self.manifests.get(folder)?.as_ref()
    }

    /// The workspace that Cargo takes for a folder's.
    fn root_of(&mut self, folder: &str) -> Result<Option<String>, TreeError> {
        let roots = std::mem::take(&mut self.roots);
        let root = members::root_of(self, folder, &roots);
        self.roots = roots;
        root
    }

    fn problem(&mut self, folder: &str, reason: String) {
        self.found.problems.push(Complaint { file: manifest_path(folder), reason });
    }

    fn add_workspace(&mut self, folder: String, patterns: Patterns, found: members::Found) {
        let Some(manifest) = self.manifest(&folder) else { return };
        let Some(workspace) = manifest.workspace() else { return };
        let is_virtual = manifest.package().is_none();
        let keys = manifest::table(workspace, "package").into_iter().flatten();
        let workspace = Workspace {
            is_virtual,
            // A virtual manifest is a workspace and no package.
            members: found.members.into_iter().filter(|member| !is_virtual || *member != folder).collect(),
            default_members: found
                .default_members
                .into_iter()
                .filter(|member| !is_virtual || *member != folder)
                .collect(),
            patterns,
            resolver: workspace.get("resolver").and_then(Value::as_str).map(str::to_owned),
            shared_keys: keys.map(|(key, _)| key.clone()).collect(),
            shared_dependencies: shared_requirements(workspace),
            folder,
        };
        self.found.workspaces.push(workspace);
    }

    fn add_package(&mut self, folder: &str, claimed: Option<&String>) -> Result<(), TreeError> {
        let around = self.root_of(folder)?;
        // What a package inherits comes from the workspace around it, whether that has it or not.
        let root = claimed.or(around.as_ref());
        let Some(own) = self.manifest(folder) else { return Ok(()) };
        if own.package().is_none() {
            return Ok(());
        }
        let shared = root.and_then(|root| self.manifest(root)?.workspace());
        let manifest = WithShared { own, shared };
        let Some(name) = manifest.package_text("name").map(|name| name.value).filter(|name| is_name(name))
        else {
            let reason = "`package.name` is missing or is no valid package name".to_owned();
            self.found.unread.push(Complaint { file: manifest_path(folder), reason });
            return Ok(());
        };
        let edition = manifest.package_text("edition");
        let edition = edition.unwrap_or_else(|| Given { value: "2015".to_owned(), inherited: false });
        let of = targets::Of { manifest: own, folder, name: &name, edition: &edition.value };
        let mut targets = targets::targets(self.sources, of);
        let more = targets.len().saturating_sub(TARGETS_MAX);
        targets.truncate(TARGETS_MAX);
        let folders = Folders { package: folder, workspace: root.map_or("", String::as_str) };
        let dependencies = dependencies(&manifest, folders);
        let standing = match (claimed, &around) {
            (Some(_), _) => Standing::Member,
            (None, Some(_)) => Standing::Unclaimed,
            (None, None) => Standing::Alone,
        };
        let package = Package {
            folder: folder.to_owned(),
            workspace: claimed.cloned(),
            standing,
            version: manifest.package_text("version"),
            rust_version: manifest.package_text("rust-version"),
            publish: manifest.publish(),
            features: features(&manifest, &dependencies),
            edition,
            targets,
            dependencies,
            name,
        };
        self.found.packages.push(package);
        if more > 0 {
            self.problem(folder, format!("more than {TARGETS_MAX} targets: the last {more} are not read"));
        }
        Ok(())
    }
}

impl Package {
    /// The names of its dependencies' packages in this repository, with the folders.
    pub fn inner_dependencies<'a>(
        &'a self,
        all: &'a Workspaces,
    ) -> impl Iterator<Item = (&'a Dependency, &'a Package)> {
        self.dependencies.iter().filter_map(|dependency| {
            let Origin::Path { folder: Some(folder) } = &dependency.origin else { return None };
            Some((dependency, all.package_at(folder)?))
        })
    }
}

impl Workspaces {
    /// The package in this folder.
    pub fn package_at(&self, folder: &str) -> Option<&Package> {
        let at = self.packages.binary_search_by(|package| package.folder.as_str().cmp(folder)).ok()?;
        self.packages.get(at)
    }
}

/// A name that can stand in an item path.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
