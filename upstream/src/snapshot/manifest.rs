//! `Cargo.toml` files to packages and their targets.
//!
//! Main function: [`packages`]. A manifest that cannot be understood is reported and passed over; Cargo itself
//! is never run.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::sources::{Sources, folder_of, join};
use super::{Package, UnparsedFile};
use crate::tree::TreeError;

/// The most packages of one revision.
const PACKAGES_MAX: usize = 10_000;
/// The most targets of one package.
const TARGETS_MAX: usize = 10_000;

/// What a target is to its package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TargetKind {
    Library,
    Binary,
    Test,
    Bench,
    Example,
}

/// One crate of a package.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The first segment of its items' paths.
    pub(super) krate: String,
    pub(super) kind: TargetKind,
    /// The file of its root module.
    pub(super) root: String,
    pub(super) edition: String,
}

/// The packages of a revision.
#[derive(Debug, Default)]
pub(super) struct Packages {
    pub(super) all: Vec<Package>,
    pub(super) targets: Vec<Target>,
    pub(super) unparsed: Vec<UnparsedFile>,
}

/// Finds the packages: the root manifest and its members, or, without one, the topmost manifests.
pub(super) fn packages(sources: &Sources<'_>) -> Result<Packages, TreeError> {
    let mut found = Packages::default();
    let mut seen = BTreeSet::new();
    for folder in top_folders(sources) {
        let Some(manifest) = read_manifest(sources, &folder, &mut found.unparsed)? else { continue };
        let workspace = table(&manifest, "workspace").cloned().unwrap_or_default();
        let mut folders = BTreeSet::from([folder.clone()]);
        folders.extend(members(sources, &folder, &workspace));
        for member in folders.into_iter().filter(|member| seen.insert(member.clone())) {
            if found.all.len() >= PACKAGES_MAX {
                let reason = format!("more than {PACKAGES_MAX} packages: this one is not read");
                found.unparsed.push(UnparsedFile { file: manifest_path(&member), reason });
                continue;
            }
            let manifest = if member == folder {
                Some(manifest.clone())
            } else {
                read_manifest(sources, &member, &mut found.unparsed)?
            };
            if let Some(manifest) = manifest {
                add_package(
                    sources,
                    &mut found,
                    &member,
                    &Manifest { own: &manifest, workspace: &workspace },
                );
            }
        }
    }
    found.all.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(found)
}

struct Manifest<'toml> {
    own: &'toml Table,
    workspace: &'toml Table,
}

impl Manifest<'_> {
    /// A text of `[package]`, taken from the workspace where it says so.
    fn package_text(&self, key: &str) -> Option<String> {
        let value = table(self.own, "package")?.get(key)?;
        let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
        let value = if inherited { table(self.workspace, "package")?.get(key)? } else { value };
        value.as_str().map(str::to_owned)
    }

    /// Whether targets of a kind are looked for in their usual folders.
    fn discovers(&self, key: &str) -> bool {
        table(self.own, "package").and_then(|package| package.get(key)).and_then(Value::as_bool)
            != Some(false)
    }

    fn dependencies(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let per_platform = table(self.own, "target").into_iter().flat_map(Table::values);
        let tables = per_platform.filter_map(Value::as_table).chain([self.own]);
        for (name, value) in tables.filter_map(|owner| table(owner, "dependencies")).flatten() {
            let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let shared = table(self.workspace, "dependencies").and_then(|shared| shared.get(name));
            let value = if inherited { shared.unwrap_or(value) } else { value };
            all.insert(name.clone(), requirement(value));
        }
        all
    }
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

