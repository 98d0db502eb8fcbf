//! A program of the upstream, or its library as a Python module, built from a scratch copy of its sources and kept by content.
//!
//! Main type: [`Program`]. It is the upstream's own package that is built, with its own manifests and its own lock file;
//! fetching runs no foreign code, and the build runs behind the confinement.

use std::path::{Path, PathBuf};

use upstream::ContentHash;
use upstream::process::{Ending, Finished, Invocation, Limits};

use super::super::ContractError;
use super::super::build::{FETCH_TIMEOUT_MS, TEMPORARY, UPSTREAM};
use super::super::cause::why;
use super::super::conversation::Tools;
use super::super::diagnostics::errors;
use super::super::locked::drifted;
use super::super::oracle::{BuildProfile, Toolchain};
use super::super::scratch::{ScratchError, copy_tree, program_manifest};
use super::declared::Extension;
use crate::held::HeldFolder;

/// Part of every key: raise it where what is built changes.
const KEPT_VERSION: &str = "2";
/// How many of Cargo's last lines are told where it cannot fetch.
const FETCH_LINES: usize = 20;
/// What several processes that build here wait for: Cargo's own lock ends before the program is taken away.
const LOCK: &str = "tidelock-program.lock";

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub struct ProgramRequest<'a> {
    /// The upstream's tree at the revision, exported into a folder; it is read only.
    pub source: &'a Path,
    /// What tells this tree from another, as far as the program is concerned.
    pub source_key: &'a str,
    /// The folder of the program's package; empty for the root.
    pub folder: &'a str,
    /// The package's name.
    pub package: &'a str,
    /// The program's name; that of the library where it is a Python module.
    pub program: &'a str,
    /// The Python module that the library is, where that is wanted and no program.
    pub extension: Option<&'a Extension>,
    /// Whether a workspace of the upstream has the package.
    pub has_workspace: bool,
    /// How it is built.
    pub profile: &'a BuildProfile,
    /// What to build with.
    pub toolchain: &'a Toolchain,
    /// Where to keep what can be made again.
    pub cache_dir: &'a Path,
}

/// A program that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    file: PathBuf,
    /// What Python has to import from, where it is a module.
    imports: Option<PathBuf>,
}

impl Program {
    /// The one that was built before from the same content; the sources are not looked at.
    pub fn kept(request: &ProgramRequest<'_>) -> Option<Self> {
        let kept = request.kept();
        kept.file.is_file().then_some(kept)
    }

    /// Builds it, or takes the one that was built before from the same content; the reason where it does not build.
    pub fn prepare(
        tools: &Tools<'_>,
        request: &ProgramRequest<'_>,
    ) -> Result<Result<Self, String>, ContractError> {
        if let Some(kept) = Self::kept(request) {
            return Ok(Ok(kept));
        }
        let kept = request.kept();
        Ok(match (ProgramBuild { tools, request }).run(&kept)? {
            None => Ok(kept),
            Some(reason) => Err(reason),
        })
    }

    /// One that is there.
    #[cfg(test)]
    pub(super) fn at(file: &Path) -> Self {
        Self { file: file.to_owned(), imports: None }
    }

    /// Where it is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What Python has to import from, where it is a module.
    pub fn imports(&self) -> Option<&Path> {
        self.imports.as_deref()
    }
}

impl ProgramRequest<'_> {
    fn folder_kept(&self) -> PathBuf {
        self.cache_dir.join("programs").join(self.key().to_string())
    }

    /// Where it is kept.
    fn kept(&self) -> Program {
        let folder = self.folder_kept();
        match self.extension {
            None => Program { file: folder.join(self.program), imports: None },
            Some(extension) => {
                let imports = folder.join("python");
                let file = imports.join(format!("{}.so", extension.module.replace('.', "/")));
                Program { file, imports: Some(imports) }
            }
        }
    }

    fn key(&self) -> ContentHash {
        let extension = format!("{:?}", self.extension);
        let profile = format!("{:?}", self.profile);
        let parts = [
            KEPT_VERSION,
            self.source_key,
            self.folder,
            self.package,
            self.program,
            &extension,
            &profile,
            &self.toolchain.key,
        ];
        ContentHash::of_parts(parts)
    }
}

