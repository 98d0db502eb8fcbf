//! `tidelock decline`, `defer` and `pin`: people's decisions, written into `tidelock.toml`, and taken back.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use mappings::decision::{Decision, DecisionRule, DecisionWord, ItemPattern, day, day_at};
use mappings::{Disposition, Lock};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};
use upstream::{ItemPath, RevisionLabel};

use super::decide_args::{Decide, Pin, Why};
use super::{CliError, Context, ExitCode, session_error};
use crate::config::{self, CONFIG_NAME};
use crate::session::Session;

/// The key of the entries.
const TABLE: &str = "decision";
/// How many names are shown to somebody who missed one.
const NAMES_MAX: usize = 5;

pub(super) fn decline(context: &Context, args: &Decide) -> Result<ExitCode, CliError> {
    decide(context, DecisionWord::Declined, &args.what, &args.why)
}

pub(super) fn defer(context: &Context, args: &Decide) -> Result<ExitCode, CliError> {
    if args.why.until.is_none() && !args.why.undo {
        let error = anyhow!("what is deferred needs the day on which it is to be planned again");
        return Err(CliError::usage(error).hint("give `--until 2027-03-01`, or `tidelock decline` it"));
    }
    decide(context, DecisionWord::Deferred, &args.what, &args.why)
}

pub(super) fn pin(context: &Context, args: &Pin) -> Result<ExitCode, CliError> {
    decide(context, DecisionWord::Pinned, &args.revision, &args.why)
}

fn decide(context: &Context, word: DecisionWord, what: &str, why: &Why) -> Result<ExitCode, CliError> {
    let settings = context.settings()?;
    let session = context.session(settings)?;
    let file = File::read(&session)?;
    if why.undo {
        undo(context, &session, file, word, what)
    } else {
        add(context, &session, file, (word, what), why)
    }
}

fn add(
    context: &Context,
    session: &Session,
    mut file: File,
    (word, what): (DecisionWord, &str),
    why: &Why,
) -> Result<ExitCode, CliError> {
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    session.poll(Some(&lock.baseline)).map_err(session_error)?;
    if let Some(until) = &why.until {
        let ends = day(until).map_err(|reason| {
            CliError::usage(anyhow!("`--until`: {reason}")).hint("write it as in `--until 2027-03-01`")
        })?;
        let today = day_at(context.machine.clock.now_ms());
        if ends <= today {
            let error = anyhow!("`--until {until}`: today is {today}, and it would hold nothing");
            return Err(CliError::usage(error).hint("give a later day"));
        }
    }
    let (items, revision) = if word != DecisionWord::Pinned && is_about_items(what) {
        (Some(known_items(session, &lock, what)?), None)
    } else {
        (None, Some(known_revision(session, &lock, word, what)?))
    };
    let about = items.as_ref().or(revision.as_ref()).cloned().unwrap_or_default();
    if let Some(known) = find(session, word, &about) {
        let until = known.until.map(|until| format!(", until {until}")).unwrap_or_default();
        let error = anyhow!("`{about}` is {word} already, by {}{until}: {}", known.owner, known.reason);
        return Err(CliError::usage(error).hint(format!("take that back first: {}", undoing(word, &about))));
    }
    let owner = why.owner.clone().or_else(|| session.port.user_name()).ok_or_else(|| {
        CliError::usage(anyhow!("nobody answers for it, and git has no `user.name`"))
            .hint("give `--owner NAME`")
    })?;
    let reason = why.reason.clone().unwrap_or_default();
    let rule = DecisionRule { disposition: word, items, revision, reason, owner, until: why.until.clone() };
    file.push(&rule)?;
    file.write(session)?;
    if context.format.is_json() {
        context.json(&rule)?;
    } else {
        context.console.data(&format!("{word} `{about}`: {} ({})\n", rule.reason, rule.owner));
    }
    context.console.say(&format!(
        "written into `{CONFIG_NAME}`: commit it; it counts from the next plan or sync on, and `{}` takes it back",
        undoing(word, &about)
    ));
    Ok(ExitCode::Done)
}

