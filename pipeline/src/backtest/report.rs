//! What a backtest found, counted by chain and chain against chain.

use port::bench::decide::{Evidence, TaskPairs, TaskRule};
use schemars::JsonSchema;
use serde::Serialize;

use super::case::Case;
use super::outcome::{AnswerVerdict, CaseOutcome, CaseResult};
use crate::driver::seeding::Interval;

/// The version of this report's format.
const FORMAT: u32 = 1;

/// All of it, as it is printed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct BacktestReport {
    /// The version of this format: 1.
    pub format: u32,
    /// The version of Tidelock.
    pub tidelock: String,
    /// The port's name.
    pub port: String,
    /// The upstream, such as `registry:strsim`.
    pub source: String,
    /// What was replayed, oldest first.
    pub cases: Vec<Case>,
    /// By chain, in the order of the command line.
    pub chains: Vec<ChainRow>,
    /// Every two chains over the cases that both have finished.
    pub pairs: Vec<PairRow>,
    /// What is finished, by case, then chain.
    pub results: Vec<CaseResult>,
    /// Where gate and the repository's tests say the opposite, as `CASE with CHAIN`.
    pub disputed: Vec<String>,
    /// What could not be carried out; the next invocation tries it again.
    pub failures: Vec<Failure>,
    /// Cases with a chain that are not finished, failures among them.
    pub open: usize,
    /// The bound that stopped it, in words.
    pub stopped_by: Option<String>,
    /// What was passed over in the port's history.
    pub notes: Vec<String>,
}

/// A case that could not be carried out with a chain: that says nothing about the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Failure {
    /// The case.
    pub case: String,
    /// The chain.
    pub chain: String,
    /// Why.
    pub reason: String,
}

/// One chain.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ChainRow {
    /// Its name.
    pub name: String,
    /// Cases that are finished.
    pub cases: usize,
    /// Cases in which nothing had to be edited.
    pub no_edit: usize,
    /// Landed, and no candidate was refused on the way; of all finished cases.
    pub landed_first: Interval,
    /// Landed, also behind refused candidates or without an edit; of all finished cases.
    pub landed: Interval,
    /// Landed behind at least one refused candidate.
    pub repaired: usize,
    /// Something waits for a person, and nobody offered anything for it.
    pub parked: usize,
    /// What was offered was refused.
    pub refused: usize,
    /// The gate could not tell.
    pub inconclusive: usize,
    /// Of what landed and the repository's own tests could tell of, what they say is wrong.
    pub wrong: Interval,
    /// Answers that models gave.
    pub attempts: u64,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// United States dollars; `None` where no answer has a price.
    pub cost_usd: Option<f64>,
    /// Answers that took tokens and have no price.
    pub unpriced: u64,
    /// What the attempts took together, in milliseconds.
    pub attempts_ms: u64,
    /// From begin to end of each case, added up, in milliseconds.
    pub total_ms: u64,
}

/// Two chains over the cases that both have finished and the gate could tell of. A case is good where everything landed
/// and no test of the repository speaks against it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct PairRow {
    /// The chain that the other is held against.
    pub first: String,
    /// The other.
    pub second: String,
    /// Cases that are compared.
    pub pairs: usize,
    /// Cases left out because the gate could not tell with one of them.
    pub dropped: usize,
    /// Good with both.
    pub both: usize,
    /// Good with the first alone.
    pub only_first: usize,
    /// Good with the second alone.
    pub only_second: usize,
    /// Good with neither.
    pub neither: usize,
    /// The exact two-sided probability of so lopsided a split of the cases that differ, if both were as good (`McNemar`).
    /// For description: a large one proves nothing.
    pub mcnemar_p: f64,
    /// The mean difference, second less first, in points.
    pub difference_points: f64,
    /// Half of its 95 % interval, in points.
    pub half_width_points: f64,
    /// Whether the second may be worse by `margin_points`.
    pub decision: PairDecision,
    /// The loss that is to be ruled out, in points.
    pub margin_points: f64,
    /// Cases for which the second took fewer tokens.
    pub fewer_tokens: usize,
    /// Cases for which it took more.
    pub more_tokens: usize,
    /// The exact two-sided probability of that split, if both took as many (sign test).
    pub tokens_p: f64,
}

/// What the sequential test of task suites says of the second chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PairDecision {
    /// A loss by the margin is ruled out.
    NotWorse,
    /// That nothing was lost is ruled out.
    Worse,
    /// It takes more cases.
    Open,
}

/// What goes into a report beside the results.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) port: String,
    pub(crate) source: String,
    pub(crate) cases: Vec<Case>,
    pub(crate) chains: Vec<String>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) stopped_by: Option<String>,
    pub(crate) notes: Vec<String>,
}

