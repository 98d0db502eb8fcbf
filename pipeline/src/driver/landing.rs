//! The effects `commit` and `advance`: work lands, once, and only the tree that passed.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use port::edit;
use port::repo::{AdvanceError, Author, NewCommit, WorktreeState};
use port::translate::memory::{MEMORY_NONCE, MemoryEntry, MemoryFolder, MemoryStore};
use reports::Verdict;
use upstream::{CommitId, ItemPath, TreeId};

use super::Driver;
use super::obstacle::{Obstacle, of_advance, of_head};
use crate::chain::learned_memory;
use crate::engine::{Candidate, Event, Head, Phase, RunState, UnitState, Work};
use crate::gate::GatePass;
use crate::progress::Progress;
use crate::proposal::bot::sealed;
use crate::stops;

impl Driver<'_> {
    /// Writes the commit as an object that no branch knows yet.
    pub(super) fn commit(&mut self, tree: &TreeId, state: &RunState) -> Result<Event> {
        let RunState::Working(work) = state else { bail!("nothing is being worked on") };
        let Phase::Committing { candidate, pass, .. } = &work.phase else {
            bail!("nothing is to be committed")
        };
        if *tree == work.head.tree {
            // What was parked stays parked and nothing else is new: the branch holds this tree already.
            return Ok(Event::Prepared { commit: work.head.commit.clone() });
        }
        let commit = self.landing_commit(work, candidate, pass)?;
        // Promise 1: what the commit holds is what was tested.
        let info = self.session.port.commit_info(&commit)?;
        if info.tree != *tree {
            bail!("the commit {commit} holds the tree {} and not {tree}, which was tested", info.tree);
        }
        Ok(Event::Prepared { commit })
    }

    fn landing_commit(&self, work: &Work, candidate: &Candidate, pass: &GatePass) -> Result<CommitId> {
        let author = &self.session.settings.author;
        let brought = self.session.runtime_brought(&work.head.tree, pass.tree());
        let message = sealed(&message(work, candidate, brought.as_deref())?, pass.tree());
        Ok(self.session.port.commit_object(&NewCommit {
            parents: std::slice::from_ref(&work.head.commit),
            tree: pass.tree(),
            message: &message,
            author: &Author { name: author.name.clone(), email: author.email.clone() },
            time_s: self.now_ms().div_euclid(1000),
        })?)
    }

    /// Moves the branch, if it is where it was; finds the work done where it was done before a crash.
    pub(super) fn advance(&mut self, from: &Head, to: &CommitId, state: &RunState) -> Result<Event> {
        let RunState::Working(work) = state else { bail!("nothing is being worked on") };
        let Phase::Advancing { candidate, tree, .. } = &work.phase else {
            bail!("nothing is to be advanced")
        };
        let landed = Head { commit: to.clone(), tree: tree.clone() };
        if !work.header.dry_run {
            let found = self.session.head().map_err(of_head)?;
            if found.commit != *to {
                // Where others moved the branch, their files are not those that were looked at.
                if found.commit == from.commit {
                    self.ensure_free(&from.tree, tree)?;
                }
                match self.session.port.advance(&self.session.branch, &from.commit, to) {
                    Ok(()) => {}
                    Err(AdvanceError::Moved { found: Some(_), .. }) => {
                        let head = self.session.head()?;
                        let text =
                            format!("the branch is at {} now: beginning this revision again", head.commit);
                        self.tell(Progress::Notice { code: "branch-moved", text });
                        return Ok(Event::BranchMoved {
                            head: Head { commit: head.commit, tree: head.tree },
                        });
                    }
                    Err(error) => return Err(of_advance(error)),
                }
                stops::pass("advance: the branch moved");
            }
            self.refresh(&from.tree, tree)?;
            stops::pass("advance: the files followed");
            self.learn(work, candidate)?;
        }
        let label = work.revision().context("no revision is being worked on")?.label.to_string();
        self.tell(Progress::Landed {
            label,
            commit: if work.header.dry_run { "nothing (dry run)".to_owned() } else { short(to) },
            disposition: disposition_words(candidate).to_owned(),
        });
        let duration_ms = u64::try_from(self.now_ms() - candidate.began_ms).unwrap_or_default();
        let files = self.session.changed_files(&from.tree, tree)?;
        Ok(Event::Landed { head: landed, files, duration_ms })
    }

    /// A port that is begun asks once more, in smaller or larger portions, where the gate refuses one: what models
    /// answered is remembered for that, although it did not land. It passes the same gate again.
    pub(super) fn keep_what_was_bought(&self, state: &RunState, event: &Event) -> Result<()> {
        let (RunState::Working(work), Event::Gated { verdict, .. }) = (state, event) else { return Ok(()) };
        match &work.phase {
            Phase::Gating(candidate) if work.header.portion.is_some() && *verdict != Verdict::Pass => {
                self.learn(work, candidate)
            }
            Phase::Gating(_)
            | Phase::Planning
            | Phase::Translating(_)
            | Phase::Committing { .. }
            | Phase::Advancing { .. } => Ok(()),
        }
    }

    /// Remembers what models answered and what has landed now. Said twice it is learned once.
    fn learn(&self, work: &Work, candidate: &Candidate) -> Result<()> {
        let revision = &work.revision().context("no revision is being worked on")?.label;
        let mut folder = MemoryFolder::open(&learned_memory(&self.session.settings))?;
        for (unit, state) in candidate.plan.units.iter().zip(&candidate.units) {
            let UnitState::Accepted { lesson: Some(lesson), .. } = state else { continue };
            let answer = edit::render_answer(&lesson.answer, MEMORY_NONCE);
            if folder.lookup(&lesson.key).iter().any(|known| known.answer.trim() == answer.trim()) {
                continue;
            }
            folder.add(&MemoryEntry {
                key: lesson.key,
                origin: lesson.origin.clone(),
                item: ItemPath::new(unit.id.as_str())?,
                revision: revision.clone(),
                answer,
                note: String::new(),
                corrected: false,
            })?;
        }
        Ok(())
    }

    /// A person's work is not stepped on: the run stops, and goes on when it is put away.
    fn ensure_free(&self, before: &TreeId, after: &TreeId) -> Result<()> {
        let (port, branch) = (&self.session.port, &self.session.branch);
        let obstacle = match Obstacle::in_worktree(port.worktree_state(branch)?, branch) {
            Some(obstacle) => Some(obstacle),
            None => Obstacle::to_files(port, branch, (before, after))?,
        };
        obstacle.map_or(Ok(()), |obstacle| Err(obstacle.into()))
    }

    fn refresh(&self, before: &TreeId, after: &TreeId) -> Result<()> {
        match self.session.port.worktree_state(&self.session.branch)? {
            WorktreeState::NotCheckedOut | WorktreeState::Clean => Ok(()),
            WorktreeState::HalfMoved { .. } | WorktreeState::Dirty { .. } | WorktreeState::Busy { .. } => {
                self.session
                    .port
                    .refresh_worktree(&self.session.branch, before, after)
                    .context("the commit landed, but the files did not follow")
            }
        }
    }
}

