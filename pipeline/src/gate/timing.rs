//! The port's speed, before and after, to a verdict. It is a guardrail: only proof of harm refuses, since
//! an upstream may trade speed for correctness and take the port with it.

use port::timing::{BenchTiming, TimingOutcome, TimingReport};
use reports::Verdict;
use reports::record::{GateRecord, TimingRow};

use super::record;

/// The verdict over a timing.
pub fn timing(report: &TimingReport) -> GateRecord {
    let rows: Vec<TimingRow> = report.benches.iter().map(|bench| row(bench, report.pairs)).collect();
    let harmed: Vec<&str> = report
        .benches
        .iter()
        .filter(|bench| bench.outcome == TimingOutcome::Harmed)
        .map(|bench| bench.name.as_str())
        .collect();
    let overall = &report.overall;
    let ratio = format!(
        "time after / before {:.2} ({:.2} to {:.2}) over {} pairs",
        overall.ratio, overall.ratio_low, overall.ratio_high, report.pairs
    );
    let margin = report.margin * 100.0;
    let (verdict, reason) = if harmed.is_empty() {
        (Verdict::Pass, format!("{ratio}; nothing is proved to be slower by {margin:.0} % or more"))
    } else {
        (Verdict::Fail, format!("{ratio}; slower by {margin:.0} % or more: {}", harmed.join(", ")))
    };
    GateRecord { timings: rows, ..record("timing", verdict, reason) }
}

fn row(bench: &BenchTiming, pairs: usize) -> TimingRow {
    TimingRow {
        name: bench.name.clone(),
        ratio: bench.ratio,
        ratio_low: bench.ratio_low,
        ratio_high: bench.ratio_high,
        pairs: u32::try_from(pairs).unwrap_or(u32::MAX),
        verdict: match bench.outcome {
            TimingOutcome::Improved | TimingOutcome::Unchanged => Verdict::Pass,
            TimingOutcome::Harmed => Verdict::Fail,
            TimingOutcome::CannotTell => Verdict::Inconclusive,
        },
    }
}
