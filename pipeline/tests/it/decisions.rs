//! What people decide about upstream changes: written down, kept to, reported, and taken back.

use crate::world::World;

const WRAPPING: (&str, &str) = ("n.saturating_add(1)", "n.wrapping_add(1)");
const BUMP_RIGHT: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";

/// A port whose upstream changed a function and then a constant.
fn moved() -> World {
    let world = World::new();
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    world
}

fn newest(world: &World) -> String {
    world.git("upstream", &["rev-parse", "HEAD"]).trim().to_owned()
}

impl World {
    /// A decision that must be taken, and is committed.
    fn decides(&self, arguments: &[&str]) {
        let ran = self.tidelock(arguments);
        assert_eq!(ran.code(), 0, "{ran}");
        self.commit("port", "a decision");
    }

    /// A command line that must be refused, with what it says.
    fn refuses(&self, arguments: &[&str]) -> String {
        let before = self.read("port/tidelock.toml");
        let ran = self.tidelock(arguments);
        assert_eq!(ran.code(), 2, "{ran}");
        assert_eq!(self.read("port/tidelock.toml"), before, "{ran}");
        ran.stderr()
    }
}

#[test]
fn a_declined_item_is_left_alone_and_comes_in_when_the_decision_is_taken_back() {
    let world = moved();
    world.decides(&["decline", "tally::bump", "--reason", "our callers rely on it", "--owner", "Ann"]);
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let port = world.read("port/tally/__init__.py");
    assert!(port.contains("min(n + 1, 255)") && port.contains("LIMIT = 12"), "{port}");
    let lock = world.read("port/tidelock.lock");
    assert!(lock.contains("disposition = \"declined\", reason = \"our callers rely on it (Ann)\""), "{lock}");
    let verified = world.tidelock(&["verify", "--contract"]);
    assert_eq!(verified.code(), 0, "what is declined is not compared: {verified}");
    assert_eq!(world.tidelock(&["sync"]).code(), 3, "and nothing is left to do");

    world.decides(&["decline", "tally::bump", "--undo"]);
    let plan = world.tidelock(&["plan", "--format", "json"]).json();
    assert_eq!(plan["units"][0]["id"], "tally::bump", "{plan:#}");
    let who = world.answering(&[("tally.bump", BUMP_RIGHT)], "");
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
    assert!(!world.read("port/tidelock.lock").contains("declined\", reason"), "nothing is held any more");
    assert_eq!(world.tidelock(&["verify", "--contract"]).code(), 0);
    assert_eq!(world.tidelock(&["sync"]).code(), 3);
}

