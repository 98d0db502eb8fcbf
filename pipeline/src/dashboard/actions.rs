//! What a person who is signed in may have the daemon do. Without a token there is none of it: pages only show.
//!
//! Each request is a form of one of our pages, answered by a way back to a page, so that it works without JavaScript
//! and nothing is done twice by loading anew.

use std::fmt::Debug;

use axum::extract::{Path, Query, RawForm};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::access::came_by_tls;
use super::routes::{Answer, Asked, POLICY, draw, with_policy};
use super::sessions::{Refusal, SESSION_MS, Sessions, is_same};

/// The longest form that is read, in bytes.
pub(super) const FORM_BYTES_MAX: usize = 4096;

/// Does what people ask for from the pages.
pub trait Act: Debug + Send + Sync {
    /// Has a port looked at soon; false where too much else waits.
    fn look(&self, port: &str) -> bool;
    /// Has it synced soon, with what is parked taken up again; false where too much else waits.
    fn retry(&self, port: &str) -> bool;
}

/// What lets people act, and who does it for them.
#[derive(Debug)]
pub(super) struct Acting {
    pub(super) sessions: Sessions,
    pub(super) act: Box<dyn Act>,
}

#[derive(Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

#[derive(Deserialize)]
struct SignIn {
    token: String,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Wish {
    csrf: String,
}

/// The fields of a form.
fn fields<T: DeserializeOwned>(form: &RawForm) -> Option<T> {
    let text = std::str::from_utf8(&form.0).ok()?;
    let address: Uri = format!("/?{text}").parse().ok()?;
    Some(Query::try_from_uri(&address).ok()?.0)
}

/// A page of ours to go on with; the first one where it is none.
fn own_page(next: Option<&str>) -> &str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '~' | '%' | '.');
    let is_own = |next: &&str| next.starts_with('/') && !next.starts_with("//") && next.chars().all(is_plain);
    next.filter(is_own).unwrap_or("/")
}

fn to_page(address: &str) -> Response {
    let mut reply = with_policy(StatusCode::SEE_OTHER.into_response(), POLICY);
    // Addresses are put together of plain characters alone.
    let address = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/"));
    reply.headers_mut().insert(LOCATION, address);
    reply
}

async fn told(asked: Asked, status: StatusCode, title: &'static str, text: String) -> Response {
    draw(asked, move |_| Ok(Answer::Told(status, None, title, text))).await
}

async fn nothing_here(asked: Asked) -> Response {
    let text = "These pages only show: no token is set. See docs/dashboard.md.".to_owned();
    told(asked, StatusCode::NOT_FOUND, "Nothing can be changed from here", text).await
}

async fn not_understood(asked: Asked) -> Response {
    let text = "The form that was sent is not one of these pages.".to_owned();
    told(asked, StatusCode::BAD_REQUEST, "That cannot be read", text).await
}

/// The page with the form.
pub(super) async fn form(asked: Asked, Query(next): Query<Next>) -> Response {
    if asked.shared.acting.is_none() {
        return nothing_here(asked).await;
    }
    draw(asked, move |drawing| {
        let next = own_page(next.next.as_deref());
        drawing.board.sign_in(next, "").map(|page| Answer::Page(StatusCode::OK, page))
    })
    .await
}

pub(super) async fn sign_in(asked: Asked, headers: HeaderMap, form: RawForm) -> Response {
    let Some(acting) = &asked.shared.acting else { return nothing_here(asked).await };
    let Some(SignIn { token, next }) = fields(&form) else { return not_understood(asked).await };
    let next = own_page(next.as_deref()).to_owned();
    match acting.sessions.sign_in(&token, asked.shared.clock().now_ms()) {
        Ok(id) => {
            tracing::info!("somebody signed in to the dashboard");
            let secure = if came_by_tls(&headers) { "; Secure" } else { "" };
            let cookie = format!(
                "{}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}",
                asked.cookie,
                SESSION_MS / 1000
            );
            with_cookie(to_page(&next), &cookie)
        }
        Err(refusal) => {
            tracing::warn!(why = refusal.to_string(), "somebody was not signed in to the dashboard");
            let status = match refusal {
                Refusal::Wrong => StatusCode::FORBIDDEN,
                Refusal::TooOften => StatusCode::TOO_MANY_REQUESTS,
                Refusal::NoRandom => StatusCode::INTERNAL_SERVER_ERROR,
            };
            draw(asked, move |drawing| {
                let page = drawing.board.sign_in(&next, &refusal.to_string())?;
                Ok(Answer::Page(status, page))
            })
            .await
        }
    }
}

pub(super) async fn sign_out(asked: Asked, form: RawForm) -> Response {
    let asked = match permitted(asked, &form).await {
        Ok(asked) => asked,
        Err(reply) => return reply,
    };
    if let (Some(acting), Some(id)) = (&asked.shared.acting, &asked.id) {
        acting.sessions.sign_out(id);
    }
    with_cookie(to_page("/"), &format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", asked.cookie))
}

pub(super) async fn look(asked: Asked, Path(port): Path<String>, form: RawForm) -> Response {
    act(asked, port, &form, "look", |act, port| act.look(port)).await
}

pub(super) async fn retry(asked: Asked, Path(port): Path<String>, form: RawForm) -> Response {
    act(asked, port, &form, "retry", |act, port| act.retry(port)).await
}

async fn act(
    asked: Asked,
    port: String,
    form: &RawForm,
    what: &'static str,
    ask: fn(&dyn Act, &str) -> bool,
) -> Response {
    let asked = match permitted(asked, form).await {
        Ok(asked) => asked,
        Err(reply) => return reply,
    };
    if asked.shared.port(&port).is_none() {
        let text = format!("No port of the name `{port}` is shown here.");
        return told(asked, StatusCode::NOT_FOUND, "No such port", text).await;
    }
    let is_taken = asked.shared.acting.as_ref().is_some_and(|acting| ask(&*acting.act, &port));
    if !is_taken {
        let text = "Too much else waits. What is new is found at the next look.".to_owned();
        return told(asked, StatusCode::SERVICE_UNAVAILABLE, "Not now", text).await;
    }
    tracing::info!(port, what, "asked for from the dashboard");
    to_page(&format!("/port/{}?asked={what}", reports::board::segment(&port)))
}

/// Whether who asks is signed in, and sent a form of a page of that session.
async fn permitted(asked: Asked, form: &RawForm) -> Result<Asked, Response> {
    if asked.shared.acting.is_none() {
        return Err(nothing_here(asked).await);
    }
    let Some(Wish { csrf }) = fields(form) else { return Err(not_understood(asked).await) };
    if asked.csrf.as_ref().is_some_and(|known| is_same(known, &csrf)) {
        return Ok(asked);
    }
    let text = "Sign in, and send it again from the page: a session lasts for twelve hours.".to_owned();
    Err(told(asked, StatusCode::FORBIDDEN, "Not signed in", text).await)
}

fn with_cookie(mut reply: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        reply.headers_mut().insert(SET_COOKIE, cookie);
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_only_with_a_page_of_ours() {
        assert_eq!(own_page(Some("/port/tally%2Dpy")), "/port/tally%2Dpy");
        for foreign in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "port",
            "",
            "/a\r\nSet-Cookie: x=1",
            "/?a",
        ] {
            assert_eq!(own_page(Some(foreign)), "/", "{foreign:?}");
        }
        assert_eq!(own_page(None), "/");
    }
}