struct ProgramBuild<'a> {
    tools: &'a Tools<'a>,
    request: &'a ProgramRequest<'a>,
}

impl ProgramBuild<'_> {
    /// The reason where it does not build.
    fn run(&self, kept: &Program) -> Result<Option<String>, ContractError> {
        let cache = self.request.cache_dir;
        let io = |source| ContractError::Io { path: cache.to_path_buf(), source };
        let target = cache.join("target");
        std::fs::create_dir_all(&target).map_err(io)?;
        if let Some(folder) = kept.file.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let lock = std::fs::File::create(cache.join(LOCK)).map_err(io)?;
        lock.lock().map_err(io)?;
        let scratch = HeldFolder::make_in(cache, "build").map_err(io)?;
        // Cargo looks no further than here for a workspace: a confined one may not read what is above.
        std::fs::write(scratch.path().join("Cargo.toml"), "[workspace]\n").map_err(io)?;
        std::fs::create_dir(scratch.path().join(TEMPORARY)).map_err(io)?;
        let upstream = scratch.path().join(UPSTREAM);
        copy_tree(self.request.source, &upstream)?;
        self.tidy(&upstream)?;
        let locked = self.lock_file(&upstream);
        self.fetch(&upstream)?;
        if let Some(reason) = locked.and_then(|locked| self.unlocked(&locked, &upstream)) {
            return Ok(Some(reason));
        }
        let finished = self.compile(scratch.path(), &target)?;
        if let Some(bound) = self.reached(&finished) {
            return Ok(Some(bound));
        }
        if !finished.succeeded() {
            return Ok(Some(why(&finished)));
        }
        let built = target.join("debug").join(self.file_name());
        if !built.symlink_metadata().is_ok_and(|found| found.is_file()) {
            let what = if self.request.extension.is_some() { "library" } else { "program" };
            return Ok(Some(format!("the build left no {what} `{}`", self.file_name())));
        }
        if let Some(reason) = self.surround(kept)? {
            return Ok(Some(reason));
        }
        std::fs::rename(&built, &kept.file).map_err(io)?;
        Ok(None)
    }

    /// What Cargo calls it, on the systems that there is a sandbox for.
    fn file_name(&self) -> String {
        match self.request.extension {
            Some(_) => format!("lib{}.so", self.request.program.replace('-', "_")),
            None => self.request.program.to_owned(),
        }
    }

    /// Puts the upstream's Python files around its module, from the sources that no foreign code had in its hands.
    fn surround(&self, kept: &Program) -> Result<Option<String>, ContractError> {
        let sources = self.request.extension.and_then(|extension| extension.sources.as_ref());
        let (Some(sources), Some(imports)) = (sources, &kept.imports) else { return Ok(None) };
        let from = self.request.source.join(sources);
        if !from.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Ok(Some(format!("the upstream has no folder `{sources}`")));
        }
        copy_tree(&from, imports)?;
        Ok(None)
    }

    /// Takes from the package's manifest what its programs do not need, and gives it a workspace where it has none.
    fn tidy(&self, upstream: &Path) -> Result<(), ContractError> {
        let manifest = upstream.join(self.request.folder).join("Cargo.toml");
        let io = |source| ScratchError::Io { path: manifest.clone(), source };
        let text = std::fs::read_to_string(&manifest).map_err(io)?;
        let tidied = program_manifest(&text, self.request.has_workspace)
            .map_err(|reason| ScratchError::Manifest { path: manifest.clone(), reason })?;
        std::fs::write(&manifest, tidied).map_err(io)?;
        Ok(())
    }

    /// What the upstream's lock file says, where it has one.
    fn lock_file(&self, upstream: &Path) -> Option<String> {
        let folders = [upstream.join(self.request.folder), upstream.to_owned()];
        folders.into_iter().find_map(|folder| std::fs::read_to_string(folder.join("Cargo.lock")).ok())
    }

    /// Why this is not the build that the upstream's lock file describes, where it has to be.
    fn unlocked(&self, locked: &str, upstream: &Path) -> Option<String> {
        if !self.request.profile.locked {
            return None;
        }
        let other = drifted(locked, &self.lock_file(upstream).unwrap_or_default())?;
        Some(format!(
            "the upstream's Cargo.lock: {other}; `locked = false` in `[upstream.build]` builds it with versions of today"
        ))
    }

    /// Fetches what the program depends on, with the network where that is needed.
    fn fetch(&self, upstream: &Path) -> Result<(), ContractError> {
        let mut last = String::new();
        for arguments in [&["fetch", "--offline"][..], &["fetch"]] {
            let finished = self.tools.runner.run(&self.cargo(upstream, arguments))?;
            if finished.ending == Ending::Interrupted {
                return Err(ContractError::Interrupted);
            }
            if finished.succeeded() {
                return Ok(());
            }
            last = finished.tail(FETCH_LINES);
        }
        Err(ContractError::Provisioning { reason: last })
    }

    /// Cargo on the package, at the root, above which there is no configuration to read.
    fn cargo(&self, upstream: &Path, arguments: &[&str]) -> Invocation {
        let toolchain = self.request.toolchain;
        let manifest = upstream.join(self.request.folder).join("Cargo.toml");
        let mut invocation = Invocation::new(&toolchain.cargo, "/")
            .args(arguments.iter().copied())
            .args(["--manifest-path".into(), manifest.into_os_string()]);
        invocation.environment.extend(toolchain.environment.clone());
        invocation.limits(Limits { timeout_ms: FETCH_TIMEOUT_MS, ..Limits::default() })
    }

    fn compile(&self, scratch: &Path, target: &Path) -> Result<Finished, ContractError> {
        let (upstream, temporary) = (scratch.join(UPSTREAM), scratch.join(TEMPORARY));
        let profile = self.request.profile;
        let checks = if profile.overflow_checks { "true" } else { "false" };
        let wanted = match self.request.extension {
            Some(_) => vec!["--lib", "--package", self.request.package],
            None => vec!["--bin", self.request.program],
        };
        let mut invocation = self
            .cargo(&upstream, &["build", "--offline", "--message-format", "json-diagnostic-short"])
            .args(wanted)
            .env("CARGO_TARGET_DIR", target)
            .env("TMPDIR", &temporary)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_PANIC", "unwind")
            .env("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", checks)
            .env("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", checks)
            .env("RUSTFLAGS", "--cap-lints=warn");
        if !profile.features.is_empty() {
            invocation = invocation.args(["--features".to_owned(), profile.features.join(",")]);
        }
        if !profile.default_features {
            invocation = invocation.args(["--no-default-features"]);
        }
        let limits = Limits { timeout_ms: self.tools.build_timeout_ms, ..invocation.limits };
        let mut access = self.request.toolchain.access.clone();
        access.read.push(scratch.join("Cargo.toml"));
        access.write.extend([upstream, temporary, target.to_path_buf()]);
        let invocation = self.tools.confinement.confine(invocation.limits(limits), &access)?;
        let mut finished = self.tools.runner.run(&invocation)?;
        if finished.ending == Ending::Interrupted {
            return Err(ContractError::Interrupted);
        }
        finished.stderr.extend_from_slice(errors(&finished.stdout).as_bytes());
        Ok(finished)
    }

    /// The bound that a build ran into, in words, where it did.
    fn reached(&self, finished: &Finished) -> Option<String> {
        let bound = match finished.ending {
            Ending::TimedOut | Ending::Silent => {
                format!("it ran longer than {} s", self.tools.build_timeout_ms / 1000)
            }
            Ending::TooMuchOutput => "it printed without end".to_owned(),
            Ending::TooMuchDisk => "it wrote more to the disk than it may".to_owned(),
            Ending::DiskFull => "no space left on device, which it filled".to_owned(),
            Ending::Exited(_) | Ending::Signalled(_) | Ending::Interrupted => return None,
        };
        Some(format!("the build of `{}` was ended: {bound}", self.request.program))
    }
}
