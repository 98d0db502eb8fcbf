//! The log and the syncs at a collector that speaks OTLP, and what a collector's faults do to the daemon: nothing.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use tokio::runtime::Runtime;
use upstream::process::{ProcessRunner, SystemProcessRunner};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::often;
use super::running::Running;
use crate::world::{Ran, World};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const KEY: &str = "collector-key-4711";

/// A collector that answers everything alike.
fn collector(runtime: &Runtime, answer: ResponseTemplate) -> MockServer {
    runtime.block_on(async {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        server
    })
}

/// Follows a change of the upstream with this collector, and gives the daemon's log.
fn followed(world: &World, endpoint: &str) -> String {
    let headers = format!("x-api-key={KEY}");
    let environment = [(ENDPOINT, endpoint), ("OTEL_EXPORTER_OTLP_HEADERS", &headers)];
    let mut watching = Running::start_with(world, "port", &[], &environment);
    watching.says("synced", &[("outcome", "nothing_to_do")]);
    super::change(world, "upstream", "LIMIT: u32 = 10", "LIMIT: u32 = 12");
    watching.says("synced", &[("outcome", "done"), ("lag", "0")]);
    watching.stop();
    world.read("watch.log")
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    if let Value::StringValue(text) = found.value.as_ref()?.value.as_ref()? { Some(text) } else { None }
}

#[test]
fn what_is_logged_and_each_sync_reach_the_collector() {
    let world = often();
    let runtime = Runtime::new().unwrap();
    let server = collector(&runtime, ResponseTemplate::new(200));
    let log = followed(&world, &server.uri());
    assert!(!log.contains(KEY), "{log}");

    let (mut lines, mut syncs, mut inside) = (Vec::new(), 0, Vec::new());
    for request in runtime.block_on(server.received_requests()).unwrap() {
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        assert_eq!(request.headers["x-api-key"], KEY);
        match request.url.path() {
            "/v1/logs" => {
                for group in ExportLogsServiceRequest::decode(&request.body[..]).unwrap().resource_logs {
                    assert_eq!(text(&group.resource.unwrap().attributes, "service.name"), Some("tidelock"));
                    for record in group.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
                        let Some(Value::StringValue(line)) = record.body.and_then(|body| body.value) else {
                            panic!("a line without words");
                        };
                        let outcome = text(&record.attributes, "outcome").unwrap_or_default().to_owned();
                        lines.push((line, record.severity_text, outcome, !record.trace_id.is_empty()));
                    }
                }
            }
            "/v1/traces" => {
                for group in ExportTraceServiceRequest::decode(&request.body[..]).unwrap().resource_spans {
                    assert_eq!(text(&group.resource.unwrap().attributes, "service.name"), Some("tidelock"));
                    for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                        assert_eq!(
                            (span.name.as_str(), text(&span.attributes, "port")),
                            ("sync", Some("tally-py"))
                        );
                        assert!(span.end_time_unix_nano > span.start_time_unix_nano);
                        syncs += 1;
                        inside.extend(span.events.into_iter().map(|event| event.name));
                    }
                }
            }
            other => panic!("{other}"),
        }
    }
    assert!(syncs >= 2, "{syncs}");
    assert!(inside.iter().any(|name| name == "landed"), "{inside:?}");
    let synced = |outcome: &str| {
        lines.iter().any(|(line, severity, of, _)| line == "synced" && severity == "INFO" && of == outcome)
    };
    assert!(synced("nothing_to_do") && synced("done"), "{lines:?}");
    assert!(lines.iter().any(|(line, _, _, traced)| line == "landed" && *traced), "{lines:?}");
    assert!(lines.iter().any(|(line, ..)| line == "stopped"), "what was said last is sent as well");
}

#[test]
fn a_collector_that_refuses_or_is_not_there_holds_up_nothing() {
    let runtime = Runtime::new().unwrap();
    let refusing = collector(&runtime, ResponseTemplate::new(503));
    let leading_away =
        collector(&runtime, ResponseTemplate::new(302).insert_header("location", refusing.uri()));
    let gone = {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", server.local_addr().unwrap())
    };
    for endpoint in [refusing.uri(), leading_away.uri(), gone] {
        let world = often();
        let log = followed(&world, &endpoint);
        assert!(!log.contains(KEY), "{log}");
        assert!(world.read("port/tally/__init__.py").contains("LIMIT = 12"));
    }
}

#[test]
fn a_collector_that_cannot_be_meant_is_refused_from_the_start() {
    let world = World::new();
    for (variables, words) in [
        (vec![(ENDPOINT, "localhost 4318")], vec![ENDPOINT, "no address"]),
        (vec![(ENDPOINT, "grpc://localhost:4317")], vec![ENDPOINT, "`grpc` is not `http` or `https`"]),
        (
            vec![(ENDPOINT, "http://127.0.0.1:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            vec!["OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"],
        ),
    ] {
        let mut invocation = world.invocation("port", &["watch"]);
        for (name, value) in variables {
            invocation = invocation.env(name, value);
        }
        let ran = Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() };
        assert_eq!(ran.code(), 2, "{ran}");
        for word in words {
            assert!(ran.stderr().contains(word), "{word}: {ran}");
        }
    }
}
