//! Which portion comes next: it follows from the lock, the journal and what rules say of the items, so that a command that
//! was killed goes on with the portion it was at.

use std::collections::{BTreeMap, BTreeSet};

use mappings::bootstrap::{NOT_YET, Past, next_wave, together, types_of};
use mappings::{Lock, UnitKind, WorkUnit};
use port::translate::rules::RuleTranslator;
use port::translate::{Route, Translation, Translator as _};
use reports::record::UnitOutcome;
use reports::{RunOutcome, RunRecord, Verdict};
use upstream::{ItemPath, Revision};

use super::super::{CliError, session_error};
use super::args::Bootstrap;
use crate::driver::{Current, first_request};
use crate::engine::{Head, RunHeader, UNTOLD};
use crate::session::Session;
use crate::store::RunStatus;

/// What one run takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Portion {
    /// The items.
    pub(super) items: BTreeSet<ItemPath>,
    /// Whether only those are asked who cost nothing.
    pub(super) rules_alone: bool,
}

/// One earlier run that took up a portion of the same revision.
pub(super) struct Earlier {
    pub(super) header: RunHeader,
    pub(super) portion: BTreeSet<ItemPath>,
    pub(super) status: RunStatus,
    pub(super) record: RunRecord,
}

impl Earlier {
    fn asked_a_model(&self) -> bool {
        self.header.chain.iter().any(|link| link.route == Route::Model)
    }

    /// The items of units whose answer by a rule was refused: a rule says the same again.
    fn refused_by_rule(&self) -> impl Iterator<Item = &str> {
        let units = self.record.revisions.iter().flat_map(|revision| &revision.units);
        let parked = units.filter(|unit| matches!(unit.outcome, UnitOutcome::Parked { .. }));
        let refused = parked.filter(|unit| {
            let by_rule = unit.attempts.iter().filter(|attempt| attempt.route == "rule");
            by_rule.into_iter().any(|attempt| attempt.verdict == Some(Verdict::Fail))
        });
        refused.flat_map(|unit| unit.members.iter().map(|member| member.item.as_str()))
    }
}

/// What the next portion is chosen by.
pub(super) struct Choice<'a> {
    pub(super) session: &'a Session,
    pub(super) args: &'a Bootstrap,
    pub(super) revision: &'a Revision,
    /// Oldest first.
    pub(super) earlier: &'a [Earlier],
    /// What this command has asked for.
    pub(super) asked: &'a BTreeSet<ItemPath>,
    pub(super) has_models: bool,
    pub(super) began_ms: i64,
}

