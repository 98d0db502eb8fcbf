//! Code of the upstream's that takes all it can get, in each place where it runs: a build script, a procedural macro
//! of a crate beside it, the functions that probes call. What it asks for it does not get, what it takes without end
//! ends at a bound, and the report names the cause.

use std::fmt::Write as _;

use upstream::process::{ProcessRunner, SystemProcessRunner};

use crate::world::{Ran, World};

const RIGHT: (&str, &str) = (
    "tally.bump",
    "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256",
);

/// What is nowhere but in our own environment.
const SECRET: &str = "secret-5e1d";

/// How much foreign code may write to the disk here, in MiB: more than an honest build writes.
const DISK_MIB: u32 = 192;

/// How long background processes sleep that an attack leaves behind, in seconds: what they are found by, so that it is
/// another one for each test.
fn left_behind(test: u32) -> String {
    format!("3607.{}{test}", std::process::id())
}

/// What the build script, the macro and the functions do, by name. All are compiled from this text.
const ATTACKS: &str = r#"
fn attack(kind: &str) {
    use std::{fs, net, process::{Command, Stdio}, thread, time::Duration};
    let background = |script: &str| {
        let [input, output, errors] = [Stdio::null(), Stdio::null(), Stdio::null()];
        Command::new("sh").args(["-c", script]).stdin(input).stdout(output).stderr(errors).spawn()
    };
    match kind {
        "forks" => {
            let forever = || loop { thread::sleep(Duration::from_secs(3600)) };
            for number in 0.. {
                // A process costs much, and a thread counts as much.
                let refused = if number < 32 {
                    background("sleep 3600").err()
                } else {
                    thread::Builder::new().stack_size(1 << 16).spawn(forever).err()
                };
                if let Some(refused) = refused { panic!("cannot start number {number}: {refused}") }
            }
        }
        "fills" => {
            for number in 0..2000 {
                fs::write(std::env::temp_dir().join(number.to_string()), vec![1; 1 << 20]).unwrap();
            }
            loop { thread::sleep(Duration::from_secs(3600)) }
        }
        "prints" => {
            let line = "x".repeat(1 << 16);
            for _ in 0..1200 { println!("cargo:warning={line}") }
        }
        "hoards" => {
            // Refused by its size: nothing is touched.
            std::hint::black_box(Vec::<u8>::with_capacity(1 << 44));
        }
        "kills" => {
            Command::new("kill").args(["-9", "--", "-1"]).status().unwrap();
            loop { thread::sleep(Duration::from_secs(3600)) }
        }
        "waits" => {
            background("trap '' HUP INT TERM; setsid sleep LEFT_BEHIND & sleep LEFT_BEHIND").unwrap();
            loop { thread::sleep(Duration::from_secs(3600)) }
        }
        "reaches" => {
            background("trap '' HUP INT TERM; setsid sleep LEFT_BEHIND & sleep LEFT_BEHIND").unwrap();
            let mut got = Vec::new();
            let mut seen = format!("{:?}", std::env::vars_os());
            for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
                for file in ["environ", "cmdline"] {
                    seen += &String::from_utf8_lossy(&fs::read(process.path().join(file)).unwrap_or_default());
                }
            }
            if seen.contains("SECRET") { got.push("the environment of others") }
            if seen.contains("tally.py") || seen.contains("answer.py") { got.push("what runs beside it") }
            if net::TcpStream::connect("ADDRESS").is_ok() { got.push("the network") }
            for key in ["secret", ".ssh/id_ed25519", ".cargo/credentials.toml"] {
                if fs::read(format!("HOME/{key}")).is_ok() { got.push("the keys in the home folder") }
            }
            // The temporary folder may be one of its own: whether these arrive is looked at from outside.
            for place in ["HOME", "PORT", "PORT/.tidelock", "PORT/.git"] {
                let _ = fs::write(format!("{place}/escaped"), "x");
            }
            for place in ["/etc", "/usr", "/var/tmp"] {
                if fs::write(format!("{place}/escaped"), "x").is_ok() { got.push("a place outside") }
            }
            if !got.is_empty() { panic!("GOT {got:?}") }
        }
        _ => {}
    }
}
"#;

