//! `tidelock status`: how far behind, and how well the port is known to equal its baseline.

use std::collections::BTreeMap;

use anyhow::anyhow;
use mappings::SymbolPath;
use mappings::decision::{DecisionWord, day_at};
use mappings::mapping::DeclaredExtension;
use mappings::status::{Counts, Status as Standing, StatusInput, status};
use reports::{count, visible_line};
use serde::Serialize;
use upstream::ItemPath;

use super::args::Status;
use super::{CliError, Context, ExitCode, session_error};
use crate::batches::{self, BatchesOverview};
use crate::daemon::alert::Thresholds;
use crate::session::{Looked, look};

/// Seconds in a day.
const DAY_S: i64 = 24 * 60 * 60;

/// How many of one kind are named as text.
const NAMED_MAX: usize = 10;

/// The states, in the order of the table.
const COLUMNS: [&str; 10] =
    ["proved", "tested", "mapped", "unknown", "unmapped", "drifted", "stale", "parked", "held", "ignored"];

/// What is printed as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    lag: Lag,
    #[serde(flatten)]
    standing: &'a Standing,
    withdrawn: Vec<String>,
    decisions: Vec<Decided<'a>>,
    /// What waits in batches, by model.
    batches: Vec<BatchesOverview>,
    /// What a person should know and is not wrong.
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Lag {
    revisions: Option<usize>,
    /// Items that changed between the baseline and the newest revision.
    items: Option<usize>,
    days: Option<i64>,
}

impl Lag {
    /// What the configuration, or a number of revisions on the command line, does not allow.
    fn beyond(&self, allowed: &Thresholds, revisions_max: Option<u32>) -> Option<String> {
        let over = |lag: Option<usize>, most: Option<u32>, unit: &str| {
            let most = usize::try_from(most?).unwrap_or(usize::MAX);
            // A port whose baseline is gone lags behind by nobody knows how much.
            let lag = lag.unwrap_or(usize::MAX);
            (lag > most).then(|| format!("{unit}: {most} at most are allowed"))
        };
        let days = self.days.map_or(Some(0), |days| usize::try_from(days).ok());
        over(self.revisions, revisions_max.or(allowed.lag_revisions), "too many revisions behind")
            .or_else(|| over(self.items, allowed.lag_items, "too many changed items behind"))
            .or_else(|| over(days, allowed.lag_days, "too many days behind"))
    }
}

/// A decision of the configuration.
#[derive(Serialize)]
struct Decided<'a> {
    disposition: DecisionWord,
    about: String,
    reason: &'a str,
    owner: &'a str,
    until: Option<String>,
    expired: bool,
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
    let session = context.session_to_look(context.settings()?)?;
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    if !args.offline {
        session.poll(Some(&lock.baseline)).map_err(session_error)?;
    }
    let revisions = session.revisions().map_err(session_error)?;
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
    let newest = revisions.iter().rfind(|revision| !revision.withdrawn);
    let items = match (standing.lag_revisions, newest) {
        (None, _) | (_, None) => None,
        (Some(0), _) => Some(0),
        (Some(_), Some(newest)) => {
            let newest = session.snapshot(newest).map_err(session_error)?;
            Some(upstream::diff::compare(&baseline, &newest).items.len())
        }
    };
    let today = day_at(context.machine.clock.now_ms());
    let decisions = session.settings.decisions.all().iter().map(|decision| Decided {
        disposition: decision.word,
        about: decision.about.to_string(),
        reason: &decision.reason,
        owner: &decision.owner,
        until: decision.until.map(|until| until.to_string()),
        expired: decision.is_expired(today),
    });
    let shown = Shown {
        lag: Lag { revisions: standing.lag_revisions, items, days: standing.lag_s.map(|lag| lag / DAY_S) },
        decisions: decisions.collect(),
        batches: batches::overview(&session.settings)?,
        notes: session.runtime_note(&head.tree).into_iter().collect(),
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
    let beyond = shown.lag.beyond(&session.settings.alert.thresholds, args.lag_max);
    if let Some(beyond) = &beyond {
        context.console.say(beyond);
    }
    Ok(if beyond.is_some() { ExitCode::Lag } else { ExitCode::Done })
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
                "{} ({}, {}) behind: the port equals {}, the newest is {newest}",
                count(lag as u64, "revision"),
                count(shown.lag.items.unwrap_or_default() as u64, "changed item"),
                count(u64::try_from(days).unwrap_or_default(), "day"),
                baseline
            )
        }
        (Some(lag), Some(_) | None) => {
            let lag = count(lag as u64, "revision");
            let items = count(shown.lag.items.unwrap_or_default() as u64, "changed item");
            format!("{lag} ({items}) behind: the port equals {baseline}, the newest is {newest}")
        }
        (None, _) => format!("the upstream no longer has {baseline}, which the port equals"),
    }];
    lines.extend(
        shown.withdrawn.iter().map(|label| format!("{label} was withdrawn by its authors and is passed by")),
    );
    lines.push(String::new());
    lines.push(row("module", COLUMNS));
    for (module, counts) in &shown.standing.modules {
        lines.push(row(module, cells(*counts).each_ref().map(String::as_str)));
    }
    lines.push(row("total", cells(shown.standing.total).each_ref().map(String::as_str)));
    let mut parked: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for waiting in &shown.standing.parked {
        parked.entry((waiting.revision.as_str(), &waiting.reason)).or_default().push(&waiting.item);
    }
    for ((revision, reason), items) in parked {
        lines.push(format!("\nparked for a person since {revision}: {}", visible_line(reason)));
        lines.extend(items.into_iter().map(|item| format!("  {item}")));
    }
    let batches = shown.batches.iter().filter(|waiting| waiting.is_open());
    lines.extend(batches.map(|waiting| format!("\nwaiting for a batch: {}", visible_line(&waiting.line()))));
    push_named(&mut lines, shown.standing);
    lines.extend(shown.decisions.iter().map(decision_line));
    lines.extend(shown.notes.iter().map(|note| format!("\nnote: {}", visible_line(note))));
    lines.join("\n") + "\n"
}

