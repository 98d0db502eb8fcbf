//! The only place that spawns processes: an invocation is a value, and every one has bounds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// How often a running process is looked at.
const POLL: Duration = Duration::from_millis(2);

/// What a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest it may run, in milliseconds.
    pub timeout_ms: u64,
    /// The longest it may go without writing a byte, in milliseconds, if that is bounded.
    pub silence_ms: Option<u64>,
    /// The most it may write to each of standard output and standard error, in bytes.
    pub output_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout_ms: 10 * 60 * 1000, silence_ms: None, output_bytes_max: 64 << 20 }
    }
}

/// A process to run. Its environment is exactly `environment`: nothing is inherited.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The program, by name or path.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The folder it runs in.
    pub directory: PathBuf,
    /// Its whole environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// What it reads from standard input.
    pub stdin: Vec<u8>,
    /// Its bounds.
    pub limits: Limits,
}

impl Invocation {
    /// A program in a folder, with the default bounds and an environment that holds `PATH` alone.
    pub fn new(program: impl Into<OsString>, directory: impl Into<PathBuf>) -> Self {
        let path = inherited("PATH").map(|path| ("PATH".into(), path));
        Self {
            program: program.into(),
            arguments: Vec::new(),
            directory: directory.into(),
            environment: path.into_iter().collect(),
            stdin: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<Argument: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = Argument>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Hands on variables of our own environment, where they are set.
    #[must_use]
    pub fn inherit(mut self, names: &[&str]) -> Self {
        for name in names {
            if let Some(value) = inherited(name) {
                self.environment.insert((*name).into(), value);
            }
        }
        self
    }

    /// Sets what it reads from standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sets its bounds.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// A variable of our own environment.
#[expect(clippy::disallowed_methods, reason = "child environments are built from named variables here only")]
pub fn inherited(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It ran longer than allowed and was killed with all its children.
    TimedOut,
    /// It was silent longer than allowed and was killed with all its children.
    Silent,
    /// It wrote more than allowed and was killed with all its children.
    TooMuchOutput,
    /// We were told to stop, and killed it with all its children.
    Interrupted,
}

/// A process that ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How.
    pub ending: Ending,
    /// What it wrote to standard output, up to the bound.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error, up to the bound.
    pub stderr: Vec<u8>,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
}

impl Finished {
    /// Whether it exited with code 0.
    pub fn succeeded(&self) -> bool {
        self.ending == Ending::Exited(0)
    }

    /// The last `lines` lines of standard error, or of standard output where that is empty, for messages.
    pub fn tail(&self, lines: usize) -> String {
        let bytes = if self.stderr.is_empty() { &self.stdout } else { &self.stderr };
        let text = String::from_utf8_lossy(bytes);
        let all: Vec<&str> = text.lines().collect();
        all.iter().skip(all.len().saturating_sub(lines)).copied().collect::<Vec<_>>().join("\n")
    }
}

/// A process could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program is not there, or may not be run.
    #[error("cannot start `{program}`: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The process could not be waited for.
    #[error("cannot wait for `{program}`: {source}")]
    Wait {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Runs invocations.
pub trait ProcessRunner: Send + Sync + std::fmt::Debug {
    /// Runs one to its end, or to its bounds.
    fn run(&self, invocation: &Invocation) -> Result<Finished, ProcessError>;
}

/// Runs real processes, each as the leader of its own process group.
#[derive(Debug, Clone, Default)]
pub struct SystemProcessRunner {
    /// Set from outside to stop what is running.
    pub interrupt: Arc<AtomicBool>,
}

impl ProcessRunner for SystemProcessRunner {
    fn run(&self, invocation: &Invocation) -> Result<Finished, ProcessError> {
        let program = invocation.program.to_string_lossy().into_owned();
        let mut child =
            spawn(invocation).map_err(|source| ProcessError::Spawn { program: program.clone(), source })?;
        let group = child.id();

        let stdin = child.stdin.take();
        let input = invocation.stdin.clone();
        // A child that does not read its input closes the pipe; that is its own business.
        let writer = thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&input)));
        let stdout = Sink::drain(child.stdout.take(), invocation.limits.output_bytes_max);
        let stderr = Sink::drain(child.stderr.take(), invocation.limits.output_bytes_max);

        let started_ms = SystemClock.now_ms();
        let (mut seen, mut heard_ms) = (0, started_ms);
        let ending = loop {
            if let Some(status) =
                child.try_wait().map_err(|source| ProcessError::Wait { program: program.clone(), source })?
            {
                break ending_of(status);
            }
            let now_ms = SystemClock.now_ms();
            let written = stdout.written() + stderr.written();
            if written != seen {
                (seen, heard_ms) = (written, now_ms);
            }
            let limits = invocation.limits;
            let stop = if self.interrupt.load(Ordering::Relaxed) {
                Some(Ending::Interrupted)
            } else if elapsed_ms(started_ms, now_ms) > limits.timeout_ms {
                Some(Ending::TimedOut)
            } else if limits.silence_ms.is_some_and(|most| elapsed_ms(heard_ms, now_ms) > most) {
                Some(Ending::Silent)
            } else if stdout.overflowed() || stderr.overflowed() {
                Some(Ending::TooMuchOutput)
            } else {
                None
            };
            if let Some(ending) = stop {
                kill_group(group, &mut child);
                child.wait().map_err(|source| ProcessError::Wait { program: program.clone(), source })?;
                break ending;
            }
            SystemClock.sleep(POLL);
        };
        // Children it left behind would hold the pipes open, and run on unbounded.
        kill_group(group, &mut child);
        let duration_ms = elapsed_ms(started_ms, SystemClock.now_ms());
        let overflowed = stdout.overflowed() || stderr.overflowed();
        let finished = Finished { ending, stdout: stdout.finish(), stderr: stderr.finish(), duration_ms };
        drop(writer);
        Ok(if overflowed { Finished { ending: Ending::TooMuchOutput, ..finished } } else { finished })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
fn spawn(invocation: &Invocation) -> std::io::Result<Child> {
    use std::os::unix::process::CommandExt;
    Command::new(&invocation.program)
        .args(&invocation.arguments)
        .current_dir(&invocation.directory)
        .env_clear()
        .envs(&invocation.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// How often a leash looks whether whoever holds it is still there.
const LEASH_POLL: Duration = Duration::from_millis(20);

/// Runs a program as a child that shares our input and output, in the process group that we lead, and gives how it
/// ended. When `holder`, the process that started us, ends in any way, the whole group is killed at once, this
/// process with it.
///
/// It is for programs that are not confined: a confined one ends with a namespace or by the kernel's own signal, which
/// reaches one process and not what that has started.
pub fn leashed(
    holder: u32,
    program: &std::ffi::OsStr,
    arguments: &[OsString],
) -> Result<Ending, ProcessError> {
    let name = program.to_string_lossy().into_owned();
    let mut child = spawn_beside_us(program, arguments)
        .map_err(|source| ProcessError::Spawn { program: name.clone(), source })?;
    let held = || {
        let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
        parent.is_some_and(|parent| u32::try_from(parent) == Ok(holder))
    };
    loop {
        if let Some(status) =
            child.try_wait().map_err(|source| ProcessError::Wait { program: name.clone(), source })?
        {
            return Ok(ending_of(status));
        }
        if !held() {
            kill_group(std::process::id(), &mut child);
            return Ok(Ending::Interrupted);
        }
        SystemClock.sleep(LEASH_POLL);
    }
}

#[expect(clippy::disallowed_methods, reason = "the other half of the one place that spawns")]
fn spawn_beside_us(program: &std::ffi::OsStr, arguments: &[OsString]) -> std::io::Result<Child> {
    Command::new(program).args(arguments).spawn()
}

fn ending_of(status: ExitStatus) -> Ending {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, signal) => Ending::Signalled(signal.unwrap_or_default()),
    }
}

fn elapsed_ms(from_ms: i64, to_ms: i64) -> u64 {
    u64::try_from(to_ms - from_ms).unwrap_or_default()
}

fn kill_group(group: u32, child: &mut Child) {
    let pid = i32::try_from(group).ok().and_then(rustix::process::Pid::from_raw);
    let killed = pid.map(|pid| rustix::process::kill_process_group(pid, rustix::process::Signal::KILL));
    if !matches!(killed, Some(Ok(()))) {
        // The group is gone already, or was never made; the child itself may still be there.
        drop(child.kill());
    }
}

/// Collects one stream in a thread of its own, up to a bound.
struct Sink {
    state: Arc<Mutex<SinkState>>,
    thread: thread::JoinHandle<()>,
}

#[derive(Default)]
struct SinkState {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Sink {
    fn drain(stream: Option<impl Read + Send + 'static>, bytes_max: usize) -> Self {
        let state = Arc::new(Mutex::new(SinkState::default()));
        let shared = Arc::clone(&state);
        let thread = thread::spawn(move || {
            let Some(mut stream) = stream else { return };
            let mut chunk = vec![0; 64 << 10];
            loop {
                match stream.read(&mut chunk) {
                    Ok(0) => return,
                    Ok(read) => {
                        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
                        let room = bytes_max.saturating_sub(state.bytes.len());
                        state.overflowed |= read > room;
                        state.bytes.extend(chunk.iter().take(read.min(room)));
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_closed) => return,
                }
            }
        });
        Self { state, thread }
    }

    fn written(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).bytes.len()
    }

    fn overflowed(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).overflowed
    }

    fn finish(self) -> Vec<u8> {
        // A reader that panicked has stored what it read before.
        drop(self.thread.join());
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limits: Limits) -> Finished {
        let invocation = Invocation::new("sh", "/").args(["-c", script]).limits(limits);
        SystemProcessRunner::default().run(&invocation).unwrap()
    }

    #[test]
    fn input_output_and_code_come_through() {
        let invocation = Invocation::new("sh", "/").args(["-c", "cat; echo err >&2; exit 3"]).stdin("hello");
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        assert_eq!(finished.ending, Ending::Exited(3));
        assert_eq!(finished.stdout, b"hello");
        assert_eq!(finished.tail(1), "err");
    }

    #[test]
    fn a_hanging_tree_is_killed_as_a_whole() {
        let limits = Limits { timeout_ms: 200, ..Limits::default() };
        let finished = shell("sleep 600 & sleep 600", limits);
        assert_eq!(finished.ending, Ending::TimedOut);
    }

    #[test]
    fn a_background_child_does_not_hold_us_up() {
        let finished = shell("sleep 600 & echo done", Limits::default());
        assert_eq!(finished.ending, Ending::Exited(0));
        assert_eq!(finished.stdout, b"done\n");
    }

    #[test]
    fn silence_ends_a_process_that_talks_at_first() {
        let limits = Limits { silence_ms: Some(200), ..Limits::default() };
        let finished = shell("echo one; sleep 600", limits);
        assert_eq!(finished.ending, Ending::Silent);
        assert_eq!(finished.stdout, b"one\n");
    }

    #[test]
    fn endless_output_is_cut_and_named() {
        let limits = Limits { output_bytes_max: 1000, ..Limits::default() };
        let finished = shell("yes", limits);
        assert_eq!(finished.ending, Ending::TooMuchOutput);
        assert_eq!(finished.stdout.len(), 1000);
    }

    #[test]
    fn only_named_variables_are_inherited() {
        let finished = shell("env", Limits::default());
        let text = String::from_utf8(finished.stdout).unwrap();
        assert!(!text.contains("HOME="), "{text}");
    }

    #[test]
    fn a_missing_program_is_an_error_that_names_it() {
        let error =
            SystemProcessRunner::default().run(&Invocation::new("no-such-program-here", "/")).unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"), "{error}");
    }
}
