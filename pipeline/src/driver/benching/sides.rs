//! A side of a benchmark, ready to run: its sources written out, its harness trusted, its command filled.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use port::bench::run::{BenchProcess, Output};
use port::confinement::{Access, Confinement};
use port::held::HeldFolder;
use port::language::python::Interpreter;
use port::repo::Checkout;
use upstream::process::{Invocation, Limits};
use upstream::{ContentHash, Revision, TreeId};

use super::super::checkouts;
use super::super::toolchain::toolchain;
use super::{Pairing, Source, mode_name};
use crate::config::bench::{BenchMode, BenchSettings};
use crate::progress::Progress;
use crate::provisioned::interpreter_access;
use crate::session::Session;

/// The longest the upstream may take to build, in milliseconds.
const BUILD_TIMEOUT_MS: u64 = 30 * 60 * 1000;

/// Prepares sides.
pub(super) struct Sides<'a> {
    session: &'a Session,
    pub(super) confinement: &'a dyn Confinement,
}

/// A side whose sources are there as long as this is.
pub(super) struct Prepared {
    pub(super) process: BenchProcess,
    _sources: Kept,
}

enum Kept {
    Port { _checkout: Checkout },
    Upstream { _folder: HeldFolder },
}

impl<'a> Sides<'a> {
    pub(super) fn new(session: &'a Session, confinement: &'a dyn Confinement) -> Self {
        Self { session, confinement }
    }

    /// Everything that decides what is measured, hashed: commands, variables, and the files of the harness.
    pub(super) fn harness(&self, pairing: &Pairing<'_>) -> Result<String> {
        let bench = pairing.bench;
        let files = self.harness_files(bench, &pairing.trusted)?;
        let files: Vec<String> = files.iter().map(|(path, id)| format!("{path} {id}")).collect();
        let said = format!(
            "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{}\n{}",
            bench.command,
            bench.upstream_command,
            bench.upstream_build,
            bench.environment,
            bench.format,
            bench.output,
            bench.tasks,
            mode_name(pairing.mode),
            files.join("\n")
        );
        Ok(ContentHash::of(said).short())
    }

    /// Writes a side out and fills its command in.
    pub(super) fn prepare(&self, pairing: &Pairing<'_>, source: &Source) -> Result<Prepared> {
        match source {
            Source::Port(tree) => self.port(pairing, tree),
            Source::Upstream(revision) => self.upstream(pairing, revision),
        }
    }

    fn port(&self, pairing: &Pairing<'_>, tree: &TreeId) -> Result<Prepared> {
        let tree = self.with_trusted_harness(pairing, tree)?;
        let checkout = self.session.port.checkout(&tree, &checkouts(self.session))?;
        let root = checkout.path().to_owned();
        let python = self.session.python_for(&root)?;
        let mut environment = self.python_environment(&root, &python);
        environment.extend(variables(pairing.bench, pairing.mode));
        let mut access = interpreter_access(&python);
        // Benchmarks of many tools write beside their sources; the checkout is thrown away.
        access.write.push(root.clone());
        let process = Self::process(pairing.bench, &pairing.bench.command, root, environment, access);
        Ok(Prepared { process, _sources: Kept::Port { _checkout: checkout } })
    }

    fn upstream(&self, pairing: &Pairing<'_>, revision: &Revision) -> Result<Prepared> {
        let bench = pairing.bench;
        if bench.upstream_command.is_empty() {
            bail!("`{}` has no `upstream-command`: the upstream cannot run it", bench.name);
        }
        let folder = HeldFolder::make_in(&self.session.settings.state, "upstream-bench")
            .context("cannot make a folder for the upstream's sources")?;
        let root = folder.path().join("source");
        let exported = self.session.mirror.repo().export(&revision.commit, &root);
        exported.with_context(|| format!("cannot write out the upstream at {}", revision.label))?;
        let tools = toolchain(self.session)?;
        let mut environment = Invocation::new("true", "/").environment;
        environment.extend(tools.environment.clone());
        // A command says `cargo`: it gets the toolchain's own, as rustup's proxy may stand in a folder out of reach.
        environment.extend(path_with(Path::new(&tools.cargo)));
        environment.extend(variables(bench, pairing.mode));
        let mut access = tools.access.clone();
        access.read.extend(interpreter_access(self.session.interpreter()?).read);
        access.write.push(root.clone());
        if !bench.upstream_build.is_empty() {
            self.fetch(&root, &tools.cargo, &environment)?;
            environment.insert("CARGO_NET_OFFLINE".into(), "true".into());
            let process = Self::process(
                bench,
                &bench.upstream_build,
                root.clone(),
                environment.clone(),
                access.clone(),
            );
            self.build(&process, revision)?;
        }
        let process = Self::process(bench, &bench.upstream_command, root, environment, access);
        Ok(Prepared { process, _sources: Kept::Upstream { _folder: folder } })
    }

