//! What a sync in a daemon tells, as lines of the log with the port's name.

use std::sync::{Arc, Mutex, PoisonError};

use crate::daemon::Live;
use crate::daemon::metrics::Metrics;
use crate::progress::{AttemptNews, Listener, Progress};

/// The most notices that are kept of one sync.
const NOTICES_MAX: usize = 100;

/// Writes to the log, counts what is left of a sync, and keeps what the upstream did to its own past.
#[derive(Debug)]
pub(super) struct LogListener {
    port: String,
    metrics: Arc<Metrics>,
    live: Arc<Live>,
    notices: Mutex<Vec<(&'static str, String)>>,
}

impl LogListener {
    pub(super) fn new(port: &str, metrics: &Arc<Metrics>, live: &Arc<Live>) -> Self {
        let (metrics, live) = (Arc::clone(metrics), Arc::clone(live));
        Self { port: port.to_owned(), metrics, live, notices: Mutex::default() }
    }

    pub(super) fn notices(&self) -> Vec<(&'static str, String)> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn attempt(&self, unit: &str, translator: &str, news: &AttemptNews) {
        let port = &self.port;
        match news {
            AttemptNews::Absorbed { evidence } => {
                tracing::debug!(port, unit, translator, evidence, "no edit needed");
            }
            AttemptNews::Passed { origin, evidence } => {
                tracing::info!(port, unit, translator, origin, evidence, "translated");
            }
            AttemptNews::Unchecked { origin } => {
                tracing::info!(port, unit, translator, origin, "translated, with nothing to compare it by");
            }
            AttemptNews::Refused { reason } => tracing::info!(port, unit, translator, reason, "refused"),
            AttemptNews::Declined { reason } => tracing::debug!(port, unit, translator, reason, "declined"),
            AttemptNews::Waiting { reason } => tracing::info!(port, unit, translator, reason, "waiting"),
            AttemptNews::Unavailable { reason } => {
                tracing::warn!(port, unit, translator, reason, "cannot tell");
            }
        }
    }
}

impl Listener for LogListener {
    fn tell(&self, progress: Progress) {
        let port = &self.port;
        match progress {
            Progress::Busy { what } | Progress::Step { what } => {
                self.live.step(port, &what);
                tracing::debug!(port, what, "at work");
            }
            Progress::Continued { run, events } => {
                tracing::info!(port, run, events, "going on with a run that was stopped");
            }
            Progress::Notice { code, text } => {
                tracing::warn!(port, code, text, "notice");
                let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
                if notices.len() < NOTICES_MAX {
                    notices.push((code, text));
                }
            }
            Progress::Revision { label, number, of } => {
                tracing::info!(port, revision = label, number, of, "revision");
                // A sync may take hours. This one and those behind it are not followed yet.
                self.metrics.lag_at_work(port, (of + 1).saturating_sub(number) as u64);
            }
            Progress::Planned { class, changes, units, skipped } => {
                tracing::info!(port, class, items = changes.len(), units, skipped, "planned");
            }
            Progress::Attempt { unit, is_test: _, translator, result } => {
                self.attempt(&unit, &translator, &result);
            }
            Progress::Gate { gate, verdict, reason } => {
                tracing::info!(port, gate, verdict = verdict.name(), reason, "gate");
            }
            Progress::Landed { label, commit, disposition } => {
                tracing::info!(port, revision = label, commit, disposition, "landed");
            }
        }
    }
}
