//! Compares a candidate with the upstream: Spec, then Numeric, then Behavioural, on both pools.
//!
//! Main function: [`check`]. It observes both sides by the same protocol and counts; it gives no verdict.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use mappings::SymbolPath;
use upstream::harvest::HarvestedCall;
use upstream::{Item, ItemKind, ItemPath, Snapshot};

use super::ahead::drawn;
use super::compare::{Agreement, LinkedClass, Profile, compare, unchanged};
use super::conversation::Tools;
use super::linked::{called_as_class, can_make, maker};
use super::observers::told_of;
use super::oracle::{Observed, Oracle, Prepared};
use super::pools::{Drawn, Examples, Pools, Probe, ProbeOrigin};
use super::probeable::{FunctionPlan, ReceiverPlan};
use super::python::{Description, PortMaker, PortSide, PortStep, Target, observe};
use super::recorded::Recorded;
use super::report::{ContractReport, ErrorPolicy, ItemEvidence, SpecFinding};
use super::sequence_plan::SequencePlan;
use super::shape::{Maker, Shape};
use super::value::{Outcome, order_as_truth};
use super::{ContractError, spec};

/// How many counterexamples are kept for one item, unless told otherwise.
pub const COUNTEREXAMPLES_MAX: usize = 3;

/// An item and the symbol that is to behave as it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractItem {
    /// The item.
    pub item: ItemPath,
    /// The symbol.
    pub symbol: SymbolPath,
}

/// What the old revision was and what answered to it.
#[derive(Debug, Clone, Copy)]
pub struct OldRevision<'a> {
    /// The upstream before the change.
    pub oracle: &'a Oracle,
    /// The port before the candidate.
    pub port: &'a PortSide,
}

/// What is to be compared.
#[derive(Debug, Clone, Copy)]
pub struct ContractRequest<'a> {
    /// The upstream at the revision that is to be equalled, prepared for these items.
    pub upstream: &'a Prepared,
    /// Its items.
    pub snapshot: &'a Snapshot,
    /// The candidate.
    pub candidate: &'a PortSide,
    /// The state before, where the change itself is to be compared.
    pub old: Option<OldRevision<'a>>,
    /// What to compare.
    pub items: &'a [ContractItem],
    /// All links, for the constructors of methods' values.
    pub links: &'a BTreeMap<ItemPath, SymbolPath>,
    /// Calls found in the upstream's text.
    pub harvested: &'a [HarvestedCall],
    /// Calls that its own tests were seen to make.
    pub recorded: &'a Recorded,
    /// How probes are drawn.
    pub pools: &'a Pools,
    /// How exactly both must agree.
    pub profile: &'a Profile,
    /// How many counterexamples of each item are shrunk and told; 0 where only the counts are wanted.
    pub counterexamples_max: usize,
    /// Traces the upstream, where counterexamples are to be located.
    pub tracer: Option<&'a dyn Tracer>,
}

impl<'a> ContractRequest<'a> {
    fn examples(&self) -> Examples<'a> {
        Examples { harvested: self.harvested, recorded: self.recorded }
    }
}

/// Has the upstream built so that it tells its calls.
pub trait Tracer: std::fmt::Debug {
    /// The same upstream, prepared for the same items with marks that log calls.
    fn traced(&self) -> Result<Prepared, ContractError>;
}

/// Compares the candidate with the upstream.
pub fn check(tools: &Tools<'_>, request: &ContractRequest<'_>) -> Result<ContractReport, ContractError> {
    let started_ms = tools.clock.now_ms();
    let mut report = match request.upstream {
        Prepared::SourceBlocked { reason } => {
            ContractReport { source_blocked: Some(reason.clone()), ..ContractReport::default() }
        }
        Prepared::Ready(oracle) => {
            let check = Check::new(tools, request, oracle);
            let report = check.run()?;
            ContractReport { notes: check.notes.into_inner(), ..report }
        }
    };
    report.duration_ms = u64::try_from(tools.clock.now_ms() - started_ms).unwrap_or_default();
    Ok(report)
}

/// A compiler's complaint in short.
pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

pub(super) struct Check<'a> {
    pub(super) tools: &'a Tools<'a>,
    pub(super) request: &'a ContractRequest<'a>,
    pub(super) oracle: &'a Oracle,
    /// One for each function, then one for each item and each linked type, to be described.
    pub(super) targets: Vec<Target>,
    /// For each function the item that its probes tell of.
    told_of: Vec<Option<&'a ContractItem>>,
    /// The types that symbols are linked to.
    types: Vec<&'a Item>,
    /// What could not be looked into.
    pub(super) notes: RefCell<Vec<String>>,
}

