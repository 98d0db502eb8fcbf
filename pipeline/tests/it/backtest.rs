//! Past revisions replayed with chains of translators.

use serde_json::{Value, json};
use upstream::process::{Ending, ProcessRunner, SystemProcessRunner};

use crate::world::{Ran, World, contents};

const WRAPPING: (&str, &str) = ("n.saturating_add(1)", "n.wrapping_add(1)");
const RIGHT: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";
const TERSE: &str = "def bump(n: int) -> int:\n    \"\"\"Add one.\"\"\"\n    return (n + 1) % 256";
const WRONG: &str = "def bump(n: int) -> int:\n    \"\"\"Add one.\"\"\"\n    return n + 1";

/// What a person made of the revision that no translator could do, with a test that looks at more than the contract.
const BY_HAND: &str = r#"
    def test_bump_wraps(self):
        self.assertEqual(0, bump(255))
        self.assertIn("begin again", bump.__doc__)
"#;

/// A port that followed two revisions: one by a rule, and one that was parked and then done by hand.
fn followed() -> World {
    let world = World::new();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    let parked = world.tidelock(&["sync"]);
    assert_eq!(parked.code(), 5, "{parked}");
    let port = world.read("port/tally/__init__.py");
    let old =
        "def bump(n: int) -> int:\n    \"\"\"Add one, and stop at the top.\"\"\"\n    return min(n + 1, 255)";
    assert!(port.contains(old), "{port}");
    world.write("port/tally/__init__.py", &port.replace(old, RIGHT));
    let tests = world.read("port/tests/test_tally.py") + BY_HAND;
    world.write("port/tests/test_tally.py", &tests);
    world.commit("port", "bump wraps, by hand");
    let taken_up = world.tidelock(&["sync", "--retry"]);
    assert_eq!(taken_up.code(), 0, "{taken_up}");
    world
}

/// A chain whose command answers this for `bump`, and counts how often it is asked.
fn chain(world: &World, name: &str, bump: &str, spoil: &str) -> String {
    world.answering(&[("tally.bump", bump)], &format!("{}{spoil}", counting(world)));
    std::fs::rename(world.path("answer.py"), world.path(&format!("{name}.py"))).unwrap();
    let file = format!(
        "[translate]\nchain = [\"verify-first\", \"rules\", \"{name}\"]\n[[translate.model]]\nname = \"{name}\"\n\
         kind = \"command\"\ncommand = [\"python3\", \"./{name}.py\"]\n"
    );
    world.write(&format!("{name}.toml"), &file);
    format!("{name}={}", world.path(&format!("{name}.toml")).display())
}

fn counting(world: &World) -> String {
    let path = world.path("purchases");
    if !path.exists() {
        std::fs::write(&path, "").unwrap();
    }
    format!("with open({:?}, \"a\") as accounts: accounts.write(nonce + \"\\n\")\n", path.to_string_lossy())
}

fn purchases(world: &World) -> usize {
    world.read("purchases").lines().count()
}

fn result<'a>(report: &'a Value, at: usize, chain: &str) -> &'a Value {
    let name = &report["cases"][at]["name"];
    let results = report["results"].as_array().unwrap();
    results.iter().find(|result| result["case"] == *name && result["chain"] == chain).unwrap()
}

