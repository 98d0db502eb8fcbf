//! Benchmarks that break, stop, measure nothing, or are not due.

use upstream::process::{Ending, Limits, ProcessRunner, SystemProcessRunner};

use crate::bench_world::suite;
use crate::world::World;

/// One task a process. The sandbox fails around a task where the file `broken` of its side names it; `once`
/// stands for a fault that does not come again.
const TRIAL: &str = "task=$1; out=$2/result.json\n\
    fault=null\n\
    if grep -qsx \"$task\" broken; then fault='{\"exception_type\": \"DockerError\"}'; fi\n\
    if grep -qsx once broken && [ ! -e seen ]; then touch seen; fault='{\"exception_type\": \"DockerError\"}'; fi\n\
    echo \"{\\\"task_name\\\": \\\"$task\\\", \\\"trial_name\\\": \\\"$task-1\\\", \\\"verifier_result\\\": {\\\"rewards\\\": {\\\"reward\\\": 1.0}}, \\\"exception_info\\\": $fault}\" > \"$out\"\n";

/// A benchmark of such tasks.
fn trials(tasks: usize, more: &str) -> String {
    let names: Vec<String> = (0..tasks).map(|number| format!("\"t{number}\"")).collect();
    format!(
        "\n[[bench]]\nname = \"trials\"\ncommand = [\"sh\", \"benches/trial.sh\", \"{{task}}\", \"{{output}}\"]\n\
         tasks = [{}]\nformat = \"harbor\"\noutput = \"result.json\"\nharness = [\"benches\"]\nrole = \"endpoint\"\n\
         margin = 0.2\npairs-max = 60\n{more}",
        names.join(", ")
    )
}

fn world(tasks: usize) -> World {
    let world = World::with_suite(&trials(tasks, ""));
    world.write("port/benches/trial.sh", TRIAL);
    world.again("trials");
    world
}

#[test]
fn a_fault_outside_the_code_drops_its_pair_and_many_hold_the_decision() {
    let world = world(20);
    world.write("port/broken", "once\n");
    world.again("one fault");
    let ran = world.tidelock(&["bench", "compare", "--explain"]);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(ran.stdout().contains("24 results and 1 faults outside the code on one side"), "{ran}");
    // A task that always breaks around one side is dropped until there are too many: nobody is blamed.
    world.write("port/broken", "t3\nt4\nt5\n");
    world.again("many faults");
    let ran = world.tidelock(&["bench", "compare", "--before", "HEAD~2"]);
    assert_eq!(ran.code(), 6, "{ran}");
    assert!(ran.stdout().starts_with("HOLD: the sides cannot be compared:"), "{ran}");
    assert!(ran.stdout().contains("causes outside the code"), "{ran}");
}

/// The pairs of the only journal: number, task, results.
fn pairs(world: &World) -> Vec<(u64, String)> {
    let folder = std::fs::read_dir(world.path("port/.tidelock/bench/journals")).unwrap();
    let text: String = folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let whole = text.lines().skip(1).filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    whole.map(|row| (row["pair"].as_u64().unwrap(), row["task"].to_string())).collect()
}

#[test]
fn a_killed_comparison_goes_on_and_runs_no_pair_twice() {
    let world = world(20);
    world.again("nothing");
    let (mut after_ms, mut kills, mut kept) = (700, 0, Vec::new());
    loop {
        let limits = Limits { timeout_ms: after_ms, ..Limits::default() };
        let invocation = world.invocation("port", &["bench", "compare"]).limits(limits);
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        let found =
            if world.path("port/.tidelock/bench/journals").exists() { pairs(&world) } else { Vec::new() };
        assert_eq!(found.get(..kept.len()), Some(&kept[..]), "what was run stays");
        kept = found;
        match finished.ending {
            Ending::TimedOut => kills += 1,
            Ending::Exited(0) => break,
            Ending::Exited(_)
            | Ending::Signalled(_)
            | Ending::Silent
            | Ending::TooMuchOutput
            | Ending::TooMuchDisk
            | Ending::DiskFull
            | Ending::Interrupted => panic!("{:?}: {}", finished.ending, finished.tail(30)),
        }
        after_ms += after_ms / 3;
    }
    assert!(kills > 0, "it was killed at least once");
    let numbers: Vec<u64> = kept.iter().map(|(pair, _)| *pair).collect();
    assert_eq!(numbers, (0..24).collect::<Vec<_>>(), "each pair once, in order, up to the first look");
}

#[test]
fn what_measured_nothing_is_inconclusive() {
    let world = World::with_suite(&suite("tasks", "role = \"endpoint\""));
    world.write("port/benches/suite.sh", "echo 1..0\n");
    world.again("an empty suite");
    world.again("nothing");
    let ran = world.tidelock(&["bench", "compare"]);
    assert_eq!(ran.code(), 6, "{ran}");
    assert!(ran.stdout().starts_with("HOLD: the sides cannot be compared:"), "{ran}");
}

#[test]
fn a_sync_runs_what_is_due_for_a_change_and_reports_it_with_intervals() {
    let benches = suite("change", "role = \"endpoint\"\nmode = \"both\"")
        + &suite("nightly", "schedule = \"nightly\"")
        + &suite("train", "schedule = \"train\"");
    let world = World::with_suite(&benches);
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "a larger limit");
    let ran = world.tidelock(&["sync"]);
    assert_eq!(ran.code(), 0, "{ran}");
    let record = world.tidelock(&["report", "--render", "json"]).json();
    let gates = record["revisions"][0]["gates"].as_array().unwrap();
    let gate = gates.iter().find(|gate| gate["gate"] == "benchmarks").unwrap();
    assert_eq!(gate["verdict"], "pass", "{gate}");
    let ran_benches: Vec<String> = gate["benches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bench| format!("{} {}", bench["name"].as_str().unwrap(), bench["mode"].as_str().unwrap()))
        .collect();
    assert_eq!(ran_benches, ["change parity", "change extended"]);
    assert!(gate["benches"][0]["path"].as_array().unwrap().len() > 1, "{gate}");
    let page = world.tidelock(&["report", "--render", "html"]).stdout();
    assert!(page.contains("the evidence after each look") && page.contains("side by side"), "{page}");
    let body = world.tidelock(&["report", "--render", "markdown"]).stdout();
    assert!(body.contains("ACCEPT: `change` +0.0 points") && body.contains("How it was reckoned"), "{body}");
}
