//! Servers that misbehave, each a socket on the loopback device, and what is said of them.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use super::git_fixture::GitUpstream;
use super::*;
use crate::clock::{Clock, SystemClock};

/// How long a test's server may be silent, and how long a listing may take.
const LIMITS: SourceLimits =
    SourceLimits { listing_ms: 1_500, fetch_ms: 3_000, silence_ms: 700, lock_ms: 20_000 };

/// Answers every request by one function.
struct Server {
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(answer: impl Fn(&TcpStream, &AtomicBool) -> std::io::Result<()> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // A client that went away is no concern of the server.
                drop(stream.and_then(|stream| {
                    let mut reader = BufReader::new(&stream);
                    let mut line = String::new();
                    while reader.read_line(&mut line)? > 2 {
                        line.clear();
                    }
                    answer(&stream, &stopped)
                }));
            }
        });
        Self { address, stop, thread: Some(thread) }
    }

    /// Answers every request with these bytes.
    fn saying(answer: &'static str) -> Self {
        Self::start(move |mut stream, _stop| stream.write_all(answer.as_bytes()))
    }

    fn error(&self, scheme: &str) -> SourceError {
        install_tls_provider();
        let upstream = GitUpstream::new();
        let mut surroundings = surroundings(upstream.path().parent().unwrap(), None);
        surroundings.clock = Arc::new(SystemClock);
        let source = format!("git:{scheme}://{}/up.git", self.address).parse().unwrap();
        let mirror = Mirror::open(source, &upstream.beside("mirror"), surroundings).unwrap();
        let error = poll(&mirror.with_limits(LIMITS), None).unwrap_err();
        assert!(error.to_string().contains(&self.address), "{error}");
        error
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(&self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Accepts and says nothing until the test is over or the client gives up.
fn be_silent(mut stream: &TcpStream, stop: &AtomicBool) -> std::io::Result<()> {
    for _ in 0..60 {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        SystemClock.sleep(Duration::from_millis(50));
    }
    stream.flush()
}

#[test]
fn a_server_that_is_silent_is_given_up_in_time() {
    let error = Server::start(be_silent).error("http");
    assert!(matches!(error, SourceError::TimedOut { what: "nothing came", .. }), "{error:?}");
}

#[test]
fn a_git_daemon_that_is_silent_is_given_up_in_time() {
    let error = Server::start(be_silent).error("git");
    assert!(matches!(error, SourceError::TimedOut { .. }), "{error:?}");
}

#[test]
fn a_server_that_trickles_is_given_up_in_time() {
    let trickle = |mut stream: &TcpStream, stop: &AtomicBool| {
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 60000\r\n\r\n001e# service=git-upload-pack\n00008000",
        )?;
        while !stop.load(Ordering::Relaxed) {
            stream.write_all(b"x")?;
            SystemClock.sleep(Duration::from_millis(100));
        }
        Ok(())
    };
    let error = Server::start(trickle).error("http");
    assert!(matches!(error, SourceError::TimedOut { what: "it was not done in time", .. }), "{error:?}");
}

#[test]
fn statuses_that_refuse_are_told_apart() {
    let answers = [
        (
            "HTTP/1.1 403 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "refuses access (HTTP status 403)",
        ),
        ("HTTP/1.1 404 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "there is no repository at"),
        ("HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "HTTP status 500"),
    ];
    for (answer, expected) in answers {
        let error = Server::saying(answer).error("http");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_server_that_wants_a_password_is_told_so() {
    let error = Server::saying(
        "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
    .error("http");
    assert!(matches!(error, SourceError::AccessDenied { .. }), "{error:?}");
}

#[test]
fn a_web_page_is_not_taken_for_a_repository() {
    let error = Server::saying(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>",
    )
    .error("http");
    assert!(matches!(&error, SourceError::NotGit { kind, .. } if kind == "text/html"), "{error:?}");
    assert!(error.to_string().contains("git clone"), "{error}");
}

#[test]
fn a_server_that_breaks_off_is_unreachable() {
    let error = Server::saying(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 600\r\n\r\n001e# service=git-up",
    )
    .error("http");
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
}

#[test]
fn a_redirect_elsewhere_is_not_followed_and_its_address_is_redacted() {
    let error = Server::saying(
        "HTTP/1.1 302 X\r\nLocation: http://me:secret@127.0.0.1:9/other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
    .error("http");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}
