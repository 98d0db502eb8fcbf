//! The addresses over real sockets on the loopback device, above journals that are whole, hostile, broken or held.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use upstream::clock::ManualClock;
use upstream::process::SystemProcessRunner;

use super::{LISTENERS_MAX, Means, Shared, keeper, router};
use crate::daemon::server::Server;
use crate::progress::{Listener, Progress};
use crate::session::Machine;

/// A journal as it was once written: a run that ended, one that was stopped, and one that was given up.
const JOURNAL: &str = include_str!("../store/formats/1.sql");
const ENDED: &str = "20261121-100954-9a7e";
const HOSTILE: &str = "<script>alert(1)</script>&{{9173*7}}";

pub(super) struct Scene {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
    pub(super) server: Server,
    pub(super) clock: Arc<ManualClock>,
}

#[derive(Debug)]
struct Nobody;

impl Listener for Nobody {
    fn tell(&self, _progress: Progress) {}
}

/// Pages over a port with this journal, that only show.
pub(super) fn scene(journal: Option<&str>) -> Scene {
    scene_with(journal, Means::default())
}

pub(super) fn scene_with(journal: Option<&str>, means: Means) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let config =
        "version = 1\n[upstream]\nregistry = \"tally\"\n[port]\nname = \"tally-py\"\nlanguage = \"python\"\n";
    std::fs::write(folder.path().join("tidelock.toml"), config).unwrap();
    let settings = crate::config::load(folder.path()).unwrap();
    std::fs::create_dir_all(&settings.state).unwrap();
    if let Some(sql) = journal {
        let connection = Connection::open(settings.state.join("state.db")).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch(sql).unwrap();
    }
    let clock = Arc::new(ManualClock::at(1_795_300_000_000));
    let machine = Machine {
        runner: Arc::new(SystemProcessRunner::default()),
        clock: Arc::clone(&clock) as _,
        interrupt: Arc::default(),
        stop: Arc::default(),
        listener: Arc::new(Nobody),
        program: PathBuf::from("tidelock"),
    };
    let shared = Arc::new(Shared::new(vec![settings], &machine, means));
    while keeper::turn(&shared) {}
    let server = Server::start("127.0.0.1:0".parse().unwrap(), router(Arc::clone(&shared))).unwrap();
    Scene { folder, shared, server, clock }
}

impl Scene {
    fn journal(&self) -> PathBuf {
        self.folder.path().join(".tidelock/state.db")
    }

    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.server.address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path)
    }

    /// Asks to listen, and gives the status and what comes behind the head.
    fn listen(&self) -> (u16, BufReader<TcpStream>) {
        let mut stream = TcpStream::connect(self.server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(lines.read_line(&mut head).unwrap(), 0, "{head}");
        }
        (head.split(' ').nth(1).unwrap().parse().unwrap(), lines)
    }
}

/// The next number that a listener is told.
fn number(lines: &mut BufReader<TcpStream>) -> u64 {
    loop {
        let mut line = String::new();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the line was closed");
        if let Some(number) = line.strip_prefix("data: ") {
            return number.trim().parse().unwrap();
        }
    }
}

#[test]
fn every_page_is_answered_under_a_strict_policy_and_the_journal_stays_as_it_was() {
    let scene = scene(Some(JOURNAL));
    let before = std::fs::read(scene.journal()).unwrap();
    let run = format!("/port/tally-py/run/{ENDED}");
    for path in [
        "/",
        "/port/tally-py",
        "/port/tally-py?page=99999",
        "/port/tally-py/modules",
        "/port/tally-py/graph",
        "/port/tally-py/graph?revision=",
        "/port/tally-py/graph/symbols",
        "/port/tally-py/graph/symbols?revision=",
        "/port/tally-py/benchmarks",
        "/port/tally-py/costs",
        &run,
        &format!("{run}/unit/r1-u1"),
    ] {
        let (status, page) = scene.get(path);
        assert_eq!(status, 200, "{path}: {page}");
        assert!(
            page.contains("content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'"),
            "{path}"
        );
        assert!(page.contains("cache-control: no-store") && page.contains("x-frame-options: DENY"), "{path}");
        assert!(page.contains("<h1 "), "{path}");
    }
    let (_, overview) = scene.get("/");
    assert!(overview.contains("tally-py") && overview.contains("not watched from here"), "{overview}");
    let (_, port) = scene.get("/port/tally-py");
    assert!(port.contains(ENDED) && port.contains("given up"), "{port}");
    let (status, report) = scene.get(&format!("{run}/report"));
    assert!(status == 200 && report.contains("default-src 'none'; style-src 'unsafe-inline'"), "{report}");
    let (status, json) = scene.get(&format!("{run}/record.json"));
    let record = reports::RunRecord::read(json.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!((status, record.run.as_str()), (200, ENDED));
    for asset in ["board.css", "board.js", "icon.svg"] {
        assert_eq!(scene.get(&format!("/assets/{asset}")).0, 200);
    }
    assert_eq!(std::fs::read(scene.journal()).unwrap(), before);
}

#[test]
fn what_there_is_not_is_told_on_a_page_and_nothing_can_be_changed() {
    let scene = scene(Some(JOURNAL));
    for path in [
        "/port/nobody",
        "/port/nobody/graph",
        "/port/%3Cscript%3E",
        "/port/tally-py/run/none",
        "/port/tally-py/run/%27%20OR%201=1",
        &format!("/port/tally-py/run/{ENDED}/unit/r9-u9"),
        &format!("/port/tally-py/run/{ENDED}/unit/%3Cscript%3E"),
        "/port/tally-py/graph?revision=none",
        "/port/tally-py/graph/symbols?revision=none",
        "/port/nobody/graph/symbols",
        "/sign-in",
    ] {
        let (status, page) = scene.get(path);
        assert_eq!(status, 404, "{path}");
        let told = page.contains("No such") || page.contains("Nothing can be changed from here");
        assert!(told && !page.contains("<script>"), "{path}: {page}");
    }
    assert_eq!(scene.get("/port/tally-py?page=two").0, 400);
    assert_eq!(scene.get("/port/tally-py?page=-1").0, 400);
    assert_eq!(scene.get("/port/%FF").0, 400);
    assert_eq!(scene.get("/elsewhere").0, 404);
    for path in ["/", "/port/tally-py", "/events", "/assets/board.js"] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            assert_eq!(scene.ask(method, path).0, 405, "{method} {path}");
        }
    }
}

