//! Requests as forges send them, and as others do.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;
use crate::daemon::testing;

const SECRET: &str = "a secret of some length";
const PUSH: &str = r#"{"ref":"refs/heads/main","repository":{"clone_url":"https://example.com/o/n.git"}}"#;
const LAB_PUSH: &str = r#"{"object_kind":"push","project":{"git_ssh_url":"git@example.com:o/n.git"}}"#;

impl Header for BTreeMap<&str, String> {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }
}

fn webhooks() -> Webhooks {
    let webhooks = Webhooks::new(Forge::ALL.map(|forge| (forge, SecretString::from(SECRET))).to_vec());
    let port = |name: &str, upstream: Option<&str>| Port {
        upstream: upstream.map(str::to_owned),
        ..testing::port(name)
    };
    webhooks.watch(&[
        port("by-https", Some("https://example.com/o/n")),
        port("by-ssh", Some("git@example.com:o/n.git")),
        port("other", Some("https://example.com/o/other")),
        port("registry", None),
    ]);
    webhooks
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// The headers of a good request with this body.
fn headers(forge: Forge, id: &str, body: &str) -> BTreeMap<&'static str, String> {
    let (delivery, event) = match forge {
        Forge::GitHub => ("x-github-delivery", "push"),
        Forge::GitLab => ("x-gitlab-event-uuid", "Push Hook"),
        Forge::Gitea => ("x-gitea-delivery", "push"),
    };
    let signed = match forge {
        Forge::GitHub => format!("sha256={}", signature(SECRET, body)),
        Forge::GitLab => SECRET.to_owned(),
        Forge::Gitea => signature(SECRET, body),
    };
    BTreeMap::from([
        (forge.signature_header(), signed),
        (delivery, id.to_owned()),
        (forge.event_header(), event.to_owned()),
    ])
}

fn judge(
    webhooks: &Webhooks,
    forge: Forge,
    headers: &BTreeMap<&'static str, String>,
    body: &str,
    port: Option<&str>,
) -> Answer {
    webhooks.judge(&Delivery { forge, header: headers, port, body: body.as_bytes() })
}

fn wake(ports: &[&str]) -> Answer {
    Answer::Wake { ports: ports.iter().map(|&port| port.to_owned()).collect() }
}

#[test]
fn a_push_of_each_forge_wakes_the_ports_of_its_repository() {
    for (forge, body) in [(Forge::GitHub, PUSH), (Forge::GitLab, LAB_PUSH), (Forge::Gitea, PUSH)] {
        let answer = judge(&webhooks(), forge, &headers(forge, "1", body), body, None);
        assert_eq!(answer, wake(&["by-https", "by-ssh"]), "{forge:?}");
    }
}

#[test]
fn the_signature_is_that_of_the_documentation_of_github() {
    let secret = SecretString::from("It's a Secret to Everybody");
    let given = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert!(signature::is_right(Forge::GitHub, &secret, given, b"Hello, World!"));
    assert!(!signature::is_right(Forge::GitHub, &secret, given, b"Hello, World?"));
}

#[test]
fn a_wrong_missing_or_cut_signature_is_refused_before_anything_is_read() {
    let webhooks = webhooks();
    for forge in Forge::ALL {
        // No JSON at all: nobody gets to see that.
        let body = "{";
        let good = headers(forge, "1", body);
        let name = forge.signature_header();
        let signed = good[name].clone();
        let bad = [
            String::new(),
            signed.chars().take(signed.len() - 1).collect(),
            format!("{signed}0"),
            signed.replace("sha256=", "sha1="),
            signature("another secret of that length", body),
            "sha256=zz".to_owned(),
        ];
        for given in bad.iter().filter(|given| **given != signed) {
            let mut headers = good.clone();
            headers.insert(name, given.clone());
            let answer = judge(&webhooks, forge, &headers, body, None);
            assert_eq!(answer, Answer::Refused(Refusal::Unsigned), "{forge:?} {given}");
        }
        let mut unsigned = good.clone();
        unsigned.remove(name);
        assert_eq!(judge(&webhooks, forge, &unsigned, body, None), Answer::Refused(Refusal::Unsigned));
        let answer = judge(&webhooks, forge, &good, body, None);
        assert_eq!(answer, Answer::Refused(Refusal::Unreadable), "what was refused used up no name");
    }
}

#[test]
fn the_same_delivery_and_the_same_body_under_another_name_wake_nothing() {
    let webhooks = webhooks();
    let forge = Forge::GitHub;
    let first = headers(forge, "1", PUSH);
    assert_eq!(judge(&webhooks, forge, &first, PUSH, None), wake(&["by-https", "by-ssh"]));
    let replayed = Answer::Refused(Refusal::Replayed);
    assert_eq!(judge(&webhooks, forge, &first, PUSH, None), replayed);
    assert_eq!(judge(&webhooks, forge, &headers(forge, "2", PUSH), PUSH, None), replayed);
    let other = PUSH.replace("main", "next");
    assert_eq!(judge(&webhooks, forge, &headers(forge, "1", &other), &other, None), replayed);
    webhooks.forget(&Delivery { forge, header: &first, port: None, body: PUSH.as_bytes() });
    assert_eq!(judge(&webhooks, forge, &first, PUSH, None), wake(&["by-https", "by-ssh"]));
}

