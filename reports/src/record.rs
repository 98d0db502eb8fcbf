//! The durable record of a run, in plain data: what was seen, done, found and landed.
//!
//! It is written by `pipeline` and rendered here. Verdicts are read from it and never computed.

pub use crate::bench_record::{BenchChange, BenchPair, BenchPast, BenchPoint, BenchRecord, BenchScore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The format that this program writes. A reader takes any record of the same major version.
pub const FORMAT: FormatVersion = FormatVersion { major: 1, minor: 2 };

/// The version of the record's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FormatVersion {
    /// Raised when an old reader would misread a new record.
    pub major: u32,
    /// Raised when fields are added.
    pub minor: u32,
}

/// The longest record that is read, in bytes.
pub const RECORD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is longer than [`RECORD_BYTES_MAX`].
    #[error("the run record is {bytes} bytes long and at most {RECORD_BYTES_MAX} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is no JSON, or says nowhere which format it has.
    #[error("the run record is no JSON object with a `format`")]
    NoFormat(#[source] serde_json::Error),
    /// It has another major version, so its fields may mean something else.
    #[error(
        "the run record has format {found} and this program reads format {}.x: use the Tidelock that wrote it, or a newer one",
        FORMAT.major
    )]
    OtherMajor {
        /// The record's format.
        found: FormatVersion,
    },
    /// It claims a format that this program reads, and does not have it.
    #[error("the run record does not match its format {found}")]
    Malformed {
        /// The record's format.
        found: FormatVersion,
        /// What does not match, and where.
        #[source]
        source: serde_json::Error,
    },
}

impl RunRecord {
    /// Reads a record of this program's major version. Fields of a newer minor version are passed over.
    pub fn read(json: &str) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Head {
            format: FormatVersion,
        }
        if json.len() > RECORD_BYTES_MAX {
            return Err(RecordError::TooLong { bytes: json.len() });
        }
        let found = serde_json::from_str::<Head>(json).map_err(RecordError::NoFormat)?.format;
        if found.major != FORMAT.major {
            return Err(RecordError::OtherMajor { found });
        }
        serde_json::from_str(json).map_err(|source| RecordError::Malformed { found, source })
    }
}

impl std::fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What a gate says. There is no fourth: what was not checked has no verdict, and a reason instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Checked, and as it should be.
    Pass,
    /// Checked, and not as it should be.
    Fail,
    /// It could not be told, for a cause outside the candidate or for want of evidence.
    Inconclusive,
}

impl Verdict {
    /// The word of the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It has not ended: it is running, or was stopped and can be continued.
    Unfinished,
    /// Everything that was asked for is in the port.
    Done,
    /// The port equals the upstream already.
    NothingToDo,
    /// Some of it waits for a person.
    Parked,
    /// A gate refused a candidate, and nothing better was found.
    GateFailed,
    /// It could not be told.
    Inconclusive,
    /// A dry run: nothing was landed on purpose.
    DryRun,
}

impl RunOutcome {
    /// The word of the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Done => "done",
            Self::NothingToDo => "nothing_to_do",
            Self::Parked => "parked",
            Self::GateFailed => "gate_failed",
            Self::Inconclusive => "inconclusive",
            Self::DryRun => "dry_run",
        }
    }
}

/// Everything that one run saw, did and found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// The format of this record.
    pub format: FormatVersion,
    /// The run's name, unique within the port.
    pub run: String,
    /// The version of Tidelock.
    pub tidelock: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// When it ended; `None` while it has not.
    pub finished_ms: Option<i64>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// The port.
    pub port: PortFacts,
    /// The upstream.
    pub upstream: UpstreamFacts,
    /// The translators that were asked, in order.
    pub translators: Vec<String>,
    /// How foreign code was confined, in words, such as `bubblewrap: no network, private file system`.
    pub confinement: String,
    /// The revisions, oldest first.
    pub revisions: Vec<RevisionRecord>,
    /// What a person should know and no revision speaks of.
    pub notices: Vec<Notice>,
}

/// The port before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortFacts {
    /// Its name.
    pub name: String,
    /// Its language, such as `python`.
    pub language: String,
    /// The branch that work lands on.
    pub branch: String,
    /// Its commit before the run.
    pub head_before: String,
    /// Its commit after the run.
    pub head_after: String,
    /// Its tree after the run.
    pub tree_after: String,
}

/// The upstream, and how far behind the port was and is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpstreamFacts {
    /// The source as configured, such as `registry:strsim`.
    pub source: String,
    /// The baseline before the run.
    pub baseline_before: String,
    /// The baseline after the run.
    pub baseline_after: String,
    /// The newest revision seen.
    pub newest: String,
    /// Revisions behind before the run.
    pub lag_before: u32,
    /// Revisions behind after the run.
    pub lag_after: u32,
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// A stable code, such as `yanked-release`.
    pub code: String,
    /// What it is.
    pub text: String,
}

