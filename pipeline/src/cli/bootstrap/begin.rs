//! Makes the port that the first sync begins with: a repository, its configuration, a package without code, and a lock
//! in which everything waits.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use mappings::bootstrap::{First, first_lock};
use mappings::lock::Adoption;
use mappings::{Mapping, SymbolTable};
use port::language::Python;
use port::language::python::Interpreter;
use port::repo::PortRepo;
use upstream::process::Invocation;
use upstream::repo::RepoError;
use upstream::snapshot::Package;
use upstream::source::{SourceError, SourceSpec};
use upstream::{Revision, RevisionLabel, Snapshot};

use super::super::{CliError, Context, session_error};
use super::args::Bootstrap;
use super::layout::{self, Layout};
use super::{naming, skeleton, source};
use crate::config::{self, CONFIG_NAME};
use crate::session::{LOCK_NAME, Session, SessionError};

/// Stands in the state of a port whose making has not ended.
const MARK: &str = ".tidelock/bootstrap-begins";

/// How many names an error lists.
const NAMED_MAX: usize = 12;

/// Whether a port was begun in a folder, as far as its first commit.
pub(super) fn is_begun(folder: &Path) -> bool {
    let committed = || -> Option<bool> {
        let repo = PortRepo::open(folder).ok()?;
        let head = repo.head(&repo.checked_out_branch().ok()??).ok()?;
        Some(repo.read(&head.tree, LOCK_NAME).ok()?.is_some())
    };
    folder.join(CONFIG_NAME).is_file() && committed().unwrap_or(false)
}

/// Makes the port.
pub(super) fn begin(
    context: &Context,
    args: &Bootstrap,
    folder: &Path,
    spec: &SourceSpec,
) -> Result<(), CliError> {
    let ignored = ignored(&args.ignore)?;
    let interpreter = Interpreter::locate(&*context.machine.runner, None).map_err(|error| anyhow!(error))?;
    let facts = naming::facts(&*context.machine.runner, &interpreter)?;
    let language = Python::new("", interpreter);
    // Before anything is made or fetched.
    naming::package(args.package.as_deref(), "port", &facts, &language)?;
    clear(folder)?;
    write(folder, MARK, "made by `tidelock bootstrap`\n")?;
    git(context, folder, ("Tidelock", "tidelock@localhost"), &["init", "--quiet", "--initial-branch=main"])?;
    context.console.say(&format!("The port is made in {}.", folder.display()));
    let mut text = Text { upstream: source::section(spec), name: name_of(folder), ..Text::default() };
    write(folder, CONFIG_NAME, &text.written("port"))?;
    let session = context.session(config::load(folder).map_err(|error| anyhow!(error))?)?;
    let (revision, snapshot) = revision(&session, args.at.as_deref())?;
    let krate = chosen(&snapshot, args.krate.as_deref())?;
    let library = krate.library.clone().unwrap_or_default();
    let package = naming::package(args.package.as_deref(), &library, &facts, &language)?;
    if package != library && args.package.is_none() {
        context.console.say(&format!(
            "the package is called `{package}`, because `{library}` is not a name that a port can have"
        ));
    }
    text.ignored = ignored;
    text.others = others(&snapshot, krate);
    text.with_tests = !args.without_tests;
    let hidden = !args.public_only;
    // Every module a file of its own: that shows which are small, and which have others below them.
    let first = first(&snapshot, spec, &text.written(&package), hidden)?;
    text.layout = layout::layout(&first, &snapshot, &package, args.merge_below);
    let mut first = self::first(&snapshot, spec, &text.written(&package), hidden)?;
    if args.without_tests {
        first.lock.parked.retain(|item, _| snapshot.items.get(item).is_some_and(|item| !item.is_test));
        first.files.retain(|item, _| first.lock.parked.contains_key(item));
    }
    if first.lock.parked.is_empty() {
        let error = anyhow!("`{library}` has nothing to port at {}", revision.label);
        return Err(CliError::usage(error).hint("look at `--crate`, `--ignore` and `--public-only`"));
    }
    let plan = skeleton::Plan {
        first: &first,
        snapshot: &snapshot,
        krate,
        package: &package,
        with_tests: !args.without_tests,
        lacks_pytest: !facts.pytest,
    };
    for (file, text) in skeleton::files(plan) {
        write(folder, &file, &text)?;
    }
    write(folder, CONFIG_NAME, &text.written(&package))?;
    write(folder, LOCK_NAME, &first.lock.render())?;
    let author = &session.settings.author;
    let author = (author.name.as_str(), author.email.as_str());
    git(context, folder, author, &["add", "--all"])?;
    let message = format!("Begin a port of {library} {}", revision.label);
    git(context, folder, author, &["commit", "--quiet", "--no-gpg-sign", "--message", &message])?;
    // What its tests need is installed now: later somebody may have been asked in vain.
    session.provide(folder)?;
    std::fs::remove_file(folder.join(MARK)).context("cannot remove the mark of an unfinished port")?;
    context.console.say(&format!(
        "begun: {} of {library} {} wait to be ported",
        reports::count(first.lock.parked.len() as u64, "item"),
        revision.label
    ));
    Ok(())
}

