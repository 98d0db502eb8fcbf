//! Messages over real HTTP: to servers that take them, refuse them, send them elsewhere, are slow or are not there.

use serde_json::Value;
use tokio::runtime::Runtime;
use upstream::clock::ManualClock;
use upstream::process::SystemProcessRunner;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

/// A part of the address that only whoever may post knows.
const HUSH: &str = "hush-4711";

/// A server, and a port whose messages are posted to it.
struct Post {
    runtime: Runtime,
    server: MockServer,
    folder: tempfile::TempDir,
    metrics: Arc<Metrics>,
}

impl Post {
    fn new() -> Self {
        // Where another test has done so already, that one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(MockServer::start());
        Self { runtime, server, folder: tempfile::tempdir().unwrap(), metrics: Arc::default() }
    }

    /// From now on it answers like this, so often, and then as it did before.
    fn answers(&self, times: u64, response: ResponseTemplate) {
        let mock = Mock::given(method("POST"))
            .and(path(format!("/{HUSH}")))
            .and(header("content-type", "application/json"))
            .respond_with(response)
            .up_to_n_times(times)
            .with_priority(1);
        self.runtime.block_on(mock.mount(&self.server));
    }

    fn fails(&self, failures: u32) {
        self.hear(&format!("{}/{HUSH}", self.server.uri()), failures);
    }

    fn hear(&self, url: &str, failures: u32) {
        let channel = Channel::Post {
            url_env: "WHERE".to_owned(),
            url: Some(SecretString::from(url.to_owned())),
            timeout_s: 1,
        };
        let thresholds = Thresholds { lag_revisions: None, lag_items: None, lag_days: None, failures: 1 };
        let (root, state) = (self.folder.path().to_owned(), self.folder.path().join("state"));
        let plan = Arc::new(AlertPlan { thresholds, channels: vec![channel], root, state });
        let means = Means {
            runner: Arc::new(SystemProcessRunner::default()),
            clock: Arc::new(ManualClock::at(0)),
            stop: Arc::default(),
            metrics: Arc::clone(&self.metrics),
        };
        let standing = Standing { failures, trouble: "gone".to_owned(), ..Standing::default() };
        take(&Event { port: "p".to_owned(), plan, standing }, &means);
    }

    /// The messages that came, by path.
    fn came(&self) -> Vec<(String, Value)> {
        let requests = self.runtime.block_on(self.server.received_requests()).unwrap();
        let came =
            requests.iter().map(|request| (request.url.path().to_owned(), request.body_json().unwrap()));
        came.collect()
    }

    /// How many messages were sent, and how many were given up.
    fn counted(&self) -> (usize, usize) {
        let text = self.metrics.text();
        let count = |kind: &str| {
            let line = format!(r#"tidelock_notifications_total{{port="p",kind="{kind}"}} "#);
            text.lines()
                .find_map(|found| found.strip_prefix(&line))
                .map_or(0, |number| number.parse().unwrap())
        };
        (count("sent"), count("failed"))
    }

    fn is_told(&self) -> bool {
        !read(&self.folder.path().join("state")).is_empty()
    }
}

#[test]
fn a_message_is_posted_once_when_it_begins_and_once_when_it_is_over() {
    let post = Post::new();
    post.answers(u64::MAX, ResponseTemplate::new(204));
    for failures in [1, 2, 0, 0] {
        post.fails(failures);
    }
    let came = post.came();
    let raised: Vec<_> = came.iter().map(|(_, message)| message["raised"].as_bool().unwrap()).collect();
    assert_eq!(raised, [true, false]);
    assert_eq!(came[0].1["text"], "p: 1 failures in a row; the last one: gone");
    assert_eq!(post.counted(), (2, 0));
}

#[test]
fn a_server_that_fails_is_tried_again_and_one_that_goes_on_failing_with_the_next_event() {
    let post = Post::new();
    post.answers(1, ResponseTemplate::new(500).set_body_string("out of order"));
    post.answers(1, ResponseTemplate::new(204));
    post.fails(1);
    assert_eq!((post.came().len(), post.counted(), post.is_told()), (2, (1, 0), true));

    let post = Post::new();
    post.answers(3, ResponseTemplate::new(503));
    post.fails(1);
    assert_eq!((post.came().len(), post.counted(), post.is_told()), (3, (0, 1), false));
    post.answers(1, ResponseTemplate::new(200));
    post.fails(2);
    assert_eq!((post.came().len(), post.counted(), post.is_told()), (4, (1, 1), true));
}

#[test]
fn a_redirect_is_not_followed_and_counts_as_not_taken() {
    let post = Post::new();
    for status in [301, 302, 307, 308] {
        post.answers(3, ResponseTemplate::new(status).insert_header("location", "/elsewhere"));
        post.fails(1);
    }
    let came = post.came();
    assert_eq!(came.len(), 12);
    assert!(came.iter().all(|(path, _)| path == &format!("/{HUSH}")), "{came:?}");
    assert_eq!((post.counted(), post.is_told()), ((0, 4), false));
}

#[test]
fn a_slow_server_and_one_that_is_down_are_given_up_without_telling_the_address() {
    let post = Post::new();
    post.answers(3, ResponseTemplate::new(200).set_delay(Duration::from_mins(1)));
    post.fails(1);
    assert_eq!((post.counted(), post.is_told()), ((0, 1), false));

    // A port that nobody listens on: it was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = format!("http://{free}/{HUSH}");
    post.hear(&down, 1);
    assert_eq!((post.counted(), post.is_told()), ((0, 2), false));

    let slow = format!("{}/{HUSH}", post.server.uri());
    post.answers(1, ResponseTemplate::new(200).set_delay(Duration::from_mins(1)));
    for (url, says) in [(slow, "1000 ms"), (down, "the request failed")] {
        let channel =
            Channel::Post { url_env: "WHERE".to_owned(), url: Some(SecretString::from(url)), timeout_s: 1 };
        let message = Message { port: "p".into(), alert: Alert::Failures, raised: true, text: String::new() };
        let plan = AlertPlan {
            thresholds: Thresholds { lag_revisions: None, lag_items: None, lag_days: None, failures: 1 },
            channels: Vec::new(),
            root: post.folder.path().to_owned(),
            state: post.folder.path().to_owned(),
        };
        let means = Means {
            runner: Arc::new(SystemProcessRunner::default()),
            clock: Arc::new(ManualClock::at(0)),
            stop: Arc::default(),
            metrics: Arc::default(),
        };
        let reason = send(&channel, &message, &plan, &means).unwrap_err();
        assert!(reason.contains(says) && !reason.contains(HUSH), "{reason}");
    }
}
