//! The inner half: gives up rights one after the other, then becomes the foreign program.
//!
//! It must never start the program when one of the steps that it was asked for failed.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags};

use super::command::ConfinedCommand;
use super::rights::{LandlockVersion, drop_capabilities};

/// The exit code by which the binary says that the program was not started.
pub const CONFINED_FAILED_EXIT: i32 = 125;

/// The program was not started.
#[derive(Debug, thiserror::Error)]
pub enum ConfinedError {
    /// The command line is not one of ours.
    #[error("the arguments of the hidden subcommand cannot be read: {reason}")]
    Arguments {
        /// What is wrong.
        reason: String,
    },
    /// A right could not be given up.
    #[error("cannot {step}: {reason}")]
    Step {
        /// What failed.
        step: &'static str,
        /// Why.
        reason: String,
    },
    /// The program cannot be started.
    #[error("cannot start `{program}`: {source}")]
    Exec {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Carries out the arguments behind [`super::CONFINED_SUBCOMMAND`]. Does not return where it succeeds;
/// where it fails, the binary prints the error and exits with [`CONFINED_FAILED_EXIT`].
///
/// Call it before any other thread is started: rights are given up by the calling thread.
pub fn confined_exec(arguments: impl IntoIterator<Item = OsString>) -> Result<Infallible, ConfinedError> {
    let mut command = ConfinedCommand::parse(arguments)?;
    if let Some(parent) = command.parent {
        die_with(parent).map_err(failed("end with the process that started it"))?;
    }
    if let Some(group) = &command.process_group {
        std::fs::write(group.join("cgroup.procs"), "0").map_err(failed("join the process group"))?;
    }
    if !command.private.is_empty() {
        cover(&command).map_err(failed("cover shared folders"))?;
        pin(&command).map_err(failed("protect files inside writable folders"))?;
    }
    for folder in &command.scratch {
        std::fs::create_dir_all(folder).map_err(failed("make a folder for temporary files"))?;
    }
    command.write.append(&mut command.scratch);
    if let Some(limits) = &command.limits {
        limits.apply().map_err(failed("set resource limits"))?;
    }
    rustix::thread::set_no_new_privs(true).map_err(failed("give up new privileges"))?;
    if command.landlock {
        drop_capabilities().map_err(failed("drop capabilities"))?;
        let version = LandlockVersion::best().ok_or("the kernel cannot enforce it");
        version
            .map_err(str::to_owned)
            .and_then(|version| version.restrict(&command.read, &command.write))
            .map_err(failed("confine it by Landlock"))?;
    }
    Err(become_program(&command))
}

/// Has the kernel kill this process, and what it becomes, when its parent ends: a killed `tidelock` leaves
/// nothing behind that goes on working.
fn die_with(parent: i32) -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // It may have ended before.
    let now = rustix::process::getppid().map(rustix::process::Pid::as_raw_nonzero);
    if now.is_some_and(|now| now.get() == parent) {
        return Ok(());
    }
    Err(std::io::Error::other("it has ended already"))
}

#[expect(clippy::disallowed_methods, reason = "replaces this process: nothing is spawned")]
fn become_program(command: &ConfinedCommand) -> ConfinedError {
    let source = std::process::Command::new(&command.program).args(&command.arguments).exec();
    ConfinedError::Exec { program: command.program.to_string_lossy().into_owned(), source }
}

fn failed<Cause: ToString>(step: &'static str) -> impl Fn(Cause) -> ConfinedError {
    move |cause| ConfinedError::Step { step, reason: cause.to_string() }
}

/// Covers each private folder with an empty one of our own mount namespace, and puts back in it only what
/// may be accessed. So sockets of other programs, which Landlock does not guard, are out of reach.
fn cover(command: &ConfinedCommand) -> std::io::Result<()> {
    let directory = std::env::current_dir()?;
    for folder in &command.private {
        let kept = keep(folder, command.read.iter().chain(&command.write))?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        rustix::mount::mount("tmpfs", folder, "tmpfs", flags, Some(c"mode=1777,size=4g"))?;
        for (path, tree) in kept {
            put_back(&path, &tree)?;
        }
    }
    // The old folder is still open below the cover.
    std::env::set_current_dir(directory)
}

/// Mounts read-only what may be read inside of what may be written: the rules of Landlock would add up.
fn pin(command: &ConfinedCommand) -> std::io::Result<()> {
    let inside =
        |path: &&PathBuf| command.write.iter().any(|outer| path.starts_with(outer) && *path != outer);
    for path in command.read.iter().filter(inside).filter(|path| !command.write.contains(path)) {
        rustix::mount::mount_bind_recursive(path, path)?;
        // Flags that the machine's owner has set may not be taken away again.
        let set = rustix::fs::statvfs(path)?.f_flag;
        let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
        flags.set(MountFlags::NOEXEC, set.contains(StatVfsMountFlags::NOEXEC));
        rustix::mount::mount_remount(path, flags, "")?;
    }
    // The folder to work in may be one of them.
    std::env::set_current_dir(std::env::current_dir()?)
}

/// Opens what lies below a folder before it is covered, outermost paths only.
fn keep<'access>(
    folder: &Path,
    paths: impl Iterator<Item = &'access PathBuf>,
) -> std::io::Result<Vec<(PathBuf, OwnedFd)>> {
    let below = |path: &&PathBuf| path.starts_with(folder) && path.as_path() != folder;
    let mut paths: Vec<&PathBuf> = paths.filter(below).collect();
    paths.sort();
    let mut kept: Vec<(PathBuf, OwnedFd)> = Vec::new();
    for path in paths {
        if kept.iter().any(|(outer, _tree)| path.starts_with(outer)) {
            continue;
        }
        let flags =
            OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
        kept.push((path.clone(), rustix::mount::open_tree(rustix::fs::CWD, path, flags)?));
    }
    Ok(kept)
}

fn put_back(path: &Path, tree: &OwnedFd) -> std::io::Result<()> {
    if std::fs::File::from(tree.try_clone()?).metadata()?.is_dir() {
        std::fs::create_dir_all(path)?;
    } else {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::File::create(path)?;
    }
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(rustix::mount::move_mount(tree, "", rustix::fs::CWD, path, flags)?)
}
