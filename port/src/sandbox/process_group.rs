//! A control group that bounds the number of processes, for where we are root: the kernel exempts root
//! from the bound that holds for other users.

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

/// A group that is removed with this value.
#[derive(Debug)]
pub(super) struct ProcessGroup {
    /// Its folder.
    pub(super) path: PathBuf,
}

impl ProcessGroup {
    /// A new group, where we may make one.
    pub(super) fn make(processes_max: u64) -> Option<Self> {
        ROOTS.iter().find_map(|root| Self::make_below(Path::new(root), processes_max))
    }

    fn make_below(root: &Path, processes_max: u64) -> Option<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = root.join(format!("tidelock-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).ok()?;
        // Made first, so that a group that turns out to be of no use is removed again.
        let group = Self { path };
        let bound = processes_max.saturating_mul(SIDE_BY_SIDE).to_string();
        let file = group.path.join("pids.max");
        (file.exists() && std::fs::write(file, bound).is_ok()).then_some(group)
    }
}

impl ProcessGroup {
    /// Kills what left its sandbox behind. Whoever is in the group came out of one.
    fn kill_members(&self) {
        let members = std::fs::read_to_string(self.path.join("cgroup.procs")).unwrap_or_default();
        for pid in members.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw) {
            if let Err(error) = kill_process(pid, Signal::KILL) {
                tracing::debug!(%error, "a process of the group ended by itself");
            }
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
            self.kill_members();
            SystemClock.sleep(REMOVAL_PAUSE);
        }
        tracing::warn!(group = %self.path.display(), "a process group stays behind");
    }
}
