//! An upstream that attacks: by its build, by its tests, by the names of its files. It gets nothing, each ends
//! with what is expected of it, and the port stays as it is.

use std::path::Path;

use crate::world::World;

const RIGHT: (&str, &str) = (
    "tally.bump",
    "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256",
);

/// Follows one revision with this build script; the exit code and what was said.
fn followed(world: &World, build: &str) -> (i32, String) {
    world.write("upstream/build.rs", build);
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let who = world.answering(&[RIGHT], "");
    let ran = world.tidelock(&["sync", "--translator", &who]);
    (ran.code(), format!("{ran}"))
}

fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}

#[test]
fn a_build_that_leaves_links_where_we_write_next_moves_no_file_of_ours() {
    let world = World::new();
    let mine = world.path("mine");
    std::fs::write(&mine, "mine").unwrap();
    // The build fails, so that it is tried again: over what it left.
    let build = format!(
        r#"fn main() {{
    let here = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let scratch = here.parent().unwrap().to_owned();
    for file in [here.join("planted"), here.join("src/lib.rs"), scratch.join("driver/src/main.rs"),
        scratch.join("driver/Cargo.toml"), scratch.join("Cargo.toml")] {{
        let _ = std::fs::remove_file(&file);
        let _ = std::os::unix::fs::symlink({mine}, &file);
    }}
    panic!("not yet");
}}
"#,
        mine = quoted(&mine)
    );
    world.write("upstream/planted", "planted");
    let (code, said) = followed(&world, &build);
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine", "{said}");
    assert!(matches!(code, 5 | 6), "{said}");
    assert!(said.contains("not yet"), "{said}");
}

#[test]
fn a_build_that_reaches_out_gets_nothing_and_the_work_goes_on() {
    let world = World::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    world.write("home/secret", "secret");
    let build = format!(
        r#"use std::{{fs, net, process::Command}};
fn main() {{
    let mut got = Vec::new();
    // The temporary folder may be one of its own: whether these arrive is looked at from outside.
    for place in [{port}, {state}, {upstream}, {home}] {{
        let _ = fs::write(format!("{{place}}/escaped"), "x");
    }}
    for place in ["/etc", "/usr", "/var/tmp"] {{
        if fs::write(format!("{{place}}/escaped"), "x").is_ok() {{ got.push(format!("writes {{place}}")); }}
    }}
    for file in ["/etc/shadow", {secret}, {git}, {database}] {{
        if fs::read(file).is_ok() {{ got.push(format!("reads {{file}}")); }}
    }}
    if net::TcpStream::connect("{address}").is_ok() {{ got.push("connects".to_owned()); }}
    if Command::new("kill").args(["-0", "{pid}"]).status().is_ok_and(|status| status.success()) {{
        got.push("sees processes".to_owned());
    }}
    for probe in fs::read_dir({state_cache}).into_iter().flatten().flatten() {{
        let name = probe.file_name().to_string_lossy().into_owned();
        if name.contains("probe") || name.contains("observ") {{ got.push(format!("finds {{name}}")); }}
    }}
    let _ = Command::new("sh").args(["-c", "(sleep 77.125; touch {escaped}) >/dev/null 2>&1 &"]).spawn();
    if !got.is_empty() {{ panic!("GOT {{got:?}}"); }}
}}
"#,
        port = quoted(&world.path("port")),
        state = quoted(&world.path("port/.tidelock")),
        upstream = quoted(&world.path("upstream")),
        home = quoted(&world.path("home")),
        secret = quoted(&world.path("home/secret")),
        git = quoted(&world.path("port/.git/config")),
        database = quoted(&world.path("port/.tidelock/state.db")),
        state_cache = quoted(&world.path("port/.tidelock/cache")),
        escaped = world.path("port/escaped").display(),
        address = listener.local_addr().unwrap(),
        pid = std::process::id(),
    );
    let (code, said) = followed(&world, &build);
    assert!(!said.contains("GOT"), "{said}");
    assert_eq!(code, 0, "{said}");
    assert!(listener.accept().is_err(), "a connection came in");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
    for place in ["port", "port/.tidelock", "upstream", "home"] {
        assert!(!world.path(place).join("escaped").exists(), "{place}");
    }
}

