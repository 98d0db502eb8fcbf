//! What an idle daemon costs: twenty ports polled every minute, nothing new in any of their upstreams.

pub(crate) mod child;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use upstream::clock::{Clock, SystemClock};

use super::poll::{git, make_port};
use super::{Metric, Tell};
use child::Daemon;

/// How many ports are watched.
const PORTS: u32 = 20;
/// How long it is watched by default, in minutes.
const MINUTES: u64 = 5;
/// The most of one core that it may use.
const CPU_PERCENT_MAX: f64 = 2.0;
/// The most memory that it may hold.
const RSS_MIB_MAX: f64 = 150.0;

pub(super) fn run(minutes: Option<u64>, repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `daemon` takes no repository: it makes its own upstreams and ports");
    }
    let minutes = minutes.unwrap_or(MINUTES).max(1);
    let program = std::env::current_exe()?.with_file_name("tidelock");
    if !program.is_file() {
        bail!("there is no `{}`: build `tidelock` beside this program first", program.display());
    }
    let folder = tempfile::tempdir()?;
    let mut file = "version = 1\nlisten = \"127.0.0.1:0\"\n".to_owned();
    for number in 0..PORTS {
        let (upstream, port) =
            (folder.path().join(format!("up{number}")), folder.path().join(format!("port{number}")));
        std::fs::create_dir_all(upstream.join("src"))?;
        std::fs::create_dir_all(&port)?;
        std::fs::write(
            upstream.join("Cargo.toml"),
            format!("[package]\nname = \"up{number}\"\nversion = \"0.1.0\"\n"),
        )?;
        std::fs::write(upstream.join("src/lib.rs"), "//! Nothing yet.\n")?;
        git(&upstream, &["init", "--quiet", "-b", "main"])?;
        git(&upstream, &["add", "."])?;
        git(
            &upstream,
            &["-c", "user.name=x", "-c", "user.email=x@invalid", "commit", "--quiet", "-m", "first"],
        )?;
        make_port(&port, &upstream.display().to_string())?;
        let config = port.join("tidelock.toml");
        let text = std::fs::read_to_string(&config)?;
        let text = text.replace("[port]\n", &format!("[port]\nname = \"p{number}\"\n"));
        std::fs::write(&config, format!("{text}[watch]\nevery-s = 60\njitter-s = 59\n"))?;
        git(
            &port,
            &["-c", "user.name=x", "-c", "user.email=x@invalid", "commit", "--quiet", "-am", "watch"],
        )?;
        writeln!(file, "[[port]]\nfolder = \"port{number}\"")?;
    }
    std::fs::write(folder.path().join("daemon.toml"), file)?;
    let mut daemon = Daemon::start(&program, folder.path())?;
    // Each port is synced once at the start, spread over the first minute; that is not idling.
    daemon.wait("the first sync of every port", 300_000, |daemon| {
        Ok(daemon.metric("tidelock_syncs_total")?.is_some_and(|syncs| syncs >= f64::from(PORTS)))
    })?;
    let looks_before = daemon.metric("tidelock_looks_total")?.unwrap_or_default();
    let (cpu_before, started_ms) = (daemon.cpu_ms()?, SystemClock.now_ms());
    let mut rss_max: f64 = 0.0;
    for _ in 0..minutes * 6 {
        SystemClock.sleep(Duration::from_secs(10));
        rss_max = rss_max.max(daemon.rss_mib()?);
    }
    #[expect(clippy::cast_precision_loss, reason = "minutes in milliseconds")]
    let passed_ms = (SystemClock.now_ms() - started_ms) as f64;
    let cpu_ms = daemon.cpu_ms()? - cpu_before;
    let looks = daemon.metric("tidelock_looks_total")?.unwrap_or_default() - looks_before;
    let failures = daemon.metric("tidelock_failures")?.unwrap_or(f64::NAN);
    let syncs = daemon.metric("tidelock_syncs_total")?.unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a few minutes")]
    let expected = f64::from(PORTS) * minutes as f64;
    tell(Metric::told("daemon.minutes", passed_ms / 60_000.0, "minutes"))?;
    // A look that falls just outside is none that was left out.
    tell(Metric::at_least("daemon.looks", looks, "looks", expected - f64::from(PORTS)))?;
    tell(Metric::at_most("daemon.failures", failures, "failures", 0.0))?;
    tell(Metric::at_most("daemon.syncs_while_idle", syncs - f64::from(PORTS), "syncs", 0.0))?;
    tell(Metric::at_most("daemon.cpu_share", cpu_ms / passed_ms * 100.0, "% of one core", CPU_PERCENT_MAX))?;
    tell(Metric::told("daemon.cpu_a_look", cpu_ms / looks.max(1.0), "ms"))?;
    tell(Metric::at_most("daemon.rss", rss_max, "MiB", RSS_MIB_MAX))?;
    let ended_well = daemon.stop()?;
    tell(Metric::at_least("daemon.ended_well", f64::from(u8::from(ended_well)), "of 1", 1.0))
}