#[test]
fn chains_are_held_against_the_past_by_the_gate_and_by_the_answers_tests() {
    let world = followed();
    let before = (contents(&world.path("port")), world.git("port", &["log", "--format=%H", "--all"]));
    let had_learned = world.path("port/.tidelock/memory").exists();
    let right = chain(&world, "right", RIGHT, "");
    let terse = chain(&world, "terse", TERSE, "");
    let wrong = chain(&world, "wrong", WRONG, "");
    let all = ["--chain", right.as_str(), "--chain", terse.as_str(), "--chain", wrong.as_str()];

    let planned = world.tidelock(&[&["backtest", "--dry-run"][..], &all].concat());
    assert_eq!(planned.code(), 0, "{planned}");
    assert!(planned.stdout().contains("right: 0 finished, 2 open"), "{planned}");
    assert_eq!(purchases(&world), 0, "nobody is asked for a plan");

    let with = |more: &[&'static str]| -> Ran { world.tidelock(&[&["backtest"][..], &all, more].concat()) };
    let ran = with(&["--format", "json", "--jobs", "2"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let report = ran.json();
    let schema: Value = serde_json::from_str(&pipeline::backtest::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&report), "{report:#}");

    assert_eq!(report["cases"].as_array().unwrap().len(), 2, "{report:#}");
    for name in ["right", "terse", "wrong"] {
        let by_rule = result(&report, 0, name);
        assert_eq!(by_rule["outcome"], "landed_first", "{by_rule:#}");
        assert_eq!(by_rule["answer"]["verdict"], "untold", "its tests pass without it: {by_rule:#}");
    }
    let of = |name: &str| result(&report, 1, name);
    assert_eq!(
        (&of("right")["outcome"], &of("right")["answer"]),
        (&json!("landed_first"), &json!({"verdict": "right"}))
    );
    assert_eq!(of("terse")["outcome"], "landed_first", "{:#}", of("terse"));
    assert_eq!(of("terse")["answer"]["tests"], json!(["tests.test_tally.TallyTest.test_bump_wraps"]));
    assert_eq!(of("wrong")["outcome"], "refused", "{:#}", of("wrong"));
    assert!(of("wrong")["attempts"].as_u64().unwrap() > 1, "it is told and asked again: {:#}", of("wrong"));
    assert_eq!(report["disputed"].as_array().unwrap().len(), 1, "{report:#}");
    let pair = report["pairs"].as_array().unwrap().iter().find(|pair| pair["second"] == "wrong").unwrap();
    assert_eq!(
        (&pair["both"], &pair["only_first"], &pair["neither"]),
        (&json!(1), &json!(1), &json!(0)),
        "{pair:#}"
    );

    let bought = purchases(&world);
    let text = with(&[]);
    assert_eq!(text.code(), 0, "{text}");
    assert_eq!(purchases(&world), bought, "what is finished is not run again");
    assert!(text.stdout().contains("Gate and the repository's tests disagree:"), "{text}");
    assert!(text.stdout().contains("right  2      0        2 (100 %, 34 to 100)"), "{text}");
    let after = (contents(&world.path("port")), world.git("port", &["log", "--format=%H", "--all"]));
    assert_eq!(before, after, "the port is as it was");
    assert_eq!(world.git("port", &["status", "--porcelain"]), "");
    let left = std::fs::read_dir(world.path("port/.tidelock/backtest/work")).unwrap().count();
    assert_eq!(left, 0, "scratch copies go when their case is finished");
    assert_eq!(world.path("port/.tidelock/memory").exists(), had_learned, "nothing is learned from the past");

    // The same case, named by hand, of a port whose history tells of none.
    let case = json!({
        "port": report["cases"][1]["port"], "after": report["cases"][1]["after"], "name": "wraps",
    });
    world.write("cases.jsonl", &format!("{case}\n"));
    let file = world.path("cases.jsonl").to_string_lossy().into_owned();
    let ran = world.tidelock(&["backtest", "--cases", &file, "--chain", &right, "--format", "json"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let named = ran.json();
    assert_eq!(named["results"][0]["outcome"], "landed_first", "{named:#}");
    assert_eq!(named["results"][0]["answer"]["reason"], "there is no real answer");
    for (line, says) in [
        (r#"{"port": "x", "after": "y", "colour": "red"}"#.to_owned(), "unknown field `colour`"),
        (
            json!({"port": "0".repeat(40), "after": report["cases"][1]["after"]}).to_string(),
            "the port has no commit",
        ),
        (json!({"port": "main", "after": "y"}).to_string(), "all their 40 digits"),
        (json!({"port": report["cases"][1]["port"], "after": "nowhere"}).to_string(), "nowhere"),
        (String::new(), "there is nothing to replay"),
    ] {
        world.write("cases.jsonl", &line);
        let ran = world.tidelock(&["backtest", "--cases", &file, "--chain", &right]);
        assert_eq!(ran.code(), 2, "{line}: {ran}");
        assert!(ran.stderr().contains(says), "{line}: {ran}");
    }
}

/// A test that a person wrote into the port, of what the upstream does no more.
const OF_THE_PAST: &str = r"
    def test_bump_stops(self):
        self.assertEqual(255, bump(255))
";

#[test]
fn a_candidate_that_the_gate_refused_is_judged_by_the_answers_tests_as_well() {
    let world = World::new();
    let tests = world.read("port/tests/test_tally.py");
    world.write("port/tests/test_tally.py", &(tests.clone() + OF_THE_PAST));
    world.commit("port", "bump stops at the top");
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    assert_eq!(world.tidelock(&["sync"]).code(), 5);
    let port = world.read("port/tally/__init__.py");
    let old =
        "def bump(n: int) -> int:\n    \"\"\"Add one, and stop at the top.\"\"\"\n    return min(n + 1, 255)";
    world.write("port/tally/__init__.py", &port.replace(old, RIGHT));
    world.write("port/tests/test_tally.py", &(tests + BY_HAND));
    world.commit("port", "bump wraps, by hand");
    let taken_up = world.tidelock(&["sync", "--retry"]);
    assert_eq!(taken_up.code(), 0, "{taken_up}");

    let (right, terse) = (chain(&world, "right", RIGHT, ""), chain(&world, "terse", TERSE, ""));
    let ran = world.tidelock(&["backtest", "--chain", &right, "--chain", &terse, "--format", "json"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let report = ran.json();
    for name in ["right", "terse"] {
        let of = result(&report, 0, name);
        assert_eq!(of["outcome"], "refused", "{of:#}");
        assert_eq!(of["reason"], "gate tests: 1 of 3 tests lost", "{of:#}");
    }
    assert_eq!(result(&report, 0, "right")["answer"]["verdict"], "right", "{report:#}");
    let lost = json!(["tests.test_tally.TallyTest.test_bump_wraps"]);
    assert_eq!(result(&report, 0, "terse")["answer"]["tests"], lost, "{report:#}");
    assert_eq!(report["disputed"].as_array().unwrap().len(), 1, "{report:#}");
}

#[test]
fn a_backtest_that_is_killed_goes_on_with_the_same_table_and_buys_nothing_twice() {
    let world = followed();
    let mending = "if \"Your earlier answer was refused\" in prompt: answer = answer.replace(\"return n + 1\", \"return (n + 1) % 256\")\n";
    let mends = chain(&world, "mends", WRONG, mending);
    let to = |out: &str| world.path(out).to_string_lossy().into_owned();
    let (whole, cut) = (to("whole"), to("cut"));
    let run = |out: &str, point: &str| {
        let arguments = ["backtest", "--chain", &mends, "--out", out, "--format", "json"];
        let invocation = world.invocation("port", &arguments).env("TIDELOCK_TEST_STOP_AT", point);
        SystemProcessRunner::default().run(&invocation).unwrap()
    };
    let finished = Ran { finished: run(&whole, "nowhere") };
    assert_eq!(finished.code(), 0, "{finished}");
    let expected = finished.json();
    assert_eq!(result(&expected, 1, "mends")["outcome"], "landed_repaired", "{expected:#}");
    let bought = purchases(&world);
    assert_eq!(bought, 2, "a wrong answer and a right one");

    world.write("purchases", "");
    for point in [
        "gate: carried out",
        "backtest: the record is kept",
        "attempt: the answer is recorded",
        "attempt: stored",
        "advance: the branch moved",
        "finish: stored",
        "backtest: finished",
    ] {
        let killed = run(&cut, point);
        assert_eq!(killed.ending, Ending::Signalled(9), "{point}: {}", killed.tail(20));
    }
    let ran = Ran { finished: run(&cut, "nowhere") };
    assert_eq!(ran.code(), 0, "{ran}");
    assert_eq!(purchases(&world), bought, "an answer that is on the disk is never bought again");
    assert_eq!(untimed(expected), untimed(ran.json()));
}

/// A report without what the clock says.
fn untimed(mut report: Value) -> Value {
    for list in ["results", "chains"] {
        for row in report[list].as_array_mut().unwrap() {
            row["attempts_ms"] = json!(0);
            row["total_ms"] = json!(0);
        }
    }
    report
}

#[test]
fn what_cannot_be_replayed_is_refused_with_what_to_do() {
    let world = World::new();
    world.write("good.toml", "[translate]\nchain = [\"rules\"]\n");
    world.write("broken.toml", "[translate\n");
    world.write("unknown.toml", "[translate]\nspeed = 3\n");
    let file = |name: &str| format!("a={}", world.path(name).display());
    let (good, broken, unknown) = (file("good.toml"), file("broken.toml"), file("unknown.toml"));
    let out = world.path("upstream").to_string_lossy().into_owned();
    let nothing = ["backtest"];
    let cases: &[(&[&str], &str)] = &[
        (&nothing, "there is nothing to replay"),
        (&["backtest", "--chain", &broken], "broken.toml:1"),
        (&["backtest", "--chain", &unknown], "unknown field `speed`"),
        (&["backtest", "--chain", &good, "--chain", "a"], "two chains are called `a`"),
        (&["backtest", "--jobs", "0"], "0 cases at a time cannot be"),
        (&["backtest", "--answer-tests", "a["], "a["),
        (&["backtest", "--cases", "nowhere.jsonl"], "cannot read the cases"),
    ];
    for (arguments, says) in cases {
        let ran = world.tidelock(arguments);
        assert_eq!(ran.code(), 2, "{arguments:?}: {ran}");
        assert!(ran.stderr().contains(says), "{arguments:?}: {ran}");
    }
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    assert_eq!(world.tidelock(&["sync"]).code(), 0);
    let cases: &[(&[&str], &str)] = &[
        (&["backtest", "--from", "nowhere"], "nowhere"),
        (&["backtest", "--last", "0"], "there is nothing to replay"),
        (&["backtest", "--out", &out], "no backtest made"),
    ];
    for (arguments, says) in cases {
        let ran = world.tidelock(arguments);
        assert_eq!(ran.code(), 2, "{arguments:?}: {ran}");
        assert!(ran.stderr().contains(says), "{arguments:?}: {ran}");
    }
}
