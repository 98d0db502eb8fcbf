//! A translator's answer: read, validated, applied to a tree, and judged.

use anyhow::{Context as _, Result};
use mappings::Proof;
use port::edit::{self, Edit};
use port::translate::memory::memory_key;
use port::translate::model::MODEL_REFUSED;
use port::translate::{Feedback, Route, Translation, TranslationRequest, Translator, Usage};
use reports::Verdict;
use reports::record::Finding;
use upstream::{ContentHash, TreeId};

use super::Driver;
use super::asking::{Outcome, TurnKey};
use super::attempt::Made;
use super::context::Attempt;
use super::early::Weighed;
use super::judging::{Judged, Refusal};
use crate::budget::{Reached, Spent};
use crate::chain::Link;
use crate::engine::{AttemptResult, Effect, Lesson, SHOWN_NONCE, Stage, Standing};
use crate::progress::AttemptNews;

/// An answer that can be judged.
struct Answered {
    answer: edit::Answer,
    /// The key of the request in the translation memory.
    key: ContentHash,
    origin: String,
    usage: Usage,
}

impl Driver<'_> {
    /// Asks a translator, and judges what it says.
    pub(super) fn translate(
        &mut self,
        given: &Attempt<'_>,
        turn: &TurnKey,
        translator: &dyn Translator,
        spent: &Usage,
    ) -> Result<Made> {
        let answered = match self.answer(given, turn, translator, spent)? {
            Ok(answered) => answered,
            Err(made) => return Ok(*made),
        };
        let tells = translator.route() == Route::Model;
        let Weighed { before, tree, judged } = match &answered.answer {
            edit::Answer::Unportable { reason } => {
                let declined = Made::declined(format!("it says that this cannot be ported: {reason}"));
                return Ok(Made { origin: answered.origin, usage: answered.usage, ..declined });
            }
            edit::Answer::Need { .. } => {
                let refusal = Refusal::one("answer", "need-again", "it asked for more context a second time");
                Weighed::refused(given.tree, refusal)
            }
            edit::Answer::NoChange { .. } => self.weigh(given, &[])?,
            edit::Answer::Edits { edits } => self.weigh(given, edits)?,
        };
        let diff = self.shown_diff(&before, &tree)?;
        let made = match judged {
            Judged::Unknown { reason } => Made::unavailable(reason),
            Judged::Refused(refusal) => refused(refusal, tells.then_some(&answered.answer)),
            Judged::Passed { proofs, evidence, words } => {
                let edited = matches!(answered.answer, edit::Answer::Edits { .. });
                // That no edit is needed counts as proved only where something was compared; elsewhere it
                // is the translator's word, and the report says so.
                let proved = proofs.iter().all(|(_, proof)| matches!(proof, Proof::Proved | Proof::Tested));
                let lesson = tells.then(|| Lesson {
                    key: answered.key,
                    origin: answered.origin.clone(),
                    answer: answered.answer.clone(),
                });
                let callers_agree = || evidence.as_ref().is_some_and(|found| found.agreed() > 0);
                let checked = if proofs.is_empty() { callers_agree() } else { proved };
                let news = match (edited || !proved, checked) {
                    (true, false) => AttemptNews::Unchecked { origin: answered.origin.clone() },
                    (true, true) => AttemptNews::Passed { origin: answered.origin.clone(), evidence: words },
                    (false, _) => AttemptNews::Absorbed { evidence: words },
                };
                let answer = (edited || !proved).then_some(answered.answer);
                Made {
                    declined: None,
                    verdict: Some(Verdict::Pass),
                    evidence,
                    result: AttemptResult::Accepted { tree, answer, proofs, lesson },
                    news,
                    ..Made::declined("")
                }
            }
        };
        Ok(Made { origin: answered.origin, usage: answered.usage, diff, ..made })
    }

    /// What an answer changed. The runtime module that comes with it is the same in every port, and not shown.
    fn shown_diff(&self, before: &TreeId, tree: &TreeId) -> Result<String> {
        if tree == before {
            return Ok(String::new());
        }
        if self.session.runtime_brought(before, tree).is_none() {
            return Ok(self.session.port.diff_text(before, tree, &[])?);
        }
        let runtime = self.session.runtime_state(tree).map(|(file, _)| file);
        let changed = self.session.changed_files(before, tree)?;
        let shown: Vec<&str> =
            changed.iter().map(String::as_str).filter(|file| runtime.as_deref() != Some(*file)).collect();
        // No path at all would stand for every one.
        if shown.is_empty() {
            Ok(String::new())
        } else {
            Ok(self.session.port.diff_text(before, tree, &shown)?)
        }
    }

    /// The translator's answer; more context is granted once. `Err` where there is nothing to judge.
    fn answer(
        &mut self,
        given: &Attempt<'_>,
        turn: &TurnKey,
        translator: &dyn Translator,
        spent: &Usage,
    ) -> Result<Result<Answered, Box<Made>>> {
        let (mut wanted, mut earlier) = (Vec::new(), Usage::default());
        loop {
            let request = given.request(self.session, &wanted);
            let round = usize::from(!wanted.is_empty());
            let outcome = if let Some(outcome) = self.asked_ahead(turn, round, &request)? {
                outcome
            } else {
                let is_to_pay = translator.route() == Route::Model && !translator.is_bought(&request);
                if is_to_pay {
                    let taken = spent.plus(&earlier);
                    let mut reached = self.over_budget(given, turn, &taken)?;
                    // What it does cost is known only when more is asked: all that it may cost has to fit.
                    if reached.is_none() && translator.answers_later() {
                        reached = self.without_room(given, &taken, &translator.foresee(&request));
                    }
                    if let Some(reached) = reached {
                        return Ok(Err(Box::new(Made { usage: earlier, ..Made::unaffordable(&reached) })));
                    }
                }
                translator.translate(&request)
            };
            let made = match outcome {
                Err(error) => Made { usage: earlier, ..Made::unavailable(error.to_string()) },
                Ok(Translation::Declined { reason }) => Made::declined(reason),
                Ok(Translation::Waiting { reason }) => Made { usage: earlier, ..Made::waiting(reason) },
                // Asked again it would refuse again: the next translator is asked.
                Ok(Translation::Malformed { code, reason, usage, .. }) if code == MODEL_REFUSED => {
                    let origin = translator.name();
                    let usage = earlier.plus(&usage);
                    Made { origin, usage, ..Made::unavailable(reason) }
                }
                Ok(Translation::Malformed { code, reason, raw, usage }) => {
                    let usage = earlier.plus(&usage);
                    let made = malformed(&code, reason, raw, translator.route());
                    Made { origin: translator.name(), usage, ..made }
                }
                Ok(Translation::Answered { answer: edit::Answer::Need { symbols }, usage, .. })
                    if wanted.is_empty() =>
                {
                    earlier = usage;
                    wanted = symbols;
                    continue;
                }
                Ok(Translation::Answered { answer, origin, usage }) => {
                    let usage = earlier.plus(&usage);
                    return Ok(Ok(Answered { answer, key: memory_key(&request), origin, usage }));
                }
            };
            return Ok(Err(Box::new(made)));
        }
    }

    /// The budget that leaves nothing for another answer, beside what this attempt took already.
    fn over_budget(&mut self, given: &Attempt<'_>, turn: &TurnKey, taken: &Usage) -> Result<Option<Reached>> {
        let (budget, unit) = (&self.session.settings.budget, given.unit.id.as_str());
        let (own, others) = self.asking.promised(turn);
        let others = others.plus(self.committed());
        if budget.reached(&self.ledger, unit, own.plus(Spent::of(taken)), others).is_none() {
            return Ok(None);
        }
        // It is the answers under way that may take what is left: what they do take is known when they are here.
        while self.asking.others_are_under_way(turn) {
            self.wait()?;
        }
        let (own, others) = self.asking.spent(turn);
        let others = others.plus(self.committed());
        Ok(budget.reached(&self.ledger, unit, own.plus(Spent::of(taken)), others))
    }

    /// The budget that what an answer may cost at the most does not fit, beside all that is asked.
    fn without_room(&self, given: &Attempt<'_>, taken: &Usage, most: &Usage) -> Option<Reached> {
        let (budget, unit) = (&self.session.settings.budget, given.unit.id.as_str());
        budget.passed(&self.ledger, unit, Spent::of(&taken.plus(most)), self.committed())
    }

    /// What batches may cost, or did, that no attempt has counted yet.
    fn committed(&self) -> Spent {
        let links = self.chain.iter().map(|link| match &**link {
            Link::VerifyFirst => Usage::default(),
            Link::Translator(translator) => translator.committed(),
        });
        links.fold(Spent::default(), |sum, usage| sum.plus(Spent::of(&usage)))
    }

    /// Asks for a turn that will come, and says whether others may be asked for as well.
    pub(super) fn ask_for(&mut self, effect: &Effect) -> Result<bool> {
        let Some(turn) = TurnKey::of(effect) else { return Ok(true) };
        let Effect::Attempt { unit, translator, .. } = effect else { return Ok(true) };
        let link = self.chain.get(*translator).context("the chain is shorter than it was")?.clone();
        let Link::Translator(translator) = &*link else { return Ok(true) };
        if self.asking.knows(&turn) || !translator.may_be_asked_ahead() {
            return Ok(true);
        }
        let current = self.current()?;
        let given = self.given(&current, effect, Route::Model)?;
        for candidate in 0..self.candidates(&given, &**translator) {
            if !self.asking.has_room() {
                return Ok(false);
            }
            let turn = turn.of_candidate(candidate);
            let request = Attempt { candidate, ..given.clone() }.request(self.session, &[]);
            // One answer may ask for more context, and then there is another.
            let most = Spent::of(&translator.foresee(&request));
            let (own, others) = self.asking.promised(&turn);
            let others = others.plus(self.committed());
            let (budget, promised) = (&self.session.settings.budget, most.plus(most));
            if !budget.has_room(&self.ledger, unit.as_str(), own.plus(promised), others) {
                return Ok(false);
            }
            self.asking.ask(turn, (effect.clone(), &link), request, promised);
        }
        Ok(true)
    }

    /// Those whose first answer asks for more context are asked again.
    pub(super) fn ask_those_in_need(&mut self) -> Result<()> {
        for (turn, effect, wanted) in self.asking.in_need() {
            let current = self.current()?;
            let given = self.given(&current, &effect, Route::Model)?;
            let request = Attempt { candidate: turn.candidate(), ..given }.request(self.session, &wanted);
            self.asking.ask_more(&turn, request);
        }
        Ok(())
    }

    /// What was answered to a request that was sent before its turn; waits for it.
    fn asked_ahead(
        &mut self,
        turn: &TurnKey,
        round: usize,
        request: &TranslationRequest,
    ) -> Result<Option<Outcome>> {
        while self.asking.is_under_way(turn, round) {
            self.wait()?;
        }
        Ok(self.asking.take(turn, round, request))
    }
}

