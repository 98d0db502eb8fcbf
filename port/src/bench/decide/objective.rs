//! The objective: an order among candidates that passed everything. It gates nothing.

use super::verdict::{Decided, Verdict};

/// How much one measured change weighs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Its weight; all weights of a candidate need not sum to 1.
    pub weight: f64,
    /// The measured change, better above zero: points of a score, `-ln(ratio)` of a time or a cost.
    pub change: f64,
    /// The loss that may not pass, in the same measure.
    pub margin: f64,
}

/// The weight of task scores where nothing else is configured.
pub const TASKS_WEIGHT: f64 = 0.7;
/// The weight of the mean time.
pub const TIME_WEIGHT: f64 = 0.2;
/// The weight of cost or tokens.
pub const COST_WEIGHT: f64 = 0.1;

/// The objective of a candidate; `None` where it did not pass, whatever it gained.
pub fn objective(verdict: &Verdict, terms: &[Term]) -> Option<f64> {
    if verdict.decided != Decided::Accept {
        return None;
    }
    let value: f64 = terms.iter().map(|term| term.weight * term.change / term.margin).sum();
    value.is_finite().then_some(value)
}

/// The candidates that passed, best first; ties keep their order.
pub fn ranked(candidates: &[(Verdict, Vec<Term>)]) -> Vec<usize> {
    let mut passed: Vec<(usize, f64)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, (verdict, terms))| Some((index, objective(verdict, terms)?)))
        .collect();
    passed.sort_by(|(_, left), (_, right)| right.total_cmp(left));
    passed.into_iter().map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(decided: Decided, change: f64) -> (Verdict, Vec<Term>) {
        let verdict = Verdict { decided, line: String::new(), arithmetic: Vec::new() };
        (verdict, vec![Term { weight: TASKS_WEIGHT, change, margin: 0.05 }])
    }

    #[test]
    fn a_gain_never_buys_back_a_gate() {
        let candidates = [
            candidate(Decided::Accept, 0.01),
            candidate(Decided::Reject, 0.9),
            candidate(Decided::Hold, 0.9),
            candidate(Decided::Accept, 0.02),
            candidate(Decided::Accept, f64::NAN),
        ];
        assert_eq!(ranked(&candidates), [3, 0]);
        let (verdict, terms) = &candidates[0];
        assert!((objective(verdict, terms).unwrap() - 0.7 * 0.2).abs() < 1e-12);
    }
}
