//! A hundred syncs of which some lose a little: what remains of the port's score.

use super::suite::{SuiteWorld, changed, task_decision};
use crate::bench::decide::rates::count;
use crate::bench::decide::{Evidence, Ledger, LedgerRule, TaskPairs, TaskRule};
use crate::bench::random::Random;

/// Where a repair brings the port back to, as a gap: not all is ever found.
const REPAIRED_GAP: f64 = -0.0025;

/// Pairs that audit a repair.
const REPAIR_PAIRS: usize = 1400;

/// What changes in a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HabitOfLoss {
    /// Nothing.
    Neutral,
    /// Mostly nothing; a quarter loses 0.5 to 1.5 points, some gain, some break.
    Mixed,
    /// Each sync loses a point.
    Creep,
}

impl HabitOfLoss {
    fn change(self, random: &mut Random) -> f64 {
        let kind = random.uniform();
        match self {
            Self::Neutral => 0.0,
            Self::Creep => -0.01,
            Self::Mixed if kind < 0.65 => 0.0,
            Self::Mixed if kind < 0.90 => -0.005 - 0.01 * random.uniform(),
            Self::Mixed if kind < 0.97 => 0.005 + 0.01 * random.uniform(),
            Self::Mixed => -0.08,
        }
    }
}

/// How a history of syncs goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftWorld {
    /// The suite.
    pub suite: SuiteWorld,
    /// What changes.
    pub habit: HabitOfLoss,
    /// How many syncs.
    pub syncs: usize,
    /// Pairs of the audit after each sync, landed or not.
    pub audit_pairs: usize,
    /// How each sync is decided; the centre is the ledger's.
    pub rule: TaskRule,
    /// When the line stops.
    pub ledger: LedgerRule,
}

/// What many histories came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftOutcome {
    /// The mean gap over all syncs of all histories.
    pub gap_mean: f64,
    /// The worst gap of a history, at the fifth percentile of all histories.
    pub gap_worst_low: f64,
    /// The share of syncs without a loss that did not land.
    pub good_blocked: f64,
    /// Stops of the line in a history, on average.
    pub trips: f64,
}

#[derive(Default)]
struct Tally {
    gaps: f64,
    syncs: f64,
    good: f64,
    blocked: f64,
    trips: f64,
}

/// Plays many histories.
pub fn drift(world: &DriftWorld, histories: usize, seed: u64) -> DriftOutcome {
    let mut random = Random::seeded(seed);
    let mut tally = Tally::default();
    let mut worst: Vec<f64> = (0..histories).map(|_| history(world, &mut random, &mut tally)).collect();
    worst.sort_by(f64::total_cmp);
    DriftOutcome {
        gap_mean: tally.gaps / tally.syncs.max(1.0),
        gap_worst_low: worst.get(histories / 20).copied().unwrap_or_default(),
        good_blocked: tally.blocked / tally.good.max(1.0),
        trips: tally.trips / count(histories.max(1)),
    }
}

/// One history; gives its worst gap.
fn history(world: &DriftWorld, random: &mut Random, tally: &mut Tally) -> f64 {
    let (mut gap, mut worst) = (0.0, 0.0_f64);
    let mut ledger = Ledger::default();
    for _ in 0..world.syncs {
        let change = world.habit.change(random);
        let reference = world.suite.agent(random);
        let candidate = changed(&reference, gap + change, random);
        let rule = TaskRule { centre: ledger.gap().min(0.0), ..world.rule };
        let (evidence, _pairs) = task_decision(&reference, &candidate, &rule, random);
        let good = change >= 0.0;
        tally.good += f64::from(u8::from(good));
        if evidence == Evidence::NotWorse {
            gap += change;
            worst = worst.min(gap);
        } else {
            tally.blocked += f64::from(u8::from(good));
        }
        // Also where nothing landed: else a line that is blocked would never learn why.
        ledger.audit(&audit(world, gap, world.audit_pairs, random), &world.ledger);
        if ledger.is_tripped(&world.ledger) {
            tally.trips += 1.0;
            gap = REPAIRED_GAP;
            ledger = Ledger::default();
            ledger.audit(&audit(world, gap, REPAIR_PAIRS, random), &world.ledger);
        }
        tally.gaps += gap;
        tally.syncs += 1.0;
    }
    worst
}

fn audit(world: &DriftWorld, gap: f64, pairs: usize, random: &mut Random) -> TaskPairs {
    let mut audited = TaskPairs::default();
    while audited.pairs < pairs {
        let reference = world.suite.agent(random);
        let port = changed(&reference, gap, random);
        for (reference, port) in reference.iter().zip(&port) {
            let passes = |chance: f64, random: &mut Random| f64::from(u8::from(random.uniform() < chance));
            audited.add(passes(*port, random), passes(*reference, random));
        }
    }
    audited
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(habit: HabitOfLoss) -> DriftWorld {
        DriftWorld {
            suite: SuiteWorld { tasks: 80, discordance: 0.13 },
            habit,
            syncs: 100,
            audit_pairs: 80,
            rule: TaskRule::default(),
            ledger: LedgerRule::default(),
        }
    }

    #[test]
    fn many_small_losses_do_not_add_up_unseen() {
        let mixed = drift(&world(HabitOfLoss::Mixed), 40, 3);
        assert!(mixed.gap_mean > -0.02 && mixed.good_blocked < 0.24, "{mixed:?}");
        let creep = drift(&world(HabitOfLoss::Creep), 20, 3);
        assert!(creep.gap_mean > -0.04 && creep.trips > 3.0, "{creep:?}");
        let neutral = drift(&world(HabitOfLoss::Neutral), 20, 3);
        assert!(neutral.good_blocked < 0.12 && neutral.trips < 1.2, "{neutral:?}");
    }
}