/// Literals of counterexamples that were shown, in edits that should compute them.
pub(super) fn leaked(given: &Attempt<'_>, edits: &[Edit]) -> Vec<edit::Finding> {
    let shown = given.feedback.iter().flat_map(|feedback| feedback.findings.iter().map(String::as_str));
    let hidden = given.current.hidden_behind(given.unit);
    let changes = given.unit.members.iter().map(|member| &member.change).chain(&hidden);
    let rust = changes.flat_map(|change| [change.before(), change.after()]).flatten();
    let port = given.unit.members.iter().filter_map(|member| given.symbols.get(&member.symbol));
    let known = rust
        .flat_map(|item| [item.text.as_str(), item.docs.as_str()])
        .chain(port.map(|symbol| symbol.text.as_str()));
    edit::leaks(edits, shown, known)
}

/// An answer that was judged wrong; `told` is the answer where its author may be told.
fn refused(refusal: Refusal, told: Option<&edit::Answer>) -> Made {
    let reason = refusal.words();
    let standing = told.map(|answer| standing(&refusal, answer));
    let signature = ContentHash::of_parts(
        refusal.findings.iter().map(|finding| format!("{} {}", refusal.stage, finding.code)),
    );
    let feedback = told.map(|answer| Feedback {
        stage: refusal.stage.to_owned(),
        findings: refusal.may_be_told.clone(),
        refused: edit::render_answer(answer, SHOWN_NONCE),
    });
    Made {
        declined: None,
        verdict: Some(Verdict::Fail),
        refused_at: refusal.stage,
        findings: refusal.findings,
        evidence: refusal.evidence,
        result: AttemptResult::Refused { feedback, signature, standing },
        news: AttemptNews::Refused { reason },
        ..Made::declined("")
    }
}

