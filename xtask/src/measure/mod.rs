//! `cargo xtask measure`: every number that the documentation quotes, one JSON object a line.

mod demo;
mod poll;
mod probeable;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;

/// One number.
#[derive(Debug, Serialize)]
pub(crate) struct Metric {
    /// What was measured.
    #[serde(rename = "metric")]
    pub(crate) name: String,
    /// The value.
    pub(crate) value: serde_json::Value,
    /// The value's unit.
    pub(crate) unit: &'static str,
    /// What it should be; empty where it is only told.
    pub(crate) target: String,
    /// Whether it is so.
    pub(crate) ok: bool,
}

/// Takes each number as soon as it is known.
pub(crate) type Tell<'a> = dyn FnMut(Metric) -> Result<()> + 'a;

/// A measure by name.
struct Measure {
    name: &'static str,
    about: &'static str,
    needs: &'static str,
    run: fn(&[PathBuf], &mut Tell<'_>) -> Result<()>,
}

const MEASURES: &[Measure] = &[
    Measure {
        name: "demo",
        about: "`tidelock demo` twice from nothing, and five times killed and continued: time, end state, counts",
        needs: "the Cargo registry, git, Python 3.10; takes no `--repo`; about ten minutes",
        run: demo::run,
    },
    Measure {
        name: "poll",
        about: "a poll with nothing new (`tidelock status --poll`) beside `git ls-remote`, over file:// and http://",
        needs: "`--repo` for each upstream; git; a release build of `tidelock` and of this program; a minute each",
        run: poll::run,
    },
    Measure {
        name: "probeable",
        about: "the share of public functions that the contract can plan probes for, and the reasons for the rest",
        needs: "`--repo` for each upstream; seconds",
        run: probeable::run,
    },
];

/// Names all measures.
pub(crate) fn list() -> Result<()> {
    let mut out = std::io::stdout().lock();
    for Measure { name, about, needs, .. } in MEASURES {
        writeln!(out, "{name}\n  {about}\n  needs: {needs}")?;
    }
    Ok(())
}

/// Runs one; fails when a target is missed.
pub(crate) fn run(name: &str, repositories: &[PathBuf]) -> Result<()> {
    let Some(measure) = MEASURES.iter().find(|measure| measure.name == name) else {
        bail!("there is no measure `{name}`; `cargo xtask measure --list` names them");
    };
    let mut missed = Vec::new();
    let mut tell = |metric: Metric| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&metric)?)?;
        if !metric.ok {
            missed.push(metric.name);
        }
        Ok(())
    };
    (measure.run)(repositories, &mut tell)?;
    if !missed.is_empty() {
        bail!("targets missed: {}", missed.join(", "));
    }
    Ok(())
}
