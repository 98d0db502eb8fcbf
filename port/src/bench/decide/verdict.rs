//! Findings to one verdict: validity first, then every endpoint, then the guardrails, then the ledger.

use serde::{Deserialize, Serialize};

use super::rates::Evidence;
use super::validity::Invalid;

/// The most endpoints that one decision rests on. All must be proved, so each one makes accepting harder.
pub const ENDPOINTS_MAX: usize = 3;

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// A loss by the margin is ruled out everywhere.
    Accept,
    /// It cannot be told: neither in, nor to blame.
    Hold,
    /// Something is worse, and that is proved.
    Reject,
}

impl Decided {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Hold => "HOLD",
            Self::Reject => "REJECT",
        }
    }
}

/// What an endpoint showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointFinding {
    /// Its name.
    pub name: String,
    /// What the evidence says.
    pub evidence: Evidence,
    /// What was found, in one line for people.
    pub line: String,
    /// How that was reckoned.
    pub arithmetic: Vec<String>,
}

/// What a family of guardrails showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GuardrailFinding {
    /// How many were guarded.
    pub guarded: usize,
    /// The ones that are harmed, proved for all of them together.
    pub harmed: Vec<String>,
    /// How that was reckoned.
    pub arithmetic: Vec<String>,
}

/// Everything that a decision rests on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// What keeps the arms from being compared.
    pub invalid: Vec<Invalid>,
    /// What must be proved.
    pub endpoints: Vec<EndpointFinding>,
    /// What may not be harmed.
    pub guardrails: GuardrailFinding,
    /// The gap at which the ledger stopped the line, if it did.
    pub tripped: Option<f64>,
}

/// A decision with its reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was decided.
    pub decided: Decided,
    /// Why, in one line.
    pub line: String,
    /// How it was reckoned, for whoever asks.
    pub arithmetic: Vec<String>,
}

/// The verdict over all findings.
pub fn decide(findings: &Findings) -> Verdict {
    let arithmetic = findings
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.arithmetic.iter())
        .chain(&findings.guardrails.arithmetic)
        .cloned()
        .collect();
    let (decided, reason) = reason(findings);
    Verdict { decided, line: format!("{}: {reason}", decided.word()), arithmetic }
}

fn reason(findings: &Findings) -> (Decided, String) {
    if let Some(invalid) = findings.invalid.first() {
        return (Decided::Hold, format!("the sides cannot be compared: {invalid}"));
    }
    if findings.endpoints.len() > ENDPOINTS_MAX {
        let count = findings.endpoints.len();
        return (Decided::Hold, format!("{count} endpoints are configured, and {ENDPOINTS_MAX} may decide"));
    }
    let with = |evidence| findings.endpoints.iter().filter(move |endpoint| endpoint.evidence == evidence);
    if let Some(worse) = with(Evidence::Worse).next() {
        return (Decided::Reject, worse.line.clone());
    }
    if let Some(harmed) = findings.guardrails.harmed.first() {
        let more = match findings.guardrails.harmed.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        return (Decided::Reject, format!("{harmed}{more} is harmed beyond its margin"));
    }
    if let Some(gap) = findings.tripped {
        let points = gap * 100.0;
        return (
            Decided::Hold,
            format!("the line is stopped: audits show the port {points:+.1} points from its reference"),
        );
    }
    if let Some(open) = with(Evidence::Open).next() {
        return (Decided::Hold, format!("cannot tell: {}", open.line));
    }
    let lines: Vec<&str> = findings.endpoints.iter().map(|endpoint| endpoint.line.as_str()).collect();
    match (lines.is_empty(), findings.guardrails.guarded) {
        (true, 0) => (Decided::Hold, "nothing was measured".to_owned()),
        (true, guarded) => (Decided::Accept, format!("none of {guarded} guardrails is harmed")),
        (false, 0) => (Decided::Accept, lines.join("; ")),
        (false, guarded) => {
            (Decided::Accept, format!("{}; none of {guarded} guardrails is harmed", lines.join("; ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(evidence: Evidence) -> EndpointFinding {
        EndpointFinding { name: "e".to_owned(), evidence, line: "line".to_owned(), arithmetic: Vec::new() }
    }

    fn decided(endpoints: &[Evidence], harmed: &[&str], tripped: Option<f64>) -> (Decided, String) {
        let verdict = decide(&Findings {
            invalid: Vec::new(),
            endpoints: endpoints.iter().copied().map(endpoint).collect(),
            guardrails: GuardrailFinding {
                guarded: 5,
                harmed: harmed.iter().map(|&name| name.to_owned()).collect(),
                arithmetic: Vec::new(),
            },
            tripped,
        });
        (verdict.decided, verdict.line)
    }

    #[test]
    fn every_endpoint_must_be_proved_and_nothing_harmed() {
        use Evidence::{NotWorse, Open, Worse};
        assert_eq!(decided(&[NotWorse, NotWorse], &[], None).0, Decided::Accept);
        assert_eq!(decided(&[NotWorse, Open], &[], None).0, Decided::Hold);
        assert_eq!(decided(&[Open, Worse], &[], None).0, Decided::Reject);
        assert_eq!(decided(&[NotWorse], &["slow"], None).0, Decided::Reject);
        assert_eq!(decided(&[NotWorse], &[], Some(-0.03)).0, Decided::Hold);
        assert_eq!(decided(&[NotWorse; 4], &[], None).0, Decided::Hold);
        assert_eq!(decided(&[], &[], None).1, "ACCEPT: none of 5 guardrails is harmed");
    }

    #[test]
    fn invalid_arms_and_no_measurements_hold() {
        let invalid = Findings {
            invalid: vec![Invalid::Nothing],
            endpoints: vec![endpoint(Evidence::Worse)],
            ..Findings::default()
        };
        assert_eq!(decide(&invalid).line, "HOLD: the sides cannot be compared: nothing was measured");
        assert_eq!(decide(&Findings::default()).line, "HOLD: nothing was measured");
    }
}