#[test]
fn hostile_names_and_texts_of_a_journal_come_out_as_text() {
    let evil = JOURNAL.replace(ENDED, HOSTILE).replace("tally::bump", "tally::<img src=x onerror=alert(1)>");
    let evil = evil.replace("refused, then landed", HOSTILE);
    let scene = scene(Some(&evil));
    let run = format!("/port/tally-py/run/{}", reports::board::segment(HOSTILE));
    let mut shown = 0;
    for path in [
        "/",
        "/port/tally-py",
        "/port/tally-py/graph",
        "/port/tally-py/costs",
        &run,
        &format!("{run}/report"),
    ] {
        let (_, page) = scene.get(path);
        assert!(
            !page.contains("<script>") && !page.contains("<img") && !page.contains("64211"),
            "{path}: {page}"
        );
        shown += usize::from(page.contains("&lt;script&gt;"));
    }
    assert!(shown >= 3, "the names are shown at all");
}

#[test]
fn a_journal_that_there_is_not_is_not_made() {
    let scene = scene(None);
    let (status, page) = scene.get("/port/tally-py");
    assert!(status == 200 && page.contains("There has been no run yet"), "{page}");
    assert_eq!(scene.get("/port/tally-py/run/any").0, 404);
    assert!(!scene.journal().exists());
}

#[test]
fn a_journal_of_a_newer_program_and_a_damaged_one_are_told_of() {
    let newer = scene(Some(&JOURNAL.replace("PRAGMA user_version = 1", "PRAGMA user_version = 99")));
    let (status, page) = newer.get("/port/tally-py");
    assert!(status == 200 && page.contains("format 99") && page.contains("update Tidelock"), "{page}");
    let (status, page) = newer.get(&format!("/port/tally-py/run/{ENDED}"));
    assert!(status == 500 && page.contains("update Tidelock"), "{page}");
    assert!(newer.get("/").1.contains("journal unreadable"));

    let damaged = scene(None);
    std::fs::write(damaged.journal(), "this is no database, whatever it is called ".repeat(100)).unwrap();
    keeper::turn(&damaged.shared);
    let (status, page) = damaged.get("/port/tally-py");
    assert!(status == 200 && page.contains("is damaged"), "{page}");
    assert_eq!(damaged.get("/port/tally-py/run/any").0, 500);
    // Once it is whole again it is read.
    std::fs::remove_file(damaged.journal()).unwrap();
    Connection::open(damaged.journal()).unwrap().execute_batch(JOURNAL).unwrap();
    while keeper::turn(&damaged.shared) {}
    assert!(damaged.get("/port/tally-py").1.contains(ENDED));
}

#[test]
fn one_run_that_cannot_be_read_holds_up_no_other() {
    let scene = scene(Some(&JOURNAL.replace("\"event\":\"finished\"", "\"event\":\"celebrated\"")));
    let (_, page) = scene.get("/port/tally-py");
    assert!(page.contains("1 run cannot be read"), "{page}");
    assert!(page.contains("20261121-100958-70a6"), "another one is listed");
    assert_eq!(scene.get(&format!("/port/tally-py/run/{ENDED}")).0, 500);
}

#[test]
fn a_journal_that_is_held_is_told_of_and_read_later() {
    let scene = scene(Some(JOURNAL));
    let holder = Connection::open(scene.journal()).unwrap();
    holder
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE runs SET started_ms = 1;")
        .unwrap();
    let (status, page) = scene.get(&format!("/port/tally-py/run/{ENDED}"));
    assert!(status == 503 && page.contains("cannot be read now"), "{status} {page}");
    assert_eq!(scene.get("/port/tally-py").0, 200, "what was read before is shown");
    holder.execute_batch("ROLLBACK").unwrap();
    drop(holder);
    assert_eq!(scene.get(&format!("/port/tally-py/run/{ENDED}")).0, 200);
}

#[test]
fn listeners_hear_of_changes_and_their_number_is_bounded() {
    let scene = scene(Some(JOURNAL));
    let (status, mut first) = scene.listen();
    assert_eq!(status, 200);
    let before = number(&mut first);
    scene.shared.live.changed();
    assert!(number(&mut first) > before);
    let others: Vec<_> = (1..LISTENERS_MAX).map(|_| scene.listen()).collect();
    assert!(others.iter().all(|(status, _)| *status == 200));
    assert_eq!(scene.listen().0, 503);
    // More than all connections listen, and pages are answered still.
    assert_eq!(scene.get("/").0, 200);
    // A run that goes on is heard of as well.
    let before = {
        scene.shared.live.changed();
        number(&mut first)
    };
    let writer = Connection::open(scene.journal()).unwrap();
    writer.execute_batch("UPDATE runs SET status = 'abandoned' WHERE status = 'open'").unwrap();
    while keeper::turn(&scene.shared) {}
    assert!(number(&mut first) > before);
    let (_, page) = scene.get("/port/tally-py");
    assert_eq!(page.matches("> given up</span>").count(), 2, "{page}");
}