/// A probe with what both sides made of it.
pub(super) struct Compared {
    pub(super) probe: Probe,
    pub(super) upstream: Outcome,
    pub(super) port: Outcome,
    pub(super) agreement: Agreement,
    pub(super) policy: Option<ErrorPolicy>,
}

/// What was found on all probes.
struct Found {
    compared: Vec<Compared>,
    /// Blocks of the upstream's code that probes ran through on which both sides agreed.
    reached: BTreeSet<u32>,
    changes: BTreeMap<ItemPath, Changes>,
    /// Boundary probes that were left out, by function.
    left_out: BTreeMap<usize, usize>,
}

/// How often each of a revision pair changed.
#[derive(Default)]
struct Changes {
    upstream: u32,
    port: u32,
    alike: u32,
}

impl<'a> Check<'a> {
    pub(super) fn new(tools: &'a Tools<'a>, request: &'a ContractRequest<'a>, oracle: &'a Oracle) -> Self {
        let functions = oracle.plan().functions.iter();
        let mut targets: Vec<_> = functions.map(|function| target(function, request)).collect();
        let described = |symbol: &SymbolPath| Target {
            symbol: symbol.to_string(),
            constructor: None,
            constructed_with: 0,
            others: 0,
            makers: BTreeMap::new(),
            changed: Vec::new(),
            steps: None,
        };
        targets.extend(oracle.plan().sequences.iter().map(|plan| sequence_target(plan, request, oracle)));
        targets.extend(request.items.iter().map(|item| described(&item.symbol)));
        let is_type = |item: &&Item| matches!(item.kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Union);
        let types = request.links.iter().filter_map(|(path, symbol)| {
            let item = request.snapshot.items.get(path).filter(is_type)?;
            Some((item, symbol))
        });
        let types: Vec<_> = types.collect();
        targets.extend(types.iter().map(|(_, symbol)| described(symbol)));
        let types = types.into_iter().map(|(item, _)| item).collect();
        let uncounted = oracle.uncounted().map(|reason| {
            format!("what probes reach was not counted, as the counters do not build: {}", first_line(reason))
        });
        let unrecorded = request
            .recorded
            .notes
            .iter()
            .map(|note| format!("calls of the upstream's tests: {}", first_line(note)));
        let notes = RefCell::new(uncounted.into_iter().chain(unrecorded).collect());
        let told_of = told_of(oracle.plan(), request.items, request.links);
        Self { tools, request, oracle, targets, told_of, types, notes }
    }

    fn run(&self) -> Result<ContractReport, ContractError> {
        let (items, links) = (self.request.items, self.request.links);
        let Drawn { development, deciding, left_out } =
            drawn(self.oracle.plan(), (items, links), self.request.examples(), self.request.pools);
        let first = self.oracle.observe(self.tools, &development)?;
        let second = self.oracle.observe(self.tools, &deciding)?;
        let probes: Vec<_> = development.into_iter().chain(deciding).collect();
        let upstream = Observed {
            outcomes: first.outcomes.into_iter().chain(second.outcomes).collect(),
            reached: first.reached.into_iter().chain(second.reached).collect(),
        };
        let port = observe(self.tools, self.request.candidate, &self.targets, self.described(), &probes)?;

        let spec = self.spec(&port.descriptions);
        let broken: BTreeSet<_> = spec.iter().map(|finding| finding.item.clone()).collect();
        let profile = self.profile(&port.descriptions);
        let changes = self.changes(&profile, &probes, &upstream.outcomes, &port.outcomes)?;
        let sides = upstream.outcomes.into_iter().zip(port.outcomes);
        let compared: Vec<_> = probes
            .into_iter()
            .zip(sides)
            .map(|(probe, (upstream, port))| {
                let upstream = self.as_asked(&probe, upstream);
                let agreement = self.agreement(&profile, &probe, &upstream, &port);
                let policy = profile.policy(&upstream);
                Compared { probe, upstream, port, agreement, policy }
            })
            .collect();
        // Code that ran for a result which nobody could compare is not checked by that.
        let agreed = compared.iter().zip(&upstream.reached);
        let reached: BTreeSet<u32> = agreed
            .filter(|(one, _)| one.agreement == Agreement::Same)
            .flat_map(|(_, blocks)| blocks.iter().copied())
            .collect();
        let found = Found { compared, reached, changes, left_out };
        let items = self.request.items.iter();
        let evidence: Vec<_> =
            items.map(|item| self.evidence(item, &found, broken.contains(&item.item))).collect();
        let mut counterexamples = self.counterexamples(&profile, &found.compared, &broken)?;
        let differing = evidence.iter().filter(|item| item.disagreed > 0).map(|item| item.item.clone());
        let sequenced = self.sequences(&profile, &differing.chain(broken).collect())?;
        counterexamples.extend(sequenced.counterexamples);
        Ok(ContractReport {
            source_blocked: None,
            items: evidence,
            sequences: sequenced.evidence,
            sessions: Vec::new(),
            counterexamples,
            spec,
            notes: Vec::new(),
            duration_ms: 0,
        })
    }

