//! Requests to a forge over HTTP: bounded, never redirected, with the token in a header and nowhere else.
//!
//! What reads is asked again where a forge is out of breath. What writes is sent once: whether it took effect is seen
//! by looking, which the bot does before each step.

use std::sync::Arc;
use std::time::Duration;

pub use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Runtime;
use upstream::Clock;

use super::ForgeError;

/// The longest a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest an answer that is read may be, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// How often the same thing is read where the forge is out of breath.
const READS_MAX: u32 = 3;
/// The longest that a forge is waited for, in seconds; it is come back to later where it wants more.
const WAIT_S_MAX: u64 = 60;
/// The wait where a forge says that there were too many requests and not for how long, in seconds.
const WAIT_S_UNTOLD: u64 = 60;
/// Entries of a page.
pub(super) const PAGE: usize = 50;
/// The most pages of one list.
const PAGES_MAX: usize = 40;
/// Characters of an answer that are shown in an error.
const SAID_CHARS_MAX: usize = 300;

/// How a token is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer TOKEN`
    Bearer,
    /// `Authorization: token TOKEN`
    Token,
    /// `PRIVATE-TOKEN: TOKEN`
    PrivateToken,
}

/// A forge's address, and the right to speak to it.
#[derive(Debug)]
pub struct Web {
    runtime: Runtime,
    client: reqwest::Client,
    base: String,
    clock: Arc<dyn Clock>,
}

/// An answer that was whole.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Web {
    /// A client of the forge whose interface is at `base`. An answer may take as long as `timeout`.
    pub fn new(
        base: &str,
        token: &SecretString,
        scheme: Scheme,
        timeout: Duration,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut headers = HeaderMap::new();
        let token = token.expose_secret();
        let (name, text) = match scheme {
            Scheme::Bearer => (reqwest::header::AUTHORIZATION, format!("Bearer {token}")),
            Scheme::Token => (reqwest::header::AUTHORIZATION, format!("token {token}")),
            Scheme::PrivateToken => (HeaderName::from_static("private-token"), token.to_owned()),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_of_no_use| {
            anyhow::anyhow!("the forge's token holds characters that no header may hold")
        })?;
        // Kept out of every `Debug`.
        value.set_sensitive(true);
        headers.insert(name, value);
        headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/json"));
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .user_agent(concat!("tidelock/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect would carry the token to another host.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { runtime, client, base: base.trim_end_matches('/').to_owned(), clock })
    }

    /// Reads one thing.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ForgeError> {
        let answer = self.read(path)?;
        parsed(&format!("GET {}", shown(path)), &answer.body)
    }

    /// Reads a list, page by page. `path` has a query already.
    pub fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        for page in 1..=PAGES_MAX {
            let path = format!("{path}&page={page}");
            let answer = self.read(&path)?;
            let mut some: Vec<T> = parsed(&format!("GET {}", shown(&path)), &answer.body)?;
            let last = some.is_empty();
            all.append(&mut some);
            // Gitea's own bound may be smaller than the page that was asked for: only an empty page or a forge that
            // says so ends a list.
            let told = ["x-next-page", "link"].iter().find_map(|name| answer.headers.get(*name));
            let more = match told.map(|value| value.to_str().unwrap_or_default().trim()) {
                Some(value) => value.contains("rel=\"next\"") || value.parse::<usize>().is_ok(),
                None => !last && all.len() >= page * PAGE,
            };
            if last || !more {
                return Ok(all);
            }
        }
        Err(ForgeError::TooMany { what: shown(path), max: PAGES_MAX * PAGE })
    }

    /// Sends something, once. The answer's body is not needed.
    pub fn send(&self, method: &Method, path: &str, body: &Value) -> Result<Value, ForgeError> {
        let what = format!("{method} {}", shown(path));
        let answer = self.checked(&what, self.exchange(method, path, Some(body), &what)?)?;
        // Some answer nothing; what is there must be whole, or the answer was cut off.
        if answer.body.is_empty() { Ok(Value::Null) } else { parsed(&what, &answer.body) }
    }

    fn read(&self, path: &str) -> Result<Answer, ForgeError> {
        let what = format!("GET {}", shown(path));
        let mut tried = 0;
        loop {
            tried += 1;
            let result =
                self.exchange(&Method::GET, path, None, &what).and_then(|answer| self.checked(&what, answer));
            let wait_s = match &result {
                Err(ForgeError::Unavailable { .. }) => 1 << tried,
                Err(ForgeError::Limited { after_s, .. }) if *after_s <= WAIT_S_MAX => (*after_s).max(1),
                Err(_) | Ok(_) => return result,
            };
            if tried >= READS_MAX {
                return result;
            }
            self.clock.sleep(Duration::from_secs(wait_s));
        }
    }

    fn exchange(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Answer, ForgeError> {
        let unavailable = |error: reqwest::Error| {
            let error = anyhow::Error::new(error.without_url());
            ForgeError::Unavailable { what: what.to_owned(), reason: format!("{error:#}") }
        };
        let address = if path.starts_with("https://") || path.starts_with("http://") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        self.runtime.block_on(async {
            let mut request = self.client.request(method.clone(), address);
            if let Some(body) = body {
                request = request.json(body);
            }
            let mut response = request.send().await.map_err(unavailable)?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
                if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                    return Err(ForgeError::Unreadable {
                        what: what.to_owned(),
                        reason: format!("it is longer than {ANSWER_BYTES_MAX} bytes"),
                    });
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Answer { status, headers, body })
        })
    }

    /// What an answer's status means.
    fn checked(&self, what: &str, answer: Answer) -> Result<Answer, ForgeError> {
        let what = what.to_owned();
        let said = said(&answer.body);
        let limited = || is_limit(&answer, &said).then(|| self.wait_s(&answer.headers));
        match answer.status {
            200..=299 => Ok(answer),
            429 => Err(ForgeError::Limited { after_s: self.wait_s(&answer.headers), what }),
            403 if let Some(after_s) = limited() => Err(ForgeError::Limited { after_s, what }),
            status @ (401 | 403) => Err(ForgeError::Denied { status, what, said }),
            404 | 410 => Err(ForgeError::NotFound { what, said }),
            status @ (405 | 406 | 409 | 412 | 422) => Err(ForgeError::Conflict { status, what, said }),
            408 | 425 | 500..=599 => {
                Err(ForgeError::Unavailable { what, reason: format!("status {}: {said}", answer.status) })
            }
            status => Err(ForgeError::Unreadable { what, reason: format!("status {status}: {said}") }),
        }
    }

    /// How long a forge wants to be left alone: GitHub's `retry-after` and `x-ratelimit-reset`, GitLab's
    /// `RateLimit-Reset`.
    fn wait_s(&self, headers: &HeaderMap) -> u64 {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        if let Some(after_s) = number("retry-after") {
            return after_s;
        }
        let now_s = u64::try_from(self.clock.now_ms() / 1000).unwrap_or_default();
        let reset = number("x-ratelimit-reset").or_else(|| number("ratelimit-reset"));
        reset.map_or(WAIT_S_UNTOLD, |reset| reset.saturating_sub(now_s))
    }
}

