//! What the loop's events are to the outside: lines of the log, numbers, notifications.

use std::collections::BTreeMap;
use std::sync::Arc;

use upstream::Clock;

use super::alert::Standing;
use super::dispatch::{Observer, Stand};
use super::live::Live;
use super::metrics::Metrics;
use super::notify::Notifier;
use super::port_state::{PortState, Seen};
use super::trouble::{Trouble, TroubleKind};
use super::webhook::Webhooks;
use super::work::{Port, SyncReport};

/// Turns events into what people and programs read.
#[derive(Debug)]
pub struct Observations {
    metrics: Arc<Metrics>,
    webhooks: Arc<Webhooks>,
    notifier: Notifier,
    clock: Arc<dyn Clock>,
    live: Arc<Live>,
    ports: BTreeMap<String, (Port, Standing, Vec<&'static str>)>,
}

impl Observations {
    /// Observes for those who ask over HTTP, and for those who are told.
    pub fn new(
        metrics: Arc<Metrics>,
        webhooks: Arc<Webhooks>,
        notifier: Notifier,
        clock: Arc<dyn Clock>,
        live: Arc<Live>,
    ) -> Self {
        Self { metrics, webhooks, notifier, clock, live, ports: BTreeMap::new() }
    }

    fn note(&mut self, port: &str, trouble: &Trouble) {
        if let Some((_, standing, _)) = self.ports.get_mut(port) {
            standing.trouble = format!("{}: {}", trouble.kind.code(), trouble.text);
        }
    }
}

impl Observer for Observations {
    fn looked(&mut self, port: &str, result: &Result<Seen, Trouble>, took_ms: u64) {
        let now_ms = self.clock.now_ms();
        match result {
            Ok(seen) => {
                tracing::debug!(port, work = seen.work, changed = seen.changed, took_ms, "looked");
                let word = if seen.work { "something-new" } else { "nothing-new" };
                self.metrics.looked(port, word, took_ms, Some(now_ms));
                self.live.answered(port, now_ms);
            }
            Err(trouble) => {
                told(port, trouble, "cannot look at the upstream");
                self.metrics.looked(port, trouble.kind.code(), took_ms, None);
                self.note(port, trouble);
            }
        }
    }

    fn synced(&mut self, port: &str, report: &SyncReport, took_ms: u64) {
        match &report.result {
            Ok(record) => {
                tracing::info!(
                    port,
                    run = record.run,
                    outcome = record.outcome.name(),
                    baseline = record.upstream.baseline_after,
                    lag = report.lag.and_then(|lag| lag.revisions),
                    took_ms,
                    "synced"
                );
                self.metrics.synced(port, record.outcome.name(), took_ms);
                self.metrics.recorded(port, record, self.clock.now_ms());
            }
            Err(trouble) => {
                told(port, trouble, "cannot sync");
                self.metrics.synced(port, trouble.kind.code(), took_ms);
                self.note(port, trouble);
            }
        }
        let Some((_, standing, codes)) = self.ports.get_mut(port) else { return };
        if let Ok(record) = &report.result {
            standing.trouble = format!("the sync {} ended as {}", record.run, record.outcome.name());
            // Only a sync that came to its end has asked what the upstream did.
            standing.notices = Some(report.upstream_notices().map(|(_, text)| text.clone()).collect());
            let now: Vec<&'static str> = report.upstream_notices().map(|(code, _)| *code).collect();
            self.metrics.notices(port, codes, &now);
            *codes = now;
        }
        if let Some(lag) = report.lag {
            self.metrics.lag(port, lag);
            standing.lag = Some(lag);
        }
    }

    fn settled(&mut self, port: &str, state: &PortState) {
        if state.failures > 0 {
            tracing::warn!(port, failures = state.failures, "failures in a row");
        }
        self.metrics.failures(port, state.failures);
        if let Some((watched, standing, _)) = self.ports.get_mut(port) {
            standing.failures = state.failures;
            self.live.failures(port, state.failures, &standing.trouble);
            self.notifier.hear(port, &watched.alert, standing.clone());
        }
    }

    fn queues(&mut self, looks: usize, syncs: usize, busy: usize) {
        self.metrics.queues(looks, syncs, busy);
    }

    fn stands(&mut self, ports: &[Stand<'_>]) {
        self.live.stands(ports);
    }

    fn ports(&mut self, ports: &[Port]) {
        let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
        tracing::info!(ports = names.join(", "), "watching");
        let mut before = std::mem::take(&mut self.ports);
        for port in ports {
            let (standing, codes) =
                before.remove(&port.name).map(|(_, standing, codes)| (standing, codes)).unwrap_or_default();
            self.ports.insert(port.name.clone(), (port.clone(), standing, codes));
        }
        for (name, (_, _, codes)) in &before {
            self.metrics.notices(name, codes, &[]);
        }
        let gone: Vec<String> = before.into_keys().collect();
        self.metrics.ports(&gone, ports);
        self.webhooks.watch(ports);
    }
}

fn told(port: &str, trouble: &Trouble, what: &str) {
    let (code, text) = (trouble.kind.code(), &trouble.text);
    match trouble.kind {
        TroubleKind::Busy | TroubleKind::Stopped => tracing::info!(port, code, text, "{what}"),
        TroubleKind::UpstreamGone
        | TroubleKind::UpstreamDenied
        | TroubleKind::RevisionsGone
        | TroubleKind::UpstreamUnusable
        | TroubleKind::PortInTheWay
        | TroubleKind::PortUnusable
        | TroubleKind::Blocked
        | TroubleKind::Configuration
        | TroubleKind::NoRoom
        | TroubleKind::Internal => tracing::error!(port, code, text, "{what}"),
    }
}
