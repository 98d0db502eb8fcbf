//! Language models behind HTTP: pure codecs for three wire formats, and one model over a transport.
//!
//! A codec makes a request value out of a prompt and a completion out of a response value. Sending is the
//! transport's business, waiting the retry loop's; neither knows a provider.

pub mod anthropic;
pub mod chat;
pub(super) mod echo;
pub(super) mod fault;
pub mod http;
pub mod responses;
mod sse;

use std::sync::Arc;

use secrecy::SecretString;
use upstream::Clock;

use self::http::{HttpRequest, HttpResponse, HttpTransport, RESPONSE_BYTES_MAX};
use super::limits::{Gateway, through};
use super::model::{Completion, Model, ModelError};
use super::prompt::Prompt;
use super::retry::{RetryPolicy, retry};

/// Which model, where, and with which key.
#[derive(Debug, Clone)]
pub struct ProviderSetup {
    /// The base of the address, such as `http://localhost:11434/v1`; the codec adds the rest.
    pub base_url: String,
    /// The model's name with the provider.
    pub model: String,
    /// The key; none for servers of one's own.
    pub key: Option<SecretString>,
    /// The most tokens that an answer may have, reasoning included.
    pub output_tokens_max: u32,
    /// Whether the answer is to come as a stream.
    pub stream: bool,
}

impl ProviderSetup {
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url.trim_end_matches('/'))
    }
}

/// A wire format.
pub trait WireFormat: Send + Sync + std::fmt::Debug {
    /// The request that asks this prompt.
    fn request(&self, prompt: &Prompt) -> Result<HttpRequest, ModelError>;
    /// The completion in a successful response.
    fn completion(&self, body: &[u8]) -> Result<Completion, ModelError>;
}

/// A model behind HTTP.
#[derive(Debug)]
pub struct HttpModel {
    /// Its name in reports and in the configuration.
    pub name: String,
    /// How it is spoken to.
    pub format: Box<dyn WireFormat>,
    /// What carries the requests.
    pub transport: Arc<dyn HttpTransport>,
    /// What each request goes through, the widest first.
    pub gateways: Vec<Arc<Gateway>>,
    /// How long to go on.
    pub retries: RetryPolicy,
    /// What to wait by.
    pub clock: Arc<dyn Clock>,
}

impl HttpModel {
    fn attempt(&self, request: &HttpRequest) -> Result<Completion, ModelError> {
        let response = self.transport.send(request).map_err(|error| fault::of_transport(&error))?;
        let (response, held_secret) = echo::without_secrets(response, request);
        let completion = self.read(&response)?;
        if held_secret && completion.text.contains(echo::REDACTED) {
            return Err(ModelError::Unreadable {
                reason: "the answer holds the key that was sent, and is thrown away".to_owned(),
            });
        }
        Ok(completion)
    }

    fn read(&self, response: &HttpResponse) -> Result<Completion, ModelError> {
        if response.body.len() > RESPONSE_BYTES_MAX {
            return Err(ModelError::Unreadable {
                reason: format!("the response is longer than {RESPONSE_BYTES_MAX} bytes"),
            });
        }
        if !(200..300).contains(&response.status) {
            return Err(fault::of_response(response, self.clock.now_ms()));
        }
        self.format.completion(&response.body)
    }
}

impl Model for HttpModel {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        let request = self.format.request(prompt)?;
        retry(&self.retries, &*self.clock, || through(&self.gateways, &mut || self.attempt(&request)))
    }
}

/// The JSON of a body, or the error that the body names.
fn json(body: &[u8]) -> Result<serde_json::Value, ModelError> {
    let value: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| ModelError::Unreadable { reason: format!("it is not JSON: {error}") })?;
    match value.get("error") {
        None | Some(serde_json::Value::Null) => Ok(value),
        Some(error) => Err(fault::of_body(&fault::ErrorBody::of(error))),
    }
}

fn encode(body: &serde_json::Value) -> Result<Vec<u8>, ModelError> {
    serde_json::to_vec(body)
        .map_err(|error| ModelError::InvalidRequest { status: 0, reason: error.to_string() })
}

fn unreadable(error: &serde_json::Error) -> ModelError {
    ModelError::Unreadable { reason: format!("a field is not as documented: {error}") }
}

#[cfg(test)]
mod tests;
