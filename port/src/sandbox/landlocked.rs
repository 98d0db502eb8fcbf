//! Confinement by Landlock, together with those namespaces that can be had.
//!
//! Without a mount namespace rules add up: what lies inside a writable folder is writable, also where it is
//! named as readable.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use upstream::process::{DiskBound, Invocation};

use super::access::{ResolvedAccess, SYSTEM_FOLDERS, SYSTEM_SETTINGS};
use super::command::{ConfinedCommand, led, own_id};
use super::limits::ResourceLimits;
use super::process_group::ProcessGroup;
use super::rights::LandlockVersion;
use crate::confinement::{Access, Confinement, ConfinementError};
use crate::held::HeldFolder;

/// Devices that hold no data.
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What of `/proc` tells about the machine and not about other processes.
const MACHINE: &[&str] = &["/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version"];

/// Folders that programs share, where sockets and files of others lie about.
const SHARED_FOLDERS: &[&str] = &["/run", "/tmp", "/var/tmp", "/dev/shm"];

/// Where temporary files go in a mount namespace of its own.
const SCRATCH: &str = "/tmp/tidelock";

/// Processes that a user runs beside a sandbox, where the kernel counts them together.
const OTHER_PROCESSES: u64 = 4096;

/// The first process of a process namespace: collects orphans, and ends with the program. Signals come
/// out as the code 128 + number.
const FIRST_PROCESS: &[&str] = &["/bin/sh", "-c", r#""$@"; exit "$?""#, "sh"];

/// Which namespaces of its own a process gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespaces {
    /// Users, mounts, network, processes.
    All,
    /// All but users, for root where these are not to be had.
    AllButUsers,
    /// None.
    None,
}

impl Namespaces {
    /// What makes them, before the command that is to run in them.
    fn arguments(self) -> Vec<OsString> {
        let users: &[&str] = match self {
            Self::All => &["--user", "--map-current-user", "--keep-caps"],
            Self::AllButUsers => &[],
            Self::None => return Vec::new(),
        };
        let rest = ["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
        users.iter().chain(&rest).chain(FIRST_PROCESS).map(Into::into).collect()
    }
}

/// What it is made of.
#[derive(Debug)]
pub(super) struct LandlockedParts {
    /// Our own binary, which gives up rights before it becomes the program.
    pub(super) binary: PathBuf,
    /// The command that makes namespaces, where there are to be any.
    pub(super) unshare: Option<PathBuf>,
    /// What the kernel can deny.
    pub(super) version: LandlockVersion,
    /// What is to be made.
    pub(super) namespaces: Namespaces,
    /// The bounds of each process.
    pub(super) limits: ResourceLimits,
    /// The most that may be written to the disk.
    pub(super) disk_bytes_max: u64,
}

/// Runs processes through our own binary, which gives up rights before it becomes them.
#[derive(Debug)]
pub(super) struct Landlocked {
    parts: LandlockedParts,
    process_group: Option<ProcessGroup>,
    /// Temporary files of those processes that have no mount namespace, a folder for each.
    scratch: HeldFolder,
    confined: AtomicU32,
}

impl Landlocked {
    /// Whether it works here must be probed.
    pub(super) fn new(parts: LandlockedParts) -> std::io::Result<Self> {
        let root = rustix::process::geteuid().is_root();
        Ok(Self {
            process_group: root.then(|| ProcessGroup::make(parts.limits.processes_max)).flatten(),
            parts,
            scratch: HeldFolder::make("sandbox")?,
            confined: AtomicU32::new(0),
        })
    }

    fn alone(&self) -> bool {
        self.parts.namespaces != Namespaces::None
    }

    /// How the number of processes is bounded: the kernel exempts root from its usual bound, and counts
    /// all processes of a user together who has no namespace for it.
    fn processes(&self) -> &'static str {
        if self.process_group.is_some() {
            "processes bounded"
        } else if rustix::process::geteuid().is_root() {
            "processes bounded by time alone"
        } else if self.parts.namespaces == Namespaces::All {
            "processes bounded"
        } else {
            "processes bounded together with others of the user"
        }
    }