impl Choice<'_> {
    /// The next portion; `None` when there is none.
    pub(super) fn next(&self) -> Result<Option<Portion>, CliError> {
        let head = self.session.head().map_err(session_error)?;
        let lock = self.session.lock(&head.tree).map_err(session_error)?;
        let head = Head { commit: head.commit, tree: head.tree };
        // What was stopped goes on: it is the run that the driver will find open.
        let open = self.earlier.iter().find(|run| run.status == RunStatus::Open && run.header.head == head);
        if let Some(open) = open {
            let rules_alone = self.has_models && !open.asked_a_model();
            return Ok(Some(Portion { items: open.portion.clone(), rules_alone }));
        }
        if lock.parked.is_empty() {
            return Ok(None);
        }
        let current = self.planned(&head, None)?;
        let past = self.past(&head);
        let units_max = self.args.at_a_time;
        if self.has_models {
            let waits = |item: &ItemPath| self.waits(&lock, item);
            if let Some(items) = next_wave(&current.plan, &waits, &past, units_max) {
                return Ok(Some(Portion { items, rules_alone: false }));
            }
        }
        let by_rule = |items| Portion { items, rules_alone: self.has_models };
        let units = self.answered(&current, &head)?;
        if let Some(items) = together(&units, &past, units_max) {
            return Ok(Some(by_rule(items)));
        }
        Ok(self.types(&current, &head, &past)?.map(by_rule))
    }

    /// Types that nobody could port with all their members, where a rule ports them alone: once they are there, their
    /// members are units of their own.
    fn types(
        &self,
        current: &Current,
        head: &Head,
        past: &Past,
    ) -> Result<Option<BTreeSet<ItemPath>>, CliError> {
        let code = current.plan.units.iter().filter(|unit| unit.kind != UnitKind::Test);
        let types: BTreeSet<ItemPath> = code.flat_map(types_of).map(|(item, _members)| item).collect();
        if types.is_empty() {
            return Ok(None);
        }
        let alone = self.planned(head, Some(&types))?;
        let units = self.answered(&alone, head)?;
        Ok(together(&units, past, self.args.at_a_time))
    }

    fn planned(&self, head: &Head, portion: Option<&BTreeSet<ItemPath>>) -> Result<Current, CliError> {
        Ok(Current::make_portion(self.session, self.revision, head, (self.began_ms, portion))?)
    }

    /// The units of a plan that rules have an answer for that was not refused before. Rules read, and cost nothing, so they
    /// are asked here already: a portion of units that they refuse would be gated for nothing.
    fn answered<'c>(&self, current: &'c Current, head: &Head) -> Result<Vec<&'c WorkUnit>, CliError> {
        let refused: BTreeSet<&str> = self.counted().flat_map(Earlier::refused_by_rule).collect();
        let mut found = Vec::new();
        // A unit whose callee comes with it is answered once that is there.
        for unit in &current.plan.units {
            let was_refused =
                unit.members.iter().any(|member| refused.contains(member.change.path().as_str()));
            if !was_refused && said(self.session, current, unit, head)?.is_ok() {
                found.push(unit);
            }
        }
        Ok(found)
    }

    /// Whether an item is still to be asked for of everybody.
    fn waits(&self, lock: &Lock, item: &ItemPath) -> bool {
        let Some(parked) = lock.parked.get(item) else { return false };
        let is_open = || self.args.retry || parked.reason == NOT_YET || parked.reason.starts_with(UNTOLD);
        !self.asked.contains(item) && is_open() || self.is_set_free(lock, item)
    }

    /// Whether an item is a member of a type that is in the port by now, and no model was asked for it without the type.
    fn is_set_free(&self, lock: &Lock, item: &ItemPath) -> bool {
        let Some(holder) = lock.parked.get(item).and_then(|parked| parked.symbol.parent()) else {
            return false;
        };
        let Some(link) = lock.links.values().find(|link| link.symbol == holder) else { return false };
        let is_alone = |run: &Earlier| {
            run.asked_a_model() && run.portion.contains(item) && !run.portion.contains(&link.item)
        };
        !self.counted().any(is_alone)
    }

    /// The runs that count: with `--retry` those of this command alone.
    fn counted(&self) -> impl Iterator<Item = &Earlier> {
        self.earlier.iter().filter(|run| !self.args.retry || run.header.started_ms >= self.began_ms)
    }

    /// What the journal says of portions that did not land.
    fn past(&self, head: &Head) -> Past {
        let mut past = Past::default();
        for run in self.counted() {
            let is_here = run.header.head == *head;
            let is_alone =
                run.record.revisions.iter().map(|revision| revision.units.len()).sum::<usize>() == 1;
            match run.record.outcome {
                RunOutcome::GateFailed if is_alone && self.has_models == run.asked_a_model() => {
                    past.refused_alone.push(run.portion.clone());
                }
                RunOutcome::GateFailed if is_here => past.refused.push(run.portion.clone()),
                RunOutcome::Inconclusive if is_here => past.unsure.push(run.portion.clone()),
                RunOutcome::GateFailed
                | RunOutcome::Inconclusive
                | RunOutcome::Unfinished
                | RunOutcome::Done
                | RunOutcome::NothingToDo
                | RunOutcome::Parked
                | RunOutcome::DryRun => {}
            }
        }
        past
    }
}

/// What rules say of a unit: that they have an answer, or why not.
fn said(
    session: &Session,
    current: &Current,
    unit: &WorkUnit,
    head: &Head,
) -> Result<Result<(), String>, CliError> {
    let request = first_request(session, current, unit, &head.tree)?;
    let mut reason = String::new();
    for rules in [RuleTranslator::default(), RuleTranslator::items()] {
        match rules.translate(&request) {
            Ok(Translation::Answered { .. }) => return Ok(Ok(())),
            Ok(
                Translation::Declined { reason: declined } | Translation::Malformed { reason: declined, .. },
            ) => {
                reason = declined;
            }
            Err(error) => reason = error.to_string(),
        }
    }
    Ok(Err(reason))
}

/// Why rules have no answer for what waits, by item.
pub(super) fn reasons(session: &Session, revision: &Revision) -> Result<BTreeMap<String, String>, CliError> {
    let head = session.head().map_err(session_error)?;
    let head = Head { commit: head.commit, tree: head.tree };
    let current = Current::make(session, revision, &head, session.machine.clock.now_ms())?;
    let mut reasons = BTreeMap::new();
    for unit in &current.plan.units {
        if let Err(reason) = said(session, &current, unit, &head)? {
            for member in &unit.members {
                reasons.insert(member.change.path().to_string(), reason.clone());
            }
        }
    }
    Ok(reasons)
}
