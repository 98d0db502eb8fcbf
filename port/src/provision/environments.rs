//! Virtual environments, kept by the content of what they were made from.
//!
//! Main type: [`Environments`]. Whoever uses one holds a shared lock on it, so that nobody sweeps it away meanwhile.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use upstream::ContentHash;
use upstream::process::ProcessRunner;

use super::install::{Installer, install};
use super::project::{Project, ProjectError};
use crate::language::python::{Interpreter, InterpreterError};

/// The most environments that are kept; of more, those that were used longest ago go.
const ENVIRONMENTS_MAX: usize = 8;
/// Part of every key: raise it where the way of making them changes.
const KEPT_VERSION: &str = "1";
/// What stands in a finished environment.
const RECORD: &str = "tidelock-environment.json";
/// What the names of the locks end with.
const LOCK: &str = "lock";

/// No environment could be had: blocked, which is neither pass nor fail.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// The project files ask for something that cannot be had, or cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The interpreter is not one that the port runs on.
    #[error("the port asks for Python {wanted}, and `{program}` is {found}")]
    WrongPython {
        /// What the project files say.
        wanted: String,
        /// The program.
        program: String,
        /// Its version.
        found: String,
    },
    /// There is nothing to install with.
    #[error("there is neither `uv` nor a pip for `{program}`: {reason}")]
    NoInstaller {
        /// The interpreter.
        program: String,
        /// What was tried, and what it said.
        reason: String,
    },
    /// The packages could not be installed.
    #[error("{installer} could not install what the port asks for ({files}): {reason}")]
    Install {
        /// What installed.
        installer: String,
        /// The project files.
        files: String,
        /// Its complaint.
        reason: String,
    },
    /// The network could not be reached, and packages are missing.
    #[error("{installer} could not reach the package index: {reason}")]
    NoNetwork {
        /// What installed.
        installer: String,
        /// Its complaint.
        reason: String,
    },
    /// There is no interpreter to make them with.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// A process could not be run.
    #[error(transparent)]
    Process(#[from] upstream::process::ProcessError),
    /// A file of the cache could not be read or written.
    #[error("cannot use the cache at `{path}`: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// We were told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl EnvironmentError {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Project(_) => {
                "change the project files, or name an interpreter that has everything and write `provision = false` in `[port.environment]`"
            }
            Self::WrongPython { .. } | Self::Interpreter(_) => {
                "name another as `interpreter` in `[port.environment]`"
            }
            Self::NoInstaller { .. } => {
                "install uv, or pip for this interpreter, or write `provision = false` in `[port.environment]`"
            }
            Self::Install { .. } => {
                "packages that have no wheel for this Python have to be installed by hand: name that interpreter and write `provision = false` in `[port.environment]`"
            }
            Self::NoNetwork { .. } => "run it once with the network: `tidelock doctor --provision`",
            Self::Process(_) | Self::Io { .. } => "free the way, then run the same command again",
            Self::Interrupted => "run the same command again",
        }
    }
}

/// What an environment is to hold, and who makes it.
#[derive(Debug, Clone, Copy)]
pub struct EnvironmentRequest<'a> {
    /// What the port asks for.
    pub project: &'a Project,
    /// The folder that its project files were read in.
    pub folder: &'a Path,
    /// The interpreter that it is made for.
    pub base: &'a Interpreter,
    /// Runs pip or uv, with the network: they run nothing foreign.
    pub runner: &'a dyn ProcessRunner,
    /// The most that may be written to the disk, in bytes.
    pub disk_bytes_max: u64,
}

/// An environment that is ready. It stays as long as this value.
#[derive(Debug)]
pub struct Environment {
    /// Its interpreter.
    pub interpreter: Interpreter,
    /// The packages in it, as `name version`, sorted.
    pub packages: Vec<String>,
    /// What installed them, such as `pip 26.0`.
    pub installer: String,
    _held: File,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    packages: Vec<String>,
    installer: String,
}

/// The environments of a folder.
#[derive(Debug, Clone)]
pub struct Environments {
    folder: PathBuf,
}

impl Environments {
    /// Those below a folder, which is made when it is needed.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The one for these requirements, where it is ready.
    pub fn find(&self, request: &EnvironmentRequest<'_>) -> Result<Option<Environment>, EnvironmentError> {
        fits(request)?;
        let key = key(request);
        let Ok(held) = File::open(self.lock_path(&key)) else { return Ok(None) };
        held.lock_shared().map_err(|source| self.io(source))?;
        Ok(self.read(&key, request.base, held))
    }

