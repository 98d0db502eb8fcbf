//! The Behavioural stage: methods called one after another on one value, on both sides, step by step.
//!
//! Main function: [`Check::sequences`]. Single calls were compared before; what is found here is in what a value
//! keeps between them. A type waits where one of its symbols did not pass an earlier stage.

use std::collections::{BTreeMap, BTreeSet};

use mappings::SymbolPath;
use upstream::ItemPath;
use upstream::snapshot::Receiver;

use super::ContractError;
use super::check::{Check, count};
use super::compare::{Agreement, Profile, compare};
use super::landmarks::Landmarks;
use super::pools::{Probe, ProbeOrigin};
use super::probeable::ReceiverPlan;
use super::python::observe;
use super::report::{Counterexample, SequenceEvidence};
use super::sequence_draw::{Choice, Drawing, drawn};
use super::sequence_plan::{SequencePlan, StepPlan};
use super::shape::{Maker, Shape, Way};
use super::value::{Outcome, Value, order_as_truth};

/// The most sequences that are drawn for one way to make a value, in one pool.
const SEQUENCES_MAX: usize = 400;

/// What the stage found.
#[derive(Debug, Default)]
pub(super) struct Sequenced {
    pub evidence: Vec<SequenceEvidence>,
    pub counterexamples: Vec<Counterexample>,
}

/// Sequences on the values that are made in one way.
pub(super) struct Session<'a> {
    /// The number by which drivers know it.
    pub at: usize,
    pub plan: &'a SequencePlan,
    pub steps: Vec<LinkedStep<'a>>,
    /// The calls as values: what shrinking may make of them.
    pub shapes: Vec<Shape>,
}

/// A method with its symbol, which a look at the value has not.
pub(super) struct LinkedStep<'a> {
    pub plan: &'a StepPlan,
    pub symbol: Option<SymbolPath>,
    /// Whether the contract was asked about it.
    pub is_asked: bool,
}

/// What a sequence came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Course {
    /// Every call that could be compared agreed, one of them behind a change.
    Agreed,
    /// They differ first at this call; `None` where the value itself was not made alike.
    Differs(Option<usize>),
    /// Nothing that was seen speaks against the port, and nothing proves anything.
    Unobserved(String),
    /// It could not be asked.
    Blocked(String),
}

/// A sequence with what both sides made of it.
pub(super) struct Ran {
    pub probe: Probe,
    pub upstream: Outcome,
    pub port: Outcome,
    pub course: Course,
}

impl<'a> Check<'a> {
    /// Calls everything that can be called in sequence. `waiting` are items that did not pass an earlier stage.
    pub(super) fn sequences(
        &'a self,
        profile: &Profile,
        waiting: &BTreeSet<ItemPath>,
    ) -> Result<Sequenced, ContractError> {
        let mut found = Sequenced::default();
        let mut of_type: BTreeMap<&ItemPath, Vec<Session<'a>>> = BTreeMap::new();
        let mut evidence = self.with_state();
        for session in self.sessions() {
            if session.steps.iter().any(|step| step.is_asked) {
                of_type.entry(&session.plan.of).or_default().push(session);
            }
        }
        for (of, sessions) in of_type {
            let known = evidence.entry(of.clone()).or_insert_with(|| SequenceEvidence::of(of.clone()));
            let methods: BTreeSet<_> = sessions.iter().flat_map(Session::methods).collect();
            known.left_out.retain(|(item, _)| !methods.contains(item));
            known.methods = methods.into_iter().collect();
            if let Some(first) = known.methods.iter().find(|method| waiting.contains(method)) {
                known.not_sequenced = Some(format!("`{first}` did not pass an earlier stage"));
                continue;
            }
            for session in &sessions {
                let mut ran = self.ran(profile, session)?;
                for at in self.elsewhere(profile, session, &ran)? {
                    if let Some(one) = ran.get_mut(at) {
                        let reason = "a method that nobody asked about differs in the same way";
                        one.course = Course::Unobserved(reason.to_owned());
                    }
                }
                tally(session, &ran, known);
                found.counterexamples.extend(self.shrunk_sequences(profile, session, &ran)?);
            }
        }
        found.evidence = evidence.into_values().collect();
        for one in &mut found.evidence {
            if one.agreed > 0 {
                // A sequence may ask for more memory or time than there is; the others say enough.
                one.unobserved += std::mem::take(&mut one.blocked);
                one.unobserved_by = one.unobserved_by.take().or(one.blocked_by.take());
            }
            let compared = one.agreed + one.disagreed + one.unobserved + one.blocked;
            if one.agreed + one.disagreed == 0 && one.not_sequenced.is_none() {
                let first = one.left_out.first().map(|(_, reason)| reason.clone());
                let reason = one.unobserved_by.clone().filter(|_| compared > 0).or(first);
                one.not_sequenced = reason.or_else(|| Some("no method that changes it is linked".to_owned()));
            }
        }
        Ok(found)
    }

