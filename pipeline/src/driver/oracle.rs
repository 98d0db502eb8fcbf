//! The upstream at a revision as an oracle: exported, built once per package, kept by content.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use port::confinement::Confinement;
use port::contract::{
    BlockCounters, CallLog, ContractError, Instrument, Oracle, OracleRequest, PortSide, Prepared, Recorded,
    Toolchain, Tools, Tracer, public_paths, record_calls, recorded_before,
};
use port::held::HeldFolder;
use upstream::harvest::HarvestedCall;
use upstream::snapshot::Package;
use upstream::{Item, ItemPath, Revision, RevisionLabel, Snapshot, harvest};

use super::features::profile_of;
use super::obstacle::Obstacle;
use super::toolchain::{toolchain, toolchain_named, wanted};
use crate::progress::Progress;
use crate::provisioned::interpreter_access;
use crate::session::Session;

/// The longest a single probe may take, in milliseconds.
pub(super) const PROBE_TIMEOUT_MS: u64 = 5_000;
/// Where an upstream's tree is written out, in a folder of its own.
pub(super) const SOURCE: &str = "source";

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
    pub(super) session: &'a Session,
    confinement: &'a dyn Confinement,
    /// The default one here.
    host: Arc<Toolchain>,
    /// Those that upstreams name, or why they are not here.
    named: RefCell<BTreeMap<String, Result<Arc<Toolchain>, String>>>,
    made: BTreeMap<RevisionLabel, Arc<Upstream>>,
    recorded: BTreeMap<RevisionLabel, Arc<BTreeMap<String, Recorded>>>,
}

