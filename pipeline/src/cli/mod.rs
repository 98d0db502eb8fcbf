//! The command line: arguments to calls, results to exit codes. The only part that talks to people.

mod args;
mod backtest;
mod bench;
mod bootstrap;
pub mod console;
mod contract;
mod dashboard;
mod decide;
mod decide_args;
mod demo;
mod diff;
mod doctor;
mod doctor_sides;
mod error;
mod exit_code;
mod gate;
mod graph;
mod history;
mod init;
mod items;
mod listing_args;
mod log;
mod map;
mod memory;
mod plan;
mod propose;
mod report;
mod repository;
mod shown;
mod status;
mod sync;
mod verify;
mod watch;
mod workspace;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};
use clap::{CommandFactory, Parser};
use port::sandbox::{CONFINED_FAILED_EXIT, CONFINED_SUBCOMMAND, confined_exec};
use upstream::SystemClock;
use upstream::process::SystemProcessRunner;
use upstream::repo::RepoError as UpstreamRepoError;
use upstream::source::SourceError;

use crate::config::{self, LoadError, Settings};
use crate::leash::{self, LEASHED_SUBCOMMAND};
use crate::session::{Machine, Session, SessionError};
use args::{Cli, Command, Format};
use console::Console;
pub use error::CliError;
pub use exit_code::ExitCode;
use log::Log;
pub use workspace::schemas as workspace_schemas;

/// What every command is given.
struct Context {
    console: Arc<Console>,
    machine: Machine,
    directory: PathBuf,
    format: Format,
}

/// Runs the program.
pub fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == CONFINED_SUBCOMMAND) {
        // The inner half of the sandbox: no thread may exist yet, and nothing of ours may be set up.
        let console = Console::new();
        let Err(error) = confined_exec(arguments.skip(1));
        console.say(&error.to_string());
        return std::process::ExitCode::from(u8::try_from(CONFINED_FAILED_EXIT).unwrap_or(u8::MAX));
    }
    if arguments.peek().is_some_and(|first| first == LEASHED_SUBCOMMAND) {
        return match leash::run(arguments.skip(1)) {
            Ok(code) => code.into(),
            Err((code, said)) => {
                Console::new().say(&said);
                code.into()
            }
        };
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(shown) => {
            let wrong = shown.use_stderr();
            // Help was asked for, or the usage is shown: clap says it on the stream where it belongs.
            drop(shown.print());
            return if wrong { ExitCode::Usage.into() } else { ExitCode::Done.into() };
        }
    };
    let console = Arc::new(Console::new());
    match run(cli, &console) {
        Ok(code) => code.into(),
        Err(error) => {
            console.say(&error.to_string());
            error.code.into()
        }
    }
}

/// The command line as clap knows it, for the generated documentation.
pub fn command() -> clap::Command {
    Cli::command()
}

fn run(cli: Cli, console: &Arc<Console>) -> Result<ExitCode, CliError> {
    // A daemon is read from its log; of what people start by hand the console tells enough.
    let watches = matches!(cli.command, Command::Watch(_));
    install_tls()?;
    let _until_the_end = Log::start(cli.log_format, if watches { "warn,pipeline=info" } else { "off" })?;
    let interrupt = Arc::new(AtomicBool::new(false));
    if !watches {
        stop_on_signal(&interrupt, console)?;
    }
    let directory = match &cli.directory {
        Some(directory) => directory.clone(),
        None => std::env::current_dir().context("the current folder is not there")?,
    };
    let context = Context {
        console: Arc::clone(console),
        machine: Machine {
            runner: Arc::new(SystemProcessRunner { interrupt: Arc::clone(&interrupt) }),
            clock: Arc::new(SystemClock),
            interrupt,
            stop: Arc::default(),
            listener: Arc::clone(console) as Arc<dyn crate::progress::Listener>,
            program: std::env::current_exe().context("this program cannot find itself")?,
        },
        directory,
        format: cli.format,
    };
    match cli.command {
        Command::Init(args) => init::run(&context, &args),
        Command::Bootstrap(args) => bootstrap::run(&context, &args),
        Command::Status(args) => status::run(&context, &args),
        Command::Plan(args) => plan::run(&context, &args),
        Command::Sync(args) => sync::run(&context, &args),
        Command::Watch(args) => watch::run(&context, &args),
        Command::Dashboard(args) => dashboard::run(&context, &args),
        Command::Verify(args) => verify::run(&context, &args),
        Command::Decline(args) => decide::decline(&context, &args),
        Command::Defer(args) => decide::defer(&context, &args),
        Command::Pin(args) => decide::pin(&context, &args),
        Command::Pr(args) => propose::run(&context, &args),
        Command::Gate(args) => gate::run(&context, &args),
        Command::Contract(args) => contract::run(&context, &args),
        Command::Bench(args) => bench::run(&context, &args),
        Command::Backtest(args) => backtest::run(&context, &args),
        Command::Graph(args) => graph::run(&context, &args),
        Command::Map(args) => map::run(&context, &args),
        Command::Report(args) => report::run(&context, &args),
        Command::History(args) => history::run(&context, &args),
        Command::Memory(args) => memory::run(&context, &args),
        Command::Workspace(args) => workspace::run(&context, &args),
        Command::Diff(args) => diff::run(&context, &args),
        Command::Items(args) => items::run(&context, &args),
        Command::Doctor(args) => doctor::run(&context, &args),
        Command::Demo(args) => demo::run(&context, &args),
    }
}

