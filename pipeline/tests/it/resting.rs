//! What did not change itself and uses something that is parked waits with it, and keeps nothing else from landing.

use crate::world::World;

const TWICE: &str = "def twice(n: int) -> int:\n    \"\"\"Add two.\"\"\"\n    return bump(bump(n))";
const CALM: &str =
    "def calm(n: int) -> int:\n    \"\"\"Add one to at most nine.\"\"\"\n    return bump(min(n, 9))";
const BOTH: &str = "def both(n: int, text: str) -> int:\n    \"\"\"Add one, and the length of a text.\"\"\"\n    return bump(n) + width(text)";
const BUMP: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";
const WIDTH: &str = "def width(text: str) -> int:\n    \"\"\"Return the length of a text in bytes.\"\"\"\n    return max(len(text.encode()), 1)";

#[test]
fn what_uses_two_changed_functions_refuses_neither() {
    let world = World::new();
    let user = "/// Adds one, and the length of a text.\npub fn both(n: u8, text: &str) -> usize {\n    \
                usize::from(bump(n)) + width(text)\n}\n\n";
    let before = "/// Cuts an amount";
    world.upstream_changes(before, &format!("{user}{before}"), "a user of both");
    let adds = world.answering(&[("tally.both", BOTH)], "");
    let ran = world.tidelock(&["sync", "--translator", &adds]);
    assert_eq!(ran.code(), 0, "{ran}");

    let text = world.read("upstream/src/lib.rs");
    let text = text.replace("n.saturating_add(1)", "n.wrapping_add(1)");
    world.write("upstream/src/lib.rs", &text.replace("text.len()\n", "text.len().max(1)\n"));
    world.commit("upstream", "bump wraps, and nothing is empty");
    let right = world.answering(&[("tally.bump", BUMP), ("tally.width", WIDTH)], "");
    let ran = world.tidelock(&["sync", "--translator", &right]);
    assert_eq!(ran.code(), 0, "{ran}");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let units = record["revisions"][0]["units"].as_array().unwrap();
    assert_eq!(units.len(), 2, "{record:#}");
    for unit in units {
        let attempts = unit["attempts"].as_array().unwrap();
        let refused: Vec<_> = attempts.iter().filter(|attempt| attempt["verdict"] == "fail").collect();
        assert!(refused.is_empty(), "a right answer was refused: {refused:#?}");
    }
}

#[test]
fn users_of_what_is_parked_wait_where_they_differ_and_the_rest_lands() {
    let world = World::new();
    let users = "/// Adds two.\npub fn twice(n: u8) -> u8 {\n    bump(bump(n))\n}\n\n\
                 /// Adds one to at most nine.\npub fn calm(n: u8) -> u8 {\n    bump(n.min(9))\n}\n\n";
    let before = "/// Cuts an amount";
    world.upstream_changes(before, &format!("{users}{before}"), "users of bump");
    let adds = world.answering(&[("tally.twice", TWICE), ("tally.calm", CALM)], "");
    let ran = world.tidelock(&["sync", "--translator", &adds]);
    assert_eq!(ran.code(), 0, "{ran}");

    // One change that nobody can translate, and one that lands.
    let text = world.read("upstream/src/lib.rs");
    let text = text.replace("n.saturating_add(1)", "n.wrapping_add(1)");
    world.write("upstream/src/lib.rs", &text.replace("text.len()\n", "text.len().max(1)\n"));
    world.commit("upstream", "bump wraps, and nothing is empty");
    let wide = world.answering(&[("tally.width", WIDTH)], "");
    let ran = world.tidelock(&["sync", "--translator", &wide]);
    assert_eq!(ran.code(), 5, "landed in part: {ran}");
    assert!(world.read("port/tally/__init__.py").contains("max(len(text.encode()), 1)"), "{ran}");
    let lock = world.read("port/tidelock.lock");
    let waits = |item: &str| lock.lines().find(|line| line.contains(item) && line.contains("reason"));
    assert!(waits("tally::bump").is_some(), "{lock}");
    let twice = waits("tally::twice").unwrap_or_default();
    assert!(twice.contains("it rests on `tally::bump`, which waits"), "{lock}");
    assert_eq!(waits("tally::calm"), None, "it uses bump as well, and does as the upstream does: {lock}");
    assert!(ran.stderr().contains("tally::twice rest"), "{ran}");
    let verified = world.tidelock(&["verify", "--contract"]);
    assert_eq!(verified.code(), 0, "{verified}");

    // Parked again, nothing else is bought or changed.
    let head = world.git("port", &["rev-parse", "HEAD"]);
    let again = world.tidelock(&["sync", "--retry", "--translator", &wide]);
    assert_eq!(again.code(), 5, "{again}");
    assert_eq!(world.git("port", &["rev-parse", "HEAD"]), head, "{}", world.git("port", &["show"]));

    // With what it rests on, it is done by itself.
    let right = world.answering(&[("tally.bump", BUMP)], "");
    let ran = world.tidelock(&["sync", "--retry", "--translator", &right]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tidelock.lock").contains("parked = [\n]"), "{ran}");
    let verified = world.tidelock(&["verify", "--contract"]);
    assert_eq!(verified.code(), 0, "{verified}");
}
