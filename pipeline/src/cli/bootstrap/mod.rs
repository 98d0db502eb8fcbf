//! `tidelock bootstrap`: the first port of a crate, as a sync from nothing.
//!
//! A package without code is made, with a lock in which every item waits. Then portions of what waits are synced, each
//! planned, translated, gated and landed as any sync is, until nothing is left to ask for.

pub(super) mod args;
mod begin;
mod choice;
mod layout;
mod naming;
mod portions;
mod skeleton;
mod source;
mod told;

use anyhow::anyhow;
use upstream::Snapshot;

use super::{CliError, Context, ExitCode, session_error, sync};
use crate::chain;
use crate::config::{self, CONFIG_NAME, ChainEntry, Settings};
use crate::driver::why_not_built;
use crate::lease::Lease;
use crate::session::Session;
use args::Bootstrap;

pub(super) fn run(context: &Context, args: &Bootstrap) -> Result<ExitCode, CliError> {
    if args.language != "python" {
        let error = anyhow!("a port in `{}` cannot be written", args.language);
        return Err(CliError::usage(error).hint("`python` is the language that there is"));
    }
    let folder = match &args.into {
        Some(folder) => {
            std::path::absolute(context.directory.join(folder)).map_err(|error| anyhow!(error))?
        }
        None => context.directory.clone(),
    };
    if begin::is_begun(&folder) {
        ensure_same(&folder, args)?;
        context.console.say(&format!("Going on with the port in {}.", folder.display()));
    } else {
        let Some(upstream) = &args.upstream else {
            let error = anyhow!("no port was begun in `{}`", folder.display());
            return Err(CliError::usage(error)
                .hint("say what to port: `tidelock bootstrap --upstream CRATE --into FOLDER`"));
        };
        chain::ensure_ad_hoc(&args.who.translators).map_err(CliError::usage)?;
        begin::begin(context, args, &folder, &source::parse(upstream, &context.directory)?)?;
    }
    let mut settings = config::load(&folder).map_err(|error| anyhow!(error))?;
    choose_translators(&mut settings, args)?;
    let session = context.session(settings)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    // Before the upstream is built, which takes longest: what a person has not committed keeps everything from landing.
    sync::ensure_clean(&session)?;
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    let revision = session.revision(lock.baseline.as_str()).map_err(session_error)?;
    let snapshot = session.snapshot(&revision).map_err(session_error)?;
    if let Some(reason) = blocked(&session, &snapshot, &lock)? {
        let error =
            anyhow!("the upstream does not build at {}, so nothing can be proved: {reason}", lock.baseline);
        return Err(CliError { code: ExitCode::Inconclusive, cause: error, hints: Vec::new() }
            .hint("nobody was asked for anything; make it build here (`--at` names another revision), and run this again"));
    }
    let ran = portions::port(&session, args, &revision)?;
    told::tell(context, &session, &ran)
}

/// Why the upstream cannot be asked, if it cannot: known before anything is bought.
fn blocked(
    session: &Session,
    snapshot: &Snapshot,
    lock: &mappings::Lock,
) -> Result<Option<String>, CliError> {
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let items = lock.parked.keys().chain(lock.links.keys());
    let library = snapshot
        .packages
        .iter()
        .filter_map(|package| package.library.as_deref())
        .find(|library| items.clone().any(|item| item.krate() == *library));
    let Some(library) = library else { return Ok(None) };
    Ok(why_not_built(session, &*confinement, snapshot, library)?)
}

/// A port that was begun goes on as it was begun.
fn ensure_same(folder: &std::path::Path, args: &Bootstrap) -> Result<(), CliError> {
    if let Some(argument) = args.only_to_begin() {
        let error = anyhow!(
            "the port in `{}` was begun already, and `{argument}` changes nothing there",
            folder.display()
        );
        return Err(
            CliError::usage(error).hint(format!("edit `{CONFIG_NAME}` there, or name another folder"))
        );
    }
    let Some(upstream) = &args.upstream else { return Ok(()) };
    let settings = config::load(folder).map_err(|error| anyhow!(error))?;
    let asked = source::parse(upstream, folder)?;
    if asked != settings.source {
        let error =
            anyhow!("the port in `{}` follows `{}`, and not `{asked}`", folder.display(), settings.source);
        return Err(CliError::usage(error).hint("name another folder with `--into`"));
    }
    Ok(())
}

/// Who is asked: what the command line names, behind all that costs nothing.
fn choose_translators(settings: &mut Settings, args: &Bootstrap) -> Result<(), CliError> {
    if !args.who.translators.is_empty() {
        sync::choose_translators(settings, &args.who)?;
        // What is asked for again in another portion was bought already.
        settings.chain.insert(0, ChainEntry::Memory);
    }
    if !settings.chain.contains(&ChainEntry::Items) {
        let at = settings.chain.iter().position(|entry| matches!(entry, ChainEntry::Model(_)));
        settings.chain.insert(at.unwrap_or(settings.chain.len()), ChainEntry::Items);
    }
    Ok(())
}
