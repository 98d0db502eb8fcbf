//! What the arguments mean: benchmarks, trees of the port, the upstream's revision.

use anyhow::anyhow;
use upstream::process::Invocation;
use upstream::{Revision, TreeId};

use super::super::args::BenchNames;
use super::super::{CliError, session_error};
use crate::config::bench::{BenchSchedule, BenchSettings};
use crate::session::Session;

/// The benchmarks that are meant: those named, or those of a schedule, or all.
pub(super) fn chosen<'s>(
    session: &'s Session,
    which: &BenchNames,
    schedule: Option<BenchSchedule>,
) -> Result<Vec<&'s BenchSettings>, CliError> {
    let all = &session.settings.benches;
    if all.is_empty() {
        return Err(CliError::usage(anyhow!("no benchmark is configured"))
            .hint("add a `[[bench]]` table to tidelock.toml: docs/benchmarks.md begins with one"));
    }
    if let Some(name) = which.names.iter().find(|name| !all.iter().any(|bench| bench.name == **name)) {
        let known: Vec<&str> = all.iter().map(|bench| bench.name.as_str()).collect();
        let error = anyhow!("there is no benchmark `{name}`; there are {}", known.join(", "));
        return Err(CliError::usage(error));
    }
    let named = |bench: &&BenchSettings| which.names.is_empty() || which.names.contains(&bench.name);
    let due = |bench: &&BenchSettings| schedule.is_none_or(|schedule| bench.schedule == schedule);
    let benches: Vec<&BenchSettings> = all.iter().filter(named).filter(due).collect();
    if benches.is_empty() {
        return Err(CliError::usage(anyhow!("no benchmark has this schedule"))
            .hint("`schedule` of a `[[bench]]` is `change`, `nightly` or `train`"));
    }
    Ok(benches)
}

/// The tree of a commit of the port, by what people call it.
pub(in crate::cli) fn tree(session: &Session, revision: &str) -> Result<TreeId, CliError> {
    let unknown = || {
        CliError::usage(anyhow!("the port has no revision `{revision}`"))
            .hint("name a commit, a branch or a tag; `HEAD~1` needs a history of two commits")
    };
    if revision.starts_with('-') {
        return Err(unknown());
    }
    let spec = format!("{revision}^{{tree}}");
    let invocation = Invocation::new("git", &session.settings.root).args(["rev-parse", "--verify", &spec]);
    let finished = session.machine.runner.run(&invocation).map_err(|error| anyhow!(error))?;
    if !finished.succeeded() {
        return Err(unknown());
    }
    TreeId::new(String::from_utf8_lossy(&finished.stdout).trim()).map_err(|_no_tree| unknown())
}

/// The upstream's revision, where some benchmark can run there.
pub(super) fn upstream_of(
    session: &Session,
    benches: &[&BenchSettings],
    named: Option<&str>,
) -> Result<Option<Revision>, CliError> {
    if benches.iter().all(|bench| bench.upstream_command.is_empty()) {
        return Ok(None);
    }
    let label = if let Some(label) = named {
        label.to_owned()
    } else {
        let head = session.head().map_err(session_error)?;
        session.lock(&head.tree).map_err(session_error)?.baseline.to_string()
    };
    session.revision(&label).map(Some).map_err(session_error)
}
