//! Which portion comes next: it follows from the lock, the journal and what rules say of the items, so that a command that
//! was killed goes on with the portion it was at.

use std::collections::{BTreeMap, BTreeSet};

use mappings::bootstrap::{NOT_YET, Past, next_wave, together, types_of};
use mappings::{Link, Lock, ParkedItem, UnitKind, WorkUnit};
use port::translate::rules::RuleTranslator;
use port::translate::{Route, Translation, Translator as _};
use reports::record::UnitOutcome;
use reports::{RunOutcome, RunRecord, Verdict};
use upstream::{ItemPath, Revision};

use super::super::{CliError, session_error};
use super::args::Bootstrap;
use crate::driver::{Current, first_request};
use crate::engine::{Head, IN_A_BATCH, RunHeader, UNTOLD};
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

    /// The items beside the portion that the gate found to differ.
    fn differing_elsewhere(&self) -> Vec<ItemPath> {
        let gates = self.record.revisions.iter().flat_map(|revision| &revision.gates);
        let failed = gates.filter(|gate| gate.verdict == Verdict::Fail);
        let rows = failed.flat_map(|gate| &gate.evidence).filter(|row| row.disagreed > 0);
        let items = rows.filter_map(|row| ItemPath::new(row.item.as_str()).ok());
        items.filter(|item| !self.portion.contains(item)).collect()
    }

    /// The items of units whose answer by a rule did not pass: a rule says the same again. What could not be told may be
    /// told by another command.
    fn answered_in_vain(&self, began_ms: i64) -> impl Iterator<Item = &str> {
        let is_new = self.header.started_ms >= began_ms;
        let units = self.record.revisions.iter().flat_map(|revision| &revision.units);
        let parked = units.filter(|unit| matches!(unit.outcome, UnitOutcome::Parked { .. }));
        let in_vain = parked.filter(move |unit| {
            let mut by_rule = unit.attempts.iter().filter(|attempt| attempt.route == "rule");
            by_rule.any(|attempt| match attempt.verdict {
                Some(Verdict::Fail) => true,
                Some(Verdict::Inconclusive | Verdict::Pass) => is_new,
                None => false,
            })
        });
        in_vain.flat_map(|unit| unit.members.iter().map(|member| member.item.as_str()))
    }
}

/// Why an item waits that landed and was found to differ by a later gate, whose probes were others.
pub(super) const TAKEN_BACK: &str =
    "a later gate found a call in which it differs: it was taken back, and its symbol is there";

/// How many portions may hold an item that is taken back.
const TIMES_MAX: usize = 4;

/// Takes back what landed and differs, by what the gate said of the portions that it refused with the port as it is now:
/// else nothing would land any more. The item loses its link and waits; its symbol stays and is mended like a person's.
pub(super) fn taken_back(lock: &Lock, head: &Head, earlier: &[Earlier]) -> Option<Lock> {
    let here = earlier.iter().filter(|run| run.header.head == *head);
    let items: BTreeSet<ItemPath> = here.flat_map(Earlier::differing_elsewhere).collect();
    without(lock.clone(), &items)
}

/// A lock in which these items wait as far as they were linked; `None` where none was.
fn without(mut lock: Lock, items: &BTreeSet<ItemPath>) -> Option<Lock> {
    let linked: Vec<Link> = items.iter().filter_map(|item| lock.links.remove(item)).collect();
    if linked.is_empty() {
        return None;
    }
    for link in linked {
        let parked = ParkedItem {
            item: link.item.clone(),
            symbol: link.symbol,
            revision: link.revision,
            reason: TAKEN_BACK.to_owned(),
        };
        lock.parked.insert(link.item, parked);
    }
    Some(lock)
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
        let refused: BTreeSet<&str> =
            self.counted().flat_map(|run| run.answered_in_vain(self.began_ms)).collect();
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
        let is_again = parked.reason == TAKEN_BACK;
        let is_untold = || parked.reason.starts_with(UNTOLD) || parked.reason.contains(IN_A_BATCH);
        let is_open = || self.args.retry || is_again || parked.reason == NOT_YET || is_untold();
        // What is taken back again and again is a person's.
        let times = self.counted().filter(|run| run.portion.contains(item)).count();
        let was_asked = if is_again { times >= TIMES_MAX } else { self.asked.contains(item) };
        !was_asked && is_open() || self.is_set_free(lock, item)
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
            // What was not its fault says nothing about a portion.
            if !run.differing_elsewhere().is_empty() {
                continue;
            }
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
                Translation::Declined { reason: declined }
                | Translation::Waiting { reason: declined }
                | Translation::Malformed { reason: declined, .. },
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

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"version = 3
source = "registry:k"
baseline = "1.0.0"
commit = "0123456789abcdef0123456789abcdef01234567"

revisions = [
  { revision = "1.0.0", commit = "0123456789abcdef0123456789abcdef01234567", disposition = "adopted" },
]

links = [
  { item = "k::f", symbol = "k.f", upstream = "48ed87b019f4f7496583c135d07a518b", written = "2eedda6137f6f58ddbfefd2c9bca9c26", revision = "1.0.0", proof = "proved" },
  { item = "k::g", symbol = "k.g", upstream = "48ed87b019f4f7496583c135d07a518b", written = "2eedda6137f6f58ddbfefd2c9bca9c26", revision = "1.0.0", proof = "proved" },
]

parked = [
]

held = [
]
"#;

    #[test]
    fn what_landed_and_differs_after_all_waits_again_and_only_that() {
        let lock = Lock::parse(LOCK).unwrap();
        let item = |text: &str| ItemPath::new(text).unwrap();
        let taken = without(lock.clone(), &BTreeSet::from([item("k::f"), item("k::unknown")])).unwrap();
        assert_eq!(taken.links.keys().collect::<Vec<_>>(), [&item("k::g")]);
        assert_eq!(taken.parked[&item("k::f")].reason, TAKEN_BACK);
        assert_eq!(Lock::parse(&taken.render()).unwrap(), taken);
        assert_eq!(without(lock, &BTreeSet::from([item("k::unknown")])), None);
    }
}
