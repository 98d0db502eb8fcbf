//! What was compared, as the run's record keeps it: enough to draw it and to reckon it again.

use anyhow::Result;
use port::bench::run::{Kind, SideBySide, Tally, TaskSums};
use reports::record::{BenchChange, BenchPair, BenchPast, BenchPoint, BenchRecord, BenchScore};

use super::deciding::words_of;
use super::{Benching, Compared, HistoryRow, Question, mode_name};
use crate::config::bench::{BenchMode, BenchRole};
use crate::gate::BenchEvidence;

/// Earlier comparisons that a record keeps.
const PAST_MAX: usize = 60;

/// Tasks or benches of which a record keeps both sides.
const PAIRS_MAX: usize = 1000;

impl Benching<'_> {
    /// What was measured, for the record of the gate.
    pub(super) fn evidence(
        &self,
        question: &Question<'_>,
        compared: &[(BenchMode, BenchRole, Compared)],
    ) -> Result<BenchEvidence> {
        let mut evidence = BenchEvidence::default();
        let past = self.records.history()?;
        for (mode, role, Compared { comparison, .. }) in compared {
            if comparison.tally.pairs() == 0 {
                continue;
            }
            evidence.harms.extend(comparison.harms());
            let (tally, rates) = (&comparison.tally, comparison.tally.kind.rates());
            let reference = words_of(question, &comparison.header.reference);
            let point = |point: &port::bench::run::PathPoint| BenchPoint {
                pairs: short(point.pairs),
                log_likelihood_ratio: point.log_likelihood_ratio,
            };
            let of_it = |row: &&HistoryRow| row.bench == comparison.header.bench && row.mode == *mode;
            let mut history: Vec<BenchPast> = past.iter().filter(of_it).filter_map(before).collect();
            history.drain(..history.len().saturating_sub(PAST_MAX));
            evidence.benches.push(BenchRecord {
                name: comparison.header.bench.clone(),
                mode: mode_name(*mode).to_owned(),
                role: role_name(*role).to_owned(),
                line: comparison.endpoint().line,
                accept_at: rates.accept_at(),
                reject_at: rates.reject_at(),
                path: tally.path.iter().map(point).collect(),
                changes: comparison.side_by_side().into_iter().map(change).collect(),
                scores: scores(tally, &reference, *mode),
                pairs: tally.by_task.iter().take(PAIRS_MAX).map(pair).collect(),
                history,
                reference,
            });
        }
        Ok(evidence)
    }
}

fn role_name(role: BenchRole) -> &'static str {
    match role {
        BenchRole::Endpoint => "endpoint",
        BenchRole::Guardrail => "guardrail",
        BenchRole::Audit => "audit",
    }
}

fn change(side: SideBySide) -> BenchChange {
    let SideBySide { name, measure, change, low, high, pairs } = side;
    BenchChange { name, measure, change, low, high, pairs: short(pairs) }
}

fn pair((name, sums): (&String, &TaskSums)) -> BenchPair {
    let pairs = number(sums.pairs.max(1));
    BenchPair { name: name.clone(), reference: sums.reference / pairs, candidate: sums.candidate / pairs }
}

fn before(row: &HistoryRow) -> Option<BenchPast> {
    let side = row.sides.first()?;
    Some(BenchPast {
        at_ms: row.at_ms,
        label: format!("{}: {} against {}", row.decided, row.candidate, row.reference),
        measure: side.measure.clone(),
        change: side.change,
        low: side.low,
        high: side.high,
    })
}

/// The score of each side by itself. A score from 0 to 1 with mean p varies by at most p (1 - p), so the
/// intervals are never too narrow for chance; they do not pair the tasks, as the change does.
fn scores(tally: &Tally, reference: &str, mode: BenchMode) -> Vec<BenchScore> {
    let Kind::Tasks(_) = tally.kind else { return Vec::new() };
    let runs = tally.task_pairs.pairs.max(1);
    let score = |side: String, of: fn(&TaskSums) -> f64| {
        let mean = tally.by_task.values().map(of).sum::<f64>() / number(runs);
        // With two imagined runs of each outcome, so that what never failed has an interval too.
        let eased = (mean * number(runs) + 2.0) / (number(runs) + 4.0);
        let half = 1.96 * (eased * (1.0 - eased) / (number(runs) + 4.0)).sqrt();
        BenchScore {
            side,
            score: 100.0 * mean,
            low: 100.0 * (eased - half).clamp(0.0, mean),
            high: 100.0 * (eased + half).clamp(mean, 1.0),
            runs: short(runs),
        }
    };
    vec![
        score(reference.to_owned(), |sums| sums.reference),
        score(format!("candidate in {} mode", mode_name(mode)), |sums| sums.candidate),
    ]
}

fn number(of: usize) -> f64 {
    f64::from(short(of))
}

fn short(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use port::bench::decide::TaskRule;

    #[test]
    fn a_side_that_never_failed_still_has_an_interval() {
        let mut tally = Tally::new(Kind::Tasks(TaskRule::default()), "h");
        tally.task_pairs.pairs = 40;
        tally.by_task.insert("t".to_owned(), TaskSums { reference: 40.0, candidate: 20.0, pairs: 40 });
        let [reference, candidate] = &scores(&tally, "upstream 1", BenchMode::Parity)[..] else {
            panic!("two sides");
        };
        assert!(reference.score > 99.9 && reference.low < 95.0 && reference.high > 99.9, "{reference:?}");
        assert!(candidate.low < 40.0 && candidate.high > 60.0, "{candidate:?}");
    }
}
