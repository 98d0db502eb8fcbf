//! What people do to the port's repository while a sync runs and between syncs: nothing of theirs is lost, and
//! each case ends with words that say what to do.

use upstream::process::{ProcessRunner, SystemProcessRunner};

use crate::world::{Ran, World};

const RIGHT: (&str, &str) = (
    "tally.bump",
    "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256",
);

/// A world with one revision to follow, and a translator that does something with `git(...)` and with Python
/// before it answers for the first time: in the middle of the sync.
fn meddled(meddling: &str) -> (World, String) {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let who = meddler(&world, meddling);
    (world, who)
}

fn meddler(world: &World, meddling: &str) -> String {
    let spoil = format!(
        r#"import os, subprocess
ROOT = {root:?}
def git(folder, *arguments):
    names = ["-c", "user.name=Somebody", "-c", "user.email=somebody@localhost"]
    return subprocess.check_output(["git", *names, *arguments], cwd=f"{{ROOT}}/{{folder}}", text=True).strip()
def write(path, text):
    with open(f"{{ROOT}}/{{path}}", "w") as file: file.write(text)
def read(path):
    with open(f"{{ROOT}}/{{path}}") as file: return file.read()
if not os.path.exists(ROOT + "/meddled"):
    write("meddled", "")
{meddling}
"#,
        root = world.root.path().to_string_lossy(),
        meddling = meddling.lines().flat_map(|line| ["    ", line, "\n"]).collect::<String>(),
    );
    world.answering(&[RIGHT], &spoil)
}

fn sync(world: &World, who: &str) -> Ran {
    world.tidelock(&["sync", "--translator", who])
}

fn has_landed(world: &World) -> bool {
    world.git("port", &["show", "HEAD:tally/__init__.py"]).contains("% 256")
}

#[test]
fn a_branch_that_others_move_during_a_sync_is_followed_and_their_commits_stay() {
    let cases = [
        (
            "a commit",
            "write('port/NOTES', 'mine')\ngit('port', 'add', '-A')\ngit('port', 'commit', '-qm', 'mine')",
        ),
        ("an amended commit", "git('port', 'commit', '-q', '--amend', '-m', 'mine')"),
        (
            "squashed",
            "git('port', 'reset', '-q', '--soft', 'HEAD~1')\ngit('port', 'commit', '-q', '--amend', '-m', 'mine')",
        ),
        (
            "rebased",
            "git('port', 'rebase', '-q', '--force-rebase', '--root')\ngit('port', 'commit', '-q', '--allow-empty', '-m', 'mine')",
        ),
    ];
    for (what, meddling) in cases {
        let (world, who) = meddled(meddling);
        let ran = sync(&world, &who);
        assert_eq!(ran.code(), 0, "{what}: {ran}");
        assert!(has_landed(&world), "{what}: {ran}");
        assert!(ran.stderr().contains("the branch is at"), "{what}: {ran}");
        let log = world.git("port", &["log", "--format=%s"]);
        assert!(log.lines().nth(1) == Some("mine"), "{what}: it landed on their commit:\n{log}");
        assert_eq!(world.git("port", &["status", "--porcelain"]), "", "{what}");
    }
}

#[test]
fn a_branch_that_goes_back_or_away_during_a_sync_is_not_put_back() {
    let cases = [
        ("back behind the lock", "git('port', 'reset', '-q', '--hard', 'HEAD~1')", "init --adopt"),
        (
            "deleted",
            "git('port', 'checkout', '-q', '--detach')\ngit('port', 'branch', '-qD', 'main')",
            "branch",
        ),
    ];
    for (what, meddling, says) in cases {
        let (world, who) = meddled(meddling);
        let before = world.git("port", &["rev-parse", "HEAD"]);
        let ran = sync(&world, &who);
        assert!(matches!(ran.code(), 1 | 2), "{what}: {ran}");
        assert!(ran.stderr().contains(says), "{what}: {ran}");
        let refs = world.git("port", &["for-each-ref", "--format=%(refname)"]);
        assert_eq!(refs.contains("refs/heads/main"), what != "deleted", "{what}: {refs}");
        assert!(!has_landed(&world), "{what}");
        // Put back by its owner, it goes on.
        world.git("port", &["checkout", "-q", "-B", "main", before.trim()]);
        let ran = sync(&world, &who);
        assert_eq!(ran.code(), 0, "{what}: {ran}");
        assert!(has_landed(&world), "{what}");
    }
}

