//! `tidelock workspace`, on a repository without a `tidelock.toml`.

use crate::world::World;

fn world() -> World {
    let world = World::new();
    world.write(
        "upstream/Cargo.toml",
        "[workspace]\nmembers = [\"core\", \"tool\"]\n[workspace.package]\nversion = \"1.2.3\"\nedition = \"2021\"\n",
    );
    world.write("upstream/core/Cargo.toml", "[package]\nname = \"core\"\nversion.workspace = true\nedition.workspace = true\n[features]\nfast = []\n");
    world.write("upstream/core/src/lib.rs", "mod a;\n#[cfg(unix)] mod gone;\n");
    world.write("upstream/core/src/a.rs", "");
    world.write("upstream/core/src/left.rs", "");
    world.write(
        "upstream/tool/Cargo.toml",
        "[package]\nname = \"tool\"\nversion = \"0.1.0\"\n[dependencies]\ncore = { path = \"../core\", features = [\"fast\"] }\n[target.'cfg(unix)'.dependencies]\n\"esc\\u001b[31m\" = \"1\"\n",
    );
    world.write("upstream/tool/src/main.rs", "fn main() {}\n");
    world.write("upstream/broken/Cargo.toml", "[package\n");
    world.commit("upstream", "a workspace");
    world
}

#[test]
fn a_workspace_is_a_tree_for_people_and_a_document_for_programs() {
    let world = world();
    let text = world.tidelock_in("upstream", &["workspace", "--modules", "--dependencies"]);
    assert_eq!(text.code(), 0, "{text}");
    let shown = text.stdout();
    for expected in [
        "workspace at the root  2 packages, no package of its own",
        "core  1.2.3*  2021*",
        "-> core at core, with fast",
        "used by tool",
        "gone  the file is missing  if unix",
        "files in no module (",
        "core/src/left.rs",
        "broken/Cargo.toml: ",
    ] {
        assert!(shown.contains(expected), "`{expected}` is missing:\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "foreign text moves no cursor:\n{shown}");

    let document = world.tidelock_in("upstream", &["workspace", "HEAD", "--format", "json"]).json();
    assert_eq!(document["packages"][0]["version"], serde_json::json!({"value": "1.2.3", "inherited": true}));
    assert_eq!(document["orphans"], serde_json::Value::Null, "modules were not asked for");
    let lines = world.tidelock_in("upstream", &["workspace", "--format", "jsonl", "--modules"]).stdout();
    let rows: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row["row"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"revision"));
    for kind in ["workspace", "package", "unread", "orphan"] {
        assert!(kinds.contains(&kind), "no row `{kind}` in {kinds:?}");
    }
}

#[test]
fn one_package_of_an_old_revision_is_told_alone() {
    let world = world();
    world.git("upstream", &["tag", "v1"]);
    world.write("upstream/core/src/a.rs", "fn new() {}");
    world.git("upstream", &["rm", "-q", "-r", "tool"]);
    world.commit("upstream", "no tool");
    let old = world.tidelock_in("upstream", &["workspace", "v1", "--package", "tool"]);
    assert_eq!(old.code(), 0, "{old}");
    assert!(old.stdout().contains("bin tool  tool/src/main.rs"), "{old}");
    assert!(!old.stdout().contains("core  1.2.3"), "{old}");
    let new = world.tidelock_in("upstream", &["workspace", "--package", "tool"]);
    assert_eq!(new.code(), 2, "{new}");
    assert!(new.stderr().contains("there is no package `tool`") && new.stderr().contains("hint"), "{new}");
}

#[test]
fn what_cannot_be_read_is_refused_with_what_to_do() {
    let world = world();
    let nowhere = world.tidelock(&["workspace", "--repo", "/nonexistent"]);
    assert_eq!(nowhere.code(), 2, "{nowhere}");
    assert!(nowhere.stderr().contains("--repo PATH"), "{nowhere}");
    let unknown = world.tidelock_in("upstream", &["workspace", "v9"]);
    assert_eq!(unknown.code(), 2, "{unknown}");
    assert!(unknown.stderr().contains("v9"), "{unknown}");

    world.git("upstream", &["config", "uploadpack.allowFilter", "true"]);
    let (from, to) = (format!("file://{}", world.path("upstream").display()), world.path("partial"));
    world.git("upstream", &["clone", "-q", "--bare", "--filter=blob:none", &from, to.to_str().unwrap()]);
    let partial = world.tidelock_in("partial", &["workspace"]);
    assert_eq!(partial.code(), 1, "{partial}");
    assert!(partial.stderr().contains("git fetch --refetch"), "{partial}");
}

#[test]
fn a_repository_without_packages_says_so() {
    let world = World::new();
    world.git("upstream", &["rm", "-q", "Cargo.toml"]);
    world.commit("upstream", "no manifest");
    let told = world.tidelock_in("upstream", &["workspace"]);
    assert_eq!(told.code(), 0, "{told}");
    assert!(told.stdout().contains("no package"), "{told}");
}
