//! Looks at ports and syncs them for the daemon, with the code of `tidelock status --poll` and `tidelock sync`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use anyhow::{Context as _, anyhow};
use mappings::status;
use upstream::process::SystemProcessRunner;
use upstream::{ContentHash, Revision, RevisionLabel, SourceSpec};

use super::listener::LogListener;
use super::ports::{Ports, Watched};
use crate::batches::{self, BatchesOverview};
use crate::chain;
use crate::cli::args::{Sync, Who};
use crate::cli::propose;
use crate::config::Settings;
use crate::daemon::metrics::Metrics;
use crate::daemon::{Lag, Live, Port, Seen, SyncReport, Trouble, TroubleKind, Work};
use crate::dashboard::Shared;
use crate::session::{Looked, Machine, Session, look};

/// How often a sync looks at batches while any is not over: they take up to a day, and mostly far less.
const BATCH_LOOK_MS: i64 = 15 * 60 * 1000;

/// How many items differ between two revisions.
type Between = ((RevisionLabel, RevisionLabel), u64);

/// What the daemon has done for it.
#[derive(Debug)]
pub(super) struct PortWork {
    ports: Ports,
    machine: Machine,
    metrics: Arc<Metrics>,
    live: Arc<Live>,
    /// What shows the ports, where something does.
    board: OnceLock<Arc<Shared>>,
    /// The machine for looks: they are broken off when the daemon is to stop.
    looking: Machine,
    known: RwLock<BTreeMap<String, Arc<Watched>>>,
    /// Items behind, by port, from one revision to another: reading two snapshots is not free.
    items: Mutex<BTreeMap<String, Between>>,
    /// What stood at the forge after the last sync, by port.
    proposals: Mutex<BTreeMap<String, ContentHash>>,
    retries: Retries,
}

/// Ports whose parked work is to be taken up again by their next sync, because somebody asked for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Retries(Arc<Mutex<BTreeSet<String>>>);

impl Retries {
    pub(super) fn ask(&self, port: &str) {
        self.ports().insert(port.to_owned());
    }

    fn is_asked(&self, port: &str) -> bool {
        self.ports().contains(port)
    }

    /// The sync that it was asked of begins.
    fn take(&self, port: &str) -> bool {
        self.ports().remove(port)
    }

    fn ports(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PortWork {
    pub(super) fn new(
        ports: Ports,
        machine: &Machine,
        metrics: &Arc<Metrics>,
        live: &Arc<Live>,
        known: BTreeMap<String, Arc<Watched>>,
    ) -> Self {
        let stop = Arc::clone(&machine.stop);
        let looking = Machine {
            runner: Arc::new(SystemProcessRunner { interrupt: Arc::clone(&stop) }),
            interrupt: stop,
            ..machine.clone()
        };
        let (machine, metrics, live) = (machine.clone(), Arc::clone(metrics), Arc::clone(live));
        let (known, items) = (RwLock::new(known), Mutex::default());
        let (board, proposals, retries) = (OnceLock::new(), Mutex::default(), Retries::default());
        Self { ports, machine, metrics, live, board, looking, known, items, proposals, retries }
    }

    /// What people ask for from outside.
    pub(super) fn retries(&self) -> Retries {
        self.retries.clone()
    }

    /// Tells from now on who shows the ports when their configurations change.
    pub(super) fn shown_by(&self, board: Arc<Shared>) {
        // It is called once.
        drop(self.board.set(board));
    }

    /// How each port is configured.
    pub(super) fn settings(&self) -> Vec<Settings> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().map(|port| port.settings.clone()).collect()
    }

    fn show(&self) {
        if let Some(board) = self.board.get() {
            board.show(self.settings());
        }
    }

    /// The ports as the loop knows them.
    pub(super) fn ports(&self) -> Vec<Port> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let port = |(name, port): (&String, &Arc<Watched>)| Port {
            name: name.clone(),
            rhythm: port.settings.rhythm.clone(),
            upstream: match &port.settings.source {
                SourceSpec::Git { url, .. } => Some(url.clone()),
                SourceSpec::Registry { .. } => None,
            },
            forge: port.settings.forge.as_ref().map(|forge| forge.git_url.clone()),
            alert: Arc::clone(&port.settings.alert),
        };
        known.iter().map(port).collect()
    }