#[test]
fn work_in_progress_is_never_touched() {
    let edit = "write('port/tally/__init__.py', read('port/tally/__init__.py') + '# mine\\n')";
    let cases = [
        ("an edit", edit, "tally/__init__.py"),
        ("a staged edit", &format!("{edit}\ngit('port', 'add', '-A')"), "tally/__init__.py"),
        (
            "an edit elsewhere",
            "write('port/.gitignore', '/.tidelock\\n__pycache__\\n*.mine\\n')",
            ".gitignore",
        ),
        ("a deleted file", "os.remove(ROOT + '/port/tally/__init__.py')", "tally/__init__.py"),
        ("a mode", "os.chmod(ROOT + '/port/tally/__init__.py', 0o755)", "tally/__init__.py"),
        (
            "a folder in place of a file",
            "os.remove(ROOT + '/port/tally/__init__.py')\nos.mkdir(ROOT + '/port/tally/__init__.py')\n\
             write('port/tally/__init__.py/mine', 'mine')",
            "tally/__init__.py",
        ),
        (
            "a link in place of a file",
            "write('elsewhere.py', read('port/tally/__init__.py'))\nos.remove(ROOT + '/port/tally/__init__.py')\n\
             os.symlink(ROOT + '/elsewhere.py', ROOT + '/port/tally/__init__.py')",
            "tally/__init__.py",
        ),
        (
            "a link in place of the folder",
            "os.rename(ROOT + '/port/tally', ROOT + '/elsewhere')\n\
             os.symlink(ROOT + '/elsewhere', ROOT + '/port/tally')",
            "tally",
        ),
        (
            "a merge",
            "git('port', 'checkout', '-qb', 'side', 'HEAD~1')\n\
             git('port', 'commit', '-q', '--allow-empty', '-m', 'side')\ngit('port', 'checkout', '-q', 'main')\n\
             git('port', 'merge', '-q', '--no-ff', '--no-commit', '-s', 'ours', 'side')",
            "merge",
        ),
        (
            "a rebase",
            "os.environ['GIT_SEQUENCE_EDITOR'] = 'sed -i 1s/pick/edit/'\n\
             subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=b', 'rebase', '-q', '-i', 'HEAD~1'],\n    \
             cwd=ROOT + '/port', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)",
            "rebase",
        ),
    ];
    let mut wrong = Vec::new();
    for (what, meddling, says) in cases {
        let (world, who) = meddled(meddling);
        let ran = sync(&world, &who);
        let status = world.git("port", &["status", "--porcelain"]);
        let said = ran.stderr();
        let last = said.lines().rfind(|line| line.starts_with("error")).unwrap_or_default().to_owned();
        let branch = world.git("port", &["show", "main:tally/__init__.py"]);
        if branch.contains("% 256") || !last.contains(says) || ran.code() != 2 {
            wrong.push(format!("{what}: {:?} {last}\n{status}\n{ran}", ran.finished.ending));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_untracked_file_where_one_is_to_be_stays() {
    let world = World::new();
    world.write(
        "upstream/src/extra.rs",
        "/// Twice.\npub fn twice(n: u8) -> u16 {\n    u16::from(n) * 2\n}\n",
    );
    world.upstream_changes("/// Adds one", "pub mod extra;\n\n/// Adds one", "a module");
    world.write("port/tally/extra.py", "mine = 1\n");
    let twice = ("tally.extra.twice", "def twice(n: int) -> int:\n    \"\"\"Twice.\"\"\"\n    return n * 2");
    let who = world.answering(&[twice], "");
    let before = world.git("port", &["rev-parse", "HEAD"]);
    let ran = sync(&world, &who);
    assert_eq!(world.read("port/tally/extra.py"), "mine = 1\n", "{ran}");
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("tally/extra.py"), "{ran}");
    assert_eq!(
        world.git("port", &["rev-parse", "HEAD"]),
        before,
        "nothing landed that the files cannot follow"
    );
    std::fs::rename(world.path("port/tally/extra.py"), world.path("mine.py")).unwrap();
    let ran = sync(&world, &who);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/extra.py").contains("n * 2"));
}

#[test]
fn a_branch_in_a_linked_worktree_is_landed_on_with_its_files() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    world.git("port", &["checkout", "-qb", "other"]);
    world.git("port", &["worktree", "add", "-q", "../linked", "main"]);
    let config = world.read("port/tidelock.toml");
    world.write(
        "port/tidelock.toml",
        &config.replace("name = \"tally-py\"", "name = \"tally-py\"\nbranch = \"main\""),
    );
    let who =
        meddler(&world, "write('linked/tally/__init__.py', read('linked/tally/__init__.py') + '# mine\\n')");
    let ran = sync(&world, &who);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(world.read("linked/tally/__init__.py").ends_with("# mine\n"));
    world.git("linked", &["checkout", "-q", "tally/__init__.py"]);
    let ran = sync(&world, &who);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("linked/tally/__init__.py").contains("% 256"), "the files of that worktree followed");
    assert_eq!(world.git("linked", &["status", "--porcelain"]), "");
    assert_eq!(world.git("port", &["status", "--porcelain"]), " M tidelock.toml\n");
}

