//! What a port has beyond its upstream, and rules that end: declared, left alone, switched off, reported, explained.

use crate::world::World;

/// More than the upstream has: a function by decorator, one by its file, and code that is switched by a flag.
const MORE: &str = r#"

import os


def extension(function):
    return function


@extension
def louder(n: int) -> int:
    return n * 2


if os.environ.get("TALLY_EXTRA", "1") != "0":
    LIMIT = 1_000_000
"#;

const RULES: &str = r#"
[[extension]]
decorator = "extension"
flag = "TALLY_EXTRA"
reason = "ours"

[[extension]]
path = "tally/extra/**"

[[extension]]
symbol = "tally.extension"

[parity]
environment = { TALLY_EXTRA = "0" }
"#;

fn superset() -> World {
    let world = World::new();
    let port = world.read("port/tally/__init__.py") + MORE;
    world.write("port/tally/__init__.py", &port);
    world.write("port/tally/extra/more.py", "def more() -> int:\n    return 1\n");
    let tests = world.read("port/tests/test_tally.py")
        + "\n    def test_extras_are_off(self):\n        import os\n\n        self.assertEqual(\"0\", os.environ[\"TALLY_EXTRA\"])\n";
    world.write("port/tests/test_tally.py", &tests);
    let config = world.read("port/tidelock.toml") + RULES;
    world.write("port/tidelock.toml", &config);
    world.commit("port", "more than the upstream has");
    world
}

#[test]
fn extensions_are_no_drift_are_told_with_their_flags_and_are_off_while_the_port_is_compared() {
    let world = superset();
    let status = world.tidelock(&["status", "--format", "json"]).json();
    let rules = &status["extension_rules"];
    assert_eq!(rules[0]["symbols"], serde_json::json!(["tally.louder"]), "{status:#}");
    assert_eq!(rules[0]["flag"], "TALLY_EXTRA");
    assert_eq!(rules[1]["symbols"], serde_json::json!(["tally.extra.more.more"]));
    let text = world.tidelock(&["status"]).stdout();
    assert!(text.contains("tally.louder (flag TALLY_EXTRA)"), "{text}");
    let explained = world.tidelock(&["map", "explain", "tally.louder"]);
    let told = "declared by [[extension]] 1 (@extension, flag TALLY_EXTRA): never drift, never edited";
    assert!(explained.stdout().contains(told), "{explained}");

    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "the limit of parity mode was compared: {ran}");
    let port = world.read("port/tally/__init__.py");
    assert!(port.contains("LIMIT = 12") && port.contains("def louder(n: int)"), "{port}");
    let report = world.tidelock(&["report", "--format", "json"]).json();
    let notices = report["notices"].as_array().unwrap();
    let told = notices.iter().find(|notice| notice["code"] == "extension").expect("extensions are told");
    let text = "[[extension]] 1 (@extension, flag TALLY_EXTRA), 1 symbol left alone: tally.louder; \
                off in parity mode (TALLY_EXTRA=0); ours";
    assert_eq!(told["text"], text);
}

#[test]
fn a_parity_that_cannot_be_meant_stops_with_the_place() {
    let world = superset();
    let config = world.read("port/tidelock.toml");
    for (from, to, told) in [
        ("{ TALLY_EXTRA = \"0\" }", "{}", "parity mode does not switch `TALLY_EXTRA`"),
        (
            "{ TALLY_EXTRA = \"0\" }",
            "{ PATH = \"x\", TALLY_EXTRA = \"0\" }",
            "`PATH` decides how programs run",
        ),
        (
            "{ TALLY_EXTRA = \"0\" }",
            "{ \"A B\" = \"x\", TALLY_EXTRA = \"0\" }",
            "`A B` is not the name of a variable",
        ),
        ("decorator = \"extension\"", "decorator = \"@extension\"", "is not a decorator's name"),
        ("[parity]", "[parity]\nmood = 1", "unknown field `mood`"),
    ] {
        world.write("port/tidelock.toml", &config.replacen(from, to, 1));
        let ran = world.tidelock(&["status"]);
        assert_eq!(ran.code(), 2, "{ran}");
        assert!(ran.stderr().contains(told) && ran.stderr().contains("tidelock.toml:"), "{ran}");
    }
}

#[test]
fn what_a_rule_ignores_until_a_day_is_kept_and_comes_in_when_the_rule_is_over() {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    let until = |day: &str| {
        let rule = format!(
            "\n[[map]]\nitems = \"tally::clamp\"\nstrategy = \"ignore\"\nreason = \"later\"\nowner = \"Ann\"\nuntil = \"{day}\"\n"
        );
        world.write("port/tidelock.toml", &(config.clone() + &rule));
        world.commit("port", "a rule");
    };
    until("9999-01-01");
    world.upstream_changes("if n > LIMIT { LIMIT }", "if n >= LIMIT { LIMIT }", "the same, otherwise");
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let lock = world.read("port/tidelock.lock");
    let held = "disposition = \"deferred\", reason = \"later (Ann), until 9999-01-01\"";
    assert!(lock.contains(held), "{lock}");
    let verified = world.tidelock(&["verify"]);
    assert_eq!(verified.code(), 0, "{verified}");
    assert_eq!(world.tidelock(&["plan"]).code(), 3, "it is carried on");

    until("2020-01-01");
    let plan = world.tidelock(&["plan", "--format", "json"]);
    assert_eq!(plan.json()["units"][0]["id"], "tally::clamp", "{plan}");
    assert!(plan.stderr().contains("ended on 2020-01-01"), "{plan}");
    let explained = world.tidelock(&["map", "explain", "tally::clamp"]).stdout();
    assert!(
        explained.contains("which ended on 2020-01-01") && explained.contains("by the convention"),
        "{explained}"
    );
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(!world.read("port/tidelock.lock").contains("deferred\", reason"), "nothing is held any more");
}
