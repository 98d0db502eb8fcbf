//! `tidelock sync` and `tidelock pr` where work lands at a forge: the program, the engine and the fake forge together.

use upstream::process::{Ending, ProcessRunner as _, SystemProcessRunner};

use crate::forge::server::{FakeForge, Fault};
use crate::forge::state::{ANN, BASE, BOT, Fate, How, Kind, State};
use crate::world::{Ran, World, contents};

const TOKEN: &str = "TIDELOCK_FORGE_TOKEN";

/// A world whose port lives at a fake forge.
fn at_forge(kind: Kind, mode: &str, more: &str) -> (World, FakeForge) {
    let world = World::new();
    world.write("hosted/port.git/x", "");
    world.git("hosted/port.git", &["init", "-q", "--bare", "-b", "main"]);
    let forge = FakeForge::start(State::new(kind, world.path("hosted/port.git")));
    let section = format!(
        "\n[land]\nmode = \"{mode}\"\n\n[forge]\nkind = \"{}\"\nurl = \"{}\"\napi-url = \"{}\"\ngit-url = \"{}\"\n\
         repository = \"team/port\"\nlabels = [\"tidelock\"]\n{more}",
        kind.name(),
        forge.url(),
        forge.api(),
        forge.git_url(),
    );
    world.write("port/tidelock.toml", &(world.read("port/tidelock.toml") + &section));
    world.commit("port", "the forge");
    let bare = world.path("hosted/port.git");
    world.git("port", &["push", "-q", bare.to_str().unwrap(), "main"]);
    (world, forge)
}

fn tidelock(world: &World, forge: &FakeForge, arguments: &[&str]) -> Ran {
    tidelock_with(world, forge, arguments, &[])
}

fn tidelock_with(world: &World, forge: &FakeForge, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
    let token = forge.state().token.clone();
    let mut invocation = world.invocation("port", arguments).env(TOKEN, &token);
    for (name, value) in more {
        invocation = invocation.env(*name, *value);
    }
    let ran = Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() };
    assert!(!ran.stdout().contains(&token) && !ran.stderr().contains(&token), "the token is told: {ran}");
    ran
}

fn base_lock(forge: &FakeForge) -> String {
    let state = forge.state();
    let tree = state.tree(state.tip(BASE).unwrap().as_str());
    String::from_utf8(state.repo().read(&tree, "tidelock.lock").unwrap().unwrap()).unwrap()
}

#[test]
fn work_is_proposed_reviewed_merged_and_told_as_what_was_tested() {
    for kind in Kind::ALL {
        let (world, forge) = at_forge(kind, "pull-request", "");
        let here = world.git("port", &["rev-parse", "main"]);
        world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
        let dry = tidelock(&world, &forge, &["sync", "--dry-run"]);
        assert_eq!((dry.code(), forge.state().pulls.len()), (0, 0), "{dry}");
        let ran = tidelock(&world, &forge, &["sync"]);
        assert_eq!(ran.code(), 0, "{kind:?} {ran}");
        let number = {
            let state = forge.state();
            assert_eq!(state.pulls.len(), 1);
            let pull = state.newest().unwrap();
            assert!(pull.body.contains("tally") && pull.body.contains("a larger limit"), "{}", pull.body);
            assert_eq!(pull.labels, ["tidelock"]);
            assert_eq!(state.violations, Vec::new());
            pull.number
        };
        assert_eq!(
            world.git("port", &["rev-parse", "main"]),
            here,
            "the local branch is not Tidelock's to move"
        );
        assert_eq!(tidelock(&world, &forge, &["sync"]).code(), 3, "nothing more is to be done");
        let listed = tidelock(&world, &forge, &["pr", "list", "--format", "json"]).json();
        assert_eq!(listed[0]["state"], "open", "{listed:#}");

        assert!(forge.state().merge(number, How::Squash));
        let ran = tidelock(&world, &forge, &["sync"]);
        assert_eq!(ran.code(), 0, "{kind:?} {ran}");
        let said: Vec<String> =
            forge.state().newest().unwrap().comments.iter().map(|comment| comment.body.clone()).collect();
        assert!(said.iter().any(|body| body.contains("the tree is the one that passed")), "{said:?}");
        let newest = world.git("upstream", &["rev-parse", "HEAD"]);
        assert!(base_lock(&forge).contains(newest.trim()));
        let status = tidelock(&world, &forge, &["pr", "status", "--format", "json"]).json();
        assert_eq!(status["landed"], "same", "{status:#}");
        let token = forge.state().token.clone();
        for (path, bytes) in contents(&world.path("port")) {
            assert!(!String::from_utf8_lossy(&bytes).contains(&token), "{}", path.display());
        }
    }
}

