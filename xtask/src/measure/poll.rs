//! What a poll with nothing new costs, beside `git ls-remote` of the same repository.
//!
//! What a user runs is measured: the program `tidelock status --poll` in a port whose upstream the repository
//! is, over file:// and over http:// from git's own server on the loopback device. Both are run in turn.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use upstream::clock::{Clock, SystemClock};
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::{Metric, Tell};

/// How often each is run; the median counts.
const ROUNDS: usize = 31;
/// How many runs are timed together: the clock counts in milliseconds.
const RUNS_A_ROUND: u32 = 5;
/// How many times as long as `git ls-remote` a poll may take.
const RATIO_MAX: f64 = 1.5;
/// The largest request that the server reads.
const REQUEST_BYTES_MAX: usize = 64 << 20;
/// The exit code of a poll with nothing new.
const NOTHING_NEW: i32 = 3;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `poll` polls repositories: name them with `--repo PATH`");
    }
    if cfg!(debug_assertions) {
        bail!(
            "run it as `cargo run --release -p xtask -- measure poll`: it times the program that lies beside it"
        );
    }
    for repository in repositories {
        let repository = repository.canonicalize()?;
        let parent = repository.parent().context("the repository has no folder")?;
        let name =
            repository.file_name().context("the repository has no name")?.to_string_lossy().into_owned();
        let server = Server::start(parent.to_owned())?;
        let shown = parent.file_name().unwrap_or_default().to_string_lossy().into_owned();
        one(&format!("poll.{shown}.file"), &format!("file://{}", repository.display()), tell)?;
        one(&format!("poll.{shown}.http"), &format!("http://{}/{name}", server.address), tell)?;
    }
    Ok(())
}

fn one(metric: &str, url: &str, tell: &mut Tell<'_>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let port = folder.path();
    make_port(port, url)?;
    let program = std::env::current_exe()?.with_file_name("tidelock");
    let poll = || Invocation::new(&program, port).args(["status", "--poll"]);
    let list = || Invocation::new("git", port).args(["ls-remote", url]);
    let (mut polls, mut lists) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        polls.push(timed(&poll(), NOTHING_NEW)?);
        lists.push(timed(&list(), 0)?);
    }
    let (poll_ms, list_ms) = (median(polls), median(lists));
    let ratio = poll_ms / list_ms;
    let told = |name: &str, value: f64, unit| Metric {
        name: format!("{metric}.{name}"),
        value: json!((value * 100.0).round() / 100.0),
        unit,
        target: String::new(),
        ok: true,
    };
    tell(told("tidelock_ms", poll_ms, "ms"))?;
    tell(told("ls_remote_ms", list_ms, "ms"))?;
    tell(Metric {
        target: format!("at most {RATIO_MAX}"),
        ok: ratio <= RATIO_MAX,
        ..told("ratio", ratio, "times")
    })
}

/// A port without a line of code, whose lock equals the newest revision.
pub(super) fn make_port(port: &Path, url: &str) -> Result<()> {
    std::fs::write(
        port.join("tidelock.toml"),
        format!("version = 1\n[upstream]\ngit = {}\n[port]\nlanguage = \"python\"\n", json!(url)),
    )?;
    git(port, &["init", "--quiet"])?;
    // The mirror is filled as a user's first `tidelock status` would, and tells what is newest.
    let mirror = mirror(port, url)?;
    let newest = mirror
        .poll(None, &(), &AtomicBool::new(false))?
        .new
        .pop()
        .context("the repository has no revision")?;
    write_lock(port, url, &newest)
}

fn mirror(port: &Path, url: &str) -> Result<upstream::Mirror> {
    let program_state = port.join(".tidelock/mirrors");
    let source: upstream::SourceSpec = format!("git:{url}").parse()?;
    let folder = program_state.join(upstream::ContentHash::of(source.to_string()).short());
    let surroundings = upstream::source::Surroundings::system(port);
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    Ok(upstream::Mirror::open(source, &folder, surroundings)?)
}

fn write_lock(port: &Path, url: &str, newest: &upstream::Revision) -> Result<()> {
    let (source, label) = (json!(format!("git:{url}")), json!(newest.label));
    let commit = json!(newest.commit);
    let text = format!(
        "version = 1\nsource = {source}\nbaseline = {label}\ncommit = {commit}\n\nrevisions = [\n  {{ revision = {label}, commit = {commit}, disposition = \"adopted\" }},\n]\n\nlinks = [\n]\n\nparked = [\n]\n"
    );
    std::fs::write(port.join("tidelock.lock"), text)?;
    git(port, &["add", "tidelock.toml", "tidelock.lock"])?;
    git(port, &["-c", "user.name=x", "-c", "user.email=x@invalid", "commit", "--quiet", "-m", "lock"])
}

pub(super) fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let invocation = Invocation::new("git", folder).args(arguments.iter().copied());
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("git {arguments:?}: {}", finished.tail(5));
    }
    Ok(())
}

/// The milliseconds of one run, from a few.
fn timed(invocation: &Invocation, exit_code: i32) -> Result<f64> {
    let started_ms = SystemClock.now_ms();
    for _ in 0..RUNS_A_ROUND {
        let finished = SystemProcessRunner::default().run(invocation)?;
        if finished.ending != upstream::process::Ending::Exited(exit_code) {
            bail!("{} ended with {:?}: {}", invocation.program.display(), finished.ending, finished.tail(5));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few runs")]
    let passed_ms = (SystemClock.now_ms() - started_ms) as f64;
    Ok(passed_ms / f64::from(RUNS_A_ROUND))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Git's own server program behind a socket on the loopback device.
struct Server {
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(root: PathBuf) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // A client that went away is no concern of the server.
                drop(stream.map_err(anyhow::Error::from).and_then(|stream| answer(&stream, &root)));
            }
        });
        Ok(Self { address, stop, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(&self.address));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Answers one request, and closes.
fn answer(mut stream: &TcpStream, root: &Path) -> Result<()> {
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
        .env("QUERY_STRING", query)
        .limits(Limits { output_bytes_max: 4 << 30, ..Limits::default() });
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
            "content-length" => length = value.parse::<usize>()?.min(REQUEST_BYTES_MAX),
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
        let size = usize::from_str_radix(size.trim(), 16)?.min(REQUEST_BYTES_MAX);
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        body.extend(chunk.iter().take(size));
        is_chunked = size > 0 && body.len() < REQUEST_BYTES_MAX;
    }
    let backend = backend.env("CONTENT_LENGTH", body.len().to_string()).stdin(body);
    let answered = SystemProcessRunner::default().run(&backend)?;
    let end =
        answered.stdout.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("git said nothing")?;
    let (headers, body) = answered.stdout.split_at(end);
    let headers = String::from_utf8_lossy(headers);
    let status = headers.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    write!(stream, "HTTP/1.1 {status}\r\n{headers}\r\nConnection: close\r\n")?;
    write!(stream, "Content-Length: {}\r\n", body.len() - 4)?;
    Ok(stream.write_all(body.get(2..).unwrap_or_default())?)
}