impl<'a> Oracles<'a> {
    pub(crate) fn new(session: &'a Session, confinement: &'a dyn Confinement) -> Result<Self> {
        let host = Arc::new(toolchain(session)?);
        Ok(Self {
            session,
            confinement,
            host,
            named: RefCell::default(),
            made: BTreeMap::new(),
            recorded: BTreeMap::new(),
        })
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
                let made = self.prepare(&source, snapshot, package, &BlockCounters).map_err(blocked)?;
                self.tell_uncounted(&made, package, revision);
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
    pub(super) fn written_out(&self, revision: &Revision) -> Result<HeldFolder> {
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

    /// Where the counters do not build, nobody knows what probes reach: that is told at once, and in reports.
    fn tell_uncounted(&self, made: &Prepared, package: &Package, revision: &Revision) {
        let Prepared::Ready(oracle) = made else { return };
        if let Some(reason) = oracle.uncounted() {
            let reason = reason.lines().next().unwrap_or_default();
            let text = format!(
                "{} at {} was built without counters, which do not compile: {reason}",
                package.name, revision.label
            );
            self.session.machine.listener.tell(Progress::Notice { code: "not-counted", text });
        }
    }

    /// The toolchain for an upstream; the reason where it is not here.
    pub(super) fn toolchain_for(&self, snapshot: &Snapshot) -> Result<Result<Arc<Toolchain>, String>> {
        let name = match wanted(self.session, snapshot) {
            Ok(Some(name)) => name,
            Ok(None) => return Ok(Ok(Arc::clone(&self.host))),
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some(known) = self.named.borrow().get(&name) {
            return Ok(known.clone());
        }
        let found = toolchain_named(self.session, &name)?.map(Arc::new);
        self.named.borrow_mut().insert(name, found.clone());
        Ok(found)
    }

    /// The calls that the upstream's own tests make at a revision, by library; none where that is not wanted.
    pub(crate) fn recorded(&mut self, snapshot: &Snapshot) -> Result<Arc<BTreeMap<String, Recorded>>> {
        let label = &snapshot.revision.label;
        if let Some(recorded) = self.recorded.get(label) {
            return Ok(Arc::clone(recorded));
        }
        let mut recorded = BTreeMap::new();
        if self.session.settings.record_calls {
            for package in &snapshot.packages {
                if let Some(library) = &package.library {
                    recorded.insert(library.clone(), self.recorded_of(snapshot, package)?);
                }
            }
        }
        let recorded = Arc::new(recorded);
        self.recorded.insert(label.clone(), Arc::clone(&recorded));
        Ok(recorded)
    }

    /// What was recorded before; nothing is built or run for it.
    pub(crate) fn recorded_before(&self, snapshot: &Snapshot) -> Result<BTreeMap<String, Recorded>> {
        let mut found = BTreeMap::new();
        for package in &snapshot.packages {
            let ask = |request: &OracleRequest<'_>| Ok(recorded_before(request));
            let kept = self.requested(Path::new(""), snapshot, package, None, ask)?;
            if let (Ok(Some(kept)), Some(library)) = (kept, &package.library) {
                found.insert(library.clone(), kept);
            }
        }
        Ok(found)
    }

    fn recorded_of(&self, snapshot: &Snapshot, package: &Package) -> Result<Recorded> {
        // What is kept is found without the sources.
        let nowhere = Path::new("");
        let kept =
            self.requested(nowhere, snapshot, package, None, |request| Ok(recorded_before(request)))?;
        if let Ok(Some(kept)) = kept {
            return Ok(kept);
        }
        let label = &snapshot.revision.label;
        let folder = self.written_out(&snapshot.revision)?;
        let what = format!("recording what the tests of {} call at {label}", package.name);
        self.session.machine.listener.tell(Progress::Busy { what });
        let source = folder.path().join(SOURCE);
        let made = self.requested(&source, snapshot, package, None, |request| {
            Ok(record_calls(&self.tools(), request)?)
        })?;
        // What keeps the upstream from being built is said where it is asked.
        let Ok(recorded) = made else { return Ok(Recorded::default()) };
        for note in &recorded.notes {
            let note = note.lines().next().unwrap_or_default();
            let text = format!("calls of {}'s tests at {label}: {note}", package.name);
            self.session.machine.listener.tell(Progress::Notice { code: "not-recorded", text });
        }
        Ok(recorded)
    }

    fn prepare(
        &self,
        source: &Path,
        snapshot: &Snapshot,
        package: &Package,
        instrument: &dyn Instrument,
    ) -> Result<Prepared> {
        let prepared = self.requested(source, snapshot, package, Some(instrument), |request| {
            Ok(Oracle::prepare(&self.tools(), request)?)
        })?;
        Ok(prepared.unwrap_or_else(|reason| Prepared::SourceBlocked { reason }))
    }

    /// Asks for something of a package as it is built here; the reason where it cannot be built like that.
    fn requested<Value>(
        &self,
        source: &Path,
        snapshot: &Snapshot,
        package: &Package,
        instrument: Option<&dyn Instrument>,
        ask: impl FnOnce(&OracleRequest<'_>) -> Result<Value>,
    ) -> Result<Result<Value, String>> {
        let toolchain = match self.toolchain_for(snapshot)? {
            Ok(toolchain) => toolchain,
            Err(reason) => return Ok(Err(reason)),
        };
        let manifest = |package: &Package| self.manifest_of(snapshot, package);
        let profile = match profile_of(&self.session.settings.build, &manifest, snapshot, package) {
            Ok(profile) => profile,
            Err(reason) => return Ok(Err(reason)),
        };
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
            profile: &profile,
            instrument,
            toolchain: &toolchain,
            cache_dir: &self.session.settings.state.join("cache"),
        };
        ask(&request).map(Ok)
    }

    /// The text of a package's manifest; empty where it cannot be read: the build will say so.
    pub(super) fn manifest_of(&self, snapshot: &Snapshot, package: &Package) -> String {
        let folder = if package.folder.is_empty() { String::new() } else { format!("{}/", package.folder) };
        let text = self.session.file_at(&snapshot.revision.label, &format!("{folder}Cargo.toml"));
        text.map(|text| text.to_string()).unwrap_or_default()
    }

    /// A checked out tree of the port, as the contract calls it.
    pub(crate) fn port_side(&self, root: &Path) -> Result<PortSide> {
        let python = self.session.python_for(root)?;
        let imports = root.join(&self.session.settings.source_root);
        Ok(PortSide {
            root: root.to_owned(),
            import_roots: vec![imports],
            python: python.program().clone(),
            access: interpreter_access(&python),
            environment: self
                .session
                .settings
                .parity
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        })
    }
}

/// What the upstream's build needs from outside could not be had: that is neither pass nor fail.
pub(super) fn blocked(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<ContractError>() {
        Some(ContractError::Provisioning { reason }) => {
            let hint = "where its dependencies are missing: run it once with the network, then run the same command again";
            Obstacle::blocked("the upstream's build", reason, hint).into()
        }
        Some(
            ContractError::Confinement(_)
            | ContractError::Process(_)
            | ContractError::Scratch(_)
            | ContractError::Io { .. }
            | ContractError::Driver { .. }
            | ContractError::Interrupted,
        )
        | None => error,
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
    fn traced(&self) -> Result<Prepared, ContractError> {
        let revision = &self.snapshot.revision;
        // A counterexample stands without its cause: whatever is in the way of finding that is told, and no error.
        let folder = match self.oracles.written_out(revision) {
            Ok(folder) => folder,
            Err(error) => return Ok(Prepared::SourceBlocked { reason: format!("{error:#}") }),
        };
        let what = format!("tracing {} at {}", self.package.name, revision.label);
        self.oracles.session.machine.listener.tell(Progress::Busy { what });
        let source = folder.path().join(SOURCE);
        match self.oracles.prepare(&source, self.snapshot, self.package, &CallLog) {
            Ok(prepared) => Ok(prepared),
            Err(error) => match error.downcast::<ContractError>() {
                Ok(error) => Err(error),
                Err(other) => Ok(Prepared::SourceBlocked { reason: format!("{other:#}") }),
            },
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
