//! The dashboard of a daemon and without one: what is shown while a sync is under way, and what it leaves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::running::{Running, until};
use super::{BUMP, change, often};
use crate::world::World;

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The first address in a page that begins so.
fn link<'a>(page: &'a str, begin: &str) -> &'a str {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.into_iter().find(|link| link.starts_with(begin)).unwrap_or_else(|| panic!("no {begin}: {page}"))
}

#[test]
fn a_daemon_shows_a_run_while_it_is_under_way_and_what_it_came_to() {
    let world = often();
    let go = world.path("go");
    change(&world, "upstream", "n.saturating_add(1)", "n.wrapping_add(1)");
    let waits = format!("import os, time\nwhile not os.path.exists({go:?}): time.sleep(0.05)");
    let who = world.answering(&[("tally.bump", BUMP)], &waits);
    let mut watching = Running::start(&world, "port", &["--listen", "127.0.0.1:0", "--translator", &who]);
    let line = watching.says("listening", &[]);
    let address = line["address"].as_str().unwrap().to_owned();
    assert_eq!(line["dashboard"], format!("http://{address}/"));
    assert!(get(&address, "/healthz").contains(" 200 "), "one server answers both");

    until("a run that has not ended", || {
        let page = get(&address, "/port/tally-py");
        page.contains("Not ended yet") && page.contains("syncing") && page.contains("tally::bump")
    });
    let mut listening = TcpStream::connect(&address).unwrap();
    listening.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    listening.write_all(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut told =
        BufReader::new(listening).lines().map(Result::unwrap).filter(|line| line.starts_with("data: "));
    told.next().unwrap();
    std::fs::write(&go, "").unwrap();
    told.next().unwrap();
    watching.says("synced", &[("outcome", "done"), ("lag", "0")]);

    until("the run that ended", || {
        let page = get(&address, "/port/tally-py");
        page.contains("✓</span> done") && !page.contains("Not ended yet")
    });
    until("how the port stands now", || get(&address, "/").contains("up to date"));
    let page = get(&address, "/port/tally-py");
    let run = link(&page, "/port/tally-py/run/").to_owned();
    let run = run.split('#').next().unwrap();
    let shown = get(&address, run);
    assert!(shown.contains("tally::bump") && shown.contains("proved"), "{shown}");
    let unit = get(&address, link(&shown, &format!("{run}/unit/")));
    assert!(unit.contains("wrapping_add") && unit.contains("% 256"), "both sides: {unit}");
    assert!(get(&address, "/port/tally-py/modules").contains("class=\"tile"));
    let graph = get(&address, "/port/tally-py/graph");
    assert!(graph.contains("● tally/__init__.py"), "the newest revision is lit up: {graph}");
    watching.stop();
}

/// A running `tidelock dashboard`, and where it answers.
struct Showing {
    child: Child,
    address: String,
}

impl Showing {
    #[expect(clippy::disallowed_methods, reason = "a process that is to run on cannot be an `Invocation`")]
    fn start(world: &World) -> Self {
        let invocation = world.invocation("port", &["dashboard", "--listen", "127.0.0.1:0"]);
        let mut child = Command::new(&invocation.program)
            .args(&invocation.arguments)
            .current_dir(&invocation.directory)
            .env_clear()
            .envs(&invocation.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { child, address }
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn without_a_daemon_the_same_pages_show_what_runs_left_and_change_nothing() {
    let world = often();
    let mut showing = Showing::start(&world);
    assert!(get(&showing.address, "/port/tally-py").contains("There has been no run yet"));
    assert!(!world.path("port/.tidelock/state.db").exists(), "looking makes no journal");
    change(&world, "upstream", "LIMIT: u32 = 10", "LIMIT: u32 = 12");
    let synced = world.tidelock(&["sync"]);
    assert_eq!(synced.code(), 0, "{synced}");
    until("the run of another process", || get(&showing.address, "/").contains(">done</a>"));
    let page = get(&showing.address, "/port/tally-py");
    assert!(page.contains("No daemon answers here"), "{page}");
    assert!(get(&showing.address, "/metrics").contains(" 404 "));
    kill_process(Pid::from_child(&showing.child), Signal::TERM).unwrap();
    until("its end", || showing.child.try_wait().unwrap().is_some());
    assert_eq!(showing.child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_told() {
    let world = World::new();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let refused = world.tidelock(&["dashboard", "--listen", &address]);
    assert_ne!(refused.code(), 0);
    assert!(refused.to_string().contains("cannot listen at"), "{refused}");
    let nowhere = world.tidelock(&["dashboard", "no-such-folder"]);
    assert_eq!(nowhere.code(), 2, "{nowhere}");
}

/// Sends a form from a page, with the cookie of a session where there is one; the answer.
fn send(address: &str, path: &str, cookie: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = form.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nSec-Fetch-Site: same-origin\r\n\
         Cookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get_with(address: &str, path: &str, cookie: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn who_signs_in_with_the_token_has_what_is_parked_taken_up_again() {
    const TOKEN: &str = "correct-horse-battery-staple";
    let world = often();
    change(&world, "upstream", "n.saturating_add(1)", "n.wrapping_add(1)");
    let wrong = BUMP.replace("% 256", "% 255");
    let who = world.answering(&[("tally.bump", &wrong)], "");
    let file = "version = 1\nlisten = \"127.0.0.1:0\"\n[dashboard]\ntoken-env = \"BOARD_TOKEN\"\n\
                [[port]]\nfolder = \"port\"\n";
    world.write("daemon.toml", file);
    let arguments = ["--config", "daemon.toml", "--translator", &who];
    let mut watching = Running::start_with(&world, "", &arguments, &[("BOARD_TOKEN", TOKEN)]);
    let address = watching.says("listening", &[])["address"].as_str().unwrap().to_owned();
    watching.says("synced", &[("outcome", "parked")]);
    // Nothing is new, so that nobody takes it up by themselves.
    world.answering(&[("tally.bump", BUMP)], "");

    let refused = send(&address, "/sign-in", "", "token=correct-horse");
    assert!(refused.contains(" 403 "), "{refused}");
    let answer = send(&address, "/sign-in", "", &format!("token={TOKEN}"));
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let mut page = String::new();
    until("the button", || {
        page = get_with(&address, "/port/tally-py", cookie);
        page.contains("Take up again what is parked")
    });
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let without = send(&address, "/port/tally-py/retry", "", &format!("csrf={csrf}"));
    assert!(without.contains(" 403 "), "{without}");
    let answer = send(&address, "/port/tally-py/retry", cookie, &format!("csrf={csrf}"));
    assert!(answer.contains(" 303 "), "{answer}");
    watching.says("synced", &[("outcome", "done")]);
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
    watching.stop();
    let log = std::fs::read_to_string(world.path("watch.log")).unwrap();
    assert!(!log.contains(TOKEN) && !log.contains(cookie) && !log.contains(csrf), "{log}");
}
