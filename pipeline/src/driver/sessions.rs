//! Sessions: the upstream's programs at a revision, built and kept, and both sides run on the cases of the configuration.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use port::confinement::Confinement;
use port::contract::sessions::{
    Program, ProgramRequest, Programs, Session, SessionEvidence, SessionsRequest, check_sessions,
};
use upstream::workspace::{self, DependencyKind, Origin, Package, Target, TargetKind, Workspaces};
use upstream::{ContentHash, Snapshot, TreeId};

use super::check::{Before, Contract};
use super::oracle::{Oracles, SOURCE, blocked};
use super::planning::Current;
use super::{Driver, checkouts, secret};
use crate::gate::{Evidence, waits_with_parked};
use crate::progress::Progress;

/// What is to be run.
pub(crate) struct SessionsQuestion<'a> {
    /// The sessions.
    pub(crate) sessions: &'a [Session],
    /// The tree of the port.
    pub(crate) tree: &'a TreeId,
    /// The upstream that it is to equal.
    pub(crate) upstream: &'a Snapshot,
    /// The state before, where the change itself is told.
    pub(crate) before: Option<Before<'a>>,
    /// What makes the generated cases this attempt's own.
    pub(crate) occasion: String,
}

impl Contract<'_> {
    /// Runs sessions over a tree of the port.
    pub(crate) fn run_sessions(&mut self, question: &SessionsQuestion<'_>) -> Result<Vec<SessionEvidence>> {
        if question.sessions.is_empty() {
            return Ok(Vec::new());
        }
        let sessions = question.sessions;
        let programs = self.oracles.programs(question.upstream, sessions)?;
        let candidate = self.session.port.checkout(question.tree, &checkouts(self.session))?;
        let side = self.oracles.port_side(candidate.path())?;
        let before = match &question.before {
            Some(before) => {
                let programs = self.oracles.programs(before.upstream, sessions)?;
                let checkout = self.session.port.checkout(before.tree, &checkouts(self.session))?;
                let side = self.oracles.port_side(checkout.path())?;
                Some((programs, side, checkout))
            }
            None => None,
        };
        let what = format!("running {}", reports::count(sessions.len() as u64, "session"));
        self.session.machine.listener.tell(Progress::Busy { what });
        let request = SessionsRequest {
            sessions,
            programs: &programs,
            port: &side,
            old: before.as_ref().map(|(programs, side, _)| (programs, side)),
            deciding_seed: &self.pools(&question.occasion).deciding_seed,
            shown_root: &self.session.settings.root,
            cache_dir: &self.session.settings.state.join("cache"),
        };
        Ok(check_sessions(&self.oracles.tools(), &request)?)
    }
}

impl Driver<'_> {
    /// Adds what sessions of a candidate come to, where its change can have reached them. What fails alone before is not
    /// run as a whole.
    pub(super) fn with_sessions(
        &mut self,
        current: &Current,
        tree: &TreeId,
        evidence: &mut Evidence,
        has_parked: bool,
    ) -> Result<()> {
        let sessions = &self.session.settings.sessions;
        if sessions.is_empty() || evidence.disagrees() || evidence.report.source_blocked.is_some() {
            return Ok(());
        }
        // Where nothing else was compared, they are all there is.
        if evidence.agreed() > 0 && !self.may_reach(current, tree)? {
            let note = "no session was run: neither its program nor a file of the port changed".to_owned();
            evidence.report.notes.push(note);
            return Ok(());
        }
        let before = Before { tree: &current.head.tree, upstream: &current.baseline };
        let found = self.contract.run_sessions(&SessionsQuestion {
            sessions,
            tree,
            upstream: &current.snapshot,
            before: Some(before),
            occasion: format!("{} sessions", current.revision.label),
        })?;
        add(evidence, found, has_parked);
        Ok(())
    }

    /// Whether the upstream's programs, or any file of the port but its lock, changed.
    fn may_reach(&self, current: &Current, tree: &TreeId) -> Result<bool> {
        let changed = self.session.changed_files(&current.head.tree, tree)?;
        if changed.iter().any(|file| file != crate::session::LOCK_NAME) {
            return Ok(true);
        }
        let sessions = &self.session.settings.sessions;
        let keys = |snapshot: &Snapshot| -> Result<Vec<Result<String, String>>> {
            let found = self.contract.oracles.workspaces(snapshot)?;
            let key =
                |session: &Session| Ok(source_key(&found, snapshot, package_of(&found, snapshot, session)?));
            Ok(sessions.iter().map(key).collect())
        };
        Ok(keys(&current.baseline)? != keys(&current.snapshot)?)
    }
}

