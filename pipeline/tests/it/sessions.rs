//! Whole programs on both sides: a word counter of the upstream's, and what answers to it in the port.

use serde_json::Value;

use crate::world::{Ran, World};

/// Counts words or lines, writes the number down, and tells who it is.
const COUNTER: &str = r#"use std::io::Read;

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("it is text");
    let options: Vec<String> = std::env::args().skip(1).collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    match options.as_slice() {
        [] => println!("{}", text.split_whitespace().count()),
        ["-l"] => println!("{}", text.lines().count()),
        ["--save", file] => {
            let text = std::fs::read_to_string(file).unwrap_or(text);
            std::fs::write("count.txt", text.split_whitespace().count().to_string()).expect("there is room");
        }
        ["--id"] => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            println!("number {}", now.expect("it is later").as_nanos());
        }
        _ => {
            eprintln!("usage: count [-l | --save FILE | --id]");
            std::process::exit(2);
        }
    }
}
"#;

/// Adds numbers, request by request.
const ADDER: &str = r#"use std::io::{BufRead, Write};

fn main() {
    let mut total = 0_i64;
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("it is text");
        let number: i64 = line.trim_matches(|sign: char| !"-0123456789".contains(sign)).parse().unwrap();
        total += number;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        println!("{{\"total\": {total}, \"at\": {}}}", now.as_micros());
        std::io::stdout().flush().expect("somebody reads");
    }
}
"#;

const COUNTER_PORT: &str = r#""""Count words."""

import os
import sys
import time


