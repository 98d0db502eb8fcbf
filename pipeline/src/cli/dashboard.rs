//! `tidelock dashboard`: the pages of `tidelock watch` without a daemon, over what runs left.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::args::Who;
use super::watch::ports::Ports;
use super::watch::{Watch, serve};
use super::{CliError, Context, ExitCode};
use crate::dashboard as board;

/// How often it is looked whether it is to end.
const TURN: Duration = Duration::from_millis(200);

/// `tidelock dashboard`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Dashboard {
    /// The folders of the ports, each with its `tidelock.toml`. Default: that of `--config`, or the current one.
    #[arg(value_name = "PORT", conflicts_with = "config")]
    ports: Vec<PathBuf>,
    /// Read which ports to show from this file, as `tidelock watch` does.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer at this address; with port 0 at any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9471")]
    listen: SocketAddr,
}

const HELP: &str = "\
It reads journals and repositories, changes neither, and ends with SIGINT or SIGTERM. There is no login: leave it
on the loopback device, or put a proxy with a login before it. `tidelock watch --listen` has the same pages, and
shows what its daemon does.

Examples:
  tidelock dashboard
  tidelock dashboard ../strsim-py ../semver-py --listen 127.0.0.1:0";

/// What is printed as JSON.
#[derive(Serialize)]
struct Shown {
    address: String,
}

pub(super) fn run(context: &Context, args: &Dashboard) -> Result<ExitCode, CliError> {
    let watch = Watch {
        ports: args.ports.clone(),
        config: args.config.clone(),
        schedule: None,
        jobs: None,
        listen: None,
        who: Who::default(),
    };
    // There is nobody here to act: a token is of no use.
    let (daemon, ports) = Ports::new(context, &watch).read()?;
    let settings = ports.values().map(|port| port.settings.clone()).collect();
    let dashboard = board::Dashboard::start(
        settings,
        &context.machine,
        board::Means { hosts: daemon.hosts, ..board::Means::default() },
    );
    let server = serve(args.listen, board::router(dashboard.shared()))?;
    let address = format!("http://{}/", server.address);
    if context.format.is_json() {
        context.json(&Shown { address })?;
    } else {
        context.console.data(&format!("{address}\n"));
    }
    if !server.address.ip().is_loopback() {
        context.console.say(
            "others than this machine may read it, and there is no login: put a proxy with one before it",
        );
    }
    while !context.machine.interrupt.load(Ordering::Relaxed) {
        context.machine.clock.sleep(TURN);
    }
    drop(server);
    drop(dashboard);
    Ok(ExitCode::Done)
}