#[test]
fn a_port_that_the_address_names_is_woken_alone_whatever_it_follows() {
    let headers = |id: &str, body: &str| headers(Forge::Gitea, id, body);
    let webhooks = webhooks();
    assert_eq!(
        judge(&webhooks, Forge::Gitea, &headers("1", PUSH), PUSH, Some("registry")),
        wake(&["registry"])
    );
    let body = "{}";
    let answer = judge(&webhooks, Forge::Gitea, &headers("2", body), body, Some("nobody"));
    assert!(matches!(answer, Answer::Nothing { .. }), "{answer:?}");
}

#[test]
fn what_brings_no_revision_wakes_nothing() {
    let webhooks = webhooks();
    let mut ping = headers(Forge::GitHub, "1", PUSH);
    ping.insert("x-github-event", "ping".to_owned());
    assert!(matches!(judge(&webhooks, Forge::GitHub, &ping, PUSH, None), Answer::Nothing { .. }));
    let other = PUSH.replace("/o/n", "/o/unknown");
    let answer = judge(&webhooks, Forge::GitHub, &headers(Forge::GitHub, "2", &other), &other, None);
    assert!(matches!(answer, Answer::Nothing { .. }), "{answer:?}");
}

#[test]
fn words_about_pull_requests_wake_the_ports_that_propose_there_and_no_others() {
    let webhooks = webhooks();
    let proposing =
        Port { forge: Some("https://example.com/o/n.git".to_owned()), ..testing::port("proposing") };
    let following =
        Port { upstream: Some("https://example.com/o/n".to_owned()), ..testing::port("following") };
    webhooks.watch(&[proposing, following]);
    let events: [(Forge, &[&str]); 3] = [
        (
            Forge::GitHub,
            &["pull_request", "pull_request_review", "pull_request_review_comment", "issue_comment"],
        ),
        (Forge::GitLab, &["Merge Request Hook", "Note Hook"]),
        (Forge::Gitea, &["pull_request", "issue_comment", "pull_request_approved", "pull_request_rejected"]),
    ];
    for (forge, events) in events {
        let body = if forge == Forge::GitLab { LAB_PUSH } else { PUSH };
        for event in events {
            let body = body.replace("}}", &format!("}},\"event\":\"{event}\"}}"));
            let mut headers = headers(forge, event, &body);
            headers.insert(forge.event_header(), (*event).to_owned());
            assert_eq!(judge(&webhooks, forge, &headers, &body, None), wake(&["proposing"]), "{event}");
        }
        let push = headers(forge, "a push", body);
        assert_eq!(judge(&webhooks, forge, &push, body, None), wake(&["following", "proposing"]));
    }
    let mut star = headers(Forge::GitHub, "a star", PUSH);
    star.insert("x-github-event", "watch".to_owned());
    let body = PUSH.replace("main", "star");
    star.insert("x-hub-signature-256", format!("sha256={}", signature(SECRET, &body)));
    assert!(matches!(judge(&webhooks, Forge::GitHub, &star, &body, None), Answer::Nothing { .. }));
}

#[test]
fn what_is_no_payload_is_refused() {
    let webhooks = webhooks();
    let deep = "[".repeat(100_000);
    let long = " ".repeat(BODY_BYTES_MAX + 1);
    let bodies = ["payload=%7B%7D", "", "[]", r#"{"repository": 3}"#, &deep];
    for (id, body) in bodies.into_iter().enumerate() {
        let headers = headers(Forge::GitHub, &id.to_string(), body);
        let answer = judge(&webhooks, Forge::GitHub, &headers, body, None);
        assert_eq!(answer, Answer::Refused(Refusal::Unreadable), "{}", body.len());
    }
    let answer = judge(&webhooks, Forge::GitHub, &headers(Forge::GitHub, "9", &long), &long, None);
    assert_eq!(answer, Answer::Refused(Refusal::TooLong));
    for id in ["", &"x".repeat(300)] {
        let answer = judge(&webhooks, Forge::GitHub, &headers(Forge::GitHub, id, PUSH), PUSH, None);
        assert_eq!(answer, Answer::Refused(Refusal::Unnamed));
    }
}

#[test]
fn a_forge_without_a_secret_is_not_there_and_no_secret_is_ever_shown() {
    let webhooks = Webhooks::new(vec![(Forge::GitLab, SecretString::from(SECRET))]);
    assert_eq!(webhooks.admit(Forge::GitHub, 0), Err(Refusal::NotOffered));
    assert_eq!(webhooks.admit(Forge::GitLab, 0), Ok(()));
    assert!(!format!("{webhooks:?}").contains("a secret"), "{webhooks:?}");
    let admitted = (0..1000).filter(|_| webhooks.admit(Forge::GitLab, 0).is_ok()).count();
    assert_eq!(admitted, 59, "a flood is cut off");
}
