//! What one unit's tree is worth: the contract over its symbols, or its test, and nothing else.

use anyhow::Result;
use mappings::{Proof, SymbolPath, UnitKind, WorkUnit};
use port::suite::TestStatus;
use reports::record::Finding;
use upstream::{ItemChange, ItemPath, TreeId};

use super::Driver;
use super::attempt::Made;
use super::context::Attempt;
use super::suite::{message_of, status_of};
use crate::engine::AttemptResult;
use crate::gate::Evidence;
use crate::progress::AttemptNews;

/// How the check of a unit ended.
pub(super) enum Judged {
    /// Nothing speaks against it.
    Passed {
        proofs: Vec<(ItemPath, Proof)>,
        evidence: Option<Evidence>,
        /// The evidence in a few words.
        words: String,
    },
    /// It is wrong.
    Refused(Refusal),
    /// It could not be told, for a cause outside.
    Unknown { reason: String },
}

/// An answer that was found wrong.
pub(super) struct Refusal {
    /// Where: `answer`, `edit`, `syntax`, `contract` or `test`.
    pub(super) stage: &'static str,
    pub(super) findings: Vec<Finding>,
    /// What a translator may be told of it.
    pub(super) may_be_told: Vec<String>,
    pub(super) evidence: Option<Evidence>,
}

impl Refusal {
    pub(super) fn new(stage: &'static str, findings: Vec<Finding>) -> Self {
        let may_be_told =
            findings.iter().map(|finding| format!("{}: {}", finding.code, finding.text)).collect();
        Self { stage, findings, may_be_told, evidence: None }
    }

    pub(super) fn one(stage: &'static str, code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(stage, vec![Finding { code: code.into(), text: text.into() }])
    }

    fn by_contract(evidence: Evidence) -> Self {
        Self {
            stage: "contract",
            findings: evidence.findings(),
            may_be_told: evidence.may_be_told(),
            evidence: Some(evidence),
        }
    }

    /// Why, in one line, with a counterexample where there is one.
    pub(super) fn words(&self) -> String {
        let example = self.evidence.as_ref().and_then(|evidence| evidence.report.counterexamples.first());
        match (example, self.findings.first()) {
            (Some(example), _) => {
                format!("{} is {} upstream and {} here", example.call, example.upstream, example.port)
            }
            (None, Some(finding)) => finding.text.lines().next().unwrap_or_default().to_owned(),
            (None, None) => self.stage.to_owned(),
        }
    }
}

impl Driver<'_> {
    /// The new contract against the port as it stands: where it holds and every changed block was reached,
    /// no edit is needed.
    pub(super) fn verify_first(&mut self, given: &Attempt<'_>) -> Result<Made> {
        let absent = given.unit.members.iter().find(|member| given.symbols.get(&member.symbol).is_none());
        match (given.unit.kind, absent) {
            (UnitKind::Remove | UnitKind::Relocate, _) => {
                return Ok(Made::declined("the symbol has to go or to be renamed"));
            }
            (UnitKind::Add | UnitKind::Change | UnitKind::Test, Some(member)) => {
                return Ok(Made::declined(format!("`{}` is not in the port yet", member.symbol)));
            }
            (UnitKind::Add | UnitKind::Change | UnitKind::Test, None) => {}
        }
        if let Some(reason) = asks_otherwise(given) {
            return Ok(Made::declined(reason));
        }
        let judged = self.judge(given, given.tree, None)?;
        Ok(match judged {
            Judged::Unknown { reason } => Made::unavailable(reason),
            Judged::Refused(refusal) => Made {
                findings: refusal.findings.clone(),
                ..Made {
                    evidence: refusal.evidence,
                    ..Made::declined("the port does not do as the new upstream does")
                }
            },
            Judged::Passed { proofs, evidence, words } => match uncovered(given.unit, evidence.as_ref()) {
                Some(reason) => Made { evidence, ..Made::declined(reason) },
                None => Made {
                    origin: "the port as it stands".to_owned(),
                    declined: None,
                    verdict: Some(reports::Verdict::Pass),
                    evidence,
                    result: AttemptResult::Accepted {
                        tree: given.tree.clone(),
                        answer: None,
                        proofs,
                        lesson: None,
                    },
                    news: AttemptNews::Absorbed { evidence: words },
                    ..Made::declined("")
                },
            },
        })
    }

    /// Checks a tree for a unit; `early` is what a check of it found before.
    pub(super) fn judge(
        &mut self,
        given: &Attempt<'_>,
        tree: &TreeId,
        early: Option<Evidence>,
    ) -> Result<Judged> {
        match given.unit.kind {
            UnitKind::Test => self.judge_test(given.unit, tree),
            UnitKind::Add | UnitKind::Change | UnitKind::Remove | UnitKind::Relocate => {
                self.judge_code(given, tree, early)
            }
        }
    }

    fn judge_code(&mut self, given: &Attempt<'_>, tree: &TreeId, early: Option<Evidence>) -> Result<Judged> {
        let unit = given.unit;
        let mut answer = match early {
            Some(evidence) => evidence,
            // What the change itself did is compared for the whole candidate.
            None => self.ask(given.current, tree, asked_of(unit), occasion(given), false)?,
        };
        if let Some(asked) = self.asked_without_resting(given, &answer) {
            answer = self.ask(given.current, tree, asked, occasion(given), false)?;
        }
        if let Some(reason) = &answer.report.source_blocked {
            return Ok(Judged::Unknown { reason: format!("the upstream cannot be asked: {reason}") });
        }
        if answer.disagrees() {
            return Ok(Judged::Refused(Refusal::by_contract(answer)));
        }
        if answer.blocked() > 0 {
            let reason =
                format!("{} could not be answered", reports::count(answer.blocked().into(), "probe"));
            return Ok(Judged::Unknown { reason });
        }
        let known = |(item, _): (ItemPath, SymbolPath)| {
            let proof = answer.proofs.get(&item).copied().unwrap_or(Proof::MappedOnly);
            (item, proof)
        };
        let proofs = members(unit).map(known).collect();
        let words = answer.words();
        Ok(Judged::Passed { proofs, evidence: Some(answer), words })
    }

    /// A port's test that answers to an upstream test: it must be there, run, and pass.
    fn judge_test(&mut self, unit: &WorkUnit, tree: &TreeId) -> Result<Judged> {
        if !self.suites.are_there() {
            return Ok(Judged::Unknown { reason: "no test command is configured".to_owned() });
        }
        let report = self.suites.of(tree)?;
        if let Some(trouble) = &report.trouble {
            return Ok(Judged::Unknown { reason: format!("the port's tests cannot be read: {trouble}") });
        }
        let mut findings = Vec::new();
        for member in unit.members.iter().filter(|member| member.change.after().is_some()) {
            let symbol = &member.symbol;
            let (code, text) = match status_of(&report, symbol) {
                Some(TestStatus::Passed) => continue,
                Some(TestStatus::Skipped) => ("test-skipped", format!("{symbol} is skipped")),
                Some(TestStatus::Failed | TestStatus::Error) => {
                    let said = message_of(&report, symbol).unwrap_or_default();
                    ("test-fails", format!("{symbol} fails: {said}"))
                }
                None => ("test-missing", format!("{symbol} does not run")),
            };
            findings.push(Finding { code: code.to_owned(), text });
        }
        if !findings.is_empty() {
            return Ok(Judged::Refused(Refusal::new("test", findings)));
        }
        let proofs = members(unit).map(|(item, _)| (item, Proof::Tested)).collect();
        Ok(Judged::Passed { proofs, evidence: None, words: "the port's test passes".to_owned() })
    }
}

