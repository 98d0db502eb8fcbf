//! `results.json` of Terminal-Bench 1: of a run, or of one trial.

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, Unique};
use super::{Attempts, Outcome, ReadError, Reading, Row};

const FORMAT: &str = "terminal-bench";

/// Faults of the agent or of its model: the task counts as failed.
const OF_THE_AGENT: [&str; 7] = [
    "unset",
    "none",
    "test_timeout",
    "agent_timeout",
    "fatal_llm_parse_error",
    "context_length_exceeded",
    "output_length_exceeded",
];

/// Faults of what is around it.
const OF_THE_HARNESS: [&str; 4] =
    ["unknown", "unknown_agent_error", "parse_error", "agent_installation_failed"];

#[derive(Deserialize)]
struct Run {
    results: Vec<Trial>,
    n_resolved: Option<usize>,
    n_unresolved: Option<usize>,
}

#[derive(Deserialize)]
struct Trial {
    task_id: String,
    #[serde(rename = "trial_name")]
    name: String,
    is_resolved: Option<bool>,
    failure_mode: String,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let keys: Unique<Value> = json::document(FORMAT, text)?;
    let run = if keys.0.contains_key("results") {
        json::document(FORMAT, text)?
    } else {
        Run { results: vec![json::document(FORMAT, text)?], n_resolved: None, n_unresolved: None }
    };
    let resolved = run.results.iter().filter(|trial| trial.is_resolved == Some(true)).count();
    if run.n_resolved.is_some_and(|told| told != resolved) {
        return Err(ReadError::contradiction(FORMAT, format!("{resolved} trials are resolved")));
    }
    let told = run.n_resolved.zip(run.n_unresolved).map(|(resolved, other)| resolved + other);
    if told.is_some_and(|told| told > run.results.len()) {
        return Err(ReadError::truncated(FORMAT, format!("only {} trials are there", run.results.len())));
    }
    let rows = run.results.into_iter().map(row).collect::<Result<_, _>>()?;
    Reading::of(FORMAT, rows, Attempts::Independent)
}

fn row(trial: Trial) -> Result<Row, ReadError> {
    let mode = trial.failure_mode.as_str();
    let outcome = if OF_THE_HARNESS.contains(&mode) && trial.is_resolved != Some(true) {
        Outcome::Infra { reason: mode.to_owned() }
    } else if !OF_THE_AGENT.contains(&mode) && !OF_THE_HARNESS.contains(&mode) {
        return Err(ReadError::malformed(FORMAT, format!("the failure mode `{mode}` is unknown")));
    } else {
        match trial.is_resolved {
            Some(true) => Outcome::Pass,
            Some(false) => Outcome::Fail,
            None if mode == "unset" || mode == "none" => {
                Outcome::Infra { reason: "it has no result".to_owned() }
            }
            None => Outcome::Fail,
        }
    };
    let attempt = attempt(&trial.name).ok_or_else(|| {
        ReadError::malformed(FORMAT, format!("the trial `{}` says not which it is", trial.name))
    })?;
    Ok(Row { attempt, ..Row::task(trial.task_id, outcome) })
}

/// The number in `task.3-of-5.run`.
fn attempt(trial: &str) -> Option<u32> {
    trial.split('.').find_map(|part| {
        let (number, of) = part.split_once("-of-")?;
        let (number, of): (u32, u32) = (number.parse().ok()?, of.parse().ok()?);
        (1..=of).contains(&number).then_some(number)
    })
}
