//! The page of one port: what waits, its revisions in time, its runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::data::{ParkedItem, PortNow, Runs};
use super::digest::{RevisionDigest, RunDigest, WaitingDigest};
use super::modules::{Part, parts};
use super::overview::sign_of;
use super::page::{Board, Head, Tab};
use super::running::{Live, live};
use crate::record::RunRecord;
use crate::render::RenderError;
use crate::render::html::view::{Share, shares};
use crate::words::Sign;

/// Revisions in a timeline.
const TIMELINE_MAX: usize = 24;
/// Rows of a list.
const ROWS_MAX: usize = 200;

/// What waits for a person: an item of the lock, and what the last run says about it.
#[derive(Debug, Serialize)]
struct Parked<'a> {
    item: &'a ParkedItem,
    needs: String,
    run: String,
    unit: Option<String>,
}

fn parked(port: &PortNow) -> Vec<Parked<'_>> {
    let mut told: BTreeMap<&str, (&RunDigest, &WaitingDigest)> = BTreeMap::new();
    if let Some(run) = &port.last_ended {
        for waiting in &run.waiting {
            told.extend(waiting.items.iter().map(|item| (item.as_str(), (run, waiting))));
        }
    }
    let items = port.standing.iter().flat_map(|standing| &standing.parked).take(ROWS_MAX);
    items
        .map(|item| match told.get(item.item.as_str()) {
            Some((run, waiting)) => Parked {
                item,
                needs: waiting.needs.clone(),
                run: run.run.clone(),
                unit: waiting.unit.clone(),
            },
            None => Parked { item, needs: String::new(), run: String::new(), unit: None },
        })
        .collect()
}

#[derive(Debug, Serialize)]
struct InTime<'a> {
    run: &'a str,
    revision: &'a RevisionDigest,
    mix: Vec<Share>,
}

/// The newest look at each revision, newest first.
fn timeline<'a>(runs: impl IntoIterator<Item = &'a RunDigest>) -> Vec<InTime<'a>> {
    let mut seen = BTreeSet::new();
    let all =
        runs.into_iter().flat_map(|run| run.revisions.iter().rev().map(move |revision| (run, revision)));
    let mut all = all.filter(|(_, revision)| seen.insert(revision.label.as_str()));
    let view = |(run, revision): (&'a RunDigest, &'a RevisionDigest)| InTime {
        run: &run.run,
        revision,
        mix: shares(&revision.units),
    };
    all.by_ref().take(TIMELINE_MAX).map(view).collect()
}

impl Board {
    /// One port. `history` are its runs, newest first, for the timeline; `running` the run that is under way.
    pub fn port<'a>(
        &self,
        port: &PortNow,
        runs: &Runs,
        history: impl IntoIterator<Item = &'a RunDigest>,
        running: Option<&RunRecord>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Own<'a> {
            state: Sign,
            runs: &'a Runs,
            running: Option<Live>,
            timeline: Vec<InTime<'a>>,
            parked: Vec<Parked<'a>>,
            parked_more: usize,
            waiting: Vec<&'a WaitingDigest>,
            proof: Vec<Part>,
        }
        let total = port.standing.as_ref().map(|standing| standing.parked.len()).unwrap_or_default();
        let parked = parked(port);
        let history: Vec<&RunDigest> = history.into_iter().collect();
        let own = Own {
            state: sign_of(port).1,
            runs,
            running: running.map(live),
            timeline: timeline(history.iter().copied()),
            parked_more: total - parked.len(),
            // What is parked stands in the lock already: of the last run only what its gates said is new.
            waiting: port
                .last_ended
                .iter()
                .flat_map(|run| &run.waiting)
                .filter(|waiting| waiting.unit.is_none())
                .take(ROWS_MAX)
                .collect(),
            parked,
            proof: port.standing.as_ref().map(|standing| parts(standing.total)).unwrap_or_default(),
        };
        self.page("port.html", Head::of(port, Tab::Port, &port.name), own)
    }
}