impl Context {
    fn settings(&self) -> Result<Settings, CliError> {
        settings_of(&self.directory)
    }

    fn session(&self, settings: Settings) -> Result<Session, CliError> {
        Session::open(settings, self.machine.clone()).map_err(session_error)
    }

    /// The port, for who only looks at it.
    fn session_to_look(&self, settings: Settings) -> Result<Session, CliError> {
        Session::open_to_look(settings, self.machine.clone()).map_err(session_error)
    }

    /// Prints a value as one line of JSON.
    fn json_line(&self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let mut text = serde_json::to_string(value).context("cannot write JSON")?;
        text.push('\n');
        self.console.exact(&text);
        Ok(())
    }

    /// Prints data as JSON.
    fn json(&self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let mut text = serde_json::to_string_pretty(value).context("cannot write JSON")?;
        text.push('\n');
        self.console.exact(&text);
        Ok(())
    }
}

/// The configuration in a folder or above it.
fn settings_of(folder: &Path) -> Result<Settings, CliError> {
    config::load(folder).map_err(|error| match error {
        LoadError::Wrong(wrong) => CliError::usage(wrong),
        LoadError::Missing { .. } => CliError::usage(anyhow!(error)).hint(
            "run `tidelock init --registry CRATE` (or `--git URL`) in your port, or `tidelock demo` to see one",
        ),
        LoadError::Unreadable { .. } => CliError::from(anyhow!(error)),
    })
}

/// Which exit code a session's error leads to, and what to do about it.
fn session_error(error: SessionError) -> CliError {
    use port::repo::RepoError;
    let hint = match &error {
        SessionError::Port(RepoError::NotARepository { .. }) => {
            Some("the port must be a git repository: run `git init`, commit it, and try again")
        }
        SessionError::NoLock { .. } => Some(
            "say which revision the port equals: `tidelock init --adopt REV` writes it; it counts once it is committed",
        ),
        SessionError::Lock(_) | SessionError::OtherSource { .. } => Some(
            "restore `tidelock.lock` from the port's history: `git log -- tidelock.lock` has its versions",
        ),
        SessionError::UnknownRevision { .. }
        | SessionError::Source(
            SourceError::UnknownRevision { .. }
            | SourceError::Repo(UpstreamRepoError::UnknownRevision { .. }),
        ) => Some("`tidelock status` names the newest revision"),
        SessionError::Port(_)
        | SessionError::Interpreter(_)
        | SessionError::Source(_)
        | SessionError::State { .. }
        | SessionError::NoBranch
        | SessionError::Decision(_)
        | SessionError::Unreadable { .. } => None,
    };
    let usage = matches!(
        error,
        SessionError::Port(
            RepoError::NotARepository { .. }
                | RepoError::UnknownBranch { .. }
                | RepoError::UnbornBranch { .. }
        ) | SessionError::NoLock { .. }
            | SessionError::Lock(_)
            | SessionError::OtherSource { .. }
            | SessionError::UnknownRevision { .. }
            | SessionError::Decision(_)
            | SessionError::Source(
                SourceError::UnknownRevision { .. }
                    | SourceError::UnknownCrate { .. }
                    | SourceError::Repo(UpstreamRepoError::UnknownRevision { .. })
            )
            | SessionError::NoBranch
    );
    let code = if usage { ExitCode::Usage } else { ExitCode::Internal };
    let error = CliError { code, cause: anyhow!(error), hints: Vec::new() };
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn install_tls() -> Result<(), CliError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        rustls::crypto::ring::default_provider()
            .install_default()
            .map_err(|_already| anyhow!("no TLS provider could be installed"))?;
    }
    Ok(())
}

/// The first signal stops what is running, children included; the run goes on when it is started again. A
/// second one ends the program at once.
fn stop_on_signal(interrupt: &Arc<AtomicBool>, console: &Arc<Console>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot listen for signals")?;
    let (interrupt, console) = (Arc::clone(interrupt), Arc::clone(console));
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut int), Ok(mut term)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            loop {
                tokio::select! { _ = int.recv() => {} _ = term.recv() => {} }
                if interrupt.swap(true, Ordering::Relaxed) {
                    end_at_once();
                }
                console.say("stopping; run the same command again to go on");
            }
        });
    });
    Ok(())
}

#[expect(
    clippy::exit,
    reason = "the second signal ends the program at once; everything durable is on the disk"
)]
fn end_at_once() -> ! {
    std::process::exit(130)
}