/// Runs sessions for a tree that nobody translated.
pub(crate) fn prove_sessions(
    session: &crate::session::Session,
    confinement: &dyn Confinement,
    question: &SessionsQuestion<'_>,
) -> Result<Vec<SessionEvidence>> {
    if question.sessions.is_empty() {
        return Ok(Vec::new());
    }
    Contract::new(session, confinement, secret())?.run_sessions(question)
}

/// The upstream's programs of sessions at a revision, built or as they were kept.
pub(crate) fn session_programs(
    session: &crate::session::Session,
    confinement: &dyn Confinement,
    upstream: &Snapshot,
    sessions: &[Session],
) -> Result<Programs> {
    if sessions.is_empty() {
        return Ok(Programs::new());
    }
    Oracles::new(session, confinement)?.programs(upstream, sessions)
}

/// Puts what sessions came to beside the rest; where something is parked, what cannot be anything else waits with it.
pub(crate) fn add(evidence: &mut Evidence, found: Vec<SessionEvidence>, has_parked: bool) {
    let waiting = found.iter().filter(|one| has_parked && waits_with_parked(one));
    evidence.waiting.extend(waiting.map(SessionEvidence::name));
    evidence.report.sessions.extend(found);
}

impl Oracles<'_> {
    /// The programs of sessions at a revision.
    fn programs(&self, snapshot: &Snapshot, sessions: &[Session]) -> Result<Programs> {
        let found = self.workspaces(snapshot)?;
        let mut programs = Programs::new();
        for session in sessions {
            let program = match package_of(&found, snapshot, session) {
                Ok(package) => self.program(snapshot, session, (&found, package))?,
                Err(reason) => Err(reason),
            };
            programs.insert(session.name.clone(), program);
        }
        Ok(programs)
    }

    fn workspaces(&self, snapshot: &Snapshot) -> Result<Workspaces> {
        let tree = self.session.mirror.repo().tree(&snapshot.revision.commit)?;
        Ok(workspace::read(&tree, &snapshot.revision)?)
    }

    fn program(
        &self,
        snapshot: &Snapshot,
        session: &Session,
        (found, package): (&Workspaces, &Package),
    ) -> Result<Result<Program, String>> {
        let label = &snapshot.revision.label;
        let toolchain = match self.toolchain_for(snapshot)? {
            Ok(toolchain) => toolchain,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(known) = snapshot.packages.iter().find(|known| known.folder == package.folder) else {
            return Ok(Err(format!("the package `{}` cannot be read at {label}", package.name)));
        };
        let manifest = |package: &upstream::snapshot::Package| self.manifest_of(snapshot, package);
        let build = &self.session.settings.build;
        let profile = match super::features::profile_of(build, &manifest, snapshot, known) {
            Ok(profile) => profile,
            Err(reason) => return Ok(Err(reason)),
        };
        let request = ProgramRequest {
            source: Path::new(""),
            source_key: &source_key(found, snapshot, package),
            folder: &package.folder,
            package: &package.name,
            program: name_of(session, package),
            extension: session.extension.as_ref(),
            has_workspace: package.workspace.is_some(),
            profile: &profile,
            toolchain: &toolchain,
            cache_dir: &self.session.settings.state.join("cache"),
        };
        if let Some(kept) = Program::kept(&request) {
            return Ok(Ok(kept));
        }
        let folder = self.written_out(&snapshot.revision)?;
        let name = request.program;
        let what = format!("building {name} at {label}");
        self.session.machine.listener.tell(Progress::Busy { what });
        let request = ProgramRequest { source: &folder.path().join(SOURCE), ..request };
        let program = Program::prepare(&self.tools(), &request).map_err(|error| blocked(error.into()))?;
        Ok(program.map_err(|reason| format!("`{name}` does not build at {label}: {reason}")))
    }
}

