//! What a comparison found, in words and numbers.

use serde::{Deserialize, Serialize};

use super::compare::{Comparison, Stopped};
use super::tally::{Kind, Tally, ValueRule};
use crate::bench::decide::cache::{sentinel_p_value, sentinels_agree};
use crate::bench::decide::rates::count;
use crate::bench::decide::{
    EndpointFinding, Evidence, Findings, GuardrailFinding, Invalid, TaskRule, Verdict, decide, invalid,
};
use crate::timing::{Judgement, TimingOutcome, TimingReport};

/// Both sides of a benchmark with intervals, for reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SideBySide {
    /// The task suite, the bench, or the mean.
    pub name: String,
    /// What the number is: `points of score`, or `ratio`.
    pub measure: String,
    /// The change: candidate less reference, or candidate divided by reference.
    pub change: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The pairs behind it.
    pub pairs: usize,
}

impl Comparison {
    /// What must be proved.
    pub fn endpoint(&self) -> EndpointFinding {
        let name = self.header.bench.clone();
        let (line, arithmetic) = match &self.tally.kind {
            Kind::Tasks(rule) => tasks_in_words(&name, &self.tally, rule),
            Kind::Values(rule) => values_in_words(&name, &self.tally, rule),
        };
        EndpointFinding { name, evidence: self.tally.evidence, line, arithmetic }
    }

    /// Which single benches are harmed, as proved for all of them together. Task suites have none.
    pub fn guardrails(&self) -> GuardrailFinding {
        let Some(report) = self.harms() else { return GuardrailFinding::default() };
        let harmed = report.benches.iter().filter(|bench| bench.outcome == TimingOutcome::Harmed);
        GuardrailFinding {
            guarded: report.benches.len(),
            harmed: harmed.map(|bench| format!("`{}` of `{}`", bench.name, self.header.bench)).collect(),
            arithmetic: report
                .benches
                .iter()
                .map(|bench| {
                    format!(
                        "{}: ratio {:.4} ({:.4} to {:.4}), p = {:.4} for a loss beyond {:.1} %",
                        bench.name,
                        bench.ratio,
                        bench.ratio_low,
                        bench.ratio_high,
                        bench.harm_p_value,
                        report.margin * 100.0
                    )
                })
                .collect(),
        }
    }

    /// What keeps the sides from being compared.
    pub fn invalid(&self) -> Vec<Invalid> {
        let reason = match &self.stopped {
            Stopped::Infrastructure(reason) | Stopped::Impossible(reason) => Some(reason.clone()),
            Stopped::StoredDiffer => {
                Some("fresh runs of the reference differ from the stored ones".to_owned())
            }
            Stopped::Interrupted => Some("it was stopped, and can go on".to_owned()),
            Stopped::Decided | Stopped::Capped => None,
        };
        let found = invalid(&self.tally.reference, &self.tally.candidate);
        reason.map(Invalid::Contradiction).into_iter().chain(found).collect()
    }

    /// The decision where this is the only benchmark.
    pub fn verdict(&self) -> Verdict {
        decide(&Findings {
            invalid: self.invalid(),
            endpoints: vec![self.endpoint()],
            guardrails: self.guardrails(),
            tripped: None,
        })
    }

    /// Both sides with intervals: the whole first, then each bench.
    pub fn side_by_side(&self) -> Vec<SideBySide> {
        match &self.tally.kind {
            Kind::Tasks(_) => vec![describe_side(&self.header.bench, &self.tally)],
            Kind::Values(rule) => {
                let report = self.tally.timing_pairs.report(&rule.judgement);
                let row = |bench: &crate::timing::BenchTiming| SideBySide {
                    name: bench.name.clone(),
                    measure: "ratio".to_owned(),
                    change: bench.ratio,
                    low: bench.ratio_low,
                    high: bench.ratio_high,
                    pairs: report.pairs,
                };
                std::iter::once(&report.overall).chain(&report.benches).map(row).collect()
            }
        }
    }

    /// The timings against the margin of single benches, where there are timings.
    pub fn harms(&self) -> Option<TimingReport> {
        let Kind::Values(rule) = &self.tally.kind else { return None };
        let judgement = Judgement {
            rule: crate::timing::statistics::TimingRule { margin: rule.harm_margin, ..rule.judgement.rule },
            ..rule.judgement.clone()
        };
        (!self.tally.timing_pairs.is_empty()).then(|| self.tally.timing_pairs.report(&judgement))
    }
}

/// The difference of a task suite with its interval.
pub fn describe_side(name: &str, tally: &Tally) -> SideBySide {
    let (mean, half) = (tally.task_pairs.mean(), tally.task_pairs.half_width());
    SideBySide {
        name: name.to_owned(),
        measure: "points of score".to_owned(),
        change: 100.0 * mean,
        low: 100.0 * (mean - half).max(-1.0),
        high: 100.0 * (mean + half).min(1.0),
        pairs: tally.task_pairs.pairs,
    }
}

