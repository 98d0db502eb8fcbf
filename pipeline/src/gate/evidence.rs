//! What the contract found, as evidence: counts and counterexamples by item, and how far each item is known
//! to behave alike.

use std::collections::{BTreeMap, BTreeSet};

use mappings::Proof;
use port::contract::sessions::{SessionEvidence, SessionOutcome};
use port::contract::{ContractReport, Divergence, ErrorPolicy, ItemEvidence, SequenceEvidence, Stage};
use reports::count;
use reports::record::{CounterexampleRecord, DivergenceRecord, EvidenceRow, Finding, ProofLevel, SessionRow};
use upstream::ItemPath;

use super::sessions;

/// What a comparison of both sides came to.
#[derive(Debug, Default)]
pub struct Evidence {
    /// What was found.
    pub report: ContractReport,
    /// How far each item is known to behave alike, by this evidence alone.
    pub proofs: BTreeMap<ItemPath, Proof>,
    /// Cases of sessions, by name, that differ and wait with what is parked.
    pub waiting: BTreeSet<String>,
}

impl Evidence {
    /// The evidence of a report.
    pub fn of(report: ContractReport) -> Self {
        let mut proofs: BTreeMap<_, _> =
            report.items.iter().map(|item| (item.item.clone(), proof(item))).collect();
        for item in report.sequences.iter().flat_map(|of_type| of_type.blamed.keys()) {
            proofs.insert(item.clone(), Proof::Unknown);
        }
        Self { report, proofs, waiting: BTreeSet::new() }
    }

    /// Whether anything speaks against the candidate.
    pub fn disagrees(&self) -> bool {
        !self.report.spec.is_empty()
            || self.report.items.iter().any(|item| item.disagreed > 0)
            || self.report.sequences.iter().any(|of_type| of_type.disagreed > 0)
            || self.differing_sessions().next().is_some()
    }

    /// Cases of sessions that differ and do not wait.
    fn differing_sessions(&self) -> impl Iterator<Item = &SessionEvidence> {
        let differs = |one: &&SessionEvidence| !one.differences().is_empty();
        self.report.sessions.iter().filter(differs).filter(|one| !self.waiting.contains(&one.name()))
    }

    /// Whether whole programs were run, and none of them did otherwise or could not be told.
    pub(super) fn sessions_agree(&self) -> bool {
        let sessions = &self.report.sessions;
        sessions.iter().any(|one| one.outcome == SessionOutcome::Agreed)
            && self.differing_sessions().next().is_none()
            && sessions.iter().all(|one| sessions::reason_blocked(one).is_none())
    }

    /// The first case of a session that could not be told, with the reason.
    pub fn untold_session(&self) -> Option<(String, &str)> {
        self.report.sessions.iter().find_map(|one| Some((one.name(), sessions::reason_blocked(one)?)))
    }

    /// What each case of a session came to, for the report.
    pub fn session_rows(&self) -> Vec<SessionRow> {
        let row = |one: &SessionEvidence| sessions::row(one, self.waiting.contains(&one.name()));
        self.report.sessions.iter().map(row).collect()
    }

    /// The items on which the port does otherwise, by their own probes or in a sequence of calls.
    pub fn differing(&self) -> BTreeSet<&ItemPath> {
        let alone = self.report.items.iter().filter(|item| item.disagreed > 0).map(|item| &item.item);
        alone.chain(self.report.sequences.iter().flat_map(|of_type| of_type.blamed.keys())).collect()
    }

    /// The items that something speaks against, before or after a call was made, with the first reason.
    pub fn contradicted(&self) -> BTreeMap<&ItemPath, String> {
        let spec = self.report.spec.iter().map(|finding| (&finding.item, finding.text.clone()));
        let reason = |item: &ItemPath| {
            let mut examples = self.report.counterexamples.iter().filter(|example| example.item == *item);
            examples.next().map_or_else(
                || "it does otherwise".to_owned(),
                |one| format!("{}: Rust gave {}, the port gave {}", one.call, one.upstream, one.port),
            )
        };
        let differing = self.differing().into_iter().map(|item| (item, reason(item)));
        differing.chain(spec).collect()
    }

    /// Probes and sequences that could not be answered for a cause outside the code.
    pub fn blocked(&self) -> u32 {
        let probes: u32 = self.report.items.iter().map(|item| item.blocked).sum();
        probes + self.in_sequence(|of_type| of_type.blocked)
    }

    /// A count over all types that were called in sequence.
    pub(super) fn in_sequence(&self, count: fn(&SequenceEvidence) -> u32) -> u32 {
        self.report.sequences.iter().map(count).sum()
    }

    /// What could not be called in sequence, a reason for each.
    pub fn not_sequenced(&self) -> Vec<String> {
        let whole = |of_type: &SequenceEvidence| {
            let reason = of_type.not_sequenced.as_ref()?;
            Some(format!("`{}`: {reason}", of_type.of.name()))
        };
        let rest = |of_type: &SequenceEvidence| {
            let left = of_type.left_out.iter().filter(|_| of_type.not_sequenced.is_none());
            left.map(|(item, reason)| format!("`{}`: {reason}", item.name())).collect::<Vec<_>>()
        };
        let types = self.report.sequences.iter();
        types.flat_map(|of_type| whole(of_type).into_iter().chain(rest(of_type))).collect()
    }

