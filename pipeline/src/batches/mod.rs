//! Models that are asked by batches: what is gathered in a sync is sent at its end, and answered with a later one.
//!
//! `Book` is what stands on the disk for one model, `Desk` speaks to its provider, and [`Batches`] is all of them
//! for one sync. The order of writing is the safety: a question is on the disk before it is sent, a batch before it is
//! made, an answer before it is used. What is not known to have been made is looked for at the provider, and never sent
//! anew before that.

mod book;
mod desk;
mod files;
mod lost;
mod overview;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use port::translate::Usage;
use port::translate::batch::BatchStore;
use reports::RunRecord;
use reports::record::{Notice, UnitOutcome};
use upstream::{Clock, RevisionLabel};

pub(crate) use book::Book;
pub(crate) use desk::Desk;
pub use overview::{BatchesOverview, overview};

use crate::chain::{self, Gates, RunExchanges};
use crate::config::{ChainEntry, Settings};

/// The route of models in reports.
const MODEL: &str = "model";

/// Where all of it is, below the state folder.
const FOLDER: &str = "batches";

/// The models of a chain that are asked by batches.
#[derive(Debug, Default)]
pub struct Batches {
    desks: Vec<Desk>,
    is_dry: bool,
}

/// What a sync asks batches with.
#[derive(Debug)]
pub struct Asker<'a> {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What requests go through.
    pub gates: &'a Gates,
    /// Whether nothing is to be sent.
    pub is_dry: bool,
}

impl Batches {
    /// Opens what stands on the disk for each model. A key that is missing is found here, before anything begins.
    pub fn open(settings: &Settings, asker: &Asker<'_>) -> Result<Self> {
        let mut desks = Vec::new();
        for entry in &settings.chain {
            let ChainEntry::Model(model) = entry else { continue };
            if model.batch.is_some() {
                let folder = book::folder(&settings.state, &model.name);
                let book = Book::open(folder, &model.name, asker)?;
                desks.push(chain::batch_desk(model, settings, Arc::new(book), asker)?);
            }
        }
        Ok(Self { desks, is_dry: asker.is_dry })
    }

    /// Answers that are used from now on are counted for this run.
    pub fn count_for(&self, run: &Arc<RunExchanges>) {
        for desk in &self.desks {
            desk.book.count_for(run);
        }
    }

    /// Where a model's questions go and its answers come from.
    pub(crate) fn store(&self, model: &str) -> Option<Arc<dyn BatchStore>> {
        let desk = self.desks.iter().find(|desk| desk.book.name() == model)?;
        Some(Arc::clone(&desk.book) as Arc<dyn BatchStore>)
    }

    /// Takes up what was answered. `is_waited_for` says that the port waits for a batch, whatever is on this disk.
    pub fn collect(&self, is_waited_for: bool) -> Result<Vec<Notice>> {
        let mut notices = Vec::new();
        for desk in &self.desks {
            desk.collect(is_waited_for, &mut notices)?;
        }
        Ok(notices)
    }

    /// Whether there is anything that a run would go on with: an answer, or a question that was not sent.
    pub fn has_news(&self) -> bool {
        self.desks.iter().any(|desk| desk.book.has_news())
    }

    /// What was paid for and is used by no attempt: when it came, in milliseconds since the Unix epoch, and what it took.
    pub fn unused(&self) -> Result<Vec<(i64, Usage)>> {
        let mut unused = Vec::new();
        for desk in &self.desks {
            unused.extend(desk.book.unused()?);
        }
        Ok(unused)
    }

    /// Ends a sync: what its last revision does not ask for is given up, and the rest is sent.
    pub fn finish(&self, record: &RunRecord) -> Result<Vec<Notice>> {
        let last = record.revisions.last();
        let units = last.into_iter().flat_map(|revision| &revision.units);
        let parked = units.filter(|unit| matches!(unit.outcome, UnitOutcome::Parked { .. }));
        // No model was asked for what waits with another unit: its answers are as good as they were.
        let unasked = parked.filter(|unit| unit.attempts.iter().all(|attempt| attempt.route != MODEL));
        let unasked: BTreeSet<&str> = unasked.map(|unit| unit.id.as_str()).collect();
        let label = last.and_then(|revision| RevisionLabel::new(revision.label.clone()).ok());
        let mut notices = Vec::new();
        if !self.is_dry {
            for desk in &self.desks {
                let withdrawn = desk.book.withdraw(label.as_ref())?;
                let unused = if last.is_some() { desk.book.give_up(&unasked)? } else { Vec::new() };
                notices.extend(told_given_up(desk.book.name(), withdrawn, &unused));
            }
            notices.extend(self.send()?);
        }
        Ok(notices)
    }

    /// Sends what is gathered.
    pub fn send(&self) -> Result<Vec<Notice>> {
        let mut notices = Vec::new();
        if !self.is_dry {
            for desk in &self.desks {
                desk.send(&mut notices)?;
            }
        }
        Ok(notices)
    }
}

/// What is told of questions and answers that nobody wants any more.
fn told_given_up(name: &str, withdrawn: usize, unused: &[Usage]) -> Vec<Notice> {
    let mut notices = Vec::new();
    if withdrawn > 0 {
        let prompts = reports::count(withdrawn as u64, "prompt");
        let text = format!("`{name}`: not sent, because nobody asks any more: {prompts}");
        notices.push(notice("batch-withdrawn", text));
    }
    if !unused.is_empty() {
        let answers = reports::count(unused.len() as u64, "answer");
        let cost: f64 = unused.iter().filter_map(|usage| usage.cost_usd).sum();
        let text = format!(
            "`{name}`: {answers} came that nobody asks for any more; kept, and {cost:.4} USD counted in the budget"
        );
        notices.push(notice("batch-unused", text));
    }
    notices
}

fn notice(code: &str, text: String) -> Notice {
    Notice { code: code.to_owned(), text }
}
