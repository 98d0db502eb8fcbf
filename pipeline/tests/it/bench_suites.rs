//! Decisions about task suites: against the upstream, with audits, in trains, with stored runs, ranked.

use serde_json::Value;

use crate::bench_world::suite;
use crate::world::World;

/// A binary of the upstream that runs its suite in Rust: task n passes where the limit lets n through.
const RUST_SUITE: &str = "fn main() {\n    let passes = |n: u32| tally::clamp(n) == n;\n    println!(\"1..40\");\n    \
    for n in 1..=40 {\n        println!(\"{} {n} - t{n}\", if passes(n) { \"ok\" } else { \"not ok\" });\n    }\n    \
    std::process::exit(i32::from(!(1..=40).all(passes)));\n}\n";

/// The same of the port.
const PYTHON_SUITE: &str = "import sys\nfrom tally import clamp\nprint('1..40')\nfor n in range(1, 41):\n    \
    print('ok' if clamp(n) == n else 'not ok', n, f'- t{n}')\nsys.exit(any(clamp(n) != n for n in range(1, 41)))\n";

/// Sets the limit of the upstream and of the port; gives the upstream's commit.
fn limits(world: &World, upstream: u32, port: u32) -> String {
    let set = |file: &str, start: &str, line: &str| {
        let text = world.read(file);
        let lines: Vec<&str> =
            text.lines().map(|old| if old.starts_with(start) { line } else { old }).collect();
        world.write(file, &(lines.join("\n") + "\n"));
    };
    set("upstream/src/lib.rs", "pub const LIMIT", &format!("pub const LIMIT: u32 = {upstream};"));
    set("port/tally/__init__.py", "LIMIT =", &format!("LIMIT = {port}"));
    world.again(&format!("port limit {port}"));
    world.git("upstream", &["add", "-A"]);
    world.git("upstream", &["commit", "-q", "--allow-empty", "-m", "limit"]);
    world.fetched()
}

#[test]
fn a_port_that_loses_what_its_upstream_loses_is_accepted_and_one_that_misses_a_gain_is_not() {
    let world = World::with_suite(
        "\n[[bench]]\nname = \"tasks\"\ncommand = [\"python3\", \"benches/tasks.py\"]\n\
         upstream-command = [\"target/debug/tasks\"]\nupstream-build = [\"cargo\", \"build\", \"--quiet\"]\n\
         format = \"tap\"\nharness = [\"benches\"]\nrole = \"endpoint\"\n",
    );
    world.write("upstream/src/bin/tasks.rs", RUST_SUITE);
    world.write("port/benches/tasks.py", PYTHON_SUITE);
    limits(&world, 40, 40);
    // The upstream goes down to thirty tasks of forty, and the port follows it.
    let lost = limits(&world, 30, 30);
    let compare = |upstream: &str| {
        world.tidelock(&["bench", "compare", "--upstream", upstream, "--explain", "--charts", "charts.html"])
    };
    let ran = compare(&lost);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(ran.stdout().contains("reference 75.0 %, candidate 75.0 %"), "{ran}");
    assert!(world.read("port/charts.html").contains("accepted from"));
    std::fs::remove_file(world.path("port/charts.html")).unwrap();
    // The upstream gains them back; the port does not.
    let gained = limits(&world, 40, 30);
    let ran = compare(&gained);
    assert_eq!(ran.code(), 4, "{ran}");
    assert!(ran.stdout().starts_with("REJECT: `tasks` -"), "{ran}");
}

#[test]
fn a_candidate_that_rewrites_the_suite_is_judged_by_the_one_that_was_there() {
    let world = World::with_suite(&suite("tasks", "role = \"endpoint\""));
    world.write("port/benches/suite.sh", "echo 1..40; for n in $(seq 40); do echo ok $n - t$n; done\n");
    world.level(30);
    let ran = world.tidelock(&["bench", "compare"]);
    assert_eq!(ran.code(), 4, "{ran}");
    // Nor does it help to take the suite away.
    world.git("port", &["rm", "-q", "benches/suite.sh"]);
    world.again("no suite");
    let ran = world.tidelock(&["bench", "compare", "--before", "HEAD~2"]);
    assert_eq!(ran.code(), 4, "{ran}");
}

