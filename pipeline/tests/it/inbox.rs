//! Prompts as files, and answers as files: the translator is a person.

use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};

use crate::world::World;

const RIGHT: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";

/// The names in the inbox that end so.
fn named(world: &World, ending: &str) -> Vec<String> {
    let Ok(folder) = std::fs::read_dir(world.path("port/.tidelock/inbox")) else { return Vec::new() };
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(ending)).collect()
}

/// What a person would answer to a prompt.
fn answer(world: &World, prompt: &str) -> String {
    world.answering(&[("tally.bump", RIGHT)], "");
    let invocation = Invocation::new("python3", world.path(".")).args(["answer.py"]).stdin(prompt);
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "{}", finished.tail(10));
    String::from_utf8(finished.stdout).unwrap()
}

#[test]
fn a_sync_asks_by_a_file_goes_on_without_and_lands_when_the_answer_is_there() {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    let inbox = "\n[[translate.model]]\nname = \"people\"\nkind = \"inbox\"\n";
    world.write("port/tidelock.toml", &(config + inbox));
    world.commit("port", "people translate");
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let planned = world.tidelock(&["plan", "--prompt", "tally::bump"]);
    assert_eq!(planned.code(), 0, "{planned}");
    assert_eq!(named(&world, ".md"), Vec::<String>::new(), "a plan asks nobody");

    let asked = world.tidelock(&["sync"]);
    assert_eq!(asked.code(), 5, "{asked}");
    let [prompt] = named(&world, ".prompt.md").try_into().expect("one unit, one prompt");
    assert!(asked.stdout().contains(&prompt), "the report says where it waits: {asked}");
    let text = world.read(&format!("port/.tidelock/inbox/{prompt}"));
    assert_eq!(text, planned.stdout(), "what the plan shows is what is asked");
    let plain = world.tidelock(&["sync"]);
    assert_eq!(plain.code(), 3, "{plain}");
    assert!(plain.stderr().contains("unanswered: 1 prompt in"), "{plain}");

    let reply = prompt.replace(".prompt.", ".answer.");
    world.write(&format!("port/.tidelock/inbox/{reply}"), &answer(&world, &text));
    world.write("port/.tidelock/inbox/0123456789abcdef.answer.md", "to a prompt of last week");
    let landed = world.tidelock(&["sync"]);
    assert_eq!(landed.code(), 0, "{landed}");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
    assert_eq!(world.tidelock(&["verify"]).code(), 0);
    assert!(world.path(&format!("port/.tidelock/inbox/answered/{reply}")).is_file());
    assert!(landed.stderr().contains("0123456789abcdef"), "the other answer is named: {landed}");
    assert_eq!(
        world.read("port/.tidelock/inbox/unused/0123456789abcdef.answer.md"),
        "to a prompt of last week",
        "and kept"
    );
    assert_eq!(world.tidelock(&["sync"]).code(), 3, "nothing waits any more");
}

#[test]
fn a_unit_that_is_not_in_the_plan_has_no_prompt() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let ran = world.tidelock(&["plan", "--prompt", "tally::nothing"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("has no unit `tally::nothing`"), "{ran}");
}
