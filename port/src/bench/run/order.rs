//! In which order pairs are run. It follows from the seed and the number alone, so that a comparison that
//! goes on continues the same sequence.

use super::measure::Arm;
use crate::bench::decide::cache::SENTINEL_ONE_IN;
use crate::bench::random::Random;

/// In the first so many pairs one in [`DENSE_ONE_IN`] is a sentinel: eight before the first look at 24.
const DENSE_PAIRS: usize = 20;
const DENSE_ONE_IN: usize = 2;

/// The sides of a pair in the order in which they run. Two pairs make a block that cancels a drift:
/// reference, candidate, candidate, reference, or the reverse.
pub(super) fn sides(seed: u64, pair: usize) -> [Arm; 2] {
    let first = if drawn(seed, pair / 2).coin() { Arm::Reference } else { Arm::Candidate };
    let other = match first {
        Arm::Reference => Arm::Candidate,
        Arm::Candidate => Arm::Reference,
    };
    if pair.is_multiple_of(2) { [first, other] } else { [other, first] }
}

/// The task of a pair: each round is a permutation of all tasks. `None` where there are none.
pub(super) fn task(seed: u64, pair: usize, tasks: &[String]) -> Option<&str> {
    if tasks.is_empty() {
        return None;
    }
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    drawn(!seed, pair / tasks.len()).shuffle(&mut order);
    tasks.get(*order.get(pair % tasks.len())?).map(String::as_str)
}

/// Whether the reference is run in this pair although stored runs would serve: one pair in so many, drawn.
/// The first ones are denser, so that no decision is taken before several have spoken; where one process
/// runs the whole suite, the first pair speaks for all tasks at once.
pub(in crate::bench) fn is_sentinel(seed: u64, pair: usize, whole_suite: bool) -> bool {
    if whole_suite {
        return pair.is_multiple_of(SENTINEL_ONE_IN);
    }
    let one_in = if pair < DENSE_PAIRS { DENSE_ONE_IN } else { SENTINEL_ONE_IN };
    drawn(seed.rotate_left(17) ^ 0x5E, pair / one_in * one_in).index(one_in) == pair % one_in
}

fn drawn(seed: u64, place: usize) -> Random {
    let mut random = Random::seeded(seed ^ u64::try_from(place).unwrap_or_default().rotate_left(32));
    Random::seeded(random.next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_block_is_balanced_and_both_orders_occur() {
        let blocks: BTreeSet<String> =
            (0..40).map(|block| format!("{:?}{:?}", sides(1, 2 * block), sides(1, 2 * block + 1))).collect();
        assert_eq!(blocks.len(), 2, "{blocks:?}");
        for block in 0..40 {
            let [first, second] = sides(1, 2 * block);
            assert_eq!(sides(1, 2 * block + 1), [second, first]);
        }
    }

    #[test]
    fn sentinels_are_drawn_densely_first_and_then_one_in_ten() {
        let sentinels = |pairs: std::ops::Range<usize>| pairs.filter(|&pair| is_sentinel(1, pair, false));
        assert_eq!(sentinels(0..20).count(), 10);
        assert_eq!(sentinels(20..420).count(), 40);
        let places: BTreeSet<usize> = sentinels(20..420).map(|pair| pair % 10).collect();
        assert!(places.len() > 5, "{places:?}");
        assert!(is_sentinel(1, 0, true) && !is_sentinel(1, 5, true));
    }

    #[test]
    fn each_round_runs_every_task_once_in_an_order_of_its_own() {
        let tasks: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let round = |round: usize| -> Vec<&str> {
            (0..20).map(|place| task(5, round * 20 + place, &tasks).unwrap()).collect()
        };
        assert_eq!(round(0).iter().collect::<BTreeSet<_>>().len(), 20);
        assert_ne!(round(0), round(1));
        assert_eq!(task(5, 3, &[]), None);
    }
}