fn add_package(sources: &Sources<'_>, found: &mut Packages, folder: &str, manifest: &Manifest<'_>) {
    if table(manifest.own, "package").is_none() {
        return;
    }
    let file = manifest_path(folder);
    let Some(name) = manifest.package_text("name").filter(|name| is_name(name)) else {
        let reason = "`package.name` is missing or is no valid package name".to_owned();
        found.unparsed.push(UnparsedFile { file, reason });
        return;
    };
    let edition = manifest.package_text("edition").unwrap_or_else(|| "2015".to_owned());
    let lib = table(manifest.own, "lib");
    let lib_text = |key: &str| lib.and_then(|lib| lib.get(key)).and_then(Value::as_str);
    let lib_path = join(folder, lib_text("path").unwrap_or("src/lib.rs")).filter(|path| sources.has(path));
    let lib_name = lib_text("name").unwrap_or(&name).replace('-', "_");
    let library = lib_path.as_ref().filter(|_| is_name(&lib_name)).map(|_| lib_name.clone());
    let mut targets = BTreeMap::new();
    if let (Some(root), Some(krate)) = (lib_path, library.clone()) {
        let target = Target { krate, kind: TargetKind::Library, root, edition: edition.clone() };
        targets.insert((TargetKind::Library, String::new()), target);
    }
    for (kind, key, discovered) in [
        (TargetKind::Binary, "bin", "autobins"),
        (TargetKind::Test, "test", "autotests"),
        (TargetKind::Bench, "bench", "autobenches"),
        (TargetKind::Example, "example", "autoexamples"),
    ] {
        let mut roots = BTreeMap::new();
        if manifest.discovers(discovered) {
            roots.extend(discover(sources, folder, kind, &name));
        }
        let named = declared(sources, folder, kind, manifest.own.get(key));
        // A target that is found by itself under another name is the same target.
        roots.retain(|_, root| !named.values().any(|path| path == root));
        roots.extend(named);
        for (target, root) in roots.into_iter().filter(|(target, _)| is_name(target)) {
            let krate = format!("{name}[{key}:{target}]");
            targets.insert((kind, target), Target { krate, kind, root, edition: edition.clone() });
        }
    }
    if targets.len() > TARGETS_MAX {
        let reason =
            format!("more than {TARGETS_MAX} targets: the last {} are not read", targets.len() - TARGETS_MAX);
        found.unparsed.push(UnparsedFile { file, reason });
    }
    found.targets.extend(targets.into_values().take(TARGETS_MAX));
    found.all.push(Package {
        name,
        version: manifest.package_text("version"),
        folder: folder.to_owned(),
        edition,
        library,
        dependencies: manifest.dependencies(),
    });
}

fn usual_folder(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Library => "src",
        TargetKind::Binary => "src/bin",
        TargetKind::Test => "tests",
        TargetKind::Bench => "benches",
        TargetKind::Example => "examples",
    }
}

/// Targets that Cargo finds by itself: `tests/a.rs`, `tests/a/main.rs`, and `src/main.rs`.
fn discover(
    sources: &Sources<'_>,
    folder: &str,
    kind: TargetKind,
    package: &str,
) -> BTreeMap<String, String> {
    let mut roots = BTreeMap::new();
    let Some(usual) = join(folder, usual_folder(kind)) else { return roots };
    for path in sources.below(&usual) {
        let Some(relative) = path.get(usual.len() + 1..) else { continue };
        let name = match relative.split_once('/') {
            None => relative.strip_suffix(".rs"),
            Some((name, "main.rs")) => Some(name),
            Some(_) => None,
        };
        roots.extend(name.map(|name| (name.to_owned(), path.to_owned())));
    }
    let main = join(folder, "src/main.rs").filter(|main| kind == TargetKind::Binary && sources.has(main));
    roots.extend(main.map(|main| (package.to_owned(), main)));
    roots
}

/// Targets that the manifest names.
fn declared(
    sources: &Sources<'_>,
    folder: &str,
    kind: TargetKind,
    value: Option<&Value>,
) -> BTreeMap<String, String> {
    let mut roots = BTreeMap::new();
    for target in value.and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = target.get("name").and_then(Value::as_str) else { continue };
        let usual = usual_folder(kind);
        let candidates = match target.get("path").and_then(Value::as_str) {
            Some(path) => vec![path.to_owned()],
            None => vec![format!("{usual}/{name}.rs"), format!("{usual}/{name}/main.rs")],
        };
        let root = candidates.iter().filter_map(|path| join(folder, path)).find(|path| sources.has(path));
        if let Some(root) = root {
            roots.insert(name.to_owned(), root);
        }
    }
    roots
}

