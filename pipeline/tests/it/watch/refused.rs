//! What is wrong from the start ends it, with what to write.

use crate::world::World;

#[test]
fn a_schedule_that_is_none_is_refused_with_what_to_write() {
    let world = World::new();
    let ran = world.tidelock(&["watch", "--schedule", "now and then"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("*/15 * * * *"), "{ran}");
}

#[test]
fn a_configuration_that_is_wrong_from_the_start_ends_it() {
    let world = World::new();
    world.write("port/tidelock.toml", "version = 1\n[upstream]\ngti = \"../upstream\"\n");
    let ran = world.tidelock(&["watch"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("gti"), "{ran}");
}

#[test]
fn ports_and_files_that_cannot_be_are_refused_with_what_to_do() {
    let world = World::new();
    let check = |arguments: &[&str], words: &[&str]| {
        let ran = world.tidelock_in("", &[&["watch"], arguments].concat());
        assert_eq!(ran.code(), 2, "{arguments:?}: {ran}");
        for word in words {
            assert!(ran.stderr().contains(word), "{arguments:?}, {word}: {ran}");
        }
    };
    check(&["port", "./port"], &["is named twice"]);
    crate::world::copy(&world.path("port"), &world.path("port2"));
    check(&["port", "port2"], &["both called `tally-py`", "another `name`"]);
    check(&["nowhere"], &["there is no folder", "tidelock init"]);
    check(&["--jobs", "0", "port"], &["from 1 to 64"]);
    check(&["--config", "absent.toml"], &["absent.toml"]);
    world.write("daemon.toml", "version = 1\n[[prot]]\nfolder = 'port'\n");
    check(&["--config", "daemon.toml"], &["daemon.toml:2:3", "prot", "docs/daemon.md"]);
    check(&["--config", "daemon.toml", "port"], &["cannot be used with"]);
}

#[test]
fn one_state_folder_for_two_ports_is_refused() {
    let world = World::new();
    let invocation =
        world.invocation("", &["watch", "port", "port2"]).env("TIDELOCK_STATE", world.path("state"));
    let ran = super::super::world::Ran {
        finished: upstream::process::ProcessRunner::run(
            &upstream::process::SystemProcessRunner::default(),
            &invocation,
        )
        .unwrap(),
    };
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("each port needs its own"), "{ran}");
}
