//! A port from nothing: by rule alone, then with a translator, stopped and continued, and begun with broken input.

use upstream::process::{Ending, Invocation, Limits, ProcessRunner, SystemProcessRunner};

use crate::world::{Ran, World};

const LIB: &str = r#"//! Small "sums" \ and more.

mod inner;
pub mod outer;
pub use inner::double;

/// The largest amount.
pub const LIMIT: u32 = 10;

/// Adds one, and stops at the top.
pub fn bump(n: u8) -> u8 {
    n.saturating_add(1)
}

fn halved(n: u32) -> u32 {
    n / 2
}

/// Half of it.
pub fn half(n: u32) -> u32 {
    halved(n)
}

/// Needs 128 bits on its way.
pub fn wide(n: u64) -> u64 {
    ((u128::from(n) * 3) % 1000) as u64
}

/// Uses what needs them.
pub fn wider(n: u64) -> u64 {
    wide(n) + 1
}

/// Calls a C library, which the port does not.
pub mod ffi {
    pub fn raw(n: u32) -> u32 {
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bump_counts() {
        assert_eq!(3, bump(2));
    }

    #[test]
    fn wide_is_cut() {
        assert_eq!(6, wide(2));
    }
}
"#;

const WIDE: &str =
    "def wide(n: int) -> int:\n    \"\"\"Triple it, and keep the last digits.\"\"\"\n    return n * 3 % 1000";

/// An upstream alone, at its only revision.
fn upstream() -> World {
    let world = World::bare();
    world.write(
        "upstream/Cargo.toml",
        "[package]\nname = \"tally\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    world.write("upstream/src/lib.rs", LIB);
    world.write(
        "upstream/src/inner.rs",
        "/// Twice.\npub fn double(n: u32) -> u32 {\n    n.saturating_mul(2)\n}\n",
    );
    world.write("upstream/src/outer.rs", "pub mod deep;\n\npub fn top(n: u8) -> u8 {\n    n / 3\n}\n");
    world.write("upstream/src/outer/deep.rs", "pub fn down(n: u8) -> u8 {\n    n / 5\n}\n");
    world.write(
        "upstream/tests/whole.rs",
        "#[test]\nfn doubles() {\n    assert_eq!(4, tally::double(2));\n}\n",
    );
    world.git("upstream", &["init", "-q", "-b", "main"]);
    world.commit("upstream", "first");
    world
}

const BEGIN: [&str; 7] = [
    "bootstrap",
    "--upstream",
    "upstream",
    "--into",
    "port",
    "--ignore",
    "tally::ffi::**=there is no C in Python",
];

/// The same without tests, for a machine without pytest.
fn begun(world: &World, more: &[&str]) -> Ran {
    let arguments: Vec<&str> = BEGIN
        .into_iter()
        .chain(["--without-tests", "--format", "json"])
        .chain(more.iter().copied())
        .collect();
    world.tidelock_in(".", &arguments)
}

/// A Python with pytest, from the package index.
fn python_with_pytest(world: &World) -> String {
    let run = |program: &str, arguments: &[&str]| {
        let invocation = Invocation::new(program, world.root.path())
            .args(arguments.iter().copied())
            .inherit(&["HOME", "PIP_INDEX_URL", "SSL_CERT_FILE"])
            .limits(Limits { timeout_ms: 300_000, ..Limits::default() });
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        assert!(finished.succeeded(), "{program} {arguments:?}: {}", finished.tail(20));
    };
    // What stands in the temporary folder cannot be seen by what is confined.
    let folder = format!("{}/bootstrap-venv", env!("CARGO_TARGET_TMPDIR"));
    run("python3", &["-m", "venv", &folder]);
    let bin = format!("{folder}/bin");
    run(&format!("{bin}/pip"), &["install", "--quiet", "pytest"]);
    bin
}

fn with_path(world: &World, first: &str, arguments: &[&str]) -> Ran {
    let path = upstream::process::inherited("PATH").unwrap();
    let invocation = world.invocation(".", arguments).env("PATH", format!("{first}:{}", path.display()));
    Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() }
}

fn python(world: &World, code: &str) -> String {
    let invocation = Invocation::new("python3", world.path("port")).args(["-c", code]);
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "{code}: {}", finished.tail(10));
    String::from_utf8(finished.stdout).unwrap().trim().to_owned()
}

