//! The contract over a tree of the port: both sides asked, and what came of it as evidence.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use mappings::{Proof, SymbolPath};
use port::contract::{
    ContractItem, ContractReport, ContractRequest, ItemEvidence, OldRevision, Pools, PortSide, Prepared, Profile,
    check,
};
use reports::record::{CounterexampleRecord, EvidenceRow, Finding, ProofLevel};
use upstream::{ContentHash, ItemPath, TreeId};

use super::{Driver, checkouts};

/// The seed of the development probes. It may be known to everybody.
const DEVELOPMENT_SEED: &str = "tidelock development probes 1";

/// What is to be compared, and against what.
pub(super) struct Question<'a> {
    /// The tree of the port.
    pub(super) tree: &'a TreeId,
    /// The items with their symbols.
    pub(super) items: Vec<(ItemPath, SymbolPath)>,
    /// What makes this attempt's deciding probes its own.
    pub(super) occasion: String,
    /// Whether the change itself is compared too.
    pub(super) compare_change: bool,
}

/// What the comparison came to.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) report: ContractReport,
    /// How far each item is known to behave alike, by this evidence alone.
    pub(super) proofs: BTreeMap<ItemPath, Proof>,
}

impl Answer {
    /// Whether anything speaks against the candidate.
    pub(super) fn disagrees(&self) -> bool {
        !self.report.spec.is_empty() || self.report.items.iter().any(|item| item.disagreed > 0)
    }

    /// Probes that could not be answered for a cause outside the code.
    pub(super) fn blocked(&self) -> u32 {
        self.report.items.iter().map(|item| item.blocked).sum()
    }

    pub(super) fn evidence_of(&self, item: &ItemPath) -> Option<&ItemEvidence> {
        self.report.items.iter().find(|evidence| evidence.item == *item)
    }

    pub(super) fn rows(&self) -> Vec<EvidenceRow> {
        self.report.items.iter().map(|evidence| row(evidence, self.proofs.get(&evidence.item))).collect()
    }

    pub(super) fn counterexamples(&self) -> Vec<CounterexampleRecord> {
        self.report
            .counterexamples
            .iter()
            .map(|example| CounterexampleRecord {
                symbol: example.symbol.to_string(),
                call: example.call.clone(),
                upstream: example.upstream.clone(),
                port: example.port.clone(),
            })
            .collect()
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let spec = self.report.spec.iter().map(|finding| Finding {
            code: finding.code.clone(),
            text: format!("{}: {}", finding.symbol, finding.text),
        });
        let differing = self.report.items.iter().filter(|item| item.disagreed > 0).map(|item| Finding {
            code: "disagreement".to_owned(),
            text: format!(
                "{}: {} of {} probes differ from the upstream",
                item.symbol,
                item.disagreed,
                item.agreed + item.disagreed
            ),
        });
        spec.chain(differing).collect()
    }

    /// What a translator may be told: findings by name, and the counterexamples of the development pool.
    pub(super) fn may_be_told(&self) -> Vec<String> {
        let findings = self.findings().into_iter().map(|finding| format!("{}: {}", finding.code, finding.text));
        let shown = self.report.counterexamples.iter().filter(|example| example.may_be_shown).map(|example| {
            format!("{}: Rust gave {}, the port gave {}", example.call, example.upstream, example.port)
        });
        findings.chain(shown).collect()
    }

    /// The evidence in a few words.
    pub(super) fn words(&self) -> String {
        let agreed: u32 = self.report.items.iter().map(|item| item.agreed).sum();
        let functions = self.report.items.iter().filter(|item| item.agreed > 0).count();
        if agreed == 0 {
            return "nothing to probe".to_owned();
        }
        let plural = if functions == 1 { "" } else { "s" };
        format!("{agreed} probes on {functions} function{plural} agree")
    }
}

