//! The addresses of the dashboard. All but what `actions` does are read with GET; each page is drawn in a thread beside,
//! a few at a time.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use reports::RunRecord;
use reports::board::{self, Board, Chrome, PortNow, RunDigest, UnitPage};
use reports::render::RenderError;
use serde::Deserialize;

use super::access::port_of;
use super::commands::Hand;
use super::symbols::Reached;
use super::{Kept, RunError, Shared, access, actions, events, graph, journal, locked, record_of};
use crate::store::{Store, StoreError};

/// Nothing but its own style sheet, script, icon and events. Foreign text could change none of it.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The same for a page with forms, which go to these pages alone.
const FORM_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                           base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The same for a report by itself, whose style is in the page.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                             frame-ancestors 'none'";

/// What a page says that was just asked for.
const ASKED: [&str; 2] = ["look", "retry"];

/// All pages, and what they load.
pub fn router(shared: Arc<Shared>) -> Router {
    let asset = |kind: &'static str, text: &'static str| {
        get(async move || with_policy(([(header::CONTENT_TYPE, kind)], text).into_response(), POLICY))
    };
    Router::new()
        .route("/", get(overview))
        .route("/port/{port}", get(port))
        .route("/port/{port}/modules", get(modules))
        .route("/port/{port}/graph", get(graph::modules))
        .route("/port/{port}/graph/symbols", get(graph::symbols))
        .route("/port/{port}/benchmarks", get(benchmarks))
        .route("/port/{port}/costs", get(costs))
        .route("/port/{port}/run/{run}", get(run))
        .route("/port/{port}/run/{run}/report", get(report))
        .route("/port/{port}/run/{run}/record.json", get(json))
        .route("/port/{port}/run/{run}/unit/{unit}", get(unit))
        .route("/port/{port}/look", post(actions::look))
        .route("/port/{port}/retry", post(actions::retry))
        .route("/sign-in", get(actions::form).post(actions::sign_in))
        .route("/sign-out", post(actions::sign_out))
        .route("/events", get(events::events))
        .route("/assets/board.css", asset("text/css; charset=utf-8", board::STYLE.as_str()))
        .route("/assets/board.js", asset("text/javascript; charset=utf-8", board::SCRIPT))
        .route("/assets/icon.svg", asset("image/svg+xml", board::ICON))
        .layer(DefaultBodyLimit::max(actions::FORM_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&shared), access::guard))
        .with_state(shared)
}

/// What a page is drawn with.
pub(super) struct Drawing<'a> {
    pub(super) shared: &'a Shared,
    pub(super) board: Board,
}

/// What is answered.
pub(super) enum Answer {
    Page(StatusCode, String),
    /// A page that says what there is not, or why it cannot be shown.
    Told(StatusCode, Option<Box<PortNow>>, &'static str, String),
    /// Another kind of text.
    Text(&'static str, &'static str, String),
}

/// A page as it should be.
pub(super) fn page(html: String) -> Answer {
    Answer::Page(StatusCode::OK, html)
}

pub(super) type Drawn = Result<Answer, RenderError>;

pub(super) async fn draw(
    asked: Asked,
    page: impl FnOnce(&Drawing<'_>) -> Drawn + Send + 'static,
) -> Response {
    let Asked { shared, csrf, .. } = asked;
    let Ok(place) = Arc::clone(&shared.drawing).acquire_owned().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let drawn = tokio::task::spawn_blocking(move || {
        let chrome = Chrome {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now_ms: shared.clock().now_ms(),
            change: shared.live.change(),
            daemon: shared.daemon,
            may_sign_in: shared.acting.is_some(),
            csrf: csrf.unwrap_or_default(),
        };
        let drawing = Drawing { shared: &shared, board: Board { chrome } };
        let reply = page(&drawing).and_then(|answer| answered(&drawing.board, answer));
        drop(place);
        reply
    });
    match drawn.await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => fault(&error.to_string()),
        Err(panicked) => fault(&panicked.to_string()),
    }
}

fn answered(board: &Board, answer: Answer) -> Result<Response, RenderError> {
    Ok(match answer {
        Answer::Page(status, html) => html_reply(status, html, policy(board)),
        Answer::Told(status, port, title, text) => {
            html_reply(status, board.message(port.as_deref(), title, &text)?, policy(board))
        }
        Answer::Text(kind, policy, text) => {
            with_policy(([(header::CONTENT_TYPE, kind)], text).into_response(), policy)
        }
    })
}

fn policy(board: &Board) -> &'static str {
    if board.chrome.may_sign_in { FORM_POLICY } else { POLICY }
}