    fn limits(&self) -> ResourceLimits {
        let shared = if self.parts.namespaces == Namespaces::All { 0 } else { OTHER_PROCESSES };
        ResourceLimits {
            processes_max: self.parts.limits.processes_max.saturating_add(shared),
            ..self.parts.limits
        }
    }

    fn group(&self) -> Option<PathBuf> {
        self.process_group.as_ref().map(|group| group.path.clone())
    }

    /// The shared folders to cover: all that are not given to the process itself.
    fn covered(&self, access: &ResolvedAccess) -> Vec<PathBuf> {
        let given =
            |folder: &Path| access.read.iter().chain(&access.write).any(|path| folder.starts_with(path));
        let folders = SHARED_FOLDERS.iter().filter(|_| self.alone()).map(PathBuf::from);
        folders.filter(|folder| is_real_folder(folder) && !given(folder)).collect()
    }

    /// Where temporary files go: in a folder that is covered they go with the process.
    fn scratch(&self, covered: &[PathBuf]) -> PathBuf {
        if covered.iter().any(|folder| Path::new(SCRATCH).starts_with(folder)) {
            return SCRATCH.into();
        }
        self.scratch.path().join(self.confined.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

impl Confinement for Landlocked {
    fn confine(&self, mut invocation: Invocation, access: &Access) -> Result<Invocation, ConfinementError> {
        let access = ResolvedAccess::of(&invocation, access)?;
        let covered = self.covered(&access);
        let scratch = self.scratch(&covered);
        // Where there is no mount namespace, temporary files are on the disk as well.
        let disk = if self.alone() { None } else { Some(self.scratch.path().to_owned()) };
        let folders = access.write.iter().cloned().chain(disk).collect();
        invocation.disk = Some(DiskBound { folders, bytes_max: self.parts.disk_bytes_max });
        if !invocation.environment.contains_key("TMPDIR".as_ref() as &std::ffi::OsStr) {
            invocation = invocation.env("TMPDIR", &scratch);
        }
        let process_files: &[&str] = if self.alone() { &["/proc"] } else { MACHINE };
        let readable = SYSTEM_FOLDERS.iter().chain(SYSTEM_SETTINGS).chain(process_files);
        let command = ConfinedCommand {
            private: covered,
            scratch: vec![scratch],
            limits: Some(self.limits()),
            landlock: true,
            read: existing(readable).chain(access.read).collect(),
            write: existing(DEVICES).chain(access.write).collect(),
            program: invocation.program,
            arguments: invocation.arguments,
            ..ConfinedCommand::default()
        };
        let Some(unshare) = &self.parts.unshare else {
            let command = ConfinedCommand { parent: Some(own_id()), process_group: self.group(), ..command };
            let program = self.parts.binary.clone().into();
            return Ok(Invocation { program, arguments: command.to_arguments(), ..invocation });
        };
        let mut arguments = self.parts.namespaces.arguments();
        arguments.push(self.parts.binary.clone().into());
        arguments.extend(command.to_arguments());
        let outer = Invocation { program: unshare.clone().into(), arguments, ..invocation };
        Ok(led(outer, &self.parts.binary, self.process_group.as_ref()))
    }

    fn level(&self) -> String {
        let achieved = if self.alone() {
            "no network, no other processes, no sockets in shared folders"
        } else if self.parts.version.denies_socket_files() {
            "no TCP (but UDP), no sockets that are files"
        } else {
            "no TCP (but UDP and sockets that are files)"
        };
        let processes = self.processes();
        let number = self.parts.version.number;
        format!("landlock ABI {number}: no writes outside, no home folder, {achieved}; {processes}")
    }
}

fn existing<'paths>(paths: impl IntoIterator<Item = &'paths &'paths str>) -> impl Iterator<Item = PathBuf> {
    paths.into_iter().map(PathBuf::from).filter(|path| path.exists())
}

fn is_real_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}