/// Counts.
pub(crate) fn report(facts: Facts, mut results: Vec<CaseResult>) -> BacktestReport {
    let Facts { port, source, cases, chains, failures, stopped_by, notes } = facts;
    let case_at = |name: &str| cases.iter().position(|case| case.name == name);
    let chain_at = |name: &str| chains.iter().position(|chain| chain == name);
    results.sort_by_key(|result| (case_at(&result.case), chain_at(&result.chain)));
    let of = |chain: &str| results.iter().filter(|result| result.chain == chain).collect::<Vec<_>>();
    let rows = chains.iter().map(|chain| row(chain, &of(chain))).collect();
    let mut pairs = Vec::new();
    for (at, first) in chains.iter().enumerate() {
        pairs.extend(
            chains.iter().skip(at + 1).map(|second| pair((first, &of(first)), (second, &of(second)))),
        );
    }
    let disputed = results.iter().filter(|result| result.is_disputed());
    BacktestReport {
        format: FORMAT,
        tidelock: env!("CARGO_PKG_VERSION").to_owned(),
        port,
        source,
        chains: rows,
        pairs,
        disputed: disputed.map(|result| format!("{} with {}", result.case, result.chain)).collect(),
        failures,
        open: (cases.len() * chains.len()).saturating_sub(results.len()),
        results,
        cases,
        stopped_by,
        notes,
    }
}

fn row(name: &str, results: &[&CaseResult]) -> ChainRow {
    let count = |wanted: CaseOutcome| results.iter().filter(|result| result.outcome == wanted).count();
    let sum =
        |of: fn(&CaseResult) -> u64| results.iter().map(|result| of(result)).fold(0, u64::saturating_add);
    let landed = || results.iter().filter(|result| result.outcome.landed());
    let told = landed().filter(|result| !matches!(result.answer, AnswerVerdict::Untold { .. })).count();
    ChainRow {
        name: name.to_owned(),
        cases: results.len(),
        no_edit: count(CaseOutcome::NoEdit),
        landed_first: Interval::of(count(CaseOutcome::LandedFirst), results.len()),
        landed: Interval::of(landed().count(), results.len()),
        repaired: count(CaseOutcome::LandedRepaired),
        parked: count(CaseOutcome::Parked),
        refused: count(CaseOutcome::Refused),
        inconclusive: count(CaseOutcome::Inconclusive),
        wrong: Interval::of(landed().filter(|result| result.is_wrong()).count(), told),
        attempts: sum(|result| result.attempts),
        input_tokens: sum(|result| result.input_tokens),
        output_tokens: sum(|result| result.output_tokens),
        cost_usd: results.iter().filter_map(|result| result.cost_usd).reduce(|sum, cost| sum + cost),
        unpriced: sum(|result| result.unpriced),
        attempts_ms: sum(|result| result.attempts_ms),
        total_ms: sum(|result| result.total_ms),
    }
}

fn pair((first, of_first): (&str, &[&CaseResult]), (second, of_second): (&str, &[&CaseResult])) -> PairRow {
    let both_done = of_first.iter().filter_map(|one| {
        let other = of_second.iter().find(|other| other.case == one.case)?;
        Some((*one, *other))
    });
    let untold = |result: &CaseResult| result.outcome == CaseOutcome::Inconclusive;
    let (dropped, compared): (Vec<_>, Vec<_>) =
        both_done.partition(|(one, other)| untold(one) || untold(other));
    let (mut good, mut tokens) = (TaskPairs::default(), TaskPairs::default());
    let mut both = 0;
    let score = |is_good: bool| if is_good { 1.0 } else { 0.0 };
    for (one, other) in &compared {
        good.add(score(other.is_good()), score(one.is_good()));
        both += usize::from(one.is_good() && other.is_good());
        // As signs alone: what a case takes differs by orders of magnitude.
        tokens.add(score(other.tokens() < one.tokens()), score(other.tokens() > one.tokens()));
    }
    let rule = TaskRule::default();
    PairRow {
        first: first.to_owned(),
        second: second.to_owned(),
        pairs: good.pairs,
        dropped: dropped.len(),
        both,
        only_first: good.worse,
        only_second: good.better,
        neither: good.pairs - both - good.worse - good.better,
        mcnemar_p: good.lopsided_p_value(),
        difference_points: 100.0 * good.mean(),
        // Of nothing at all the widest that there can be.
        half_width_points: (100.0 * good.half_width()).min(100.0),
        decision: match good.evidence(&rule) {
            Evidence::NotWorse => PairDecision::NotWorse,
            Evidence::Worse => PairDecision::Worse,
            Evidence::Open => PairDecision::Open,
        },
        margin_points: 100.0 * rule.margin,
        fewer_tokens: tokens.better,
        more_tokens: tokens.worse,
        tokens_p: tokens.lopsided_p_value(),
    }
}

