//! Tells people what is past a threshold: by a command or by POST, in a thread of its own.
//!
//! What was told is kept beside the state of the port, so that a restart tells nothing twice. A message that nobody
//! took is not told, and is tried again with the next event of the port.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use port::translate::providers::http::{HeaderValue, HttpRequest, HttpTransport};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use upstream::Clock;
use upstream::process::{Invocation, Limits, ProcessRunner};

use super::alert::{Alert, Message, Standing, Thresholds, crossings};
use super::metrics::Metrics;
use crate::http::HttpClient;

/// The longest that a command or a server may take, in seconds.
pub const NOTIFY_TIMEOUT_S: u64 = 20;
/// How often a message is tried.
const TRIES: u32 = 3;
/// The wait before the second try; it doubles.
const WAIT: Duration = Duration::from_secs(1);
/// Events that wait. What does not fit is told with the next event of its port.
const EVENTS_MAX: usize = 256;
/// The file of what was told, in the state folder.
const TOLD_NAME: &str = "alerts.json";
/// The format of that file.
const TOLD_VERSION: u32 = 1;

/// Who is told.
#[derive(Debug, Clone)]
pub enum Channel {
    /// A command that reads the message on standard input.
    Command {
        /// The program and its arguments.
        command: Vec<String>,
        /// The variables of our environment that it may see.
        environment: Vec<String>,
        /// The longest it may take, in seconds.
        timeout_s: u64,
    },
    /// An address that the message is posted to. It often is a secret itself.
    Post {
        /// The variable that holds it.
        url_env: String,
        /// The address, where the variable is set.
        url: Option<SecretString>,
        /// The longest that an answer may take, in seconds.
        timeout_s: u64,
    },
}

/// What is told about a port, to whom.
#[derive(Debug, Clone)]
pub struct AlertPlan {
    /// From where on.
    pub thresholds: Thresholds,
    /// Who is told.
    pub channels: Vec<Channel>,
    /// The folder of the port.
    pub root: PathBuf,
    /// The folder of its state.
    pub state: PathBuf,
}

/// An event of a port.
#[derive(Debug)]
struct Event {
    port: String,
    plan: Arc<AlertPlan>,
    standing: Standing,
}

/// What sending needs of the machine.
#[derive(Debug, Clone)]
pub struct Means {
    /// Runs commands.
    pub runner: Arc<dyn ProcessRunner>,
    /// Waits between tries.
    pub clock: Arc<dyn Clock>,
    /// Set when the daemon ends: what was not begun is left for its next start.
    pub stop: Arc<AtomicBool>,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

/// Tells in a thread of its own, until it is dropped.
#[derive(Debug)]
pub struct Notifier {
    events: Option<SyncSender<Event>>,
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    /// Begins.
    pub fn start(means: Means) -> Self {
        let (events, queue) = sync_channel(EVENTS_MAX);
        let thread = std::thread::spawn(move || serve(&queue, &means));
        Self { events: Some(events), thread: Some(thread) }
    }

