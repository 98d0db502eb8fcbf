//! The terms of the objective, from what a decision measured. It ranks what passed and gates nothing.

use std::fmt;

use port::bench::decide::objective::Term;
use port::bench::run::Kind;
use serde::Serialize;

use super::{Decision, mode_name};
use crate::config::bench::{BenchMeasure, BenchSettings, ObjectiveSettings};

/// One term, named.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TermOf {
    /// The benchmark and its mode.
    pub(crate) bench: String,
    /// Its weight, shared by all that measure the same.
    pub(crate) weight: f64,
    /// The change, better above zero: a share of the points, or `-ln(ratio)`.
    pub(crate) change: f64,
    /// The loss that may not pass, in the same measure.
    pub(crate) margin: f64,
}

impl TermOf {
    /// Without its name.
    pub(crate) fn term(&self) -> Term {
        Term { weight: self.weight, change: self.change, margin: self.margin }
    }
}

impl fmt::Display for TermOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bench, weight, change, margin } = self;
        write!(f, "{weight} * {change:.4} / {} of {bench}", (margin * 1e4).round() / 1e4)
    }
}

/// The terms of a decision. What measured nothing adds nothing.
pub(crate) fn terms(
    decision: &Decision,
    benches: &[&BenchSettings],
    weights: &ObjectiveSettings,
) -> Vec<TermOf> {
    let mut found: Vec<(BenchMeasure, TermOf)> = Vec::new();
    for (mode, _role, compared) in &decision.compared {
        let comparison = &compared.comparison;
        let Some(bench) = benches.iter().find(|bench| bench.name == comparison.header.bench) else {
            continue;
        };
        if comparison.tally.pairs() == 0 {
            continue;
        }
        let loss = compared.margin.loss;
        let (change, margin) = match &comparison.tally.kind {
            Kind::Tasks(_) => (comparison.tally.task_pairs.mean(), loss),
            Kind::Values(rule) => {
                let report = comparison.tally.timing_pairs.report(&rule.judgement);
                (-report.overall.ratio.ln(), loss.ln_1p())
            }
        };
        let bench_name = format!("{} ({})", bench.name, mode_name(*mode));
        found.push((
            bench.measures,
            TermOf { bench: bench_name, weight: weights.of(bench.measures), change, margin },
        ));
    }
    let alike = |measure: BenchMeasure| found.iter().filter(|(other, _)| *other == measure).count();
    let shared = |(measure, term): &(BenchMeasure, TermOf)| {
        let count = f64::from(u32::try_from(alike(*measure)).unwrap_or(u32::MAX));
        TermOf { weight: term.weight / count, ..term.clone() }
    };
    found.iter().map(shared).collect()
}
