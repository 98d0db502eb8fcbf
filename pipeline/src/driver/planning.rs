//! The effect `plan`: what a revision changes, and what is to be done about it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;
use mappings::decision::Hold;
use mappings::plan::{PlanInput, plan_portion};
use mappings::{DecisionWord, Disposition, Holds, Lock, Plan, SkipReason, SymbolTable, UnitKind, WorkUnit};
use port::compile::{Program, bare_crate};
use reports::record::{ChangeRow, MemberRecord, SkippedRow, UnitOutcome, UnitRecord};
use upstream::{ItemChange, ItemKind, ItemPath, Revision, RevisionClass, SemanticDiff, Snapshot};

use super::Driver;
use super::hidden::Calls;
use crate::engine::{Decided, Event, Head, PlannedRevision, PlannedUnit, RunState, Work};
use crate::progress::Progress;
use crate::session::Session;

/// What a plan is asked for: the time, in milliseconds since the Unix epoch, and the items, where not all are meant.
pub(super) type Asked<'a> = (i64, Option<&'a BTreeSet<ItemPath>>);

/// Everything about the revision at work that can be computed again from the repositories.
pub(crate) struct Current {
    pub(crate) revision: Revision,
    pub(crate) head: Head,
    pub(crate) lock: Arc<Lock>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) baseline: Arc<Snapshot>,
    pub(crate) symbols: Arc<SymbolTable>,
    pub(crate) diff: SemanticDiff,
    pub(crate) plan: Plan,
    pub(super) holds: Holds,
    pub(super) calls: Calls,
    /// The packages as rules see them, read when they are first asked for.
    pub(super) programs: RefCell<BTreeMap<String, Arc<Program>>>,
}

impl Current {
    /// The package of a crate with the places of its items in the port.
    pub(super) fn program(&self, session: &Session, krate: &str) -> Arc<Program> {
        let package = bare_crate(krate);
        let known = self.programs.borrow().get(&package).cloned();
        known.unwrap_or_else(|| {
            let linked =
                |item: &upstream::Item| self.lock.links.get(&item.path).map(|link| link.symbol.clone());
            let text = |file: &str| {
                session.file_at(&self.snapshot.revision.label, file).map(|text| text.to_string())
            };
            let program = Program::read(&self.snapshot, &package, &session.settings.mapping, &linked, &text);
            let runtime = session.runtime_offer(&self.head.tree);
            let program = Arc::new(program.with_runtime(runtime.importable().cloned()));
            self.programs.borrow_mut().insert(package, Arc::clone(&program));
            program
        })
    }

    /// Diffs a revision against the lock's baseline and plans it for a tree of the port, under the decisions of a
    /// time in milliseconds since the Unix epoch.
    pub(crate) fn make(session: &Session, revision: &Revision, head: &Head, at_ms: i64) -> Result<Self> {
        Self::make_portion(session, revision, head, (at_ms, None))
    }

    /// The same for some items alone, where some are named.
    pub(crate) fn make_portion(
        session: &Session,
        revision: &Revision,
        head: &Head,
        asked: Asked<'_>,
    ) -> Result<Self> {
        let lock = session.lock(&head.tree)?;
        let baseline = session.snapshot(&session.revision(lock.baseline.as_str())?)?;
        let snapshot = session.snapshot(revision)?;
        Self::over(session, (baseline, snapshot), lock, head, asked)
    }

    /// Diffs two snapshots and plans the second one.
    pub(super) fn over(
        session: &Session,
        (baseline, snapshot): (Arc<Snapshot>, Arc<Snapshot>),
        lock: Arc<Lock>,
        head: &Head,
        (at_ms, portion): Asked<'_>,
    ) -> Result<Self> {
        let (symbols, uses) = (session.symbols(&head.tree)?, session.uses(&head.tree)?);
        let diff = upstream::diff::compare(&baseline, &snapshot);
        let holds = session.holds(at_ms)?;
        let input = PlanInput {
            target: &snapshot,
            baseline: &baseline,
            lock: &lock,
            item_at: &|label, item| session.item_at(label, item),
            mapping: &session.settings.mapping,
            symbols: &symbols,
            uses: &uses,
            holds: &holds,
        };
        let plan = plan_portion(&input, portion)?;
        Ok(Self {
            revision: snapshot.revision.clone(),
            head: head.clone(),
            lock,
            snapshot,
            baseline,
            symbols,
            diff,
            plan,
            holds,
            calls: Calls::default(),
            programs: RefCell::default(),
        })
    }

