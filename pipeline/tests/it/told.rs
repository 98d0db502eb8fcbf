//! What people and translators are told: nothing that was not looked at passes for looked at.

use crate::world::World;

/// A crate of which nothing can be probed: no probe can make a function.
const CALLBACKS: &str =
    "//! Calls back.\n\n/// Calls it.\npub fn call(callback: fn(u8) -> u8) -> u8 {\n    callback(1)\n}\n";

#[test]
fn a_contract_that_compared_nothing_is_inconclusive_and_says_why() {
    let world = World::new();
    world.write(
        "callbacks/Cargo.toml",
        "[package]\nname = \"callbacks\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    world.write("callbacks/src/lib.rs", CALLBACKS);
    world.git("callbacks", &["init", "-q", "-b", "main"]);
    world.commit("callbacks", "first");
    world.write("another/callbacks.py", "def call(callback):\n    return callback(1)\n");
    world.write("another/.gitignore", "/.tidelock\n");
    world.git("another", &["init", "-q", "-b", "main"]);
    world.commit("another", "first");
    let ran = world.tidelock_in("another", &["init", "--git", "../callbacks", "--branch", "main"]);
    assert_eq!(ran.code(), 0, "{ran}");
    world.commit("another", "configure");
    let ran = world.tidelock_in("another", &["init", "--adopt", "main"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(ran.stderr().contains("not compared: 1 item: "), "{ran}");
    world.commit("another", "adopt");

    let ran = world.tidelock_in("another", &["verify", "--contract"]);
    assert_eq!(ran.code(), 6, "{ran}");
    assert!(ran.stdout().contains("inconclusive: nothing could be compared"), "{ran}");
    assert!(ran.stdout().contains("\n  callbacks::call: "), "{ran}");
    let told = world.tidelock_in("another", &["--format", "json", "verify", "--contract"]).json();
    assert_eq!(told["contract"]["verdict"], "inconclusive", "{told:#}");
    let item = &told["contract"]["not_probed"][0];
    assert_eq!(item["symbol"], "callbacks.call", "{told:#}");
    assert!(item["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{told:#}");
}

#[test]
fn init_writes_what_is_followed_and_refuses_what_does_not_go_together() {
    let world = World::new();
    world.write("new/x", "");
    let ran =
        world.tidelock_in("new", &["init", "--git", "https://forge.example/a/my-lib.git", "--tags", "v*"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let config = world.read("new/tidelock.toml");
    assert!(config.contains("git = \"https://forge.example/a/my-lib.git\"\ntags = \"v*\"\n"), "{config}");
    assert!(config.contains("package = \"my_lib\""), "{config}");
    for wrong in [
        ["init", "--registry", "x", "--tags", "v*"].as_slice(),
        &["init", "--git", "x", "--tags", "v*", "--branch", "main"],
    ] {
        assert_eq!(world.tidelock_in("new", wrong).code(), 2);
    }
}

#[test]
fn a_translator_is_shown_what_changed_behind_an_unchanged_item() {
    let world = World::new();
    world.upstream_changes(
        "    n.saturating_add(1)\n}\n",
        "    step(n)\n}\n\nfn step(n: u8) -> u8 {\n    n.saturating_add(1)\n}\n",
        "a helper",
    );
    assert_eq!(world.tidelock(&["sync"]).code(), 0);
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "the helper wraps");
    let spoil = format!("open({:?}, 'w').write(prompt)", world.path("prompt.txt"));
    let right = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again behind the top.\"\"\"\n    return (n + 1) % 256";
    let who = world.answering(&[("tally.bump", right)], &spoil);
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    let prompt = world.read("prompt.txt");
    let (_, behind) =
        prompt.split_once("## Rust behind it, with no symbol in the port: tally::step").unwrap();
    let (behind, _) = behind.split_once("## Port:").unwrap();
    assert!(behind.contains("n.saturating_add(1)") && behind.contains("n.wrapping_add(1)"), "{behind}");
}

#[test]
fn what_cargo_would_read_above_the_port_disturbs_no_build() {
    let world = World::new();
    world.write(".cargo/config.toml", "this is no configuration");
    world.write("Cargo.toml", "this is no manifest");
    let ran = world.tidelock(&["verify", "--contract"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(ran.stdout().contains("contract: pass"), "{ran}");
}
