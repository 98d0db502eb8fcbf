//! What carries the requests of batches: each through the gateways, and again where that is safe.

use std::sync::Arc;

use upstream::Clock;

use super::{Batch, CreateError, RESULTS_BYTES_MAX};
use crate::translate::limits::{Gateway, through};
use crate::translate::model::ModelError;
use crate::translate::providers::http::{HttpRequest, HttpResponse, HttpTransport};
use crate::translate::providers::{echo, fault};
use crate::translate::retry::{RetryPolicy, retry};

/// Sends requests, and reads what is no error.
#[derive(Debug)]
pub struct BatchWire {
    /// What carries the requests.
    pub transport: Arc<dyn HttpTransport>,
    /// What each request goes through, the widest first.
    pub gateways: Vec<Arc<Gateway>>,
    /// How long to go on.
    pub retries: RetryPolicy,
    /// What to wait by.
    pub clock: Arc<dyn Clock>,
}

/// One line of results, without the key if that is in it, and whether it was.
pub(super) type Line = (Vec<u8>, bool);

impl BatchWire {
    /// Sends a request that may be sent twice.
    pub(super) fn send(&self, request: &HttpRequest) -> Result<Vec<u8>, ModelError> {
        retry(&self.retries, &*self.clock, || self.once(request))
    }

    /// Sends a request that must not arrive twice: again only where it was turned away at the door.
    pub(super) fn send_once(&self, request: &HttpRequest) -> Result<Vec<u8>, ModelError> {
        let mut ended = None;
        let sent = retry(&self.retries, &*self.clock, || match self.once(request) {
            Err(limited @ ModelError::RateLimited { .. }) => Err(limited),
            other => {
                ended = Some(other);
                Ok(())
            }
        });
        match (sent, ended) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(ModelError::Unreadable { reason: "nothing was sent".to_owned() }),
            (Err(error), _) => Err(error),
        }
    }

    /// The lines of a file of results.
    pub(super) fn lines(&self, request: HttpRequest) -> Result<Vec<Line>, ModelError> {
        let request = HttpRequest { response_bytes_max: RESULTS_BYTES_MAX, ..request };
        let response =
            retry(&self.retries, &*self.clock, || through(&self.gateways, &mut || self.answered(&request)))?;
        let clean = |line: &[u8]| {
            let line = HttpResponse { body: line.to_vec(), ..HttpResponse::default() };
            let (line, held) = echo::without_secrets(line, &request);
            (line.body, held)
        };
        let lines = response.body.split(|byte| *byte == b'\n');
        Ok(lines.filter(|line| !line.trim_ascii().is_empty()).map(clean).collect())
    }

    fn once(&self, request: &HttpRequest) -> Result<Vec<u8>, ModelError> {
        through(&self.gateways, &mut || {
            let response = self.answered(request)?;
            Ok(echo::without_secrets(response, request).0.body)
        })
    }

    /// A response that is a success. An error is told without the key.
    fn answered(&self, request: &HttpRequest) -> Result<HttpResponse, ModelError> {
        let response = self.transport.send(request).map_err(|error| fault::of_transport(&error))?;
        if response.body.len() > request.response_bytes_max {
            let reason = format!("the response is longer than {} bytes", request.response_bytes_max);
            return Err(ModelError::Unreadable { reason });
        }
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        let (response, _) = echo::without_secrets(response, request);
        Err(fault::of_response(&response, self.clock.now_ms()))
    }
}

/// What a request that makes a batch came to. What the provider refused was not made; what went wrong on the way, or came
/// back unreadable, may have been.
pub(super) fn settled(
    answer: Result<Vec<u8>, ModelError>,
    read: impl FnOnce(Vec<u8>) -> Result<Batch, ModelError>,
) -> Result<Batch, CreateError> {
    match answer {
        Ok(body) => read(body).map_err(CreateError::Unknown),
        Err(error) if is_refusal(&error) => Err(CreateError::NotMade(error)),
        Err(error) => Err(CreateError::Unknown(error)),
    }
}

fn is_refusal(error: &ModelError) -> bool {
    match error {
        ModelError::RateLimited { .. }
        | ModelError::OutOfFunds { .. }
        | ModelError::NotAuthorised { .. }
        | ModelError::InvalidRequest { .. } => true,
        ModelError::GaveUp { cause, .. } => is_refusal(cause),
        ModelError::Unavailable { .. } | ModelError::Unreadable { .. } | ModelError::Command { .. } => false,
    }
}

/// A response as what the documentation says that it is.
pub(super) fn of_json<Told: serde::de::DeserializeOwned>(body: &[u8]) -> Result<Told, ModelError> {
    let told: Result<Told, _> = serde_json::from_slice(body);
    told.map_err(|error| ModelError::Unreadable { reason: format!("it is not as documented: {error}") })
}
