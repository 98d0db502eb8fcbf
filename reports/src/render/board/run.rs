//! The page of one run, and that of one of its units.

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::around;
use super::data::{Around, ByHand, Command, PortNow};
use super::page::{Board, Head, Tab};
use super::running::{Live, live};
use crate::record::{RevisionRecord, RunRecord, UnitOutcome, UnitRecord};
use crate::render::RenderError;
use crate::render::html::bounds::CODE_OF_UNIT;
use crate::render::html::unit::{CodePlaces, UnitContext, unit};
use crate::render::html::view::{outline, unit_anchor};
use crate::words::{self, Sign};

/// What the page of a unit is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct UnitPage<'a> {
    /// The run.
    pub record: &'a RunRecord,
    /// Which of its units, such as `r2-u1`.
    pub anchor: &'a str,
    /// What a person may run by hand.
    pub by_hand: Option<&'a dyn ByHand>,
    /// What stands beside it in the port.
    pub around: Option<&'a Around>,
}

impl Board {
    /// One run.
    pub fn run(
        &self,
        port: &PortNow,
        record: &RunRecord,
        by_hand: Option<&dyn ByHand>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Own<'a> {
            run: Value,
            name: &'a str,
            began_ms: i64,
            live: Option<Live>,
        }
        let own = Own {
            run: Value::from(Serde(outline(record, by_hand))),
            name: &record.run,
            began_ms: record.started_ms,
            live: record.finished_ms.is_none().then(|| live(record)),
        };
        self.page("run.html", Head::of(port, Tab::Other, &format!("Run {}", record.run)), own)
    }

    /// One unit of a run by its anchor, such as `r2-u1`; `None` where the run has none of that name.
    pub fn unit(&self, port: &PortNow, asked: &UnitPage<'_>) -> Result<Option<String>, RenderError> {
        #[derive(Serialize)]
        struct Own<'a> {
            name: &'a str,
            u: Value,
            r: RevisionHead,
            before: Option<String>,
            after: Option<String>,
            is_open: bool,
            around: Option<around::View<'a>>,
            /// What asks both sides about it again.
            again: Vec<Command>,
        }
        #[derive(Serialize)]
        struct RevisionHead {
            anchor: String,
            label: String,
            sign: Sign,
            commit: String,
        }
        let UnitPage { record, anchor, by_hand, around } = *asked;
        let Some(found) = unit_at(record, anchor) else { return Ok(None) };
        let UnitFound { revision, revision_at: at, unit: of, unit_at } = found;
        let context = UnitContext {
            share: CODE_OF_UNIT,
            places: CodePlaces {
                upstream: words::short(&revision.commit),
                port: revision.landed.as_ref().map(|landed| words::short(&landed.commit)).unwrap_or_default(),
            },
            few_units: true,
            by_hand,
        };
        let neighbour =
            |to: Option<usize>| to.filter(|to| *to < revision.units.len()).map(|to| unit_anchor(at, to));
        let own = Own {
            name: &record.run,
            u: Value::from(Serde(unit(of, anchor.to_owned(), &context))),
            r: RevisionHead {
                anchor: format!("r{}", at + 1),
                label: revision.label.clone(),
                sign: words::revision(revision),
                commit: words::short(&revision.commit),
            },
            before: neighbour(unit_at.checked_sub(1)),
            after: neighbour(Some(unit_at + 1)),
            is_open: of.outcome == UnitOutcome::Open,
            around: around.map(around::view),
            again: by_hand.map(|by_hand| by_hand.unit(of)).unwrap_or_default(),
        };
        self.page("unit.html", Head::of(port, Tab::Other, &format!("Unit {}", of.id)), own).map(Some)
    }
}

/// A unit of a run, with its revision and the places of both, from 0.
#[derive(Debug, Clone, Copy)]
pub struct UnitFound<'a> {
    /// The revision.
    pub revision: &'a RevisionRecord,
    /// Its place.
    pub revision_at: usize,
    /// The unit.
    pub unit: &'a UnitRecord,
    /// Its place in the revision.
    pub unit_at: usize,
}

/// The unit of a run at an anchor such as `r2-u1`.
pub fn unit_at<'a>(record: &'a RunRecord, anchor: &str) -> Option<UnitFound<'a>> {
    let (revision_at, unit_at) = places(anchor)?;
    let revision = record.revisions.get(revision_at)?;
    Some(UnitFound { revision, revision_at, unit: revision.units.get(unit_at)?, unit_at })
}

/// `r2-u1` as places from 0.
fn places(anchor: &str) -> Option<(usize, usize)> {
    let (revision, unit) = anchor.strip_prefix('r')?.split_once("-u")?;
    let (at, unit_at) = (revision.parse::<usize>().ok()?, unit.parse::<usize>().ok()?);
    let places = (at.checked_sub(1)?, unit_at.checked_sub(1)?);
    // One address for one unit: `r02-u1` is none.
    (unit_anchor(places.0, places.1) == anchor).then_some(places)
}
