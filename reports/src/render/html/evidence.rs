//! Evidence, counterexamples, findings and gates as the page shows them.

use minijinja::Value;
use serde::Serialize;

use crate::record::{CounterexampleRecord, DivergenceRecord, EvidenceRow, Finding, GateRecord, TimingRow};
use crate::render::board::ByHand;
use crate::summary::ProbeCounts;
use crate::visible;
use crate::words::{self, Sign, thousands};

use super::bench::{BenchView, TogetherView, benches, together};
use super::bounds::{Bounded, ROWS_MAX, UNIT_ROWS_MAX, bounded};
use super::markup;

#[derive(Debug, Serialize)]
pub(crate) struct EvidenceView {
    item: String,
    symbol: String,
    proof: Sign,
    not_probed: String,
    harvested: String,
    generated: String,
    agreed: String,
    disagreed: String,
    blocked: String,
    any_trouble: bool,
    /// `9 of 10`, or empty where no block could be counted.
    blocks: String,
    /// The same in percent, for the bar.
    blocks_percent: u32,
    /// `268 upstream, 268 in the port, 426 alike`, or empty where there was nothing to compare with.
    changed: String,
}

pub(crate) fn evidence(rows: &[EvidenceRow]) -> Bounded<EvidenceView> {
    bounded(rows, ROWS_MAX, |row| EvidenceView {
        item: visible::line(&row.item),
        symbol: visible::line(&row.symbol),
        proof: words::proof(row.proof),
        not_probed: visible::line(&row.not_probed),
        harvested: thousands(row.harvested.into()),
        generated: thousands(row.generated.into()),
        agreed: thousands(row.agreed.into()),
        disagreed: thousands(row.disagreed.into()),
        blocked: thousands(row.blocked.into()),
        any_trouble: row.disagreed > 0 || row.blocked > 0,
        blocks: blocks(row),
        blocks_percent: percent(row.blocks_reached, row.blocks_total),
        changed: changed(row),
    })
}

fn blocks(row: &EvidenceRow) -> String {
    if row.blocks_total == 0 {
        String::new()
    } else {
        format!("{} of {}", row.blocks_reached, row.blocks_total)
    }
}

fn percent(part: u32, whole: u32) -> u32 {
    let percent = u64::from(part) * 100 / u64::from(whole.max(1));
    u32::try_from(percent.min(100)).unwrap_or(100)
}

fn changed(row: &EvidenceRow) -> String {
    let parts =
        [(row.changed_upstream, "upstream"), (row.changed_port, "port"), (row.changed_alike, "alike")];
    let parts = parts
        .iter()
        .filter_map(|(number, what)| number.map(|number| format!("{} {what}", thousands(number.into()))));
    parts.collect::<Vec<_>>().join(" · ")
}

/// The line that stands for a folded table of evidence.
pub(crate) fn evidence_line(rows: &[EvidenceRow]) -> String {
    let items = words::count(rows.len() as u64, "item");
    match super::super::facts::probe_mix(&ProbeCounts::of(rows)) {
        Some(probes) => format!("{probes} on {items}"),
        None => format!("no probe on {items}"),
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct CounterexampleView {
    call: String,
    upstream: String,
    port: String,
    /// The lines of a program, where one call is not enough.
    program: Vec<String>,
    /// Where tracing both sides found them to part.
    parting: Option<PartingView>,
    /// What shows the port's side by hand; empty where nothing does.
    command: String,
}

/// The first call that was given the same on both sides and came to something else.
#[derive(Debug, Serialize)]
struct PartingView {
    call: String,
    item: String,
    upstream: String,
    port: String,
    /// Whether it is the call of the counterexample, so that nothing below it differs first.
    is_itself: bool,
}

impl PartingView {
    fn of(found: &DivergenceRecord, asked: &str) -> Self {
        let call = format!("{}({})", found.symbol, found.arguments);
        Self {
            is_itself: call == asked,
            call: visible::line(&call),
            item: visible::line(&found.item),
            upstream: visible::line(&found.upstream),
            port: visible::line(&found.port),
        }
    }
}

pub(crate) fn counterexamples(
    list: &[CounterexampleRecord],
    by_hand: Option<&dyn ByHand>,
) -> Bounded<CounterexampleView> {
    bounded(list, UNIT_ROWS_MAX, |example| counterexample(example, by_hand))
}

pub(crate) fn counterexample(
    example: &CounterexampleRecord,
    by_hand: Option<&dyn ByHand>,
) -> CounterexampleView {
    let parting = example.divergence.as_ref().map(|found| PartingView::of(found, &example.call));
    CounterexampleView {
        call: visible::line(&example.call),
        upstream: visible::line(&example.upstream),
        port: visible::line(&example.port),
        program: example.program.iter().take(UNIT_ROWS_MAX).map(|line| visible::line(line)).collect(),
        parting,
        command: by_hand.and_then(|by_hand| by_hand.counterexample(example)).unwrap_or_default(),
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct FindingView {
    code: String,
    text: String,
}

pub(crate) fn findings(list: &[Finding]) -> Bounded<FindingView> {
    bounded(list, UNIT_ROWS_MAX, |finding| FindingView {
        code: words::plain(&finding.code),
        text: visible::line(&finding.text),
    })
}

#[derive(Debug, Serialize)]
pub(crate) struct GateView {
    name: String,
    sign: Sign,
    reason: String,
    took: String,
    findings: Bounded<FindingView>,
    counterexamples: Bounded<CounterexampleView>,
    evidence: Bounded<EvidenceView>,
    evidence_line: String,
    timings: Bounded<TimingView>,
    benches: Bounded<BenchView>,
    together: Vec<TogetherView>,
    arithmetic: Bounded<String>,
}

pub(crate) fn gates(list: &[GateRecord], by_hand: Option<&dyn ByHand>) -> Bounded<GateView> {
    bounded(list, ROWS_MAX, |gate| GateView {
        name: words::plain(&gate.gate),
        sign: words::verdict(gate.verdict),
        reason: visible::line(&gate.reason),
        took: words::duration(gate.duration_ms),
        findings: findings(&gate.findings),
        counterexamples: counterexamples(&gate.counterexamples, by_hand),
        evidence: evidence(&gate.evidence),
        evidence_line: evidence_line(&gate.evidence),
        timings: timings(&gate.timings),
        benches: benches(&gate.benches),
        together: together(&gate.benches),
        arithmetic: bounded(&gate.arithmetic, ROWS_MAX, |line| visible::line(line)),
    })
}

#[derive(Debug, Serialize)]
pub(crate) struct TimingView {
    name: String,
    ratio: String,
    interval: String,
    pairs: String,
    sign: Sign,
    figure: Value,
}

fn timings(list: &[TimingRow]) -> Bounded<TimingView> {
    let mut figures = markup::interval_figures(list).into_iter();
    bounded(list, ROWS_MAX, |row| TimingView {
        name: visible::line(&row.name),
        ratio: format!("{:.2}", row.ratio),
        interval: format!("{:.2} – {:.2}", row.ratio_low, row.ratio_high),
        pairs: thousands(row.pairs.into()),
        sign: words::verdict(row.verdict),
        figure: figures.next().unwrap_or_default(),
    })
}
