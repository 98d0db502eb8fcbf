//! The loop: one thread owns the state of all ports, and a bounded number of others look and sync for it.
//!
//! It never waits for a port: what takes long is done elsewhere and comes back as an event. A port is in at most one
//! queue and at most once, so that the queues hold no more than there are ports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use upstream::Clock;

use super::port_state::{Phase, PortState, Seen};
use super::trouble::{Trouble, TroubleKind};
use super::work::{Port, SyncReport, Work};

/// How many upstreams are asked at the same time.
const LOOKERS: usize = 4;
/// Events that wait to be taken up. What wakes ports when it is full is dropped: polling finds it.
const EVENTS_MAX: usize = 256;
/// The longest that the loop sleeps: a machine's clock may be set, and `/healthz` hears from it.
const SLEEP_MAX_MS: i64 = 10_000;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A look ended.
    Looked {
        /// The port.
        port: String,
        /// What it found.
        result: Result<Seen, Trouble>,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// A sync ended.
    Synced {
        /// The port.
        port: String,
        /// What it came to.
        report: Box<SyncReport>,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// There may be something new for these ports.
    Wake {
        /// The ports.
        ports: BTreeSet<String>,
    },
    /// A flag of [`Control`] was set, or the time was moved.
    Nudge,
}

/// Steers a loop from other threads.
#[derive(Debug, Clone)]
pub struct Control {
    /// Set to end once what runs has come to a point where it can go on later.
    pub stop: Arc<AtomicBool>,
    /// Set to read the configurations anew.
    pub reload: Arc<AtomicBool>,
    /// When the loop last turned, in milliseconds since the Unix epoch.
    pub turned_ms: Arc<AtomicI64>,
    /// Whether every port was looked at once.
    pub ready: Arc<AtomicBool>,
    events: SyncSender<Event>,
}

impl Control {
    /// Makes the loop look at the flags at once.
    pub fn nudge(&self) {
        // A full channel means that the loop is about to turn anyway.
        drop(self.events.try_send(Event::Nudge));
    }

    /// Wakes ports; false where too much else waits.
    pub fn wake(&self, ports: BTreeSet<String>) -> bool {
        self.events.try_send(Event::Wake { ports }).is_ok()
    }
}

/// What a port is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand<'a> {
    /// The port.
    pub port: &'a str,
    /// What it is at.
    pub phase: Phase,
    /// Its place in the queue that it waits in, from 1.
    pub place: Option<usize>,
    /// When it is looked at next, in milliseconds since the Unix epoch; `None` while it is at work.
    pub due_ms: Option<i64>,
}

/// Hears what happens in the loop, in its thread.
pub trait Observer: Send {
    /// A look ended.
    fn looked(&mut self, port: &str, result: &Result<Seen, Trouble>, took_ms: u64);
    /// A sync ended; `failures` have followed on each other.
    fn synced(&mut self, port: &str, report: &SyncReport, took_ms: u64);
    /// How things stand after an event about a port.
    fn settled(&mut self, port: &str, state: &PortState);
    /// How many ports wait for a look, wait for a sync, and are at work.
    fn queues(&mut self, looks: usize, syncs: usize, busy: usize);
    /// What each port is at, told at every turn of the loop.
    fn stands(&mut self, _ports: &[Stand<'_>]) {}
    /// The ports are these now.
    fn ports(&mut self, ports: &[Port]);
}

/// The loop.
pub struct Dispatcher<'a> {
    work: &'a dyn Work,
    clock: &'a dyn Clock,
    observer: &'a mut dyn Observer,
    control: Control,
    events: Receiver<Event>,
    ports: BTreeMap<String, (Port, PortState)>,
    looks: VecDeque<String>,
    syncs: VecDeque<String>,
}

impl std::fmt::Debug for Dispatcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("ports", &self.ports).finish_non_exhaustive()
    }
}

impl<'a> Dispatcher<'a> {
    /// A loop over these ports that nothing has happened to, which ends when `stop` is set.
    pub fn new(
        work: &'a dyn Work,
        clock: &'a dyn Clock,
        observer: &'a mut dyn Observer,
        ports: Vec<Port>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let (sender, events) = sync_channel(EVENTS_MAX);
        let now_ms = clock.now_ms();
        observer.ports(&ports);
        Self {
            work,
            clock,
            observer,
            control: Control {
                stop,
                reload: Arc::default(),
                turned_ms: Arc::new(AtomicI64::new(now_ms)),
                ready: Arc::default(),
                events: sender,
            },
            events,
            ports: ports
                .into_iter()
                .map(|port| (port.name.clone(), (port, PortState::new(now_ms))))
                .collect(),
            looks: VecDeque::new(),
            syncs: VecDeque::new(),
        }
    }

