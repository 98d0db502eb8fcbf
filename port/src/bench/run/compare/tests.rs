use std::cell::{Cell, RefCell};

use upstream::clock::ManualClock;

use super::*;
use crate::bench::decide::{Decided, TaskRule};
use crate::bench::random::Random;
use crate::bench::run::{Direction, ValueRule};
use crate::timing::Judgement;
use crate::timing::statistics::TimingRule;

/// Plays a benchmark: answers each slot by a function of the side and the number of the measurement.
struct Played<'a> {
    answer: Answer<'a>,
    count: Cell<usize>,
    arms: RefCell<Vec<Arm>>,
}

impl Measure for Played<'_> {
    fn measure(&self, slot: Slot<'_>) -> Result<BTreeMap<String, f64>, Fault> {
        let count = self.count.replace(self.count.get() + 1);
        self.arms.borrow_mut().push(slot.arm);
        (self.answer)(slot, count)
    }
}

type Answer<'a> = &'a dyn Fn(Slot<'_>, usize) -> Result<BTreeMap<String, f64>, Fault>;

fn values() -> Kind {
    Kind::Values(ValueRule {
        judgement: Judgement {
            rule: TimingRule { variance_known: 0.0002, ..TimingRule::default() },
            calibration: None,
            seed: 1,
        },
        harm_margin: 0.05,
        direction: Direction::Lower,
    })
}

fn request(kind: Kind, tasks: usize) -> CompareRequest {
    CompareRequest {
        header: Header::new("b", "r", "c", "h", 3),
        kind,
        tasks: (0..tasks).map(|number| format!("t{number}")).collect(),
        stop: StopRule::WhenDecided,
        stored: StoredReference::default(),
    }
}

fn run_in(folder: &std::path::Path, request: &CompareRequest, answer: Answer<'_>) -> (Comparison, Vec<Arm>) {
    let bench = Played { answer, count: Cell::new(0), arms: RefCell::default() };
    let clock = ManualClock::at(5);
    let interrupt = AtomicBool::new(false);
    let mut journal = Journal::open(&folder.join("j.jsonl"), &request.header).unwrap();
    let around = Surroundings { bench: &bench, clock: &clock, interrupt: &interrupt, heard: &|_| {} };
    let comparison = compare(request, around, &mut journal).unwrap();
    (comparison, bench.arms.into_inner())
}

fn run(request: &CompareRequest, answer: Answer<'_>) -> (Comparison, Vec<Arm>) {
    run_in(tempfile::tempdir().unwrap().path(), request, answer)
}

fn noisy(factor: f64, count: usize) -> BTreeMap<String, f64> {
    let noise = 0.01 * Random::seeded(u64::try_from(count).unwrap()).normal();
    [("a".to_owned(), factor * noise.exp()), ("b".to_owned(), factor)].into()
}

#[test]
fn equal_timings_are_accepted_in_balanced_blocks() {
    let (comparison, arms) = run(&request(values(), 0), &|_, count| Ok(noisy(1.0, count)));
    assert_eq!(comparison.stopped, Stopped::Decided);
    assert_eq!(comparison.verdict().decided, Decided::Accept);
    for block in arms.chunks_exact(4) {
        assert!(block[0] == block[3] && block[1] == block[2] && block[0] != block[1], "{arms:?}");
    }
}

#[test]
fn a_slower_candidate_is_rejected_and_a_higher_rate_is_no_loss() {
    let slower = |slot: Slot<'_>, count| Ok(noisy(if slot.arm == Arm::Candidate { 1.3 } else { 1.0 }, count));
    let (comparison, _) = run(&request(values(), 0), &slower);
    assert_eq!(comparison.verdict().decided, Decided::Reject, "{}", comparison.verdict().line);
    let Kind::Values(rule) = values() else { panic!("values were asked for") };
    let rate = Kind::Values(ValueRule { direction: Direction::Higher, ..rule });
    let (comparison, _) = run(&request(rate, 0), &slower);
    assert_eq!(comparison.verdict().decided, Decided::Accept, "{}", comparison.verdict().line);
}

#[test]
fn tasks_are_paired_one_a_process_and_a_broken_task_is_found() {
    let answer = |slot: Slot<'_>, _| {
        let task = slot.task.unwrap().to_owned();
        let broken = slot.arm == Arm::Candidate && ["t1", "t2"].contains(&task.as_str());
        Ok([(task, f64::from(u8::from(!broken)))].into())
    };
    let (comparison, _) = run(&request(Kind::Tasks(TaskRule::default()), 20), &answer);
    assert_eq!(comparison.verdict().decided, Decided::Reject);
    assert!(comparison.verdict().line.contains("points"), "{}", comparison.verdict().line);
}

#[test]
fn a_whole_suite_in_one_process_gives_a_pair_for_each_task() {
    let answer = |_: Slot<'_>, _| Ok((0..40).map(|task| (format!("t{task}"), 1.0)).collect());
    let (comparison, arms) = run(&request(Kind::Tasks(TaskRule::default()), 0), &answer);
    assert_eq!(comparison.verdict().decided, Decided::Accept);
    assert!(comparison.tally.pairs() >= 40 && arms.len() <= 8, "{}", arms.len());
}