    /// The types of the methods that change their value, each method with why it is in no sequence.
    fn with_state(&self) -> BTreeMap<ItemPath, SequenceEvidence> {
        let mut all: BTreeMap<ItemPath, SequenceEvidence> = BTreeMap::new();
        let plan = self.oracle.plan();
        for asked in self.request.items {
            let item = self.request.snapshot.items.get(&asked.item);
            let receiver = item.and_then(|item| item.signature.as_ref()?.receiver);
            let Some(parent) = asked.item.parent().filter(|_| receiver == Some(Receiver::Mutable)) else {
                continue;
            };
            let in_plan = plan
                .sequences
                .iter()
                .find_map(|one| Some((one, one.steps.iter().find(|step| step.item == asked.item)?)));
            let of = in_plan.map_or(parent, |(sequence, _)| sequence.of.clone());
            let refused = in_plan
                .and_then(|(sequence, step)| sequence.refused.clone().or_else(|| step.refused.clone()));
            let reason = refused.or_else(|| plan.not_probed.get(&asked.item).cloned());
            let reason =
                reason.unwrap_or_else(|| "its value or its arguments are made by what is not linked".into());
            let evidence = all.entry(of.clone()).or_insert_with(|| SequenceEvidence::of(of));
            evidence.left_out.push((asked.item.clone(), reason));
        }
        all
    }

