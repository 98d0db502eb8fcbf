//! Several benchmarks to one decision.

use anyhow::Result;
use port::bench::decide::{Evidence, Findings, GuardrailFinding, LedgerRule, Verdict, decide, holm};
use port::bench::run::Stopped;
use upstream::{Revision, TreeId};

use super::{AuditRow, Benching, Compared, HistoryRow, Pairing, Source, mode_name, modes};
use crate::config::bench::{BenchKind, BenchMode, BenchRole, BenchSettings};
use crate::gate::BenchEvidence;

/// The probability of blaming any unharmed bench among all that are guarded.
const FAMILY_ALPHA: f64 = 0.05;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question<'a> {
    /// The benchmarks.
    pub(crate) benches: Vec<&'a BenchSettings>,
    /// The port before, which is trusted.
    pub(crate) before: TreeId,
    /// The port after.
    pub(crate) after: TreeId,
    /// The upstream that the port after is to equal, where it is known.
    pub(crate) upstream: Option<Revision>,
}

/// What was decided, with all that it rests on.
#[derive(Debug)]
pub(crate) struct Decision {
    /// The decision.
    pub(crate) verdict: Verdict,
    /// What was measured, for the record.
    pub(crate) evidence: BenchEvidence,
    /// Every comparison with its mode and role.
    pub(crate) compared: Vec<(BenchMode, BenchRole, Compared)>,
}

impl Decision {
    /// Whether it was stopped, and can go on.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.compared.iter().any(|(_, _, compared)| compared.comparison.stopped == Stopped::Interrupted)
    }
}

impl Benching<'_> {
    /// Runs what is asked and decides.
    pub(crate) fn decide(&self, question: &Question<'_>) -> Result<Decision> {
        let endpoints: usize = question
            .benches
            .iter()
            .filter(|bench| bench.role == BenchRole::Endpoint)
            .map(|bench| modes(bench.mode).len())
            .sum();
        let mut compared = Vec::new();
        for bench in &question.benches {
            for mode in modes(bench.mode) {
                let Some(pairing) = pairing(bench, mode, question, endpoints) else { continue };
                let one = self.compare(&pairing)?;
                if bench.role == BenchRole::Audit && one.comparison.stopped == Stopped::Capped {
                    self.audit(&pairing, &one)?;
                }
                let stopped = one.comparison.stopped == Stopped::Interrupted;
                compared.push((mode, bench.role, one));
                if stopped {
                    break;
                }
            }
        }
        let findings = self.findings(&compared)?;
        let verdict = decide(&findings);
        let evidence = self.evidence(question, &compared)?;
        for (mode, _role, one) in &compared {
            self.remember(*mode, question, one)?;
        }
        Ok(Decision { verdict, evidence, compared })
    }

    fn findings(&self, compared: &[(BenchMode, BenchRole, Compared)]) -> Result<Findings> {
        let mut findings = Findings::default();
        // All guarded benches are one family: the more there are, the more proof each one takes.
        let mut guarded: Vec<(String, f64)> = Vec::new();
        for (mode, role, Compared { comparison, notes, .. }) in compared {
            findings.guardrails.arithmetic.extend(notes.iter().cloned());
            findings.invalid.extend(comparison.invalid());
            let name = format!("{} ({})", comparison.header.bench, mode_name(*mode));
            if let Some(harms) = comparison.harms() {
                let family = harms.benches.iter();
                guarded
                    .extend(family.map(|bench| (format!("`{}` of {name}", bench.name), bench.harm_p_value)));
            }
            findings.guardrails.arithmetic.extend(comparison.guardrails().arithmetic);
            match role {
                BenchRole::Endpoint => findings.endpoints.push(comparison.endpoint()),
                BenchRole::Guardrail => {
                    let endpoint = comparison.endpoint();
                    findings.guardrails.arithmetic.extend(endpoint.arithmetic);
                    if comparison.harms().is_none() {
                        findings.guardrails.guarded += 1;
                        if endpoint.evidence == Evidence::Worse {
                            findings.guardrails.harmed.push(endpoint.line);
                        }
                    }
                }
                BenchRole::Audit => findings.guardrails.guarded += 1,
            }
        }
        let p_values: Vec<f64> = guarded.iter().map(|(_, p_value)| *p_value).collect();
        let harmed = holm(&p_values, FAMILY_ALPHA);
        let blamed = guarded.iter().zip(harmed).filter(|(_, harmed)| *harmed);
        let GuardrailFinding { guarded: count, harmed: names, .. } = &mut findings.guardrails;
        names.extend(blamed.map(|((name, _), _)| name.clone()));
        *count += guarded.len();
        let ledger = self.ledger()?;
        findings.tripped = ledger.is_tripped(&LedgerRule::default()).then(|| ledger.gap());
        Ok(findings)
    }

    fn audit(&self, pairing: &Pairing<'_>, compared: &Compared) -> Result<()> {
        let name = |source: &Source| source.name().to_owned();
        self.records.add_audit(&AuditRow {
            bench: pairing.bench.name.clone(),
            upstream: name(&pairing.reference),
            port: name(&pairing.candidate),
            at_ms: self.session.machine.clock.now_ms(),
            pairs: compared.comparison.tally.task_pairs,
        })
    }

    /// Puts a finished comparison into the history; one that can go on is not finished.
    fn remember(&self, mode: BenchMode, question: &Question<'_>, compared: &Compared) -> Result<()> {
        let comparison = &compared.comparison;
        if comparison.stopped == Stopped::Interrupted || comparison.tally.pairs() == 0 {
            return Ok(());
        }
        let verdict = comparison.verdict();
        self.records.add_history(&HistoryRow {
            at_ms: self.session.machine.clock.now_ms(),
            bench: comparison.header.bench.clone(),
            mode,
            reference: words_of(question, &comparison.header.reference),
            candidate: words_of(question, &comparison.header.candidate),
            machine: comparison.header.machine.short(),
            decided: verdict.decided.word().to_owned(),
            line: verdict.line,
            sides: comparison.side_by_side(),
        })
    }
}

/// What a benchmark compares the port after with: the upstream at the same revision where it can run the
/// suite, since a fair port loses what its upstream loses; else the port before. Times of two languages say
/// nothing about a change, so values are always held against the port before.
fn pairing<'q>(
    bench: &'q BenchSettings,
    mode: BenchMode,
    question: &Question<'_>,
    endpoints: usize,
) -> Option<Pairing<'q>> {
    let upstream = question
        .upstream
        .clone()
        .filter(|_| bench.kind == BenchKind::Tasks && !bench.upstream_command.is_empty());
    let reference = match (upstream, bench.role) {
        (Some(revision), _) => Source::Upstream(Box::new(revision)),
        // Without the upstream there is nothing to audit against.
        (None, BenchRole::Audit) => return None,
        (None, BenchRole::Endpoint | BenchRole::Guardrail) => Source::Port(question.before.clone()),
    };
    let candidate = Source::Port(question.after.clone());
    Some(Pairing { bench, mode, reference, candidate, trusted: question.before.clone(), endpoints })
}

/// What people call a side.
pub(super) fn words_of(question: &Question<'_>, name: &str) -> String {
    let revision = question.upstream.as_ref().filter(|revision| revision.commit.as_str() == name);
    revision.map_or_else(
        || format!("port {}", name.get(..8).unwrap_or_default()),
        |revision| format!("upstream {}", revision.label),
    )
}
