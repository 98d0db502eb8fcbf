//! Benchmarks of a real port: decided, kept, continued, refused.

use crate::world::World;

/// Sums for a while, `factor` times as long as needed.
fn bench(factor: u32) -> String {
    format!(
        "import json, time\nfrom work import FACTOR\nstart = time.perf_counter()\n\
         sum(n * n for n in range(60000 * FACTOR * {factor}))\n\
         print(json.dumps({{'sum': time.perf_counter() - start}}))\n"
    )
}

/// A port with a benchmark, and two commits: the work as it was, and `factor` times as much.
fn world(factor: u32, margin: &str) -> World {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    let section = format!(
        "\n[[bench]]\nname = \"sum\"\ncommand = [\"python3\", \"benches/sum.py\"]\nformat = \"plain\"\n\
         harness = [\"benches\"]\nrole = \"endpoint\"\nmargin = {margin}\n"
    );
    world.write("port/tidelock.toml", &(config + &section));
    std::fs::create_dir_all(world.path("port/benches")).unwrap();
    world.write("port/benches/sum.py", &bench(1));
    world.write("port/work.py", "FACTOR = 1\n");
    world.commit("port", "a benchmark");
    world.write("port/work.py", &format!("# Changed.\nFACTOR = {factor}\n"));
    world.commit("port", "more work");
    world
}

#[test]
fn three_times_the_work_is_rejected_with_its_arithmetic_and_asked_again_costs_nothing() {
    let world = world(3, "0.5");
    // Whoever changes the benchmark with the code is judged by the one that was there before.
    world.write("port/benches/sum.py", "print('{\"sum\": 0.000001}')\n");
    world.commit("port", "a kinder benchmark");
    let arguments = ["bench", "compare", "--before", "HEAD~2", "--explain"];
    let ran = world.tidelock(&arguments);
    assert_eq!(ran.code(), 4, "{ran}");
    assert!(ran.stdout().starts_with("REJECT: `sum` costs"), "{ran}");
    assert!(ran.stdout().contains("LLR ="), "{ran}");
    let journals = || {
        let folder = std::fs::read_dir(world.path("port/.tidelock/bench/journals")).unwrap();
        folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect::<Vec<_>>()
    };
    let kept = journals();
    let again = world.tidelock(&arguments);
    assert_eq!((again.code(), again.stdout()), (4, ran.stdout()), "the same trees, the same verdict");
    assert_eq!(journals(), kept, "nothing was run again");
    let history = world.tidelock(&["bench", "history", "--format", "json"]).json();
    assert_eq!(history[0]["decided"], "REJECT");
}

#[test]
fn a_margin_below_what_can_be_detected_is_refused_with_the_number_before_anything_runs() {
    let world = world(1, "0.0001");
    let ran = world.tidelock(&["bench", "compare", "--before", "HEAD~1", "--format", "json"]);
    assert_eq!(ran.code(), 6, "{ran}");
    let shown = ran.json();
    assert_eq!(shown["verdict"]["decided"], "hold");
    assert_eq!(shown["comparisons"][0]["pairs"], 0);
    assert!(shown["verdict"]["line"].as_str().unwrap().contains("can detect here"), "{ran}");
}

#[test]
fn what_another_tool_wrote_is_imported_or_refused() {
    let world = world(1, "0.5");
    world.write("port/r.tap", "1..2\nok 1 - a\nnot ok 2 - b\n");
    let ran = world.tidelock(&["bench", "import", "tap", "r.tap"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(ran.stdout().starts_with("2 results: 1 passed or measured, 1 failed"), "{ran}");
    world.write("port/r.tap", "1..3\nok 1 - a\nnot ok 2 - b\n");
    let ran = world.tidelock(&["bench", "import", "tap", "r.tap"]);
    assert_eq!(ran.code(), 6, "{ran}");
    assert!(ran.stderr().contains("2 of 3 points"), "{ran}");
    let ran = world.tidelock(&["bench", "compare", "nothing"]);
    assert_eq!(ran.code(), 2, "{ran}");
}