    /// The one for these requirements, made where it is missing.
    pub fn make(&self, request: &EnvironmentRequest<'_>) -> Result<Environment, EnvironmentError> {
        fits(request)?;
        if let Some(ready) = self.find(request)? {
            return Ok(ready);
        }
        let io = |source| self.io(source);
        std::fs::create_dir_all(&self.folder).map_err(io)?;
        self.sweep();
        let key = key(request);
        let (lock, folder) = (self.lock_path(&key), self.folder.join(&key));
        let held = File::options().create(true).append(true).open(&lock).map_err(io)?;
        held.lock().map_err(io)?;
        if self.read_record(&key, request.base).is_none() {
            // What a process left behind that was killed over it.
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(self.io(error)),
                Ok(()) | Err(_) => {}
            }
            let installer = Installer::find(request)?;
            if let Err(error) = install(request, &installer, &folder) {
                // Half an environment is worth nothing; what it takes of the disk is.
                if let Err(left) = std::fs::remove_dir_all(&folder) {
                    tracing::debug!(%left, "half an environment stays behind");
                }
                return Err(error);
            }
            let record = Record { packages: packages_in(&folder), installer: installer.name() };
            let text = serde_json::to_string_pretty(&record).map_err(|error| io(error.into()))?;
            std::fs::write(folder.join(RECORD), text).map_err(io)?;
        }
        drop(held);
        // Between the locks somebody may have swept it: then it is made once more next time.
        let found = self.find(request)?;
        found.ok_or_else(|| self.io(std::io::Error::other("the environment was removed by another process")))
    }

    fn lock_path(&self, key: &str) -> PathBuf {
        self.folder.join(key).with_extension(LOCK)
    }

    fn io(&self, source: std::io::Error) -> EnvironmentError {
        EnvironmentError::Io { path: self.folder.clone(), source }
    }

    /// What a finished environment holds. One whose interpreter is gone, behind its link, counts as none.
    fn read_record(&self, key: &str, base: &Interpreter) -> Option<Record> {
        let folder = self.folder.join(key);
        let record = serde_json::from_slice(&std::fs::read(folder.join(RECORD)).ok()?).ok()?;
        Path::new(base.in_environment(&folder).program()).exists().then_some(record)
    }

    fn read(&self, key: &str, base: &Interpreter, held: File) -> Option<Environment> {
        let Record { packages, installer } = self.read_record(key, base)?;
        let interpreter = base.in_environment(&self.folder.join(key));
        // Sweeping goes by when it was used last.
        if let Err(error) = std::fs::write(self.lock_path(key), "used\n") {
            tracing::debug!(%error, "when an environment was used cannot be written down");
        }
        Some(Environment { interpreter, packages, installer, _held: held })
    }

    /// Removes those that were used longest ago and that nobody holds.
    fn sweep(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        let locks = entries.flatten().map(|entry| entry.path());
        let locks = locks.filter(|path| path.extension().is_some_and(|ending| ending == LOCK));
        let used = |path: PathBuf| Some((path.metadata().ok()?.modified().ok()?, path));
        let mut locks: Vec<_> = locks.filter_map(used).collect();
        locks.sort();
        let surplus = (locks.len() + 1).saturating_sub(ENVIRONMENTS_MAX);
        for (_, lock) in locks.into_iter().take(surplus) {
            let Ok(held) = File::open(&lock) else { continue };
            if held.try_lock().is_err() {
                continue;
            }
            let removed = std::fs::remove_dir_all(lock.with_extension(""));
            if let Err(error) = removed.and_then(|()| std::fs::remove_file(&lock)) {
                tracing::debug!(%error, lock = %lock.display(), "an environment stays behind");
            }
        }
    }
}

/// Whether the interpreter is one that the port runs on.
fn fits(request: &EnvironmentRequest<'_>) -> Result<(), EnvironmentError> {
    let Some(wanted) = &request.project.python else { return Ok(()) };
    let found = request.base.version().to_string();
    let parsed = found.parse::<pep508_rs::pep440_rs::Version>();
    if parsed.is_ok_and(|version| wanted.contains(&version)) {
        return Ok(());
    }
    let program = request.base.program().to_string_lossy().into_owned();
    Err(EnvironmentError::WrongPython { wanted: wanted.to_string(), program, found })
}

fn key(request: &EnvironmentRequest<'_>) -> String {
    let base = request.base;
    let own =
        [KEPT_VERSION.to_owned(), base.program().to_string_lossy().into_owned(), base.version().to_string()];
    ContentHash::of_parts(own.into_iter().chain(request.project.parts())).short()
}

/// The packages below an environment, from the folders that installers leave.
fn packages_in(folder: &Path) -> Vec<String> {
    let versions = std::fs::read_dir(folder.join("lib")).into_iter().flatten().flatten();
    let sites = versions.map(|entry| entry.path().join("site-packages"));
    let mut packages: Vec<String> = sites
        .filter_map(|site| std::fs::read_dir(site).ok())
        .flat_map(Iterator::flatten)
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let (name, version) = name.strip_suffix(".dist-info")?.split_once('-')?;
            Some(format!("{name} {version}"))
        })
        .collect();
    packages.sort();
    packages
}
