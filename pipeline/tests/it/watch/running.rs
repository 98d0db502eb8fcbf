//! A daemon that runs beside a test: started as a service manager would, read by its log, stopped by signals.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use upstream::clock::{Clock, SystemClock};

use crate::world::World;

/// The longest to wait for something that must come.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until it is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let clock = SystemClock;
    let end = clock.now_ms() + i64::try_from(PATIENCE.as_millis()).unwrap();
    while !so() {
        assert!(clock.now_ms() < end, "it did not come: {what}");
        clock.sleep(Duration::from_millis(50));
    }
}

/// A running `tidelock watch`.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
    /// How many lines of the log a wait has passed.
    passed: usize,
}

impl Running {
    /// Starts it in a folder of the world, with its log as JSON.
    pub(crate) fn start(world: &World, folder: &str, arguments: &[&str]) -> Self {
        Self::start_with(world, folder, arguments, &[])
    }

    #[expect(clippy::disallowed_methods, reason = "a process that is to run on cannot be an `Invocation`")]
    pub(crate) fn start_with(
        world: &World,
        folder: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let log = world.path("watch.log");
        let stderr = File::create(&log).unwrap();
        let invocation = world.invocation(folder, &["watch", "--log-format", "json"]);
        let child = Command::new(&invocation.program)
            .args(&invocation.arguments)
            .args(arguments)
            .current_dir(&invocation.directory)
            .env_clear()
            .envs(&invocation.environment)
            .env("TIDELOCK_LOG", "warn,pipeline=debug")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        Self { child, log, passed: 0 }
    }

    /// The log so far, one value a line. Every line is JSON.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        // The last line may be half-written.
        let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap());
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// Waits for a line, behind those that were waited for before, whose message is this and whose fields hold
    /// these values.
    pub(crate) fn says(&mut self, message: &str, fields: &[(&str, &str)]) -> Value {
        let mut found = None;
        until(&format!("`{message}` {fields:?} in {}", self.log.display()), || {
            let log = self.log();
            let is_it = |line: &Value| {
                line["message"] == message
                    && fields.iter().all(|(key, value)| line[key].to_string().trim_matches('"') == *value)
            };
            found = log
                .iter()
                .enumerate()
                .skip(self.passed)
                .find(|(_, line)| is_it(line))
                .map(|(at, line)| (at, line.clone()));
            found.is_some()
        });
        let (at, line) = found.unwrap();
        self.passed = at + 1;
        line
    }

    /// How often it said so, over all.
    pub(crate) fn count(&self, message: &str) -> usize {
        self.log().iter().filter(|line| line["message"] == message).count()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until("the end of the daemon", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Stops it as a service manager does, and waits for its end.
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.ended();
        assert_eq!(status.code(), Some(0), "{:?}", self.log().last());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind; one that did not has waited for the end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
