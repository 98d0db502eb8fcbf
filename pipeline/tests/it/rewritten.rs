//! An upstream that throws away what was synced: accepted once, it is a note from then on, on every machine.

use crate::world::World;

/// The upstream with a change that was synced and is then replaced by another; gives the new commit.
fn rewritten() -> (World, String) {
    let world = World::new();
    let first = world.git("upstream", &["rev-parse", "HEAD"]);
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "eleven");
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    world.git("upstream", &["reset", "-q", "--hard", first.trim()]);
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "twelve");
    // What nothing leads to any more is gone for whoever did not have it.
    world.git("upstream", &["reflog", "expire", "--expire=now", "--all"]);
    world.git("upstream", &["gc", "-q", "--prune=now"]);
    let commit = world.git("upstream", &["rev-parse", "HEAD"]).trim().to_owned();
    (world, commit)
}

/// What `verify` finds wrong, and what it notes.
fn verified(world: &World) -> (i32, Vec<String>, Vec<String>) {
    let ran = world.tidelock(&["--format", "json", "verify"]);
    let told = ran.json();
    let list = |name: &str| {
        told[name].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    (ran.code(), list("wrong"), list("notes"))
}

fn is_noted(notes: &[String]) -> bool {
    notes.iter().any(|note| note.contains("is in the upstream's history no more, which was rewritten"))
}

#[test]
fn a_rewrite_that_was_accepted_is_a_note_and_no_disagreement() {
    let (world, commit) = rewritten();
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 3, "it is not followed by itself: {ran}");
    let (code, wrong, notes) = verified(&world);
    assert_eq!(
        (code, wrong.len(), is_noted(&notes)),
        (0, 0, false),
        "the port equals what it equals: {wrong:?}"
    );

    // Accepted and not yet followed: the baseline itself is in no history.
    let ran = world.tidelock(&["sync", "--dry-run", "--accept", &commit]);
    assert_eq!(ran.code(), 0, "{ran}");
    let (code, wrong, notes) = verified(&world);
    assert!(code == 0 && wrong.is_empty() && is_noted(&notes), "{code} {wrong:?} {notes:?}");

    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 12"), "{ran}");
    let (code, wrong, notes) = verified(&world);
    assert!(code == 0 && wrong.is_empty() && is_noted(&notes), "{code} {wrong:?} {notes:?}");

    // Where nobody ever saw the commit that was thrown away.
    std::fs::remove_dir_all(world.path("port/.tidelock")).unwrap();
    let (code, wrong, notes) = verified(&world);
    assert!(code == 0 && wrong.is_empty() && is_noted(&notes), "{code} {wrong:?} {notes:?}");
    assert_eq!(world.tidelock(&["sync"]).code(), 3, "nothing is left to do");
    let verified = world.tidelock(&["verify", "--contract"]);
    assert_eq!(verified.code(), 0, "{verified}");
}

#[test]
fn a_link_that_says_what_the_rewritten_history_does_not_is_wrong_all_the_same() {
    let (world, commit) = rewritten();
    assert_eq!(world.tidelock(&["sync", "--accept", &commit]).code(), 0);
    // The link of the constant is told to equal what was thrown away.
    let lock = world.read("port/tidelock.lock");
    let link = lock.lines().find(|line| line.contains("tally::LIMIT")).unwrap();
    let old = world.git("port", &["show", "HEAD~1:tidelock.lock"]);
    let old = old.lines().find(|line| line.contains("tally::LIMIT")).unwrap();
    assert_ne!(link, old, "the lock has one line for each link");
    world.write("port/tidelock.lock", &lock.replace(link, old));
    world.commit("port", "another link");
    let (code, wrong, _) = verified(&world);
    assert_eq!(code, 4);
    assert!(wrong.iter().any(|wrong| wrong.contains("tally::LIMIT")), "{wrong:?}");
    std::fs::remove_dir_all(world.path("port/.tidelock")).unwrap();
    let (code, wrong, _) = verified(&world);
    assert_eq!(code, 4);
    assert!(wrong.iter().any(|wrong| wrong.contains("tally::LIMIT")), "{wrong:?}");
}