def main() -> int:
    """Count what stands on standard input."""
    text = sys.stdin.read()
    options = sys.argv[1:]
    if not options:
        print(len(text.split()))
    elif options == ["-l"]:
        print(len(text.removesuffix("\n").split("\n")) if text else 0)
    elif len(options) == 2 and options[0] == "--save":
        if os.path.exists(options[1]):
            with open(options[1], encoding="utf-8") as file:
                text = file.read()
        with open("count.txt", "w", encoding="utf-8") as file:
            file.write(str(len(text.split())))
    elif options == ["--id"]:
        print("number", time.time_ns())
    else:
        print("usage: count", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
"#;

const ADDER_PORT: &str = r#""""Add numbers."""

import json
import sys
import time


def main() -> None:
    """Answer each request."""
    total = 0
    for line in sys.stdin:
        total += json.loads(line)["add"]
        print(json.dumps({"at": time.time_ns() // 1000, "total": total}), flush=True)


if __name__ == "__main__":
    main()
"#;

const SESSIONS: &str = r#"
[[map]]
items = "count::**"
strategy = "ignore"
reason = "the program is compared as a whole"

[[map]]
items = "adder::**"
strategy = "ignore"
reason = "the program is compared as a whole"

[[session]]
name = "count"
command = ["python3", "-m", "tally.count"]
timeout-s = 20.0
generated = 4

[[session.mask]]
pattern = "number [0-9]+"
with = "number <n>"

[[session.case]]
name = "words"
stdin = "one two\nthree\n"

[[session.case]]
name = "lines"
args = ["-l"]
stdin = "one two\nthree"

[[session.case]]
name = "saved"
args = ["--save", "in/text.txt"]
files = { "in/text.txt" = "a b c" }

[[session.case]]
name = "who"
args = ["--id"]

[[session.case]]
name = "refused"
args = ["--no-such-option"]

[[session]]
name = "adder"
command = ["python3", "-m", "tally.adder"]
timeout-s = 20.0
generated = 0
ignore = ["/at"]

[[session.case]]
name = "sums"
lines = ['{"add": 2}', '{"add": "no"}', '{"add": 40}']
"#;

/// The usual world with two programs on both sides.
fn world() -> World {
    let world = World::new();
    world.write("upstream/src/bin/count.rs", COUNTER);
    world.write("upstream/src/bin/adder.rs", ADDER);
    world.commit("upstream", "programs");
    world.write("port/tally/count.py", COUNTER_PORT);
    world.write("port/tally/adder.py", ADDER_PORT);
    world.write("port/tidelock.toml", &(world.read("port/tidelock.toml") + SESSIONS));
    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    world.commit("port", "programs too");
    let head = world.git("upstream", &["rev-parse", "HEAD"]);
    let adopted = world.tidelock(&["init", "--adopt", head.trim()]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    world.commit("port", "adopt");
    world
}

/// The rows of sessions that `contract check` tells of, by name.
fn rows(ran: &Ran) -> Vec<(String, String)> {
    let rows = ran.json()["sessions"].as_array().cloned().unwrap_or_default();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    rows.iter().map(|row| (text(row, "name"), text(row, "verdict"))).collect()
}

/// Checks one session of a port whose program was changed.
fn spoiled(world: &World, file: &str, from: &str, to: &str) -> Ran {
    let right = world.read(file);
    let wrong = right.replace(from, to);
    assert_ne!(right, wrong, "{from}");
    world.write(file, &wrong);
    let session = if file.ends_with("count.py") { "count" } else { "adder" };
    let ran = world.tidelock(&["contract", "check", session, "--format", "json"]);
    world.write(file, &right);
    ran
}

#[test]
fn a_port_passes_where_its_programs_do_the_same_and_each_fault_is_named_with_its_case() {
    let world = world();
    let right = world.tidelock(&["contract", "check", "count", "adder", "--format", "json"]);
    assert_eq!(right.code(), 0, "{right}");
    let told = rows(&right);
    let names = ["count/words", "count/lines", "count/saved", "count/who", "count/refused", "adder/sums"];
    for name in names {
        assert!(told.contains(&(name.to_owned(), "pass".to_owned())), "{name}: {right}");
    }
    assert!(told.iter().all(|(_, verdict)| verdict == "pass"), "{right}");
    assert!(told.len() > names.len(), "some were made: {right}");

    let count = "port/tally/count.py";
    for (from, to, case, what) in [
        ("return 2", "return 3", "count/refused", "exit code"),
        ("print(len(text.split()))", "print(len(text.split()) + 1)", "count/words", "standard output"),
        ("open(\"count.txt\", \"w\"", "open(os.devnull, \"w\"", "count/saved", "file count.txt"),
        ("print(\"usage: count\", file=sys.stderr)", "pass", "count/refused", "standard error"),
    ] {
        let refused = spoiled(&world, count, from, to);
        assert_eq!(refused.code(), 4, "{refused}");
        assert!(rows(&refused).contains(&(case.to_owned(), "fail".to_owned())), "{refused}");
        let findings = refused.json()["findings"].to_string();
        assert!(findings.contains(&format!("{case}: {what}: upstream ")), "{findings}");
    }
    let refused = spoiled(&world, "port/tally/adder.py", "total += ", "total = 0 + ");
    assert_eq!(refused.code(), 4, "{refused}");
    let findings = refused.json()["findings"].to_string();
    assert!(findings.contains("adder/sums: answer 3: upstream "), "{findings}");
    assert!(!findings.contains("answer 2"), "both die of the second request: {findings}");
}

#[test]
fn the_gate_tells_of_sessions_in_every_form_with_lines_that_run() {
    let world = world();
    let right = world.tidelock(&["gate", "--format", "json"]);
    assert_eq!(right.code(), 0, "{right}");
    let gate = behavioural(&right.json());
    assert_eq!(gate["verdict"], "pass", "{gate:#}");
    assert!(gate["reason"].as_str().unwrap().contains("cases of programs agree"), "{gate:#}");

    let text = world.read("port/tally/count.py");
    world.write("port/tally/count.py", &text.replace("return 2", "return 3"));
    let refused = world.tidelock(&["gate", "--format", "json", "--junit", "gate.xml"]);
    assert_eq!(refused.code(), 4, "{refused}");
    let gate = behavioural(&refused.json());
    assert_eq!(gate["verdict"], "fail", "{gate:#}");
    let row = gate["sessions"].as_array().unwrap().iter().find(|row| row["name"] == "count/refused").unwrap();
    assert_eq!(row["change"], "the port changed, and the upstream did not", "{gate:#}");
    let xml = world.read("port/gate.xml");
    assert!(xml.contains("name=\"count/refused\"") && xml.contains("name=\"count/words\""), "{xml}");
    let example = gate["counterexamples"].as_array().unwrap();
    let example = example.iter().find(|one| one["symbol"] == "count/refused").unwrap();
    // Both lines run as they are, and show what was told.
    for (line, shown) in example["commands"].as_array().unwrap().iter().zip(["upstream", "port"]) {
        let invocation = upstream::process::Invocation::new("sh", world.path("port"))
            .args(["-c", line.as_str().unwrap()])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let runner = upstream::process::SystemProcessRunner::default();
        let ran = upstream::process::ProcessRunner::run(&runner, &invocation).unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert_eq!(said.trim(), example[shown].as_str().unwrap(), "{line}");
    }
}

#[test]
fn a_program_that_hangs_is_late_in_its_case_and_what_is_random_blocks_without_a_mask() {
    let world = world();
    let config = world.read("port/tidelock.toml");
    let hasty = config.replace("timeout-s = 20.0\ngenerated = 4", "timeout-s = 5.0\ngenerated = 0");
    assert_ne!(hasty, config);
    world.write("port/tidelock.toml", &hasty);
    let hang = "if options == [\"-l\"]:\n        while True:\n            pass\n    if not options:";
    let refused = spoiled(&world, "port/tally/count.py", "if not options:", hang);
    assert_eq!(refused.code(), 4, "{refused}");
    let findings = refused.json()["findings"].to_string();
    assert!(
        findings.contains("count/lines: exit code: upstream exit code 0, port no end in time"),
        "{findings}"
    );
    assert!(rows(&refused).contains(&("count/words".to_owned(), "pass".to_owned())), "{refused}");

    world.write("port/tidelock.toml", &config.replace("number [0-9]+", "nothing like it"));
    let unmasked = world.tidelock(&["contract", "check", "count"]);
    assert_eq!(unmasked.code(), 6, "{unmasked}");
    let said = unmasked.stdout();
    assert!(
        said.contains("count/who: cannot tell: the upstream answers differently from run to run"),
        "{said}"
    );
    assert!(said.contains("[[session.mask]]"), "what to do: {said}");
}

#[test]
fn a_sync_lands_where_the_programs_change_alike_and_says_no_where_they_do_not() {
    let world = world();
    let counter = world.read("upstream/src/bin/count.rs").replace("exit(2)", "exit(64)");
    world.write("upstream/src/bin/count.rs", &counter);
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "another code");
    let refused = world.tidelock(&["sync"]);
    assert_eq!(refused.code(), 4, "the port's program still ends with 2: {refused}");
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 10"), "nothing landed: {refused}");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let gate = behavioural(&record["revisions"][0]);
    assert_eq!(gate["verdict"], "fail", "{gate:#}");
    let finding = gate["findings"][0]["text"].as_str().unwrap();
    assert!(
        finding.starts_with("count/refused: exit code: upstream exit code 64, port exit code 2"),
        "{finding}"
    );
    assert!(finding.ends_with("the upstream changed, and the port did not"), "{finding}");

    let port = world.read("port/tally/count.py").replace("return 2", "return 64");
    world.write("port/tally/count.py", &port);
    world.commit("port", "the new code");
    let landed = world.tidelock(&["sync"]);
    assert_eq!(landed.code(), 0, "{landed}");
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 11"), "{landed}");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let gate = behavioural(&record["revisions"][0]);
    let row = gate["sessions"].as_array().unwrap().iter().find(|row| row["name"] == "count/refused").unwrap();
    assert_eq!(row["change"], "the upstream changed, and the port did so before", "{gate:#}");
    // Words alone reach neither a program nor the port.
    world.upstream_changes("Small sums.", "Sums that are small.", "words");
    let words = world.tidelock(&["sync"]);
    assert_eq!(words.code(), 0, "{words}");
}

#[test]
fn what_is_wrong_with_a_session_is_said_with_its_place() {
    let world = world();
    let config = world.read("port/tidelock.toml");
    for (from, to, told) in [
        ("pattern = \"number [0-9]+\"", "pattern = \"number [0-9+\"", "is no pattern of a mask"),
        ("timeout-s = 20.0\ngenerated = 4", "time-out = 20.0", "unknown field `time-out`"),
        ("files = { \"in/text.txt\" = \"a b c\" }", "stdin-file = \"no.txt\"", "cannot read `no.txt`"),
    ] {
        assert!(config.contains(from), "{from}");
        world.write("port/tidelock.toml", &config.replace(from, to));
        let refused = world.tidelock(&["contract", "check", "count"]);
        assert_eq!(refused.code(), 2, "{refused}");
        let said = refused.stderr();
        assert!(said.contains(told) && said.contains("tidelock.toml:"), "{said}");
    }
    world.write("port/tidelock.toml", &config.replace("name = \"adder\"", "name = \"adding\""));
    let absent = world.tidelock(&["contract", "check", "adding"]);
    assert_eq!(absent.code(), 6, "{absent}");
    let said = absent.stdout();
    assert!(said.contains("there is no program `adding`") && said.contains("`adder`, `count`"), "{said}");
}

fn behavioural(said: &Value) -> Value {
    let gates = said["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["gate"] == "behavioural").unwrap_or_else(|| panic!("{said:#}")).clone()
}

/// A Python module of the upstream's around its library, and a session that asks both sides through Python.
const EXTENSION: (&str, &str) = (
    "import ctypes\nimport pathlib\n\n_core = ctypes.CDLL(str(pathlib.Path(__file__).parent / \"core.so\"))\n\
     _core.tally_bump.argtypes = [ctypes.c_uint8]\n_core.tally_bump.restype = ctypes.c_uint8\n\n\n\
     def bump(n):\n    return _core.tally_bump(n)\n",
    r#"
[[session]]
name = "api"
extension = "tally.core"
extension-sources = "python"
command = ["python3", "probe.py"]
generated = 0
timeout-s = 20.0

[[session.case]]
name = "bumps"
files = { "probe.py" = "import tally\nprint([tally.bump(n) for n in (0, 7, 255)])\n" }
"#,
);

#[test]
fn an_upstream_that_python_imports_is_asked_through_python() {
    let world = World::new();
    let manifest = world.read("upstream/Cargo.toml") + "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";
    world.write("upstream/Cargo.toml", &manifest);
    let bump = "\n#[no_mangle]\npub extern \"C\" fn tally_bump(n: u8) -> u8 {\n    bump(n)\n}\n";
    world.write("upstream/src/lib.rs", &(world.read("upstream/src/lib.rs") + bump));
    world.write("upstream/python/tally/__init__.py", EXTENSION.0);
    world.commit("upstream", "a module");
    let config = world.read("port/tidelock.toml");
    world.write("port/tidelock.toml", &(config.clone() + EXTENSION.1));
    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    world.commit("port", "asked through Python");
    let head = world.git("upstream", &["rev-parse", "HEAD"]);
    let adopted = world.tidelock(&["init", "--adopt", head.trim()]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    world.commit("port", "adopt");
    let check = || world.tidelock(&["contract", "check", "api", "--format", "json"]);
    let right = check();
    assert_eq!(right.code(), 0, "{right}");
    assert_eq!(rows(&right), [("api/bumps".to_owned(), "pass".to_owned())]);

    let port = world.read("port/tally/__init__.py");
    world.write("port/tally/__init__.py", &port.replace("255)", "256)"));
    let wrong = check();
    assert_eq!(wrong.code(), 4, "{wrong}");
    assert!(wrong.stdout().contains("[1, 8, 255]") && wrong.stdout().contains("[1, 8, 256]"), "{wrong}");

    world.write("port/tally/__init__.py", &port);
    world.write("port/tidelock.toml", &(config + &EXTENSION.1.replace("\"python\"", "\"nowhere\"")));
    let blocked = check();
    assert_eq!(blocked.code(), 6, "{blocked}");
    assert!(blocked.stdout().contains("the upstream has no folder `nowhere`"), "{blocked}");
}

/// What the upstream's program says where it is asked for what it does not know; no probe can call it.
const COMPLAINT: &str = "\n/// Says how the program is called, and how it ends.\n\
    pub fn complain(out: &mut dyn std::io::Write) -> i32 {\n    let _ = writeln!(out, \"usage: count\");\n    2\n}\n";

const COMPLAINT_PORT: &str = "\n\ndef complain(out) -> int:\n    \"\"\"Say how the program is called, and how it \
    ends.\"\"\"\n    print(\"usage: count\", file=out)\n    return 2\n";

/// Writes down each prompt, and answers the first with the code 65.
const WRONG_AT_FIRST: &str = r#"
import pathlib
folder = pathlib.Path(__file__).parent
number = len(list(folder.glob("prompt-*.txt"))) + 1
(folder / f"prompt-{number}.txt").write_text(prompt)
if number == 1:
    answer = answer.replace("return 64", "return 65")
"#;

#[test]
fn a_declared_case_that_differs_is_shown_to_who_translated_and_the_second_answer_lands() {
    let world = world();
    let library = world.read("upstream/src/lib.rs").replacen(
        "\n#[cfg(test)]",
        &format!("{COMPLAINT}\n#[cfg(test)]"),
        1,
    );
    world.write("upstream/src/lib.rs", &library);
    let program = world.read("upstream/src/bin/count.rs");
    let program = program.replace("            eprintln!(\"usage: count [-l | --save FILE | --id]\");\n", "");
    let program = program.replace("exit(2)", "exit(tally::complain(&mut std::io::stderr()))");
    world.write("upstream/src/bin/count.rs", &program);
    world.commit("upstream", "a complaint");
    world.write("port/tally/__init__.py", &(world.read("port/tally/__init__.py") + COMPLAINT_PORT));
    let port = world.read("port/tally/count.py");
    let port = port.replace(
        "        print(\"usage: count\", file=sys.stderr)\n        return 2",
        "        return complain(sys.stderr)",
    );
    world.write(
        "port/tally/count.py",
        &port.replace("import time\n", "import time\n\nfrom tally import complain\n"),
    );
    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    world.commit("port", "a complaint");
    let head = world.git("upstream", &["rev-parse", "HEAD"]);
    let adopted = world.tidelock(&["init", "--adopt", head.trim()]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    world.commit("port", "adopt");

    // More than a literal, which the rules would follow.
    world.upstream_changes("\"usage: count\");\n    2\n", "\"usage: count\");\n    64 + 0\n", "another code");
    let right = COMPLAINT_PORT.trim().replace("return 2", "return 64");
    let who = world.answering(&[("tally.complain", &right)], WRONG_AT_FIRST);
    let landed = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(landed.code(), 0, "{landed}");
    assert!(world.read("port/tally/__init__.py").contains("return 64"), "{landed}");

    let first = world.read("prompt-1.txt");
    assert!(!first.contains("--no-such-option"), "{first}");
    let second = world.read("prompt-2.txt");
    let told = "the program count/refused: `python3 -m tally.count --no-such-option`: exit code: Rust gave exit code 64, \
                the port gave exit code 65";
    assert!(second.contains(told), "{second}");
    assert!(second.contains("return 65"), "its answer is shown: {second}");
    // Generated cases decide: of all that is told, nothing is of one.
    let of_programs = second.lines().filter(|line| line.contains("the program count/")).count();
    assert_eq!(of_programs, 1, "{second}");
    assert!(!world.path("prompt-3.txt").exists(), "nobody is asked a third time");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let unit = &record["revisions"][0]["units"][0];
    assert_eq!(unit["outcome"]["outcome"], "translated", "{unit:#}");
}

#[test]
fn an_answer_that_stays_wrong_is_refused_and_nobody_is_asked_a_third_time() {
    let world = world();
    let counter = world.read("upstream/src/bin/count.rs").replace("exit(2)", "exit(64)");
    world.write("upstream/src/bin/count.rs", &counter);
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let right = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again behind the top.\"\"\"\n    return (n + 1) % 256";
    // What differs is in a file that no unit has.
    let who = world.answering(&[("tally.bump", right)], WRONG_AT_FIRST);
    let refused = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(refused.code(), 4, "{refused}");
    assert!(world.path("prompt-2.txt").exists() && !world.path("prompt-3.txt").exists(), "{refused}");
    assert!(!world.read("port/tally/__init__.py").contains("% 256"), "{refused}");
}
