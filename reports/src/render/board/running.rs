//! A run that has not ended, in short: what it is at and its last attempts.

use serde::Serialize;

use crate::record::{RevisionRecord, RunRecord, UnitOutcome};
use crate::render::html::view::{Share, shares, unit_anchor};
use crate::summary::UnitCounts;
use crate::visible;
use crate::words::{self, Sign};

/// The last attempts of a run that is under way.
const LATEST_MAX: usize = 6;

/// A run that is under way.
#[derive(Debug, Serialize)]
pub(super) struct Live {
    run: String,
    began_ms: i64,
    revision: String,
    anchor: String,
    number: usize,
    of: u32,
    mix: Vec<Share>,
    settled: u64,
    units: u64,
    latest: Vec<Latest>,
    at: String,
}

#[derive(Debug, Serialize)]
struct Latest {
    unit: String,
    anchor: String,
    route: String,
    origin: String,
    sign: Sign,
}

pub(super) fn live(record: &RunRecord) -> Live {
    let last = record.revisions.last();
    let counts = last.map(|revision| UnitCounts::of(&revision.units)).unwrap_or_default();
    let at_revision = record.revisions.len().saturating_sub(1);
    let attempts = last.into_iter().flat_map(|revision| revision.units.iter().enumerate());
    let mut latest: Vec<Latest> = attempts
        .flat_map(|(at, unit)| {
            unit.attempts.iter().map(move |attempt| Latest {
                unit: unit.id.clone(),
                anchor: unit_anchor(at_revision, at),
                route: words::plain(&attempt.route),
                origin: attempt.origin.clone(),
                sign: words::attempt(attempt),
            })
        })
        .collect();
    latest.drain(..latest.len().saturating_sub(LATEST_MAX));
    latest.reverse();
    Live {
        run: record.run.clone(),
        began_ms: record.started_ms,
        revision: last.map(|revision| revision.label.clone()).unwrap_or_default(),
        anchor: format!("r{}", at_revision + 1),
        number: record.revisions.len(),
        of: record.upstream.lag_before,
        mix: shares(&counts),
        settled: counts.total - counts.open,
        units: counts.total,
        latest,
        at: last.map_or_else(|| "planning the first revision".to_owned(), stage),
    }
}

fn stage(revision: &RevisionRecord) -> String {
    let open = revision.units.iter().find(|unit| unit.outcome == UnitOutcome::Open);
    match (open, revision.gates.is_empty(), &revision.landed) {
        (Some(unit), ..) => format!("translating `{}`", visible::line(&unit.id)),
        (None, true, _) => "measuring the whole candidate".to_owned(),
        (None, false, None) => "landing".to_owned(),
        (None, false, Some(_)) => "planning the next revision".to_owned(),
    }
}
