//! The gate over a tree of the port that nobody translated: a person's change, against the lock's baseline.

use std::collections::BTreeSet;

use anyhow::Result;
use mappings::Lock;
use port::confinement::Confinement;
use reports::record::{Finding, GateRecord};
use upstream::{ItemPath, Snapshot, TreeId};

use super::check::Before;
use super::proving::prove;
use super::sessions::{SessionsQuestion, add, prove_sessions};
use super::suite::{Suites, is_test};
use crate::gate::{self, NotCompared};
use crate::progress::Progress;
use crate::session::Session;

/// What is to be gated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// The tree.
    pub(crate) tree: &'a TreeId,
    /// The tree before: its tests are what must not be lost.
    pub(crate) before: &'a TreeId,
    /// The lock in the tree.
    pub(crate) lock: &'a Lock,
    /// The upstream at the lock's baseline.
    pub(crate) baseline: &'a Snapshot,
    /// What the lock and the two repositories disagree on.
    pub(crate) wrong: &'a [String],
}

/// Measures a tree: validity, then the contract, then the tests. What stands behind a failure is still measured,
/// except where the lock itself cannot be relied on: a person wants to hear of everything at once.
pub(crate) fn gate_standing(
    session: &Session,
    confinement: &dyn Confinement,
    standing: &Standing<'_>,
) -> Result<Vec<GateRecord>> {
    let mut timed = Timed { session, gates: Vec::new() };
    timed.push(|| Ok(vec![validity(session, standing)?]))?;
    if standing.wrong.is_empty() {
        timed.push(|| contract(session, confinement, standing))?;
    }
    timed.push(|| tests(session, confinement, standing))?;
    Ok(timed.gates)
}

struct Timed<'a> {
    session: &'a Session,
    gates: Vec<GateRecord>,
}

impl Timed<'_> {
    fn push(&mut self, measure: impl FnOnce() -> Result<Vec<GateRecord>>) -> Result<()> {
        let clock = &self.session.machine.clock;
        let began_ms = clock.now_ms();
        let mut measured = measure()?;
        let took_ms = u64::try_from(clock.now_ms() - began_ms).unwrap_or_default();
        for gate in &mut measured {
            gate.duration_ms = took_ms;
            self.session.machine.listener.tell(Progress::Gate {
                gate: gate.gate.clone(),
                verdict: gate.verdict,
                reason: gate.reason.clone(),
            });
        }
        self.gates.append(&mut measured);
        Ok(())
    }
}

/// The lock agrees with both sides, and every file that could be read before can still be.
fn validity(session: &Session, standing: &Standing<'_>) -> Result<GateRecord> {
    let changed = session.changed_files(standing.before, standing.tree)?;
    let (before, after) = (session.symbols(standing.before)?, session.symbols(standing.tree)?);
    let mut findings: Vec<Finding> = standing
        .wrong
        .iter()
        .map(|text| Finding { code: "lock-disagrees".to_owned(), text: text.clone() })
        .collect();
    let broken = after.unparsed.iter().filter(|(file, _)| !before.unparsed.contains_key(*file));
    findings.extend(broken.map(|(file, reason)| Finding {
        code: "file-broken".to_owned(),
        text: format!("{file} does not parse: {reason}"),
    }));
    Ok(gate::standing_validity(&changed, findings))
}

fn contract(
    session: &Session,
    confinement: &dyn Confinement,
    standing: &Standing<'_>,
) -> Result<Vec<GateRecord>> {
    let lock = standing.lock;
    let mut evidence = prove(session, confinement, lock, standing.tree, standing.baseline)?;
    let question = SessionsQuestion {
        sessions: &session.settings.sessions,
        tree: standing.tree,
        upstream: standing.baseline,
        before: Some(Before { tree: standing.before, upstream: standing.baseline }),
        occasion: format!("gate at {}", lock.baseline),
    };
    let has_parked = !lock.parked.is_empty() || lock.held_links() > 0;
    add(&mut evidence, prove_sessions(session, confinement, &question)?, has_parked);
    let parked: BTreeSet<&ItemPath> = lock.parked.keys().chain(lock.held.keys()).collect();
    let linked = lock.links.values().map(|link| &link.item).filter(|item| !parked.contains(item));
    let unreadable = linked.filter(|item| !standing.baseline.items.contains_key(*item)).cloned().collect();
    let not_compared = NotCompared { parked: lock.parked.len(), held: lock.held_links(), unreadable };
    let first = [gate::spec(&evidence), gate::numeric(&evidence, &not_compared)];
    Ok(first.into_iter().chain(gate::behavioural(&evidence)).collect())
}

fn tests(
    session: &Session,
    confinement: &dyn Confinement,
    standing: &Standing<'_>,
) -> Result<Vec<GateRecord>> {
    let mut suites = Suites::new(session, confinement);
    if !suites.are_there() {
        return Ok(Vec::new());
    }
    let before = suites.of(standing.before)?;
    let after = suites.of(standing.tree)?;
    let reruns = suites.again(standing.tree, &after)?;
    Ok(vec![gate::tests(&before, &after, &reruns, &[], is_test)])
}
