//! What the daemon answers to programs: whether it lives, whether it is ready, what it counted, and webhooks.
//!
//! A body is read only up to its bound. Nothing here does any work: it reads what the loop left, and wakes it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::{any, get};
use http_body_util::{BodyExt as _, Limited};
use upstream::Clock;

use super::dispatch::Control;
use super::metrics::{self, Metrics};
use super::webhook::{Answer, BODY_BYTES_MAX, Delivery, Forge, Header, Refusal, Webhooks};

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

/// The addresses of a daemon, but for those of its dashboard.
pub fn router(offer: Offer) -> Router {
    Router::new()
        .route("/healthz", get(async |State(offer): State<Arc<Offer>>| health(&offer)))
        .route("/readyz", get(async |State(offer): State<Arc<Offer>>| readiness(&offer)))
        .route("/metrics", get(async |State(offer): State<Arc<Offer>>| counted(&offer)))
        .route("/webhook/{forge}", any(answer_forge))
        .with_state(Arc::new(offer))
}

async fn answer_forge(
    State(offer): State<Arc<Offer>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    match Forge::ALL.into_iter().find(|forge| forge.name() == name) {
        None => plain(StatusCode::NOT_FOUND, "no forge of that name is known here\n"),
        Some(_) if request.method() != Method::POST => {
            plain(StatusCode::METHOD_NOT_ALLOWED, "a webhook is sent with POST\n")
        }
        Some(forge) => webhook(request, forge, &offer).await,
    }
}

fn counted(offer: &Offer) -> Response {
    let mut reply = plain(StatusCode::OK, offer.metrics.text());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    reply
}

fn plain(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut reply = Response::new(text.into());
    *reply.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}

fn health(offer: &Offer) -> Response {
    let silent_ms = offer.clock.now_ms() - offer.control.turned_ms.load(Ordering::Relaxed);
    if silent_ms > SILENCE_MAX_MS {
        let text = format!("the loop has not turned for {} seconds\n", silent_ms / 1000);
        return plain(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    plain(StatusCode::OK, "alive\n")
}

fn readiness(offer: &Offer) -> Response {
    if offer.control.stop.load(Ordering::Relaxed) {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    if !offer.control.ready.load(Ordering::Relaxed) {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "not every port was looked at yet\n");
    }
    plain(StatusCode::OK, "ready\n")
}

async fn webhook(request: Request, forge: Forge, offer: &Offer) -> Response {
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

fn refused(refusal: Refusal, forge: Forge, offer: &Offer) -> Response {
    offer.metrics.webhook(forge.name(), refusal.name());
    tracing::info!(forge = forge.name(), why = refusal.to_string(), "a webhook was refused");
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut reply = plain(status, format!("{refusal}\n"));
    if refusal == Refusal::TooMany {
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
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
