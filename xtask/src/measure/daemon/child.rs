//! `tidelock watch` as a child of a measure: its processor time and memory from /proc, its log, its metrics.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use upstream::clock::{Clock, SystemClock};

/// The secret of its webhooks.
pub(crate) const SECRET: &str = "a secret for a measure alone";
/// How long it may take to stop, in milliseconds.
const STOP_MS: i64 = 60_000;
/// The unit of times in /proc/PID/stat: what Linux tells programs is in hundredths of a second everywhere.
const TICKS_A_SECOND: f64 = 100.0;
/// How often what is waited for is looked at.
const NAP: Duration = Duration::from_millis(100);

/// A running daemon.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
    address: String,
}

impl Daemon {
    /// Starts it over the ports of a daemon's file in this folder, and waits until it listens.
    #[expect(clippy::disallowed_methods, reason = "a process that is to run on cannot be an `Invocation`")]
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self> {
        let log = folder.join("daemon.log");
        let mut command = Command::new(program);
        command.args(["watch", "--config", "daemon.toml", "--log-format", "json"]).current_dir(folder);
        command.env("WEBHOOK_SECRET", SECRET).env_remove("TIDELOCK_STATE").env_remove("TIDELOCK_LOG");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut daemon = Self { child, log, address: String::new() };
        daemon.wait("that it listens", 60_000, |daemon| Ok(daemon.said("listening").is_some()))?;
        let line = daemon.said("listening").context("it does not listen")?;
        daemon.address = line["address"].as_str().map(str::to_owned).context("an address")?;
        Ok(daemon)
    }

    /// Waits until it is so.
    pub(crate) fn wait(
        &mut self,
        what: &str,
        patience_ms: i64,
        mut so: impl FnMut(&mut Self) -> Result<bool>,
    ) -> Result<()> {
        let end_ms = SystemClock.now_ms() + patience_ms;
        while !so(self)? {
            if let Some(status) = self.child.try_wait()? {
                bail!("the daemon ended ({status}) before {what}: {}", self.tail());
            }
            if SystemClock.now_ms() > end_ms {
                bail!("it did not come: {what}: {}", self.tail());
            }
            SystemClock.sleep(NAP);
        }
        Ok(())
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// The first line of its log with this message.
    fn said(&self, message: &str) -> Option<serde_json::Value> {
        let text = std::fs::read_to_string(&self.log).ok()?;
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.find(|line| line["message"] == message)
    }

    fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(5)).copied().collect::<Vec<_>>().join("\n")
    }

    /// The processor time that it has used itself, children left out, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name may hold anything; what follows its closing bracket is plain.
        let (_, fields) = stat.rsplit_once(')').context("no stat")?;
        let ticks =
            |at: usize| -> Result<f64> { Ok(fields.split_whitespace().nth(at).context("a field")?.parse()?) };
        Ok((ticks(11)? + ticks(12)?) * 1000.0 / TICKS_A_SECOND)
    }

    /// Its resident memory, in MiB.
    pub(crate) fn rss_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.split_whitespace().next().context("a number")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// The sum of the series of a metric, where there are any.
    pub(crate) fn metric(&self, name: &str) -> Result<Option<f64>> {
        let text = ask(&self.address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")?;
        let values = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        let numbers = values.map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<f64>());
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
        Ok((!numbers.is_empty()).then(|| numbers.iter().sum()))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Stops it as a service manager does; whether it ended well and in time.
    pub(crate) fn stop(mut self) -> Result<bool> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let end_ms = SystemClock.now_ms() + STOP_MS;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            if SystemClock.now_ms() > end_ms {
                return Ok(false);
            }
            SystemClock.sleep(NAP);
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // A measure that failed leaves nothing behind.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Wakes a port of the daemon at an address as GitLab would, and gives the status of the answer.
pub(crate) fn wake(address: &str, port: &str, id: u64) -> Result<u16> {
    let body = format!("{{\"object_kind\": \"push\", \"number\": {id}}}");
    let answer = ask(
        address,
        &format!(
            "POST /webhook/gitlab?port={port} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
             X-Gitlab-Token: {SECRET}\r\nX-Gitlab-Event: Push Hook\r\nX-Gitlab-Event-UUID: {id}\r\n\r\n{body}",
            body.len()
        ),
    )?;
    Ok(answer.split(' ').nth(1).context("a status")?.parse()?)
}

/// Sends a request, and gives the whole answer.
pub(crate) fn ask(address: &str, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
