//! The targets of a package: those its manifest names, and those that Cargo finds by the places of files.
//!
//! What counts as a target depends on the edition and on switches such as `autobins`: see the Cargo Book,
//! *Cargo Targets*. `cargo xtask measure workspace` compares the outcome with Cargo's own.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::manifest::{Manifest, either, texts};
use super::model::{Target, TargetKind};
use crate::snapshot::sources::{Sources, join};

/// The package whose targets are wanted.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) folder: &'a str,
    pub(super) name: &'a str,
    pub(super) edition: &'a str,
}

/// All targets, by kind and name.
pub(super) fn targets(sources: &Sources<'_>, of: Of<'_>) -> Vec<Target> {
    let library = library(sources, of);
    let has_library = library.is_some();
    let mut found: Vec<Target> = library.into_iter().collect();
    for kind in [TargetKind::Binary, TargetKind::Example, TargetKind::Test, TargetKind::Bench] {
        found.extend(listed(sources, of, kind, has_library));
    }
    found.extend(build_scripts(sources, of));
    found
}

/// A target before its defaults are filled in.
struct Draft<'a> {
    name: String,
    /// From the package's folder, as written or found.
    path: String,
    table: Option<&'a Table>,
}

impl Draft<'_> {
    fn target(self, sources: &Sources<'_>, of: Of<'_>, kind: TargetKind) -> Target {
        let table = self.table;
        let text = |key: &str| table.and_then(|it| it.get(key)).and_then(Value::as_str);
        // A path that leads out of the repository is told as written.
        let root = join(of.folder, &self.path).unwrap_or(self.path);
        let given = table.map(|it| texts(either(it, "crate-type"))).unwrap_or_default();
        let is_macro = table.and_then(|it| either(it, "proc-macro")).and_then(Value::as_bool) == Some(true);
        let crate_types = match kind {
            TargetKind::Library if given.is_empty() && is_macro => vec!["proc-macro".to_owned()],
            TargetKind::Library if given.is_empty() => vec!["lib".to_owned()],
            TargetKind::Library | TargetKind::Example if !given.is_empty() => given,
            TargetKind::Library
            | TargetKind::Binary
            | TargetKind::Example
            | TargetKind::Test
            | TargetKind::Bench
            | TargetKind::BuildScript => vec!["bin".to_owned()],
        };
        let takes_features = !matches!(kind, TargetKind::Library | TargetKind::BuildScript);
        let required = table.filter(|_| takes_features).and_then(|it| it.get("required-features"));
        Target {
            kind,
            name: self.name,
            present: sources.file(&root).is_some(),
            root,
            discovered: table.is_none(),
            edition: text("edition").unwrap_or(of.edition).to_owned(),
            crate_types,
            required_features: texts(required),
            modules: None,
        }
    }
}

fn library(sources: &Sources<'_>, of: Of<'_>) -> Option<Target> {
    let usual = "src/lib.rs";
    let table = of.manifest.table("lib");
    let is_there = |path: &str| join(of.folder, path).is_some_and(|path| sources.file(&path).is_some());
    if table.is_none() && (of.manifest.switch("autolib") == Some(false) || !is_there(usual)) {
        return None;
    }
    let text = |key: &str| table.and_then(|it| it.get(key)).and_then(Value::as_str);
    let name = text("name").map_or_else(|| of.name.replace('-', "_"), str::to_owned);
    // Old manifests may have a library at `src/NAME.rs`.
    let old = format!("src/{name}.rs");
    let path = match text("path") {
        Some(path) => path,
        None if !is_there(usual) && of.edition == "2015" && is_there(&old) => &old,
        None => usual,
    };
    let path = path.to_owned();
    Some(Draft { name, path, table }.target(sources, of, TargetKind::Library))
}

/// The key of a kind's tables, the switch of its discovery, and the folder where it is looked for.
fn ways(kind: TargetKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        TargetKind::Library => ("lib", "autolib", "src"),
        TargetKind::Binary => ("bin", "autobins", "src/bin"),
        TargetKind::Example => ("example", "autoexamples", "examples"),
        TargetKind::Test => ("test", "autotests", "tests"),
        TargetKind::Bench => ("bench", "autobenches", "benches"),
        TargetKind::BuildScript => ("build", "build", ""),
    }
}

