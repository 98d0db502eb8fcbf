//! What sessions came to: plain values, and no verdict.

use serde::{Deserialize, Serialize};

use super::declared::Origin;

/// What one case came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEvidence {
    /// The session.
    pub session: String,
    /// The case.
    pub case: String,
    /// Who thought of it.
    pub origin: Origin,
    /// Whether both sides did the same.
    pub outcome: SessionOutcome,
    /// What the change did to it; `None` where there was nothing before it to compare with.
    pub change: Option<Change>,
    /// What a person should know besides; empty where there is nothing.
    pub note: String,
    /// What was run with what, where both sides did not do the same; without a path of this machine.
    #[serde(default)]
    pub ran: String,
    /// Lines for a shell that show both sides, the upstream's first; empty where both did the same.
    pub commands: Vec<String>,
}

impl SessionEvidence {
    /// The case with its session, as reports name it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.session, self.case)
    }

    /// What differs; nothing where nothing does.
    pub fn differences(&self) -> &[Difference] {
        match &self.outcome {
            SessionOutcome::Differed(differences) => differences,
            SessionOutcome::Agreed | SessionOutcome::Blocked(_) => &[],
        }
    }
}

/// Whether both sides did the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionOutcome {
    /// They did.
    Agreed,
    /// They did not, in this.
    Differed(Vec<Difference>),
    /// It could not be told, for this reason: neither pass nor fail.
    Blocked(String),
}

/// Something in which both sides differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What: `exit code`, `standard output`, `file out.txt`, `answer 3` and so on.
    pub what: String,
    /// What the upstream did.
    pub upstream: String,
    /// What the port did.
    pub port: String,
}

/// What the change of upstream and port did to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Neither side changed.
    None,
    /// The port changed where the upstream did.
    Alike,
    /// The upstream changed, and the port did so before.
    Absorbed,
    /// The upstream changed and the port did not follow.
    Missed,
    /// Both changed, and differently.
    Otherwise,
    /// The port changed where the upstream did not.
    PortOnly,
}

impl Change {
    /// From what changed and whether both sides agree now.
    pub(super) fn of(upstream: bool, port: bool, agrees: bool) -> Self {
        match (upstream, port, agrees) {
            (false, false, _) => Self::None,
            (true, true, true) => Self::Alike,
            (true, true, false) => Self::Otherwise,
            (true, false, true) => Self::Absorbed,
            (true, false, false) => Self::Missed,
            (false, true, _) => Self::PortOnly,
        }
    }

    /// In words, behind the name of a case.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "neither side changed",
            Self::Alike => "the port changed as the upstream did",
            Self::Absorbed => "the upstream changed, and the port did so before",
            Self::Missed => "the upstream changed, and the port did not",
            Self::Otherwise => "both changed, and differently",
            Self::PortOnly => "the port changed, and the upstream did not",
        }
    }
}