    fn known(&self, port: &str) -> Result<Arc<Watched>, Trouble> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(port).cloned().ok_or_else(|| Trouble {
            kind: TroubleKind::Stopped,
            text: format!("the port `{port}` is no longer watched"),
        })
    }

    /// The configuration of a port as it is now. A wrong one is told and the former one kept.
    fn refreshed(&self, name: &str) -> Result<Settings, Trouble> {
        let before = self.known(name)?;
        match self.ports.port(&before.folder) {
            Ok(now) if now.settings.digest == before.settings.digest => Ok(now.settings),
            Ok(now) if now.settings.port == name => {
                tracing::info!(port = name, "the configuration has changed and holds from this sync on");
                let settings = now.settings.clone();
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                known.insert(name.to_owned(), Arc::new(now));
                drop(known);
                self.show();
                Ok(settings)
            }
            Ok(_renamed) => {
                tracing::warn!(
                    port = name,
                    "the port has another name now, which holds from the next reload on"
                );
                Ok(before.settings.clone())
            }
            Err(wrong) => {
                let wrong = wrong.to_string();
                tracing::error!(
                    port = name,
                    wrong,
                    "the configuration is refused, and the former one holds on"
                );
                Ok(before.settings.clone())
            }
        }
    }

    fn open(&self, port: &str, listener: &Arc<LogListener>) -> Result<Session, Trouble> {
        let settings = self.refreshed(port)?;
        let machine = Machine { listener: Arc::clone(listener) as _, ..self.machine.clone() };
        Session::open(settings, machine).map_err(|error| Trouble::of(&error.into()))
    }

    /// How many items differ between two revisions, where both can be read.
    fn items_between(&self, session: &Session, baseline: &Revision, newest: &Revision) -> Option<u64> {
        let port = &session.settings.port;
        let key = (baseline.label.clone(), newest.label.clone());
        let kept = || self.items.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(items) = kept().get(port).filter(|(of, _)| *of == key).map(|(_, items)| *items) {
            return Some(items);
        }
        let (before, after) = (session.snapshot(baseline).ok()?, session.snapshot(newest).ok()?);
        let items = upstream::diff::compare(&before, &after).items.len() as u64;
        kept().insert(port.clone(), (key, items));
        Some(items)
    }

    /// How far behind a port is, from what was last seen of its upstream.
    fn lag(&self, session: &Session) -> anyhow::Result<Lag> {
        let head = session.head()?;
        let lock = session.lock(&head.tree)?;
        let revisions = session.mirror.revisions()?;
        let lag = status::lag(&lock, &revisions);
        let items = match (lag.revisions, lag.baseline, lag.newest) {
            (Some(0), _, _) => Some(0),
            (Some(_), Some(baseline), Some(newest)) => self.items_between(session, baseline, newest),
            (Some(_) | None, Some(_) | None, Some(_) | None) => None,
        };
        Ok(Lag { items, parked: lock.parked.len() as u64, ..Lag::from(&lag) })
    }
}

impl Work for PortWork {
    fn look(&self, port: &str) -> Result<Seen, Trouble> {
        let settings = &self.known(port)?.settings;
        let Looked { head, lock, glance } =
            look(settings, &self.looking).map_err(|error| Trouble::of(&error.into()))?;
        let mut answers = Vec::new();
        for inbox in chain::inboxes(settings) {
            answers.extend(inbox.waiting_answers().map_err(|error| Trouble::of(&anyhow!(error)))?);
        }
        let batches = batches::overview(settings).map_err(|error| Trouble::of(&error))?;
        let is_batch_open = batches.iter().any(BatchesOverview::is_open);
        let proposals = propose::seen(settings, &self.looking).map_err(|error| Trouble::of(&error.cause))?;
        let after_sync = self.proposals.lock().unwrap_or_else(PoisonError::into_inner).get(port).copied();
        // People say and do things at the forge that a sync answers.
        let is_talked_about = proposals.is_some() && proposals != after_sync;
        let newest = glance.newest.as_ref().map_or("", |(_, commit)| commit.as_str()).to_owned();
        let mut facts = vec![settings.digest.to_string(), head.commit.to_string(), newest];
        facts.extend(answers.iter().cloned());
        facts.extend(proposals.map(|seen| seen.to_string()));
        // Nobody tells when a batch is answered: a sync asks for it now and then.
        let now_ms = self.machine.clock.now_ms();
        facts.extend(is_batch_open.then(|| format!("batches {}", now_ms.div_euclid(BATCH_LOOK_MS))));
        let is_retry = self.retries.is_asked(port);
        // What somebody asks for is new, whatever the last sync came to.
        facts.extend(is_retry.then(|| "retry".to_owned()));
        Ok(Seen {
            work: !glance.is_up_to_date(&lock.baseline)
                || !answers.is_empty()
                || is_batch_open
                || is_talked_about
                || is_retry,
            changed: glance.changed,
            facts: ContentHash::of_parts(facts),
        })
    }

    fn sync(&self, port: &str) -> SyncReport {
        let _whole = tracing::info_span!("sync", port).entered();
        let listener = Arc::new(LogListener::new(port, &self.metrics, &self.live));
        let session = match self.open(port, &listener) {
            Ok(session) => session,
            Err(trouble) => {
                return SyncReport { result: Err(trouble), lag: None, notices: listener.notices() };
            }
        };
        let retry = self.retries.take(port);
        let asked = Sync {
            to: None,
            limit: None,
            retry,
            dry_run: false,
            accept: None,
            // They are in the settings already.
            who: Who::default(),
        };
        let synced = propose::synced(session.settings.clone(), &session.machine, &asked);
        // What the sync itself saw last, so that what people did since is found by the next look.
        if let Ok(propose::Synced { outcome: Some(outcome), .. }) = &synced {
            let mut proposals = self.proposals.lock().unwrap_or_else(PoisonError::into_inner);
            proposals.insert(port.to_owned(), outcome.seen);
        }
        let result = synced.map(|synced| synced.record).map_err(|error| {
            let trouble = Trouble::of(&error.cause);
            // What is broken off at a hard stop looks like a fault of others.
            let stopped = self.machine.interrupt.load(Ordering::Relaxed);
            if stopped { Trouble { kind: TroubleKind::Stopped, ..trouble } } else { trouble }
        });
        if retry && result.is_err() {
            // It was not begun, or broken off: the next one takes it up.
            self.retries.ask(port);
        }
        let lag = self.lag(&session).context("cannot tell how far behind it is");
        let lag = lag.inspect_err(|error| tracing::warn!(port, error = format!("{error:#}"), "lag")).ok();
        SyncReport { result, lag, notices: listener.notices() }
    }

    fn reload(&self) -> Result<Vec<Port>, String> {
        let (_jobs_and_address_hold_until_the_end, ports) =
            self.ports.read().map_err(|wrong| wrong.to_string())?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = ports;
        self.show();
        Ok(self.ports())
    }
}