    /// The revision as a translator is told of it. What a port begins with was not brought by the revision that it begins
    /// at, whose words would be about something else. What was parked later is asked for by the words that it was first
    /// asked for by: its answer may be on its way.
    pub(super) fn told_revision(&self) -> Revision {
        let mut told = self.revision.clone();
        if self.lock.adopted().is_some_and(|adopted| adopted.commit == told.commit) {
            told.summary.clear();
        }
        told
    }

    pub(crate) fn unit(&self, id: &mappings::UnitId) -> Option<&WorkUnit> {
        self.plan.units.iter().find(|unit| unit.id == *id)
    }

    /// What the report and the journal keep of the plan.
    pub(crate) fn planned(&self) -> PlannedRevision {
        PlannedRevision {
            class: class_name(self.diff.class).to_owned(),
            changes: self.diff.items.iter().map(change_row).collect(),
            dependencies: self.diff.dependencies.iter().map(dependency_line).collect(),
            files: self.diff.files.iter().map(|change| change.file.clone()).chain(self.unparsed()).collect(),
            skipped: self.plan.skipped.iter().filter(|skip| !skip.carried).map(skipped_row).collect(),
            units: self
                .plan
                .units
                .iter()
                .map(|unit| PlannedUnit {
                    id: unit.id.clone(),
                    after: self.forerunners(unit),
                    record: self.unit_record(unit),
                })
                .collect(),
            decided: self.holds.of_revision(&self.revision.label).map(decided),
        }
    }

    /// The units that are settled before one: those that it calls, and for a test all code, which the test runs.
    fn forerunners(&self, unit: &WorkUnit) -> Vec<mappings::UnitId> {
        if unit.kind != UnitKind::Test {
            return unit.after.clone();
        }
        let code = self.plan.units.iter().filter(|other| other.kind != UnitKind::Test);
        let ids: BTreeSet<&mappings::UnitId> = code.map(|other| &other.id).chain(&unit.after).collect();
        ids.into_iter().cloned().collect()
    }

    fn unparsed(&self) -> impl Iterator<Item = String> {
        self.diff.unparsed.iter().map(|file| format!("{} (not parsed: {})", file.file, file.reason))
    }

    fn unit_record(&self, unit: &WorkUnit) -> UnitRecord {
        let text = |item: Option<&upstream::Item>| item.map(|item| item.text.clone()).unwrap_or_default();
        let members = unit.members.iter().map(|member| {
            let port = self.symbols.get(&member.symbol).map(|symbol| symbol.text.clone()).unwrap_or_default();
            MemberRecord {
                item: member.change.path().to_string(),
                symbol: member.symbol.to_string(),
                file: member.file.clone(),
                change: summary(&member.change),
                upstream_before: text(member.change.before()),
                upstream_after: text(member.change.after()),
                port_before: port.clone(),
                port_after: port,
            }
        });
        UnitRecord {
            id: unit.id.to_string(),
            kind: unit_kind_name(unit.kind).to_owned(),
            reason: unit.reason.clone(),
            members: members.collect(),
            impacted: unit
                .impacted
                .iter()
                .map(|impacted| format!("{} (through {})", impacted.symbol, impacted.through))
                .collect(),
            attempts: Vec::new(),
            outcome: UnitOutcome::Open,
        }
    }
}

impl Driver<'_> {
    pub(super) fn plan(&mut self, revision: &Revision, head: &Head, state: &RunState) -> Result<Event> {
        if let RunState::Working(work) = state {
            self.tell(begun(work, revision));
        }
        // What was asked for a revision that begins again is not due any more.
        self.asking.forget_all();
        self.checking.forget_all();
        let at_ms = self.now_ms();
        let portion = match state {
            RunState::Working(work) => work.header.portion.as_ref(),
            RunState::New | RunState::Ending(_) | RunState::Over(_) => None,
        };
        let decided_ms = decided_at(state).unwrap_or(at_ms);
        let current = Current::make_portion(self.session, revision, head, (decided_ms, portion))?;
        if let Some(text) = self.session.runtime_note(&head.tree) {
            self.tell(Progress::Notice { code: "runtime-module", text });
        }
        let planned = current.planned();
        self.current = Some(Rc::new(current));
        self.tell(Progress::Planned {
            class: planned.class.clone(),
            changes: planned.changes.iter().map(|row| (row.item.clone(), row.change.clone())).collect(),
            units: planned.units.len(),
            skipped: planned.skipped.len(),
        });
        Ok(Event::Planned { revision: revision.label.clone(), at_ms, plan: planned })
    }
}

