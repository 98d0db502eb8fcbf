//! The upstream at a revision as an oracle: exported, built once per package, kept by content.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use port::confinement::{Access, Confinement};
use port::contract::{
    CallLog, ContractError, Instrument, InstrumentedFile, Oracle, OracleRequest, PortSide, Prepared,
    Toolchain, Tools, Tracer, public_paths,
};
use port::held::HeldFolder;
use upstream::harvest::HarvestedCall;
use upstream::process::{Invocation, inherited};
use upstream::snapshot::Package;
use upstream::{ContentHash, Item, ItemPath, Revision, RevisionLabel, Snapshot, harvest, instrument};

use crate::config::env;
use crate::progress::Progress;
use crate::session::Session;

/// The longest a single probe may take, in milliseconds.
pub(super) const PROBE_TIMEOUT_MS: u64 = 5_000;
/// Where an upstream's tree is written out, in a folder of its own.
const SOURCE: &str = "source";

/// The upstream at one revision, ready to be asked.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// By library.
    pub(crate) prepared: BTreeMap<String, Prepared>,
    /// Calls found in its tests, documentation and examples.
    pub(crate) harvested: Vec<HarvestedCall>,
}

/// Makes and keeps oracles.
#[derive(Debug)]
pub(crate) struct Oracles<'a> {
    session: &'a Session,
    confinement: &'a dyn Confinement,
    toolchain: Toolchain,
    made: BTreeMap<RevisionLabel, Arc<Upstream>>,
}

impl<'a> Oracles<'a> {
    pub(crate) fn new(session: &'a Session, confinement: &'a dyn Confinement) -> Result<Self> {
        let toolchain = toolchain(session)?;
        Ok(Self { session, confinement, toolchain, made: BTreeMap::new() })
    }

    pub(crate) fn tools(&self) -> Tools<'a> {
        Tools {
            runner: &*self.session.machine.runner,
            confinement: self.confinement,
            clock: &*self.session.machine.clock,
            probe_timeout_ms: PROBE_TIMEOUT_MS,
            build_timeout_ms: self.session.settings.build_timeout_s.saturating_mul(1000),
        }
    }

    /// The upstream at a revision, prepared for every function that can be probed.
    pub(crate) fn at(&mut self, snapshot: &Snapshot) -> Result<Arc<Upstream>> {
        let revision = &snapshot.revision;
        if let Some(made) = self.made.get(&revision.label) {
            return Ok(Arc::clone(made));
        }
        let folder = self.written_out(revision)?;
        let source = folder.path().join(SOURCE);
        let mut prepared = BTreeMap::new();
        for package in &snapshot.packages {
            if let Some(library) = &package.library {
                self.busy(package, revision);
                let made = self.prepare(&source, snapshot, package, &BlockCounters)?;
                prepared.insert(library.clone(), made);
            }
        }
        let tree = self.session.mirror.repo().tree(&revision.commit)?;
        let harvested = harvest::calls(&tree, snapshot)?.calls;
        let upstream = Arc::new(Upstream { prepared, harvested });
        self.made.insert(revision.label.clone(), Arc::clone(&upstream));
        Ok(upstream)
    }

    /// The upstream's tree in a folder of its own.
    fn written_out(&self, revision: &Revision) -> Result<HeldFolder> {
        let folder = HeldFolder::make_in(&self.session.settings.state, "upstream")
            .context("cannot make a folder for the upstream's sources")?;
        let repo = self.session.mirror.repo();
        repo.export(&revision.commit, &folder.path().join(SOURCE))
            .with_context(|| format!("cannot write out the upstream at {}", revision.label))?;
        Ok(folder)
    }

    /// What builds a package of the upstream once more, so that it tells its calls.
    pub(crate) fn tracing<'s>(&'s self, snapshot: &'s Snapshot, library: &str) -> Option<Tracing<'s>> {
        let package = snapshot.packages.iter().find(|one| one.library.as_deref() == Some(library))?;
        Some(Tracing { oracles: self, snapshot, package })
    }

    fn busy(&self, package: &Package, revision: &Revision) {
        let what = format!("building {} at {}", package.name, revision.label);
        self.session.machine.listener.tell(Progress::Busy { what });
    }

    fn prepare(
        &self,
        source: &Path,
        snapshot: &Snapshot,
        package: &Package,
        instrument: &dyn Instrument,
    ) -> Result<Prepared, ContractError> {
        let library = package.library.as_deref().unwrap_or_default();
        let is_code =
            |item: &&Item| !item.is_test && item.path.krate() == library && item.signature.is_some();
        let items: Vec<ItemPath> =
            snapshot.items.values().filter(is_code).map(|item| item.path.clone()).collect();
        let request = OracleRequest {
            source,
            source_key: snapshot.revision.commit.as_str(),
            snapshot,
            package,
            library_root: &library_root(snapshot, package),
            items: &items,
            public_paths: &public_paths(snapshot),
            overflow_checks: true,
            instrument: Some(instrument),
            toolchain: &self.toolchain,
            cache_dir: &self.session.settings.state.join("cache"),
        };
        Oracle::prepare(&self.tools(), &request)
    }

    /// A checked out tree of the port, as the contract calls it.
    pub(crate) fn port_side(&self, root: &Path) -> PortSide {
        let imports = root.join(&self.session.settings.source_root);
        PortSide {
            root: root.to_owned(),
            import_roots: vec![imports],
            python: self.session.interpreter.program().clone(),
            access: interpreter_access(self.session),
            environment: self
                .session
                .settings
                .parity
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}

/// Builds a package of the upstream with marks that log calls, when it is asked to.
#[derive(Debug)]
pub(crate) struct Tracing<'a> {
    oracles: &'a Oracles<'a>,
    snapshot: &'a Snapshot,
    package: &'a Package,
}

