//! Webhooks of forges: nothing but a wake-up, and checked before anything of them is read.
//!
//! In this order: the rate, the size, the signature over the raw body, whether it was there before; only then is the
//! body parsed, and of it only the address of its repository. What is refused or lost here is found by polling.

mod address;
mod replay;
mod signature;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use serde::Deserialize;

pub use address::RepositoryAddress;
use replay::{Bucket, Seen};

use super::work::Port;

/// The longest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 2 << 20;
/// The shortest secret that is taken, in bytes.
pub const SECRET_BYTES_MIN: usize = 16;
/// The longest name of a delivery that is kept, in bytes.
const DELIVERY_BYTES_MAX: usize = 200;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forge {
    /// GitHub.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
}

impl Forge {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::GitHub, Self::GitLab, Self::Gitea];

    /// Its name in addresses, in the configuration and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
        }
    }

    fn signature_header(self) -> &'static str {
        match self {
            Self::GitHub => "x-hub-signature-256",
            Self::GitLab => "x-gitlab-token",
            Self::Gitea => "x-gitea-signature",
        }
    }

    /// The names of a delivery, the best one first. Repeated deliveries have the same.
    fn delivery_headers(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["x-github-delivery"],
            Self::GitLab => &["idempotency-key", "x-gitlab-event-uuid"],
            Self::Gitea => &["x-gitea-delivery"],
        }
    }

    fn event_header(self) -> &'static str {
        match self {
            Self::GitHub => "x-github-event",
            Self::GitLab => "x-gitlab-event",
            Self::Gitea => "x-gitea-event",
        }
    }

    /// What an event may be about, by the names that all of them use.
    fn news(event: &str) -> Option<News> {
        let revisions = ["push", "create", "delete", "release", "Push Hook", "Tag Push Hook", "Release Hook"];
        let words = ["issue_comment", "issues", "Merge Request Hook", "Note Hook", "Issue Hook"];
        if revisions.contains(&event) {
            Some(News::Revisions)
        } else if words.contains(&event) || event.starts_with("pull_request") {
            // Gitea has a name for each kind of review, such as `pull_request_approved`.
            Some(News::Words)
        } else {
            None
        }
    }
}

/// What something may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// Commits and tags.
    Revisions,
    /// What people say of pull requests and do with them: of interest where work is proposed.
    Words,
}

/// A port that can be woken.
#[derive(Debug)]
struct Known {
    name: String,
    upstream: Option<RepositoryAddress>,
    forge: Option<RepositoryAddress>,
}

/// A request as it came.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Who it is said to be from.
    pub forge: Forge,
    /// The value of a header, by its name in small letters.
    pub header: &'a dyn Header,
    /// The port that the address names, if it does.
    pub port: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// Looks up headers.
pub trait Header: std::fmt::Debug {
    /// The value of a header, where it is text.
    fn get(&self, name: &str) -> Option<&str>;
}

/// What a request is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These ports are to be woken.
    Wake {
        /// The ports; there is at least one.
        ports: BTreeSet<String>,
    },
    /// It is in order, and brings no revision to a port that is watched.
    Nothing {
        /// Why, for people.
        why: &'static str,
    },
    /// It is refused.
    Refused(Refusal),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No secret is configured for the forge.
    #[error("no secret is configured for this forge")]
    NotOffered,
    /// Too many came.
    #[error("too many requests; polling finds what this one was about")]
    TooMany,
    /// It is too long.
    #[error("the body is too long; polling finds what it was about")]
    TooLong,
    /// The signature is missing or wrong.
    #[error("the signature is missing or wrong")]
    Unsigned,
    /// It has no name.
    #[error("the header that names the delivery is missing or too long")]
    Unnamed,
    /// It was there before.
    #[error("this delivery was there before")]
    Replayed,
    /// It is not what a forge sends.
    #[error("the body is not the JSON of a forge; choose the content type application/json there")]
    Unreadable,
}

impl Refusal {
    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::NotOffered => 404,
            Self::TooMany => 429,
            Self::TooLong => 413,
            Self::Unsigned => 401,
            Self::Unnamed | Self::Unreadable => 400,
            // A forge that repeats itself is to be content.
            Self::Replayed => 200,
        }
    }

    /// A word for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotOffered => "not-offered",
            Self::TooMany => "too-many",
            Self::TooLong => "too-long",
            Self::Unsigned => "unsigned",
            Self::Unnamed => "unnamed",
            Self::Replayed => "replayed",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Checks what comes.
#[derive(Debug)]
pub struct Webhooks {
    secrets: Vec<(Forge, SecretString)>,
    ports: Mutex<Vec<Known>>,
    bucket: Mutex<Bucket>,
    seen: Mutex<Seen>,
}

impl Webhooks {
    /// Takes requests of the forges that have a secret.
    pub fn new(secrets: Vec<(Forge, SecretString)>) -> Self {
        Self { secrets, ports: Mutex::default(), bucket: Mutex::new(Bucket::full()), seen: Mutex::default() }
    }

