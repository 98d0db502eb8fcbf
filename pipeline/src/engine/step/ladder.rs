//! When asking again no longer pays: an answer that is refused and is no better than the one before.
//!
//! Published loops spend three times the tokens of a success on the attempts behind the second one, and a fresh
//! start helps more often than a longer talk. So a translator that is stuck is asked once more without what was
//! said before, and then the next one is.

use super::super::event::Standing;

/// Whether an answer got no further than those before it in the same talk.
pub(super) fn is_stuck(earlier: &[Standing], now: &Standing) -> bool {
    if earlier.iter().any(|before| before.answer == now.answer) {
        return true;
    }
    let Some(last) = earlier.last() else { return false };
    let no_fewer = now.failing > 0 && now.failing >= last.failing;
    now.stage < last.stage || (now.stage == last.stage && no_fewer)
}

#[cfg(test)]
mod tests {
    use upstream::ContentHash;

    use super::super::super::event::Stage;
    use super::*;

    fn standing(answer: &str, stage: Stage, failing: u64) -> Standing {
        Standing { answer: ContentHash::of(answer), stage, failing }
    }

    #[test]
    fn the_same_answer_an_earlier_stage_and_no_fewer_failures_are_no_progress() {
        let first = [standing("a", Stage::Check, 9)];
        assert!(is_stuck(&first, &standing("a", Stage::Check, 1)));
        assert!(is_stuck(&first, &standing("b", Stage::Edit, 0)));
        assert!(is_stuck(&first, &standing("b", Stage::Check, 9)));
        assert!(is_stuck(&first, &standing("b", Stage::Check, 12)));
        assert!(is_stuck(&[standing("a", Stage::Grammar, 1)], &standing("b", Stage::Grammar, 1)));
    }

    #[test]
    fn a_later_stage_fewer_failures_and_what_cannot_be_counted_may_go_on() {
        let first = [standing("a", Stage::Edit, 0)];
        assert!(!is_stuck(&[], &standing("a", Stage::Check, 9)));
        assert!(!is_stuck(&first, &standing("b", Stage::Check, 40)));
        assert!(!is_stuck(&first, &standing("b", Stage::Edit, 0)));
        assert!(!is_stuck(&[standing("a", Stage::Check, 9)], &standing("b", Stage::Check, 8)));
    }
}
