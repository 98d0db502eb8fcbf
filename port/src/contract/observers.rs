//! What a constructor makes may keep its fields to itself. Then its methods tell what was made: they are called on
//! values of every constructor, so a constructor that changes is asked about through them.

use std::collections::{BTreeMap, BTreeSet};

use mappings::SymbolPath;
use upstream::ItemPath;

use super::check::ContractItem;
use super::linked::can_make;
use super::probeable::{FunctionPlan, ProbePlan, ReceiverPlan};

/// How many functions tell of one constructor at most.
const OBSERVERS_MAX: usize = 8;

impl ProbePlan {
    /// The functions that are called on what this item makes, where its own result cannot be looked at.
    pub fn observers<'a>(&'a self, item: &'a ItemPath) -> impl Iterator<Item = &'a FunctionPlan> {
        let is_called = self.functions.iter().any(|function| function.item == *item && can_answer(function));
        self.functions
            .iter()
            .filter(move |function| !is_called && can_answer(function) && maker(function) == Some(item))
    }
}

fn can_answer(function: &FunctionPlan) -> bool {
    function.refused.is_none()
}

fn maker(function: &FunctionPlan) -> Option<&ItemPath> {
    match &function.receiver {
        ReceiverPlan::Constructed { constructor, .. } => constructor.as_ref(),
        ReceiverPlan::None | ReceiverPlan::Argument | ReceiverPlan::Made => None,
    }
}

/// For each planned function that is asked, in the plan's order, the item that its probes tell of: its own where that is
/// asked about, or else the constructor that it observes.
pub(super) fn told_of<'a>(
    plan: &ProbePlan,
    asked: &'a [ContractItem],
    links: &BTreeMap<ItemPath, SymbolPath>,
) -> Vec<Option<&'a ContractItem>> {
    let by_item: BTreeMap<&ItemPath, &ContractItem> = asked.iter().map(|one| (&one.item, one)).collect();
    let called: BTreeSet<&ItemPath> = plan
        .functions
        .iter()
        .filter(|function| can_answer(function))
        .map(|function| &function.item)
        .collect();
    let mut observers: BTreeMap<&ItemPath, usize> = BTreeMap::new();
    let told = |function: &FunctionPlan| {
        if !can_make(plan, links, function) {
            return None;
        }
        if let Some(own) = by_item.get(&function.item) {
            return Some(*own);
        }
        let made_by = maker(function).filter(|maker| !called.contains(maker))?;
        let constructor = by_item.get(made_by).filter(|_| links.contains_key(&function.item))?;
        let observing = observers.entry(&constructor.item).or_default();
        *observing += 1;
        (*observing <= OBSERVERS_MAX).then_some(*constructor)
    };
    plan.functions.iter().map(told).collect()
}
