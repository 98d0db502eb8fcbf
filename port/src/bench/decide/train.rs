//! Merge trains: several revisions are tested together, and apart only where together they fail.

use std::ops::Range;

use super::verdict::Decided;

/// Revisions in a train where nothing else is configured.
pub const LENGTH: usize = 5;

/// A train on its way. Positions count from 0, oldest first; what is tested is always the result of all
/// revisions up to the end of a range, against the state before its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Train {
    /// What is to be tested, the next one last.
    open: Vec<Range<usize>>,
    verdicts: Vec<Option<Decided>>,
    tests: usize,
}

impl Train {
    /// A train of so many revisions.
    pub fn of(revisions: usize) -> Self {
        let whole = 0..revisions;
        let open = if revisions == 0 { Vec::new() } else { vec![whole] };
        Self { open, verdicts: vec![None; revisions], tests: 0 }
    }

    /// The revisions to test together next; `None` when all is known.
    pub fn next(&self) -> Option<Range<usize>> {
        self.open.last().cloned()
    }

    /// Takes the verdict over [`Self::next`]. One that passed passes whole; one that did not is split in
    /// two, until the revision that is to blame stands alone. What could not be told holds every revision
    /// of its range: tests of parts would be told even less.
    pub fn decided(&mut self, decided: Decided) {
        let Some(range) = self.open.pop() else { return };
        self.tests += 1;
        let alone = range.len() == 1;
        if decided == Decided::Reject && !alone {
            let middle = range.start + range.len() / 2;
            self.open.push(middle..range.end);
            self.open.push(range.start..middle);
            return;
        }
        for verdict in self.verdicts.get_mut(range).into_iter().flatten() {
            *verdict = Some(decided);
        }
    }

    /// What is known of each revision.
    pub fn verdicts(&self) -> &[Option<Decided>] {
        &self.verdicts
    }

    /// How many tests it took so far.
    pub fn tests(&self) -> usize {
        self.tests
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::random::Random;

    /// Tests in which a range fails when it holds a bad revision.
    fn run(bad: &[bool]) -> (Vec<bool>, usize) {
        let mut train = Train::of(bad.len());
        while let Some(range) = train.next() {
            let fails = bad[range].contains(&true);
            train.decided(if fails { Decided::Reject } else { Decided::Accept });
        }
        let refused = train.verdicts().iter().map(|verdict| *verdict == Some(Decided::Reject)).collect();
        (refused, train.tests())
    }

    #[test]
    fn exactly_the_bad_revisions_are_refused_wherever_they_stand() {
        for pattern in 0..64_u32 {
            let bad: Vec<bool> = (0..6).map(|bit| pattern >> bit & 1 == 1).collect();
            assert_eq!(run(&bad).0, bad);
        }
        assert_eq!(run(&[]), (Vec::new(), 0));
        assert_eq!(run(&[false; 5]).1, 1);
    }

    #[test]
    fn a_train_costs_the_published_share_of_single_tests() {
        for (bad_rate, length, expected) in [(0.02, 8, 0.27), (0.05, 5, 0.43), (0.10, 4, 0.59)] {
            let mut random = Random::seeded(11);
            let (mut tests, mut revisions) = (0, 0);
            for _ in 0..4000 {
                let bad: Vec<bool> = (0..length).map(|_| random.uniform() < bad_rate).collect();
                tests += run(&bad).1;
                revisions += length;
            }
            let cost =
                f64::from(u32::try_from(tests).unwrap()) / f64::from(u32::try_from(revisions).unwrap());
            assert!((cost - expected).abs() < 0.05, "{bad_rate}: {cost}");
        }
    }

    #[test]
    fn what_cannot_be_told_holds_its_revisions() {
        let mut train = Train::of(4);
        train.decided(Decided::Reject);
        train.decided(Decided::Hold);
        train.decided(Decided::Accept);
        assert_eq!(train.next(), None);
        let [hold, accept] = [Some(Decided::Hold), Some(Decided::Accept)];
        assert_eq!(train.verdicts(), [hold, hold, accept, accept]);
    }
}
