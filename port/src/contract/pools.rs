//! The two pools of probes: one whose counterexamples a translator may see, and one that decides.
//!
//! Main types: [`Pools`] and [`Probe`]. Nothing of the deciding pool may reach a prompt.

use std::collections::{BTreeMap, BTreeSet};

use upstream::harvest::HarvestedCall;

use super::generate::Generator;
use super::harvested::fitting;
use super::probeable::FunctionPlan;
use super::recorded::Recorded;
use super::shape::Shape;
use super::value::Value;

/// How the probes are drawn.
#[derive(Clone, PartialEq, Eq)]
pub struct Pools {
    /// Seeds the development pool. It may be known to everybody.
    pub development_seed: String,
    /// Seeds the deciding pool: secret, and another one for each attempt.
    pub deciding_seed: String,
    /// How many probes each pool holds for one way to call an item.
    pub probes_max: usize,
}

impl std::fmt::Debug for Pools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pools").field("probes_max", &self.probes_max).finish_non_exhaustive()
    }
}

/// How many probes each pool holds, unless configured.
pub const PROBES_MAX: usize = 200;

/// How many boundary probes one way to call an item may be given, however small its pool is meant to be.
pub(super) const CORNERS_MAX: usize = 1000;

/// Which of a parameter's boundary values stands for a plain one, while another parameter is at a boundary.
const PLAIN_AT: usize = 3;

/// How many recorded calls each pool is given of one way to call an item.
const RECORDED_MAX: usize = 64;

/// How many variations of each example are tried.
const VARIATIONS_OF_EACH: usize = 3;

/// Where a probe comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeOrigin {
    /// The upstream's own tests, documentation and examples.
    Harvested,
    /// A call that the upstream's own tests were seen to make.
    Recorded,
    /// Made from the types.
    Generated,
}

/// One call to be made on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Which of the planned functions.
    pub function: usize,
    /// The arguments.
    pub arguments: Vec<Value>,
    /// Where it comes from.
    pub origin: ProbeOrigin,
    /// Whether it may be shown to a translator.
    pub may_be_shown: bool,
}

/// What people wrote in the upstream: calls that probes begin with.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// Calls with literal arguments in its tests, documentation and examples.
    pub harvested: &'a [HarvestedCall],
    /// Calls that its tests were seen to make.
    pub recorded: &'a Recorded,
}

/// What was drawn.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    /// Probes whose counterexamples a translator may see: examples and boundaries among them.
    pub development: Vec<Probe>,
    /// Probes that decide.
    pub deciding: Vec<Probe>,
    /// How many boundary values were left out by [`CORNERS_MAX`], by function.
    pub left_out: BTreeMap<usize, usize>,
}

/// The development and the deciding probes of those functions that are asked for, by their places. Each has pools of its own, which
/// stay the same whatever else is asked.
pub(super) fn draw(
    functions: &[FunctionPlan],
    is_asked: &dyn Fn(usize) -> bool,
    from: Examples<'_>,
    pools: &Pools,
) -> Drawn {
    let mut drawn = Drawn::default();
    let answering = |(at, function): &(usize, &FunctionPlan)| function.refused.is_none() && is_asked(*at);
    for (at, function) in functions.iter().enumerate().filter(answering) {
        let mut seen = BTreeSet::new();
        let mut pool = Pool {
            function: at,
            shapes: &function.shapes,
            max: pools.probes_max,
            seen: &mut seen,
            probes: Vec::new(),
        };
        let mut examples = fitting(from.harvested, function);
        pool.max += examples.len();
        pool.add_all(examples.clone(), ProbeOrigin::Harvested, true);
        // Every other one is kept from translators: what tests reach decides too.
        let recorded = from.recorded.fitting(function);
        let half = |odd: usize| {
            let every_other = recorded.iter().skip(odd).step_by(2).take(RECORDED_MAX);
            every_other.filter(|call| !examples.contains(call)).cloned().collect::<Vec<_>>()
        };
        let (shown, mut kept) = (half(0), half(1));
        // Whatever else comes to the same call does not show it.
        kept.retain(|call| pool.seen.insert(call.clone()));
        pool.max += shown.len();
        pool.add_all(shown.clone(), ProbeOrigin::Recorded, true);
        examples.extend(shown);
        let mut generator = generator(function, &pools.development_seed);
        let left_out = pool.add_corners(&generator);
        if left_out > 0 {
            drawn.left_out.insert(at, left_out);
        }
        pool.fill(&mut generator, &examples, true);
        drawn.development.append(&mut pool.probes);

        pool.max = pools.probes_max + kept.len();
        let recorded =
            |arguments| Probe { function: at, arguments, origin: ProbeOrigin::Recorded, may_be_shown: false };
        pool.probes.extend(kept.into_iter().map(recorded));
        let mut generator = self::generator(function, &pools.deciding_seed);
        pool.fill(&mut generator, &examples, false);
        drawn.deciding.append(&mut pool.probes);
    }
    drawn
}

fn generator(function: &FunctionPlan, seed: &str) -> Generator {
    Generator::new([seed, function.item.as_str(), &function.instance], &function.landmarks)
}