    /// Takes up how a port stands. Returns at once.
    pub fn hear(&self, port: &str, plan: &Arc<AlertPlan>, standing: Standing) {
        let event = Event { port: port.to_owned(), plan: Arc::clone(plan), standing };
        if let Some(events) = &self.events
            && events.try_send(event).is_err()
        {
            tracing::warn!(port, "notifications are slow: this event waits for the next one of its port");
        }
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        drop(self.events.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn serve(queue: &Receiver<Event>, means: &Means) {
    while let Ok(event) = queue.recv() {
        if means.stop.load(Ordering::Relaxed) {
            return;
        }
        take(&event, means);
    }
}

fn take(event: &Event, means: &Means) {
    let plan = &event.plan;
    let mut told = read(&plan.state);
    for message in crossings(&event.port, &plan.thresholds, &told, &event.standing) {
        let (port, alert) = (message.port.as_str(), message.alert.name());
        if message.raised {
            tracing::warn!(port, alert, text = message.text, "past a threshold");
        } else {
            tracing::info!(port, alert, text = message.text, "no longer past a threshold");
        }
        let took = plan.channels.iter().filter(|channel| sent(channel, &message, plan, means)).count();
        if took == 0 && !plan.channels.is_empty() {
            continue;
        }
        if message.raised {
            told.insert(message.alert);
        } else {
            told.remove(&message.alert);
        }
        if let Err(error) = write(&plan.state, &told) {
            tracing::warn!(
                port,
                error = error.to_string(),
                "what was told cannot be kept; it may be told again"
            );
        }
    }
}

fn sent(channel: &Channel, message: &Message, plan: &AlertPlan, means: &Means) -> bool {
    let port = message.port.as_str();
    let mut wait = WAIT;
    for nth in 1..=TRIES {
        match send(channel, message, plan, means) {
            Ok(()) => {
                means.metrics.notified(port, "sent");
                return true;
            }
            Err(reason) => tracing::error!(port, nth, reason, "a notification was not taken"),
        }
        if nth < TRIES && !means.stop.load(Ordering::Relaxed) {
            means.clock.sleep(wait);
            wait *= 2;
        }
    }
    means.metrics.notified(port, "failed");
    false
}

fn send(channel: &Channel, message: &Message, plan: &AlertPlan, means: &Means) -> Result<(), String> {
    let body = serde_json::to_vec(message).map_err(|error| error.to_string())?;
    match channel {
        Channel::Command { command, environment, timeout_s } => {
            let Some((program, arguments)) = command.split_first() else { return Ok(()) };
            let names: Vec<&str> = environment.iter().map(String::as_str).collect();
            let invocation = Invocation::new(program, &plan.root)
                .args(arguments)
                .inherit(&names)
                .stdin(body)
                .limits(Limits { timeout_ms: timeout_s * 1000, ..Limits::default() });
            let finished = means.runner.run(&invocation).map_err(|error| error.to_string())?;
            if finished.succeeded() {
                return Ok(());
            }
            Err(format!("`{program}` ended with {:?}: {}", finished.ending, finished.tail(3)))
        }
        Channel::Post { url_env, url, timeout_s } => {
            let url = url.as_ref().ok_or_else(|| format!("the variable `{url_env}` is not set"))?;
            // What is wrong with it is not told: the address is a secret.
            let valid =
                reqwest::Url::parse(url.expose_secret()).is_ok_and(|url| url.scheme().starts_with("http"));
            if !valid {
                return Err(format!("the variable `{url_env}` holds no address"));
            }
            let headers =
                vec![("content-type".to_owned(), HeaderValue::Plain("application/json".to_owned()))];
            let request = HttpRequest::post(url.expose_secret().to_owned(), headers, body);
            let client =
                HttpClient::new(Duration::from_secs(*timeout_s), None).map_err(|error| error.to_string())?;
            let response = client.send(&request).map_err(|error| error.to_string())?;
            if (200..300).contains(&response.status) {
                return Ok(());
            }
            Err(format!("the address in `{url_env}` answered with status {}", response.status))
        }
    }
}

/// The file of what was told.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    version: u32,
    told: BTreeSet<Alert>,
}

fn read(state: &Path) -> BTreeSet<Alert> {
    let Ok(text) = std::fs::read_to_string(state.join(TOLD_NAME)) else { return BTreeSet::new() };
    match serde_json::from_str::<Told>(&text) {
        Ok(kept) if kept.version == TOLD_VERSION => kept.told,
        Ok(_) | Err(_) => {
            let path = state.join(TOLD_NAME).display().to_string();
            tracing::warn!(path, "what was told cannot be read and is taken for nothing");
            BTreeSet::new()
        }
    }
}

fn write(state: &Path, told: &BTreeSet<Alert>) -> std::io::Result<()> {
    std::fs::create_dir_all(state)?;
    let text = serde_json::to_string(&Told { version: TOLD_VERSION, told: told.clone() })?;
    let mut beside = tempfile::NamedTempFile::new_in(state)?;
    std::io::Write::write_all(&mut beside, text.as_bytes())?;
    beside.persist(state.join(TOLD_NAME))?;
    Ok(())
}

#[cfg(test)]
#[path = "notify_http_tests.rs"]
mod http_tests;

#[cfg(test)]
mod tests {
    use upstream::clock::ManualClock;
    use upstream::process::SystemProcessRunner;

    use super::*;

    fn means() -> Means {
        Means {
            runner: Arc::new(SystemProcessRunner::default()),
            clock: Arc::new(ManualClock::at(0)),
            stop: Arc::default(),
            metrics: Arc::default(),
        }
    }

    fn plan(folder: &Path, channels: Vec<Channel>) -> Arc<AlertPlan> {
        let thresholds = Thresholds { lag_revisions: None, lag_items: None, lag_days: None, failures: 1 };
        Arc::new(AlertPlan { thresholds, channels, root: folder.to_owned(), state: folder.join("state") })
    }

    fn command(script: &str) -> Channel {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        Channel::Command { command, environment: Vec::new(), timeout_s: 20 }
    }

    fn hear(plan: &Arc<AlertPlan>, failures: u32) -> Arc<Metrics> {
        let means = means();
        let standing = Standing { failures, trouble: "gone".to_owned(), ..Standing::default() };
        take(&Event { port: "p".to_owned(), plan: Arc::clone(plan), standing }, &means);
        means.metrics
    }

    #[test]
    fn a_command_reads_the_message_once_across_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), vec![command("cat >> told; echo >> told")]);
        for failures in [1, 2, 3, 0, 0, 1] {
            hear(&plan, failures);
        }
        let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
        let lines: Vec<serde_json::Value> =
            told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let raised: Vec<_> = lines.iter().map(|line| line["raised"].as_bool().unwrap()).collect();
        assert_eq!(raised, [true, false, true]);
        assert_eq!(lines[0]["text"], "p: 1 failures in a row; the last one: gone");
        assert_eq!((&lines[0]["port"], &lines[0]["alert"]), (&"p".into(), &"failures".into()));
    }