    /// Probes on which both sides gave the same.
    pub fn agreed(&self) -> u32 {
        self.report.items.iter().map(|item| item.agreed).sum()
    }

    /// By which rules errors were held against exceptions, and what was left out, in a few words; empty where
    /// there is nothing to say.
    pub fn caveats(&self) -> String {
        let with = |policy: ErrorPolicy| {
            self.report.items.iter().filter(|item| item.error_policy == Some(policy)).count()
        };
        let functions = |number: usize| count(number as u64, "function");
        let mut parts = Vec::new();
        let (linked, any) = (with(ErrorPolicy::LinkedClass), with(ErrorPolicy::AnyDeliberate));
        if linked > 0 {
            parts.push(format!("errors of {} by their linked class", functions(linked)));
        }
        if any > 0 {
            parts.push(format!("errors of {} by any exception raised on purpose", functions(any)));
        }
        let unobserved: u32 = self.report.items.iter().map(|item| item.unobserved).sum();
        if unobserved > 0 {
            parts.push(format!("{} could not be compared", count(unobserved.into(), "result")));
        }
        let left_out: u32 = self.report.items.iter().map(|item| item.corners_left_out).sum();
        if left_out > 0 {
            parts.push(format!("{} left out", count(left_out.into(), "boundary probe")));
        }
        let is_waiting =
            |of_type: &&SequenceEvidence| of_type.agreed + of_type.disagreed + of_type.blocked == 0;
        let waiting: Vec<_> = self.report.sequences.iter().filter(is_waiting).collect();
        if let Some(first) = waiting.first() {
            let types = count(waiting.len() as u64, "type");
            let reason = first.not_sequenced.as_deref().unwrap_or_default();
            parts.push(format!("no calls in sequence on {types}, such as `{}`: {reason}", first.of.name()));
        }
        parts.extend(self.report.notes.iter().cloned());
        parts.join(", ")
    }

    /// What was compared for an item.
    pub fn of_item(&self, item: &ItemPath) -> Option<&ItemEvidence> {
        self.report.items.iter().find(|evidence| evidence.item == *item)
    }

    /// What was compared, for the report.
    pub fn rows(&self) -> Vec<EvidenceRow> {
        self.report.items.iter().map(|evidence| row(evidence, self.proofs.get(&evidence.item))).collect()
    }

    /// Calls on which both sides differ, for the report.
    pub fn counterexamples(&self) -> Vec<CounterexampleRecord> {
        let stages = [Stage::Spec, Stage::Numeric, Stage::Behavioural];
        let calls = stages.into_iter().flat_map(|stage| self.counterexamples_of(stage));
        calls.chain(self.differing_sessions().filter_map(sessions::counterexample)).collect()
    }

    /// Those of one stage.
    pub(super) fn counterexamples_of(&self, stage: Stage) -> Vec<CounterexampleRecord> {
        let all = self.report.counterexamples.iter();
        all.filter(|example| example.stage == stage)
            .map(|example| CounterexampleRecord {
                symbol: example.symbol.to_string(),
                call: example.call.clone(),
                upstream: example.upstream.clone(),
                port: example.port.clone(),
                commands: Vec::new(),
                program: example.program.clone(),
                divergence: example.divergence.as_ref().map(|found| DivergenceRecord {
                    item: found.item.to_string(),
                    symbol: found.symbol.to_string(),
                    arguments: found.arguments.clone(),
                    upstream: found.upstream.clone(),
                    port: found.port.clone(),
                }),
            })
            .collect()
    }

