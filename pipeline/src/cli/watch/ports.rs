//! Which ports are watched, read from the command line and the configurations, all or nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use crate::cli::{CliError, Context, settings_of, sync};
use crate::config::daemon::{DaemonSettings, JOBS_MAX, PORTS_MAX};
use crate::config::{Settings, env, watch};

use super::Watch;
use crate::cli::args::Who;

/// Where the ports are named.
#[derive(Debug)]
pub(in crate::cli) struct Ports {
    directory: PathBuf,
    config: Option<PathBuf>,
    folders: Vec<PathBuf>,
    schedule: Option<String>,
    jobs: Option<u32>,
    listen: Option<SocketAddr>,
    who: Who,
}

/// A port as it is configured.
#[derive(Debug)]
pub(in crate::cli) struct Watched {
    /// Where its configuration is looked for.
    pub(in crate::cli) folder: PathBuf,
    /// How it is configured.
    pub(in crate::cli) settings: Settings,
}

impl Ports {
    pub(in crate::cli) fn new(context: &Context, args: &Watch) -> Self {
        Self {
            directory: context.directory.clone(),
            config: args.config.clone(),
            folders: args.ports.clone(),
            schedule: args.schedule.clone(),
            jobs: args.jobs,
            listen: args.listen,
            who: args.who.clone(),
        }
    }

    /// Reads everything; one that is wrong spoils all.
    pub(in crate::cli) fn read(&self) -> Result<(DaemonSettings, BTreeMap<String, Arc<Watched>>), CliError> {
        let settings = self.daemon()?;
        if settings.folders.len() > PORTS_MAX {
            let count = settings.folders.len();
            return Err(CliError::usage(anyhow!("{count} ports, and a daemon watches at most {PORTS_MAX}")));
        }
        if settings.folders.len() > 1 && env::folder("TIDELOCK_STATE").is_some() {
            let error = anyhow!("`TIDELOCK_STATE` names one state folder, and each port needs its own");
            return Err(
                CliError::usage(error).hint("unset it; the state is in `.tidelock` of each port then")
            );
        }
        let mut watched: BTreeMap<String, Arc<Watched>> = BTreeMap::new();
        for folder in &settings.folders {
            let port = self.port(folder)?;
            let (name, root) = (port.settings.port.clone(), port.settings.root.clone());
            if let Some(other) = watched.insert(name.clone(), Arc::new(port)) {
                return Err(twice(&name, &other.settings.root, &root));
            }
        }
        Ok((settings, watched))
    }

    /// Reads one port.
    pub(super) fn port(&self, folder: &Path) -> Result<Watched, CliError> {
        // A configuration above a folder is found as well, but not above one that was mistyped.
        if !folder.is_dir() {
            let error = anyhow!("there is no folder `{}`", folder.display());
            return Err(CliError::usage(error).hint("name the folder of a port; `tidelock init` makes one"));
        }
        let mut settings = settings_of(folder)?;
        sync::choose_translators(&mut settings, &self.who)?;
        if let Some(text) = &self.schedule {
            let when =
                watch::cron(text).map_err(|(message, help)| CliError::usage(anyhow!(message)).hint(help))?;
            settings.rhythm.schedule = settings.rhythm.schedule.with(when);
        }
        Ok(Watched { folder: folder.to_owned(), settings })
    }

    fn daemon(&self) -> Result<DaemonSettings, CliError> {
        let mut settings = match &self.config {
            Some(path) => crate::config::daemon::load(&self.directory.join(path)).map_err(CliError::usage)?,
            None if self.folders.is_empty() => DaemonSettings::of(vec![self.directory.clone()]),
            None => {
                DaemonSettings::of(self.folders.iter().map(|folder| self.directory.join(folder)).collect())
            }
        };
        settings.listen = self.listen.or(settings.listen);
        if let Some(jobs) = self.jobs {
            if !(1..=JOBS_MAX).contains(&jobs) {
                let error = anyhow!("`--jobs {jobs}`");
                return Err(CliError::usage(error).hint(format!("write a number from 1 to {JOBS_MAX}")));
            }
            settings.jobs = jobs;
        }
        Ok(settings)
    }
}

fn twice(name: &str, one: &Path, other: &Path) -> CliError {
    let same =
        std::fs::canonicalize(one).ok().is_some_and(|one| std::fs::canonicalize(other).ok() == Some(one));
    if same {
        let error = anyhow!("the port in `{}` is named twice", one.display());
        return CliError::usage(error).hint("name it once");
    }
    let error =
        anyhow!("the ports in `{}` and `{}` are both called `{name}`", one.display(), other.display());
    CliError::usage(error).hint("give one of them another `name` in `[port]` of its `tidelock.toml`")
}
