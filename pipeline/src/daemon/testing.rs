//! Ports and runs for tests.

use std::sync::Arc;

use jiff::tz::TimeZone;
use reports::record::{FORMAT, PortFacts, UpstreamFacts};
use reports::{RunOutcome, RunRecord};

use super::alert::Thresholds;
use super::notify::AlertPlan;
use super::work::Port;
use super::{Rhythm, Schedule, When};

/// A port that is looked at every minute and told to nobody.
pub(super) fn port(name: &str) -> Port {
    let schedule = Schedule::new(When::EveryS(60), TimeZone::UTC, Vec::new(), 0, 0).unwrap();
    let plan = AlertPlan {
        thresholds: Thresholds { lag_revisions: None, lag_items: None, lag_days: None, failures: 3 },
        channels: Vec::new(),
        root: "/".into(),
        state: "/".into(),
    };
    Port {
        name: name.to_owned(),
        rhythm: Rhythm { schedule, retry_s: 30, retry_max_s: 300 },
        upstream: None,
        forge: None,
        alert: Arc::new(plan),
    }
}

/// A run that ended so and did nothing else.
pub(super) fn record(outcome: RunOutcome) -> RunRecord {
    let text = || "x".to_owned();
    RunRecord {
        format: FORMAT,
        run: text(),
        tidelock: text(),
        started_ms: 0,
        finished_ms: Some(1),
        outcome,
        port: PortFacts {
            name: text(),
            language: text(),
            branch: text(),
            head_before: text(),
            head_after: text(),
            tree_after: text(),
        },
        upstream: UpstreamFacts {
            source: text(),
            baseline_before: text(),
            baseline_after: text(),
            newest: text(),
            lag_before: 0,
            lag_after: 0,
        },
        translators: Vec::new(),
        confinement: text(),
        revisions: Vec::new(),
        notices: Vec::new(),
    }
}