    /// Every sequence whose value can be made in the port, with the methods that are linked.
    fn sessions(&'a self) -> Vec<Session<'a>> {
        let plan = self.oracle.plan();
        let first = plan.functions.len();
        let numbered = (first..).zip(&plan.sequences).filter(|(_, one)| one.refused.is_none());
        let made = numbered.filter(|(at, one)| self.makes(*at, one));
        let sessions = made.map(|(at, plan)| {
            let steps: Vec<_> = plan.steps.iter().filter_map(|step| self.linked(step)).collect();
            let ways = steps.iter().map(LinkedStep::way).collect();
            let calls = Shape::List(Box::new(Shape::Made(ways)));
            let shapes = plan.shapes.iter().cloned().chain([calls]).collect();
            Session { at, plan, steps, shapes }
        });
        sessions.filter(|session| session.steps.iter().any(|step| step.plan.is_mutating)).collect()
    }

    fn makes(&self, at: usize, plan: &SequencePlan) -> bool {
        let target = self.targets.get(at);
        let is_made = |shape: &Shape| shape.ways().iter().all(|way| self.maker(&way.maker).is_some());
        let is_named = match &plan.receiver {
            ReceiverPlan::Constructed { .. } => target.is_some_and(|target| target.constructor.is_some()),
            ReceiverPlan::Made => true,
            ReceiverPlan::None | ReceiverPlan::Argument => false,
        };
        is_named && plan.shapes.iter().all(is_made)
    }

    fn linked(&self, step: &'a StepPlan) -> Option<LinkedStep<'a>> {
        let is_made = |way: &&Way| self.maker(&way.maker).is_some();
        if step.refused.is_some() || !step.shapes.iter().flat_map(Shape::ways).all(|way| is_made(&way)) {
            return None;
        }
        if step.look.is_some() {
            return Some(LinkedStep { plan: step, symbol: None, is_asked: false });
        }
        let asked = self.request.items.iter().find(|asked| asked.item == step.item);
        let symbol = match asked {
            Some(asked) => asked.symbol.clone(),
            None => self.request.links.get(&step.item)?.clone(),
        };
        Some(LinkedStep { plan: step, symbol: Some(symbol), is_asked: asked.is_some() })
    }

    /// The sequences of both pools, called on both sides.
    fn ran(&self, profile: &Profile, session: &Session<'_>) -> Result<Vec<Ran>, ContractError> {
        let choices: Vec<_> = session.steps.iter().map(LinkedStep::choice).collect();
        let mut landmarks = Landmarks::default();
        for step in &session.steps {
            landmarks.add(&step.plan.landmarks);
        }
        let drawing = Drawing { shapes: &session.plan.shapes, choices: &choices, landmarks: &landmarks };
        let count = self.request.pools.probes_max.max(4 * choices.len()).min(SEQUENCES_MAX);
        let (of, made) = (session.plan.of.as_str(), session.plan.construction.as_str());
        let pool = |seed: &str, may_be_shown: bool| {
            let all = drawn(&drawing, &[seed, of, made, "sequences"], count);
            let probe = move |arguments| Probe {
                function: session.at,
                arguments,
                origin: ProbeOrigin::Generated,
                may_be_shown,
            };
            all.into_iter().map(probe).collect::<Vec<_>>()
        };
        let mut probes = pool(&self.request.pools.development_seed, true);
        probes.extend(pool(&self.request.pools.deciding_seed, false));
        self.ask_both(profile, session, probes)
    }

    /// Calls sequences on both sides.
    pub(super) fn ask_both(
        &self,
        profile: &Profile,
        session: &Session<'_>,
        probes: Vec<Probe>,
    ) -> Result<Vec<Ran>, ContractError> {
        let upstream = self.oracle.observe(self.tools, &probes)?.outcomes;
        let port = observe(self.tools, self.request.candidate, &self.targets, 0..0, &probes)?.outcomes;
        let sides = upstream.into_iter().zip(port);
        let ran = probes.into_iter().zip(sides).map(|(probe, (upstream, port))| {
            let course = course(profile, session, &probe, (&upstream, &port));
            Ran { probe, upstream, port, course }
        });
        Ok(ran.collect())
    }

    /// Differences that stay where all calls of what was asked about are left out.
    fn elsewhere(
        &self,
        profile: &Profile,
        session: &Session<'_>,
        ran: &[Ran],
    ) -> Result<BTreeSet<usize>, ContractError> {
        if session.steps.iter().all(|step| step.is_asked || step.plan.look.is_some()) {
            return Ok(BTreeSet::new());
        }
        let differing = ran.iter().enumerate().filter(|(_, one)| matches!(one.course, Course::Differs(_)));
        let (places, without): (Vec<usize>, Vec<Probe>) =
            differing.map(|(at, one)| (at, session.without_asked(&one.probe))).unzip();
        if without.is_empty() {
            return Ok(BTreeSet::new());
        }
        let again = self.ask_both(profile, session, without)?;
        let still = places.into_iter().zip(again);
        Ok(still.filter(|(_, one)| matches!(one.course, Course::Differs(_))).map(|(at, _)| at).collect())
    }
}

impl Session<'_> {
    fn methods(&self) -> impl Iterator<Item = ItemPath> {
        self.steps.iter().filter(|step| step.symbol.is_some()).map(|step| step.plan.item.clone())
    }

    pub(super) fn step(&self, call: &Value) -> Option<&LinkedStep<'_>> {
        let Value::Made { maker, .. } = call else { return None };
        self.steps.iter().find(|step| step.plan.item.as_str() == maker)
    }

    fn without_asked(&self, probe: &Probe) -> Probe {
        let is_other = |call: &&Value| self.step(call).is_some_and(|step| !step.is_asked);
        let calls = probe.calls().iter().filter(is_other).cloned().collect();
        probe.with_calls(calls)
    }

    /// The item that a difference tells of: the one that answered otherwise or, where nobody asked about that one,
    /// the last before it that may have changed the value.
    pub(super) fn blamed(&self, probe: &Probe, place: Option<usize>) -> Option<ItemPath> {
        let calls = probe.calls();
        let place = place.unwrap_or_default();
        let asked = |call: &Value| self.step(call).filter(|step| step.is_asked);
        let own = calls.get(place).and_then(asked);
        let before = || calls.iter().take(place).rev().filter_map(asked).find(|step| step.plan.is_mutating);
        let any = || self.steps.iter().find(|step| step.is_asked);
        own.or_else(before).or_else(any).map(|step| step.plan.item.clone())
    }
}

