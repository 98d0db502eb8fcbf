//! The run's record, folded from its events. The report shows what the journal holds and nothing else.

use reports::record::{
    FORMAT, Landed, PortFacts, RevisionRecord, RunOutcome, RunRecord, UnitOutcome, UnitRecord, UpstreamFacts,
};

use super::event::{AttemptResult, Event, PlannedRevision, RunHeader};
use super::state::{Ended, Phase, RunState, Stop, UnitState};
use super::step::{IllegalEvent, step};

/// Folds events into the record that people read, and the state they lead to.
pub fn record(events: &[Event]) -> Result<(Option<RunRecord>, RunState), IllegalEvent> {
    let mut state = RunState::New;
    let mut record = None;
    for event in events {
        state = step(state, event)?;
        apply(&mut record, &state, event);
    }
    Ok((record, state))
}

/// Adds one event to a record; `state` is the state after it.
pub fn apply(record: &mut Option<RunRecord>, state: &RunState, event: &Event) {
    if let Event::Started { header } = event {
        *record = Some(begin(header));
    }
    let Some(record) = record.as_mut() else { return };
    match event {
        Event::Started { .. } => {}
        Event::Planned { revision, plan, .. } => {
            let planned = planned(state, plan);
            // A revision that begins again after the branch moved replaces its first try.
            record.revisions.retain(|known| known.label != revision.as_str());
            record.revisions.extend(planned);
        }
        Event::Attempted { unit, record: attempt, result, port_after } => {
            if let Some(unit) = open_unit(record, unit.as_str()) {
                unit.attempts.push(attempt.clone());
                if matches!(result, AttemptResult::Accepted { .. }) {
                    for (member, text) in unit.members.iter_mut().zip(port_after) {
                        member.port_after.clone_from(text);
                    }
                }
            }
            outcomes(record, state);
        }
        Event::Gated { gates, .. } => {
            if let Some(revision) = record.revisions.last_mut() {
                revision.gates.clone_from(gates);
            }
            outcomes(record, state);
        }
        Event::Prepared { .. } => {
            if let (RunState::Working(work), Some(revision)) = (state, record.revisions.last_mut())
                && let Phase::Advancing { candidate, .. } = &work.phase
            {
                revision.disposition = Some(disposition_name(candidate.disposition()).to_owned());
            }
        }
        Event::Landed { head, files, duration_ms } => {
            record.port.head_after = head.commit.to_string();
            record.port.tree_after = head.tree.to_string();
            if let Some(revision) = record.revisions.last_mut() {
                record.upstream.baseline_after.clone_from(&revision.label);
                record.upstream.lag_after = record.upstream.lag_after.saturating_sub(1);
                revision.landed = Some(Landed {
                    commit: head.commit.to_string(),
                    tree: head.tree.to_string(),
                    files: files.clone(),
                });
                revision.duration_ms = *duration_ms;
            }
        }
        Event::BranchMoved { head } => {
            record.notices.push(reports::record::Notice {
                code: "branch-moved".to_owned(),
                text: format!(
                    "the branch was moved to {} meanwhile; the revision was begun again",
                    head.commit
                ),
            });
        }
        Event::Finished { at_ms } => record.finished_ms = Some(*at_ms),
    }
    record.outcome = outcome(record, state);
}

fn begin(header: &RunHeader) -> RunRecord {
    RunRecord {
        format: FORMAT,
        run: header.run.clone(),
        tidelock: header.tidelock.clone(),
        started_ms: header.started_ms,
        finished_ms: None,
        outcome: RunOutcome::Unfinished,
        port: PortFacts {
            name: header.port.clone(),
            language: header.language.clone(),
            branch: header.branch.clone(),
            head_before: header.head.commit.to_string(),
            head_after: header.head.commit.to_string(),
            tree_after: header.head.tree.to_string(),
        },
        upstream: UpstreamFacts {
            source: header.source.clone(),
            baseline_before: header.baseline.to_string(),
            baseline_after: header.baseline.to_string(),
            newest: header.newest.to_string(),
            lag_before: header.lag,
            lag_after: header.lag,
        },
        translators: header.chain.iter().map(|link| link.name.clone()).collect(),
        confinement: header.confinement.clone(),
        revisions: Vec::new(),
        notices: header.notices.clone(),
    }
}

/// A revision at the beginning of its work.
fn planned(state: &RunState, plan: &PlannedRevision) -> Option<RevisionRecord> {
    let RunState::Working(work) = state else { return None };
    let revision = work.revision()?;
    Some(RevisionRecord {
        label: revision.label.to_string(),
        commit: revision.commit.to_string(),
        summary: revision.summary.clone(),
        published_s: revision.published_s,
        class: plan.class.clone(),
        changes: plan.changes.clone(),
        dependencies: plan.dependencies.clone(),
        files: plan.files.clone(),
        skipped: plan.skipped.clone(),
        units: plan.units.iter().map(|unit| unit.record.clone()).collect(),
        gates: Vec::new(),
        disposition: None,
        reason: plan.decided.as_ref().map(|decided| decided.reason.clone()).unwrap_or_default(),
        landed: None,
        duration_ms: 0,
    })
}

fn open_unit<'a>(record: &'a mut RunRecord, unit: &str) -> Option<&'a mut UnitRecord> {
    record.revisions.last_mut()?.units.iter_mut().find(|known| known.id == unit)
}

/// Writes into each unit of the current revision how it ended, from the state.
fn outcomes(record: &mut RunRecord, state: &RunState) {
    let RunState::Working(work) = state else { return };
    let candidate = match &work.phase {
        Phase::Translating(candidate)
        | Phase::Gating(candidate)
        | Phase::Committing { candidate, .. }
        | Phase::Advancing { candidate, .. } => candidate,
        Phase::Planning => return,
    };
    let Some(revision) = record.revisions.last_mut() else { return };
    for (unit, state) in revision.units.iter_mut().zip(&candidate.units) {
        unit.outcome = match state {
            UnitState::Open(_) => UnitOutcome::Open,
            UnitState::Accepted { answer: None, .. } => UnitOutcome::Absorbed,
            UnitState::Accepted { answer: Some(_), .. } => {
                let last = unit.attempts.last();
                UnitOutcome::Translated {
                    route: last.map(|attempt| attempt.route.clone()).unwrap_or_default(),
                    origin: last.map(|attempt| attempt.origin.clone()).unwrap_or_default(),
                }
            }
            UnitState::Parked { reason, needs, .. } => {
                UnitOutcome::Parked { reason: reason.clone(), needs: needs.clone() }
            }
        };
    }
}

fn outcome(record: &RunRecord, state: &RunState) -> RunOutcome {
    let RunState::Over(Ended { stopped, parked, dry_run }) = state else { return RunOutcome::Unfinished };
    match stopped {
        Some(Stop::GateFailed) => RunOutcome::GateFailed,
        Some(Stop::GateInconclusive | Stop::BranchContended) => RunOutcome::Inconclusive,
        None if *dry_run => RunOutcome::DryRun,
        None if *parked => RunOutcome::Parked,
        None if record.revisions.is_empty() => RunOutcome::NothingToDo,
        None => RunOutcome::Done,
    }
}

fn disposition_name(disposition: mappings::Disposition) -> &'static str {
    use mappings::Disposition as D;
    match disposition {
        D::Adopted => "adopted",
        D::Landed => "landed",
        D::Absorbed => "absorbed",
        D::NotPorted => "not-ported",
        D::Declined => "declined",
        D::Deferred => "deferred",
        D::Parked => "parked",
        D::Withdrawn => "withdrawn",
    }
}