    #[test]
    fn what_nobody_took_is_told_again_and_one_who_took_it_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let deaf = plan(folder.path(), vec![command("echo x >> tried; echo no room >&2; exit 3")]);
        let metrics = hear(&deaf, 1).text();
        assert!(metrics.contains(r#"tidelock_notifications_total{port="p",kind="failed"} 1"#), "{metrics}");
        let tried = || std::fs::read_to_string(folder.path().join("tried")).unwrap().lines().count();
        assert_eq!(tried(), 3);
        let both = plan(folder.path(), [deaf.channels.clone(), vec![command("cat >> told")]].concat());
        hear(&both, 2);
        assert_eq!(tried(), 6);
        hear(&both, 3);
        assert_eq!(tried(), 6, "somebody knows");
    }

    #[test]
    fn an_address_that_is_missing_or_none_is_told_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), Vec::new());
        let message = Message { port: "p".into(), alert: Alert::Failures, raised: true, text: String::new() };
        let say = |url: Option<&str>| {
            let url = url.map(SecretString::from);
            let channel = Channel::Post { url_env: "WHERE".to_owned(), url, timeout_s: 1 };
            assert!(!format!("{channel:?}").contains("hush"), "{channel:?}");
            send(&channel, &message, &plan, &means()).unwrap_err()
        };
        assert_eq!(say(None), "the variable `WHERE` is not set");
        assert_eq!(say(Some("hush hush")), "the variable `WHERE` holds no address");
        assert_eq!(say(Some("file:///hush")), "the variable `WHERE` holds no address");
    }

    #[test]
    fn a_damaged_file_of_what_was_told_is_taken_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{}", r#"{"version":9,"told":[]}"#, r#"{"version":1,"told":["failures"]}"#] {
            std::fs::write(folder.path().join(TOLD_NAME), text).unwrap();
            assert_eq!(read(folder.path()).len(), usize::from(text.contains("failures")), "{text}");
        }
    }
}