    /// The targets that are described, behind those that are called.
    pub(super) fn described(&self) -> std::ops::Range<usize> {
        let plan = self.oracle.plan();
        plan.functions.len() + plan.sequences.len()..self.targets.len()
    }

    /// What makes an argument in the port.
    pub(super) fn maker(&self, of: &Maker) -> Option<PortMaker> {
        maker(of, self.request.links)
    }

    /// The profile, with the classes that are linked to types as the running port has them.
    pub(super) fn profile(&self, descriptions: &[Description]) -> Profile {
        let mut profile = self.request.profile.clone();
        let described = descriptions.iter().skip(self.request.items.len());
        for (item, description) in self.types.iter().zip(described) {
            // What is no class, such as a `NewType` or an alias of a built-in one, demands no class.
            let Description::Symbol { class: Some(class), .. } = description else { continue };
            let is_enum = item.kind == ItemKind::Enum;
            let linked = LinkedClass {
                path: class.path.clone(),
                is_exception: class.is_exception,
                variants: if is_enum { item.members.clone() } else { Vec::new() },
            };
            profile.classes.insert(item.path.to_string(), linked);
        }
        profile
    }

    fn spec(&self, descriptions: &[Description]) -> Vec<SpecFinding> {
        let functions = &self.oracle.plan().functions;
        let mut findings = Vec::new();
        for (at, item) in self.request.items.iter().enumerate() {
            let Some(description) = descriptions.get(at) else { continue };
            let planned = functions.iter().find(|function| function.item == item.item);
            let receiver = planned.map_or(&ReceiverPlan::None, |function| &function.receiver);
            let upstream = self.request.snapshot.items.get(&item.item);
            findings.extend(spec::findings(&item.item, upstream, &item.symbol, description, receiver));
        }
        findings
    }

    /// Whether the port says how the value of a method is made.
    pub(super) fn can_make(&self, function: &FunctionPlan) -> bool {
        can_make(self.oracle.plan(), self.request.links, function)
    }

    /// Why no way to call an item can be gone: what makes its arguments has no symbol.
    fn unmade(&self, item: &ItemPath) -> Option<String> {
        let mut ways = self.oracle.plan().functions.iter().filter(|function| function.item == *item);
        let missing = |function: &FunctionPlan| {
            let mut makers = function.shapes.iter().flat_map(Shape::ways).map(|way| &way.maker);
            makers.find(|made| maker(made, self.request.links).is_none()).map(ToString::to_string)
        };
        let first = ways.clone().find_map(missing)?;
        let is_closed = ways.all(|function| !self.can_make(function));
        is_closed.then(|| format!("its argument is made by `{first}`, which is linked to no symbol"))
    }

    /// The upstream's outcome in the form of the port's symbol.
    pub(super) fn as_asked(&self, probe: &Probe, upstream: Outcome) -> Outcome {
        let target = self.targets.get(probe.function).map(|target| target.symbol.as_str());
        let name = target.and_then(|symbol| symbol.rsplit('.').next()).unwrap_or_default();
        order_as_truth(name, &upstream).unwrap_or(upstream)
    }

    pub(super) fn agreement(
        &self,
        profile: &Profile,
        probe: &Probe,
        upstream: &Outcome,
        port: &Outcome,
    ) -> Agreement {
        let is_width_chosen = self.function_of(probe).is_some_and(|function| function.is_width_chosen);
        let is_overflow = matches!(upstream, Outcome::Panic { text } if text.contains("overflow"));
        if is_width_chosen && is_overflow {
            return Agreement::unobserved(
                "it overflows at a width that the probe chose, and the port has none",
            );
        }
        compare(profile, upstream, port)
    }

