//! The gates as SARIF 2.1.0, which forges show beside the lines of a pull request.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::junit::is_note;
use super::{GateReport, subject};
use crate::record::{Finding, GateRecord, Verdict};
use crate::visible::block;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report as a SARIF log: a result for each finding, and for each gate that could not tell.
pub fn sarif(report: &GateReport) -> Value {
    let mut rules: Vec<String> = Vec::new();
    let mut results = Vec::new();
    for gate in &report.gates {
        for Found { code, level, text, symbol } in found(gate) {
            let rule = format!("{}/{code}", gate.gate);
            let index = rules.iter().position(|known| *known == rule).unwrap_or_else(|| {
                rules.push(rule.clone());
                rules.len() - 1
            });
            results.push(json!({
                "ruleId": rule,
                "ruleIndex": index,
                "level": level,
                "message": { "text": block(&text) },
                "locations": [location(report, &symbol)],
            }));
        }
    }
    let rules: Vec<Value> = rules.iter().map(|id| json!({ "id": id })).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tidelock",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{ "executionSuccessful": report.verdict != Verdict::Inconclusive }],
            "results": results,
            "properties": { "tree": report.tree, "baseline": report.baseline, "verdict": report.verdict },
        }],
    })
}

struct Found {
    code: String,
    level: &'static str,
    text: String,
    symbol: String,
}

fn found(gate: &GateRecord) -> Vec<Found> {
    let one = |finding: &Finding| {
        let symbol = subject(&finding.text);
        let examples = gate.counterexamples.iter().filter(|example| example.symbol == symbol);
        let shown: Vec<String> = examples
            .map(|example| {
                format!("\n{}: upstream {}, port {}", example.call, example.upstream, example.port)
            })
            .collect();
        let shown = shown.concat();
        Found {
            code: finding.code.clone(),
            level: if is_note(&finding.code) { "note" } else { "error" },
            text: format!("{}{shown}", finding.text),
            symbol,
        }
    };
    let mut all: Vec<Found> = gate.findings.iter().map(one).collect();
    let unsaid = match gate.verdict {
        Verdict::Pass => None,
        Verdict::Fail => all.is_empty().then_some(("failed", "error")),
        Verdict::Inconclusive => Some(("inconclusive", "warning")),
    };
    all.extend(unsaid.map(|(code, level)| Found {
        code: code.to_owned(),
        level,
        text: gate.reason.clone(),
        symbol: gate.gate.clone(),
    }));
    all
}

fn location(report: &GateReport, symbol: &str) -> Value {
    let logical = json!([{ "fullyQualifiedName": block(symbol) }]);
    match report.place(symbol) {
        Some(place) => json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&place.file) },
                "region": { "startLine": place.line.max(1) },
            },
            "logicalLocations": logical,
        }),
        None => json!({ "logicalLocations": logical }),
    }
}

/// A path as a relative reference.
fn uri(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a string takes any text");
        }
    }
    text
}
