//! Whole sessions over small programs: scripts stand for an upstream's programs, which only have to be files that run.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use upstream::clock::SystemClock;
use upstream::process::{Ending, Finished, Invocation, ProcessError, ProcessRunner, SystemProcessRunner};

use super::super::conversation::Tools;
use super::super::python::PortSide;
use super::vary::generated;
use super::*;
use crate::confinement::Access;
use crate::sandbox::Unconfined;

/// Counts words, writes them down, and refuses what is no option.
const COUNTER: &str = r#"#!/usr/bin/env python3
import sys
text = sys.stdin.read()
options = sys.argv[1:]
if options not in ([], ["-l"], ["--save"]):
    sys.stderr.write("usage\n")
    sys.exit(2)
if options == ["--save"]:
    open("out.txt", "w").write(str(len(text.split())))
print(len(text.splitlines()) if options == ["-l"] else len(text.split()))
"#;

/// Keeps a sum, and dies of what is no number.
const SERVER: &str = r#"#!/usr/bin/env python3
import json, os, sys
total = 0
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("add") is None:
        os._exit(9)
    total += asked["add"]
    print(json.dumps({"id": asked["id"], "total": total, "pid": os.getpid()}), flush=True)
"#;

/// An upstream and a port in a folder.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(upstream: &str, port: &str) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let file = world.path("upstream");
        std::fs::write(&file, upstream).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::create_dir(world.path("port")).unwrap();
        world.port(port);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn port(&self, text: &str) {
        std::fs::write(self.path("port/tool.py"), text).unwrap();
    }

    fn side(&self) -> PortSide {
        PortSide {
            root: self.path("port"),
            import_roots: vec![self.path("port")],
            python: "python3".into(),
            access: Access::default(),
            environment: BTreeMap::new(),
        }
    }

    fn check(&self, session: &Session) -> Vec<SessionEvidence> {
        self.check_by(&SystemProcessRunner::default(), session, None)
    }

    /// `old` is the root of the port before, where the change is compared too.
    fn check_by(
        &self,
        runner: &dyn ProcessRunner,
        session: &Session,
        old: Option<&Path>,
    ) -> Vec<SessionEvidence> {
        let program = Program::at(&self.path("upstream"));
        let programs = BTreeMap::from([(session.name.clone(), Ok(program))]);
        let before = PortSide { root: old.unwrap_or(Path::new("/")).to_owned(), ..self.side() };
        let before = PortSide { import_roots: vec![before.root.clone()], ..before };
        check_sessions(
            &Tools {
                runner,
                confinement: &Unconfined,
                clock: &SystemClock,
                probe_timeout_ms: 5000,
                build_timeout_ms: 5000,
            },
            &SessionsRequest {
                sessions: std::slice::from_ref(session),
                programs: &programs,
                port: &self.side(),
                old: old.map(|_| (&programs, &before)),
                deciding_seed: "seed",
                shown_root: Path::new("/home/me/port"),
                cache_dir: &self.path("cache"),
            },
        )
        .unwrap()
    }
}

fn case(name: &str, arguments: &[&str], stdin: &str) -> Case {
    Case {
        name: name.to_owned(),
        arguments: arguments.iter().copied().map(str::to_owned).collect(),
        input: Input::Whole(stdin.as_bytes().to_vec()),
        files: BTreeMap::new(),
        environment: BTreeMap::new(),
        origin: Origin::Declared,
    }
}

fn session(cases: Vec<Case>) -> Session {
    Session {
        name: "wc".to_owned(),
        package: None,
        program: "wc".to_owned(),
        extension: None,
        command: ["python3", "-m", "tool"].map(str::to_owned).to_vec(),
        environment: BTreeMap::new(),
        relation: Relation { files: true, ..Relation::default() },
        timeout_ms: 20_000,
        generated: 0,
        cases,
    }
}

fn counting() -> Session {
    session(vec![
        case("words", &[], "a b\nc"),
        case("lines", &["-l"], "a b\nc"),
        case("saved", &["--save"], "a b\nc"),
        case("refused", &["-x"], ""),
    ])
}

/// What of each case differs, by its name.
fn differing(found: &[SessionEvidence]) -> Vec<String> {
    let told = |one: &SessionEvidence| {
        one.differences().iter().map(|it| format!("{}: {}", one.case, it.what)).collect::<Vec<_>>()
    };
    found.iter().flat_map(told).collect()
}

/// Why cases could not be told.
fn blocked(found: &[SessionEvidence]) -> Vec<&str> {
    found
        .iter()
        .filter_map(|one| match &one.outcome {
            SessionOutcome::Blocked(reason) => Some(reason.as_str()),
            SessionOutcome::Agreed | SessionOutcome::Differed(_) => None,
        })
        .collect()
}

