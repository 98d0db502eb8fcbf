//! The revisions of the made-up crate, and their units.

use crate::record::{
    AttemptRecord, CounterexampleRecord, DivergenceRecord, EvidenceRow, GateRecord, MemberRecord, ProofLevel,
    RevisionRecord, UnitOutcome, UnitRecord, Verdict,
};

use super::code::{
    INITIALS_PY_NEW, INITIALS_PY_OLD, INITIALS_RS_NEW, INITIALS_RS_OLD, SLUG_DIFF_PASSED, SLUG_DIFF_REFUSED,
    SLUG_PY_NEW, SLUG_PY_OLD, SLUG_RS_NEW, SLUG_RS_OLD, VOWELS_PY, VOWELS_RS_NEW, VOWELS_RS_OLD,
    WRAP_DIFF_REFUSED, WRAP_PY, WRAP_RS_NEW, WRAP_RS_OLD,
};
use super::rows::{
    attempt, change, counterexample, evidence, finding, gate, landed, passing_gates, revision, skipped,
    timed_gates, timing,
};

pub(super) fn absorbed_revision() -> RevisionRecord {
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

pub(super) fn landed_revision() -> RevisionRecord {
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
pub(super) fn slug_unit() -> UnitRecord {
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

pub(super) fn separator_unit() -> UnitRecord {
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

pub(super) fn legacy_unit() -> UnitRecord {
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

pub(super) fn small_revision() -> RevisionRecord {
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

pub(super) fn parked_revision() -> RevisionRecord {
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
                refused_at: "edit".to_owned(),
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
                counterexamples: vec![CounterexampleRecord {
                    divergence: Some(DivergenceRecord {
                        item: "tinytext::columns".to_owned(),
                        symbol: "tinytext.columns".to_owned(),
                        arguments: "'日本'".to_owned(),
                        upstream: "4".to_owned(),
                        port: "2".to_owned(),
                    }),
                    ..counterexample("wrap", "wrap('日本', 3)", "[\"日\", \"本\"]", "[\"日本\"]")
                }],
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
        reason: "its only unit waits for a person".to_owned(),
        ..revision("0.5.0", "Wrap by columns", "internal_behaviour", 1_787_100_000)
    }
}

pub(super) fn withdrawn_revision() -> RevisionRecord {
    RevisionRecord {
        disposition: Some("withdrawn".to_owned()),
        reason: "its authors yanked it".to_owned(),
        duration_ms: 40,
        ..revision("0.5.1", "", "no_behaviour_change", 1_787_200_000)
    }
}
