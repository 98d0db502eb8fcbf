//! Follows the journals: looks at their files every second, and reads what is new.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::{Shared, index, journal, locked};

/// How often the files are looked at.
const TURN: Duration = Duration::from_secs(1);
/// Runs of one port that are read before the next port has its turn.
const BATCH: usize = 40;

/// Keeps the indexes until its channel is closed.
pub(super) fn keep(shared: &Shared, stopped: &Receiver<()>) {
    loop {
        let busy = turn(shared);
        let wait = if busy { Duration::ZERO } else { TURN };
        match stopped.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Looks at every journal once; whether anything is left to read.
pub(super) fn turn(shared: &Shared) -> bool {
    let mut busy = false;
    for (name, kept) in shared.all() {
        let path = journal(&kept.settings);
        let (changed, next) = {
            let mut index = locked(&kept.index);
            (index.refresh(&path), index.next(BATCH))
        };
        if changed {
            locked(&shared.wanted).insert(name);
        }
        let is_read = !next.is_empty();
        busy |= next.len() == BATCH;
        for (run, status, read) in index::read(&path, next) {
            locked(&kept.index).put(&run, status, read);
        }
        if changed || is_read {
            shared.live.changed();
        }
    }
    busy
}
