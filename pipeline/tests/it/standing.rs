//! How a port stands: what is out of step is named, and a lag beyond what is allowed rings.

use crate::world::World;

#[test]
fn what_is_out_of_step_is_named_by_status() {
    let world = World::new();
    let port = world.read("port/tally/__init__.py");
    let edited = port.replace("    return len(text.encode())", "    return len(text.encode(\"utf-8\"))")
        + "\n\ndef mine() -> int:\n    return 1\n\n\ndef extra() -> int:\n    return 2\n";
    assert_ne!(port, edited);
    world.write("port/tally/__init__.py", &edited);
    let config =
        world.read("port/tidelock.toml") + "\n[[extension]]\nsymbol = \"tally.extra\"\nreason = \"ours\"\n";
    world.write("port/tidelock.toml", &config);
    world.commit("port", "a person's work");
    let decided =
        world.tidelock(&["decline", "tally::clamp", "--reason", "ours is better", "--owner", "Ann"]);
    assert_eq!(decided.code(), 0, "{decided}");
    let status = world.tidelock(&["status", "--format", "json"]).json();
    assert_eq!(status["edited"], serde_json::json!({ "tally.width": "tally::width" }), "{status:#}");
    assert_eq!(status["without_owner"], serde_json::json!(["tally.mine"]), "{status:#}");
    assert_eq!(status["extensions"], serde_json::json!(["tally.extra"]));
    assert_eq!(status["total"]["drifted"], 1);
    assert_eq!(status["decisions"][0]["about"], "tally::clamp");
    assert_eq!(status["decisions"][0]["expired"], false);
    let text = world.tidelock(&["status"]).stdout();
    for told in [
        "edited by hand: 1\n  tally.width",
        "symbols without an owner: 1\n  tally.mine",
        "declined `tally::clamp`",
    ] {
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn a_lag_beyond_what_the_configuration_allows_ends_with_its_own_code() {
    let world = World::new();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "limit");
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let config = world.read("port/tidelock.toml");
    let status = |lag: &str| {
        world.write("port/tidelock.toml", &format!("{config}\n[alert]\n{lag}\n"));
        world.tidelock(&["status", "--format", "json"])
    };
    let within = status("lag-revisions = 2\nlag-items = 2\nlag-days = 0");
    assert_eq!(within.code(), 0, "{within}");
    assert_eq!(within.json()["lag"], serde_json::json!({ "revisions": 2, "items": 2, "days": 0 }));
    for (lag, told) in
        [("lag-revisions = 1", "too many revisions"), ("lag-items = 1", "too many changed items")]
    {
        let beyond = status(lag);
        assert_eq!(beyond.code(), 7, "{beyond}");
        assert!(beyond.stderr().contains(told), "{beyond}");
    }
    let stricter = world.tidelock(&["status", "--lag-max", "0"]);
    assert_eq!(stricter.code(), 7, "{stricter}");
    let broken = status("lag-revisions = -1");
    assert_eq!(broken.code(), 2, "{broken}");
    assert!(broken.stderr().contains("tidelock.toml:"), "{broken}");
}