/// How far a refused answer had come.
fn standing(refusal: &Refusal, answer: &edit::Answer) -> Standing {
    let stage = match refusal.stage {
        "answer" => Stage::Grammar,
        "edit" => Stage::Edit,
        "syntax" => Stage::Syntax,
        _ => Stage::Check,
    };
    let items = refusal.evidence.iter().flat_map(|evidence| &evidence.report.items);
    let sequences = refusal.evidence.iter().flat_map(|evidence| &evidence.report.sequences);
    let calls: u64 = items.map(|item| u64::from(item.disagreed)).sum();
    let failing = calls + sequences.map(|of_type| u64::from(of_type.disagreed)).sum::<u64>();
    Standing { answer: ContentHash::of(edit::render_answer(answer, SHOWN_NONCE)), stage, failing }
}

/// What came back is no answer in the grammar.
fn malformed(code: &str, reason: String, raw: String, route: Route) -> Made {
    let finding = Finding { code: code.to_owned(), text: reason.clone() };
    // Some reasons begin with their code, and one of the two is enough.
    // A second answer that is none, of whatever kind, is no progress.
    let standing = Standing { answer: ContentHash::of(&raw), stage: Stage::Grammar, failing: 1 };
    let told = if reason.starts_with(code) { reason.clone() } else { format!("{code}: {reason}") };
    let feedback = (route == Route::Model).then(|| Feedback {
        stage: "answer".to_owned(),
        findings: vec![told],
        refused: raw,
    });
    let signature = ContentHash::of_parts(["answer", code]);
    Made {
        declined: None,
        verdict: Some(Verdict::Fail),
        refused_at: "answer",
        findings: vec![finding],
        result: AttemptResult::Refused { feedback, signature, standing: Some(standing) },
        news: AttemptNews::Refused { reason },
        ..Made::declined("")
    }
}
