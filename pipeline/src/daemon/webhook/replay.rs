//! What was there before, and how much may come: both bounded.

use std::collections::{BTreeSet, VecDeque};

/// How many names of deliveries are kept.
const NAMES_MAX: usize = 8192;
/// How many requests may come at once.
const BURST: i64 = 60;
/// How many may come in a second in the long run.
const A_SECOND: i64 = 10;

/// The names of the last deliveries.
#[derive(Debug, Default)]
pub(super) struct Seen {
    order: VecDeque<String>,
    known: BTreeSet<String>,
}

impl Seen {
    /// Whether none of the names was there before; they are kept.
    pub(super) fn is_new(&mut self, names: &[String]) -> bool {
        if names.iter().any(|name| self.known.contains(name)) {
            return false;
        }
        for name in names {
            self.known.insert(name.clone());
            self.order.push_back(name.clone());
        }
        while self.order.len() > NAMES_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        true
    }

    /// Takes names back.
    pub(super) fn forget(&mut self, names: &[String]) {
        self.order.retain(|name| !names.contains(name));
        for name in names {
            self.known.remove(name);
        }
    }
}

/// Lets so many through at once, and so many in a second.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Thousandths of requests.
    left: i64,
    at_ms: i64,
}

impl Bucket {
    pub(super) fn full() -> Self {
        Self { left: BURST * 1000, at_ms: i64::MIN }
    }

    pub(super) fn take(&mut self, now_ms: i64) -> bool {
        // A clock that is set back gives nothing.
        let passed_ms = now_ms.saturating_sub(self.at_ms).max(0);
        self.left = self.left.saturating_add(passed_ms.saturating_mul(A_SECOND)).min(BURST * 1000);
        self.at_ms = now_ms;
        if self.left < 1000 {
            return false;
        }
        self.left -= 1000;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_so_many_in_a_second() {
        let mut bucket = Bucket::full();
        let through = |bucket: &mut Bucket, now_ms| (0..1000).take_while(|_| bucket.take(now_ms)).count();
        assert_eq!(through(&mut bucket, 0), 60);
        assert_eq!(through(&mut bucket, 99), 0);
        assert_eq!(through(&mut bucket, 100), 1);
        assert_eq!(through(&mut bucket, 1100), 10);
        assert_eq!(through(&mut bucket, 5), 0, "the clock was set back");
        assert_eq!(through(&mut bucket, 1_000_000), 60);
    }

    #[test]
    fn the_oldest_names_make_room() {
        let mut seen = Seen::default();
        let name = |number: usize| [number.to_string()];
        assert!(seen.is_new(&name(0)) && !seen.is_new(&name(0)));
        for number in 1..=NAMES_MAX {
            assert!(seen.is_new(&name(number)));
        }
        assert!(seen.is_new(&name(0)), "it was let go");
        assert_eq!((seen.order.len(), seen.known.len()), (NAMES_MAX, NAMES_MAX));
        seen.forget(&name(0));
        assert!(seen.is_new(&name(0)));
    }
}
