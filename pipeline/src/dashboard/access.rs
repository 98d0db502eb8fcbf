//! By which names pages are asked for, and where a request comes from.
//!
//! A page of somebody else's may have its own name lead to this machine and read what is answered. What asks by an
//! address or as `localhost` cannot be such a page; any other name must be configured. A request that changes something
//! must come from these pages themselves.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Shared;
use super::routes::{POLICY, with_policy};

/// The longest name of a host, as DNS has it.
pub(crate) const NAME_BYTES_MAX: usize = 253;

/// Whether a text is a name that may stand in `hosts`: no address, no scheme, no port.
pub(crate) fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    text.len() <= NAME_BYTES_MAX && text.split('.').all(is_part) && text.parse::<IpAddr>().is_err()
}

/// What stands before the port in a `Host`; `None` where it is none.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, behind) = rest.split_once(']')?;
            (name, behind.strip_prefix(':').or_else(|| behind.is_empty().then_some(""))?)
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    (!name.is_empty() && port.chars().all(|c| c.is_ascii_digit())).then_some(name)
}

fn is_allowed(host: &str, hosts: &[String]) -> bool {
    let Some(name) = name_of(host) else { return false };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
        || hosts.iter().any(|known| known.eq_ignore_ascii_case(&name))
}

/// The one value of a header; `None` where there is none, or more than one, or it is no text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    if all.next().is_some() { None } else { first.to_str().ok() }
}

/// Whether a browser says that these pages sent it, or it is no browser that says where it comes from.
fn is_from_here(headers: &HeaderMap, host: &str) -> bool {
    let site = HeaderName::from_static("sec-fetch-site");
    if headers.contains_key(&site) && only(headers, &site) != Some("same-origin") {
        return false;
    }
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let origin = only(headers, &ORIGIN).unwrap_or_default();
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Lets through what asks by a name of ours and, where it would change something, comes from our pages.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let refused = |status: StatusCode, text: String| with_policy((status, text).into_response(), POLICY);
    let Some(host) = only(request.headers(), &HOST) else {
        return refused(StatusCode::BAD_REQUEST, "A request says once in `Host` whom it asks.\n".to_owned());
    };
    if !is_allowed(host, &shared.hosts) {
        let text = format!(
            "These pages are not called `{}`. Ask for them by an address or as `localhost`, or add the name to `hosts` in \
             `[dashboard]` of the daemon's file: see docs/dashboard.md.\n",
            reports::visible_line(host)
        );
        return refused(StatusCode::MISDIRECTED_REQUEST, text);
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !is_from_here(request.headers(), host) {
        return refused(StatusCode::FORBIDDEN, "Another site sent this request.\n".to_owned());
    }
    next.run(request).await
}

/// The port in a `Host`: cookies do not tell ports apart.
pub(super) fn port_of(headers: &HeaderMap) -> String {
    let host = only(headers, &HOST).unwrap_or_default();
    let port = host.rsplit_once(':').map(|(_, port)| port).unwrap_or_default();
    port.chars().filter(char::is_ascii_digit).take(5).collect()
}

/// Whether the browser came by TLS, before a proxy that ends it.
pub(super) fn came_by_tls(headers: &HeaderMap) -> bool {
    only(headers, &ORIGIN).is_some_and(|origin| origin.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_are_ours_and_other_names_are_configured() {
        let hosts = ["tidelock.example.org".to_owned()];
        for ours in [
            "127.0.0.1",
            "127.0.0.1:9470",
            "[::1]",
            "[::1]:9470",
            "10.0.0.7:80",
            "localhost",
            "LOCALHOST:9470",
            "localhost.:1",
            "ports.localhost:9470",
            "Tidelock.Example.org",
            "tidelock.example.org:8443",
        ] {
            assert!(is_allowed(ours, &hosts), "{ours}");
        }
        for foreign in [
            "",
            ":9470",
            "evil.example",
            "evil.example:9470",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "tidelock.example.org.evil.example",
            "xtidelock.example.org",
            "localhost:80:80",
            "localhost:x",
            "[::1",
            "[::1]x",
            "[evil.example]",
            "user@localhost",
            "localhost/",
        ] {
            assert!(!is_allowed(foreign, &hosts), "{foreign}");
        }
    }

    #[test]
    fn only_names_may_be_configured() {
        assert!(is_name("tidelock.example.org") && is_name("build_box"));
        for wrong in ["", "a b", "http://a", "a:80", "*.example.org", "10.0.0.7", "a..b", "ä.example"] {
            assert!(!is_name(wrong), "{wrong}");
        }
        assert!(!is_name(&"a.".repeat(200)) && !is_name(&"a".repeat(64)));
    }

    #[test]
    fn what_changes_something_comes_from_the_same_origin() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
                .collect()
        };
        let host = "127.0.0.1:9470";
        for ours in [
            &[][..],
            &[("origin", "http://127.0.0.1:9470")],
            &[("origin", "https://127.0.0.1:9470"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(is_from_here(&headers(ours), host), "{ours:?}");
        }
        for foreign in [
            &[("origin", "http://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:8000")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:9470")],
        ] {
            assert!(!is_from_here(&headers(foreign), host), "{foreign:?}");
        }
    }
}
