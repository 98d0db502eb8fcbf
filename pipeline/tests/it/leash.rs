//! A translator's command ends with the sync that asked it, however that ends, and so does what it started.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use upstream::process::{Ending, ProcessRunner, SystemProcessRunner};
use upstream::{Clock, SystemClock};

use crate::world::{Ran, World};

/// How long is waited for something, in steps of 20 ms: far longer than it takes.
const WAITS_MAX: usize = 3000;

fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..WAITS_MAX {
        if so() {
            return;
        }
        SystemClock.sleep(Duration::from_millis(20));
    }
    panic!("it is never so: {what}");
}

/// Whether a process runs; what has ended and was not fetched does not.
fn runs(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

#[test]
fn a_command_and_its_children_end_with_a_sync_that_is_killed() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let pids = world.path("pids");
    // A shell that waits for its child, as headless agents do.
    world.write(
        "agent.sh",
        &format!(
            "cat > /dev/null\nsleep 600 &\necho $$ $! > {0}.new\nmv {0}.new {0}\nwait\n",
            pids.display()
        ),
    );
    let who = format!("command:sh {}", world.path("agent.sh").display());
    let runner = SystemProcessRunner::default();
    let stop = Arc::clone(&runner.interrupt);
    let sync = world.invocation("port", &["sync", "--translator", &who]);
    let asking = std::thread::spawn(move || runner.run(&sync).unwrap());
    wait_until("the command runs", || pids.exists() || asking.is_finished());
    assert!(pids.exists(), "{}", Ran { finished: asking.join().unwrap() });
    let text = std::fs::read_to_string(&pids).unwrap();
    let [agent, child] = text.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(runs(agent) && runs(child));
    // This is a kill -9 of the sync alone: the command has a process group of its own.
    stop.store(true, Ordering::SeqCst);
    assert_eq!(asking.join().unwrap().ending, Ending::Interrupted);
    wait_until("both have ended", || !runs(agent) && !runs(child));
}

#[test]
fn what_the_lock_keeps_of_a_refusal_names_no_file_of_this_machine() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    world.upstream_changes("    text.len()", "    text.chars().count()", "width counts characters");
    let wrong = "def bump(n: int) -> int:\n    \"\"\"Add one.\"\"\"\n    return n + 1";
    // One answer is refused, and the other does not come, with a path in what is said instead.
    let spoil = format!("if blocks == []: sys.exit('cannot open {}')", world.path("secret").display());
    let who = world.answering(&[("tally.bump", wrong)], &spoil);
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 5, "{ran}");
    let place = world.root.path().to_string_lossy().into_owned();
    let report = world.tidelock(&["report", "--render", "json"]).stdout();
    assert!(report.contains(&place), "the report says it in full");
    let lock = world.read("port/tidelock.lock");
    assert!(lock.contains("(verify-first, rules, a command) was refused"), "{lock}");
    assert!(lock.contains("it could not be told: the report of the run says why"), "{lock}");
    assert!(!lock.contains(&place), "{lock}");
    assert!(!world.git("port", &["log", "--format=%B"]).contains(&place));
}
