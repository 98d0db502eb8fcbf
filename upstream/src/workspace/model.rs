//! What is told of the workspaces of a revision: plain values, as `tidelock workspace --format json` prints them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::modules::{ModuleTree, Orphan};

/// Everything about packages that the files of one revision tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspaces {
    /// The workspaces by folder. Several, one or none.
    pub workspaces: Vec<Workspace>,
    /// All packages by folder, those of no workspace too.
    pub packages: Vec<Package>,
    /// Manifests that could not be read.
    pub unread: Vec<Complaint>,
    /// What a manifest says and the revision does not bear out: Cargo refuses some of it.
    pub problems: Vec<Complaint>,
    /// Rust files that belong to no module of any target; only where modules were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphans: Option<Vec<Orphan>>,
}

/// Something wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Complaint {
    /// The file, from the repository's root.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A manifest with a `[workspace]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// The folder of its manifest from the repository's root; empty for the root itself.
    pub folder: String,
    /// Whether the manifest has no package of its own.
    pub is_virtual: bool,
    /// The folders of its packages: those its patterns name, those its packages depend on by path, and its own.
    pub members: Vec<String>,
    /// The folders that Cargo takes where none is chosen.
    pub default_members: Vec<String>,
    /// `members`, `exclude` and `default-members` as written.
    pub patterns: Patterns,
    /// The dependency resolver, where one is written.
    pub resolver: Option<String>,
    /// The keys of `[workspace.package]`, for members to inherit.
    pub shared_keys: Vec<String>,
    /// `[workspace.dependencies]`: name to requirement.
    pub shared_dependencies: BTreeMap<String, String>,
}

/// The lists of a `[workspace]` table as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Patterns {
    /// Which folders belong to it.
    pub members: Vec<String>,
    /// Which do not.
    pub exclude: Vec<String>,
    /// Which Cargo takes where none is chosen; null where nothing is written.
    pub default_members: Option<Vec<String>>,
}

/// A value of `[package]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Given {
    /// The value.
    pub value: String,
    /// Whether it comes from `[workspace.package]`.
    pub inherited: bool,
}

/// How a package stands to the workspaces around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A workspace has it.
    Member,
    /// No workspace is around it, or the one that is excludes it.
    Alone,
    /// It lies below a workspace that neither has nor excludes it: Cargo refuses to build it.
    Unclaimed,
}

/// Where a package may be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Publish {
    /// `publish` is not written, or true.
    Anywhere,
    /// `publish = false`, an empty list, or no version.
    Nowhere,
    /// Only in these registries.
    Registries(Vec<String>),
}

/// A Cargo package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder from the repository's root; empty for the root itself.
    pub folder: String,
    /// The folder of its workspace, where one has it.
    pub workspace: Option<String>,
    /// How it stands to the workspaces around it.
    pub standing: Standing,
    /// Its version, where it has one.
    pub version: Option<Given>,
    /// Its edition: `2015` where none is written.
    pub edition: Given,
    /// The oldest Rust that it says it works with.
    pub rust_version: Option<Given>,
    /// Where it may be published.
    pub publish: Publish,
    /// Its crates, in the order of [`TargetKind`] and by name.
    pub targets: Vec<Target>,
    /// Its features, those that optional dependencies make among them.
    pub features: BTreeMap<String, Feature>,
    /// Its direct dependencies.
    pub dependencies: Vec<Dependency>,
}

/// What a target is to its package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// `[lib]`; a procedural macro where `crate_types` says so.
    Library,
    /// `[[bin]]`
    Binary,
    /// `[[example]]`
    Example,
    /// `[[test]]`
    Test,
    /// `[[bench]]`
    Bench,
    /// `package.build`
    BuildScript,
}

/// One crate of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Its name, as Cargo prints it.
    pub name: String,
    /// The file of its root module, from the repository's root, whether it is there or not.
    pub root: String,
    /// Whether that file is in the revision.
    pub present: bool,
    /// Whether Cargo finds it by its place alone.
    pub discovered: bool,
    /// Its edition.
    pub edition: String,
    /// What is built of it: `lib`, `proc-macro`, `bin`, `cdylib` and so on.
    pub crate_types: Vec<String>,
    /// The features without which it is not built.
    pub required_features: Vec<String>,
    /// Its modules, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<ModuleTree>,
}

/// A feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Feature {
    /// What it turns on, as written.
    pub enables: Vec<String>,
    /// Whether an optional dependency makes it.
    pub implicit: bool,
}

/// Which table a dependency stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DependencyKind {
    /// `[dependencies]`
    Normal,
    /// `[dev-dependencies]`
    Dev,
    /// `[build-dependencies]`
    Build,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The default registry.
    CratesIo,
    /// Another registry, by its name or the address of its index.
    Registry(String),
    /// A git repository.
    Git {
        /// Its address.
        url: String,
        /// `branch`, `tag` or `rev` with its value, where one is written.
        reference: Option<(String, String)>,
    },
    /// A folder.
    Path {
        /// From the repository's root; null where it leads out of the repository.
        folder: Option<String>,
    },
}

/// A direct dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// The name by which the package's code calls it.
    pub name: String,
    /// The name of the package that it is, different where it is renamed.
    pub package: String,
    /// Which table it stands in.
    pub kind: DependencyKind,
    /// The platform it is for, as written in `[target.'…'.dependencies]`.
    pub platform: Option<String>,
    /// The versions that do; `*` where none is written.
    pub requirement: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it needs a feature to be there.
    pub optional: bool,
    /// Whether its default features are on.
    pub default_features: bool,
    /// The features asked for.
    pub features: Vec<String>,
    /// Whether it comes from `[workspace.dependencies]`.
    pub inherited: bool,
    /// The requirement, or where it comes from, as one text in the manifest's words.
    #[serde(skip)]
    pub(crate) written: String,
}
