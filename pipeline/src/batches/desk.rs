//! One model's batches: made, looked at, taken up.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use port::translate::batch::{
    BATCH_BYTES_MAX, BATCH_REQUESTS_MAX, BatchFailure, BatchProgress, BatchProtocol, BatchTag, BatchWire,
    CreateError, RequestId, TaskId, parted,
};
use port::translate::model::ModelError;
use port::translate::price::Price;
use port::translate::providers::WireFormat;
use reports::record::Notice;

use super::book::{Book, Sent};
use super::notice;
use crate::stops;

/// How often damaged results are read before what they do not tell is given up.
const READS_MAX: u32 = 3;
/// How many faults of results are told.
const FAULTS_TOLD_MAX: usize = 3;

/// Speaks to the provider of one model.
#[derive(Debug)]
pub(crate) struct Desk {
    /// What stands on the disk.
    pub(crate) book: Arc<Book>,
    /// What names begin with.
    pub(crate) tag: BatchTag,
    /// What the provider's interface does.
    pub(crate) protocol: Box<dyn BatchProtocol>,
    /// How answers are read.
    pub(crate) format: Box<dyn WireFormat>,
    /// What carries the requests.
    pub(crate) wire: BatchWire,
    /// What a batch's tokens cost today, where that is configured.
    pub(crate) price: Option<Price>,
}

impl Desk {
    /// Looks at each batch that is not over, and takes up what came. That the provider cannot be asked is told, and stops
    /// nothing.
    pub(super) fn collect(&self, is_waited_for: bool, notices: &mut Vec<Notice>) -> Result<()> {
        match self.look_at_all(is_waited_for, notices)? {
            Ok(()) => {}
            Err(error) => {
                let text = format!("`{}`: its batches cannot be looked at: {error}", self.book.name());
                notices.push(notice("batch-unavailable", text));
            }
        }
        Ok(())
    }

