//! `tidelock memory`: what the translation memory holds, handed on and taken in.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use port::translate::memory::{MEMORY_NONCE, MemoryEntry, MemoryFolder};
use reports::count;
use serde::Serialize;

use super::args::{Memory, MemoryCommand, MemoryExport, MemoryImport, MemoryList};
use super::{CliError, Context, ExitCode};
use crate::chain;
use crate::config::Settings;

/// The digits of a key that are shown.
const KEY_DIGITS: usize = 12;

pub(super) fn run(context: &Context, args: &Memory) -> Result<ExitCode, CliError> {
    let settings = context.settings()?;
    match &args.command {
        MemoryCommand::List(args) => list(context, &settings, args),
        MemoryCommand::Export(args) => export(context, &settings, args),
        MemoryCommand::Import(args) => import(context, &settings, args),
    }
}

/// An entry and where it is kept.
#[derive(Serialize)]
struct Listed {
    item: String,
    revision: String,
    origin: String,
    note: String,
    corrected: bool,
    key: String,
    folder: PathBuf,
    answer: String,
}

fn list(context: &Context, settings: &Settings, args: &MemoryList) -> Result<ExitCode, CliError> {
    let learned = chain::learned_memory(settings);
    let mut listed = Vec::new();
    for folder in settings.memory.iter().chain([&learned]) {
        for entry in open(folder)?.entries() {
            let item = entry.item.to_string();
            if args.item.as_ref().is_some_and(|wanted| !item.contains(wanted.as_str())) {
                continue;
            }
            listed.push(Listed {
                item,
                revision: entry.revision.to_string(),
                origin: entry.origin.clone(),
                note: entry.note.clone(),
                corrected: entry.corrected,
                key: entry.key.to_string(),
                folder: folder.clone(),
                answer: entry.answer.clone(),
            });
        }
    }
    if context.format.is_json() {
        context.json(&listed)?;
    } else {
        let line = |one: &Listed| {
            let key: String = one.key.chars().take(KEY_DIGITS).collect();
            let mark = if one.corrected { ", corrected" } else { "" };
            format!("{key}  {}  {}  by {}{mark}\n", one.revision, one.item, one.origin)
        };
        context.console.data(&listed.iter().map(line).collect::<String>());
        context.console.say(&count(listed.len() as u64, "remembered translation"));
    }
    Ok(if listed.is_empty() { ExitCode::NothingToDo } else { ExitCode::Done })
}

fn export(context: &Context, settings: &Settings, args: &MemoryExport) -> Result<ExitCode, CliError> {
    let learned = open(&chain::learned_memory(settings))?;
    let into = args.to.clone().unwrap_or_else(|| settings.root.join("memory"));
    let added = add(learned.entries(), &into)?;
    tell(context, added, learned.entries().len(), &into)
}

fn import(context: &Context, settings: &Settings, args: &MemoryImport) -> Result<ExitCode, CliError> {
    if !args.folder.is_dir() {
        let error = anyhow!("there is no folder `{}`", args.folder.display());
        return Err(CliError::usage(error).hint("give a folder that `tidelock memory export` wrote"));
    }
    let foreign = open(&args.folder)?;
    let codec = chain::codec();
    for entry in foreign.entries() {
        (codec.parse)(&entry.answer, MEMORY_NONCE).map_err(|error| {
            anyhow!("the answer for {} is in no known form: {}", entry.item, error.reason)
        })?;
    }
    let into = chain::learned_memory(settings);
    let added = add(foreign.entries(), &into)?;
    tell(context, added, foreign.entries().len(), &into)
}

fn open(folder: &Path) -> Result<MemoryFolder, CliError> {
    Ok(MemoryFolder::open(folder).context("cannot read the translation memory")?)
}

/// Adds what is not there already; gives how many were.
fn add(entries: Vec<&MemoryEntry>, into: &Path) -> Result<usize, CliError> {
    let mut folder = open(into)?;
    let mut added = 0;
    for entry in entries {
        if !folder.entries().contains(&entry) {
            folder.add(entry).context("cannot add to the translation memory")?;
            added += 1;
        }
    }
    Ok(added)
}

fn tell(context: &Context, added: usize, of: usize, into: &Path) -> Result<ExitCode, CliError> {
    let known = of - added;
    if context.format.is_json() {
        context.json(&serde_json::json!({ "added": added, "known": known, "folder": into }))?;
    } else {
        let added = count(added as u64, "translation");
        context.console.say(&format!("{added} added to `{}`, {known} known there already", into.display()));
    }
    Ok(if added == 0 { ExitCode::NothingToDo } else { ExitCode::Done })
}