/// The schema of what `tidelock backtest --format json` prints.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(BacktestReport).as_value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(case: &str, chain: &str, outcome: CaseOutcome, tokens: u64) -> CaseResult {
        CaseResult {
            key: format!("{case} {chain}"),
            case: case.to_owned(),
            chain: chain.to_owned(),
            outcome,
            reason: String::new(),
            units_done: 1,
            units_parked: 0,
            units_waiting: 0,
            attempts: 1,
            refused: 0,
            input_tokens: tokens,
            output_tokens: 0,
            cost_usd: None,
            unpriced: 1,
            attempts_ms: 10,
            total_ms: 20,
            answer: AnswerVerdict::Right,
            tree: String::new(),
        }
    }

    fn case(name: &str) -> Case {
        Case {
            name: name.to_owned(),
            port: String::new(),
            before: String::new(),
            after: String::new(),
            after_commit: String::new(),
            answer: None,
        }
    }

    fn facts(cases: &[String]) -> Facts {
        Facts {
            cases: cases.iter().map(|name| case(name)).collect(),
            chains: vec!["a".to_owned(), "b".to_owned()],
            ..Facts::default()
        }
    }

    #[test]
    fn every_outcome_is_counted_once_and_wrong_is_of_what_landed_and_could_be_told() {
        use CaseOutcome::{Inconclusive, LandedFirst, LandedRepaired, NoEdit, Parked, Refused};
        let all = [NoEdit, LandedFirst, LandedRepaired, Parked, Refused, Inconclusive, LandedFirst];
        let cases: Vec<String> = (0..all.len()).map(|number| number.to_string()).collect();
        let mut results: Vec<CaseResult> =
            all.iter().zip(&cases).map(|(outcome, case)| result(case, "a", *outcome, 5)).collect();
        results[1].answer = AnswerVerdict::Wrong { tests: vec!["t".to_owned()] };
        results[2].answer = AnswerVerdict::Untold { reason: "x".to_owned() };
        // What is refused is not counted among what is wrong.
        results[4].answer = AnswerVerdict::Wrong { tests: vec!["t".to_owned()] };
        results[3].answer = AnswerVerdict::Right;
        let report = report(facts(&cases), results);
        let row = &report.chains[0];
        assert_eq!((row.cases, row.no_edit, row.landed_first.times, row.repaired), (7, 1, 2, 1));
        assert_eq!((row.parked, row.refused, row.inconclusive, row.landed.times), (1, 1, 1, 4));
        assert_eq!((row.wrong.times, row.wrong.of), (1, 3));
        assert_eq!((row.input_tokens, row.attempts, row.cost_usd), (35, 7, None));
        assert_eq!(report.chains[1].cases, 0);
        assert_eq!(report.open, 7, "the other chain has not begun");
        assert_eq!(report.disputed, ["1 with a", "3 with a", "5 with a"]);
    }

    #[test]
    fn chains_are_compared_case_by_case() {
        let cases: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        let outcome = |is_good: bool| if is_good { CaseOutcome::LandedFirst } else { CaseOutcome::Parked };
        let mut results = Vec::new();
        for (at, name) in cases.iter().enumerate() {
            // Good with both in 3, with the first alone in 6, with the second alone in 1, with neither in 1.
            results.push(result(name, "b", outcome(at < 3 || at == 9), 10));
            let of_first = if at == 11 { CaseOutcome::Inconclusive } else { outcome(at < 9) };
            results.push(result(name, "a", of_first, if at == 0 { 5 } else { 20 }));
        }
        let report = report(facts(&cases), results);
        let pair = &report.pairs[0];
        assert_eq!((pair.first.as_str(), pair.second.as_str()), ("a", "b"));
        assert_eq!((pair.pairs, pair.dropped), (11, 1));
        assert_eq!((pair.both, pair.only_first, pair.only_second, pair.neither), (3, 6, 1, 1));
        // Twice the probability of at most one head in seven tosses.
        assert!((pair.mcnemar_p - 2.0 * 8.0 / 128.0).abs() < 1e-12, "{}", pair.mcnemar_p);
        assert!((pair.difference_points + 500.0 / 11.0).abs() < 1e-9);
        assert_eq!(pair.decision, PairDecision::Open, "fewer than 24 pairs decide nothing");
        assert_eq!((pair.fewer_tokens, pair.more_tokens), (10, 1));
        assert_eq!(report.results[0].chain, "a", "in the order of the command line");
    }

    #[test]
    fn the_decision_is_that_of_the_sequential_test() {
        let cases: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        let with = |of_second: CaseOutcome| {
            let first = cases.iter().map(|name| result(name, "a", CaseOutcome::LandedFirst, 1));
            let second = cases.iter().map(|name| result(name, "b", of_second, 1));
            report(facts(&cases), first.chain(second).collect()).pairs.remove(0)
        };
        assert_eq!(with(CaseOutcome::Refused).decision, PairDecision::Worse);
        assert_eq!(
            with(CaseOutcome::LandedFirst).decision,
            PairDecision::Open,
            "40 equal cases rule out no 5 points"
        );
    }
}