    /// Fetches what the upstream depends on; that runs none of its code.
    fn fetch(&self, root: &Path, cargo: &OsString, environment: &BTreeMap<OsString, OsString>) -> Result<()> {
        if !root.join("Cargo.toml").is_file() {
            return Ok(());
        }
        let mut invocation = Invocation::new(cargo, root).args(["fetch"]);
        invocation.environment.extend(environment.clone());
        let finished = self.session.machine.runner.run(&invocation)?;
        anyhow::ensure!(finished.succeeded(), "cannot fetch what the upstream needs: {}", finished.tail(5));
        Ok(())
    }

    fn build(&self, process: &BenchProcess, revision: &Revision) -> Result<()> {
        let what = format!("building the upstream at {} for its benchmark", revision.label);
        self.session.machine.listener.tell(Progress::Busy { what });
        let (program, arguments) = process.command.split_first().context("the build command is empty")?;
        let mut invocation = Invocation::new(program, &process.directory)
            .args(arguments)
            .limits(Limits { timeout_ms: BUILD_TIMEOUT_MS, ..Limits::default() });
        invocation.environment.clone_from(&process.environment);
        let finished =
            self.session.machine.runner.run(&self.confinement.confine(invocation, &process.access)?)?;
        anyhow::ensure!(
            finished.succeeded(),
            "the upstream at {} does not build for its benchmark: {}",
            revision.label,
            finished.tail(10)
        );
        Ok(())
    }

    fn process(
        bench: &BenchSettings,
        command: &[String],
        directory: PathBuf,
        environment: BTreeMap<OsString, OsString>,
        access: Access,
    ) -> BenchProcess {
        let limits = Limits { timeout_ms: bench.timeout_s.saturating_mul(1000), ..Limits::default() };
        BenchProcess { command: command.to_vec(), directory, environment, access, limits }
    }

    /// `python3` in a command is the interpreter that everything else uses, with one order of sets for both
    /// sides, and no caches that a first run would write for a second.
    fn python_environment(&self, root: &Path, python: &Interpreter) -> BTreeMap<OsString, OsString> {
        let mut environment = BTreeMap::new();
        environment.extend(path_with(Path::new(python.program())));
        environment.insert("PYTHONPATH".into(), root.join(&self.session.settings.source_root).into());
        environment.insert("PYTHONHASHSEED".into(), "0".into());
        environment.insert("PYTHONDONTWRITEBYTECODE".into(), "1".into());
        environment
    }

    /// The tree with the harness of the trusted one: a candidate cannot change what judges it.
    fn with_trusted_harness(&self, pairing: &Pairing<'_>, tree: &TreeId) -> Result<TreeId> {
        let own = self.harness_files(pairing.bench, tree)?;
        let trusted = self.harness_files(pairing.bench, &pairing.trusted)?;
        let mut changes = BTreeMap::new();
        for path in own.keys().filter(|path| !trusted.contains_key(*path)) {
            changes.insert(path.clone(), None);
        }
        for (path, id) in &trusted {
            if own.get(path) != Some(id) {
                changes.insert(path.clone(), self.session.port.read(&pairing.trusted, path)?);
            }
        }
        Ok(self.session.port.write_tree(tree, &changes)?)
    }

    /// The files of the harness in a tree, with their hashes.
    fn harness_files(&self, bench: &BenchSettings, tree: &TreeId) -> Result<BTreeMap<String, String>> {
        let is_harness = |path: &str| {
            bench.harness.iter().any(|named| {
                let named = named.trim_end_matches('/');
                path == named || path.strip_prefix(named).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let files = self.session.port.files(tree)?;
        Ok(files.into_iter().filter(|file| is_harness(&file.path)).map(|file| (file.path, file.id)).collect())
    }
}

/// The search path with the folder of a program in front, where its folder is known.
fn path_with(program: &Path) -> Option<(OsString, OsString)> {
    let own = program.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned);
    let inherited = upstream::process::inherited("PATH").unwrap_or_default();
    let folders = own.into_iter().chain(std::env::split_paths(&inherited));
    Some(("PATH".into(), std::env::join_paths(folders).ok()?))
}

/// The variables of a benchmark in a mode.
fn variables(bench: &BenchSettings, mode: BenchMode) -> BTreeMap<OsString, OsString> {
    let [always, parity, extended] = &bench.environment;
    let own = match mode {
        BenchMode::Parity => parity,
        BenchMode::Extended | BenchMode::Both => extended,
    };
    let pairs = always.iter().chain(own);
    pairs.map(|(name, value)| (name.into(), value.into())).collect()
}

pub(super) fn output(bench: &BenchSettings) -> Output {
    bench.output.clone().map_or(Output::Stdout, Output::Below)
}
