//! Decisions about benchmarks to the gate's record.

use port::bench::decide::{Decided, Verdict as Decision};
use port::bench::run::SideBySide;
use port::timing::{TimingOutcome, TimingReport};
use reports::Verdict;
use reports::record::{BenchRecord, GateRecord, TimingRow};

use super::record;

/// What a decision is called in the gate.
pub fn verdict_of(decided: Decided) -> Verdict {
    match decided {
        Decided::Accept => Verdict::Pass,
        Decided::Reject => Verdict::Fail,
        Decided::Hold => Verdict::Inconclusive,
    }
}

/// What was measured of the benchmarks, for the record.
#[derive(Debug, Clone, Default)]
pub struct BenchEvidence {
    /// Single benches against their margin.
    pub harms: Vec<TimingReport>,
    /// What each benchmark found, in each mode.
    pub benches: Vec<BenchRecord>,
}

/// The record of the gate `benchmarks`.
pub fn benchmarks(decision: &Decision, evidence: &BenchEvidence) -> GateRecord {
    GateRecord {
        benches: evidence.benches.clone(),
        arithmetic: decision.arithmetic.clone(),
        timings: evidence.harms.iter().flat_map(rows).collect(),
        ..record("benchmarks", verdict_of(decision.decided), decision.line.clone())
    }
}

/// Both sides in one line, always with the interval.
pub fn words(side: &SideBySide) -> String {
    let SideBySide { name, measure, change, low, high, pairs } = side;
    if measure == "ratio" {
        format!("{name}: {change:.3} of before ({low:.3} to {high:.3}), {pairs} pairs")
    } else {
        format!("{name}: {change:+.1} {measure} ({low:+.1} to {high:+.1}), {pairs} pairs")
    }
}

fn rows(report: &TimingReport) -> Vec<TimingRow> {
    let row = |bench: &port::timing::BenchTiming| TimingRow {
        name: bench.name.clone(),
        ratio: bench.ratio,
        ratio_low: bench.ratio_low,
        ratio_high: bench.ratio_high,
        pairs: u32::try_from(report.pairs).unwrap_or(u32::MAX),
        verdict: match bench.outcome {
            TimingOutcome::Improved | TimingOutcome::Unchanged => Verdict::Pass,
            TimingOutcome::Harmed => Verdict::Fail,
            TimingOutcome::CannotTell => Verdict::Inconclusive,
        },
    };
    report.benches.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_inconclusive_and_every_number_has_its_interval() {
        let decision = Decision {
            decided: Decided::Hold,
            line: "HOLD: cannot tell".to_owned(),
            arithmetic: vec!["LLR = 1".to_owned()],
        };
        let side = SideBySide {
            name: "suite".to_owned(),
            measure: "points of score".to_owned(),
            change: -1.25,
            low: -4.0,
            high: 1.5,
            pairs: 240,
        };
        let bench = BenchRecord { name: "suite".to_owned(), ..BenchRecord::default() };
        let evidence = BenchEvidence { harms: Vec::new(), benches: vec![bench.clone()] };
        let record = benchmarks(&decision, &evidence);
        assert_eq!((record.verdict, record.reason.as_str()), (Verdict::Inconclusive, "HOLD: cannot tell"));
        assert_eq!((record.benches, record.arithmetic), (vec![bench], decision.arithmetic));
        assert_eq!(words(&side), "suite: -1.2 points of score (-4.0 to +1.5), 240 pairs");
    }
}