/// GitHub says of its limits what it says of missing rights: 403.
fn is_limit(answer: &Answer, said: &str) -> bool {
    let spent = answer.headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0");
    spent || answer.headers.contains_key("retry-after") || said.to_lowercase().contains("rate limit")
}

/// What a forge says is wrong, in a line.
fn said(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = value.get("message").or_else(|| value.get("error")).unwrap_or(&Value::Null);
    let mut text = match message {
        Value::String(text) => text.clone(),
        Value::Null => String::from_utf8_lossy(body).into_owned(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    };
    if let Some(Value::Array(errors)) = value.get("errors") {
        for error in errors.iter().take(3) {
            let words = error.get("message").unwrap_or(error);
            text.push_str("; ");
            text.push_str(&words.as_str().map_or_else(|| words.to_string(), str::to_owned));
        }
    }
    reports::visible_line(&text).chars().take(SAID_CHARS_MAX).collect()
}

fn parsed<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, ForgeError> {
    serde_json::from_slice(body).map_err(|error| {
        let what = what.to_owned();
        // A body that ends too soon was cut off on its way.
        if error.is_eof() {
            return ForgeError::Unavailable { what, reason: "the answer is cut off".to_owned() };
        }
        ForgeError::Unreadable { what, reason: error.to_string() }
    })
}

/// A path as it is shown: without its query.
fn shown(path: &str) -> String {
    path.split('?').next().unwrap_or_default().to_owned()
}

/// A text as one segment of a path, or as a value in a query.
pub(super) fn escaped(text: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_path_stays_one_segment() {
        assert_eq!(escaped("group/sub project?x#é"), "group%2Fsub%20project%3Fx%23%C3%A9");
    }

    #[test]
    fn what_a_forge_says_is_one_bounded_line() {
        let body = br#"{"message":"Validation\nFailed","errors":[{"message":"no commits"},"bad"]}"#;
        assert_eq!(said(body), "Validation Failed; no commits; bad");
        assert_eq!(said(&[b'x'; 5000]).chars().count(), SAID_CHARS_MAX);
    }

    #[test]
    fn a_cut_off_answer_is_no_answer_and_a_wrong_one_is_wrong() {
        assert!(matches!(parsed::<Value>("GET /x", b"{\"a\":"), Err(ForgeError::Unavailable { .. })));
        assert!(matches!(parsed::<Value>("GET /x", b"<html>"), Err(ForgeError::Unreadable { .. })));
    }
}