fn undo(
    context: &Context,
    session: &Session,
    mut file: File,
    word: DecisionWord,
    what: &str,
) -> Result<ExitCode, CliError> {
    let revision = || session.revision(what).ok().map(|revision| revision.label.to_string());
    let found = find(session, word, what).or_else(|| find(session, word, &revision()?));
    let Some(found) = found else {
        let all = session.settings.decisions.all().iter().filter(|decision| decision.word == word);
        let all: Vec<String> = all.map(|decision| format!("`{}`", decision.about)).collect();
        let error = anyhow!("`{what}` is not {word}");
        let hint =
            if all.is_empty() { format!("nothing is {word}") } else { format!("{word}: {}", all.join(", ")) };
        return Err(CliError::usage(error).hint(hint));
    };
    file.remove(found.number)?;
    file.write(session)?;
    if context.format.is_json() {
        context.json(&serde_json::json!({ "undone": word, "about": found.about.to_string() }))?;
    } else {
        context.console.data(&format!("no longer {word}: `{}`\n", found.about));
    }
    context.console.say(&format!(
        "taken out of `{CONFIG_NAME}`: commit it; what it held is planned again from the next plan or sync on"
    ));
    Ok(ExitCode::Done)
}

fn undoing(word: DecisionWord, about: &str) -> String {
    let command = match word {
        DecisionWord::Declined => "decline",
        DecisionWord::Deferred => "defer",
        DecisionWord::Pinned => "pin",
    };
    format!("tidelock {command} '{about}' --undo")
}

/// A revision holds no `::`, and a pattern over items or an item does.
fn is_about_items(what: &str) -> bool {
    what.contains("::")
}

fn find<'a>(session: &'a Session, word: DecisionWord, about: &str) -> Option<&'a Decision> {
    let all = session.settings.decisions.all().iter();
    all.filter(|decision| decision.word == word).find(|decision| decision.about.to_string() == about)
}

/// A pattern that speaks of something: at the baseline, at the newest revision, or in the lock.
fn known_items(session: &Session, lock: &Lock, what: &str) -> Result<String, CliError> {
    let pattern = ItemPattern::new(what).map_err(|reason| {
        CliError::usage(anyhow!("the pattern `{what}` is broken: {reason}"))
            .hint("write an item's path, or a pattern such as `krate::module::**`")
    })?;
    let waiting = lock.held.keys().chain(lock.parked.keys());
    if lock.links.keys().chain(waiting).any(|item| pattern.matches(item)) {
        return Ok(what.to_owned());
    }
    let revisions = session.revisions().map_err(session_error)?;
    let newest = revisions.iter().rfind(|revision| !revision.withdrawn);
    let baseline = revisions.iter().find(|revision| revision.label == lock.baseline);
    let mut alike: Vec<ItemPath> = Vec::new();
    let last = what.rsplit("::").next().unwrap_or_default().to_lowercase();
    for revision in newest.into_iter().chain(baseline) {
        let snapshot = session.snapshot(revision).map_err(session_error)?;
        if snapshot.items.keys().any(|item| pattern.matches(item)) {
            return Ok(what.to_owned());
        }
        alike.extend(snapshot.items.keys().filter(|item| item.name().to_lowercase() == last).cloned());
    }
    alike.sort();
    alike.dedup();
    let names: Vec<&str> = alike.iter().take(NAMES_MAX).map(ItemPath::as_str).collect();
    let error =
        anyhow!("`{what}` speaks of no item, neither at {} nor at the newest revision", lock.baseline);
    Err(CliError::usage(error).hint(match names.as_slice() {
        [] => "`tidelock map check --format json` and `tidelock status` name items".to_owned(),
        names => format!("did you mean {}?", names.join(", ")),
    }))
}