#[test]
fn odd_names_and_links_in_the_upstream_hurt_nobody() {
    let world = World::new();
    world.write("upstream/src/\u{1b}[2J\u{1b}]0;title\u{7}.rs", "pub fn x() {}\n");
    world.write("upstream/new\nline.rs", "pub fn y() {}\n");
    world.write("upstream/-rf", "x");
    world.write("upstream/CON", "x");
    world.write(&format!("upstream/{}", "d/".repeat(120) + "deep.rs"), "pub fn z() {}\n");
    world.write(&format!("upstream/{}.rs", "n".repeat(250)), "pub fn n() {}\n");
    for (link, target) in [
        ("passwd.rs", "/etc/passwd"),
        ("src/up.rs", "../../../../etc/passwd"),
        ("loop", "loop"),
        ("root", "/"),
    ] {
        std::os::unix::fs::symlink(target, world.path("upstream").join(link)).unwrap();
    }
    world.write(
        "upstream/src/deep.rs",
        &format!("pub fn d() -> i32 {{ {}1{} }}\n", "(".repeat(20_000), ")".repeat(20_000)),
    );
    world.write("upstream/src/huge.rs", &format!("pub const H: &str = \"{}\";\n", "h".repeat(3 << 20)));
    world.upstream_changes(
        "n.saturating_add(1)",
        "n.wrapping_add(1)",
        "\u{1b}[31mred\u{1b}[0m <script>alert(1)</script>",
    );
    let who = world.answering(&[RIGHT], "");
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    let mut said = format!("{}{}", ran.stdout(), ran.stderr());
    for rendering in ["text", "markdown", "html"] {
        said += &world.tidelock(&["report", "--render", rendering]).stdout();
    }
    assert!(!said.contains('\u{1b}') && !said.contains('\u{7}'), "no escape sequence gets out: {said:?}");
    assert!(!said.contains("root:x:0"), "{said}");
    assert!(world.tidelock(&["report", "--render", "html"]).stdout().contains("&lt;script&gt;"));
}

#[test]
fn names_that_no_tree_may_hold_are_refused() {
    let world = World::new();
    let blob = world.git("upstream", &["hash-object", "-w", "Cargo.toml"]);
    for name in ["..", ".git", ".", "a/b"] {
        // Written by hand: git itself refuses to make such a tree.
        let script = format!(
            "import subprocess, sys\n\
             entry = b'100644 ' + {name:?}.encode() + b'\\0' + bytes.fromhex({blob:?})\n\
             tree = subprocess.run(['git', 'hash-object', '-t', 'tree', '-w', '--stdin', '--literally'],\n    \
             input=entry, capture_output=True, check=True).stdout.decode().strip()\n\
             head = subprocess.check_output(['git', 'rev-parse', 'main'], text=True).strip()\n\
             commit = subprocess.check_output(['git', '-c', 'user.name=a', '-c', 'user.email=b', 'commit-tree',\n    \
             '-m', 'evil', '-p', head, tree], text=True).strip()\n\
             subprocess.run(['git', 'update-ref', 'refs/heads/main', commit], check=True)",
            blob = blob.trim()
        );
        let head = world.git("upstream", &["rev-parse", "main"]);
        python(&world, "upstream", &script);
        let ran = world.tidelock(&["sync"]);
        assert!(matches!(ran.code(), 1 | 2 | 5 | 6), "{name}: {ran}");
        assert!(ran.stderr().contains("error:") || ran.stdout().contains("parked"), "{name}: {ran}");
        assert_eq!(world.git("port", &["status", "--porcelain"]), "", "{name}");
        world.git("upstream", &["update-ref", "refs/heads/main", head.trim()]);
    }
}

fn python(world: &World, folder: &str, script: &str) {
    use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};
    let invocation = Invocation::new("python3", world.path(folder)).args(["-c", script]);
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "{}", finished.tail(9));
}
