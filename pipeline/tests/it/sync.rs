//! The main job, end to end.

use crate::world::{World, contents};

const WRAPPING: (&str, &str) = ("n.saturating_add(1)", "n.wrapping_add(1)");
const BUMP_RIGHT: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";
const BUMP_WRONG: &str = "def bump(n: int) -> int:\n    \"\"\"Add one.\"\"\"\n    return n + 1";
const HALVE: &str =
    "\n/// Half of a number, towards zero.\npub fn halve(n: i32) -> i32 {\n    n / 2\n}\n\n#[cfg(test)]";
const HALVE_RIGHT: &str = "def halve(n: int) -> int:\n    \"\"\"Return half of a number, towards zero.\"\"\"\n    return int(n / 2)";

/// An upstream with four revisions behind the adopted one: documentation, a constant, a body, a new function.
fn moved(world: &World) {
    world.upstream_changes("Adds one, and stops at the top.", "Adds one and stops at the top.", "words");
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    world.upstream_changes("\n#[cfg(test)]", HALVE, "halve");
}

#[test]
fn a_port_follows_its_upstream_revision_by_revision() {
    let world = World::new();
    moved(&world);
    let who = world.answering(&[("tally.bump", BUMP_RIGHT), ("tally.halve", HALVE_RIGHT)], "");
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");

    let port = world.read("port/tally/__init__.py");
    assert!(port.contains("LIMIT = 12"), "the rule followed the constant:\n{port}");
    assert!(port.contains("return (n + 1) % 256"), "the model followed the body:\n{port}");
    assert!(port.contains("def halve"), "the new function was written:\n{port}");
    assert!(port.contains("# By the limit of the module."), "comments are kept:\n{port}");

    let log = world.git("port", &["log", "--format=%s%n%(trailers:only)", "-n", "4"]);
    assert_eq!(log.matches("Tidelock-Revision:").count(), 4, "a commit for each revision:\n{log}");
    assert_eq!(world.git("port", &["status", "--porcelain"]), "", "the working tree follows");

    let newest = world.git("upstream", &["rev-parse", "HEAD"]);
    assert!(world.read("port/tidelock.lock").contains(newest.trim()), "the lock names the upstream's commit");
    let verified = world.tidelock(&["verify", "--contract"]);
    assert_eq!(verified.code(), 0, "{verified}");
    let again = world.tidelock(&["sync"]);
    assert_eq!(again.code(), 3, "nothing is left to do: {again}");

    let record = world.tidelock(&["report", "--render", "json"]).json();
    assert_eq!(record["outcome"], "nothing_to_do");
    let runs = world.tidelock(&["report", "--list", "--format", "json"]).json();
    assert_eq!(runs.as_array().unwrap().len(), 2);
}

#[test]
fn a_changed_upstream_test_is_followed_though_the_ports_passes() {
    let world = World::new();
    let name = "tests.test_tally.TallyTest.test_bump_counts";
    let loops = "for (n, next) in CASES {\n            assert_eq!(*next, bump(*n));\n        }";
    let table =
        |cases: &str| format!("const CASES: &[(u8, u8)] = &[{cases}];\n\n    #[test]\n    fn bump_counts");
    world.upstream_changes("#[test]\n    fn bump_counts", &table("(2, 3)"), "a table");
    world.upstream_changes("assert_eq!(3, bump(2));", loops, "the test reads it");
    let followed = |cases: &str| {
        let text = format!(
            "def test_bump_counts(self):\n    for n, following in [{cases}]:\n        self.assertEqual(following, bump(n))"
        );
        let who = world.answering(&[(name, &text)], "");
        let ran = world.tidelock(&["sync", "--translator", &who]);
        assert_eq!(ran.code(), 0, "{ran}");
        let tests = world.read("port/tests/test_tally.py");
        assert!(tests.contains(cases), "the port's test is the old one, which passes: {tests}\n{ran}");
    };
    followed("(2, 3)");

    // Nothing but what stands behind the test changes.
    world.upstream_changes("&[(2, 3)]", "&[(2, 3), (0, 1)]", "another case");
    followed("(2, 3), (0, 1)");
}

#[test]
fn a_wrong_translation_is_refused_with_a_counterexample_and_parked() {
    let world = World::new();
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    let who = world.answering(&[("tally.bump", BUMP_WRONG)], "");
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 5, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("min(n + 1, 255)"), "the port keeps what it had");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let unit = &record["revisions"][0]["units"][0];
    assert_eq!(unit["outcome"]["outcome"], "parked", "{unit:#}");
    let refused = unit["attempts"].as_array().unwrap().last().unwrap();
    assert_eq!(refused["counterexamples"][0]["call"], "tally.bump(255)", "{refused:#}");
    assert!(world.read("port/tidelock.lock").contains("parked"), "the lock says what waits");

    // Somebody who can do it finishes the job later, with nothing new upstream.
    let who = world.answering(&[("tally.bump", BUMP_RIGHT)], "");
    world.upstream_changes("Small sums.", "Small sums!", "words");
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
}

#[test]
fn a_dry_run_and_a_plan_change_nothing() {
    let world = World::new();
    moved(&world);
    let before = (contents(&world.path("port")), world.git("port", &["rev-parse", "HEAD"]));
    let plan = world.tidelock(&["plan", "--format", "json"]);
    assert_eq!(plan.code(), 0, "{plan}");
    let units = plan.json()["units"].as_array().unwrap().len();
    assert_eq!(units, 3, "the constant, the body, the new function: {plan}");
    let who = world.answering(&[("tally.bump", BUMP_RIGHT), ("tally.halve", HALVE_RIGHT)], "");
    let ran = world.tidelock(&["sync", "--dry-run", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert_eq!(before, (contents(&world.path("port")), world.git("port", &["rev-parse", "HEAD"])));
}

#[test]
fn a_hand_edit_is_kept_and_the_change_is_made_to_it() {
    let world = World::new();
    let port = world.read("port/tally/__init__.py");
    let edited = port.replace("    \"\"\"Add one, and stop at the top.\"\"\"\n", "    \"\"\"Mine.\"\"\"\n");
    assert_ne!(port, edited);
    world.write("port/tally/__init__.py", &edited);
    world.commit("port", "my own words");
    world.upstream_changes("Cuts an amount to the limit.", "Cuts an amount.", "words");
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "limit");
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let port = world.read("port/tally/__init__.py");
    assert!(port.contains("Mine.") && port.contains("LIMIT = 11"), "{port}");
    let status = world.tidelock(&["status", "--format", "json"]).json();
    assert_eq!(status["lag"]["revisions"], 0, "{status:#}");
}

#[test]
fn a_limit_and_a_target_are_kept_to() {
    let world = World::new();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "limit");
    let target = world.git("upstream", &["rev-parse", "HEAD"]);
    world.upstream_changes("LIMIT: u32 = 11", "LIMIT: u32 = 12", "limit");
    world.upstream_changes("LIMIT: u32 = 12", "LIMIT: u32 = 13", "limit");
    assert_eq!(world.tidelock(&["sync", "--to", target.trim()]).code(), 0);
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 11"));
    assert_eq!(world.tidelock(&["sync", "--limit", "1"]).code(), 0);
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 12"));
    let status = world.tidelock(&["status", "--lag-max", "0"]);
    assert_eq!(status.code(), 7, "{status}");
}
