//! The pages of the dependency graph: modules, symbols, and what a revision reached of them.

use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use reports::RunRecord;
use reports::board::{Around, Impact, RunDigest};
use reports::record::RevisionRecord;
use serde::Deserialize;

use super::routes::{Answer, Asked, Drawn, draw, page, read, untold};
use super::symbols::{Reached, symbol_of};
use super::{Kept, locked};

/// Revisions to choose from.
const CHOICES_MAX: usize = 12;

#[derive(Deserialize)]
pub(super) struct Chosen {
    revision: Option<String>,
}

/// What is to be lit up.
enum Wanted {
    Nothing,
    Revision(Box<RunRecord>, String),
    /// What cannot be.
    Told(Box<dyn FnOnce(reports::board::PortNow) -> Answer>),
}

/// The revisions to choose from, and what is wanted of them. Without a wish that is the newest; an empty one wants
/// none.
fn wanted(kept: &Kept, wish: Option<String>) -> (Vec<String>, Wanted) {
    let history = locked(&kept.index).history();
    let mut choices: Vec<String> = Vec::new();
    for revision in history.iter().flat_map(|run| run.revisions.iter().rev()) {
        if choices.len() < CHOICES_MAX && !choices.contains(&revision.label) {
            choices.push(revision.label.clone());
        }
    }
    let label = match wish {
        None => choices.first().cloned(),
        Some(label) => Some(label).filter(|label| !label.is_empty()),
    };
    let Some(label) = label else { return (choices, Wanted::Nothing) };
    let has = |run: &&Arc<RunDigest>| run.revisions.iter().any(|revision| revision.label == label);
    let wanted = match history.iter().find(has) {
        None => Wanted::Told(Box::new(move |port| {
            let text = format!("None of the newest runs of this port followed a revision `{label}`.");
            Answer::Told(StatusCode::NOT_FOUND, Some(Box::new(port)), "No such revision", text)
        })),
        Some(run) => match read(kept, &run.run) {
            Ok(record) => Wanted::Revision(Box::new(record), label),
            Err(error) => {
                let run = run.run.clone();
                Wanted::Told(Box::new(move |port| untold(error, &run, port)))
            }
        },
    };
    (choices, wanted)
}

pub(super) async fn modules(
    asked: Asked,
    Path(name): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Response {
    draw(asked, move |drawing| {
        drawing.of_port(&name, |kept, now| -> Drawn {
            let (choices, wanted) = wanted(kept, chosen.revision);
            let impact = match wanted {
                Wanted::Nothing => None,
                Wanted::Revision(record, label) => Some(impact(kept, &record, &label)),
                Wanted::Told(tell) => return Ok(tell(now)),
            };
            drawing.board.graph(&now, &choices, impact.as_ref()).map(page)
        })
    })
    .await
}

pub(super) async fn symbols(
    asked: Asked,
    Path(name): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Response {
    draw(asked, move |drawing| {
        drawing.of_port(&name, |kept, now| -> Drawn {
            // There is nothing to show without a revision: an empty wish is none.
            let wish = chosen.revision.filter(|label| !label.is_empty());
            let (choices, wanted) = wanted(kept, wish);
            let around = match wanted {
                Wanted::Nothing => None,
                Wanted::Revision(record, label) => Some(of_revision(kept, &record, &label)),
                Wanted::Told(tell) => return Ok(tell(now)),
            };
            drawing.board.symbols(&now, &choices, around.as_ref()).map(page)
        })
    })
    .await
}

/// The revisions of a run that are called so, with their places.
fn called<'a>(record: &'a RunRecord, label: &'a str) -> impl Iterator<Item = (usize, &'a RevisionRecord)> {
    record.revisions.iter().enumerate().filter(move |(_, revision)| revision.label == label)
}

/// The files that a revision touched, and those whose symbols were checked as well.
fn impact(kept: &Kept, record: &RunRecord, label: &str) -> Impact {
    let symbols = Arc::clone(&locked(&kept.standing).symbols);
    let units = || called(record, label).flat_map(|(_, revision)| &revision.units);
    let mut changed: Vec<String> =
        units().flat_map(|unit| &unit.members).map(|member| member.file.clone()).collect();
    changed.sort();
    changed.dedup();
    let reached = units().flat_map(|unit| &unit.impacted);
    let mut reached: Vec<String> =
        reached.filter_map(|symbol| symbols.file(symbol_of(symbol))).map(str::to_owned).collect();
    reached.sort();
    reached.dedup();
    Impact { label: label.to_owned(), run: record.run.clone(), changed, reached }
}

/// The symbols that a revision reached.
fn of_revision(kept: &Kept, record: &RunRecord, label: &str) -> Around {
    let units: Vec<Reached<'_>> = called(record, label)
        .flat_map(|(revision_at, revision)| {
            let units = revision.units.iter().enumerate();
            units.map(move |(unit_at, unit)| Reached { unit, revision_at, unit_at })
        })
        .collect();
    around(kept, &record.run, label, &units)
}

/// The symbols that these units reached.
pub(super) fn around(kept: &Kept, run: &str, label: &str, units: &[Reached<'_>]) -> Around {
    let (symbols, is_read) = {
        let reading = locked(&kept.standing);
        (Arc::clone(&reading.symbols), reading.standing.is_some())
    };
    symbols.around(run, label, units, is_read)
}
