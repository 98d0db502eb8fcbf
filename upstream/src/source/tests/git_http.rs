//! Mirrors over http: git's own server program behind a socket on the loopback device.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use super::git_fixture::GitUpstream;
use super::*;
use crate::process::{Invocation, ProcessRunner};

struct HttpServer {
    address: String,
    /// Breaks off the next answers with a pack in the middle.
    breaks_off: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Serves the repositories in a folder.
    fn start(root: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let breaks_off = Arc::new(AtomicBool::new(false));
        let breaking = Arc::clone(&breaks_off);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // A client that went away is no concern of the server.
                drop(stream.and_then(|stream| answer(&stream, &root, &breaking)));
            }
        });
        Self { address, breaks_off, stop, thread: Some(thread) }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(&self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn answer(mut stream: &TcpStream, root: &Path, breaks_off: &AtomicBool) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut backend = Invocation::new("git", root)
        .args(["-c", "safe.directory=*", "http-backend"])
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query);
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-type" => backend = backend.env("CONTENT_TYPE", value),
            "content-encoding" => backend = backend.env("HTTP_CONTENT_ENCODING", value),
            "git-protocol" => backend = backend.env("GIT_PROTOCOL", value),
            "content-length" => length = value.parse().unwrap(),
            "transfer-encoding" => is_chunked = value == "chunked",
            "expect" => stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    while is_chunked {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        body.extend(chunk.iter().take(size));
        is_chunked = size > 0;
    }
    let backend = backend.env("CONTENT_LENGTH", body.len().to_string()).stdin(body);
    let answered = SystemProcessRunner::default().run(&backend).unwrap();
    let end = answered.stdout.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let (headers, body) = answered.stdout.split_at(end);
    let headers = String::from_utf8_lossy(headers);
    let status = headers.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    write!(stream, "HTTP/1.1 {status}\r\n{headers}\r\nConnection: close\r\n")?;
    write!(stream, "Content-Length: {}\r\n", body.len() - 4)?;
    let body = body.get(4..).unwrap();
    let has_pack = body.windows(4).any(|bytes| bytes == b"PACK");
    let sent = if has_pack && breaks_off.load(Ordering::Relaxed) { body.len() / 2 } else { body.len() };
    stream.write_all(b"\r\n")?;
    stream.write_all(body.get(..sent).unwrap())
}

#[test]
fn a_fetch_that_breaks_off_in_the_middle_leaves_a_usable_mirror_and_the_next_goes_on() {
    install_tls_provider();
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let server = HttpServer::start(upstream.path().parent().unwrap().to_owned());
    let source = format!("git:http://{}/upstream/.git#branch=main", server.address).parse().unwrap();
    let mirror = upstream.open(source).unwrap();
    poll(&mirror, None).unwrap();
    for number in 0..30 {
        upstream.commit(&format!("{number} {}", "text ".repeat(number * 50)));
    }
    server.breaks_off.store(true, Ordering::Relaxed);
    let error = poll(&mirror, None).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { last_poll_s: Some(_), .. }), "{error:?}");
    assert_eq!(summaries(&mirror.revisions().unwrap()), ["one"]);
    server.breaks_off.store(false, Ordering::Relaxed);
    assert_eq!(poll(&mirror, None).unwrap().new.len(), 31);
}

#[test]
fn a_repository_behind_http_is_mirrored_and_followed() {
    install_tls_provider();
    let upstream = GitUpstream::new();
    upstream.commit("one");
    upstream.git(&["tag", "-a", "-m", "x", "v1"]);
    let server = HttpServer::start(upstream.path().parent().unwrap().to_owned());
    let source = |path: &str| format!("git:http://{}/{path}", server.address).parse().unwrap();
    let mirror = upstream.open(source("upstream/.git")).unwrap();
    assert_eq!(labels(&poll(&mirror, None).unwrap().new), ["v1"]);
    upstream.commit("two");
    assert_eq!(summaries(&poll(&mirror, Some("v1")).unwrap().new), ["two"]);
    let heard = Heard::default();
    mirror.poll(Some(&label("v1")), &heard, &AtomicBool::new(false)).unwrap();
    assert_eq!(heard.lines(), Vec::<String>::new());

    let surroundings = surroundings(upstream.path().parent().unwrap(), None);
    let missing = Mirror::open(source("missing/.git"), &upstream.beside("other"), surroundings).unwrap();
    let error = poll(&missing, None).unwrap_err();
    assert!(matches!(error, SourceError::NoRepositoryThere { status: 404, .. }), "{error:?}");
}
