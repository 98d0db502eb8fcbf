//! Every format with a small file of our own writing, whole and damaged.

use super::*;

const SWEBENCH: &str = r#"{"schema_version":2,"total_instances":4,"submitted_instances":4,"resolved_instances":1,"submitted_ids":["a","b","c","d"],"completed_ids":["a","b","c"],"resolved_ids":["a"],"unresolved_ids":["b","c"],"infra_failure_ids":["b"],"ambiguous_failure_ids":[],"failure_reasons":{"b":"out_of_memory"},"error_ids":[],"empty_patch_ids":["d"],"incomplete_ids":[]}"#;
const INSTANCES: &str = r#"{"a":{"patch_is_None":false,"patch_exists":true,"patch_successfully_applied":true,"resolved":true,"infra_failure":false},"b":{"resolved":false}}"#;
const TERMINAL: &str = r#"{"results":[{"task_id":"hello","trial_name":"hello.1-of-2.r1","is_resolved":true,"failure_mode":"unset","parser_results":{"test_x":"passed"}},{"task_id":"hello","trial_name":"hello.2-of-2.r1","is_resolved":null,"failure_mode":"agent_timeout"},{"task_id":"other","trial_name":"other.1-of-2.r1","is_resolved":null,"failure_mode":"parse_error"}],"accuracy":0.5,"n_resolved":1,"n_unresolved":2}"#;
const HARBOR: &str = r#"{"task_name":"hello","trial_name":"hello__ab12","task_checksum":"9f","verifier_result":{"rewards":{"reward":0.5}},"exception_info":null}"#;
const PYTEST: &str = r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="2" tests="6" time="0.1"><testcase classname="t.A" name="good" time="0.001" /><testcase classname="t" name="bad" time="0.001"><failure message="m">text</failure></testcase><testcase classname="t" name="teardown" time="0.001"><error message="on teardown">E</error></testcase><testcase classname="t" name="skipped" time="0.0"><skipped type="pytest.skip" message="why">here</skipped></testcase><testcase classname="t" name="expected" time="0.0"><skipped type="pytest.xfail" message="" /></testcase><testcase classname="t" name="again" time="0.0" /><testcase classname="t" name="again" time="0.0" /></testsuite></testsuites>"#;
const NEXTEST: &str = r#"<testsuites name="nextest-run" tests="2" failures="1" errors="0"><testsuite name="c::b" tests="2" disabled="0" errors="0" failures="1"><testcase name="m::flaky" classname="c::b" time="0.1"><flakyFailure type="test failure" time="0.1"/></testcase><testcase name="m::bad" classname="c::b" time="0.1"><failure type="test failure"/><rerunFailure type="test failure" time="0.1"/></testcase></testsuite></testsuites>"#;
const LIBTEST: &str = "{\"type\":\"suite\",\"event\":\"started\",\"test_count\":4}\n{\"type\":\"test\",\"event\":\"started\",\"name\":\"t::a\"}\n{\"type\":\"test\",\"event\":\"ok\",\"name\":\"t::a\",\"exec_time\":0.1}\n{\"type\":\"test\",\"event\":\"failed\",\"name\":\"t::b\",\"stdout\":\"x\"}\n{\"type\":\"test\",\"event\":\"ignored\",\"name\":\"t::c\"}\n{\"type\":\"bench\",\"name\":\"t::d\",\"median\":38.5,\"deviation\":0.84}\n{\"type\":\"suite\",\"event\":\"failed\",\"passed\":1,\"failed\":1,\"ignored\":1,\"measured\":1,\"filtered_out\":0,\"exec_time\":0.2}\n";
const LIBTEST_TEXT: &str = "\nrunning 3 tests\ntest t::a ... ok\ntest t::b - should panic ... FAILED\ntest t::c ... bench:    1,234.50 ns/iter (+/- 6.00)\n\nfailures:\n    t::b\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 1 measured; 0 filtered out; finished in 0.10s\n";
const NEXTEST_LINES: &str = "{\"type\":\"suite\",\"event\":\"started\",\"test_count\":1,\"nextest\":{\"crate\":\"c\",\"test_binary\":\"b\",\"kind\":\"lib\"}}\n{\"type\":\"test\",\"event\":\"started\",\"name\":\"c::b$t\"}\n{\"type\":\"test\",\"event\":\"failed\",\"name\":\"c::b$t\"}\n{\"type\":\"test\",\"event\":\"ok\",\"name\":\"c::b$t#2\"}\n{\"type\":\"suite\",\"event\":\"ok\",\"passed\":1,\"failed\":0,\"ignored\":0,\"measured\":0,\"filtered_out\":0}\n";
const CARGO_CRITERION: &str = "{\"reason\":\"benchmark-complete\",\"id\":\"g/f\",\"report_directory\":\"r\",\"iteration_count\":[1,2],\"measured_values\":[2.0,6.0],\"unit\":\"ns\",\"typical\":{\"estimate\":2.5,\"lower_bound\":1.9,\"upper_bound\":3.1,\"unit\":\"ns\"}}\n{\"reason\":\"group-complete\",\"group_name\":\"g\",\"benchmarks\":[\"g/f\"],\"report_directory\":\"r\"}\n";
const PYTEST_BENCHMARK: &str = r#"{"machine_info":{"node":"n"},"commit_info":{"id":"0","dirty":false},"benchmarks":[{"group":null,"name":"b","fullname":"t.py::b","params":null,"stats":{"median":0.002,"iqr":1e-8,"rounds":3,"iterations":10,"data":[0.001,0.003,0.002]}}],"datetime":"2026-01-01T00:00:00","version":"5.3.1"}"#;
const HYPERFINE_1: &str = r#"{"results":[{"command":"x {n}","mean":1.5,"stddev":null,"median":1.5,"user":0,"system":0,"min":1,"max":2,"times":[1.0,2.0],"exit_codes":[0,0],"parameters":{"n":"1"}},{"command":"bad","mean":1.0,"times":[1.0],"exit_codes":[1]}]}"#;
const HYPERFINE_2: &str = r#"{"schema_version":2,"primary_metric":"time_wall_clock","metadata":{},"results":[{"command":"x {n}","name":"x {n}","parameters":{"n":{"value":"1"}},"measurements":[{"time_wall_clock":{"value":1.0,"unit":"second"},"instructions":{"value":9},"exit_code":0},{"time_wall_clock":{"value":2.0,"unit":"second"},"exit_code":0}],"summary":{}}]}"#;
const ASV: &str = r#"{"commit_hash":"0","env_name":"e","date":1,"params":{},"python":"3.11","requirements":{},"env_vars":{},"result_columns":["result","params","version","started_at","duration","stats_ci_99_a","samples"],"results":{"b.time_plain":[[1.5],[],"v",1,0.1,[-Infinity]],"b.time_params":[[1.0,null,NaN,4.0],[["'a'","'b'"],["1","2"]],"v"],"b.track_broken":[null,[["1","2"]]]},"durations":{},"version":2}"#;
const TAP: &str = "TAP version 14\n1..5\nok 1 - one\nnot ok 2 - two\n  ---\n  message: 'not ok 9'\n  ...\nok 3 - three # SKIP why\nnot ok 4 - four # TODO later\n# Subtest: five\n    ok 1 - inner\n    1..1\nok 5 - five\n";
const BMF: &str = r#"{"b":{"latency":{"value":1.5,"lower_value":1,"upper_value":2}},"c":{"latency":{"value":2},"size":{"value":3}}}"#;
const ENTRIES: &str =
    r#"[{"name":"b","unit":"ns/iter","value":1.5,"range":"± 0.1"},{"name":"c","unit":"s","value":2}]"#;