#[test]
fn each_thing_that_a_port_does_otherwise_is_named_with_its_case() {
    let world = World::new(COUNTER, COUNTER);
    let right = world.check(&counting());
    assert!(right.iter().all(|one| one.outcome == SessionOutcome::Agreed), "{right:#?}");
    assert_eq!(right.len(), 4);
    for (from, to, told) in [
        ("sys.exit(2)", "sys.exit(3)", "refused: exit code"),
        ("len(text.splitlines())", "len(text.splitlines()) + 1", "lines: standard output"),
        ("open(\"out.txt\", \"w\").write(", "(", "saved: file out.txt"),
        ("sys.stderr.write(\"usage\\n\")", "pass", "refused: standard error"),
        ("sys.exit(2)", "raise ValueError", "refused: exit code"),
    ] {
        let wrong = COUNTER.replace(from, to);
        assert_ne!(wrong, COUNTER, "{from}");
        world.port(&wrong);
        let found = world.check(&counting());
        assert_eq!(differing(&found), [told], "{found:#?}");
    }
    world.port(&COUNTER.replace("sys.exit(2)", "sys.exit(3)"));
    let found = world.check(&counting());
    let commands = found.iter().find(|one| one.case == "refused").unwrap().commands.clone();
    assert!(commands[0].contains("/upstream -x; echo"), "{commands:?}");
    assert!(commands[1].contains("PYTHONPATH=/home/me/port python3 -m tool -x; echo"), "{commands:?}");
}

#[test]
fn what_differs_is_shown_by_a_smaller_case() {
    let world = World::new(COUNTER, &COUNTER.replace("else len(text.split())", "else len(text.split(' '))"));
    let long = "line of words\n".repeat(8);
    let mut session = session(vec![case("long", &[], &long)]);
    session.cases[0].environment = BTreeMap::from([("UNUSED".to_owned(), "1".to_owned())]);
    let found = world.check(&session);
    assert_eq!(differing(&found), ["long: standard output"], "{found:#?}");
    let told = &found[0];
    assert!(told.note.contains("a smaller case"), "{told:#?}");
    assert!(told.commands.iter().all(|line| line.len() < 200 && !line.contains("UNUSED")), "{told:#?}");
    let difference = &told.differences()[0];
    assert!(difference.upstream.len() < 20 && difference.upstream != difference.port, "{difference:?}");
}

#[test]
fn what_the_change_did_is_told() {
    let world = World::new(COUNTER, COUNTER);
    let old = world.path("old");
    std::fs::create_dir(&old).unwrap();
    let changes = |text: &str| {
        std::fs::write(old.join("tool.py"), text).unwrap();
        let found = world.check_by(
            &SystemProcessRunner::default(),
            &session(vec![case("words", &[], "a b")]),
            Some(&old),
        );
        found[0].change
    };
    assert_eq!(changes(COUNTER), Some(Change::None));
    assert_eq!(changes(&COUNTER.replace("else len(text.split())", "else 7")), Some(Change::PortOnly));
    assert_eq!(Change::of(true, true, true), Change::Alike);
    assert_eq!(Change::of(true, false, true), Change::Absorbed);
    assert_eq!(Change::of(true, false, false), Change::Missed);
}

#[test]
fn what_is_random_is_masked_or_blocks_its_case_alone() {
    let random =
        "#!/usr/bin/env python3\nimport os, sys\nprint(os.getpid(), os.getcwd(), sys.stdin.read())\n";
    let world = World::new(random, random);
    let mut random = session(vec![case("random", &[], "x")]);
    let found = world.check(&random);
    assert!(blocked(&found)[0].contains("differently from run to run"), "{found:#?}");
    assert!(blocked(&found)[0].contains("[[session.mask]]"), "{found:#?}");
    random.relation.masks.push(Mask::new("^[0-9]+", "<pid>").unwrap());
    let found = world.check(&random);
    assert_eq!(found[0].outcome, SessionOutcome::Agreed, "the folder needs no mask: {found:#?}");
    world.port("import os\nprint(os.getpid(), os.getcwd(), 'y')\n");
    assert_eq!(differing(&world.check(&random)), ["random: standard output"]);
}

/// Runs what it is given, but for what hangs: no test has to wait for that.
#[derive(Debug)]
struct Late {
    hangs: fn(&Invocation) -> bool,
}

impl ProcessRunner for Late {
    fn run(&self, invocation: &Invocation) -> Result<Finished, ProcessError> {
        if !(self.hangs)(invocation) {
            return SystemProcessRunner::default().run(invocation);
        }
        let (stdout, stderr) = (b"half of".to_vec(), Vec::new());
        Ok(Finished { ending: Ending::TimedOut, stdout, stderr, duration_ms: invocation.limits.timeout_ms })
    }
}

fn is_port(invocation: &Invocation) -> bool {
    invocation.arguments.iter().any(|argument| argument == "tool")
}

