//! Carries model requests over HTTP: the only place that talks to a provider.
//!
//! One request is sent once. Retrying, waiting and reading the answer are `port`'s.

use std::time::Duration;

use port::translate::providers::http::{
    HttpMethod, HttpRequest, HttpResponse, HttpTransport, TransportError,
};
use tokio::runtime::Runtime;

/// The longest a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends requests with `reqwest`, on a runtime of its own.
#[derive(Debug)]
pub struct HttpClient {
    runtime: Runtime,
    client: reqwest::Client,
    timeout: Duration,
}

impl HttpClient {
    /// A client whose requests take at most this long, answer included.
    /// With `silence`, also gives up where nothing comes for that long, as between the events of a stream.
    pub fn new(timeout: Duration, silence: Option<Duration>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            // A provider's redirect would carry the key to another host.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(silence) = silence {
            builder = builder.read_timeout(silence);
        }
        let client = builder.build()?;
        Ok(Self { runtime, client, timeout })
    }

    async fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut builder = match request.method {
            HttpMethod::Get => self.client.get(&request.url),
            HttpMethod::Post => self.client.post(&request.url).body(request.body.clone()),
        };
        for (name, value) in &request.headers {
            builder = builder.header(name, value.expose());
        }
        let mut response = builder.send().await.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + chunk.len() > request.response_bytes_max {
                return Err(TransportError::TooLarge { bytes_max: request.response_bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body })
    }

    fn failed(&self, error: reqwest::Error) -> TransportError {
        // The address may hold a key in its query, and never belongs in a report.
        let error = error.without_url();
        if error.is_timeout() {
            let after_ms = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
            return TransportError::TimedOut { after_ms };
        }
        let reason = format!("{:#}", anyhow::Error::new(error).context("the request failed"));
        TransportError::Connection { reason }
    }
}

impl HttpTransport for HttpClient {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        reqwest::Url::parse(&request.url)
            .map_err(|error| TransportError::Invalid { reason: format!("`{}`: {error}", request.url) })?;
        self.runtime.block_on(self.exchange(request))
    }
}
