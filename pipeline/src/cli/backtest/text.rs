//! The table, for people.

use std::fmt::Write as _;

use reports::count;

use crate::backtest::outcome::AnswerVerdict;
use crate::backtest::report::{BacktestReport, ChainRow, PairDecision, PairRow};
use crate::driver::seeding::Interval;

/// The whole report as text.
pub(super) fn table(report: &BacktestReport) -> String {
    let mut text = format!(
        "{} on {}: {} with {}\n\n",
        report.port,
        report.source,
        count(report.cases.len() as u64, "case"),
        count(report.chains.len() as u64, "chain")
    );
    let head = [
        "chain",
        "cases",
        "no edit",
        "first attempt",
        "repaired",
        "parked",
        "refused",
        "untold",
        "landed",
        "wrong by tests",
    ];
    let rows = report.chains.iter().map(of_chain);
    text.push_str(&aligned(
        &std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>(),
    ));
    let head = ["chain", "answers", "tokens sent", "received", "USD", "attempts took", "in all"];
    let rows = report.chains.iter().map(cost_of);
    text.push('\n');
    text.push_str(&aligned(
        &std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>(),
    ));
    for pair in &report.pairs {
        text.push('\n');
        text.push_str(&of_pair(pair));
    }
    if !report.disputed.is_empty() {
        text.push_str("\nGate and the repository's tests disagree:\n");
        for result in report.results.iter().filter(|result| result.is_disputed()) {
            let told = reports::visible_line(&result.told());
            writeln!(text, "  {} with {}: {told}", result.case, result.chain).unwrap_or_default();
        }
    }
    let not_landed = report.results.iter().filter(|result| !result.outcome.landed() && !result.is_disputed());
    for (at, result) in not_landed.enumerate() {
        if at == 0 {
            text.push_str("\nNot landed:\n");
        }
        let told = reports::visible_line(&result.told());
        writeln!(text, "  {} with {}: {told}", result.case, result.chain).unwrap_or_default();
    }
    for failure in &report.failures {
        let reason = reports::visible_line(&failure.reason);
        writeln!(text, "\nNot carried out: {} with {}: {reason}", failure.case, failure.chain)
            .unwrap_or_default();
    }
    let untold =
        report.results.iter().filter(|result| matches!(result.answer, AnswerVerdict::Untold { .. })).count();
    if untold > 0 {
        let of = report.results.len();
        writeln!(text, "\nIn {untold} of {of} the repository's tests could not tell.").unwrap_or_default();
    }
    if let Some(bound) = &report.stopped_by {
        writeln!(text, "\nStopped: {bound}; {} to go.", report.open).unwrap_or_default();
    }
    text
}

fn of_chain(row: &ChainRow) -> Vec<String> {
    vec![
        row.name.clone(),
        row.cases.to_string(),
        row.no_edit.to_string(),
        interval(&row.landed_first),
        row.repaired.to_string(),
        row.parked.to_string(),
        row.refused.to_string(),
        row.inconclusive.to_string(),
        interval(&row.landed),
        if row.wrong.of == 0 { "nothing to tell by".to_owned() } else { interval(&row.wrong) },
    ]
}

fn cost_of(row: &ChainRow) -> Vec<String> {
    let usd = match (row.cost_usd, row.unpriced) {
        (None, 0) => "0".to_owned(),
        (None, _) => "no price".to_owned(),
        (Some(usd), 0) => format!("{usd:.4}"),
        (Some(usd), unpriced) => format!("{usd:.4} and {unpriced} without a price"),
    };
    vec![
        row.name.clone(),
        row.attempts.to_string(),
        row.input_tokens.to_string(),
        row.output_tokens.to_string(),
        usd,
        seconds(row.attempts_ms),
        seconds(row.total_ms),
    ]
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

/// A count with what the true share is with 95 % confidence: `3 (75 %, 30 to 95)`.
fn interval(interval: &Interval) -> String {
    if interval.of == 0 {
        return "0".to_owned();
    }
    let percent = |share: f64| format!("{:.0}", 100.0 * share);
    let Interval { times, rate, low, high, of: _ } = *interval;
    format!("{times} ({} %, {} to {})", percent(rate), percent(low), percent(high))
}

fn of_pair(pair: &PairRow) -> String {
    let PairRow { first, second, .. } = pair;
    let mut text = format!(
        "{second} against {first}, {}: good with both {}, with {first} alone {}, with {second} alone {}, with neither {}",
        count(pair.pairs as u64, "case"),
        pair.both,
        pair.only_first,
        pair.only_second,
        pair.neither
    );
    if pair.dropped > 0 {
        write!(text, "; {} left out, where the gate could not tell", pair.dropped).unwrap_or_default();
    }
    let decision = match pair.decision {
        PairDecision::NotWorse => format!("{second} is not worse by {:.0} points", pair.margin_points),
        PairDecision::Worse => format!("{second} is worse than {first}"),
        PairDecision::Open => {
            format!(
                "whether {second} is worse by {:.0} points cannot be told from so few",
                pair.margin_points
            )
        }
    };
    write!(
        text,
        "\n  {decision}; {:+.0} ± {:.0} points; for description only: exact McNemar p = {:.4}\n  \
         {second} took fewer tokens in {}, more in {} (sign test p = {:.4})\n",
        pair.difference_points,
        pair.half_width_points,
        pair.mcnemar_p,
        pair.fewer_tokens,
        pair.more_tokens,
        pair.tokens_p
    )
    .unwrap_or_default();
    text
}

/// Columns as wide as what is in them.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
