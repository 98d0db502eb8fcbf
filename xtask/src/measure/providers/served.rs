//! A server on loopback that is a process of ours, gone with its value.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use upstream::clock::{Clock as _, SystemClock};

/// How long it may take until it answers.
const START_MS: i64 = 900_000;
const NAP: Duration = Duration::from_millis(500);

/// A running server.
pub(super) struct Served {
    name: &'static str,
    log: PathBuf,
    /// Where it listens.
    pub(super) port: u16,
    child: Child,
}

impl Served {
    /// Starts what `command` makes for a free port, and waits until it is `ready`. What it says is kept in the folder.
    pub(super) fn start(
        name: &'static str,
        folder: &Path,
        command: impl FnOnce(u16) -> Command,
        ready: impl Fn(u16) -> bool,
    ) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = folder.join(format!("{name}.log"));
        let out = File::create(&log)?;
        let mut command = command(port);
        command.current_dir(folder).stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut served = Self { name, log, port, child };
        served.wait(ready)?;
        Ok(served)
    }

    /// Its address, without a path.
    pub(super) fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it as a crash would.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn wait(&mut self, ready: impl Fn(u16) -> bool) -> Result<()> {
        let end_ms = SystemClock.now_ms() + START_MS;
        while !ready(self.port) {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}) before it answered: {}", self.name, self.tail());
            }
            if SystemClock.now_ms() > end_ms {
                bail!("{} does not answer: {}", self.name, self.tail());
            }
            SystemClock.sleep(NAP);
        }
        Ok(())
    }

    fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(10)).copied().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A program with nothing of our environment but where programs are.
#[expect(clippy::disallowed_methods, reason = "a process that is to run on cannot be an `Invocation`")]
pub(super) fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    if let Some(path) = upstream::process::inherited("PATH") {
        command.env("PATH", path);
    }
    command
}
