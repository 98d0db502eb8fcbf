//! Confinement by bubblewrap: a file system that holds only what may be seen, and namespaces of its own.

use std::ffi::OsString;
use std::path::PathBuf;

use upstream::process::{DiskBound, Invocation};

use super::access::{ResolvedAccess, SYSTEM_FOLDERS, SYSTEM_SETTINGS};
use super::command::{ConfinedCommand, led};
use super::limits::ResourceLimits;
use super::process_group::ProcessGroup;
use crate::confinement::{Access, Confinement, ConfinementError};

/// Where our own binary is inside. It sets the limits there: the number of processes is counted for each
/// namespace of users apart.
const BINARY_INSIDE: &str = "/.tidelock";

/// The most that each temporary folder inside may hold, in bytes: it is memory.
pub(super) const TEMPORARY_BYTES_MAX: u64 = 4 << 30;

/// What it is made of.
#[derive(Debug)]
pub(super) struct BubblewrapParts {
    /// The `bwrap` command.
    pub(super) program: PathBuf,
    /// Our own binary, for the limits.
    pub(super) binary: PathBuf,
    /// The bounds of each process.
    pub(super) limits: ResourceLimits,
    /// The most that may be written to the disk.
    pub(super) disk_bytes_max: u64,
    /// Whether this `bwrap` can bound its temporary folders.
    pub(super) sized: bool,
}

/// Runs processes through `bwrap`.
#[derive(Debug)]
pub(super) struct Bubblewrap {
    parts: BubblewrapParts,
    process_group: Option<ProcessGroup>,
}

impl Bubblewrap {
    /// Whether it works here must be probed.
    pub(super) fn new(parts: BubblewrapParts) -> Self {
        let root = rustix::process::geteuid().is_root();
        let process_group = root.then(|| ProcessGroup::make(parts.limits.processes_max)).flatten();
        Self { parts, process_group }
    }
}

impl Confinement for Bubblewrap {
    fn confine(&self, invocation: Invocation, access: &Access) -> Result<Invocation, ConfinementError> {
        let access = ResolvedAccess::of(&invocation, access)?;
        let inside = ConfinedCommand {
            limits: Some(self.parts.limits),
            program: invocation.program,
            arguments: invocation.arguments,
            ..ConfinedCommand::default()
        };
        let disk = DiskBound { folders: access.write.clone(), bytes_max: self.parts.disk_bytes_max };
        let mut arguments = file_system(&access, self.parts.sized);
        push(&mut arguments, ["--ro-bind".as_ref(), self.parts.binary.as_os_str(), BINARY_INSIDE.as_ref()]);
        // What is not a folder of its own is memory, and is full at once.
        push(&mut arguments, ["--remount-ro", "/dev", "--remount-ro", "/"]);
        push(&mut arguments, ["--chdir".as_ref(), invocation.directory.as_os_str()]);
        push(&mut arguments, ["--", BINARY_INSIDE]);
        arguments.extend(inside.to_arguments());

        let program = self.parts.program.clone().into();
        let outer = Invocation { program, arguments, disk: Some(disk), ..invocation };
        Ok(match &self.process_group {
            // The control groups are out of sight inside, so the group is joined before.
            Some(group) => led(outer, &self.parts.binary, Some(group)),
            // It ends with us by its own means.
            None => outer,
        })
    }

    fn level(&self) -> String {
        let root = rustix::process::geteuid().is_root();
        let processes = if root && self.process_group.is_none() {
            "processes bounded by time alone"
        } else {
            "processes bounded"
        };
        format!("bubblewrap: only named files, no home folder, no network, no other processes; {processes}")
    }
}

/// The namespaces, and what is to be seen in them.
fn file_system(access: &ResolvedAccess, sized: bool) -> Vec<OsString> {
    let mut arguments = Vec::new();
    push(&mut arguments, ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]);
    push(&mut arguments, ["--proc", "/proc", "--dev", "/dev"]);
    for folder in ["/tmp", "/dev/shm"] {
        if sized {
            push(&mut arguments, ["--size", &TEMPORARY_BYTES_MAX.to_string()]);
        }
        push(&mut arguments, ["--tmpfs", folder]);
    }
    for folder in SYSTEM_FOLDERS {
        if let Ok(target) = std::fs::read_link(folder) {
            push(&mut arguments, ["--symlink".as_ref(), target.as_os_str(), folder.as_ref()]);
        } else {
            push(&mut arguments, ["--ro-bind-try", folder, folder]);
        }
    }
    for path in SYSTEM_SETTINGS {
        push(&mut arguments, ["--ro-bind-try", path, path]);
    }
    // Outer folders first, or they would cover what was bound inside them; where a path may be both read
    // and written, writing wins.
    let reads = access.read.iter().map(|path| (path, "--ro-bind"));
    let writes = access.write.iter().map(|path| (path, "--bind"));
    let mut binds: Vec<(&PathBuf, &str)> = reads.chain(writes).collect();
    binds.sort_by_key(|&(path, option)| (path, option == "--bind"));
    let mut bound: Vec<&PathBuf> = Vec::new();
    for (path, option) in binds {
        // A link inside a folder that is bound is there already, and leads where its target is bound.
        if path.is_symlink() && bound.iter().any(|outer| path.starts_with(outer)) {
            continue;
        }
        push(&mut arguments, [option.as_ref(), path.as_os_str(), path.as_os_str()]);
        bound.push(path);
    }
    arguments
}

fn push<Argument: Into<OsString>>(arguments: &mut Vec<OsString>, more: impl IntoIterator<Item = Argument>) {
    arguments.extend(more.into_iter().map(Into::into));
}
