//! Parked work is taken up again with nothing new upstream, when somebody asks for it.

use crate::world::World;

const RIGHT: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";
const WRONG: &str = "def bump(n: int) -> int:\n    \"\"\"Add one.\"\"\"\n    return n + 1";

#[test]
fn a_better_translator_finishes_what_was_parked_without_a_new_revision() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let wrong = world.answering(&[("tally.bump", WRONG)], "");
    assert_eq!(world.tidelock(&["sync", "--translator", &wrong]).code(), 5);
    let baseline =
        world.read("port/tidelock.lock").lines().find(|line| line.contains("baseline")).map(str::to_owned);
    let plain = world.tidelock(&["sync"]);
    assert_eq!(plain.code(), 3, "nothing is new: {plain}");
    assert!(plain.stderr().contains("--retry"), "it says how to take it up again: {plain}");

    let head = world.git("port", &["rev-parse", "HEAD"]);
    let again = world.tidelock(&["sync", "--retry", "--translator", &wrong]);
    assert_eq!(again.code(), 5, "the same wrong answer is refused again: {again}");
    assert_eq!(world.git("port", &["rev-parse", "HEAD"]), head, "nothing changed, so nothing landed");

    let right = world.answering(&[("tally.bump", RIGHT)], "");
    let ran = world.tidelock(&["sync", "--retry", "--translator", &right]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
    let lock = world.read("port/tidelock.lock");
    assert!(lock.contains("parked = [\n]"), "{lock}");
    assert_eq!(lock.lines().find(|line| line.contains("baseline")).map(str::to_owned), baseline);
    assert_eq!(world.tidelock(&["verify"]).code(), 0);
    assert_eq!(world.tidelock(&["sync", "--retry"]).code(), 3, "nothing waits any more");
}
