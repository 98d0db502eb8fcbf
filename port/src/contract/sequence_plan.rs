//! Which calls can be made one after another on one value of a type, and by which code.
//!
//! Main type: [`SequencePlan`], put together from the ways to call single methods: a method that can be called
//! alone can be called after others.

use std::collections::{BTreeMap, BTreeSet};

use upstream::ItemPath;

use super::landmarks::Landmarks;
use super::observed_type::ObservedType;
use super::probeable::{FunctionPlan, ReceiverPlan};
use super::shape::Shape;

/// How many methods one sequence chooses from at most.
const STEPS_MAX: usize = 64;

/// The parts of a method's call, for calling it on a value that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepCode {
    /// The type that it is called on.
    pub of: ItemPath,
    /// Makes the value, from arguments `a0`, `a1` and so on.
    pub construction: String,
    /// How many arguments that takes.
    pub made_with: usize,
    /// The call on `receiver`, as a text of its result; its arguments are numbered behind those.
    pub call: String,
    /// Whether it may change the value.
    pub is_mutating: bool,
    /// What of the value itself can be looked at; `None` where nothing can.
    pub own: Option<OwnFields>,
}

/// The fields of a value that others may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnFields {
    /// Their names.
    pub names: Vec<String>,
    /// The types in them, by the paths that name them.
    pub observed: BTreeMap<String, ObservedType>,
}

/// One method, as a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepPlan {
    /// The method; the type itself for a look at its value.
    pub item: ItemPath,
    /// What its arguments are.
    pub shapes: Vec<Shape>,
    /// The Rust types that the driver reads.
    pub owned: Vec<String>,
    /// The call as in [`StepCode::call`].
    pub call: String,
    /// Which arguments it changes in place.
    pub changed: Vec<usize>,
    /// Whether it may change the value.
    pub is_mutating: bool,
    /// The fields that are shown, where it is a look at the value and no call.
    pub look: Option<Vec<String>>,
    /// What its results hold.
    pub observed: BTreeMap<String, ObservedType>,
    /// Literals of its code.
    pub landmarks: Landmarks,
    /// Why it cannot be called after all.
    pub refused: Option<String>,
}

/// Calls on one value that is made in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SequencePlan {
    /// The type.
    pub of: ItemPath,
    /// How the value is made.
    pub receiver: ReceiverPlan,
    /// What its maker takes.
    pub shapes: Vec<Shape>,
    /// The Rust types that the driver reads for it.
    pub owned: Vec<String>,
    /// Makes the value.
    pub construction: String,
    /// The methods.
    pub steps: Vec<StepPlan>,
    /// Whether the width of its numbers is the probe's choice.
    pub is_width_chosen: bool,
    /// Why no sequence can be made after all.
    pub refused: Option<String>,
}

/// The sequences of the types whose values can change, one for each way to make such a value.
pub(super) fn sequences(functions: &[FunctionPlan]) -> Vec<SequencePlan> {
    let mut plans: Vec<SequencePlan> = Vec::new();
    let mut seen = BTreeSet::new();
    for function in functions {
        let Some(code) = &function.step else { continue };
        let at = plans
            .iter()
            .position(|plan| plan.of == code.of && plan.construction == code.construction)
            .unwrap_or_else(|| {
                plans.push(opened(function, code));
                plans.len() - 1
            });
        // Of a generic method one instance is enough here.
        if seen.insert((at, &function.item))
            && let Some(plan) = plans.get_mut(at).filter(|plan| plan.steps.len() < STEPS_MAX)
        {
            plan.steps.push(step(function, code));
        }
    }
    plans.retain(|plan| plan.steps.iter().any(|step| step.is_mutating));
    plans
}

fn opened(function: &FunctionPlan, code: &StepCode) -> SequencePlan {
    let look = code.own.as_ref().map(|own| StepPlan {
        item: code.of.clone(),
        shapes: Vec::new(),
        owned: Vec::new(),
        call: "(&&Look(&receiver)).look()".to_owned(),
        changed: Vec::new(),
        is_mutating: false,
        look: Some(own.names.clone()),
        observed: own.observed.clone(),
        landmarks: Landmarks::default(),
        refused: None,
    });
    SequencePlan {
        of: code.of.clone(),
        receiver: function.receiver.clone(),
        shapes: function.shapes.iter().take(code.made_with).cloned().collect(),
        owned: function.owned.iter().take(code.made_with).cloned().collect(),
        construction: code.construction.clone(),
        steps: look.into_iter().collect(),
        is_width_chosen: function.is_width_chosen,
        refused: None,
    }
}

fn step(function: &FunctionPlan, code: &StepCode) -> StepPlan {
    let behind = code.made_with;
    StepPlan {
        item: function.item.clone(),
        shapes: function.shapes.iter().skip(behind).cloned().collect(),
        owned: function.owned.iter().skip(behind).cloned().collect(),
        call: code.call.clone(),
        changed: function.changed.iter().filter_map(|at| at.checked_sub(behind)).collect(),
        is_mutating: code.is_mutating,
        look: None,
        observed: function.observed.clone(),
        landmarks: function.landmarks.clone(),
        refused: None,
    }
}

/// Takes out what turned out not to compile: `sequence` as a whole, or one `step` of it.
pub(super) fn refuse(plans: &mut [SequencePlan], first: usize, at: usize, reason: &str) {
    let count = plans.len();
    if let Some(plan) = at.checked_sub(first).and_then(|at| plans.get_mut(at)) {
        plan.refused = Some(reason.to_owned());
        return;
    }
    let mut left = at.saturating_sub(first + count);
    for step in plans.iter_mut().flat_map(|plan| &mut plan.steps) {
        if left == 0 {
            step.refused = Some(reason.to_owned());
            return;
        }
        left -= 1;
    }
}
