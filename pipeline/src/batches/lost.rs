//! Batches that the provider may have and this disk does not know: because it was killed before it wrote the name down,
//! or because the folder was lost.
//!
//! `OpenAI` keeps the name that a batch was made under. Anthropic keeps none, so a batch is known there by when it was
//! made, by how many requests it has, and, once it ended, by theirs.

use std::time::Duration;

use anyhow::Result;
use port::translate::batch::{Batch, BatchProgress, RequestId};
use port::translate::model::ModelError;
use reports::record::Notice;
use upstream::ContentHash;

use super::book::Sent;
use super::desk::Desk;
use super::notice;

/// How far the provider's clock may be off, in seconds.
const OFF_S: i64 = 60 * 60;
/// How long a request that was broken off may take until the provider has made its batch.
const LATE_MS: i64 = 10_000;
/// How long results are kept: 29 days by Anthropic, 30 by `OpenAI`.
const KEPT_S: i64 = 29 * 24 * 60 * 60;
/// The most batches of nobody knows whom whose results are looked into.
const LOOKED_INTO_MAX: usize = 50;

/// Whether a batch at the provider is one of ours.
enum Owner {
    Ours,
    Another,
    /// Its end will tell.
    Untold,
}

impl Desk {
    /// Finds out whether a batch was made whose name at the provider was never written down.
    pub(super) fn find_made(
        &self,
        name: &str,
        sent: &Sent,
        notices: &mut Vec<Notice>,
    ) -> Result<Result<(), ModelError>> {
        let mut looks = 0;
        loop {
            looks += 1;
            let mut untold = 0_u64;
            let at_s = sent.at_ms / 1000;
            let listed = match self.protocol.list(&self.wire, at_s - OFF_S) {
                Ok(listed) => listed,
                Err(error) => return Ok(Err(error)),
            };
            let known = self.book.known_ids()?;
            for batch in listed.iter().filter(|batch| !known.contains(&batch.id)) {
                match self.owner(batch, name, sent) {
                    Err(error) => return Ok(Err(error)),
                    Ok(Owner::Another) => {}
                    Ok(Owner::Untold) => untold += 1,
                    Ok(Owner::Ours) => {
                        let sent = Sent { id: Some(batch.id.clone()), ..sent.clone() };
                        self.book.keep_sent(name, &sent)?;
                        let text =
                            format!("`{}`: the batch {} was made after all", self.book.name(), batch.id);
                        notices.push(notice("batch-found", text));
                        return self.look_at(name, &sent, &batch.id, notices);
                    }
                }
            }
            if untold > 0 {
                let batches = reports::count(untold, "batch");
                let text = format!(
                    "`{}`: {batches} at the provider may be the one of {}; when it ends, that is known",
                    self.book.name(),
                    reports::count(sent.tasks.len() as u64, "prompt"),
                );
                notices.push(notice("batch-unknown", text));
                return Ok(Ok(()));
            }
            let late_ms = sent.at_ms.saturating_add(LATE_MS) - self.book.now_ms();
            if looks > 1 || late_ms <= 0 {
                // It never arrived: what it asks is sent with the next one.
                self.book.end_batch(name)?;
                return Ok(Ok(()));
            }
            let late_ms = u64::try_from(late_ms.min(LATE_MS)).unwrap_or_default();
            self.wire.clock.sleep(Duration::from_millis(late_ms));
        }
    }

    /// Whose a batch is that may be the one that was made under this name.
    fn owner(&self, batch: &Batch, name: &str, sent: &Sent) -> Result<Owner, ModelError> {
        if let Some(told) = &batch.name {
            return Ok(if told == name { Owner::Ours } else { Owner::Another });
        }
        let at_s = sent.at_ms / 1000;
        let is_alike = batch.requests.is_none_or(|count| count == sent.tasks.len() as u64)
            && (at_s - OFF_S..=at_s + OFF_S).contains(&batch.made_s);
        if !is_alike {
            return Ok(Owner::Another);
        }
        self.owner_by_results(batch, &|id| sent.tasks.iter().any(|task| task == id.task.as_str()))
    }