/// What Cargo calls that which a session runs.
fn name_of<'a>(session: &'a Session, package: &'a Package) -> &'a str {
    let library = || package.targets.iter().find(|target| is_extension(target));
    match &session.extension {
        Some(_) => library().map_or(session.program.as_str(), |target| target.name.as_str()),
        None => &session.program,
    }
}

/// Whether a target is a library that Python can load.
fn is_extension(target: &Target) -> bool {
    target.kind == TargetKind::Library
        && target.present
        && target.crate_types.iter().any(|kind| kind == "cdylib")
}

/// The package whose library is the Python module of a session; the reason where there is none, or more than one.
fn extension_of<'w>(
    found: &'w Workspaces,
    snapshot: &Snapshot,
    session: &Session,
) -> Result<&'w Package, String> {
    let label = &snapshot.revision.label;
    let is_meant = |package: &&Package| session.package.as_ref().is_none_or(|name| *name == package.name);
    let having: Vec<&Package> = found
        .packages
        .iter()
        .filter(is_meant)
        .filter(|package| package.targets.iter().any(is_extension))
        .collect();
    match having.as_slice() {
        [package] => Ok(package),
        [] => Err(format!("no library of the upstream at {label} is a `cdylib`, which Python could import")),
        several => {
            let names: Vec<_> = several.iter().map(|package| format!("`{}`", package.name)).collect();
            let names = names.join(", ");
            Err(format!(
                "several libraries are a `cdylib` at {label}: name one of {names} as `package` in `[[session]]`"
            ))
        }
    }
}

/// The package that has a session's program; the reason where there is none, or more than one.
fn package_of<'w>(
    found: &'w Workspaces,
    snapshot: &Snapshot,
    session: &Session,
) -> Result<&'w Package, String> {
    if session.extension.is_some() {
        return extension_of(found, snapshot, session);
    }
    let label = &snapshot.revision.label;
    let is_meant = |package: &&Package| session.package.as_ref().is_none_or(|name| *name == package.name);
    let programs = |package: &'w Package| {
        package.targets.iter().filter(|target| target.kind == TargetKind::Binary && target.present)
    };
    let having: Vec<&Package> = found
        .packages
        .iter()
        .filter(is_meant)
        .filter(|package| programs(package).any(|target| target.name == session.program))
        .collect();
    match having.as_slice() {
        [package] => Ok(package),
        [] => {
            let all: BTreeSet<&str> = found
                .packages
                .iter()
                .filter(is_meant)
                .flat_map(|package| programs(package).map(|target| target.name.as_str()))
                .collect();
            let all: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
            let there =
                if all.is_empty() { "it has none".to_owned() } else { format!("it has {}", all.join(", ")) };
            let of = session.package.as_ref().map(|name| format!(" of `{name}`")).unwrap_or_default();
            Err(format!(
                "there is no program `{}`{of} at {label} ({there}): name one as `program` in `[[session]]`",
                session.program
            ))
        }
        several => {
            let names: Vec<_> = several.iter().map(|package| format!("`{}`", package.name)).collect();
            Err(format!(
                "several packages have a program `{}` at {label}: name one of {} as `package` in `[[session]]`",
                session.program,
                names.join(", ")
            ))
        }
    }
}

