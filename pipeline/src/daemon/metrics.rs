//! What the daemon counts, in the `OpenMetrics` text format, which Prometheus reads.
//!
//! Counters begin at 0 with the process. Labels are names of configured ports and words from closed lists, so that
//! the number of series is bounded by the number of ports.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use reports::RunRecord;
use reports::record::UnitOutcome;

use super::work::{Lag, Port};

/// The content type of the format.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The bounds of the times of looks, in seconds.
const LOOK_BOUNDS_S: [f64; 8] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0];
/// The bounds of the times of syncs, in seconds.
const SYNC_BOUNDS_S: [f64; 8] = [1.0, 5.0, 15.0, 60.0, 300.0, 1200.0, 3600.0, 14400.0];
/// Seconds in a day.
const DAY_S: f64 = 24.0 * 60.0 * 60.0;

/// A port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfPort {
    port: String,
}

/// A port, and one word about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    port: String,
    kind: String,
}

/// A gate of a port, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Said {
    port: String,
    gate: String,
    verdict: String,
}

/// A forge, and what became of what it sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Delivered {
    forge: &'static str,
    result: &'static str,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Queue {
    queue: &'static str,
}

type Amount = Gauge<f64, AtomicU64>;
type Sum = Counter<f64, AtomicU64>;

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    lag_revisions: Family<OfPort, Gauge>,
    lag_items: Family<OfPort, Gauge>,
    lag_days: Family<OfPort, Amount>,
    parked: Family<OfPort, Gauge>,
    failures: Family<OfPort, Gauge>,
    notices: Family<Kind, Gauge>,
    last_poll: Family<OfPort, Amount>,
    last_sync: Family<OfPort, Amount>,
    looks: Family<Kind, Counter>,
    syncs: Family<Kind, Counter>,
    revisions: Family<Kind, Counter>,
    units: Family<Kind, Counter>,
    verdicts: Family<Said, Counter>,
    tokens: Family<Kind, Counter>,
    cost: Family<OfPort, Sum>,
    look_seconds: Family<OfPort, Histogram>,
    sync_seconds: Family<OfPort, Histogram>,
    queue: Family<Queue, Gauge>,
    webhooks: Family<Delivered, Counter>,
    notifications: Family<Kind, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("tidelock"),
            lag_revisions: Family::default(),
            lag_items: Family::default(),
            lag_days: Family::default(),
            parked: Family::default(),
            failures: Family::default(),
            notices: Family::default(),
            last_poll: Family::default(),
            last_sync: Family::default(),
            looks: Family::default(),
            syncs: Family::default(),
            revisions: Family::default(),
            units: Family::default(),
            verdicts: Family::default(),
            tokens: Family::default(),
            cost: Family::default(),
            look_seconds: Family::new_with_constructor(|| Histogram::new(LOOK_BOUNDS_S)),
            sync_seconds: Family::new_with_constructor(|| Histogram::new(SYNC_BOUNDS_S)),
            queue: Family::default(),
            webhooks: Family::default(),
            notifications: Family::default(),
        };
        let m = &mut metrics;
        let r = &mut m.registry;
        r.register("lag_revisions", "Revisions behind the upstream", m.lag_revisions.clone());
        r.register("lag_items", "Items that differ from the newest revision", m.lag_items.clone());
        r.register("lag_days", "Days from the baseline to the newest revision", m.lag_days.clone());
        r.register("parked_items", "Items that wait for a person", m.parked.clone());
        r.register("failures", "Failures in a row", m.failures.clone());
        r.register("notices", "What the upstream did to its past, since the last sync", m.notices.clone());
        r.register("last_poll_timestamp_seconds", "When the upstream last answered", m.last_poll.clone());
        r.register(
            "last_sync_timestamp_seconds",
            "When a sync last ended with a record",
            m.last_sync.clone(),
        );
        r.register("looks", "Looks by what they found", m.looks.clone());
        r.register("syncs", "Syncs by how they ended", m.syncs.clone());
        r.register("revisions", "Revisions by what became of them", m.revisions.clone());
        r.register("units", "Work units by what became of them", m.units.clone());
        r.register("verdicts", "Verdicts of gates", m.verdicts.clone());
        r.register("tokens", "Tokens sent to and received from models", m.tokens.clone());
        r.register("cost_usd", "United States dollars paid, where prices are configured", m.cost.clone());
        r.register("look_duration_seconds", "How long looks took", m.look_seconds.clone());
        r.register("sync_duration_seconds", "How long syncs took", m.sync_seconds.clone());
        r.register("queue_depth", "Ports that wait, or are at work", m.queue.clone());
        r.register("webhooks", "Requests of forges by what became of them", m.webhooks.clone());
        r.register("notifications", "Notifications by what became of them", m.notifications.clone());
        metrics
    }
}

