//! What models may cost: by unit, revision, run, day and month, in tokens and in money.
//!
//! It is looked at before each answer, so that a bound is passed by one answer at the most. What is asked beforehand
//! is asked only while all that it may cost still fits. What was spent is folded from the journal: an answer counts
//! when its attempt is stored, and a recorded one that is used again after a crash was counted by nobody yet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use port::translate::Usage;
use reports::record::AttemptRecord;

use crate::engine::Event;

/// What a bound is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One work unit.
    Unit,
    /// One upstream revision.
    Revision,
    /// One run.
    Run,
    /// The runs that began on one day, by UTC.
    Day,
    /// The runs that began in one month, by UTC.
    Month,
}

impl Scope {
    /// The word for it in reports and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Revision => "revision",
            Self::Run => "run",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// The bounds of one scope.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limit {
    /// The most tokens, sent and received.
    pub tokens: Option<u64>,
    /// The most money, in United States dollars. Answers of models without a price cost nothing.
    pub usd: Option<f64>,
}

/// The bounds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    limits: BTreeMap<Scope, Limit>,
}

/// Tokens and money that were spent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Tokens, sent and received.
    pub tokens: u64,
    /// United States dollars.
    pub usd: f64,
}

impl Spent {
    /// What an answer took.
    pub fn of(usage: &Usage) -> Self {
        let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        Self { tokens, usd: usage.cost_usd.unwrap_or_default() }
    }

    fn of_record(record: &AttemptRecord) -> Self {
        let tokens = record.input_tokens.saturating_add(record.output_tokens);
        Self { tokens, usd: record.cost_usd.unwrap_or_default() }
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, more: Self) -> Self {
        self.add(more);
        self
    }

    fn add(&mut self, more: Self) {
        self.tokens = self.tokens.saturating_add(more.tokens);
        self.usd += more.usd;
    }
}

/// A bound that is reached.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the budget of the {} is used up: {spent} of {limit}", scope.word())]
pub struct Reached {
    /// Whose.
    pub scope: Scope,
    /// How much was spent, with its unit.
    pub spent: String,
    /// The bound, with its unit.
    pub limit: String,
}

impl Reached {
    /// The stable code of the finding.
    pub fn code(&self) -> String {
        format!("budget-{}", self.scope.word())
    }
}

impl Budget {
    /// These bounds.
    pub fn new(limits: impl IntoIterator<Item = (Scope, Limit)>) -> Self {
        Self { limits: limits.into_iter().collect() }
    }

    /// Whether anything is bounded by day or month, so that earlier runs count.
    pub fn looks_back(&self) -> bool {
        self.limits.contains_key(&Scope::Day) || self.limits.contains_key(&Scope::Month)
    }

    /// Whether nothing is bounded.
    pub fn is_boundless(&self) -> bool {
        self.limits.is_empty()
    }

    /// Whether answers for a unit still fit below every bound, with all that they and those of other units that are
    /// under way may cost.
    pub fn has_room(&self, ledger: &Ledger, unit: &str, more: Spent, beside: Spent) -> bool {
        self.limits.iter().all(|(scope, limit)| {
            let all = spent(ledger, *scope, unit, more, beside);
            limit.tokens.is_none_or(|most| all.tokens <= most) && limit.usd.is_none_or(|most| all.usd <= most)
        })
    }

    /// The narrowest bound that is passed should all of it be spent: `more` on the unit, `beside` on others.
    pub fn passed(&self, ledger: &Ledger, unit: &str, more: Spent, beside: Spent) -> Option<Reached> {
        let at_the_most = |amount: String| format!("with what is asked, {amount} at the most");
        self.limits.iter().find_map(|(scope, limit)| {
            let all = spent(ledger, *scope, unit, more, beside);
            let tokens = limit.tokens.filter(|most| all.tokens > *most);
            let usd = limit.usd.filter(|most| all.usd > *most);
            let (spent, limit) = match (tokens, usd) {
                (Some(most), _) => (at_the_most(format!("{} tokens", all.tokens)), format!("{most} tokens")),
                (None, Some(most)) => (at_the_most(format!("{:.4} USD", all.usd)), format!("{most:.4} USD")),
                (None, None) => return None,
            };
            Some(Reached { scope: *scope, spent, limit })
        })
    }

