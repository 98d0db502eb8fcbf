//! A made-up run over a made-up crate, `tinytext`, that holds every state a record can be in.
//!
//! For looking at the renderings and for tests. All code in it was written for this file.

mod bench;
mod code;
mod revisions;
mod rows;

use crate::record::{
    EvidenceRow, FORMAT, GateRecord, PortFacts, ProofLevel, RevisionRecord, RunOutcome, RunRecord,
    UnitOutcome, UpstreamFacts, Verdict,
};

use revisions::{absorbed_revision, landed_revision, parked_revision, small_revision, withdrawn_revision};
use rows::{counterexample, evidence, finding, gate, notice};

/// When the sample runs begin: 2026-11-20 08:30 UTC.
const STARTED_MS: i64 = 1_795_163_400_000;

/// One of each.
pub fn all() -> Vec<RunRecord> {
    vec![
        done(),
        parked(),
        gate_failed(),
        inconclusive(),
        dry_run(),
        unfinished(),
        nothing_to_do(),
        hostile(),
        large(3),
    ]
}

/// Three revisions, all in the port; one candidate from memory was refused on the way.
pub fn done() -> RunRecord {
    record(RunOutcome::Done, vec![absorbed_revision(), landed_revision(), small_revision()])
}

/// As [`done`], and then a revision with a unit that waits for a person.
pub fn parked() -> RunRecord {
    let mut record = record(
        RunOutcome::Parked,
        vec![
            absorbed_revision(),
            landed_revision(),
            small_revision(),
            parked_revision(),
            withdrawn_revision(),
        ],
    );
    record.upstream.lag_after = 1;
    "0.4.1".clone_into(&mut record.upstream.baseline_after);
    "0.5.1".clone_into(&mut record.upstream.newest);
    record
        .notices
        .push(notice("yanked-release", "tinytext 0.5.1 was yanked after it had been seen; it is passed by."));
    record
}

/// A gate over the whole candidate failed, so its revision is not in the port.
pub fn gate_failed() -> RunRecord {
    let mut revision = small_revision();
    revision.disposition = None;
    revision.landed = None;
    "the numeric gate failed on a caller of the changed function".clone_into(&mut revision.reason);
    let row = EvidenceRow {
        proof: ProofLevel::Unknown,
        agreed: 181,
        disagreed: 3,
        ..evidence("tinytext::title", 4, 180)
    };
    revision.gates = vec![
        gate("validity", Verdict::Pass, "the oracle is intact and both sides ran the same tasks"),
        GateRecord {
            evidence: vec![row],
            counterexamples: vec![counterexample(
                "title",
                "title('o\\'neil  x')",
                "\"O'neil  X\"",
                "\"O'Neil  X\"",
            )],
            findings: vec![finding("disagreement", "3 of 184 probes differ")],
            ..gate("numeric", Verdict::Fail, "3 of 184 probes differ, all of tinytext::title")
        },
        gate("tests", Verdict::Inconclusive, "not run: an earlier gate failed"),
    ];
    let mut record = record(RunOutcome::GateFailed, vec![absorbed_revision(), revision]);
    "0.3.1".clone_into(&mut record.upstream.baseline_after);
    record.upstream.lag_after = 1;
    record
}

/// The sandbox died, so nothing can be said.
pub fn inconclusive() -> RunRecord {
    let mut revision = small_revision();
    revision.disposition = None;
    revision.landed = None;
    revision.gates =
        vec![gate("validity", Verdict::Inconclusive, "the upstream did not build: no space left on device")];
    let mut record = record(RunOutcome::Inconclusive, vec![revision]);
    record.upstream.baseline_after.clone_from(&record.upstream.baseline_before);
    record.upstream.lag_after = record.upstream.lag_before;
    record
}

/// Everything passed and nothing was landed on purpose.
pub fn dry_run() -> RunRecord {
    let mut record = done();
    record.outcome = RunOutcome::DryRun;
    for revision in &mut record.revisions {
        revision.disposition = None;
        revision.landed = None;
    }
    record.upstream.baseline_after.clone_from(&record.upstream.baseline_before);
    record.upstream.lag_after = record.upstream.lag_before;
    record.port.head_after.clone_from(&record.port.head_before);
    record
}

/// Stopped between two units.
pub fn unfinished() -> RunRecord {
    let mut record = done();
    record.outcome = RunOutcome::Unfinished;
    record.finished_ms = None;
    record.revisions.truncate(2);
    if let Some(revision) = record.revisions.last_mut() {
        revision.disposition = None;
        revision.landed = None;
        revision.gates.clear();
        if let Some(unit) = revision.units.last_mut() {
            unit.outcome = UnitOutcome::Open;
            unit.attempts.clear();
        }
    }
    record
}

/// The port is up to date.
pub fn nothing_to_do() -> RunRecord {
    let mut record = record(RunOutcome::NothingToDo, Vec::new());
    "0.4.1".clone_into(&mut record.upstream.baseline_before);
    record.upstream.lag_before = 0;
    record.finished_ms = Some(STARTED_MS + 412);
    record
}