fn of(port: &str) -> OfPort {
    OfPort { port: port.to_owned() }
}

fn kind(port: &str, kind: &str) -> Kind {
    Kind { port: port.to_owned(), kind: kind.to_owned() }
}

fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "times and amounts of a process, far below 2^52")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

impl Metrics {
    /// The text of all of them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing into a text cannot fail; half of the numbers would be worse than none.
            Err(std::fmt::Error) => String::new(),
        }
    }

    /// A look ended at a time, with this word.
    pub fn looked(&self, port: &str, result: &str, took_ms: u64, answered_ms: Option<i64>) {
        self.looks.get_or_create(&kind(port, result)).inc();
        self.look_seconds.get_or_create(&of(port)).observe(seconds(took_ms));
        if let Some(now_ms) = answered_ms {
            self.last_poll.get_or_create(&of(port)).set(seconds(now_ms.unsigned_abs()));
        }
    }

    /// A sync ended with this word.
    pub fn synced(&self, port: &str, result: &str, took_ms: u64) {
        self.syncs.get_or_create(&kind(port, result)).inc();
        self.sync_seconds.get_or_create(&of(port)).observe(seconds(took_ms));
    }

    /// What a sync did, at a time.
    pub fn recorded(&self, port: &str, record: &RunRecord, now_ms: i64) {
        self.last_sync.get_or_create(&of(port)).set(seconds(now_ms.unsigned_abs()));
        for revision in &record.revisions {
            let disposition = revision.disposition.as_deref().unwrap_or("open");
            self.revisions.get_or_create(&kind(port, disposition)).inc();
            for gate in &revision.gates {
                let said = Said {
                    port: port.to_owned(),
                    gate: gate.gate.clone(),
                    verdict: gate.verdict.name().to_owned(),
                };
                self.verdicts.get_or_create(&said).inc();
            }
            for unit in &revision.units {
                let outcome = match unit.outcome {
                    UnitOutcome::Open => "open",
                    UnitOutcome::Absorbed => "absorbed",
                    UnitOutcome::Translated { .. } => "translated",
                    UnitOutcome::Parked { .. } => "parked",
                };
                self.units.get_or_create(&kind(port, outcome)).inc();
                for attempt in &unit.attempts {
                    self.tokens.get_or_create(&kind(port, "input")).inc_by(attempt.input_tokens);
                    self.tokens.get_or_create(&kind(port, "output")).inc_by(attempt.output_tokens);
                    self.cost.get_or_create(&of(port)).inc_by(attempt.cost_usd.unwrap_or(0.0).max(0.0));
                }
            }
        }
    }

    /// How far behind a port is. What cannot be told is left out, and not shown as 0.
    pub fn lag(&self, port: &str, lag: Lag) {
        let set = |family: &Family<OfPort, Gauge>, value: Option<u64>| match value {
            Some(value) => drop(family.get_or_create(&of(port)).set(signed(value))),
            None => drop(family.remove(&of(port))),
        };
        set(&self.lag_revisions, lag.revisions);
        set(&self.lag_items, lag.items);
        set(&self.parked, Some(lag.parked));
        match lag.seconds {
            Some(lag_s) => {
                self.lag_days.get_or_create(&of(port)).set(seconds(lag_s.saturating_mul(1000)) / DAY_S);
            }
            None => drop(self.lag_days.remove(&of(port))),
        }
    }

    /// How many revisions a port is behind while a sync follows them. The rest is told when that is over.
    pub fn lag_at_work(&self, port: &str, revisions: u64) {
        self.lag_revisions.get_or_create(&of(port)).set(signed(revisions));
    }

    /// What the upstream did to its past, as the last sync of a port saw it.
    pub fn notices(&self, port: &str, before: &[&'static str], now: &[&'static str]) {
        for code in before.iter().filter(|code| !now.contains(code)) {
            self.notices.remove(&kind(port, code));
        }
        for code in now {
            self.notices.get_or_create(&kind(port, code)).set(1);
        }
    }

    /// How many failures of a port have followed on each other.
    pub fn failures(&self, port: &str, failures: u32) {
        self.failures.get_or_create(&of(port)).set(i64::from(failures));
    }

    /// How many ports wait for a look, wait for a sync, and are at work.
    pub fn queues(&self, looks: usize, syncs: usize, busy: usize) {
        for (queue, depth) in [("looks", looks), ("syncs", syncs), ("busy", busy)] {
            self.queue.get_or_create(&Queue { queue }).set(signed(depth));
        }
    }

    /// A request of a forge.
    pub fn webhook(&self, forge: &'static str, result: &'static str) {
        self.webhooks.get_or_create(&Delivered { forge, result }).inc();
    }

    /// A notification of a port.
    pub fn notified(&self, port: &str, result: &str) {
        self.notifications.get_or_create(&kind(port, result)).inc();
    }

    /// These are the ports now: what others said is forgotten, as far as it says how things stand.
    pub fn ports(&self, gone: &[String], ports: &[Port]) {
        for port in gone {
            for family in [&self.lag_revisions, &self.lag_items, &self.parked, &self.failures] {
                family.remove(&of(port));
            }
            for family in [&self.lag_days, &self.last_poll, &self.last_sync] {
                family.remove(&of(port));
            }
        }
        for port in ports {
            drop(self.failures.get_or_create(&of(&port.name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_parse::{Scrape, Value};
    use reports::RunOutcome;

    use super::super::testing::record;
    use super::*;

    /// The value of a series, as Prometheus would read it.
    fn value(metrics: &Metrics, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let text = metrics.text();
        let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
        let sample = scrape.samples.into_iter().find(|sample| {
            sample.metric == name && labels.iter().all(|(key, value)| sample.labels.get(key) == Some(value))
        })?;
        match sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => Some(value),
            Value::Histogram(_) | Value::Summary(_) => panic!("{name} is no single number"),
        }
    }

    #[test]
    fn what_is_told_is_read_by_a_parser() {
        let metrics = Metrics::default();
        metrics.looked("p", "idle", 20, Some(1_800_000_000_000));
        metrics.synced("p", "done", 2500);
        metrics.recorded("p", &record(RunOutcome::Done), 1_800_000_000_500);
        metrics.queues(2, 1, 3);
        metrics.webhook("github", "woken");
        let lag = Lag { revisions: Some(3), items: Some(14), seconds: Some(129_600), parked: 2 };
        metrics.lag("p", lag);
        let p = [("port", "p")];
        assert_eq!(value(&metrics, "tidelock_lag_revisions", &p), Some(3.0));
        assert_eq!(value(&metrics, "tidelock_lag_items", &p), Some(14.0));
        assert_eq!(value(&metrics, "tidelock_lag_days", &p), Some(1.5));
        assert_eq!(value(&metrics, "tidelock_parked_items", &p), Some(2.0));
        assert_eq!(value(&metrics, "tidelock_last_poll_timestamp_seconds", &p), Some(1_800_000_000.0));
        assert_eq!(value(&metrics, "tidelock_looks_total", &[("port", "p"), ("kind", "idle")]), Some(1.0));
        assert_eq!(value(&metrics, "tidelock_queue_depth", &[("queue", "busy")]), Some(3.0));
        assert_eq!(value(&metrics, "tidelock_webhooks_total", &[("forge", "github")]), Some(1.0));
        assert!(metrics.text().ends_with("# EOF\n"));
    }

    #[test]
    fn what_cannot_be_told_is_not_shown_as_nothing() {
        let metrics = Metrics::default();
        metrics.lag("p", Lag { revisions: Some(3), items: None, seconds: Some(1), parked: 0 });
        assert_eq!(value(&metrics, "tidelock_lag_items", &[]), None);
        metrics.lag("p", Lag::default());
        assert_eq!(value(&metrics, "tidelock_lag_revisions", &[]), None);
        assert_eq!(value(&metrics, "tidelock_lag_days", &[]), None);
    }

    #[test]
    fn names_are_escaped_and_a_port_that_is_gone_tells_nothing_of_how_it_stands() {
        let metrics = Metrics::default();
        let hostile = "a\"b\\c\nd";
        metrics.failures(hostile, 4);
        let text = metrics.text();
        assert!(text.contains(r#"tidelock_failures{port="a\"b\\c\nd"} 4"#), "{text}");
        metrics.ports(&[hostile.to_owned()], &[]);
        assert!(!metrics.text().contains("tidelock_failures{"), "{}", metrics.text());
    }

    #[test]
    fn notices_that_no_longer_hold_are_taken_back() {
        let metrics = Metrics::default();
        metrics.notices("p", &[], &["branch-deleted"]);
        metrics.notices("p", &["branch-deleted"], &["branch-rewritten"]);
        assert_eq!(value(&metrics, "tidelock_notices", &[("kind", "branch-deleted")]), None);
        assert_eq!(value(&metrics, "tidelock_notices", &[("kind", "branch-rewritten")]), Some(1.0));
    }
}
