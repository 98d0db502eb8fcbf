//! Small parts of a record, with what does not matter filled in.

use crate::record::{
    AttemptRecord, ChangeRow, CounterexampleRecord, EvidenceRow, Finding, GateRecord, Landed, Notice,
    ProofLevel, RevisionRecord, SkippedRow, TimingRow, Verdict,
};

pub(super) fn revision(label: &str, summary: &str, class: &str, published_s: i64) -> RevisionRecord {
    RevisionRecord {
        label: label.to_owned(),
        commit: format!(
            "{:016x}",
            u64::from(label.bytes().last().unwrap_or(0)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ) + "04bd21f7a6c85e93d0417b2a",
        summary: summary.to_owned(),
        published_s: Some(published_s),
        class: class.to_owned(),
        changes: Vec::new(),
        dependencies: Vec::new(),
        files: Vec::new(),
        skipped: Vec::new(),
        units: Vec::new(),
        gates: Vec::new(),
        disposition: None,
        reason: String::new(),
        landed: None,
        duration_ms: 38_200,
    }
}

pub(super) fn passing_gates() -> Vec<GateRecord> {
    vec![
        gate("validity", Verdict::Pass, "the oracle is intact and both sides ran the same tasks"),
        gate("spec", Verdict::Pass, "the public surface lines up"),
        gate("numeric", Verdict::Pass, "all probes agree"),
        gate("tests", Verdict::Pass, "112 tests passed"),
    ]
}

pub(super) fn timed_gates() -> Vec<GateRecord> {
    let mut gates = passing_gates();
    if let Some(numeric) = gates.get_mut(2) {
        numeric.evidence = vec![evidence("tinytext::title", 4, 180)];
    }
    gates.push(GateRecord {
        timings: vec![
            timing("slug, short words", 0.81, 0.78, 0.84, Verdict::Pass),
            timing("slug, 10 kB", 1.01, 0.97, 1.05, Verdict::Pass),
            timing("title, 10 kB", 1.07, 0.96, 1.19, Verdict::Inconclusive),
        ],
        ..gate("timing", Verdict::Pass, "no timing is slower than the margin of 1.20")
    });
    gates.push(super::bench::benchmarks("slug tasks"));
    gates
}

pub(super) fn gate(gate: &str, verdict: Verdict, reason: &str) -> GateRecord {
    GateRecord {
        gate: gate.to_owned(),
        verdict,
        reason: reason.to_owned(),
        findings: Vec::new(),
        evidence: Vec::new(),
        counterexamples: Vec::new(),
        timings: Vec::new(),
        benches: Vec::new(),
        sessions: Vec::new(),
        arithmetic: Vec::new(),
        duration_ms: 4_200,
    }
}

pub(super) fn attempt(route: &str, origin: &str, verdict: Option<Verdict>) -> AttemptRecord {
    AttemptRecord {
        route: route.to_owned(),
        origin: origin.to_owned(),
        declined: None,
        verdict,
        refused_at: String::new(),
        findings: Vec::new(),
        counterexamples: Vec::new(),
        evidence: Vec::new(),
        diff: String::new(),
        input_tokens: 0,
        output_tokens: 0,
        cost_usd: None,
        duration_ms: 640,
    }
}

pub(super) fn evidence(item: &str, harvested: u32, generated: u32) -> EvidenceRow {
    EvidenceRow {
        item: item.to_owned(),
        symbol: item.replace("::", "."),
        proof: ProofLevel::Proved,
        not_probed: String::new(),
        harvested,
        generated,
        agreed: harvested + generated,
        disagreed: 0,
        blocked: 0,
        blocks_reached: 7,
        blocks_total: 7,
        changed_upstream: None,
        changed_port: None,
        changed_alike: None,
    }
}

pub(super) fn change(item: &str, kind: &str, change: &str, is_test: bool) -> ChangeRow {
    ChangeRow { item: item.to_owned(), kind: kind.to_owned(), change: change.to_owned(), is_test }
}

pub(super) fn skipped(item: &str, change: &str, why: &str, reason: &str) -> SkippedRow {
    SkippedRow {
        item: item.to_owned(),
        change: change.to_owned(),
        why: why.to_owned(),
        reason: reason.to_owned(),
    }
}

pub(super) fn finding(code: &str, text: &str) -> Finding {
    Finding { code: code.to_owned(), text: text.to_owned() }
}

pub(super) fn notice(code: &str, text: &str) -> Notice {
    Notice { code: code.to_owned(), text: text.to_owned() }
}

pub(super) fn counterexample(symbol: &str, call: &str, upstream: &str, port: &str) -> CounterexampleRecord {
    CounterexampleRecord {
        symbol: format!("tinytext.{symbol}"),
        call: call.to_owned(),
        upstream: upstream.to_owned(),
        port: port.to_owned(),
        program: Vec::new(),
        divergence: None,
        commands: Vec::new(),
    }
}

pub(super) fn timing(name: &str, ratio: f64, ratio_low: f64, ratio_high: f64, verdict: Verdict) -> TimingRow {
    TimingRow { name: name.to_owned(), ratio, ratio_low, ratio_high, pairs: 64, verdict }
}

pub(super) fn landed(start: &str, files: &[&str]) -> Landed {
    Landed {
        commit: format!("{start}{}", "0d5e7a91c2b34f68".repeat(2)),
        tree: format!("9b{start}{}", "e4d2c8a07b1f36".repeat(2)),
        files: files.iter().map(|file| (*file).to_owned()).collect(),
    }
}
