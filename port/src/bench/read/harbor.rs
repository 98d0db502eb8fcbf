//! `result.json` files of Harbor (Terminal-Bench 2): one trial, or the folder of a job.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::json::{self, Unique};
use super::{Attempts, Outcome, ReadError, Reading, Row, text_of};

const FORMAT: &str = "harbor";

/// The most trials of a job.
const TRIALS_MAX: usize = 100_000;

/// The reward that counts.
const REWARD: &str = "reward";

/// From this reward on a task counts as passed.
const PASSED: f64 = 1.0;

/// Exceptions that are the agent's own doing: the reward that was given before stays valid. All others are
/// faults of the sandbox, the provider or the harness.
const OF_THE_AGENT: [&str; 7] = [
    "AgentTimeoutError",
    "ContextWindowExceededError",
    "OutputTokenExceededError",
    "ContextLengthExceededError",
    "OutputLengthExceededError",
    "AgentSafetyRefusalError",
    "ContentPolicyViolationError",
];

#[derive(Deserialize)]
struct Trial {
    task_name: String,
    #[serde(rename = "trial_name")]
    name: String,
    verifier_result: Option<Verified>,
    exception_info: Option<Exception>,
}

#[derive(Deserialize)]
struct Verified {
    rewards: Option<Unique<f64>>,
}

#[derive(Deserialize)]
struct Exception {
    exception_type: String,
}

#[derive(Deserialize)]
struct Job {
    n_total_trials: usize,
}

/// One trial's file.
pub(super) fn read_trial(text: &str) -> Result<Reading, ReadError> {
    let trial: Trial = json::document(FORMAT, text)?;
    Reading::of(FORMAT, vec![row(trial, 1)?], Attempts::Independent)
}

/// The folder of a job: its own file says how many trials there must be.
pub(super) fn read_job(folder: &Path) -> Result<Reading, ReadError> {
    let job: Job = json::document(FORMAT, &text_of(&folder.join("result.json"))?)?;
    let unreadable =
        |error: std::io::Error| ReadError::Unreadable { path: folder.to_owned(), reason: error.to_string() };
    let mut trials: Vec<Trial> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)?.take(TRIALS_MAX) {
        let file = entry.map_err(unreadable)?.path().join("result.json");
        if file.is_file() {
            trials.push(json::document(FORMAT, &text_of(&file)?)?);
        }
    }
    if trials.len() != job.n_total_trials {
        let reason = format!("{} of {} trials are there", trials.len(), job.n_total_trials);
        return Err(ReadError::truncated(FORMAT, reason));
    }
    trials.sort_by(|left, right| (&left.task_name, &left.name).cmp(&(&right.task_name, &right.name)));
    let twice = trials.windows(2).find(|two| matches!(two, [one, next] if one.name == next.name));
    if let Some([trial, _]) = twice {
        return Err(ReadError::Duplicate { task: trial.name.clone() });
    }
    let mut attempts: BTreeMap<String, u32> = BTreeMap::new();
    let mut rows = Vec::new();
    for trial in trials {
        let attempt = attempts.entry(trial.task_name.clone()).or_default();
        *attempt += 1;
        rows.push(row(trial, *attempt)?);
    }
    Reading::of(FORMAT, rows, Attempts::Independent)
}

fn row(trial: Trial, attempt: u32) -> Result<Row, ReadError> {
    let rewards = trial.verifier_result.and_then(|verified| verified.rewards);
    let reward = match &rewards {
        None => None,
        Some(Unique(rewards)) => {
            let only = (rewards.len() == 1).then(|| rewards.values().next()).flatten();
            let reward = rewards.get(REWARD).or(only).copied();
            if reward.is_none() && !rewards.is_empty() {
                let reason = format!("`{}` has several rewards and none is `{REWARD}`", trial.name);
                return Err(ReadError::malformed(FORMAT, reason));
            }
            reward
        }
    };
    let exception = trial.exception_info.map(|exception| exception.exception_type);
    let of_the_agent = |name: &String| OF_THE_AGENT.contains(&name.as_str());
    let outcome = match (&exception, reward) {
        (Some(name), _) if !of_the_agent(name) => Outcome::Infra { reason: name.clone() },
        (_, Some(reward)) if reward >= PASSED => Outcome::Pass,
        (_, Some(_)) => Outcome::Fail,
        (Some(_the_agents), None) => Outcome::Fail,
        (None, None) => Outcome::Infra { reason: "it has no reward".to_owned() },
    };
    Ok(Row { attempt, value: reward, unit: REWARD.to_owned(), ..Row::task(trial.task_name, outcome) })
}