/// A fault of Tidelock itself. What foreign text is in it goes to the log alone.
fn fault(error: &str) -> Response {
    tracing::error!(error, "a page cannot be drawn");
    let text = "This page cannot be drawn, by a fault of Tidelock itself; its log says more.\n";
    with_policy((StatusCode::INTERNAL_SERVER_ERROR, text).into_response(), POLICY)
}

fn html_reply(status: StatusCode, html: String, policy: &'static str) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    with_policy((status, kind, Body::from(html)).into_response(), policy)
}

pub(super) fn with_policy(mut reply: Response, policy: &'static str) -> Response {
    let headers: &mut HeaderMap = reply.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Others learn nothing; with `no-referrer` browsers would send our own forms with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    reply
}

impl Drawing<'_> {
    /// A page about a port, where there is such a port.
    pub(super) fn of_port(&self, name: &str, page: impl FnOnce(&Kept, PortNow) -> Drawn) -> Drawn {
        let Some(kept) = self.shared.port(name) else {
            let text = format!("No port of the name `{name}` is shown here.");
            return Ok(Answer::Told(StatusCode::NOT_FOUND, None, "No such port", text));
        };
        let now = self.shared.now(name, &kept);
        page(&kept, now)
    }

    /// A page about a run, where there is such a run and it can be read.
    fn of_run(&self, name: &str, run: &str, page: impl FnOnce(&Kept, PortNow, RunRecord) -> Drawn) -> Drawn {
        self.of_port(name, |kept, now| match read(kept, run) {
            Ok(record) => page(kept, now, record),
            Err(error) => Ok(untold(error, run, now)),
        })
    }
}

pub(super) fn read(kept: &Kept, run: &str) -> Result<RunRecord, RunError> {
    let path = journal(&kept.settings);
    if !path.exists() {
        return Err(RunError::Unknown);
    }
    record_of(&Store::open_read_only(&path)?, run)
}

pub(super) fn untold(error: RunError, run: &str, port: PortNow) -> Answer {
    let port = Some(Box::new(port));
    match error {
        RunError::Unknown => {
            let text = format!("The journal of this port has no run `{run}`.");
            Answer::Told(StatusCode::NOT_FOUND, port, "No such run", text)
        }
        // A lock passes; what is damaged or of another version stays so until somebody does what the text says.
        RunError::Store(
            error @ (StoreError::Database { .. } | StoreError::NotWritable { .. } | StoreError::Full { .. }),
        ) => Answer::Told(
            StatusCode::SERVICE_UNAVAILABLE,
            port,
            "The journal cannot be read now",
            error.to_string(),
        ),
        RunError::Store(
            error @ (StoreError::Newer { .. } | StoreError::OtherVersion { .. } | StoreError::Damaged { .. }),
        ) => Answer::Told(
            StatusCode::INTERNAL_SERVER_ERROR,
            port,
            "The journal cannot be read",
            error.to_string(),
        ),
        RunError::Illegal(error) => {
            let text = format!("The events of `{run}` do not follow on each other: {error}");
            Answer::Told(StatusCode::INTERNAL_SERVER_ERROR, port, "The run cannot be read", text)
        }
    }
}

/// Who asks, and what for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) shared: Arc<Shared>,
    /// The name of the cookie that names a session.
    pub(super) cookie: String,
    /// The session that the cookie names, whether there is such a one or not.
    pub(super) id: Option<String>,
    /// What forms of the session carry, where there is such a one.
    pub(super) csrf: Option<String>,
}

impl FromRequestParts<Arc<Shared>> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Infallible> {
        let cookie = format!("tidelock-{}", port_of(&parts.headers));
        let texts = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let id = pairs.into_iter().find(|(name, _)| *name == cookie).map(|(_, id)| id.to_owned());
        let sessions = shared.acting.as_ref().map(|acting| &acting.sessions);
        let csrf = id.as_deref().and_then(|id| sessions?.csrf(id, shared.clock().now_ms()));
        Ok(Self { shared: Arc::clone(shared), cookie, id, csrf })
    }
}

async fn overview(asked: Asked) -> Response {
    draw(asked, |drawing| {
        let mut running = BTreeMap::new();
        let mut ports = Vec::new();
        for (name, kept) in drawing.shared.all() {
            let open = locked(&kept.index).open();
            ports.push(drawing.shared.now(&name, &kept));
            if let Some(open) = open {
                running.insert(name, (*open).clone());
            }
        }
        drawing.board.overview(&ports, &running).map(page)
    })
    .await
}

