//! `tidelock watch`: looks on its schedule, lands what comes, and stops when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use upstream::clock::{Clock, SystemClock};
use upstream::process::{Ending, Finished, ProcessRunner, SystemProcessRunner};

use crate::world::World;

const BUMP: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";
/// Every second: seconds may stand before the five usual fields.
const OFTEN: &str = "* * * * * *";
/// The longest to wait for something that must come.
const PATIENCE: Duration = Duration::from_mins(2);

/// A watching program, stopped as a service manager would stop it.
struct Watching {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Finished>,
}

impl Watching {
    fn start(world: &World) -> Self {
        let who = world.answering(&[("tally.bump", BUMP)], "");
        let invocation = world.invocation("port", &["watch", "--schedule", OFTEN, "--translator", &who]);
        let stop = Arc::new(AtomicBool::new(false));
        let runner = SystemProcessRunner { interrupt: Arc::clone(&stop) };
        Self { stop, thread: std::thread::spawn(move || runner.run(&invocation).unwrap()) }
    }

    /// Interrupts it, and gives what it said.
    fn stop(self) -> Finished {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

/// Waits until it is so.
fn until(what: &str, so: impl Fn() -> bool) {
    let clock = SystemClock;
    let end = clock.now_ms() + i64::try_from(PATIENCE.as_millis()).unwrap();
    while !so() {
        assert!(clock.now_ms() < end, "it did not come: {what}");
        clock.sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_comes_while_it_watches_is_landed_and_an_upstream_that_goes_away_is_waited_for() {
    let world = World::new();
    let watching = Watching::start(&world);
    let port = || world.read("port/tally/__init__.py");

    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    until("the constant", || port().contains("LIMIT = 12"));

    std::fs::rename(world.path("upstream"), world.path("away")).unwrap();
    SystemClock.sleep(Duration::from_millis(2500));
    std::fs::rename(world.path("away"), world.path("upstream")).unwrap();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    until("the body", || port().contains("% 256"));

    until("the worktree", || world.git("port", &["status", "--porcelain"]).is_empty());
    let finished = watching.stop();
    let said = String::from_utf8_lossy(&finished.stderr).into_owned();
    assert!(said.contains("next look at"), "{said}");
    assert!(said.contains("error:"), "it says that it could not reach the upstream: {said}");
    assert_eq!(
        world
            .git("port", &["log", "--format=%(trailers:key=Tidelock-Revision,valueonly)", "-n", "2"])
            .lines()
            .filter(|line| !line.is_empty())
            .count(),
        2
    );
    assert_eq!(world.tidelock(&["sync"]).code(), 3, "the lease is free and nothing is left");
}

#[test]
fn a_schedule_that_is_none_is_refused_with_what_to_write() {
    let world = World::new();
    let ran = world.tidelock(&["watch", "--schedule", "now and then"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("*/15 * * * *"), "{ran}");
    assert!(matches!(ran.finished.ending, Ending::Exited(2)));
}

#[test]
fn a_configuration_that_is_wrong_from_the_start_ends_it() {
    let world = World::new();
    world.write("port/tidelock.toml", "version = 1\n[upstream]\ngti = \"../upstream\"\n");
    let ran = world.tidelock(&["watch", "--schedule", OFTEN]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("gti"), "{ran}");
}
