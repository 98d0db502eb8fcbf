//! The dashboard: pages for people over what runs left and, where one runs, over what the daemon does.
//!
//! It reads and never writes: journals are opened read-only. Where a token is set, people who sign in with it may have
//! the daemon look or sync (`actions`); nothing else can be asked for. `keeper` follows the journals in a thread of its own, `survey` reads how ports stand in another, and `routes` answers from
//! what they keep. The pages themselves are drawn by [`reports::board`].

mod access;
mod actions;
mod commands;
mod events;
mod graph;
mod index;
mod keeper;
mod routes;
mod sessions;
mod survey;
mod symbols;

#[cfg(test)]
mod action_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use reports::RunRecord;
use reports::board::{PortNow, Standing};
use secrecy::SecretString;
use tokio::sync::Semaphore;
use upstream::Clock;

use crate::config::Settings;
use crate::daemon::Live;
use crate::session::Machine;
use crate::store::{Store, StoreError};
use actions::Acting;
use index::Index;
use sessions::Sessions;
use symbols::Symbols;

pub(crate) use access::is_name;
pub use actions::Act;
pub use routes::router;

/// Pages that are drawn at a time.
const PAGES_MAX: usize = 4;
/// Browsers that listen at a time.
const LISTENERS_MAX: usize = 24;
/// After so long a standing is read anew when somebody looks, in milliseconds.
const STANDING_OLD_MS: i64 = 60_000;

/// What the dashboard shows, and who reads it for it. Its threads end once it is gone; nobody waits for a reading that
/// is under way.
#[derive(Debug)]
pub struct Dashboard {
    shared: Arc<Shared>,
    _stops: Vec<SyncSender<()>>,
}

/// What a dashboard is opened with.
#[derive(Debug, Default)]
pub struct Means {
    /// What the daemon does, where one answers.
    pub live: Arc<Live>,
    /// Whether a daemon answers, and fills `live`.
    pub is_daemon: bool,
    /// Names by which pages may be asked for, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// The token with which people sign in, and what does what they ask for then. Without it pages only show.
    pub acting: Option<(SecretString, Box<dyn Act>)>,
}

/// What its threads and its handlers share.
#[derive(Debug)]
pub struct Shared {
    machine: Machine,
    live: Arc<Live>,
    /// Whether a daemon answers.
    daemon: bool,
    hosts: Vec<String>,
    acting: Option<Acting>,
    ports: RwLock<BTreeMap<String, Arc<Kept>>>,
    /// Ports whose standing is to be read.
    wanted: Mutex<BTreeSet<String>>,
    drawing: Arc<Semaphore>,
    listening: Arc<Semaphore>,
}

/// A port, and what is known of it.
#[derive(Debug)]
struct Kept {
    settings: Settings,
    index: Mutex<Index>,
    standing: Mutex<Reading>,
}

/// What was read of how a port stands.
#[derive(Debug, Clone, Default)]
struct Reading {
    standing: Option<Arc<Standing>>,
    symbols: Arc<Symbols>,
    trouble: String,
    /// When it was read, and how long that took, in milliseconds.
    read_ms: i64,
    took_ms: i64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dashboard {
    /// Begins to read these ports.
    pub fn start(ports: Vec<Settings>, machine: &Machine, means: Means) -> Self {
        let shared = Arc::new(Shared::new(ports, machine, means));
        let begin = |work: fn(&Shared, &Receiver<()>)| {
            let (stop, stopped) = sync_channel(1);
            let shared = Arc::clone(&shared);
            drop(std::thread::spawn(move || work(&shared, &stopped)));
            stop
        };
        let stops = vec![begin(keeper::keep), begin(survey::read)];
        Self { shared, _stops: stops }
    }

    /// What its handlers answer from.
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Shared {
    fn new(ports: Vec<Settings>, machine: &Machine, means: Means) -> Self {
        let acting =
            |(token, act): (SecretString, Box<dyn Act>)| Acting { sessions: Sessions::new(&token), act };
        let shared = Self {
            machine: survey::quiet(machine),
            live: means.live,
            daemon: means.is_daemon,
            hosts: means.hosts,
            acting: means.acting.map(acting),
            ports: RwLock::default(),
            wanted: Mutex::default(),
            drawing: Arc::new(Semaphore::new(PAGES_MAX)),
            listening: Arc::new(Semaphore::new(LISTENERS_MAX)),
        };
        shared.show(ports);
        shared
    }

    /// The ports are these now. What is known of those that stay is kept.
    pub fn show(&self, ports: Vec<Settings>) {
        let mut kept = self.ports.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *kept);
        for settings in ports {
            let name = settings.port.clone();
            let same = before.remove(&name).filter(|known| {
                known.settings.state == settings.state && known.settings.digest == settings.digest
            });
            let new = || Kept { settings, index: Mutex::default(), standing: Mutex::default() };
            let port = same.unwrap_or_else(|| Arc::new(new()));
            locked(&self.wanted).insert(name.clone());
            kept.insert(name, port);
        }
        drop(kept);
        self.live.changed();
    }

    fn all(&self) -> Vec<(String, Arc<Kept>)> {
        let ports = self.ports.read().unwrap_or_else(PoisonError::into_inner);
        ports.iter().map(|(name, kept)| (name.clone(), Arc::clone(kept))).collect()
    }

    fn port(&self, name: &str) -> Option<Arc<Kept>> {
        self.ports.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn clock(&self) -> &dyn Clock {
        &*self.machine.clock
    }

    /// How a port stands, as far as it was read; an old reading is renewed for the next time.
    fn now(&self, name: &str, kept: &Kept) -> PortNow {
        let reading = locked(&kept.standing).clone();
        if self.clock().now_ms() - reading.read_ms > STANDING_OLD_MS {
            locked(&self.wanted).insert(name.to_owned());
        }
        let settings = &kept.settings;
        let index = locked(&kept.index);
        PortNow {
            name: name.to_owned(),
            folder: settings.root.display().to_string(),
            source: settings.source.to_string(),
            language: settings.language.clone(),
            watched: self.live.of(name),
            standing: reading.standing.map(|standing| (*standing).clone()),
            standing_trouble: reading.trouble,
            ..index.now()
        }
    }
}

/// Where the journal of a port is.
fn journal(settings: &Settings) -> PathBuf {
    settings.state.join("state.db")
}

/// Why a run cannot be shown.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("there is no such run")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("its events do not follow on each other: {0}")]
    Illegal(#[from] crate::engine::IllegalEvent),
}

/// A run from its journal.
fn record_of(store: &Store, run: &str) -> Result<RunRecord, RunError> {
    let events = store.events(run)?;
    crate::engine::record(&events)?.0.ok_or(RunError::Unknown)
}