struct Pool<'a> {
    function: usize,
    shapes: &'a [Shape],
    max: usize,
    seen: &'a mut BTreeSet<Vec<Value>>,
    probes: Vec<Probe>,
}

impl Pool<'_> {
    /// Every boundary value of every parameter, whatever the pool's size and seed, then pairs of them in at
    /// most half of what is left. Says how many values [`CORNERS_MAX`] left out.
    fn add_corners(&mut self, generator: &Generator) -> usize {
        let corners = Corners::of(self.shapes, generator);
        let mut single = corners.single();
        let left_out = single.len().saturating_sub(CORNERS_MAX);
        single.truncate(CORNERS_MAX);
        let single: Vec<_> = single.into_iter().filter(|corner| !self.seen.contains(corner)).collect();
        let wanted = self.max;
        self.max = wanted.max(self.probes.len() + single.len());
        self.add_all(single, ProbeOrigin::Generated, true);
        self.max = self.probes.len().max(wanted);
        let pairs = self.max.saturating_sub(self.probes.len()) / 2;
        self.add_all(corners.pairs().take(pairs), ProbeOrigin::Generated, true);
        // What the boundaries took is not taken from mixtures: they find what no list foresees.
        self.max = self.max.max(self.probes.len() + wanted / 4);
        left_out
    }

    /// Variations of examples, then mixtures, until the pool is full or nothing new comes.
    fn fill(&mut self, generator: &mut Generator, examples: &[Vec<Value>], may_be_shown: bool) {
        let mut variations = Vec::new();
        for example in examples {
            for _ in 0..VARIATIONS_OF_EACH {
                variations.push(self.varied(generator, example));
            }
        }
        self.add_all(variations, ProbeOrigin::Generated, may_be_shown);
        // A function of few possible arguments is exhausted long before its pool is full.
        for _ in 0..self.max * 4 {
            if self.probes.len() >= self.max {
                break;
            }
            let arguments = generator.arguments(self.shapes);
            self.add_all([arguments], ProbeOrigin::Generated, may_be_shown);
        }
    }

    fn add_all(
        &mut self,
        all: impl IntoIterator<Item = Vec<Value>>,
        origin: ProbeOrigin,
        may_be_shown: bool,
    ) {
        for arguments in all {
            if self.probes.len() < self.max && self.seen.insert(arguments.clone()) {
                self.probes.push(Probe { function: self.function, arguments, origin, may_be_shown });
            }
        }
    }

    fn varied(&self, generator: &mut Generator, example: &[Value]) -> Vec<Value> {
        let mut varied = example.to_vec();
        let at = usize::try_from(generator.below(example.len() as u64)).unwrap_or_default();
        let same = self
            .shapes
            .iter()
            .enumerate()
            .rposition(|(other, shape)| other != at && self.shapes.get(at) == Some(shape));
        match (same, generator.below(4)) {
            (Some(other), 0) => varied.swap(at, other),
            (Some(_) | None, _) => {
                if let (Some(value), Some(shape)) = (varied.get_mut(at), self.shapes.get(at)) {
                    *value = generator.changed(value, shape);
                }
            }
        }
        varied
    }
}

/// The boundary values of each parameter, and calls made of them. No seed has a say here.
struct Corners {
    boundaries: Vec<Vec<Value>>,
}

impl Corners {
    fn of(shapes: &[Shape], generator: &Generator) -> Self {
        Self { boundaries: shapes.iter().map(|shape| generator.boundaries(shape)).collect() }
    }

    fn longest(&self) -> usize {
        self.boundaries.iter().map(Vec::len).max().unwrap_or_default()
    }

    /// Each value of each parameter, once beside the others at the same place of their lists (so that all
    /// are at their ends together), and once beside plain others.
    fn single(&self) -> Vec<Vec<Value>> {
        let mut all: Vec<_> = (0..self.longest()).map(|at| self.call(at, 0)).collect();
        if self.boundaries.len() > 1 {
            for (position, values) in self.boundaries.iter().enumerate() {
                all.extend(values.iter().map(|value| {
                    let mut call = self.plain();
                    if let Some(slot) = call.get_mut(position) {
                        *slot = value.clone();
                    }
                    call
                }));
            }
        }
        let mut seen = BTreeSet::new();
        all.retain(|call| seen.insert(call.clone()));
        all
    }

    /// Boundary values beside boundary values at other places of their lists.
    fn pairs(&self) -> impl Iterator<Item = Vec<Value>> {
        let longest = self.longest();
        let steps = if self.boundaries.len() > 1 { longest } else { 0 };
        (1..steps).flat_map(move |step| (0..longest).map(move |at| self.call(at, step)))
    }

    /// The value at this place of the first parameter's list, and `step` places further on in each next one.
    fn call(&self, at: usize, step: usize) -> Vec<Value> {
        let one = |(position, values): (usize, &Vec<Value>)| {
            values.get((at + step * position) % values.len().max(1)).cloned()
        };
        self.boundaries.iter().enumerate().filter_map(one).collect()
    }

    fn plain(&self) -> Vec<Value> {
        let one = |values: &Vec<Value>| values.get(PLAIN_AT).or_else(|| values.last()).cloned();
        self.boundaries.iter().filter_map(one).collect()
    }
}
