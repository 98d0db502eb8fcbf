//! A made-up run over a made-up crate, `tinytext`, that holds every state a record can be in.
//!
//! For looking at the renderings and for tests. All code in it was written for this file.

use crate::record::{
    AttemptRecord, ChangeRow, CounterexampleRecord, EvidenceRow, FORMAT, Finding, GateRecord, Landed,
    MemberRecord, Notice, PortFacts, ProofLevel, RevisionRecord, RunOutcome, RunRecord, SkippedRow,
    TimingRow, UnitOutcome, UnitRecord, UpstreamFacts, Verdict,
};

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
    record.upstream.baseline_after = "0.4.1".to_owned();
    record.upstream.newest = "0.5.1".to_owned();
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
    revision.reason = "the numeric gate failed on a caller of the changed function".to_owned();
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
    record.upstream.baseline_after = "0.3.1".to_owned();
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
    record.upstream.baseline_before = "0.4.1".to_owned();
    record.upstream.lag_before = 0;
    record.finished_ms = Some(STARTED_MS + 412);
    record
}

/// Every foreign text tries to break out of its format.
pub fn hostile() -> RunRecord {
    const EVIL: &str = "</script><img src=x onerror=alert(1)> | `` ` @everyone #1 \u{202e}gnp\u{1b}[2J ![x](http://evil.example/x.png)\n\n# heading\n```\n</details>";
    let mut revision = parked_revision();
    revision.label = "v1</title>|`".to_owned();
    revision.summary = EVIL.to_owned();
    revision.reason = EVIL.to_owned();
    revision.class = EVIL.to_owned();
    revision.files = vec![EVIL.to_owned()];
    revision.dependencies = vec![EVIL.to_owned()];
    for change in &mut revision.changes {
        change.item = EVIL.to_owned();
    }
    for unit in &mut revision.units {
        unit.id = EVIL.to_owned();
        unit.reason = EVIL.to_owned();
        unit.impacted = vec![EVIL.to_owned()];
        for member in &mut unit.members {
            member.item = EVIL.to_owned();
            member.symbol = EVIL.to_owned();
            member.file = EVIL.to_owned();
            member.upstream_after.push_str(EVIL);
            member.port_after.push_str(EVIL);
        }
        for attempt in &mut unit.attempts {
            attempt.origin = EVIL.to_owned();
            attempt.diff.push_str(EVIL);
            attempt.findings.push(finding(EVIL, EVIL));
            attempt.counterexamples.push(counterexample(EVIL, EVIL, EVIL, EVIL));
        }
        if let UnitOutcome::Parked { reason, needs } = &mut unit.outcome {
            EVIL.clone_into(reason);
            EVIL.clone_into(needs);
        }
    }
    let mut record = record(RunOutcome::Parked, vec![revision]);
    record.run = EVIL.to_owned();
    record.port.name = "tiny</title><script>alert(1)</script>".to_owned();
    record.port.branch = EVIL.to_owned();
    record.upstream.source = "registry:\"onload=alert(1)".to_owned();
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
                let filler = |sign: &str| -> String {
                    (0..60)
                        .map(|line| format!("    let step_{line} = state {sign} {line} * {at};\n"))
                        .collect()
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

fn absorbed_revision() -> RevisionRecord {
    RevisionRecord {
        changes: vec![
            change("tinytext::count_vowels", "function", "body", false),
            change("tinytext::tests::vowels_of_empty", "function", "added", true),
        ],
        units: vec![UnitRecord {
            id: "tinytext::count_vowels".to_owned(),
            kind: "change".to_owned(),
            reason: "the body changed".to_owned(),
            members: vec![MemberRecord {
                item: "tinytext::count_vowels".to_owned(),
                symbol: "tinytext.count_vowels".to_owned(),
                file: "tinytext/__init__.py".to_owned(),
                change: "body".to_owned(),
                upstream_before: VOWELS_RS_OLD.to_owned(),
                upstream_after: VOWELS_RS_NEW.to_owned(),
                port_before: VOWELS_PY.to_owned(),
                port_after: VOWELS_PY.to_owned(),
            }],
            impacted: vec!["tinytext.is_pronounceable".to_owned()],
            attempts: vec![AttemptRecord {
                evidence: vec![
                    evidence("tinytext::count_vowels", 6, 250),
                    evidence("tinytext::is_pronounceable", 2, 120),
                ],
                ..attempt("verify_first", "", Some(Verdict::Pass))
            }],
            outcome: UnitOutcome::Absorbed,
        }],
        gates: passing_gates(),
        disposition: Some("absorbed".to_owned()),
        landed: Some(landed("a41f09c3", &["tidelock.lock"])),
        ..revision("0.3.1", "Count vowels without allocating", "internal_behaviour", 1_771_500_000)
    }
}

fn landed_revision() -> RevisionRecord {
    RevisionRecord {
        changes: vec![
            change("tinytext::slug", "function", "signature, body", false),
            change("tinytext::SEPARATOR", "const", "added", false),
            change("tinytext::legacy_slug", "function", "removed", false),
            change("tinytext::title", "function", "docs", false),
            change("tinytext::macros::text", "macro", "added", false),
            change("tinytext::tests::slug_keeps_digits", "function", "added", true),
            change("tinytext::tests::slug_of_empty", "function", "body", true),
        ],
        dependencies: vec!["unicode-case: ^1.2 -> ^2.0".to_owned(), "smallvec: none -> ^1.13".to_owned()],
        files: vec!["README.md".to_owned(), ".github/workflows/ci.yml".to_owned()],
        skipped: vec![
            skipped("tinytext::title", "docs", "no_behaviour", "nothing that runs changed"),
            skipped("tinytext::macros::text", "added", "ignored", "macros have no counterpart in this port"),
        ],
        units: vec![slug_unit(), separator_unit(), legacy_unit()],
        gates: timed_gates(),
        disposition: Some("landed".to_owned()),
        landed: Some(landed("5e02d7b1", &["tinytext/__init__.py", "tests/test_slug.py", "tidelock.lock"])),
        duration_ms: 96_400,
        ..revision("0.4.0", "Slugs take a separator (#41), thanks @somebody", "public_api", 1_779_300_000)
    }
}

/// Declined by the rules, refused from memory with a counterexample, then right by a model.
fn slug_unit() -> UnitRecord {
    UnitRecord {
        id: "tinytext::slug".to_owned(),
        kind: "change".to_owned(),
        reason: "the signature and the body changed".to_owned(),
        members: vec![MemberRecord {
            item: "tinytext::slug".to_owned(),
            symbol: "tinytext.slug".to_owned(),
            file: "tinytext/__init__.py".to_owned(),
            change: "signature, body".to_owned(),
            upstream_before: SLUG_RS_OLD.to_owned(),
            upstream_after: SLUG_RS_NEW.to_owned(),
            port_before: SLUG_PY_OLD.to_owned(),
            port_after: SLUG_PY_NEW.to_owned(),
        }],
        impacted: vec!["tinytext.file_name".to_owned(), "tinytext.Page.path".to_owned()],
        attempts: vec![
            AttemptRecord {
                findings: vec![finding("parameter-count", "the item takes 2 parameters and the symbol 1")],
                counterexamples: vec![counterexample(
                    "slug",
                    "slug('Hello World', '_')",
                    "\"hello_world\"",
                    "TypeError: slug() takes 1 positional argument but 2 were given",
                )],
                ..attempt("verify_first", "", Some(Verdict::Fail))
            },
            AttemptRecord {
                declined: Some("no rule covers a change of control flow".to_owned()),
                ..attempt("rule", "rules", None)
            },
            AttemptRecord {
                counterexamples: vec![
                    counterexample("slug", "slug('a--b', '-')", "\"a-b\"", "\"a--b\""),
                    counterexample("slug", "slug('Straße', '')", "\"straße\"", "ValueError: empty separator"),
                ],
                evidence: vec![EvidenceRow {
                    proof: ProofLevel::Unknown,
                    agreed: 391,
                    disagreed: 35,
                    ..evidence("tinytext::slug", 26, 400)
                }],
                diff: SLUG_DIFF_REFUSED.to_owned(),
                duration_ms: 2_100,
                ..attempt("memory", "entry 91c2, from 0.2.4", Some(Verdict::Fail))
            },
            AttemptRecord {
                evidence: vec![
                    EvidenceRow {
                        changed_upstream: Some(268),
                        changed_port: Some(268),
                        changed_alike: Some(426),
                        blocks_reached: 9,
                        blocks_total: 10,
                        ..evidence("tinytext::slug", 26, 400)
                    },
                    evidence("tinytext::file_name", 3, 120),
                    EvidenceRow {
                        proof: ProofLevel::Tested,
                        not_probed: "Page holds an open file, which no probe can make".to_owned(),
                        harvested: 0,
                        generated: 0,
                        agreed: 0,
                        blocks_reached: 0,
                        ..evidence("tinytext::Page::path", 0, 0)
                    },
                ],
                diff: SLUG_DIFF_PASSED.to_owned(),
                input_tokens: 3_412,
                output_tokens: 388,
                cost_usd: Some(0.004_1),
                duration_ms: 11_800,
                ..attempt("model", "local-small", Some(Verdict::Pass))
            },
        ],
        outcome: UnitOutcome::Translated { route: "model".to_owned(), origin: "local-small".to_owned() },
    }
}

fn separator_unit() -> UnitRecord {
    UnitRecord {
        id: "tinytext::SEPARATOR".to_owned(),
        kind: "add".to_owned(),
        reason: "the item is new".to_owned(),
        members: vec![MemberRecord {
            item: "tinytext::SEPARATOR".to_owned(),
            symbol: "tinytext.SEPARATOR".to_owned(),
            file: "tinytext/__init__.py".to_owned(),
            change: "added".to_owned(),
            upstream_before: String::new(),
            upstream_after: "/// What stands between two words of a slug.\npub const SEPARATOR: char = '-';\n".to_owned(),
            port_before: String::new(),
            port_after: "#: What stands between two words of a slug.\nSEPARATOR = \"-\"\n".to_owned(),
        }],
        impacted: Vec::new(),
        attempts: vec![AttemptRecord {
            evidence: vec![EvidenceRow { blocks_reached: 0, blocks_total: 0, ..evidence("tinytext::SEPARATOR", 1, 0) }],
            diff: "@@ -1,2 +1,5 @@\n import re\n \n+#: What stands between two words of a slug.\n+SEPARATOR = \"-\"\n+\n".to_owned(),
            ..attempt("rule", "constant", Some(Verdict::Pass))
        }],
        outcome: UnitOutcome::Translated { route: "rule".to_owned(), origin: "constant".to_owned() },
    }
}

fn legacy_unit() -> UnitRecord {
    UnitRecord {
        id: "tinytext::legacy_slug".to_owned(),
        kind: "remove".to_owned(),
        reason: "the item went".to_owned(),
        members: vec![MemberRecord {
            item: "tinytext::legacy_slug".to_owned(),
            symbol: "tinytext.legacy_slug".to_owned(),
            file: "tinytext/__init__.py".to_owned(),
            change: "removed".to_owned(),
            upstream_before:
                "pub fn legacy_slug(text: &str) -> String {\n    slug(text).replace('-', \"_\")\n}\n"
                    .to_owned(),
            upstream_after: String::new(),
            port_before: "def legacy_slug(text: str) -> str:\n    return slug(text).replace(\"-\", \"_\")\n"
                .to_owned(),
            port_after: String::new(),
        }],
        impacted: Vec::new(),
        attempts: vec![attempt("memory", "entry 07aa, from this port", Some(Verdict::Pass))],
        outcome: UnitOutcome::Translated {
            route: "memory".to_owned(),
            origin: "entry 07aa, from this port".to_owned(),
        },
    }
}

fn small_revision() -> RevisionRecord {
    RevisionRecord {
        changes: vec![change("tinytext::initials", "function", "body", false)],
        units: vec![UnitRecord {
            id: "tinytext::initials".to_owned(),
            kind: "change".to_owned(),
            reason: "the body changed".to_owned(),
            members: vec![MemberRecord {
                item: "tinytext::initials".to_owned(),
                symbol: "tinytext.initials".to_owned(),
                file: "tinytext/names.py".to_owned(),
                change: "body".to_owned(),
                upstream_before: INITIALS_RS_OLD.to_owned(),
                upstream_after: INITIALS_RS_NEW.to_owned(),
                port_before: INITIALS_PY_OLD.to_owned(),
                port_after: INITIALS_PY_NEW.to_owned(),
            }],
            impacted: Vec::new(),
            attempts: vec![AttemptRecord {
                evidence: vec![EvidenceRow {
                    changed_upstream: Some(41),
                    changed_port: Some(41),
                    changed_alike: Some(305),
                    ..evidence("tinytext::initials", 5, 300)
                }],
                ..attempt("memory", "entry 3d10, from 0.3.0", Some(Verdict::Pass))
            }],
            outcome: UnitOutcome::Translated {
                route: "memory".to_owned(),
                origin: "entry 3d10, from 0.3.0".to_owned(),
            },
        }],
        gates: passing_gates(),
        disposition: Some("landed".to_owned()),
        landed: Some(landed("c93b11f2", &["tinytext/names.py", "tidelock.lock"])),
        ..revision("0.4.1", "Initials skip particles", "internal_behaviour", 1_784_600_000)
    }
}

fn parked_revision() -> RevisionRecord {
    let unit = UnitRecord {
        id: "tinytext::wrap".to_owned(),
        kind: "change".to_owned(),
        reason: "the body changed".to_owned(),
        members: vec![MemberRecord {
            item: "tinytext::wrap".to_owned(),
            symbol: "tinytext.wrap".to_owned(),
            file: "tinytext/layout.py".to_owned(),
            change: "body".to_owned(),
            upstream_before: WRAP_RS_OLD.to_owned(),
            upstream_after: WRAP_RS_NEW.to_owned(),
            port_before: WRAP_PY.to_owned(),
            port_after: WRAP_PY.to_owned(),
        }],
        impacted: vec!["tinytext.paragraph".to_owned()],
        attempts: vec![
            AttemptRecord {
                evidence: vec![EvidenceRow {
                    proof: ProofLevel::Unknown,
                    agreed: 221,
                    disagreed: 39,
                    ..evidence("tinytext::wrap", 10, 250)
                }],
                counterexamples: vec![counterexample(
                    "wrap",
                    "wrap('aa bb', 0)",
                    "[]",
                    "ZeroDivisionError: integer modulo by zero",
                )],
                ..attempt("verify_first", "", Some(Verdict::Fail))
            },
            AttemptRecord {
                findings: vec![finding(
                    "outside-plan",
                    "the answer edits tinytext.paragraph, which is not in the plan",
                )],
                input_tokens: 4_020,
                output_tokens: 910,
                cost_usd: Some(0.006_2),
                ..attempt("model", "local-small", Some(Verdict::Fail))
            },
            AttemptRecord {
                counterexamples: vec![counterexample(
                    "wrap",
                    "wrap('日本', 3)",
                    "[\"日\", \"本\"]",
                    "[\"日本\"]",
                )],
                evidence: vec![EvidenceRow {
                    proof: ProofLevel::Unknown,
                    agreed: 212,
                    disagreed: 48,
                    ..evidence("tinytext::wrap", 10, 250)
                }],
                diff: WRAP_DIFF_REFUSED.to_owned(),
                input_tokens: 4_890,
                output_tokens: 1_204,
                ..attempt("model", "local-large", Some(Verdict::Fail))
            },
        ],
        outcome: UnitOutcome::Parked {
            reason: "a person edited tinytext.wrap, and both candidates were refused".to_owned(),
            needs:
                "decide how wide a character is in the port: the upstream now counts columns, not characters"
                    .to_owned(),
        },
    };
    RevisionRecord {
        changes: vec![
            change("tinytext::wrap", "function", "body", false),
            change("tinytext::width", "function", "added, private", false),
        ],
        units: vec![unit],
        gates: vec![
            gate("validity", Verdict::Pass, "the oracle is intact and both sides ran the same tasks"),
            gate("tests", Verdict::Pass, "112 tests passed"),
            GateRecord {
                timings: vec![timing("paragraph, 10 kB", 1.02, 0.94, 1.13, Verdict::Inconclusive)],
                ..gate(
                    "timing",
                    Verdict::Inconclusive,
                    "the interval reaches over the margin of 1.10 after 64 pairs",
                )
            },
        ],
        disposition: Some("parked".to_owned()),
        reason: "1 of 1 units is parked".to_owned(),
        ..revision("0.5.0", "Wrap by columns", "internal_behaviour", 1_787_100_000)
    }
}

fn withdrawn_revision() -> RevisionRecord {
    RevisionRecord {
        disposition: Some("withdrawn".to_owned()),
        reason: "its authors yanked it".to_owned(),
        duration_ms: 40,
        ..revision("0.5.1", "", "no_behaviour_change", 1_787_200_000)
    }
}

fn revision(label: &str, summary: &str, class: &str, published_s: i64) -> RevisionRecord {
    RevisionRecord {
        label: label.to_owned(),
        commit: format!("{:040x}", 0x1d_4c0f_fee0_u64 + u64::from(label.bytes().last().unwrap_or(0)) * 7_919),
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

fn passing_gates() -> Vec<GateRecord> {
    vec![
        gate("validity", Verdict::Pass, "the oracle is intact and both sides ran the same tasks"),
        gate("spec", Verdict::Pass, "the public surface lines up"),
        gate("numeric", Verdict::Pass, "all probes agree"),
        gate("tests", Verdict::Pass, "112 tests passed"),
    ]
}

fn timed_gates() -> Vec<GateRecord> {
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
    gates
}

fn gate(gate: &str, verdict: Verdict, reason: &str) -> GateRecord {
    GateRecord {
        gate: gate.to_owned(),
        verdict,
        reason: reason.to_owned(),
        findings: Vec::new(),
        evidence: Vec::new(),
        counterexamples: Vec::new(),
        timings: Vec::new(),
        duration_ms: 4_200,
    }
}

fn attempt(route: &str, origin: &str, verdict: Option<Verdict>) -> AttemptRecord {
    AttemptRecord {
        route: route.to_owned(),
        origin: origin.to_owned(),
        declined: None,
        verdict,
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

fn evidence(item: &str, harvested: u32, generated: u32) -> EvidenceRow {
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

fn change(item: &str, kind: &str, change: &str, is_test: bool) -> ChangeRow {
    ChangeRow { item: item.to_owned(), kind: kind.to_owned(), change: change.to_owned(), is_test }
}

fn skipped(item: &str, change: &str, why: &str, reason: &str) -> SkippedRow {
    SkippedRow {
        item: item.to_owned(),
        change: change.to_owned(),
        why: why.to_owned(),
        reason: reason.to_owned(),
    }
}

fn finding(code: &str, text: &str) -> Finding {
    Finding { code: code.to_owned(), text: text.to_owned() }
}

fn notice(code: &str, text: &str) -> Notice {
    Notice { code: code.to_owned(), text: text.to_owned() }
}

fn counterexample(symbol: &str, call: &str, upstream: &str, port: &str) -> CounterexampleRecord {
    CounterexampleRecord {
        symbol: format!("tinytext.{symbol}"),
        call: call.to_owned(),
        upstream: upstream.to_owned(),
        port: port.to_owned(),
    }
}

fn timing(name: &str, ratio: f64, ratio_low: f64, ratio_high: f64, verdict: Verdict) -> TimingRow {
    TimingRow { name: name.to_owned(), ratio, ratio_low, ratio_high, pairs: 64, verdict }
}

fn landed(start: &str, files: &[&str]) -> Landed {
    Landed {
        commit: format!("{start}{}", "0d5e7a91c2b34f68".repeat(2)),
        tree: format!("9b{start}{}", "e4d2c8a07b1f36".repeat(2)),
        files: files.iter().map(|file| (*file).to_owned()).collect(),
    }
}

const VOWELS_RS_OLD: &str = r#"/// Counts the vowels of a word.
pub fn count_vowels(word: &str) -> usize {
    let lower: Vec<char> = word.to_lowercase().chars().collect();
    lower.iter().filter(|c| "aeiou".contains(**c)).count()
}
"#;
const VOWELS_RS_NEW: &str = r#"/// Counts the vowels of a word.
pub fn count_vowels(word: &str) -> usize {
    word.chars().flat_map(char::to_lowercase).filter(|c| "aeiou".contains(*c)).count()
}
"#;
const VOWELS_PY: &str = r#"def count_vowels(word: str) -> int:
    """Count the vowels of a word."""
    return sum(c in "aeiou" for c in word.lower())
"#;
const SLUG_RS_OLD: &str = r#"/// Makes a slug: lower case, words joined by `-`.
///
/// Everything that is no letter and no digit ends a word.
/// Letters of any script count, so a slug need not be ASCII.
/// Upper case is folded by the simple mapping.
pub fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}
"#;
const SLUG_RS_NEW: &str = r#"/// Makes a slug: lower case, words joined by `separator`.
///
/// Everything that is no letter and no digit ends a word.
/// Letters of any script count, so a slug need not be ASCII.
/// Upper case is folded by the simple mapping.
pub fn slug(text: &str, separator: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for c in text.chars() {
        if c.is_alphanumeric() {
            if gap && !out.is_empty() {
                out.push_str(separator);
            }
            gap = false;
            out.extend(c.to_lowercase());
        } else {
            gap = true;
        }
    }
    out
}
"#;
const SLUG_PY_OLD: &str = r#"def slug(text: str) -> str:
    """Make a slug: lower case, words joined by ``-``.

    Everything that is no letter and no digit ends a word.
    Letters of any script count, so a slug need not be ASCII.
    """
    out: list[str] = []
    for c in text:
        if c.isalnum():
            out.append(c.lower())
        elif not (out and out[-1] == "-"):
            out.append("-")
    return "".join(out).strip("-")
"#;
const SLUG_PY_NEW: &str = r#"def slug(text: str, separator: str) -> str:
    """Make a slug: lower case, words joined by ``separator``.

    Everything that is no letter and no digit ends a word.
    Letters of any script count, so a slug need not be ASCII.
    """
    out: list[str] = []
    gap = False
    for c in text:
        if c.isalnum():
            if gap and out:
                out.append(separator)
            gap = False
            out.append(c.lower())
        else:
            gap = True
    return "".join(out)
"#;
const SLUG_DIFF_REFUSED: &str = r#"--- a/tinytext/__init__.py
+++ b/tinytext/__init__.py
@@ -12,9 +12,9 @@
-def slug(text: str) -> str:
+def slug(text: str, separator: str) -> str:
     out: list[str] = []
     for c in text:
         if c.isalnum():
             out.append(c.lower())
-        elif not (out and out[-1] == "-"):
-            out.append("-")
-    return "".join(out).strip("-")
+        else:
+            out.append(separator)
+    return "".join(out).strip(separator)
"#;
const SLUG_DIFF_PASSED: &str = r#"--- a/tinytext/__init__.py
+++ b/tinytext/__init__.py
@@ -12,13 +12,17 @@
-def slug(text: str) -> str:
-    """Make a slug: lower case, words joined by ``-``.
+def slug(text: str, separator: str) -> str:
+    """Make a slug: lower case, words joined by ``separator``.
 
     Everything that is no letter and no digit ends a word.
"#;
const INITIALS_RS_OLD: &str = r"pub fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().next()).collect()
}
";
const INITIALS_RS_NEW: &str = r"pub fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter(|word| !PARTICLES.contains(word))
        .filter_map(|word| word.chars().next())
        .collect()
}
";
const INITIALS_PY_OLD: &str = r#"def initials(name: str) -> str:
    return "".join(word[0] for word in name.split())
"#;
const INITIALS_PY_NEW: &str = r#"def initials(name: str) -> str:
    return "".join(word[0] for word in name.split() if word not in PARTICLES)
"#;
const WRAP_RS_OLD: &str = r"pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect(NEVER_EMPTY);
        if last.chars().count() + word.chars().count() < columns {
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
";
const WRAP_RS_NEW: &str = r"pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    if columns == 0 {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect(NEVER_EMPTY);
        if width(last) + width(word) < columns {
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
";
const WRAP_PY: &str = r#"def wrap(text: str, columns: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        # Ours: never break inside a quotation.
        if len(lines[-1]) + len(word) < columns or in_quotes(lines[-1]):
            lines[-1] += word
        else:
            lines.append(word)
    return lines
"#;
const WRAP_DIFF_REFUSED: &str = r#"--- a/tinytext/layout.py
+++ b/tinytext/layout.py
@@ -4,2 +4,4 @@
 def wrap(text: str, columns: int) -> list[str]:
+    if columns == 0:
+        return []
     lines = [""]
"#;
