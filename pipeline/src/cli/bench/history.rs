//! `tidelock bench history`: past comparisons with their intervals.

use anyhow::Context as _;

use super::super::args::BenchHistory;
use super::super::{CliError, Context, ExitCode};
use super::charts::history_chart;
use crate::driver::benching::{HistoryRow, Records, mode_name};
use crate::gate::words;

pub(super) fn history(context: &Context, args: &BenchHistory) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let records = Records::below(&session.settings.state);
    let all = records.history()?;
    let wanted = |row: &&HistoryRow| args.which.names.is_empty() || args.which.names.contains(&row.bench);
    let rows: Vec<&HistoryRow> = all.iter().filter(wanted).collect();
    if let Some(path) = &args.charts {
        std::fs::write(path, history_chart(&rows))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if context.format.is_json() {
        context.json(&rows)?;
    } else {
        let line = |row: &&HistoryRow| {
            let when = jiff::Timestamp::from_millisecond(row.at_ms).map_or_else(
                |_out_of_range| row.at_ms.to_string(),
                |when| when.strftime("%Y-%m-%d %H:%M").to_string(),
            );
            let side = row.sides.first().map(words).unwrap_or_default();
            format!(
                "{when}  {:6} {} ({}): {} to {}: {side}\n",
                row.decided,
                row.bench,
                mode_name(row.mode),
                row.reference,
                row.candidate
            )
        };
        context.console.data(&rows.iter().map(line).collect::<String>());
    }
    Ok(if rows.is_empty() { ExitCode::NothingToDo } else { ExitCode::Done })
}
