//! The fake forge over HTTP: REST of three kinds from one state, git by `git http-backend`, and failures on demand.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};

use super::direct::DirectGit;
use super::operations::{self, decoded};
use super::promise::Promise;
use super::rest;
use super::state::{BASE, BOT_EMAIL, Kind, Sent, State};

/// A failure, of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 502, and nothing was done.
    Before,
    /// 502, and it was done.
    After,
    /// No answer at all, and it was done.
    Silence,
    /// Half of an answer, and it was done.
    Half,
    /// 429 with `Retry-After`.
    Limit,
    /// 403 as GitHub's secondary limit writes it.
    SecondaryLimit,
    /// 409, and nothing was done.
    Conflict,
    /// 200 with somebody's page, as a proxy before the forge writes it, and nothing was done.
    Page,
    /// Nothing is sent until whoever asked gives up, and it was done.
    Hang,
    /// 401: whoever asked gives up, as if it had been killed here.
    Stop,
}

/// What is done before a request is answered.
pub(crate) type Ambush = Box<dyn FnOnce(&mut State) + Send>;

/// What will go wrong, by how many requests away it is.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) faults: Vec<(usize, Fault)>,
    pub(crate) ambushes: Vec<(usize, Ambush)>,
    /// What will go wrong with git, where that goes without HTTP.
    pub(crate) git_faults: Vec<(usize, Fault)>,
    seen: usize,
    git_seen: usize,
}

impl Plan {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

pub(super) struct Shared {
    state: Mutex<State>,
    plan: Mutex<Plan>,
    over: AtomicBool,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with the next command of git.
    pub(super) fn strike(&self) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.git_seen += 1;
        let seen = plan.git_seen;
        plan.git_faults.iter().find(|(at, _)| *at == seen).map(|(_, fault)| *fault)
    }
}

/// A running forge.
pub(crate) struct FakeForge {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl FakeForge {
    pub(crate) fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            plan: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // One at a time for each connection; git opens several.
                std::thread::spawn(move || stream.map(|stream| serve(stream, &serving)));
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// Runs git for the bot without HTTP.
    pub(crate) fn direct_git(&self) -> Arc<dyn ProcessRunner> {
        Arc::new(DirectGit { shared: Arc::clone(&self.shared), url: self.git_url() })
    }

    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its REST interface is.
    pub(crate) fn api(&self) -> String {
        match self.state().kind {
            Kind::GitHub => self.url(),
            Kind::GitLab => format!("{}/api/v4", self.url()),
            Kind::Gitea => format!("{}/api/v1", self.url()),
        }
    }

