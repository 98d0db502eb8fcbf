//! `tidelock status`: how far behind, and how well the port is known to equal its baseline.

use std::collections::BTreeMap;

use anyhow::anyhow;
use mappings::status::{Counts, Status as Standing, StatusInput, status};
use reports::count;
use serde::Serialize;

use super::args::Status;
use super::{CliError, Context, ExitCode, session_error};
use crate::session::{Looked, look};

/// Seconds in a day.
const DAY_S: i64 = 24 * 60 * 60;

/// What is printed as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    lag: Lag,
    #[serde(flatten)]
    standing: &'a Standing,
    withdrawn: Vec<String>,
}

#[derive(Serialize)]
struct Lag {
    revisions: Option<usize>,
    days: Option<i64>,
}

/// What `--poll` prints as JSON.
#[derive(Serialize)]
struct Polled<'a> {
    baseline: &'a str,
    newest: Option<&'a str>,
    new: bool,
    notices: &'a [String],
}

pub(super) fn run(context: &Context, args: &Status) -> Result<ExitCode, CliError> {
    if args.poll {
        return poll(context);
    }
    let session = context.session(context.settings()?)?;
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    if !args.offline {
        session.poll(Some(&lock.baseline)).map_err(session_error)?;
    }
    let revisions = session.mirror.revisions().map_err(|error| anyhow!(error))?;
    if args.offline && revisions.is_empty() {
        return Err(nothing_seen());
    }
    let baseline = session.revision(lock.baseline.as_str()).map_err(session_error)?;
    let baseline = session.snapshot(&baseline).map_err(session_error)?;
    let symbols = session.symbols(&head.tree).map_err(session_error)?;
    let standing = status(&StatusInput {
        lock: &lock,
        baseline: &baseline,
        revisions: &revisions,
        mapping: &session.settings.mapping,
        symbols: &symbols,
    })
    .map_err(CliError::usage)?;
    let behind = revisions.iter().skip_while(|revision| revision.label != lock.baseline);
    let shown = Shown {
        lag: Lag { revisions: standing.lag_revisions, days: standing.lag_s.map(|lag| lag / DAY_S) },
        withdrawn: behind
            .filter(|revision| revision.withdrawn)
            .map(|revision| revision.label.to_string())
            .collect(),
        standing: &standing,
    };
    if context.format.is_json() {
        context.json(&shown)?;
    } else {
        context.console.data(&text(&shown));
    }
    let lag = standing.lag_revisions.unwrap_or(usize::MAX);
    let over = if let Some(most) = args.lag_max {
        lag > usize::try_from(most).unwrap_or(usize::MAX)
    } else {
        let seconds = standing.lag_s.and_then(|seconds| u64::try_from(seconds).ok());
        let revisions = standing.lag_revisions.map(|revisions| revisions as u64);
        let lag = crate::daemon::Lag { revisions, seconds, ..crate::daemon::Lag::default() };
        session.settings.alert.thresholds.is_behind(lag)
    };
    Ok(if over { ExitCode::Lag } else { ExitCode::Done })
}

/// Asks only whether there is anything new. Of the port its lock alone is read.
fn poll(context: &Context) -> Result<ExitCode, CliError> {
    let settings = context.settings()?;
    let Looked { lock, glance, .. } = look(&settings, &context.machine).map_err(session_error)?;
    let new = !glance.is_up_to_date(&lock.baseline);
    if context.format.is_json() {
        context.json(&Polled {
            baseline: lock.baseline.as_str(),
            newest: glance.newest.as_ref().map(|(label, _)| label.as_str()),
            new,
            notices: &glance.notices,
        })?;
    } else if new {
        context.console.data("there is something new\n");
    } else {
        context.console.data(&format!("nothing new since {}\n", lock.baseline));
    }
    for notice in &glance.notices {
        context.console.say(notice);
    }
    Ok(if new { ExitCode::Done } else { ExitCode::NothingToDo })
}

/// Nothing can be told of an upstream that nobody asked yet.
pub(super) fn nothing_seen() -> CliError {
    CliError::usage(anyhow!("nothing was seen of the upstream yet")).hint("leave out `--offline` once")
}

fn text(shown: &Shown<'_>) -> String {
    let baseline = &shown.standing.baseline;
    let newest = shown.standing.newest.as_ref().map_or("nothing", |label| label.as_str());
    let mut lines = vec![match (shown.lag.revisions, shown.lag.days) {
        (Some(0), _) if shown.standing.parked.is_empty() => {
            format!("up to date with {baseline}, the newest revision")
        }
        (Some(0), _) => format!(
            "up to date with {baseline}, the newest revision, but for {} parked for a person",
            count(shown.standing.parked.len() as u64, "item")
        ),
        (Some(lag), Some(days @ 1..)) => {
            format!(
                "{} ({}) behind: the port equals {}, the newest is {newest}",
                count(lag as u64, "revision"),
                count(u64::try_from(days).unwrap_or_default(), "day"),
                baseline
            )
        }
        (Some(lag), Some(_) | None) => {
            let lag = count(lag as u64, "revision");
            format!("{lag} behind: the port equals {baseline}, the newest is {newest}")
        }
        (None, _) => format!("the upstream no longer has {baseline}, which the port equals"),
    }];
    lines.extend(
        shown.withdrawn.iter().map(|label| format!("{label} was withdrawn by its authors and is passed by")),
    );
    lines.push(String::new());
    lines.push(row("module", ["proved", "tested", "mapped", "unknown", "unmapped", "drifted", "parked"]));
    for (module, counts) in &shown.standing.modules {
        lines.push(row(module, cells(*counts).each_ref().map(String::as_str)));
    }
    lines.push(row("total", cells(shown.standing.total).each_ref().map(String::as_str)));
    let mut parked: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for waiting in &shown.standing.parked {
        parked.entry((waiting.revision.as_str(), &waiting.reason)).or_default().push(&waiting.item);
    }
    for ((revision, reason), items) in parked {
        lines.push(format!("\nparked for a person since {revision}: {reason}"));
        lines.extend(items.into_iter().map(|item| format!("  {item}")));
    }
    lines.join("\n") + "\n"
}

fn cells(counts: Counts) -> [String; 7] {
    let Counts { proved, tested, mapped_only, unknown, unmapped, drifted, parked } = counts;
    [proved, tested, mapped_only, unknown, unmapped, drifted, parked].map(|count| count.to_string())
}

fn row(name: &str, cells: [&str; 7]) -> String {
    let cells = cells.map(|cell| format!("{cell:>10}"));
    format!("{name:<28}{}", cells.concat())
}
