//! The effect `gate`: the lock is written, and the whole candidate is measured.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use mappings::settle::{Settlement, UnitOutcome, settle};
use mappings::{Lock, SymbolPath, UnitId, UnitKind};
use port::runtime::State;
use reports::Verdict;
use reports::record::GateRecord;
use upstream::{ItemPath, TreeId};

use super::Driver;
use super::benching::{Benching, Question};
use super::planning::Current;
use super::suite::is_test;
use crate::config::bench::BenchSchedule;
use crate::engine::{Candidate, Event, Phase, RunState, UnitState};
use crate::gate::{self, NotCompared, overall};
use crate::progress::Progress;
use crate::session::LOCK_NAME;

/// A candidate with its lock, ready to be measured.
struct Whole<'a> {
    current: &'a Current,
    candidate: &'a Candidate,
    lock: Lock,
    tree: TreeId,
}

/// What one measure came to.
#[derive(Default)]
struct Measured {
    gates: Vec<GateRecord>,
    /// What translators may be told of it.
    told: Vec<String>,
}

impl From<Vec<GateRecord>> for Measured {
    fn from(gates: Vec<GateRecord>) -> Self {
        Self { gates, told: Vec::new() }
    }
}

impl Driver<'_> {
    pub(super) fn gate(&mut self, tree: &TreeId, state: &RunState) -> Result<Event> {
        let RunState::Working(work) = state else { bail!("nothing is being worked on") };
        let Phase::Gating(candidate) = &work.phase else { bail!("nothing is to be gated") };
        let current = self.current()?;
        let resting = self.resting(&current, candidate, tree)?;
        let lock = self.settled(&current, candidate, tree, &resting)?;
        let bytes = BTreeMap::from([(LOCK_NAME.to_owned(), Some(lock.render().into_bytes()))]);
        let whole =
            Whole { current: &current, candidate, tree: self.session.port.write_tree(tree, &bytes)?, lock };
        let (mut gates, mut told) = (Vec::new(), Vec::new());
        for measure in [Self::validity, Self::contract, Self::tests, Self::timing, Self::benchmarks] {
            // A later gain never buys back an earlier failure, so nothing is measured behind one.
            if overall_so_far(&gates) != Verdict::Pass {
                break;
            }
            let began_ms = self.now_ms();
            let mut measured = measure(self, &whole)?;
            let took_ms = u64::try_from(self.now_ms() - began_ms).unwrap_or_default();
            told.append(&mut measured.told);
            for gate in &mut measured.gates {
                gate.duration_ms = took_ms;
                self.tell(Progress::Gate {
                    gate: gate.gate.clone(),
                    verdict: gate.verdict,
                    reason: gate.reason.clone(),
                });
            }
            gates.extend(measured.gates);
        }
        Ok(Event::Gated { tree: whole.tree, verdict: overall(&gates), gates, told })
    }

    /// The lock that lands with the candidate.
    fn settled(
        &self,
        current: &Current,
        candidate: &Candidate,
        tree: &TreeId,
        resting: &BTreeMap<ItemPath, ItemPath>,
    ) -> Result<Lock> {
        let after = self.session.symbols(tree)?;
        let outcomes: BTreeMap<UnitId, UnitOutcome> = candidate
            .plan
            .units
            .iter()
            .zip(&candidate.units)
            .map(|(unit, state)| Ok((unit.id.clone(), outcome(state)?)))
            .collect::<Result<_>>()?;
        let passed_by: Vec<_> = self.passed_by(current)?;
        let lock = settle(&Settlement {
            lock: &current.lock,
            plan: &current.plan,
            target: &current.snapshot,
            mapping: &self.session.settings.mapping,
            before: &current.symbols,
            after: &after,
            outcomes: &outcomes,
            passed_by: &passed_by,
            holds: &current.holds,
            resting,
        })?;
        Ok(lock)
    }

    /// What differs because it uses something that is parked: items outside all units, each with the parked one. What
    /// uses a parked item and behaves alike all the same is held to that by the gate.
    fn resting(
        &mut self,
        current: &Current,
        candidate: &Candidate,
        tree: &TreeId,
    ) -> Result<BTreeMap<ItemPath, ItemPath>> {
        let units = current.plan.units.iter().zip(&candidate.units);
        let parked =
            units.filter(|(_, state)| matches!(state, UnitState::Parked { .. })).map(|(unit, _)| unit);
        let mut resting = current.resting_on(parked);
        let linked = |item: &ItemPath| Some((item.clone(), current.lock.links.get(item)?.symbol.clone()));
        let items: Vec<(ItemPath, SymbolPath)> = resting.keys().filter_map(linked).collect();
        if items.is_empty() {
            return Ok(BTreeMap::new());
        }
        let what = reports::count(items.len() as u64, "user");
        self.tell(Progress::Step { what: format!("comparing {what} of what is parked") });
        let answer = self.ask(current, tree, items, format!("{} resting", current.revision.label), false)?;
        let differing = answer.differing();
        resting.retain(|item, _| differing.contains(item));
        if !resting.is_empty() {
            let named: Vec<String> = resting.keys().map(ToString::to_string).collect();
            let text = format!("{} rest on what is parked, and wait with it", named.join(", "));
            self.tell(Progress::Notice { code: "rests-on-parked", text });
        }
        Ok(resting)
    }

    /// Revisions that their authors took back, between the baseline and the revision at work.
    fn passed_by(&self, current: &Current) -> Result<Vec<upstream::Revision>> {
        let all = self.session.revisions()?;
        let place = |label| all.iter().position(|revision| revision.label == label);
        let (from, to) = (place(current.lock.baseline.clone()), place(current.revision.label.clone()));
        let (Some(from), Some(to)) = (from, to) else { return Ok(Vec::new()) };
        let between = all.get(from + 1..to).unwrap_or_default();
        Ok(between.iter().filter(|revision| revision.withdrawn).cloned().collect())
    }

    /// The oracle is out of reach: nothing changed but the planned symbols and the lock.
    fn validity(&mut self, whole: &Whole<'_>) -> Result<Measured> {
        let current = whole.current;
        let files: BTreeSet<&str> = current
            .plan
            .units
            .iter()
            .flat_map(|unit| &unit.members)
            .map(|member| member.file.as_str())
            .chain([LOCK_NAME])
            .collect();
        // The runtime module, where it is as Tidelock writes it and not as an answer might.
        let runtime = self.session.runtime_state(&whole.tree);
        let runtime = runtime.as_ref().filter(|(_, state)| *state == State::Current);
        let files = files.into_iter().chain(runtime.map(|(file, _)| file.as_str())).collect();
        let changed = self.session.changed_files(&current.head.tree, &whole.tree)?;
        let after = self.session.symbols(&whole.tree)?;
        let renames = current.plan.units.iter().any(|unit| unit.kind == UnitKind::Relocate);
        let symbols = planned_symbols(current);
        let declared = self.session.settings.mapping.extensions(&current.symbols);
        let extensions = declared.into_iter().flat_map(|extension| extension.symbols).collect();
        let reach = gate::Reach { files: &files, symbols: &symbols, renames, extensions: &extensions };
        let findings = gate::intrusions(reach, &changed, &current.symbols, &after);
        Ok(vec![gate::validity(&changed, findings)].into())
    }

    /// Everything that is linked, against the upstream at the new revision.
    fn contract(&mut self, whole: &Whole<'_>) -> Result<Measured> {
        let parked: BTreeSet<&ItemPath> = whole.lock.parked.keys().chain(whole.lock.held.keys()).collect();
        let items: Vec<(ItemPath, SymbolPath)> = whole
            .lock
            .links
            .values()
            .filter(|link| !parked.contains(&link.item))
            .filter(|link| whole.current.snapshot.items.get(&link.item).is_some_and(|item| !item.is_test))
            .map(|link| (link.item.clone(), link.symbol.clone()))
            .collect();
        self.tell(Progress::Step {
            what: format!("comparing {} with the upstream", reports::count(items.len() as u64, "item")),
        });
        let there = |link: &&mappings::Link| whole.current.snapshot.items.contains_key(&link.item);
        let unreadable =
            whole.lock.links.values().filter(|link| !parked.contains(&link.item) && !there(link));
        let not_compared = NotCompared {
            parked: whole.lock.parked.len(),
            held: whole.lock.held_links(),
            unreadable: unreadable.map(|link| link.item.clone()).collect(),
        };
        let occasion = format!("{} gate", whole.current.revision.label);
        let mut answer = self.ask(whole.current, &whole.tree, items, occasion, true)?;
        let has_parked = not_compared.parked + not_compared.held > 0;
        self.with_sessions(whole.current, &whole.tree, &mut answer, has_parked)?;
        let first = [gate::spec(&answer), gate::numeric(&answer, &not_compared)];
        let gates = first.into_iter().chain(gate::behavioural(&answer)).collect();
        Ok(Measured { gates, told: answer.sessions_told() })
    }

    /// The port's own tests, before and after.
    fn tests(&mut self, whole: &Whole<'_>) -> Result<Measured> {
        if !self.suites.are_there() {
            return Ok(Measured::default());
        }
        let before = self.suites.of(&whole.current.head.tree)?;
        let after = self.suites.of(&whole.tree)?;
        let reruns = self.suites.again(&whole.tree, &after)?;
        let stale: Vec<SymbolPath> = whole
            .current
            .plan
            .units
            .iter()
            .zip(&whole.candidate.units)
            .filter(|(unit, state)| unit.kind == UnitKind::Test && matches!(state, UnitState::Parked { .. }))
            .flat_map(|(unit, _)| unit.members.iter().map(|member| member.symbol.clone()))
            .collect();
        Ok(vec![gate::tests(&before, &after, &reruns, &stale, is_test)].into())
    }

    /// The port after against the port before, on the clock.
    fn timing(&mut self, whole: &Whole<'_>) -> Result<Measured> {
        let Some(settings) = self.session.settings.timing else { return Ok(Measured::default()) };
        let edited = whole
            .current
            .plan
            .units
            .iter()
            .zip(&whole.candidate.units)
            .filter(|(unit, state)| {
                unit.kind == UnitKind::Change && matches!(state, UnitState::Accepted { answer: Some(_), .. })
            })
            .flat_map(|(unit, _)| unit.members.iter().map(|member| member.symbol.clone()));
        let edited: Vec<SymbolPath> = edited.collect();
        let calls = self.timed_calls(whole.current, &edited)?;
        if calls.is_empty() {
            return Ok(Measured::default());
        }
        self.tell(Progress::Step { what: format!("timing {} calls before and after", calls.len()) });
        let report = self.time(&whole.current.head.tree, &whole.tree, &calls, settings)?;
        Ok(vec![gate::timing(&report)].into())
    }

    /// The configured benchmarks of every change, against the upstream at this revision where it can run
    /// them.
    fn benchmarks(&mut self, whole: &Whole<'_>) -> Result<Measured> {
        let all = self.session.settings.benches.iter();
        let benches: Vec<_> = all.filter(|bench| bench.schedule == BenchSchedule::Change).collect();
        if benches.is_empty() {
            return Ok(Measured::default());
        }
        let decision = Benching::new(self.session, self.confinement).decide(&Question {
            benches,
            before: whole.current.head.tree.clone(),
            after: whole.tree.clone(),
            upstream: Some(whole.current.revision.clone()),
        })?;
        if decision.was_interrupted() {
            // No verdict: the run goes on from here, and the benchmarks from their journals.
            bail!("the benchmarks were stopped; run the same command again to go on");
        }
        Ok(vec![gate::benchmarks(&decision.verdict, &decision.evidence)].into())
    }
}

/// What the gates so far say; before the first one, nothing speaks against going on.
fn overall_so_far(gates: &[GateRecord]) -> Verdict {
    gates.iter().map(|gate| gate.verdict).find(|verdict| *verdict != Verdict::Pass).unwrap_or(Verdict::Pass)
}

fn planned_symbols(current: &Current) -> BTreeSet<SymbolPath> {
    current.plan.units.iter().flat_map(|unit| &unit.members).map(|member| member.symbol.clone()).collect()
}

fn outcome(state: &UnitState) -> Result<UnitOutcome> {
    Ok(match state {
        UnitState::Open(_) => bail!("a unit is open at the gate"),
        UnitState::Accepted { answer, proofs, .. } => {
            let proofs = proofs.iter().cloned().collect();
            if answer.is_some() { UnitOutcome::Landed { proofs } } else { UnitOutcome::Absorbed { proofs } }
        }
        UnitState::Parked { lasting, .. } => UnitOutcome::Parked { reason: lasting.clone() },
    })
}