#[test]
fn rules_alone_port_what_they_understand_and_a_translator_finishes_it() {
    let world = upstream();
    let ran = begun(&world, &[]);
    assert_eq!(ran.code(), 5, "{ran}");
    let told = ran.json();
    assert_eq!(told["items"]["missing"], 2, "`wide`, and what uses it: {told:#}");
    assert_eq!(told["left_out"], 2, "the module and what is in it: {told:#}");
    assert_eq!(told["cost"]["model_answers"], 0, "{told:#}");
    assert!(told["public"]["proved"].as_u64().unwrap() >= 5, "{told:#}");
    let missing = told["missing"].to_string();
    assert!(missing.contains("128") && missing.contains("tally::wider"), "{missing}");
    // What stands in a module is found where the crate hands it on, and a module with others below it is a package.
    assert_eq!(
        python(&world, "import tally; print(tally.double(2), tally.half(9), 'double' in dir(tally))"),
        "4 4 True"
    );
    assert_eq!(
        python(&world, "import tally.outer, tally.outer.deep as d; print(tally.outer.top(9), d.down(9))"),
        "3 1"
    );
    assert!(world.path("port/tally/outer/__init__.py").is_file());
    assert!(
        !world.read("port/tidelock.lock").contains("ffi"),
        "it is left out, and said so in the configuration"
    );
    assert_eq!(world.tidelock(&["verify", "--contract"]).code(), 0);
    let log = world.git("port", &["log", "--format=%s"]);
    assert!(log.starts_with("Port a part of") && log.contains("Begin a port of tally"), "{log}");

    let head = world.git("port", &["rev-parse", "HEAD"]);
    let again = world.tidelock(&["bootstrap", "--format", "json"]);
    assert_eq!(again.code(), 5, "nothing is asked twice: {again}");
    assert_eq!(world.git("port", &["rev-parse", "HEAD"]), head);

    let who = world.answering(&[("tally.wide", WIDE)], "");
    let finished = world.tidelock(&["bootstrap", "--translator", &who, "--format", "json"]);
    assert_eq!(finished.code(), 0, "{finished}");
    let told = finished.json();
    assert_eq!((&told["items"]["missing"], &told["translated"]["model"]), (&0.into(), &1.into()), "{told:#}");
    assert_eq!(python(&world, "import tally; print(tally.wider(400))"), "201");
    assert_eq!(world.tidelock(&["verify", "--contract"]).code(), 0);
    assert_eq!(world.tidelock(&["bootstrap"]).code(), 3, "nothing waits");
    // From here on it is a port like any other. How fast it is on a busy machine is nothing to this test.
    let config = world.read("port/tidelock.toml");
    world.write("port/tidelock.toml", &(config + "\n[gate.timing]\nenabled = false\n"));
    world.commit("port", "times nothing");
    world.upstream_changes("n.saturating_add(1)", "n.saturating_add(2)", "bump by two");
    let synced = world.tidelock(&["sync"]);
    assert_eq!(synced.code(), 0, "{synced}");
    assert_eq!(python(&world, "import tally; print(tally.bump(1))"), "3");
}