/// The targets of a kind of which there may be several.
fn listed(sources: &Sources<'_>, of: Of<'_>, kind: TargetKind, has_library: bool) -> Vec<Target> {
    let (key, switch, _) = ways(kind);
    let found = found(sources, of, kind);
    let written = of.manifest.value(key).and_then(Value::as_array);
    let mut drafts = Vec::new();
    for table in written.into_iter().flatten().filter_map(Value::as_table) {
        let Some(name) = table.get("name").and_then(Value::as_str) else { continue };
        let path = table.get("path").and_then(Value::as_str).map(str::to_owned);
        let path = path.or_else(|| one(&found, name));
        let path = path.or_else(|| old_place(sources, of, (kind, name), has_library));
        // Without a file Cargo refuses the manifest; the usual place is where it is missing.
        let path = path.unwrap_or_else(|| format!("{}/{name}.rs", ways(kind).2));
        drafts.push(Draft { name: name.to_owned(), path, table: Some(table) });
    }
    let discovers = match of.manifest.switch(switch) {
        Some(switch) => switch,
        // In the oldest edition one written target means that all are written.
        None => written.is_none() || of.edition != "2015",
    };
    if discovers {
        let names: BTreeSet<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
        let paths: BTreeSet<String> = drafts.iter().map(|draft| without_dots(&draft.path)).collect();
        let is_new =
            |(name, path): &(String, String)| !names.contains(name) && !paths.contains(&without_dots(path));
        let new = found.into_iter().filter(is_new);
        drafts.extend(new.map(|(name, path)| Draft { name, path, table: None }));
    }
    drafts.sort_by(|one, other| one.name.cmp(&other.name));
    drafts.into_iter().map(|draft| draft.target(sources, of, kind)).collect()
}

/// A path by which Cargo tells whether a file is a target already: `a/../b` is not `b` there.
fn without_dots(path: &str) -> String {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}

/// The file found under a name, where there is exactly one.
fn one(found: &[(String, String)], wanted: &str) -> Option<String> {
    let mut matching = found.iter().filter(|(name, _)| name == wanted).map(|(_, path)| path.clone());
    let first = matching.next()?;
    matching.next().is_none().then_some(first)
}

/// Where the oldest edition also looks for a written target.
fn old_place(
    sources: &Sources<'_>,
    of: Of<'_>,
    (kind, name): (TargetKind, &str),
    has_library: bool,
) -> Option<String> {
    let own = format!("src/{name}.rs");
    let candidates: Vec<&str> = match kind {
        TargetKind::Binary if has_library => vec!["src/main.rs", "src/bin/main.rs"],
        TargetKind::Binary => vec![&own, "src/main.rs", "src/bin/main.rs"],
        TargetKind::Bench if name == "bench" => vec!["src/bench.rs"],
        TargetKind::Library
        | TargetKind::Example
        | TargetKind::Test
        | TargetKind::Bench
        | TargetKind::BuildScript => Vec::new(),
    };
    let is_there = |path: &&str| join(of.folder, path).is_some_and(|path| sources.file(&path).is_some());
    candidates.into_iter().filter(|_| of.edition == "2015").find(is_there).map(str::to_owned)
}

/// Targets at their usual places: `tests/a.rs`, `tests/a/main.rs`, and `src/main.rs`.
fn found(sources: &Sources<'_>, of: Of<'_>, kind: TargetKind) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let is_file = |path: &str| join(of.folder, path).is_some_and(|path| sources.file(&path).is_some());
    if kind == TargetKind::Binary && is_file("src/main.rs") {
        found.push((of.name.to_owned(), "src/main.rs".to_owned()));
    }
    let (_, _, usual) = ways(kind);
    let Some(folder) = join(of.folder, usual) else { return found };
    for (name, is_folder) in sources.children(&folder).into_iter().filter(|(name, _)| !name.starts_with('.'))
    {
        let main = format!("{usual}/{name}/main.rs");
        if is_folder && is_file(&main) {
            found.push((name, main));
        } else if !is_folder && let Some(stem) = name.strip_suffix(".rs").filter(|stem| !stem.is_empty()) {
            found.push((stem.to_owned(), format!("{usual}/{name}")));
        }
    }
    found
}

/// `package.build`: a file, several, or none although `build.rs` is there.
fn build_scripts(sources: &Sources<'_>, of: Of<'_>) -> Vec<Target> {
    let usual = "build.rs";
    let is_there = || join(of.folder, usual).is_some_and(|path| sources.file(&path).is_some());
    let value = of.manifest.package().and_then(|package| package.get("build"));
    let (paths, discovered) = match value {
        Some(Value::String(path)) => (vec![path.clone()], false),
        Some(Value::Boolean(true)) => (vec![usual.to_owned()], false),
        Some(Value::Array(_)) => (texts(value), false),
        None if is_there() => (vec![usual.to_owned()], true),
        _ => (Vec::new(), false),
    };
    let script = |path: String| {
        let file = path.rsplit('/').next().unwrap_or(&path);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let name = format!("build-script-{stem}");
        let target = Draft { name, path, table: None }.target(sources, of, TargetKind::BuildScript);
        Target { discovered, ..target }
    };
    paths.into_iter().map(script).collect()
}