/// The first lock under a configuration.
fn first(snapshot: &Snapshot, spec: &SourceSpec, config: &str, hidden: bool) -> Result<First, CliError> {
    let path = Path::new(CONFIG_NAME);
    let mapping: Mapping = config::read(path, config, None)?.mapping;
    let symbols = SymbolTable::default();
    let source = spec.to_string();
    let adoption = Adoption { source: &source, baseline: snapshot, mapping: &mapping, symbols: &symbols };
    first_lock(&adoption, hidden).map_err(CliError::usage)
}

/// Makes the folder, and empties it of what a making left that did not end.
fn clear(folder: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let is_ours = folder.join(MARK).is_file();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let path = entry.context("cannot read the folder")?.path();
        if !is_ours {
            let error = anyhow!("`{}` is not empty, and no port was begun there", folder.display());
            return Err(
                CliError::usage(error).hint("name a folder that is empty or not there yet: `--into FOLDER`")
            );
        }
        // What was fetched is kept.
        if path.file_name().is_some_and(|name| name == ".tidelock") {
            continue;
        }
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.with_context(|| format!("cannot remove `{}`", path.display()))?;
    }
    Ok(())
}

/// The revision that is ported: the one that was asked for, or the newest.
fn revision(
    session: &Session,
    asked: Option<&str>,
) -> Result<(Revision, std::sync::Arc<Snapshot>), CliError> {
    let revision = match asked {
        Some(text) => {
            listed(session, Some(&RevisionLabel::new(text).map_err(CliError::usage)?))?;
            session.revision(text).map_err(session_error)?
        }
        None => newest(session)?,
    };
    let snapshot = session.snapshot(&revision).map_err(session_error)?;
    Ok((revision, snapshot))
}

/// Asks the upstream what there is. That a revision is unknown is told by who looks it up.
fn listed(session: &Session, since: Option<&RevisionLabel>) -> Result<(), CliError> {
    match session.poll(since) {
        Ok(_)
        | Err(SessionError::Source(
            SourceError::UnknownRevision { .. } | SourceError::Repo(RepoError::UnknownRevision { .. }),
        )) => Ok(()),
        Err(error) => Err(session_error(error)),
    }
}

/// The newest revision. Of a registry only what may be it is downloaded.
fn newest(session: &Session) -> Result<Revision, CliError> {
    let newest = || -> Result<Option<Revision>, CliError> {
        session.poll(None).map_err(session_error)?;
        let known = session.revisions().map_err(session_error)?;
        Ok(known.iter().rfind(|revision| !revision.withdrawn).cloned())
    };
    let none = || CliError::usage(anyhow!("the upstream has no revision that its authors did not take back"));
    let SourceSpec::Registry { pre_releases, .. } = session.mirror.source() else {
        return newest()?.ok_or_else(none);
    };
    // No release has this name; the list of them is brought all the same.
    listed(session, Some(&RevisionLabel::new("newest").map_err(|error| anyhow!(error))?))?;
    let mut labels = session.mirror.not_downloaded().map_err(|error| anyhow!(error))?;
    labels.retain(|label| *pre_releases || !label.as_str().contains('-'));
    for label in labels.into_iter().rev() {
        session.poll(Some(&label)).map_err(session_error)?;
        let known = session.revisions().map_err(session_error)?;
        if let Some(revision) = known.iter().rfind(|revision| !revision.withdrawn) {
            return Ok(revision.clone());
        }
    }
    newest()?.ok_or_else(none)
}

/// The package whose library is ported.
fn chosen<'s>(snapshot: &'s Snapshot, asked: Option<&str>) -> Result<&'s Package, CliError> {
    let libraries: Vec<&Package> =
        snapshot.packages.iter().filter(|package| package.library.is_some()).collect();
    let names = || {
        let names = libraries.iter().map(|package| package.name.as_str()).take(NAMED_MAX);
        names.collect::<Vec<_>>().join(", ")
    };
    let is_asked = |package: &&&Package| {
        asked.is_none_or(|name| package.name == name || package.library.as_deref() == Some(name))
    };
    let mut found = libraries.iter().filter(is_asked);
    match (found.next(), found.next(), asked) {
        (Some(one), None, _) => Ok(one),
        (Some(_), Some(_), _) => Err(CliError::usage(anyhow!("the upstream has several libraries"))
            .hint(format!("choose one with `--crate`: {}", names()))),
        (None, _, Some(name)) => Err(CliError::usage(anyhow!("the upstream has no library `{name}`"))
            .hint(format!("it has: {}", names()))),
        (None, _, None) => {
            let unread = snapshot.unparsed.first().map(|file| format!(" (`{}`: {})", file.file, file.reason));
            Err(CliError::usage(anyhow!(
                "the upstream has no library at {}, so there is nothing to call and to compare{}",
                snapshot.revision.label,
                unread.unwrap_or_default()
            ))
            .hint("a program is ported by the library that it is made of"))
        }
    }
}

