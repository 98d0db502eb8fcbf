//! A plan of what differs is the plan of the whole.

use crate::world::World;

const LIMITS: &str = "/// The most.\npub const MOST: u32 = 7;\n\npub fn least() -> u32 {\n    hidden()\n}\n\nfn hidden() -> u32 {\n    1\n}\n";

/// An upstream of two packages, with a port of both.
fn pair() -> World {
    let world = World::new();
    let manifest = world.read("upstream/Cargo.toml") + "\n[workspace]\nmembers = [\"limits\"]\n";
    world.write("upstream/Cargo.toml", &manifest);
    world.write("upstream/limits/Cargo.toml", "[package]\nname = \"limits\"\nedition = \"2021\"\n");
    world.write("upstream/limits/src/lib.rs", LIMITS);
    world.commit("upstream", "a second package");
    let rules =
        "\n[[map]]\nitems = \"limits::**\"\nsymbol = \"limits.{name}\"\nfile = \"limits/__init__.py\"\n";
    world.write("port/limits/__init__.py", "MOST = 7\n\n\ndef least():\n    return 1\n");
    world.write("port/tidelock.toml", &(world.read("port/tidelock.toml") + rules));
    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    let newest = world.git("upstream", &["rev-parse", "HEAD"]);
    world.commit("port", "a port of both");
    let adopted = world.tidelock(&["init", "--adopt", newest.trim()]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    world.commit("port", "adopt");
    world
}

/// The plan with nothing kept from before, and the one that is made from what differs.
fn both(world: &World) -> [serde_json::Value; 2] {
    let standing = world.path("port/.tidelock/cache/standing");
    drop(std::fs::remove_dir_all(&standing));
    let plan = || world.tidelock(&["plan", "--format", "json"]).json();
    let whole = plan();
    assert_eq!(std::fs::read_dir(&standing).unwrap().count(), 1, "what stands open is kept");
    [whole, plan()]
}

#[test]
fn a_plan_of_what_differs_is_that_of_the_whole() {
    let world = pair();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let [whole, focused] = both(&world);
    assert_eq!(whole, focused);
    assert_eq!(whole["units"][0]["id"], "tally::bump", "{whole:#}");

    let hidden = LIMITS.replace("    1\n", "    2\n").replace("MOST: u32 = 7", "MOST: u32 = 8");
    world.write("upstream/limits/src/lib.rs", &hidden);
    world.commit("upstream", "the other package");
    let [whole, focused] = both(&world);
    assert_eq!(whole, focused);
    let ids: Vec<&str> =
        whole["units"].as_array().unwrap().iter().filter_map(|unit| unit["id"].as_str()).collect();
    assert!(ids.contains(&"limits::MOST") && ids.contains(&"limits::least"), "{ids:?}");

    // What waits in one package is planned again with a change of the other.
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 5, "what nobody translates is parked: {ran}");
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    let [whole, focused] = both(&world);
    assert_eq!(whole, focused);
    let ids: Vec<&str> =
        whole["units"].as_array().unwrap().iter().filter_map(|unit| unit["id"].as_str()).collect();
    assert!(ids.contains(&"limits::least") && ids.contains(&"tally::LIMIT"), "{ids:?}");
}

#[test]
fn what_is_kept_and_cannot_be_read_costs_time_and_nothing_else() {
    let world = pair();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let [whole, _] = both(&world);
    let cache = world.path("port/.tidelock/cache");
    for entry in std::fs::read_dir(cache.join("standing")).unwrap() {
        std::fs::write(entry.unwrap().path(), "{").unwrap();
    }
    for name in ["locks.sqlite", "outlines.sqlite", "symbols.sqlite"] {
        std::fs::write(cache.join(name), "no database").unwrap();
    }
    assert_eq!(world.tidelock(&["plan", "--format", "json"]).json(), whole);
}
