//! kill -9 at any instant, then run again: it goes on, and ends as if nothing had happened.

use upstream::process::{Ending, Limits, ProcessRunner, SystemProcessRunner};

use crate::world::World;

/// What a finished world looks like: the port's tree, how many commits it took, and what each is about.
fn end_state(world: &World) -> (String, String) {
    (world.git("port", &["rev-parse", "HEAD^{tree}"]), world.git("port", &["log", "--format=%s"]))
}

fn prepared() -> (World, String) {
    let world = World::new();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "limit");
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let right = "def bump(n: int) -> int:\n    \"\"\"Add one.\"\"\"\n    return (n + 1) % 256";
    let count = format!("open({:?}, 'a').write('bought\\n')", world.path("purchases").to_string_lossy());
    let who = world.answering(&[("tally.bump", right)], &count);
    (world, who)
}

#[test]
fn a_killed_sync_goes_on_and_ends_in_the_same_state() {
    let (undisturbed, who) = prepared();
    assert_eq!(undisturbed.tidelock(&["sync", "--translator", &who]).code(), 0);
    let expected = end_state(&undisturbed);
    let bought = undisturbed.read("purchases").lines().count();

    // Each world is killed again and again, later each time, until it gets through.
    for first_ms in [40_u64, 350, 900] {
        let (world, who) = prepared();
        let mut after_ms = first_ms;
        let mut kills = 0;
        loop {
            let limits = Limits { timeout_ms: after_ms, ..Limits::default() };
            let invocation = world.invocation("port", &["sync", "--translator", &who]).limits(limits);
            let finished = SystemProcessRunner::default().run(&invocation).unwrap();
            match finished.ending {
                Ending::TimedOut => kills += 1,
                Ending::Exited(0 | 3) => break,
                Ending::Exited(_)
                | Ending::Signalled(_)
                | Ending::Silent
                | Ending::TooMuchOutput
                | Ending::Interrupted => panic!("{:?}: {}", finished.ending, finished.tail(30)),
            }
            after_ms += after_ms / 3 + 60;
        }
        assert!(kills > 0, "it was killed at least once");
        assert_eq!(end_state(&world).0, expected.0, "first killed after {first_ms} ms, {kills} times in all");
        assert_eq!(end_state(&world).1, expected.1, "nothing landed twice");
        assert_eq!(world.git("port", &["status", "--porcelain"]), "");
        let again = world.read("purchases").lines().count();
        assert!(again <= bought + kills, "an answer that arrived is never bought again: {again} > {bought}");
    }
}
