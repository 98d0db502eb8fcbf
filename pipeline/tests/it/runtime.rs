//! The runtime module: it comes with what imports from it, and is told where it is not as it should be.

use crate::world::World;

/// Divides and wraps, as a model would write it that was told of the module.
const BUMP: (&str, &str) = (
    "tally.bump",
    "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return wrapping_add(n, 1, U8)",
);

const MODULE: &str = "port/tally/_tl_rt.py";

/// Puts a block of imports before the others.
fn importing(names: &str) -> String {
    format!(
        "answer = f\"@@TL {{nonce}} IMPORTS file=tally/__init__.py\\nfrom tally._tl_rt import {names}\\n@@END {{nonce}}\\n\" \
         + answer.replace('n=1', 'n=2')"
    )
}

fn moved() -> World {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    world
}

/// The codes of what was found in the answers of the model, and the reasons.
fn findings(world: &World) -> Vec<(String, String)> {
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let attempts = record["revisions"][0]["units"][0]["attempts"].as_array().unwrap().clone();
    let model = attempts.iter().filter(|attempt| attempt["route"] == "model");
    let found = model.flat_map(|attempt| attempt["findings"].as_array().unwrap().clone());
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    found.map(|finding| (text(&finding, "code"), text(&finding, "text"))).collect()
}

#[test]
fn it_lands_with_the_first_translation_that_imports_from_it_and_is_nobodys_drift() {
    let world = moved();
    let prompt = world.tidelock(&["plan", "--prompt", "tally::bump"]).stdout();
    let told = prompt.lines().find(|line| line.contains("tally._tl_rt")).unwrap_or_default();
    assert!(told.contains("wrapping_add(…, ty)") && !told.contains("saturating_"), "{prompt}");

    let who = world.answering(&[BUMP], &importing("U8, wrapping_add"));
    let ran = world.tidelock(&["sync", "--translator", &who]);
    assert_eq!(ran.code(), 0, "{ran}");
    let module = world.read(MODULE);
    assert!(module.starts_with("# tidelock-runtime: version 1, content "), "{module}");
    assert!(world.read("port/tally/__init__.py").contains("from tally._tl_rt import U8, wrapping_add"));
    let message = world.git("port", &["log", "-1", "--format=%B", "--", "tally/_tl_rt.py"]);
    assert!(message.contains("`tally/_tl_rt.py` is Tidelock's runtime module, version 1"), "{message}");
    assert_eq!(world.git("port", &["status", "--porcelain"]), "", "the working tree follows");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let diff =
        record["revisions"][0]["units"][0]["attempts"].as_array().unwrap().last().unwrap()["diff"].clone();
    let diff = diff.as_str().unwrap();
    assert!(diff.contains("wrapping_add") && !diff.contains("class Panic"), "{diff}");

    let verified = world.tidelock(&["verify", "--contract"]);
    assert_eq!(verified.code(), 0, "{verified}");
    let status = world.tidelock(&["status", "--format", "json"]);
    assert!(
        !status.stdout().contains("_tl_rt"),
        "no drift, no extension, nothing without an owner: {status}"
    );

    // A person edits it: it is told, and not written over by what uses it next.
    world.write(
        MODULE,
        &module.replace("def wrapping_add(", "def mine() -> int:\n    return 1\n\n\ndef wrapping_add("),
    );
    world.commit("port", "an edit");
    for command in ["status", "verify"] {
        let told = world.tidelock(&[command]);
        assert_eq!(told.code(), 0, "{told}");
        assert!(
            told.stdout().contains("note: tally/_tl_rt.py, the runtime module, was edited by hand"),
            "{told}"
        );
    }
    world.upstream_changes(
        "n.wrapping_add(1)",
        "if n == 200 { 0 } else { n.wrapping_add(1) }",
        "another top",
    );
    let another = (BUMP.0, &*BUMP.1.replace("return ", "return 0 if n == 200 else "));
    let ran = world.tidelock(&["sync", "--translator", &world.answering(&[another], "")]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(ran.stderr().contains("was edited by hand"), "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("0 if n == 200 else wrapping_add(n, 1, U8)"));
    assert!(world.read(MODULE).contains("def mine()"), "a person's work stays");
}

#[test]
fn a_name_that_it_has_not_and_a_port_that_has_none_are_refused_by_their_codes() {
    let world = moved();
    let before = world.read("port/tally/__init__.py");
    let who = world.answering(&[BUMP], &importing("U8, wrapping_add, wrapping_frobnicate"));
    world.tidelock(&["sync", "--dry-run", "--translator", &who]);
    let found = findings(&world);
    assert_eq!(found[0].0, "runtime-name", "{found:?}");
    assert!(found[0].1.contains("`tally._tl_rt` has no `wrapping_frobnicate`; it has "), "{found:?}");

    let who = world.answering(&[BUMP], &importing("*"));
    world.tidelock(&["sync", "--dry-run", "--translator", &who]);
    assert_eq!(findings(&world)[0].0, "runtime-import");

    // What stands at its place and is not ours is left alone.
    world.write(MODULE, "def wrapping_add(a, b, c):\n    return a\n\n\nU8 = 0\n");
    world.commit("port", "somebody else's module");
    let who = world.answering(&[BUMP], &importing("U8, wrapping_add"));
    world.tidelock(&["sync", "--dry-run", "--translator", &who]);
    let found = findings(&world);
    assert_eq!(found[0].0, "runtime-forbidden", "{found:?}");
    assert!(found[0].1.contains("is not Tidelock's"), "{found:?}");
    world.git("port", &["rm", "-q", "tally/_tl_rt.py"]);

    let config = world.read("port/tidelock.toml").replace("[port]\n", "[port]\nruntime = false\n");
    world.write("port/tidelock.toml", &config);
    world.commit("port", "no runtime module");
    assert!(!world.tidelock(&["plan", "--prompt", "tally::bump"]).stdout().contains("_tl_rt"));
    world.tidelock(&["sync", "--dry-run", "--translator", &who]);
    let found = findings(&world);
    assert_eq!(found[0].0, "runtime-forbidden", "{found:?}");
    assert!(found[0].1.contains("`runtime = false`"), "{found:?}");
    assert_eq!(world.read("port/tally/__init__.py"), before);
    assert!(!world.path(MODULE).exists());
}