    pub(super) fn function_of(&self, probe: &Probe) -> Option<&FunctionPlan> {
        self.oracle.plan().functions.get(probe.function)
    }

    /// The item that a probe tells of.
    pub(super) fn told_of(&self, probe: &Probe) -> Option<&'a ContractItem> {
        self.told_of.get(probe.function).copied().flatten()
    }

    fn evidence(&self, item: &ContractItem, found: &Found, is_broken: bool) -> ItemEvidence {
        let blocks = self.oracle.blocks_of(&item.item);
        let mut evidence = ItemEvidence {
            not_probed: self.oracle.plan().not_probed.get(&item.item).cloned(),
            blocks_reached: count(blocks.intersection(&found.reached).count()),
            blocks_total: count(blocks.len()),
            ..ItemEvidence::none(item.item.clone(), item.symbol.clone())
        };
        if is_broken {
            evidence.blocks_reached = 0;
            evidence.not_probed = Some("its symbol did not pass the Spec stage".to_owned());
            return evidence;
        }
        evidence.not_probed = evidence.not_probed.or_else(|| self.unmade(&item.item));
        let (mut blocked_by, mut unobserved_by) = (None, None);
        let tells = |told: Option<&ContractItem>| told.is_some_and(|told| told.item == item.item);
        let own = |one: &&Compared| tells(self.told_of(&one.probe));
        let functions = self.told_of.iter().enumerate();
        let left_out =
            functions.filter(|(_, told)| tells(**told)).filter_map(|(at, _)| found.left_out.get(&at));
        evidence.corners_left_out = count(left_out.sum());
        for one in found.compared.iter().filter(own) {
            match one.probe.origin {
                ProbeOrigin::Harvested | ProbeOrigin::Recorded => evidence.harvested += 1,
                ProbeOrigin::Generated => evidence.generated += 1,
            }
            match &one.agreement {
                Agreement::Same => {
                    evidence.agreed += 1;
                    evidence.error_policy = evidence.error_policy.max(one.policy);
                }
                Agreement::Different => evidence.disagreed += 1,
                Agreement::Unobserved { reason } => {
                    evidence.unobserved += 1;
                    unobserved_by.get_or_insert_with(|| reason.clone());
                }
                Agreement::NotComparable { reason } => {
                    evidence.blocked += 1;
                    blocked_by.get_or_insert_with(|| reason.clone());
                }
            }
        }
        if evidence.agreed + evidence.disagreed == 0 {
            evidence.not_probed = evidence.not_probed.or(blocked_by).or(unobserved_by);
        } else {
            // What keeps to itself was told of by others.
            let count = evidence.unobserved;
            evidence.not_probed =
                unobserved_by.map(|reason| format!("{count} of its results could not be compared: {reason}"));
        }
        if let Some(changes) = found.changes.get(&item.item) {
            evidence.changed_upstream = Some(changes.upstream);
            evidence.changed_port = Some(changes.port);
            evidence.changed_alike = Some(changes.alike);
        }
        evidence
    }

    /// Asks the old revision's sides what they make of the same probes, where they take the same arguments.
    fn changes(
        &self,
        profile: &Profile,
        probes: &[Probe],
        upstream: &[Outcome],
        port: &[Outcome],
    ) -> Result<BTreeMap<ItemPath, Changes>, ContractError> {
        let mut changes: BTreeMap<ItemPath, Changes> = BTreeMap::new();
        let Some(old) = &self.request.old else { return Ok(changes) };
        let functions = &self.oracle.plan().functions;
        let counterpart = |function: &FunctionPlan| {
            old.oracle.plan().functions.iter().position(|before| {
                before.item == function.item
                    && before.instance == function.instance
                    && before.shapes == function.shapes
                    && before.receiver == function.receiver
                    && before.refused.is_none()
            })
        };
        let counterparts: Vec<_> = functions.iter().map(counterpart).collect();
        let common: Vec<usize> = (0..probes.len())
            .filter(|at| {
                probes
                    .get(*at)
                    .is_some_and(|probe| counterparts.get(probe.function).copied().flatten().is_some())
            })
            .collect();
        let asked: Vec<_> = common.iter().filter_map(|at| probes.get(*at).cloned()).collect();
        let asked_old: Vec<_> = asked
            .iter()
            .map(|probe| Probe {
                function: counterparts.get(probe.function).copied().flatten().unwrap_or_default(),
                ..probe.clone()
            })
            .collect();
        let upstream_before = old.oracle.observe(self.tools, &asked_old)?.outcomes;
        let port_before = observe(self.tools, old.port, &self.targets, 0..0, &asked)?.outcomes;
        for ((at, probe), (before, port_was)) in
            common.iter().zip(&asked).zip(upstream_before.iter().zip(&port_before))
        {
            let Some(told) = self.told_of(probe) else { continue };
            let (Some(now), Some(port_is)) = (upstream.get(*at), port.get(*at)) else { continue };
            let counts = changes.entry(told.item.clone()).or_default();
            let upstream_same = unchanged(profile, before, now);
            let port_same = unchanged(profile, port_was, port_is);
            counts.upstream += u32::from(upstream_same == Some(false));
            counts.port += u32::from(port_same == Some(false));
            counts.alike += u32::from(upstream_same.is_some() && upstream_same == port_same);
        }
        Ok(changes)
    }
}

pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What a function's index means in the port: its symbol, and how a method's value is made.
fn target(function: &FunctionPlan, request: &ContractRequest<'_>) -> Target {
    let asked = request.items.iter().find(|item| item.item == function.item).map(|item| &item.symbol);
    let symbol = asked.or_else(|| request.links.get(&function.item)).cloned();
    let ways = function.shapes.iter().flat_map(Shape::ways);
    let makers =
        ways.filter_map(|way| Some((way.maker.to_string(), maker(&way.maker, request.links)?))).collect();
    let changed = function.changed.clone();
    let ReceiverPlan::Constructed { constructor, arguments, others } = &function.receiver else {
        // `__init__` alone has no value to work on: a constructor is called as its class.
        let symbol = symbol.and_then(called_as_class).map(String::from).unwrap_or_default();
        let constructor = None;
        return Target { symbol, constructor, constructed_with: 0, others: 0, makers, changed, steps: None };
    };
    let class = || symbol.as_ref().and_then(SymbolPath::parent);
    let linked = constructor.as_ref().and_then(|constructor| request.links.get(constructor).cloned());
    let constructor = linked.map_or_else(class, called_as_class);
    Target {
        constructor: constructor.map(String::from),
        symbol: symbol.map(String::from).unwrap_or_default(),
        constructed_with: *arguments,
        others: *others,
        makers,
        changed,
        steps: None,
    }
}

/// What a sequence's number means in the port: how its value is made, and the symbols of its methods. Where
/// nothing says how the value is made, there is no constructor.
fn sequence_target(plan: &SequencePlan, request: &ContractRequest<'_>, oracle: &Oracle) -> Target {
    let symbol_of = |item: &ItemPath| {
        let asked = request.items.iter().find(|asked| asked.item == *item).map(|asked| asked.symbol.clone());
        asked.or_else(|| request.links.get(item).cloned())
    };
    let is_plainest = oracle.plan().sequences.iter().find(|other| other.of == plan.of) == Some(plan);
    let class = || {
        let of_method = || plan.steps.iter().find_map(|step| symbol_of(&step.item)?.parent());
        request.links.get(&plan.of).cloned().or_else(of_method).filter(|_| is_plainest)
    };
    let constructor = match &plan.receiver {
        ReceiverPlan::Constructed { constructor, .. } => {
            let linked = constructor.as_ref().and_then(|path| request.links.get(path).cloned());
            linked.map_or_else(class, called_as_class)
        }
        ReceiverPlan::None | ReceiverPlan::Argument | ReceiverPlan::Made => None,
    };
    let steps = plan.steps.iter().filter_map(|step| {
        let symbol = if step.look.is_some() { None } else { Some(symbol_of(&step.item)?.to_string()) };
        let fields = step.look.clone().unwrap_or_default();
        Some((step.item.to_string(), PortStep { symbol, changed: step.changed.clone(), fields }))
    });
    let shapes = plan.shapes.iter().chain(plan.steps.iter().flat_map(|step| &step.shapes));
    let ways = shapes.flat_map(Shape::ways);
    Target {
        symbol: String::new(),
        constructor: constructor.map(String::from),
        constructed_with: plan.shapes.len(),
        others: 0,
        makers: ways
            .filter_map(|way| Some((way.maker.to_string(), maker(&way.maker, request.links)?)))
            .collect(),
        changed: Vec::new(),
        steps: Some(steps.collect()),
    }
}