    /// Where its repository is.
    pub(crate) fn git_url(&self) -> String {
        format!("{}/git/port.git", self.url())
    }
}

impl Drop for FakeForge {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// A request, read whole.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) raw_query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let header = |name: &str| headers.iter().find(|(is, _)| is == name).map(|(_, value)| value.clone());
        let mut body = Vec::new();
        if header("transfer-encoding").is_some_and(|value| value == "chunked") {
            loop {
                let mut size = String::new();
                reader.read_line(&mut size).ok()?;
                let size = usize::from_str_radix(size.trim(), 16).ok()?;
                let mut chunk = vec![0; size + 2];
                reader.read_exact(&mut chunk).ok()?;
                if size == 0 {
                    break;
                }
                body.extend_from_slice(chunk.get(..size)?);
            }
        } else {
            let length = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
            body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
        }
        let (path, raw_query) = target.split_once('?').unwrap_or((&target, ""));
        let query = raw_query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        let query = query.collect();
        Some(Self { method, path: path.to_owned(), query, raw_query: raw_query.to_owned(), headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(is, _)| is == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }
}

/// An answer: its status, more headers, its body.
pub(crate) type Answer = (u16, Vec<(String, String)>, Vec<u8>);

fn serve(mut stream: TcpStream, shared: &Shared) {
    let Some(asked) = Asked::read(&stream) else { return };
    let is_git = asked.path.starts_with("/git/");
    let mut fault = None;
    if !is_git {
        let mut plan = shared.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.seen += 1;
        let seen = plan.seen;
        fault = plan.faults.iter().find(|(at, _)| *at == seen).map(|(_, fault)| *fault);
        let due = plan.ambushes.iter().position(|(at, _)| *at == seen).map(|at| plan.ambushes.remove(at).1);
        if let Some(ambush) = due {
            ambush(&mut shared.state());
        }
    }
    let refused = |status, headers: &[(&str, &str)], body: Value| -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        (status, headers, body.to_string().into_bytes())
    };
    let (status, headers, body) = match fault {
        Some(Fault::Before) => refused(502, &[], json!({ "message": "bad gateway" })),
        Some(Fault::Limit) => refused(429, &[("Retry-After", "1")], json!({ "message": "too many" })),
        Some(Fault::SecondaryLimit) => {
            let said = json!({ "message": "You have exceeded a secondary rate limit." });
            refused(403, &[("Retry-After", "2")], said)
        }
        Some(Fault::Conflict) if asked.method != "GET" => refused(409, &[], json!({ "message": "conflict" })),
        Some(Fault::Stop) => refused(401, &[], json!({ "message": "Bad credentials" })),
        Some(Fault::Page) => (200, Vec::new(), b"<html><body>Please sign in.</body></html>".to_vec()),
        Some(Fault::Conflict | Fault::After | Fault::Silence | Fault::Half | Fault::Hang) | None => {
            let mut state = shared.state();
            if is_git { git(&asked, &mut state) } else { answer(&asked, &mut state) }
        }
    };
    let (status, length) = match fault {
        Some(Fault::Silence) => return,
        Some(Fault::Hang) => {
            // Until the other side closes.
            drop(stream.read(&mut [0]));
            return;
        }
        Some(Fault::After) => (502, body.len()),
        Some(_) | None => (status, body.len()),
    };
    let mut head = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head = format!("{head}{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    let sent = if fault == Some(Fault::Half) { body.len() / 2 } else { body.len() };
    // Whoever asked may be gone.
    drop(
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.get(..sent).unwrap_or_default())),
    );
}

fn answer(asked: &Asked, state: &mut State) -> Answer {
    state.requests += 1;
    let said =
        |status: u16, message: &str| (status, Vec::new(), json!({ "message": message }).to_string().into());
    let (expected, prefix) = match state.kind {
        Kind::GitHub => (("authorization", format!("Bearer {}", state.token)), ""),
        Kind::GitLab => (("private-token", state.token.clone()), "/api/v4"),
        Kind::Gitea => (("authorization", format!("token {}", state.token)), "/api/v1"),
    };
    if asked.header(expected.0) != expected.1 {
        return said(401, "Bad credentials");
    }
    let Some(path) = asked.path.strip_prefix(prefix) else { return said(404, "Not Found") };
    let operations = operations::of(state.kind);
    let Some((name, values)) = operations::find(operations, &asked.method, path) else {
        state.broken(Promise::RequestsInForm, format!("unknown operation {} {path}", asked.method));
        return said(404, "Not Found");
    };
    let body: Value = if asked.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&asked.body).unwrap_or(Value::Null)
    };
    for wrong in operations::violations(&operations[&name], &asked.query, &body) {
        state.broken(Promise::RequestsInForm, format!("{name}: {wrong}"));
    }
    if state.keeps_requests {
        let (method, query) = (asked.method.clone(), asked.query.clone());
        state.sent.push(Sent { method, path: path.to_owned(), query, body: body.clone() });
    }
    state.follow();
    let (status, value) = rest::answered(state, &name, &values, asked, &body);
    let bytes = if value.is_null() { Vec::new() } else { value.to_string().into_bytes() };
    (status, Vec::new(), bytes)
}

