//! Guardrails: many benches, of which any one is slow by chance now and then. Harm is what is proved for
//! all of them together.

use super::rates::count;

/// Which of several hypotheses are refuted so that the probability of refuting any true one stays below
/// `alpha` (Holm's step-down procedure).
pub fn holm(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    let value = |index: usize| p_values.get(index).copied().unwrap_or(1.0);
    order.sort_by(|&left, &right| value(left).total_cmp(&value(right)));
    let mut refuted = vec![false; p_values.len()];
    for (rank, &index) in order.iter().enumerate() {
        let left = count(p_values.len() - rank);
        // A value that is not a number refutes nothing.
        if value(index).is_nan() || value(index) > alpha / left {
            break;
        }
        if let Some(slot) = refuted.get_mut(index) {
            *slot = true;
        }
    }
    refuted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_steps_down() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
        assert_eq!(holm(&[0.01, f64::NAN], 0.05), [true, false]);
    }
}
