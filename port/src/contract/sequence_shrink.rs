//! Smaller sequences than a given one: calls dropped.
//!
//! Main function: [`shorter`]. Arguments are made smaller as those of single calls are (`shrink`).

use super::value::Value;

/// Up to this many calls every choice of them is tried, so that no shorter one differs.
const ALL_CHOICES_OF: usize = 8;

/// The same calls with some of them left out, the shortest first. What is left keeps its order.
pub(super) fn shorter(calls: &[Value]) -> Vec<Vec<Value>> {
    let mut all: Vec<Vec<Value>> = Vec::new();
    if calls.len() <= ALL_CHOICES_OF {
        let full = (1_u32 << calls.len()) - 1;
        let chosen = |bits: u32| {
            let kept = calls.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
            kept.map(|(_, call)| call.clone()).collect()
        };
        all.extend((1..full).map(chosen));
    } else {
        let mut width = calls.len() / 2;
        while width > 0 {
            for from in (0..calls.len()).step_by(width) {
                all.push(calls.iter().take(from).chain(calls.iter().skip(from + width)).cloned().collect());
            }
            width /= 2;
        }
    }
    all.retain(|calls| !calls.is_empty());
    all.sort_by_key(Vec::len);
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: i32) -> Vec<Value> {
        (0..count).map(Value::int).collect()
    }

    #[test]
    fn every_choice_of_few_calls_is_tried_and_the_shortest_first() {
        let all = shorter(&numbers(4));
        assert_eq!(all.len(), 14);
        assert_eq!(all[0].len(), 1);
        assert!(all.contains(&vec![Value::int(0), Value::int(3)]));
        assert!(shorter(&numbers(1)).is_empty());
    }

    #[test]
    fn of_many_calls_each_one_and_halves_are_dropped() {
        let all = shorter(&numbers(20));
        assert!(all.len() < 60, "{}", all.len());
        assert!(
            all.iter().any(|calls| calls.len() == 10) && all.iter().filter(|c| c.len() == 19).count() == 20
        );
    }
}
