//! `tidelock contract` and `tidelock gate`: the contract by itself, and over a person's change.

use serde_json::Value;

use crate::world::World;

/// A small change of the port that makes it wrong.
fn break_bump(world: &World) {
    let text = world.read("port/tally/__init__.py");
    let broken = text.replace("n + 1", "n + 2");
    assert_ne!(text, broken, "the port has changed: this test has to follow");
    world.write("port/tally/__init__.py", &broken);
}

#[test]
fn the_gate_says_no_to_a_persons_mistake_in_every_form() {
    let world = World::new();
    let passed = world.tidelock(&["gate", "--format", "json"]);
    assert_eq!(passed.code(), 0, "{passed}");
    assert_eq!(passed.json()["verdict"], "pass");
    let names: Vec<Value> =
        passed.json()["gates"].as_array().unwrap().iter().map(|gate| gate["gate"].clone()).collect();
    assert_eq!(names[..3], ["validity", "spec", "numeric"]);

    break_bump(&world);
    let refused = world.tidelock(&["gate", "--junit", "gate.xml", "--sarif", "gate.sarif"]);
    assert_eq!(refused.code(), 4, "{refused}");
    assert!(refused.stdout().contains("FAIL") && refused.stdout().contains("tally.bump("), "{refused}");
    assert!(world.read("port/gate.xml").contains("<failure"), "{refused}");
    let log: Value = serde_json::from_str(&world.read("port/gate.sarif")).unwrap();
    let place = log.pointer("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri");
    assert_eq!(place.and_then(Value::as_str), Some("tally/__init__.py"), "{log:#}");
    // What is committed is right still, and can be gated without the working tree.
    let committed = world.tidelock(&["gate", "HEAD"]);
    assert_eq!(committed.code(), 0, "{committed}");
}

#[test]
fn the_gate_refuses_what_cannot_be_relied_on_and_says_what_is_missing() {
    let world = World::new();
    let unknown = world.tidelock(&["gate", "no-such-revision"]);
    assert_eq!(unknown.code(), 2, "{unknown}");
    assert!(unknown.stderr().contains("no revision `no-such-revision`"), "{unknown}");

    world.write("port/tally/__init__.py", "def bump(:\n");
    let broken = world.tidelock(&["gate", "--format", "json"]);
    assert_eq!(broken.code(), 4, "{broken}");
    let findings = broken.json().pointer("/gates/0/findings").cloned().unwrap_or_default();
    assert!(findings.to_string().contains("file-broken"), "{broken}");

    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    let lockless = world.tidelock(&["gate"]);
    assert_eq!(lockless.code(), 2, "{lockless}");
    assert!(lockless.stderr().contains("tidelock init --adopt"), "{lockless}");
}

#[test]
fn the_contract_is_derived_checked_and_explained_for_one_item() {
    let world = World::new();
    let derived = world.tidelock(&["contract", "derive", "--format", "json"]);
    assert_eq!(derived.code(), 0, "{derived}");
    let rows = derived.json();
    let bump = rows.as_array().unwrap().iter().find(|row| row["symbol"] == "tally.bump").unwrap().clone();
    assert_eq!(bump["calls"][0]["arguments"][0], "u8");
    assert!(bump["calls"][0]["generated"].as_u64().unwrap() > 10, "{bump:#}");

    assert_eq!(world.tidelock(&["contract", "check", "bump", "width"]).code(), 0);
    break_bump(&world);
    assert_eq!(
        world.tidelock(&["contract", "check", "tally.width"]).code(),
        0,
        "only what is named is asked"
    );
    let wrong = world.tidelock(&["contract", "check", "tally::bump"]);
    assert_eq!(wrong.code(), 4, "{wrong}");

    let explained = world.tidelock(&["contract", "explain", "bump"]);
    assert_eq!(explained.code(), 4, "{explained}");
    let text = explained.stdout();
    assert!(text.contains("fn bump(n: u8) -> u8") && text.contains("relation"), "{text}");
    // The command shows by itself what the port does.
    let command = text.lines().find_map(|line| line.trim().strip_prefix("PYTHONPATH='.' ")).unwrap();
    assert!(command.starts_with("python3 -c 'import tally; print(repr(tally.bump("), "{command}");

    let unknown = world.tidelock(&["contract", "check", "nothing"]);
    assert_eq!(unknown.code(), 2, "{unknown}");
    assert!(unknown.stderr().contains("neither a linked item nor its symbol"), "{unknown}");
}

#[test]
fn the_contract_is_measured_with_what_it_has_to_refuse_and_to_accept() {
    let world = World::new();
    let arguments =
        ["contract", "measure", "--wrong", "8", "--rewrites", "3", "--calls", "300", "--format", "json"];
    let measured = world.tidelock(&arguments);
    assert_eq!(measured.code(), 0, "{measured}");
    let rates = measured.json()["rates"].clone();
    assert_eq!(rates["wrong"]["tried"], 8);
    assert!(rates["wrong"]["refused"].as_u64().unwrap() >= 5, "{rates:#}");
    assert_eq!((&rates["false_accept"]["times"], &rates["false_reject"]["times"]), (&0.into(), &0.into()));
    // The port itself is as it was.
    assert_eq!(world.git("port", &["status", "--porcelain"]), "");

    break_bump(&world);
    world.commit("port", "wrong");
    let refused = world.tidelock(&arguments);
    assert_eq!(refused.code(), 1, "{refused}");
    assert!(refused.stderr().contains("not known to be right"), "{refused}");
}

