//! Builds an oracle's driver: a scratch copy of the upstream, a package around it, rounds of the compiler.
//!
//! Main type: [`Build`]. Foreign code runs behind the confinement only: fetching runs none of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use upstream::process::{Ending, Finished, Invocation, Limits};
use upstream::{Item, ItemPath};

use super::ContractError;
use super::cause::why;
use super::conversation::Tools;
use super::diagnostics::errors;
use super::locked::drifted;
use super::oracle::{Instrument, OracleRequest};
use super::probeable::ProbePlan;
use super::rust_driver::{self, Counted};
use super::scratch::{copy_package, has_dependencies};
use crate::held::HeldFolder;

/// How often functions that do not compile are left out before the build is given up.
const BUILD_ROUNDS_MAX: usize = 6;
/// How often functions whose marks do not compile are left unmarked before no function is marked.
pub(super) const MARKING_ROUNDS_MAX: usize = 4;
/// The longest that fetching dependencies may take, in milliseconds.
pub(super) const FETCH_TIMEOUT_MS: u64 = 15 * 60 * 1000;
/// How many of Cargo's last lines are told where it cannot fetch.
const FETCH_LINES: usize = 20;

/// The upstream's copy, in the scratch folder.
pub(super) const UPSTREAM: &str = "upstream";
/// Where the build's temporary files go, there.
pub(super) const TEMPORARY: &str = "tmp";

/// What a build came to, as it is kept.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub blocked: Option<String>,
    /// Functions whose calls do not compile, with the compiler's complaint.
    pub excluded: BTreeMap<usize, String>,
    /// The coverage counters, with the items that they are in.
    pub blocks: Vec<(u32, ItemPath)>,
    /// Why it was built without counters or marks, where it was.
    pub uncounted: Option<String>,
    /// Items whose marks the compiler complained of; not kept.
    pub complained: BTreeSet<ItemPath>,
}

impl Built {
    pub(super) fn to_json(&self) -> Json {
        let excluded: Vec<_> = self.excluded.iter().map(|(at, reason)| json!([at, reason])).collect();
        json!({ "blocked": self.blocked, "excluded": excluded, "blocks": self.blocks, "uncounted": self.uncounted })
    }
}

pub(super) fn read_record(file: &Path) -> Option<Built> {
    let json: Json = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    let blocked = serde_json::from_value(json.get("blocked")?.clone()).ok()?;
    let excluded: Vec<(usize, String)> = serde_json::from_value(json.get("excluded")?.clone()).ok()?;
    let blocks = serde_json::from_value(json.get("blocks")?.clone()).ok()?;
    let uncounted = serde_json::from_value(json.get("uncounted")?.clone()).ok()?;
    let is_there = file.with_file_name("driver").is_file();
    let excluded = excluded.into_iter().collect();
    let built = Built { blocked, excluded, blocks, uncounted, complained: BTreeSet::new() };
    // A failed build is tried again: the cause may have been outside the source.
    (is_there && built.blocked.is_none()).then_some(built)
}

/// One build.
pub(super) struct Build<'a> {
    pub tools: &'a Tools<'a>,
    pub request: &'a OracleRequest<'a>,
    pub plan: &'a ProbePlan,
    /// The driver's package and program: builds that share a target folder must not share a program.
    pub name: String,
}