/// What tells the sources of a program from others: all files but those of packages that it does not depend on.
fn source_key(found: &Workspaces, snapshot: &Snapshot, package: &Package) -> String {
    let mut needed = BTreeSet::from([package.folder.as_str()]);
    let mut open = vec![package];
    while let Some(package) = open.pop() {
        for dependency in package.dependencies.iter().filter(|it| it.kind != DependencyKind::Dev) {
            let Origin::Path { folder: Some(folder) } = &dependency.origin else { continue };
            if needed.insert(folder)
                && let Some(package) = found.packages.iter().find(|it| it.folder == *folder)
            {
                open.push(package);
            }
        }
    }
    let holds = |folder: &str, file: &str| {
        folder.is_empty() || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    };
    let is_needed = |file: &str| {
        // Manifests say what is built with what, whoever they are of.
        let is_manifest = file.ends_with("Cargo.toml") || file.ends_with("Cargo.lock");
        let owner = found.packages.iter().map(|it| it.folder.as_str()).filter(|folder| holds(folder, file));
        is_manifest || owner.max_by_key(|folder| folder.len()).is_none_or(|folder| needed.contains(folder))
    };
    let files = snapshot.files.iter().filter(|(file, _)| is_needed(file));
    ContentHash::of_parts(files.flat_map(|(file, id)| [file, id])).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use port::contract::sessions::Relation;
    use upstream::tree::MemoryTree;
    use upstream::{CommitId, Revision, RevisionLabel, snapshot};

    use super::*;

    fn revision() -> Revision {
        Revision {
            label: RevisionLabel::new("1").unwrap(),
            commit: CommitId::new("0123456789abcdef0123456789abcdef01234567").unwrap(),
            summary: String::new(),
            published_s: None,
            withdrawn: false,
        }
    }

    /// A workspace of a program, what it depends on, and what neither knows; with one file as given.
    fn read(file: &str, text: &str) -> (Workspaces, Snapshot) {
        let package = |name: &str, rest: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}")
        };
        let mut files = BTreeMap::from([
            ("Cargo.toml", "[workspace]\nmembers = [\"tool\", \"base\", \"other\"]\n".to_owned()),
            ("tool/Cargo.toml", package("tool", "[dependencies]\nbase = { path = \"../base\" }\n")),
            ("tool/src/main.rs", "fn main() {}".to_owned()),
            ("base/Cargo.toml", package("base", "")),
            ("base/src/lib.rs", String::new()),
            ("other/Cargo.toml", package("other", "")),
            ("other/src/lib.rs", String::new()),
            ("other/src/bin/side.rs", "fn main() {}".to_owned()),
        ]);
        files.insert(file, text.to_owned());
        let tree: MemoryTree = files.into_iter().collect();
        (workspace::read(&tree, &revision()).unwrap(), snapshot::read(&tree, &revision()).unwrap())
    }

    fn session(program: &str, package: Option<&str>) -> Session {
        Session {
            name: "s".to_owned(),
            package: package.map(str::to_owned),
            program: program.to_owned(),
            extension: None,
            command: Vec::new(),
            environment: BTreeMap::new(),
            relation: Relation::default(),
            timeout_ms: 1,
            generated: 0,
            cases: Vec::new(),
        }
    }

    #[test]
    fn only_what_a_program_depends_on_makes_it_another_one() {
        let key = |file: &str, text: &str| {
            let (found, snapshot) = read(file, text);
            source_key(&found, &snapshot, package_of(&found, &snapshot, &session("tool", None)).unwrap())
        };
        let plain = key("base/src/lib.rs", "");
        assert_eq!(key("other/src/lib.rs", "fn f() {}"), plain);
        for file in ["base/src/lib.rs", "tool/src/main.rs", "build/shared.rs", "Cargo.lock"] {
            assert_ne!(key(file, "fn main() { }"), plain, "{file}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_or_there_twice_is_told_with_what_there_is() {
        let (found, snapshot) = read("base/src/bin/side.rs", "fn main() {}");
        let refused =
            |program, package| package_of(&found, &snapshot, &session(program, package)).unwrap_err();
        let absent = refused("gone", None);
        assert!(absent.contains("no program `gone` at 1 (it has `side`, `tool`)"), "{absent}");
        assert!(refused("tool", Some("base")).contains("of `base` at 1 (it has `side`)"));
        assert!(refused("side", None).contains("`base`, `other` as `package`"));
        assert_eq!(package_of(&found, &snapshot, &session("side", Some("other"))).unwrap().name, "other");
    }
}
