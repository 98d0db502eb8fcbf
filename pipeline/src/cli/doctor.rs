//! `tidelock doctor`: what is missing on this machine.

use port::language::python::Interpreter;
use serde::Serialize;
use upstream::process::{Invocation, ProcessRunner};

use super::args::Doctor;
use super::{CliError, Context, ExitCode, doctor_sides, sync};
use crate::config;

/// One thing that was looked for.
#[derive(Serialize)]
pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) fine: bool,
    pub(super) found: String,
    pub(super) remedy: String,
}

pub(super) fn run(context: &Context, args: &Doctor) -> Result<ExitCode, CliError> {
    let runner = &*context.machine.runner;
    let mut findings = vec![
        tool(runner, "git", &["--version"], "install git: the port and some upstreams are git repositories"),
        tool(
            runner,
            "cargo",
            &["--version"],
            "install a Rust toolchain: the upstream is built to see what it does",
        ),
        python(
            runner,
            context.settings().ok().and_then(|settings| settings.environment.interpreter).as_deref(),
        ),
    ];
    let (sandbox, configuration) = if let Ok(settings) = context.settings() {
        (sync::confinement(&settings, &context.machine), settings.root.display().to_string())
    } else {
        let policy = port::sandbox::SandboxPolicy::default();
        let found = port::sandbox::Sandbox::detect(&policy, &context.machine.program, runner);
        (found.map_err(|error| anyhow::anyhow!(error).into()), String::new())
    };
    findings.push(Finding {
        what: "sandbox",
        fine: sandbox.as_ref().is_ok_and(|confinement| confinement.level() != "none"),
        found: match &sandbox {
            Ok(confinement) => confinement.level(),
            Err(error) => error.cause.to_string(),
        },
        remedy: "install bubblewrap, or run a kernel with Landlock (6.2 or newer)".to_owned(),
    });
    findings.push(Finding {
        what: "configuration",
        fine: !configuration.is_empty(),
        found: match (&configuration, config::load(&context.directory)) {
            (found, Ok(_)) => found.clone(),
            (_, Err(error)) => error.to_string(),
        },
        remedy: "run `tidelock init` in the port, or name its folder with `-C`".to_owned(),
    });
    if let Ok(settings) = context.settings() {
        findings.extend(doctor_sides::findings(context, settings, args.provision));
    }
    if context.format.is_json() {
        context.json(&findings)?;
    } else {
        let lines = findings.iter().map(line).collect::<String>();
        context.console.data(&lines);
    }
    // Without a configuration everything else can still be fine: that is how one begins.
    let broken = findings.iter().any(|finding| !finding.fine && finding.what != "configuration");
    Ok(if broken { ExitCode::Internal } else { ExitCode::Done })
}

fn line(finding: &Finding) -> String {
    let mark = if finding.fine { "ok     " } else { "missing" };
    let remedy = if finding.fine { String::new() } else { format!("\n        {}", finding.remedy) };
    format!("{mark} {:<14} {}{remedy}\n", finding.what, finding.found)
}

fn tool(runner: &dyn ProcessRunner, what: &'static str, arguments: &[&str], remedy: &'static str) -> Finding {
    let invocation = Invocation::new(what, "/").args(arguments.iter().copied()).inherit(&[
        "HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
    ]);
    let (fine, found) = match runner.run(&invocation) {
        Ok(finished) if finished.succeeded() => {
            (true, String::from_utf8_lossy(&finished.stdout).lines().next().unwrap_or_default().to_owned())
        }
        Ok(finished) => (false, finished.tail(1)),
        Err(error) => (false, error.to_string()),
    };
    Finding { what, fine, found, remedy: remedy.to_owned() }
}

fn python(runner: &dyn ProcessRunner, named: Option<&str>) -> Finding {
    let (fine, found) = match Interpreter::locate(runner, named) {
        Ok(interpreter) => {
            (true, format!("Python {} ({})", interpreter.version(), interpreter.program().to_string_lossy()))
        }
        Err(error) => (false, error.to_string()),
    };
    Finding {
        what: "python3",
        fine,
        found,
        remedy: "install Python 3.10 or newer: the port runs on it".to_owned(),
    }
}
