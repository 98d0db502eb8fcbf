//! Watches what a running process takes of the disk.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::clock::{Clock, SystemClock};
use crate::process::{DiskBound, Ending};

/// How often the disk is looked at, in milliseconds.
const EVERY_MS: i64 = 250;

/// A look takes at most this share of the time: one part in so many.
const SHARE: i64 = 40;

/// The most files that are counted; whoever writes more is told by what is free.
const FILES_MAX: usize = 1_000_000;

/// What a disk held when the process began.
struct Disk {
    folder: PathBuf,
    free: u64,
}

/// The watch over one process.
pub(crate) struct DiskWatch {
    disks: Vec<Disk>,
    bytes_max: u64,
    began_s: i64,
    next_ms: i64,
}

impl DiskWatch {
    pub(crate) fn begin(bound: Option<&DiskBound>, now_ms: i64) -> Self {
        let folders = bound.map(|bound| bound.folders.as_slice()).unwrap_or_default();
        let disk = |folder: &PathBuf| Some(Disk { folder: folder.clone(), free: free_bytes(folder)? });
        Self {
            disks: folders.iter().filter_map(disk).collect(),
            bytes_max: bound.map_or(u64::MAX, |bound| bound.bytes_max),
            began_s: now_ms / 1000,
            next_ms: now_ms + EVERY_MS,
        }
    }

    /// How it ends that takes more than it may.
    pub(crate) fn exceeded(&mut self, now_ms: i64) -> Option<Ending> {
        if self.disks.is_empty() || now_ms < self.next_ms {
            return None;
        }
        let found = self.look();
        let done_ms = SystemClock.now_ms();
        self.next_ms = done_ms + EVERY_MS.max((done_ms - now_ms).saturating_mul(SHARE));
        found
    }

    fn look(&self) -> Option<Ending> {
        let taken = |disk: &Disk| Some(disk.free.saturating_sub(free_bytes(&disk.folder)?));
        if self.disks.iter().any(|disk| taken(disk).is_some_and(|taken| taken > disk.free - disk.free / 10)) {
            return Some(Ending::DiskFull);
        }
        let written: u64 = self
            .disks
            .iter()
            .map(|disk| written_below(&disk.folder, self.began_s))
            .fold(0, u64::saturating_add);
        // Files that were deleted while they are open are in no folder. What is free shrinks by what others write as
        // well, so that is believed only where it is much more.
        let hidden = |disk: &Disk| taken(disk).is_some_and(|taken| taken > self.bytes_max.saturating_mul(4));
        (written > self.bytes_max || self.disks.iter().any(hidden)).then_some(Ending::TooMuchDisk)
    }
}

/// What is free for us on the disk that holds a folder, in bytes; `None` where it cannot be told.
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// What the files below a folder take that were changed since, in bytes. Links are not followed.
fn written_below(folder: &Path, since_s: i64) -> u64 {
    let (mut bytes, mut seen) = (0_u64, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // What is gone by now takes nothing.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > FILES_MAX {
                return bytes;
            }
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) if found.ctime() >= since_s => bytes += found.blocks() * 512,
                Ok(_) | Err(_) => {}
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_from_then_on_counts() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, length: usize| std::fs::write(folder.path().join(name), vec![1; length]).unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        write("deep/one", 1 << 20);
        std::os::unix::fs::symlink("/", folder.path().join("root")).unwrap();
        let now_s = SystemClock.now_ms() / 1000;
        assert!((1 << 20..2 << 20).contains(&written_below(folder.path(), now_s - 60)));
        assert_eq!(written_below(folder.path(), now_s + 60), 0);
        let bound = |bytes_max| DiskBound { folders: vec![folder.path().to_owned()], bytes_max };
        let mut watch = DiskWatch::begin(Some(&bound(1 << 19)), (now_s - 60) * 1000);
        assert_eq!(watch.exceeded(watch.next_ms - 1), None, "it is not looked all the time");
        assert_eq!(watch.exceeded(watch.next_ms), Some(Ending::TooMuchDisk));
        let mut watch = DiskWatch::begin(Some(&bound(1 << 30)), (now_s - 60) * 1000);
        assert_eq!(watch.exceeded(watch.next_ms), None);
        assert_eq!(DiskWatch::begin(None, 0).exceeded(i64::MAX), None);
    }
}
