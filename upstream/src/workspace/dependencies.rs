//! The dependencies and features of a package, as Cargo understands its manifest.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::manifest::{WithShared, either, is_inherited, table, texts};
use super::model::{Dependency, DependencyKind, Feature, Origin};
use crate::snapshot::sources::join;

/// The tables of dependencies.
const TABLES: [(&str, DependencyKind); 3] = [
    ("dependencies", DependencyKind::Normal),
    ("dev-dependencies", DependencyKind::Dev),
    ("build-dependencies", DependencyKind::Build),
];

/// The folders that paths in the two manifests count from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folders<'a> {
    /// That of the package.
    pub(super) package: &'a str,
    /// That of the workspace.
    pub(super) workspace: &'a str,
}

/// All direct dependencies, sorted.
pub(super) fn dependencies(manifest: &WithShared<'_>, folders: Folders<'_>) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (platform, owner) in manifest.own.dependency_owners() {
        for (key, kind) in TABLES {
            for (name, value) in either(owner, key).and_then(Value::as_table).into_iter().flatten() {
                let place = Place { name, kind, platform };
                found.extend(dependency(manifest, value, place, folders));
            }
        }
    }
    found.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
    found
}

fn sort_key(it: &Dependency) -> (DependencyKind, Option<&str>, &str) {
    (it.kind, it.platform.as_deref(), &it.name)
}

/// Where in the manifest a dependency stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    kind: DependencyKind,
    platform: Option<&'a str>,
}

fn dependency(
    manifest: &WithShared<'_>,
    value: &Value,
    place: Place<'_>,
    folders: Folders<'_>,
) -> Option<Dependency> {
    let inherited = is_inherited(value);
    let from = if inherited { manifest.shared_dependency(place.name)? } else { value };
    let nothing = Table::new();
    let source = from.as_table().unwrap_or(&nothing);
    let own = value.as_table().unwrap_or(&nothing);
    let text = |key: &str| source.get(key).and_then(Value::as_str);
    let switch = |owner: &Table, key: &str| either(owner, key).and_then(Value::as_bool);
    let shared_default = switch(source, "default-features");
    let default_features = match (inherited, switch(own, "default-features")) {
        // A member may turn them on again, and not off.
        (true, Some(true)) => true,
        (true | false, _) => shared_default.unwrap_or(true),
    };
    let mut features = texts(source.get("features"));
    if inherited {
        features.extend(texts(own.get("features")));
    }
    let base = if inherited { folders.workspace } else { folders.package };
    Some(Dependency {
        name: place.name.to_owned(),
        package: text("package").unwrap_or(place.name).to_owned(),
        kind: place.kind,
        platform: place.platform.map(str::to_owned),
        requirement: from.as_str().or_else(|| text("version")).unwrap_or("*").to_owned(),
        origin: origin(source, base),
        optional: switch(own, "optional").unwrap_or(false),
        default_features,
        features,
        inherited,
        written: requirement(from),
    })
}

fn origin(source: &Table, base: &str) -> Origin {
    let text = |key: &str| source.get(key).and_then(Value::as_str);
    if let Some(url) = text("git") {
        let reference = ["branch", "tag", "rev"]
            .into_iter()
            .find_map(|key| text(key).map(|value| (key.to_owned(), value.to_owned())));
        return Origin::Git { url: url.to_owned(), reference };
    }
    if let Some(path) = text("path") {
        return Origin::Path { folder: join(base, path) };
    }
    match text("registry").or_else(|| text("registry-index")) {
        Some(registry) => Origin::Registry(registry.to_owned()),
        None => Origin::CratesIo,
    }
}

/// A requirement of `[workspace.dependencies]` on one line: the version, else where the package comes from.
pub(super) fn shared_requirements(workspace: &Table) -> BTreeMap<String, String> {
    let shared = table(workspace, "dependencies").into_iter().flatten();
    shared.map(|(name, value)| (name.clone(), requirement(value))).collect()
}

/// A requirement as one text: the version where there is one, else where the package comes from.
fn requirement(value: &Value) -> String {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    if let Some(version) = value.as_str().or_else(|| text("version")) {
        return version.to_owned();
    }
    let sources = ["git", "branch", "tag", "rev", "path"];
    let parts: Vec<String> =
        sources.iter().filter_map(|key| text(key).map(|value| format!("{key} {value}"))).collect();
    if parts.is_empty() { "*".to_owned() } else { parts.join(" ") }
}

/// The features: those written, and one for each optional dependency that no feature names with `dep:`.
pub(super) fn features(manifest: &WithShared<'_>, dependencies: &[Dependency]) -> BTreeMap<String, Feature> {
    let written = manifest.own.table("features").into_iter().flatten();
    let mut all: BTreeMap<String, Feature> = written
        .map(|(name, value)| (name.clone(), Feature { enables: texts(Some(value)), implicit: false }))
        .collect();
    let named: BTreeSet<String> = all
        .values()
        .flat_map(|feature| &feature.enables)
        .filter_map(|text| text.strip_prefix("dep:").map(str::to_owned))
        .collect();
    for dependency in dependencies.iter().filter(|it| it.optional && !named.contains(&it.name)) {
        all.entry(dependency.name.clone())
            .or_insert_with(|| Feature { enables: vec![format!("dep:{}", dependency.name)], implicit: true });
    }
    all
}
