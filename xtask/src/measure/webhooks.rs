//! Ten thousand webhooks in a burst from loopback, a third of them forged, repeated or malformed, while the upstream
//! moves: the daemon lives, wakes nobody for the bad ones, and polling alone finds what is new.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use upstream::clock::{Clock, SystemClock};

use super::crash::world::World;
use super::daemon::child::{Daemon, SECRET, ask};
use super::{Metric, Tell};

/// How many are sent.
const SENT: usize = 10_000;
/// How many senders there are.
const SENDERS: usize = 8;
/// How long polling may take to find what came during the burst, in milliseconds.
const CATCH_UP_MS: i64 = 5 * 60_000;
/// How much more memory the daemon may hold afterwards, in MiB.
const GROWTH_MIB_MAX: f64 = 20.0;

/// What is wrong with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Good,
    Forged,
    Repeated,
    Malformed,
}

impl Kind {
    /// A third is bad, in turn.
    fn of(number: usize) -> Self {
        match (number % 3, number / 3 % 3) {
            (0, 0) => Self::Forged,
            (0, 1) => Self::Repeated,
            (0, _) => Self::Malformed,
            _ => Self::Good,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Forged => "forged",
            Self::Repeated => "repeated",
            Self::Malformed => "malformed",
        }
    }
}

/// How often each kind was answered with each status; 0 where it was not answered.
type Answers = BTreeMap<(Kind, u16), usize>;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `webhooks` takes no repository: it makes its own upstream and port");
    }
    super::crash::needs_program()?;
    let program = std::env::current_exe()?.with_file_name("tidelock");
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    world.write(
        "port/tidelock.toml",
        &format!("{config}\n[watch]\nevery-s = 5\nretry-s = 2\nretry-max-s = 5\n"),
    );
    world.commit("port", "watch");
    let file = "version = 1\nlisten = \"127.0.0.1:0\"\n[webhook]\ngithub-secret-env = \"WEBHOOK_SECRET\"\n\
                [[port]]\nfolder = \"port\"\n";
    world.write("daemon.toml", file);
    let mut daemon = Daemon::start(&program, world.root.path())?;
    daemon.wait("the first sync", CATCH_UP_MS, |daemon| {
        Ok(daemon.metric("tidelock_syncs_total")?.is_some_and(|syncs| syncs >= 1.0))
    })?;
    let before_mib = daemon.rss_mib()?;
    let began_ms = SystemClock.now_ms();
    let answers = burst(daemon.address(), || {
        world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 12", "in the middle of it");
    })?;
    #[expect(clippy::cast_precision_loss, reason = "minutes in milliseconds")]
    let seconds = (SystemClock.now_ms() - began_ms) as f64 / 1000.0;
    let is_running = daemon.is_running()?;
    let tip = world.git("upstream", &["rev-parse", "main"]);
    daemon.wait("that polling finds the commit", CATCH_UP_MS, |_| {
        Ok(world.read("port/tidelock.lock").contains(tip.trim()))
    })?;
    let growth_mib = daemon.rss_mib()? - before_mib;
    let ended_well = daemon.stop()?;
    let mut shown: BTreeMap<&str, BTreeMap<u16, usize>> = BTreeMap::new();
    for ((kind, status), times) in &answers {
        shown.entry(kind.name()).or_default().insert(*status, *times);
    }
    tell(Metric {
        name: "webhooks.answers".to_owned(),
        value: json!(shown),
        unit: "by status",
        target: String::new(),
        ok: true,
    })?;
    let of = |so: &dyn Fn(Kind, u16) -> bool| -> f64 {
        let times = answers.iter().filter(|((kind, status), _)| so(*kind, *status)).map(|(_, times)| times);
        u32::try_from(times.sum::<usize>()).map_or(f64::INFINITY, f64::from)
    };
    tell(Metric::told("webhooks.sent", of(&|_, _| true), "requests"))?;
    tell(Metric::told("webhooks.seconds", seconds, "seconds"))?;
    tell(Metric::at_most("webhooks.unanswered", of(&|_, status| status == 0), "requests", 0.0))?;
    tell(Metric::at_most("webhooks.server_errors", of(&|_, status| status == 500), "requests", 0.0))?;
    let bad = of(&|kind, status| kind != Kind::Good && status == 202);
    tell(Metric::at_most("webhooks.bad_ones_that_woke", bad, "requests", 0.0))?;
    let crashes = f64::from(u8::from(!is_running) + u8::from(!ended_well));
    tell(Metric::at_most("webhooks.crashes", crashes, "crashes", 0.0))?;
    tell(Metric::at_most("webhooks.growth", growth_mib, "MiB", GROWTH_MIB_MAX))
}

/// Sends all of them from several senders, and lets something happen halfway.
fn burst(address: &str, halfway: impl FnOnce()) -> Result<Answers> {
    // What the others repeat.
    ask(address, &request(Kind::Repeated, 0))?;
    let next = AtomicUsize::new(0);
    let send = || -> Answers {
        let mut answers = Answers::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= SENT {
                return answers;
            }
            let kind = Kind::of(number);
            let answered = ask(address, &request(kind, number)).unwrap_or_default();
            let status = answered.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
            *answers.entry((kind, status)).or_default() += 1;
        }
    };
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(send)).collect();
        halfway();
        let mut all = Answers::new();
        for sender in senders {
            let answers = sender.join().ok().context("a sender panicked")?;
            for (key, times) in answers {
                *all.entry(key).or_default() += times;
            }
        }
        Ok(all)
    })
}

fn request(kind: Kind, number: usize) -> String {
    let (id, body) = match kind {
        Kind::Good | Kind::Forged => (number, format!("{{\"ref\":\"refs/heads/main\",\"number\":{number}}}")),
        Kind::Repeated => (1, "{\"ref\":\"refs/heads/main\",\"number\":1}".to_owned()),
        Kind::Malformed => (number, format!("{{\"ref\":{number}")),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length is a key");
    mac.update(body.as_bytes());
    if kind == Kind::Forged {
        mac.update(b"!");
    }
    let signature = hex::encode(mac.finalize().into_bytes());
    format!(
        "POST /webhook/github?port=tally-py HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nX-GitHub-Event: push\r\n\
         X-GitHub-Delivery: {id}\r\nX-Hub-Signature-256: sha256={signature}\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_is_bad_in_every_way() {
        let mut count: BTreeMap<Kind, usize> = BTreeMap::new();
        for number in 0..SENT {
            *count.entry(Kind::of(number)).or_default() += 1;
        }
        let bad = SENT - count[&Kind::Good];
        assert!((3_300..=3_400).contains(&bad) && count.values().all(|times| *times > 1_000), "{count:?}");
    }
}