impl Build<'_> {
    pub(super) fn run(&self, folder: &Path) -> Result<Built, ContractError> {
        let cache = self.request.cache_dir;
        let io = |source| ContractError::Io { path: cache.to_path_buf(), source };
        let target = cache.join("target");
        std::fs::create_dir_all(&target).map_err(io)?;
        std::fs::create_dir_all(folder).map_err(io)?;
        let mut unmarked = BTreeSet::new();
        let mut built = self.attempt(&target, self.request.instrument, &unmarked)?;
        // Marks may not fit some functions: these are left as they are. Foreign code has had the first copy in its
        // hands, so each attempt begins with another.
        for _ in 0..MARKING_ROUNDS_MAX {
            let before = unmarked.len();
            unmarked.append(&mut built.complained);
            if built.blocked.is_none() || unmarked.len() == before {
                break;
            }
            built = self.attempt(&target, self.request.instrument, &unmarked)?;
        }
        let built = match built {
            // The marks may be what does not compile: without them the contract still holds.
            Built { blocked: Some(reason), blocks, .. } if !blocks.is_empty() => {
                Built { uncounted: Some(reason), ..self.attempt(&target, None, &unmarked)? }
            }
            built => built,
        };
        if built.blocked.is_none() {
            // Moved rather than copied: a program that was just open for writing cannot always be started.
            std::fs::rename(target.join("debug").join(&self.name), folder.join("driver")).map_err(io)?;
        }
        Ok(built)
    }

    /// Builds from a scratch copy of its own. Once foreign code has run, nothing is written any more to what it
    /// could write to: it may have put a link there that leads elsewhere.
    fn attempt(
        &self,
        target: &Path,
        instrument: Option<&dyn Instrument>,
        unmarked: &BTreeSet<ItemPath>,
    ) -> Result<Built, ContractError> {
        let cache = self.request.cache_dir;
        let io = |source| ContractError::Io { path: cache.to_path_buf(), source };
        let scratch = HeldFolder::make_in(cache, "build").map_err(io)?;
        // Where a crate names no workspace, Cargo looks for one in every folder above, which a confined one may not
        // read, and which is none of the upstream's anyway. It looks no further than here.
        std::fs::write(scratch.path().join("Cargo.toml"), "[workspace]\n").map_err(io)?;
        std::fs::create_dir(scratch.path().join(TEMPORARY)).map_err(io)?;
        let upstream = scratch.path().join(UPSTREAM);
        copy_package(self.request.source, &upstream, &self.request.package.folder)?;
        let blocks = self.instrumented(&upstream, instrument, unmarked)?;
        let driver = scratch.path().join("driver");
        self.write_manifest(&driver, &upstream)?;
        if let Some(reason) = self.provision(&driver, &upstream)? {
            return Err(ContractError::Provisioning { reason });
        }
        if let Some(reason) = self.unlocked(&driver, &upstream) {
            return Ok(Built { blocked: Some(reason), ..Built::default() });
        }
        self.rounds(scratch.path(), target, (blocks, instrument))
    }

    /// Puts counters into the files that hold the items.
    pub(super) fn instrumented(
        &self,
        upstream: &Path,
        instrument: Option<&dyn Instrument>,
        unmarked: &BTreeSet<ItemPath>,
    ) -> Result<Vec<(u32, ItemPath)>, ContractError> {
        let Some(instrument) = instrument else { return Ok(Vec::new()) };
        let mut by_file: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
        // Also those that cannot be called alone: calls of others run through them.
        let paths: BTreeSet<_> = self.request.items.iter().filter(|item| !unmarked.contains(*item)).collect();
        for item in paths.iter().filter_map(|path| self.request.snapshot.items.get(*path)) {
            by_file.entry(&item.file).or_default().push(item);
        }
        let mut blocks = Vec::new();
        for (file, items) in by_file {
            let path = upstream.join(file);
            let Ok(source) = std::fs::read_to_string(&path) else { continue };
            let first = u32::try_from(blocks.len()).unwrap_or(u32::MAX);
            let Some(counted) = instrument.instrument(&source, &self.request.package.edition, &items, first)
            else {
                continue;
            };
            std::fs::write(&path, counted.text).map_err(|source| ContractError::Io { path, source })?;
            blocks.extend(counted.blocks);
        }
        if !blocks.is_empty() {
            let root = upstream.join(&self.request.package.folder).join(self.request.library_root);
            let io = |source| ContractError::Io { path: root.clone(), source };
            let text = std::fs::read_to_string(&root).map_err(io)?;
            std::fs::write(&root, format!("{text}\n{}", instrument.runtime(blocks.len()))).map_err(io)?;
        }
        Ok(blocks)
    }

    fn write_manifest(&self, driver: &Path, upstream: &Path) -> Result<(), ContractError> {
        let package = self.request.package;
        let path = upstream.join(&package.folder);
        let profile = self.request.profile;
        let checks = profile.overflow_checks;
        let manifest = json!({
            "package": { "name": self.name, "version": "0.0.0", "edition": "2021", "publish": false },
            "workspace": {},
            "dependencies": { package.name.clone(): {
                "path": path,
                "features": profile.features,
                "default-features": profile.default_features,
            } },
            "profile": { "dev": { "debug": false, "overflow-checks": checks, "debug-assertions": checks, "panic": "unwind" } },
        });
        let io = |source| ContractError::Io { path: driver.to_path_buf(), source };
        let text = toml::to_string(&manifest).map_err(|error| io(std::io::Error::other(error)))?;
        std::fs::create_dir_all(driver.join("src")).map_err(io)?;
        std::fs::write(driver.join("Cargo.toml"), text).map_err(io)?;
        std::fs::write(driver.join("src").join("main.rs"), "fn main() {}\n").map_err(io)?;
        // Versions that the upstream was tested with, where it says which.
        if let Some(locked) = self.lock_file(upstream) {
            std::fs::copy(locked, driver.join("Cargo.lock")).map_err(io)?;
        }
        Ok(())
    }

    /// The lock file that says which versions the upstream was tested with.
    fn lock_file(&self, upstream: &Path) -> Option<PathBuf> {
        let folders = [upstream.join(&self.request.package.folder), upstream.to_owned()];
        folders.into_iter().map(|folder| folder.join("Cargo.lock")).find(|file| file.is_file())
    }

    /// Why this is not the build that the upstream's lock file describes, where it has to be.
    fn unlocked(&self, driver: &Path, upstream: &Path) -> Option<String> {
        let locked = self.lock_file(upstream).filter(|_| self.request.profile.locked)?;
        let text = |file: &Path| std::fs::read_to_string(file).unwrap_or_default();
        let other = drifted(&text(&locked), &text(&driver.join("Cargo.lock")))?;
        Some(format!(
            "the upstream's Cargo.lock: {other}; `locked = false` in `[upstream.build]` builds it with versions of today"
        ))
    }

    /// Fetches what the upstream depends on, with the network and without running foreign code.
    fn provision(&self, driver: &Path, upstream: &Path) -> Result<Option<String>, ContractError> {
        let manifest = upstream.join(&self.request.package.folder).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap_or_default();
        // What is here already needs no network. This also writes `Cargo.lock`, which the build may not.
        let offline = self.tools.runner.run(&self.cargo(driver, &["fetch", "--offline"]))?;
        self.uninterrupted(&offline)?;
        if offline.succeeded() {
            return Ok(None);
        }
        if !has_dependencies(&text) {
            return Ok(Some(offline.tail(FETCH_LINES)));
        }
        let finished = self.tools.runner.run(&self.cargo(driver, &["fetch"]))?;
        self.uninterrupted(&finished)?;
        Ok((!finished.succeeded()).then(|| finished.tail(FETCH_LINES)))
    }

    /// Cargo on the driver. It reads the configuration of every folder above the one that it runs in, and a
    /// confined one fails at the first that it may not read: it runs at the root, where there is none.
    fn cargo(&self, driver: &Path, arguments: &[&str]) -> Invocation {
        let toolchain = self.request.toolchain;
        let mut invocation = Invocation::new(&toolchain.cargo, "/")
            .args(arguments.iter().copied())
            .args(["--manifest-path".into(), driver.join("Cargo.toml").into_os_string()]);
        invocation.environment.extend(toolchain.environment.clone());
        invocation.limits(Limits { timeout_ms: FETCH_TIMEOUT_MS, ..Limits::default() })
    }

    pub(super) fn uninterrupted(&self, finished: &Finished) -> Result<(), ContractError> {
        match finished.ending {
            Ending::Interrupted => Err(ContractError::Interrupted),
            Ending::TimedOut
            | Ending::Silent
            | Ending::TooMuchOutput
            | Ending::TooMuchDisk
            | Ending::DiskFull => Err(ContractError::Provisioning {
                reason: format!("{} ended: {:?}", self.request.package.name, finished.ending),
            }),
            Ending::Exited(_) | Ending::Signalled(_) => Ok(()),
        }
    }

    /// Builds; calls that do not compile are left out, and it builds again.
    fn rounds(
        &self,
        scratch: &Path,
        target: &Path,
        (blocks, instrument): (Vec<(u32, ItemPath)>, Option<&dyn Instrument>),
    ) -> Result<Built, ContractError> {
        let mut excluded: BTreeMap<usize, String> = BTreeMap::new();
        let package = self.request.package;
        let library = package.library.clone().unwrap_or_else(|| package.name.replace('-', "_"));
        let counted = instrument.filter(|_| !blocks.is_empty()).map(|instrument| {
            let named = |code: String| code.replace('$', &library);
            Counted {
                reached: named(instrument.reached()),
                reset: named(instrument.reset()),
                traced: instrument.calls().map(named),
            }
        });
        let mut last = String::new();
        for round in 0..BUILD_ROUNDS_MAX {
            if round + 2 == BUILD_ROUNDS_MAX {
                // Single calls matter more than sequences of them.
                for (at, reason) in self.all_sequences() {
                    excluded.entry(at).or_insert(reason);
                }
            }
            let source =
                rust_driver::source(self.plan, &excluded.keys().copied().collect(), counted.as_ref());
            let main = scratch.join("driver").join("src").join("main.rs");
            std::fs::write(&main, &source.text).map_err(|source| ContractError::Io { path: main, source })?;
            let finished = self.compile(scratch, target)?;
            if finished.succeeded() {
                return Ok(Built { excluded, blocks, ..Built::default() });
            }
            if let Some(bound) = self.reached(&finished) {
                // Whatever did this would do it again: it is not tried without the counters.
                return Ok(Built { blocked: Some(bound), ..Built::default() });
            }
            last = why(&finished);
            let marked = self.complained(&finished, &blocks);
            if !marked.is_empty() {
                return Ok(Built { blocked: Some(last), blocks, complained: marked, ..Built::default() });
            }
            let complaints = complaints(&finished, &source.lines);
            if complaints.is_empty() {
                break;
            }
            excluded.extend(complaints);
        }
        Ok(Built { blocked: Some(last), blocks, ..Built::default() })
    }

    /// Every sequence, with why it is left out.
    fn all_sequences(&self) -> impl Iterator<Item = (usize, String)> {
        let first = self.plan.functions.len();
        let reason = "too much of the driver did not compile to call anything in sequence";
        (first..first + self.plan.sequences.len()).map(|at| (at, reason.to_owned()))
    }

    /// The marked functions in whose lines the compiler complains: `/…/upstream/src/lib.rs:12:5: error[E0382]: …`.
    pub(super) fn complained(&self, finished: &Finished, marked: &[(u32, ItemPath)]) -> BTreeSet<ItemPath> {
        let text = String::from_utf8_lossy(&finished.stderr);
        let items: BTreeSet<&ItemPath> = marked.iter().map(|(_, item)| item).collect();
        let items = items.into_iter().filter_map(|path| self.request.snapshot.items.get(path));
        let items: Vec<&Item> = items.collect();
        let place = |line: &str| {
            let (place, _) = line.split_once(": error")?;
            let (file, numbers) = place.split_once(".rs:")?;
            Some((format!("{file}.rs"), numbers.split(':').next()?.parse::<u32>().ok()?))
        };
        let mut found = BTreeSet::new();
        for (file, line) in text.lines().filter_map(place) {
            let here = items.iter().filter(|item| {
                let ending = format!("{UPSTREAM}/{}", item.file);
                let lines = u32::try_from(item.text.lines().count()).unwrap_or(u32::MAX);
                file.ends_with(&ending) && item.line <= line && line <= item.line.saturating_add(lines)
            });
            found.extend(here.max_by_key(|item| item.line).map(|item| item.path.clone()));
        }
        found
    }

    fn compile(&self, scratch: &Path, target: &Path) -> Result<Finished, ContractError> {
        let (driver, temporary) = (scratch.join("driver"), scratch.join(TEMPORARY));
        let invocation = self
            .cargo(&driver, &["build", "--offline", "--message-format", "json-diagnostic-short"])
            .env("CARGO_TARGET_DIR", target)
            .env("TMPDIR", &temporary)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("RUSTFLAGS", "--cap-lints=warn");
        let limits = Limits { timeout_ms: self.tools.build_timeout_ms, ..invocation.limits };
        let invocation = invocation.limits(limits);
        let mut access = self.request.toolchain.access.clone();
        access.read.extend([driver, scratch.join("Cargo.toml")]);
        // Some build scripts write beside their sources.
        access.write.extend([scratch.join(UPSTREAM), temporary, target.to_path_buf()]);
        let invocation = self.tools.confinement.confine(invocation, &access)?;
        let mut finished = self.tools.runner.run(&invocation)?;
        if finished.ending == Ending::Interrupted {
            return Err(ContractError::Interrupted);
        }
        // Cargo's own words and then the compiler's, as people see them.
        finished.stderr.extend_from_slice(errors(&finished.stdout).as_bytes());
        Ok(finished)
    }

    /// The bound that a build ran into, in words, where it did.
    fn reached(&self, finished: &Finished) -> Option<String> {
        let seconds = self.tools.build_timeout_ms / 1000;
        let bound = match finished.ending {
            Ending::TimedOut | Ending::Silent => format!("it ran longer than {seconds} s"),
            Ending::TooMuchOutput => "it printed without end".to_owned(),
            Ending::TooMuchDisk => "it wrote more to the disk than it may".to_owned(),
            Ending::DiskFull => "no space left on device, which it filled".to_owned(),
            Ending::Exited(_) | Ending::Signalled(_) | Ending::Interrupted => return None,
        };
        Some(format!("the build of `{}` was ended: {bound}", self.request.package.name))
    }
}

/// How the names of all drivers' programs begin.
pub(super) const DRIVER_NAME: &str = "tidelock-oracle";

/// The functions on whose lines the compiler complains: `src/main.rs:12:5: error[E0277]: ...`.
fn complaints(finished: &Finished, lines: &[(usize, Vec<usize>)]) -> BTreeMap<usize, String> {
    let text = String::from_utf8_lossy(&finished.stderr);
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("src/main.rs:") else { continue };
        let Some((place, complaint)) = rest.split_once(": error") else { continue };
        let Some(at) = place.split(':').next().and_then(|number| number.parse::<usize>().ok()) else {
            continue;
        };
        let piece = lines.iter().rev().find(|(first, _)| *first <= at);
        for function in piece.into_iter().flat_map(|(_, functions)| functions) {
            let complaint: String = complaint.chars().take(300).collect();
            found.entry(*function).or_insert_with(|| format!("its call does not compile: error{complaint}"));
        }
    }
    found
}