/// A type whose values change, on both sides.
const QUEUE: &str = "
/// Waits in line.
pub struct Queue {
    waiting: Vec<u32>,
}

impl Queue {
    /// Nobody.
    pub fn new() -> Self {
        Self { waiting: Vec::new() }
    }

    /// Lines up.
    pub fn push(&mut self, who: u32) -> usize {
        self.waiting.push(who);
        self.waiting.len()
    }

    /// The first in line.
    pub fn pop(&mut self) -> Option<u32> {
        if self.waiting.is_empty() { None } else { Some(self.waiting.remove(0)) }
    }
}
";
const QUEUE_PORT: &str = "


class Queue:
    \"\"\"Waits in line.\"\"\"

    def __init__(self) -> None:
        self._waiting = []

    def push(self, who: int) -> int:
        \"\"\"Line up.\"\"\"
        self._waiting.append(who)
        return len(self._waiting)

    def pop(self):
        \"\"\"Return the first in line.\"\"\"
        return self._waiting.pop(0) if self._waiting else None
";

#[test]
fn a_fault_that_no_single_call_shows_is_refused_with_a_sequence_to_run() {
    let world = World::new();
    world.write("upstream/src/lib.rs", &(world.read("upstream/src/lib.rs") + QUEUE));
    world.commit("upstream", "a queue");
    world.write("port/tally/__init__.py", &(world.read("port/tally/__init__.py") + QUEUE_PORT));
    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    world.commit("port", "a queue too");
    let second = world.git("upstream", &["rev-parse", "HEAD"]);
    let adopted = world.tidelock(&["init", "--adopt", second.trim()]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    world.commit("port", "adopt");
    let right = world.tidelock(&["gate", "--format", "json"]);
    assert_eq!(right.code(), 0, "{right}");
    let gate = |said: &Value, name: &str| -> Value {
        let gates = said["gates"].as_array().unwrap();
        gates.iter().find(|gate| gate["gate"] == name).unwrap_or_else(|| panic!("{said:#}")).clone()
    };
    let behavioural = gate(&right.json(), "behavioural");
    assert_eq!(behavioural["verdict"], "pass", "{behavioural:#}");
    assert!(behavioural["reason"].as_str().unwrap().contains("on values of 1 type agree"), "{behavioural:#}");

    let text = world.read("port/tally/__init__.py");
    world.write("port/tally/__init__.py", &text.replace("_waiting.pop(0)", "_waiting.pop()"));
    let refused = world.tidelock(&["gate", "--format", "json"]);
    assert_eq!(refused.code(), 4, "{refused}");
    assert_eq!(gate(&refused.json(), "numeric")["verdict"], "pass", "{refused}");
    let behavioural = gate(&refused.json(), "behavioural");
    assert_eq!(behavioural["verdict"], "fail", "{behavioural:#}");
    // The shortest there are: two in line, in either order.
    for example in behavioural["counterexamples"].as_array().unwrap() {
        let (first, second) = (&example["upstream"], &example["port"]);
        let pushes = [first, second].map(|who| format!("it.push({})", who.as_str().unwrap()));
        let program = ["it = tally.Queue()", &pushes[0], &pushes[1], "print(repr(it.pop()))"];
        assert_eq!(example["program"], serde_json::json!(program), "{behavioural:#}");
        assert_eq!(example["divergence"]["symbol"], "tally.Queue.pop", "{behavioural:#}");
    }
    let finding = behavioural["findings"][0]["text"].as_str().unwrap();
    assert!(finding.contains("sequences of calls on one value differ"), "{finding}");

    let explained = world.tidelock(&["contract", "explain", "pop"]);
    assert_eq!(explained.code(), 4, "{explained}");
    let said = explained.stdout();
    assert!(said.contains("; it.pop()"), "{said}");
    assert!(said.contains("import tally\nit = tally.Queue()\nit.push("), "{said}");
}

#[test]
fn a_port_that_differs_in_one_item_is_adopted_without_it_where_that_is_asked_for() {
    let world = World::new();
    break_bump(&world);
    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    world.commit("port", "differs");
    let first = world.git("upstream", &["rev-parse", "HEAD"]);
    let refused = world.tidelock(&["init", "--adopt", first.trim()]);
    assert_eq!(refused.code(), 4, "{refused}");
    assert!(refused.stderr().contains("--leave-out"), "{refused}");
    assert!(!world.path("port/tidelock.lock").exists());

    let adopted = world.tidelock(&["init", "--adopt", first.trim(), "--leave-out"]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    assert!(
        adopted.stderr().contains("left out: `tally::bump`, in which the port differs: tally.bump("),
        "{adopted}"
    );
    let lock = world.read("port/tidelock.lock");
    assert!(!lock.contains("\"tally::bump\"") && lock.contains("\"tally::width\""), "{lock}");
    world.commit("port", "adopt the rest");
    let gated = world.tidelock(&["gate"]);
    assert_eq!(gated.code(), 0, "{gated}");

    // What differs everywhere is not that revision.
    let text = world.read("port/tally/__init__.py");
    let text = text.replace("def ", "def other_").replace("LIMIT", "TOP");
    world.write("port/tally/__init__.py", &(text + "\n\ndef bump():\n    return 1\n"));
    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    world.commit("port", "another");
    let refused = world.tidelock(&["init", "--adopt", first.trim(), "--leave-out"]);
    assert_eq!(refused.code(), 4, "{refused}");
    assert!(refused.stderr().contains("in every item that is linked"), "{refused}");
}
