//! What changed in `Cargo.toml` and `Cargo.lock` files: requirements, features, everything else key by key.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::diff::DependencyChange;
use crate::history::dependencies::{Manifest, of_locks, of_manifests};
use crate::snapshot::{Snapshot, UnparsedFile};
use crate::tree::{SourceTree, TreeError};

/// The most other keys of one manifest that are told one by one.
const SETTINGS_MAX: usize = 2_000;

/// A feature that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureChange {
    /// The package.
    pub package: String,
    /// The feature.
    pub feature: String,
    /// What it turned on; missing where there was no such feature.
    pub before: Option<Vec<String>>,
    /// What it turns on; missing where there is no such feature any more.
    pub after: Option<Vec<String>>,
}

/// Another key of a manifest that changed, such as `package.version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingChange {
    /// The manifest.
    pub file: String,
    /// The package, or the folder of a manifest without one.
    pub package: String,
    /// The key, with dots.
    pub key: String,
    /// The value before, as TOML.
    pub before: Option<String>,
    /// The value now, as TOML.
    pub after: Option<String>,
}

/// What changed in the manifests and lock files of two revisions.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) dependencies: Vec<DependencyChange>,
    pub(super) features: Vec<FeatureChange>,
    pub(super) settings: Vec<SettingChange>,
    /// Manifests that are no TOML.
    pub(super) unparsed: Vec<UnparsedFile>,
}

/// One side: its files and how to read them.
pub(super) struct Side<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) tree: &'a dyn SourceTree,
}

impl Side<'_> {
    fn read(&self, file: &str) -> Result<Option<Vec<u8>>, TreeError> {
        if self.snapshot.files.contains_key(file) { self.tree.read(file) } else { Ok(None) }
    }
}

/// Compares the manifests and lock files that differ.
pub(super) fn manifests(before: &Side<'_>, after: &Side<'_>) -> Result<Manifests, TreeError> {
    let mut found = Manifests::default();
    let files: BTreeSet<&String> = before.snapshot.files.keys().chain(after.snapshot.files.keys()).collect();
    let changed =
        files.into_iter().filter(|file| before.snapshot.files.get(*file) != after.snapshot.files.get(*file));
    for file in changed {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        if name == "Cargo.lock" {
            found.dependencies.extend(of_locks(before.read(file)?.as_deref(), after.read(file)?.as_deref()));
        } else if name == "Cargo.toml" {
            found.manifest(file, folder, (before.read(file)?, after.read(file)?));
        }
    }
    found.dependencies.sort_by(|one, other| {
        // What the packages ask for before what it came to.
        let key =
            |it: &DependencyChange| (it.package == "Cargo.lock", it.package.clone(), it.dependency.clone());
        key(one).cmp(&key(other))
    });
    Ok(found)
}

impl Manifests {
    fn manifest(&mut self, file: &str, folder: &str, (before, after): (Option<Vec<u8>>, Option<Vec<u8>>)) {
        let table = |bytes: &Option<Vec<u8>>| -> Result<Table, String> {
            let Some(bytes) = bytes else { return Ok(Table::new()) };
            let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
            text.parse().map_err(|error: toml::de::Error| {
                error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
            })
        };
        let (old, new) = match (table(&before), table(&after)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(reason), _) | (_, Err(reason)) => {
                self.unparsed.push(UnparsedFile { file: file.to_owned(), reason });
                return;
            }
        };
        let manifest = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| Manifest::new(&bytes, folder));
        self.dependencies
            .extend(of_manifests(manifest(before).as_ref(), manifest(after).as_ref()).unwrap_or_default());
        let package = package_name(&new)
            .or_else(|| package_name(&old))
            .unwrap_or_else(|| if folder.is_empty() { "workspace".to_owned() } else { folder.to_owned() });
        self.features(&package, &old, &new);
        self.settings(file, &package, &old, &new);
    }

    fn features(&mut self, package: &str, old: &Table, new: &Table) {
        let (old, new) = (features(old), features(new));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for feature in names.into_iter().filter(|name| old.get(*name) != new.get(*name)) {
            self.features.push(FeatureChange {
                package: package.to_owned(),
                feature: feature.clone(),
                before: old.get(feature).cloned(),
                after: new.get(feature).cloned(),
            });
        }
    }

    fn settings(&mut self, file: &str, package: &str, old: &Table, new: &Table) {
        let (old, new) = (settings(old), settings(new));
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let changed: Vec<&String> = keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).collect();
        if changed.len() > SETTINGS_MAX {
            let reason = format!("{} of its keys changed; they are not told one by one", changed.len());
            self.unparsed.push(UnparsedFile { file: file.to_owned(), reason });
            return;
        }
        for key in changed {
            self.settings.push(SettingChange {
                file: file.to_owned(),
                package: package.to_owned(),
                key: key.clone(),
                before: old.get(key).cloned(),
                after: new.get(key).cloned(),
            });
        }
    }
}

fn package_name(manifest: &Table) -> Option<String> {
    manifest.get("package")?.get("name")?.as_str().map(str::to_owned)
}

fn features(manifest: &Table) -> BTreeMap<String, Vec<String>> {
    let list = |value: &Value| {
        let entries = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut entries: Vec<String> = entries.map(str::to_owned).collect();
        entries.sort();
        entries
    };
    let table = manifest.get("features").and_then(Value::as_table);
    table.into_iter().flatten().map(|(name, value)| (name.clone(), list(value))).collect()
}

/// All other keys with their values; dependencies and features are told by themselves.
fn settings(manifest: &Table) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open: Vec<(String, &Value)> = manifest.iter().map(|(key, value)| (key.clone(), value)).collect();
    while let Some((key, value)) = open.pop() {
        let last = key.rsplit('.').next().unwrap_or_default();
        let told = key == "features" || last == "dependencies" || last.ends_with("-dependencies");
        match value {
            Value::Table(_) if told => {}
            Value::Table(table) => {
                open.extend(table.iter().map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                found.insert(key, value.to_string());
            }
        }
    }
    found
}