fn short(commit: &CommitId) -> String {
    commit.as_str().chars().take(10).collect()
}

/// What became of a revision, for people.
fn disposition_words(candidate: &Candidate) -> &'static str {
    match candidate.disposition() {
        mappings::Disposition::Absorbed => "absorbed, no edit needed,",
        mappings::Disposition::Parked => "landed in part (the rest is parked)",
        mappings::Disposition::Declined => "declined",
        mappings::Disposition::Deferred => "deferred",
        mappings::Disposition::Landed
        | mappings::Disposition::Adopted
        | mappings::Disposition::NotPorted
        | mappings::Disposition::Withdrawn => "landed",
    }
}

/// The message: what was done, and the trailers by which the commit is found again.
fn message(work: &Work, candidate: &Candidate, brought: Option<&str>) -> Result<String> {
    let revision = work.revision().context("no revision is being worked on")?;
    let count = |wanted: fn(&UnitState) -> bool| candidate.units.iter().filter(|unit| wanted(unit)).count();
    let edited = count(|unit| matches!(unit, UnitState::Accepted { answer: Some(_), .. }));
    let absorbed = count(|unit| matches!(unit, UnitState::Accepted { answer: None, .. }));
    let parked = count(|unit| matches!(unit, UnitState::Parked { .. }));
    let what = if work.header.portion.is_some() { "Port a part of" } else { "Sync to" };
    let mut text = format!("{what} {}\n\n", revision.label);
    let summary = revision.summary.trim();
    if !summary.is_empty() && summary != revision.label.as_str() {
        // Git shows a message as it is.
        writeln!(text, "Upstream: {}\n", reports::visible_line(summary))?;
    }
    writeln!(text, "{edited} translated, {absorbed} with no edit needed, {parked} parked.\n")?;
    for (unit, state) in candidate.plan.units.iter().zip(&candidate.units) {
        let what = match state {
            UnitState::Accepted { answer: Some(_), .. } => "translated",
            UnitState::Accepted { answer: None, .. } => continue,
            UnitState::Parked { .. } | UnitState::Open(_) => "parked",
        };
        writeln!(text, "- {}: {what}", unit.id)?;
    }
    if let Some(brought) = brought {
        writeln!(text, "\n{brought}")?;
    }
    write!(
        text,
        "\nTidelock-Source: {}\nTidelock-Revision: {}\nTidelock-Upstream-Commit: {}\nTidelock-Run: {}\n",
        work.header.source, revision.label, revision.commit, work.header.run
    )?;
    Ok(text)
}