#[test]
fn the_upstreams_tests_are_translated_and_paired_and_run() {
    let world = upstream();
    let bin = python_with_pytest(&world);
    let arguments: Vec<&str> = BEGIN.into_iter().chain(["--format", "json", "--merge-below", "5"]).collect();
    let who = world.answering(&[("tally.wide", WIDE)], "");
    let ran = with_path(&world, &bin, &[&arguments[..], &["--translator", &who]].concat());
    assert_eq!(ran.code(), 0, "{ran}");
    let told = ran.json();
    assert_eq!((&told["tests"]["of"], &told["tests"]["tested"]), (&3.into(), &3.into()), "{told:#}");
    let lock = world.read("port/tidelock.lock");
    for pair in ["tests.test_tally.test_bump_counts", "tests.test_whole.test_doubles"] {
        assert!(lock.contains(pair), "{pair} is paired with its original: {lock}");
    }
    // `inner` is four lines long and stands in the module above it.
    assert!(
        !world.path("port/tally/inner.py").exists()
            && world.read("port/tally/__init__.py").contains("def double")
    );
    assert!(world.read("port/tidelock.toml").contains("merge = {"), "{ran}");
}

#[test]
fn a_bootstrap_that_is_killed_goes_on_and_buys_nothing_twice() {
    let world = upstream();
    let who = world.answering(
        &[("tally.wide", WIDE)],
        &format!("open({:?}, 'a').write('asked\\n')", world.path("asked").display().to_string()),
    );
    let more = ["--translator", who.as_str()];
    for point in [
        "attempt: the answer is recorded",
        "gate: carried out",
        "advance: the branch moved",
        "finish: stored",
    ] {
        let arguments: Vec<&str> = BEGIN.into_iter().chain(["--without-tests"]).chain(more).collect();
        let first = !world.path("port").exists();
        let given = if first { arguments } else { vec!["-C", "port", "bootstrap", more[0], more[1]] };
        let invocation = world.invocation(".", &given).env("TIDELOCK_TEST_STOP_AT", point);
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        assert!(matches!(finished.ending, Ending::Signalled(9)), "{point}: {}", finished.tail(20));
    }
    let ran = world.tidelock(&["bootstrap", more[0], more[1], "--format", "json"]);
    // Each went on where the one before was killed, so that little or nothing is left.
    assert!([0, 3].contains(&ran.code()), "{ran}");
    assert_eq!(world.read("asked"), "asked\n", "it was asked once");
    assert_eq!(ran.json()["items"]["missing"], 0);
    assert_eq!(world.tidelock(&["verify"]).code(), 0);
    assert_eq!(world.git("port", &["status", "--porcelain"]), "");
}

#[test]
fn a_wrong_translation_waits_and_what_uses_it_is_not_asked_for() {
    let world = upstream();
    let wrong = WIDE.replace("* 3", "* 4");
    let who = world.answering(
        &[("tally.wide", &wrong)],
        &format!(
            "open({:?}, 'a').write(prompt.count('sym=tally.wider') and 'wider\\n' or '')",
            world.path("asked").display().to_string()
        ),
    );
    let ran = begun(&world, &["--translator", &who]);
    assert_eq!(ran.code(), 5, "{ran}");
    assert_eq!(ran.json()["items"]["missing"], 2, "{ran}");
    assert_eq!(world.read("asked"), "", "no money is spent on what cannot work");
    assert!(!world.read("port/tally/__init__.py").contains("def wide"), "nothing wrong lands");
    let right = world.answering(&[("tally.wide", WIDE)], "");
    let ran = world.tidelock(&["bootstrap", "--retry", "--translator", &right]);
    assert_eq!(ran.code(), 0, "{ran}");
}

/// A command line that is refused, and leaves nothing behind that would be in the way of the next one.
fn refused(world: &World, arguments: &[&str], code: i32, says: &str) {
    let ran = world.tidelock_in(".", arguments);
    assert_eq!(ran.code(), code, "{arguments:?}: {ran}");
    assert!(ran.stderr().contains(says), "it should say `{says}`: {ran}");
    assert!(ran.stderr().contains("hint"), "it should say what to do: {ran}");
}

