//! What the daemon answers over HTTP: whether it lives, whether it is ready, what it counted, and webhooks.
//!
//! Connections, their number and their time are bounded; a body is read only up to its bound. Nothing here does
//! any work: it reads what the loop left, and wakes it.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, oneshot};
use upstream::Clock;

use super::dispatch::Control;
use super::metrics::{self, Metrics};
use super::webhook::{Answer, BODY_BYTES_MAX, Delivery, Forge, Header, Refusal, Webhooks};

/// Connections at a time.
const CONNECTIONS_MAX: usize = 32;
/// How long a connection may take for its one request.
const CONNECTION_TIME: Duration = Duration::from_secs(20);
/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long the loop may be silent before the daemon no longer counts as alive, in milliseconds.
const SILENCE_MAX_MS: i64 = 60_000;

/// What is answered from.
#[derive(Debug)]
pub struct Offer {
    /// The loop.
    pub control: Control,
    /// What was counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What checks webhooks.
    pub webhooks: Arc<Webhooks>,
}

/// A server in a thread of its own, until it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens at an address.
    pub fn start(address: SocketAddr, offer: Offer) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let offer = Arc::new(offer);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, offer) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

async fn accept(listener: tokio::net::TcpListener, offer: Arc<Offer>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Whoever comes when it is full waits in the system's own, bounded queue.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _from)) => stream,
            Err(error) => {
                // Out of file descriptors, as a rule: that passes.
                tracing::warn!(error = error.to_string(), "cannot take a connection");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let offer = Arc::clone(&offer);
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(request, &offer));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            if let Ok(Err(error)) = tokio::time::timeout(CONNECTION_TIME, connection).await {
                tracing::debug!(error = error.to_string(), "a connection broke off");
            }
            drop(place);
        });
    }
}

type Reply = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>, offer: &Offer) -> Result<Reply, Infallible> {
    let path = request.uri().path().to_owned();
    let forge =
        path.strip_prefix("/webhook/").map(|name| Forge::ALL.into_iter().find(|of| of.name() == name));
    Ok(match (request.method(), path.as_str(), forge) {
        (&Method::POST, _, Some(Some(forge))) => webhook(request, forge, offer).await,
        (_, _, Some(Some(_))) => plain(StatusCode::METHOD_NOT_ALLOWED, "a webhook is sent with POST\n"),
        (&Method::GET | &Method::HEAD, "/healthz", _) => health(offer),
        (&Method::GET | &Method::HEAD, "/readyz", _) => readiness(offer),
        (&Method::GET | &Method::HEAD, "/metrics", _) => {
            let mut reply = plain(StatusCode::OK, offer.metrics.text());
            let kind = hyper::header::HeaderValue::from_static(metrics::CONTENT_TYPE);
            reply.headers_mut().insert(CONTENT_TYPE, kind);
            reply
        }
        _ => plain(StatusCode::NOT_FOUND, "there are /healthz, /readyz, /metrics and /webhook/FORGE\n"),
    })
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static("text/plain; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}

fn health(offer: &Offer) -> Reply {
    let silent_ms = offer.clock.now_ms() - offer.control.turned_ms.load(Ordering::Relaxed);
    if silent_ms > SILENCE_MAX_MS {
        let text = format!("the loop has not turned for {} seconds\n", silent_ms / 1000);
        return plain(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    plain(StatusCode::OK, "alive\n")
}

fn readiness(offer: &Offer) -> Reply {
    if offer.control.stop.load(Ordering::Relaxed) {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    if !offer.control.ready.load(Ordering::Relaxed) {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "not every port was looked at yet\n");
    }
    plain(StatusCode::OK, "ready\n")
}

async fn webhook(request: Request<Incoming>, forge: Forge, offer: &Offer) -> Reply {
    if let Err(refusal) = offer.webhooks.admit(forge, offer.clock.now_ms()) {
        return refused(refusal, forge, offer);
    }
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return refused(Refusal::TooLong, forge, offer);
        }
        Err(_broken_off) => return refused(Refusal::Unreadable, forge, offer),
    };
    let port = head.uri.query().and_then(port_named);
    let headers = Headers(&head.headers);
    let delivery = Delivery { forge, header: &headers, port: port.as_deref(), body: &body };
    match offer.webhooks.judge(&delivery) {
        Answer::Wake { ports } => {
            let names = ports.iter().cloned().collect::<Vec<_>>().join(", ");
            if !offer.control.wake(ports) {
                offer.webhooks.forget(&delivery);
                offer.metrics.webhook(forge.name(), "full");
                return plain(StatusCode::SERVICE_UNAVAILABLE, "too much waits; polling finds it\n");
            }
            offer.metrics.webhook(forge.name(), "woken");
            tracing::debug!(ports = names, forge = forge.name(), "woken");
            plain(StatusCode::ACCEPTED, format!("woken: {names}\n"))
        }
        Answer::Nothing { why } => {
            offer.metrics.webhook(forge.name(), "nothing");
            plain(StatusCode::OK, format!("{why}\n"))
        }
        Answer::Refused(refusal) => refused(refusal, forge, offer),
    }
}

fn refused(refusal: Refusal, forge: Forge, offer: &Offer) -> Reply {
    offer.metrics.webhook(forge.name(), refusal.name());
    tracing::info!(forge = forge.name(), why = refusal.to_string(), "a webhook was refused");
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut reply = plain(status, format!("{refusal}\n"));
    if refusal == Refusal::TooMany {
        reply.headers_mut().insert(RETRY_AFTER, hyper::header::HeaderValue::from_static("10"));
    }
    reply
}

/// The value of `port` in the query of an address.
fn port_named(query: &str) -> Option<String> {
    let address = reqwest::Url::parse(&format!("http://localhost/?{query}")).ok()?;
    address.query_pairs().find(|(key, _)| key == "port").map(|(_, value)| value.into_owned())
}

#[derive(Debug)]
struct Headers<'a>(&'a HeaderMap);

impl Header for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|value| value.to_str().ok())
    }
}