const KEPT: &str = r#"{"lastUpdate":1,"repoUrl":"r","entries":{"s":[{"commit":{"id":"0"},"date":1,"tool":"cargo","benches":[{"name":"b","unit":"ns/iter","value":1.5}]}]}}"#;
const PLAIN: &str = r#"{"time":1.5,"task":{"outcome":"fail"},"lost":{"outcome":"infra","reason":"disk"},"size":{"samples":[3,1,2],"unit":"MB"}}"#;

/// Each format with the text of it.
const TEXTS: [(Format, &str); 18] = [
    (Format::Swebench, SWEBENCH),
    (Format::Swebench, INSTANCES),
    (Format::TerminalBench, TERMINAL),
    (Format::Harbor, HARBOR),
    (Format::Junit, PYTEST),
    (Format::Junit, NEXTEST),
    (Format::Libtest, LIBTEST),
    (Format::Libtest, LIBTEST_TEXT),
    (Format::Libtest, NEXTEST_LINES),
    (Format::CargoCriterion, CARGO_CRITERION),
    (Format::PytestBenchmark, PYTEST_BENCHMARK),
    (Format::Hyperfine, HYPERFINE_1),
    (Format::Hyperfine, HYPERFINE_2),
    (Format::Asv, ASV),
    (Format::Tap, TAP),
    (Format::Bencher, BMF),
    (Format::GithubActionBenchmark, ENTRIES),
    (Format::GithubActionBenchmark, KEPT),
];

