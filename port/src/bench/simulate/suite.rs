//! Task suites whose tasks pass with known probabilities.

use super::Decisions;
use crate::bench::decide::rates::count;
use crate::bench::decide::{Evidence, TaskPairs, TaskRule};
use crate::bench::random::Random;

/// A kind of suite. Most tasks nearly always pass or nearly always fail, as with real agents.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SuiteWorld {
    /// How many tasks.
    pub tasks: usize,
    /// The share of tasks on which two runs of the same agent disagree.
    pub discordance: f64,
}

impl SuiteWorld {
    /// The probabilities with which an agent passes each task.
    pub fn agent(&self, random: &mut Random) -> Vec<f64> {
        // Two draws from a symmetric beta distribution differ with probability a / (2a + 1).
        let shape = self.discordance / (1.0 - 2.0 * self.discordance);
        (0..self.tasks).map(|_| beta(shape, random)).collect()
    }
}

/// The same agent after a change of its mean score: losses break single tasks, gains solve them.
pub(super) fn changed(agent: &[f64], change: f64, random: &mut Random) -> Vec<f64> {
    let mut after = agent.to_vec();
    let mut left = change * count(agent.len());
    let mut order: Vec<usize> = (0..agent.len()).collect();
    random.shuffle(&mut order);
    for index in order {
        let Some(passes) = after.get_mut(index) else { continue };
        let moved = if left < 0.0 { left.max(-*passes) } else { left.min(1.0 - *passes) };
        *passes += moved;
        left -= moved;
    }
    after
}

/// One run of a task.
pub(super) fn passes(chance: f64, random: &mut Random) -> f64 {
    f64::from(u8::from(random.uniform() < chance))
}

/// One decision between two agents.
pub fn task_decision(
    reference: &[f64],
    candidate: &[f64],
    rule: &TaskRule,
    random: &mut Random,
) -> (Evidence, usize) {
    let mut pairs = TaskPairs::default();
    let mut order: Vec<usize> = (0..reference.len()).collect();
    loop {
        random.shuffle(&mut order);
        for &task in &order {
            let chance = |agent: &[f64]| agent.get(task).copied().unwrap_or_default();
            pairs.add(passes(chance(candidate), random), passes(chance(reference), random));
            let evidence = if rule.looks_at(pairs.pairs) { pairs.evidence(rule) } else { Evidence::Open };
            if evidence != Evidence::Open || pairs.pairs >= rule.pairs_max {
                return (evidence, pairs.pairs);
            }
        }
    }
}

/// Many decisions about a true change of the mean score, each on a suite of its own.
pub fn task_decisions(
    world: &SuiteWorld,
    change: f64,
    rule: &TaskRule,
    decisions: usize,
    seed: u64,
) -> Decisions {
    let mut random = Random::seeded(seed);
    Decisions::of((0..decisions).map(|_| {
        let reference = world.agent(&mut random);
        let candidate = changed(&reference, change, &mut random);
        task_decision(&reference, &candidate, rule, &mut random)
    }))
}

/// Jöhnk's method, which is at its best for the U shapes that are wanted here.
fn beta(shape: f64, random: &mut Random) -> f64 {
    const TRIES_MAX: usize = 1000;
    for _ in 0..TRIES_MAX {
        let (left, right) = (random.uniform().powf(1.0 / shape), random.uniform().powf(1.0 / shape));
        if left + right <= 1.0 && left + right > 0.0 {
            return left / (left + right);
        }
    }
    0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    const EIGHTY: SuiteWorld = SuiteWorld { tasks: 80, discordance: 0.13 };

    #[test]
    fn the_world_has_the_discordance_and_the_change_that_were_asked_for() {
        let mut random = Random::seeded(3);
        let agent = SuiteWorld { tasks: 40_000, ..EIGHTY }.agent(&mut random);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / count(values.len());
        let discordance = mean(agent.iter().map(|passes| 2.0 * passes * (1.0 - passes)).collect());
        assert!((discordance - 0.13).abs() < 0.005, "{discordance}");
        for change in [-0.05, 0.02] {
            let after = changed(&agent, change, &mut random);
            assert!((mean(after) - mean(agent.clone()) - change).abs() < 1e-9);
        }
    }

    #[test]
    fn eighty_tasks_are_decided_at_the_stated_rates() {
        let rule = TaskRule::default();
        let none = task_decisions(&EIGHTY, 0.0, &rule, 800, 20_261_120);
        assert!(none.accepted >= 0.92 && none.rejected <= 0.06 && none.pairs <= 345.0, "{none:?}");
        let lost = task_decisions(&EIGHTY, -0.05, &rule, 800, 7);
        assert!(lost.accepted <= 0.04, "{lost:?}");
        let worse = task_decisions(&EIGHTY, -0.10, &rule, 200, 11);
        assert!(worse.accepted <= 0.0 && worse.pairs < none.pairs, "{worse:?}");
    }
}
