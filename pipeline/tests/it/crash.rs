//! kill -9 at any instant, then run again: it goes on, and ends as if nothing had happened.
//!
//! `cargo xtask measure crash` does the same to a larger sync, and oftener.

use upstream::process::{Ending, ProcessRunner, SystemProcessRunner};

use crate::disturbed::{DATABASE_DAMAGES, Disturbed, Facts, READ_ONLY, Random, Size, difference, scenario};
use crate::world::World;

#[test]
fn a_sync_that_is_killed_at_every_effect_ends_as_if_nothing_had_happened() {
    let template = scenario(Size::Small);
    let undisturbed = Disturbed::new(&template);
    undisturbed.finish();
    let mut killed = Disturbed::new(&template);
    let points = killed.killed_everywhere();
    killed.finish();
    assert_eq!(difference(&undisturbed.facts(), &killed.facts()), "");
    assert_eq!(killed.doubled(&undisturbed).1, 0, "an answer that is on the disk is never bought again");
    for effect in ["plan", "attempt", "gate", "commit", "advance", "finish"] {
        for at in ["before", "carried out", "stored"] {
            assert!(points.contains(&format!("{effect}: {at}")), "{effect}: {at} is not among {points:?}");
        }
    }
    for within in ["begin: stored", "attempt: the answer came", "advance: the branch moved"] {
        assert!(points.iter().any(|point| point == within), "{within} is not among {points:?}");
    }
}

#[test]
fn a_sync_that_is_killed_at_random_ends_as_if_nothing_had_happened() {
    let template = scenario(Size::Small);
    let undisturbed = Disturbed::new(&template);
    undisturbed.finish();
    let mut killed = Disturbed::new(&template);
    let kills = killed.killed_at_random(&mut Random(7));
    killed.finish();
    assert!(kills > 0, "it was killed at least once");
    assert_eq!(difference(&undisturbed.facts(), &killed.facts()), "", "killed {kills} times");
    assert_eq!(killed.doubled(&undisturbed).1, 0, "an answer that is on the disk is never bought again");
}

#[test]
fn a_lost_or_damaged_database_loses_history_and_nothing_else() {
    let template = scenario(Size::Small);
    let undisturbed = Disturbed::new(&template);
    undisturbed.finish();
    let expected = undisturbed.facts();
    for damage in DATABASE_DAMAGES {
        let mut world = Disturbed::new(&template);
        let said = world.damaged(damage).unwrap();
        assert!(said.contains(damage.says), "{}: {said}", damage.name);
        world.finish();
        let found = world.facts();
        let port = |facts: &Facts| (facts.tree.clone(), facts.log.clone(), facts.status.clone());
        assert_eq!(port(&expected), port(&found), "{}", damage.name);
    }
}

#[test]
fn a_database_that_may_not_be_written_stops_the_run_and_the_run_goes_on_when_it_may() {
    let template = scenario(Size::Small);
    let undisturbed = Disturbed::new(&template);
    undisturbed.finish();
    let expected = undisturbed.facts();
    for what in READ_ONLY {
        let mut world = Disturbed::new(&template);
        let said = world.refused_to_write(what).unwrap();
        assert!(said.contains(what.says), "{}: {said}", what.name);
        world.finish();
        assert_eq!(difference(&expected, &world.facts()), "", "{}", what.name);
        assert_eq!(
            world.doubled(&undisturbed),
            (0, 0),
            "{}: what is on the disk is not bought again",
            what.name
        );
    }
}

#[test]
fn a_state_folder_that_is_deleted_below_a_sync_costs_history_and_nothing_else() {
    let template = scenario(Size::Small);
    let undisturbed = Disturbed::new(&template);
    undisturbed.finish();
    let expected = undisturbed.facts();
    let lost = Disturbed::losing_its_state(&template);
    let ran = lost.run_once().unwrap();
    assert!(!lost.world.path("port/.tidelock/lease").exists(), "it was deleted: {ran}");
    lost.finish();
    let found = lost.facts();
    assert_eq!((&expected.tree, &expected.log, &expected.status), (&found.tree, &found.log, &found.status));

    // Deleted once more when all is done: the port alone says what it equals.
    std::fs::remove_dir_all(lost.world.path("port/.tidelock")).unwrap();
    assert_eq!(lost.world.tidelock(&["sync"]).code(), 3);
    assert_eq!(lost.world.tidelock(&["verify"]).code(), 0);
    assert_eq!(lost.world.git("port", &["rev-parse", "HEAD^{tree}"]), expected.tree);
}

#[test]
fn temporary_folders_of_a_killed_sync_are_gone_after_the_next_one() {
    let world = World::new();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "eleven");
    let temporary = world.path("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let left = |folder: &str| {
        let entries = std::fs::read_dir(world.path(folder)).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("tidelock-held-")).collect::<Vec<_>>()
    };
    let sync = |point: &str| {
        let sync = world.invocation("port", &["sync"]).env("TMPDIR", &temporary);
        let sync = sync.env("TIDELOCK_TEST_STOP_AT", point);
        SystemProcessRunner::default().run(&sync).unwrap()
    };
    let killed = sync("gate: carried out");
    assert_eq!(killed.ending, Ending::Signalled(9), "{}", killed.tail(9));
    assert!(!left("temporary").is_empty(), "what it worked in stays");
    // As a kill during a build leaves them.
    for folder in ["port/.tidelock", "port/.tidelock/cache"] {
        std::fs::create_dir_all(world.path(folder).join("tidelock-held-build-dead01/upstream")).unwrap();
    }
    let done = sync("nowhere");
    assert_eq!(done.ending, Ending::Exited(0), "{}", done.tail(9));
    for folder in ["temporary", "port/.tidelock", "port/.tidelock/cache"] {
        assert_eq!(left(folder), Vec::<String>::new(), "{folder}");
    }
}
