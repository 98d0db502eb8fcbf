//! The log: on standard error, and to a collector that speaks OTLP where the environment names one.
//!
//! Main type: [`Log`]. The variables are those of the OpenTelemetry specification ("OpenTelemetry Protocol Exporter");
//! what they name is read by its library. Metrics are not sent: `/metrics` has them.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use super::args::LogFormat;
use super::{CliError, ExitCode};
use crate::config::env;

/// Names the collector; without it nothing is sent.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// How it is spoken to.
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// The only way that is built in.
const PROTOCOL_KNOWN: &str = "http/protobuf";
/// The longest that one message to the collector may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that the last messages may take before the program ends.
const LAST_TIMEOUT: Duration = Duration::from_secs(5);
/// Whose words are sent. What the sender itself logs would have to be sent in its turn.
const OURS: [&str; 5] = ["upstream", "mappings", "port", "pipeline", "reports"];

/// The log. What is still to be sent is sent when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Log {
    collector: Option<Collector>,
}

#[derive(Debug)]
struct Collector {
    spans: SdkTracerProvider,
    events: SdkLoggerProvider,
}

impl Log {
    /// Starts the log. `usual` is what is logged where `TIDELOCK_LOG` does not say.
    pub(super) fn start(format: LogFormat, usual: &str) -> Result<Self, CliError> {
        let filter = env::text("TIDELOCK_LOG").unwrap_or_else(|| usual.to_owned());
        // Colours are for terminals: a log that is kept or searched holds none.
        let colours = std::io::stderr().is_terminal() && env::text("NO_COLOR").is_none();
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = match format {
            LogFormat::Text => lines.with_ansi(colours).boxed(),
            LogFormat::Json => {
                lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
            }
        };
        let collector = Collector::of_environment()?;
        let started = tracing_subscriber::registry()
            .with(collector.as_ref().map(Collector::layer))
            .with(lines)
            .with(EnvFilter::new(filter))
            .try_init();
        // A second start in one process (tests) keeps the first.
        Ok(Self { collector: collector.filter(|_| started.is_ok()) })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(Collector { spans, events }) = &self.collector {
            // Whether the collector heard the last words changes nothing about what was done.
            drop(spans.shutdown_with_timeout(LAST_TIMEOUT));
            drop(events.shutdown_with_timeout(LAST_TIMEOUT));
        }
    }
}

impl Collector {
    fn of_environment() -> Result<Option<Self>, CliError> {
        let Some(endpoint) = env::text(ENDPOINT) else { return Ok(None) };
        let usage = |cause: anyhow::Error| CliError { code: ExitCode::Usage, cause, hints: Vec::new() };
        if let Some(protocol) = env::text(PROTOCOL).filter(|protocol| protocol != PROTOCOL_KNOWN) {
            let wrong = anyhow!("`{PROTOCOL}` is `{protocol}`, and only `{PROTOCOL_KNOWN}` is spoken here");
            return Err(usage(wrong));
        }
        let address = reqwest::Url::parse(&endpoint).context("it is no address");
        let address = address.and_then(|address| match address.scheme() {
            "http" | "https" => Ok(()),
            other => Err(anyhow!("`{other}` is not `http` or `https`")),
        });
        address.with_context(|| format!("`{ENDPOINT}` is `{endpoint}`")).map_err(usage)?;
        Self::new().map(Some).context("cannot send the log to a collector").map_err(usage)
    }

    fn new() -> anyhow::Result<Self> {
        let client = || {
            reqwest::blocking::Client::builder()
                .timeout(SEND_TIMEOUT)
                // A redirect would carry the headers, and a key in them, to another host.
                .redirect(reqwest::redirect::Policy::none())
                .build()
        };
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let mut resource = Resource::builder().with_attribute(version);
        if env::text("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("tidelock");
        }
        let resource = resource.build();
        let spans = SpanExporter::builder().with_http().with_http_client(client()?).build()?;
        let events = LogExporter::builder().with_http().with_http_client(client()?).build()?;
        Ok(Self {
            spans: SdkTracerProvider::builder()
                .with_batch_exporter(spans)
                .with_resource(resource.clone())
                .build(),
            events: SdkLoggerProvider::builder().with_batch_exporter(events).with_resource(resource).build(),
        })
    }

    /// Sends spans with the events in them, and each event by itself for those who collect logs alone.
    fn layer<S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync>(&self) -> impl Layer<S> + use<S> {
        let ours = || Targets::new().with_targets(OURS.map(|name| (name, LevelFilter::TRACE)));
        let spans = tracing_opentelemetry::layer().with_tracer(self.spans.tracer("tidelock"));
        let events = OpenTelemetryTracingBridge::new(&self.events);
        spans.with_filter(ours()).and_then(events.with_filter(ours()))
    }
}
