//! What the loop does at this moment, for whoever looks: kept beside it, and never read by it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reports::board::Watched;
use tokio::sync::watch;

use super::dispatch::Stand;
use super::port_state::Phase;

/// Characters that are kept of one text.
const TEXT_CHARS_MAX: usize = 600;

/// What a daemon does with each port, and a number that rises with every change.
#[derive(Debug)]
pub struct Live {
    ports: Mutex<BTreeMap<String, Watched>>,
    changes: watch::Sender<u64>,
}

impl Default for Live {
    fn default() -> Self {
        Self { ports: Mutex::default(), changes: watch::Sender::new(0) }
    }
}

impl Live {
    /// What the daemon does with a port; `None` where it does not watch it.
    pub fn of(&self, port: &str) -> Option<Watched> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).get(port).cloned()
    }

    /// The number of changes so far, and the next ones. Whoever is slow misses numbers, and nothing is kept for them.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The number of changes so far.
    pub fn change(&self) -> u64 {
        *self.changes.borrow()
    }

    /// Something changed that a page shows.
    pub fn changed(&self) {
        self.changes.send_modify(|number| *number += 1);
    }

    /// The loop has turned: these are its ports.
    pub(super) fn stands(&self, stands: &[Stand<'_>]) {
        self.edit(|ports| {
            ports.retain(|name, _| stands.iter().any(|stand| stand.port == name));
            for stand in stands {
                let known = ports.entry(stand.port.to_owned()).or_default();
                phase(stand.phase).clone_into(&mut known.phase);
                known.place = stand.place;
                known.next_ms = stand.due_ms;
                if stand.phase != Phase::Syncing {
                    known.step.clear();
                }
            }
        });
    }

    /// The upstream of a port answered.
    pub(super) fn answered(&self, port: &str, now_ms: i64) {
        self.edit_port(port, |known| known.answered_ms = Some(now_ms));
    }

    /// So many failures in a row, and the last of them.
    pub(super) fn failures(&self, port: &str, failures: u32, trouble: &str) {
        self.edit_port(port, |known| {
            known.failures = failures;
            known.trouble = trouble.chars().take(TEXT_CHARS_MAX).collect();
        });
    }

    /// What the sync of a port is at.
    pub fn step(&self, port: &str, what: &str) {
        self.edit_port(port, |known| known.step = what.chars().take(TEXT_CHARS_MAX).collect());
    }

    fn edit_port(&self, port: &str, edit: impl FnOnce(&mut Watched)) {
        self.edit(|ports| {
            if let Some(known) = ports.get_mut(port) {
                edit(known);
            }
        });
    }

    fn edit(&self, edit: impl FnOnce(&mut BTreeMap<String, Watched>)) {
        let is_changed = {
            let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
            let before = ports.clone();
            edit(&mut ports);
            *ports != before
        };
        if is_changed {
            self.changed();
        }
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting",
        Phase::LookQueued => "waiting for a look",
        Phase::Looking => "looking at the upstream",
        Phase::SyncQueued => "waiting for a sync",
        Phase::Syncing => "syncing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_counted_once_and_what_stays_the_same_is_not() {
        let live = Live::default();
        let stand = |phase, place| Stand { port: "p", phase, place, due_ms: None };
        live.stands(&[stand(Phase::Syncing, None)]);
        live.step("p", "building");
        let before = live.change();
        live.step("p", "building");
        live.step("unknown", "building");
        live.stands(&[stand(Phase::Syncing, None)]);
        assert_eq!(live.change(), before);
        live.stands(&[stand(Phase::SyncQueued, Some(2))]);
        let told = live.of("p").unwrap();
        assert_eq!(
            (told.phase.as_str(), told.place, told.step.as_str()),
            ("waiting for a sync", Some(2), "")
        );
        live.stands(&[]);
        assert_eq!(live.of("p"), None);
        assert_eq!(live.change(), before + 2);
    }
}
