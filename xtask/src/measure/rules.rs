//! How much of whole crates is translated with no model, why not the rest, and whether what is translated agrees
//! with the upstream: a port of exactly the accepted items is adopted by `tidelock`, which asks the real contract.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mappings::{Mapping, MappingConfig};
use port::compile::{Program, Whole, whole};
use port::language::Python;
use port::language::python::Interpreter;
use port::runtime::{NAME, Runtime};
use serde_json::json;
use upstream::process::{Invocation, Limits, ProcessRunner as _, SystemProcessRunner};
use upstream::tree::SourceTree as _;
use upstream::{Item, UpstreamRepo, snapshot};

use super::{Metric, Tell};

/// The names that the branch to be read may have.
const BRANCHES: [&str; 3] = ["main", "master", "trunk"];
/// The longest that one adoption may take, in milliseconds.
const ADOPT_MS: u64 = 20 * 60 * 1000;

/// What a crate came to.
#[derive(Default)]
struct Counts {
    items: [usize; 2],
    tests: [usize; 2],
    reasons: BTreeMap<String, usize>,
}

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `rules` reads upstreams: name them with `--repo PATH`");
    }
    let mut all = Counts::default();
    for repository in repositories {
        one(repository, &mut all, tell)?;
    }
    told("rules.all", &all, tell)
}

fn one(repository: &Path, all: &mut Counts, tell: &mut Tell<'_>) -> Result<()> {
    let repo = UpstreamRepo::open(repository)?;
    let (branch, revision) =
        BRANCHES.iter().find_map(|branch| Some((*branch, repo.resolve(branch).ok()?))).with_context(
            || format!("`{}` has no branch named {}", repository.display(), BRANCHES.join(", ")),
        )?;
    let python = Python::new("", Interpreter::locate(&SystemProcessRunner::default(), None)?);
    let tree = repo.tree(&revision.commit)?;
    let snapshot = snapshot::read(&tree, &revision)?;
    let text = |file: &str| tree.read(file).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
    let name = repository.parent().unwrap_or(repository).file_name().unwrap_or_default().to_string_lossy();
    for package in &snapshot.packages {
        let Some(library) = &package.library else { continue };
        let config = format!("[convention]\npackage = \"{library}_port\"\n");
        let mapping = Mapping::new(toml::from_str::<MappingConfig>(&config)?)?;
        let file = format!("{library}_port/{NAME}.py");
        let runtime = Runtime::new(&file, &python).context("a package has a place for the runtime module")?;
        let importable = runtime.offer(None, &python).importable().cloned();
        let program = Program::read(&snapshot, &package.name, &mapping, &|_: &Item| None, &text)
            .with_runtime(importable);
        let made = with_runtime(whole(&program), &runtime, &python);
        let used = made.files.contains_key(&file);
        tell(Metric {
            name: format!("rules.{name}.{library}.runtime"),
            value: json!(used),
            unit: "used",
            target: String::new(),
            ok: true,
        })?;
        let mut counts = Counts::default();
        for path in program.paths() {
            let Some(item) = snapshot.items.get(path) else { continue };
            let of = if item.is_test { &mut counts.tests } else { &mut counts.items };
            of[0] += 1;
            if made.accepted.contains_key(path) {
                of[1] += 1;
            } else if let Some(refusal) = made.refused.get(path)
                && !item.is_test
            {
                *counts.reasons.entry(refusal.reason.code().to_owned()).or_default() += 1;
            }
        }
        let measured = format!("rules.{name}.{library}");
        told(&measured, &counts, tell)?;
        adopted(&measured, (repository, branch), &format!("{library}_port"), &made, tell)?;
        for (sum, count) in [(&mut all.items, counts.items), (&mut all.tests, counts.tests)] {
            sum[0] += count[0];
            sum[1] += count[1];
        }
        for (reason, count) in counts.reasons {
            *all.reasons.entry(reason).or_default() += count;
        }
    }
    Ok(())
}

/// The port with the runtime module, where it imports from it.
fn with_runtime(mut made: Whole, runtime: &Runtime, python: &Python) -> Whole {
    let others: Vec<(&str, &str)> =
        made.files.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    if let Some(text) = runtime.to_be_written(None, &others, python) {
        made.files.insert(runtime.file().to_owned(), text);
    }
    made
}

fn told(name: &str, counts: &Counts, tell: &mut Tell<'_>) -> Result<()> {
    for (what, [of, times]) in [("items", counts.items), ("tests", counts.tests)] {
        let value = json!({ "of": of, "translated": times });
        tell(Metric {
            name: format!("{name}.{what}"),
            value,
            unit: "items",
            target: String::new(),
            ok: true,
        })?;
    }
    let value = json!(counts.reasons);
    tell(Metric { name: format!("{name}.refused"), value, unit: "items", target: String::new(), ok: true })
}

/// Has `tidelock` adopt a port of what was translated: it refuses where one call gives another result.
fn adopted(
    name: &str,
    (repository, branch): (&Path, &str),
    package: &str,
    made: &Whole,
    tell: &mut Tell<'_>,
) -> Result<()> {
    if made.files.is_empty() {
        return Ok(());
    }
    let program = super::demo::program()?;
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    for (file, text) in &made.files {
        write(&root.join(file), text)?;
    }
    let start = root.join(package).join("__init__.py");
    if !start.exists() {
        write(&start, "")?;
    }
    let source = repository.canonicalize()?;
    let config = format!(
        "version = 1\n\n[upstream]\ngit = {:?}\nbranch = {branch:?}\n\n[port]\nname = \"measured\"\n\n\
         [convention]\npackage = {package:?}\n\n[gate]\nprobes = 300\n",
        source.display().to_string()
    );
    write(&root.join("tidelock.toml"), &config)?;
    write(&root.join(".gitignore"), ".tidelock/\n__pycache__/\n")?;
    super::contract::git(root, &["init", "--quiet", "--initial-branch=main"])?;
    super::contract::commit(root, "What was translated")?;
    let invocation = Invocation::new(&program, root)
        .args(["init", "--adopt", branch])
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"])
        .limits(Limits { timeout_ms: ADOPT_MS, ..Limits::default() });
    let finished = SystemProcessRunner::default().run(&invocation)?;
    let said = finished.tail(30);
    let ok = finished.succeeded();
    let value = json!({ "agrees": ok, "said": said });
    tell(Metric { name: format!("{name}.contract"), value, unit: "ports", target: "agrees".to_owned(), ok })
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)?;
    Ok(())
}
