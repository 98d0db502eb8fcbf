//! How alike two sorted sets of words are, rare words counting for more.

use super::words::Word;

/// How alike two sets are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Overlap {
    /// The weight of what both have.
    pub(super) shared: f64,
    /// The weight of the one.
    pub(super) one: f64,
    /// The weight of the other.
    pub(super) other: f64,
}

impl Overlap {
    /// Compares two sorted sets.
    pub(super) fn of(one: &[Word], other: &[Word], weights: &[f64]) -> Self {
        let weight = |word: &Word| usize::try_from(*word).ok().and_then(|word| weights.get(word)).copied();
        let sum = |set: &[Word]| set.iter().filter_map(weight).sum::<f64>();
        let (mut shared, mut rest) = (0.0, other);
        for word in one {
            let behind = rest.partition_point(|candidate| candidate < word);
            rest = rest.get(behind..).unwrap_or_default();
            if rest.first() == Some(word) {
                shared += weight(word).unwrap_or(0.0);
            }
        }
        Self { shared, one: sum(one), other: sum(other) }
    }

    /// From 0 to 1: the share of both.
    pub(super) fn dice(self) -> f64 {
        let both = self.one + self.other;
        if both > 0.0 { 2.0 * self.shared / both } else { 0.0 }
    }

    /// From 0 to 1: the share of the smaller one, and how much that is at all.
    pub(super) fn inclusion(self, enough: f64) -> f64 {
        let (small, large) = (self.one.min(self.other), self.one.max(self.other));
        if small <= 0.0 {
            return 0.0;
        }
        let share = 0.65 * self.shared / small + 0.35 * self.shared / large;
        share * self.saturated(enough)
    }

    /// From 0 to 1: the cosine, and how much that is at all.
    pub(super) fn cosine(self, enough: f64) -> f64 {
        let both = (self.one * self.other).sqrt();
        if both > 0.0 { self.shared / both * self.saturated(enough) } else { 0.0 }
    }

    fn saturated(self, enough: f64) -> f64 {
        self.shared / (self.shared + enough)
    }
}

/// The logistic function.
pub(super) fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_count_for_more() {
        let weights = [1.0, 1.0, 4.0];
        let common = Overlap::of(&[0, 2], &[0, 1], &weights);
        let rare = Overlap::of(&[0, 2], &[1, 2], &weights);
        assert!((common.shared - 1.0).abs() < 1e-9 && (rare.shared - 4.0).abs() < 1e-9);
        assert!(rare.dice() > common.dice() && rare.cosine(1.0) > common.cosine(1.0));
        assert!(Overlap::of(&[], &[], &weights).dice().abs() < 1e-9);
    }
}
