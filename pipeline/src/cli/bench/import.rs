//! `tidelock bench import`: how a file of another tool is understood.

use anyhow::anyhow;
use port::bench::read::{self, Attempts, Outcome, Reading};

use super::super::args::BenchImport;
use super::super::{CliError, Context, ExitCode};

/// Rows of an import that are shown as text; JSON has all.
const ROWS_SHOWN: usize = 40;

pub(super) fn import(context: &Context, args: &BenchImport) -> Result<ExitCode, CliError> {
    let format = args.written_as.parse().map_err(|message: String| CliError::usage(anyhow!(message)))?;
    let reading = match read::read(format, &context.directory.join(&args.path)) {
        Ok(reading) => reading,
        Err(error) => {
            return Err(CliError { code: ExitCode::Inconclusive, cause: anyhow!(error), hints: Vec::new() });
        }
    };
    if context.format.is_json() {
        context.json(&reading)?;
    } else {
        context.console.data(&reading_text(&reading));
    }
    Ok(ExitCode::Done)
}

fn reading_text(reading: &Reading) -> String {
    let count = |wanted: fn(&Outcome) -> bool| reading.rows.iter().filter(|row| wanted(&row.outcome)).count();
    let mut lines = vec![format!(
        "{} results: {} passed or measured, {} failed, {} skipped, {} faults outside the code; several attempts are {}",
        reading.rows.len(),
        count(|outcome| *outcome == Outcome::Pass),
        count(|outcome| *outcome == Outcome::Fail),
        count(|outcome| *outcome == Outcome::Skip),
        count(|outcome| matches!(outcome, Outcome::Infra { .. })),
        match reading.attempts {
            Attempts::Retries => "retries, and the first one counts",
            Attempts::Independent => "independent, and their mean counts",
        }
    )];
    for row in reading.rows.iter().take(ROWS_SHOWN) {
        let outcome = match &row.outcome {
            Outcome::Pass => "pass".to_owned(),
            Outcome::Fail => "FAIL".to_owned(),
            Outcome::Skip => "skip".to_owned(),
            Outcome::Infra { reason } => format!("fault ({reason})"),
        };
        let value = row.value.map(|value| format!(" {value} {}", row.unit)).unwrap_or_default();
        let attempt = if row.attempt > 1 { format!(" (attempt {})", row.attempt) } else { String::new() };
        lines.push(format!("  {outcome} {}{attempt}{value}", row.task));
    }
    if reading.rows.len() > ROWS_SHOWN {
        lines.push(format!("  and {} more: `--format json` has all", reading.rows.len() - ROWS_SHOWN));
    }
    lines.join("\n") + "\n"
}
