//! Packages as Cargo tells them and as Tidelock tells them, in the same words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use semver::VersionReq;
use serde_json::{Value, json};
use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};
use upstream::workspace::{Dependency, DependencyKind, Origin, Package, Publish, Target, TargetKind};

/// A package in words that both sides share; by its folder.
pub(super) type Packages = BTreeMap<String, Value>;

/// What Cargo says of the workspace that a manifest belongs to.
pub(super) struct Metadata {
    /// The folder of the workspace, or of the package that has none.
    pub(super) root: String,
    pub(super) packages: Packages,
    pub(super) default_members: BTreeSet<String>,
}

/// Asks Cargo; the inner error is its refusal.
pub(super) fn metadata(root: &Path, folder: &str) -> Result<Result<Metadata, String>> {
    let manifest = root.join(folder).join("Cargo.toml");
    // It runs elsewhere: configuration and toolchain files of the revision are not to count.
    let invocation = Invocation::new("cargo", std::env::temp_dir())
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .args([manifest])
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"]);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        let said = String::from_utf8_lossy(&finished.stderr).into_owned();
        let lines =
            said.lines().map(str::trim).filter(|line| !line.starts_with("warning") && !line.is_empty());
        return Ok(Err(lines.collect::<Vec<_>>().join(" ").replace(&root.display().to_string(), "")));
    }
    let printed: Value = serde_json::from_slice(&finished.stdout)?;
    let mut packages = Packages::new();
    let mut folders = BTreeMap::new();
    for package in printed["packages"].as_array().into_iter().flatten() {
        let file = package["manifest_path"].as_str().unwrap_or_default();
        let at = relative(root, Path::new(file).parent().unwrap_or(root)).unwrap_or_default();
        folders.insert(package["id"].as_str().unwrap_or_default().to_owned(), at.clone());
        packages.insert(at, theirs(root, package));
    }
    let defaults = printed["workspace_default_members"].as_array().into_iter().flatten();
    let default_members = defaults.filter_map(|id| folders.get(id.as_str()?).cloned()).collect();
    let workspace = Path::new(printed["workspace_root"].as_str().unwrap_or_default());
    let root = relative(root, workspace).unwrap_or_default();
    Ok(Ok(Metadata { root, packages, default_members }))
}

/// A path below the checkout, with `/`.
fn relative(root: &Path, path: &Path) -> Option<String> {
    Some(path.strip_prefix(root).ok()?.to_string_lossy().into_owned())
}

fn theirs(root: &Path, package: &Value) -> Value {
    let target = |it: &Value| {
        let path = Path::new(it["src_path"].as_str().unwrap_or_default());
        let path = relative(root, path).unwrap_or_else(|| "outside".to_owned());
        json!([it["kind"], it["name"], path, it["edition"], it["crate_types"], required(it)])
    };
    let dependency = |it: &Value| {
        let path = it["path"].as_str().map(|path| relative(root, Path::new(path)));
        let from = match (path, it["source"].as_str()) {
            (Some(path), _) => format!("path {}", path.unwrap_or_else(|| "outside".to_owned())),
            (None, Some(source)) if source.starts_with("git+") => decoded(source),
            (None, _) => "registry".to_owned(),
        };
        json!({
            "package": it["name"], "name": it["rename"].as_str().or(it["name"].as_str()),
            "kind": it["kind"].as_str().unwrap_or("normal"), "requirement": it["req"], "from": from,
            "optional": it["optional"], "default_features": it["uses_default_features"],
            "features": it["features"], "platform": it["target"].as_str().map(condition),
        })
    };
    json!({
        "name": package["name"], "version": package["version"], "edition": package["edition"],
        "rust_version": package["rust_version"], "publish": package["publish"],
        "targets": sorted(package["targets"].as_array().into_iter().flatten().map(target)),
        "features": package["features"],
        "dependencies": sorted(package["dependencies"].as_array().into_iter().flatten().map(dependency)),
    })
}

fn required(target: &Value) -> Value {
    target.get("required-features").cloned().unwrap_or_else(|| json!([]))
}

/// Values in an order that does not depend on who told them.
fn sorted(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<Value> = values.collect();
    values.sort_by_key(ToString::to_string);
    values
}

/// A condition without its spaces: Cargo sets its own, and Tidelock tells it as written.
fn condition(text: &str) -> String {
    text.split('"')
        .enumerate()
        .map(
            |(at, part)| if at % 2 == 0 { part.replace(' ', "").replace(",)", ")") } else { part.to_owned() },
        )
        .collect::<Vec<_>>()
        .join("\"")
}

/// The address of a git source as Cargo writes it, its escapes resolved.
fn decoded(source: &str) -> String {
    let source = source.replace("%2F", "/").replace("%23", "#");
    source.replace("/?", "?").trim_end_matches('/').to_owned()
}

/// A package as Tidelock tells it.
pub(super) fn ours(package: &Package) -> Value {
    let publish = match &package.publish {
        Publish::Anywhere => Value::Null,
        Publish::Nowhere => json!([]),
        Publish::Registries(names) => json!(names),
    };
    let features: BTreeMap<&String, &Vec<String>> =
        package.features.iter().map(|(name, feature)| (name, &feature.enables)).collect();
    json!({
        "name": package.name,
        "version": package.version.as_ref().map_or("0.0.0", |it| it.value.as_str()),
        "edition": package.edition.value,
        "rust_version": package.rust_version.as_ref().map(|it| &it.value),
        "publish": publish,
        "targets": sorted(package.targets.iter().map(our_target)),
        "features": features,
        "dependencies": sorted(package.dependencies.iter().map(our_dependency)),
    })
}

fn our_target(target: &Target) -> Value {
    let kind = match target.kind {
        TargetKind::Library => json!(target.crate_types),
        TargetKind::Binary => json!(["bin"]),
        TargetKind::Example => json!(["example"]),
        TargetKind::Test => json!(["test"]),
        TargetKind::Bench => json!(["bench"]),
        TargetKind::BuildScript => json!(["custom-build"]),
    };
    json!([kind, target.name, target.root, target.edition, target.crate_types, target.required_features])
}

fn our_dependency(it: &Dependency) -> Value {
    let from = match &it.origin {
        Origin::CratesIo | Origin::Registry(_) => "registry".to_owned(),
        Origin::Git { url, reference: None } => decoded(&format!("git+{url}")),
        Origin::Git { url, reference: Some((kind, value)) } => decoded(&format!("git+{url}?{kind}={value}")),
        Origin::Path { folder } => format!("path {}", folder.as_deref().unwrap_or("outside")),
    };
    let kind = match it.kind {
        DependencyKind::Normal => "normal",
        DependencyKind::Dev => "dev",
        DependencyKind::Build => "build",
    };
    let requirement =
        VersionReq::parse(&it.requirement).map_or_else(|_| it.requirement.clone(), |it| it.to_string());
    json!({
        "package": it.package, "name": it.name, "kind": kind, "requirement": requirement, "from": from,
        "optional": it.optional, "default_features": it.default_features, "features": it.features,
        "platform": it.platform.as_deref().map(condition),
    })
}
