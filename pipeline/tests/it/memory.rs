//! What one machine has learned, handed to another.

use crate::world::World;

const RIGHT: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";

#[test]
fn what_one_port_has_learned_saves_another_the_question() {
    let teacher = World::new();
    assert_eq!(teacher.tidelock(&["memory", "list"]).code(), 3, "nothing is remembered yet");
    teacher.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let right = teacher.answering(&[("tally.bump", RIGHT)], "");
    assert_eq!(teacher.tidelock(&["sync", "--translator", &right]).code(), 0);
    let listed = teacher.tidelock(&["memory", "list", "--item", "bump", "--format", "json"]).json();
    assert_eq!((listed[0]["item"].as_str(), listed.as_array().map(Vec::len)), (Some("tally::bump"), Some(1)));
    let folder = teacher.path("learned").display().to_string();
    let exported = teacher.tidelock(&["memory", "export", "--to", &folder]);
    assert_eq!(exported.code(), 0, "{exported}");
    assert!(exported.stderr().contains("1 translation added"), "{exported}");
    assert_eq!(teacher.tidelock(&["memory", "export", "--to", &folder]).code(), 3, "it is there already");

    let pupil = World::new();
    pupil.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    assert_eq!(pupil.tidelock(&["memory", "import", &folder]).code(), 0);
    let ran = pupil.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(ran.stdout().contains("1 from memory"), "{ran}");
    assert!(pupil.read("port/tally/__init__.py").contains("% 256"));
}

#[test]
fn what_a_person_corrected_after_it_landed_is_what_another_port_gets() {
    let teacher = World::new();
    teacher.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let right = teacher.answering(&[("tally.bump", RIGHT)], "");
    assert_eq!(teacher.tidelock(&["sync", "--translator", &right]).code(), 0);
    assert_eq!(teacher.tidelock(&["sync"]).code(), 3, "nothing is new, and nobody corrected anything");
    let entries = |world: &World| world.tidelock(&["memory", "list", "--format", "json"]).json();
    assert_eq!(entries(&teacher).as_array().map(Vec::len), Some(1));
    let text = teacher.read("port/tally/__init__.py");
    teacher.write("port/tally/__init__.py", &text.replace("(n + 1) % 256", "(n + 1) & 0xFF"));
    teacher.commit("port", "the way we write it here");
    for _twice in 0..2 {
        let ran = teacher.tidelock(&["sync"]);
        assert_eq!(ran.code(), 3, "{ran}");
        let listed = entries(&teacher);
        let corrected: Vec<_> =
            listed.as_array().unwrap().iter().filter(|one| one["corrected"] == true).collect();
        assert_eq!((corrected.len(), listed.as_array().map(Vec::len)), (1, Some(2)), "{ran}");
        assert_eq!(corrected[0]["origin"], "a person");
    }
    let listed = teacher.tidelock(&["memory", "list"]);
    assert!(listed.stdout().contains("by a person, corrected"), "{listed}");

    let folder = teacher.path("learned").display().to_string();
    assert_eq!(teacher.tidelock(&["memory", "export", "--to", &folder]).code(), 0);
    let pupil = World::new();
    pupil.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    assert_eq!(pupil.tidelock(&["memory", "import", &folder]).code(), 0);
    let ran = pupil.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(pupil.read("port/tally/__init__.py").contains("& 0xFF"), "{ran}");

    // Under another style it answers nothing: the question is another one.
    let styled = World::new();
    styled.write("port/STYLE.md", "Masks are written as remainders.\n");
    styled.commit("port", "a style guide");
    styled.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    assert_eq!(styled.tidelock(&["memory", "import", &folder]).code(), 0);
    let ran = styled.tidelock(&["sync"]);
    assert_eq!(ran.code(), 5, "{ran}");
    assert!(!styled.read("port/tally/__init__.py").contains("& 0xFF"), "{ran}");
}

#[test]
fn what_is_no_memory_is_refused_whole_and_named() {
    let world = World::new();
    let ran = world.tidelock(&["memory", "import", "../nowhere"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr().contains("no folder `../nowhere`"), "{ran}");
    let entry = |key: char, answer: &str| {
        let key: String = std::iter::repeat_n(key, 32).collect();
        format!(
            "format = 1\nkey = \"{key}\"\norigin = \"me\"\nitem = \"tally::bump\"\nrevision = \"1\"\nanswer = \"{answer}\"\n"
        )
    };
    let good = "@@TL memory NOCHANGE reason=\\\"same\\\"\\n@@END memory\\n@@DONE memory n=1\\n";
    world.write("foreign/a.toml", &entry('a', good));
    world.write("foreign/b.toml", &entry('b', "rm -rf"));
    let ran = world.tidelock(&["memory", "import", "../foreign"]);
    assert_eq!(ran.code(), 1, "{ran}");
    assert!(ran.stderr().contains("tally::bump"), "{ran}");
    assert_eq!(world.tidelock(&["memory", "list"]).code(), 3, "nothing of it was taken in");
    world.write("foreign/b.toml", "format = 9\n");
    let ran = world.tidelock(&["memory", "import", "../foreign"]);
    assert!(ran.code() != 0 && ran.stderr().contains("b.toml"), "{ran}");
    std::fs::remove_file(world.path("foreign/b.toml")).unwrap();
    let ran = world.tidelock(&["memory", "import", "../foreign"]);
    assert_eq!(ran.code(), 0, "{ran}");
}
