//! Decisions against stored runs of the reference, in a world that may have moved since they were made.

use super::Decisions;
use super::suite::{SuiteWorld, changed, passes, task_decision};
use crate::bench::decide::cache::sentinels_agree;
use crate::bench::decide::rates::count;
use crate::bench::decide::{Evidence, StoredScore, TaskPairs, TaskRule};
use crate::bench::random::Random;
use crate::bench::run::is_sentinel;

/// A world in which runs of the reference are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredWorld {
    /// The suite.
    pub suite: SuiteWorld,
    /// Stored runs for each task.
    pub runs: usize,
    /// What the world around both sides did to their scores since these runs were made.
    pub shift: f64,
}

/// What many decisions against stored runs came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredDecisions {
    /// The decisions. Their pairs are those of the comparison that decided.
    pub decisions: Decisions,
    /// Runs of either side, on average: candidate, sentinels, and fresh pairs where the stored runs were
    /// dropped or did not suffice to accept.
    pub agent_runs: f64,
    /// The share of comparisons in which the sentinels had the stored runs dropped.
    pub dropped: f64,
}

/// Many decisions about a true change of the mean score, each on a suite of its own.
pub fn stored_decisions(
    world: &StoredWorld,
    change: f64,
    rule: &TaskRule,
    decisions: usize,
    seed: u64,
) -> StoredDecisions {
    let mut random = Random::seeded(seed);
    let (mut agent_runs, mut dropped) = (0, 0);
    let found = Decisions::of((0..decisions).map(|_| {
        let before = world.suite.agent(&mut random);
        let stored: Vec<Option<StoredScore>> = before
            .iter()
            .map(|&chance| {
                let scores: Vec<f64> = (0..world.runs).map(|_| passes(chance, &mut random)).collect();
                StoredScore::of(&scores, 0)
            })
            .collect();
        let reference = changed(&before, world.shift, &mut random);
        let candidate = changed(&reference, change, &mut random);
        match against_stored(&stored, &reference, &candidate, rule, &mut random) {
            (Some(decided), runs) if decided.0 == Evidence::NotWorse => {
                agent_runs += runs;
                decided
            }
            // Nothing but an acceptance is decided on stored runs.
            (undecided, runs) => {
                dropped += usize::from(undecided.is_none());
                let fresh = task_decision(&reference, &candidate, rule, &mut random);
                agent_runs += runs + 2 * fresh.1;
                fresh
            }
        }
    }));
    let share = |of: usize| count(of) / count(decisions.max(1));
    StoredDecisions { decisions: found, agent_runs: share(agent_runs), dropped: share(dropped) }
}

/// One decision with its pairs, or none where the sentinels spoke against the stored runs; and the runs.
fn against_stored(
    stored: &[Option<StoredScore>],
    reference: &[f64],
    candidate: &[f64],
    rule: &TaskRule,
    random: &mut Random,
) -> (Option<(Evidence, usize)>, usize) {
    let (mut pairs, mut sentinels) = (TaskPairs::default(), TaskPairs::default());
    let mut order: Vec<usize> = (0..reference.len()).collect();
    let seed = random.next();
    let (mut runs, mut round) = (0, 0);
    loop {
        random.shuffle(&mut order);
        for &task in &order {
            let chance = |agent: &[f64]| agent.get(task).copied().unwrap_or_default();
            let after = passes(chance(candidate), random);
            runs += 1;
            if let Some(score) = stored.get(task).copied().flatten() {
                if is_sentinel(seed, pairs.pairs, false) {
                    runs += 1;
                    sentinels.add(passes(chance(reference), random), score.mean);
                }
                pairs.add_stored(after, &score, round);
            } else {
                runs += 1;
                pairs.add(after, passes(chance(reference), random));
            }
            if !sentinels_agree(&sentinels) {
                return (None, runs);
            }
            let evidence = if rule.looks_at(pairs.pairs) { pairs.evidence(rule) } else { Evidence::Open };
            if evidence != Evidence::Open || pairs.pairs >= rule.pairs_max {
                return (Some((evidence, pairs.pairs)), runs);
            }
        }
        round += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_runs_halve_the_cost_and_keep_the_error_rates() {
        let suite = SuiteWorld { tasks: 80, discordance: 0.13 };
        let world = StoredWorld { suite, runs: 10, shift: 0.0 };
        let rule = TaskRule::default();
        let none = stored_decisions(&world, 0.0, &rule, 600, 20_261_120);
        assert!(none.decisions.accepted >= 0.90 && none.decisions.rejected <= 0.05, "{none:?}");
        assert!(none.agent_runs < 350.0 && none.dropped < 0.08, "{none:?}");
        let lost = stored_decisions(&world, -0.05, &rule, 600, 7);
        assert!(lost.decisions.accepted <= 0.04, "{lost:?}");
    }

    #[test]
    fn a_world_that_got_worse_blames_nobody() {
        let suite = SuiteWorld { tasks: 80, discordance: 0.13 };
        let world = StoredWorld { suite, runs: 10, shift: -0.30 };
        let none = stored_decisions(&world, 0.0, &TaskRule::default(), 200, 11);
        assert!(none.decisions.rejected <= 0.08 && none.decisions.accepted > 0.88, "{none:?}");
    }
}