/// One upstream revision: what changed, what was done about it, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionRecord {
    /// What people call it.
    pub label: String,
    /// Its commit in the mirror.
    pub commit: String,
    /// The first line of its message.
    pub summary: String,
    /// When it was published, in seconds since the Unix epoch.
    pub published_s: Option<i64>,
    /// Its class, such as `public_api_changed`.
    pub class: String,
    /// What changed upstream, item by item.
    pub changes: Vec<ChangeRow>,
    /// Dependencies that changed, one a line, such as `hashbrown: none -> ^0.1.8`.
    pub dependencies: Vec<String>,
    /// Files that changed and that no item speaks for.
    pub files: Vec<String>,
    /// Changed items that were left alone, with the reason.
    pub skipped: Vec<SkippedRow>,
    /// The work units, in the order in which they were done.
    pub units: Vec<UnitRecord>,
    /// The gates over the whole candidate.
    pub gates: Vec<GateRecord>,
    /// What became of it, such as `landed`; `None` while that is open.
    pub disposition: Option<String>,
    /// Why, where it is not plain; empty otherwise.
    pub reason: String,
    /// The commit that landed it.
    pub landed: Option<Landed>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// One upstream change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRow {
    /// The item.
    pub item: String,
    /// Its kind, such as `function`.
    pub kind: String,
    /// What happened, such as `added` or `signature, body`.
    pub change: String,
    /// Whether it is test code.
    pub is_test: bool,
}

/// One changed item that was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedRow {
    /// The item.
    pub item: String,
    /// What happened to it.
    pub change: String,
    /// A stable code, such as `ignored`.
    pub why: String,
    /// The reason in words.
    pub reason: String,
}

/// A commit in the port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Landed {
    /// The commit.
    pub commit: String,
    /// Its tree, which is the tree that passed the gate.
    pub tree: String,
    /// The files it changed.
    pub files: Vec<String>,
}

/// One work unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnitRecord {
    /// Its name.
    pub id: String,
    /// `add`, `change`, `remove`, `relocate` or `test`.
    pub kind: String,
    /// Why it was planned.
    pub reason: String,
    /// Its items and symbols.
    pub members: Vec<MemberRecord>,
    /// Symbols that were proved because they call these.
    pub impacted: Vec<String>,
    /// What was tried, in order.
    pub attempts: Vec<AttemptRecord>,
    /// How it ended.
    pub outcome: UnitOutcome,
}

/// An item of a unit, with both texts on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberRecord {
    /// The item.
    pub item: String,
    /// The symbol.
    pub symbol: String,
    /// The file of the symbol.
    pub file: String,
    /// What happened to the item.
    pub change: String,
    /// The item as the port equalled it; empty where it is new.
    pub upstream_before: String,
    /// The item as it is; empty where it went.
    pub upstream_after: String,
    /// The symbol before; empty where it is new.
    pub port_before: String,
    /// The symbol after; the same as before where nothing was edited.
    pub port_after: String,
}

/// How a unit ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum UnitOutcome {
    /// It has not.
    Open,
    /// The port needed no edit, and that was proved.
    Absorbed,
    /// An edit passed.
    Translated {
        /// `rule`, `memory` or `model`.
        route: String,
        /// Who made it.
        origin: String,
    },
    /// It waits for a person.
    Parked {
        /// Why.
        reason: String,
        /// What it would take.
        needs: String,
    },
}

/// One attempt at a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptRecord {
    /// `verify_first`, `rule`, `memory` or `model`.
    pub route: String,
    /// Who made the candidate: a rule's name, a memory entry's origin, a model's name.
    pub origin: String,
    /// Why the translator declined, where it did; then there is no verdict.
    pub declined: Option<String>,
    /// What the gate said.
    pub verdict: Option<Verdict>,
    /// Where the answer was refused: `answer` (its grammar), `edit` (what it touches), `syntax`, `contract` or
    /// `test`; empty where it was not, and in records before format 1.1.
    #[serde(default)]
    pub refused_at: String,
    /// What was found, for people.
    pub findings: Vec<Finding>,
    /// Calls on which both sides differ.
    pub counterexamples: Vec<CounterexampleRecord>,
    /// What was compared.
    pub evidence: Vec<EvidenceRow>,
    /// The candidate's change to the port, as a unified diff; empty where nothing was edited.
    pub diff: String,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// Cost in United States dollars, where a price is configured.
    pub cost_usd: Option<f64>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// A stable code, such as `missing-symbol`.
    pub code: String,
    /// What it is.
    pub text: String,
}

/// A call on which both sides differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CounterexampleRecord {
    /// The symbol.
    pub symbol: String,
    /// The call as one would write it in the port.
    pub call: String,
    /// What the upstream gave.
    pub upstream: String,
    /// What the port gave.
    pub port: String,
    /// The lines of a program that shows the last result, where one call is not enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub program: Vec<String>,
    /// The first call below this one that was given the same and gave something else, where one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divergence: Option<DivergenceRecord>,
    /// Lines for a shell that show both sides, the upstream's first, where a whole program was run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
}

/// The first call that was given the same on both sides and gave something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DivergenceRecord {
    /// The item.
    pub item: String,
    /// The symbol.
    pub symbol: String,
    /// What both were given.
    pub arguments: String,
    /// What the upstream's gave.
    pub upstream: String,
    /// What the port's gave.
    pub port: String,
}

