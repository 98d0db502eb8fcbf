//! The engine, played by hand.

use mappings::Proof;
use port::edit::{Answer, Edit};
use port::translate::Route;
use reports::Verdict;
use reports::record::{AttemptRecord, RunOutcome, UnitOutcome, UnitRecord};
use upstream::{CommitId, ContentHash, Revision, RevisionLabel, TreeId};

use super::*;
use crate::engine::event::{Head, PlannedRevision, PlannedUnit, Stage, Standing};
use crate::engine::record::record;

fn commit(digit: char) -> CommitId {
    CommitId::new(digit.to_string().repeat(40)).unwrap()
}

fn tree(digit: char) -> TreeId {
    TreeId::new(digit.to_string().repeat(40)).unwrap()
}

fn label(text: &str) -> RevisionLabel {
    RevisionLabel::new(text).unwrap()
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

fn link(name: &str, route: Route, attempts_max: u32) -> ChainLink {
    ChainLink { name: name.to_owned(), route, attempts_max }
}

fn header(targets: &[&str]) -> RunHeader {
    RunHeader {
        run: "run-1".to_owned(),
        started_ms: 1000,
        tidelock: "0.0.0".to_owned(),
        config_digest: ContentHash::of("config"),
        port: "port".to_owned(),
        language: "python".to_owned(),
        branch: "main".to_owned(),
        head: Head { commit: commit('1'), tree: tree('1') },
        source: "registry:x".to_owned(),
        baseline: label("0.1.0"),
        targets: targets.iter().map(|text| revision(text)).collect(),
        newest: label(targets.last().unwrap_or(&"0.1.0")),
        lag: u32::try_from(targets.len()).unwrap(),
        chain: vec![
            link("verify-first", Route::VerifyFirst, 1),
            link("memory", Route::Memory, 2),
            link("m", Route::Model, 3),
        ],
        confinement: "none".to_owned(),
        dry_run: false,
        portion: None,
        notices: Vec::new(),
    }
}

fn started(targets: &[&str]) -> Event {
    Event::Started { header: header(targets) }
}

fn unit(id: &str) -> PlannedUnit {
    PlannedUnit {
        id: UnitId::new(id).unwrap(),
        after: Vec::new(),
        record: UnitRecord {
            id: id.to_owned(),
            kind: "change".to_owned(),
            reason: "it changed".to_owned(),
            members: Vec::new(),
            impacted: Vec::new(),
            attempts: Vec::new(),
            outcome: UnitOutcome::Open,
        },
    }
}

fn planned(revision: &str, units: &[&str]) -> Event {
    let plan = PlannedRevision {
        class: "public_api".to_owned(),
        changes: Vec::new(),
        dependencies: Vec::new(),
        files: Vec::new(),
        skipped: Vec::new(),
        units: units.iter().map(|id| unit(id)).collect(),
        decided: None,
    };
    Event::Planned { revision: label(revision), at_ms: 2000, plan }
}

fn attempted(id: &str, result: AttemptResult) -> Event {
    let record = AttemptRecord {
        route: "memory".to_owned(),
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
    };
    Event::Attempted { unit: UnitId::new(id).unwrap(), record, result, port_after: Vec::new() }
}

fn accepted(digit: char, edited: bool) -> AttemptResult {
    let symbol = mappings::SymbolPath::new("x.f").unwrap();
    let answer = edited
        .then(|| Answer::Edits { edits: vec![Edit::Delete { symbol, expected: "00000000".to_owned() }] });
    AttemptResult::Accepted {
        tree: tree(digit),
        answer,
        proofs: vec![(upstream::ItemPath::new("x::f").unwrap(), Proof::Proved)],
        lesson: None,
    }
}

fn refused(signature: &str, told: bool) -> AttemptResult {
    let feedback = told.then(|| port::translate::Feedback {
        stage: "numeric".to_owned(),
        findings: vec![signature.to_owned()],
        refused: "text".to_owned(),
    });
    AttemptResult::Refused { feedback, signature: ContentHash::of(signature), standing: None }
}

/// An answer that the contract refused, with so many calls that differ.
fn differing(answer: &str, failing: u64) -> AttemptResult {
    let AttemptResult::Refused { feedback, signature, .. } = refused(answer, true) else { panic!("refused") };
    let standing = Some(Standing { answer: ContentHash::of(answer), stage: Stage::Check, failing });
    AttemptResult::Refused { feedback, signature, standing }
}

fn gated(digit: char, verdict: Verdict) -> Event {
    let gates = ["validity", "spec", "numeric"].map(|gate| reports::record::GateRecord {
        gate: gate.to_owned(),
        verdict,
        reason: String::new(),
        findings: Vec::new(),
        evidence: Vec::new(),
        counterexamples: Vec::new(),
        timings: Vec::new(),
        benches: Vec::new(),
        sessions: Vec::new(),
        arithmetic: Vec::new(),
        duration_ms: 0,
    });
    Event::Gated { tree: tree(digit), verdict, gates: gates.to_vec(), told: Vec::new() }
}

fn landed(digit: char) -> Event {
    Event::Landed {
        head: Head { commit: commit(digit), tree: tree(digit) },
        files: Vec::new(),
        duration_ms: 5,
    }
}

fn play(events: &[Event]) -> RunState {
    events.iter().try_fold(RunState::New, step).unwrap()
}

/// Who is asked next, as `unit translator attempt`.
fn asked(state: &RunState) -> String {
    match effect(state) {
        Some(Effect::Attempt { unit, translator, attempt, .. }) => format!("{unit} {translator} {attempt}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_revision_goes_from_plan_to_landing_and_the_next_one_begins() {
    let mut events = vec![started(&["0.2.0", "0.3.0"]), planned("0.2.0", &["x::f", "x::g"])];
    assert_eq!(asked(&play(&events)), "x::f 0 1");
    events.push(attempted("x::f", accepted('2', false)));
    assert_eq!(asked(&play(&events)), "x::g 0 1");
    events.push(attempted("x::g", accepted('3', true)));
    assert_eq!(effect(&play(&events)), Some(Effect::Gate { tree: tree('3') }));
    events.push(gated('4', Verdict::Pass));
    assert_eq!(effect(&play(&events)), Some(Effect::Commit { tree: tree('4') }));
    events.push(Event::Prepared { commit: commit('4') });
    let from = Head { commit: commit('1'), tree: tree('1') };
    assert_eq!(effect(&play(&events)), Some(Effect::Advance { from, to: commit('4') }));
    events.push(landed('4'));
    let state = play(&events);
    let Some(Effect::Plan { revision, head }) = effect(&state) else { panic!("{state:?}") };
    assert_eq!((revision.label, head.commit), (label("0.3.0"), commit('4')));
}

#[test]
fn a_revision_without_units_goes_straight_to_the_gate() {
    let state = play(&[started(&["0.2.0"]), planned("0.2.0", &[])]);
    assert_eq!(effect(&state), Some(Effect::Gate { tree: tree('1') }));
}

#[test]
fn a_translator_that_declines_hands_on_to_the_next() {
    let events =
        [started(&["0.2.0"]), planned("0.2.0", &["x::f"]), attempted("x::f", AttemptResult::Declined)];
    assert_eq!(asked(&play(&events)), "x::f 1 1");
}

#[test]
fn the_memory_is_asked_for_every_entry_even_when_they_fail_alike() {
    let mut events = vec![
        started(&["0.2.0"]),
        planned("0.2.0", &["x::f"]),
        attempted("x::f", AttemptResult::Declined),
        attempted("x::f", refused("same", false)),
    ];
    assert_eq!(asked(&play(&events)), "x::f 1 2");
    events.push(attempted("x::f", refused("same", false)));
    assert_eq!(asked(&play(&events)), "x::f 2 1");
}

#[test]
fn a_model_that_fails_twice_alike_is_asked_no_more() {
    let mut events = vec![
        started(&["0.2.0"]),
        planned("0.2.0", &["x::f"]),
        attempted("x::f", AttemptResult::Declined),
        attempted("x::f", AttemptResult::Declined),
        attempted("x::f", refused("one", true)),
    ];
    assert_eq!(asked(&play(&events)), "x::f 2 2");
    let Some(Effect::Attempt { feedback: Some(feedback), .. }) = effect(&play(&events)) else {
        panic!("the second attempt is told what was wrong with the first")
    };
    assert_eq!(feedback.findings, ["one"]);
    events.push(attempted("x::f", refused("one", true)));
    let (record, state) = record(&events).unwrap();
    assert_eq!(effect(&state), Some(Effect::Gate { tree: tree('1') }));
    let outcome = &record.unwrap().revisions[0].units[0].outcome;
    let UnitOutcome::Parked { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("was refused"), "{reason}");
}

#[test]
fn a_model_that_is_stuck_is_asked_afresh_once() {
    let model = |attempts_max| {
        let mut header = header(&["0.2.0"]);
        header.chain = vec![link("m", Route::Model, attempts_max)];
        vec![Event::Started { header }, planned("0.2.0", &["x::f"])]
    };
    let told = |events: &[Event]| match effect(&play(events)) {
        Some(Effect::Attempt { attempt, feedback, .. }) => Some((attempt, feedback.is_some())),
        _ => None,
    };
    let mut events = model(5);
    events.push(attempted("x::f", differing("a", 9)));
    assert_eq!(told(&events), Some((2, true)), "it is told what was wrong");
    events.push(attempted("x::f", differing("b", 4)));
    assert_eq!(told(&events), Some((3, true)), "it gets nearer");
    events.push(attempted("x::f", differing("c", 4)));
    assert_eq!(told(&events), Some((4, false)), "it gets no nearer: asked afresh");
    events.push(attempted("x::f", differing("a", 9)));
    assert_eq!(told(&events), Some((5, true)), "the talk before does not count");
    events.push(attempted("x::f", differing("d", 10)));
    assert_eq!(told(&events), None, "stuck a second time");
    let mut events = model(2);
    events.extend([attempted("x::f", differing("a", 9)), attempted("x::f", differing("b", 9))]);
    assert_eq!(told(&events), None, "no attempt is left to begin afresh");
}

#[test]
fn what_could_not_be_told_is_parked_as_such() {
    let unavailable = || AttemptResult::Unavailable { reason: "no network".to_owned() };
    let events = [
        started(&["0.2.0"]),
        planned("0.2.0", &["x::f"]),
        attempted("x::f", AttemptResult::Declined),
        attempted("x::f", AttemptResult::Declined),
        attempted("x::f", unavailable()),
    ];
    let (record, _) = record(&events).unwrap();
    let outcome = record.unwrap().revisions[0].units[0].outcome.clone();
    let UnitOutcome::Parked { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason, "it could not be told: no network");
}

#[test]
fn a_failed_gate_ends_the_run_and_nothing_lands() {
    let mut events = vec![started(&["0.2.0", "0.3.0"]), planned("0.2.0", &[]), gated('2', Verdict::Fail)];
    assert_eq!(effect(&play(&events)), Some(Effect::Finish));
    events.push(Event::Finished { at_ms: 9 });
    let (record, _) = record(&events).unwrap();
    let record = record.unwrap();
    assert_eq!(record.outcome, RunOutcome::GateFailed);
    assert_eq!(record.port.head_after, record.port.head_before);
}

#[test]
fn a_verdict_without_its_gates_is_not_believed() {
    let state = play(&[started(&["0.2.0"]), planned("0.2.0", &[])]);
    let (gates, told) = (Vec::new(), Vec::new());
    let claimed = Event::Gated { tree: tree('2'), verdict: Verdict::Pass, gates, told };
    assert!(step(state, &claimed).is_err());
}

#[test]
fn a_tree_that_was_not_tested_cannot_land() {
    let mut events = vec![
        started(&["0.2.0"]),
        planned("0.2.0", &[]),
        gated('2', Verdict::Pass),
        Event::Prepared { commit: commit('2') },
    ];
    let state = play(&events);
    let other = Event::Landed {
        head: Head { commit: commit('2'), tree: tree('3') },
        files: Vec::new(),
        duration_ms: 0,
    };
    assert!(step(state, &other).is_err());
    events.push(landed('2'));
    assert_eq!(effect(&play(&events)), Some(Effect::Finish));
}

#[test]
fn a_moved_branch_begins_the_revision_again_on_top_of_it_and_not_for_ever() {
    let mut events = vec![started(&["0.2.0"])];
    for _ in 0..=BRANCH_MOVES_MAX {
        let Some(Effect::Plan { .. }) = effect(&play(&events)) else { panic!("planned again") };
        events.extend([
            planned("0.2.0", &[]),
            gated('2', Verdict::Pass),
            Event::Prepared { commit: commit('2') },
            Event::BranchMoved { head: Head { commit: commit('9'), tree: tree('9') } },
        ]);
    }
    events.push(Event::Finished { at_ms: 9 });
    let (record, _) = record(&events).unwrap();
    let record = record.unwrap();
    assert_eq!(record.outcome, RunOutcome::Inconclusive);
    assert_eq!(record.revisions.len(), 1, "a revision that was begun again is shown once");
}

#[test]
fn events_out_of_place_are_refused_whatever_the_state() {
    let story = [
        started(&["0.2.0"]),
        planned("0.2.0", &["x::f"]),
        attempted("x::f", accepted('2', true)),
        gated('3', Verdict::Pass),
        Event::Prepared { commit: commit('3') },
        landed('3'),
        Event::Finished { at_ms: 9 },
    ];
    for cut in 0..=story.len() {
        let state = play(&story[..cut]);
        for (at, event) in story.iter().enumerate() {
            assert_eq!(step(state.clone(), event).is_ok(), at == cut, "event {at} after {cut} events");
        }
        let over = cut == 0 || cut == story.len();
        assert_eq!(effect(&state).is_none(), over, "after {cut} events");
    }
}

#[test]
fn a_run_with_no_target_has_nothing_to_do() {
    let (record, _) = record(&[started(&[]), Event::Finished { at_ms: 9 }]).unwrap();
    assert_eq!(record.unwrap().outcome, RunOutcome::NothingToDo);
}

#[test]
fn what_the_port_keeps_of_a_parked_unit_names_nothing_of_the_machine() {
    let lasting = |names: [&str; 3], result: &AttemptResult| {
        let mut header = header(&["0.2.0"]);
        for (link, name) in header.chain.iter_mut().zip(names) {
            (link.name, link.attempts_max) = (name.to_owned(), 1);
        }
        let started = Event::Started { header };
        let mut events = vec![started, planned("0.2.0", &["x::f"])];
        events.extend(std::iter::repeat_n(attempted("x::f", result.clone()), 3));
        let RunState::Working(work) = play(&events) else { panic!("at work") };
        let Phase::Gating(candidate) = &work.phase else { panic!("{:?}", work.phase) };
        let [UnitState::Parked { lasting, .. }] = &candidate.units[..] else { panic!("{candidate:?}") };
        lasting.clone()
    };
    let ad_hoc = ["command:python3 /home/me/answer.py", "chat:m@http://10.0.0.7/v1", "inbox:/srv/in"];
    assert_eq!(
        lasting(ad_hoc, &refused("one", true)),
        "every answer of the chain (a command, chat:m, inbox) was refused"
    );
    assert_eq!(
        lasting(["rules", "anthropic:m", "cheap"], &AttemptResult::Declined),
        "nobody in the chain (rules, anthropic:m, cheap) had an answer"
    );
    let failed = AttemptResult::Unavailable { reason: "/home/me/answer.py: no such file".to_owned() };
    assert_eq!(lasting(ad_hoc, &failed), "it could not be told: the report of the run says why");
}

/// What models may be asked for now, as `unit translator attempt` and the tree that is shown.
fn asked_beforehand(state: &RunState) -> Vec<String> {
    let told = |effect| {
        let Effect::Attempt { unit, translator, attempt, shown, .. } = effect else { panic!("{effect:?}") };
        let tree: String = shown.as_str().chars().take(1).collect();
        format!("{unit} {translator} {attempt} of {tree}")
    };
    foreseen(state).into_iter().map(told).collect()
}

/// A rule and a model, and three units: `f` and `g` stand alone, `h` calls `f`.
fn three_units() -> Vec<Event> {
    let mut header = header(&["0.2.0"]);
    header.chain = vec![link("rules", Route::Rule, 1), link("m", Route::Model, 3)];
    let Event::Planned { revision, at_ms, mut plan } = planned("0.2.0", &["f", "g", "h"]) else {
        panic!("planned")
    };
    plan.units[2].after = vec![UnitId::new("f").unwrap(), UnitId::new("gone").unwrap()];
    vec![Event::Started { header }, Event::Planned { revision, at_ms, plan }]
}

#[test]
fn models_are_asked_beforehand_and_units_are_done_in_an_order_of_their_own() {
    let mut events = three_units();
    assert_eq!((asked(&play(&events)), asked_beforehand(&play(&events))), ("f 0 1".to_owned(), vec![]));
    events.push(attempted("f", AttemptResult::Declined));
    assert_eq!(asked(&play(&events)), "g 0 1", "what needs no model is done while a model thinks");
    assert_eq!(asked_beforehand(&play(&events)), ["f 1 1 of 1"]);
    events.push(attempted("g", AttemptResult::Declined));
    assert_eq!(asked(&play(&events)), "f 1 1");
    assert_eq!(asked_beforehand(&play(&events)), ["f 1 1 of 1", "g 1 1 of 1"]);
    let early = attempted("g", accepted('3', true));
    assert!(step(play(&events), &early).is_err(), "whose answer is there first does not matter");
    events.push(attempted("f", refused("one", true)));
    assert_eq!(asked(&play(&events)), "g 1 1", "nobody is asked twice before all were asked once");
    assert_eq!(asked_beforehand(&play(&events)), ["g 1 1 of 1", "f 1 2 of 1"]);
    events.push(attempted("g", accepted('2', true)));
    assert_eq!(asked_beforehand(&play(&events)), ["f 1 2 of 1"], "what is asked stays as it was asked");
    events.push(attempted("f", accepted('3', true)));
    assert_eq!(asked(&play(&events)), "h 0 1");
    events.push(attempted("h", AttemptResult::Declined));
    assert_eq!(asked_beforehand(&play(&events)), ["h 1 1 of 3"], "it is shown what it calls as that is now");
}

#[test]
fn units_that_wait_for_each_other_are_done_in_the_order_of_the_plan() {
    let mut events = three_units();
    let Some(Event::Planned { plan, .. }) = events.last_mut() else { panic!("planned") };
    for (at, other) in [(0, "h"), (1, "f"), (2, "f")] {
        plan.units[at].after = vec![UnitId::new(other).unwrap()];
    }
    assert_eq!(asked(&play(&events)), "f 0 1");
    events.extend([attempted("f", accepted('2', true)), attempted("g", accepted('3', true))]);
    assert_eq!(asked(&play(&events)), "h 0 1");
}

#[test]
fn what_was_taken_as_it_stood_goes_to_the_next_translator_when_the_gate_refuses_the_whole() {
    let planned = planned("0.2.0", &["f", "g"]);
    let mut events = vec![started(&["0.2.0"]), planned];
    events.extend([attempted("f", accepted('1', false)), attempted("g", AttemptResult::Declined)]);
    events.push(attempted("g", accepted('2', true)));
    events.push(gated('3', Verdict::Fail));
    assert_eq!(asked(&play(&events)), "f 1 1", "what was translated is not asked for again");
    let (record, _) = record(&events).unwrap();
    let outcomes: Vec<_> =
        record.unwrap().revisions[0].units.iter().map(|unit| unit.outcome.clone()).collect();
    assert!(matches!(outcomes[..], [UnitOutcome::Open, UnitOutcome::Translated { .. }]), "{outcomes:?}");
    events.push(attempted("f", accepted('4', true)));
    let mut passed = events.clone();
    passed.push(gated('5', Verdict::Pass));
    assert!(matches!(effect(&play(&passed)), Some(Effect::Commit { .. })));
    events.push(gated('5', Verdict::Fail));
    assert_eq!(effect(&play(&events)), Some(Effect::Finish), "and each of them but once");
}

/// The gate's refusal, with a case of a program that may be told.
fn refused_by_a_program(digit: char) -> Event {
    let Event::Gated { tree, verdict, gates, .. } = gated(digit, Verdict::Fail) else { panic!("gated") };
    Event::Gated { tree, verdict, gates, told: vec!["the program wc/a differs".to_owned()] }
}

#[test]
fn models_are_told_once_in_what_a_program_does_otherwise_and_begin_anew() {
    let mut events = vec![started(&["0.2.0"]), planned("0.2.0", &["f", "g"])];
    // The memory does one, a model the other, at its second attempt.
    events.extend([attempted("f", AttemptResult::Declined), attempted("f", accepted('2', true))]);
    events.extend([attempted("g", AttemptResult::Declined), attempted("g", AttemptResult::Declined)]);
    events.extend([attempted("g", refused("one", true)), attempted("g", accepted('3', true))]);
    let mut untold = events.clone();
    untold.push(gated('4', Verdict::Fail));
    assert_eq!(effect(&play(&untold)), Some(Effect::Finish), "generated cases tell nothing");

    events.push(refused_by_a_program('4'));
    assert_eq!(asked(&play(&events)), "f 1 1", "what needs no model is done again");
    let Some(Effect::Attempt { tree: at, .. }) = effect(&play(&events)) else { panic!("an attempt") };
    assert_eq!(at, tree('1'), "on the port as it was");
    events.push(attempted("f", accepted('2', true)));
    let Some(Effect::Attempt { unit, translator, attempt, feedback: Some(told), tree: at, .. }) =
        effect(&play(&events))
    else {
        panic!("an attempt that is told")
    };
    assert_eq!((unit.as_str(), translator, attempt, at), ("g", 2, 3, tree('2')));
    assert_eq!((told.stage.as_str(), told.findings), ("gate", vec!["the program wc/a differs".to_owned()]));
    assert!(told.refused.contains("DELETE sym=x.f"), "its answer: {}", told.refused);
    events.push(attempted("g", accepted('5', true)));
    let mut passed = events.clone();
    passed.push(gated('6', Verdict::Pass));
    assert!(matches!(effect(&play(&passed)), Some(Effect::Commit { .. })));
    events.push(refused_by_a_program('6'));
    assert_eq!(effect(&play(&events)), Some(Effect::Finish), "nobody is told twice");
}

#[test]
fn where_many_units_were_translated_nobody_is_asked_whose_fault_it_is() {
    let names: Vec<String> = (0..9).map(|at| format!("u{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (count, ends) in [(8, false), (9, true)] {
        let units = &names[..count];
        let mut events = vec![started(&["0.2.0"]), planned("0.2.0", units)];
        events.extend(
            units.iter().flat_map(|unit| [unit; 2]).map(|unit| attempted(unit, AttemptResult::Declined)),
        );
        events.extend(units.iter().map(|unit| attempted(unit, accepted('2', true))));
        events.push(refused_by_a_program('3'));
        assert_eq!(effect(&play(&events)) == Some(Effect::Finish), ends, "{count}");
    }
}

#[test]
fn a_gate_that_cannot_tell_asks_nobody_else() {
    let mut events = vec![started(&["0.2.0"]), planned("0.2.0", &["f"])];
    events.extend([attempted("f", accepted('1', false)), gated('3', Verdict::Inconclusive)]);
    assert_eq!(effect(&play(&events)), Some(Effect::Finish));
}

#[test]
fn what_comes_after_an_answer_that_is_on_its_way_waits_with_it_and_the_rest_goes_on() {
    let mut events = three_units();
    let Some(Event::Planned { plan, .. }) = events.last_mut() else { panic!("planned") };
    plan.units.push(unit("i"));
    plan.units[3].after = vec![UnitId::new("h").unwrap()];
    for unit in ["f", "g"] {
        events.push(attempted(unit, AttemptResult::Declined));
    }
    events.push(attempted("f", AttemptResult::Waiting { reason: "waits for a batch of `m`".to_owned() }));
    assert_eq!(asked(&play(&events)), "g 1 1", "what does not call it is asked");
    events.push(attempted("g", accepted('2', true)));
    let RunState::Working(work) = play(&events) else { panic!("at work") };
    let Phase::Gating(candidate) = &work.phase else { panic!("{:?}", work.phase) };
    let told = |at: usize| match &candidate.units[at] {
        UnitState::Parked { reason, lasting, is_on_its_way: true, .. } => (reason.as_str(), lasting.as_str()),
        other @ (UnitState::Open(_) | UnitState::Accepted { .. } | UnitState::Parked { .. }) => {
            panic!("{other:?}")
        }
    };
    assert_eq!(told(0), ("waits for a batch of `m`", "waits for a batch of `m`"));
    assert_eq!(told(2).1, "waits for `f`, which waits for a batch");
    assert_eq!(told(3).1, "waits for `h`, which waits for a batch");
    assert!(matches!(candidate.units[1], UnitState::Accepted { .. }));
}
