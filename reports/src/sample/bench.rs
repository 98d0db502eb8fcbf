//! A benchmark gate of the made-up crate: tasks in both modes, and times.

use crate::record::{
    BenchChange, BenchPair, BenchPast, BenchPoint, BenchRecord, BenchScore, GateRecord, Verdict,
};

use super::rows::gate;

/// The gate, with a suite of this name, in numbers that JSON gives back exactly.
pub(super) fn benchmarks(name: &str) -> GateRecord {
    let reason = format!(
        "ACCEPT: `{name}` +0.4 points (-2.1 to +2.9) over 312 pairs of runs; a loss of 5 points is ruled out"
    );
    GateRecord {
        benches: vec![
            tasks(name, "parity", [61.5, 61.875], 0.375),
            tasks(name, "extended", [61.5, 66.0], 4.5),
            times(name),
        ],
        arithmetic: vec![format!(
            "{name}: LLR = n * 0.05 * (2 * (mean D - 0) + 0.05) / (2 v) = 3.012; accepted from 2.944, rejected to -2.944"
        )],
        ..gate("benchmarks", Verdict::Pass, &reason)
    }
}

fn tasks(name: &str, mode: &str, [reference, candidate]: [f64; 2], change: f64) -> BenchRecord {
    let score =
        |side: String, score: f64| BenchScore { side, score, low: score - 5.5, high: score + 5.5, runs: 312 };
    let path = (3..40).map(|look| BenchPoint {
        pairs: 8 * look,
        log_likelihood_ratio: f64::from(look) * 0.078_125 + f64::from(look * 7 % 5) * 0.125 - 0.25,
    });
    let pairs = (0..40_u32).map(|task| BenchPair {
        name: format!("{name} {task}"),
        reference: f64::from(task % 5) / 4.0,
        candidate: f64::from((task * 3 + 1) % 9) / 8.0,
    });
    let history = (0..12).map(|at| BenchPast {
        at_ms: 1_790_000_000_000 + 86_400_000 * i64::from(at),
        label: format!("ACCEPT: port {at:08x} against upstream 0.3.1"),
        measure: "points of score".to_owned(),
        change: f64::from(at * 5 % 7) - 3.0,
        low: f64::from(at * 5 % 7) - 6.0,
        high: f64::from(at * 5 % 7),
    });
    BenchRecord {
        name: name.to_owned(),
        mode: mode.to_owned(),
        role: "endpoint".to_owned(),
        reference: "upstream 0.4.0".to_owned(),
        line: format!("`{name}` {change:+.1} points over 312 pairs of runs; a loss of 5 points is ruled out"),
        accept_at: 2.944,
        reject_at: -2.944,
        path: path.collect(),
        changes: vec![BenchChange {
            name: name.to_owned(),
            measure: "points of score".to_owned(),
            change,
            low: change - 2.5,
            high: change + 2.5,
            pairs: 312,
        }],
        scores: vec![
            score("upstream 0.4.0".to_owned(), reference),
            score(format!("candidate in {mode} mode"), candidate),
        ],
        pairs: pairs.collect(),
        history: history.collect(),
    }
}

fn times(name: &str) -> BenchRecord {
    let change = |bench: &str, change: f64| BenchChange {
        name: format!("{name} {bench}"),
        measure: "ratio".to_owned(),
        change,
        low: change - 0.03125,
        high: change + 0.046_875,
        pairs: 22,
    };
    BenchRecord {
        name: format!("{name} times"),
        mode: "parity".to_owned(),
        role: "guardrail".to_owned(),
        reference: "port 4be1c0a7".to_owned(),
        line: "costs 0.980 of before (0.950 to 1.020) over 22 pairs; a loss of 3.0 % is ruled out".to_owned(),
        accept_at: 2.944,
        reject_at: -2.944,
        path: vec![
            BenchPoint { pairs: 6, log_likelihood_ratio: 0.8 },
            BenchPoint { pairs: 22, log_likelihood_ratio: 3.1 },
        ],
        changes: vec![change("mean", 0.984_375), change("short", 0.96875), change("long", 1.015_625)],
        ..BenchRecord::default()
    }
}
