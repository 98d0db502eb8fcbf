use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use port::sandbox::Unconfined;
use upstream::clock::SystemClock;
use upstream::process::SystemProcessRunner;

use super::*;

fn checking() -> (Checking, Receiver<Arrival>) {
    let (wake, woken) = sync_channel(4);
    let means = Means {
        runner: Arc::new(SystemProcessRunner::default()),
        confinement: Arc::new(Unconfined),
        clock: Arc::new(SystemClock),
        build_timeout_ms: 1,
    };
    (Checking::new(means, wake), woken)
}

fn key(occasion: &str) -> CheckKey {
    CheckKey { tree: TreeId::new("1".repeat(40)).unwrap(), occasion: occasion.to_owned() }
}

#[test]
fn what_passed_is_kept_for_its_occasion_alone_and_taken_once() {
    let (mut checking, woken) = checking();
    checking.check(key("a"), |_| Ok(Some(ContractReport { duration_ms: 7, ..ContractReport::default() })));
    assert!(matches!(woken.recv(), Ok(Arrival::Checked)));
    assert!(!checking.is_pending(&key("a")) && checking.knows(&key("a")) && !checking.knows(&key("b")));
    assert_eq!(checking.take(&key("b")).map(|report| report.duration_ms), None);
    assert_eq!(checking.take(&key("a")).map(|report| report.duration_ms), Some(7));
    assert!(checking.take(&key("a")).is_none());
}

#[test]
fn what_fails_breaks_down_or_finds_something_wrong_leaves_the_check_to_its_turn() {
    let (mut checking, woken) = checking();
    checking.check(key("wrong"), |_| Ok(None));
    checking.check(key("fails"), |_| anyhow::bail!("no interpreter"));
    for _ in 0..2 {
        assert!(matches!(woken.recv(), Ok(Arrival::Checked)));
    }
    // A thread goes on after a check that breaks down, and says that it is over.
    checking.check(key("panics"), |_| panic!("as it was told"));
    assert!(matches!(woken.recv(), Ok(Arrival::Checked)));
    checking.check(key("next"), |_| Ok(Some(ContractReport::default())));
    assert!(matches!(woken.recv(), Ok(Arrival::Checked)));
    assert!(checking.knows(&key("next")));
    for occasion in ["wrong", "fails", "panics"] {
        assert!(!checking.knows(&key(occasion)), "{occasion}");
    }
}

#[test]
fn what_is_forgotten_while_it_is_made_is_never_found() {
    let (mut checking, woken) = checking();
    let (go, wait) = sync_channel::<()>(0);
    let (begun, wait_begun) = sync_channel::<()>(0);
    checking.check(key("a"), move |_| {
        begun.send(())?;
        wait.recv()?;
        Ok(Some(ContractReport::default()))
    });
    wait_begun.recv().unwrap();
    assert!(checking.is_pending(&key("a")));
    checking.forget_all();
    go.send(()).unwrap();
    assert!(matches!(woken.recv(), Ok(Arrival::Checked)));
    assert!(!checking.knows(&key("a")));
}

#[test]
fn the_end_waits_for_what_is_being_done() {
    let (mut checking, _woken) = checking();
    let done = Arc::new(AtomicUsize::new(0));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS_MAX);
    let (begun, wait_begun) = sync_channel::<()>(threads);
    for _ in 0..threads {
        let (done, begun) = (Arc::clone(&done), begun.clone());
        checking.prepare(move |_| {
            begun.send(())?;
            done.fetch_add(1, Ordering::SeqCst);
            Ok(None)
        });
    }
    for _ in 0..threads {
        wait_begun.recv().unwrap();
    }
    drop(checking);
    assert_eq!(done.load(Ordering::SeqCst), threads);
}