/// Every foreign text tries to break out of its format.
pub fn hostile() -> RunRecord {
    const EVIL: &str = "</script><img src=x onerror=alert(1)> | `` ` @everyone #1 \u{202e}gnp\u{1b}[2J ![x](http://evil.example/x.png)\n\n# heading\n```\n</details>";
    let mut revision = parked_revision();
    "v1</title>|`".clone_into(&mut revision.label);
    EVIL.clone_into(&mut revision.summary);
    EVIL.clone_into(&mut revision.reason);
    EVIL.clone_into(&mut revision.class);
    revision.files = vec![EVIL.to_owned()];
    revision.dependencies = vec![EVIL.to_owned()];
    for change in &mut revision.changes {
        EVIL.clone_into(&mut change.item);
    }
    for unit in &mut revision.units {
        EVIL.clone_into(&mut unit.id);
        EVIL.clone_into(&mut unit.reason);
        unit.impacted = vec![EVIL.to_owned()];
        for member in &mut unit.members {
            EVIL.clone_into(&mut member.item);
            EVIL.clone_into(&mut member.symbol);
            EVIL.clone_into(&mut member.file);
            member.upstream_after.push_str(EVIL);
            member.port_after.push_str(EVIL);
        }
        for attempt in &mut unit.attempts {
            EVIL.clone_into(&mut attempt.origin);
            attempt.diff.push_str(EVIL);
            attempt.findings.push(finding(EVIL, EVIL));
            attempt.counterexamples.push(counterexample(EVIL, EVIL, EVIL, EVIL));
        }
        if let UnitOutcome::Parked { reason, needs } = &mut unit.outcome {
            EVIL.clone_into(reason);
            EVIL.clone_into(needs);
        }
    }
    revision.gates.push(bench::benchmarks(EVIL));
    let mut record = record(RunOutcome::Parked, vec![revision]);
    EVIL.clone_into(&mut record.run);
    "tiny</title><script>alert(1)</script>".clone_into(&mut record.port.name);
    EVIL.clone_into(&mut record.port.branch);
    "registry:\"onload=alert(1)".clone_into(&mut record.upstream.source);
    record.translators = vec![EVIL.to_owned()];
    record.notices = vec![notice(EVIL, EVIL)];
    record
}

/// A single revision of so many units, each with a diff of some 60 lines on both sides.
pub fn large(units: usize) -> RunRecord {
    let mut revision = landed_revision();
    let unit = revision.units.remove(0);
    revision.units = (0..units)
        .map(|at| {
            let mut unit = unit.clone();
            unit.id = format!("tinytext::generated::item_{at:04}");
            for member in &mut unit.members {
                member.item.clone_from(&unit.id);
                member.symbol = format!("tinytext.generated.item_{at:04}");
                let filler = |sign: &str| {
                    let line = |line| format!("    let step_{line} = state {sign} {line} * {at};\n");
                    (0..60).map(line).collect::<Vec<_>>().concat()
                };
                member.upstream_before.push_str(&filler("+"));
                member.upstream_after.push_str(&filler("-"));
                member.port_before.push_str(&filler("+"));
                member.port_after.push_str(&filler("-"));
            }
            for row in unit.attempts.iter_mut().flat_map(|attempt| &mut attempt.evidence) {
                row.item.clone_from(&unit.id);
            }
            unit
        })
        .collect();
    record(RunOutcome::Done, vec![revision])
}

fn record(outcome: RunOutcome, revisions: Vec<RevisionRecord>) -> RunRecord {
    RunRecord {
        format: FORMAT,
        run: "2026-11-20T08-30-00Z-7c1f".to_owned(),
        tidelock: "0.0.0".to_owned(),
        started_ms: STARTED_MS,
        finished_ms: Some(STARTED_MS + 245_300),
        outcome,
        port: PortFacts {
            name: "tinytext-py".to_owned(),
            language: "python".to_owned(),
            branch: "main".to_owned(),
            head_before: "4be1c0a7d2f94d0fa3a6f0f6ce26b3d3b8f1f0a1".to_owned(),
            head_after: "c93b11f20f3f4e41b8a4fb7c9e3a5b9c2d4e6f80".to_owned(),
            tree_after: "7d0f2a9be3c14f5d8a6b7c8d9e0f1a2b3c4d5e6f".to_owned(),
        },
        upstream: UpstreamFacts {
            source: "registry:tinytext".to_owned(),
            baseline_before: "0.3.0".to_owned(),
            baseline_after: "0.4.1".to_owned(),
            newest: "0.4.1".to_owned(),
            lag_before: 3,
            lag_after: 0,
        },
        translators: ["rules", "memory", "local-small", "local-large"].map(str::to_owned).to_vec(),
        confinement: "bubblewrap: no network, private file system".to_owned(),
        revisions,
        notices: Vec::new(),
    }
}