/// Names what is out of step, some of each kind; `--format json` has all.
fn push_named(lines: &mut Vec<String>, standing: &Standing) {
    let with_item = |(symbol, item): (&SymbolPath, &ItemPath)| format!("{symbol} (answers to {item})");
    let held = standing
        .held
        .iter()
        .map(|held| format!("{} since {}: {}", held.item, held.revision, visible_line(&held.reason)));
    let parts: [(&str, Vec<String>); 6] = [
        ("passed over", held.collect()),
        ("edited by hand", standing.edited.iter().map(with_item).collect()),
        ("not in the port any more", standing.symbol_missing.iter().map(with_item).collect()),
        ("links whose item vanished", standing.item_vanished.iter().map(ToString::to_string).collect()),
        ("symbols without an owner", standing.without_owner.iter().map(ToString::to_string).collect()),
        ("extensions of the port", extensions(standing)),
    ];
    for (head, named) in parts.into_iter().filter(|(_, named)| !named.is_empty()) {
        lines.push(format!("\n{head}: {}", named.len()));
        lines.extend(named.iter().take(NAMED_MAX).map(|name| format!("  {name}")));
        let rest = named.len().saturating_sub(NAMED_MAX);
        if rest > 0 {
            lines.push(format!("  and {rest} more, all in `--format json`"));
        }
    }
}

/// Each extension with its flag, and its symbols behind it.
fn extensions(standing: &Standing) -> Vec<String> {
    let symbols = |extension: &DeclaredExtension| -> Vec<String> {
        let told = |symbol: &SymbolPath| match &extension.flag {
            Some(flag) => format!("{symbol} (flag {flag})"),
            None => symbol.to_string(),
        };
        extension.symbols.iter().map(told).collect()
    };
    let mut named: Vec<String> = standing.extension_rules.iter().flat_map(symbols).collect();
    named.sort();
    named.dedup();
    named
}

fn decision_line(decided: &Decided<'_>) -> String {
    let Decided { disposition, about, reason, owner, until, expired } = decided;
    let until = match (until, expired) {
        (None, _) => String::new(),
        (Some(until), false) => format!(", until {until}"),
        (Some(until), true) => format!(", ended on {until}: planned again"),
    };
    format!("\n{disposition} `{about}`: {reason} ({owner}{until})")
}

fn cells(counts: Counts) -> [String; 10] {
    let Counts { proved, tested, mapped_only, unknown, unmapped, drifted, parked, ignored, stale, held } =
        counts;
    [proved, tested, mapped_only, unknown, unmapped, drifted, stale, parked, held, ignored]
        .map(|count| count.to_string())
}

fn row(name: &str, cells: [&str; 10]) -> String {
    let cells = cells.map(|cell| format!("{cell:>9}"));
    format!("{name:<28}{}", cells.concat())
}
