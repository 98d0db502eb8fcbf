//! Model answers that are broken or hostile: each is refused with its own finding, and nothing changes.

use crate::world::World;

const BUMP: (&str, &str) = (
    "tally.bump",
    "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256",
);

/// What becomes of an answer that is spoiled by this line of Python: the codes of what was found.
fn codes(world: &World, spoil: &str) -> Vec<String> {
    let before = world.read("port/tally/__init__.py");
    let who = world.answering(&[BUMP], spoil);
    let ran = world.tidelock(&["sync", "--dry-run", "--translator", &who]);
    assert_eq!(ran.code(), 0, "a dry run with something parked is done: {ran}");
    assert_eq!(before, world.read("port/tally/__init__.py"));
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let unit = &record["revisions"][0]["units"][0];
    assert_eq!(unit["outcome"]["outcome"], "parked", "{unit:#}");
    let attempts = unit["attempts"].as_array().unwrap();
    let model = attempts.iter().filter(|attempt| attempt["route"] == "model");
    model
        .flat_map(|attempt| attempt["findings"].as_array().unwrap().clone())
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_broken_answer_has_its_own_finding_and_changes_nothing() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let cases = [
        ("answer = ''", "empty"),
        ("answer = answer[:len(answer) // 2]", "cut"),
        ("answer = 'Here is your code:\\n```python\\ndef bump(n):\\n    return n\\n```\\n'", "grammar"),
        ("answer = answer.replace('sym=tally.bump', 'sym=tally.width')", "another symbol"),
        ("answer = answer.replace('% 256', '% 256)')", "does not parse"),
        ("answer = answer.replace('return (n + 1) % 256', 'raise NotImplementedError')", "stub"),
        ("answer = answer.replace('return (n', 'import subprocess; return (n')", "escape"),
    ];
    let mut seen = Vec::new();
    for (spoil, what) in cases {
        let found = codes(&world, spoil);
        assert!(!found.is_empty(), "{what}: nothing was found");
        seen.push(format!("{what}: {}", found[0]));
    }
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn a_translator_that_fails_hangs_or_is_not_there_is_told_apart_from_a_wrong_answer() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    for who in ["command:false", "command:no-such-program-here"] {
        let ran = world.tidelock(&["sync", "--dry-run", "--translator", who]);
        let record = world.tidelock(&["report", "--render", "json"]).json();
        let outcome = record["revisions"][0]["units"][0]["outcome"].clone();
        let reason = outcome["reason"].as_str().unwrap_or_default();
        assert!(reason.starts_with("it could not be told"), "{who}: {outcome:#}\n{ran}");
    }
}
