//! Verdicts on a commit: check runs of GitHub, and commit statuses of all of them.
//!
//! Only an app may make check runs. The token of one begins with `ghs_`, that of Actions among them; where it lacks the
//! right all the same, a commit status says it.

use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use upstream::CommitId;

use super::answers::AnsweredStatus;
use super::{Flavour, Hub};
use crate::forge::web::{PAGE, escaped};
use crate::forge::{ForgeError, Status, StatusKind, StatusState};

/// Characters of a commit status's description that GitHub takes.
const DESCRIPTION_CHARS_MAX: usize = 140;
/// What the token of an app begins with.
const APP_TOKEN: &str = "ghs_";

/// As what a verdict is shown.
#[derive(Debug)]
pub(super) struct Checks {
    /// Whether check runs are made, as far as is known.
    runs: AtomicBool,
    /// Whether nothing else will do.
    only: bool,
}

impl Checks {
    pub(super) fn new(flavour: Flavour, kind: StatusKind, token: &SecretString) -> Self {
        let runs = match (flavour, kind) {
            (Flavour::Gitea, _) | (Flavour::GitHub, StatusKind::CommitStatus) => false,
            (Flavour::GitHub, StatusKind::CheckRun) => true,
            (Flavour::GitHub, StatusKind::Auto) => token.expose_secret().starts_with(APP_TOKEN),
        };
        Self { runs: AtomicBool::new(runs), only: runs && kind == StatusKind::CheckRun }
    }

    /// What check runs answered; `None` where they are not to be had, and a commit status does.
    fn attempt<T>(&self, ask: impl FnOnce() -> Result<T, ForgeError>) -> Result<Option<T>, ForgeError> {
        if !self.runs.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match ask() {
            Ok(answered) => Ok(Some(answered)),
            Err(ForgeError::Denied { status: 403, .. }) if !self.only => {
                self.runs.store(false, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[derive(Debug, Deserialize)]
struct AnsweredRuns {
    check_runs: Vec<AnsweredRun>,
}

#[derive(Debug, Deserialize)]
struct AnsweredRun {
    id: u64,
    name: String,
    conclusion: Option<String>,
    output: AnsweredOutput,
}

#[derive(Debug, Deserialize)]
struct AnsweredOutput {
    title: Option<String>,
}

impl Hub {
    pub(super) fn verdict(&self, commit: &CommitId, context: &str) -> Result<Option<Status>, ForgeError> {
        if let Some(Some(status)) = self.checks.attempt(|| self.run(commit, context))? {
            return Ok(Some(status));
        }
        if self.checks.only {
            return Ok(None);
        }
        let path = format!("{}/commits/{commit}/statuses?{}", self.repository, self.paged());
        let statuses: Vec<AnsweredStatus> = self.web.list(&path)?;
        // The newest of a name counts, and has the largest number.
        let newest = statuses.into_iter().filter(|one| one.context == context).max_by_key(|one| one.id);
        Ok(newest.map(|one| Status {
            context: one.context,
            state: match one.state.as_deref().or(one.status.as_deref()) {
                Some("success") => StatusState::Success,
                Some("failure") => StatusState::Failure,
                Some(_) | None => StatusState::Inconclusive,
            },
            description: one.description.unwrap_or_default(),
        }))
    }

    fn run(&self, commit: &CommitId, context: &str) -> Result<Option<Status>, ForgeError> {
        let name = escaped(context);
        let path = format!(
            "{}/commits/{commit}/check-runs?check_name={name}&filter=latest&per_page={PAGE}",
            self.repository
        );
        let answered: AnsweredRuns = self.web.get(&path)?;
        let newest =
            answered.check_runs.into_iter().filter(|run| run.name == context).max_by_key(|run| run.id);
        Ok(newest.map(|run| Status {
            context: run.name,
            state: match run.conclusion.as_deref() {
                Some("success") => StatusState::Success,
                Some("failure") => StatusState::Failure,
                Some(_) | None => StatusState::Inconclusive,
            },
            description: run.output.title.unwrap_or_default(),
        }))
    }

    pub(super) fn tell_verdict(&self, commit: &CommitId, status: &Status) -> Result<(), ForgeError> {
        let description: String = status.description.chars().take(DESCRIPTION_CHARS_MAX).collect();
        let conclusion = match status.state {
            StatusState::Success => "success",
            StatusState::Failure => "failure",
            StatusState::Inconclusive => "neutral",
        };
        let run = json!({
            "name": status.context,
            "head_sha": commit,
            "status": "completed",
            "conclusion": conclusion,
            "output": { "title": description, "summary": status.description },
        });
        if self.checks.attempt(|| self.post("/check-runs", &run))?.is_some() {
            return Ok(());
        }
        let state = match status.state {
            StatusState::Success => "success",
            StatusState::Failure => "failure",
            StatusState::Inconclusive => "error",
        };
        let body = json!({ "state": state, "context": status.context, "description": description });
        self.post(&format!("/statuses/{commit}"), &body)
    }
}