    /// These ports can be woken.
    pub fn watch(&self, ports: &[Port]) {
        let address = |of: &Option<String>| of.as_deref().and_then(RepositoryAddress::of);
        let known = ports.iter().map(|port| Known {
            name: port.name.clone(),
            upstream: address(&port.upstream),
            forge: address(&port.forge),
        });
        *self.ports.lock().unwrap_or_else(PoisonError::into_inner) = known.collect();
    }

    /// Whether a request may come in at all now: asked before its body is read.
    pub fn admit(&self, forge: Forge, now_ms: i64) -> Result<(), Refusal> {
        if self.secret(forge).is_none() {
            return Err(Refusal::NotOffered);
        }
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if bucket.take(now_ms) { Ok(()) } else { Err(Refusal::TooMany) }
    }

    /// What a request that was admitted is worth.
    pub fn judge(&self, delivery: &Delivery<'_>) -> Answer {
        self.judged(delivery).unwrap_or_else(Answer::Refused)
    }

    /// Forgets a delivery, so that the forge may repeat what could not be taken up.
    pub fn forget(&self, delivery: &Delivery<'_>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(&names(delivery).unwrap_or_default());
    }

    fn judged(&self, delivery: &Delivery<'_>) -> Result<Answer, Refusal> {
        let forge = delivery.forge;
        let secret = self.secret(forge).ok_or(Refusal::NotOffered)?;
        if delivery.body.len() > BODY_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let given = delivery.header.get(forge.signature_header()).ok_or(Refusal::Unsigned)?;
        if !signature::is_right(forge, secret, given, delivery.body) {
            return Err(Refusal::Unsigned);
        }
        let names = names(delivery).ok_or(Refusal::Unnamed)?;
        if !self.seen.lock().unwrap_or_else(PoisonError::into_inner).is_new(&names) {
            return Err(Refusal::Replayed);
        }
        let event = delivery.header.get(forge.event_header()).unwrap_or_default();
        let Some(news) = Forge::news(event) else {
            return Ok(Answer::Nothing {
                why: "such an event brings no revision, and is no word about a pull request",
            });
        };
        let payload: Payload =
            serde_json::from_slice(delivery.body).map_err(|_no_json| Refusal::Unreadable)?;
        let ports = self.concerned(&payload, delivery.port, news);
        if ports.is_empty() {
            return Ok(Answer::Nothing { why: "no port that is watched follows this repository" });
        }
        Ok(Answer::Wake { ports })
    }

    fn secret(&self, forge: Forge) -> Option<&SecretString> {
        self.secrets.iter().find(|(of, _)| *of == forge).map(|(_, secret)| secret)
    }

    fn concerned(&self, payload: &Payload, named: Option<&str>, news: News) -> BTreeSet<String> {
        let ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        let addresses = payload.addresses();
        let is_meant = |address: &Option<RepositoryAddress>| {
            address.as_ref().is_some_and(|address| addresses.contains(address))
        };
        let concerns = |port: &&Known| match (named, news) {
            (Some(named), News::Revisions | News::Words) => port.name == named,
            (None, News::Revisions) => is_meant(&port.upstream) || is_meant(&port.forge),
            (None, News::Words) => is_meant(&port.forge),
        };
        ports.iter().filter(concerns).map(|port| port.name.clone()).collect()
    }
}

/// What a delivery is known by: the name that the forge gives it, and its body. The name is not signed, so that
/// somebody who repeats a body could choose another one.
fn names(delivery: &Delivery<'_>) -> Option<[String; 2]> {
    let forge = delivery.forge;
    let given = forge.delivery_headers().iter().find_map(|name| delivery.header.get(name))?;
    if given.is_empty() || given.len() > DELIVERY_BYTES_MAX {
        return None;
    }
    let body = upstream::ContentHash::of(delivery.body);
    Some([format!("{} {given}", forge.name()), format!("{} body {body}", forge.name())])
}

/// All that is read of a body.
#[derive(Debug, Deserialize)]
struct Payload {
    repository: Option<Addresses>,
    project: Option<Addresses>,
}

/// The addresses of a repository, as GitHub and Gitea name them, and as GitLab does.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "as the forges write them")]
struct Addresses {
    clone_url: Option<String>,
    ssh_url: Option<String>,
    html_url: Option<String>,
    git_http_url: Option<String>,
    git_ssh_url: Option<String>,
    web_url: Option<String>,
}

impl Payload {
    fn addresses(&self) -> BTreeSet<RepositoryAddress> {
        let each = [&self.repository, &self.project].into_iter().flatten();
        let texts = each.flat_map(|of| {
            [&of.clone_url, &of.ssh_url, &of.html_url, &of.git_http_url, &of.git_ssh_url, &of.web_url]
        });
        texts.flatten().filter_map(|text| RepositoryAddress::of(text)).collect()
    }
}

#[cfg(test)]
mod tests;