impl std::fmt::Display for DivergenceRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { symbol, arguments, upstream, port, .. } = self;
        write!(f, "{symbol}({arguments}): upstream {upstream}, port {port}")
    }
}

/// How far it is known that a symbol behaves as its item does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofLevel {
    /// Compared on probes, and they agreed.
    Proved,
    /// Reached by tests or by probes of callers only.
    Tested,
    /// Mapped, and not checked.
    MappedOnly,
    /// Nothing is known.
    Unknown,
}

/// What was compared for one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceRow {
    /// The item.
    pub item: String,
    /// The symbol.
    pub symbol: String,
    /// How far it is known to behave alike, by this evidence.
    pub proof: ProofLevel,
    /// Why no probe could be made; empty where some were.
    pub not_probed: String,
    /// Probes taken from the upstream's tests, documentation and examples.
    pub harvested: u32,
    /// Probes generated from the types.
    pub generated: u32,
    /// Probes that agreed.
    pub agreed: u32,
    /// Probes that differed.
    pub disagreed: u32,
    /// Probes that could not be answered.
    pub blocked: u32,
    /// Blocks of the item's code that the probes ran through.
    pub blocks_reached: u32,
    /// All blocks of the item's code.
    pub blocks_total: u32,
    /// Probes on which the new upstream differs from the old one.
    pub changed_upstream: Option<u32>,
    /// Probes on which the candidate differs from the port before it.
    pub changed_port: Option<u32>,
    /// Probes on which both changed or neither did.
    pub changed_alike: Option<u32>,
}

/// One gate over a whole candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateRecord {
    /// `validity`, `spec`, `numeric`, `tests`, `timing` or `benchmarks`.
    pub gate: String,
    /// What it says.
    pub verdict: Verdict,
    /// The reason in one line.
    pub reason: String,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What was compared, for the contract.
    pub evidence: Vec<EvidenceRow>,
    /// Calls on which both sides differ.
    pub counterexamples: Vec<CounterexampleRecord>,
    /// Ratios of candidate to port before, for timings.
    pub timings: Vec<TimingRow>,
    /// What each benchmark found, for the gate `benchmarks`.
    #[serde(default)]
    pub benches: Vec<BenchRecord>,
    /// Whole programs that were run on both sides, by case, for the gate `behavioural`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<SessionRow>,
    /// How the decision about benchmarks was reckoned, for whoever asks.
    #[serde(default)]
    pub arithmetic: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// One case of a session: a program run on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionRow {
    /// The session and the case, as in `wc/counts words`.
    pub name: String,
    /// Whether it was made from a declared case.
    pub generated: bool,
    /// Whether both sides did the same; `inconclusive` where it could not be told, or waits with what is parked.
    pub verdict: Verdict,
    /// What differs, or why it could not be told; empty where both did the same.
    pub reason: String,
    /// What the change of both sides did to it, in words; empty where nothing was before it.
    pub change: String,
}

/// One timing, the candidate against the port before it, interleaved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimingRow {
    /// What was timed.
    pub name: String,
    /// Median of the candidate's time over that before; below 1 is faster.
    pub ratio: f64,
    /// Lower end of its 95 % interval.
    pub ratio_low: f64,
    /// Upper end of its 95 % interval.
    pub ratio_high: f64,
    /// Interleaved pairs that were run.
    pub pairs: u32,
    /// `pass`, `fail` or `inconclusive` against the margin.
    pub verdict: Verdict,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sample;

    fn edited(edit: impl FnOnce(&mut Value)) -> String {
        let mut value = serde_json::to_value(sample::done()).unwrap();
        edit(&mut value);
        value.to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for record in sample::all() {
            let json = serde_json::to_string(&record).unwrap();
            assert_eq!(RunRecord::read(&json).unwrap(), record);
        }
    }

    #[test]
    fn unknown_fields_of_a_newer_minor_version_are_passed_over() {
        let json = edited(|value| {
            value["format"]["minor"] = json!(7);
            value["weather"] = json!("fair");
            value["revisions"][0]["mood"] = json!({ "deep": [1] });
        });
        assert_eq!(RunRecord::read(&json).unwrap().revisions, sample::done().revisions);
    }

    #[test]
    fn a_newer_major_version_is_refused_with_both_numbers() {
        let json = edited(|value| {
            value["format"] = json!({ "major": 2, "minor": 3 });
            value["revisions"] = json!("something else");
        });
        let message = RunRecord::read(&json).unwrap_err().to_string();
        assert!(message.contains("format 2.3") && message.contains("reads format 1.x"), "{message}");
    }

    #[test]
    fn what_is_no_record_is_refused_with_the_cause() {
        assert!(matches!(RunRecord::read("{"), Err(RecordError::NoFormat(_))));
        assert!(matches!(RunRecord::read("[]"), Err(RecordError::NoFormat(_))));
        let json = edited(|value| value["outcome"] = json!("brilliant"));
        let Err(RecordError::Malformed { source, .. }) = RunRecord::read(&json) else {
            panic!("an unknown outcome was taken");
        };
        assert!(source.to_string().contains("brilliant"));
    }
}