fn tasks_in_words(name: &str, tally: &Tally, rule: &TaskRule) -> (String, Vec<String>) {
    let side = describe_side(name, tally);
    let margin = rule.margin * 100.0;
    let says = match tally.evidence {
        Evidence::NotWorse => format!("a loss of {margin:.0} points is ruled out"),
        Evidence::Worse => format!("worse: that nothing was lost is ruled out (margin {margin:.0} points)"),
        Evidence::Open => format!("neither a loss of {margin:.0} points nor its absence is ruled out"),
    };
    let line = format!(
        "`{name}` {:+.1} points ({:+.1} to {:+.1}) over {} pairs of runs; {says}",
        side.change, side.low, side.high, side.pairs
    );
    let pairs = &tally.task_pairs;
    let scores = |of: fn(&super::tally::TaskSums) -> f64| {
        // Nothing sums to -0, which people would wonder about.
        (tally.by_task.values().map(of).sum::<f64>() + 0.0) / count(pairs.pairs.max(1))
    };
    let mut arithmetic = vec![
        format!(
            "{name}: reference {:.1} %, candidate {:.1} % of the points; {} pairs differ for the candidate, {} against it",
            100.0 * scores(|sums| sums.reference),
            100.0 * scores(|sums| sums.candidate),
            pairs.better,
            pairs.worse
        ),
        format!(
            "{name}: n = {}, sum D = {}, sum D^2 = {}, v = (sum D^2 + 2) / (n + 2) - (sum D / (n + 2))^2 = {:.5}",
            pairs.pairs,
            pairs.sum,
            pairs.squares,
            pairs.variance()
        ),
        format!(
            "{name}: LLR = n * {m} * (2 * (mean D - {c}) + {m}) / (2 v) = {:.3}; accepted from {:.3}, rejected to {:.3} (alpha {}, beta {})",
            pairs.log_likelihood_ratio(rule),
            rule.rates.accept_at(),
            rule.rates.reject_at(),
            rule.rates.alpha,
            rule.rates.beta,
            m = rule.margin,
            c = rule.centre,
        ),
        format!(
            "{name}: for description only: exact McNemar p = {:.4}; the interval that holds at any look is {:+.1} ± {:.1} points",
            pairs.lopsided_p_value(),
            side.change,
            100.0 * pairs.half_width_at_any_time()
        ),
    ];
    if tally.stored_pairs > 0 {
        arithmetic.push(stored_in_words(name, tally));
    }
    (line, arithmetic)
}

/// Which side was not run, how old its runs are, and what watched over them.
fn stored_in_words(name: &str, tally: &Tally) -> String {
    const HOUR_MS: f64 = 3_600_000.0;
    let sentinels = tally.all_sentinels();
    let age = f64::from(u32::try_from(tally.stored_age_ms / 1000).unwrap_or(u32::MAX)) * 1000.0 / HOUR_MS;
    format!(
        "{name}: the reference of {} of {} pairs is the mean of stored runs, at least {} for each task, the oldest {age:.1} hours old; their error adds {:.5} to v; {} fresh runs of the reference beside them differ by {:+.1} points (p = {:.3}): {}",
        tally.stored_pairs,
        tally.task_pairs.pairs,
        tally.stored_runs_min,
        tally.task_pairs.repeated / count(tally.task_pairs.pairs.max(1)),
        sentinels.pairs,
        100.0 * sentinels.mean(),
        sentinel_p_value(&sentinels),
        if sentinels_agree(&sentinels) { "they hold" } else { "they serve no longer" }
    )
}

fn values_in_words(name: &str, tally: &Tally, rule: &ValueRule) -> (String, Vec<String>) {
    let report = tally.timing_pairs.report(&rule.judgement);
    let margin = rule.judgement.rule.margin * 100.0;
    let says = match tally.evidence {
        Evidence::NotWorse => format!("a loss of {margin:.1} % is ruled out"),
        Evidence::Worse => format!("worse: that nothing was lost is ruled out (margin {margin:.1} %)"),
        Evidence::Open => format!("neither a loss of {margin:.1} % nor its absence is ruled out"),
    };
    let overall = &report.overall;
    let line = format!(
        "`{name}` costs {:.3} of before ({:.3} to {:.3}) over {} pairs; {says}",
        overall.ratio, overall.ratio_low, overall.ratio_high, report.pairs
    );
    let used = rule.judgement.overall_rule();
    let log_ratios = tally.timing_pairs.mean_log_ratios();
    let (mean, variance) = crate::timing::statistics::mean_and_variance(&log_ratios, used.variance_known);
    let arithmetic = vec![
        format!(
            "{name}: n = {}, mean ln(ratio) = {mean:.5} (pulled in), v = {variance:.6}, of which known from calibration {:.6}",
            report.pairs, used.variance_known
        ),
        format!(
            "{name}: LLR = n * L * (L - 2 * mean) / (2 v) = {:.3} with L = ln(1 + {:.4}); accepted from {:.3}, rejected to {:.3}",
            crate::timing::statistics::log_likelihood_ratio(&log_ratios, &used),
            used.margin,
            used.rates.accept_at(),
            used.rates.reject_at()
        ),
    ];
    (line, arithmetic)
}