/// What is asked about for a unit: its own items, and what the change reaches through it.
pub(super) fn asked_of(unit: &WorkUnit) -> Vec<(ItemPath, SymbolPath)> {
    members(unit).chain(impacted(unit)).collect()
}

/// What makes the deciding probes of an attempt its own.
pub(super) fn occasion(given: &Attempt<'_>) -> String {
    let (label, number, candidate) = (&given.current.revision.label, given.number, given.candidate);
    format!("{label} {} {number} {candidate}", given.unit.id)
}

/// The items of a unit that are still there, with their symbols.
fn members(unit: &WorkUnit) -> impl Iterator<Item = (ItemPath, SymbolPath)> {
    let there = unit.members.iter().filter(|member| member.change.after().is_some());
    there.map(|member| (member.change.path().clone(), member.symbol.clone()))
}

fn impacted(unit: &WorkUnit) -> impl Iterator<Item = (ItemPath, SymbolPath)> {
    unit.impacted.iter().map(|impacted| (impacted.item.clone(), impacted.symbol.clone()))
}

/// Why the port's test, passing as it stands, would say nothing: the upstream's asks something else by now, itself or by a
/// table or helper behind it. Only where what is asked stayed does a test that passes prove the change.
fn asks_otherwise(given: &Attempt<'_>) -> Option<String> {
    if given.unit.kind != UnitKind::Test {
        return None;
    }
    let behind = given.current.hidden_behind(given.unit);
    let own = given.unit.members.iter().map(|member| &member.change);
    let is_other =
        |change: &&ItemChange| change.is_test() && change.after().is_some() && change.touches_behaviour();
    let changed = own.chain(&behind).find(is_other)?;
    Some(format!(
        "the upstream's test changed (`{}`), so that the port's passes proves nothing",
        changed.path()
    ))
}

/// Why the evidence does not suffice to say that no edit is needed, if it does not: an item that nothing
/// reached, or a block of its code.
fn uncovered(unit: &WorkUnit, evidence: Option<&Evidence>) -> Option<String> {
    let evidence = evidence?;
    members(unit).find_map(|(item, symbol)| {
        let reached = evidence.of_item(&item);
        let (agreed, blocks_reached, blocks_total) =
            reached.map_or((0, 0, 0), |row| (row.agreed, row.blocks_reached, row.blocks_total));
        if blocks_reached < blocks_total {
            Some(format!("probes reach {blocks_reached} of {blocks_total} blocks of the new `{item}`"))
        } else if agreed == 0 && blocks_total == 0 {
            Some(format!("nothing can be asked of `{symbol}`, so nothing is proved"))
        } else {
            None
        }
    })
}
