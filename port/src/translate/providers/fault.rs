//! What a provider's refusal means: wait, pay, change the configuration, or give up.

use std::time::Duration;

use jiff::fmt::rfc2822;
use serde::Deserialize;
use serde_json::Value;

use super::http::{HttpResponse, TransportError};
use crate::translate::model::ModelError;

/// How many characters of a provider's message are handed on.
const MESSAGE_CHARS_MAX: usize = 500;

/// The longest wait that is believed, in seconds: a day.
const RETRY_AFTER_S_MAX: u32 = 24 * 60 * 60;

/// The error object that every provider puts under `error`, in the fields that any of them uses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::translate) struct ErrorBody {
    message: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// A word with most providers, an HTTP status with some gateways.
    code: Option<Value>,
    details: Option<ErrorDetails>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ErrorDetails {
    error_code: Option<String>,
}

impl ErrorBody {
    /// Reads the value of an `error` field, which some servers fill with a bare text.
    pub(in crate::translate) fn of(error: &Value) -> Self {
        match error {
            Value::String(message) => Self { message: Some(message.clone()), ..Self::default() },
            Value::Object(_) => serde_json::from_value(error.clone()).unwrap_or_default(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Self::default(),
        }
    }

    /// The words by which providers name the fault, in lower case.
    fn words(&self) -> String {
        let code = self.code.as_ref().and_then(Value::as_str).unwrap_or_default();
        let detail = self.details.as_ref().and_then(|details| details.error_code.as_deref());
        let parts = [self.kind.as_deref().unwrap_or_default(), code, detail.unwrap_or_default()];
        parts.join(" ").to_lowercase()
    }

    /// The status that a gateway put into the body of a response whose own status is 200.
    fn inner_status(&self) -> Option<u16> {
        let code = self.code.as_ref()?;
        // LiteLLM writes it as a text.
        let number = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
        let status = u16::try_from(number).ok()?;
        (400..600).contains(&status).then_some(status)
    }

    /// The status that stands for the kind of fault, for an error without a status of its own.
    fn implied_status(&self) -> Option<u16> {
        let words = self.words();
        let table = [
            ("overloaded", 529),
            ("rate_limit", 429),
            ("authentication", 401),
            ("invalid_api_key", 401),
            ("permission", 403),
            ("not_found", 404),
            ("too_large", 413),
            ("invalid_request", 400),
            ("invalid_prompt", 400),
            ("timeout", 504),
            ("server_error", 500),
            ("api_error", 500),
        ];
        table.iter().find(|(word, _)| words.contains(word)).map(|(_, status)| *status)
    }

    /// Whether it is about money rather than about speed: providers use 429 and 400 for both.
    fn is_about_funds(&self) -> bool {
        let words = self.words();
        let message = self.message.as_deref().unwrap_or_default().to_lowercase();
        let words_of_money =
            ["insufficient_quota", "billing", "spend_limit", "insufficient_balance", "insufficient_credits"];
        let phrases =
            ["exceeded your current quota", "credit balance is too low", "usage limits", "spend limit"];
        words_of_money.iter().any(|word| words.contains(word))
            || phrases.iter().any(|phrase| message.contains(phrase))
    }
}

/// The error that a response with a status other than success stands for.
pub(in crate::translate) fn of_response(response: &HttpResponse, now_ms: i64) -> ModelError {
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let error = body.as_ref().and_then(|body| body.get("error")).map(ErrorBody::of).unwrap_or_default();
    let fallback = String::from_utf8_lossy(&response.body);
    classify(response.status, &error, &fallback, retry_after_ms(response, now_ms))
}

/// The error that an `error` object in a response with status 200 stands for.
pub(in crate::translate) fn of_body(error: &ErrorBody) -> ModelError {
    match error.inner_status().or_else(|| error.implied_status()) {
        Some(status) => classify(status, error, "", None),
        None if error.is_about_funds() => ModelError::OutOfFunds { reason: message(error, "") },
        None => ModelError::Unreadable {
            reason: format!("success with an error inside: {}", message(error, "no message")),
        },
    }
}

/// The error that a missing response stands for.
pub(in crate::translate) fn of_transport(error: &TransportError) -> ModelError {
    match error {
        TransportError::Connection { .. } | TransportError::TimedOut { .. } => {
            ModelError::Unavailable { retry_after_ms: None, reason: error.to_string() }
        }
        TransportError::TooLarge { .. } => ModelError::Unreadable { reason: error.to_string() },
        TransportError::Invalid { .. } => ModelError::InvalidRequest { status: 0, reason: error.to_string() },
    }
}

fn classify(status: u16, error: &ErrorBody, fallback: &str, retry_after_ms: Option<u64>) -> ModelError {
    let reason = message(error, fallback);
    match status {
        402 => ModelError::OutOfFunds { reason },
        400 | 403 | 429 if error.is_about_funds() => ModelError::OutOfFunds { reason },
        429 => ModelError::RateLimited { retry_after_ms, reason },
        401 | 403 => ModelError::NotAuthorised { status, reason },
        // 408 and 425 are the server's own requests to try again; 409 is a conflict with another request.
        408 | 409 | 425 | 500..=599 => {
            ModelError::Unavailable { retry_after_ms, reason: format!("status {status}: {reason}") }
        }
        _ => ModelError::InvalidRequest { status, reason },
    }
}

fn message(error: &ErrorBody, fallback: &str) -> String {
    let text = error.message.as_deref().unwrap_or(fallback).trim();
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if one_line.is_empty() {
        return "no reason given".to_owned();
    }
    let mut short: String = one_line.chars().take(MESSAGE_CHARS_MAX).collect();
    if short.len() < one_line.len() {
        short.push_str(" […]");
    }
    short
}

/// How long the response asks to wait: `Retry-After` in seconds or as a date, or a number of milliseconds in
/// the header that some providers use beside it.
fn retry_after_ms(response: &HttpResponse, now_ms: i64) -> Option<u64> {
    let cap_ms = u64::from(RETRY_AFTER_S_MAX) * 1000;
    if let Some(ms) = response.header("retry-after-ms").and_then(|value| value.trim().parse::<u64>().ok()) {
        return Some(ms.min(cap_ms));
    }
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        let asked = seconds.is_finite() && seconds >= 0.0;
        let seconds = seconds.min(f64::from(RETRY_AFTER_S_MAX));
        return asked.then(|| u64::try_from(Duration::from_secs_f64(seconds).as_millis()).unwrap_or(cap_ms));
    }
    let date_ms = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?.as_millisecond();
    Some(u64::try_from(date_ms - now_ms).unwrap_or_default().min(cap_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_445_412_480_000; // Wed, 21 Oct 2015 07:28:00 GMT

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        HttpResponse { status, headers: headers.collect(), body: body.as_bytes().to_vec() }
    }

    fn fault(status: u16, headers: &[(&str, &str)], body: &str) -> ModelError {
        of_response(&response(status, headers, body), NOW_MS)
    }

    fn waits(headers: &[(&str, &str)]) -> Option<u64> {
        let error = fault(429, headers, "");
        let ModelError::RateLimited { retry_after_ms, .. } = error else { panic!("{error:?}") };
        retry_after_ms
    }

    #[test]
    fn retry_after_is_read_as_seconds_as_a_date_and_as_milliseconds() {
        assert_eq!(waits(&[("Retry-After", "30")]), Some(30_000));
        assert_eq!(waits(&[("retry-after", "0.5")]), Some(500));
        assert_eq!(waits(&[("Retry-After", "Wed, 21 Oct 2015 07:28:10 GMT")]), Some(10_000));
        assert_eq!(waits(&[("Retry-After", "Wed, 21 Oct 2015 07:27:10 GMT")]), Some(0));
        assert_eq!(waits(&[("retry-after-ms", "1500"), ("retry-after", "2")]), Some(1500));
    }

    #[test]
    fn nonsense_in_retry_after_is_no_wish() {
        for nonsense in ["", "soon", "-5", "NaN", "inf"] {
            assert_eq!(waits(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
        assert_eq!(waits(&[("retry-after", "1e300")]), Some(u64::from(RETRY_AFTER_S_MAX) * 1000));
    }

    #[test]
    fn a_429_about_money_is_not_waited_for() {
        let openai = r#"{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
        assert!(matches!(fault(429, &[("retry-after", "1")], openai), ModelError::OutOfFunds { .. }));
        let anthropic = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Limit.","details":{"error_code":"enforced_spend_limit_reached"}}}"#;
        assert!(matches!(fault(429, &[], anthropic), ModelError::OutOfFunds { .. }));
        assert!(matches!(fault(402, &[], ""), ModelError::OutOfFunds { .. }));
        let capped = r#"{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits."}}"#;
        assert!(matches!(fault(400, &[], capped), ModelError::OutOfFunds { .. }));
    }

    #[test]
    fn only_the_passing_faults_are_transient() {
        for status in [408, 409, 425, 429, 500, 502, 503, 504, 529, 599] {
            assert!(fault(status, &[], "").is_transient(), "{status}");
        }
        for status in [301, 400, 401, 402, 403, 404, 405, 413, 418, 422] {
            assert!(!fault(status, &[], "").is_transient(), "{status}");
        }
    }

    #[test]
    fn an_error_inside_a_success_is_an_error_of_its_kind() {
        let of = |text: &str| of_body(&ErrorBody::of(&serde_json::from_str(text).unwrap()));
        assert!(matches!(
            of(r#"{"type":"overloaded_error","message":"busy"}"#),
            ModelError::Unavailable { .. }
        ));
        assert!(matches!(of(r#"{"code":502,"message":"bad gateway"}"#), ModelError::Unavailable { .. }));
        assert!(matches!(of(r#"{"code":"invalid_api_key"}"#), ModelError::NotAuthorised { .. }));
        let gateway = r#"{"message":"slow down","type":"throttling_error","param":null,"code":"429"}"#;
        assert!(matches!(of(gateway), ModelError::RateLimited { .. }));
        assert!(matches!(of(r#"{"code":"70000"}"#), ModelError::Unreadable { .. }));
        assert!(matches!(of(r#""model not loaded""#), ModelError::Unreadable { .. }));
        assert!(matches!(of("{}"), ModelError::Unreadable { .. }));
    }

    #[test]
    fn a_long_page_of_html_is_shortened_and_says_so() {
        let error = fault(502, &[], &format!("<html>\n{}", "x".repeat(10_000))).to_string();
        assert!(error.len() < 1000 && error.ends_with("[…]"), "{error}");
    }
}