#[test]
fn audits_stop_the_line_and_after_a_repair_it_goes_on() {
    let audit =
        "upstream-command = [\"sh\", \"benches/suite.sh\"]\nrole = \"audit\"\nmargin = 0.15\npairs-max = 120";
    let world = World::with_suite(&suite("tasks", audit));
    let upstream = world.upstream_level(40);
    let compare = || world.tidelock(&["bench", "compare", "--upstream", &upstream]);
    world.level(40);
    assert_eq!(compare().code(), 0, "{}", compare());
    // A loss of one task in forty passes alone: the margin is beyond it.
    world.level(39);
    let mut landed = 0;
    let stopped = loop {
        let ran = compare();
        if ran.code() != 0 {
            break ran;
        }
        landed += 1;
        assert!(landed < 12, "the line never stops: {ran}");
        world.again("more of the same");
    };
    assert_eq!(stopped.code(), 6, "{stopped}");
    assert!(stopped.stdout().starts_with("HOLD: the line is stopped: audits show the port -"), "{stopped}");
    assert!(landed > 0, "one audit may be chance: {stopped}");
    // The repair is audited; what was lost fades behind it.
    let repaired = (0..30).any(|_| {
        world.level(40);
        compare().code() == 0
    });
    assert!(repaired, "{}", compare());
    let audits = world.read("port/.tidelock/bench/audits.jsonl");
    assert!(audits.lines().count() > landed + 2, "each tree is audited once: {audits}");
}

#[test]
fn a_train_finds_the_one_revision_that_is_to_blame() {
    let world = World::with_suite(&suite("tasks", "role = \"endpoint\"\nschedule = \"train\""));
    for (name, level) in [("base", 40), ("a", 40), ("b", 40), ("c", 30), ("d", 30)] {
        world.level(level);
        world.git("port", &["tag", name]);
    }
    let ran = world.tidelock(&["bench", "train", "--base", "base", "a", "b", "c", "d", "--format", "json"]);
    assert_eq!(ran.code(), 4, "{ran}");
    let decided: Vec<Value> =
        ran.json().as_array().unwrap().iter().map(|row| row["decided"].clone()).collect();
    assert_eq!(decided, ["accept", "accept", "reject", "accept"], "{ran}");
}

#[test]
fn candidates_are_ranked_by_the_objective_and_nothing_buys_back_a_gate() {
    // The tokens of a run are a file of the port, so that they are known.
    let cost = "\n[[bench]]\nname = \"tokens\"\ncommand = [\"cat\", \"tokens.json\"]\nformat = \"plain\"\n\
                measures = \"cost\"\nrole = \"guardrail\"\n";
    let world = World::with_suite(&(suite("tasks", "role = \"endpoint\"") + cost));
    let candidate = |name: &str, level: u32, tokens: &str| {
        world.git("port", &["checkout", "-q", "-b", name, "base"]);
        world.write("port/tokens.json", &format!("{{\"tokens\": {tokens}}}\n"));
        world.level(level);
    };
    world.write("port/tokens.json", "{\"tokens\": 100.0}\n");
    world.level(38);
    world.git("port", &["tag", "base"]);
    candidate("equal", 38, "99.0");
    candidate("cheap", 20, "1.0");
    candidate("better", 40, "100.0");
    let arguments = ["bench", "rank", "--base", "base", "equal", "cheap", "better"];
    let ran = world.tidelock(&arguments);
    assert_eq!(ran.code(), 0, "{ran}");
    let shown = ran.stdout();
    let places: Vec<usize> = ["  better  ACCEPT", "  equal  ACCEPT", "  cheap  REJECT"]
        .map(|name| shown.find(name).unwrap())
        .to_vec();
    assert!(places.is_sorted() && shown.contains("J = 0.7 * 0.0500 / 0.05 of tasks (parity)"), "{ran}");
    let mut json = arguments.to_vec();
    json.extend(["--format", "json"]);
    let rows = world.tidelock(&json).json();
    assert_eq!(
        (&rows[0]["place"], &rows[2]["place"], &rows[2]["objective"]),
        (&1.into(), &Value::Null, &Value::Null)
    );
    let only = world.tidelock(&["bench", "rank", "--base", "base", "cheap"]);
    assert_eq!(only.code(), 4, "{only}");
    let twice = world.tidelock(&["bench", "rank", "--base", "base", "cheap", "cheap"]);
    assert_eq!(twice.code(), 2, "{twice}");
}