impl Tracer for Tracing<'_> {
    fn traced(&self) -> Result<Option<Oracle>, ContractError> {
        let revision = &self.snapshot.revision;
        // A counterexample stands without its cause: whatever is in the way of finding that is no error.
        let Ok(folder) = self.oracles.written_out(revision) else { return Ok(None) };
        let what = format!("tracing {} at {}", self.package.name, revision.label);
        self.oracles.session.machine.listener.tell(Progress::Busy { what });
        let source = folder.path().join(SOURCE);
        match self.oracles.prepare(&source, self.snapshot, self.package, &CallLog)? {
            Prepared::Ready(oracle) => Ok(Some(oracle)),
            Prepared::SourceBlocked { .. } => Ok(None),
        }
    }
}

/// The file that a package's library begins with, from the package's folder.
fn library_root(snapshot: &Snapshot, package: &Package) -> String {
    let library = package.library.as_deref().unwrap_or_default();
    let root = snapshot.items.values().find(|item| item.path.as_str() == library);
    let below = |item: &Item| {
        let file = item.file.strip_prefix(&package.folder)?;
        Some(file.trim_start_matches('/').to_owned())
    };
    root.and_then(below).unwrap_or_else(|| "src/lib.rs".to_owned())
}

/// Counts the blocks of functions, with the upstream crate's instrumentation.
#[derive(Debug)]
struct BlockCounters;

impl Instrument for BlockCounters {
    fn instrument(
        &self,
        source: &str,
        edition: &str,
        items: &[&Item],
        first_id: u32,
    ) -> Option<InstrumentedFile> {
        let spans: Vec<_> = items.iter().map(|item| (item.path.clone(), item.span.clone())).collect();
        let counted = instrument::count_blocks(source, edition, &spans, first_id);
        let blocks = counted.blocks.into_iter().map(|block| (block.id, block.item)).collect();
        Some(InstrumentedFile { text: counted.text, blocks })
    }

    fn runtime(&self, blocks: usize) -> String {
        instrument::runtime_module(blocks)
    }

    fn reset(&self) -> String {
        "::$::__tidelock_coverage::reset();".to_owned()
    }

    fn reached(&self) -> String {
        "::$::__tidelock_coverage::reached().map(|block| block as u32).collect::<Vec<u32>>()".to_owned()
    }
}

/// The Rust toolchain on this machine, and what a confined build may read of it.
pub(super) fn toolchain(session: &Session) -> Result<Toolchain> {
    let home = env::folder("HOME");
    let below_home = |name: &str| home.as_ref().map(|home| home.join(name));
    let cargo_home = env::folder("CARGO_HOME").or_else(|| below_home(".cargo"));
    let rustup_home = env::folder("RUSTUP_HOME").or_else(|| below_home(".rustup"));
    let mut environment: BTreeMap<OsString, OsString> = BTreeMap::new();
    for (name, folder) in [("CARGO_HOME", &cargo_home), ("RUSTUP_HOME", &rustup_home)] {
        if let Some(folder) = folder {
            environment.insert(name.into(), folder.into());
        }
    }
    for name in ["SSL_CERT_FILE", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = inherited(name) {
            environment.insert(name.into(), value);
        }
    }
    let rustc = |argument: &[&str]| -> Result<String> {
        let mut invocation = Invocation::new("rustc", &session.settings.root).args(argument.iter().copied());
        invocation.environment.extend(environment.clone());
        let finished = session.machine.runner.run(&invocation).context(
            "the upstream is built to see what it does, and that takes a Rust toolchain: install one with rustup",
        )?;
        anyhow::ensure!(finished.succeeded(), "`rustc {}` failed: {}", argument.join(" "), finished.tail(5));
        Ok(String::from_utf8_lossy(&finished.stdout).trim().to_owned())
    };
    let version = rustc(&["-vV"])?;
    // The toolchain itself, behind rustup's proxies: they stand in a folder that a build need not read.
    let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?);
    let own = |name: &str| Some(sysroot.join("bin").join(name)).filter(|program| program.is_file());
    let cargo = own("cargo").map_or_else(|| OsString::from("cargo"), PathBuf::into_os_string);
    if let Some(compiler) = own("rustc") {
        environment.insert("RUSTC".into(), compiler.into());
    }
    if let Some(folder) = &cargo_home {
        // Fetched crates will be read from it, also by a Cargo that has never run.
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    }
    let folders = [cargo_home, rustup_home, Some(sysroot)].into_iter().flatten();
    let read: Vec<PathBuf> = folders.filter(|path| path.exists()).collect();
    Ok(Toolchain {
        cargo,
        environment,
        access: Access { read, write: Vec::new() },
        key: ContentHash::of(&version).to_string(),
    })
}

/// What the interpreter itself needs to read, where it is not among the system's own files.
pub(crate) fn interpreter_access(session: &Session) -> Access {
    Access { read: session.interpreter.folders().to_vec(), write: Vec::new() }
}
