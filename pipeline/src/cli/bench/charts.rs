//! Charts of comparisons, as pages of their own.

use port::bench::run::SideBySide;
use reports::chart;

use crate::driver::benching::{Compared, Decision, HistoryRow, mode_name};

/// A page with the path of each test and the ratios or differences of both sides.
pub(super) fn charts_of(decision: &Decision) -> String {
    let mut charts = Vec::new();
    for (mode, _role, compared) in &decision.compared {
        let Compared { comparison, .. } = compared;
        let name = format!("{} ({})", comparison.header.bench, mode_name(*mode));
        let rates = comparison.tally.kind.rates();
        let points =
            comparison.tally.path.iter().map(|point| (number(point.pairs), point.log_likelihood_ratio));
        charts.push(chart::sequential_path(
            &format!("{name}: the evidence after each look"),
            &points.collect::<Vec<_>>(),
            rates.accept_at(),
            rates.reject_at(),
        ));
        charts.push(chart::intervals(
            &format!("{name}: both sides"),
            &intervals(&sides(compared)),
            same(&sides(compared)),
        ));
        let pairs: Vec<chart::Pair> = comparison
            .tally
            .by_task
            .iter()
            .map(|(label, sums)| chart::Pair {
                label: label.clone(),
                reference: sums.reference / number(sums.pairs.max(1)),
                candidate: sums.candidate / number(sums.pairs.max(1)),
            })
            .collect();
        charts.push(chart::pairs(&format!("{name}: each task or bench on both sides"), &pairs));
    }
    chart::page(&decision.verdict.line, &charts)
}

fn intervals(sides: &[SideBySide]) -> Vec<chart::Interval> {
    let one = |side: &SideBySide| chart::Interval {
        label: side.name.clone(),
        middle: side.change,
        low: side.low,
        high: side.high,
    };
    sides.iter().map(one).collect()
}

/// Both sides, where anything was measured.
pub(super) fn sides(compared: &Compared) -> Vec<SideBySide> {
    let measured = compared.comparison.tally.pairs() > 0;
    if measured { compared.comparison.side_by_side() } else { Vec::new() }
}

/// The value that means no change.
fn same(sides: &[SideBySide]) -> Option<f64> {
    sides.first().map(|side| if side.measure == "ratio" { 1.0 } else { 0.0 })
}

pub(super) fn history_chart(rows: &[&HistoryRow]) -> String {
    let mut names: Vec<(&str, &str)> =
        rows.iter().map(|row| (row.bench.as_str(), mode_name(row.mode))).collect();
    names.sort_unstable();
    names.dedup();
    let chart = |(bench, mode): (&str, &str)| {
        let of_it = rows.iter().filter(|row| row.bench == bench && mode_name(row.mode) == mode);
        let same_of = of_it.clone().next().and_then(|row| same(&row.sides));
        let points: Vec<chart::Interval> = of_it
            .filter_map(|row| {
                let side = row.sides.first()?;
                Some(chart::Interval {
                    label: row.candidate.clone(),
                    middle: side.change,
                    low: side.low,
                    high: side.high,
                })
            })
            .collect();
        chart::history(&format!("{bench} ({mode}), each comparison with its interval"), &points, same_of)
    };
    let charts: Vec<String> = names.into_iter().map(chart).collect();
    chart::page("Benchmarks", &charts)
}

fn number(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}
