//! The loop over work that only remembers, with a clock that is moved by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reports::RunOutcome;
use upstream::clock::ManualClock;
use upstream::{Clock, ContentHash};

use super::dispatch::{Control, Dispatcher, Observer};
use super::port_state::{PortState, Seen};
use super::testing::{port, record};
use super::trouble::{Trouble, TroubleKind};
use super::work::{Port, SyncReport, Work};

/// The longest that a test waits for something that must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a port answers when it is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Idle,
    New,
    Gone,
    Panic,
    /// It does not come back before the gate is opened.
    Hang,
}

/// Tells each call, and does as it is told.
struct Scripted {
    calls: SyncSender<String>,
    answers: Mutex<BTreeMap<String, Answer>>,
    open: AtomicBool,
    ports: Mutex<Result<Vec<Port>, String>>,
}

impl Scripted {
    fn answer(&self, port: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(port.to_owned(), answer);
    }
}

fn trouble(kind: TroubleKind) -> Trouble {
    Trouble { kind, text: "as the test says".to_owned() }
}

impl Work for Scripted {
    fn look(&self, port: &str) -> Result<Seen, Trouble> {
        let answer = self.answers.lock().unwrap().get(port).copied().unwrap_or(Answer::Idle);
        self.calls.send(format!("look {port}")).unwrap();
        let seen = |work| Ok(Seen { work, changed: work, facts: ContentHash::of(port) });
        match answer {
            Answer::Idle => seen(false),
            Answer::New => seen(true),
            Answer::Gone => Err(trouble(TroubleKind::UpstreamGone)),
            Answer::Panic => panic!("an invariant is broken"),
            Answer::Hang => {
                while !self.open.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                seen(false)
            }
        }
    }

    fn sync(&self, port: &str) -> SyncReport {
        self.calls.send(format!("sync {port}")).unwrap();
        SyncReport { result: Ok(record(RunOutcome::Done)), lag: None, notices: Vec::new() }
    }

    fn reload(&self) -> Result<Vec<Port>, String> {
        self.calls.send("reload".to_owned()).unwrap();
        self.ports.lock().unwrap().clone()
    }
}

/// Hears every settled event, so that a test knows when the loop has taken it up.
struct Heard(SyncSender<(String, u32)>);

impl Observer for Heard {
    fn looked(&mut self, _port: &str, _result: &Result<Seen, Trouble>, _took_ms: u64) {}
    fn synced(&mut self, _port: &str, _report: &SyncReport, _took_ms: u64) {}
    fn settled(&mut self, port: &str, state: &PortState) {
        self.0.send((port.to_owned(), state.failures)).unwrap();
    }
    fn queues(&mut self, looks: usize, syncs: usize, busy: usize) {
        assert!(looks + syncs + busy <= 8, "no port is twice in a queue");
    }
    fn ports(&mut self, _ports: &[Port]) {}
}

struct Scene<'a> {
    work: &'a Scripted,
    clock: &'a ManualClock,
    control: Control,
    calls: Receiver<String>,
    settled: Receiver<(String, u32)>,
}

impl Scene<'_> {
    fn next_call(&self) -> String {
        self.calls.recv_timeout(PATIENCE).unwrap()
    }

    /// The next calls, in any order.
    fn next_calls(&self, count: usize) -> BTreeSet<String> {
        (0..count).map(|_| self.next_call()).collect()
    }

    /// Waits until the loop has taken up so many ends.
    fn settle(&self, count: usize) -> Vec<(String, u32)> {
        (0..count).map(|_| self.settled.recv_timeout(PATIENCE).unwrap()).collect()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.control.nudge();
    }

    /// Past the first look and sync of each port.
    fn begin(&self, ports: usize) {
        self.next_calls(2 * ports);
        self.settle(2 * ports);
    }
}

/// Plays a scene over a running loop, and stops the loop.
fn play(ports: &[&str], scene: impl FnOnce(&Scene<'_>)) {
    let (calls, heard_calls) = sync_channel(1000);
    let (settled, heard_settled) = sync_channel(1000);
    let all: Vec<Port> = ports.iter().map(|name| port(name)).collect();
    let work = Scripted {
        calls,
        answers: Mutex::default(),
        open: AtomicBool::new(false),
        ports: Mutex::new(Ok(all.clone())),
    };
    let clock = ManualClock::at(1_000_000);
    let mut heard = Heard(settled);
    let dispatcher = Dispatcher::new(&work, &clock as &dyn Clock, &mut heard, all, Arc::default());
    let control = dispatcher.control();
    std::thread::scope(|scope| {
        let running = scope.spawn(move || dispatcher.run(2));
        let playing =
            Scene { work: &work, clock: &clock, control, calls: heard_calls, settled: heard_settled };
        // Whatever happens in the scene, the loop must end for the test to end.
        let stop = Stop { control: playing.control.clone(), open: &work.open };
        scene(&playing);
        drop(stop);
        running.join().unwrap();
    });
}

/// Ends the loop, and what hangs.
struct Stop<'a> {
    control: Control,
    open: &'a AtomicBool,
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.open.store(true, Ordering::SeqCst);
        self.control.stop.store(true, Ordering::SeqCst);
        self.control.nudge();
    }
}

