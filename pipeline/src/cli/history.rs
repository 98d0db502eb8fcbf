//! `tidelock history`: what each revision of a repository did, one row each.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::anyhow;
use upstream::diff::{FileChangeKind, RevisionClass};
use upstream::history::{
    ChangeKind, Confidence, HistoryCache, HistoryChange, HistoryRange, HistoryRow, Line, history,
};

use super::args::{Format, History};
use super::console::Ink;
use super::repository::{open, resolve, unreadable};
use super::{CliError, Context, ExitCode};
use crate::config::env;

/// Rows collected for one JSON document; more are only written line by line.
const DOCUMENT_ROWS_MAX: usize = 100_000;
/// Days of the civil date are enough for a row.
const DATE: &str = "%Y-%m-%d";

/// Shows the history of a repository.
pub(super) fn run(context: &Context, args: &History) -> Result<ExitCode, CliError> {
    let repo = open(context, args.repo.as_deref())?;
    let resolve = |text: &str| resolve(&repo, text);
    let range = HistoryRange {
        to: match &args.to {
            Some(text) => resolve(text)?,
            None => repo.head().map_err(unreadable)?,
        },
        from: args.from.as_deref().map(resolve).transpose()?,
        last: args.last,
        line: if args.first_parent { Line::FirstParent } else { Line::All },
    };
    let cache = if args.no_cache { None } else { open_cache(context) };
    let mut shown = Vec::new();
    let mut failed = None;
    let mut each = |row: HistoryRow| {
        if context.machine.interrupt.load(std::sync::atomic::Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        match context.format {
            Format::Text => context.console.data(&text(context, &row, args.items)),
            Format::Jsonl => match serde_json::to_string(&row) {
                Ok(line) => context.console.exact(&(line + "\n")),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            },
            Format::Json if shown.len() < DOCUMENT_ROWS_MAX => shown.push(row),
            Format::Json => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    };
    let end = history(&repo, &range, cache.as_ref(), &mut each).map_err(unreadable)?;
    if let Some(error) = failed {
        return Err(CliError::from(anyhow!(error).context("cannot write JSON")));
    }
    if context.format == Format::Json {
        if end.stopped && shown.len() == DOCUMENT_ROWS_MAX {
            let error = anyhow!("more than {DOCUMENT_ROWS_MAX} revisions do not fit one JSON document");
            return Err(CliError::usage(error).hint("use `--format jsonl`, which streams, or `--last N`"));
        }
        context.json(&shown)?;
    }
    Ok(ExitCode::Done)
}

/// Rows are kept beside other caches of the user; without a place for them, nothing is kept.
fn open_cache(context: &Context) -> Option<HistoryCache> {
    let folder = env::folder("XDG_CACHE_HOME").or_else(|| Some(env::folder("HOME")?.join(".cache")))?;
    let path = folder.join("tidelock").join("history.sqlite");
    match HistoryCache::open(Path::new(&path)) {
        Ok(cache) => Some(cache),
        Err(error) => {
            context.console.say(&format!("note: {error}; going on without"));
            None
        }
    }
}

/// One row for people, and its items below it where they are wanted.
fn text(context: &Context, row: &HistoryRow, with_items: bool) -> String {
    let ink = |ink, text: &str| context.console.data_ink(ink, text);
    let changes = &row.changes;
    let date = row.revision.published_s.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let date = date.map_or_else(|| " ".repeat(10), |at| at.strftime(DATE).to_string());
    let id: String = row.revision.commit.as_str().chars().take(10).collect();
    let doubt = match changes.confidence {
        Confidence::Certain => ' ',
        Confidence::Likely => '~',
        Confidence::Unknown => '?',
    };
    let merge = if row.parents > 1 { "merge: " } else { "" };
    let label = row.revision.label.as_str();
    let tag = if id.starts_with(label) { String::new() } else { format!("({label}) ") };
    let mut lines = format!(
        "{}  {date}  {doubt}{}  {}  {}{merge}{}\n",
        ink(Ink::Yellow, &id),
        class(context, changes.class),
        counts(&changes.items),
        ink(Ink::Bold, &tag),
        row.revision.summary
    );
    if !with_items {
        return lines;
    }
    let mut line = |text: String| {
        lines.push_str("    ");
        lines.push_str(&text);
        lines.push('\n');
    };
    for item in &changes.items {
        line(item_line(context, item));
    }
    for dependency in &changes.dependencies {
        let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        line(format!(
            "dependency {} of {}: {} -> {}",
            dependency.dependency,
            dependency.package,
            side(&dependency.before),
            side(&dependency.after)
        ));
    }
    for file in &changes.files {
        let happened = match file.kind {
            FileChangeKind::Added => "added",
            FileChangeKind::Removed => "removed",
            FileChangeKind::Modified => "modified",
        };
        line(ink(Ink::Dim, &format!("{}  {happened}", file.file)));
    }
    for unparsed in &changes.unparsed {
        line(ink(Ink::Red, &format!("{} is not told item by item: {}", unparsed.file, unparsed.reason)));
    }
    if let Some(what) = &changes.not_searched {
        line(ink(Ink::Red, &format!("not searched: {what}")));
    }
    lines
}

fn item_line(context: &Context, item: &HistoryChange) -> String {
    let (mark, ink) = match item.change {
        ChangeKind::Added => ('+', Ink::Green),
        ChangeKind::Removed => ('-', Ink::Red),
        ChangeKind::Modified => ('~', Ink::Yellow),
        ChangeKind::Moved | ChangeKind::Renamed => ('>', Ink::Dim),
    };
    let from = item.from.as_ref().map_or_else(String::new, |from| format!("  from {from}"));
    let test = if item.test { "  (test)" } else { "" };
    let mark = context.console.data_ink(ink, &mark.to_string());
    format!("{mark} {}  {}{from}{test}", item.path, item.summary())
}

/// The class in a column of its own.
fn class(context: &Context, class: RevisionClass) -> String {
    let (name, ink) = match class {
        RevisionClass::NoBehaviourChange => ("no behaviour", Ink::Dim),
        RevisionClass::BuildOnly => ("build only", Ink::Dim),
        RevisionClass::Dependencies => ("dependencies", Ink::Dim),
        RevisionClass::InternalBehaviour => ("behaviour", Ink::Yellow),
        RevisionClass::PublicApiAdded => ("api added", Ink::Green),
        RevisionClass::PublicApiChanged => ("api changed", Ink::Red),
        RevisionClass::PublicApiRemoved => ("api removed", Ink::Red),
    };
    context.console.data_ink(ink, &format!("{name:<12}"))
}

/// How many items came, went, changed and moved.
fn counts(items: &[HistoryChange]) -> String {
    let count = |kinds: &[ChangeKind]| items.iter().filter(|item| kinds.contains(&item.change)).count();
    let cell = |mark: char, count: usize| {
        let text = if count == 0 { String::new() } else { format!("{mark}{count}") };
        format!("{text:>5}")
    };
    [
        cell('+', count(&[ChangeKind::Added])),
        cell('-', count(&[ChangeKind::Removed])),
        cell('~', count(&[ChangeKind::Modified])),
        cell('>', count(&[ChangeKind::Moved, ChangeKind::Renamed])),
    ]
    .concat()
}
