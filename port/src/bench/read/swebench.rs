//! Reports of SWE-bench: of a whole run (versions 1 and 2 of its schema), or one per instance.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, Unique};
use super::{Attempts, Outcome, ReadError, Reading, Row};

const FORMAT: &str = "swebench";

#[derive(Deserialize)]
struct Run {
    schema_version: u32,
    submitted_ids: Vec<String>,
    completed_ids: Vec<String>,
    resolved_ids: Vec<String>,
    unresolved_ids: Vec<String>,
    error_ids: Vec<String>,
    empty_patch_ids: Vec<String>,
    /// Only newer harnesses tell; the version of the schema is the same.
    infra_failure_ids: Option<Vec<String>>,
    ambiguous_failure_ids: Option<Vec<String>>,
    failure_reasons: Option<Unique<String>>,
    submitted_instances: Option<usize>,
    resolved_instances: Option<usize>,
}

#[derive(Deserialize)]
struct Instance {
    resolved: bool,
    #[serde(default)]
    infra_failure: bool,
}

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let keys: BTreeMap<String, Value> = json::document::<Unique<Value>>(FORMAT, text)?.0;
    if keys.contains_key("schema_version") {
        return run(&json::document(FORMAT, text)?);
    }
    let instances: Unique<Instance> = json::document(FORMAT, text)?;
    let rows = instances.0.into_iter().map(|(id, instance)| {
        let outcome = match (instance.infra_failure, instance.resolved) {
            (true, _) => Outcome::Infra { reason: "infra_failure".to_owned() },
            (false, true) => Outcome::Pass,
            (false, false) => Outcome::Fail,
        };
        Row::task(id, outcome)
    });
    Reading::of(FORMAT, rows.collect(), Attempts::Retries)
}

fn run(run: &Run) -> Result<Reading, ReadError> {
    if !(1..=2).contains(&run.schema_version) {
        let reason = format!("version {} of its schema is unknown", run.schema_version);
        return Err(ReadError::malformed(FORMAT, reason));
    }
    // The newer harnesses tell all three, and without one a fault of the machine is a task's.
    let told = [run.infra_failure_ids.is_some(), run.ambiguous_failure_ids.is_some()];
    if told.iter().any(|told| *told != run.failure_reasons.is_some()) {
        return Err(ReadError::truncated(FORMAT, "it tells only a part of its failures' causes"));
    }
    let set = |ids: &[String]| -> Result<BTreeSet<String>, ReadError> {
        let set: BTreeSet<String> = ids.iter().cloned().collect();
        let twice = ids.iter().find(|id| ids.iter().filter(|other| other == id).count() > 1);
        match twice.filter(|_| set.len() < ids.len()) {
            Some(id) => Err(ReadError::Duplicate { task: id.clone() }),
            None => Ok(set),
        }
    };
    let submitted = set(&run.submitted_ids)?;
    let completed = set(&run.completed_ids)?;
    let (resolved, unresolved) = (set(&run.resolved_ids)?, set(&run.unresolved_ids)?);
    let (errors, empty) = (set(&run.error_ids)?, set(&run.empty_patch_ids)?);
    let infra: BTreeSet<String> = set(run.infra_failure_ids.as_deref().unwrap_or_default())?
        .union(&set(run.ambiguous_failure_ids.as_deref().unwrap_or_default())?)
        .cloned()
        .collect();
    if let Some(id) = resolved.intersection(&unresolved).next() {
        let reason = format!("`{id}` is both resolved and unresolved");
        return Err(ReadError::contradiction(FORMAT, reason));
    }
    if let Some(id) = completed.iter().find(|id| !resolved.contains(*id) && !unresolved.contains(*id)) {
        return Err(ReadError::truncated(FORMAT, format!("`{id}` is completed without a result")));
    }
    for (ids, told) in [(&submitted, run.submitted_instances), (&resolved, run.resolved_instances)] {
        if told.is_some_and(|told| told != ids.len()) {
            let reason = format!("{} ids stand for {} instances", ids.len(), told.unwrap_or_default());
            return Err(ReadError::contradiction(FORMAT, reason));
        }
    }
    let stray = [&resolved, &unresolved, &errors, &empty, &infra]
        .into_iter()
        .flatten()
        .find(|id| !submitted.contains(*id));
    if let Some(id) = stray {
        return Err(ReadError::contradiction(FORMAT, format!("`{id}` was never submitted")));
    }
    let outcome = |id: &String| -> Outcome {
        let reason = || run.failure_reasons.as_ref()?.0.get(id).cloned();
        if resolved.contains(id) {
            Outcome::Pass
        } else if infra.contains(id) {
            // The harness leaves these among the unresolved and the errors.
            Outcome::Infra { reason: reason().unwrap_or_else(|| "infrastructure".to_owned()) }
        } else if unresolved.contains(id)
            || empty.contains(id)
            || errors.contains(id) && run.infra_failure_ids.is_some()
        {
            Outcome::Fail
        } else {
            // Older harnesses do not say whose fault an error was, and an absent result is none.
            Outcome::Infra { reason: reason().unwrap_or_else(|| "no result".to_owned()) }
        }
    };
    let rows = submitted.iter().map(|id| Row::task(id.clone(), outcome(id)));
    Reading::of(FORMAT, rows.collect(), Attempts::Retries)
}
