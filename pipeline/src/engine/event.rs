//! What happened: the only thing that changes a run's state, and all that the journal keeps.

use std::collections::BTreeSet;

use mappings::{Disposition, Proof, UnitId};
use port::edit::Answer;
use port::translate::{Feedback, Route};
use reports::Verdict;
use reports::record::{AttemptRecord, ChangeRow, GateRecord, Notice, SkippedRow, UnitRecord};
use serde::{Deserialize, Serialize};
use upstream::{CommitId, ContentHash, ItemPath, Revision, RevisionLabel, TreeId};

/// A commit of the port with its tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The commit.
    pub commit: CommitId,
    /// Its tree.
    pub tree: TreeId,
}

/// A translator of the chain, as far as the engine needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLink {
    /// Its name in reports.
    pub name: String,
    /// Which kind it is.
    pub route: Route,
    /// How many attempts it is worth.
    pub attempts_max: u32,
}

/// What a run is about, fixed when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The run's name.
    pub run: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// The version of Tidelock.
    pub tidelock: String,
    /// The configuration it began with; a run is not continued under another one.
    pub config_digest: ContentHash,
    /// The port's name.
    pub port: String,
    /// The port's language.
    pub language: String,
    /// The branch that work lands on.
    pub branch: String,
    /// The branch as the run found it.
    pub head: Head,
    /// The upstream as configured.
    pub source: String,
    /// The baseline before the run.
    pub baseline: RevisionLabel,
    /// The revisions to sync to, oldest first, withdrawn ones left out.
    pub targets: Vec<Revision>,
    /// The newest revision there is, withdrawn ones left out.
    pub newest: RevisionLabel,
    /// Revisions behind when the run began.
    pub lag: u32,
    /// The translators, in order.
    pub chain: Vec<ChainLink>,
    /// How foreign code is confined, in words.
    pub confinement: String,
    /// Whether nothing is to land.
    pub dry_run: bool,
    /// The items that the run takes up, where it is one of many by which a port is begun; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<BTreeSet<ItemPath>>,
    /// What a person should know before anything is done.
    pub notices: Vec<Notice>,
}

/// A unit as planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedUnit {
    /// Its name.
    pub id: UnitId,
    /// Units of the same plan that are settled first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<UnitId>,
    /// What the report shows of it, with no attempts yet.
    pub record: UnitRecord,
}

/// What a revision changes and what is to be done about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedRevision {
    /// Its class.
    pub class: String,
    /// What changed upstream.
    pub changes: Vec<ChangeRow>,
    /// Dependencies that changed.
    pub dependencies: Vec<String>,
    /// Files that changed and that no item speaks for.
    pub files: Vec<String>,
    /// What is left alone.
    pub skipped: Vec<SkippedRow>,
    /// The units, in order.
    pub units: Vec<PlannedUnit>,
    /// What a person decided about the whole revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// What a person decided about a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Declined or deferred.
    pub disposition: Disposition,
    /// Why, who answers for it, and until when.
    pub reason: String,
}

/// How one attempt at a unit ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum AttemptResult {
    /// The translator has nothing for this unit.
    Declined,
    /// There was an answer, and it was found wrong.
    Refused {
        /// What the same translator may be told of it.
        feedback: Option<Feedback>,
        /// The findings without their varying parts: the same signature twice ends this translator's turn.
        signature: ContentHash,
        /// How far it had come; `None` where that does not matter, and in journals before it was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        standing: Option<Standing>,
    },
    /// It could not be told whether the answer is right, or there was no answer, for a cause outside.
    Unavailable {
        /// Why.
        reason: String,
    },
    /// It is asked, and the answer comes with a later run.
    Waiting {
        /// What is waited for, for people.
        reason: String,
    },
    /// The candidate passed the checks of its unit.
    Accepted {
        /// The port's tree with this unit done.
        tree: TreeId,
        /// The answer; `None` where it is proved that no edit was needed.
        answer: Option<Answer>,
        /// How far each item is now known to behave alike.
        proofs: Vec<(ItemPath, Proof)>,
        /// What to remember of it once it has landed; `None` where nothing is to be learned.
        lesson: Option<Lesson>,
    },
}

/// What found an answer wrong, the earliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is not of the grammar.
    Grammar,
    /// Its edits are not to be applied.
    Edit,
    /// The text that it makes is not of the language.
    Syntax,
    /// The contract or a test.
    Check,
}

/// How far an answer had come that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The hash of the answer.
    pub answer: ContentHash,
    /// Where it was refused.
    pub stage: Stage,
    /// How many things were wrong with it, where that can be compared with another answer; 0 elsewhere.
    pub failing: u64,
}

/// A model's answer that is worth remembering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    /// The key of the request in the translation memory.
    pub key: ContentHash,
    /// Who gave the answer.
    pub origin: String,
    /// The answer; also one that says that no edit is needed.
    pub answer: Answer,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    Started {
        /// What it is about.
        header: RunHeader,
    },
    /// A revision was diffed and planned.
    Planned {
        /// Which one.
        revision: RevisionLabel,
        /// When its work began, in milliseconds since the Unix epoch.
        at_ms: i64,
        /// The plan.
        plan: PlannedRevision,
    },
    /// A translator was asked for a unit, and its answer was checked.
    Attempted {
        /// The unit.
        unit: UnitId,
        /// What the report shows of it.
        record: AttemptRecord,
        /// How it ended.
        result: AttemptResult,
        /// The texts of the unit's symbols now, in the order of its members, where it was accepted.
        port_after: Vec<String>,
    },
    /// The whole candidate of a revision was measured.
    Gated {
        /// The tree that was measured, lock included.
        tree: TreeId,
        /// All gates together.
        verdict: Verdict,
        /// Each gate.
        gates: Vec<GateRecord>,
        /// What translators may be told of it: declared cases of programs that differ.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        told: Vec<String>,
    },
    /// The commit that is to land was written, and the branch does not know it yet.
    Prepared {
        /// The commit.
        commit: CommitId,
    },
    /// The branch was advanced to the prepared commit.
    Landed {
        /// The commit with its tree.
        head: Head,
        /// The files it changed.
        files: Vec<String>,
        /// How long the revision took, in milliseconds.
        duration_ms: u64,
    },
    /// Somebody else advanced the branch first: the revision begins again on top of theirs.
    BranchMoved {
        /// What the branch is now.
        head: Head,
    },
    /// The run ended.
    Finished {
        /// When, in milliseconds since the Unix epoch.
        at_ms: i64,
    },
}