/// The upstream with a build script and a macro that do what the file `attack` says, which is nothing yet, and the
/// port that equals it.
fn attacked(address: &str, left_behind: &str) -> World {
    let world = World::new();
    for key in ["secret", ".ssh/id_ed25519", ".cargo/credentials.toml"] {
        world.write(&format!("home/{key}"), SECRET);
    }
    let attacks = attacks(&world, address, left_behind);
    // Read where it runs: the package that is built is another than the one that the macro is in.
    let read = "    let file = std::path::Path::new(&std::env::var(\"CARGO_MANIFEST_DIR\").unwrap()).join(\"attack\");\n    \
                let text = std::fs::read_to_string(file).unwrap_or_default();\n    \
                if let Some(kind) = text.trim().strip_prefix(\"WHO \") { attack(kind) }\n";
    world.write(
        "upstream/build.rs",
        &format!("{attacks}\nfn main() {{\n{}}}\n", read.replace("WHO", "build")),
    );
    world.write(
        "upstream/attack-macro/Cargo.toml",
        "[package]\nname = \"attack-macro\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\nproc-macro = true\n",
    );
    world.write(
        "upstream/attack-macro/src/lib.rs",
        &format!(
            "{attacks}\n#[proc_macro]\npub fn nothing(_: proc_macro::TokenStream) -> proc_macro::TokenStream {{\n{}    \
             proc_macro::TokenStream::new()\n}}\n",
            read.replace("WHO", "macro")
        ),
    );
    let manifest = world.read("upstream/Cargo.toml");
    world.write(
        "upstream/Cargo.toml",
        &format!("{manifest}\n[dependencies]\nattack-macro = {{ path = \"attack-macro\" }}\n"),
    );
    let library = world.read("upstream/src/lib.rs");
    world.write(
        "upstream/src/lib.rs",
        &library.replace("#[cfg(test)]", "attack_macro::nothing!();\n\n#[cfg(test)]"),
    );
    world.commit("upstream", "a build script and a macro");
    configure(&world, "");
    let head = world.git("upstream", &["rev-parse", "HEAD"]);
    world.git("port", &["rm", "-q", "tidelock.lock"]);
    world.commit("port", "begin again");
    let adopted = world.tidelock(&["init", "--adopt", head.trim()]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    world.commit("port", "adopt");
    world
}

fn attacks(world: &World, address: &str, left_behind: &str) -> String {
    ATTACKS
        .replace("SECRET", SECRET)
        .replace("ADDRESS", address)
        .replace("LEFT_BEHIND", left_behind)
        .replace("HOME", &world.path("home").to_string_lossy())
        .replace("PORT", &world.path("port").to_string_lossy())
}

/// Sets the bounds, with what is added here.
fn configure(world: &World, more: &str) {
    let config = world.read("port/tidelock.toml");
    let own = config.split("# here\n").next().unwrap().trim_end();
    let ignored =
        "[[map]]\nitems = \"attack_macro::*\"\nstrategy = \"ignore\"\nreason = \"no part of the port\"\n\n";
    let bounds = format!("[sandbox]\ndisk-mib = {DISK_MIB}\n{more}");
    world.write("port/tidelock.toml", &format!("{own}\n\n# here\n{ignored}{bounds}"));
    world.commit("port", "configure");
}

/// Syncs, with a secret in the environment, and gives how that ended and all that the reports say of it.
fn followed(world: &World, more: &[&str]) -> (i32, String) {
    let who = world.answering(&[RIGHT], "");
    let arguments = [&["sync", "--translator", who.as_str()], more].concat();
    let sync = world.invocation("port", &arguments).env("AWS_SECRET", SECRET);
    let ran = Ran { finished: SystemProcessRunner::default().run(&sync).unwrap() };
    let code = ran.code();
    let mut said = ran.to_string();
    for rendering in ["text", "json"] {
        write!(said, "\n{}", world.tidelock(&["report", "--render", rendering]).stdout()).unwrap();
    }
    assert!(!said.contains(SECRET), "{said}");
    (code, said)
}

/// Whether a process that an attack left behind goes on.
fn goes_on(left_behind: &str) -> bool {
    let running = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|process| {
        let command = std::fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&command).into_owned())
    });
    running.into_iter().any(|command| command.starts_with("sleep\0") && command.contains(left_behind))
}

