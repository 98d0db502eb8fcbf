//! What both sides are built and run with: the port's packages, and the upstream's toolchain and features.

use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};

use crate::world::World;

/// Writes a wheel of a package that says how large an amount may be.
const WHEEL_SCRIPT: &str = r#"
import zipfile
with zipfile.ZipFile("wheels/tidelockling-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("tidelockling.py", "LIMIT = 10\n")
    info = "tidelockling-1.0.dist-info"
    wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tidelockling\nVersion: 1.0\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/RECORD", "")
"#;

/// A port that takes its limit from a package, and tests that need it too.
fn with_package() -> World {
    let world = World::new();
    std::fs::create_dir(world.path("port/wheels")).unwrap();
    let script = Invocation::new("python3", world.path("port")).args(["-c", WHEEL_SCRIPT]);
    assert!(SystemProcessRunner::default().run(&script).unwrap().succeeded());
    let port = world.read("port/tally/__init__.py");
    world.write("port/tally/__init__.py", &port.replace("LIMIT = 10", "from tidelockling import LIMIT"));
    let tests = world.read("port/tests/test_tally.py");
    world.write("port/tests/test_tally.py", &format!("import tidelockling\n{tests}"));
    wants(&world, "tidelockling");
    world
}

fn wants(world: &World, requirement: &str) {
    let text = format!("--no-index\n--find-links wheels\n{requirement}\n");
    world.write("port/requirements.txt", &text);
}

/// What `doctor` found of one thing.
fn found(world: &World, arguments: &[&str], what: &str) -> serde_json::Value {
    let ran = world.tidelock(&[&["doctor", "--format", "json"], arguments].concat());
    let all = ran.json();
    all.as_array().unwrap().iter().find(|finding| finding["what"] == what).cloned().unwrap()
}

#[test]
fn what_the_port_asks_for_is_installed_for_the_contract_and_for_its_tests() {
    let world = with_package();
    let before = found(&world, &[], "port's code");
    assert!(before["found"].as_str().unwrap().contains("1 requirement (requirements.txt"), "{before}");
    assert!(!world.path("port/.tidelock/cache/environments").exists(), "a look makes nothing");

    let config = world.read("port/tidelock.toml");
    world.write("port/tidelock.toml", &format!("{config}\n[port.environment]\nprovision = false\n"));
    let without = world.tidelock(&["contract", "check", "clamp"]);
    assert_eq!(without.code(), 4, "{without}");
    assert!(without.stdout().contains("No module named 'tidelockling'"), "{without}");
    world.write("port/tidelock.toml", &config);

    let with = world.tidelock(&["contract", "check", "clamp"]);
    assert_eq!(with.code(), 0, "{with}");
    assert!(with.stderr().contains("installing what requirements.txt asks for"), "{with}");
    let after = found(&world, &[], "port's code");
    assert!(after["found"].as_str().unwrap().contains("with tidelockling 1.0, by "), "{after}");
    let gate = world.tidelock(&["gate", "--format", "json"]).json();
    let tests = gate["gates"].as_array().unwrap().iter().find(|gate| gate["gate"] == "tests").unwrap();
    assert_eq!(tests["verdict"], "pass", "{gate:#}");
}

#[test]
fn what_cannot_be_installed_blocks_with_its_reason() {
    let world = with_package();
    wants(&world, "tidelockling==9");
    let blocked = world.tidelock(&["contract", "check", "clamp"]);
    assert_eq!(blocked.code(), 6, "{blocked}");
    for told in ["blocked: the port's environment cannot be had", "tidelockling==9", "hint: "] {
        assert!(blocked.stderr().contains(told), "`{told}`: {blocked}");
    }
    let provision = found(&world, &["--provision"], "port's code");
    assert_eq!(provision["fine"], false, "{provision}");
    wants(&world, "-e ../elsewhere");
    let refused = world.tidelock(&["gate"]);
    assert_eq!(refused.code(), 6, "{refused}");
    assert!(refused.stderr().contains("is built from sources"), "{refused}");
    let config = world.read("port/tidelock.toml");
    world.write(
        "port/tidelock.toml",
        &format!("{config}\n[port.environment]\ninterpreter = \"no-such-python\"\n"),
    );
    let missing = world.tidelock(&["contract", "check", "clamp"]);
    assert!(missing.stderr().contains("no-such-python"), "{missing}");
    assert_ne!(missing.code(), 0);
}

#[test]
fn the_upstream_is_built_with_what_it_and_the_configuration_name() {
    let world = World::new();
    world.write("upstream/rust-toolchain.toml", "[toolchain]\nchannel = \"1.2.3\"\n");
    world.upstream_changes("n.saturating_add(1)", "if n == 255 { n } else { n + 1 }", "the same");
    let blocked = world.tidelock(&["sync"]);
    assert_eq!(blocked.code(), 6, "{blocked}");
    let told = "rustup toolchain install 1.2.3 --profile minimal";
    assert!(blocked.stderr().contains(told) || blocked.stdout().contains(told), "{blocked}");

    let config = world.read("port/tidelock.toml");
    let build =
        |text: &str| world.write("port/tidelock.toml", &format!("{config}\n[upstream.build]\n{text}\n"));
    build("features = [\"nope\"]");
    let unknown = world.tidelock(&["contract", "check", "bump"]);
    assert_eq!(unknown.code(), 6, "{unknown}");
    assert!(unknown.stdout().contains("no package of the upstream has the feature `nope`"), "{unknown}");
    build("toolchain = \"../rust\"");
    let wrong = world.tidelock(&["contract", "check", "bump"]);
    assert_eq!(wrong.code(), 2, "{wrong}");
    assert!(wrong.stderr().contains("tidelock.toml:"), "{wrong}");
    build("toolchain = \"host\"");
    world.commit("port", "with the Rust that is here");
    let landed = world.tidelock(&["sync"]);
    assert_eq!(landed.code(), 0, "{landed}");
    let seen = found(&world, &[], "upstream");
    assert!(seen["found"].as_str().unwrap().contains("the default Rust here, no Cargo.lock"), "{seen}");
}
