//! Confinement by bubblewrap: a file system that holds only what may be seen, and namespaces of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use upstream::process::Invocation;

use super::access::{ResolvedAccess, SYSTEM_FOLDERS, SYSTEM_SETTINGS};
use super::command::{ConfinedCommand, led};
use super::limits::ResourceLimits;
use super::process_group::ProcessGroup;
use crate::confinement::{Access, Confinement, ConfinementError};

/// Where our own binary is inside. It sets the limits there: the number of processes is counted for each
/// namespace of users apart.
const BINARY_INSIDE: &str = "/.tidelock";

/// Runs processes through `bwrap`.
#[derive(Debug)]
pub(super) struct Bubblewrap {
    program: PathBuf,
    binary: PathBuf,
    limits: ResourceLimits,
    process_group: Option<ProcessGroup>,
}

impl Bubblewrap {
    /// With our own binary, for the limits. Whether it works here must be probed.
    pub(super) fn new(program: PathBuf, binary: &Path, limits: ResourceLimits) -> Self {
        let root = rustix::process::geteuid().is_root();
        let process_group = root.then(|| ProcessGroup::make(limits.processes_max)).flatten();
        Self { program, binary: binary.to_owned(), limits, process_group }
    }
}

impl Confinement for Bubblewrap {
    fn confine(&self, invocation: Invocation, access: &Access) -> Result<Invocation, ConfinementError> {
        let access = ResolvedAccess::of(&invocation, access)?;
        let inside = ConfinedCommand {
            limits: Some(self.limits),
            program: invocation.program,
            arguments: invocation.arguments,
            ..ConfinedCommand::default()
        };
        let mut arguments = file_system(&access);
        push(&mut arguments, ["--ro-bind".as_ref(), self.binary.as_os_str(), BINARY_INSIDE.as_ref()]);
        push(&mut arguments, ["--chdir".as_ref(), invocation.directory.as_os_str()]);
        push(&mut arguments, ["--", BINARY_INSIDE]);
        arguments.extend(inside.to_arguments());

        let outer = Invocation { program: self.program.clone().into(), arguments, ..invocation };
        // The control groups are out of sight inside, so the group is joined before.
        Ok(led(outer, &self.binary, self.process_group.as_ref()))
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
fn file_system(access: &ResolvedAccess) -> Vec<OsString> {
    let mut arguments = Vec::new();
    push(&mut arguments, ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]);
    push(&mut arguments, ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]);
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