#[test]
fn each_port_is_synced_once_at_the_start_and_looked_at_when_its_time_comes() {
    play(&["a", "b"], |scene| {
        scene.begin(2);
        assert!(scene.control.ready.load(Ordering::SeqCst));
        scene.pass(60);
        assert_eq!(scene.next_calls(2), ["look a", "look b"].map(str::to_owned).into());
    });
}

#[test]
fn a_port_whose_upstream_is_gone_or_that_breaks_an_invariant_stops_no_other() {
    play(&["broken", "gone", "good"], |scene| {
        scene.begin(3);
        scene.work.answer("broken", Answer::Panic);
        scene.work.answer("gone", Answer::Gone);
        for round in 1..=3 {
            scene.pass(400);
            scene.next_calls(3);
            let settled: BTreeMap<String, u32> = scene.settle(3).into_iter().collect();
            assert_eq!(settled["broken"], round);
            assert_eq!(settled["gone"], round);
            assert_eq!(settled["good"], 0);
        }
    });
}

#[test]
fn ports_that_hang_leave_room_for_others_only_up_to_the_bound_and_are_not_asked_twice() {
    play(&["a", "h1", "h2", "h3"], |scene| {
        scene.begin(4);
        for name in ["h1", "h2", "h3"] {
            scene.work.answer(name, Answer::Hang);
        }
        scene.pass(60);
        assert_eq!(scene.next_calls(4).len(), 4);
        assert_eq!(scene.settle(1)[0].0, "a");
        scene.pass(60);
        assert_eq!(scene.next_call(), "look a", "the others still hang, and are not queued again");
        scene.settle(1);
    });
}

#[test]
fn what_wakes_a_port_brings_its_look_forward_and_names_that_nobody_has_do_nothing() {
    play(&["a", "b"], |scene| {
        scene.begin(2);
        scene.pass(10);
        assert!(scene.control.wake(["b", "nobody"].map(str::to_owned).into()));
        assert_eq!(scene.next_call(), "look b");
    });
}

#[test]
fn what_is_new_is_synced() {
    play(&["a"], |scene| {
        scene.begin(1);
        scene.work.answer("a", Answer::New);
        scene.pass(60);
        assert_eq!([scene.next_call(), scene.next_call()], ["look a", "sync a"].map(str::to_owned));
    });
}

#[test]
fn a_reload_takes_up_ports_and_lets_go_of_others_and_one_that_is_refused_changes_nothing() {
    play(&["a", "b"], |scene| {
        scene.begin(2);
        *scene.work.ports.lock().unwrap() = Err("a key that nobody knows".to_owned());
        scene.control.reload.store(true, Ordering::SeqCst);
        scene.pass(60);
        let calls = scene.next_calls(3);
        assert_eq!(calls, ["look a", "look b", "reload"].map(str::to_owned).into());
        scene.settle(2);

        *scene.work.ports.lock().unwrap() = Ok(vec![port("b"), port("c")]);
        scene.control.reload.store(true, Ordering::SeqCst);
        scene.control.nudge();
        assert_eq!(scene.next_calls(3), ["look c", "reload", "sync c"].map(str::to_owned).into());
        scene.settle(2);
        scene.pass(60);
        assert_eq!(scene.next_calls(2), ["look b", "look c"].map(str::to_owned).into());
    });
}

#[test]
fn a_stop_waits_for_what_runs_and_begins_nothing_new() {
    play(&["a"], |scene| {
        scene.begin(1);
        scene.work.answer("a", Answer::Hang);
        scene.pass(60);
        assert_eq!(scene.next_call(), "look a");
        scene.control.stop.store(true, Ordering::SeqCst);
        scene.control.wake(["a".to_owned()].into());
        scene.pass(600);
        scene.work.open.store(true, Ordering::SeqCst);
        assert_eq!(scene.settle(1), [("a".to_owned(), 0)]);
        assert!(scene.calls.try_recv().is_err(), "nothing was begun after the stop");
    });
}
