//! What a daemon offers to others: numbers, wake-ups, notifications, and the exit codes of cron.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use prometheus_parse::{Scrape, Value};

use super::running::{Running, until};
use super::{BUMP, change, often};
use crate::world::World;

const SECRET: &str = "0123456789abcdef0123";

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
}

/// A single number of the daemon, as Prometheus would read it.
fn number(address: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let answer = get(address, "/metrics");
    let (_, text) = answer.split_once("\r\n\r\n").unwrap();
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
    let is_it = |sample: &&prometheus_parse::Sample| {
        sample.metric == name && labels.iter().all(|(key, value)| sample.labels.get(key) == Some(value))
    };
    scrape.samples.iter().find(is_it).map(|sample| match sample.value {
        Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => value,
        Value::Histogram(_) | Value::Summary(_) => panic!("{name} is no single number"),
    })
}

/// A daemon over the world's port, which listens.
fn listening(world: &World) -> (Running, String) {
    let file = "version = 1\nlisten = \"127.0.0.1:0\"\n[webhook]\ngitlab-secret-env = \"HOOK_SECRET\"\n\
                [[port]]\nfolder = \"port\"\n";
    world.write("daemon.toml", file);
    let mut watching =
        Running::start_with(world, "", &["--config", "daemon.toml"], &[("HOOK_SECRET", SECRET)]);
    let line = watching.says("listening", &[]);
    (watching, line["address"].as_str().unwrap().to_owned())
}

#[test]
fn a_signed_webhook_brings_what_the_schedule_would_bring_much_later() {
    let world = often();
    let config = world.read("port/tidelock.toml").replace("every-s = 1", "every-s = 86400");
    world.write("port/tidelock.toml", &config);
    world.commit("port", "look once a day");
    let (mut watching, address) = listening(&world);
    watching.says("synced", &[("outcome", "nothing_to_do")]);
    until("that it is ready", || get(&address, "/readyz").contains(" 200 "));
    assert!(get(&address, "/healthz").contains(" 200 "));
    assert_eq!(number(&address, "tidelock_lag_revisions", &[("port", "tally-py")]), Some(0.0));

    change(&world, "upstream", "LIMIT: u32 = 10", "LIMIT: u32 = 12");
    let push = |secret: &str| {
        ask(
            &address,
            &format!(
                "POST /webhook/gitlab?port=tally-py HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\
                 X-Gitlab-Token: {secret}\r\nX-Gitlab-Event: Push Hook\r\nX-Gitlab-Event-UUID: 1\r\n\r\n{{}}"
            ),
        )
    };
    assert!(push("0123456789abcdef0124").contains(" 401 "));
    assert!(push(SECRET).contains(" 202 "));
    watching.says("synced", &[("outcome", "done"), ("lag", "0")]);
    assert!(world.read("port/tally/__init__.py").contains("LIMIT = 12"));
    until("the numbers of the sync", || {
        number(&address, "tidelock_syncs_total", &[("kind", "done")]) == Some(1.0)
    });
    let verdicts = [("gate", "numeric"), ("verdict", "pass")];
    assert_eq!(number(&address, "tidelock_verdicts_total", &verdicts), Some(1.0));
    assert_eq!(number(&address, "tidelock_webhooks_total", &[("result", "unsigned")]), Some(1.0));
    assert!(number(&address, "tidelock_last_poll_timestamp_seconds", &[]).unwrap() > 1e9);
    watching.stop();
    let log = std::fs::read_to_string(world.path("watch.log")).unwrap();
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn while_a_sync_is_under_way_the_lag_counts_what_is_left_of_it() {
    let world = often();
    let go = world.path("go");
    change(&world, "upstream", "LIMIT: u32 = 10", "LIMIT: u32 = 11");
    change(&world, "upstream", "n.saturating_add(1)", "n.wrapping_add(1)");
    change(&world, "upstream", "LIMIT: u32 = 11", "LIMIT: u32 = 12");
    let waits = format!("import os, time\nwhile not os.path.exists({go:?}): time.sleep(0.05)");
    let who = world.answering(&[("tally.bump", BUMP)], &waits);
    let mut watching = Running::start(&world, "port", &["--listen", "127.0.0.1:0", "--translator", &who]);
    let line = watching.says("listening", &[]);
    let address = line["address"].as_str().unwrap().to_owned();
    watching.says("revision", &[("number", "2"), ("of", "3")]);
    let lag = || number(&address, "tidelock_lag_revisions", &[("port", "tally-py")]);
    assert_eq!(lag(), Some(2.0), "one is followed, and this one and the last are not");
    std::fs::write(&go, "").unwrap();
    watching.says("synced", &[("outcome", "done"), ("lag", "0")]);
    until("the lag is gone", || lag() == Some(0.0));
    watching.stop();
}

#[test]
fn failures_are_told_once_and_so_is_their_end_across_a_restart() {
    let world = often();
    let config = world.read("port/tidelock.toml");
    let told = world.path("told").display().to_string();
    let alert = format!(
        "[alert]\nfailures = 2\n[[alert.notify]]\ncommand = ['sh', '-c', 'cat >> {told}; echo >> {told}']\n"
    );
    world.write("port/tidelock.toml", &format!("{config}{alert}"));
    world.commit("port", "tell");
    let lines = || std::fs::read_to_string(world.path("told")).unwrap_or_default().lines().count();

    let mut watching = Running::start(&world, "port", &[]);
    watching.says("synced", &[]);
    std::fs::rename(world.path("upstream"), world.path("away")).unwrap();
    until("the first message", || lines() == 1);
    watching.says("failures in a row", &[]);
    watching.stop();

    let mut watching = Running::start(&world, "port", &[]);
    for _ in 0..3 {
        watching.says("failures in a row", &[]);
    }
    std::fs::rename(world.path("away"), world.path("upstream")).unwrap();
    until("the second message", || lines() == 2);
    watching.stop();
    let text = world.read("told");
    let messages: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(messages[0]["raised"], true);
    assert!(messages[0]["text"].as_str().unwrap().contains("upstream-gone: "), "{text}");
    assert_eq!((&messages[1]["raised"], &messages[1]["alert"]), (&false.into(), &"failures".into()));
}

#[test]
fn cron_hears_of_a_lag_by_the_exit_code() {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    world.write("port/tidelock.toml", &format!("{config}\n[alert]\nlag-revisions = 1\n"));
    world.commit("port", "alert");
    for number in 11..=13 {
        change(
            &world,
            "upstream",
            &format!("LIMIT: u32 = {}", number - 1),
            &format!("LIMIT: u32 = {number}"),
        );
    }
    assert_eq!(world.tidelock(&["status"]).code(), 7, "three behind, and one is allowed");
    assert_eq!(world.tidelock(&["status", "--lag-max", "3"]).code(), 0, "the command line comes first");
    assert_eq!(world.tidelock(&["sync", "--limit", "1"]).code(), 7, "it landed, and two are left");
    assert_eq!(world.tidelock(&["sync", "--limit", "1"]).code(), 0, "one is left");
    assert_eq!(world.tidelock(&["status"]).code(), 0);
}
