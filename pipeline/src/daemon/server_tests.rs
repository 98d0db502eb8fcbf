//! The server over real sockets on the loopback device.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use upstream::Clock;
use upstream::clock::ManualClock;

use super::answers::{self, Offer};
use super::dispatch::{Control, Dispatcher, Observer};
use super::metrics::Metrics;
use super::port_state::{PortState, Seen};
use super::server::Server;
use super::testing;
use super::trouble::Trouble;
use super::webhook::{BODY_BYTES_MAX, Forge, Webhooks};
use super::work::{Port, SyncReport, Work};

const SECRET: &str = "0123456789abcdef0123";

#[derive(Debug)]
struct Nothing;

impl Work for Nothing {
    fn look(&self, port: &str) -> Result<Seen, Trouble> {
        panic!("{port}: the loop is not run")
    }
    fn sync(&self, port: &str) -> SyncReport {
        panic!("{port}: the loop is not run")
    }
    fn reload(&self) -> Result<Vec<Port>, String> {
        panic!("the loop is not run")
    }
}

impl Observer for Nothing {
    fn looked(&mut self, _port: &str, _result: &Result<Seen, Trouble>, _took_ms: u64) {}
    fn synced(&mut self, _port: &str, _report: &SyncReport, _took_ms: u64) {}
    fn settled(&mut self, _port: &str, _state: &PortState) {}
    fn queues(&mut self, _looks: usize, _syncs: usize, _busy: usize) {}
    fn ports(&mut self, _ports: &[Port]) {}
}

struct Scene {
    server: Server,
    control: Control,
    clock: Arc<ManualClock>,
    metrics: Arc<Metrics>,
}

/// Plays over a server, beside a loop that stands still.
fn play(scene: impl FnOnce(&Scene)) {
    let clock = Arc::new(ManualClock::at(1_000_000));
    let mut observer = Nothing;
    let dispatcher =
        Dispatcher::new(&Nothing, &*clock, &mut observer, vec![testing::port("p")], Arc::default());
    let metrics = Arc::new(Metrics::default());
    let webhooks = Arc::new(Webhooks::new(vec![(Forge::Gitea, SecretString::from(SECRET))]));
    webhooks.watch(&[testing::port("p")]);
    let control = dispatcher.control();
    let offer = Offer {
        control: control.clone(),
        metrics: Arc::clone(&metrics),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        webhooks,
    };
    let server = Server::start("127.0.0.1:0".parse().unwrap(), answers::router(offer)).unwrap();
    scene(&Scene { server, control, clock: Arc::clone(&clock), metrics });
    drop(dispatcher);
}

impl Scene {
    /// Sends bytes, and gives the status and the rest of the answer.
    fn send(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.server.address).unwrap();
        // A server that refuses may close before it has read everything.
        drop(stream.write_all(request));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer)
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
    }

    fn push(&self, id: &str, body: &str, secret: &str) -> (u16, String) {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let length = body.len();
        self.send(
            format!(
                "POST /webhook/gitea?port=p HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\
                 X-Gitea-Event: push\r\nX-Gitea-Delivery: {id}\r\nX-Gitea-Signature: {signature}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    }
}

#[test]
fn it_lives_while_the_loop_turns_and_is_ready_when_every_port_was_looked_at() {
    play(|scene| {
        assert_eq!(scene.get("/healthz").0, 200);
        assert_eq!(scene.get("/readyz").0, 503);
        scene.control.ready.store(true, Ordering::Relaxed);
        assert_eq!(scene.get("/readyz").0, 200);
        scene.control.stop.store(true, Ordering::Relaxed);
        assert_eq!(scene.get("/readyz").0, 503);
        scene.clock.advance(std::time::Duration::from_secs(61));
        let (status, text) = scene.get("/healthz");
        assert!(status == 503 && text.contains("61 seconds"), "{text}");
    });
}

#[test]
fn metrics_are_there_and_other_addresses_are_not() {
    play(|scene| {
        scene.metrics.queues(1, 2, 3);
        let (status, text) = scene.get("/metrics");
        assert_eq!(status, 200);
        assert!(text.contains("content-type: application/openmetrics-text"), "{text}");
        assert!(text.contains("tidelock_queue_depth{queue=\"busy\"} 3"), "{text}");
        assert_eq!(scene.get("/").0, 404);
        assert_eq!(scene.get("/webhook/sourcehut").0, 404);
        assert_eq!(scene.get("/webhook/gitea").0, 405);
    });
}

#[test]
fn a_webhook_is_taken_once_and_only_with_its_signature() {
    play(|scene| {
        assert_eq!(scene.push("1", "{}", SECRET).0, 202);
        assert_eq!(scene.push("1", "{}", SECRET).0, 200, "a forge that repeats itself is content");
        assert_eq!(scene.push("2", "{ }", "another secret of that").0, 401);
        assert_eq!(scene.push("3", "{  }", SECRET).0, 202);
        let text = scene.get("/metrics").1;
        for line in [
            r#"tidelock_webhooks_total{forge="gitea",result="woken"} 2"#,
            r#"tidelock_webhooks_total{forge="gitea",result="replayed"} 1"#,
            r#"tidelock_webhooks_total{forge="gitea",result="unsigned"} 1"#,
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        let unoffered = "POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(scene.send(unoffered.as_bytes()).0, 404);
    });
}

#[test]
fn what_is_too_long_too_much_or_no_http_is_refused_and_the_next_one_is_served() {
    play(|scene| {
        let long = "x".repeat(BODY_BYTES_MAX + 1);
        let (status, _) = scene.push("1", &long, SECRET);
        assert!(status == 413 || status == 0, "refused, or closed before it was all sent: {status}");
        scene.send(b"\x16\x03\x01 this is TLS or nonsense\r\n\r\n");
        drop(TcpStream::connect(scene.server.address).unwrap());
        let statuses: Vec<u16> =
            (0..70).map(|id| scene.push(&format!("f{id}"), &" ".repeat(id), SECRET).0).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 11, "{statuses:?}");
        scene.clock.advance(std::time::Duration::from_secs(1));
        assert_eq!(scene.push("last", "{}", SECRET).0, 202);
    });
}
