//! One case with one chain, by the engine and the gate of any sync.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use globset::GlobSet;
use port::confinement::Confinement;
use reports::{RunOutcome, RunRecord};
use upstream::{CommitId, ContentHash, Revision, TreeId};

use super::answer::{Trees, judge};
use super::case::Case;
use super::chains::NamedChain;
use super::outcome::{AnswerVerdict, CaseResult, result};
use super::scratch::{Applied, Origin, Scratch};
use crate::chain::{self, Gates, Means, RunExchanges};
use crate::driver::{Driver, RunRequest};
use crate::engine::Event;
use crate::session::{Machine, Session};
use crate::store::{RunStatus, Store};

/// What all cases share.
pub(crate) struct Shared<'a> {
    pub(crate) origin: Origin,
    pub(crate) machine: Machine,
    pub(crate) confinement: &'a Arc<dyn Confinement>,
    /// What keeps requests back, over all cases under way.
    pub(crate) gates: Gates,
    /// Which files are tests.
    pub(crate) tests: GlobSet,
    /// The same as they were given.
    pub(crate) test_globs: Vec<String>,
    pub(crate) with_memory: bool,
}

/// One case with one chain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) case: &'a Case,
    pub(crate) chain: &'a NamedChain,
}

impl Job<'_> {
    /// What the journal knows it by: the case, the chain, the program and how it is judged.
    pub(crate) fn key(&self, shared: &Shared<'_>) -> ContentHash {
        let Case { name: _, port, before, after: _, after_commit, answer } = self.case;
        let mut parts = vec![
            env!("CARGO_PKG_VERSION").to_owned(),
            self.chain.name.clone(),
            self.chain.digest.to_string(),
            port.clone(),
            before.clone(),
            after_commit.clone(),
            answer.clone().unwrap_or_default(),
            shared.with_memory.to_string(),
        ];
        parts.extend(shared.test_globs.iter().cloned());
        ContentHash::of_parts(parts)
    }

    /// Carries it out in this folder, or goes on with what an invocation before did of it. `cache` is a folder whose
    /// contents it may use while it runs.
    pub(crate) fn carry_out(
        &self,
        shared: &Shared<'_>,
        folder: &Path,
        cache: &Path,
    ) -> Result<(CaseResult, RunRecord)> {
        let key = self.key(shared);
        let scratch = Scratch { folder: folder.to_owned(), origin: &shared.origin, machine: &shared.machine };
        let applied = Applied { chain: &self.chain.settings, with_memory: shared.with_memory, digest: key };
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let session = scratch.prepare(self.case, &**shared.confinement, &applied, cache)?;
        let done = self.synced_and_judged(shared, &scratch, &session, &key);
        drop(session);
        scratch.give_back(cache);
        done
    }

    fn synced_and_judged(
        &self,
        shared: &Shared<'_>,
        scratch: &Scratch<'_>,
        session: &Session,
        key: &ContentHash,
    ) -> Result<(CaseResult, RunRecord)> {
        let record = self.synced(shared, session)?;
        let made = made(session, &record)?;
        let answer = self.judged(shared, scratch, session, &record, &made)?;
        let before: CommitId = record.port.head_before.parse()?;
        let lock = session.lock(&session.port.commit_info(&before)?.tree)?;
        let waited: BTreeSet<String> = lock.parked.keys().map(ToString::to_string).collect();
        let names = (&*key.to_string(), &*self.case.name, &*self.chain.name);
        let done = result(names, &record, &waited, answer)?;
        Ok((done, record))
    }

    fn synced(&self, shared: &Shared<'_>, session: &Session) -> Result<RunRecord> {
        let state = &session.settings.state;
        let store = Store::open(&state.join("state.db")).context("cannot open the journal of a case")?;
        // Killed between the end of the run and the line in the journal: nothing is left to do but to judge it.
        if let Some(row) = store.runs()?.into_iter().find(|row| row.status == RunStatus::Over) {
            let (record, _) = crate::engine::record(&store.events(&row.run)?)?;
            return record.context("a run without a beginning");
        }
        let exchanges = Arc::new(RunExchanges::below(state));
        let means = Means {
            runner: shared.machine.runner.clone(),
            clock: shared.machine.clock.clone(),
            exchanges: Arc::clone(&exchanges),
            program: shared.machine.program.clone(),
            batches: None,
        };
        let links = chain::build_behind(&session.settings, &means, &shared.gates)?;
        let targets = targets(session, &self.case.after_commit)?;
        let request = RunRequest {
            lag: targets.len(),
            newest: targets.last().cloned(),
            targets,
            ..RunRequest::default()
        };
        Driver::new(session, links, shared.confinement, store, exchanges)?.run(&request)
    }

    fn judged(
        &self,
        shared: &Shared<'_>,
        scratch: &Scratch<'_>,
        session: &Session,
        record: &RunRecord,
        made: &TreeId,
    ) -> Result<AnswerVerdict> {
        let Some(answer) = &self.case.answer else {
            return Ok(AnswerVerdict::Untold { reason: "there is no real answer".to_owned() });
        };
        scratch.fetch_answer(answer)?;
        let tree_of = |commit: &str| -> Result<_> {
            let commit: CommitId = commit.parse()?;
            Ok(session.port.commit_info(&commit)?.tree)
        };
        let (before, answer) = (tree_of(&record.port.head_before)?, tree_of(answer)?);
        judge(session, &**shared.confinement, &shared.tests, Trees { before: &before, made, answer: &answer })
    }
}

/// What the chain made of the port: what landed, or the candidate that the gate refused at the end. Were the port as it was
/// judged in its place, a wrong refusal could never show.
fn made(session: &Session, record: &RunRecord) -> Result<TreeId> {
    if matches!(record.outcome, RunOutcome::GateFailed | RunOutcome::Inconclusive) {
        let store = Store::open(&session.settings.state.join("state.db"))?;
        let gated = |event| if let Event::Gated { tree, .. } = event { Some(tree) } else { None };
        if let Some(tree) = store.events(&record.run)?.into_iter().rev().find_map(gated) {
            return Ok(tree);
        }
    }
    Ok(session.head()?.tree)
}

/// The revisions from the lock's baseline to the one that is to be followed, as they stand in the mirror.
fn targets(session: &Session, to: &str) -> Result<Vec<Revision>> {
    let head = session.head()?;
    let lock = session.lock(&head.tree)?;
    let known = session.revisions()?;
    let place = |commit: &str| known.iter().position(|revision| revision.commit.as_str() == commit);
    let from =
        place(lock.commit.as_str()).with_context(|| format!("the upstream has {} no more", lock.baseline))?;
    let last = place(to).with_context(|| format!("{to} is not in the history that is followed"))?;
    let behind = known.iter().take(last + 1).skip(from + 1);
    Ok(behind.filter(|revision| !revision.withdrawn || revision.commit.as_str() == to).cloned().collect())
}
