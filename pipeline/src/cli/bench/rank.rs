//! `tidelock bench rank`: several candidates for the same work, each decided by the gate, those that passed in
//! the order of the objective.

use anyhow::anyhow;
use port::bench::decide::objective::{objective, ranked};
use port::bench::decide::{Decided, Verdict};
use serde::Serialize;

use super::super::args::{BenchNames, BenchRank};
use super::super::{CliError, Context, ExitCode, sync};
use super::chosen::{chosen, tree, upstream_of};
use crate::config::bench::{BenchRole, BenchSettings};
use crate::driver::benching::{Benching, Question, TermOf, terms};
use crate::lease::Lease;

/// A candidate, as JSON.
#[derive(Serialize)]
struct Ranked {
    /// As it was named.
    candidate: String,
    /// Its place from 1; none where it did not pass.
    place: Option<usize>,
    /// Its objective; none where it did not pass, whatever it gained.
    objective: Option<f64>,
    /// What the objective is the sum of.
    terms: Vec<TermOf>,
    verdict: Verdict,
}

pub(super) fn rank(context: &Context, args: &BenchRank) -> Result<ExitCode, CliError> {
    if let Some(twice) =
        args.candidates.iter().enumerate().find_map(|(at, name)| {
            args.candidates.iter().take(at).any(|earlier| earlier == name).then_some(name)
        })
    {
        return Err(CliError::usage(anyhow!("`{twice}` is named twice")).hint("name each candidate once"));
    }
    let session = context.session(context.settings()?)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    let all = chosen(&session, &BenchNames { names: Vec::new() }, None)?;
    let upstream = upstream_of(&session, &all, args.upstream.as_deref())?;
    let benches: Vec<&BenchSettings> =
        all.into_iter().filter(|bench| bench.role != BenchRole::Audit).collect();
    if benches.is_empty() {
        return Err(CliError::usage(anyhow!("no benchmark decides: all of them are audits"))
            .hint("write `role = \"endpoint\"` or `role = \"guardrail\"` for one"));
    }
    let base = tree(&session, &args.base)?;
    let trees = args.candidates.iter().map(|name| tree(&session, name)).collect::<Result<Vec<_>, _>>()?;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let benching = Benching::new(&session, &*confinement).afresh(args.fresh);
    let mut decided = Vec::new();
    for (name, after) in args.candidates.iter().zip(trees) {
        let question =
            Question { benches: benches.clone(), before: base.clone(), after, upstream: upstream.clone() };
        let decision = benching.decide(&question)?;
        context.console.say(&format!("{name}: {}", decision.verdict.line));
        if decision.was_interrupted() {
            return Err(CliError {
                code: ExitCode::Inconclusive,
                cause: anyhow!("the benchmarks were stopped"),
                hints: vec!["run the same command again to go on".to_owned()],
            });
        }
        let terms = terms(&decision, &benches, &session.settings.objective);
        decided.push((decision.verdict, terms));
    }
    let rows = in_order(&args.candidates, decided);
    let best = rows.first().map_or(Decided::Hold, |row| row.verdict.decided);
    if context.format.is_json() {
        context.json(&rows)?;
    } else {
        context.console.data(&text(&rows));
    }
    Ok(super::exit_code(best))
}

/// Those that passed, best first; then those on hold; then those that were rejected.
fn in_order(names: &[String], decided: Vec<(Verdict, Vec<TermOf>)>) -> Vec<Ranked> {
    let candidates: Vec<_> = decided
        .iter()
        .map(|(verdict, terms)| (verdict.clone(), terms.iter().map(TermOf::term).collect::<Vec<_>>()))
        .collect();
    let order = ranked(&candidates);
    let mut rows: Vec<(usize, Ranked)> = names
        .iter()
        .zip(decided)
        .zip(&candidates)
        .enumerate()
        .map(|(at, ((name, (verdict, terms)), (_, parts)))| {
            let place = order.iter().position(|ranked| *ranked == at);
            let objective = place.and_then(|_| objective(&verdict, parts));
            let candidate = name.clone();
            let place = place.map(|place| place + 1);
            (at, Ranked { candidate, place, objective, terms, verdict })
        })
        .collect();
    rows.sort_by_key(|(at, row)| (row.place.is_none(), row.place, row.verdict.decided, *at));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn text(rows: &[Ranked]) -> String {
    let mut lines = Vec::new();
    for row in rows {
        let place = row.place.map_or_else(|| " -".to_owned(), |place| format!("{place:>2}"));
        let value = row.objective.map_or_else(|| "      -".to_owned(), |value| format!("{value:+7.3}"));
        lines.push(format!("{place} {value}  {}  {}", row.candidate, row.verdict.line));
        if row.objective.is_some() {
            let parts: Vec<String> = row.terms.iter().map(ToString::to_string).collect();
            lines.push(format!("            J = {}", parts.join(" + ")));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(decided: Decided, change: f64) -> (Verdict, Vec<TermOf>) {
        let verdict = Verdict { decided, line: format!("{decided:?}"), arithmetic: Vec::new() };
        let term = TermOf { bench: "b (parity)".to_owned(), weight: 0.7, change, margin: 0.05 };
        (verdict, vec![term])
    }

    #[test]
    fn what_did_not_pass_stands_below_everything_that_did() {
        let names = ["held", "good", "rejected", "better"].map(str::to_owned);
        let decided = vec![
            candidate(Decided::Hold, 0.9),
            candidate(Decided::Accept, 0.01),
            candidate(Decided::Reject, 0.9),
            candidate(Decided::Accept, 0.02),
        ];
        let rows = in_order(&names, decided);
        let order: Vec<&str> = rows.iter().map(|row| row.candidate.as_str()).collect();
        assert_eq!(order, ["better", "good", "held", "rejected"]);
        assert_eq!(rows.iter().map(|row| row.place).collect::<Vec<_>>(), [Some(1), Some(2), None, None]);
        assert!(rows.iter().all(|row| row.objective.is_some() == row.place.is_some()));
        assert!(text(&rows).contains("J = 0.7 * 0.0200 / 0.05 of b (parity)"), "{}", text(&rows));
    }
}
