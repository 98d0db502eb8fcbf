//! `tidelock init`: write a configuration, and with `--adopt` the first lock.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use mappings::lock::{Adopted, Adoption, adopt};
use mappings::{Lock, Proof};
use reports::count;
use upstream::repo::RepoError;
use upstream::source::SourceError;
use upstream::{ItemPath, TreeId};

use super::args::Init;
use super::{CliError, Context, ExitCode, session_error, sync};
use crate::config::CONFIG_NAME;
use crate::driver::prove;
use crate::gate::{Evidence, why_not_compared};
use crate::session::{LOCK_NAME, Session, SessionError};

/// The configuration that is written, with its explanations.
const TEMPLATE: &str = include_str!("init.toml");

pub(super) fn run(context: &Context, args: &Init) -> Result<ExitCode, CliError> {
    let path = context.directory.join(CONFIG_NAME);
    if path.exists() {
        let unused = args.registry.is_some() || args.git.is_some() || args.package.is_some();
        let but = if unused { "; edit it to follow something else" } else { "" };
        if unused || args.adopt.is_none() {
            context.console.say(&format!("`{CONFIG_NAME}` is there already and is left as it is{but}"));
        }
    } else {
        let text = filled(args)?;
        std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        context.console.say(&format!("wrote `{CONFIG_NAME}`"));
    }
    let Some(revision) = &args.adopt else {
        context
            .console
            .say("next: read it, then `tidelock init --adopt REV` with the revision that the port equals");
        return Ok(ExitCode::Done);
    };
    let session = context.session(context.settings()?)?;
    adopt_revision(context, &session, revision, args.leave_out)
}

/// The template with what the command line says.
fn filled(args: &Init) -> Result<String, CliError> {
    let (upstream, name) = match (&args.registry, &args.git) {
        (Some(krate), _) => (format!("registry = {}", quoted(krate)), krate.clone()),
        (None, Some(url)) => {
            let name = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
            let followed = match (&args.tags, &args.branch) {
                (Some(tags), _) => format!("\ntags = {}", quoted(tags)),
                (None, Some(branch)) => format!("\nbranch = {}", quoted(branch)),
                (None, None) => String::new(),
            };
            (format!("git = {}{followed}", quoted(url)), name.trim_end_matches(".git").to_owned())
        }
        (None, None) => {
            let error = anyhow!("there is no `{CONFIG_NAME}` yet, and nothing says what to follow");
            return Err(CliError::usage(error).hint("add `--registry CRATE` or `--git URL`"));
        }
    };
    let package = args.package.clone().unwrap_or_else(|| name.replace('-', "_"));
    Ok(TEMPLATE.replace("UPSTREAM", &upstream).replace("PACKAGE", &quoted(&package)))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string().trim().to_owned()
}

/// Writes the first lock: what is mapped and there is linked, and what can be proved is proved.
pub(super) fn adopt_revision(
    context: &Context,
    session: &Session,
    text: &str,
    leave_out: bool,
) -> Result<ExitCode, CliError> {
    let head = session.head().map_err(session_error)?;
    if session.port.read(&head.tree, LOCK_NAME).map_err(|error| anyhow!(error))?.is_some() {
        let error = anyhow!("the port has a `{LOCK_NAME}` already");
        return Err(CliError::usage(error).hint("delete and commit it first, if you mean to begin anew"));
    }
    let AdoptedPort { lock, unlinked, tests, evidence, left_out } =
        adopted(session, text, &head.tree, leave_out)?;
    let path = session.settings.root.join(LOCK_NAME);
    write_lock(&path, &lock)?;
    let with = |proof: Proof| lock.links.values().filter(|link| link.proof == proof).count();
    context.console.say(&format!(
        "wrote `{LOCK_NAME}`: {} linked at {}: {} proved, {} tested, {} mapped only, {}; {unlinked} without a symbol",
        count(lock.links.len() as u64, "item"),
        lock.baseline,
        with(Proof::Proved),
        with(Proof::Tested),
        (with(Proof::MappedOnly) + with(Proof::Unknown)).saturating_sub(tests),
        count(tests as u64, "upstream test"),
    ));
    let why = why_not_compared(&evidence);
    if let Some(reason) = &evidence.report.source_blocked {
        context.console.say(&format!("nothing is proved, for the upstream cannot be asked: {reason}"));
    } else if !why.is_empty() {
        context.console.say(&format!("not compared: {why}"));
    }
    for (item, why) in &left_out {
        context.console.say(&format!("left out: `{item}`, in which the port differs: {why}"));
    }
    if unlinked > 0 {
        context
            .console
            .say("`tidelock plan` and `tidelock status` name the items without a symbol as unmapped");
    }
    context.console.say("next: commit both files, then `tidelock status` and `tidelock sync`");
    Ok(ExitCode::Done)
}