fn decided(hold: &Hold) -> Decided {
    let disposition = match hold.word {
        DecisionWord::Deferred => Disposition::Deferred,
        DecisionWord::Declined | DecisionWord::Pinned => Disposition::Declined,
    };
    Decided { disposition, reason: hold.reason.clone() }
}

/// Decisions hold as of the beginning of the run: a plan that is made again after midnight is the same one.
pub(super) fn decided_at(state: &RunState) -> Option<i64> {
    match state {
        RunState::Working(work) => Some(work.header.started_ms),
        RunState::New | RunState::Ending(_) | RunState::Over(_) => None,
    }
}

fn begun(work: &Work, revision: &Revision) -> Progress {
    Progress::Revision {
        label: revision.label.to_string(),
        number: work.target + 1,
        of: work.header.targets.len(),
    }
}

/// What happened to a unit's item, in words; some units are about items that only use what changed.
fn summary(change: &ItemChange) -> String {
    let summary = change.summary();
    if summary.is_empty() { "unchanged itself".to_owned() } else { summary }
}

fn change_row(change: &ItemChange) -> ChangeRow {
    let kind = change.after().or(change.before()).map(|item| item_kind_name(item.kind)).unwrap_or_default();
    ChangeRow {
        item: change.path().to_string(),
        kind: kind.to_owned(),
        change: change.summary(),
        is_test: change.is_test(),
    }
}

fn dependency_line(change: &upstream::diff::DependencyChange) -> String {
    let side = |requirement: &Option<String>| requirement.clone().unwrap_or_else(|| "none".to_owned());
    format!("{}: {}: {} -> {}", change.package, change.dependency, side(&change.before), side(&change.after))
}

fn skipped_row(skipped: &mappings::Skipped) -> SkippedRow {
    SkippedRow {
        item: skipped.item.to_string(),
        change: skipped.change.clone(),
        why: match skipped.why {
            SkipReason::NoBehaviour => "no-behaviour",
            SkipReason::Ignored => "ignored",
            SkipReason::Manual => "manual",
            SkipReason::Declined => "declined",
            SkipReason::Deferred => "deferred",
            SkipReason::Bound => "bound",
            SkipReason::NoCounterpart => "no-counterpart",
            SkipReason::Unmapped => "unmapped",
        }
        .to_owned(),
        reason: skipped.reason.clone(),
    }
}

/// The class of a revision in reports.
pub(crate) fn class_name(class: RevisionClass) -> &'static str {
    match class {
        RevisionClass::NoBehaviourChange => "no_behaviour_change",
        RevisionClass::BuildOnly => "build_only",
        RevisionClass::Dependencies => "dependencies",
        RevisionClass::InternalBehaviour => "internal_behaviour",
        RevisionClass::PublicApiAdded => "public_api_added",
        RevisionClass::PublicApiChanged => "public_api_changed",
        RevisionClass::PublicApiRemoved => "public_api_removed",
    }
}

fn item_kind_name(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Function => "function",
        ItemKind::Method => "method",
        ItemKind::Struct => "struct",
        ItemKind::Enum => "enum",
        ItemKind::Union => "union",
        ItemKind::Trait => "trait",
        ItemKind::Impl => "impl",
        ItemKind::Const => "const",
        ItemKind::Static => "static",
        ItemKind::TypeAlias => "type alias",
        ItemKind::Macro => "macro",
        ItemKind::Module => "module",
    }
}

/// A unit's kind in reports.
pub(crate) fn unit_kind_name(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Add => "add",
        UnitKind::Change => "change",
        UnitKind::Remove => "remove",
        UnitKind::Relocate => "relocate",
        UnitKind::Test => "test",
    }
}
