//! The Batch interface of `OpenAI`: a file of requests is uploaded, a batch is made of it, and results come as files.
//!
//! Source: "Batch" and "Files" of the API reference at platform.openai.com, and the types of the `openai` SDK. It takes
//! requests of Responses and of Chat Completions alike; which one is the batch's `endpoint`.

use serde::Deserialize;
use serde_json::{Value, json};
use upstream::ContentHash;

use super::wire::{of_json, settled};
use super::{
    Batch, BatchFailure, BatchProgress, BatchProtocol, BatchRequest, BatchResults, BatchWire, CreateError,
    LISTED_MAX, lines,
};
use crate::translate::model::ModelError;
use crate::translate::providers::fault::{self, ErrorBody};
use crate::translate::providers::http::{HeaderValue, HttpRequest, HttpResponse};
use crate::translate::providers::{ProviderSetup, WireFormat};

/// The key of a batch's metadata that holds its name.
const NAME_KEY: &str = "tidelock";
/// The most batches of a page of the list.
const PAGE_MAX: usize = 100;
/// How many errors of a batch that was refused are told.
const ERRORS_TOLD_MAX: usize = 3;

/// Which requests a batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Of Responses.
    Responses,
    /// Of Chat Completions.
    ChatCompletions,
}

impl Endpoint {
    /// As the interface names it, whatever the address is below which it is spoken.
    pub fn path(self) -> &'static str {
        match self {
            Self::Responses => "/v1/responses",
            Self::ChatCompletions => "/v1/chat/completions",
        }
    }
}

/// The interface.
#[derive(Debug, Clone)]
pub struct FileBatches {
    /// Who is spoken to, and with which key.
    pub setup: ProviderSetup,
    /// What the requests are of.
    pub endpoint: Endpoint,
}

impl FileBatches {
    /// A line of the file of requests.
    pub fn line(&self, request: &BatchRequest) -> Value {
        json!({
            "custom_id": request.id.to_string(),
            "method": "POST",
            "url": self.endpoint.path(),
            "body": request.body,
        })
    }

    /// The body that makes a batch of an uploaded file.
    pub fn creation(&self, file: &str, name: &str) -> Value {
        json!({
            "input_file_id": file,
            "endpoint": self.endpoint.path(),
            "completion_window": "24h",
            "metadata": { (NAME_KEY): name },
        })
    }

    fn key(&self) -> Option<(String, HeaderValue)> {
        let key = self.setup.key.clone()?;
        Some(("authorization".to_owned(), HeaderValue::Secret { prefix: "Bearer ", value: key }))
    }

    fn post(&self, path: &str, content_type: String, body: Vec<u8>) -> HttpRequest {
        let kind = ("content-type".to_owned(), HeaderValue::Plain(content_type));
        HttpRequest::post(self.setup.url(path), [kind].into_iter().chain(self.key()).collect(), body)
    }

    fn get(&self, path: &str) -> HttpRequest {
        HttpRequest::get(self.setup.url(path), self.key().into_iter().collect())
    }

    /// Uploads the file of requests. A second one that nobody uses costs nothing and goes after thirty days.
    fn upload(&self, wire: &BatchWire, name: &str, requests: &[BatchRequest]) -> Result<String, ModelError> {
        let mut text = String::new();
        for request in requests {
            text.push_str(&self.line(request).to_string());
            text.push('\n');
        }
        let (content_type, body) = form(name, &text);
        let file: File = of_json(&wire.send(&self.post("files", content_type, body))?)?;
        Ok(file.id)
    }

    fn batch(&self, told: Told) -> Batch {
        let files = [told.output_file_id, told.error_file_id].into_iter().flatten();
        let results = files.map(|id| self.setup.url(&format!("files/{id}/content"))).collect();
        let progress = match told.status.as_str() {
            "failed" => refused(told.errors),
            "completed" => BatchProgress::Ended { results, absent: BatchFailure::Untold },
            "expired" => BatchProgress::Ended { results, absent: BatchFailure::Expired },
            "cancelled" => BatchProgress::Ended { results, absent: BatchFailure::Cancelled },
            // `validating`, `in_progress`, `finalizing`, `cancelling`, and whatever may come between.
            _ => BatchProgress::UnderWay,
        };
        let name = told.metadata.as_ref().and_then(|data| data.get(NAME_KEY)).and_then(Value::as_str);
        Batch {
            id: told.id,
            made_s: told.created_at,
            requests: told.request_counts.map(|counts| counts.total),
            // One without a name of ours is somebody else's.
            name: Some(name.unwrap_or_default().to_owned()),
            progress,
        }
    }
}

