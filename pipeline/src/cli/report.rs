//! `tidelock report`: show a past run.

use anyhow::{Context as _, anyhow};
use reports::RunRecord;
use serde::Serialize;

use super::args::{Rendering, Report};
use super::{CliError, Context, ExitCode};
use crate::store::{RunStatus, Store};

/// A run in the list.
#[derive(Serialize)]
struct Listed {
    run: String,
    started_ms: i64,
    status: &'static str,
}

pub(super) fn run(context: &Context, args: &Report) -> Result<ExitCode, CliError> {
    let settings = context.settings()?;
    let path = settings.state.join("state.db");
    if !path.exists() {
        return Err(CliError::usage(anyhow!("there has been no run here yet")).hint("run `tidelock sync`"));
    }
    let store = Store::open_to_read(&path).context("cannot open the journal")?;
    if args.list {
        return list(context, &store);
    }
    let rows = store.runs().context("cannot read the journal")?;
    let row = match &args.run {
        None => rows.first().context("there has been no run here yet")?,
        Some(wanted) => rows.iter().find(|row| row.run == *wanted).ok_or_else(|| {
            CliError::usage(anyhow!("there is no run `{wanted}`")).hint("`--list` names them")
        })?,
    };
    let events = store.events(&row.run).context("cannot read the journal")?;
    let (record, _) = crate::engine::record(&events).context("cannot read the journal")?;
    let record = record.context("the run has no beginning")?;
    let rendering = if context.format.is_json() { Rendering::Json } else { args.render };
    let text = rendered(&record, rendering)?;
    match &args.output {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        // Each rendering escapes as its format asks.
        None => context.console.exact(&text),
    }
    Ok(ExitCode::Done)
}

/// A record in the form that was asked for.
pub(super) fn rendered(record: &RunRecord, rendering: Rendering) -> Result<String, CliError> {
    Ok(match rendering {
        Rendering::Text => reports::render::text(record),
        Rendering::Markdown => reports::render::markdown(record),
        Rendering::Html => reports::render::html(record).context("cannot render the page")?,
        Rendering::Json => reports::render::json(record).context("cannot write the record")?,
    })
}

fn list(context: &Context, store: &Store) -> Result<ExitCode, CliError> {
    let rows = store.runs().context("cannot read the journal")?;
    let listed: Vec<Listed> = rows
        .into_iter()
        .map(|row| Listed {
            run: row.run,
            started_ms: row.started_ms,
            status: match row.status {
                RunStatus::Open => "open",
                RunStatus::Over => "over",
                RunStatus::Abandoned => "abandoned",
            },
        })
        .collect();
    if context.format.is_json() {
        context.json(&listed)?;
    } else {
        for run in listed {
            context.console.data(&format!("{}  {}\n", run.run, run.status));
        }
    }
    Ok(ExitCode::Done)
}