/// A request of git: the bot's pushes are looked at before and after.
fn git(asked: &Asked, state: &mut State) -> Answer {
    let user = match state.kind {
        Kind::GitHub => "x-access-token",
        Kind::GitLab | Kind::Gitea => "oauth2",
    };
    let basic = STANDARD.encode(format!("{user}:{}", state.token));
    if asked.header("authorization") != format!("Basic {basic}") {
        return (401, vec![("WWW-Authenticate".to_owned(), "Basic realm=\"git\"".to_owned())], Vec::new());
    }
    let is_push = asked.path.ends_with("/git-receive-pack");
    if asked.query("service") == Some("git-upload-pack") {
        state.base_shown = state.tip(BASE);
    }
    let before = heads(state);
    let path = asked.path.trim_start_matches("/git").to_owned();
    let invocation = Invocation::new("git", state.bare.parent().unwrap())
        .args(["-c", "safe.directory=*", "-c", "http.receivepack=true", "http-backend"])
        .env("GIT_PROJECT_ROOT", state.bare.parent().unwrap())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REMOTE_USER", user)
        .env("REQUEST_METHOD", &asked.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", &asked.raw_query)
        .env("CONTENT_TYPE", asked.header("content-type"))
        .env("HTTP_CONTENT_ENCODING", asked.header("content-encoding"))
        .env("GIT_PROTOCOL", asked.header("git-protocol"))
        .env("CONTENT_LENGTH", asked.body.len().to_string())
        .stdin(asked.body.clone());
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    let out = finished.stdout;
    let end = out.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(out.len());
    let head = String::from_utf8_lossy(out.get(..end).unwrap_or_default()).into_owned();
    let body = out.get(end + 4..).unwrap_or_default().to_vec();
    let mut status = 200;
    let mut headers = Vec::new();
    for line in head.lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name == "Status" {
            status = value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500);
        } else {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    if is_push {
        inspect(state, &before);
        state.follow();
    }
    (status, headers, body)
}

pub(super) fn heads(state: &State) -> Vec<(String, String)> {
    let mut branches: Vec<&str> = state.pulls.iter().map(|pull| pull.branch.as_str()).collect();
    branches.extend([BASE, "tidelock/sync"]);
    let tips = branches.into_iter().filter_map(|name| Some((name.to_owned(), state.tip(name)?.to_string())));
    tips.collect()
}

/// Promises about a push of the bot.
pub(super) fn inspect(state: &mut State, before: &[(String, String)]) {
    let repo = state.repo();
    let mut wrong = Vec::new();
    let base = state.tip(BASE).unwrap();
    for (branch, old) in before {
        let Some(new) = state.tip(branch).filter(|new| new.as_str() != old) else { continue };
        if branch == BASE {
            wrong.push((Promise::NoPushOverPeople, "the bot pushed to the base branch".to_owned()));
        }
        let old = upstream::CommitId::new(old.as_str()).unwrap();
        let lost = repo.series(&new, &old).unwrap();
        let spent = state
            .pulls
            .iter()
            .any(|pull| pull.head == old.as_str() && matches!(pull.fate, super::state::Fate::Merged(_)));
        for commit in lost.iter().filter(|_| !spent) {
            let in_base = repo.descends(&base, &commit.id).unwrap();
            if commit.author_email != BOT_EMAIL && !in_base {
                let text = format!("the bot pushed over {} of {}", commit.id, commit.author_email);
                wrong.push((Promise::NoPushOverPeople, text));
            }
        }
        let reviewed = state.pulls.iter().any(|pull| {
            pull.branch == *branch
                && pull.is_open()
                && pull.reviews.iter().any(|review| review.author != super::state::BOT)
        });
        if reviewed && !lost.is_empty() {
            let text = format!("the bot wrote {old} anew, which was reviewed");
            wrong.push((Promise::NoPushOverPeople, text));
        }
        let open = state.pulls.iter().any(|pull| pull.branch == *branch && pull.is_open());
        if open && state.tree(old.as_str()) == state.tree(new.as_str()) {
            wrong.push((Promise::NoIdenticalTree, "the bot pushed the tree that was there".to_owned()));
        }
    }
    if let Some(new) = state.tip("tidelock/sync") {
        let fresh = !before.iter().any(|(branch, tip)| branch == "tidelock/sync" && tip == new.as_str());
        if fresh {
            state.pushed.push(new.to_string());
        }
        // What is merged between its last look and its push it cannot know.
        let shown = state.base_shown.clone().unwrap_or(base);
        if fresh && state.tree(new.as_str()) == state.tree(shown.as_str()) {
            let text = "the bot pushed the base branch's tree".to_owned();
            wrong.push((Promise::NoIdenticalTree, text));
        }
    }
    state.violations.extend(wrong);
}