/// What the comparison of HEAD with its parent says, with its arithmetic.
fn explained(world: &World, more: &[&str]) -> (i32, String) {
    let mut arguments = vec!["bench", "compare", "--before", "base", "--explain"];
    arguments.extend(more);
    let ran = world.tidelock(&arguments);
    (ran.code(), ran.stdout())
}

/// The error rate that a comparison was held to.
fn alpha(explained: &str) -> f64 {
    let (_, rest) = explained.split_once("(alpha ").unwrap();
    rest.split_once(',').unwrap().0.parse().unwrap()
}

#[test]
fn runs_of_an_unchanged_reference_serve_again_until_something_speaks_against_them() {
    let world = World::with_suite(&suite("tasks", "role = \"endpoint\"\nmodel = \"none\""));
    world.git("port", &["tag", "base"]);
    let stored = "is the mean of stored runs";
    world.again("first");
    let (code, first) = explained(&world, &[]);
    assert!(code == 0 && !first.contains("stored runs"), "{first}");
    let rows = || {
        let folder = std::fs::read_dir(world.path("port/.tidelock/bench/references")).unwrap();
        folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect::<String>()
    };
    // One comparison gives each task a few runs; one more by hand, so that all of them have enough.
    for at in 0..4 {
        if explained(&world, &[]).1.contains(stored) {
            break;
        }
        world.again(&format!("more {at}"));
    }
    world.again("with stored runs");
    let (code, second) = explained(&world, &[]);
    assert!(code == 0 && second.contains(stored) && second.contains("they hold"), "{second}");
    assert_eq!(explained(&world, &[]), (0, second.clone()), "the same trees, the same verdict");
    // On demand, and with another model, every pair is fresh.
    let (code, fresh) = explained(&world, &["--fresh"]);
    assert!(code == 0 && !fresh.contains(stored), "{fresh}");
    assert!(alpha(&fresh) < alpha(&second), "asked once more, it is another try: {fresh}");
    assert_eq!(explained(&world, &[]), (0, fresh), "a fresh verdict stands");
    // Where the stored runs are not what the reference does now, its fresh runs say so.
    let path = std::fs::read_dir(world.path("port/.tidelock/bench/references")).unwrap().next().unwrap();
    let path = path.unwrap().path();
    std::fs::write(&path, rows().replace(":1.0", ":0.0")).unwrap();
    world.again("in a world that moved");
    let (code, moved) = explained(&world, &[]);
    assert!(code == 0 && moved.contains("were dropped"), "{moved}");
    assert!(rows().contains("dropped"), "{}", rows());
    assert_eq!(explained(&world, &[]), (0, moved));
    // A loss is never told from stored runs alone.
    let served = (0..4).any(|at| {
        world.again(&format!("stored anew {at}"));
        explained(&world, &[]).1.contains(stored)
    });
    assert!(served, "{}", explained(&world, &[]).1);
    world.level(20);
    let (code, lost) = explained(&world, &[]);
    assert!(code == 4 && lost.contains("it was not accepted") && !lost.contains(stored), "{lost}");
}
