//! The two pools of probes: one whose counterexamples a translator may see, and one that decides.
//!
//! Main types: [`Pools`] and [`Probe`]. Nothing of the deciding pool may reach a prompt.

use std::collections::BTreeSet;

use upstream::harvest::HarvestedCall;

use super::generate::Generator;
use super::harvested::fitting;
use super::probeable::FunctionPlan;
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

/// How large an example may be whose variations are tried.
const VARIATIONS_OF_EACH: usize = 3;

/// Where a probe comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeOrigin {
    /// The upstream's own tests, documentation and examples.
    Harvested,
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

/// The development and the deciding probes of these functions.
pub(super) fn draw(
    functions: &[FunctionPlan],
    harvested: &[HarvestedCall],
    pools: &Pools,
) -> (Vec<Probe>, Vec<Probe>) {
    let (mut development, mut deciding) = (Vec::new(), Vec::new());
    for (at, function) in functions.iter().enumerate().filter(|(_, function)| function.refused.is_none()) {
        let mut seen = BTreeSet::new();
        let mut pool = Pool {
            function: at,
            shapes: &function.shapes,
            max: pools.probes_max,
            seen: &mut seen,
            probes: Vec::new(),
        };
        let examples = fitting(harvested, function);
        pool.max += examples.len();
        pool.add_all(examples.clone(), ProbeOrigin::Harvested, true);
        let mut generator = generator(function, &pools.development_seed);
        pool.fill(&mut generator, &examples, true);
        development.append(&mut pool.probes);

        pool.max = pools.probes_max;
        let mut generator = self::generator(function, &pools.deciding_seed);
        pool.fill(&mut generator, &examples, false);
        deciding.append(&mut pool.probes);
    }
    (development, deciding)
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
    /// Boundaries, variations of examples, then mixtures, until the pool is full or nothing new comes.
    fn fill(&mut self, generator: &mut Generator, examples: &[Vec<Value>], may_be_shown: bool) {
        if may_be_shown {
            self.add_all(self.corners(generator), ProbeOrigin::Generated, may_be_shown);
        }
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

    /// Boundary values together: each value of each parameter at least once beside plain others, then pairs.
    /// They take at most half of the pool.
    fn corners(&self, generator: &mut Generator) -> Vec<Vec<Value>> {
        let boundaries: Vec<_> = self.shapes.iter().map(|shape| generator.boundaries(shape)).collect();
        let longest = boundaries.iter().map(Vec::len).max().unwrap_or_default();
        let nth = |step: usize, at: usize| -> Vec<Value> {
            let one = |(position, values): (usize, &Vec<Value>)| {
                values.get((at + step * position) % values.len().max(1)).cloned()
            };
            boundaries.iter().enumerate().filter_map(one).collect()
        };
        let mut corners: Vec<_> = (0..longest).flat_map(|at| [nth(0, at), nth(1, at)]).collect();
        for _ in 0..longest {
            let at = usize::try_from(generator.below(longest as u64)).unwrap_or_default();
            let step = usize::try_from(generator.below(longest as u64)).unwrap_or_default();
            corners.push(nth(step, at));
        }
        corners.truncate(self.max * 3 / 5);
        corners
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
