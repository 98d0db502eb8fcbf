//! One portion of what waits after the other: each is a run of its own, which lands before the next one is chosen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, anyhow};
use port::confinement::Confinement;
use reports::record::UnitOutcome;
use reports::{RunOutcome, RunRecord};
use upstream::{ItemPath, Revision};

use super::super::{CliError, session_error, sync};
use super::args::Bootstrap;
use super::choice::{Choice, Earlier, Portion, TAKEN_BACK, taken_back};
use crate::batches::Batches;
use crate::chain::{self, Gates, Means, RunExchanges};
use crate::config::{ChainEntry, Settings};
use crate::driver::{Driver, RunRequest};
use crate::engine::{self, Event, Head};
use crate::progress::Progress;
use crate::session::Session;
use crate::store::Store;

/// The most portions of one command: each lands something, marks something as asked for, or is never chosen again.
const PORTIONS_MAX: usize = 10_000;

/// How a command went.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// How many portions were run.
    pub(super) portions: usize,
    /// The budget that ended it, in words.
    pub(super) budget: Option<String>,
    /// All runs of the port's beginning, earlier commands' too, oldest first.
    pub(super) records: Vec<RunRecord>,
}

/// Ports what waits, portion by portion, for a caller who holds the lease of a clean port.
pub(super) fn port(session: &Session, args: &Bootstrap, revision: &Revision) -> Result<Ran, CliError> {
    let began_ms = session.machine.clock.now_ms();
    let has_models = session.settings.chain.iter().any(is_model);
    let mut ran = Ran::default();
    let mut asked: BTreeSet<ItemPath> = BTreeSet::new();
    let gates = Gates::new(session.settings.at_once_max, session.machine.clock.clone());
    let (batches, _told) = sync::collected(session, &gates, false)?;
    while ran.portions < PORTIONS_MAX {
        if session.machine.interrupt.load(Ordering::Relaxed) {
            return Err(anyhow!("stopped; the same command goes on from here").into());
        }
        let earlier = earlier(session, revision)?;
        take_back(session, &earlier)?;
        let choice =
            Choice { session, args, revision, earlier: &earlier, asked: &asked, has_models, began_ms };
        let Some(portion) = choice.next()? else {
            ran.records = earlier.into_iter().map(|earlier| earlier.record).collect();
            sync::tell(session, &batches.send()?);
            return Ok(ran);
        };
        let items = reports::count(portion.items.len() as u64, "item");
        let who = if portion.rules_alone { "for rules alone" } else { "to port" };
        session.machine.listener.tell(Progress::Notice { code: "portion", text: format!("{items} {who}") });
        let record = run_portion(session, revision, &portion, &gates, &batches)?;
        ran.portions += 1;
        if matches!(record.outcome, RunOutcome::GateFailed | RunOutcome::Inconclusive) {
            let text = "the gate did not pass it as a whole: it is taken up in other portions".to_owned();
            session.machine.listener.tell(Progress::Notice { code: "portion-refused", text });
        } else {
            asked.extend(portion.items);
        }
        if let Some(reason) = budget(&record) {
            ran.budget = Some(reason);
            ran.records =
                self::earlier(session, revision)?.into_iter().map(|earlier| earlier.record).collect();
            sync::tell(session, &batches.send()?);
            return Ok(ran);
        }
    }
    Err(anyhow!("{PORTIONS_MAX} portions were run, and something still waits").into())
}

/// Lets a lock stand in for the port's where the gate found something in it that differs. It lands with the next portion.
fn take_back(session: &Session, earlier: &[Earlier]) -> Result<(), CliError> {
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    let at = Head { commit: head.commit, tree: head.tree.clone() };
    if let Some(taken) = taken_back(&lock, &at, earlier) {
        let items = taken.parked.values().filter(|parked| parked.reason == TAKEN_BACK).count();
        let items = reports::count(items as u64, "item");
        let text = format!("by the last gate {items} that landed differ after all: taken back");
        session.machine.listener.tell(Progress::Notice { code: "taken-back", text });
        session.take_up(&head.tree, taken);
    }
    Ok(())
}

/// The runs that took up portions of this revision, oldest first.
fn earlier(session: &Session, revision: &Revision) -> Result<Vec<Earlier>, CliError> {
    let store = Store::open(&session.settings.state.join("state.db")).context("cannot open the journal")?;
    let mut found = Vec::new();
    for row in store.runs().context("cannot read the journal")?.into_iter().rev() {
        // What another version began says nothing here: its runs are not continued.
        let begun_by = store.begun_by(&row.run).context("cannot read the journal")?;
        if begun_by.is_some_and(|version| version != env!("CARGO_PKG_VERSION")) {
            continue;
        }
        let events = store.events(&row.run).context("cannot read the journal")?;
        let Some(Event::Started { header }) = events.first() else { continue };
        let Some(portion) = header.portion.clone() else { continue };
        let is_same = header.targets.iter().map(|target| &target.commit).eq([&revision.commit]);
        if let (Some(record), _) = engine::record(&events).map_err(|error| anyhow!(error))?
            && is_same
        {
            found.push(Earlier { header: header.clone(), portion, status: row.status, record });
        }
    }
    Ok(found)
}

/// Plans, translates, gates and lands a portion.
fn run_portion(
    session: &Session,
    revision: &Revision,
    portion: &Portion,
    gates: &Gates,
    batches: &Arc<Batches>,
) -> Result<RunRecord, CliError> {
    let confinement: Arc<dyn Confinement> = sync::confinement(&session.settings, &session.machine)?.into();
    let exchanges = Arc::new(RunExchanges::below(&session.settings.state));
    let means = Means {
        runner: session.machine.runner.clone(),
        clock: session.machine.clock.clone(),
        exchanges: Arc::clone(&exchanges),
        program: session.machine.program.clone(),
        batches: Some(Arc::clone(batches)),
    };
    batches.count_for(&exchanges);
    let store = Store::open(&session.settings.state.join("state.db")).context("cannot open the journal")?;
    let links = if portion.rules_alone {
        let chain = session.settings.chain.iter().filter(|entry| !is_model(entry)).cloned().collect();
        chain::build_behind(&Settings { chain, ..session.settings.clone() }, &means, gates)?
    } else {
        chain::build_behind(&session.settings, &means, gates)?
    };
    let mut driver = Driver::new(session, links, &confinement, store, exchanges)?;
    let request = RunRequest {
        targets: vec![revision.clone()],
        newest: Some(revision.clone()),
        portion: Some(portion.items.clone()),
        unused: batches.unused()?,
        ..RunRequest::default()
    };
    let record = driver.run(&request)?;
    if record.outcome == RunOutcome::Unfinished {
        return Err(anyhow!("the run {} did not end", record.run).into());
    }
    Ok(record)
}

/// The budget that left units of a run unasked, where it is one of more than a unit.
fn budget(record: &RunRecord) -> Option<String> {
    let units = record.revisions.iter().flat_map(|revision| &revision.units);
    let parked = units.filter(|unit| matches!(unit.outcome, UnitOutcome::Parked { .. }));
    let findings = parked.flat_map(|unit| &unit.attempts).flat_map(|attempt| &attempt.findings);
    let mut reached =
        findings.filter(|found| found.code.starts_with("budget-") && found.code != "budget-unit");
    reached.next().map(|found| found.text.clone())
}

fn is_model(entry: &ChainEntry) -> bool {
    matches!(entry, ChainEntry::Model(_))
}
