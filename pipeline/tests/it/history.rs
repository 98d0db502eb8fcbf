//! `tidelock history`, on a repository without a `tidelock.toml`.

use crate::world::World;

#[test]
fn each_revision_is_a_row_for_people_and_an_object_a_line_for_programs() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    world.write("upstream/NOTES.md", "words\n");
    world.commit("upstream", "notes");
    let text = world.tidelock_in("upstream", &["history", "--items", "--no-cache"]);
    assert_eq!(text.code(), 0, "{text}");
    let shown = text.stdout();
    assert!(shown.contains("~ tally::bump  body"), "{shown}");
    assert!(shown.contains("NOTES.md  added"), "{shown}");
    assert!(shown.contains("api added"), "the first revision adds everything:\n{shown}");

    let lines = world.tidelock_in("upstream", &["history", "--no-cache", "--format", "jsonl", "--last", "2"]);
    let rows: Vec<serde_json::Value> =
        lines.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["class"], "no_behaviour_change");
    assert_eq!(rows[1]["items"][0]["path"], "tally::bump");
    assert_eq!(rows[1]["items"][0]["aspects"]["body"], true);

    let document = world.tidelock_in("upstream", &["history", "--no-cache", "--format", "json"]).json();
    assert_eq!(document.as_array().unwrap().len(), 3);
    assert_eq!(document[1], rows[1]);
}

#[test]
fn what_is_no_repository_or_no_revision_is_refused_with_what_to_do() {
    let world = World::new();
    let nowhere = world.tidelock(&["history", "--repo", "/nonexistent"]);
    assert_eq!(nowhere.code(), 2, "{nowhere}");
    assert!(nowhere.stderr().contains("--repo PATH"), "{nowhere}");
    let unknown = world.tidelock_in("upstream", &["history", "--from", "v9"]);
    assert_eq!(unknown.code(), 2, "{unknown}");
    assert!(unknown.stderr().contains("v9"), "{unknown}");
}
