//! Units that do not depend on each other are asked for together, and what comes of it does not depend on whose answer
//! comes first.

use crate::world::World;

const ANSWERS: [(&str, &str); 3] = [
    ("tally.bump", "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256"),
    ("tally.clamp", "def clamp(n: int) -> int:\n    \"\"\"Cut an amount to the limit.\"\"\"\n    return LIMIT if n > LIMIT else n // 2"),
    ("tally.width", "def width(text: str) -> int:\n    \"\"\"Return the length of a text in bytes.\"\"\"\n    return max(len(text.encode()), 1)"),
];

/// Waits until three are under way, and then answers in turn: each writes its name when it is done, and waits for the
/// one before it.
const TURNS: &str = r#"
import os, pathlib, time
folder = pathlib.Path(FOLDER)
(folder / f"begun-{nonce}").write_text("")
name = re.search(r"^## Port: sym=tally\.(\S+) ", prompt, re.M)[1]
before = ORDER[: ORDER.index(name)]
until = time.monotonic() + 120
while len(list(folder.glob("begun-*"))) < 3 or not all((folder / other).exists() for other in before):
    if time.monotonic() > until:
        sys.exit("the others never came")
    time.sleep(0.02)
(folder / name).write_text("")
"#;

/// The tree that lands where models answer in this order.
fn landed(order: [&str; 3]) -> String {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let text = world.read("upstream/src/lib.rs");
    let text = text.replace("LIMIT } else { n }", "LIMIT } else { n / 2 }").replace("text.len()\n", "text.len().max(1)\n");
    world.write("upstream/src/lib.rs", &text);
    world.git("upstream", &["add", "-A"]);
    world.git("upstream", &["commit", "-q", "--amend", "-m", "all three"]);
    world.write("turns/.keep", "");
    let spoil = TURNS
        .replace("FOLDER", &format!("{:?}", world.path("turns").display().to_string()))
        .replace("ORDER", &format!("{order:?}"));
    let who = world.answering(&ANSWERS, &spoil);
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let units = record["revisions"][0]["units"].as_array().unwrap();
    assert_eq!(units.len(), 3, "{ran}");
    world.git("port", &["rev-parse", "HEAD^{tree}"])
}

#[test]
fn three_units_are_asked_for_together_and_land_alike_in_any_order_of_answers() {
    let in_order = landed(["bump", "clamp", "width"]);
    assert_eq!(in_order, landed(["width", "clamp", "bump"]));
}

#[test]
fn as_many_requests_as_nobody_has_are_refused_where_they_stand() {
    let world = World::new();
    for wrong in ["0", "65", "\"all\""] {
        let config = world.read("port/tidelock.toml");
        world.write("port/tidelock.toml", &format!("{config}\n[translate]\nat-once-max = {wrong}\n"));
        let ran = world.tidelock(&["status"]);
        assert_eq!(ran.code(), 2, "{ran}");
        assert!(ran.stderr().contains("at-once-max"), "{ran}");
        world.write("port/tidelock.toml", &config);
    }
}
