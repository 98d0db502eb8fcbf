//! Several candidates for a risky unit: asked for together, each checked, and the best one taken.
//!
//! Which is best is the checks' word alone: one that passes before one that does not, of those that pass the one with
//! the smallest change, and of the others the one that came furthest, so that its author is told the most.

use std::cmp::Reverse;

use anyhow::Result;
use port::translate::risk::risks;
use port::translate::{Route, Translator, Usage};
use reports::record::Finding;

use super::Driver;
use super::asking::TurnKey;
use super::attempt::Made;
use super::context::Attempt;
use crate::engine::AttemptResult;

impl Driver<'_> {
    /// How many candidates are asked for: more than one only of a model, at its first attempt at a risky unit.
    pub(super) fn candidates(&self, given: &Attempt<'_>, translator: &dyn Translator) -> u32 {
        let best_of = self.session.settings.best_of;
        let may_be_several = translator.route() == Route::Model && translator.may_be_asked_ahead();
        if best_of.candidates < 2 || !may_be_several || given.number > 1 {
            return 1;
        }
        let parked = &given.current.lock.parked;
        let was_parked = given.unit.members.iter().any(|member| parked.contains_key(member.change.path()));
        best_of.candidates_for(&risks(given.unit, was_parked))
    }

    /// Asks for all candidates and takes the best.
    pub(super) fn best_of(
        &mut self,
        given: &Attempt<'_>,
        turn: &TurnKey,
        translator: &dyn Translator,
    ) -> Result<Made> {
        let wanted = self.candidates(given, translator);
        let (mut all, mut usage) = (Vec::new(), Usage::default());
        for candidate in 0..wanted {
            let turn = turn.of_candidate(candidate);
            let given = Attempt { candidate, ..given.clone() };
            let made = self.translate(&given, &turn, translator, &usage);
            self.asking.forget(&turn);
            let made = made?;
            usage = usage.plus(&made.usage);
            // Who cannot be asked, or has nothing to say, will not have another thing to say.
            let is_over = match made.result {
                AttemptResult::Unavailable { .. }
                | AttemptResult::Waiting { .. }
                | AttemptResult::Declined => true,
                AttemptResult::Accepted { .. } | AttemptResult::Refused { .. } => false,
            };
            all.push(made);
            if is_over && !(candidate..wanted).any(|next| self.asking.knows(&turn.of_candidate(next))) {
                break;
            }
        }
        let (asked, passed) = (all.len(), all.iter().filter(|made| passes(made)).count());
        let best = all.into_iter().enumerate().min_by_key(|(at, made)| (rank(made), *at));
        let Some((at, best)) = best else { return Ok(Made::declined("no candidate was asked for")) };
        let mut made = Made { usage, ..best };
        if wanted > 1 {
            let text = format!("{passed} of {asked} candidates passed; number {} is used", at + 1);
            made.findings.push(Finding { code: "best-of".to_owned(), text });
        }
        Ok(made)
    }
}

fn passes(made: &Made) -> bool {
    matches!(made.result, AttemptResult::Accepted { .. })
}

/// The lowest is the best.
fn rank(made: &Made) -> (u8, usize, Reverse<Option<crate::engine::Stage>>, u64) {
    match &made.result {
        AttemptResult::Accepted { .. } => (0, made.diff.len(), Reverse(None), 0),
        AttemptResult::Refused { standing, .. } => (
            1,
            0,
            Reverse(standing.map(|standing| standing.stage)),
            standing.map_or(0, |standing| standing.failing),
        ),
        AttemptResult::Unavailable { .. } => (2, 0, Reverse(None), 0),
        AttemptResult::Waiting { .. } | AttemptResult::Declined => (3, 0, Reverse(None), 0),
    }
}

#[cfg(test)]
mod tests {
    use upstream::{ContentHash, TreeId};

    use super::*;
    use crate::engine::{Stage, Standing};

    fn passed(diff: &str) -> Made {
        let tree = TreeId::new("1".repeat(40)).unwrap();
        let result = AttemptResult::Accepted { tree, answer: None, proofs: Vec::new(), lesson: None };
        Made { result, diff: diff.to_owned(), ..Made::declined("") }
    }

    fn refused(stage: Stage, failing: u64) -> Made {
        let standing = Some(Standing { answer: ContentHash::of("a"), stage, failing });
        let result = AttemptResult::Refused { feedback: None, signature: ContentHash::of("s"), standing };
        Made { result, ..Made::declined("") }
    }

    #[test]
    fn the_smallest_change_that_passes_is_best_and_then_what_came_furthest() {
        let in_order = [
            passed("-a\n"),
            passed("-a\n+b\n"),
            refused(Stage::Check, 2),
            refused(Stage::Check, 9),
            refused(Stage::Syntax, 0),
            refused(Stage::Grammar, 1),
            Made::unavailable("down"),
            Made::declined("nothing"),
        ];
        let ranks: Vec<_> = in_order.iter().map(rank).collect();
        assert!(ranks.is_sorted_by(|one, other| one < other), "{ranks:?}");
    }
}