#[test]
fn a_declined_revision_is_recorded_as_declined() {
    let world = World::new();
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    let declined = newest(&world);
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    world.decides(&["decline", &declined, "--reason", "not for us", "--owner", "Ann"]);
    let ran = world.tidelock(&["sync", "--format", "json"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let record = ran.json();
    assert_eq!(record["revisions"][0]["disposition"], "declined", "{record:#}");
    assert_eq!(record["revisions"][0]["reason"], "not for us (Ann)");
    assert_eq!(record["revisions"][1]["disposition"], "landed");
    let port = world.read("port/tally/__init__.py");
    assert!(port.contains("min(n + 1, 255)") && port.contains("LIMIT = 12"), "{port}");
    assert_eq!(world.tidelock(&["verify"]).code(), 0);
    // Whoever wants it after all has only to say so.
    let told = world.refuses(&["decline", &declined, "--reason", "twice", "--owner", "Ann"]);
    assert!(told.contains("is declined already, by Ann: not for us"), "{told}");
    world.decides(&["decline", &declined, "--undo"]);
    let who = world.answering(&[("tally.bump", BUMP_RIGHT)], "");
    assert_eq!(world.tidelock(&["sync", "--translator", &who]).code(), 0);
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
}

#[test]
fn what_was_put_off_is_planned_again_when_its_day_has_come() {
    let world = moved();
    world.decides(&["defer", "tally::bump", "--until", "2999-01-01", "--reason", "later", "--owner", "Ann"]);
    assert_eq!(world.tidelock(&["sync"]).code(), 0);
    assert_eq!(world.tidelock(&["sync"]).code(), 3);
    // The day comes: what was written for later is of the past now.
    let config = world.read("port/tidelock.toml").replace("2999-01-01", "2026-01-01");
    world.write("port/tidelock.toml", &config);
    world.commit("port", "time goes by");
    let plan = world.tidelock(&["plan", "--format", "json"]);
    assert_eq!(plan.json()["units"][0]["id"], "tally::bump", "{plan}");
    assert!(plan.stderr().contains("(deferred `tally::bump`) ended on 2026-01-01"), "{plan}");
    let who = world.answering(&[("tally.bump", BUMP_RIGHT)], "");
    let ran = world.tidelock(&["sync", "--format", "json", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert_eq!(ran.json()["notices"][0]["code"], "expired-decision");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
}

#[test]
fn a_pinned_port_goes_no_further() {
    let world = World::new();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "limit");
    let pinned = newest(&world);
    world.upstream_changes("LIMIT: u32 = 11", "LIMIT: u32 = 12", "limit");
    let later = newest(&world);
    world.decides(&["pin", &pinned, "--reason", "our release", "--owner", "Ann"]);
    let ran = world.tidelock(&["sync", "--format", "json"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 11"));
    assert_eq!(ran.json()["notices"][0]["code"], "pinned", "{ran}");
    assert_eq!(world.tidelock(&["sync"]).code(), 3);
    assert_eq!(world.tidelock(&["plan"]).code(), 3);
    for command in ["sync", "plan"] {
        let refused = world.tidelock(&[command, "--to", &later]);
        assert_eq!(refused.code(), 2, "{refused}");
        assert!(refused.stderr().contains("the port is pinned at"), "{refused}");
    }
    world.decides(&["pin", &pinned, "--undo"]);
    assert_eq!(world.tidelock(&["sync"]).code(), 0);
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 12"));
}

#[test]
fn what_speaks_of_nothing_or_comes_too_late_is_refused_with_a_way_out() {
    let world = moved();
    let first = world.git("upstream", &["rev-parse", "HEAD~2"]).trim().to_owned();
    let why = ["--reason", "why", "--owner", "Ann"];
    for (arguments, told) in [
        (vec!["decline", "tally::bmup"], "speaks of no item"),
        (vec!["decline", "tally::tests::bump"], "speaks of no item"),
        (vec!["decline", "tally::{bump"], "is broken: a `{` is not closed"),
        (vec!["decline", "no-such-revision"], "no-such-revision"),
        (vec!["decline", &first], "the port was adopted at"),
        (vec!["pin", "tally::bump"], "tally::bump"),
        (vec!["defer", "tally::bump"], "needs the day"),
        (vec!["defer", "tally::bump", "--until", "soon"], "`soon` is no day"),
        (vec!["defer", "tally::bump", "--until", "2020-01-01"], "it would hold nothing"),
        (vec!["decline", "tally::bump", "--until", "2027-13-01"], "is no day"),
    ] {
        let arguments: Vec<&str> = arguments.into_iter().chain(why).collect();
        let said = world.refuses(&arguments);
        assert!(said.contains(told) && said.contains("hint:"), "{arguments:?}: {said}");
    }
    assert!(
        world
            .refuses(&["decline", "other::bump", "--reason", "x", "--owner", "A"])
            .contains("did you mean tally::bump")
    );
    assert!(world.refuses(&["decline", "tally::bump"]).contains("--reason"));
    assert!(world.refuses(&["decline", "tally::bump", "--undo"]).contains("nothing is declined"));
    // Whatever this machine's git is called, the port's has no name.
    world.git("port", &["config", "user.name", ""]);
    assert!(world.refuses(&["decline", "tally::bump", "--reason", "x"]).contains("--owner"));
    assert!(
        world
            .refuses(&["decline", "tally::bump", "--reason", " ", "--owner", "A"])
            .contains("`reason` is empty")
    );
    world.git("port", &["config", "user.name", "Bea"]);
    world.decides(&["decline", "tally::bump", "--reason", "x"]);
    assert!(world.read("port/tidelock.toml").contains("owner = \"Bea\""));
}

#[test]
fn broken_decisions_in_the_configuration_are_shown_where_they_stand() {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    let rule = "\n[[decision]]\ndisposition = \"deferred\"\nitems = \"tally::bump\"\nreason = \"x\"\nowner = \"A\"\n";
    for (more, told) in [
        ("", "what is deferred needs `until`"),
        ("until = \"tomorrow\"\n", "`tomorrow` is no day"),
        ("until = \"2999-01-01\"\nmood = 1\n", "unknown field `mood`"),
        ("until = \"2999-01-01\"\nrevision = \"1\"\n", "both given"),
    ] {
        world.write("port/tidelock.toml", &format!("{config}{rule}{more}"));
        let ran = world.tidelock(&["plan"]);
        assert_eq!(ran.code(), 2, "{ran}");
        assert!(ran.stderr().contains(told) && ran.stderr().contains("tidelock.toml:"), "{ran}");
    }
    let unknown =
        rule.replace("deferred", "pinned").replace("items = \"tally::bump\"", "revision = \"nowhere\"");
    world.write("port/tidelock.toml", &format!("{config}{unknown}"));
    let ran = world.tidelock(&["plan"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(
        ran.stderr().contains("(pinned `nowhere`) names a revision that the upstream does not have"),
        "{ran}"
    );
}

#[test]
fn a_decision_whose_item_is_gone_is_named_by_verify() {
    let world = moved();
    world.decides(&["decline", "tally::clamp", "--reason", "x", "--owner", "Ann"]);
    let config = world.read("port/tidelock.toml").replace("tally::clamp", "tally::clmap");
    world.write("port/tidelock.toml", &config);
    world.commit("port", "a slip of the pen");
    let verified = world.tidelock(&["verify"]);
    assert_eq!(verified.code(), 4, "{verified}");
    assert!(verified.stdout().contains("(declined `tally::clmap`) speaks of no item"), "{verified}");
}
