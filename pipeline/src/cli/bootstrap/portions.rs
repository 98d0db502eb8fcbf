//! One portion of what waits after the other: each is a run of its own, which lands before the next one is chosen.
//!
//! What is asked for next follows from the lock and the journal alone, so that a command that was killed goes on with
//! the portion it was at.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, anyhow};
use mappings::Lock;
use mappings::bootstrap::{NOT_YET, Past, Portion, Standing, next_portion};
use port::translate::Route;
use reports::record::UnitOutcome;
use reports::{RunOutcome, RunRecord};
use upstream::{ItemPath, Revision};

use super::super::{CliError, session_error, sync};
use super::args::Bootstrap;
use crate::chain::{self, Means, RunExchanges};
use crate::config::{ChainEntry, Settings};
use crate::driver::{Current, Driver, RunRequest};
use crate::engine::{self, Event, Head, RunHeader, UNTOLD};
use crate::lease::Lease;
use crate::progress::Progress;
use crate::session::Session;
use crate::store::{RunStatus, Store};

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

/// One earlier run that took up a portion of the same revision.
struct Earlier {
    header: RunHeader,
    portion: BTreeSet<ItemPath>,
    status: RunStatus,
    record: RunRecord,
}

impl Earlier {
    fn asked_a_model(&self) -> bool {
        self.header.chain.iter().any(|link| link.route == Route::Model)
    }
}

/// Ports what waits, portion by portion.
pub(super) fn port(session: &Session, args: &Bootstrap, revision: &Revision) -> Result<Ran, CliError> {
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    sync::ensure_clean(session)?;
    let began_ms = session.machine.clock.now_ms();
    let has_models = session.settings.chain.iter().any(is_model);
    let mut ran = Ran::default();
    let mut asked: BTreeSet<ItemPath> = BTreeSet::new();
    while ran.portions < PORTIONS_MAX {
        if session.machine.interrupt.load(Ordering::Relaxed) {
            return Err(anyhow!("stopped; the same command goes on from here").into());
        }
        let earlier = earlier(session, revision)?;
        let choice = Choice { session, args, revision, earlier: &earlier, asked: &asked, has_models, began_ms };
        let Some(portion) = choice.next()? else {
            ran.records = earlier.into_iter().map(|earlier| earlier.record).collect();
            return Ok(ran);
        };
        let items = reports::count(portion.items.len() as u64, "item");
        let who = if portion.is_blocked { "use what waits: rules alone are asked" } else { "come next" };
        session.machine.listener.tell(Progress::Notice { code: "portion", text: format!("{items} {who}") });
        let record = run_portion(session, revision, &portion)?;
        ran.portions += 1;
        if matches!(record.outcome, RunOutcome::GateFailed | RunOutcome::Inconclusive) {
            let text = "the gate did not pass it as a whole: it is taken up in other portions".to_owned();
            session.machine.listener.tell(Progress::Notice { code: "portion-refused", text });
        } else {
            asked.extend(portion.items);
        }
        if let Some(reason) = budget(&record) {
            ran.budget = Some(reason);
            ran.records = self::earlier(session, revision)?.into_iter().map(|earlier| earlier.record).collect();
            return Ok(ran);
        }
    }
    Err(anyhow!("{PORTIONS_MAX} portions were run, and something still waits").into())
}

/// What the next portion is chosen by.
struct Choice<'a> {
    session: &'a Session,
    args: &'a Bootstrap,
    revision: &'a Revision,
    earlier: &'a [Earlier],
    /// What this command has asked for.
    asked: &'a BTreeSet<ItemPath>,
    has_models: bool,
    began_ms: i64,
}