    /// The narrowest bound that leaves nothing for another answer. `more` was spent on the unit, and `beside` on
    /// others, and neither is in the ledger.
    pub fn reached(&self, ledger: &Ledger, unit: &str, more: Spent, beside: Spent) -> Option<Reached> {
        self.limits.iter().find_map(|(scope, limit)| {
            let spent = spent(ledger, *scope, unit, more, beside);
            let tokens = limit.tokens.filter(|most| spent.tokens >= *most);
            let usd = limit.usd.filter(|most| spent.usd >= *most);
            let (spent, limit) = match (tokens, usd) {
                (Some(most), _) => (format!("{} tokens", spent.tokens), format!("{most} tokens")),
                (None, Some(most)) => (format!("{:.4} USD", spent.usd), format!("{most:.4} USD")),
                (None, None) => return None,
            };
            Some(Reached { scope: *scope, spent, limit })
        })
    }
}

fn spent(ledger: &Ledger, scope: Scope, unit: &str, more: Spent, beside: Spent) -> Spent {
    let own = ledger.spent(scope, unit).plus(more);
    match scope {
        Scope::Unit => own,
        Scope::Revision | Scope::Run | Scope::Day | Scope::Month => own.plus(beside),
    }
}

/// What was spent so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    earlier_day: Spent,
    earlier_month: Spent,
    /// By the runs before that took up other portions of the same port.
    portions: Spent,
    run: Spent,
    revision: Spent,
    label: String,
    units: BTreeMap<String, Spent>,
}

impl Ledger {
    /// Counts an earlier run that began then, for a run that begins now.
    pub fn add_earlier(&mut self, began_ms: i64, now_ms: i64, events: &[Event]) {
        let (Some(then), Some(now)) = (date(began_ms), date(now_ms)) else { return };
        for event in events {
            let Event::Attempted { record, .. } = event else { continue };
            if then == now {
                self.earlier_day.add(Spent::of_record(record));
            }
            if (then.year(), then.month()) == (now.year(), now.month()) {
                self.earlier_month.add(Spent::of_record(record));
            }
        }
    }

    /// Counts what was paid for at a time, for no attempt: an answer that came when nobody asked for it any more.
    pub fn add_unused(&mut self, paid_ms: i64, now_ms: i64, spent: Spent) {
        let (Some(then), Some(now)) = (date(paid_ms), date(now_ms)) else { return };
        if then == now {
            self.earlier_day.add(spent);
        }
        if (then.year(), then.month()) == (now.year(), now.month()) {
            self.earlier_month.add(spent);
        }
    }

    /// Counts an earlier run that took up another portion of the port that this one begins.
    pub fn add_portion(&mut self, events: &[Event]) {
        for event in events {
            let Event::Attempted { record, .. } = event else { continue };
            self.portions.add(Spent::of_record(record));
        }
    }

    /// Counts an event of the run itself.
    pub fn add(&mut self, event: &Event) {
        match event {
            // A revision that begins again because the branch moved goes on with what it has spent.
            Event::Planned { revision, .. } if revision.as_str() != self.label => {
                revision.as_str().clone_into(&mut self.label);
                self.revision = Spent::default();
                self.units.clear();
            }
            Event::Attempted { unit, record, .. } => {
                let spent = Spent::of_record(record);
                self.run.add(spent);
                self.revision.add(spent);
                self.units.entry(unit.to_string()).or_default().add(spent);
            }
            Event::Started { .. }
            | Event::Planned { .. }
            | Event::Gated { .. }
            | Event::Prepared { .. }
            | Event::Landed { .. }
            | Event::BranchMoved { .. }
            | Event::Finished { .. } => {}
        }
    }

    fn spent(&self, scope: Scope, unit: &str) -> Spent {
        let with_portions = |own: Spent| own.plus(self.portions);
        let with_run = |mut earlier: Spent| {
            earlier.add(self.run);
            earlier
        };
        match scope {
            Scope::Unit => self.units.get(unit).copied().unwrap_or_default(),
            Scope::Revision => with_portions(self.revision),
            Scope::Run => with_portions(self.run),
            Scope::Day => with_run(self.earlier_day),
            Scope::Month => with_run(self.earlier_month),
        }
    }
}