/// A port that is said to equal a revision.
pub(super) struct AdoptedPort {
    /// Its lock, with what could be proved.
    pub(super) lock: Lock,
    /// How many items have no symbol.
    pub(super) unlinked: usize,
    /// How many of the linked items are tests of the upstream.
    pub(super) tests: usize,
    /// What was compared, and why the rest was not.
    pub(super) evidence: Evidence,
    /// Items that are not linked, for the port differs in them, with the reason.
    pub(super) left_out: BTreeMap<ItemPath, String>,
}

/// Links a port to the revision that it is said to equal, and proves what can be proved. Items in which it differs are
/// left out where that is asked for, and else refuse the whole.
pub(super) fn adopted(
    session: &Session,
    text: &str,
    tree: &TreeId,
    leave_out: bool,
) -> Result<AdoptedPort, CliError> {
    let since = upstream::RevisionLabel::new(text).map_err(CliError::usage)?;
    match session.poll(Some(&since)) {
        // Told below, by a message that says more.
        Ok(_)
        | Err(SessionError::Source(
            SourceError::UnknownRevision { .. } | SourceError::Repo(RepoError::UnknownRevision { .. }),
        )) => {}
        Err(error) => return Err(session_error(error)),
    }
    let revision = session.revision(text).map_err(session_error)?;
    let baseline = session.snapshot(&revision).map_err(session_error)?;
    let symbols = session.symbols(tree).map_err(session_error)?;
    let Adopted { mut lock, unlinked } = adopt(&Adoption {
        source: &session.settings.source.to_string(),
        baseline: &baseline,
        mapping: &session.settings.mapping,
        symbols: &symbols,
    })
    .map_err(CliError::usage)?;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let mut evidence = prove(session, &*confinement, &lock, tree, &baseline)?;
    let is_test = |item: &ItemPath| baseline.items.get(item).is_some_and(|item| item.is_test);
    let mut left_out = BTreeMap::new();
    // What is linked no more makes no values for others and names no classes: the rest is compared anew, until nothing
    // speaks against it. Each round leaves out at least one.
    while leave_out && evidence.disagrees() {
        let contradicted = evidence.contradicted();
        let known = left_out.len();
        for (item, why) in contradicted {
            if lock.links.remove(item).is_some() {
                left_out.insert(item.clone(), why);
            }
        }
        // A program that does otherwise is no item: it is told below.
        if left_out.len() == known {
            break;
        }
        // Tests prove nothing of a port that has nothing to test.
        if lock.links.keys().all(is_test) {
            let error = anyhow!("the port differs from {text} in every item that is linked");
            return Err(CliError { code: ExitCode::GateFailed, cause: error, hints: Vec::new() }
                .hint("name the revision that it equals"));
        }
        evidence = prove(session, &*confinement, &lock, tree, &baseline)?;
    }
    if evidence.disagrees() {
        let findings: Vec<String> = evidence.may_be_told();
        let error = anyhow!("the port does not equal {text}:\n  {}", findings.join("\n  "));
        return Err(CliError { code: ExitCode::GateFailed, cause: error, hints: Vec::new() }
            .hint("name the revision that it equals, or mend the port first")
            .hint("`--leave-out` links the rest, where these differ for a reason or wait"));
    }
    for (item, proof) in &evidence.proofs {
        if let Some(link) = lock.links.get_mut(item) {
            link.proof = *proof;
        }
    }
    let tests = lock.links.values().filter(|link| is_test(&link.item)).count();
    Ok(AdoptedPort { lock, unlinked: unlinked.len(), tests, evidence, left_out })
}

fn write_lock(path: &Path, lock: &Lock) -> Result<(), CliError> {
    std::fs::write(path, lock.render()).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(())
}
