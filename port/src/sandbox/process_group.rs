//! A control group that bounds the number of processes, for where we are root: the kernel exempts root
//! from the bound that holds for other users.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// How many full sandboxes may run side by side before they come into each other's way.
const SIDE_BY_SIDE: u64 = 4;

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

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir(&self.path) {
            tracing::warn!(group = %self.path.display(), %error, "a process group stays behind");
        }
    }
}