fn date(at_ms: i64) -> Option<jiff::civil::Date> {
    Some(Timestamp::from_millisecond(at_ms).ok()?.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use mappings::UnitId;
    use upstream::RevisionLabel;

    use super::*;
    use crate::engine::{AttemptResult, PlannedRevision};

    const DAY_MS: i64 = 86_400_000;
    /// 2026-11-21, shortly before midnight by UTC.
    const NOW_MS: i64 = 1_795_305_000_000;

    fn planned(label: &str) -> Event {
        let plan = PlannedRevision {
            class: String::new(),
            changes: Vec::new(),
            dependencies: Vec::new(),
            files: Vec::new(),
            skipped: Vec::new(),
            units: Vec::new(),
            decided: None,
        };
        Event::Planned { revision: RevisionLabel::new(label).unwrap(), at_ms: 0, plan }
    }

    fn attempted(unit: &str, tokens: u64, usd: f64) -> Event {
        let record = AttemptRecord {
            route: "model".to_owned(),
            origin: String::new(),
            declined: None,
            verdict: None,
            refused_at: String::new(),
            findings: Vec::new(),
            counterexamples: Vec::new(),
            evidence: Vec::new(),
            diff: String::new(),
            input_tokens: tokens,
            output_tokens: 0,
            cost_usd: Some(usd),
            duration_ms: 0,
        };
        let unit = UnitId::new(unit).unwrap();
        Event::Attempted { unit, record, result: AttemptResult::Declined, port_after: Vec::new() }
    }

    fn code(scope: Scope, limit: Limit, ledger: &Ledger) -> Option<String> {
        Budget::new([(scope, limit)])
            .reached(ledger, "a::f", Spent::default(), Spent::default())
            .map(|reached| reached.code())
    }

    const TOKENS: Limit = Limit { tokens: Some(100), usd: None };
    const MONEY: Limit = Limit { tokens: None, usd: Some(0.5) };

    #[test]
    fn each_scope_counts_what_is_its_own() {
        let mut ledger = Ledger::default();
        for event in [planned("1.0.0"), attempted("a::f", 60, 0.1), attempted("a::g", 60, 0.1)] {
            ledger.add(&event);
        }
        assert_eq!(code(Scope::Unit, TOKENS, &ledger), None);
        assert_eq!(code(Scope::Revision, TOKENS, &ledger).as_deref(), Some("budget-revision"));
        assert_eq!(code(Scope::Run, MONEY, &ledger), None);
        ledger.add(&planned("1.0.0"));
        assert!(code(Scope::Revision, TOKENS, &ledger).is_some(), "it only began again");
        ledger.add(&planned("1.1.0"));
        assert_eq!(code(Scope::Revision, TOKENS, &ledger), None);
        ledger.add(&attempted("a::f", 10, 0.3));
        assert_eq!(code(Scope::Run, MONEY, &ledger).as_deref(), Some("budget-run"));
        assert_eq!(code(Scope::Day, MONEY, &ledger).as_deref(), Some("budget-day"));
        assert_eq!(code(Scope::Unit, MONEY, &ledger), None, "the unit of the revision before is another");
    }

    #[test]
    fn earlier_runs_count_on_their_day_and_in_their_month() {
        let spent = [attempted("a::f", 100, 0.5)];
        let mut ledger = Ledger::default();
        ledger.add_earlier(NOW_MS - 40 * DAY_MS, NOW_MS, &spent);
        assert_eq!(code(Scope::Month, TOKENS, &ledger), None);
        ledger.add_earlier(NOW_MS - DAY_MS, NOW_MS, &spent);
        assert_eq!(code(Scope::Month, TOKENS, &ledger).as_deref(), Some("budget-month"));
        assert_eq!(code(Scope::Day, TOKENS, &ledger), None);
        ledger.add_earlier(NOW_MS - 1, NOW_MS, &spent);
        assert_eq!(code(Scope::Day, MONEY, &ledger).as_deref(), Some("budget-day"));
        assert_eq!(code(Scope::Run, MONEY, &ledger), None);
    }

    #[test]
    fn portions_of_one_port_are_one_run_and_one_revision() {
        let mut ledger = Ledger::default();
        ledger.add_portion(&[attempted("a::f", 100, 0.0)]);
        ledger.add(&planned("1.0.0"));
        assert_eq!(code(Scope::Run, TOKENS, &ledger).as_deref(), Some("budget-run"));
        assert_eq!(code(Scope::Revision, TOKENS, &ledger).as_deref(), Some("budget-revision"));
        assert_eq!(code(Scope::Unit, TOKENS, &ledger), None);
        assert_eq!(code(Scope::Day, TOKENS, &ledger), None, "it is counted by its own day");
    }

    #[test]
    fn what_is_spent_and_not_yet_stored_counts_and_the_words_say_how_much() {
        let budget = Budget::new([(Scope::Unit, TOKENS), (Scope::Run, MONEY)]);
        let usage = Usage { input_tokens: 90, output_tokens: 10, ..Usage::default() };
        let reached =
            budget.reached(&Ledger::default(), "a::f", Spent::of(&usage), Spent::default()).unwrap();
        assert_eq!(reached.to_string(), "the budget of the unit is used up: 100 tokens of 100 tokens");
        let usage = Usage { cost_usd: Some(0.75), ..Usage::default() };
        let reached =
            budget.reached(&Ledger::default(), "a::f", Spent::of(&usage), Spent::default()).unwrap();
        assert_eq!(reached.to_string(), "the budget of the run is used up: 0.7500 USD of 0.5000 USD");
    }

    #[test]
    fn what_would_pass_a_bound_is_told_before_it_is_spent() {
        let tokens = |tokens| Spent { tokens, usd: 0.0 };
        let (budget, ledger) = (Budget::new([(Scope::Run, TOKENS)]), Ledger::default());
        assert_eq!(
            budget.passed(&ledger, "a::f", tokens(60), tokens(40)),
            None,
            "it may be used up to the last"
        );
        let passed = budget.passed(&ledger, "a::f", tokens(61), tokens(40)).unwrap();
        assert_eq!(passed.code(), "budget-run");
        assert_eq!(
            passed.to_string(),
            "the budget of the run is used up: with what is asked, 101 tokens at the most of 100 tokens"
        );
        let money = Budget::new([(Scope::Day, MONEY)]);
        assert!(money.passed(&ledger, "a::f", Spent { tokens: 0, usd: 0.6 }, Spent::default()).is_some());
    }

    #[test]
    fn what_was_paid_and_never_used_counts_on_its_day_and_in_its_month() {
        let mut ledger = Ledger::default();
        let paid = Spent { tokens: 100, usd: 0.5 };
        ledger.add_unused(NOW_MS - DAY_MS, NOW_MS, paid);
        assert_eq!(code(Scope::Day, TOKENS, &ledger), None);
        assert_eq!(code(Scope::Month, TOKENS, &ledger).as_deref(), Some("budget-month"));
        ledger.add_unused(NOW_MS - 1, NOW_MS, paid);
        assert_eq!(code(Scope::Day, TOKENS, &ledger).as_deref(), Some("budget-day"));
        assert_eq!(code(Scope::Run, TOKENS, &ledger), None, "it belongs to no run");
    }

    #[test]
    fn what_others_may_cost_counts_for_all_but_the_unit() {
        let budget = Budget::new([(Scope::Unit, TOKENS), (Scope::Run, TOKENS)]);
        let tokens = |tokens| Spent { tokens, usd: 0.0 };
        let ledger = Ledger::default();
        assert!(budget.has_room(&ledger, "a::f", tokens(60), tokens(40)), "it may be used up to the last");
        assert!(!budget.has_room(&ledger, "a::f", tokens(61), tokens(40)));
        let of_unit = Budget::new([(Scope::Unit, TOKENS)]);
        assert!(of_unit.has_room(&ledger, "a::f", tokens(100), tokens(1000)));
        assert!(!of_unit.has_room(&ledger, "a::f", tokens(101), tokens(0)));
        let money = Budget::new([(Scope::Day, MONEY)]);
        assert!(!money.has_room(&ledger, "a::f", Spent { tokens: 0, usd: 0.6 }, Spent::default()));
        let reached = budget.reached(&ledger, "a::f", tokens(1), tokens(99)).map(|reached| reached.code());
        assert_eq!(reached.as_deref(), Some("budget-run"));
    }
}
