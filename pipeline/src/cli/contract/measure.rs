//! `tidelock contract measure`: how often the contract is wrong about this port.

use reports::count;
use serde::Serialize;

use super::super::{CliError, Context, ExitCode, session_error, sync};
use super::args::ContractMeasure;
use crate::driver::seeding::{Experiment, Extent, Interval, Measured, OperatorRates, Outcome, Rates, Trial};

/// What is printed as JSON.
#[derive(Serialize)]
struct Printed {
    rates: Rates,
    #[serde(flatten)]
    measured: Measured,
}

pub(super) fn run(context: &Context, args: &ContractMeasure) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    let baseline = session.revision(lock.baseline.as_str()).map_err(session_error)?;
    let baseline = session.snapshot(&baseline).map_err(session_error)?;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let extent = Extent {
        wrong: args.wrong,
        rewrites: args.rewrites,
        calls: args.calls,
        seed: args.seed.clone(),
        symbols: args.symbols.clone(),
    };
    let measured = Experiment::new(&session, &*confinement, &baseline, &extent)?.run(&extent)?;
    let rates = Rates::of(&measured.trials);
    if context.format.is_json() {
        context.json(&Printed { rates, measured })?;
    } else {
        context.console.data(&text(&rates, &measured));
    }
    Ok(ExitCode::Done)
}

fn text(rates: &Rates, measured: &Measured) -> String {
    let mut lines = vec![
        format!(
            "{} and {} at {}",
            count(rates.wrong.tried as u64, "wrong translation"),
            count(rates.rewrites.tried as u64, "rewrite"),
            measured.baseline
        ),
        String::new(),
        format!(
            "{:<24}{:>6}{:>9}{:>10}{:>11}{:>7}{:>9}   false accepts",
            "row", "tried", "refused", "accepted", "tolerated", "alike", "unknown"
        ),
    ];
    let row = |name: &str, rates: &OperatorRates| {
        format!(
            "{name:<24}{:>6}{:>9}{:>10}{:>11}{:>7}{:>9}   {}",
            rates.tried,
            rates.refused,
            rates.accepted,
            rates.tolerated,
            rates.alike,
            rates.inconclusive,
            rates.false_accepts().words()
        )
    };
    lines.extend(rates.rows.iter().map(|(name, rates)| row(name, rates)));
    lines.push(row("all", &rates.wrong));
    let told = |what: &str, interval: &Interval| {
        format!("{what:<24}{} of {}: {}", interval.times, interval.of, interval.words())
    };
    lines.push(String::new());
    lines.push(told("false accepts", &rates.false_accept));
    lines.push(told("  at most", &rates.false_accept_at_most));
    lines.push(told("false rejects", &rates.false_reject));
    lines.push(told("could not be told", &rates.inconclusive));
    let sum = |number: fn(&crate::driver::seeding::Covered) -> u32| -> u32 {
        measured.coverage.iter().map(number).sum()
    };
    lines.push(format!(
        "{:<24}{} of {} blocks of {}, by {}",
        "probes reach",
        sum(|row| row.blocks_reached),
        sum(|row| row.blocks_total),
        count(measured.coverage.len() as u64, "item"),
        count(sum(|row| row.probes).into(), "probe"),
    ));
    let chapter = |lines: &mut Vec<String>, title: &str, takes: &dyn Fn(&Trial) -> bool| {
        let all: Vec<&Trial> = measured.trials.iter().filter(|trial| takes(trial)).collect();
        if !all.is_empty() {
            lines.extend([String::new(), format!("{title}:")]);
        }
        for trial in all {
            lines.push(format!("  {} {} ({}): {}", trial.place, trial.symbol, trial.operator, trial.reason));
            lines.extend(trial.diff.lines().map(|line| format!("    {line}")));
        }
    };
    let is_wrong = |trial: &Trial| trial.row.is_some();
    chapter(&mut lines, "Accepted, and wrong", &|trial| trial.outcome == Outcome::Accepted);
    chapter(&mut lines, "Rewrites that were refused", &|trial| {
        !is_wrong(trial) && trial.outcome == Outcome::Refused
    });
    chapter(&mut lines, "Could not be told", &|trial| trial.outcome == Outcome::Inconclusive);
    chapter(&mut lines, "Accepted, and different only in what is not compared", &|trial| {
        trial.outcome == Outcome::Tolerated
    });
    chapter(&mut lines, "Accepted, and told apart by nothing: these may mean the same", &|trial| {
        is_wrong(trial) && trial.outcome == Outcome::Alike
    });
    for (symbol, reason) in &measured.left_out {
        lines.push(format!("left out: {symbol}: {reason}"));
    }
    lines.join("\n") + "\n"
}
