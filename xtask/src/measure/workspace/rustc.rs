//! The files that rustc reads for a target, against those of its module tree.
//!
//! rustc writes which files it read (`--emit=dep-info`) once it has expanded the crate, also where a crate that
//! it depends on is not there. So no dependency is built, and every target of every package can be asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};
use upstream::workspace::{ModuleForm, ModuleTree, Package, Target, TargetKind};

/// How long rustc may take for one target: it looks long for every name whose crate is not there.
const TARGET_MS_MAX: u64 = 300_000;

/// How one target of one package was compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Files that rustc read and the tree has.
    pub(super) files: usize,
    /// Files that rustc read and the tree lacks.
    pub(super) unknown: BTreeSet<String>,
    /// Files that the tree has without a condition, and rustc did not read.
    pub(super) unread: BTreeSet<String>,
}

/// Compares a target, as it is built and as it is tested with all features; `None` where rustc told nothing.
pub(super) fn compare(
    root: &Path,
    package: &Package,
    target: &Target,
    tree: &ModuleTree,
) -> Result<Option<Compared>> {
    let mut compared = Compared::default();
    let mut told = false;
    let (all, unconditional) = files(tree);
    for is_test in [false, true] {
        let Some(read) = dep_info(root, package, target, is_test)? else { continue };
        told = true;
        compared.files += read.intersection(&all).count();
        compared.unknown.extend(read.difference(&all).cloned());
        compared.unread.extend(unconditional.difference(&read).cloned());
    }
    // A Rust file may be read as a text, for documentation: it is no module then.
    let texts = texts(root, &all);
    compared.unknown.retain(|file| !texts.contains(file));
    Ok(told.then_some(compared))
}

/// The files that these files take in with `include_str!` or `include_bytes!`.
fn texts(root: &Path, files: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files {
        let path = root.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for behind in text.split("include_str!(").skip(1).chain(text.split("include_bytes!(").skip(1)) {
            let named = behind.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            let taken = named.and_then(|named| path.parent()?.join(named).canonicalize().ok());
            let taken = taken.and_then(|taken| taken.strip_prefix(root).ok().map(Path::to_path_buf));
            found.extend(taken.map(|taken| taken.to_string_lossy().into_owned()));
        }
    }
    found
}

/// The files of a tree, and those that no condition stands before.
fn files(tree: &ModuleTree) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut all = BTreeSet::new();
    let mut unconditional = BTreeSet::new();
    let mut conditional: BTreeMap<&str, bool> = BTreeMap::new();
    for module in &tree.modules {
        let above = module.path.rsplit_once("::").map_or("", |(above, _)| above);
        let is_root = module.form == ModuleForm::Root;
        // A path that stands twice was decided by conditions of which one may not be written here.
        let inherited = !is_root && conditional.get(above).copied().unwrap_or(false);
        let is_conditional = inherited || !module.conditions.is_empty();
        if module.form != ModuleForm::Included {
            let known = conditional.entry(&module.path).or_insert(is_conditional);
            *known |= is_conditional;
        }
        if matches!(module.form, ModuleForm::Root | ModuleForm::File | ModuleForm::Included)
            && let Some(file) = &module.file
        {
            all.insert(file.clone());
            // What is included in a function or a macro may never be expanded.
            if !is_conditional && module.form != ModuleForm::Included {
                unconditional.insert(file.clone());
            }
        }
    }
    (all, unconditional)
}

/// The Rust files that rustc reads; `None` where it stops before it knows.
fn dep_info(
    root: &Path,
    package: &Package,
    target: &Target,
    is_test: bool,
) -> Result<Option<BTreeSet<String>>> {
    let out = root.join("dep-info.d");
    if out.exists() {
        std::fs::remove_file(&out)?;
    }
    let mut arguments: Vec<String> =
        vec!["--edition".into(), target.edition.clone(), "--emit=dep-info".into()];
    if is_test {
        arguments.extend(["--test".into()]);
        for feature in package.features.keys() {
            arguments.extend(["--cfg".into(), format!("feature=\"{feature}\"")]);
        }
    } else {
        let kind = if target.kind == TargetKind::Library { "lib" } else { "bin" };
        arguments.extend(["--crate-type".into(), kind.into()]);
    }
    arguments.extend([
        "--crate-name".into(),
        "measured".into(),
        "-o".into(),
        out.display().to_string(),
        target.root.clone(),
    ]);
    let mut invocation = Invocation::new("rustc", root)
        .args(arguments)
        // Much of what real crates turn on is of a nightly compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("OUT_DIR", root.display().to_string())
        .limits(Limits { timeout_ms: TARGET_MS_MAX, ..Limits::default() })
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"]);
    for (name, value) in [("CARGO_PKG_VERSION", "0.0.0"), ("CARGO_PKG_NAME", package.name.as_str())] {
        invocation = invocation.env(name, value);
    }
    let manifest = root.join(&package.folder).display().to_string();
    let finished = SystemProcessRunner::default().run(&invocation.env("CARGO_MANIFEST_DIR", manifest))?;
    drop(finished);
    if !out.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&out)?;
    std::fs::remove_file(&out)?;
    let first = text.lines().next().unwrap_or_default();
    let listed = first.split_once(": ").map_or("", |(_, files)| files).replace("\\ ", "\u{0}");
    let mut files = BTreeSet::new();
    for file in listed.split(' ').filter(|file| Path::new(file).extension().is_some_and(|it| it == "rs")) {
        // Links and `..` are resolved, as the tree has it.
        let path = root.join(file.replace('\u{0}', " "));
        let path = path.canonicalize().unwrap_or(path);
        files.extend(path.strip_prefix(root).ok().map(|path| path.to_string_lossy().into_owned()));
    }
    Ok(Some(files))
}