impl Choice<'_> {
    fn next(&self) -> Result<Option<Portion>, CliError> {
        let session = self.session;
        let head = session.head().map_err(session_error)?;
        let lock = session.lock(&head.tree).map_err(session_error)?;
        let head = Head { commit: head.commit, tree: head.tree };
        // What was stopped goes on: it is the run that the driver will find open.
        let open = self.earlier.iter().find(|run| run.status == RunStatus::Open && run.header.head == head);
        if let Some(open) = open {
            let is_blocked = self.has_models && !open.asked_a_model();
            return Ok(Some(Portion { items: open.portion.clone(), is_blocked }));
        }
        if lock.parked.is_empty() {
            return Ok(None);
        }
        let current = Current::make(session, self.revision, &head, self.began_ms)?;
        let standing = Standing {
            waits: &|item| self.waits(&lock, item),
            was_apart: &|item, members| {
                let is_apart = |run: &&Earlier| run.portion.contains(item) && run.portion.is_disjoint(members);
                self.counted().any(|run| is_apart(&run))
            },
            past: &self.past(&head),
        };
        Ok(next_portion(&current.plan, standing, (self.args.at_a_time, self.has_models)))
    }

    /// The runs that count: with `--retry` those of this command alone.
    fn counted(&self) -> impl Iterator<Item = &Earlier> {
        self.earlier.iter().filter(|run| !self.args.retry || run.header.started_ms >= self.began_ms)
    }

    /// Whether an item is a member of a type that is in the port by now, and was never asked for without the type.
    fn is_set_free(&self, lock: &Lock, item: &ItemPath) -> bool {
        let Some(holder) = lock.parked.get(item).and_then(|parked| parked.symbol.parent()) else { return false };
        let Some(link) = lock.links.values().find(|link| link.symbol == holder) else { return false };
        let is_alone = |run: &Earlier| run.portion.contains(item) && !run.portion.contains(&link.item);
        !self.counted().any(is_alone)
    }

    /// Whether an item is still to be asked for.
    fn waits(&self, lock: &Lock, item: &ItemPath) -> bool {
        let Some(parked) = lock.parked.get(item) else { return false };
        if self.asked.contains(item) {
            return self.is_set_free(lock, item);
        }
        let of_item = || self.earlier.iter().filter(|run| run.portion.contains(item));
        // Rules alone were asked while what it uses was not there, or no model was named.
        let only_rules = || self.has_models && !of_item().any(Earlier::asked_a_model);
        self.args.retry
            || parked.reason == NOT_YET
            || parked.reason.starts_with(UNTOLD)
            || only_rules()
            || self.is_set_free(lock, item)
    }

    /// What the journal says of portions that did not land. With `--retry` what this command did alone counts.
    fn past(&self, head: &Head) -> Past {
        let mut past = Past::default();
        for run in self.counted() {
            let is_here = run.header.head == *head;
            let is_alone = run.record.revisions.iter().map(|revision| revision.units.len()).sum::<usize>() == 1;
            let of_now = self.has_models == run.asked_a_model() || is_here;
            match run.record.outcome {
                RunOutcome::GateFailed if is_alone && of_now => past.refused_alone.push(run.portion.clone()),
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
fn run_portion(session: &Session, revision: &Revision, portion: &Portion) -> Result<RunRecord, CliError> {
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let exchanges = Arc::new(RunExchanges::below(&session.settings.state));
    let means = Means {
        runner: session.machine.runner.clone(),
        clock: session.machine.clock.clone(),
        exchanges: Arc::clone(&exchanges),
        program: session.machine.program.clone(),
    };
    let store = Store::open(&session.settings.state.join("state.db")).context("cannot open the journal")?;
    let links = if portion.is_blocked {
        let chain = session.settings.chain.iter().filter(|entry| !is_model(entry)).cloned().collect();
        chain::build(&Settings { chain, ..session.settings.clone() }, &means)?
    } else {
        chain::build(&session.settings, &means)?
    };
    let mut driver = Driver::new(session, links, &*confinement, store, exchanges)?;
    let request = RunRequest {
        targets: vec![revision.clone()],
        newest: Some(revision.clone()),
        portion: Some(portion.items.clone()),
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
    let mut reached = findings.filter(|found| found.code.starts_with("budget-") && found.code != "budget-unit");
    reached.next().map(|found| found.text.clone())
}

fn is_model(entry: &ChainEntry) -> bool {
    matches!(entry, ChainEntry::Model(_))
}