#[test]
fn a_build_that_takes_all_it_can_get_ends_at_a_bound_that_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let left_behind = left_behind(1);
    let world = attacked(&listener.local_addr().unwrap().to_string(), &left_behind);
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    // Whatever it asks for in vain, the work goes on.
    for attack in ["build reaches", "macro reaches"] {
        world.write("upstream/attack", attack);
        world.commit("upstream", attack);
        let (code, said) = followed(&world, &[]);
        assert!(code == 0 && !said.contains("GOT"), "{attack}: {said}");
    }
    assert!(world.read("port/tally/__init__.py").contains("% 256"), "the change is landed");
    assert!(listener.accept().is_err(), "a connection came in");
    assert!(!goes_on(&left_behind), "what a build that succeeded left behind is gone");
    for place in ["port", "port/.tidelock", "port/.git", "home"] {
        assert!(!world.path(place).join("escaped").exists(), "{place}");
    }
    for (attack, cause) in [
        ("build forks", "the build script of `tally` failed: cannot start number"),
        (
            "build hoards",
            "the build script of `tally` failed: memory allocation of 17592186044416 bytes failed",
        ),
        ("macro hoards", "the compiler of `tally` ended: signal"),
        ("build kills", "signal 9 ended the build, and it does not say why"),
        ("macro fills", "the build of `tally` was ended: it wrote more to the disk than it may"),
        ("build prints", "the build of `tally` was ended: it printed without end"),
        ("macro waits", "the build of `tally` was ended: it ran longer than 4 s"),
    ] {
        let world = world.copied();
        world.write("upstream/attack", attack);
        world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", attack);
        if attack.contains("waits") {
            configure(&world, "build-timeout-s = 4\n");
        }
        let head = world.git("port", &["rev-parse", "HEAD"]);
        let (code, said) = followed(&world, &["--dry-run"]);
        assert!(matches!(code, 0 | 5 | 6), "{attack}: {said}");
        assert!(said.contains(&format!("the upstream cannot be asked: {cause}")), "{attack}: {said}");
        let told = world.tidelock(&["report", "--render", "json"]).json();
        let disposition = &told["revisions"][0]["disposition"];
        assert!(disposition != "landed" && disposition != "absorbed", "{attack}: {said}");
        assert_eq!(world.git("port", &["rev-parse", "HEAD"]), head, "{attack}");
        assert!(world.read("port/tally/__init__.py").contains("LIMIT = 10"), "{attack}");
        assert!(!goes_on(&left_behind), "{attack}: what it left behind is gone");
    }
}

#[test]
fn functions_that_take_all_they_can_get_gain_nothing_and_are_not_believed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let left_behind = left_behind(2);
    let base = World::new();
    base.write("home/secret", SECRET);
    configure(&base, "");
    let attacks = attacks(&base, &listener.local_addr().unwrap().to_string(), &left_behind);
    base.write("upstream/src/attacks.rs", &attacks.replace("\nfn attack", "\npub(crate) fn attack"));
    let honest = base.read("upstream/src/lib.rs").replace("saturating_add(1)", "wrapping_add(1)");
    let honest = honest.replace("//! Small sums.\n", "//! Small sums.\n\nmod attacks;\n");
    let function = "pub fn bump(n: u8) -> u8 {\n";
    for (attack, expected) in [
        ("reaches", Ok("probes agreed")),
        ("waits", Err("probes could not be answered")),
        ("hoards", Err("probes could not be answered")),
    ] {
        let world = base.copied();
        let attacking = format!("{function}    attacks::attack({attack:?});\n");
        world.write("upstream/src/lib.rs", &honest.replace(function, &attacking));
        world.commit("upstream", attack);
        let (code, said) = followed(&world, &[]);
        assert!(matches!(code, 0 | 5 | 6) && !said.contains("GOT"), "{attack}: {said}");
        let landed = world.read("port/tally/__init__.py").contains("% 256");
        assert_eq!(landed, expected.is_ok(), "{attack}: {said}");
        let (Ok(told) | Err(told)) = expected;
        assert!(said.contains(told), "{attack}: {said}");
        assert!(!goes_on(&left_behind), "{attack}: what it left behind is gone");
    }
    assert!(listener.accept().is_err(), "a connection came in");
    for place in ["port", "port/.tidelock", "port/.git", "home"] {
        assert!(!base.path(place).join("escaped").exists(), "{place}");
    }
}