    fn look_at_all(&self, is_waited_for: bool, notices: &mut Vec<Notice>) -> Result<Result<(), ModelError>> {
        if let Err(error) = self.find_lost(is_waited_for, notices)? {
            return Ok(Err(error));
        }
        for (name, sent) in self.book.sent() {
            let looked = match &sent.id {
                None => self.find_made(&name, &sent, notices)?,
                Some(id) => self.look_at(&name, &sent, id, notices)?,
            };
            if let Err(error) = looked {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    pub(super) fn look_at(
        &self,
        name: &str,
        sent: &Sent,
        id: &str,
        notices: &mut Vec<Notice>,
    ) -> Result<Result<(), ModelError>> {
        let batch = match self.protocol.look(&self.wire, id) {
            Ok(batch) => batch,
            Err(ModelError::InvalidRequest { status: 404, reason }) => {
                self.is_gone(name, sent, &reason, notices)?;
                return Ok(Ok(()));
            }
            Err(error) => return Ok(Err(error)),
        };
        match batch.progress {
            BatchProgress::UnderWay => Ok(Ok(())),
            BatchProgress::Refused { reason, is_passing } => {
                self.refused(name, sent, &reason, is_passing, notices)?;
                Ok(Ok(()))
            }
            BatchProgress::Ended { results, absent } => self.take_up(name, sent, &results, &absent, notices),
        }
    }

    /// The provider does not know a batch that it made: its answers may have been paid for, and are lost.
    fn is_gone(&self, name: &str, sent: &Sent, reason: &str, notices: &mut Vec<Notice>) -> Result<()> {
        for task in &sent.tasks {
            self.book
                .keep_refusal(task, &format!("the provider does not know its batch any more: {reason}"))?;
        }
        self.book.end_batch(name)?;
        let id = sent.id.as_deref().unwrap_or_default();
        let text = format!("`{}`: the provider does not know the batch {id} any more", self.book.name());
        notices.push(notice("batch-gone", text));
        Ok(())
    }

    /// A whole batch was refused.
    fn refused(
        &self,
        name: &str,
        sent: &Sent,
        reason: &str,
        is_passing: bool,
        notices: &mut Vec<Notice>,
    ) -> Result<()> {
        if !is_passing {
            for task in &sent.tasks {
                self.book.keep_refusal(task, &format!("the provider refused its whole batch: {reason}"))?;
            }
        }
        self.book.end_batch(name)?;
        let then = if is_passing { "it is sent again" } else { "none of it is sent again by itself" };
        let text =
            format!("`{}`: the provider refused a whole batch, and {then}: {reason}", self.book.name());
        notices.push(notice("batch-refused", text));
        Ok(())
    }

    fn take_up(
        &self,
        name: &str,
        sent: &Sent,
        places: &[String],
        absent: &BatchFailure,
        notices: &mut Vec<Notice>,
    ) -> Result<Result<(), ModelError>> {
        let results = match self.protocol.results(&self.wire, places, &*self.format) {
            Ok(results) => results,
            Err(error) => return Ok(Err(error)),
        };
        let asked: BTreeSet<&str> = sent.tasks.iter().map(String::as_str).collect();
        let (mut told, mut faults, mut again) = (BTreeSet::new(), results.faults, Vec::new());
        for (custom_id, outcome) in results.replies {
            let id = RequestId::read(&self.tag, &custom_id);
            let Some(id) = id.filter(|id| sent.is_found || asked.contains(id.task.as_str())) else {
                faults.push(format!("the results tell of `{custom_id}`, which was not asked"));
                continue;
            };
            told.insert(id.task.as_str().to_owned());
            again.extend(outcome.as_ref().err().filter(|failure| failure.may_be_sent_again()).cloned());
            let outcome = outcome.map(|mut completion| {
                completion.usage.cost_usd = self.price.map(|price| price.cost_usd(&completion.usage));
                completion
            });
            self.book.keep_answer(&id, outcome)?;
            stops::pass("batch: an answer is kept");
        }
        self.tell_faults(&faults, notices);
        let absentees: Vec<&String> = sent.tasks.iter().filter(|task| !told.contains(*task)).collect();
        if results.is_damaged && !absentees.is_empty() && sent.reads + 1 < READS_MAX {
            let sent = Sent { reads: sent.reads + 1, ..sent.clone() };
            self.book.keep_sent(name, &sent)?;
            return Ok(Ok(()));
        }
        for task in absentees {
            if let Some(task) = TaskId::new(task) {
                again.extend(absent.may_be_sent_again().then(|| absent.clone()));
                self.book.keep_answer(&RequestId::new(&self.tag, task, ""), Err(absent.clone()))?;
            }
        }
        self.book.end_batch(name)?;
        if let Some(first) = again.first() {
            let requests = reports::count(again.len() as u64, "request");
            let text = format!(
                "`{}`: {requests} came back unanswered, and can be sent again: {first}",
                self.book.name()
            );
            notices.push(notice("batch-unanswered", text));
        }
        Ok(Ok(()))
    }

    fn tell_faults(&self, faults: &[String], notices: &mut Vec<Notice>) {
        if faults.is_empty() {
            return;
        }
        let mut text: Vec<&str> = faults.iter().take(FAULTS_TOLD_MAX).map(String::as_str).collect();
        let more = format!("and {} more", faults.len().saturating_sub(FAULTS_TOLD_MAX));
        text.extend((faults.len() > FAULTS_TOLD_MAX).then_some(more.as_str()));
        let text = format!("`{}`: {}", self.book.name(), text.join("; "));
        notices.push(notice("batch-results", text));
    }

    /// Sends what is gathered, in as many batches as it takes.
    pub(super) fn send(&self, notices: &mut Vec<Notice>) -> Result<()> {
        let unsent = self.book.unsent()?;
        if unsent.is_empty() {
            return Ok(());
        }
        let prompts = reports::count(unsent.len() as u64, "prompt");
        let name = self.book.name();
        if !self.book.knows_its_provider() {
            let text = format!(
                "`{name}`: {prompts} not sent before it is known whether the provider has a batch of this port"
            );
            notices.push(notice("batch-held", text));
            return Ok(());
        }
        if self.book.sent().iter().any(|(_, sent)| sent.is_found) {
            let text = format!(
                "`{name}`: {prompts} not sent before the batches end that were found at the provider: they may ask the same"
            );
            notices.push(notice("batch-held", text));
            return Ok(());
        }
        let sizes: Vec<usize> = unsent.iter().map(|(_, bytes)| *bytes).collect();
        for part in parted(&sizes, (BATCH_REQUESTS_MAX, BATCH_BYTES_MAX)) {
            let tasks = unsent.get(part).unwrap_or_default();
            let tasks: Vec<TaskId> = tasks.iter().filter_map(|(task, _)| TaskId::new(task)).collect();
            if !self.send_batch(&tasks, notices)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Makes one batch; false where the others would meet the same.
    fn send_batch(&self, tasks: &[TaskId], notices: &mut Vec<Notice>) -> Result<bool> {
        let at_ms = self.book.now_ms();
        let name = self.tag.batch(at_ms, tasks);
        let requests = self.book.requests(&self.tag, tasks)?;
        let sent = Sent {
            id: None,
            tasks: tasks.iter().map(|task| task.as_str().to_owned()).collect(),
            at_ms,
            reads: 0,
            is_found: false,
        };
        self.book.keep_sent(&name, &sent)?;
        stops::pass("batch: recorded");
        let prompts = reports::count(tasks.len() as u64, "prompt");
        let who = self.book.name();
        match self.protocol.create(&self.wire, &name, &requests) {
            Ok(batch) => {
                stops::pass("batch: made");
                let text = format!("`{who}`: {prompts} sent in the batch {}", batch.id);
                self.book.keep_sent(&name, &Sent { id: Some(batch.id), ..sent })?;
                stops::pass("batch: stored");
                notices.push(notice("batch-sent", text));
                Ok(true)
            }
            // Nobody will ever take these: asked by themselves, each would be refused the same way.
            Err(CreateError::NotMade(error @ ModelError::InvalidRequest { .. })) => {
                self.refused(&name, &sent, &error.to_string(), false, notices)?;
                Ok(true)
            }
            Err(CreateError::NotMade(error)) => {
                self.book.end_batch(&name)?;
                let text = format!("`{who}`: {prompts} not sent: {error}");
                notices.push(notice("batch-unavailable", text));
                Ok(false)
            }
            Err(error @ CreateError::Unknown(_)) => {
                let text = format!("`{who}`: {prompts}: {error}; the next sync asks the provider");
                notices.push(notice("batch-unknown", text));
                Ok(false)
            }
        }
    }
}
