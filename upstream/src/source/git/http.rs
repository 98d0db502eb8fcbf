//! Git over http with bounds: gix speaks the protocol, this file watches every byte that comes.
//!
//! A server that trickles, a page of HTML, a redirect or a status that refuses: gix reports each as a text.
//! [`Watch`] sees them as they pass, so that each becomes an error of its own. It never changes what is sent.

use std::any::Any;
use std::io::{BufRead, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gix::protocol::transport::client::blocking_io::http;
use http::reqwest::{Options as ReqwestOptions, Remote as Reqwest};
use http::{GetResponse, Http, PostBodyDataKind, PostResponse};

use crate::clock::Clock;

/// The most bytes of headers of one answer that are looked at.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// After how many bytes the progress is told again.
const TOLD_EVERY_BYTES: u64 = 1 << 20;

/// What went wrong, where it is more than a text of gix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HttpFailure {
    /// The whole took longer than allowed.
    TooLong,
    /// Nothing came for longer than allowed.
    Silent,
    /// We were told to stop.
    Interrupted,
    /// The server answered with this status.
    Status(u16),
    /// The server names another address, which git's rules do not let us follow.
    Redirected(String),
    /// The answer is of this type, which is none of git's.
    NotGit(String),
}

/// Sees all that a server sends during one question to it.
pub(super) struct Watch<'a> {
    clock: &'a dyn Clock,
    /// How long it may take.
    pub(super) most_ms: u64,
    deadline_ms: i64,
    pub(super) interrupt: &'a AtomicBool,
    /// Hears how many bytes have come.
    received: &'a (dyn Fn(u64) + Sync),
    bytes: AtomicU64,
    headers: Mutex<Vec<u8>>,
    failure: Mutex<Option<HttpFailure>>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        clock: &'a dyn Clock,
        most_ms: u64,
        interrupt: &'a AtomicBool,
        received: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        let deadline_ms = clock.now_ms().saturating_add_unsigned(most_ms);
        Self {
            clock,
            most_ms,
            deadline_ms,
            interrupt,
            received,
            bytes: AtomicU64::new(0),
            headers: Mutex::default(),
            failure: Mutex::default(),
        }
    }

    /// What was seen to go wrong.
    pub(super) fn failure(&self) -> Option<HttpFailure> {
        let seen = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seen.or_else(|| {
            let headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
            odd_answer(&String::from_utf8_lossy(&headers))
        })
    }

    fn fail(&self, failure: HttpFailure) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }

    fn begins(&self) {
        self.headers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn took(&self, bytes: &[u8], is_header: bool) {
        if is_header {
            let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
            let room = HEADER_BYTES_MAX.saturating_sub(headers.len());
            headers.extend(bytes.iter().take(room));
            return;
        }
        let had = self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let has = had + bytes.len() as u64;
        if had / TOLD_EVERY_BYTES != has / TOLD_EVERY_BYTES {
            (self.received)(has);
        }
    }

    /// Whether to go on reading.
    fn check(&self) -> std::io::Result<()> {
        let failure = if self.interrupt.load(Ordering::Relaxed) {
            HttpFailure::Interrupted
        } else if self.clock.now_ms() > self.deadline_ms {
            HttpFailure::TooLong
        } else {
            return Ok(());
        };
        self.fail(failure);
        Err(std::io::Error::other("stopped"))
    }

    fn saw(&self, error: &std::io::Error) {
        let Some(inner) = error.get_ref() else { return };
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(inner);
        while let Some(error) = cause {
            if error.is::<gix::protocol::transport::client::AuthenticationRequired>() {
                return self.fail(HttpFailure::Status(401));
            }
            if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                if error.is_timeout() && !error.is_connect() {
                    return self.fail(HttpFailure::Silent);
                }
                if let Some(status) = error.status() {
                    return self.fail(HttpFailure::Status(status.as_u16()));
                }
            }
            cause = error.source();
        }
    }
}

/// What is wrong with an answer, by its headers: git's own answers have a type of their own.
fn odd_answer(headers: &str) -> Option<HttpFailure> {
    let value = |wanted: &str| {
        let mut fields = headers.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_owned())
    };
    if let Some(to) = value("location") {
        return Some(HttpFailure::Redirected(to));
    }
    match value("content-type") {
        Some(kind) if kind.starts_with("application/x-git-") => None,
        Some(kind) => Some(HttpFailure::NotGit(kind)),
        None if headers.trim().is_empty() => None,
        None => Some(HttpFailure::NotGit("no type".to_owned())),
    }
}

/// The options of gix's client, with the longest silence that is waited through.
pub(super) fn with_silence(mut options: http::Options, silence: Duration) -> http::Options {
    let backend = ReqwestOptions {
        configure_client: Some(Box::new(move |client| Ok(client.timeout(silence).connect_timeout(silence)))),
        configure_request: None,
    };
    options.backend = Some(Arc::new(Mutex::new(backend)));
    options
}

/// gix's client with somebody watching.
pub(super) struct WatchedHttp<'a> {
    client: Reqwest,
    watch: &'a Watch<'a>,
}

impl<'a> WatchedHttp<'a> {
    pub(super) fn new(watch: &'a Watch<'a>) -> Self {
        Self { client: Reqwest::default(), watch }
    }

    fn header<R>(&self, inner: R) -> Watched<'a, R> {
        self.watch.begins();
        Watched { inner, watch: self.watch, is_header: true }
    }

    fn body<R>(&self, inner: R) -> Watched<'a, R> {
        Watched { inner, watch: self.watch, is_header: false }
    }
}

impl<'a> Http for WatchedHttp<'a> {
    type Headers = Watched<'a, <Reqwest as Http>::Headers>;
    type ResponseBody = Watched<'a, <Reqwest as Http>::ResponseBody>;
    type PostBody = <Reqwest as Http>::PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let answer = self.client.get(url, base_url, headers)?;
        Ok(GetResponse { headers: self.header(answer.headers), body: self.body(answer.body) })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let answer = self.client.post(url, base_url, headers, body)?;
        Ok(PostResponse {
            post_body: answer.post_body,
            headers: self.header(answer.headers),
            body: self.body(answer.body),
        })
    }

    fn configure(&mut self, config: &dyn Any) -> gix::Result {
        self.client.configure(config)
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.client.redirected_base_url()
    }
}

/// What a server sends, with somebody watching.
pub(super) struct Watched<'a, R> {
    inner: R,
    watch: &'a Watch<'a>,
    is_header: bool,
}

impl<R: BufRead> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), available.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Watched<'_, R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.watch.check()?;
        match self.inner.fill_buf() {
            Ok(bytes) => Ok(bytes),
            Err(error) => {
                self.watch.saw(&error);
                Err(error)
            }
        }
    }

    fn consume(&mut self, count: usize) {
        if let Ok(bytes) = self.inner.fill_buf() {
            self.watch.took(bytes.get(..count).unwrap_or_default(), self.is_header);
        }
        self.inner.consume(count);
    }
}
