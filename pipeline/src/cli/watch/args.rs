//! `tidelock watch` as it is typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::cli::args::Who;

/// `tidelock watch`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Watch {
    /// The folders of the ports, each with its `tidelock.toml`. Default: that of `--config`, or the current one.
    #[arg(value_name = "PORT", conflicts_with = "config")]
    pub(in crate::cli) ports: Vec<PathBuf>,
    /// Read which ports to watch, and what to offer over HTTP, from this file: see docs/daemon.md.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// When to look, as a cron expression, against the configuration of every port.
    #[arg(long, value_name = "CRON")]
    pub(in crate::cli) schedule: Option<String>,
    /// The most ports to sync at once, against the configuration. Default: 1.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) jobs: Option<u32>,
    /// Answer at this address over HTTP: the dashboard, `/healthz`, `/readyz`, `/metrics`, webhooks. Default: as configured, or
    /// not at all; without a value `127.0.0.1:9470`.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:9470")]
    pub(in crate::cli) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}

const HELP: &str = "\
SIGTERM or SIGINT ends it once the current step of each sync is done; a second one ends it at once, and
nothing is lost either way. SIGHUP reads the configurations anew, and keeps the former ones where one is wrong.

Examples:
  tidelock watch --schedule '0 * * * *'
  tidelock watch ../strsim-py ../semver-py --log-format json
  tidelock watch --config /etc/tidelock/daemon.toml";