#[test]
fn killed_between_the_steps_it_goes_on_and_proposes_once() {
    for step in ["make", "push", "open", "dress", "status"] {
        let (world, forge) = at_forge(Kind::Gitea, "pull-request", "");
        world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
        let point = format!("propose {step}: carried out");
        let ran = tidelock_with(&world, &forge, &["sync"], &[("TIDELOCK_TEST_STOP_AT", &point)]);
        assert_eq!(ran.finished.ending, Ending::Signalled(9), "{step}: {ran}");
        let ran = tidelock(&world, &forge, &["sync"]);
        assert!([0, 3].contains(&ran.code()), "{step}: {ran}");
        let state = forge.state();
        let pull = state.newest().unwrap();
        assert_eq!((state.pulls.len(), pull.labels.len()), (1, 1), "{step}");
        assert!(state.statuses.contains_key(&pull.head), "{step}");
        assert!(pull.body.contains("a larger limit"), "{step}: {}", pull.body);
        assert_eq!(state.violations, Vec::new(), "{step}");
    }
}

#[test]
fn what_was_closed_is_recorded_as_a_decision_with_the_next_revision() {
    let (world, forge) = at_forge(Kind::GitHub, "pull-request", "");
    // The declined revision changes what rests on the limit as well: else that would differ from the upstream.
    let source = world.read("upstream/src/lib.rs");
    let source = source.replace("LIMIT: u32 = 10", "LIMIT: u32 = 12").replace("n > LIMIT", "LIMIT < n");
    world.write("upstream/src/lib.rs", &source);
    world.commit("upstream", "a larger limit");
    let declined = world.git("upstream", &["rev-parse", "HEAD"]);
    assert_eq!(tidelock(&world, &forge, &["sync"]).code(), 0);
    let number = forge.state().newest().unwrap().number;
    forge.state().comment(number, ANN, "/tidelock decline our limit is ten");
    let ran = tidelock(&world, &forge, &["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert_eq!(forge.state().newest().unwrap().fate, Fate::Closed(BOT.to_owned()));
    let ran = tidelock(&world, &forge, &["sync"]);
    assert_eq!((ran.code(), forge.state().pulls.len()), (3, 1), "{ran}");

    world.upstream_changes("Small sums.", "Small sums!", "words");
    let ran = tidelock(&world, &forge, &["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let state = forge.state();
    assert_eq!(state.pulls.len(), 2);
    let tree = state.tree(&state.newest().unwrap().head);
    let read = |path| String::from_utf8(state.repo().read(&tree, path).unwrap().unwrap()).unwrap();
    let config = read("tidelock.toml");
    let label = declined.get(..10).unwrap();
    for words in ["declined", label, "our limit is ten", "ann"] {
        assert!(config.contains(words), "{words}: {config}");
    }
    assert!(read("tally/__init__.py").contains("LIMIT = 10"), "what was declined is not in it");
    assert_eq!(state.violations, Vec::new());
}

#[test]
fn each_revision_has_its_own_pull_request_where_that_is_asked_for() {
    let more = "group-by = \"revision\"\ndependency-dashboard = true\npr-hourly-limit = 0\n";
    let (world, forge) = at_forge(Kind::Gitea, "pull-request", more);
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    let first = world.git("upstream", &["rev-parse", "HEAD"]);
    world.upstream_changes("Small sums.", "Small sums!", "words");
    let second = world.git("upstream", &["rev-parse", "HEAD"]);
    for revision in [&first, &second] {
        let ran = tidelock(&world, &forge, &["sync"]);
        assert_eq!(ran.code(), 0, "{ran}");
        let ran = tidelock(&world, &forge, &["sync"]);
        assert_eq!(ran.code(), 3, "nothing is added to it: {ran}");
        let number = {
            let state = forge.state();
            let pull = state.newest().unwrap();
            let tree = state.tree(&pull.head);
            let lock =
                String::from_utf8(state.repo().read(&tree, "tidelock.lock").unwrap().unwrap()).unwrap();
            assert!(lock.contains(revision.trim()), "{lock}");
            assert_eq!(lock.contains(second.trim()), *revision == second, "{lock}");
            assert!(state.issues[0].body.contains(&pull.title), "{}", state.issues[0].body);
            pull.number
        };
        assert!(forge.state().merge(number, How::Merge));
    }
    let ran = tidelock(&world, &forge, &["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let state = forge.state();
    assert_eq!((state.pulls.len(), state.issues.len()), (2, 1));
    assert_eq!(state.violations, Vec::new());
}

#[test]
fn a_branch_is_pushed_only_forward() {
    let (world, forge) = at_forge(Kind::GitHub, "push", "");
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    let ran = tidelock(&world, &forge, &["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let here = world.git("port", &["rev-parse", "main"]);
    assert_eq!(forge.state().tip(BASE).unwrap().as_str(), here.trim());
    forge.state().violations.clear();
    forge.state().commit(BASE, &[("notes", "mine\n")], "a person's");
    world.upstream_changes("LIMIT: u32 = 12", "LIMIT: u32 = 13", "larger still");
    let ran = tidelock(&world, &forge, &["sync"]);
    assert_eq!(ran.code(), 5, "{ran}");
    assert!(ran.stderr().contains("the forge does not have"), "{ran}");
}

#[test]
fn what_is_wrong_with_the_forge_is_told_with_what_to_do() {
    let (world, forge) = at_forge(Kind::GitHub, "pull-request", "");
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains(TOKEN), "{ran}");
    forge.plan().faults.push((1, Fault::Stop));
    let ran = tidelock(&world, &forge, &["sync"]);
    assert_eq!(ran.code(), 1, "{ran}");
    assert!(ran.stderr().contains("token-env"), "{ran}");
    let config = world.read("port/tidelock.toml");
    let cases = [
        ("kind = \"github\"", "kind = \"sourcehut\"", "sourcehut"),
        ("kind = \"github\"\n", "", "what `kind` it is"),
        ("repository = \"team/port\"\n", "", "`repository` is missing"),
        ("repository = \"team/port\"", "repository = \"team\"", "no repository"),
        ("url = \"http://127.0.0.1", "url = \"http://forge.example", "not over https"),
        ("git-url = \"http://", "git-url = \"http://ann:geheim@", "holds a password"),
        ("labels =", "group-name = \"..\"\nlabels =", "no name of a branch"),
        ("labels =", "automerge-classes = [\"nice\"]\nlabels =", "no class `nice`"),
        (
            "labels =",
            "schedule = [\"* * * * *\", \"before 5am\"]\nlabels =",
            "`before 5am` does not have five",
        ),
        ("labels =", "timezone = \"Mars/Olympus\"\nlabels =", "no time zone `Mars/Olympus`"),
        ("labels =", "group-by = \"day\"\nlabels =", "day"),
        ("labels =", "dependency-dashboard-title = \" \"\nlabels =", "no line of text"),
        ("kind = \"github\"", "kind = \"gitea\"\nstatus-kind = \"check-run\"", "only GitHub has check runs"),
    ];
    for (from, to, words) in cases {
        assert!(config.contains(from), "{from}");
        world.write("port/tidelock.toml", &config.replacen(from, to, 1));
        let ran = tidelock(&world, &forge, &["sync"]);
        assert_eq!(ran.code(), 2, "{to}: {ran}");
        assert!(ran.stderr().contains(words) && !ran.stderr().contains("geheim"), "{to}: {ran}");
    }
}
