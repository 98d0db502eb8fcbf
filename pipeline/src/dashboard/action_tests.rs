//! What may be asked for from the pages, by whom, and what is refused: over real sockets, broken requests included.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;

use super::tests::{Scene, scene, scene_with};
use super::{Act, Means};

const TOKEN: &str = "correct-horse-battery-staple";
const ORIGIN: &str = "Origin: http://127.0.0.1:9470\r\nSec-Fetch-Site: same-origin\r\n";

/// Notes what it is asked for; takes nothing more after two.
#[derive(Debug, Clone, Default)]
struct Noting(Arc<Mutex<Vec<String>>>);

impl Noting {
    fn note(&self, what: &str, port: &str) -> bool {
        let mut asked = self.0.lock().unwrap();
        asked.push(format!("{what} {port}"));
        asked.len() <= 2
    }

    fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Act for Noting {
    fn look(&self, port: &str) -> bool {
        self.note("look", port)
    }

    fn retry(&self, port: &str) -> bool {
        self.note("retry", port)
    }
}

fn acting() -> (Scene, Noting) {
    let noting = Noting::default();
    let act = Box::new(noting.clone()) as Box<dyn Act>;
    let means = Means { acting: Some((SecretString::from(TOKEN), act)), ..Means::default() };
    (scene_with(None, means), noting)
}

/// Sends a request head with these lines behind it, and a body.
fn send(scene: &Scene, head: &str, lines: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(scene.server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    // A server that refuses may close before it has read everything.
    drop(write!(stream, "{head} HTTP/1.1\r\n{lines}Content-Length: {length}\r\n\r\n{body}"));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let answer = String::from_utf8(answer).unwrap();
    (answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), answer)
}

const HOST: &str = "Host: 127.0.0.1:9470\r\n";
const KIND: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn post(scene: &Scene, path: &str, lines: &str, body: &str) -> (u16, String) {
    send(scene, &format!("POST {path}"), &format!("{HOST}{KIND}{lines}"), body)
}

/// Signs in: the cookie, as a header.
fn signed_in(scene: &Scene) -> String {
    let (status, answer) =
        post(scene, "/sign-in", ORIGIN, &format!("token={TOKEN}&next=%2Fport%2Ftally%252Dpy"));
    assert_eq!(status, 303, "{answer}");
    assert!(answer.contains("location: /port/tally%2Dpy\r\n"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"), "{cookie}");
    format!("Cookie: other=1; {}\r\n", cookie.split(';').next().unwrap())
}

/// What the forms of a page carry.
fn csrf(scene: &Scene, cookie: &str) -> String {
    let (_, page) = send(scene, "GET /port/tally-py", &format!("{HOST}{cookie}"), "");
    let value = page.split("name=\"csrf\" value=\"").nth(1).unwrap_or_else(|| panic!("{page}"));
    value.split('"').next().unwrap().to_owned()
}

#[test]
fn who_signed_in_may_have_the_daemon_look_and_retry_and_others_may_not() {
    let (scene, noting) = acting();
    let (_, page) = send(&scene, "GET /port/tally-py", HOST, "");
    assert!(
        page.contains("Sign in") && !page.contains("<form") && page.contains("form-action 'self'"),
        "{page}"
    );
    // Under `no-referrer` Chromium sends the forms of our own pages with `Origin: null`, which is refused below.
    assert!(page.contains("referrer-policy: same-origin\r\n"), "{page}");
    assert_eq!(send(&scene, "GET /sign-in", HOST, "").0, 200);
    let cookie = signed_in(&scene);
    let csrf = csrf(&scene, &cookie);
    let form = format!("csrf={csrf}");
    let with = format!("{ORIGIN}{cookie}");
    let (status, answer) = post(&scene, "/port/tally-py/look", &with, &form);
    assert!(status == 303 && answer.contains("location: /port/tally-py?asked=look\r\n"), "{answer}");
    assert_eq!(post(&scene, "/port/tally-py/retry", &with, &form).0, 303);
    assert_eq!(noting.asked(), ["look tally-py", "retry tally-py"]);
    let (_, page) = send(&scene, "GET /port/tally-py?asked=look", &format!("{HOST}{cookie}"), "");
    assert!(page.contains("A look was asked for"), "{page}");
    // The loop takes nothing more.
    let (status, page) = post(&scene, "/port/tally-py/look", &with, &form);
    assert!(status == 503 && page.contains("Too much else waits"), "{page}");

    let asked = noting.asked().len();
    for (lines, body) in [
        // No cookie, a wrong one, one of a session that there is not; no second number, and a wrong one.
        (ORIGIN.to_owned(), form.clone()),
        (format!("{ORIGIN}Cookie: tidelock-9470=\r\n"), form.clone()),
        (format!("{ORIGIN}Cookie: tidelock-9470={csrf}\r\n"), form.clone()),
        (with.clone(), "csrf=".to_owned()),
        (with.clone(), format!("csrf={}", "0".repeat(64))),
        // Another site has the browser send it, cookie and all.
        (format!("Origin: http://evil.example\r\n{cookie}"), form.clone()),
        (format!("Origin: null\r\n{cookie}"), form.clone()),
        (format!("Sec-Fetch-Site: same-site\r\n{cookie}"), form.clone()),
    ] {
        assert_eq!(post(&scene, "/port/tally-py/look", &lines, &body).0, 403, "{lines} {body}");
    }
    assert_eq!(post(&scene, "/port/nobody/look", &with, &form).0, 404);
    assert_eq!(send(&scene, "GET /port/tally-py/look", &format!("{HOST}{cookie}"), "").0, 405);
    assert_eq!(noting.asked().len(), asked, "nothing of that reached the loop");
}

#[test]
fn a_session_ends_by_signing_out_and_by_time() {
    let (scene, noting) = acting();
    let cookie = signed_in(&scene);
    let form = format!("csrf={}", csrf(&scene, &cookie));
    let with = format!("{ORIGIN}{cookie}");
    assert_eq!(post(&scene, "/sign-out", &with, "csrf=wrong").0, 403);
    let (status, answer) = post(&scene, "/sign-out", &with, &form);
    assert!(status == 303 && answer.contains("Max-Age=0"), "{answer}");
    assert_eq!(post(&scene, "/port/tally-py/look", &with, &form).0, 403);
    let cookie = signed_in(&scene);
    let form = format!("csrf={}", csrf(&scene, &cookie));
    scene.clock.advance(Duration::from_hours(12));
    assert_eq!(post(&scene, "/port/tally-py/look", &format!("{ORIGIN}{cookie}"), &form).0, 403);
    assert!(noting.asked().is_empty());
}

#[test]
fn wrong_tokens_and_broken_forms_are_refused_and_guessing_is_slow() {
    let (scene, noting) = acting();
    let (status, page) = post(&scene, "/sign-in", ORIGIN, "token=correct-horse&next=//evil.example");
    assert!(
        status == 403 && page.contains("that is not the token") && !page.contains("evil.example"),
        "{page}"
    );
    for body in ["", "next=/", "token", "token=%FF", "csrf=1", "token=a&token=b", "\u{0}", "token=a b"] {
        let (status, page) = post(&scene, "/sign-in", ORIGIN, body);
        assert!(matches!(status, 400 | 403) && !page.contains("set-cookie"), "{body:?}: {status} {page}");
    }
    assert_eq!(post(&scene, "/sign-in", ORIGIN, &format!("token={}", "a".repeat(5000))).0, 413);
    let json = format!("{HOST}Content-Type: application/json\r\n{ORIGIN}");
    assert_eq!(send(&scene, "POST /sign-in", &json, "{\"token\":\"x\"}").0, 415);
    assert_eq!(post(&scene, "/sign-in", "Origin: http://evil.example\r\n", &format!("token={TOKEN}")).0, 403);
    for _ in 0..40 {
        post(&scene, "/sign-in", ORIGIN, "token=guess");
    }
    assert_eq!(post(&scene, "/sign-in", ORIGIN, &format!("token={TOKEN}")).0, 429);
    scene.clock.advance(Duration::from_secs(61));
    signed_in(&scene);
    assert!(noting.asked().is_empty());
}

#[test]
fn pages_are_answered_to_addresses_and_known_names_alone() {
    let scene = scene_with(None, Means { hosts: vec!["ports.example.org".to_owned()], ..Means::default() });
    for ours in ["127.0.0.1", "[::1]:9470", "localhost:9470", "ports.example.org", "PORTS.example.org:443"] {
        assert_eq!(send(&scene, "GET /", &format!("Host: {ours}\r\n"), "").0, 200, "{ours}");
    }
    for path in ["/", "/port/tally-py", "/events", "/assets/board.js", "/sign-in"] {
        let (status, text) = send(&scene, &format!("GET {path}"), "Host: evil.example\r\n", "");
        assert!(
            status == 421 && text.contains("`hosts` in `[dashboard]`") && !text.contains("tally"),
            "{path}: {text}"
        );
    }
    assert_eq!(send(&scene, "GET /", "Host: localhost\r\nHost: evil.example\r\n", "").0, 400);
    assert_eq!(send(&scene, "GET /", "", "").0, 400);
    // An address in the first line says nothing about who is asked.
    assert_eq!(send(&scene, "GET http://localhost/", "Host: evil.example\r\n", "").0, 421);
}

#[test]
fn without_a_token_nothing_can_be_asked_for() {
    let scene = scene(None);
    for path in ["/sign-in", "/sign-out", "/port/tally-py/look", "/port/tally-py/retry"] {
        let (status, page) = post(&scene, path, ORIGIN, &format!("token={TOKEN}&csrf=x"));
        assert!(
            status == 404 && page.contains("no token is set") && !page.contains("set-cookie"),
            "{path}: {page}"
        );
    }
    let (_, page) = send(&scene, "GET /port/tally-py", HOST, "");
    assert!(page.contains("form-action 'none'") && !page.contains("Sign in"), "{page}");
}
