//! A control group that bounds the number of processes, for where we are root: the kernel exempts root
//! from the bound that holds for other users.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use upstream::{Clock, SystemClock};

/// How many full sandboxes may run side by side before they come into each other's way.
const SIDE_BY_SIDE: u64 = 4;

/// How often a group is tried to be removed.
const REMOVAL_TRIES: u32 = 100;

/// How long to wait between two tries.
const REMOVAL_PAUSE: Duration = Duration::from_millis(5);

/// Where the kernel may offer it: of its own in version 1, among the others in version 2.
const ROOTS: &[&str] = &["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];

/// Tells the groups of one process apart.
static MADE: AtomicU32 = AtomicU32::new(0);

/// How the names of all groups begin.
const PREFIX: &str = "tidelock-";

/// How many groups of processes that were killed are looked at when one is made.
const SWEPT_MAX: usize = 256;

/// A group that is removed with this value.
#[derive(Debug)]
pub(super) struct ProcessGroup {
    /// Its folder.
    pub(super) path: PathBuf,
    /// Locked for as long as this process lives, so that others can tell.
    _held: File,
}

impl ProcessGroup {
    /// A new group, where we may make one.
    pub(super) fn make(processes_max: u64) -> Option<Self> {
        for root in ROOTS {
            sweep(Path::new(root));
        }
        ROOTS.iter().find_map(|root| Self::make_below(Path::new(root), processes_max))
    }

    fn make_below(root: &Path, processes_max: u64) -> Option<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = root.join(format!("{PREFIX}{}-{number}", std::process::id()));
        std::fs::create_dir(&path).ok()?;
        let held = File::open(&path).ok()?;
        held.try_lock().ok()?;
        // Made first, so that a group that turns out to be of no use is removed again.
        let group = Self { path, _held: held };
        let bound = processes_max.saturating_mul(SIDE_BY_SIDE).to_string();
        let file = group.path.join("pids.max");
        (file.exists() && std::fs::write(file, bound).is_ok()).then_some(group)
    }
}

/// Kills what left its sandbox behind. Whoever is in the group came out of one.
fn kill_members(group: &Path) {
    let members = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for pid in members.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw) {
        if let Err(error) = kill_process(pid, Signal::KILL) {
            tracing::debug!(%error, "a process of the group ended by itself");
        }
    }
}

/// Removes the groups of processes that were killed and could not do so themselves.
fn sweep(root: &Path) {
    let Ok(entries) = std::fs::read_dir(root) else { return };
    let groups = entries.flatten().map(|entry| entry.path()).filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
        let owner: u32 = name.split_once('-')?.0.parse().ok()?;
        Some((path.clone(), owner))
    });
    for (path, owner) in groups.take(SWEPT_MAX) {
        // Whoever lives holds its lock; one that cannot is seen as a process, where we see those.
        let held = File::open(&path).is_ok_and(|folder| folder.try_lock().is_err());
        if held || Path::new("/proc").join(owner.to_string()).exists() {
            continue;
        }
        kill_members(&path);
        if let Err(error) = std::fs::remove_dir(&path) {
            tracing::debug!(%error, group = %path.display(), "a left process group is not empty yet");
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // The kernel keeps a group until its last process is gone, which takes a moment.
        for _ in 0..REMOVAL_TRIES {
            if std::fs::remove_dir(&self.path).is_ok() {
                return;
            }
            kill_members(&self.path);
            SystemClock.sleep(REMOVAL_PAUSE);
        }
        tracing::warn!(group = %self.path.display(), "a process group stays behind");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of a process that has ended.
    fn ended() -> u32 {
        (4_000_000..5_000_000).find(|pid| !Path::new("/proc").join(pid.to_string()).exists()).unwrap()
    }

    #[test]
    fn groups_of_processes_that_were_killed_are_removed_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: String| {
            let path = root.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let left = make(format!("tidelock-{}-0", ended()));
        let own = make(format!("tidelock-{}-7", std::process::id()));
        let elsewhere = make(format!("tidelock-{}-1", ended()));
        let foreign = make("docker-1-2".to_owned());
        let unnamed = make("tidelock-x".to_owned());
        // It lives where its number says nothing to us, as in another container.
        let lock = File::open(&elsewhere).unwrap();
        lock.try_lock().unwrap();
        sweep(root.path());
        assert!(!left.exists());
        for kept in [own, elsewhere, foreign, unnamed] {
            assert!(kept.exists(), "{}", kept.display());
        }
    }
}
