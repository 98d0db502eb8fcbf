//! Message Batches of Anthropic: the requests are sent with the batch, and a batch has no name of ours.
//!
//! Source: "Message Batches" of the API reference at platform.claude.com, and the types of the `anthropic` SDK.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::{of_json, settled};
use super::{
    Batch, BatchFailure, BatchProgress, BatchProtocol, BatchRequest, BatchResults, BatchWire, CreateError,
    LISTED_MAX, lines,
};
use crate::translate::model::ModelError;
use crate::translate::providers::WireFormat;
use crate::translate::providers::anthropic::MessagesFormat;
use crate::translate::providers::fault::{self, ErrorBody};
use crate::translate::providers::http::HttpRequest;

/// The interface.
#[derive(Debug, Clone)]
pub struct MessageBatches {
    /// How messages are spoken, and to whom.
    pub format: MessagesFormat,
}

impl MessageBatches {
    /// The body that makes a batch.
    pub fn creation(requests: &[BatchRequest]) -> Value {
        let request = |one: &BatchRequest| json!({ "custom_id": one.id.to_string(), "params": one.body });
        json!({ "requests": requests.iter().map(request).collect::<Vec<_>>() })
    }

    fn url(&self, rest: &str) -> String {
        self.format.setup.url(&format!("messages/batches{rest}"))
    }

    fn get(&self, rest: &str) -> HttpRequest {
        HttpRequest::get(self.url(rest), self.format.headers())
    }

    fn batch(&self, told: MessageBatch) -> Result<Batch, ModelError> {
        let made: Timestamp = told.created_at.parse().map_err(|error| ModelError::Unreadable {
            reason: format!("`created_at` is no time: {error}"),
        })?;
        let progress = match told.processing_status.as_str() {
            "ended" => BatchProgress::Ended {
                results: vec![self.place(&told.id, told.results_url)],
                absent: BatchFailure::Untold,
            },
            // `in_progress`, `canceling`, and whatever may come between.
            _ => BatchProgress::UnderWay,
        };
        Ok(Batch {
            id: told.id,
            made_s: made.as_second(),
            requests: told.request_counts.map(RequestCounts::sum),
            name: None,
            progress,
        })
    }

    /// Where the results are. The key goes nowhere but to the address that was configured, whatever is told.
    fn place(&self, id: &str, told: Option<String>) -> String {
        let own = self.url("/");
        told.filter(|url| url.starts_with(&own)).unwrap_or_else(|| format!("{own}{id}/results"))
    }
}

impl BatchProtocol for MessageBatches {
    fn create(&self, wire: &BatchWire, _name: &str, requests: &[BatchRequest]) -> Result<Batch, CreateError> {
        let body = Self::creation(requests).to_string().into_bytes();
        let body = wire.send_once(&HttpRequest::post(self.url(""), self.format.headers(), body));
        let read = |body: Vec<u8>| self.batch(of_json(&body)?);
        settled(body, read)
    }

    fn look(&self, wire: &BatchWire, id: &str) -> Result<Batch, ModelError> {
        self.batch(of_json(&wire.send(&self.get(&format!("/{id}")))?)?)
    }

    fn list(&self, wire: &BatchWire, since_s: i64) -> Result<Vec<Batch>, ModelError> {
        // A page may hold 1000, and the newest come first.
        let page: Page = of_json(&wire.send(&self.get(&format!("?limit={LISTED_MAX}")))?)?;
        let batches = page.data.into_iter().map(|told| self.batch(told));
        let batches: Vec<Batch> = batches.collect::<Result<_, _>>()?;
        Ok(batches.into_iter().filter(|batch| batch.made_s >= since_s).collect())
    }

    fn results(
        &self,
        wire: &BatchWire,
        places: &[String],
        format: &dyn WireFormat,
    ) -> Result<BatchResults, ModelError> {
        let mut results = BatchResults::default();
        for place in places {
            let told = wire.lines(HttpRequest::get(place.clone(), self.format.headers()))?;
            lines::read(&mut results, told, &reply, format);
        }
        Ok(results)
    }
}

/// What a line of results says.
fn reply(line: &Value) -> lines::Told {
    let name = line.get("custom_id")?.as_str()?.to_owned();
    let result = line.get("result")?;
    let outcome = match result.get("type")?.as_str()? {
        "succeeded" => Ok(result.get("message")?.clone()),
        "errored" => {
            // The error is told as it is in a response: an object with the error in it.
            let told = result.get("error")?;
            let error = ErrorBody::of(told.get("error").unwrap_or(told));
            Err(BatchFailure::Fault(fault::of_body(&error)))
        }
        "canceled" => Err(BatchFailure::Cancelled),
        "expired" => Err(BatchFailure::Expired),
        _ => return None,
    };
    Some((name, outcome))
}

#[derive(Debug, Deserialize)]
struct Page {
    data: Vec<MessageBatch>,
}

#[derive(Debug, Deserialize)]
struct MessageBatch {
    id: String,
    created_at: String,
    processing_status: String,
    #[serde(default)]
    request_counts: Option<RequestCounts>,
    #[serde(default)]
    results_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RequestCounts {
    #[serde(default)]
    processing: u64,
    #[serde(default)]
    succeeded: u64,
    #[serde(default)]
    errored: u64,
    #[serde(default)]
    canceled: u64,
    #[serde(default)]
    expired: u64,
}

impl RequestCounts {
    fn sum(self) -> u64 {
        [self.processing, self.succeeded, self.errored, self.canceled, self.expired]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}
