//! One HTTP exchange as values, and the seam to whatever carries it out.
//!
//! A secret header value shows neither in `Debug` nor in any error.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// The largest response body that a codec reads, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 32 << 20;

/// The value of a header.
#[derive(Clone)]
pub enum HeaderValue {
    /// One that may be shown.
    Plain(String),
    /// One that may not, written behind the prefix, such as `Bearer `.
    Secret {
        /// What stands before it.
        prefix: &'static str,
        /// The value.
        value: SecretString,
    },
}

impl HeaderValue {
    /// The value as it goes over the wire. For transports alone.
    pub fn expose(&self) -> String {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Secret { prefix, value } => format!("{prefix}{}", value.expose_secret()),
        }
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => write!(f, "{value:?}"),
            Self::Secret { prefix, .. } => write!(f, "\"{prefix}[redacted]\""),
        }
    }
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// Asks for what is there.
    Get,
    /// Sends a body.
    Post,
}

/// A request.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// What it does.
    pub method: HttpMethod,
    /// The address.
    pub url: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, HeaderValue)>,
    /// The body; empty for [`HttpMethod::Get`].
    pub body: Vec<u8>,
    /// The largest response body that is read, in bytes.
    pub response_bytes_max: usize,
}

impl HttpRequest {
    /// A request that sends a body, and is answered with [`RESPONSE_BYTES_MAX`] at the most.
    pub fn post(url: String, headers: Vec<(String, HeaderValue)>, body: Vec<u8>) -> Self {
        Self { method: HttpMethod::Post, url, headers, body, response_bytes_max: RESPONSE_BYTES_MAX }
    }

    /// A request for what is at an address, likewise.
    pub fn get(url: String, headers: Vec<(String, HeaderValue)>) -> Self {
        let response_bytes_max = RESPONSE_BYTES_MAX;
        Self { method: HttpMethod::Get, url, headers, body: Vec::new(), response_bytes_max }
    }
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, names in any case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// No response came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The other side could not be reached, or closed the connection early.
    #[error("cannot reach the provider: {reason}")]
    Connection {
        /// What happened.
        reason: String,
    },
    /// It took longer than allowed.
    #[error("no answer within {after_ms} ms")]
    TimedOut {
        /// How long was waited.
        after_ms: u64,
    },
    /// The response is longer than allowed.
    #[error("the response is longer than {bytes_max} bytes")]
    TooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// The request cannot be sent at all, such as to an address that is none.
    #[error("the request cannot be sent: {reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
}

/// Carries requests out, once each: retrying is done above it and must not be done in it.
pub trait HttpTransport: Send + Sync + fmt::Debug {
    /// Sends a request and reads the whole response, up to its [`HttpRequest::response_bytes_max`].
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError>;
}