/// A revision about which there is something to decide.
fn known_revision(
    session: &Session,
    lock: &Lock,
    word: DecisionWord,
    what: &str,
) -> Result<String, CliError> {
    let revision = session.revision(what).map_err(|error| {
        session_error(error).hint("an item is written with its crate, as in `krate::module::name`")
    })?;
    let known = session.revisions().map_err(session_error)?;
    let place = |label: &RevisionLabel| known.iter().position(|revision| revision.label == *label);
    let recorded = lock.revisions.iter().find(|recorded| recorded.revision == revision.label);
    let passed = place(&revision.label) < place(&lock.baseline);
    let refused = |error, hint: &str| Err(CliError::usage(error).hint(hint));
    match (word, recorded.map(|recorded| recorded.disposition)) {
        (DecisionWord::Pinned, _) if passed => {
            let error = anyhow!("the port equals {} already, which is newer than {what}", lock.baseline);
            refused(
                error,
                "pin the baseline or a later revision; to go back, revert in the port's own history",
            )
        }
        (
            DecisionWord::Declined | DecisionWord::Deferred,
            Some(Disposition::Landed | Disposition::Absorbed),
        ) => {
            let error = anyhow!("{what} is in the port already");
            refused(error, "revert it in the port's own history, or decide about its items")
        }
        (DecisionWord::Declined | DecisionWord::Deferred, None) if passed => {
            let error = anyhow!("{what} is older than the revision at which the port was adopted");
            refused(error, "decide about a later revision, or about items")
        }
        (DecisionWord::Declined | DecisionWord::Deferred, Some(Disposition::Adopted)) => refused(
            anyhow!("the port was adopted at {what}"),
            "decide about a later revision, or about items",
        ),
        (DecisionWord::Pinned | DecisionWord::Declined | DecisionWord::Deferred, _) => {
            Ok(revision.label.to_string())
        }
    }
}

/// The configuration, as it is edited.
struct File {
    path: PathBuf,
    document: DocumentMut,
}

impl File {
    fn read(session: &Session) -> Result<Self, CliError> {
        let path = session.settings.root.join(CONFIG_NAME);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let document = text.parse().with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(Self { path, document })
    }

    fn tables(&mut self) -> Result<&mut ArrayOfTables, CliError> {
        let path = self.path.display().to_string();
        let entry = self.document.entry(TABLE).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        entry.as_array_of_tables_mut().ok_or_else(|| {
            CliError::usage(anyhow!("`{TABLE}` in `{path}` is not written as `[[{TABLE}]]` tables"))
                .hint("write each as a table of its own")
        })
    }

    fn push(&mut self, rule: &DecisionRule) -> Result<(), CliError> {
        let mut table = Table::new();
        table.insert("disposition", toml_edit::value(rule.disposition.to_string()));
        let (reason, owner) = (Some(rule.reason.clone()), Some(rule.owner.clone()));
        for (key, value) in [
            ("items", &rule.items),
            ("revision", &rule.revision),
            ("reason", &reason),
            ("owner", &owner),
            ("until", &rule.until),
        ] {
            if let Some(value) = value {
                table.insert(key, toml_edit::value(value));
            }
        }
        self.tables()?.push(table);
        Ok(())
    }

    /// Takes an entry out, counted from 1.
    fn remove(&mut self, number: usize) -> Result<(), CliError> {
        let tables = self.tables()?;
        if let Some(at) = number.checked_sub(1).filter(|at| *at < tables.len()) {
            tables.remove(at);
        }
        Ok(())
    }

    /// Writes it, unless it would be refused when it is read.
    fn write(&self, session: &Session) -> Result<(), CliError> {
        let text = self.document.to_string();
        config::read(&self.path, &text, Some(session.settings.state.clone())).map_err(CliError::usage)?;
        std::fs::write(&self.path, text)
            .with_context(|| format!("cannot write `{}`", self.path.display()))?;
        Ok(())
    }
}
