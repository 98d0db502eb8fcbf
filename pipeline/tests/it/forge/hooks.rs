//! Webhooks of the fake forge: what happens in its state, signed and written as each kind does.

use std::collections::BTreeMap;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::tz::TimeZone;
use pipeline::daemon::alert::Thresholds;
use pipeline::daemon::notify::AlertPlan;
use pipeline::daemon::webhook::{Answer, Delivery, Forge, Header, Refusal, Webhooks};
use pipeline::daemon::{Port, Rhythm, Schedule, When};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;

use super::promise::{Broken, Promise};
use super::schedules::Dice;
use super::state::Kind;

const SECRET: &str = "0123456789abcdef-of-webhooks";
const REPOSITORY: &str = "https://forge.example/team/port";

/// Something that a forge tells of.
#[derive(Debug, Clone)]
pub(crate) enum Happened {
    Push { branch: String, commit: String },
    Pull { number: u64, action: &'static str },
    Comment { number: u64, id: u64, body: String },
    Review { number: u64, word: &'static str, at: i64 },
}

/// One delivery, as it goes over the wire.
#[derive(Debug, Clone)]
struct Sent {
    headers: Headers,
    body: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Headers(BTreeMap<&'static str, String>);

impl Header for Headers {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The forge's side of webhooks, and ours.
#[derive(Debug)]
pub(crate) struct Hooks {
    forge: Forge,
    ours: Webhooks,
    number: u64,
    last: Option<Sent>,
}

/// What came of what was sent.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    pub(crate) woken: bool,
    pub(crate) lost: usize,
    pub(crate) repeated: usize,
    pub(crate) forged: usize,
    pub(crate) broken: Vec<Broken>,
}

impl Hooks {
    pub(crate) fn new(kind: Kind) -> Self {
        let forge = match kind {
            Kind::GitHub => Forge::GitHub,
            Kind::GitLab => Forge::GitLab,
            Kind::Gitea => Forge::Gitea,
        };
        let ours = Webhooks::new(vec![(forge, SecretString::from(SECRET))]);
        let schedule = Schedule::new(When::EveryS(60), TimeZone::UTC, Vec::new(), 0, 0).unwrap();
        let thresholds = Thresholds { lag_revisions: None, lag_items: None, lag_days: None, failures: 3 };
        let alert = AlertPlan { thresholds, channels: Vec::new(), root: "/".into(), state: "/".into() };
        ours.watch(&[Port {
            name: "port".to_owned(),
            rhythm: Rhythm { schedule, retry_s: 30, retry_max_s: 300 },
            upstream: None,
            forge: Some(format!("{REPOSITORY}.git")),
            alert: Arc::new(alert),
        }]);
        Self { forge, ours, number: 0, last: None }
    }

    /// Sends what happened, or loses it; repeats some, and lets somebody else send as well.
    pub(crate) fn deliver(&mut self, happened: &[Happened], dice: &mut Dice) -> Delivered {
        let mut delivered = Delivered::default();
        for one in happened {
            let sent = self.written(one);
            if dice.below(4) == 0 {
                delivered.lost += 1;
                continue;
            }
            if !matches!(self.judged(&sent), Answer::Wake { .. }) {
                let how = format!("a webhook woke nobody: {:?}", sent.headers);
                delivered.broken.push((Promise::WakeUpsOnly, how));
            }
            delivered.woken = true;
            self.last = Some(sent);
        }
        if let Some(last) = self.last.clone().filter(|_| dice.below(3) == 0) {
            delivered.repeated += 1;
            let again = if dice.below(2) == 0 { last } else { self.renamed(last) };
            let answer = self.judged(&again);
            if answer != Answer::Refused(Refusal::Replayed) {
                delivered.broken.push((Promise::WakeUpsOnly, format!("a repeated webhook: {answer:?}")));
            }
        }
        if dice.below(3) == 0 {
            delivered.forged += 1;
            let mut forged = self.written(&Happened::Pull { number: 1, action: "merged" });
            let header = match self.forge {
                Forge::GitHub => "x-hub-signature-256",
                Forge::GitLab => "x-gitlab-token",
                Forge::Gitea => "x-gitea-signature",
            };
            let signature = forged.headers.0.get_mut(header).unwrap();
            let last = signature.pop().unwrap();
            signature.push(if last == '0' { '1' } else { '0' });
            let answer = self.judged(&forged);
            if answer != Answer::Refused(Refusal::Unsigned) {
                delivered.broken.push((Promise::WakeUpsOnly, format!("a forged webhook: {answer:?}")));
            }
        }
        delivered
    }

    fn judged(&self, sent: &Sent) -> Answer {
        self.ours.judge(&Delivery { forge: self.forge, header: &sent.headers, port: None, body: &sent.body })
    }

    /// The same under another name, as somebody does who heard it on the way.
    fn renamed(&mut self, mut sent: Sent) -> Sent {
        self.number += 1;
        sent.headers.0.insert(self.name_header(), format!("again-{}", self.number));
        sent
    }

    fn name_header(&self) -> &'static str {
        match self.forge {
            Forge::GitHub => "x-github-delivery",
            Forge::GitLab => "x-gitlab-event-uuid",
            Forge::Gitea => "x-gitea-delivery",
        }
    }

    fn written(&mut self, happened: &Happened) -> Sent {
        self.number += 1;
        let lab = self.forge == Forge::GitLab;
        let (event, mut body) = match happened {
            Happened::Push { branch, commit } => {
                let event = if lab { "Push Hook" } else { "push" };
                (event, json!({ "ref": format!("refs/heads/{branch}"), "after": commit }))
            }
            Happened::Pull { number, action } => {
                let event = if lab { "Merge Request Hook" } else { "pull_request" };
                (event, json!({ "action": action, "number": number }))
            }
            Happened::Comment { number, id, body } => {
                let event = if lab { "Note Hook" } else { "issue_comment" };
                (
                    event,
                    json!({ "action": "created", "number": number, "comment": { "id": id, "body": body } }),
                )
            }
            Happened::Review { number, word, at } => {
                let event = match (self.forge, *word) {
                    (Forge::GitHub, _) => "pull_request_review",
                    (Forge::GitLab, _) => "Merge Request Hook",
                    (Forge::Gitea, "APPROVED") => "pull_request_approved",
                    (Forge::Gitea, "CHANGES_REQUESTED") => "pull_request_rejected",
                    (Forge::Gitea, _) => "pull_request_comment",
                };
                (event, json!({ "action": "submitted", "number": number, "state": word, "at": at }))
            }
        };
        body["sequence"] = json!(self.number);
        let (key, address) = if lab { ("project", "git_http_url") } else { ("repository", "clone_url") };
        body[key] = json!({ address: format!("{REPOSITORY}.git") });
        let body = Value::to_string(&body).into_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(&body);
        let signature = hex::encode(mac.finalize().into_bytes());
        let (signed, event_header) = match self.forge {
            Forge::GitHub => (("x-hub-signature-256", format!("sha256={signature}")), "x-github-event"),
            Forge::GitLab => (("x-gitlab-token", SECRET.to_owned()), "x-gitlab-event"),
            Forge::Gitea => (("x-gitea-signature", signature), "x-gitea-event"),
        };
        let name = (self.name_header(), format!("delivery-{}", self.number));
        Sent { headers: Headers(BTreeMap::from([signed, name, (event_header, event.to_owned())])), body }
    }
}
