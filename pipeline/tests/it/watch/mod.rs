//! `tidelock watch`: looks on its schedule, lands what comes, and stops when it is told to.

mod collected;
mod offering;
mod pages;
mod refused;
mod running;
mod stopping;

use running::{Running, until};

use crate::world::{World, copy};

const BUMP: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";

/// Looks every second, and as soon again after a failure.
const OFTEN: &str = "\n[watch]\nevery-s = 1\nretry-s = 1\nretry-max-s = 2\n";

/// A world whose port looks often.
fn often() -> World {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    world.write("port/tidelock.toml", &format!("{config}{OFTEN}"));
    world.commit("port", "look often");
    world
}

/// Another port of another copy of the upstream.
fn with_another(world: &World) {
    copy(&world.path("upstream"), &world.path("upstream2"));
    copy(&world.path("port"), &world.path("port2"));
    std::fs::remove_dir_all(world.path("port2/.tidelock")).unwrap();
    for file in ["port2/tidelock.toml", "port2/tidelock.lock"] {
        let text = world.read(file).replace("../upstream", "../upstream2").replace("tally-py", "second");
        world.write(file, &text);
    }
    world.commit("port2", "a port of its own");
}

fn revisions_landed(world: &World, port: &str) -> usize {
    let format = "--format=%(trailers:key=Tidelock-Revision,valueonly)";
    world.git(port, &["log", format]).lines().filter(|line| !line.is_empty()).count()
}

fn change(world: &World, upstream: &str, from: &str, to: &str) {
    let file = format!("{upstream}/src/lib.rs");
    let text = world.read(&file);
    assert!(text.contains(from));
    world.write(&file, &text.replace(from, to));
    world.commit(upstream, to);
}

#[test]
fn two_ports_are_followed_and_an_upstream_that_goes_away_holds_up_no_other() {
    let world = often();
    with_another(&world);
    let who = world.answering(&[("tally.bump", BUMP)], "");
    let mut watching = Running::start(&world, "", &["--translator", &who, "port", "port2"]);
    let limit = |port: &str| world.read(&format!("{port}/tally/__init__.py"));
    watching.says("synced", &[("port", "tally-py"), ("outcome", "nothing_to_do")]);

    std::fs::rename(world.path("upstream2"), world.path("away")).unwrap();
    watching.says("cannot look at the upstream", &[("port", "second"), ("code", "upstream-gone")]);
    change(&world, "upstream", "LIMIT: u32 = 10", "LIMIT: u32 = 12");
    watching.says("synced", &[("port", "tally-py"), ("outcome", "done"), ("lag", "0")]);
    assert!(limit("port").contains("LIMIT = 12"));
    for _again in 0..2 {
        watching.says("failures in a row", &[("port", "second")]);
    }

    std::fs::rename(world.path("away"), world.path("upstream2")).unwrap();
    change(&world, "upstream2", "n.saturating_add(1)", "n.wrapping_add(1)");
    watching.says("synced", &[("port", "second"), ("outcome", "done"), ("lag", "0")]);
    assert!(limit("port2").contains("% 256"));

    watching.stop();
    assert_eq!((revisions_landed(&world, "port"), revisions_landed(&world, "port2")), (1, 1));
    assert_eq!(world.tidelock(&["sync"]).code(), 3, "the lease is free and nothing is left");
}

#[test]
fn a_look_that_finds_nothing_writes_nothing() {
    let world = often();
    let mut watching = Running::start(&world, "port", &[]);
    watching.says("synced", &[("outcome", "nothing_to_do")]);
    watching.says("looked", &[("work", "false")]);
    let state = || {
        let mut found = Vec::new();
        let mut folders = vec![world.path("port/.tidelock")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.path().is_dir() {
                    folders.push(entry.path());
                }
                found.push((entry.path(), entry.metadata().unwrap().modified().unwrap()));
            }
        }
        found.sort();
        found
    };
    let before = state();
    for _ in 0..3 {
        watching.says("looked", &[("work", "false")]);
    }
    assert_eq!(before, state());
    watching.stop();
    assert_eq!(watching.count("synced"), 1);
}

#[test]
fn what_the_upstream_does_to_its_past_is_told_by_kind_and_followed_only_when_accepted() {
    let world = often();
    let mut watching = Running::start(&world, "port", &[]);
    watching.says("synced", &[("outcome", "nothing_to_do")]);

    change(&world, "upstream", "LIMIT: u32 = 10", "LIMIT: u32 = 13");
    watching.says("synced", &[("outcome", "done")]);

    world.git("upstream", &["checkout", "-q", "--detach"]);
    world.git("upstream", &["branch", "-D", "main"]);
    watching.says("notice", &[("code", "branch-deleted")]);
    watching.says("looked", &[("work", "false")]);

    world.git("upstream", &["checkout", "-q", "-b", "main", "HEAD~1"]);
    change(&world, "upstream", "LIMIT: u32 = 10", "LIMIT: u32 = 14");
    let notice = watching.says("notice", &[("code", "branch-rewritten")]);
    assert!(notice["text"].as_str().unwrap().contains("tidelock sync --accept"), "{notice}");
    watching.says("looked", &[("work", "false")]);
    assert_eq!(revisions_landed(&world, "port"), 1, "it is not followed blindly");

    let has = world.git("upstream", &["rev-parse", "main"]);
    until("that the port is free", || world.tidelock(&["sync", "--accept", has.trim()]).code() == 0);
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 14"));
    change(&world, "upstream", "LIMIT: u32 = 14", "LIMIT: u32 = 15");
    watching.says("synced", &[("outcome", "done"), ("lag", "0")]);
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 15"));
    watching.stop();
}

#[test]
fn work_in_progress_in_the_port_is_left_alone_and_waited_for() {
    let world = often();
    let mut watching = Running::start(&world, "port", &[]);
    watching.says("synced", &[("outcome", "nothing_to_do")]);
    let text = world.read("port/tally/__init__.py");
    world.write("port/tally/__init__.py", &format!("{text}# mine\n"));
    change(&world, "upstream", "LIMIT: u32 = 10", "LIMIT: u32 = 11");
    watching.says("cannot sync", &[("code", "port-in-the-way")]);
    world.commit("port", "mine");
    watching.says("synced", &[("outcome", "done")]);
    let text = world.read("port/tally/__init__.py");
    assert!(text.contains("LIMIT = 11") && text.contains("# mine"), "{text}");
    watching.stop();
}