    /// What speaks against the candidate, for the report.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.findings_in_single_calls();
        findings.extend(self.findings_in_sequences());
        findings.extend(self.differing_sessions().flat_map(sessions::findings));
        findings
    }

    /// Which symbols sequences of calls tell of.
    pub(super) fn findings_in_sequences(&self) -> Vec<Finding> {
        let differing = self.report.sequences.iter().filter(|of_type| of_type.disagreed > 0);
        let symbol =
            |item: &ItemPath| self.of_item(item).map_or_else(|| item.to_string(), |it| it.symbol.to_string());
        let finding = |of_type: &SequenceEvidence| Finding {
            code: "sequence-disagreement".to_owned(),
            text: format!(
                "{}: {} of {} of calls on one value differ from the upstream",
                of_type.blamed.keys().map(symbol).collect::<Vec<_>>().join(", "),
                of_type.disagreed,
                count((of_type.agreed + of_type.disagreed).into(), "sequence")
            ),
        };
        differing.map(finding).collect()
    }

    /// What the Spec stage and single calls found.
    pub(super) fn findings_in_single_calls(&self) -> Vec<Finding> {
        let spec = self.report.spec.iter().map(|finding| Finding {
            code: finding.code.clone(),
            text: format!("{}: {}", finding.symbol, finding.text),
        });
        let differing = self.report.items.iter().filter(|item| item.disagreed > 0).map(|item| Finding {
            code: "disagreement".to_owned(),
            text: format!(
                "{}: {} of {} differ from the upstream",
                item.symbol,
                item.disagreed,
                count((item.agreed + item.disagreed).into(), "probe")
            ),
        });
        spec.chain(differing).collect()
    }

    /// What a translator may be told: findings by name, the counterexamples of the development pool, and the cases of
    /// sessions that people declared.
    pub fn may_be_told(&self) -> Vec<String> {
        let named = self.findings_in_single_calls().into_iter().chain(self.findings_in_sequences());
        let findings = named.map(|finding| format!("{}: {}", finding.code, finding.text));
        let shown =
            self.report.counterexamples.iter().filter(|example| example.may_be_shown).map(|example| {
                let said = format!(
                    "{}: Rust gave {}, the port gave {}",
                    example.call, example.upstream, example.port
                );
                match &example.divergence {
                    Some(found) => format!("{said} {}", parting(found)),
                    None => said,
                }
            });
        findings.chain(shown).chain(self.sessions_told()).collect()
    }

    /// The part of it that is about whole programs.
    pub fn sessions_told(&self) -> Vec<String> {
        sessions::told(self.differing_sessions())
    }

    /// The evidence in a few words.
    pub fn words(&self) -> String {
        let agreed = self.agreed();
        let functions = self.report.items.iter().filter(|item| item.agreed > 0).count();
        if agreed == 0 {
            return "nothing to probe".to_owned();
        }
        format!("{} on {} agree", count(agreed.into(), "probe"), count(functions as u64, "function"))
    }
}

/// Where both sides part, in words.
fn parting(found: &Divergence) -> String {
    format!(
        "(they part in {}({}): Rust gave {}, the port gave {})",
        found.symbol, found.arguments, found.upstream, found.port
    )
}

/// How far one item is known to behave alike, by its own evidence.
fn proof(evidence: &ItemEvidence) -> Proof {
    if evidence.disagreed > 0 {
        Proof::Unknown
    } else if evidence.agreed > 0 && evidence.unobserved == 0 {
        Proof::Proved
    } else if evidence.agreed > 0 || evidence.blocks_reached > 0 {
        // Some of its results were compared, or probes ran through it whose results agreed. A call that was
        // made and whose result nobody could compare is neither.
        Proof::Tested
    } else {
        Proof::MappedOnly
    }
}

fn row(evidence: &ItemEvidence, proof: Option<&Proof>) -> EvidenceRow {
    EvidenceRow {
        item: evidence.item.to_string(),
        symbol: evidence.symbol.to_string(),
        proof: proof_level(proof.copied().unwrap_or(Proof::Unknown)),
        not_probed: evidence.not_probed.clone().unwrap_or_default(),
        harvested: evidence.harvested,
        generated: evidence.generated,
        agreed: evidence.agreed,
        disagreed: evidence.disagreed,
        blocked: evidence.blocked,
        blocks_reached: evidence.blocks_reached,
        blocks_total: evidence.blocks_total,
        changed_upstream: evidence.changed_upstream,
        changed_port: evidence.changed_port,
        changed_alike: evidence.changed_alike,
    }
}

fn proof_level(proof: Proof) -> ProofLevel {
    match proof {
        Proof::Proved => ProofLevel::Proved,
        Proof::Tested => ProofLevel::Tested,
        Proof::MappedOnly => ProofLevel::MappedOnly,
        Proof::Unknown => ProofLevel::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(agreed: u32, unobserved: u32, blocks_reached: u32) -> ItemEvidence {
        ItemEvidence {
            generated: agreed + unobserved,
            agreed,
            unobserved,
            error_policy: (agreed > 0).then_some(ErrorPolicy::AnyDeliberate),
            blocks_reached,
            blocks_total: 2,
            ..ItemEvidence::none("k::f".parse().unwrap(), "p.f".parse().unwrap())
        }
    }

    #[test]
    fn a_call_whose_result_was_not_compared_is_no_proof() {
        assert_eq!(proof(&evidence(5, 0, 2)), Proof::Proved);
        assert_eq!(proof(&evidence(5, 1, 2)), Proof::Tested);
        assert_eq!(proof(&evidence(0, 5, 0)), Proof::MappedOnly);
        assert_eq!(proof(&evidence(0, 5, 1)), Proof::Tested);
        assert_eq!(proof(&ItemEvidence { disagreed: 1, ..evidence(5, 0, 2) }), Proof::Unknown);
    }

    #[test]
    fn what_was_compared_loosely_or_not_at_all_is_said() {
        let items = vec![evidence(5, 0, 2), ItemEvidence { corners_left_out: 3, ..evidence(0, 7, 0) }];
        let found = Evidence::of(ContractReport { items, ..ContractReport::default() });
        assert_eq!(
            found.caveats(),
            "errors of 1 function by any exception raised on purpose, 7 results could not be compared, \
             3 boundary probes left out"
        );
    }
}
