//! What `contrib/` offers starts what is there: the commands are ones that the program takes, the image has the Rust
//! that this is built with. `.ci/contrib` has systemd and a linter read the files.

use std::path::Path;

use crate::world::World;

fn file(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(name)).unwrap()
}

/// The values of a key in a file of lines such as `Key=value`.
fn values(text: &str, key: &str) -> Vec<String> {
    let start = format!("{key}=");
    text.lines().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
}

/// The words of an instruction of a Containerfile that is written as JSON.
fn words(text: &str, instruction: &str) -> Vec<String> {
    let start = format!("{instruction} [");
    let line = text.lines().rfind(|line| line.starts_with(&start)).unwrap();
    serde_json::from_str(line.trim_start_matches(instruction)).unwrap()
}

/// Whether the program takes a command line: what is missing is the file that it names, not an option.
fn is_taken(arguments: &[&str]) {
    let world = World::bare();
    std::fs::create_dir(world.path("empty")).unwrap();
    let ran = world.tidelock_in("empty", arguments);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(!ran.stderr().contains("Usage:"), "{arguments:?}: {ran}");
    assert!(ran.stderr().contains("tidelock.toml") || ran.stderr().contains("daemon.toml"), "{ran}");
}

#[test]
fn the_units_start_commands_that_there_are() {
    for unit in ["tidelock.service", "tidelock-sync@.service"] {
        let text = file(&format!("contrib/{unit}"));
        let [started] = values(&text, "ExecStart").try_into().unwrap();
        let mut words = started.split(' ');
        assert_eq!(words.next(), Some("/usr/local/bin/tidelock"), "{unit}");
        is_taken(&words.collect::<Vec<_>>());
        for required in ["NoNewPrivileges", "ProtectSystem", "PrivateTmp", "UMask"] {
            assert_eq!(values(&text, required).len(), 1, "{unit}: {required}");
        }
    }
    // Those of `docs/cli.md` that no restart mends, and that are no failure.
    assert_eq!(values(&file("contrib/tidelock.service"), "RestartPreventExitStatus"), ["2"]);
    assert_eq!(values(&file("contrib/tidelock-sync@.service"), "SuccessExitStatus"), ["3"]);
}

#[test]
fn the_image_has_the_rust_that_this_is_built_with_and_starts_the_daemon() {
    let text = file("contrib/Containerfile");
    let toolchain: toml::Table = file("rust-toolchain.toml").parse().unwrap();
    let version = toolchain["toolchain"]["channel"].as_str().unwrap();
    let minor: Vec<&str> = version.split('.').take(2).collect();
    let bases: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(bases.len(), 2);
    for base in bases {
        assert!(base.contains(&format!("/rust:{}-", minor.join("."))), "{base} is not Rust {version}");
    }
    assert_eq!(words(&text, "ENTRYPOINT"), ["tidelock"]);
    let command = words(&text, "CMD");
    is_taken(&command.iter().map(String::as_str).collect::<Vec<_>>());
    let user = text.lines().rfind(|line| line.starts_with("USER ")).unwrap();
    assert!(!["USER 0", "USER root"].contains(&user), "foreign code is not to be started by root");
}
