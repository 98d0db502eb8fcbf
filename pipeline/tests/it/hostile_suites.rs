//! Tests of the port's that take all they can get: each runs into a bound that is named in the report.

use crate::world::World;

const RIGHT: (&str, &str) = (
    "tally.bump",
    "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256",
);

/// How much foreign code may write to the disk here, in MiB: more than an honest build writes.
const DISK_MIB: u32 = 192;

/// Syncs, and gives how that ended and all that the report says of it.
fn followed(world: &World) -> (i32, String) {
    let who = world.answering(&[RIGHT], "");
    let ran = world.tidelock(&["sync", "--dry-run", "--translator", &who]);
    let report = world.tidelock(&["report", "--render", "json"]);
    (ran.code(), format!("{ran}\n{}", report.stdout()))
}

#[test]
fn tests_of_the_port_that_take_all_they_can_get_run_into_a_bound_that_is_named() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let tests = world.read("port/tests/test_tally.py");
    let config = world.read("port/tidelock.toml");
    let fork = "import os, time\n        for number in range(100_000):\n            if os.fork() == 0: time.sleep(600)";
    let fill = "for number in range(2000):\n            open(f'big{number}', 'wb').write(bytes(1 << 20))\n        \
                import time; time.sleep(600)";
    let print = "import sys\n        while True: sys.stdout.write('x' * 65536)";
    let wait = "import time; time.sleep(600)";
    for (what, attack, limits, bound) in [
        ("fills the disk", fill, "timeout-s = 300", "wrote too much to the disk"),
        ("prints without end", print, "timeout-s = 300", "wrote too much"),
        ("waits for ever", wait, "timeout-s = 3", "ran too long"),
        // Refused at the bound, this test fails, as any other that fails before and after.
        ("forks without end", fork, "timeout-s = 300", "test_attack"),
    ] {
        world.write(
            "port/tests/test_tally.py",
            &format!("{tests}\n    def test_attack(self):\n        {attack}\n"),
        );
        world.write(
            "port/tidelock.toml",
            &format!("{config}\n[gate.tests]\n{limits}\n\n[sandbox]\ndisk-mib = {DISK_MIB}\n"),
        );
        world.commit("port", what);
        let (code, said) = followed(&world);
        assert!(matches!(code, 0 | 4 | 6), "{what}: {said}");
        assert!(said.contains(bound), "{what} ends by its bound `{bound}`: {said}");
    }
}