#[derive(Deserialize)]
struct Paged {
    page: Option<String>,
    asked: Option<String>,
}

async fn port(asked: Asked, Path(name): Path<String>, Query(paged): Query<Paged>) -> Response {
    draw(asked, move |drawing| {
        drawing.of_port(&name, |kept, now| {
            let number = match paged.page.as_deref().map(str::parse) {
                None => 1,
                Some(Ok(number)) => number,
                Some(Err(_no_number)) => {
                    let text = "Pages of runs are numbered from 1.".to_owned();
                    return Ok(Answer::Told(
                        StatusCode::BAD_REQUEST,
                        Some(Box::new(now)),
                        "No such page",
                        text,
                    ));
                }
            };
            let (mut runs, history, open) = {
                let index = locked(&kept.index);
                (index.page(number), index.history(), index.open())
            };
            runs.asked =
                ASKED.into_iter().find(|known| paged.asked.as_deref() == Some(known)).unwrap_or_default();
            let history = history.iter().map(|digest| &**digest);
            drawing.board.port(&now, &runs, history, open.as_deref()).map(page)
        })
    })
    .await
}

async fn modules(asked: Asked, Path(name): Path<String>) -> Response {
    draw(asked, move |drawing| drawing.of_port(&name, |_, now| drawing.board.modules(&now).map(page))).await
}

async fn benchmarks(asked: Asked, Path(name): Path<String>) -> Response {
    draw(asked, move |drawing| {
        drawing.of_port(&name, |kept, now| {
            let newest = locked(&kept.index).digests().find(|digest| digest.has_benches).cloned();
            let Some(newest) = newest else { return drawing.board.benchmarks(&now, None).map(page) };
            match read(kept, &newest.run) {
                Ok(record) => drawing.board.benchmarks(&now, Some(&record)).map(page),
                Err(error) => Ok(untold(error, &newest.run, now)),
            }
        })
    })
    .await
}

async fn costs(asked: Asked, Path(name): Path<String>) -> Response {
    draw(asked, move |drawing| {
        drawing.of_port(&name, |kept, now| {
            let index = locked(&kept.index);
            let digests: Vec<Arc<RunDigest>> = index.digests().cloned().collect();
            drop(index);
            drawing.board.costs(&now, digests.iter().map(|digest| &**digest)).map(page)
        })
    })
    .await
}

async fn run(asked: Asked, Path((name, run)): Path<(String, String)>) -> Response {
    draw(asked, move |drawing| {
        drawing.of_run(&name, &run, |kept, now, record| {
            drawing.board.run(&now, &record, Some(&Hand::of(kept))).map(page)
        })
    })
    .await
}

async fn report(asked: Asked, Path((name, run)): Path<(String, String)>) -> Response {
    draw(asked, move |drawing| {
        drawing.of_run(&name, &run, |_, _, record| {
            let html = reports::render::html(&record)?;
            Ok(Answer::Text("text/html; charset=utf-8", REPORT_POLICY, html))
        })
    })
    .await
}

async fn json(asked: Asked, Path((name, run)): Path<(String, String)>) -> Response {
    draw(asked, move |drawing| {
        drawing.of_run(&name, &run, |_, _, record| {
            Ok(Answer::Text("application/json", POLICY, reports::render::json(&record)?))
        })
    })
    .await
}

async fn unit(asked: Asked, Path((name, run, unit)): Path<(String, String, String)>) -> Response {
    draw(asked, move |drawing| {
        drawing.of_run(&name, &run, |kept, now, record| {
            let around = board::unit_at(&record, &unit).map(|found| {
                let reached =
                    Reached { unit: found.unit, revision_at: found.revision_at, unit_at: found.unit_at };
                graph::around(kept, &record.run, &found.revision.label, &[reached])
            });
            let hand = Hand::of(kept);
            let asked =
                UnitPage { record: &record, anchor: &unit, by_hand: Some(&hand), around: around.as_ref() };
            let Some(html) = drawing.board.unit(&now, &asked)? else {
                let text = format!("The run `{run}` has no unit at `{unit}`.");
                return Ok(Answer::Told(StatusCode::NOT_FOUND, Some(Box::new(now)), "No such unit", text));
            };
            Ok(page(html))
        })
    })
    .await
}
