//! What the daemon has done for it, behind a trait: the loop knows no repository and no command line.

use std::sync::Arc;

use mappings::status;
use reports::{RunOutcome, RunRecord};

use super::notify::AlertPlan;
use super::port_state::{Rhythm, Seen, SyncEnd};
use super::trouble::{Trouble, TroubleKind};

/// A port that is watched.
#[derive(Debug, Clone)]
pub struct Port {
    /// Its name, which no other port of the daemon has.
    pub name: String,
    /// When it is looked at.
    pub rhythm: Rhythm,
    /// The address of its upstream, where it is a git repository.
    pub upstream: Option<String>,
    /// The address of its own repository at a forge, where work is proposed there.
    pub forge: Option<String>,
    /// What is told about it, and to whom.
    pub alert: Arc<AlertPlan>,
}

/// How far a port is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// In revisions; `None` where the upstream no longer has the baseline.
    pub revisions: Option<u64>,
    /// In items that differ between the baseline and the newest revision, where both can be read.
    pub items: Option<u64>,
    /// In seconds between the publication of the baseline and of the newest revision, where both are known.
    pub seconds: Option<u64>,
    /// Items that wait for a person.
    pub parked: u64,
}

/// Items are not reckoned by it, and what is parked stands elsewhere.
impl From<&status::Lag<'_>> for Lag {
    fn from(lag: &status::Lag<'_>) -> Self {
        Self {
            revisions: lag.revisions.map(|revisions| revisions as u64),
            seconds: lag.seconds.and_then(|seconds| u64::try_from(seconds).ok()),
            ..Self::default()
        }
    }
}

/// What a sync came to.
#[derive(Debug, Clone)]
pub struct SyncReport {
    /// The record of the run, or why there is none.
    pub result: Result<RunRecord, Trouble>,
    /// How far behind the port is now, where that could be told.
    pub lag: Option<Lag>,
    /// What a person should know, as code and text.
    pub notices: Vec<(&'static str, String)>,
}

/// Codes of notices that are about this side, and not about the upstream.
const OWN_NOTICES: [&str; 3] = ["run-abandoned", "branch-moved", "answer-set-aside"];

impl SyncReport {
    /// What the upstream did to its past.
    pub fn upstream_notices(&self) -> impl Iterator<Item = &(&'static str, String)> {
        self.notices.iter().filter(|(code, _)| !OWN_NOTICES.contains(code))
    }

    /// What it means for when the port is looked at next.
    pub fn end(&self) -> SyncEnd {
        match &self.result {
            Ok(record) => match record.outcome {
                RunOutcome::Done | RunOutcome::NothingToDo | RunOutcome::Parked | RunOutcome::DryRun => {
                    SyncEnd::Well { moved: record.port.head_before != record.port.head_after }
                }
                RunOutcome::GateFailed | RunOutcome::Inconclusive | RunOutcome::Unfinished => SyncEnd::Badly,
            },
            Err(Trouble { kind: TroubleKind::Stopped, .. }) => SyncEnd::Stopped,
            Err(trouble) => SyncEnd::Trouble { failure: trouble.kind.is_failure() },
        }
    }
}

/// Does what the loop asks for. Each call may take long and runs in a thread of its own.
pub trait Work: Sync {
    /// Asks the upstream of a port whether there is anything new.
    fn look(&self, port: &str) -> Result<Seen, Trouble>;
    /// Follows it, with the code of `tidelock sync`.
    fn sync(&self, port: &str) -> SyncReport;
    /// Reads all configurations anew and gives the ports, or what is wrong; then nothing has changed.
    fn reload(&self) -> Result<Vec<Port>, String>;
}