impl Probe {
    /// The calls of a sequence, which stand behind what its value is made of.
    pub(super) fn calls(&self) -> &[Value] {
        match self.arguments.last() {
            Some(Value::List(calls)) => calls,
            Some(_) | None => &[],
        }
    }

    /// The same value with other calls.
    pub(super) fn with_calls(&self, calls: Vec<Value>) -> Self {
        let mut arguments = self.arguments.clone();
        arguments.pop();
        arguments.push(Value::List(calls));
        Self { arguments, ..self.clone() }
    }
}

impl LinkedStep<'_> {
    fn way(&self) -> Way {
        let item = self.plan.item.clone();
        let maker = if self.plan.look.is_some() { Maker::Type(item) } else { Maker::Constructor(item) };
        Way { maker, parts: self.plan.shapes.clone() }
    }

    fn choice(&self) -> Choice {
        Choice {
            way: self.way(),
            is_mutating: self.plan.is_mutating,
            is_observer: !self.plan.is_mutating && self.plan.shapes.is_empty(),
        }
    }
}

/// Counts, and says of which symbol a difference tells.
fn tally(session: &Session<'_>, ran: &[Ran], evidence: &mut SequenceEvidence) {
    for one in ran {
        evidence.calls += count(one.probe.calls().len());
        match &one.course {
            Course::Agreed => evidence.agreed += 1,
            Course::Differs(place) => {
                evidence.disagreed += 1;
                if let Some(item) = session.blamed(&one.probe, *place) {
                    *evidence.blamed.entry(item).or_default() += 1;
                }
            }
            Course::Unobserved(reason) => {
                evidence.unobserved += 1;
                evidence.unobserved_by.get_or_insert_with(|| reason.clone());
            }
            Course::Blocked(reason) => {
                evidence.blocked += 1;
                evidence.blocked_by.get_or_insert_with(|| reason.clone());
            }
        }
    }
}

/// Compares call by call, up to the first that differs or that the upstream did not come back from.
fn course(
    profile: &Profile,
    session: &Session<'_>,
    probe: &Probe,
    (upstream, port): (&Outcome, &Outcome),
) -> Course {
    let (Outcome::Steps(expected), Outcome::Steps(found)) = (upstream, port) else {
        return match compare(profile, upstream, port) {
            Agreement::Same => Course::Unobserved("no value was made".to_owned()),
            Agreement::Different => Course::Differs(None),
            Agreement::Unobserved { reason } => Course::Unobserved(reason),
            Agreement::NotComparable { reason } => Course::Blocked(reason),
        };
    };
    let (mut is_changed, mut is_seen) = (false, false);
    let mut unseen = None;
    for (at, (call, expected)) in probe.calls().iter().zip(expected).enumerate() {
        let Some(step) = session.step(call) else { break };
        let name = step.symbol.as_ref().map_or("", SymbolPath::name);
        let expected = order_as_truth(name, expected).unwrap_or_else(|| expected.clone());
        let is_overflow = matches!(&expected, Outcome::Panic { text } if text.contains("overflow"));
        if is_overflow && session.plan.is_width_chosen {
            unseen.get_or_insert_with(|| "it overflows at a width that the probe chose".to_owned());
            break;
        }
        let Some(found) = found.get(at) else { return Course::Differs(Some(at)) };
        is_changed |= step.plan.is_mutating;
        match compare(profile, &expected, found) {
            Agreement::Same => is_seen |= is_changed,
            Agreement::Different => return Course::Differs(Some(at)),
            Agreement::Unobserved { reason } | Agreement::NotComparable { reason } => {
                unseen.get_or_insert(reason);
            }
        }
    }
    match (is_seen, unseen) {
        (true, _) => Course::Agreed,
        (false, reason) => {
            Course::Unobserved(reason.unwrap_or_else(|| "nothing was changed in it".to_owned()))
        }
    }
}
