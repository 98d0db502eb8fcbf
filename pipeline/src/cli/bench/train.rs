//! `tidelock bench train`: several revisions together, and apart only where together they fail.

use std::ops::Range;

use anyhow::{Context as _, anyhow};
use port::bench::decide::{Decided, Train};
use serde::Serialize;

use super::super::args::{BenchNames, BenchTrain};
use super::super::{CliError, Context, ExitCode, sync};
use super::chosen::{chosen, tree, upstream_of};
use super::exit_code;
use crate::config::bench::BenchSchedule;
use crate::driver::benching::{Benching, Question};
use crate::lease::Lease;

#[derive(Serialize)]
struct TrainShown {
    revision: String,
    decided: Option<Decided>,
}

pub(super) fn train(context: &Context, args: &BenchTrain) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    let names = BenchNames { names: Vec::new() };
    let benches = chosen(&session, &names, Some(BenchSchedule::Train))?;
    let mut trees = vec![tree(&session, &args.base)?];
    for revision in &args.revisions {
        trees.push(tree(&session, revision)?);
    }
    let upstream = upstream_of(&session, &benches, None)?;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let benching = Benching::new(&session, &*confinement).afresh(args.fresh);
    let mut train = Train::of(args.revisions.len());
    while let Some(range) = train.next() {
        let Range { start, end } = range.clone();
        let at = |place: usize| trees.get(place).cloned().context("a revision of the train is gone");
        let question = Question {
            benches: benches.clone(),
            before: at(start)?,
            after: at(end)?,
            upstream: upstream.clone(),
        };
        let decision = benching.decide(&question)?;
        let revisions = args.revisions.get(range).unwrap_or_default().join(" ");
        context.console.say(&format!("{revisions}: {}", decision.verdict.line));
        train.decided(decision.verdict.decided);
    }
    let verdicts = args.revisions.iter().zip(train.verdicts());
    let rows: Vec<TrainShown> = verdicts
        .map(|(revision, decided)| TrainShown { revision: revision.clone(), decided: *decided })
        .collect();
    if context.format.is_json() {
        context.json(&rows)?;
    } else {
        let word = |decided: Option<Decided>| decided.map_or("not tested", Decided::word);
        let lines = rows.iter().map(|row| format!("{} {}\n", word(row.decided), row.revision));
        context.console.data(&(lines.collect::<String>() + &format!("{} tests\n", train.tests())));
    }
    let worst = rows.iter().filter_map(|row| row.decided).max().unwrap_or(Decided::Hold);
    Ok(exit_code(worst))
}
