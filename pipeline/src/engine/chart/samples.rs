//! A small run, and everything that can be said to it in any state: what fits, and what does not.

use mappings::{Proof, UnitId};
use port::edit::Answer;
use port::translate::{Feedback, Route};
use reports::Verdict;
use reports::record::{AttemptRecord, GateRecord, UnitOutcome, UnitRecord};
use upstream::{CommitId, ContentHash, ItemPath, Revision, RevisionLabel, TreeId};

use crate::engine::event::{AttemptResult, ChainLink, Event, Head, PlannedRevision, PlannedUnit, RunHeader};
use crate::engine::state::{Phase, RunState, UnitState, Work};
use crate::engine::step::BRANCH_MOVES_MAX;

/// The revisions of the run.
const TARGETS: [&str; 2] = ["0.2.0", "0.3.0"];
/// The units of a revision, where it has any.
const UNITS: [&str; 2] = ["x::f", "x::g"];

/// Events to try in a state, each with the circumstances that it stands for.
pub(crate) fn events(state: &RunState) -> Vec<(&'static str, Event)> {
    let mut all = vec![
        ("with revisions to sync to", Event::Started { header: header(&TARGETS) }),
        ("with nothing new", Event::Started { header: header(&[]) }),
        ("", Event::Prepared { commit: commit('4') }),
        ("", Event::Finished { at_ms: 9 }),
    ];
    let work = if let RunState::Working(work) = state { Some(work) } else { None };
    let often = work.is_some_and(|work| work.moves >= BRANCH_MOVES_MAX);
    all.push((if often { "too often" } else { "" }, Event::BranchMoved { head: head('9') }));
    all.extend(planned(work.map(AsRef::as_ref)));
    all.extend(attempted(work.map(AsRef::as_ref)));
    all.extend(gated(work.map(AsRef::as_ref)));
    all.extend(landed(work.map(AsRef::as_ref)));
    all
}

