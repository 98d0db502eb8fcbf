//! The effect `attempt`: a translator is asked for a unit, and its answer is checked.

use anyhow::{Context as _, Result, bail};
use mappings::{UnitKind, UnitMember};
use port::translate::{Route, Usage};
use reports::Verdict;
use reports::record::{AttemptRecord, Finding};

use super::Driver;
use super::asking::TurnKey;
use super::context::{Attempt, Shown};
use super::planning::Current;
use crate::budget::Reached;
use crate::chain::Link;
use crate::engine::{AttemptResult, Effect, Event};
use crate::gate::Evidence;
use crate::progress::{AttemptNews, Progress};

/// What became of an attempt, before it is made into an event.
pub(super) struct Made {
    /// Who made the answer.
    pub(super) origin: String,
    /// Why there was none.
    pub(super) declined: Option<String>,
    pub(super) verdict: Option<Verdict>,
    /// Where the answer was refused; empty where it was not.
    pub(super) refused_at: &'static str,
    pub(super) findings: Vec<Finding>,
    /// The contract's evidence, where it was asked.
    pub(super) evidence: Option<Evidence>,
    pub(super) diff: String,
    pub(super) usage: Usage,
    pub(super) result: AttemptResult,
    pub(super) news: AttemptNews,
}

impl Made {
    /// The translator has nothing for the unit.
    pub(super) fn declined(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            origin: String::new(),
            declined: Some(reason.clone()),
            verdict: None,
            refused_at: "",
            findings: Vec::new(),
            evidence: None,
            diff: String::new(),
            usage: Usage::default(),
            result: AttemptResult::Declined,
            news: AttemptNews::Declined { reason },
        }
    }

    /// Nobody was asked, or not asked again, because a budget is used up.
    pub(super) fn unaffordable(reached: &Reached) -> Self {
        let reason = reached.to_string();
        let findings = vec![Finding { code: reached.code(), text: reason.clone() }];
        Self { findings, ..Self::unavailable(reason) }
    }

    /// It is asked, and the answer comes with a later run.
    pub(super) fn waiting(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            declined: Some(reason.clone()),
            result: AttemptResult::Waiting { reason: reason.clone() },
            news: AttemptNews::Waiting { reason },
            ..Self::declined("")
        }
    }

    /// It could not be told, for a cause outside.
    pub(super) fn unavailable(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            declined: None,
            verdict: Some(Verdict::Inconclusive),
            findings: vec![Finding { code: "unavailable".to_owned(), text: reason.clone() }],
            result: AttemptResult::Unavailable { reason: reason.clone() },
            news: AttemptNews::Unavailable { reason },
            ..Self::declined("")
        }
    }
}

impl Driver<'_> {
    pub(super) fn attempt(&mut self, effect: &Effect) -> Result<Event> {
        let Effect::Attempt { unit, translator, .. } = effect else { bail!("this effect is no attempt") };
        let began_ms = self.now_ms();
        let current = self.current()?;
        let link = self.chain.get(*translator).context("the chain is shorter than it was")?.clone();
        let facts = link.facts();
        self.tell(Progress::Step { what: format!("{unit}: {}", facts.name) });
        let given = self.given(&current, effect, facts.route)?;
        let made = match &*link {
            Link::VerifyFirst => self.verify_first(&given)?,
            Link::Translator(translator) => {
                let turn = TurnKey::of(effect).context("an attempt has a turn")?;
                self.best_of(&given, &turn, &**translator)?
            }
        };
        self.tell(Progress::Attempt {
            unit: unit.to_string(),
            is_test: given.unit.kind == UnitKind::Test,
            translator: facts.name,
            result: made.news.clone(),
        });
        let port_after = match &made.result {
            AttemptResult::Accepted { tree, .. } => {
                let symbols = self.session.symbols(tree)?;
                let text = |member: &UnitMember| {
                    symbols.get(&member.symbol).map(|symbol| symbol.text.clone()).unwrap_or_default()
                };
                given.unit.members.iter().map(text).collect()
            }
            AttemptResult::Declined
            | AttemptResult::Refused { .. }
            | AttemptResult::Unavailable { .. }
            | AttemptResult::Waiting { .. } => Vec::new(),
        };
        let record = AttemptRecord {
            route: route_name(facts.route).to_owned(),
            origin: made.origin,
            declined: made.declined,
            verdict: made.verdict,
            refused_at: made.refused_at.to_owned(),
            findings: made.findings,
            counterexamples: made.evidence.as_ref().map(Evidence::counterexamples).unwrap_or_default(),
            evidence: made.evidence.as_ref().map(Evidence::rows).unwrap_or_default(),
            diff: made.diff,
            input_tokens: made.usage.input_tokens,
            output_tokens: made.usage.output_tokens,
            cost_usd: made.usage.cost_usd,
            duration_ms: u64::try_from(self.now_ms() - began_ms).unwrap_or_default(),
        };
        Ok(Event::Attempted { unit: unit.clone(), record, result: made.result, port_after })
    }
}

impl Driver<'_> {
    /// What an attempt is given.
    pub(super) fn given<'g>(
        &self,
        current: &'g Current,
        effect: &'g Effect,
        route: Route,
    ) -> Result<Attempt<'g>> {
        let Effect::Attempt { unit, attempt, feedback, tree, shown, .. } = effect else {
            bail!("this effect is no attempt")
        };
        let shown = if route == Route::Model { shown } else { tree };
        Ok(Attempt {
            unit: current.unit(unit).with_context(|| format!("unit {unit} is not in the plan"))?,
            current,
            tree,
            symbols: self.session.symbols(tree)?,
            shown: Shown { tree: shown, symbols: self.session.symbols(shown)? },
            number: *attempt,
            candidate: 0,
            feedback: feedback.clone(),
        })
    }
}

fn route_name(route: Route) -> &'static str {
    match route {
        Route::VerifyFirst => "verify_first",
        Route::Rule => "rule",
        Route::Memory => "memory",
        Route::Model => "model",
    }
}