impl BatchProtocol for FileBatches {
    fn create(&self, wire: &BatchWire, name: &str, requests: &[BatchRequest]) -> Result<Batch, CreateError> {
        let file = self.upload(wire, name, requests).map_err(CreateError::NotMade)?;
        let body = self.creation(&file, name).to_string().into_bytes();
        let answer = wire.send_once(&self.post("batches", "application/json".to_owned(), body));
        settled(answer, |body| Ok(self.batch(of_json(&body)?)))
    }

    fn look(&self, wire: &BatchWire, id: &str) -> Result<Batch, ModelError> {
        Ok(self.batch(of_json(&wire.send(&self.get(&format!("batches/{id}")))?)?))
    }

    fn list(&self, wire: &BatchWire, since_s: i64) -> Result<Vec<Batch>, ModelError> {
        let (mut found, mut after) = (Vec::new(), String::new());
        while found.len() < LISTED_MAX {
            let page: Page = of_json(&wire.send(&self.get(&format!("batches?limit={PAGE_MAX}{after}")))?)?;
            let count = page.data.len();
            found.extend(page.data.into_iter().map(|told| self.batch(told)));
            // The newest come first.
            let is_old = found.last().is_none_or(|batch: &Batch| batch.made_s < since_s);
            if count == 0 || is_old || !page.has_more {
                break;
            }
            after = found.last().map(|batch| format!("&after={}", batch.id)).unwrap_or_default();
        }
        found.retain(|batch| batch.made_s >= since_s);
        Ok(found)
    }

    fn results(
        &self,
        wire: &BatchWire,
        places: &[String],
        format: &dyn WireFormat,
    ) -> Result<BatchResults, ModelError> {
        let mut results = BatchResults::default();
        for place in places {
            let told = wire.lines(HttpRequest::get(place.clone(), self.key().into_iter().collect()))?;
            lines::read(&mut results, told, &reply, format);
        }
        Ok(results)
    }
}

/// A form with the purpose and the file, and its content type. The boundary occurs in no text that it is drawn from.
fn form(name: &str, text: &str) -> (String, Vec<u8>) {
    let boundary = format!("tidelock-{}", ContentHash::of(text));
    let body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}.jsonl\"\r\n\
         content-type: application/jsonl\r\n\r\n{text}\r\n--{boundary}--\r\n"
    );
    (format!("multipart/form-data; boundary={boundary}"), body.into_bytes())
}

/// A batch that did not pass its validation.
fn refused(errors: Option<Errors>) -> BatchProgress {
    let errors = errors.and_then(|errors| errors.data).unwrap_or_default();
    // So many tokens may be enqueued at a time: later there is room again.
    let is_passing = !errors.is_empty()
        && errors.iter().all(|error| error.code.as_deref() == Some("token_limit_exceeded"));
    let words = |error: &BatchError| {
        let line = error.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let said = error.message.as_deref().or(error.code.as_deref()).unwrap_or("no reason given");
        format!("{line}{said}")
    };
    let told: Vec<String> = errors.iter().take(ERRORS_TOLD_MAX).map(words).collect();
    let rest = errors.len().saturating_sub(told.len());
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    let reason = if told.is_empty() { "no reason given".to_owned() } else { told.join("; ") + &more };
    BatchProgress::Refused { reason, is_passing }
}

/// What a line of results or of errors says.
fn reply(line: &Value) -> lines::Told {
    let name = line.get("custom_id")?.as_str()?.to_owned();
    if let Some(error) = line.get("error").filter(|error| !error.is_null()) {
        let failure = match error.get("code").and_then(Value::as_str) {
            Some("batch_expired") => BatchFailure::Expired,
            Some("batch_cancelled") => BatchFailure::Cancelled,
            Some(_) | None => BatchFailure::Fault(fault::of_body(&ErrorBody::of(error))),
        };
        return Some((name, Err(failure)));
    }
    let response = line.get("response")?;
    let status = u16::try_from(response.get("status_code")?.as_u64()?).ok()?;
    let body = response.get("body")?.clone();
    if (200..300).contains(&status) {
        return Some((name, Ok(body)));
    }
    let response = HttpResponse { status, body: body.to_string().into_bytes(), ..HttpResponse::default() };
    Some((name, Err(BatchFailure::Fault(fault::of_response(&response, 0)))))
}

#[derive(Debug, Deserialize)]
struct File {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    data: Vec<Told>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    created_at: i64,
    status: String,
    #[serde(default)]
    metadata: Option<Value>,
    #[serde(default)]
    output_file_id: Option<String>,
    #[serde(default)]
    error_file_id: Option<String>,
    #[serde(default)]
    errors: Option<Errors>,
    #[serde(default)]
    request_counts: Option<Counts>,
}

#[derive(Debug, Deserialize)]
struct Errors {
    #[serde(default)]
    data: Option<Vec<BatchError>>,
}

#[derive(Debug, Deserialize)]
struct BatchError {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    line: Option<u64>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Counts {
    #[serde(default)]
    total: u64,
}