#[test]
fn faults_drop_both_sides_of_a_pair_and_never_reject() {
    let answer = |_: Slot<'_>, count| match count {
        3 => Err(Fault::Infrastructure("disk".to_owned())),
        _ => Ok(noisy(1.0, count)),
    };
    let (comparison, arms) = run(&request(values(), 0), &answer);
    assert_eq!(comparison.verdict().decided, Decided::Accept, "{}", comparison.verdict().line);
    assert_eq!(comparison.tally.reference.infrastructure + comparison.tally.candidate.infrastructure, 1);
    assert_eq!(arms.len(), 2 * (comparison.tally.pairs() + 1), "both sides of the pair ran again");
    let always = |slot: Slot<'_>, count| match slot.arm {
        Arm::Candidate => Err(Fault::Infrastructure("crash".to_owned())),
        Arm::Reference => Ok(noisy(1.0, count)),
    };
    let (comparison, _) = run(&request(values(), 0), &always);
    assert_eq!(comparison.stopped, Stopped::Infrastructure("crash of the candidate".to_owned()));
    assert_eq!(comparison.verdict().decided, Decided::Hold);
}

#[test]
fn sides_that_measure_different_things_hold() {
    let answer = |slot: Slot<'_>, _| Ok([(format!("{:?}", slot.arm), 1.0)].into());
    let (comparison, arms) = run(&request(values(), 0), &answer);
    assert_eq!(arms.len(), 2);
    let verdict = comparison.verdict();
    assert_eq!(verdict.decided, Decided::Hold);
    assert!(verdict.line.contains("on one side only"), "{}", verdict.line);
}

#[test]
fn noise_beyond_the_cap_holds() {
    let answer = |_: Slot<'_>, count: usize| {
        let wild = Random::seeded(u64::try_from(count).unwrap()).normal();
        Ok([("a".to_owned(), wild.exp())].into())
    };
    let (comparison, _) = run(&request(values(), 0), &answer);
    assert_eq!((comparison.stopped.clone(), comparison.verdict().decided), (Stopped::Capped, Decided::Hold));
}

#[test]
fn a_comparison_that_was_stopped_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = request(Kind::Tasks(TaskRule::default()), 30);
    let result = |slot: Slot<'_>| {
        let task = slot.task.unwrap();
        Ok([(task.to_owned(), f64::from(u8::from(task.ends_with('1'))))].into())
    };
    let stopping = |slot: Slot<'_>, count| if count < 21 { result(slot) } else { Err(Fault::Interrupted) };
    let (half, _) = run_in(folder.path(), &tasks, &stopping);
    assert_eq!((half.stopped.clone(), half.tally.pairs()), (Stopped::Interrupted, 10));
    assert_eq!(half.verdict().decided, Decided::Hold);
    let (whole, rest) = run_in(folder.path(), &tasks, &|slot, _| result(slot));
    let (at_once, all) = run(&tasks, &|slot, _| result(slot));
    assert_eq!(whole.tally, at_once.tally);
    assert_eq!(rest.len() + 20, all.len());
}

fn stored(tasks: usize, mean: f64) -> StoredReference {
    let score = StoredScore { mean, variance: 0.0, runs: 10, oldest_ms: 0 };
    let scores = (0..tasks).map(|number| (format!("t{number}"), score)).collect();
    StoredReference { scores, ..StoredReference::default() }
}

#[test]
fn stored_runs_stand_for_the_reference_but_in_one_pair_of_ten() {
    let mut request = request(Kind::Tasks(TaskRule::default()), 20);
    request.stored = stored(20, 1.0);
    let answer = |slot: Slot<'_>, _| Ok([(slot.task.unwrap().to_owned(), 1.0)].into());
    let (comparison, arms) = run(&request, &answer);
    assert_eq!(comparison.verdict().decided, Decided::Accept, "{}", comparison.verdict().line);
    let reference = arms.iter().filter(|arm| **arm == Arm::Reference).count();
    assert_eq!(reference, comparison.tally.sentinels.pairs);
    assert!(reference >= 8 && reference * 3 < arms.len(), "{reference} of {}", arms.len());
    assert!(comparison.verdict().arithmetic.iter().any(|line| line.contains("stored")));
}

#[test]
fn stored_runs_that_the_sentinels_contradict_decide_nothing() {
    let mut request = request(Kind::Tasks(TaskRule::default()), 20);
    request.stored = stored(20, 1.0);
    // The world got worse for both sides alike.
    let answer = |slot: Slot<'_>, _| Ok([(slot.task.unwrap().to_owned(), 0.0)].into());
    let (comparison, _) = run(&request, &answer);
    assert_eq!(comparison.stopped, Stopped::StoredDiffer);
    assert_eq!(comparison.verdict().decided, Decided::Hold);
}
