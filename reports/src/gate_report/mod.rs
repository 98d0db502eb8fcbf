//! The verdict over a tree of the port by itself, and its renderings for other tools: JSON, `JUnit`, SARIF.
//!
//! Main type: [`GateReport`]. It is rendered and never judged here.

mod junit;
mod sarif;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{GateRecord, Verdict};
pub use junit::junit;
pub use sarif::sarif;

/// What `tidelock gate` found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// What was gated, as it was asked for: a revision of the port, or its working tree.
    pub what: String,
    /// Its git tree.
    pub tree: String,
    /// The git tree that its tests were compared with.
    pub before: String,
    /// The upstream's revision that it is to equal.
    pub baseline: String,
    /// All gates together.
    pub verdict: Verdict,
    /// How foreign code was confined, in words.
    pub confinement: String,
    /// What each gate says.
    pub gates: Vec<GateRecord>,
    /// Where the symbols stand that something was found about.
    pub places: Vec<SymbolPlace>,
    /// What a person should know and is not wrong.
    pub notes: Vec<String>,
}

/// Where a symbol of the port stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SymbolPlace {
    /// The symbol.
    pub symbol: String,
    /// Its file, from the port's root.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: u32,
}

impl GateReport {
    fn place(&self, symbol: &str) -> Option<&SymbolPlace> {
        self.places.iter().find(|place| place.symbol == symbol)
    }