    /// What steers it.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Runs until it is told to stop and nothing is at work any more. At most `syncs` ports are synced at once.
    pub fn run(mut self, syncs: usize) {
        let (work, clock) = (self.work, self.clock);
        let events = self.control.events.clone();
        std::thread::scope(|scope| {
            let look = |port: &str| {
                let started_ms = clock.now_ms();
                let result = guarded(|| work.look(port)).unwrap_or_else(Err);
                Event::Looked { port: port.to_owned(), result, took_ms: since(clock, started_ms) }
            };
            let sync = |port: &str| {
                let started_ms = clock.now_ms();
                let failed = |trouble| SyncReport { result: Err(trouble), lag: None, notices: Vec::new() };
                let report = Box::new(guarded(|| work.sync(port)).unwrap_or_else(failed));
                Event::Synced { port: port.to_owned(), report, took_ms: since(clock, started_ms) }
            };
            let mut lookers = Pool::start(scope, LOOKERS, &events, look);
            let mut workers = Pool::start(scope, syncs.max(1), &events, sync);
            while self.turn(&mut lookers, &mut workers) {}
            // The pools end with their queues, and the scope waits for them.
        });
    }

    /// One turn; false at the end.
    fn turn(&mut self, lookers: &mut Pool, workers: &mut Pool) -> bool {
        let now_ms = self.clock.now_ms();
        self.control.turned_ms.store(now_ms, Ordering::Relaxed);
        let stopping = self.control.stop.load(Ordering::Relaxed);
        if stopping {
            self.looks.clear();
            self.syncs.clear();
            if lookers.busy == 0 && workers.busy == 0 {
                return false;
            }
        } else {
            if self.control.reload.swap(false, Ordering::Relaxed) {
                self.reload(now_ms);
            }
            self.hand_out(lookers, workers, now_ms);
        }
        self.observer.queues(self.looks.len(), self.syncs.len(), lookers.busy + workers.busy);
        self.tell_stands(now_ms);
        let sleep =
            if stopping { Duration::from_millis(SLEEP_MAX_MS.unsigned_abs()) } else { self.sleep(now_ms) };
        match self.events.recv_timeout(sleep) {
            Ok(event) => self.take(event, lookers, workers),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        while let Ok(event) = self.events.try_recv() {
            self.take(event, lookers, workers);
        }
        true
    }

    /// Queues what is due, and gives what is queued to whoever is free.
    fn hand_out(&mut self, lookers: &mut Pool, workers: &mut Pool, now_ms: i64) {
        for (name, (port, state)) in &mut self.ports {
            if state.due(name, &port.rhythm, now_ms).is_some_and(|due_ms| due_ms <= now_ms) {
                state.phase = Phase::LookQueued;
                self.looks.push_back(name.clone());
            }
        }
        while lookers.is_free()
            && let Some(name) = self.looks.pop_front()
        {
            if let Some((_, state)) = self.ports.get_mut(&name) {
                state.look_begins(now_ms);
                lookers.give(name);
            }
        }
        while workers.is_free()
            && let Some(name) = self.syncs.pop_front()
        {
            if let Some((_, state)) = self.ports.get_mut(&name) {
                state.phase = Phase::Syncing;
                workers.give(name);
            }
        }
    }

    fn tell_stands(&mut self, now_ms: i64) {
        let queued = self.looks.iter().enumerate().chain(self.syncs.iter().enumerate());
        let places: BTreeMap<&str, usize> = queued.map(|(at, name)| (name.as_str(), at + 1)).collect();
        let stands: Vec<Stand<'_>> = self
            .ports
            .iter()
            .map(|(name, (port, state))| Stand {
                port: name,
                phase: state.phase,
                place: places.get(name.as_str()).copied(),
                due_ms: state.due(name, &port.rhythm, now_ms),
            })
            .collect();
        self.observer.stands(&stands);
    }

    fn sleep(&self, now_ms: i64) -> Duration {
        let dues =
            self.ports.iter().filter_map(|(name, (port, state))| state.due(name, &port.rhythm, now_ms));
        let next_ms = dues.min().unwrap_or(i64::MAX).saturating_sub(now_ms).clamp(0, SLEEP_MAX_MS);
        Duration::from_millis(next_ms.unsigned_abs())
    }

    fn take(&mut self, event: Event, lookers: &mut Pool, workers: &mut Pool) {
        let now_ms = self.clock.now_ms();
        match event {
            Event::Looked { port: name, result, took_ms } => {
                lookers.busy -= 1;
                self.observer.looked(&name, &result, took_ms);
                let Some((port, state)) = self.ports.get_mut(&name) else { return };
                match &result {
                    Ok(seen) => {
                        if state.looked(seen, now_ms) {
                            self.syncs.push_back(name.clone());
                        }
                    }
                    Err(trouble) if trouble.kind == TroubleKind::Stopped => state.phase = Phase::Waiting,
                    Err(_failed) => state.look_failed(&port.rhythm, now_ms),
                }
                self.told(&name, now_ms);
            }
            Event::Synced { port: name, report, took_ms } => {
                workers.busy -= 1;
                self.observer.synced(&name, &report, took_ms);
                let Some((port, state)) = self.ports.get_mut(&name) else { return };
                state.synced(report.end(), &port.rhythm, now_ms);
                self.told(&name, now_ms);
            }
            Event::Wake { ports } => {
                for name in &ports {
                    if let Some((_, state)) = self.ports.get_mut(name) {
                        state.wake();
                    }
                }
            }
            Event::Nudge => {}
        }
    }

    fn told(&mut self, name: &str, now_ms: i64) {
        let Some((port, state)) = self.ports.get(name) else { return };
        self.observer.settled(name, state);
        if let Some(due_ms) = state.due(name, &port.rhythm, now_ms) {
            let at = jiff::Timestamp::from_millisecond(due_ms).map(|at| at.to_string()).unwrap_or_default();
            tracing::debug!(port = name, at, "next look");
        }
        let all_seen = self.ports.values().all(|(_, state)| state.was_looked_at());
        self.control.ready.fetch_or(all_seen, Ordering::Relaxed);
    }

    fn reload(&mut self, now_ms: i64) {
        let ports = match self.work.reload() {
            Ok(ports) => ports,
            Err(wrong) => {
                tracing::error!(wrong, "the configuration is refused, and the former one holds on");
                return;
            }
        };
        self.observer.ports(&ports);
        let mut before = std::mem::take(&mut self.ports);
        for port in ports {
            let state = before.remove(&port.name).map_or_else(|| PortState::new(now_ms), |(_, state)| state);
            self.ports.insert(port.name.clone(), (port, state));
        }
        let is_there = |name: &String| self.ports.contains_key(name);
        self.looks.retain(is_there);
        self.syncs.retain(is_there);
        tracing::info!(ports = self.ports.len(), "the configuration was read anew");
    }
}

fn since(clock: &dyn Clock, started_ms: i64) -> u64 {
    u64::try_from(clock.now_ms() - started_ms).unwrap_or_default()
}

/// A broken invariant fails the one job that met it.
fn guarded<T>(job: impl FnOnce() -> T) -> Result<T, Trouble> {
    std::panic::catch_unwind(AssertUnwindSafe(job)).map_err(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Trouble { kind: TroubleKind::Internal, text: format!("a fault of Tidelock itself: {said}") }
    })
}

/// Threads that do one thing, each for one port at a time.
struct Pool {
    jobs: SyncSender<String>,
    size: usize,
    busy: usize,
}

impl Pool {
    fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        size: usize,
        events: &SyncSender<Event>,
        job: impl Fn(&str) -> Event + Copy + Send + 'scope,
    ) -> Self {
        let (jobs, queue) = sync_channel::<String>(size);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..size {
            let (queue, events) = (Arc::clone(&queue), events.clone());
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(port) = next else { return };
                    // The loop outlives the pools and always takes what they send.
                    drop(events.send(job(&port)));
                }
            });
        }
        Self { jobs, size, busy: 0 }
    }

    fn is_free(&self) -> bool {
        self.busy < self.size
    }

    fn give(&mut self, port: String) {
        self.busy += 1;
        // There is room: only as many are given as there are threads.
        drop(self.jobs.try_send(port));
    }
}