/// The other packages of the workspace, by the names of their libraries and their targets.
fn others(snapshot: &Snapshot, krate: &Package) -> Vec<String> {
    let own = [krate.name.as_str(), krate.library.as_deref().unwrap_or_default()];
    let mut names: Vec<String> = snapshot
        .packages
        .iter()
        .filter(|package| package.name != krate.name)
        .flat_map(|package| package.library.iter().chain([&package.name]))
        .filter(|name| !own.contains(&name.as_str()))
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    names
}

/// `PATTERN=REASON`, checked.
fn ignored(texts: &[String]) -> Result<Vec<(String, String)>, CliError> {
    let pair = |text: &String| match text.split_once('=') {
        Some((pattern, reason)) if !pattern.trim().is_empty() && !reason.trim().is_empty() => {
            Ok((pattern.trim().to_owned(), reason.trim().to_owned()))
        }
        Some(_) | None => Err(CliError::usage(anyhow!("`--ignore {text}` gives no reason"))
            .hint("write `--ignore 'krate::ffi::**=there is no C interface in Python'`")),
    };
    texts.iter().map(pair).collect()
}

/// What the configuration says.
#[derive(Debug, Default)]
struct Text {
    upstream: String,
    name: String,
    layout: Layout,
    ignored: Vec<(String, String)>,
    others: Vec<String>,
    with_tests: bool,
}

impl Text {
    fn written(&self, package: &str) -> String {
        let mut text = format!(
            "# How this port follows its upstream. docs/configuration.md explains every key.\nversion = 1\n\n\
             [upstream]\n{}\n\n[port]\nname = {}\n\n\
             # Items of the crate belong to the package by their names.\n[convention]\npackage = {}\n",
            self.upstream,
            quoted(&self.name),
            quoted(package)
        );
        if !self.layout.packages.is_empty() {
            let names = self.layout.packages.iter().map(|module| quoted(&module.join("::")));
            writeln!(text, "packages = [{}]", names.collect::<Vec<_>>().join(", "))
                .expect("a text takes anything");
        }
        if !self.layout.merge.is_empty() {
            let pairs = self.layout.merge.iter();
            let pairs =
                pairs.map(|(from, to)| format!("{} = {}", quoted(&from.join("::")), quoted(&to.join("::"))));
            writeln!(text, "merge = {{ {} }}", pairs.collect::<Vec<_>>().join(", "))
                .expect("a text takes anything");
        }
        let other = self.others.iter().flat_map(|name| {
            let reason = "another crate of the workspace, which has no port here".to_owned();
            [(format!("{name}::**"), reason.clone()), (format!("{name}[*]::**"), reason)]
        });
        for (items, reason) in self.ignored.iter().cloned().chain(other) {
            let (items, reason) = (quoted(&items), quoted(&reason));
            write!(text, "\n[[map]]\nitems = {items}\nstrategy = \"ignore\"\nreason = {reason}\n")
                .expect("a text takes anything");
        }
        write!(
            text,
            "\n[[extension]]\nsymbol = {}\nreason = \"hands on what stands in other modules\"\n",
            quoted(skeleton::HANDING_ON)
        )
        .expect("a text takes anything");
        if self.with_tests {
            write!(
                text,
                "\n[[extension]]\npath = {}\nreason = \"tests the port as a whole\"\n",
                quoted(skeleton::OWN_TEST)
            )
            .expect("a text takes anything");
        }
        text.push_str(
            "\n# Who translates, cheapest first. A `[[translate.model]]` counts once it is named here.\n\
             [translate]\nchain = [\"verify-first\", \"rules\", \"memory\", \"items\"]\n\n[gate]\nprobes = 300\n",
        );
        if self.with_tests {
            text.push_str("\n[gate.tests]\ncommand = [\"python3\", \"-m\", \"pytest\", \"-q\"]\n");
        }
        text
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string().trim().to_owned()
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "port".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn write(folder: &Path, file: &str, text: &str) -> Result<(), CliError> {
    let path = folder.join(file);
    let parent = path.parent().context("a file without a folder")?;
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
    std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(())
}

/// Runs git, whatever the user's own configuration says.
fn git(
    context: &Context,
    folder: &Path,
    (name, email): (&str, &str),
    arguments: &[&str],
) -> Result<(), CliError> {
    let invocation = Invocation::new("git", folder)
        .args(["-c", &format!("user.name={name}"), "-c", &format!("user.email={email}")])
        .args(arguments.iter().copied())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let finished =
        context.machine.runner.run(&invocation).context("a port is a git repository: git is needed")?;
    if finished.succeeded() {
        return Ok(());
    }
    Err(anyhow!("`git {}` failed: {}", arguments.join(" "), finished.tail(5)).into())
}