    fn owner_by_results(
        &self,
        batch: &Batch,
        is_ours: &dyn Fn(&RequestId) -> bool,
    ) -> Result<Owner, ModelError> {
        let results = match &batch.progress {
            BatchProgress::UnderWay => return Ok(Owner::Untold),
            BatchProgress::Refused { .. } => return Ok(Owner::Another),
            BatchProgress::Ended { results, .. } => results,
        };
        let results = self.protocol.results(&self.wire, results, &*self.format)?;
        let mut ids = results.replies.iter().filter_map(|(id, _)| RequestId::read(&self.tag, id));
        Ok(if ids.any(|id| is_ours(&id)) { Owner::Ours } else { Owner::Another })
    }

    /// Looks once, with a folder that is new or was lost, for batches of this port and this model at the provider.
    pub(super) fn find_lost(
        &self,
        is_waited_for: bool,
        notices: &mut Vec<Notice>,
    ) -> Result<Result<(), ModelError>> {
        if self.book.knows_its_provider() {
            return Ok(Ok(()));
        }
        let since_s = self.book.now_ms() / 1000 - KEPT_S;
        let listed = match self.protocol.list(&self.wire, since_s) {
            Ok(listed) => listed,
            // Whoever has no list has nothing that could be found in it.
            Err(ModelError::InvalidRequest { status: 404, .. }) => Vec::new(),
            Err(error) => return Ok(Err(error)),
        };
        let (mut found, mut looked_into, mut unseen) = (0_u64, 0, 0_u64);
        for batch in listed {
            let owner = match &batch.name {
                Some(name) if self.tag.is_of(name) => Owner::Ours,
                Some(_) => Owner::Another,
                None if looked_into >= LOOKED_INTO_MAX => {
                    unseen += 1;
                    Owner::Another
                }
                None => {
                    looked_into += usize::from(!matches!(batch.progress, BatchProgress::UnderWay));
                    match self.owner_by_results(&batch, &|_| true) {
                        Ok(owner) => owner,
                        // Results that are not there any more tell nothing.
                        Err(ModelError::InvalidRequest { .. }) => Owner::Another,
                        Err(error) => return Ok(Err(error)),
                    }
                }
            };
            let is_kept = match owner {
                Owner::Ours => true,
                Owner::Another => false,
                // Somebody else's would hold this port back for nothing: only one that waits looks at it.
                Owner::Untold => is_waited_for,
            };
            if is_kept {
                found += 1;
                let sent = Sent {
                    id: Some(batch.id.clone()),
                    tasks: Vec::new(),
                    at_ms: batch.made_s.saturating_mul(1000),
                    reads: 0,
                    is_found: true,
                };
                self.book.keep_sent(&format!("found-{}", ContentHash::of(&batch.id).short()), &sent)?;
            }
        }
        self.tell_lost((found, unseen, is_waited_for), notices);
        self.book.has_asked_its_provider()?;
        Ok(Ok(()))
    }

    fn tell_lost(&self, (found, unseen, is_waited_for): (u64, u64, bool), notices: &mut Vec<Notice>) {
        let name = self.book.name();
        if found > 0 {
            let batches = reports::count(found, "batch");
            let text = format!("`{name}`: {batches} of this port, or perhaps of it, found at the provider");
            notices.push(notice("batch-found", text));
        } else if is_waited_for {
            let text = format!(
                "`{name}`: the port waits for a batch that neither this machine nor the provider knows; it is asked anew"
            );
            notices.push(notice("batch-lost", text));
        }
        if unseen > 0 {
            let batches = reports::count(unseen, "older batch");
            let text = format!("`{name}`: {batches} at the provider were not looked into");
            notices.push(notice("batch-unseen", text));
        }
    }
}