impl Driver<'_> {
    /// Runs the contract of the revision at work over a tree of the port.
    pub(super) fn ask(&mut self, question: &Question<'_>) -> Result<Answer> {
        let current = self.current()?;
        let upstream = self.oracles.at(&current.revision, &current.snapshot)?;
        let (old_upstream, old_tree) = if question.compare_change {
            (Some(self.oracles.at(&current.baseline.revision, &current.baseline)?), Some(&current.head.tree))
        } else {
            (None, None)
        };
        let candidate = self.session.port.checkout(question.tree, &checkouts(self.session))?;
        let candidate_side = self.oracles.port_side(candidate.path());
        let before = match old_tree {
            Some(tree) => Some(self.session.port.checkout(tree, &checkouts(self.session))?),
            None => None,
        };
        let before_side = before.as_ref().map(|before| self.oracles.port_side(before.path()));
        let pools = Pools {
            development_seed: DEVELOPMENT_SEED.to_owned(),
            deciding_seed: ContentHash::of_parts([&self.secret, &question.occasion]).to_string(),
            probes_max: usize::try_from(self.session.settings.probes / 2).unwrap_or(usize::MAX).max(1),
        };
        let links: BTreeMap<ItemPath, SymbolPath> = current
            .lock
            .links
            .values()
            .map(|link| (link.item.clone(), link.symbol.clone()))
            .chain(question.items.iter().cloned())
            .collect();
        let mut answer = Answer::default();
        for (library, items) in by_library(&question.items) {
            let Some(prepared) = upstream.prepared.get(&library) else {
                answer.report.items.extend(items.iter().map(|item| not_probed(item, "its target is no library")));
                continue;
            };
            let old = old_side(old_upstream.as_deref(), &library, before_side.as_ref());
            let report = check(&self.oracles.tools(), &ContractRequest {
                upstream: prepared,
                snapshot: &current.snapshot,
                candidate: &candidate_side,
                old,
                items: &items,
                links: &links,
                harvested: &upstream.harvested,
                pools: &pools,
                profile: &Profile::default(),
            })?;
            merge(&mut answer.report, report);
        }
        answer.proofs = answer.report.items.iter().map(|item| (item.item.clone(), proof(item))).collect();
        Ok(answer)
    }
}

fn by_library(items: &[(ItemPath, SymbolPath)]) -> BTreeMap<String, Vec<ContractItem>> {
    let mut libraries: BTreeMap<String, Vec<ContractItem>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (item, symbol) in items.iter().filter(|(item, _)| seen.insert(item)) {
        let entry = ContractItem { item: item.clone(), symbol: symbol.clone() };
        libraries.entry(item.krate().to_owned()).or_default().push(entry);
    }
    libraries
}

fn old_side<'b>(
    upstream: Option<&'b super::oracle::Upstream>,
    library: &str,
    port: Option<&'b PortSide>,
) -> Option<OldRevision<'b>> {
    match (upstream.and_then(|upstream| upstream.prepared.get(library)), port) {
        (Some(Prepared::Ready(oracle)), Some(port)) => Some(OldRevision { oracle, port }),
        (Some(Prepared::SourceBlocked { .. } | Prepared::Ready(_)) | None, _) => None,
    }
}

fn merge(into: &mut ContractReport, report: ContractReport) {
    into.source_blocked = into.source_blocked.take().or(report.source_blocked);
    into.spec.extend(report.spec);
    into.items.extend(report.items);
    into.counterexamples.extend(report.counterexamples);
    into.duration_ms += report.duration_ms;
}

fn not_probed(item: &ContractItem, reason: &str) -> ItemEvidence {
    ItemEvidence {
        item: item.item.clone(),
        symbol: item.symbol.clone(),
        not_probed: Some(reason.to_owned()),
        harvested: 0,
        generated: 0,
        agreed: 0,
        disagreed: 0,
        blocked: 0,
        blocks_reached: 0,
        blocks_total: 0,
        changed_upstream: None,
        changed_port: None,
        changed_alike: None,
    }
}

/// How far one item is known to behave alike, by its own evidence.
fn proof(evidence: &ItemEvidence) -> Proof {
    if evidence.disagreed > 0 {
        Proof::Unknown
    } else if evidence.agreed > 0 {
        Proof::Proved
    } else if evidence.blocks_reached > 0 {
        // Probes of its callers ran through it, and they agreed.
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

pub(super) fn proof_level(proof: Proof) -> ProofLevel {
    match proof {
        Proof::Proved => ProofLevel::Proved,
        Proof::Tested => ProofLevel::Tested,
        Proof::MappedOnly => ProofLevel::MappedOnly,
        Proof::Unknown => ProofLevel::Unknown,
    }
}