fn shown(reading: &Reading) -> String {
    let row = |row: &Row| {
        let outcome = match &row.outcome {
            Outcome::Pass => "pass".to_owned(),
            Outcome::Fail => "fail".to_owned(),
            Outcome::Skip => "skip".to_owned(),
            Outcome::Infra { reason } => format!("infra ({reason})"),
        };
        let value = row.value.map(|value| format!(" {value} {}", row.unit)).unwrap_or_default();
        let samples = if row.samples.is_empty() { String::new() } else { format!(" {:?}", row.samples) };
        format!("{} #{} {outcome}{value}{samples}", row.task, row.attempt)
    };
    reading.rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn shown_text(format: Format, text: &str) -> String {
    read_text(format, text).map_or_else(|error| error.to_string(), |reading| shown(&reading))
}

#[test]
fn task_suites_are_read() {
    insta::assert_snapshot!(shown_text(Format::Swebench, SWEBENCH), @r"
    a #1 pass
    b #1 infra (out_of_memory)
    c #1 fail
    d #1 fail
    ");
    insta::assert_snapshot!(shown_text(Format::Swebench, INSTANCES), @r"
    a #1 pass
    b #1 fail
    ");
    insta::assert_snapshot!(shown_text(Format::TerminalBench, TERMINAL), @r"
    hello #1 pass
    hello #2 fail
    other #1 infra (parse_error)
    ");
    insta::assert_snapshot!(shown_text(Format::Harbor, HARBOR), @"hello #1 fail 0.5 reward");
}

#[test]
fn test_runners_are_read() {
    insta::assert_snapshot!(shown_text(Format::Junit, PYTEST), @r"
    t.A::good #1 pass
    t::again #1 fail
    t::again #2 pass
    t::bad #1 fail
    t::expected #1 pass
    t::skipped #1 skip
    t::teardown #1 fail
    ");
    insta::assert_snapshot!(shown_text(Format::Junit, NEXTEST), @r"
    c::b::m::bad #1 fail
    c::b::m::bad #2 fail
    c::b::m::flaky #1 fail
    c::b::m::flaky #2 pass
    ");
    insta::assert_snapshot!(shown_text(Format::Libtest, LIBTEST), @r"
    t::a #1 pass
    t::b #1 fail
    t::c #1 skip
    t::d #1 pass 38.5 ns
    ");
    insta::assert_snapshot!(shown_text(Format::Libtest, LIBTEST_TEXT), @r"
    t::a #1 pass
    t::b #1 fail
    t::c #1 pass 1234.5 ns
    ");
    insta::assert_snapshot!(shown_text(Format::Libtest, NEXTEST_LINES), @r"
    c::b$t #1 fail
    c::b$t #2 pass
    ");
    insta::assert_snapshot!(shown_text(Format::Tap, TAP), @r"
    one #1 pass
    two #1 fail
    three #1 skip
    four #1 pass
    five #1 pass
    ");
}

#[test]
fn timing_tools_are_read() {
    insta::assert_snapshot!(shown_text(Format::CargoCriterion, CARGO_CRITERION), @"g/f #1 pass 2.5 ns [2.0, 3.0]");
    insta::assert_snapshot!(shown_text(Format::PytestBenchmark, PYTEST_BENCHMARK), @"t.py::b #1 pass 0.002 s [0.001, 0.003, 0.002]");
    insta::assert_snapshot!(shown_text(Format::Hyperfine, HYPERFINE_1), @r"
    x {n} (n=1) #1 pass 1.5 s [1.0, 2.0]
    bad #1 fail
    ");
    insta::assert_snapshot!(shown_text(Format::Hyperfine, HYPERFINE_2), @"x {n} (n=1) #1 pass 1.5 s [1.0, 2.0]");
    insta::assert_snapshot!(shown_text(Format::Asv, ASV), @r"
    b.time_params('a', 1) #1 pass 1 s
    b.time_params('a', 2) #1 fail
    b.time_params('b', 1) #1 skip
    b.time_params('b', 2) #1 pass 4 s
    b.time_plain #1 pass 1.5 s
    b.track_broken(1) #1 fail
    b.track_broken(2) #1 fail
    ");
    insta::assert_snapshot!(shown_text(Format::Bencher, BMF), @r"
    b #1 pass 1.5 ns
    c #1 pass 2 ns
    c size #1 pass 3 size
    ");
    insta::assert_snapshot!(shown_text(Format::GithubActionBenchmark, ENTRIES), @r"
    b #1 pass 1.5 ns/iter
    c #1 pass 2 s
    ");
    insta::assert_snapshot!(shown_text(Format::Plain, PLAIN), @r"
    lost #1 infra (disk)
    size #1 pass 2 MB [3.0, 1.0, 2.0]
    task #1 fail
    time #1 pass 1.5 s
    ");
}

#[test]
fn a_text_that_is_cut_anywhere_is_refused_or_read_whole() {
    for (format, text) in TEXTS {
        let whole = read_text(format, text).unwrap();
        for end in 0..text.len() {
            let Some(cut) = text.get(..end) else { continue };
            if let Ok(reading) = read_text(format, cut) {
                assert_eq!(reading, whole, "{} cut at {end}: {}", format.name(), cut);
            }
        }
    }
}

#[test]
fn a_number_that_is_none_is_never_a_value() {
    for (format, text) in TEXTS {
        for number in ["1.5", "2.0", "38.5", "0.001", "0.5", "1.0"] {
            for wild in ["NaN", "Infinity", "1e999", "\"fast\"", "null"] {
                let damaged = text.replacen(number, wild, 1);
                if damaged == text || matches!(format, Format::Junit) {
                    continue;
                }
                let Ok(reading) = read_text(format, &damaged) else { continue };
                let values = reading.rows.iter().filter_map(|row| row.value);
                assert!(values.into_iter().all(f64::is_finite), "{}: {damaged}", format.name());
                let whole = read_text(format, text).unwrap();
                let passed = |reading: &Reading| reading.values().len() + reading.scores().len();
                assert!(passed(&reading) <= passed(&whole), "{}: {damaged}", format.name());
            }
        }
    }
}

#[test]
fn a_result_that_stands_twice_is_refused() {
    let twice = |format, text: &str| read_text(format, text).unwrap_err().to_string();
    assert!(
        twice(Format::Swebench, &SWEBENCH.replacen("\"a\",\"b\"", "\"a\",\"a\",\"b\"", 1)).contains("two")
    );
    assert!(twice(Format::Swebench, &INSTANCES.replace("\"b\":", "\"a\":")).contains("twice"));
    assert!(twice(Format::TerminalBench, &TERMINAL.replace("2-of-2", "1-of-2")).contains("two"));
    assert!(twice(Format::Bencher, &BMF.replace("\"c\"", "\"b\"")).contains("twice"));
    assert!(twice(Format::GithubActionBenchmark, &ENTRIES.replace("\"c\"", "\"b\"")).contains("two"));
    assert!(twice(Format::Plain, &PLAIN.replace("\"task\"", "\"time\"")).contains("twice"));
    assert!(twice(Format::Asv, &ASV.replace("time_params", "time_plain")).contains("twice"));
    assert!(twice(Format::Tap, "1..2\nok - a\nok - a\n").contains("two"));
    assert!(twice(Format::Libtest, &LIBTEST.replace("t::b", "t::a")).contains("two"));
    let bench = r#""benchmarks":["#;
    let one = PYTEST_BENCHMARK.split_once(bench).unwrap().1.split_once("],\"datetime").unwrap().0;
    let text = PYTEST_BENCHMARK.replace(bench, &format!("{bench}{one},"));
    assert!(twice(Format::PytestBenchmark, &text).contains("two"));
}

#[test]
fn of_a_kept_history_the_newest_run_of_each_suite_counts() {
    let run = |value| format!(r#"{{"benches":[{{"name":"b","unit":"ns","value":{value}}}]}}"#);
    let (one, two) = (run(1), run(2));
    let kept = |entries: &str| format!(r#"{{"entries":{{{entries}}}}}"#);
    let read = |text: &str| shown_text(Format::GithubActionBenchmark, text);
    let newest = read(&kept(&format!(r#""s":[{one},{two}]"#)));
    insta::assert_snapshot!(newest, @"b #1 pass 2 ns");
    assert_eq!(read(&format!("window.BENCHMARK_DATA = {}", kept(&format!(r#""s":[{one},{two}]"#)))), newest);
    insta::assert_snapshot!(read(&kept(&format!(r#""s":[{two}],"t":[{one}]"#))), @r"
    s/b #1 pass 2 ns
    t/b #1 pass 1 ns
    ");
    let empty = read_text(Format::GithubActionBenchmark, &kept(&format!(r#""s":[{one}],"t":[]"#)));
    assert!(empty.unwrap_err().to_string().contains("suite `t` has no run"));
}

#[test]
fn what_is_missing_is_refused() {
    let refused = |format, text: &str| read_text(format, text).unwrap_err().to_string();
    for (format, text, key) in [
        (Format::Swebench, SWEBENCH, "\"unresolved_ids\""),
        (Format::Swebench, INSTANCES, "\"resolved\""),
        (Format::TerminalBench, TERMINAL, "\"failure_mode\""),
        (Format::Harbor, HARBOR, "\"task_name\""),
        (Format::PytestBenchmark, PYTEST_BENCHMARK, "\"stats\""),
        (Format::Hyperfine, HYPERFINE_1, "\"times\""),
        (Format::Hyperfine, HYPERFINE_2, "\"measurements\""),
        (Format::Asv, ASV, "\"result_columns\""),
        (Format::Bencher, BMF, "\"value\""),
        (Format::GithubActionBenchmark, ENTRIES, "\"unit\""),
        (Format::CargoCriterion, CARGO_CRITERION, "\"measured_values\""),
    ] {
        let message = refused(format, &text.replace(key, "\"gone\""));
        assert!(message.contains("missing field"), "{}: {message}", format.name());
    }
    assert!(refused(Format::Tap, &TAP.replace("1..5", "1..6")).contains("5 of 6"));
    assert!(refused(Format::Tap, "Bail out! disk\n").contains("bailed out"));
    assert!(refused(Format::Junit, &PYTEST.replace("tests=\"6\"", "tests=\"9\"")).contains("7 of 9"));
    assert!(
        refused(Format::Libtest, &LIBTEST.replace("\"test_count\":4", "\"test_count\":5")).contains("4 of 5")
    );
}

#[test]
fn a_benchmark_that_measured_nothing_says_nothing() {
    for (format, text) in [
        (Format::Plain, "{}"),
        (Format::GithubActionBenchmark, "[]"),
        (Format::Tap, "1..0 # SKIP nothing here\n"),
        (Format::Tap, "1..1\nok 1 - a # SKIP\n"),
        (Format::Hyperfine, "{\"results\":[]}"),
        (Format::Junit, "<testsuites name=\"n\" tests=\"0\"></testsuites>"),
        (
            Format::Libtest,
            "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out\n",
        ),
    ] {
        assert_eq!(read_text(format, text), Err(ReadError::Nothing), "{}", format.name());
    }
}

#[test]
fn contradictions_are_refused() {
    let refused = |format, text: &str| read_text(format, text).unwrap_err();
    for (format, text, from, to) in [
        (Format::Swebench, SWEBENCH, "\"resolved_instances\":1", "\"resolved_instances\":2"),
        (Format::Swebench, SWEBENCH, "\"unresolved_ids\":[", "\"unresolved_ids\":[\"a\","),
        (Format::TerminalBench, TERMINAL, "\"n_resolved\":1", "\"n_resolved\":2"),
        (Format::PytestBenchmark, PYTEST_BENCHMARK, "\"rounds\":3", "\"rounds\":4"),
        (Format::Hyperfine, HYPERFINE_1, "\"exit_codes\":[0,0]", "\"exit_codes\":[0]"),
        (Format::Tap, TAP, "1..5", "1..4"),
        (Format::Libtest, LIBTEST, "\"passed\":1,\"failed\":1", "\"passed\":2,\"failed\":0"),
    ] {
        let error = refused(format, &text.replace(from, to));
        assert!(matches!(error, ReadError::Contradiction { .. }), "{}: {error}", format.name());
    }
}

#[test]
fn retries_never_help_and_independent_attempts_are_averaged() {
    let reading = read_text(Format::Junit, NEXTEST).unwrap();
    assert_eq!(reading.scores()["c::b::m::flaky"].to_bits(), 0.0_f64.to_bits());
    let reading = read_text(Format::TerminalBench, TERMINAL).unwrap();
    assert_eq!(reading.scores().into_iter().collect::<Vec<_>>(), [("hello", 0.5)]);
    assert_eq!(reading.faults().collect::<Vec<_>>(), [("other", "parse_error")]);
}

#[test]
fn folders_of_criterion_and_harbor_are_read_and_gaps_in_them_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("c/g_f/new/benchmark.json", r#"{"full_id":"g/f","group_id":"g","throughput":null}"#);
    write("c/g_f/new/sample.json", r#"{"sampling_mode":"Linear","iters":[1.0,2.0],"times":[5.0,12.0]}"#);
    write("c/g_f/base/benchmark.json", "{");
    write("c/g_f/change/estimates.json", "{");
    let reading = read(Format::Criterion, &folder.path().join("c")).unwrap();
    assert_eq!(shown(&reading), "g/f #1 pass 5.5 ns [5.0, 6.0]");
    write("c/h/new/benchmark.json", r#"{"full_id":"h"}"#);
    assert!(matches!(read(Format::Criterion, &folder.path().join("c")), Err(ReadError::Unreadable { .. })));
    assert!(matches!(
        read(Format::Criterion, &folder.path().join("none")),
        Err(ReadError::Unreadable { .. })
    ));

    write("j/result.json", r#"{"n_total_trials":2,"stats":{}}"#);
    write("j/t1/result.json", HARBOR);
    assert!(matches!(read(Format::Harbor, &folder.path().join("j")), Err(ReadError::Truncated { .. })));
    let broken = r#"{"task_name":"hello","trial_name":"hello__2","verifier_result":null,"exception_info":{"exception_type":"DaytonaError"}}"#;
    write("j/t2/result.json", broken);
    let reading = read(Format::Harbor, &folder.path().join("j")).unwrap();
    assert_eq!(shown(&reading), "hello #1 infra (DaytonaError)\nhello #2 fail 0.5 reward");
    write("j/t2/result.json", HARBOR);
    assert!(matches!(read(Format::Harbor, &folder.path().join("j")), Err(ReadError::Duplicate { .. })));
}

/// nextest ends a suite whenever no test of the binary runs, and begins it again: what it wrote here, shortened.
const NEXTEST_PARTS: &str = r#"{"type":"suite","event":"started","test_count":3}
{"type":"test","event":"started","name":"c::b$later"}
{"type":"test","event":"started","name":"c::b$good"}
{"type":"test","event":"started","name":"c::b$bad"}
{"type":"test","event":"ignored","name":"c::b$later"}
{"type":"test","event":"ok","name":"c::b$good"}
{"type":"suite","event":"ok","passed":1,"failed":0,"ignored":1,"measured":0,"filtered_out":0}
{"type":"suite","event":"started","test_count":3}
{"type":"test","event":"failed","name":"c::b$bad#2"}
{"type":"suite","event":"failed","passed":0,"failed":1,"ignored":1,"measured":0,"filtered_out":1}
"#;

#[test]
fn a_suite_of_nextest_that_comes_in_parts_is_read_as_one_and_a_part_is_missed() {
    insta::assert_snapshot!(shown_text(Format::Libtest, NEXTEST_PARTS), @r"
    c::b$later #1 skip
    c::b$good #1 pass
    c::b$bad #2 fail
    ");
    let lines: Vec<&str> = NEXTEST_PARTS.lines().collect();
    for without in 0..lines.len() {
        let left: Vec<&str> =
            lines.iter().enumerate().filter(|(at, _)| *at != without).map(|(_, line)| *line).collect();
        let read = read_text(Format::Libtest, &left.join("\n"));
        let tells_nothing = lines[without].contains("\"started\",\"name\"");
        assert_eq!(read.is_ok(), tells_nothing, "{}: {read:?}", lines[without]);
    }
    let told = NEXTEST_PARTS.replacen("\"passed\":1", "\"passed\":2", 1);
    assert!(read_text(Format::Libtest, &told).unwrap_err().to_string().contains("counted"));
}

#[test]
fn a_swebench_report_that_tells_a_part_of_the_causes_is_refused() {
    for key in ["\"infra_failure_ids\"", "\"ambiguous_failure_ids\"", "\"failure_reasons\""] {
        let error = read_text(Format::Swebench, &SWEBENCH.replace(key, "\"gone\"")).unwrap_err();
        assert!(error.to_string().contains("only a part of its failures' causes"), "{error}");
    }
}

#[test]
fn times_of_hyperfine_that_are_not_those_of_its_summary_are_refused() {
    let told = |text: &str| read_text(Format::Hyperfine, text).unwrap_err().to_string();
    let counted = |count: u32| {
        HYPERFINE_2.replace(
            "\"summary\":{}",
            &format!("\"summary\":{{\"time_wall_clock\":{{\"count\":{count},\"median\":1.5}}}}"),
        )
    };
    assert!(read_text(Format::Hyperfine, &counted(2)).is_ok());
    assert!(told(&counted(3)).contains("2 times stand for 3 runs"));
    assert!(told(&counted(2).replace("1.5", "1.0")).contains("says 1"));
    let first = HYPERFINE_1.replacen("\"times\"", "\"median\":9.5,\"times\"", 1);
    assert!(told(&first).contains("says 9.5"));
}