/// The folders that the workspace's `members` name and its `exclude` does not.
fn members(sources: &Sources<'_>, root: &str, workspace: &Table) -> Vec<String> {
    let patterns = |key: &str| -> Vec<String> {
        let list = workspace.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).filter_map(|text| join(root, text)).collect()
    };
    let (wanted, excluded) = (patterns("members"), patterns("exclude"));
    let is_excluded = |folder: &str| {
        excluded
            .iter()
            .any(|path| folder == path || folder.strip_prefix(path).is_some_and(|it| it.starts_with('/')))
    };
    manifest_folders(sources)
        .filter(|folder| wanted.iter().any(|pattern| matches(pattern, folder)) && !is_excluded(folder))
        .map(str::to_owned)
        .collect()
}

/// Whether a folder matches a pattern, segment by segment, with `*` and `?`.
fn matches(pattern: &str, folder: &str) -> bool {
    let (pattern, folder): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), folder.split('/').collect());
    pattern.len() == folder.len()
        && pattern.iter().zip(&folder).all(|(one, other)| segment_matches(one, other))
}

fn segment_matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // One row of the usual table: which prefixes of the text the pattern so far matches.
    let mut reached: Vec<bool> = (0..=text.len()).map(|length| length == 0).collect();
    for sign in pattern {
        let before = reached.clone();
        for length in 0..=text.len() {
            let shorter = |row: &[bool]| length > 0 && row.get(length - 1) == Some(&true);
            let now = if sign == '*' {
                before.get(length) == Some(&true) || shorter(&reached)
            } else {
                let fits = sign == '?' || length.checked_sub(1).and_then(|at| text.get(at)) == Some(&sign);
                fits && shorter(&before)
            };
            if let Some(cell) = reached.get_mut(length) {
                *cell = now;
            }
        }
    }
    reached.last() == Some(&true)
}

/// The root, or without a manifest there, every folder with a manifest that none above it has.
fn top_folders(sources: &Sources<'_>) -> Vec<String> {
    let mut top: Vec<String> = Vec::new();
    let mut folders: Vec<&str> = manifest_folders(sources).collect();
    folders.sort_unstable();
    for folder in folders {
        let inside = |above: &String| above.is_empty() || folder.starts_with(&format!("{above}/"));
        if !top.iter().any(inside) {
            top.push(folder.to_owned());
        }
    }
    top
}

fn manifest_folders<'a>(sources: &'a Sources<'_>) -> impl Iterator<Item = &'a str> {
    sources.paths().filter(|path| *path == "Cargo.toml" || path.ends_with("/Cargo.toml")).map(folder_of)
}

fn manifest_path(folder: &str) -> String {
    if folder.is_empty() { "Cargo.toml".to_owned() } else { format!("{folder}/Cargo.toml") }
}

fn read_manifest(
    sources: &Sources<'_>,
    folder: &str,
    unparsed: &mut Vec<UnparsedFile>,
) -> Result<Option<Table>, TreeError> {
    let file = manifest_path(folder);
    let parsed = sources.text(&file)?.and_then(|text| {
        let table: Result<Table, toml::de::Error> = text.parse();
        table.map_err(|error| error.to_string().lines().collect::<Vec<_>>().join(" "))
    });
    match parsed {
        Ok(table) => Ok(Some(table)),
        Err(reason) => {
            unparsed.push(UnparsedFile { file, reason });
            Ok(None)
        }
    }
}

fn table<'a>(owner: &'a Table, key: &str) -> Option<&'a Table> {
    owner.get(key).and_then(Value::as_table)
}

/// A name that can stand in an item path.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
