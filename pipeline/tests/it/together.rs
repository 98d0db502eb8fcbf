//! Units that do not depend on each other are asked for together, and what comes of it does not depend on whose answer
//! comes first.

use crate::world::World;

const ANSWERS: [(&str, &str); 3] = [
    (
        "tally.bump",
        "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256",
    ),
    (
        "tally.clamp",
        "def clamp(n: int) -> int:\n    \"\"\"Cut an amount to the limit.\"\"\"\n    return LIMIT if n > LIMIT else n // 2",
    ),
    (
        "tally.width",
        "def width(text: str) -> int:\n    \"\"\"Return the length of a text in bytes.\"\"\"\n    return max(len(text.encode()), 1)",
    ),
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
    let text = text
        .replace("LIMIT } else { n }", "LIMIT } else { n / 2 }")
        .replace("text.len()\n", "text.len().max(1)\n");
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

/// The first candidate is wrong, the second right in many words, the third right in few.
const CANDIDATES: &str = r#"
if "Look at the limits" in prompt:
    answer = answer.replace("    return (n", "    # It begins again.\n    # As the upstream does.\n    return (n")
elif "Look for the smallest" not in prompt:
    answer = answer.replace("% 256", "% 255")
"#;

#[test]
fn of_several_candidates_for_a_risky_unit_the_smallest_change_that_passes_lands() {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    world.write(
        "port/tidelock.toml",
        &format!("{config}\n[translate.best-of]\ncandidates = 3\nrisks-min = 1\n"),
    );
    world.commit("port", "three of the risky ones");
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let who = world.answering(&ANSWERS, CANDIDATES);
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(!world.read("port/tally/__init__.py").contains("As the upstream does"), "{ran}");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let last = record["revisions"][0]["units"][0]["attempts"].as_array().unwrap().last().unwrap().clone();
    let told =
        last["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "best-of").unwrap();
    assert_eq!(told["text"], "2 of 3 candidates passed; number 3 is used");
}

#[test]
fn candidates_that_cannot_be_and_prices_that_are_none_are_refused_where_they_stand() {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    let model = "[[translate.model]]\nname = \"m\"\nkind = \"command\"\ncommand = [\"true\"]\n";
    for (wrong, key) in [
        ("[translate.best-of]\ncandidates = 0\n".to_owned(), "candidates"),
        ("[translate.best-of]\ncandidates = 5\n".to_owned(), "candidates"),
        ("[translate.best-of]\nhow-many = 2\n".to_owned(), "how-many"),
        (format!("{model}price = {{ input = 1.0 }}\n"), "needs `input` and `output`"),
        (format!("{model}price = [{{ from = \"soon\", input = 1.0, output = 2.0 }}]\n"), "soon"),
        (format!("{model}price = 3\n"), "a price is a table"),
    ] {
        world.write("port/tidelock.toml", &format!("{config}\n{wrong}"));
        let ran = world.tidelock(&["status"]);
        assert_eq!(ran.code(), 2, "{ran}");
        assert!(ran.stderr().contains(key), "{ran}");
    }
}
