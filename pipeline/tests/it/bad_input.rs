//! Everything that can be wrong around the program: each case says what is wrong and what to do.

use upstream::process::{ProcessRunner, SystemProcessRunner};

use crate::world::{Ran, World, contents};

/// Asserts how the program failed: its exit code, and words that its message must hold.
fn fails(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code(), code, "{ran}");
    let message = ran.stderr();
    for word in words {
        assert!(message.contains(word), "the message lacks `{word}`:\n{message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn there_is_no_configuration() {
    let world = World::new();
    world.write("elsewhere/x", "");
    fails(&world.tidelock_in("elsewhere", &["sync"]), 2, &["tidelock.toml", "tidelock init"]);
}

#[test]
fn the_port_is_no_git_repository() {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    world.write("bare/tidelock.toml", &config);
    world.write("bare/tests/test_tally.py", "");
    fails(&world.tidelock_in("bare", &["sync"]), 2, &["no git repository", "git init"]);
}

#[test]
fn the_upstream_is_no_git_repository() {
    let world = World::new();
    world.write("nothing/x", "");
    let config = world.read("port/tidelock.toml").replace("../upstream", "../nothing");
    world.write("port/tidelock.toml", &config);
    world.git("port", &["rm", "-q", "tidelock.lock"]);
    world.commit("port", "another upstream");
    fails(&world.tidelock(&["init", "--adopt", "main"]), 1, &["nothing", "not a git repository"]);
}

#[test]
fn the_revision_is_unknown() {
    let world = World::new();
    fails(&world.tidelock(&["sync", "--to", "v99"]), 2, &["v99"]);
}

#[test]
fn the_configuration_has_an_unknown_key() {
    let world = World::new();
    let config = world.read("port/tidelock.toml").replace("[gate]", "[gait]");
    world.write("port/tidelock.toml", &config);
    fails(&world.tidelock(&["sync"]), 2, &["tidelock.toml:", "gait", "gate"]);
}

#[test]
fn the_working_tree_is_dirty_and_stays_as_it_is() {
    let world = World::new();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "limit");
    world.write("port/tally/__init__.py", "# in the middle of something\n");
    let before = contents(&world.path("port"));
    fails(&world.tidelock(&["sync"]), 2, &["tally/__init__.py", "commit"]);
    assert_eq!(before, contents(&world.path("port")));
}

#[test]
fn the_lock_is_missing() {
    let world = World::new();
    world.git("port", &["rm", "-q", "tidelock.lock"]);
    world.commit("port", "no lock");
    fails(&world.tidelock(&["sync"]), 2, &["tidelock.lock", "--adopt"]);
}

#[test]
fn the_lock_was_edited_by_hand() {
    let world = World::new();
    let lock = world.read("port/tidelock.lock");
    let at = lock.find("upstream = \"").unwrap() + "upstream = \"".len();
    let mut edited = lock.clone();
    edited.replace_range(at..at + 4, "beef");
    world.write("port/tidelock.lock", &edited);
    world.commit("port", "edit the lock");
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "limit");
    fails(&world.tidelock(&["sync"]), 4, &["tidelock.lock"]);
    fails(&world.tidelock(&["verify"]), 4, &[]);
}

#[test]
fn the_lock_is_from_a_newer_version_or_holds_conflict_marks() {
    let world = World::new();
    let lock = world.read("port/tidelock.lock");
    let newer = lock.replacen("version = 3", "version = 99", 1);
    assert_ne!(newer, lock);
    world.write("port/tidelock.lock", &newer);
    world.commit("port", "newer");
    fails(&world.tidelock(&["sync"]), 2, &["99"]);
    world.write("port/tidelock.lock", &format!("<<<<<<< ours\n{lock}=======\n>>>>>>> theirs\n"));
    world.commit("port", "conflict");
    fails(&world.tidelock(&["sync"]), 2, &["conflict"]);
}

#[test]
fn the_port_does_not_parse() {
    let world = World::new();
    world.write("port/tally/__init__.py", "def bump(n:\n");
    world.commit("port", "broken");
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "limit");
    fails(&world.tidelock(&["sync"]), 2, &["tally/__init__.py", "line 1"]);
}

#[test]
fn the_upstream_does_not_parse_and_the_run_says_so() {
    let world = World::new();
    world.upstream_changes("pub fn bump(n: u8)", "pub fn bump(n: u8", "broken");
    let ran = world.tidelock(&["plan", "--format", "json"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(ran.stdout().contains("src/lib.rs"), "the file is named: {ran}");
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 6, "an upstream that does not build proves nothing: {ran}");
    assert!(world.read("port/tally/__init__.py").contains("min(n + 1, 255)"));
}

#[test]
fn python_is_not_there() {
    let world = World::new();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "limit");
    world.write("empty/x", "");
    let mut invocation = world.invocation("port", &["sync"]);
    invocation.environment.insert("PATH".into(), world.path("empty").into());
    let ran = Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() };
    fails(&ran, 1, &["python3", "3.10"]);
}

#[test]
fn the_crate_does_not_exist_or_there_is_no_network() {
    let world = World::new();
    // A registry on a port of this machine that nobody listens on.
    let cargo_home = world.path("cargo");
    world.write(
        "cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\nregistry = \"sparse+http://127.0.0.1:9/\"\n",
    );
    world.write("fresh/x", "");
    world.git("fresh", &["init", "-q", "-b", "main"]);
    world.commit("fresh", "first");
    let mut invocation = world.invocation("fresh", &["init", "--registry", "tally", "--adopt", "0.1.0"]);
    invocation.environment.insert("CARGO_HOME".into(), cargo_home.into());
    let ran = Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() };
    fails(&ran, 1, &["tally"]);
}

#[test]
fn two_runs_at_once_are_refused_not_mixed() {
    let world = World::new();
    world.write("port/.tidelock/lease", "");
    let lease = std::fs::File::options().append(true).open(world.path("port/.tidelock/lease")).unwrap();
    lease.lock().unwrap();
    fails(&world.tidelock(&["sync"]), 1, &["another `tidelock`"]);
}
