//! Upstreams that fail in the middle: a mirror stays usable whatever happens to the one who fills it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use upstream::clock::{Clock, SystemClock};
use upstream::process::{Ending, Invocation, Limits, ProcessRunner, SystemProcessRunner};

use crate::world::World;

/// How fast the server is. A revision of 600 kB takes three seconds.
const BYTES_PER_SECOND: u32 = 200_000;

/// Serves the upstream over http until it is dropped.
struct Server {
    port: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(world: &World) -> Self {
        world.write("server.py", include_str!("git_server.py"));
        let port_file = world.path("port-number");
        let stop = Arc::new(AtomicBool::new(false));
        let runner = SystemProcessRunner { interrupt: Arc::clone(&stop) };
        let invocation = Invocation::new("python3", world.path(""))
            .args([world.path("server.py"), world.path(""), port_file.clone()])
            .args([BYTES_PER_SECOND.to_string()])
            .limits(Limits { timeout_ms: 600_000, ..Limits::default() });
        let thread = std::thread::spawn(move || drop(runner.run(&invocation)));
        let mut tries = 0;
        while !port_file.exists() {
            tries += 1;
            assert!(tries < 1_000, "the server did not start");
            SystemClock.sleep(Duration::from_millis(20));
        }
        Self { port: std::fs::read_to_string(port_file).unwrap(), stop, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Lets the port follow another address of the same repository.
fn follow(world: &World, source: &str) {
    for file in ["tidelock.toml", "tidelock.lock"] {
        let text = world.read(&format!("port/{file}"));
        assert!(text.contains("../upstream"), "{file} names the upstream: {text}");
        world.write(&format!("port/{file}"), &text.replace("../upstream", source));
    }
    world.commit("port", "another address");
    std::fs::remove_dir_all(world.path("port/.tidelock")).unwrap();
}

/// Adds a revision that cannot be packed small.
fn grow(world: &World) {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes().first().copied().unwrap_or_default()
    };
    let bytes: Vec<u8> = (0..600_000).map(|_| next()).collect();
    std::fs::write(world.path("upstream/noise.bin"), bytes).unwrap();
    world.commit("upstream", "noise");
}

/// Every object that the mirrors' references need is there.
fn mirrors_are_whole(world: &World) {
    for mirror in std::fs::read_dir(world.path("port/.tidelock/mirrors")).unwrap() {
        let mirror = mirror.unwrap().path();
        if mirror.join("HEAD").exists() {
            world.git(
                "port",
                &["-C", mirror.to_str().unwrap(), "fsck", "--connectivity-only", "--no-dangling"],
            );
        }
    }
}

fn status(world: &World) -> serde_json::Value {
    let told = world.tidelock(&["status", "--format", "json"]);
    assert_eq!(told.code(), 0, "{told}");
    told.json()
}

#[test]
fn a_fetch_killed_at_any_instant_leaves_a_mirror_that_the_next_one_completes() {
    let world = World::new();
    let server = Server::start(&world);
    follow(&world, &format!("http://127.0.0.1:{}/upstream/.git", server.port));
    status(&world);
    grow(&world);
    let mut kills = 0;
    // The fetch of the new revision takes three seconds at least: these fall before, into and near its end.
    for after_ms in [30, 200, 600, 1_200, 2_000, 2_800] {
        let limits = Limits { timeout_ms: after_ms, ..Limits::default() };
        let finished = SystemProcessRunner::default()
            .run(&world.invocation("port", &["status"]).limits(limits))
            .unwrap();
        kills += u32::from(finished.ending == Ending::TimedOut);
        mirrors_are_whole(&world);
        // What was there before the fetch is still told without asking anybody.
        let offline = world.tidelock(&["status", "--offline"]);
        assert_eq!(offline.code(), 0, "killed after {after_ms} ms: {offline}");
    }
    assert_eq!(kills, 6, "no fetch was done before it was killed");
    let told = status(&world);
    mirrors_are_whole(&world);
    assert_eq!(told["lag_revisions"], 1, "{told}");
}

#[test]
fn a_disk_that_is_full_during_a_fetch_is_told_and_harms_nothing() {
    let world = World::new();
    status(&world);
    grow(&world);
    // No file may grow beyond 200 kB. Ignored, the signal becomes an error of the write, as on a full disk.
    let limited = |arguments: &[&str]| {
        let mut invocation = world.invocation("port", arguments);
        let program = std::mem::replace(&mut invocation.program, "sh".into());
        let script = "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\"";
        invocation.arguments.splice(0..0, ["-c".into(), script.into(), program]);
        SystemProcessRunner::default().run(&invocation).unwrap()
    };
    let finished = limited(&["status"]);
    assert_eq!(finished.ending, Ending::Exited(1), "{}", finished.tail(20));
    let said = finished.tail(20);
    assert!(said.contains("error: "), "{said}");
    assert!(said.contains("File too large"), "the reason is told: {said}");
    mirrors_are_whole(&world);
    assert_eq!(world.tidelock(&["status", "--offline"]).code(), 0);
    let told = status(&world);
    assert_eq!(told["lag_revisions"], 1, "{told}");
}

#[test]
fn an_upstream_of_another_user_is_refused_with_what_to_do() {
    let world = World::new();
    std::fs::remove_dir_all(world.path("port/.tidelock")).unwrap();
    // Git believes this variable about the owner; only its own programs see it.
    for name in ["git", "git-upload-pack"] {
        let own = if name == "git" { "\"$@\"" } else { "upload-pack \"$@\"" };
        let path = std::env::split_paths(&upstream::process::inherited("PATH").unwrap())
            .map(|folder| folder.join("git"))
            .find(|git| git.exists())
            .unwrap();
        let script = format!("#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {} {own}\n", path.display());
        world.write(&format!("bin/{name}"), &script);
        std::fs::set_permissions(
            world.path(&format!("bin/{name}")),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
    }
    let old = upstream::process::inherited("PATH").unwrap();
    let folders = std::iter::once(world.path("bin")).chain(std::env::split_paths(&old));
    let invocation =
        world.invocation("port", &["status"]).env("PATH", std::env::join_paths(folders).unwrap());
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert_ne!(finished.ending, Ending::Exited(0), "{}", finished.tail(20));
    let said = finished.tail(20);
    assert!(said.contains("belongs to another user") && said.contains("safe.directory"), "{said}");
}

#[test]
fn references_in_a_form_that_cannot_be_read_are_named() {
    let world = World::new();
    let to = world.path("tables");
    world.git("upstream", &["clone", "-q", "--bare", "--ref-format=reftable", ".", to.to_str().unwrap()]);
    let told = world.tidelock_in("tables", &["workspace"]);
    assert_eq!(told.code(), 2, "{told}");
    assert!(told.stderr().contains("`reftable`") && told.stderr().contains("--ref-format=files"), "{told}");
}

#[test]
fn worktrees_bare_clones_alternates_and_folders_inside_are_read_alike() {
    let world = World::new();
    let path = |name: &str| world.path(name).to_str().unwrap().to_owned();
    world.git("upstream", &["worktree", "add", "-q", &path("worktree")]);
    world.git("upstream", &["clone", "-q", "--bare", "--shared", ".", &path("alternates")]);
    world.git(
        "upstream",
        &["clone", "-q", "--depth", "1", &format!("file://{}", path("upstream")), &path("shallow")],
    );
    world.git("shallow", &["pack-refs", "--all"]);
    let told = |folder: &str| {
        let told = world.tidelock_in(folder, &["workspace", "--format", "json"]);
        assert_eq!(told.code(), 0, "{folder}: {told}");
        told.json()
    };
    let whole = told("upstream");
    for folder in ["upstream/src", "worktree", "worktree/src", "alternates", "shallow"] {
        assert_eq!(told(folder), whole, "{folder}");
    }
}

#[test]
fn a_repository_with_sha_256_is_refused_and_says_so() {
    let world = World::new();
    std::fs::create_dir(world.path("long")).unwrap();
    world.git("long", &["init", "-q", "--object-format=sha256"]);
    world.write("long/Cargo.toml", "[package]\nname = \"long\"\n");
    world.commit("long", "one");
    for command in ["history", "workspace"] {
        let told = world.tidelock_in("long", &[command]);
        assert_eq!(told.code(), 2, "{told}");
        assert!(told.stderr().contains("SHA-256"), "{told}");
        assert!(!told.stderr().contains("is not a git repository"), "{told}");
    }
}
