//! Benchmarks as the page shows them: both sides with intervals, the path of the test, the history.

use minijinja::Value;
use serde::Serialize;

use crate::bench_record::{BenchChange, BenchRecord};
use crate::chart;
use crate::visible;
use crate::words::thousands;

use super::bounds::{Bounded, ROWS_MAX, UNIT_ROWS_MAX, bounded};

#[derive(Debug, Serialize)]
pub(crate) struct BenchView {
    name: String,
    mode: String,
    role: String,
    reference: String,
    line: String,
    rows: Bounded<BenchRow>,
    charts: Vec<Value>,
}

/// A score or a change, always with its interval.
#[derive(Debug, Serialize)]
pub(crate) struct BenchRow {
    name: String,
    value: String,
    interval: String,
    behind: String,
}

pub(crate) fn benches(list: &[BenchRecord]) -> Bounded<BenchView> {
    bounded(list, UNIT_ROWS_MAX, |bench| BenchView {
        name: visible::line(&bench.name),
        mode: visible::line(&bench.mode),
        role: visible::line(&bench.role),
        reference: visible::line(&bench.reference),
        line: visible::line(&bench.line),
        rows: rows(bench),
        charts: charts(bench).into_iter().map(Value::from_safe_string).collect(),
    })
}

fn rows(bench: &BenchRecord) -> Bounded<BenchRow> {
    let scores = bench.scores.iter().map(|score| BenchRow {
        name: visible::line(&score.side),
        value: format!("{:.1} %", score.score),
        interval: format!("{:.1} – {:.1}", score.low, score.high),
        behind: format!("{} runs", thousands(score.runs.into())),
    });
    let changes = bench.changes.iter().map(|change| BenchRow {
        name: format!("{}, candidate against reference", visible::line(&change.name)),
        value: if is_ratio(change) {
            format!("× {:.3}", change.change)
        } else {
            format!("{:+.1} points", change.change)
        },
        interval: if is_ratio(change) {
            format!("{:.3} – {:.3}", change.low, change.high)
        } else {
            format!("{:+.1} – {:+.1}", change.low, change.high)
        },
        behind: format!("{} pairs", thousands(change.pairs.into())),
    });
    let all: Vec<BenchRow> = scores.chain(changes).collect();
    let more = all.len().saturating_sub(ROWS_MAX);
    Bounded { rows: all.into_iter().take(ROWS_MAX).collect(), more }
}

fn is_ratio(change: &BenchChange) -> bool {
    change.measure == "ratio"
}

/// The scores of a suite in all its modes, side by side.
#[derive(Debug, Serialize)]
pub(crate) struct TogetherView {
    name: String,
    rows: Vec<BenchRow>,
    chart: Value,
}

/// Suites that were run in more than one mode: the reference and the candidate in each.
pub(crate) fn together(list: &[BenchRecord]) -> Vec<TogetherView> {
    let mut names: Vec<&str> = list.iter().map(|bench| bench.name.as_str()).collect();
    names.dedup();
    let several =
        |name: &&str| list.iter().filter(|bench| bench.name == *name && !bench.scores.is_empty()).count() > 1;
    let view = |name: &str| {
        let of_it = || list.iter().filter(|bench| bench.name == name);
        let scores: Vec<chart::Interval> = of_it()
            .flat_map(|bench| {
                let side = |at: usize, side: &str| match at {
                    0 => format!("{side}, {}", bench.mode),
                    _ => format!("port, {}", bench.mode),
                };
                let scores = bench.scores.iter().enumerate();
                scores.map(move |(at, score)| {
                    interval(&side(at, &score.side), score.score, score.low, score.high)
                })
            })
            .collect();
        let runs = of_it().flat_map(|bench| bench.scores.iter().map(|score| score.runs));
        let title = format!("{}: every side and mode, score in percent", visible::line(name));
        TogetherView {
            name: visible::line(name),
            rows: scores
                .iter()
                .zip(runs)
                .map(|(score, runs)| BenchRow {
                    name: score.label.clone(),
                    value: format!("{:.1} %", score.middle),
                    interval: format!("{:.1} – {:.1}", score.low, score.high),
                    behind: format!("{} runs", thousands(runs.into())),
                })
                .collect(),
            chart: Value::from_safe_string(chart::intervals(&title, &scores, None)),
        }
    };
    names.into_iter().filter(several).take(UNIT_ROWS_MAX).map(view).collect()
}

/// Nothing is drawn of what was not measured.
fn charts(bench: &BenchRecord) -> Vec<String> {
    let name = format!("{} ({})", visible::line(&bench.name), visible::line(&bench.mode));
    let mut drawn = Vec::new();
    if !bench.path.is_empty() {
        let points: Vec<(f64, f64)> =
            bench.path.iter().map(|point| (f64::from(point.pairs), point.log_likelihood_ratio)).collect();
        let title = format!("{name}: the evidence after each look");
        drawn.push(chart::sequential_path(&title, &points, bench.accept_at, bench.reject_at));
    }
    let same = if bench.changes.first().is_some_and(is_ratio) { 1.0 } else { 0.0 };
    if !bench.scores.is_empty() {
        let scores: Vec<chart::Interval> = bench
            .scores
            .iter()
            .map(|score| interval(&score.side, score.score, score.low, score.high))
            .collect();
        drawn.push(chart::intervals(&format!("{name}: score of each side in percent"), &scores, None));
    }
    if !bench.changes.is_empty() {
        let changes: Vec<chart::Interval> = bench
            .changes
            .iter()
            .map(|change| interval(&change.name, change.change, change.low, change.high))
            .collect();
        let measure = if same > 0.0 { "ratio" } else { "points" };
        let title = format!("{name}: candidate against reference, {measure}");
        drawn.push(chart::intervals(&title, &changes, Some(same)));
    }
    if !bench.pairs.is_empty() {
        let pairs: Vec<chart::Pair> = bench
            .pairs
            .iter()
            .map(|pair| chart::Pair {
                label: visible::line(&pair.name),
                reference: pair.reference,
                candidate: pair.candidate,
            })
            .collect();
        drawn.push(chart::pairs(&format!("{name}: each task or bench on both sides"), &pairs));
    }
    if !bench.history.is_empty() {
        let past: Vec<chart::Interval> = bench
            .history
            .iter()
            .map(|past| interval(&past.label, past.change, past.low, past.high))
            .collect();
        drawn.push(chart::history(&format!("{name}: each comparison so far"), &past, Some(same)));
    }
    drawn
}

fn interval(label: &str, middle: f64, low: f64, high: f64) -> chart::Interval {
    chart::Interval { label: visible::line(label), middle, low, high }
}
