//! `[bench-objective]`: the weights by which candidates that passed are ranked.

use port::bench::decide::objective::{COST_WEIGHT, TASKS_WEIGHT, TIME_WEIGHT};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[bench-objective]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ObjectiveSection {
    /// The weight of the scores of task suites. Default: 0.7.
    pub tasks: Option<f64>,
    /// The weight of times, sizes and rates. Default: 0.2.
    pub time: Option<f64>,
    /// The weight of costs and tokens, as of benchmarks with `measures = "cost"`. Default: 0.1.
    pub cost: Option<f64>,
}

/// What a benchmark is to the objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BenchMeasure {
    /// The scores of tasks.
    Tasks,
    /// Times, sizes or rates.
    Time,
    /// Costs or tokens.
    Cost,
}

/// The weights, checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObjectiveSettings {
    tasks: f64,
    time: f64,
    cost: f64,
}

impl ObjectiveSettings {
    /// The weight of a measure.
    pub fn of(&self, measure: BenchMeasure) -> f64 {
        match measure {
            BenchMeasure::Tasks => self.tasks,
            BenchMeasure::Time => self.time,
            BenchMeasure::Cost => self.cost,
        }
    }
}

/// Checks the weights; what is wrong is the key, the words, and what to write instead.
pub(in crate::config) fn resolve(
    section: &ObjectiveSection,
) -> Result<ObjectiveSettings, (&'static str, &'static str, &'static str)> {
    let settings = ObjectiveSettings {
        tasks: section.tasks.unwrap_or(TASKS_WEIGHT),
        time: section.time.unwrap_or(TIME_WEIGHT),
        cost: section.cost.unwrap_or(COST_WEIGHT),
    };
    let weights = [("tasks", settings.tasks), ("time", settings.time), ("cost", settings.cost)];
    if let Some((key, _)) = weights.iter().find(|(_, weight)| !(weight.is_finite() && *weight >= 0.0)) {
        return Err((key, "a weight is a number from 0 on", "write 0.7, or 0 to leave it out"));
    }
    if weights.iter().all(|(_, weight)| *weight <= 0.0) {
        return Err(("tasks", "all weights are 0, which ranks nothing", "give one of them a weight"));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_defaults_and_bad_ones_are_named() {
        let usual = resolve(&ObjectiveSection::default()).unwrap();
        assert_eq!(usual, ObjectiveSettings { tasks: 0.7, time: 0.2, cost: 0.1 });
        let negative = ObjectiveSection { cost: Some(-1.0), ..ObjectiveSection::default() };
        assert_eq!(resolve(&negative).unwrap_err().0, "cost");
        let none = ObjectiveSection { tasks: Some(0.0), time: Some(0.0), cost: Some(0.0) };
        assert_eq!(resolve(&none).unwrap_err().0, "tasks");
    }
}