#[test]
fn what_cannot_be_begun_is_refused_with_what_to_do() {
    let world = upstream();
    let base = ["bootstrap", "--without-tests", "--upstream", "upstream", "--into", "port"];
    let with =
        |more: &[&'static str]| -> Vec<&str> { base.into_iter().chain(more.iter().copied()).collect() };
    refused(&world, &with(&["--language", "cobol"]), 2, "cobol");
    refused(&world, &with(&["--package", "3d"]), 2, "Python package");
    refused(&world, &with(&["--package", "json"]), 2, "itself");
    refused(&world, &with(&["--ignore", "tally::ffi::**"]), 2, "no reason");
    refused(&world, &with(&["--crate", "other"]), 2, "no library `other`");
    let nobody = world.tidelock_in(".", &with(&["--translator", "nobody"]));
    assert!(nobody.code() == 2 && nobody.stderr().contains("`nobody` is neither"), "{nobody}");
    assert!(!nobody.stderr().contains("begun:"), "nothing is made for nobody: {nobody}");
    refused(&world, &["bootstrap", "--into", "port"], 2, "no port was begun");
    world.write("full/precious.txt", "x");
    refused(
        &world,
        &["bootstrap", "--without-tests", "--upstream", "upstream", "--into", "full"],
        2,
        "is not empty",
    );
    assert_eq!(world.read("full/precious.txt"), "x");

    world.write("program/Cargo.toml", "[package]\nname = \"tool\"\nversion = \"0.1.0\"\n");
    world.write("program/src/main.rs", "fn main() {}\n");
    world.git("program", &["init", "-q", "-b", "main"]);
    world.commit("program", "a program");
    refused(
        &world,
        &["bootstrap", "--without-tests", "--upstream", "program", "--into", "tool"],
        2,
        "no library",
    );

    world.write("several/Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"2\"\n");
    for name in ["one", "two"] {
        world.write(
            &format!("several/{name}/Cargo.toml"),
            &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n"),
        );
        world.write(&format!("several/{name}/src/lib.rs"), "pub fn f(n: u8) -> u8 {\n    n / 2\n}\n");
    }
    world.git("several", &["init", "-q", "-b", "main"]);
    world.commit("several", "two libraries");
    let several = ["bootstrap", "--without-tests", "--upstream", "several", "--into", "both"];
    refused(&world, &several, 2, "several libraries");
    let one = world.tidelock_in(".", &[&several[..], &["--crate", "two"]].concat());
    assert_eq!(one.code(), 0, "the folder that was refused before is taken up: {one}");
    assert!(world.path("both/two/__init__.py").is_file() && !world.path("both/one").exists());
    refused(&world, &[&several[..], &["--crate", "two"]].concat(), 2, "begun already");
}

#[test]
fn an_upstream_that_does_not_build_is_told_before_anything_is_bought() {
    let world = upstream();
    world.upstream_changes("n.saturating_add(1)", "n.no_such_thing(1)", "broken");
    let who = world.answering(
        &[("tally.wide", WIDE)],
        &format!("open({:?}, 'a').write('asked\\n')", world.path("asked").display().to_string()),
    );
    let base =
        ["bootstrap", "--without-tests", "--upstream", "upstream", "--into", "port", "--translator", &who];
    refused(&world, &base, 6, "does not build");
    assert!(!world.path("asked").exists());
    let again = world.tidelock(&["bootstrap", "--translator", &who]);
    assert_eq!(again.code(), 6, "it is told once more: {again}");
    // What is not committed is told before anything is built: here that would fail.
    let edited = format!("{}\n# A thought.\n", world.read("port/tidelock.toml"));
    world.write("port/tidelock.toml", &edited);
    refused(&world, &["-C", "port", "bootstrap", "--translator", &who], 2, "uncommitted changes");
    assert_eq!(world.read("port/tidelock.toml"), edited);
}

#[test]
fn what_a_revision_says_of_itself_is_no_part_of_the_first_port() {
    let world = upstream();
    world.upstream_changes("n.saturating_add(1)", "1_u8.saturating_add(n)", "Merge a branch of no concern");
    let who = world.answering(
        &[("tally.wide", WIDE)],
        &format!("open({:?}, 'w').write(prompt)", world.path("asked").display().to_string()),
    );
    let ran = begun(&world, &["--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    let asked = world.read("asked");
    assert!(asked.contains("tally::wide") && !asked.contains("of no concern"), "{asked}");
}