#[test]
fn a_port_that_hangs_fails_its_case_and_an_upstream_that_does_blocks_it() {
    let world = World::new(COUNTER, COUNTER);
    let mut hanging = session((0..4).map(|at| case(&format!("hangs {at}"), &[], "hang")).collect());
    hanging.cases.insert(0, case("goes on", &[], "a"));
    // Each time it is given longer than before, which a busy machine needs.
    let port = Late { hangs: |run| is_port(run) && run.stdin == b"hang" && run.limits.timeout_ms >= 20_000 };
    let found = world.check_by(&port, &hanging, None);
    assert_eq!(found[0].outcome, SessionOutcome::Agreed, "{found:#?}");
    for hung in &found[1..4] {
        assert_eq!(hung.differences()[0].port, "no end in time", "{found:#?}");
    }
    assert_eq!(blocked(&found), ["the port: its program hung in 3 other cases of the session"]);
    // The second time is long enough.
    let slow = Late { hangs: |run| is_port(run) && run.limits.timeout_ms == 20_000 };
    assert!(differing(&world.check_by(&slow, &hanging, None)).is_empty());
    let upstream = Late { hangs: |run| !is_port(run) && run.stdin == b"hang" };
    let found = world.check_by(&upstream, &hanging, None);
    assert!(blocked(&found)[0].contains("does not come to an end within 20 s"), "{found:#?}");
    assert!(differing(&found).is_empty(), "{found:#?}");
}

#[test]
fn a_port_that_cannot_be_started_is_blocked_with_what_to_write() {
    let world = World::new(COUNTER, COUNTER);
    let mut absent = session(vec![case("words", &[], "a")]);
    absent.command = vec!["no-such-tool".to_owned()];
    let found = world.check(&absent);
    assert!(blocked(&found)[0].starts_with("the port: there is no program `no-such-tool`"), "{found:#?}");
    absent.command = vec!["{port}/tool.py".to_owned()];
    std::fs::set_permissions(world.path("port/tool.py"), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(world.check(&absent)[0].outcome, SessionOutcome::Agreed, "a file of the port");
}

fn serving(lines: &[&str]) -> Session {
    let input = Input::Lines(lines.iter().copied().map(str::to_owned).collect());
    let mut serving = session(vec![Case { input, ..case("adds", &[], "") }]);
    serving.relation.ignored = vec!["/pid".to_owned()];
    serving
}

#[test]
fn a_request_that_ends_a_server_costs_itself_alone() {
    let lines =
        ["{\"id\":1,\"add\":2}", "{\"id\":2}", "{\"id\":3,\"add\":5}", "{\"id\":4}", "{\"id\":5,\"add\":1}"];
    let world = World::new(SERVER, SERVER);
    let found = world.check(&serving(&lines));
    assert_eq!(found[0].outcome, SessionOutcome::Agreed, "{found:#?}");
    // The port lives through what ends the upstream: that is told, and what stands behind it is compared all the same.
    world.port(&SERVER.replace("os._exit(9)", "asked['add'] = 0"));
    assert_eq!(differing(&world.check(&serving(&lines))), ["adds: answer 2", "adds: answer 4"]);
    world.port(&SERVER.replace("total += asked[\"add\"]", "total = asked[\"add\"]"));
    assert_eq!(differing(&world.check(&serving(&lines))), ["adds: answer 3", "adds: answer 5"]);
    world.port(&SERVER.replace("flush=True)", "flush=True)\n    if total > 6: print('{}', flush=True)"));
    assert!(differing(&world.check(&serving(&lines))).contains(&"adds: answer 6".to_owned()), "one too many");
}

#[test]
fn cases_are_made_from_declared_ones_alike_for_a_seed() {
    let mut counting = counting();
    counting.generated = 30;
    let made = generated(&counting, "a secret");
    assert_eq!(made, generated(&counting, "a secret"));
    assert_ne!(made, generated(&counting, "another"));
    assert!(made.len() > 20 && made.iter().all(|case| case.origin == Origin::Generated), "{}", made.len());
    // A fault that no declared case shows: the last line without its end.
    let world = World::new(COUNTER, &COUNTER.replace("len(text.splitlines())", "text.count('\\n') + 1"));
    let found = world.check(&counting);
    let seen: Vec<_> = found.iter().filter(|one| !one.differences().is_empty()).collect();
    assert!(seen.iter().any(|one| one.origin == Origin::Generated), "{found:#?}");
    assert!(seen.iter().all(|one| one.case.starts_with("lines")), "{seen:#?}");
    let mut serving = serving(&["{\"id\":1,\"add\":2}", "{\"id\":2,\"add\":3}"]);
    serving.generated = 20;
    for case in generated(&serving, "a secret") {
        let Input::Lines(lines) = case.input else { panic!("it stays a conversation") };
        assert!(
            lines.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
            "{lines:?}"
        );
    }
}