    /// The symbols that something was found about, each once.
    pub fn symbols(gates: &[GateRecord]) -> Vec<String> {
        let rows = gates.iter().flat_map(|gate| &gate.evidence).filter(|row| row.disagreed > 0);
        let examples = gates.iter().flat_map(|gate| &gate.counterexamples);
        let named = rows.map(|row| &row.symbol).chain(examples.map(|example| &example.symbol));
        let findings = gates.iter().flat_map(|gate| &gate.findings).map(|finding| subject(&finding.text));
        let mut all: Vec<String> = named.cloned().chain(findings).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// What a finding's text is about: findings begin with it.
fn subject(text: &str) -> String {
    text.split(':').next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::record::{CounterexampleRecord, EvidenceRow, Finding, ProofLevel, SessionRow};

    fn gate(name: &str, verdict: Verdict, reason: &str) -> GateRecord {
        GateRecord {
            gate: name.to_owned(),
            verdict,
            reason: reason.to_owned(),
            findings: Vec::new(),
            evidence: Vec::new(),
            counterexamples: Vec::new(),
            timings: Vec::new(),
            benches: Vec::new(),
            sessions: Vec::new(),
            arithmetic: Vec::new(),
            duration_ms: 1500,
        }
    }

    fn row(symbol: &str, agreed: u32, disagreed: u32) -> EvidenceRow {
        EvidenceRow {
            item: format!("k::{symbol}"),
            symbol: format!("p.{symbol}"),
            proof: ProofLevel::Unknown,
            not_probed: if agreed + disagreed == 0 { "it is <private>".to_owned() } else { String::new() },
            harvested: 0,
            generated: agreed + disagreed,
            agreed,
            disagreed,
            blocked: 0,
            blocks_reached: 0,
            blocks_total: 0,
            changed_upstream: None,
            changed_port: None,
            changed_alike: None,
        }
    }

    fn report() -> GateReport {
        let numeric = GateRecord {
            findings: vec![Finding {
                code: "disagreement".to_owned(),
                text: "p.f: 3 of 9 probes differ from the upstream".to_owned(),
            }],
            evidence: vec![row("f", 6, 3), row("g", 9, 0), row("h", 0, 0)],
            counterexamples: vec![CounterexampleRecord {
                symbol: "p.f".to_owned(),
                call: "p.f('<&\u{1b}')".to_owned(),
                upstream: "2".to_owned(),
                port: "1".to_owned(),
                program: Vec::new(),
                divergence: None,
                commands: Vec::new(),
            }],
            ..gate("numeric", Verdict::Fail, "3 of 18 probes differ")
        };
        let tests = GateRecord {
            findings: vec![
                Finding { code: "newly-failing".to_owned(), text: "tests.t: boom".to_owned() },
                Finding { code: "flaky".to_owned(), text: "tests.u".to_owned() },
            ],
            ..gate("tests", Verdict::Fail, "1 of 2 tests lost")
        };
        let gates = vec![
            gate("validity", Verdict::Pass, "the lock agrees"),
            gate("spec", Verdict::Inconclusive, "the upstream cannot be asked"),
            numeric,
            tests,
        ];
        GateReport {
            what: "HEAD".to_owned(),
            tree: "a".repeat(40),
            before: "b".repeat(40),
            baseline: "1.0".to_owned(),
            verdict: Verdict::Fail,
            confinement: "bubblewrap".to_owned(),
            gates,
            places: vec![SymbolPlace { symbol: "p.f".to_owned(), file: "p/a b.py".to_owned(), line: 7 }],
            notes: Vec::new(),
        }
    }

    #[test]
    fn each_case_of_a_session_is_one_of_junit_and_other_findings_are_still_there() {
        let mut report = report();
        let session = |name: &str, verdict, reason: &str| SessionRow {
            name: name.to_owned(),
            generated: false,
            verdict,
            reason: reason.to_owned(),
            change: String::new(),
        };
        let finding = |text: &str| Finding { code: "disagreement".to_owned(), text: text.to_owned() };
        report.gates = vec![GateRecord {
            findings: vec![
                finding("wc/b: exit code: upstream 1, port 2"),
                finding("p.Q.pop: 1 of 2 sequences"),
            ],
            sessions: vec![
                session("wc/a", Verdict::Pass, ""),
                session("wc/b", Verdict::Fail, "exit code: upstream 1, port 2"),
                session("wc/c", Verdict::Inconclusive, "it is random"),
            ],
            ..gate("behavioural", Verdict::Fail, "1 of 2 cases")
        }];
        let xml = junit(&report).unwrap();
        assert!(xml.contains("tests=\"4\"") && xml.contains("failures=\"2\""), "{xml}");
        assert!(xml.contains("name=\"wc/b\"") && xml.contains("it is random"), "{xml}");
        assert!(xml.contains("name=\"p.Q.pop\""), "{xml}");
    }

    #[test]
    fn what_was_found_is_in_both_forms_and_what_passed_is_no_failure() {
        let xml = junit(&report()).unwrap();
        assert!(xml.contains("tests=\"6\"") && xml.contains("failures=\"2\""), "{xml}");
        assert!(xml.contains("name=\"p.g\"") && xml.contains("<skipped"), "{xml}");
        assert!(xml.contains("p.f(&apos;&lt;&amp;"), "{xml}");
        let log = sarif(&report());
        let results = log.pointer("/runs/0/results").and_then(Value::as_array).unwrap();
        let rules: Vec<_> = results.iter().map(|result| result["ruleId"].as_str().unwrap()).collect();
        assert_eq!(
            rules,
            ["spec/inconclusive", "numeric/disagreement", "tests/newly-failing", "tests/flaky"]
        );
        let place = &results[1]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], json!("p/a%20b.py"));
        assert_eq!(place["region"]["startLine"], json!(7));
        assert_eq!(results[0]["level"], json!("warning"));
        assert_eq!(results[1]["level"], json!("error"));
        assert_eq!(results[3]["level"], json!("note"));
    }

    /// The members that the SARIF 2.1.0 schema demands of what is written, with their types and closed lists.
    #[test]
    fn the_log_has_what_the_schema_of_sarif_demands() {
        let log = sarif(&report());
        assert_eq!(log["version"], json!("2.1.0"));
        assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
        for run in log["runs"].as_array().unwrap() {
            let driver = &run["tool"]["driver"];
            assert!(driver["name"].is_string() && driver["version"].is_string());
            let rules: Vec<_> = driver["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
            assert!(rules.iter().all(|id| id.is_string()), "`id` is demanded of each rule");
            for result in run["results"].as_array().unwrap() {
                assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
                assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(rules[index], &result["ruleId"], "a result's rule is the one at its index");
                for location in result["locations"].as_array().unwrap() {
                    let named = location["logicalLocations"].as_array().unwrap();
                    assert!(named.iter().all(|one| one["fullyQualifiedName"].is_string()));
                    if let Some(physical) = location.get("physicalLocation") {
                        assert!(physical["artifactLocation"]["uri"].is_string());
                        assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1);
                    }
                }
            }
            for invocation in run["invocations"].as_array().unwrap() {
                assert!(invocation["executionSuccessful"].is_boolean());
            }
        }
    }
}