#[test]
fn hooks_and_filters_of_the_port_do_not_run() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let marker = world.path("it-ran");
    let script = format!("#!/bin/sh\necho \"$0\" >> {}\nexit 1\n", marker.display());
    for hook in [
        "pre-commit",
        "post-commit",
        "post-checkout",
        "post-merge",
        "reference-transaction",
        "pre-push",
        "post-rewrite",
        "post-index-change",
        "fsmonitor-watchman",
        "prepare-commit-msg",
        "commit-msg",
        "update",
    ] {
        let path = world.path("port/.git/hooks").join(hook);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &script).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let hook = world.path("port/.git/hooks/pre-commit");
    let hook = hook.to_string_lossy();
    for (key, value) in [
        ("core.fsmonitor", &*hook),
        ("core.sshCommand", &*hook),
        ("core.pager", &*hook),
        ("diff.external", &*hook),
        ("gpg.program", &*hook),
        ("commit.gpgSign", "true"),
    ] {
        let config = world.read("port/.git/config");
        let (section, name) = key.split_once('.').unwrap();
        world.write("port/.git/config", &format!("{config}[{section}]\n\t{name} = {value}\n"));
    }
    let who = world.answering(&[RIGHT], "");
    let ran = sync(&world, &who);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(!marker.exists(), "{}", std::fs::read_to_string(&marker).unwrap_or_default());
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
}

#[test]
fn a_second_tidelock_on_the_port_is_refused_while_the_first_works() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let program = crate::program();
    let who = meddler(
        &world,
        &format!(
            "second = subprocess.run([{:?}, 'sync'], cwd=ROOT + '/port', text=True, capture_output=True)\n\
             write('second', f'{{second.returncode}} {{second.stderr}}')",
            program.to_string_lossy()
        ),
    );
    let ran = sync(&world, &who);
    assert_eq!(ran.code(), 0, "{ran}");
    let second = world.read("second");
    assert!(second.starts_with('1') && second.contains("another `tidelock` is at work"), "{second}");
}

#[test]
fn an_upstream_that_goes_back_or_away_during_a_sync_is_told_and_not_followed_blindly() {
    let cases = [
        ("back", "git('upstream', 'reset', '-q', '--hard', 'HEAD~1')"),
        ("forced", "git('upstream', 'commit', '-q', '--amend', '-m', 'another')"),
        ("deleted", "os.rename(ROOT + '/upstream', ROOT + '/away')"),
    ];
    for (what, meddling) in cases {
        let (world, who) = meddled(meddling);
        let ran = sync(&world, &who);
        assert_eq!(ran.code(), 0, "{what}: the revision was there and is in the mirror: {ran}");
        assert!(has_landed(&world), "{what}");
        let landed = world.git("port", &["rev-parse", "HEAD"]);
        let again = sync(&world, &who);
        assert_eq!(world.git("port", &["rev-parse", "HEAD"]), landed, "{what}: {again}");
        let says = if what == "deleted" { "upstream" } else { "--accept" };
        assert!(again.stderr().contains(says), "{what}: {again}");
        assert_eq!(again.code(), if what == "deleted" { 1 } else { 3 }, "{what}: {again}");
    }
}

#[test]
fn a_run_that_stopped_for_a_person_goes_on_without_buying_again() {
    let (world, who) =
        meddled("write('port/tally/__init__.py', read('port/tally/__init__.py') + '# mine\\n')");
    assert_eq!(sync(&world, &who).code(), 2);
    world.git("port", &["checkout", "-q", "tally/__init__.py"]);
    // Whoever asks again gets nothing: what was bought is enough.
    world.write("answer.py", "raise SystemExit('asked again')\n");
    let invocation = world.invocation("port", &["sync", "--translator", &who]);
    let ran = Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() };
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(has_landed(&world));
}

#[test]
fn a_stop_while_a_model_is_asked_is_no_fault_of_the_model() {
    // The command's parent is what ends it with the sync; the sync is above that.
    let (world, who) = meddled(
        "import time\nwith open(f'/proc/{os.getppid()}/stat') as stat:\n    \
         sync = int(stat.read().rsplit(')', 1)[1].split()[1])\nos.kill(sync, 15)\ntime.sleep(60)",
    );
    let ran = sync(&world, &who);
    assert_eq!(ran.code(), 1, "{ran}");
    assert!(ran.stderr().contains("run the same command again"), "{ran}");
    let ran = sync(&world, &who);
    assert_eq!(ran.code(), 0, "nothing was parked for it: {ran}");
    assert!(has_landed(&world));
}