fn planned(work: Option<&Work>) -> [(&'static str, Event); 3] {
    let due = work.and_then(Work::revision).map_or_else(|| label(TARGETS[0]), |due| due.label.clone());
    let plan = |revision, units| Event::Planned { revision, at_ms: 2000, plan: plan(units) };
    [
        ("with units", plan(due.clone(), &UNITS)),
        ("with nothing to translate", plan(due, &[])),
        ("of another revision", plan(label("0.9.0"), &[])),
    ]
}

fn attempted(work: Option<&Work>) -> Vec<(&'static str, Event)> {
    let open = work.and_then(|work| match &work.phase {
        Phase::Translating(candidate) => {
            candidate.due(&work.header.chain).first().map(|(_, unit, _)| (*unit).clone())
        }
        Phase::Planning | Phase::Gating(_) | Phase::Committing { .. } | Phase::Advancing { .. } => None,
    });
    let unit = open.unwrap_or_else(|| unit_id(UNITS[0]));
    let attempt = |unit: &UnitId, result| Event::Attempted {
        unit: unit.clone(),
        record: attempt_record(),
        result,
        port_after: Vec::new(),
    };
    let accepted = |answer| AttemptResult::Accepted {
        tree: tree('2'),
        answer,
        proofs: vec![(ItemPath::new(UNITS[0]).expect("an item's path"), Proof::Proved)],
        lesson: None,
    };
    let refused = |signature: &str| AttemptResult::Refused {
        feedback: Some(Feedback {
            stage: "numeric".to_owned(),
            findings: vec![signature.to_owned()],
            refused: "text".to_owned(),
        }),
        signature: ContentHash::of(signature),
        standing: None,
    };
    let edited = Answer::Edits { edits: Vec::new() };
    vec![
        ("accepted", attempt(&unit, accepted(Some(edited)))),
        ("no edit needed", attempt(&unit, accepted(None))),
        ("refused", attempt(&unit, refused("one"))),
        ("refused otherwise", attempt(&unit, refused("two"))),
        ("declined", attempt(&unit, AttemptResult::Declined)),
        ("not to be told", attempt(&unit, AttemptResult::Unavailable { reason: "no network".to_owned() })),
        ("waiting", attempt(&unit, AttemptResult::Waiting { reason: "in a batch".to_owned() })),
        ("of a unit that is not open", attempt(&unit_id("x::other"), AttemptResult::Declined)),
    ]
}

fn gated(work: Option<&Work>) -> Vec<(&'static str, Event)> {
    use Verdict::{Fail, Inconclusive, Pass};
    let units = work.map_or(&[][..], |work| match &work.phase {
        Phase::Gating(candidate) => &candidate.units,
        Phase::Planning | Phase::Translating(_) | Phase::Committing { .. } | Phase::Advancing { .. } => &[],
    });
    let any = |is: fn(&UnitState) -> bool| units.iter().any(is);
    let as_it_stood = any(|state| matches!(state, UnitState::Accepted { translator: 0, .. }));
    let by_a_model = any(|state| matches!(state, UnitState::Accepted { translator: 1, answer: Some(_), .. }));
    let was_told = any(|state| matches!(state, UnitState::Accepted { gated: true, .. }));
    let fail = if as_it_stood { "fail, with the port taken as it stood" } else { "fail" };
    let fail_told = match (as_it_stood, by_a_model && !was_told) {
        (true, _) => fail,
        (false, true) => "fail, with what a program does otherwise, for models to mend",
        (false, false) => "fail, with what a program does otherwise, and nobody to tell",
    };
    let telling = |verdict, gates: &[Verdict], told: &[&str]| Event::Gated {
        tree: tree('3'),
        verdict,
        gates: ["validity", "spec", "numeric"].iter().zip(gates).map(gate).collect(),
        told: told.iter().copied().map(str::to_owned).collect(),
    };
    let gated = |verdict, gates| telling(verdict, gates, &[]);
    vec![
        ("pass", gated(Pass, &[Pass; 3])),
        (fail, gated(Fail, &[Pass, Pass, Fail])),
        (fail_told, telling(Fail, &[Pass, Pass, Fail], &["wc/a differs"])),
        ("inconclusive", gated(Inconclusive, &[Pass, Pass, Inconclusive])),
        ("pass without its gates", gated(Pass, &[])),
        ("pass with a gate that failed", gated(Pass, &[Pass, Fail, Pass])),
        ("fail with gates that all passed", gated(Fail, &[Pass; 3])),
    ]
}

fn landed(work: Option<&Work>) -> Vec<(&'static str, Event)> {
    let landed = |head| Event::Landed { head, files: Vec::new(), duration_ms: 5 };
    let last = work.is_some_and(|work| work.target + 1 == work.header.targets.len());
    let what = if last { "of the last revision" } else { "and there is another revision" };
    vec![
        (what, landed(Head { commit: commit('4'), tree: tree('3') })),
        ("of a tree that was not tested", landed(Head { commit: commit('4'), tree: tree('8') })),
        ("of a commit that was not prepared", landed(Head { commit: commit('8'), tree: tree('3') })),
    ]
}

fn header(targets: &[&str]) -> RunHeader {
    let link = |name: &str, route, attempts_max| ChainLink { name: name.to_owned(), route, attempts_max };
    RunHeader {
        run: "run".to_owned(),
        started_ms: 1000,
        tidelock: "0.0.0".to_owned(),
        config_digest: ContentHash::of("config"),
        port: "port".to_owned(),
        language: "python".to_owned(),
        branch: "main".to_owned(),
        head: head('1'),
        source: "registry:x".to_owned(),
        baseline: label("0.1.0"),
        targets: targets.iter().map(|text| revision(text)).collect(),
        newest: label(targets.last().unwrap_or(&"0.1.0")),
        lag: u32::try_from(targets.len()).unwrap_or(u32::MAX),
        chain: vec![link("verify-first", Route::VerifyFirst, 1), link("model", Route::Model, 3)],
        confinement: "none".to_owned(),
        dry_run: false,
        portion: None,
        notices: Vec::new(),
    }
}

fn revision(text: &str) -> Revision {
    Revision {
        label: label(text),
        commit: commit('a'),
        summary: text.to_owned(),
        published_s: None,
        withdrawn: false,
    }
}

fn plan(units: &[&str]) -> PlannedRevision {
    PlannedRevision {
        class: "public_api_changed".to_owned(),
        changes: Vec::new(),
        dependencies: Vec::new(),
        files: Vec::new(),
        skipped: Vec::new(),
        units: units
            .iter()
            .map(|id| PlannedUnit { id: unit_id(id), after: Vec::new(), record: unit_record(id) })
            .collect(),
        decided: None,
    }
}

fn unit_record(id: &str) -> UnitRecord {
    UnitRecord {
        id: id.to_owned(),
        kind: "change".to_owned(),
        reason: "it changed".to_owned(),
        members: Vec::new(),
        impacted: Vec::new(),
        attempts: Vec::new(),
        outcome: UnitOutcome::Open,
    }
}

fn attempt_record() -> AttemptRecord {
    AttemptRecord {
        route: "model".to_owned(),
        origin: "somebody".to_owned(),
        declined: None,
        verdict: None,
        refused_at: String::new(),
        findings: Vec::new(),
        counterexamples: Vec::new(),
        evidence: Vec::new(),
        diff: String::new(),
        input_tokens: 0,
        output_tokens: 0,
        cost_usd: None,
        duration_ms: 0,
    }
}

fn gate((name, verdict): (&&str, &Verdict)) -> GateRecord {
    GateRecord {
        gate: (*name).to_owned(),
        verdict: *verdict,
        reason: String::new(),
        findings: Vec::new(),
        evidence: Vec::new(),
        counterexamples: Vec::new(),
        timings: Vec::new(),
        benches: Vec::new(),
        sessions: Vec::new(),
        arithmetic: Vec::new(),
        duration_ms: 0,
    }
}

fn head(digit: char) -> Head {
    Head { commit: commit(digit), tree: tree(digit) }
}

fn commit(digit: char) -> CommitId {
    CommitId::new(digit.to_string().repeat(40)).expect("forty digits")
}

fn tree(digit: char) -> TreeId {
    TreeId::new(digit.to_string().repeat(40)).expect("forty digits")
}

fn label(text: &str) -> RevisionLabel {
    RevisionLabel::new(text).expect("a version")
}

fn unit_id(text: &str) -> UnitId {
    UnitId::new(text).expect("an item's path")
}
